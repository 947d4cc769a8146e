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
use tokio_rustls::rustls::{self, ServerConfig};

use super::hosts::Hosts;
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
/// can sign no second certificate: its key is gone when this returns.
pub(super) fn acceptor(
    hosts: &Hosts,
    folder: &Path,
    now: OffsetDateTime,
    (address, random): (SocketAddr, u64),
) -> Result<(TlsAcceptor, PathBuf), TlsError> {
    let (since, until) = (now - Duration::days(1), now + Duration::days(30));
    let subject = |name: &str| {
        let mut names = DistinguishedName::new();
        names.push(DnType::CommonName, name);
        names
    };
    let mut issuer = CertificateParams::default();
    issuer.distinguished_name = subject("osstack sandbox CA");
    issuer.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    issuer.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    (issuer.not_before, issuer.not_after) = (since, until);
    let ca = CertifiedIssuer::self_signed(issuer, KeyPair::generate()?)?;

    // one bucket's host is one label: the wildcard covers it
    let names = hosts.regions().iter().flat_map(|region| {
        let host = &region.host;
        [host.clone(), format!("*.{host}"), format!("s3.{host}"), format!("*.s3.{host}")]
    });
    let names: Vec<String> = names.chain(["localhost".into(), "127.0.0.1".into()]).collect();
    let mut leaf = CertificateParams::new(names)?;
    leaf.distinguished_name = subject("osstack sandbox");
    leaf.use_authority_key_identifier_extension = true;
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    (leaf.not_before, leaf.not_after) = (since, until);
    let key = KeyPair::generate()?;
    let signed = leaf.signed_by(&key, &ca)?;

    // by port: several sandboxes at a time each have a CA of their own
    let file = folder.join(format!("osstack-sandbox-ca-{}.pem", address.port()));
    let options = atomic_file::Options { mode: 0o644, ..atomic_file::Options::default() };
    atomic_file::write(&file, ca.pem().as_bytes(), random, &options)?;

    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![signed.der().clone()], key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((TlsAcceptor::from(Arc::new(config)), file))
}
