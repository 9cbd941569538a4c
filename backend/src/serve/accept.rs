//! Accepting connections and ending them: what axum's own loop does, with a time limit for a
//! request's head and a small bound on it.

use crate::{
    limits::{HEAD_BYTES, HEAD_TIME},
    metrics::Metrics,
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
    sync::watch,
    task::{JoinError, JoinSet},
};
use tower::ServiceExt as _;

/// How long to wait when there are no file descriptors left.
const NO_MORE: Duration = Duration::from_millis(200);

/// Serves until `closing` turns true, then until every request under way is answered. What was
/// upgraded is no longer a request.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    metrics: Arc<Metrics>,
    mut closing: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, router.clone(), closing.clone()));
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

async fn connection(stream: TcpStream, router: Router, mut closing: watch::Receiver<bool>) {
    // Frames are small and written whole: waiting for more of them would only delay them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    let service = router.map_request(|request: Request<Incoming>| request.map(Body::new));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
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
        let serving = serve(listener, router, Arc::clone(&metrics), closing.subscribe());
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
