//! A session's lanes against the tables of docs/protocol.md: what becomes of a number, whatever order
//! numbers, floors and the engine's answers come in.

use crate::{cases, epoch, event, person, room};
use holdfast_common::{
    codec,
    error::Code,
    frame::{ClientFrame, Emit, Hello, ServerFrame},
    id::{ConnectionId, RoomId, SessionId, WriterId},
    limits::Limits,
    session::{Input, Output, Session},
    storage::{Appended, Fault, Greeted, Resume, Verdict},
    time::{Instant, Timestamp},
};
use proptest::prelude::*;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

#[derive(Debug, Clone)]
enum Step {
    /// An emit whose number is so far from the watermark, with a floor so far below the number.
    Emit { room: u8, ahead: i8, floor_below: u8 },
    /// The engine answers the emit that has waited longest; or it cannot.
    Answer { fault: bool },
}

fn step() -> impl Strategy<Value = Step> {
    let ahead = prop_oneof![6 => Just(1_i8), 3 => -3..=0_i8, 2 => 2..4_i8];
    prop_oneof![
        5 => (1..=2_u8, ahead, 0..6_u8)
            .prop_map(|(room, ahead, floor_below)| Step::Emit { room, ahead, floor_below }),
        4 => prop::bool::weighted(0.15).prop_map(|fault| Step::Answer { fault }),
    ]
}

/// The engine's side of a lane: each number is decided once, and stays as it was decided.
#[derive(Default)]
struct Engine {
    watermark: u64,
    floor: u64,
    decided: BTreeMap<u64, Verdict>,
}

impl Engine {
    fn append(&mut self, emit: &Emit) -> Appended {
        self.floor = self.floor.max(emit.floor);
        self.watermark = self.watermark.max(self.floor);
        if emit.n <= self.floor {
            return Appended::Settled;
        }
        if let Some(verdict) = self.decided.get(&emit.n) {
            return Appended::Again(verdict.clone());
        }
        if emit.n > self.watermark + 1 {
            return Appended::Expected(self.watermark + 1);
        }
        let (id, reply) = (emit.id, "null".to_owned());
        let verdict = match emit.n % 3 {
            0 => Verdict::Reject {
                id,
                code: Code::Refused,
                detail: String::new(),
                why: Some("{}".to_owned()),
            },
            _ => Verdict::Ack { id, epoch: epoch(1), offset: emit.n, reply },
        };
        self.watermark = emit.n;
        self.decided.insert(emit.n, verdict.clone());
        Appended::decided(verdict, None)
    }
}

/// What the protocol's table says is heard of a number.
#[derive(Debug, PartialEq)]
enum Heard {
    Ack(u64),
    Reject(u64),
    Retry(u64),
    Settled(u64),
    Expected(u64),
}

/// A lane by the tables: the number of a `retry` or an `expected` that has neither come nor got its
/// verdict since.
#[derive(Default)]
struct Table {
    awaits: Option<u64>,
}

impl Table {
    /// Whether an emit is passed over.
    fn passes_over(&mut self, n: u64, floor: u64) -> bool {
        let over = self.awaits.is_some_and(|awaited| n > awaited && awaited > floor);
        if !over {
            self.awaits = None;
        }
        over
    }

    fn answered(&mut self, n: u64, appended: &Appended) -> Option<Heard> {
        let told = |verdict: &Verdict| match verdict {
            Verdict::Ack { .. } => Heard::Ack(n),
            Verdict::Reject { .. } => Heard::Reject(n),
        };
        match appended {
            Appended::Decided { verdict, .. } | Appended::Again(verdict) => {
                self.awaits = self.awaits.filter(|awaited| *awaited > n);
                Some(told(verdict))
            }
            Appended::Settled => Some(Heard::Settled(n)),
            // Told once.
            Appended::Expected(_) if self.awaits.is_some() => None,
            Appended::Expected(next) => {
                self.awaits = Some(*next);
                Some(Heard::Expected(*next))
            }
            _ => {
                self.awaits = Some(self.awaits.map_or(n, |awaited| awaited.min(n)));
                Some(Heard::Retry(n))
            }
        }
    }
}

struct World {
    session: Session<String>,
    engines: BTreeMap<RoomId, Engine>,
    tables: BTreeMap<RoomId, Table>,
    waiting: VecDeque<Emit>,
    now: Instant,
}

impl World {
    fn new() -> Self {
        let now = Instant(0);
        let (limits, server) = (Limits::default(), Arc::default());
        let session = Session::new(now, ConnectionId::NIL, limits, server);
        let (engines, tables) = (BTreeMap::new(), BTreeMap::new());
        let mut world = Self { session, engines, tables, waiting: VecDeque::new(), now };
        let hello = ClientFrame::Hello(Hello {
            person: person(1),
            secret: "s".repeat(16),
            name: "Ada".to_owned(),
            writer: WriterId::NIL,
            generation: 1,
            session: SessionId::NIL,
            rooms: Vec::new(),
            lanes: Vec::new(),
            more: false,
        });
        let greeted = Ok(Greeted::Welcome(Resume::default()));
        world.session.handle(now, Input::Frame(codec::write_client(&hello).as_bytes()));
        let greeted = Input::Greeted { now: Timestamp(0), result: greeted };
        world.session.handle(now, greeted);
        world
    }

    /// Sends the emit; returns whether it is a violation, after which there is nothing.
    fn emit(&mut self, room: RoomId, n: u64, floor: u64) -> Result<bool, TestCaseError> {
        // Slow enough for the limit of emits a second.
        self.now = Instant(self.now.0 + 10);
        let (ns, kind, id) = ("chat".to_owned(), "message".to_owned(), event(n));
        let emit = Emit { ns, room, n, floor, id, kind };
        let text = codec::write_client_with(&ClientFrame::Emit(emit.clone()), "{}");
        let out = self.session.handle(self.now, Input::Frame(text.as_bytes()));
        if self.tables.entry(room).or_default().passes_over(n, floor) {
            prop_assert!(out.is_empty(), "{:?} is passed over: {:?}", emit, out);
        } else if n == 0 || floor >= n {
            prop_assert!(matches!(out[..], [Output::Close(Code::BadFrame)]), "{:?}", out);
            return Ok(true);
        } else {
            let [Output::Emit(emitting)] = &out[..] else {
                return Err(TestCaseError::fail(format!("{emit:?} goes to the engine: {out:?}")));
            };
            prop_assert_eq!(&emitting.emit, &emit);
            self.waiting.push_back(emit);
        }
        Ok(false)
    }

    fn answer(&mut self, fault: bool) -> Result<(), TestCaseError> {
        let Some(emit) = self.waiting.pop_front() else { return Ok(()) };
        let (room, n) = (emit.room, emit.n);
        let appended = if fault {
            Appended::Fault(Fault::Failed(String::new()))
        } else {
            self.engines.entry(room).or_default().append(&emit)
        };
        let expected = self.tables.entry(room).or_default().answered(n, &appended);
        let out = self.session.handle(self.now, Input::Appended { room, n, appended });
        let heard: Vec<Heard> = out.iter().map(|it| heard(it, room)).collect();
        prop_assert_eq!(heard, expected.into_iter().collect::<Vec<_>>());
        Ok(())
    }
}

fn heard(output: &Output<String>, of: RoomId) -> Heard {
    let Output::Send(text) = output else { panic!("{output:?}") };
    let (room, heard) = match codec::read_server(text).unwrap().unwrap() {
        ServerFrame::Ack(it) => {
            assert_eq!(it.id, event(it.n), "a verdict is its event's own");
            (it.room, Heard::Ack(it.n))
        }
        ServerFrame::Reject(it) => {
            assert_eq!(it.id, event(it.n), "a verdict is its event's own");
            (it.room, Heard::Reject(it.n))
        }
        ServerFrame::Retry(it) => (it.room, Heard::Retry(it.n)),
        ServerFrame::Settled(it) => (it.room, Heard::Settled(it.n)),
        ServerFrame::Expected(it) => (it.room, Heard::Expected(it.n)),
        other => panic!("{other:?}"),
    };
    assert_eq!(room, of);
    heard
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn any_order_of_numbers_gets_the_verdicts_that_the_tables_say(
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let mut world = World::new();
        for step in steps {
            match step {
                Step::Emit { room: n, ahead, floor_below } => {
                    let room = room(n);
                    let known = world.waiting.iter().filter(|emit| emit.room == room).map(|it| it.n);
                    let known = known.max().unwrap_or(0);
                    let known = known.max(world.engines.get(&room).map_or(0, |it| it.watermark));
                    let n = known.saturating_add_signed(ahead.into());
                    let floor = n.saturating_sub(floor_below.into());
                    // A floor is not above what the client has heard, but where the server has lost it.
                    if world.emit(room, n, floor)? {
                        return Ok(());
                    }
                }
                Step::Answer { fault } => world.answer(fault)?,
            }
        }
    }

    #[test]
    fn a_client_that_keeps_to_the_rules_gets_each_verdict_in_order_whatever_fails(
        faults in prop::collection::vec(prop::bool::weighted(0.4), 0..30),
        window in 1..5_u64,
    ) {
        let mut world = World::new();
        let (most, mut sent, mut settled) = (9, 0, 0);
        let mut faults = faults.into_iter();
        let mut steps = 0;
        while settled < most {
            steps += 1;
            prop_assert!(steps < 500, "it comes to an end");
            if sent < most && sent - settled < window {
                sent += 1;
                world.emit(room(1), sent, settled)?;
                continue;
            }
            let Some(emit) = world.waiting.pop_front() else {
                sent = settled;
                continue;
            };
            let appended = if faults.next().unwrap_or(false) {
                Appended::Fault(Fault::Full)
            } else {
                world.engines.entry(emit.room).or_default().append(&emit)
            };
            let (room, n) = (emit.room, emit.n);
            world.tables.entry(room).or_default().answered(n, &appended);
            for output in world.session.handle(world.now, Input::Appended { room, n, appended }) {
                match heard(&output, room) {
                    // What was sent again while its verdict was on the way has it twice.
                    Heard::Ack(n) | Heard::Reject(n) if n <= settled => {}
                    Heard::Ack(n) | Heard::Reject(n) => {
                        prop_assert_eq!(n, settled + 1, "verdicts come in order");
                        settled = n;
                        sent = sent.max(n);
                    }
                    Heard::Retry(n) | Heard::Expected(n) => sent = settled.max(n - 1),
                    Heard::Settled(n) => prop_assert!(false, "{} was not settled", n),
                }
            }
        }
        prop_assert_eq!(world.engines[&room(1)].decided.len() as u64, most);
    }
}
