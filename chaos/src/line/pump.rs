//! One connection: bytes from either end to the other, up to its fate.

use super::fate::{Fate, Kind, Weather};
use crate::{chance::Chance, clock::millis, trace::Trace};
use std::time::{Duration, Instant};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    time::timeout,
};

/// How long a blackhole keeps an end that does not give up.
const FORGOTTEN: Duration = Duration::from_secs(60);

/// How a connection stands, for both of its directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Cut,
    Reset,
    Hole,
}

/// One direction of a connection.
struct Way {
    up: bool,
    from: OwnedReadHalf,
    to: OwnedWriteHalf,
    weather: Weather,
    chance: Chance,
    state: watch::Sender<State>,
    name: String,
    trace: Trace,
}

pub(super) async fn run(
    client: TcpStream,
    server: TcpStream,
    weather: Weather,
    (seed, n): (u64, u64),
    trace: Trace,
) {
    for stream in [&client, &server] {
        let _ = stream.set_nodelay(true);
    }
    let state = watch::Sender::new(State::Open);
    let (client_read, client_write) = client.into_split();
    let (server_read, server_write) = server.into_split();
    let way = |up, from, to| Way {
        up,
        from,
        to,
        weather,
        chance: Chance::new(seed, if up { "up" } else { "down" }, n),
        state: state.clone(),
        name: format!("connection {n}"),
        trace: trace.clone(),
    };
    let (up, down) = (way(true, client_read, server_write), way(false, server_read, client_write));
    // What a blackhole still writes to is dropped when both directions have ended: the end of one is
    // not told to the other.
    drop(tokio::join!(up.run(), down.run()));
}

impl Way {
    async fn run(mut self) -> Option<OwnedWriteHalf> {
        let mut state = self.state.subscribe();
        let pass = async {
            let end = self.pass().await;
            self.state.send_if_modified(|state| {
                let ends = *state == State::Open && end != State::Open;
                if ends {
                    *state = end;
                }
                ends
            });
        };
        // One direction that ends by itself, as when an end has closed, leaves the other be.
        let told = tokio::select! {
            () = pass => *self.state.borrow(),
            told = state.wait_for(|state| *state != State::Open) => told.map_or(State::Cut, |it| *it),
        };
        match told {
            State::Open => {}
            State::Cut => drop(self.to.shutdown().await),
            State::Reset => self.reset(),
            State::Hole => {
                self.swallow().await;
                return Some(self.to);
            }
        }
        None
    }

    /// Passes bytes on until one end closes or the fate comes. Returns what becomes of the whole.
    async fn pass(&mut self) -> State {
        let mut buffer = vec![0; 16 * 1024];
        let mut fate = self.weather.draw(self.up, &mut self.chance);
        let mut passed = 0;
        loop {
            if let Some(due) = fate.filter(|fate| fate.after == passed) {
                match self.befalls(due, &mut buffer).await {
                    State::Open => (),
                    end => return end,
                }
                fate = self.weather.draw(self.up, &mut self.chance);
                passed = 0;
                continue;
            }
            let room = fate.map_or(u64::MAX, |fate| fate.after - passed);
            let most = usize::try_from(room).unwrap_or(usize::MAX).min(buffer.len());
            match self.from.read(&mut buffer[..most]).await {
                Ok(0) => {
                    let _ = self.to.shutdown().await;
                    return State::Open;
                }
                Err(_) => return State::Reset,
                Ok(n) if self.to.write_all(&buffer[..n]).await.is_err() => return State::Reset,
                Ok(n) => passed += n as u64,
            }
        }
    }

    async fn befalls(&mut self, fate: Fate, buffer: &mut [u8]) -> State {
        self.trace.fault(fate.kind.name(), &format!("{} {}, {fate:?}", self.name, self.way()));
        match fate.kind {
            Kind::Cut => State::Cut,
            Kind::Reset => State::Reset,
            Kind::Blackhole => State::Hole,
            Kind::StallUp | Kind::StallDown => {
                tokio::time::sleep(millis(fate.millis)).await;
                State::Open
            }
            Kind::Slow => self.crawl(fate, buffer).await,
        }
    }

    /// Byte by byte, so many in a hundredth of a second.
    async fn crawl(&mut self, fate: Fate, buffer: &mut [u8]) -> State {
        let began = Instant::now();
        let pace = usize::try_from(fate.pace).unwrap_or(1).min(buffer.len());
        while began.elapsed() < millis(fate.millis) {
            let n = match self.from.read(&mut buffer[..pace]).await {
                Ok(0) => {
                    let _ = self.to.shutdown().await;
                    return State::Cut;
                }
                Err(_) => return State::Reset,
                Ok(n) => n,
            };
            for byte in &buffer[..n] {
                if self.to.write_all(&[*byte]).await.is_err() {
                    return State::Reset;
                }
            }
            tokio::time::sleep(millis(10)).await;
        }
        State::Open
    }

    /// Takes what comes and tells nobody, until this end gives up by itself.
    async fn swallow(&mut self) {
        let mut buffer = vec![0; 16 * 1024];
        let read = async { while matches!(self.from.read(&mut buffer).await, Ok(n) if n > 0) {} };
        let _ = timeout(FORGOTTEN, read).await;
        self.trace.say(&format!("{} {}: given up", self.name, self.way()));
    }

    const fn way(&self) -> &'static str {
        if self.up { "up" } else { "down" }
    }

    /// Both halves are dropped with no word (FIN) before it.
    fn reset(self) {
        let _ = self.from.as_ref().set_zero_linger();
        let _ = self.to.as_ref().set_zero_linger();
        self.to.forget();
    }
}
