//! Accepting connections and ending them: what axum's own loop does, with a time limit for a
//! request's head and a small bound on it.

use crate::{
    config::Config,
    limits::{HEAD_BYTES, REFUSED_AT_ONCE, REFUSED_TIME},
    metrics::Metrics,
    place::Place,
};
use axum::{Router, body::Body};
use hyper::{Request, body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{io, pin::pin, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::{JoinError, JoinSet},
};
use tokio_io_timeout::TimeoutWriter;
use tower::ServiceExt as _;

/// How long to wait when there are no file descriptors left.
const NO_MORE: Duration = Duration::from_millis(200);

/// How much longer than a WebSocket waits for its peer to take something the socket below it waits: the
/// connection is closed with a code first.
const LATER: Duration = Duration::from_secs(1);

/// Who may come in, and for how long without doing anything.
#[derive(Debug, Clone, Copy)]
pub(super) struct Doors {
    /// Connections at once.
    connections: usize,
    /// For a request's head, and so for the next request of a connection.
    head: Duration,
    /// While nothing of what is to be written is taken.
    stalled: Duration,
}

impl Doors {
    pub(super) fn of(config: &Config) -> Self {
        let head = Duration::from_millis(config.request_time.0);
        let silence = Duration::from_millis(config.limits.silence.0);
        Self { connections: config.connections, head, stalled: head.max(silence + LATER) }
    }
}

/// Serves until `closing` turns true, then until every request under way is answered. What was
/// upgraded is no longer a request.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    doors: Doors,
    metrics: Arc<Metrics>,
    mut closing: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    let places = Arc::new(Semaphore::new(doors.connections));
    let spare = Arc::new(Semaphore::new(REFUSED_AT_ONCE));
    loop {
        tokio::select! {
            accepted = accept(&listener, &spare) => match accepted {
                Ok((stream, spare)) => {
                    let place = place(&places, spare, &metrics);
                    let serving = connection(stream, router.clone(), doors, place, closing.clone());
                    connections.spawn(serving);
                }
                Err(error) => refused(&error).await,
            },
            // Collected as they end, so that their number does not grow for ever.
            Some(ended) = connections.join_next(), if !connections.is_empty() => {
                count(&metrics, &ended);
            }
            () = closed(&mut closing) => break,
        }
    }
    drop(listener);
    while let Some(ended) = connections.join_next().await {
        count(&metrics, &ended);
    }
}

/// Takes nobody in who could not even be refused.
async fn accept(
    listener: &TcpListener,
    spare: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let spare = Arc::clone(spare).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, spare))
}

/// A place of its own, or the spare one to be refused in.
fn place(places: &Arc<Semaphore>, spare: OwnedSemaphorePermit, metrics: &Metrics) -> Place {
    match Arc::clone(places).try_acquire_owned() {
        Ok(place) => Place::new(place, false),
        Err(_) => {
            metrics.refused.add(1);
            Place::new(spare, true)
        }
    }
}

/// A handler's panic is answered and counted by the router; this is what it does not catch.
fn count(metrics: &Metrics, ended: &Result<(), JoinError>) {
    if ended.as_ref().is_err_and(JoinError::is_panic) {
        metrics.panics.add(1);
        tracing::error!("an HTTP connection ended by a panic");
    }
}

async fn closed(closing: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, which ends the serving too.
    let _ = closing.wait_for(|closing| *closing).await;
}

async fn refused(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::warn!(%error, "no connection can be accepted now");
        tokio::time::sleep(NO_MORE).await;
    }
}

async fn connection(
    stream: TcpStream,
    router: Router,
    doors: Doors,
    place: Place,
    mut closing: watch::Receiver<bool>,
) {
    // Frames are small and written whole: waiting for more of them would only delay them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    let refused = place.is_refused();
    // Who asks and does not take the answer is not waited for; a WebSocket has its own patience.
    let mut stream = TimeoutWriter::new(stream);
    stream.set_timeout(Some(doors.stalled));
    let service = router.map_request(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(place.clone());
        request.map(Body::new)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(if refused { REFUSED_TIME.min(doors.head) } else { doors.head })
        .max_buf_size(HEAD_BYTES)
        .keep_alive(!refused)
        .serve_connection(TokioIo::new(Box::pin(stream)), TowerToHyperService::new(service))
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = closed(&mut closing) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "an HTTP connection broke off");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    #[tokio::test]
    async fn a_connection_that_ends_by_a_panic_is_counted() {
        async fn bug() {
            panic!("a bug, on purpose")
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (closing, metrics) = (watch::Sender::new(false), Arc::<Metrics>::default());
        let router = Router::new().route("/", get(bug));
        let time = Duration::from_secs(30);
        let doors = Doors { connections: 1, head: time, stalled: time };
        let serving = serve(listener, router, doors, Arc::clone(&metrics), closing.subscribe());
        let serving = tokio::spawn(serving);
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        closing.send_replace(true);
        serving.await.unwrap();
        assert_eq!(metrics.panics.get(), 1);
    }
}
