//! The connection's life as the client sees it: connecting, greeting, online, waiting, blocked.

use super::{After, Client, Link, NotWritten, Output, Show, Write};
use crate::{
    backoff::Backoff,
    error::Code,
    event::Class,
    frame::{ClientFrame, Hello, LaneWatermark, Ping, Welcome},
    limits::Limits,
    time::{Instant, Millis},
};

/// How long opening a socket and being welcomed may take.
const CONNECT: Millis = Millis(10_000);
/// How long a probe waits for an answer once the page is back in the foreground.
const PROBE: Millis = Millis(5_000);
/// The first wait after a lost connection.
const FIRST_WAIT: Millis = Millis(500);
/// The longest.
const LONGEST_WAIT: Millis = Millis(30_000);
/// A connection that lasted this long was a success; one that is welcomed and ended at once is
/// not, or the same frame could end each new one without a pause.
const STEADY: Millis = Millis(5_000);
/// Rooms and lanes in one hello frame.
const HELLO_CHUNK: usize = 200;

#[derive(Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Idle,
    /// The raised generation is being written.
    Raising,
    /// The socket is being opened, or the hello is under way.
    Connecting {
        since: Instant,
    },
    Online,
    Waiting {
        until: Instant,
        why: Option<Code>,
    },
    /// A new writer id is awaited.
    Renewing,
    Blocked {
        why: Option<Code>,
        storage: bool,
        full: bool,
    },
}

#[derive(Debug)]
pub(super) struct LinkMachine {
    phase: Phase,
    backoff: Backoff,
    heard: Instant,
    welcomed: Instant,
    pinged: Option<Instant>,
    /// A probe is out: without an answer by then the other side is dead.
    probe: Option<Instant>,
    pings: u64,
    /// The server said when to come back.
    away: Option<Millis>,
}

impl Default for LinkMachine {
    fn default() -> Self {
        Self {
            phase: Phase::Idle,
            backoff: Backoff::new(FIRST_WAIT, LONGEST_WAIT),
            heard: Instant(0),
            welcomed: Instant(0),
            pinged: None,
            probe: None,
            pings: 0,
            away: None,
        }
    }
}

impl LinkMachine {
    pub(super) fn online(&self) -> bool {
        self.phase == Phase::Online
    }

    /// Whether frames of a socket are for this machine.
    pub(super) fn hears(&self) -> bool {
        matches!(self.phase, Phase::Online | Phase::Connecting { .. })
    }

    pub(super) fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.pinged = None;
        self.probe = None;
    }

    pub(super) fn away(&mut self, after: Millis) {
        self.away = Some(after);
    }

    pub(super) fn store_failed(&mut self, why: NotWritten) {
        // A fenced tab is no failure to show: another one leads and its state is shown instead.
        self.phase = match why {
            NotWritten::Fenced => Phase::Idle,
            NotWritten::Full | NotWritten::Failed => {
                Phase::Blocked { why: None, storage: true, full: why == NotWritten::Full }
            }
        };
    }

    pub(super) fn deadline(&self, limits: &Limits) -> Option<Instant> {
        match self.phase {
            Phase::Idle | Phase::Raising | Phase::Renewing | Phase::Blocked { .. } => None,
            Phase::Connecting { since } => Some(since + CONNECT),
            Phase::Waiting { until, .. } => Some(until),
            Phase::Online => {
                let due = match self.pinged {
                    None => self.heard + limits.ping_every,
                    Some(_) => self.heard + limits.silence,
                };
                Some(self.probe.map_or(due, |probe| probe.min(due)))
            }
        }
    }
}

impl Client {
    pub(super) fn start(&mut self) {
        if self.link.phase == Phase::Idle {
            self.raise();
        }
    }

    /// Raises the generation on disk; the connection is made once it is there.
    fn raise(&mut self) {
        self.link.phase = Phase::Raising;
        self.generation = self.generation.saturating_add(1);
        self.waiting.push(Write::Generation(self.generation));
        self.after.push(After::Connect);
        self.show_link();
    }

    pub(super) fn connect(&mut self, now: Instant) {
        if self.link.phase == Phase::Raising {
            self.link.phase = Phase::Connecting { since: now };
            self.out.push(Output::Connect);
        }
    }

    pub(super) fn opened(&mut self, now: Instant) {
        if !matches!(self.link.phase, Phase::Connecting { .. }) {
            return;
        }
        self.link.heard(now);
        let rooms = self.cursors();
        let lanes = self.lanes.states();
        let chunks = rooms.len().max(lanes.len()).div_ceil(HELLO_CHUNK).max(1);
        for i in 0..chunks {
            let hello = Hello {
                person: self.principal.person,
                secret: self.principal.secret.clone(),
                name: self.principal.name.clone(),
                writer: self.writer,
                generation: self.generation,
                session: self.session,
                rooms: chunk(&rooms, i),
                lanes: chunk(&lanes, i),
                more: i + 1 < chunks,
            };
            self.send(&ClientFrame::Hello(hello));
        }
    }

    pub(super) fn welcome(&mut self, now: Instant, welcome: Welcome) {
        if !matches!(self.link.phase, Phase::Connecting { .. }) {
            return;
        }
        self.link.phase = Phase::Online;
        self.link.welcomed = now;
        self.link.heard(now);
        self.limits = welcome.limits.clone();
        for LaneWatermark { room, watermark, lost } in welcome.lanes {
            self.lanes.watermark(room, watermark);
            if lost {
                self.out.push(Output::Show(Show::Lost(room)));
            }
        }
        self.waiting.extend(welcome.latest.into_iter().map(Write::Register));
        self.send_latest();
        self.send_late();
        let (limits, now) = (welcome.limits, welcome.now);
        self.out.push(Output::Show(Show::Welcome { limits, now }));
        self.show_link();
    }

    /// The other side breaks the protocol, or is silent: end it from here.
    pub(super) fn give_up(&mut self, now: Instant, why: Code) {
        self.out.push(Output::Close(why.number()));
        self.lost(now, None);
    }

    pub(super) fn closed(&mut self, now: Instant, code: u16) {
        if !self.link.hears() {
            return;
        }
        match Code::from_close(code) {
            Some(Code::Fenced) => self.fenced(),
            Some(why) if !why.may_reconnect() => {
                self.disconnected();
                self.link.phase = Phase::Blocked { why: Some(why), storage: false, full: false };
                self.show_link();
            }
            why => self.lost(now, why),
        }
    }

    fn lost(&mut self, now: Instant, why: Option<Code>) {
        if self.link.online() && now >= self.link.welcomed + STEADY {
            self.link.backoff.succeeded();
        }
        self.disconnected();
        let wait = match self.link.away.take() {
            // Everyone was sent away at once: come back spread over the same time again.
            Some(after) => Millis(after.0.saturating_add(self.dice.up_to(after.0))),
            None => self.link.backoff.next(&mut self.dice),
        };
        self.link.phase = Phase::Waiting { until: now + wait, why };
        self.out.push(Output::Show(Show::Link(Link::Offline { retry_in: wait, why })));
    }

    fn disconnected(&mut self) {
        self.link.probe = None;
        self.link.pinged = None;
        self.lanes.disconnected();
        self.reading.disconnected();
        self.asks.disconnected();
    }

    pub(super) fn fenced(&mut self) {
        self.disconnected();
        self.link.phase = Phase::Renewing;
        self.out.push(Output::WantWriter);
        self.show_link();
    }

    /// A fenced writer's events that may have been transmitted become unsure, and the new writer
    /// starts its lanes at 1.
    pub(super) fn renew(&mut self, writer: crate::id::WriterId) {
        if self.link.phase != Phase::Renewing {
            return;
        }
        self.writer = writer;
        self.generation = self.generation.saturating_add(1);
        self.waiting.push(Write::Writer { writer, generation: self.generation });
        let unsure = self.lanes.renew();
        self.waiting.extend(unsure.into_iter().map(Write::PutRow));
        self.link.phase = Phase::Raising;
        self.after.push(After::Connect);
    }

    /// Ends a working connection for a new one.
    pub(super) fn reconnect(&mut self) {
        if self.link.hears() {
            self.out.push(Output::Close(1000));
            self.disconnected();
            self.raise();
        }
    }

    pub(super) fn retry_now(&mut self, now: Instant) {
        match self.link.phase {
            Phase::Waiting { .. } | Phase::Blocked { storage: false, .. } => self.raise(),
            _ => self.woke(now),
        }
    }

    pub(super) fn woke(&mut self, now: Instant) {
        match self.link.phase {
            Phase::Online if self.link.probe.is_none() => {
                self.link.probe = Some(now + PROBE);
                self.ping(now);
            }
            Phase::Waiting { .. } => self.raise(),
            _ => {}
        }
    }

    fn ping(&mut self, now: Instant) {
        self.link.pings += 1;
        self.link.pinged = Some(now);
        self.send(&ClientFrame::Ping(Ping { n: self.link.pings }));
    }

    pub(super) fn tick(&mut self, now: Instant) {
        match self.link.phase {
            Phase::Waiting { until, .. } if now >= until => self.raise(),
            Phase::Connecting { since } if now >= since + CONNECT => {
                self.give_up(now, Code::Silent);
            }
            Phase::Online => {
                let silent = now >= self.link.heard + self.limits.silence;
                let dead = self.link.probe.is_some_and(|probe| now >= probe);
                if silent || dead {
                    self.give_up(now, Code::Silent);
                } else if self.link.pinged.is_none()
                    && now >= self.link.heard + self.limits.ping_every
                {
                    self.ping(now);
                }
            }
            _ => {}
        }
        self.lanes.tick(now);
        self.send_again(now);
    }

    pub(super) fn show_link(&mut self) {
        let link = match self.link.phase {
            Phase::Idle | Phase::Raising | Phase::Renewing | Phase::Connecting { .. } => {
                Link::Connecting
            }
            Phase::Online => Link::Online,
            // Shown where the wait is known, in `lost`.
            Phase::Waiting { .. } => return,
            Phase::Blocked { why, storage, full } => Link::Blocked { why, storage, full },
        };
        self.out.push(Output::Show(Show::Link(link)));
    }

    /// Whether a volatile event may go out now: never in front of durable ones.
    pub(super) fn may_send(&self, class: Class) -> bool {
        self.link.online() && (class != Class::Volatile || self.lanes.idle())
    }
}

fn chunk<T: Clone>(all: &[T], i: usize) -> Vec<T> {
    all.iter().skip(i * HELLO_CHUNK).take(HELLO_CHUNK).cloned().collect()
}
