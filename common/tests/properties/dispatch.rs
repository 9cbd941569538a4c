//! Who waits for jobs, over a store whose answers and counts come late, in any order or not at all.

mod deed;

use crate::cases;
use deed::{Deed, Fate, deed};
use holdfast_common::{
    dispatch::{Count, Dispatch, Input, Output, RETRY, SeatId},
    job::limits::{CLAIM_JOBS, CREDIT},
    time::{Instant, Millis},
};
use proptest::{prelude::*, sample::Index};
use std::collections::{BTreeMap, BTreeSet};

const QUEUES: u8 = 2;
const BOUND: usize = 6;

#[derive(Debug, Clone, Copy)]
struct Claim {
    consumer: SeatId,
    queue: u8,
    jobs: u32,
}

#[derive(Debug, Default)]
struct Queue {
    ready: u64,
    paused: bool,
}

/// What the machine must know of a consumer, told by what it said and was told.
#[derive(Debug)]
struct Waiting {
    queue: u8,
    /// Jobs it may still be given.
    wants: u32,
    once: bool,
    /// When it lined up.
    since: u64,
    claim: Option<u32>,
}

struct World {
    now: Instant,
    dispatch: Dispatch<u8>,
    queues: BTreeMap<u8, Queue>,
    version: u64,
    /// Claims that the store has not made yet.
    asked: Vec<Claim>,
    /// What was committed, or failed, and is not heard of.
    unheard: Vec<Input<u8>>,
    waiting: BTreeMap<SeatId, Waiting>,
    /// The newest count that was heard of each queue.
    heard: BTreeMap<u8, Count>,
    /// Until when a queue may be left alone.
    held: BTreeMap<u8, Instant>,
    was_held: BTreeSet<u8>,
    /// Claims that are not answered, gone consumers' too.
    under_way: Vec<Claim>,
    consumers: u64,
    lined_up: u64,
}

impl World {
    fn new() -> Self {
        Self {
            now: Instant(0),
            dispatch: Dispatch::new(BOUND),
            queues: (0..QUEUES).map(|queue| (queue, Queue::default())).collect(),
            version: 0,
            asked: Vec::new(),
            unheard: Vec::new(),
            waiting: BTreeMap::new(),
            heard: BTreeMap::new(),
            held: BTreeMap::new(),
            was_held: BTreeSet::new(),
            under_way: Vec::new(),
            consumers: 0,
            lined_up: 0,
        }
    }

    /// The queue was changed once more.
    fn count(&mut self, queue: u8) -> Count {
        self.version += 1;
        let state = &self.queues[&queue];
        Count { version: self.version, jobs: if state.paused { 0 } else { state.ready } }
    }

    fn queue(&mut self, queue: u8) -> &mut Queue {
        self.queues.get_mut(&queue).unwrap()
    }

    fn turn(&mut self) -> u64 {
        self.lined_up += 1;
        self.lined_up
    }

    fn is_held(&self, queue: u8) -> bool {
        self.held.contains_key(&queue)
    }

    /// Jobs that are known to be there, less what claims under way are asking for.
    fn known(&self, queue: u8) -> u64 {
        let under_way = self.under_way.iter().filter(|claim| claim.queue == queue);
        let asked: u64 = under_way.map(|claim| u64::from(claim.jobs)).sum();
        // Of what was never counted it guesses that there is something.
        let jobs = self.heard.get(&queue).map_or(CLAIM_JOBS.into(), |count| count.jobs);
        jobs.saturating_sub(asked)
    }

    /// Those who could be claimed for, the one that has waited longest first.
    fn line(&self, queue: u8) -> Vec<SeatId> {
        let waiting = self.waiting.iter();
        let mut line: Vec<(u64, SeatId)> = waiting
            .filter(|(_, it)| it.queue == queue && it.claim.is_none() && it.wants > 0)
            .map(|(consumer, it)| (it.since, *consumer))
            .collect();
        line.sort_unstable();
        line.into_iter().map(|(_, consumer)| consumer).collect()
    }

    /// Says it to the machine and compares what it wants done with what may be. Jobs that are
    /// offered are `more` than are known.
    fn say(&mut self, input: Input<u8>, more: u64) -> Result<Vec<Claim>, TestCaseError> {
        let mut room: BTreeMap<u8, u64> =
            (0..QUEUES).map(|queue| (queue, self.known(queue) + more)).collect();
        let mut claims = Vec::new();
        for output in self.dispatch.handle(self.now, input) {
            let (consumer, queue, jobs) = match output {
                Output::Claim { consumer, queue, jobs } => (consumer, queue, jobs),
                Output::Full(_) => return Err(TestCaseError::fail("nobody came")),
            };
            let first = self.line(queue).first().copied();
            prop_assert_eq!(first, Some(consumer), "first come, first served");
            let left = room.get_mut(&queue).unwrap();
            prop_assert!(u64::from(jobs) <= *left, "{} of {}", jobs, left);
            *left = left.saturating_sub(jobs.into());
            prop_assert!(!self.is_held(queue), "it was said to wait");
            let it = self.waiting.get_mut(&consumer).unwrap();
            prop_assert!((1..=CLAIM_JOBS.min(it.wants)).contains(&jobs));
            it.claim = Some(jobs);
            let claim = Claim { consumer, queue, jobs };
            self.under_way.push(claim);
            claims.push(claim);
        }
        // Nobody is left waiting for what is known to be there.
        for queue in 0..QUEUES {
            let waits = !self.line(queue).is_empty();
            let idle = self.known(queue) == 0;
            // Of a queue that was held a claim is tried before others are.
            let tried = self.was_held.contains(&queue)
                && self.under_way.iter().any(|claim| claim.queue == queue);
            let sleeps = waits && !idle && !tried && !self.is_held(queue);
            prop_assert!(!sleeps, "it sleeps over queue {}", queue);
        }
        let first = self.held.values().min().copied();
        prop_assert_eq!(self.dispatch.wake(), first, "it knows when to be woken");
        Ok(claims)
    }

    fn ask(&mut self, input: Input<u8>) -> Result<(), TestCaseError> {
        let claims = self.say(input, 0)?;
        self.asked.extend(claims);
        Ok(())
    }

    fn come(&mut self, queue: u8, jobs: u32, once: bool) -> Result<(), TestCaseError> {
        self.consumers += 1;
        let consumer = SeatId(self.consumers);
        let input = Input::Wait { consumer, queue, jobs, once };
        if once && self.dispatch.waiting() >= BOUND {
            // It may be full; who has gone in the middle of a claim counts until that is answered.
            return Ok(());
        }
        let since = self.turn();
        let wants = jobs.min(CREDIT);
        self.waiting.insert(consumer, Waiting { queue, wants, once, since, claim: None });
        self.ask(input)
    }

    fn somebody(&self, at: Index) -> Option<SeatId> {
        let all: Vec<SeatId> = self.waiting.keys().copied().collect();
        (!all.is_empty()).then(|| *at.get(&all))
    }

    /// The store makes a claim, and what comes of it is on its way.
    fn commit(&mut self, claim: Claim, fate: Fate) {
        let consumer = claim.consumer;
        let most = match fate {
            Fate::Done => claim.jobs,
            Fate::Limited(_) => 1,
            Fate::Failed => return self.unheard.push(Input::Failed(consumer)),
        };
        let queue = self.queue(claim.queue);
        let there = if queue.paused { 0 } else { queue.ready };
        let jobs = u32::try_from(there).unwrap().min(most);
        queue.ready -= u64::from(jobs);
        let next = match fate {
            Fate::Limited(next) => Some(Millis(next)),
            _ => None,
        };
        let count = self.count(claim.queue);
        self.unheard.push(Input::Claimed { consumer, jobs, count, next });
    }

    /// It is heard, and what it tells is known.
    fn hear(&mut self, input: Input<u8>) -> Result<(), TestCaseError> {
        match &input {
            Input::Counted { queue, count } => self.counted(*queue, *count),
            Input::Claimed { consumer, jobs, count, next } => {
                let queue = self.answered(*consumer, *jobs);
                self.counted(queue, *count);
                match next {
                    Some(next) => self.hold(queue, (*next).min(RETRY)),
                    None if *jobs == 0 && count.jobs > 0 => self.hold(queue, RETRY),
                    None => {}
                }
            }
            Input::Failed(consumer) => {
                let queue = self.answered(*consumer, 0);
                self.hold(queue, RETRY);
            }
            Input::Untried(consumer) => {
                self.answered(*consumer, 0);
            }
            other => panic!("{other:?} is not heard"),
        }
        self.ask(input)
    }

    fn counted(&mut self, queue: u8, count: Count) {
        let known = self.heard.entry(queue).or_insert(count);
        if known.version < count.version {
            *known = count;
        }
    }

    fn hold(&mut self, queue: u8, length: Millis) {
        self.held.insert(queue, self.now + length);
        self.was_held.insert(queue);
    }

    fn answered(&mut self, consumer: SeatId, jobs: u32) -> u8 {
        let claim = self.under_way.iter().position(|claim| claim.consumer == consumer);
        let claim = self.under_way.swap_remove(claim.unwrap());
        let turn = self.turn();
        if let Some(it) = self.waiting.get_mut(&consumer) {
            it.claim = None;
            it.wants -= jobs;
            if jobs > 0 {
                it.since = turn;
            }
            if it.once && jobs > 0 {
                self.waiting.remove(&consumer);
            }
        }
        claim.queue
    }

    fn hand_over(&mut self, queue: u8, jobs: u8, refused: bool) -> Result<(), TestCaseError> {
        let offer = Input::Offer { queue, jobs: jobs.into() };
        let claims = self.say(offer, u64::from(jobs))?;
        if refused {
            self.unheard.extend(claims.iter().map(|claim| Input::Untried(claim.consumer)));
            return Ok(());
        }
        self.queue(queue).ready += u64::from(jobs);
        let count = self.count(queue);
        self.unheard.push(Input::Counted { queue, count });
        for claim in claims {
            self.commit(claim, Fate::Done);
        }
        Ok(())
    }

    fn tend(&mut self) -> Result<(), TestCaseError> {
        for queue in 0..QUEUES {
            let count = self.count(queue);
            self.hear(Input::Counted { queue, count })?;
        }
        Ok(())
    }

    fn later(&mut self, length: Millis) -> Result<(), TestCaseError> {
        self.now = self.now + length;
        self.held.retain(|_, until| *until > self.now);
        self.ask(Input::Time)
    }

    fn step(&mut self, deed: Deed) -> Result<(), TestCaseError> {
        match deed {
            Deed::Come(queue, jobs, once) => self.come(queue, jobs, once)?,
            Deed::Credit(at, jobs) => {
                let Some(consumer) = self.somebody(at) else {
                    return Ok(());
                };
                let turn = self.turn();
                let it = self.waiting.get_mut(&consumer).unwrap();
                if it.wants == 0 {
                    it.since = turn;
                }
                it.wants = (it.wants + jobs).min(CREDIT);
                self.ask(Input::Credit { consumer, jobs })?;
            }
            Deed::Leave(at) => {
                if let Some(consumer) = self.somebody(at) {
                    self.waiting.remove(&consumer);
                    self.ask(Input::Gone(consumer))?;
                }
            }
            Deed::Enqueue(queue, jobs) => {
                self.queue(queue).ready += u64::from(jobs);
                let count = self.count(queue);
                self.unheard.push(Input::Counted { queue, count });
            }
            Deed::HandOver(queue, jobs, refused) => self.hand_over(queue, jobs, refused)?,
            Deed::Take(queue) => {
                let ready = &mut self.queue(queue).ready;
                *ready = ready.saturating_sub(1);
                let count = self.count(queue);
                self.unheard.push(Input::Counted { queue, count });
            }
            Deed::Pause(queue, on) => {
                self.queue(queue).paused = on;
                let count = self.count(queue);
                self.unheard.push(Input::Counted { queue, count });
            }
            Deed::Commit(at, fate) if !self.asked.is_empty() => {
                let claim = self.asked.swap_remove(at.index(self.asked.len()));
                self.commit(claim, fate);
            }
            Deed::Hear(at) if !self.unheard.is_empty() => {
                let input = self.unheard.swap_remove(at.index(self.unheard.len()));
                self.hear(input)?;
            }
            Deed::Lose(at) => {
                let counts = self.unheard.iter().enumerate();
                let counts = counts.filter(|(_, it)| matches!(it, Input::Counted { .. }));
                let counts: Vec<usize> = counts.map(|(place, _)| place).collect();
                if !counts.is_empty() {
                    self.unheard.swap_remove(*at.get(&counts));
                }
            }
            Deed::Tend => self.tend()?,
            Deed::Later(length) => self.later(Millis(length))?,
            Deed::Commit(..) | Deed::Hear(_) => {}
        }
        Ok(())
    }

    /// Everything works and is heard, and the driver counts each second: then nobody waits for a job
    /// that is there.
    fn heal(&mut self) -> Result<(), TestCaseError> {
        for _ in 0..200 {
            while let Some(claim) = self.asked.pop() {
                self.commit(claim, Fate::Done);
            }
            for input in std::mem::take(&mut self.unheard) {
                self.hear(input)?;
            }
            if self.asked.is_empty() {
                self.later(RETRY)?;
                self.tend()?;
                let over = self.asked.is_empty();
                if over {
                    break;
                }
            }
        }
        prop_assert!(self.asked.is_empty() && self.under_way.is_empty(), "it claims for ever");
        for (queue, state) in &self.queues {
            let there = if state.paused { 0 } else { state.ready };
            prop_assert!(there == 0 || self.line(*queue).is_empty(), "{} wait", there);
        }
        prop_assert_eq!(self.dispatch.waiting(), self.waiting.len(), "it forgets who has gone");
        Ok(())
    }
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn nobody_waits_for_a_job_that_is_known_to_be_there_and_those_who_came_first_have_it_first(
        deeds in prop::collection::vec(deed(), 1..80),
    ) {
        let mut world = World::new();
        for deed in deeds {
            world.step(deed)?;
        }
        world.heal()?;
    }
}
