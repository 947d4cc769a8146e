//! A certificate for https, made at every start.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair,
    KeyUsagePurpose,
};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use time::{Duration, OffsetDateTime};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ServerConfig};

use super::faults::{BadCertificate, FaultSwitch};
use super::hosts::{CNAME, Hosts};
use crate::base::atomic_file;

/// Why there is no https.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate could not be made.
    #[error("cannot make the sandbox's certificate: {0}; leave out --tls to serve http")]
    Certificate(#[from] rcgen::Error),
    /// rustls does not take it.
    #[error("rustls refuses the sandbox's certificate: {0}; leave out --tls to serve http")]
    Config(#[from] rustls::Error),
    /// The CA's file could not be written.
    #[error(transparent)]
    File(#[from] atomic_file::Error),
}

/// A certificate for all hosts, and its CA's file in `folder`, to be trusted by clients. The CA
/// can sign no further certificate: its key is gone when this returns.
pub(super) fn acceptor(
    hosts: &Hosts,
    faults: &FaultSwitch,
    folder: &Path,
    now: OffsetDateTime,
    (address, random): (SocketAddr, u64),
) -> Result<(TlsAcceptor, PathBuf), TlsError> {
    let (since, until) = (now - Duration::days(1), now + Duration::days(30));
    let mut issuer = CertificateParams::default();
    issuer.distinguished_name = subject("osstack sandbox CA");
    issuer.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    issuer.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    // long enough that an expired certificate of it is found expired, not its issuer
    (issuer.not_before, issuer.not_after) = (now - Duration::days(60), until);
    let ca = CertifiedIssuer::self_signed(issuer, KeyPair::generate()?)?;

    // by port: several sandboxes at a time each have a CA of their own
    let file = folder.join(format!("osstack-sandbox-ca-{}.pem", address.port()));
    let options = atomic_file::Options { mode: 0o644, ..atomic_file::Options::default() };
    atomic_file::write(&file, ca.pem().as_bytes(), random, &options)?;

    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let names = names(hosts);
    let elsewhere = vec!["elsewhere.example".to_owned()];
    let signed = |names: &[String], since, until| {
        let (leaf, key) = (leaf(names, since, until)?, KeyPair::generate()?);
        certified(&leaf.signed_by(&key, &ca)?, &key, &provider)
    };
    let own = KeyPair::generate()?;
    let certificates = Certificates {
        sound: signed(&names, since, until)?,
        expired: signed(&names, now - Duration::days(31), since)?,
        wrong_name: signed(&elsewhere, since, until)?,
        self_signed: certified(&leaf(&names, since, until)?.self_signed(&own)?, &own, &provider)?,
        faults: faults.clone(),
    };
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(certificates));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((TlsAcceptor::from(Arc::new(config)), file))
}

/// The sound certificate, and those that faults show in its place.
#[derive(Debug)]
struct Certificates {
    sound: Arc<CertifiedKey>,
    expired: Arc<CertifiedKey>,
    self_signed: Arc<CertifiedKey>,
    wrong_name: Arc<CertifiedKey>,
    faults: FaultSwitch,
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let shown = match self.faults.certificate() {
            None => &self.sound,
            Some(BadCertificate::Expired) => &self.expired,
            Some(BadCertificate::SelfSigned) => &self.self_signed,
            Some(BadCertificate::WrongName) => &self.wrong_name,
        };
        Some(Arc::clone(shown))
    }
}

/// All that the sandbox is called. One bucket's host is one label: the wildcard covers it.
fn names(hosts: &Hosts) -> Vec<String> {
    let regions = hosts.regions().iter().flat_map(|region| {
        let host = &region.host;
        [host.clone(), format!("*.{host}"), format!("s3.{host}"), format!("*.s3.{host}")]
    });
    let domains = hosts.domains().iter().map(|domain| domain.name.clone());
    let others = [CNAME.to_owned(), format!("*.{CNAME}"), "localhost".into(), "127.0.0.1".into()];
    regions.chain(domains).chain(others).collect()
}

fn subject(name: &str) -> DistinguishedName {
    let mut names = DistinguishedName::new();
    names.push(DnType::CommonName, name);
    names
}

/// A server's certificate before it is signed.
fn leaf(
    names: &[String],
    since: OffsetDateTime,
    until: OffsetDateTime,
) -> Result<CertificateParams, rcgen::Error> {
    let mut leaf = CertificateParams::new(names)?;
    leaf.distinguished_name = subject("osstack sandbox");
    leaf.use_authority_key_identifier_extension = true;
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    (leaf.not_before, leaf.not_after) = (since, until);
    Ok(leaf)
}

fn certified(
    certificate: &rcgen::Certificate,
    key: &KeyPair,
    provider: &CryptoProvider,
) -> Result<Arc<CertifiedKey>, TlsError> {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let chain = vec![certificate.der().clone()];
    Ok(Arc::new(CertifiedKey::from_der(chain, key, provider)?))
}
