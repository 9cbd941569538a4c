//! A namespace that is not chat, declared outside the crate: whatever the machines can do, they do
//! for it as well, and nothing in them knows its types.

#![allow(unreachable_pub, reason = "a test has no outside")]

#[path = "second_namespace/tally.rs"]
mod tally;

use holdfast_common::{
    client::{self, Client, Command, Held, Key, LatestRow, Principal, Row, RowState, Show, Write},
    codec,
    cursor::{Head, Mark, Offset},
    error::Code,
    event::*,
    frame::{Entry, RoomInfo},
    id::{ConnectionId, Epoch, EventId, PersonId, RoomId, SessionId, WriterId},
    limits::Limits,
    session::{Emitting, Input, Output, Session},
    storage::{Appended, Greeted, Resume, RoomState, Slice, Verdict},
    time::{Instant, Timestamp},
};
use serde_json::value::RawValue;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};
use tally::{Counted, Event, Hovering, Register, Rules, Seen, Serve, Signal, Tallied, Tally};

struct Counter;

impl Rules for Counter {
    fn counted(&self, event: &Counted, _: &Facts, _: &Limits) -> Decision<Counted> {
        match event.by {
            0 => Err(No::Because(tally::CountRefused::Nothing)),
            by => Ok(Tallied { by }),
        }
    }
}

const ROOM: RoomId = RoomId::NIL;
const NOW: Instant = Instant(1);

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("it has string keys only")
}

fn facts() -> Facts {
    Facts {
        person: PersonId::NIL,
        room: Some(RoomFacts {
            id: ROOM,
            namespace: Tally::NAME.to_owned(),
            name: "apples".to_owned(),
            creator: PersonId::NIL,
            owner: None,
            gone: false,
        }),
        member: true,
        target: None,
        free_name: None,
        versions: Versions::default(),
    }
}

/// What goes from one part to another.
enum Step {
    Up(String),
    Server(Input<'static, String>),
    Client(client::Input),
}

/// A client and a session back to back, and the least that drivers and storage do for them.
struct Pair {
    client: Client,
    session: Session<String>,
    handler: Box<dyn Handler>,
    steps: VecDeque<Step>,
    log: Vec<Entry>,
    watermark: u64,
    rows: BTreeMap<Key, Row>,
    registers: Vec<LatestRow>,
    /// What a view that knows the namespace makes of the entries.
    view: Vec<Event>,
    shown: Vec<Show>,
    signals: Vec<String>,
}

impl Pair {
    fn online() -> Self {
        let principal = Principal {
            person: PersonId::from_bytes([1; 16]),
            secret: "0123456789abcdef".to_owned(),
            name: "Ada".to_owned(),
        };
        let snapshot = client::Snapshot {
            principal,
            writer: WriterId::from_bytes([2; 16]),
            generation: 0,
            rows: Vec::new(),
            lanes: Vec::new(),
            cursors: Vec::new(),
            latest: Vec::new(),
        };
        let mut pair = Self {
            client: Client::new(snapshot, SessionId::from_bytes([3; 16]), 7),
            session: Session::new(NOW, ConnectionId::NIL, Limits::default(), Arc::default()),
            handler: Box::new(Serve(Counter)),
            steps: VecDeque::new(),
            log: Vec::new(),
            watermark: 0,
            rows: BTreeMap::new(),
            registers: Vec::new(),
            view: Vec::new(),
            shown: Vec::new(),
            signals: Vec::new(),
        };
        pair.feed(client::Input::Start);
        pair
    }

    fn count(&mut self, by: i64) -> EventId {
        let key = 1 + self.rows.last_key_value().map_or(0, |(key, _)| *key);
        let id = EventId::new(key, &[0; 10]);
        let event = Held::new(id, ROOM, Timestamp(0), &Counted { by });
        self.feed(client::Input::Added(Row { key, event, state: RowState::Queued }));
        id
    }

    fn feed(&mut self, input: client::Input) {
        self.steps.push_back(Step::Client(input));
        while let Some(step) = self.steps.pop_front() {
            match step {
                Step::Client(input) => {
                    let outputs = self.client.handle(NOW, input);
                    outputs.into_iter().for_each(|output| self.client_wants(output));
                }
                Step::Up(text) => self.serve(Input::Frame(text.as_bytes())),
                Step::Server(input) => self.serve(input),
            }
        }
    }

    fn serve(&mut self, input: Input<'_, String>) {
        let outputs = self.session.handle(NOW, input);
        if !outputs.is_empty() {
            outputs.into_iter().for_each(|output| self.session_wants(output));
            self.steps.push_back(Step::Server(Input::Flushed));
        }
    }

    fn client_wants(&mut self, output: client::Output) {
        match output {
            client::Output::Connect => self.steps.push_back(Step::Client(client::Input::Opened)),
            client::Output::Send(text) => self.steps.push_back(Step::Up(text)),
            client::Output::Write(batch) => {
                batch.writes.into_iter().for_each(|write| self.store(write));
                let written = client::Input::Written { token: batch.token, result: Ok(()) };
                self.steps.push_back(Step::Client(written));
            }
            client::Output::Show(show) => self.shown.push(show),
            other => panic!("nothing ends a connection here: {other:?}"),
        }
    }

    fn store(&mut self, write: Write) {
        match write {
            Write::PutRow(row) => drop(self.rows.insert(row.key, row)),
            Write::DeleteRow(key) => drop(self.rows.remove(&key)),
            Write::PutLatest(row) => self.registers.push(row),
            Write::DeleteLatest { .. } => self.registers.clear(),
            Write::Entries { entries, .. } => {
                for entry in entries {
                    let data = entry.data.expect("nothing was removed");
                    let event = Tally::read(&entry.kind, data.get());
                    self.view.push(event.expect("it is declared").expect("its rule has read it"));
                }
            }
            _ => {}
        }
    }

    fn session_wants(&mut self, output: Output<String>) {
        let answer = match output {
            Output::Send(text) | Output::Pass(text) => {
                return self.steps.push_back(Step::Client(client::Input::Frame(text)));
            }
            Output::Close(code) => panic!("nothing ends a connection here: {code:?}"),
            Output::Greet(_) => Input::Greeted { now: Timestamp(0), result: Ok(self.greeted()) },
            Output::Follow(room) => Input::Head { room, offset: 0 },
            Output::Slice { room, after } => {
                let result = Ok(Some(self.slice(after)));
                Input::Sliced { room, after, result }
            }
            Output::Emit(emitting) => return self.append(*emitting),
            Output::Signal { signal, payload } => {
                assert_eq!(self.handler.signal(&signal.kind, &payload), Ok(()));
                return self.signals.push(signal.kind);
            }
            Output::Latest { latest, payload } => {
                let result = self.handler.rank(&latest.kind, &payload).map(|ranked| ranked.rank);
                Input::Stored { room: latest.room, kind: latest.kind, about: latest.rank, result }
            }
            _ => return,
        };
        self.steps.push_back(Step::Server(answer));
    }

    fn head(&self) -> Head {
        let mark = self.log.last().map_or(Mark::START, |entry| entry.mark);
        Head { epoch: Epoch::NIL, offset: self.log.len() as Offset, mark, first: 1 }
    }

    fn greeted(&self) -> Greeted {
        let (ns, name) = (Tally::NAME.to_owned(), "apples".to_owned());
        let (head, joined, gone, inbox) = (self.head(), true, false, false);
        let info = RoomInfo { room: ROOM, ns, name, head, joined, gone, inbox };
        let room = RoomState { info, mark_at: None, missed_since: None };
        Greeted::Welcome(Resume { rooms: vec![room], ..Resume::default() })
    }

    fn slice(&self, after: Offset) -> Slice {
        let entries = self.log.iter().filter(|entry| entry.offset > after);
        let entries = entries.map(|entry| (entry.offset, codec::write_entry(entry))).collect();
        Slice { head: self.head(), entries, trimmed_mark: None }
    }

    /// Asks the namespace through its handler alone, as a server does that knows no type of it.
    fn append(&mut self, emitting: Emitting) {
        let Emitting { emit, payload, author, .. } = emitting;
        assert_eq!(emit.ns, self.handler.namespace());
        assert_eq!(emit.n, self.watermark + 1);
        self.watermark = emit.n;
        let parsed = self.handler.parse(&emit.kind, &payload).expect("it is of its type");
        assert!(parsed.counts());
        let (room, n, id) = (emit.room, emit.n, emit.id);
        let verdict = match parsed.decide(&facts(), &Limits::default()) {
            Verified::Rejected { code, why, detail } => Verdict::Reject { id, code, detail, why },
            Verified::Allowed { reply, .. } => {
                let offset = self.head().offset + 1;
                let mark = self.head().mark.next(offset, id);
                let data = String::from_utf8(payload).expect("it was read");
                let (at, data) = (Timestamp(0), RawValue::from_string(data).ok());
                self.log.push(Entry { offset, mark, id, kind: emit.kind, from: author, at, data });
                Verdict::Ack { id, epoch: Epoch::NIL, offset, reply }
            }
        };
        if let (Verdict::Ack { offset, .. }, Some(last)) = (&verdict, self.log.last()) {
            let bytes = codec::entries_frame(room, Epoch::NIL, [&*codec::write_entry(last)]);
            let live = Input::Live { room, offset: *offset, bytes };
            self.steps.push_back(Step::Server(live));
        }
        let appended = Appended::decided(verdict, None);
        self.steps.push_back(Step::Server(Input::Appended { room, n, appended }));
    }
}

#[test]
fn an_event_of_a_namespace_from_outside_is_acked_with_its_reply_and_read_as_its_type() {
    let mut pair = Pair::online();
    let id = pair.count(3);
    let replies: Vec<(EventId, Tallied)> = pair
        .shown
        .iter()
        .filter_map(|show| match show {
            Show::Reply { id, reply } => Some((*id, serde_json::from_str(reply).unwrap())),
            _ => None,
        })
        .collect();
    assert_eq!(replies, [(id, Tallied { by: 3 })]);
    assert_eq!(pair.view, [Event::Counted(Counted { by: 3 })]);
    assert!(pair.rows.is_empty());
}

#[test]
fn its_refusal_reaches_the_shelf_with_its_typed_reason_and_blocks_nothing() {
    let mut pair = Pair::online();
    pair.count(0);
    pair.count(2);
    let shelf: Vec<&RowState> = pair.rows.values().map(|row| &row.state).collect();
    let [RowState::Rejected { code: Code::Refused, detail, why: Some(why) }] = shelf[..] else {
        panic!("one row is on the shelf, and no other: {shelf:?}")
    };
    assert_eq!(detail, "Nothing was counted.");
    let why: tally::CountRefused = serde_json::from_str(why).unwrap();
    assert_eq!(why, tally::CountRefused::Nothing);
    assert_eq!(pair.view, [Event::Counted(Counted { by: 2 })]);
}

#[test]
fn its_volatile_events_and_registers_go_the_same_way() {
    let mut pair = Pair::online();
    pair.feed(client::Input::Command(Command::Signal {
        ns: Tally::NAME.to_owned(),
        room: ROOM,
        kind: Hovering::NAME.to_owned(),
        data: json(&Hovering {}),
    }));
    assert_eq!(pair.signals, [Hovering::NAME]);
    let seen = Seen { total: 5 };
    pair.feed(client::Input::Command(Command::SetLatest(LatestRow {
        ns: Tally::NAME.to_owned(),
        room: ROOM,
        kind: Seen::NAME.to_owned(),
        rank: seen.rank(),
        data: json(&seen),
    })));
    assert!(pair.registers.is_empty(), "a register is confirmed and needs no second sending");
}

#[test]
fn its_handler_takes_each_type_in_its_class_alone() {
    let handler = Serve(Counter);
    assert_eq!(handler.namespace(), "tally");
    assert_eq!(handler.class("counted"), Some(Class::Durable));
    assert_eq!(handler.class("hovering"), Some(Class::Volatile));
    assert_eq!(handler.class("seen"), Some(Class::Latest));
    assert_eq!(handler.class("message"), None);
    let parse = |kind, payload: &str| handler.parse(kind, payload.as_bytes()).map(|_| ());
    assert_eq!(parse("counted", r#"{"by":1}"#), Ok(()));
    assert_eq!(parse("counted", r#"{"by":"one"}"#), Err(Code::BadPayload));
    assert_eq!(parse("counted", ""), Err(Code::BadPayload));
    assert_eq!(parse("seen", r#"{"total":1}"#), Err(Code::WrongClass));
    assert_eq!(parse("message", "{}"), Err(Code::UnknownType));
    let ranked = Ranked { rank: 9, reach: Reach::Room };
    assert_eq!(handler.rank("seen", br#"{"total":9}"#), Ok(ranked));
    assert_eq!(handler.rank("counted", br#"{"by":1}"#), Err(Code::WrongClass));
    assert_eq!(handler.signal("hovering", b"{}"), Ok(()));
    assert_eq!(handler.signal("seen", br#"{"total":9}"#), Err(Code::WrongClass));
}

#[test]
fn the_checks_that_all_namespaces_share_come_before_its_rule() {
    let handler = Serve(Counter);
    let parsed = handler.parse("counted", br#"{"by":0}"#).unwrap();
    let code = |facts: &Facts| match parsed.decide(facts, &Limits::default()) {
        Verified::Rejected { code, .. } => code,
        Verified::Allowed { .. } => panic!("nothing is counted"),
    };
    assert_eq!(code(&facts()), Code::Refused);
    assert_eq!(code(&Facts { member: false, ..facts() }), Code::NotMember);
    assert_eq!(code(&Facts { room: None, ..facts() }), Code::UnknownRoom);
    let mut elsewhere = facts();
    elsewhere.room.as_mut().unwrap().namespace = "chat".to_owned();
    assert_eq!(code(&elsewhere), Code::WrongNamespace);
}

#[test]
fn in_an_inbox_its_owner_may_not_write_and_to_others_it_is_not_there() {
    let (ada, bo) = (PersonId::from_bytes([1; 16]), PersonId::from_bytes([2; 16]));
    let code = |person, member, gone| {
        let mut facts = Facts { person, member, ..facts() };
        let room = facts.room.as_mut().unwrap();
        (room.owner, room.gone) = (Some(ada), gone);
        admit(&facts, &Effect::Adds, Tally::NAME)
    };
    assert_eq!(code(ada, true, false), Err(Code::Forbidden));
    assert_eq!(code(ada, false, true), Err(Code::RoomGone));
    for gone in [false, true] {
        assert_eq!(code(bo, false, gone), Err(Code::UnknownRoom));
    }
    // The server is everywhere.
    assert_eq!(code(PersonId::NIL, true, false), Ok(()));
    assert_eq!(code(PersonId::NIL, true, true), Err(Code::RoomGone));
}

#[test]
fn a_type_that_this_build_does_not_know_is_told_from_one_it_cannot_read() {
    assert!(Tally::read("recounted", "{}").is_none());
    assert!(matches!(Tally::read("counted", "{}"), Some(Err(_))));
    let counted = Tally::read("counted", r#"{"by":-1,"later":true}"#).unwrap().unwrap();
    assert_eq!(counted, Event::Counted(Counted { by: -1 }));
}

#[test]
fn volatile_and_latest_types_are_read_as_the_durable_ones() {
    let hovering = Tally::read_signal("hovering", "{}").unwrap().unwrap();
    assert_eq!(hovering, Signal::Hovering(Hovering {}));
    assert!(Tally::read_signal("seen", "{}").is_none(), "it is no volatile type");
    let seen = Tally::read_register("seen", r#"{"total":9}"#).unwrap().unwrap();
    assert_eq!(seen, Register::Seen(Seen { total: 9 }));
    assert!(matches!(Tally::read_register("seen", "{}"), Some(Err(_))));
    assert!(Tally::read_register("hovering", "{}").is_none(), "it is no latest type");
}
