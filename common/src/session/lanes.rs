//! Emits in their lanes' order, and how fast they may come.

use super::{Emitting, FAULT_WAIT, Output, Session};
use crate::{
    error::Code,
    frame::{Emit, Retry, ServerFrame, SetLatest, Settled, Signal, Stored},
    id::RoomId,
    storage::{Appended, Verdict},
    time::{Instant, Millis},
};
use std::collections::{BTreeMap, btree_map::Entry};

/// Lets a number of events a second through, twice as many in a burst.
#[derive(Debug)]
pub(super) struct Bucket {
    per_second: u64,
    /// In thousandths of an event.
    level: u64,
    filled: Instant,
}

impl Bucket {
    pub(super) fn new(now: Instant, per_second: u32) -> Self {
        let per_second = u64::from(per_second.max(1));
        Self { per_second, level: per_second * 2000, filled: now }
    }

    /// Takes one, or says how long to wait for one.
    pub(super) fn take(&mut self, now: Instant) -> Result<(), Millis> {
        let gained = (now - self.filled).0.saturating_mul(self.per_second);
        self.level = self.level.saturating_add(gained).min(self.per_second * 2000);
        self.filled = now;
        if self.level >= 1000 {
            self.level -= 1000;
            return Ok(());
        }
        Err(Millis((1000 - self.level).div_ceil(self.per_second)))
    }
}

#[derive(Debug)]
pub(super) struct Lanes {
    /// Of emits, registers and requests together.
    pub(super) rate: Bucket,
    /// Emits that the engine has not answered.
    pub(super) under_way: u32,
    /// Lanes told to wait, with the number they come back with. What was sent behind it before the
    /// client heard of it is ignored: the client sends it again.
    held: BTreeMap<RoomId, u64>,
}

impl Lanes {
    pub(super) fn new(now: Instant, per_second: u32) -> Self {
        Self { rate: Bucket::new(now, per_second), under_way: 0, held: BTreeMap::new() }
    }

    /// A lane that waits for a number goes on when that one gets its verdict, of whichever copy.
    fn decided(&mut self, room: RoomId, n: u64) {
        if self.held.get(&room).is_some_and(|held| *held <= n) {
            self.held.remove(&room);
        }
    }
}

impl<B> Session<B> {
    pub(super) fn emit(&mut self, now: Instant, emit: Emit, payload: &[u8]) {
        // A floor at or above the held number shows that the client has its verdict: it does not
        // come again.
        let held = self.lanes.held.get(&emit.room);
        if held.is_some_and(|held| emit.n > *held && emit.floor < *held) {
            return;
        }
        self.lanes.held.remove(&emit.room);
        if self.draining {
            return self.retry(emit.room, emit.n, Code::Draining, FAULT_WAIT);
        }
        if let Err(wait) = self.lanes.rate.take(now) {
            return self.retry(emit.room, emit.n, Code::TooFast, wait);
        }
        if emit.n == 0 || emit.floor >= emit.n {
            return self.close(Code::BadFrame);
        }
        if emit.n - emit.floor > u64::from(self.limits.unsettled) {
            return self.close(Code::OverLimit);
        }
        let Some(me) = &self.me else { return };
        let large = payload.len() > self.limits.payload_bytes as usize;
        // An event in a room that is not followed can only be one that creates it.
        let crowded = !self.rooms.contains_key(&emit.room)
            && self.rooms.values().filter(|room| !room.inbox).count() >= self.limits.rooms as usize;
        let condemned = match (large, crowded) {
            (true, _) => Some(Code::TooLarge),
            (false, true) => Some(Code::TooMany),
            (false, false) => None,
        };
        self.lanes.under_way += 1;
        self.out.push(Output::Emit(Box::new(Emitting {
            payload: if large { Vec::new() } else { payload.to_vec() },
            writer: me.writer,
            generation: me.generation,
            author: me.author.clone(),
            condemned,
            emit,
        })));
    }

    /// Holds a lane: nothing of it is taken until `n` comes again.
    fn retry(&mut self, room: RoomId, n: u64, code: Code, after: Millis) {
        let held = self.lanes.held.entry(room).or_insert(n);
        *held = n.min(*held);
        self.send(&ServerFrame::Retry(Retry { room, n, code, after }));
    }

    pub(super) fn appended(&mut self, room: RoomId, n: u64, appended: Appended) {
        self.lanes.under_way = self.lanes.under_way.saturating_sub(1);
        if let Appended::Decided { .. } | Appended::Again(_) = appended {
            self.lanes.decided(room, n);
        }
        // An earlier append has made it, perhaps, and the room with it: what became of that one was
        // not told here.
        if let Appended::Decided { verdict: Verdict::Ack { .. }, entry: None, .. }
        | Appended::Again(Verdict::Ack { .. }) = &appended
        {
            self.seek(room);
        }
        match appended {
            Appended::Decided { verdict, entry, .. } => {
                self.verdict(room, n, verdict);
                if let Some(info) = entry.and_then(|entry| entry.created) {
                    self.member(&info);
                }
            }
            Appended::Again(verdict) => self.verdict(room, n, verdict),
            Appended::Settled => self.send(&ServerFrame::Settled(Settled { room, n })),
            Appended::Expected(next) => {
                // Told once: what else was sent ahead of it is told the same by the silence.
                if let Entry::Vacant(free) = self.lanes.held.entry(room) {
                    free.insert(next);
                    self.send(&ServerFrame::Expected(Settled { room, n: next }));
                }
            }
            Appended::Fenced => self.close(Code::Fenced),
            Appended::Moved => self.retry(room, n, Code::Overloaded, FAULT_WAIT),
            Appended::Fault(fault) => self.retry(room, n, fault.code(), FAULT_WAIT),
            // Keys belong to HTTP callers; a lane has none.
            Appended::Mismatch => self.close(Code::ServerFault),
        }
    }

    pub(super) fn signal(&mut self, now: Instant, signal: Signal, payload: &[u8]) {
        let small = payload.len() <= self.limits.payload_bytes as usize;
        let follows = self.rooms.contains_key(&signal.room);
        if small && follows && self.signals.take(now).is_ok() {
            self.out.push(Output::Signal { signal, payload: payload.to_vec() });
        }
    }

    pub(super) fn latest(&mut self, now: Instant, latest: SetLatest, payload: &[u8]) {
        let refusal = if payload.len() > self.limits.payload_bytes as usize {
            Some(Code::TooLarge)
        } else if !self.rooms.contains_key(&latest.room) {
            Some(Code::NotMember)
        } else {
            self.lanes.rate.take(now).err().map(|_| Code::TooFast)
        };
        match refusal {
            Some(code) => self.stored(latest.room, latest.kind, latest.rank, Err(code)),
            None => {
                self.registers += 1;
                self.out.push(Output::Latest { latest, payload: payload.to_vec() });
            }
        }
    }

    pub(super) fn stored(
        &mut self,
        room: RoomId,
        kind: String,
        about: Option<u64>,
        result: Result<u64, Code>,
    ) {
        let (rank, code, about) = match result {
            Ok(rank) => (rank, None, None),
            Err(code) => (0, Some(code), about),
        };
        self.send(&ServerFrame::Stored(Stored { room, kind, rank, code, about }));
    }
}
