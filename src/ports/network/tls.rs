//! TLS: whom we trust, and what is wrong with a certificate.

use std::error::Error as StdError;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::NetworkError;
use super::certificate::Certificate;

/// What a handshake agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFacts {
    /// `TLS 1.3`.
    pub version: String,
    /// The cipher suite's name.
    pub cipher: String,
    /// How many certificates the server sent.
    pub chain: usize,
    /// The server's own certificate, where it can be read.
    pub certificate: Option<Certificate>,
}

/// What is wrong with a server's certificate, in a word a user can act on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateProblem {
    /// Its time is over.
    #[error("the certificate has expired (or this machine's clock is wrong)")]
    Expired,
    /// Its time has not come.
    #[error("the certificate is not valid yet (or this machine's clock is wrong)")]
    NotYetValid,
    /// It belongs to another name.
    #[error("the certificate is for another host name")]
    WrongHost,
    /// It signed itself.
    #[error("the certificate is self-signed: if it is yours, name it in OSSTACK_CA_FILE")]
    SelfSigned,
    /// Nobody we trust signed it: a company's proxy, a missing CA. Outside of the diagnosis also
    /// one that signed itself.
    #[error(
        "the certificate's issuer{} is not known to this machine: if a company proxy or an own CA stands in between, name its certificate in OSSTACK_CA_FILE", .0.as_ref().map(|name| format!(" '{name}'")).unwrap_or_default()
    )]
    UnknownIssuer(Option<String>),
    /// Its issuer took it back.
    #[error("the certificate has been revoked")]
    Revoked,
    /// A signature that does not hold, or an algorithm too old (SHA-1).
    #[error("the certificate's signature does not hold, or uses an algorithm that is not accepted")]
    BadSignature,
    /// Anything else.
    #[error("the certificate is refused: {0}")]
    Other(String),
}

/// Why a handshake failed.
#[derive(Debug, thiserror::Error)]
pub enum TlsProblem {
    /// The certificate.
    #[error("{0}")]
    Certificate(CertificateProblem),
    /// What answers does not speak TLS.
    #[error("the server does not speak TLS on this port: is it an http port?")]
    NotTls,
    /// No common version or cipher, or the server broke off.
    #[error("the TLS handshake failed: {0}")]
    Handshake(String),
    /// No answer in time.
    #[error("the TLS handshake did not end within {0:?}")]
    Timeout(Duration),
    /// No name that TLS takes.
    #[error("{0} is no host name for TLS")]
    Name(String),
}

/// Whom we trust: the system's roots and `extra`.
pub(super) fn roots(extra: &[CertificateDer<'static>]) -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    // single certificates of a system's store may be unreadable; what can be read is used
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots.add_parsable_certificates(extra.iter().cloned());
    Arc::new(roots)
}

/// The one configuration: ring, TLS 1.2 and 1.3, http/1.1.
pub(super) fn config(roots: Arc<RootCertStore>) -> Result<ClientConfig, NetworkError> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| NetworkError::Tls(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

/// Judges as rustls does, and keeps the certificate so that a refusal can be explained. Only the
/// diagnosis uses it, on a connection that carries nothing.
#[derive(Debug)]
struct Witness {
    judge: Arc<WebPkiServerVerifier>,
    seen: Mutex<Option<Certificate>>,
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Certificate::read(end_entity);
        self.judge.verify_server_cert(end_entity, intermediates, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.judge.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.judge.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.judge.supported_verify_schemes()
    }
}

/// The certificates in `pem`, which `name` names in the error.
pub(super) fn certificates(
    pem: &[u8],
    name: &str,
) -> Result<Vec<CertificateDer<'static>>, NetworkError> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem).filter_map(Result::ok).collect();
    if found.is_empty() {
        return Err(NetworkError::NoCertificate(name.to_owned()));
    }
    Ok(found)
}

pub(super) async fn handshake(
    roots: Arc<RootCertStore>,
    host: &str,
    stream: TcpStream,
    limit: Duration,
) -> Result<TlsFacts, TlsProblem> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| TlsProblem::Name(crate::base::visible::visible(host).into_string()))?;
    let provider = Arc::new(ring::default_provider());
    let unusable = |error: &dyn StdError| TlsProblem::Handshake(error.to_string());
    let judge = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider))
        .build()
        .map_err(|error| unusable(&error))?;
    let witness = Arc::new(Witness { judge, seen: Mutex::new(None) });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(&error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&witness) as Arc<dyn ServerCertVerifier>)
        .with_no_client_auth();
    let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream);
    let outcome =
        tokio::time::timeout(limit, connecting).await.map_err(|_| TlsProblem::Timeout(limit))?;
    let certificate = witness.seen.lock().unwrap_or_else(PoisonError::into_inner).take();
    let stream = outcome.map_err(|error| with_issuer(problem_of(&error), certificate.as_ref()))?;
    let (_, session) = stream.get_ref();
    let version = match session.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3".to_owned(),
        Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2".to_owned(),
        other => format!("{other:?}"),
    };
    let cipher = session.negotiated_cipher_suite().map(|suite| format!("{:?}", suite.suite()));
    let chain = session.peer_certificates().map_or(0, <[_]>::len);
    Ok(TlsFacts { version, cipher: cipher.unwrap_or_default(), chain, certificate })
}

/// Tells who signed, where the problem is that nobody knows him.
fn with_issuer(problem: TlsProblem, certificate: Option<&Certificate>) -> TlsProblem {
    match (problem, certificate) {
        (TlsProblem::Certificate(CertificateProblem::UnknownIssuer(_)), Some(certificate)) => {
            TlsProblem::Certificate(if certificate.self_signed {
                CertificateProblem::SelfSigned
            } else {
                CertificateProblem::UnknownIssuer(Some(certificate.issuer.clone()))
            })
        }
        (problem, _) => problem,
    }
}

fn problem_of(error: &io::Error) -> TlsProblem {
    match rustls_error(error) {
        Some(rustls::Error::InvalidCertificate(problem)) => TlsProblem::Certificate(named(problem)),
        Some(rustls::Error::InvalidMessage(_)) => TlsProblem::NotTls,
        Some(other) => TlsProblem::Handshake(other.to_string()),
        None => TlsProblem::Handshake(error.to_string()),
    }
}

/// The certificate's problem somewhere below `error`, or the TLS error in words.
pub fn certificate_problem(error: &(dyn StdError + 'static)) -> Option<TlsProblem> {
    let mut next = Some(error);
    while let Some(current) = next {
        if let Some(error) = current.downcast_ref::<rustls::Error>() {
            return Some(problem_of(&io::Error::other(error.clone())));
        }
        if let Some(inner) = current.downcast_ref::<io::Error>().and_then(rustls_error) {
            return Some(problem_of(&io::Error::other(inner.clone())));
        }
        next = current.source();
    }
    None
}

/// rustls hides its errors inside io errors, sometimes twice.
fn rustls_error(error: &io::Error) -> Option<&rustls::Error> {
    let inner = error.get_ref()?;
    if let Some(error) = inner.downcast_ref::<rustls::Error>() {
        return Some(error);
    }
    inner.downcast_ref::<io::Error>().and_then(rustls_error)
}

fn named(error: &CertificateError) -> CertificateProblem {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            CertificateProblem::Expired
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            CertificateProblem::NotYetValid
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            CertificateProblem::WrongHost
        }
        CertificateError::UnknownIssuer => CertificateProblem::UnknownIssuer(None),
        CertificateError::Revoked => CertificateProblem::Revoked,
        CertificateError::BadSignature
        | CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            CertificateProblem::BadSignature
        }
        other => CertificateProblem::Other(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
    use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
    use tokio::task::JoinSet;

    use super::*;
    use crate::ports::env::Env;
    use crate::ports::network::Network;

    fn authority() -> CertifiedIssuer<'static, KeyPair> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "Example Proxy CA");
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    }

    /// Shakes hands as `bucket.localhost` with a server that has a certificate by `params`,
    /// signed by `issuer` or by itself.
    async fn shake(
        mut params: CertificateParams,
        issuer: Option<&CertifiedIssuer<'static, KeyPair>>,
        network: &Network,
    ) -> Result<TlsFacts, TlsProblem> {
        let key = KeyPair::generate().unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, "the server");
        let certificate = match issuer {
            Some(issuer) => params.signed_by(&key, issuer),
            None => params.self_signed(&key),
        };
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config =
            rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![certificate.unwrap().der().clone()], key)
                .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut server = JoinSet::new();
        server.spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let _may_be_refused = acceptor.accept(stream).await;
        });
        let stream = network.connect(address).await.unwrap();
        network.tls_handshake("bucket.localhost", stream).await
    }

    fn named(host: &str) -> CertificateParams {
        CertificateParams::new(vec![host.to_owned()]).unwrap()
    }

    fn problem(outcome: Result<TlsFacts, TlsProblem>) -> CertificateProblem {
        match outcome {
            Err(TlsProblem::Certificate(problem)) => problem,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn what_is_wrong_with_a_certificate_has_a_name() {
        let ca = authority();
        let stranger = Network::new(&Env::default()).unwrap();
        let trusting = stranger.trusting(ca.pem().as_bytes()).unwrap();
        let host = || named("bucket.localhost");

        let facts = shake(host(), Some(&ca), &trusting).await.unwrap();
        assert_eq!((facts.version.as_str(), facts.chain), ("TLS 1.3", 1));
        let certificate = facts.certificate.unwrap();
        assert_eq!(certificate.subject, "the server");
        assert_eq!(certificate.issuer, "Example Proxy CA");
        assert_eq!(certificate.not_after.unwrap().year(), 4096);
        assert!(!certificate.self_signed);

        let unknown = problem(shake(host(), Some(&ca), &stranger).await);
        assert_eq!(unknown, CertificateProblem::UnknownIssuer(Some("Example Proxy CA".into())));
        let own = problem(shake(host(), None, &stranger).await);
        assert_eq!(own, CertificateProblem::SelfSigned);
        let other = problem(shake(named("other.localhost"), Some(&ca), &trusting).await);
        assert_eq!(other, CertificateProblem::WrongHost);
        let mut old = host();
        old.not_before = rcgen::date_time_ymd(2020, 1, 1);
        old.not_after = rcgen::date_time_ymd(2021, 1, 1);
        let old = problem(shake(old, Some(&ca), &trusting).await);
        assert_eq!(old, CertificateProblem::Expired);
    }

    #[tokio::test]
    async fn an_http_port_is_no_tls_port() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut server = JoinSet::new();
        server.spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let reply = b"HTTP/1.1 400 Bad Request\r\n\r\n";
            tokio::io::AsyncWriteExt::write_all(&mut stream, reply).await.unwrap();
            std::future::pending::<()>().await;
        });
        let network = Network::new(&Env::default()).unwrap();
        let stream = network.connect(address).await.unwrap();
        let outcome = network.tls_handshake("bucket.localhost", stream).await;
        assert!(matches!(outcome, Err(TlsProblem::NotTls)), "{outcome:?}");
    }
}
