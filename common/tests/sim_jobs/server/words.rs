//! What goes between the server and its peers, and within it.

use super::socket::Turn;
use crate::{
    deed::{End, Ended, Leased, Source},
    disk::{Asked, Queue},
};
use holdfast_common::{dispatch::SeatId, id::JobId, job::Token, time::Millis};

/// A connection of a peer.
pub type Wire = u64;

/// What a peer says.
#[derive(Debug, Clone)]
pub enum Up {
    Poll {
        queue: Queue,
        jobs: u32,
        length: Millis,
        wait: Millis,
    },
    Consume {
        queue: Queue,
        credit: u32,
        length: Millis,
    },
    Credit {
        jobs: u32,
    },
    Take {
        queue: Queue,
        job: JobId,
        length: Millis,
    },
    End {
        req: u64,
        end: Box<End>,
    },
    Extend {
        job: JobId,
        token: Token,
        length: Option<Millis>,
        progress: u8,
    },
    Enqueue {
        req: u64,
        jobs: Vec<Asked>,
        source: Source,
    },
    /// Of a connection of `holdfast-work.v1`.
    Frame(String),
    /// There is somebody.
    Pong,
}

/// What a peer hears.
#[derive(Debug, Clone)]
pub enum Down {
    /// Of a poll that is over there may be none.
    Leased {
        jobs: Vec<Leased>,
        poll: bool,
    },
    Did {
        req: u64,
        ended: Ended,
    },
    Lost {
        job: JobId,
        fence: u64,
    },
    Enqueued {
        req: u64,
    },
    Retry {
        req: u64,
    },
}

/// Who a request is from.
#[derive(Debug, Clone)]
pub enum Call {
    /// A claim that [`Dispatch`] wanted.
    Claim(SeatId),
    /// An enqueue, with the consumers for whom jobs are claimed with it.
    Enqueue {
        wire: Wire,
        req: u64,
        queue: Queue,
        with: Vec<SeatId>,
    },
    Take {
        wire: Wire,
        req: u64,
    },
    End {
        wire: Wire,
        req: u64,
        end: Box<End>,
    },
    Extend {
        wire: Wire,
        req: u64,
        job: JobId,
        token: Token,
    },
    /// A schedule's occurrence, by one of those who look.
    Fire(usize),
    Tell(JobId, u64),
    Told(JobId, u64),
    Tend,
    Nobody,
}

/// Something the server can do.
#[derive(Debug, Clone, Copy)]
pub enum Way {
    Begin,
    Sync,
    Answer,
    Tend,
    Time,
    PollOver(SeatId),
    /// A wire has said nothing for too long.
    HangUp(Wire),
    Tell,
    /// A connection of `holdfast-work.v1` does something.
    Line(Wire, Turn),
    /// One of those who look at schedules does.
    Look(usize),
}
