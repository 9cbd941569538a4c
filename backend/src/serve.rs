//! Serving: opens the data folder, listens, says so, serves, and drains.

mod accept;

use crate::{
    app::{Builder, Handle, NotBuilt},
    config::Config,
    domain::{chat::ChatRules, work::WorkRules},
    engine::{Engine, sqlite::SqliteEngine},
    failpoint,
    guard::Guard,
    limits::BACKLOG,
};
use accept::Doors;
use axum::Router;
use holdfast_common::{chat, work};
use std::{
    io::{self, Write as _},
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpSocket},
    sync::watch,
};

/// Why the server did not start, in one line.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotStarted {
    /// Anybody could come in.
    #[error(
        "there is no sign-in yet, so only addresses of this machine (127.0.0.1, ::1) may be \
         listened on, and {0} is not one"
    )]
    NotLoopback(SocketAddr),
    /// The address is taken, or is not this machine's.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, io::Error),
    /// The data folder cannot be used.
    #[error("cannot open the data folder {0}: {1}")]
    Data(String, String),
    /// The application could not be put together.
    #[error(transparent)]
    NotBuilt(#[from] NotBuilt),
    /// The system does not tell about signals.
    #[error("cannot wait for signals: {0}")]
    Signals(io::Error),
}

/// Serves until the process is told to end, with what an application adds.
///
/// # Errors
/// The server could not start.
pub(crate) async fn serve(
    config: Config,
    add: impl FnOnce(Builder) -> Builder,
) -> Result<(), NotStarted> {
    failpoint::plant();
    if !config.listen.ip().is_loopback() {
        return Err(NotStarted::NotLoopback(config.listen));
    }
    let stop = stop().map_err(NotStarted::Signals)?;
    let listener = listen(config.listen).map_err(|it| NotStarted::Listen(config.listen, it))?;
    let engine = open(&config.data)?;
    let doors = Doors::of(&config);
    let builder = Builder::new(engine)
        .namespace(chat::Serve(ChatRules))
        .namespace(work::Serve(WorkRules))
        .queues(work::queues())
        .welcome_room("chat", chat::LOBBY)
        .webhooks(config.webhooks)
        .webhook_time(Duration::from_millis(config.webhook_time.0))
        .exports(config.exports)
        .limits(config.limits)
        .guard(Guard { dev_proxy_port: config.dev_proxy_port })
        .waiting_frames(config.waiting_frames)
        .away(config.away)
        // A part of the time that it has: what is handed back has to be said, too.
        .drain(Duration::from_millis(config.drain.0) * 3 / 4)
        .request_time(Duration::from_millis(config.request_time.0))
        .page();
    let (router, handle) = add(builder).build().await?;
    let address = listener.local_addr().map_err(|it| NotStarted::Listen(config.listen, it))?;
    // Whoever started it may have closed stdout; that is no reason to stop.
    let _ = writeln!(io::stdout(), "listening on http://{address}");
    tracing::info!(%address, data = %config.data.display(), "listening");
    let drain = Duration::from_millis(config.drain.0);
    run(listener, router, handle, doors, stop, drain).await;
    Ok(())
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A server that was killed leaves connections behind that would block its address for a minute.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

async fn run(
    listener: TcpListener,
    router: Router,
    handle: Handle,
    doors: Doors,
    stop: impl Future<Output = ()>,
    drain: Duration,
) {
    let closing = watch::Sender::new(false);
    let mut serving =
        tokio::spawn(accept::serve(listener, router, doors, handle.metrics(), closing.subscribe()));
    stop.await;
    tracing::info!("shutting down");
    handle.drain();
    // While connections are told, HTTP is still answered: `readyz` says that it is over.
    if !handle.drained(drain).await {
        tracing::warn!("some connections did not close in time");
    }
    closing.send_replace(true);
    // Requests that are under way; one that never ends is not waited for.
    if tokio::time::timeout(drain, &mut serving).await.is_err() {
        tracing::warn!("some requests did not end in time");
    }
}

/// Completes at SIGTERM or ctrl-c. The handlers stand when this returns.
#[cfg(unix)]
fn stop() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stop() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

fn open(folder: &Path) -> Result<Arc<dyn Engine>, NotStarted> {
    match SqliteEngine::open(folder) {
        Ok(engine) => Ok(Arc::new(engine)),
        Err(error) => Err(NotStarted::Data(folder.display().to_string(), error.to_string())),
    }
}
