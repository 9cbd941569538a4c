//! The network as an attempt meets it: names, and connections.

use async_trait::async_trait;
use std::{
    io,
    net::{SocketAddr, ToSocketAddrs as _},
    sync::Arc,
};
use tokio::{net::TcpStream, sync::Semaphore};

#[async_trait]
pub(super) trait Net: Send + Sync {
    /// The addresses that a name has at the moment.
    async fn find(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>>;

    async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream>;
}

/// Names that are looked up at once. Each takes a thread until the system has answered, however long ago
/// whoever asked has given up, and what else needs threads is not to wait for it.
const LOOK_UPS: usize = 32;

/// The machine's own.
pub(super) struct Own(Arc<Semaphore>);

impl Own {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(LOOK_UPS)))
    }

    /// Has a thread look something up, in its turn.
    async fn look_up<T: Send + 'static>(
        &self,
        look: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let turn = Arc::clone(&self.0).acquire_owned().await.map_err(io::Error::other)?;
        let looked = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            look()
        });
        looked.await.map_err(io::Error::other)?
    }
}

#[async_trait]
impl Net for Own {
    async fn find(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let name = name.to_owned();
        self.look_up(move || Ok((name.as_str(), port).to_socket_addrs()?.collect())).await
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        TcpStream::connect(address).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{sync::mpsc, time::Duration};
    use tokio::time::timeout;

    #[tokio::test]
    async fn a_look_up_that_was_given_up_keeps_its_place_until_its_thread_is_free() {
        let own = Own::new();
        let (begun, begins) = mpsc::channel();
        let mut answers = Vec::new();
        for _ in 0..LOOK_UPS {
            let (begun, (answer, answered)) = (begun.clone(), mpsc::channel::<()>());
            let look = move || {
                let _ = begun.send(());
                let _ = answered.recv();
                Ok(())
            };
            // Whoever asks gives up at once, when its thread has begun or will.
            assert!(timeout(Duration::ZERO, own.look_up(look)).await.is_err());
            answers.push(answer);
        }
        for _ in 0..LOOK_UPS {
            begins.recv().unwrap();
        }
        assert_eq!(own.0.available_permits(), 0);
        let mut next = std::pin::pin!(own.look_up(|| Ok(7)));
        assert!(timeout(Duration::ZERO, &mut next).await.is_err(), "it waits for its turn");
        answers.pop();
        assert_eq!(next.await.unwrap(), 7);
    }
}
