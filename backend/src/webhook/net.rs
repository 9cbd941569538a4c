//! The network as an attempt meets it: names, and connections.

use async_trait::async_trait;
use std::{io, net::SocketAddr};
use tokio::net::{TcpStream, lookup_host};

#[async_trait]
pub(super) trait Net: Send + Sync {
    /// The addresses that a name has at the moment.
    async fn find(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>>;

    async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream>;
}

/// The machine's own.
pub(super) struct Own;

#[async_trait]
impl Net for Own {
    async fn find(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(lookup_host((name, port)).await?.collect())
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        TcpStream::connect(address).await
    }
}
