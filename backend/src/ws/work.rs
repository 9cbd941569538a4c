//! One connection of `holdfast-work.v1`: one task, one loop, driving a [`Consumer`].

mod asks;
mod refusal;
mod sequence;

use super::{
    LINGER, ROUNDS,
    wire::{Ended, Socket, Wire},
};
use crate::{
    app::Shared,
    queues::{Arrivals, Follow, Follower, Handed, Name, Seat},
};
use axum::{body::Bytes, extract::ws::Message};
use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use holdfast_common::{
    consumer::{Consumer, Input, Output, Refusal},
    dispatch::SeatId,
    error::Code,
    frame::work::Sub,
    id::ConnectionId,
    job::{self, Holder},
    storage::jobs::Moves,
    time::{Instant, Millis},
};
use sequence::Sequence;
use std::{
    collections::{BTreeMap, VecDeque},
    pin::Pin,
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::watch,
    task::coop::consume_budget,
    time::{Interval, MissedTickBehavior, Sleep, interval, sleep_until},
};

/// How often boards are told what goes through their queues.
const FIGURES: Duration = Duration::from_secs(1);

/// What something that was under way has come to: the machine is told.
type Done = Box<dyn FnOnce(&mut Consumer, Instant) -> Vec<Output> + Send>;

/// One turn of the loop's waiting.
enum Woken {
    Message(Result<Message, Ended>),
    Done(Done),
    Job(Handed),
    Moves(Arc<Moves>),
    Figures,
    Drain,
    Deadline,
}

struct Connection {
    shared: Arc<Shared>,
    machine: Consumer,
    /// What was asked of the desk and is not answered yet.
    under_way: FuturesUnordered<BoxFuture<'static, Done>>,
    /// What it enqueues is stored in this order.
    enqueues: Sequence,
    /// Its subscriptions' places in the queues' lines.
    seats: BTreeMap<Sub, Seat>,
    subs: BTreeMap<SeatId, Sub>,
    arrivals: Arrivals,
    way: crate::queues::Sink,
    follower: Follower,
    follows: BTreeMap<Name, Follow>,
    /// What the machine wants done, in order. Empty while the loop waits.
    outputs: VecDeque<Output>,
    figures: Interval,
    draining: watch::Receiver<bool>,
    deadline: Pin<Box<Sleep>>,
}

/// Serves one connection until it is over.
pub(super) async fn run<S: Socket>(socket: S, shared: Arc<Shared>, id: ConnectionId) {
    let limits = shared.limits.clone();
    let mut wire = Wire::new(socket, Duration::from_millis(limits.silence.0));
    let now = shared.clock.now();
    let (way, arrivals) = Arrivals::new(&shared.queues.desk);
    let mut figures = interval(FIGURES);
    figures.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut connection = Connection {
        machine: Consumer::new(now, id, limits, env!("CARGO_PKG_VERSION")),
        under_way: FuturesUnordered::new(),
        enqueues: Sequence::default(),
        seats: BTreeMap::new(),
        subs: BTreeMap::new(),
        arrivals,
        way,
        follower: Follower::new(),
        follows: BTreeMap::new(),
        outputs: VecDeque::new(),
        figures,
        draining: shared.draining.subscribe(),
        deadline: Box::pin(sleep_until(shared.clock.at(now))),
        shared,
    };
    if *connection.draining.borrow_and_update() {
        connection.drain();
    }
    let ended = loop {
        if let Err(ended) = connection.settle(&mut wire).await {
            break ended;
        }
        consume_budget().await;
        let mut woken = connection.wait(&mut wire).await;
        let greeted = connection.machine.holder().is_some();
        if matches!(woken, Woken::Deadline)
            && greeted
            && !connection.machine.full()
            && let Some(message) = wire.arrived()
        {
            woken = Woken::Message(message);
        }
        if let Err(ended) = connection.take(woken) {
            break ended;
        }
    };
    tracing::debug!(%id, ?ended, "a connection is over");
    let leaving = connection.leave();
    let written = wire.end(ended).await;
    leaving.end(written).await;
}

impl Connection {
    /// Carries out all that is wanted and all that becomes of it, and writes it out.
    async fn settle<S: Socket>(&mut self, wire: &mut Wire<S>) -> Result<(), Ended> {
        for round in 0.. {
            while let Some(output) = self.outputs.pop_front() {
                self.carry_out(output, wire).await?;
            }
            if round < ROUNDS && self.take_ready() {
                continue;
            }
            wire.flush().await?;
            if wire.taken() {
                self.feed(Input::Heard);
            }
            self.feed(Input::Flushed);
            if self.outputs.is_empty() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Takes in what is ready already; returns whether there was anything.
    fn take_ready(&mut self) -> bool {
        let mut any = false;
        while let Some(Some(done)) = self.under_way.next().now_or_never() {
            self.done(done);
            any = true;
        }
        while let Some(Some(handed)) = self.arrivals.next().now_or_never() {
            self.handed(handed);
            any = true;
        }
        any
    }

    async fn wait<S: Socket>(&mut self, wire: &mut Wire<S>) -> Woken {
        if let Some(due) = self.machine.deadline() {
            let due = self.shared.clock.at(due);
            if due != self.deadline.deadline() {
                self.deadline.as_mut().reset(due);
            }
        }
        let full = self.machine.full();
        let follows = !self.follows.is_empty();
        tokio::select! {
            message = wire.next(), if !full => Woken::Message(message),
            Some(done) = self.under_way.next(), if !self.under_way.is_empty() => Woken::Done(done),
            Some(handed) = self.arrivals.next() => Woken::Job(handed),
            Some(moves) = self.follower.moves.recv() => Woken::Moves(moves),
            _ = self.figures.tick(), if follows => Woken::Figures,
            _ = self.draining.changed() => Woken::Drain,
            () = &mut self.deadline => Woken::Deadline,
        }
    }

    fn take(&mut self, woken: Woken) -> Result<(), Ended> {
        match woken {
            Woken::Message(message) => match message? {
                Message::Text(text) => self.frame(text.as_bytes()),
                Message::Binary(bytes) => self.frame(&bytes),
                Message::Ping(_) | Message::Pong(_) => self.feed(Input::Heard),
                Message::Close(_) => return Err(Ended::Gone),
            },
            Woken::Done(done) => self.done(done),
            Woken::Job(handed) => self.handed(handed),
            Woken::Moves(moves) => {
                // A lease is heard of before its loss.
                self.take_ready();
                self.moves(&moves);
            }
            Woken::Figures => self.tell_figures(),
            Woken::Drain => self.drain(),
            Woken::Deadline => self.feed(Input::Tick),
        }
        Ok(())
    }

    fn frame(&mut self, bytes: &[u8]) {
        self.shared.metrics.frames_received.add(1);
        self.shared.metrics.bytes_received.add(bytes.len() as u64);
        self.feed(Input::Frame(bytes));
    }

    fn feed(&mut self, input: Input<'_>) {
        let now = self.shared.clock.now();
        self.outputs.extend(self.machine.handle(now, input));
    }

    fn done(&mut self, done: Done) {
        let outputs = done(&mut self.machine, self.shared.clock.now());
        self.outputs.extend(outputs);
    }

    fn handed(&mut self, handed: Handed) {
        let Handed { seat, version, job } = handed;
        match self.subs.get(&seat) {
            Some(sub) => {
                let (sub, jobs) = (*sub, vec![job]);
                self.feed(Input::Leased { sub, version, jobs });
            }
            None => self.shared.queues.desk.give_back(vec![(job.id, job.token)]),
        }
    }

    fn moves(&mut self, moves: &Moves) {
        self.feed(Input::Moves(moves));
        if self.follower.missed() {
            let newest = self.shared.queues.desk.newest();
            self.feed(Input::Missed(newest));
        }
    }

    fn tell_figures(&mut self) {
        let told = self.follows.iter().filter_map(|(queue, it)| {
            let (rates, oldest) = it.figures()?;
            Some((Arc::clone(queue), rates, oldest))
        });
        for (queue, rates, oldest) in told.collect::<Vec<_>>() {
            self.feed(Input::Figures { queue: &queue, rates, oldest });
        }
    }

    fn drain(&mut self) {
        self.feed(Input::Drain(self.shared.away));
    }

    /// Carries out one output. What it asks the desk for is answered later, as a [`Done`].
    async fn carry_out<S: Socket>(
        &mut self,
        output: Output,
        wire: &mut Wire<S>,
    ) -> Result<(), Ended> {
        match output {
            Output::Send(text) => {
                self.shared.metrics.frames_sent.add(1);
                self.shared.metrics.bytes_sent.add(text.len() as u64);
                wire.feed(Message::Text(text.into())).await?;
            }
            Output::Ping => wire.feed(Message::Ping(Bytes::new())).await?,
            Output::Close(code) => return Err(Ended::By(code)),
            Output::Consume { sub, queue, holder, lease } => {
                let result = self.consume(sub, queue, holder, lease);
                self.feed(Input::Consuming { sub, result });
            }
            Output::Credit { sub, jobs } => {
                if let Some(seat) = self.seats.get(&sub) {
                    seat.credit(jobs);
                }
            }
            Output::Gone(sub) => {
                if let Some(seat) = self.seats.remove(&sub) {
                    self.subs.remove(&seat.id());
                }
            }
            Output::HandBack(jobs) => self.shared.queues.desk.give_back(jobs),
            Output::Follow(queue) => {
                let follow = self.follower.follow(&self.shared.queues.desk, &queue);
                self.follows.insert(queue, follow);
            }
            Output::Unfollow(queue) => drop(self.follows.remove(&queue)),
            asks => {
                if let Output::Board { queue, .. } = &asks
                    && let Some(follow) = self.follows.get(queue)
                {
                    follow.everything();
                }
                let shared = Arc::clone(&self.shared);
                // A task of its own: what it holds at the engine does not wait for a socket that takes
                // nothing.
                let answer = tokio::spawn(asks::answer(shared, asks, &mut self.enqueues));
                let broken =
                    |_| -> Done { Box::new(|_, _| vec![Output::Close(Code::ServerFault)]) };
                self.under_way.push(answer.map(move |it| it.unwrap_or_else(broken)).boxed());
            }
        }
        Ok(())
    }

    fn consume(
        &mut self,
        sub: Sub,
        queue: Name,
        holder: Holder,
        lease: Option<Millis>,
    ) -> Result<(), Refusal> {
        asks::queue(&self.shared, &queue, crate::rights::Right::Consume)?;
        let lease = lease.map(job::limits::lease);
        let desk = &self.shared.queues.desk;
        let seat = Seat::take(desk, queue, holder, lease, (0, false), self.way.clone())?;
        self.subs.insert(seat.id(), sub);
        self.seats.insert(sub, seat);
        Ok(())
    }

    /// It is over, and waits for nothing any more.
    fn leave(mut self) -> Leaving {
        self.seats.clear();
        self.follows.clear();
        Leaving {
            machine: self.machine,
            under_way: self.under_way,
            outputs: self.outputs,
            shared: self.shared,
            _draining: self.draining,
        }
    }
}

/// What is left of a connection that is over: jobs that nobody was told of.
struct Leaving {
    machine: Consumer,
    under_way: FuturesUnordered<BoxFuture<'static, Done>>,
    outputs: VecDeque<Output>,
    shared: Arc<Shared>,
    /// While it is kept the server has not drained.
    _draining: watch::Receiver<bool>,
}

impl Leaving {
    /// Hands them back; `written`: the client was told of all that was put out. Who waits for it waits
    /// no longer than [`LINGER`], and it goes on.
    async fn end(mut self, written: bool) {
        if written {
            self.feed(Input::Flushed);
        }
        self.feed(Input::Gone);
        let rest = tokio::spawn(async move {
            loop {
                let desk = &self.shared.queues.desk;
                let back = self.outputs.drain(..).filter_map(|output| match output {
                    Output::HandBack(jobs) => Some(jobs),
                    _ => None,
                });
                desk.hand_back(back.flatten().collect()).await;
                // Claims under way, and ends that take a next job, are heard to their end.
                let Some(done) = self.under_way.next().await else { return };
                self.outputs.extend(done(&mut self.machine, self.shared.clock.now()));
            }
        });
        let _ = tokio::time::timeout(LINGER, rest).await;
    }

    fn feed(&mut self, input: Input<'_>) {
        self.outputs.extend(self.machine.handle(self.shared.clock.now(), input));
    }
}

#[cfg(test)]
mod tests;
