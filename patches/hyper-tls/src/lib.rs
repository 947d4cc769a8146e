//! Stands in for `hyper-tls` so that `rusoto_core` compiles without OpenSSL.
//!
//! osstack sends every request through its own dispatcher; rusoto's client is
//! never given the chance to connect. Should it try, it gets an error.

use std::future::{ready, Ready};
use std::io::{Error, ErrorKind};
use std::task::{Context, Poll};

use hyper::client::HttpConnector;
use hyper::Uri;

/// A connector whose every call is refused.
#[derive(Clone, Debug)]
pub struct HttpsConnector<T> {
    _inner: T,
}

impl HttpsConnector<HttpConnector> {
    /// The connector that `rusoto_core::HttpClient` asks for.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self { _inner: HttpConnector::new() }
    }
}

impl<T> tower_service::Service<Uri> for HttpsConnector<T> {
    type Response = <HttpConnector as tower_service::Service<Uri>>::Response;
    type Error = Error;
    type Future = Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        ready(Err(Error::new(ErrorKind::Unsupported, "rusoto may not open connections here")))
    }
}
