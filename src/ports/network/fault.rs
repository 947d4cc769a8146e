//! Why an exchange over HTTP broke, out of whatever error the layers below give.

use std::error::Error as StdError;

use super::{ProxyError, ResolveError, certificate_problem};

/// Where on the way it broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The proxy does not let us through.
    Proxy,
    /// The host name does not resolve.
    Dns,
    /// The certificate, the handshake, or a host that no certificate can name.
    Tls,
    /// The head of the answer is longer than we read.
    LongHead,
    /// What answers does not speak HTTP.
    NotHttp,
    /// The connection ended, or was never to be had; nothing more is known.
    Closed,
    /// The system's own error.
    Io(std::io::ErrorKind),
}

/// A broken exchange, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where it broke.
    pub kind: FaultKind,
    /// What the layer below says, or our words for it.
    pub message: String,
}

impl Fault {
    /// Sorts a failure to connect, to send, or to read the head of an answer.
    pub fn of(error: &(dyn StdError + 'static)) -> Self {
        let fault = |kind, message: String| Self { kind, message };
        // first, since what it could not reach is the proxy's own name or address
        if let Some(error) = below::<ProxyError>(error) {
            return fault(FaultKind::Proxy, error.to_string());
        }
        if let Some(error) = below::<ResolveError>(error) {
            return fault(FaultKind::Dns, error.to_string());
        }
        if let Some(problem) = certificate_problem(error) {
            return fault(FaultKind::Tls, problem.to_string());
        }
        if below::<rustls_pki_types::InvalidDnsNameError>(error).is_some() {
            let message = "the host is no name that a certificate can have";
            return fault(FaultKind::Tls, message.to_owned());
        }
        if let Some(error) = below::<hyper::Error>(error) {
            if error.is_parse_too_large() {
                let message = "the answer's head is too long";
                return fault(FaultKind::LongHead, message.to_owned());
            }
            if error.is_parse() || error.is_parse_status() {
                let message = "the server does not answer in HTTP";
                return fault(FaultKind::NotHttp, message.to_owned());
            }
            if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
                let message = "the server closed the connection before it answered";
                return fault(FaultKind::Closed, message.to_owned());
            }
        }
        if let Some(error) = below::<std::io::Error>(error) {
            return fault(FaultKind::Io(error.kind()), error.to_string());
        }
        fault(FaultKind::Closed, innermost(error).to_string())
    }
}

/// The first error of type `E` on the way down.
pub fn below<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(current) = next {
        if let Some(found) = current.downcast_ref::<E>() {
            return Some(found);
        }
        next = current.source();
    }
    None
}

/// The last error on the way down.
pub fn innermost<'a>(error: &'a (dyn StdError + 'static)) -> &'a (dyn StdError + 'static) {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error
}
