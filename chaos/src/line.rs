//! The line between clients and server: a small TCP proxy that does to each connection what is drawn
//! for it.
//!
//! Each direction of a connection has its [`Fate`](fate::Fate): nothing, or one [`Kind`] of fault once
//! so many bytes have passed, which may be in the middle of a frame or of the handshake; and after one
//! that passes over, another. Nothing is ever changed or made up: what the two ends get is always a prefix of what
//! the other one has sent, as TCP promises.

mod fate;
mod pump;

pub(crate) use fate::{Kind, Weather};

use crate::{Outcome, trace::Trace};
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

#[derive(Debug)]
pub(crate) struct Line {
    /// Where clients connect.
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    /// Where the server listens.
    to: Mutex<SocketAddr>,
    /// Closed: every new connection is reset at once.
    closed: AtomicBool,
    weather: Mutex<Weather>,
    trace: Trace,
}

impl Line {
    /// A line that is calm at first.
    pub(crate) async fn start(to: SocketAddr, seed: u64, trace: Trace) -> Outcome<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let weather = Mutex::new(Weather::calm());
        let closed = AtomicBool::new(false);
        let shared = Arc::new(Shared { to: Mutex::new(to), closed, weather, trace });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared), seed));
        Ok(Self { address, shared, accepting })
    }

    /// What is drawn for the connections to come.
    pub(crate) fn weather(&self, weather: Weather) {
        *lock(&self.shared.weather) = weather;
    }

    /// Lets no new connection through until it is opened.
    pub(crate) fn close(&self) {
        self.shared.closed.store(true, SeqCst);
    }

    /// Lets them through again, to this address.
    pub(crate) fn open(&self, to: SocketAddr) {
        *lock(&self.shared.to) = to;
        self.shared.closed.store(false, SeqCst);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, seed: u64) {
    // Dropped with this task, and every connection with it.
    let mut connections = JoinSet::new();
    let mut n = 0;
    while let Ok((client, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        if shared.closed.load(SeqCst) {
            let _ = client.set_zero_linger();
            continue;
        }
        n += 1;
        let weather = *lock(&shared.weather);
        let to = *lock(&shared.to);
        let trace = shared.trace.clone();
        connections.spawn(async move {
            match TcpStream::connect(to).await {
                Ok(server) => pump::run(client, server, weather, (seed, n), trace).await,
                // Nobody listens: the client hears what it would without a line.
                Err(_) => drop(client.set_zero_linger()),
            }
        });
    }
}

fn lock<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
