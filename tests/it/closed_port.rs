//! A port of this machine where nobody listens, and nobody else begins to.

use std::net::SocketAddr;

use tokio::net::TcpSocket;

/// Bound and never listened on, so that whoever connects is refused for as long as this lives.
/// A port that a listener gave back may be another test's server a moment later.
pub(crate) struct ClosedPort(TcpSocket);

impl ClosedPort {
    /// A free port of 127.0.0.1.
    pub(crate) fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        Self(socket)
    }

    /// Where to find nobody.
    pub(crate) fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    /// Its number.
    pub(crate) fn port(&self) -> u16 {
        self.address().port()
    }
}
