//! Who is in a room, as a slow reader folds what it is told, and as it is.

use crate::{cases, person, room};
use holdfast_common::{
    fanout::{Fanout, Item, Key, Note, Presence, Run, Target},
    frame::{self, Author},
    id::{PersonId, RoomId, SessionId, WriterId},
    limits::PRESENCE_MOST,
    storage::Membership,
};
use proptest::{prelude::*, sample::Index};
use std::collections::{BTreeMap, BTreeSet};

/// Items that may wait for a connection: few, so that most of them find no room.
const BOUND: usize = 4;
const ROOMS: u8 = 2;

#[derive(Debug, Clone)]
enum Step {
    /// A connection of this person comes.
    Come(u8),
    /// It asks to follow a room, or no longer to. The answer comes through its queue.
    Ask(Index, u8, bool),
    /// It takes what waits for it.
    Take(Index),
    /// It has the time to read what it was noted.
    Read(Index),
    Go(Index),
    /// Something else is told to a room, which takes up what room there is.
    Talk(u8),
    /// Each of them follows a room, and has taken what that brings.
    AllFollow(u8),
    /// Many come to a room at once, or go.
    Crowd(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let at = any::<Index>;
    prop_oneof![
        4 => (1..6_u8).prop_map(Step::Come),
        8 => (at(), 1..=ROOMS, prop::bool::weighted(0.7)).prop_map(|(at, room, on)| Step::Ask(at, room, on)),
        6 => at().prop_map(Step::Take),
        2 => at().prop_map(Step::Read),
        2 => at().prop_map(Step::Go),
        3 => (1..=ROOMS).prop_map(Step::Talk),
        1 => any::<bool>().prop_map(Step::Crowd),
    ]
}

/// With one more than are listed in the first room, and three of them that read.
fn border() -> Vec<Step> {
    let come = (1..=3).map(Step::Come);
    std::iter::once(Step::Crowd(true)).chain(come).chain([Step::AllFollow(1)]).collect()
}

/// A connection and what its client believes.
struct Reader {
    key: Key,
    person: PersonId,
    notes: BTreeSet<Note>,
    /// Who is there; `None` where the room is not followed, or was said to be crowded.
    here: BTreeMap<RoomId, Option<BTreeSet<PersonId>>>,
}

/// The hub as it tells of presence, and the truth beside it.
struct World {
    fanout: Fanout<frame::Presence>,
    readers: Vec<Reader>,
    crowd: Vec<Key>,
    runs: u128,
    /// Which connection follows which room.
    truth: BTreeSet<(Key, RoomId, PersonId)>,
}

fn author(id: PersonId) -> Author {
    Author { id, name: String::new() }
}

impl World {
    fn new() -> Self {
        let fanout = Fanout::new(BOUND);
        let (readers, crowd, truth) = (Vec::new(), Vec::new(), BTreeSet::new());
        Self { fanout, readers, crowd, runs: 0, truth }
    }

    fn connect(&mut self, id: PersonId) -> Key {
        let key = self.fanout.connect();
        self.runs += 1;
        let session = SessionId::from_bytes(self.runs.to_be_bytes());
        let run = Run { session, writer: WriterId::NIL, generation: 1 };
        self.fanout.register(key, author(id), run);
        key
    }

    fn whole(&self, room: RoomId) -> frame::Presence {
        frame::Presence { room, all: true, came: self.fanout.here(room), left: Vec::new() }
    }

    fn tell(&mut self, key: Key, change: Presence) {
        let (room, told) = match change {
            Presence::Came(room, who) => {
                (room, frame::Presence { room, all: false, came: vec![who], left: Vec::new() })
            }
            Presence::Left(room, who) => {
                (room, frame::Presence { room, all: false, came: Vec::new(), left: vec![who] })
            }
            Presence::Turned(room) => (room, self.whole(room)),
        };
        self.fanout.tell(Target::RoomBut(room, key), Note::Presence(room), &told);
    }

    fn follow(&mut self, key: Key, id: PersonId, room: RoomId) {
        self.truth.insert((key, room, id));
        if let Some(change) = self.fanout.follow(key, room) {
            self.tell(key, change);
        }
    }

    fn unfollow(&mut self, key: Key, id: PersonId, room: RoomId) {
        self.truth.remove(&(key, room, id));
        if let Some(change) = self.fanout.unfollow(key, room) {
            self.tell(key, change);
        }
    }

    fn disconnect(&mut self, key: Key) {
        self.truth.retain(|(of, ..)| *of != key);
        for change in self.fanout.disconnect(key) {
            self.tell(key, change);
        }
    }

    fn step(&mut self, step: &Step) {
        let reader = |at: &Index| (!self.readers.is_empty()).then(|| at.index(self.readers.len()));
        match step {
            Step::Come(n) => {
                let (key, person) = (self.connect(person(*n)), person(*n));
                let (notes, here) = (BTreeSet::new(), BTreeMap::new());
                self.readers.push(Reader { key, person, notes, here });
            }
            Step::Ask(at, n, join) => {
                let Some(at) = reader(at) else { return };
                let (room, join) = (room(*n), *join);
                let result = Ok(Membership::NoRoom); // What it says is not looked at here.
                let answer = Item::Membership { req: 1, room, join, result };
                self.fanout.answer(self.readers[at].key, answer);
            }
            Step::Take(at) => drop(reader(at).map(|at| self.take(at))),
            Step::Read(at) => drop(reader(at).map(|at| self.read(at))),
            Step::Go(at) => {
                let Some(at) = reader(at) else { return };
                let gone = self.readers.swap_remove(at);
                self.disconnect(gone.key);
            }
            Step::AllFollow(n) => {
                for at in 0..self.readers.len() {
                    let room = room(*n);
                    let result = Ok(Membership::NoRoom);
                    let answer = Item::Membership { req: 1, room, join: true, result };
                    self.fanout.answer(self.readers[at].key, answer);
                    self.take(at);
                }
            }
            Step::Talk(n) => {
                // Volatile, so it may be lost; an empty change changes nothing.
                let (came, left) = (Vec::new(), Vec::new());
                let nothing = frame::Presence { room: room(*n), all: false, came, left };
                self.fanout.send(Target::Room(room(*n)), &nothing);
            }
            Step::Crowd(true) if self.crowd.is_empty() => {
                // With a few more of the others it is one too many, and with a few less it is not.
                for n in 0..PRESENCE_MOST as u8 - 2 {
                    let id = person(100 + n);
                    let key = self.connect(id);
                    self.crowd.push(key);
                    self.follow(key, id, room(1));
                }
            }
            Step::Crowd(_) => {
                for key in std::mem::take(&mut self.crowd) {
                    self.disconnect(key);
                }
            }
        }
    }

    fn take(&mut self, at: usize) {
        let Reader { key, person, .. } = self.readers[at];
        for item in self.fanout.take(key) {
            match item {
                Item::Pass(told) => fold(&mut self.readers[at].here, &told),
                Item::Note(note) => drop(self.readers[at].notes.insert(note)),
                Item::Membership { room, join: true, .. } => {
                    self.follow(key, person, room);
                    let whole = self.whole(room);
                    let here = &mut self.readers[at].here;
                    here.insert(room, None);
                    fold(here, &whole);
                }
                Item::Membership { room, .. } => {
                    self.unfollow(key, person, room);
                    let reader = &mut self.readers[at];
                    reader.here.remove(&room);
                    reader.notes.remove(&Note::Presence(room));
                }
                other => panic!("nobody has sent {other:?}"),
            }
        }
    }

    fn read(&mut self, at: usize) {
        for note in std::mem::take(&mut self.readers[at].notes) {
            let whole = self.whole(note.room().unwrap());
            fold(&mut self.readers[at].here, &whole);
        }
    }

    /// What is to be believed of a room.
    fn is(&self, room: RoomId) -> Option<BTreeSet<PersonId>> {
        let here = self.truth.iter().filter(|(_, of, _)| *of == room);
        let here: BTreeSet<PersonId> = here.map(|(.., who)| *who).collect();
        (here.len() <= PRESENCE_MOST).then_some(here)
    }
}

/// What a client does with a frame, by docs/protocol.md.
fn fold(here: &mut BTreeMap<RoomId, Option<BTreeSet<PersonId>>>, told: &frame::Presence) {
    // A frame may still come of a room that was left.
    let Some(known) = here.get_mut(&told.room) else { return };
    if told.all {
        *known = Some(BTreeSet::new());
    }
    let Some(known) = known else { return };
    known.extend(told.came.iter().map(|who| who.id));
    known.retain(|who| !told.left.contains(who));
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn whoever_reads_in_the_end_believes_what_is_so(
        border in prop_oneof![2 => Just(Vec::new()), 1 => Just(border())],
        steps in prop::collection::vec(step(), 0..80),
    ) {
        let few = if border.is_empty() { 80 } else { 16 };
        let mut world = World::new();
        for step in border.iter().chain(steps.iter().take(few)) {
            world.step(step);
        }
        // What one takes may be told to another: until nothing waits any more.
        while let Some(at) = (0..world.readers.len()).find(|at| {
            let reader = &world.readers[*at];
            !reader.notes.is_empty() || world.fanout.waits(reader.key)
        }) {
            world.take(at);
            world.read(at);
        }
        for reader in &world.readers {
            for (room, believed) in &reader.here {
                let believed = believed.clone().filter(|here| !here.is_empty());
                prop_assert_eq!(believed, world.is(*room), "of {:?}", room);
                let at_home = |of: &(Key, RoomId, PersonId)| of.0 == reader.key && of.1 == *room;
                prop_assert!(world.truth.iter().any(at_home));
            }
        }
    }

    #[test]
    fn a_queue_holds_no_more_than_its_bound_of_what_is_told(
        steps in prop::collection::vec(step(), 0..80),
    ) {
        let mut world = World::new();
        for step in &steps {
            world.step(step);
        }
        for at in 0..world.readers.len() {
            let items = world.fanout.take(world.readers[at].key);
            let told = items.iter().filter(|item| matches!(item, Item::Pass(_))).count();
            let notes = items.iter().filter(|item| matches!(item, Item::Note(_))).count();
            prop_assert!(told <= BOUND / 2 && notes <= usize::from(ROOMS), "{:?}", items);
        }
    }
}
