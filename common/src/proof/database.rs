//! A client's database as a model: what the page keeps in `IndexedDB`, in plain maps.

use crate::{
    client::{
        Batch, Held, Key, LaneRow, LatestRow, NotWritten, Principal, Row, RowState, Snapshot, Write,
    },
    cursor::{Cursor, Offset},
    frame::{Entry, RoomInfo},
    id::{EventId, PersonId, RoomId, WriterId},
    planted::{Planted, planted},
};
use std::collections::BTreeMap;

/// The database, and what a view that folds its changes would show.
#[derive(Debug, Clone)]
pub struct Database {
    /// Who writes.
    pub principal: Principal,
    /// Whose outbox it is.
    pub writer: WriterId,
    /// Raised by each run that connects.
    pub generation: u64,
    /// The outbox and the rejected shelf.
    pub rows: BTreeMap<Key, Row>,
    /// The next number of each lane.
    pub lanes: BTreeMap<RoomId, u64>,
    /// How far each room was read.
    pub cursors: BTreeMap<RoomId, Cursor>,
    /// What was read.
    pub entries: BTreeMap<RoomId, Vec<Entry>>,
    /// One's own registers that the server has not stored.
    pub latest: Vec<LatestRow>,
    /// The directory.
    pub rooms: BTreeMap<RoomId, RoomInfo>,
    /// The ranks of everyone's registers.
    pub registers: BTreeMap<(RoomId, PersonId), u64>,
    /// Gaps, resets and pages: everything that stands in for entries.
    pub told: Vec<String>,
    /// Places that the cursor has passed in one step: behind the first, up to the second.
    pub holes: BTreeMap<RoomId, Vec<(Offset, Offset)>>,
    /// Entries that came as missed.
    pub missed: Vec<EventId>,
    keys: Key,
}

impl Database {
    /// An empty one of the `n`th person.
    #[must_use]
    pub fn new(n: u8) -> Self {
        let person = PersonId::from_bytes([n; 16]);
        let secret = format!("a secret of person {n:04}");
        Self {
            principal: Principal { person, secret, name: format!("person {n}") },
            writer: WriterId::from_bytes([n; 16]),
            generation: 0,
            rows: BTreeMap::new(),
            lanes: BTreeMap::new(),
            cursors: BTreeMap::new(),
            entries: BTreeMap::new(),
            latest: Vec::new(),
            rooms: BTreeMap::new(),
            registers: BTreeMap::new(),
            told: Vec::new(),
            holes: BTreeMap::new(),
            missed: Vec::new(),
            keys: 0,
        }
    }

    /// Puts an event into the outbox.
    pub fn add(&mut self, event: Held) -> Row {
        self.keys += 1;
        let row = Row { key: self.keys, event, state: RowState::Queued };
        self.rows.insert(row.key, row.clone());
        row
    }

    /// How many rows were ever added.
    #[must_use]
    pub fn keys(&self) -> Key {
        self.keys
    }

    /// What a client starts from.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let lanes = self.lanes.iter().map(|(room, next)| LaneRow { room: *room, next: *next });
        Snapshot {
            principal: self.principal.clone(),
            writer: self.writer,
            generation: self.generation,
            rows: self.rows.values().cloned().collect(),
            lanes: lanes.collect(),
            cursors: self.cursors.iter().map(|(room, cursor)| (*room, *cursor)).collect(),
            latest: self.latest.clone(),
        }
    }

    /// Commits a batch; returns the rows that were added by it.
    ///
    /// # Errors
    /// [`NotWritten::Fenced`] where the generation is not the batch's.
    pub fn commit(&mut self, batch: Batch) -> Result<Vec<Row>, NotWritten> {
        if self.generation != batch.generation && !planted(Planted::FenceIgnored) {
            return Err(NotWritten::Fenced);
        }
        Ok(self.apply(batch.writes))
    }

    /// Makes changes in their order; returns the rows that were added.
    pub fn apply(&mut self, writes: Vec<Write>) -> Vec<Row> {
        let mut added = Vec::new();
        for write in writes {
            match write {
                Write::Generation(generation) => self.generation = generation,
                Write::Writer { writer, generation } => {
                    self.writer = writer;
                    self.generation = generation;
                    self.lanes.clear();
                }
                Write::Name(name) => self.principal.name = name,
                Write::AddRow(event) => added.push(self.add(event)),
                Write::PutRow(row) => {
                    self.rows.insert(row.key, row);
                }
                Write::DeleteRow(key) => {
                    self.rows.remove(&key);
                }
                Write::Lane(lane) => {
                    self.lanes.insert(lane.room, lane.next);
                }
                Write::Entries { room, entries, cursor, missed } => {
                    if missed {
                        self.missed.extend(entries.iter().map(|entry| entry.id));
                    }
                    self.entries.entry(room).or_default().extend(entries);
                    self.cursors.insert(room, cursor);
                }
                Write::Page { room, items, cursor, from, .. } => {
                    self.told.push(format!("page from {from}"));
                    // Within its reach changes are folded into what they change.
                    self.passes(room, cursor, from - 1);
                    let held = self.entries.entry(room).or_default();
                    held.retain(|entry| entry.offset < from);
                    held.extend(items.into_iter().map(|item| item.entry));
                    self.cursors.insert(room, cursor);
                }
                Write::Gap(gap) => {
                    self.told.push(format!("gap {:?} of {}", gap.reason, gap.count));
                    self.passes(gap.room, gap.cursor, gap.to);
                    self.cursors.insert(gap.room, gap.cursor);
                }
                Write::Reset { room, reason, .. } => {
                    self.told.push(format!("reset {reason:?}"));
                    self.forget(room);
                }
                Write::PutLatest(row) => self.latest.push(row),
                Write::DeleteLatest { room, kind, rank } => {
                    self.latest.retain(|it| it.room != room || it.kind != kind || it.rank > rank);
                }
                Write::Left(room) | Write::Lost(room) => {
                    self.forget(room);
                }
                Write::Room(info) => drop(self.rooms.insert(info.room, info)),
                Write::Register(value) => {
                    let rank = self.registers.entry((value.room, value.person)).or_default();
                    *rank = value.rank.max(*rank);
                }
            }
        }
        added
    }

    fn forget(&mut self, room: RoomId) {
        self.entries.remove(&room);
        self.cursors.remove(&room);
        self.holes.remove(&room);
    }

    /// What lies between the old cursor, or `behind` if that is lower, and the new one does not come
    /// one by one.
    fn passes(&mut self, room: RoomId, to: Cursor, behind: Offset) {
        let from = self.cursors.get(&room).filter(|known| known.epoch == to.epoch);
        let from = from.map_or(0, |known| known.offset).min(behind);
        self.holes.entry(room).or_default().push((from, to.offset));
    }

    /// Whether every place up to the cursor of a room is held, or in a hole that was told.
    #[must_use]
    pub fn is_whole(&self, room: RoomId) -> bool {
        let to = self.cursors.get(&room).map_or(0, |cursor| cursor.offset);
        let held = self.entries.get(&room).map_or(&[][..], Vec::as_slice);
        let holes = self.holes.get(&room).map_or(&[][..], Vec::as_slice);
        (1..=to).all(|at| {
            held.iter().any(|entry| entry.offset == at)
                || holes.iter().any(|(from, to)| (from + 1..=*to).contains(&at))
        })
    }

    /// Goes on after a part of it was found damaged: numbers and verdicts may be lost, so it speaks
    /// under a new writer, and what waits is asked about: each row may be an older one than the last.
    pub fn mend(&mut self, writer: WriterId) {
        for row in self.rows.values_mut() {
            if row.state.waits() {
                row.state = RowState::Unsure;
            }
        }
        self.lanes.clear();
        self.writer = writer;
        self.generation += 1;
    }

    /// The states of the rows, by the text of their payloads.
    #[must_use]
    pub fn outbox(&self) -> Vec<(&str, &RowState)> {
        self.rows.values().map(|row| (row.event.data.as_str(), &row.state)).collect()
    }
}
