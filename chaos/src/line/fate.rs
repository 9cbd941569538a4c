//! What is to become of a connection.

use crate::chance::Chance;

/// What a line can do to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Both ends are told that the other one has closed (FIN).
    Cut,
    /// Both ends are told that there is no such connection (RST).
    Reset,
    /// Nothing passes towards the server for a while; then all of it.
    StallUp,
    /// Nothing passes towards the client for a while; then all of it.
    StallDown,
    /// Nothing passes any more, either way, and neither end is told, not even of the other's end.
    Blackhole,
    /// Few bytes a second, each in a packet of its own.
    Slow,
}

impl Kind {
    pub(crate) const ALL: [Self; 6] =
        [Self::Cut, Self::Reset, Self::StallUp, Self::StallDown, Self::Blackhole, Self::Slow];

    /// Those that end at once, so that nobody has to wait for a silence.
    pub(crate) const SHORT: [Self; 3] = [Self::Cut, Self::Reset, Self::Slow];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Cut => "cut",
            Self::Reset => "reset",
            Self::StallUp => "stall up",
            Self::StallDown => "stall down",
            Self::Blackhole => "blackhole",
            Self::Slow => "slow",
        }
    }
}

/// One fault of one connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fate {
    pub(crate) kind: Kind,
    /// It happens when exactly so many more have passed.
    pub(crate) after: u64,
    /// How long a stall or the slowness lasts.
    pub(crate) millis: u64,
    /// How many pass in a hundredth of a second while it is slow.
    pub(crate) pace: u64,
}

/// How likely which faults are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weather {
    /// Directions of a hundred that get one.
    share: u64,
    kinds: &'static [Kind],
    /// The most bytes that pass before it.
    within: u64,
}

impl Weather {
    pub(crate) const fn calm() -> Self {
        Self { share: 0, kinds: &Kind::ALL, within: 1 }
    }

    /// Every kind of fault, and hardly a connection without one.
    pub(crate) const fn storm() -> Self {
        Self { share: 70, kinds: &Kind::ALL, within: 60_000 }
    }

    /// Now and then a connection ends early.
    pub(crate) const fn gusts() -> Self {
        Self { share: 15, kinds: &Kind::SHORT, within: 60_000 }
    }

    /// For the direction towards the server (`up`) or the other one.
    pub(super) fn draw(self, up: bool, chance: &mut Chance) -> Option<Fate> {
        if !chance.percent(self.share) {
            return None;
        }
        let kind = match *chance.of(self.kinds) {
            Kind::StallUp | Kind::StallDown if up => Kind::StallUp,
            Kind::StallUp | Kind::StallDown => Kind::StallDown,
            other => other,
        };
        // Half of them early: the handshake and the hello are a few hundred bytes.
        let within = if chance.percent(50) { 2_000 } else { self.within };
        let after = chance.between(0, within);
        let millis = chance.between(100, 5_000);
        Some(Fate { kind, after, millis, pace: chance.between(1, 300) })
    }
}
