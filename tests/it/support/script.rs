//! An upstream that is played by the test itself, byte by byte.

use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::wire::Wire;

/// A listening upstream; the test accepts and answers.
pub(crate) struct Script {
    listener: TcpListener,
    pub(crate) address: SocketAddr,
}

impl Script {
    pub(crate) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        Self { listener, address }
    }

    /// The gate's next connection.
    pub(crate) async fn accept(&self) -> Wire {
        let accepted = tokio::time::timeout(super::PATIENCE, self.listener.accept()).await;
        let (stream, _) = accepted.expect("the gate connects").expect("a connection");
        Wire::over(stream)
    }
}
