//! The connection's life: connecting, online, waiting, blocked.

use super::{Again, Ask, Input, Machine, Output};
use holdfast_common::{
    backoff::Backoff,
    error::Code,
    frame::work::{Hello, Ping, Welcome, WorkClient},
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
/// A connection that lasted this long was a success.
const STEADY: Millis = Millis(5_000);

/// How it stands with the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Link {
    /// Nobody has given a name yet.
    #[default]
    Idle,
    /// A socket is being opened, or the hello is under way.
    Connecting {
        /// Since when.
        since: Instant,
    },
    /// What is asked is answered.
    Online,
    /// A new connection is tried by itself.
    Offline {
        /// When.
        until: Instant,
        /// What ended the last one, where the server said.
        why: Option<Code>,
    },
    /// None will be tried by itself.
    Blocked {
        /// What the server said.
        why: Option<Code>,
    },
}

#[derive(Debug)]
pub(super) struct LinkMachine {
    state: Link,
    backoff: Backoff,
    heard: Instant,
    welcomed: Instant,
    pinged: Option<Instant>,
    /// A probe is out: without an answer by then the other side is dead.
    probe: Option<Instant>,
    pings: u64,
    ping_every: Millis,
    silence: Millis,
    /// The server said when to come back.
    away: Option<Millis>,
}

impl Default for LinkMachine {
    fn default() -> Self {
        Self {
            state: Link::Idle,
            backoff: Backoff::new(FIRST_WAIT, LONGEST_WAIT),
            heard: Instant(0),
            welcomed: Instant(0),
            pinged: None,
            probe: None,
            pings: 0,
            ping_every: Millis(0),
            silence: Millis(0),
            away: None,
        }
    }
}

impl LinkMachine {
    pub(super) fn online(&self) -> bool {
        self.state == Link::Online
    }

    fn connecting(&self) -> bool {
        matches!(self.state, Link::Connecting { .. })
    }

    pub(super) fn hears(&self) -> bool {
        self.online() || self.connecting()
    }

    pub(super) fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.pinged = None;
        self.probe = None;
    }

    pub(super) fn away(&mut self, after: Millis) {
        self.away = Some(after);
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.state {
            Link::Idle | Link::Blocked { .. } => None,
            Link::Connecting { since } => Some(since + CONNECT),
            Link::Offline { until, .. } => Some(until),
            Link::Online => {
                let wait = if self.pinged.is_some() { self.silence } else { self.ping_every };
                let due = self.heard + wait;
                Some(self.probe.map_or(due, |probe| probe.min(due)))
            }
        }
    }
}

impl Machine {
    /// How it stands with the connection.
    #[must_use]
    pub fn link(&self) -> Link {
        self.link.state
    }

    pub(super) fn connect(&mut self, now: Instant) {
        self.link.state = Link::Connecting { since: now };
        self.out.push(Output::Connect);
    }

    pub(super) fn opened(&mut self, now: Instant) {
        let Some(me) = self.me.clone().filter(|_| self.link.connecting()) else {
            return;
        };
        self.link.heard(now);
        let hello = Hello { person: Some(me.person), secret: Some(me.secret), name: me.name };
        self.send(&WorkClient::Hello(hello));
    }

    pub(super) fn welcome(&mut self, now: Instant, welcome: &Welcome) {
        if !self.link.connecting() {
            return;
        }
        self.link.state = Link::Online;
        self.link.welcomed = now;
        self.link.ping_every = welcome.limits.ping_every;
        self.link.silence = welcome.limits.silence;
        self.link.heard(now);
        self.again.clear();
        self.watch();
        // What was said before the connection ended is said again; it is done once.
        let words: Vec<_> = self.words.keys().copied().collect();
        words.into_iter().for_each(|job| self.say_word(job));
        let taking = self.taking.clone();
        taking.into_iter().for_each(|job| self.ask_take(job));
        for held in self.held.values_mut() {
            held.extend = Some(now);
        }
        self.extend(now);
    }

    /// The other side breaks the protocol, or is silent: end it from here.
    pub(super) fn give_up(&mut self, now: Instant, why: Code) {
        self.out.push(Output::Close(why.number()));
        self.ended(now, None);
    }

    pub(super) fn closed(&mut self, now: Instant, code: u16) {
        if !self.link.hears() {
            return;
        }
        match Code::from_close(code) {
            Some(why) if !why.may_reconnect() => {
                self.disconnected();
                self.link.state = Link::Blocked { why: Some(why) };
            }
            why => self.ended(now, why),
        }
    }

    fn ended(&mut self, now: Instant, why: Option<Code>) {
        if self.link.online() && now >= self.link.welcomed + STEADY {
            self.link.backoff.succeeded();
        }
        self.disconnected();
        let wait = match self.link.away.take() {
            // Everyone was sent away at once: come back spread over the same time again.
            Some(after) => Millis(after.0.saturating_add(self.dice.up_to(after.0))),
            None => self.link.backoff.next(&mut self.dice),
        };
        self.link.state = Link::Offline { until: now + wait, why };
    }

    /// What was under way has no answer, and will have none.
    fn disconnected(&mut self) {
        self.link.probe = None;
        self.link.pinged = None;
        self.sub = None;
        let open = std::mem::take(&mut self.open);
        // What a person decided about a queue is not said twice: it may have been done.
        if open.values().any(|ask| matches!(ask, Ask::Govern(_))) {
            self.notice = Some(
                "The connection broke before the answer. Look whether it was done.".to_owned(),
            );
        }
    }

    pub(super) fn retry(&mut self, now: Instant) {
        match self.link.state {
            Link::Offline { .. } | Link::Blocked { .. } => self.connect(now),
            _ => self.woke(now),
        }
    }

    pub(super) fn woke(&mut self, now: Instant) {
        match self.link.state {
            Link::Online if self.link.probe.is_none() => {
                self.link.probe = Some(now + PROBE);
                self.ping(now);
            }
            Link::Offline { .. } => self.connect(now),
            _ => {}
        }
    }

    fn ping(&mut self, now: Instant) {
        self.link.pings += 1;
        self.link.pinged = Some(now);
        self.send(&WorkClient::Ping(Ping { n: self.link.pings }));
    }

    pub(super) fn tick_link(&mut self, now: Instant) {
        match self.link.state {
            Link::Offline { until, .. } if now >= until => self.connect(now),
            Link::Connecting { since } if now >= since + CONNECT => {
                self.give_up(now, Code::Silent);
            }
            Link::Online => {
                let silent = now >= self.link.heard + self.link.silence;
                let dead = self.link.probe.is_some_and(|probe| now >= probe);
                let quiet = now >= self.link.heard + self.link.ping_every;
                if silent || dead {
                    self.give_up(now, Code::Silent);
                } else if quiet && self.link.pinged.is_none() {
                    self.ping(now);
                }
            }
            _ => {}
        }
    }

    pub(super) fn later(&mut self, now: Instant, again: Again) {
        self.again.push((now + super::AGAIN, again));
    }

    /// Whether an input of a socket is for this machine.
    #[must_use]
    pub fn hears(&self, input: &Input) -> bool {
        !matches!(input, Input::Frame(_)) || self.link.hears()
    }
}
