//! What people see of a queue: a board, and then what changes.
//!
//! Of a change nothing waits here but the job's id. What is sent is read when the client can take it, so it is
//! the newest there is; and one read is under way at a time, so that nothing overtakes it.

use super::{
    AGAIN, BoardRead, CHANGES, Consumer, EVERY, JobsRead, Output, PlaceRead, QueueName, Refusal,
    asks::Asked, shown,
};
use crate::{
    error::Code,
    frame::work::{Board, Figures, More, Moved, Request, Sub, WorkServer},
    id::JobId,
    job::{self, figures::Rates, limits::SUBSCRIPTIONS},
    storage::jobs::{Moves, QueueInfo, QueueMoves},
    time::{Instant, Millis},
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

/// Pages that were asked for: requests under way, so there are no more than those.
#[derive(Debug)]
pub(super) struct Pages {
    /// Not asked of the engine yet.
    wanted: VecDeque<Output>,
    reading: bool,
}

impl Pages {
    pub(super) const fn new() -> Self {
        Self { wanted: VecDeque::new(), reading: false }
    }
}

/// A board that somebody looks at.
#[derive(Debug)]
pub(super) struct Watching {
    queue: Arc<QueueName>,
    /// The request, until it is answered.
    opening: Option<Request>,
    reading: Reading,
    /// Too much has changed to be told one by one, or nobody knows what.
    stale: bool,
    /// Jobs that have changed, with the newest change of each.
    pub(super) changed: BTreeMap<JobId, u64>,
    /// The queue as it was told last, or is to be, and the newest change that is in it.
    info: Option<QueueInfo>,
    version: u64,
    /// The newest change that is surely in the board.
    board: u64,
    /// Whether it was not told yet.
    counts: bool,
    /// Nothing is read before.
    rest: Instant,
    figures: Option<(Rates, Option<Millis>)>,
}

#[derive(Debug, PartialEq, Eq)]
enum Reading {
    No,
    Board,
    Jobs(BTreeSet<JobId>),
}

impl Watching {
    /// Whether there is something to read or to tell.
    fn wants(&self) -> bool {
        self.reading == Reading::No && (self.stale || !self.changed.is_empty() || self.counts)
    }

    fn heard(&mut self, version: u64, moved: &QueueMoves) {
        if version <= self.board {
            return;
        }
        if version > self.version {
            self.version = version;
            self.info = Some(moved.queue.clone());
            self.counts = true;
        }
        if self.stale {
            return;
        }
        for moved in &moved.jobs {
            let newest = self.changed.entry(moved.job).or_default();
            *newest = version.max(*newest);
        }
        if self.changed.len() > CHANGES {
            self.overflow();
        }
    }

    fn overflow(&mut self) {
        self.stale = true;
        self.changed.clear();
    }

    /// A read has failed: what it was for waits on.
    fn failed(&mut self, now: Instant) {
        self.rest = now + AGAIN;
        match std::mem::replace(&mut self.reading, Reading::No) {
            Reading::Jobs(ids) if !self.stale => {
                for id in ids {
                    self.changed.entry(id).or_default();
                }
                if self.changed.len() > CHANGES {
                    self.overflow();
                }
            }
            Reading::Board => self.overflow(),
            Reading::Jobs(_) | Reading::No => {}
        }
    }
}

impl Consumer {
    pub(super) fn watch(&mut self, req: Request, queue: QueueName) -> Result<(), Refusal> {
        if self.watches.len() >= SUBSCRIPTIONS {
            self.close(Code::OverLimit);
            return Ok(());
        }
        if self.watches.values().any(|it| *it.queue == queue) {
            // One read of it serves all that the client shows of it.
            return Err(Code::TooMany.into());
        }
        self.named += 1;
        let (sub, queue) = (self.named, Arc::new(queue));
        self.open.insert(req, Asked::Watch(sub));
        // Followed before it is read, so that no change lies between.
        self.follow(&queue);
        let watching = Watching {
            queue: Arc::clone(&queue),
            opening: Some(req),
            reading: Reading::Board,
            stale: false,
            changed: BTreeMap::new(),
            info: None,
            version: 0,
            board: 0,
            counts: false,
            rest: Instant(0),
            figures: None,
        };
        self.watches.insert(sub, watching);
        self.out.push(Output::Board { sub, queue });
        Ok(())
    }

    pub(super) fn unwatch(&mut self, sub: Sub) {
        if self.watches.get(&sub).is_some_and(|it| it.opening.is_none())
            && let Some(watching) = self.watches.remove(&sub)
        {
            self.unfollow(&watching.queue);
        }
    }

    pub(super) fn more(&mut self, ask: More) -> Result<(), Refusal> {
        let More { req, sub, place, after, like } = ask;
        let watching = self.watches.get(&sub).filter(|it| it.opening.is_none());
        let watching = watching.ok_or(job::Code::UnknownQueue)?;
        let queue = Arc::clone(&watching.queue);
        self.open.insert(req, Asked::Page(sub));
        self.pages.wanted.push_back(Output::Page { req, queue, place, after, like });
        Ok(())
    }

    /// Has the next page read, once the one before is on its way: who asks for many and does not read
    /// has one of them wait here.
    pub(super) fn turn(&mut self) {
        if self.flushed && !self.pages.reading {
            let next = self.pages.wanted.pop_front();
            self.pages.reading = next.is_some();
            self.out.extend(next);
        }
    }

    pub(super) fn page(&mut self, req: Request, result: Result<PlaceRead, Refusal>) {
        let Some(Asked::Page(sub)) = self.answered(req, |it| matches!(it, Asked::Page(_))) else {
            return;
        };
        self.pages.reading = false;
        match result {
            Ok(read) => self.send(&WorkServer::Page(shown::page(req, sub, read))),
            Err(refusal) => self.refuse(req, refusal),
        }
    }

    pub(super) fn board(
        &mut self,
        now: Instant,
        sub: Sub,
        result: Result<Option<BoardRead>, Refusal>,
    ) {
        let Some(watching) = self.watches.get_mut(&sub) else {
            return;
        };
        if watching.reading != Reading::Board {
            return;
        }
        let req = watching.opening.take();
        if let Some(req) = req {
            self.answered(req, |it| *it == Asked::Watch(sub));
        }
        let refusal = match result {
            Ok(Some(read)) => return self.show_board(now, sub, req, read),
            Ok(None) => job::Code::UnknownQueue.into(),
            Err(refusal) => refusal,
        };
        match req {
            Some(req) => {
                self.unwatch(sub);
                self.refuse(req, refusal);
            }
            None => {
                if let Some(watching) = self.watches.get_mut(&sub) {
                    watching.failed(now);
                }
            }
        }
    }

    fn show_board(&mut self, now: Instant, sub: Sub, req: Option<Request>, read: BoardRead) {
        let Some(watching) = self.watches.get_mut(&sub) else {
            return;
        };
        watching.reading = Reading::No;
        watching.rest = now + EVERY;
        watching.changed.retain(|_, version| *version > read.version);
        watching.board = watching.board.max(read.version);
        if read.version >= watching.version {
            watching.version = read.version;
            watching.info = Some(read.queue.info.clone());
            watching.counts = false;
        }
        let board = Board {
            sub,
            req,
            queue: shown::queue(&read.queue.info),
            oldest_ms: read.queue.oldest,
            places: read.places.into_iter().map(shown::place).collect(),
        };
        self.send(&WorkServer::Board(board));
    }

    pub(super) fn jobs(&mut self, now: Instant, sub: Sub, result: Result<JobsRead, Refusal>) {
        let Some(watching) = self.watches.get_mut(&sub) else {
            return;
        };
        let Reading::Jobs(mut gone) = std::mem::replace(&mut watching.reading, Reading::No) else {
            return;
        };
        let Ok(read) = result else {
            watching.reading = Reading::Jobs(gone);
            return watching.failed(now);
        };
        watching.rest = now + EVERY;
        watching.changed.retain(|id, version| *version > read.version || !gone.contains(id));
        let Some(info) = &watching.info else {
            return;
        };
        watching.counts = false;
        let jobs = read.jobs.into_iter().filter(|job| gone.remove(&job.id));
        let jobs = jobs.map(shown::job).collect();
        let gone = gone.into_iter().collect();
        let moved = Moved { sub, queue: shown::queue(info), jobs, gone };
        self.send(&WorkServer::Moved(moved));
    }

    pub(super) fn moves(&mut self, moves: &Moves) {
        for moved in &moves.queues {
            let name = QueueName { ns: moved.queue.ns.clone(), name: moved.queue.name.clone() };
            if !self.followed.contains_key(&name) {
                continue;
            }
            self.newest = self.newest.max(moves.version);
            self.losses(moves.version, &moved.jobs);
            for watching in self.watches.values_mut().filter(|it| *it.queue == name) {
                watching.heard(moves.version, moved);
            }
        }
    }

    pub(super) fn missed(&mut self, version: u64) {
        self.newest = self.newest.max(version);
        self.watches.values_mut().for_each(Watching::overflow);
        self.doubt();
    }

    pub(super) fn figures(&mut self, queue: &QueueName, rates: Rates, oldest: Option<Millis>) {
        for watching in self.watches.values_mut().filter(|it| *it.queue == *queue) {
            watching.figures = Some((rates, oldest));
        }
    }

    /// Shows what there is to show while what was sent before is on its way.
    pub(super) fn show(&mut self, now: Instant) {
        let subs: Vec<Sub> = self.watches.keys().copied().collect();
        for sub in subs {
            let Some(watching) = self.watches.get_mut(&sub) else {
                continue;
            };
            if !self.flushed || watching.opening.is_some() {
                continue;
            }
            let figures = watching.figures.take();
            if watching.wants() && watching.rest <= now {
                self.read(now, sub);
            }
            if let Some((figures, oldest_ms)) = figures {
                self.send(&WorkServer::Figures(Figures { sub, figures, oldest_ms }));
            }
        }
    }

    fn read(&mut self, now: Instant, sub: Sub) {
        let Some(watching) = self.watches.get_mut(&sub) else {
            return;
        };
        if std::mem::take(&mut watching.stale) {
            watching.reading = Reading::Board;
            let queue = Arc::clone(&watching.queue);
            return self.out.push(Output::Board { sub, queue });
        }
        let ids: Vec<JobId> = std::mem::take(&mut watching.changed).into_keys().collect();
        if !ids.is_empty() {
            watching.reading = Reading::Jobs(ids.iter().copied().collect());
            return self.out.push(Output::Jobs { sub, ids });
        }
        watching.counts = false;
        watching.rest = now + EVERY;
        if let Some(info) = &watching.info {
            let queue = shown::queue(info);
            let moved = Moved { sub, queue, jobs: Vec::new(), gone: Vec::new() };
            self.send(&WorkServer::Moved(moved));
        }
    }

    /// When something is to be shown that may not be yet.
    pub(super) fn shows(&self) -> Option<Instant> {
        let waiting = self.watches.values().filter(|it| self.flushed && it.wants());
        waiting.map(|it| it.rest).min()
    }
}
