//! What must hold, kept beside the system under proof and compared with all that it does: the logs as
//! they became durable, what was acked, what each reader was told, what each writer holds.
//!
//! Nothing in here is read by the system. The first thing that does not hold is kept, with the
//! invariant that it breaks.

mod client;
mod copies;
mod wire;

use crate::{
    counts::Counts,
    disk::Disk,
    engine::{Done, End},
};
use holdfast_common::{
    codec,
    cursor::{Mark, Offset},
    event::Effect,
    frame::{Author, Entry, HOLLOW},
    id::{Epoch, EventId, PersonId, RoomId, WriterId},
    storage::{Appended, Greeted, NewEntry, Verdict},
    time::Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

/// A line of the promise, in the design's numbering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// An ack follows durability, and nobody reads what is not durable.
    I1,
    /// One event stands at most once, and a number is decided once.
    I2,
    /// A room has one order; a writer's events keep theirs.
    I3,
    /// A reader applies each entry exactly once and skips nothing.
    I4,
    /// A hole is told, and no hole is told that is none.
    I5,
    /// An event leaves the outbox by its verdict alone, and none blocks the next.
    I6,
    /// Bad input panics nobody.
    I11,
}

/// Something that does not hold.
#[derive(Debug, Clone)]
pub struct Violation {
    pub invariant: Invariant,
    pub what: String,
}

/// An entry as it became durable.
#[derive(Debug, Clone)]
struct Standing {
    id: EventId,
    mark: Mark,
    counts: bool,
    removes: Option<EventId>,
    replaces: Option<EventId>,
    /// As it is written.
    text: String,
}

/// An entry of a page, and its newest change.
type Shown = (EventId, Option<EventId>);

type Logs = BTreeMap<(RoomId, Epoch), Vec<Standing>>;

/// A copy of the server's disk, with what the ledger knows of it.
#[derive(Clone)]
pub struct Copy {
    pub disk: Disk,
    logs: Logs,
}

/// One outbox database, of one person.
pub type Book = u64;

/// An event that somebody wants to be in a log.
#[derive(Debug, Clone)]
pub struct Intent {
    pub book: Book,
    pub person: PersonId,
    pub room: RoomId,
    /// Its place among the book's events.
    pub turn: u64,
    /// As it was first transmitted.
    bytes: Option<String>,
    /// It is in two outboxes, each of which may change it or take it back, and brings it in its turn.
    copied: bool,
    /// Its writer has taken it back, or made a new event of it.
    pub withdrawn: bool,
    /// The browser has lost it, and is allowed to.
    pub excused: bool,
}

pub struct Ledger {
    /// Whether what does not hold is noted at all.
    pub watches: bool,
    pub broken: Option<Violation>,
    pub counts: Counts,
    logs: Logs,
    acked: BTreeMap<EventId, (RoomId, Epoch, Offset)>,
    pub rejected: BTreeSet<EventId>,
    decided: BTreeMap<(WriterId, RoomId), u64>,
    generations: BTreeMap<WriterId, u64>,
    /// How far each connection has told each room.
    wires: BTreeMap<End, BTreeMap<RoomId, (Epoch, Offset)>>,
    pub intents: BTreeMap<EventId, Intent>,
    turns: u64,
    /// The newest turn of each book in each room that stands.
    newest: BTreeMap<(Book, RoomId), u64>,
    /// Events that stood when the server was set back. They may come again in any order, or be gone.
    lost: BTreeSet<EventId>,
    /// What stood in places from which the server was set back: readers may have it from there.
    former: BTreeMap<(RoomId, Epoch, Offset, EventId), Mark>,
    /// How often the server was set back.
    pub set_backs: u64,
    /// Who has left which room: nothing of it is held any more, and nothing more is told of it.
    outside: BTreeSet<(Book, RoomId)>,
    /// Acked events that are gone, until their writer is told.
    untold: BTreeMap<EventId, (Book, RoomId)>,
}

/// What an entry says, as it is written. Not when, nor what its author was called then: what the server
/// has lost and got again has another time and name, and stands in its place all the same.
pub fn said(entry: &Entry) -> String {
    let from = Author { name: String::new(), ..entry.from.clone() };
    codec::write_entry(&Entry { at: Timestamp(0), from, ..entry.clone() })
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            watches: true,
            broken: None,
            counts: Counts::default(),
            logs: BTreeMap::new(),
            acked: BTreeMap::new(),
            rejected: BTreeSet::new(),
            decided: BTreeMap::new(),
            generations: BTreeMap::new(),
            wires: BTreeMap::new(),
            intents: BTreeMap::new(),
            turns: 0,
            newest: BTreeMap::new(),
            lost: BTreeSet::new(),
            former: BTreeMap::new(),
            set_backs: 0,
            outside: BTreeSet::new(),
            untold: BTreeMap::new(),
        }
    }
}

impl Ledger {
    /// Notes that something does not hold; the first one counts.
    pub fn breaks(&mut self, invariant: Invariant, what: impl FnOnce() -> String) {
        if self.watches && self.broken.is_none() {
            self.broken = Some(Violation { invariant, what: what() });
        }
    }

    fn holds(&mut self, it: bool, invariant: Invariant, what: impl FnOnce() -> String) {
        if !it {
            self.breaks(invariant, what);
        }
    }

    fn standing(&self, room: RoomId, epoch: Epoch, offset: Offset) -> Option<&Standing> {
        let at = usize::try_from(offset.checked_sub(1)?).ok()?;
        self.logs.get(&(room, epoch))?.get(at)
    }

    /// Whether an entry says what stands in its place, or that this was deleted.
    fn says(&self, room: RoomId, epoch: Epoch, entry: &Entry) -> bool {
        let Some(standing) = self.standing(room, epoch, entry.offset) else {
            return false;
        };
        let removed = |it: &Standing| {
            it.removes.is_some_and(|id| id == standing.id || Some(id) == standing.replaces)
        };
        let deleted = || self.logs[&(room, epoch)].iter().any(removed);
        let same = if entry.kind == HOLLOW {
            entry.data.is_none() && deleted()
        } else {
            said(entry) == standing.text
        };
        same && standing.id == entry.id && standing.mark == entry.mark
    }

    /// What a page has to show from one offset on, as of another: each entry that changes no other,
    /// with its newest change.
    fn shown(&self, room: RoomId, epoch: Epoch, from: Offset, as_of: Offset) -> Vec<Shown> {
        let log = self.logs.get(&(room, epoch)).map_or(&[][..], Vec::as_slice);
        let log = &log[..log.len().min(usize::try_from(as_of).expect("logs are short"))];
        let removed: BTreeSet<EventId> = log.iter().filter_map(|it| it.removes).collect();
        let change = |id: EventId| {
            let left = |it: &&Standing| it.replaces == Some(id) && !removed.contains(&it.id);
            let newest = log.iter().rev().find(left);
            newest.filter(|_| !removed.contains(&id)).map(|it| it.id)
        };
        let inside = log.iter().zip(1..).filter(|(_, at)| *at >= from);
        let own = inside.filter(|(it, _)| it.removes.is_none() && it.replaces.is_none());
        own.map(|(it, _)| (it.id, change(it.id))).collect()
    }

    /// Whether the event stands there, or stood there before the server was set back.
    fn stood_at(&self, room: RoomId, epoch: Epoch, offset: Offset, id: EventId) -> bool {
        self.standing(room, epoch, offset).is_some_and(|it| it.id == id)
            || self.former.contains_key(&(room, epoch, offset, id))
    }

    /// Jobs have reached the disk together.
    pub fn durable(&mut self, done: &[(End, Done)], disk: &Disk) {
        for (_, done) in done {
            match done {
                Done::Greeted { writer, generation, result: Ok(Greeted::Welcome(_)) } => {
                    let last = self.generations.insert(*writer, *generation).unwrap_or(0);
                    self.holds(*generation > last, Invariant::I6, || {
                        format!("generation {generation} of a writer is welcome after {last}")
                    });
                    self.counts.add("greeting: welcome");
                }
                Done::Greeted { result: Ok(Greeted::Refused(code)), .. } => {
                    self.counts.add_named("greeting: ", code.name());
                }
                Done::Greeted { result: Err(_), .. } => self.counts.add("greeting: fault"),
                Done::Appended { room, n, writer, generation, appended } => {
                    if matches!(appended, Appended::Decided { .. }) {
                        let newest = self.generations.get(writer).copied().unwrap_or(0);
                        self.holds(*generation >= newest, Invariant::I6, || {
                            format!("generation {generation} writes, and {newest} was welcome")
                        });
                    }
                    self.appended(*room, *n, *writer, appended, disk);
                }
                Done::Stored { .. } | Done::Membership { .. } => {}
            }
        }
    }

    fn appended(
        &mut self,
        room: RoomId,
        n: u64,
        writer: WriterId,
        appended: &Appended,
        disk: &Disk,
    ) {
        self.counts.add(match appended {
            Appended::Decided { verdict: Verdict::Reject { .. }, .. } => "append: rejected",
            Appended::Decided { entry: Some(_), .. } => "append: acked",
            Appended::Decided { entry: None, .. } => "append: stood already",
            Appended::Again(_) => "append: verdict again",
            Appended::Settled => "append: settled",
            Appended::Expected(_) => "append: another number expected",
            Appended::Fenced => "append: fenced",
            Appended::Moved => "append: moved",
            Appended::Mismatch => "append: mismatch",
            Appended::Fault(_) => "append: fault",
        });
        let Appended::Decided { verdict, entry, .. } = appended else {
            return;
        };
        let last = self.decided.insert((writer, room), n).unwrap_or(0);
        self.holds(n > last, Invariant::I2, || {
            format!("number {n} of a lane is decided when {last} was")
        });
        if let Verdict::Reject { id, .. } = verdict {
            self.rejected.insert(*id);
        }
        if let Some(new) = entry {
            self.entered(new, disk);
        }
    }

    /// An entry stands.
    pub fn entered(&mut self, new: &NewEntry, disk: &Disk) {
        let NewEntry { room, epoch, entry, .. } = new;
        let effect = disk.logs.get(room).and_then(|log| log.effects.get(&entry.id));
        let (removes, replaces) = match effect {
            Some(Effect::Removes(target)) => (Some(*target), None),
            Some(Effect::Replaces(target)) => (None, Some(*target)),
            _ => (None, None),
        };
        let (counts, text) = (entry.kind == "message", said(entry));
        let log = self.logs.entry((*room, *epoch)).or_default();
        let (twice, next) = (log.iter().any(|it| it.id == entry.id), log.len() as u64 + 1);
        log.push(Standing { id: entry.id, mark: entry.mark, counts, removes, replaces, text });
        self.holds(!twice, Invariant::I2, || format!("{} stands twice", entry.id));
        self.holds(entry.offset == next, Invariant::I3, || {
            format!("offset {} where {next} is next", entry.offset)
        });
        self.in_turn(*room, entry);
    }

    fn in_turn(&mut self, room: RoomId, entry: &Entry) {
        let again = self.lost.remove(&entry.id);
        let refused = self.rejected.contains(&entry.id);
        let Some(intent) = self.intents.get(&entry.id) else {
            return;
        };
        let (turn, own) = (intent.turn, intent.person == entry.from.id && intent.room == room);
        let newest = self.newest.entry((intent.book, room)).or_default();
        // What was taken back or refused once can come again, where the browser was set back.
        let free = again || refused || intent.withdrawn || intent.excused || intent.copied;
        let late = turn < *newest && !free;
        *newest = turn.max(*newest);
        self.holds(own, Invariant::I3, || format!("{} stands as somebody else's", entry.id));
        self.holds(!late, Invariant::I3, || format!("{} stands behind a later one", entry.id));
    }

    /// A room is deleted, and what was acked in it with it.
    pub fn deleted(&mut self, room: RoomId) {
        self.acked.retain(|_, (of, ..)| *of != room);
        self.untold.retain(|_, (_, of)| *of != room);
    }

    /// Everything that was acked, and was not lost by a set-back, is there.
    pub fn acked_stands(&mut self, disk: &Disk) {
        let gone = self.acked.iter().find(|(id, (room, epoch, offset))| {
            let log = disk.logs.get(room);
            let log = log.filter(|log| log.info.head.epoch == *epoch);
            log.is_none_or(|log| log.ids.get(id) != Some(offset))
        });
        if let Some((id, (.., offset))) = gone.map(|(id, at)| (*id, *at)) {
            self.breaks(Invariant::I1, || format!("{id} was acked at {offset} and is not there"));
        }
    }

    /// Whether the event stood in a log at some time.
    pub fn stood(&self, id: EventId) -> bool {
        self.logs.values().flatten().any(|it| it.id == id)
            || self.former.keys().any(|(.., stood)| *stood == id)
    }

    /// Acked events that a restore has taken, of which nothing was told.
    pub fn untold(&self) -> impl Iterator<Item = &EventId> {
        let excused = |id: &EventId| self.intents.get(id).is_some_and(|it| it.excused);
        self.untold.keys().filter(move |id| self.lost.contains(id) && !excused(id))
    }

    /// How many entries a person would count lie in a hole, as of an offset.
    fn counted(&self, room: RoomId, epoch: Epoch, hole: [Offset; 2], as_of: Offset) -> u64 {
        let log = self.logs.get(&(room, epoch)).map_or(&[][..], Vec::as_slice);
        let as_of = log.len().min(usize::try_from(as_of).expect("logs are short"));
        let removed: BTreeSet<EventId> = log[..as_of].iter().filter_map(|it| it.removes).collect();
        let inside = log.iter().zip(1..).filter(|(_, at)| (hole[0]..=hole[1]).contains(at));
        inside.filter(|(it, _)| it.counts && !removed.contains(&it.id)).count() as u64
    }
}
