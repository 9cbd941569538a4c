//! A client with its database, as a model: committed batches survive a crash, the rest does not.

use holdfast_common::{
    client::*,
    cursor::Cursor,
    frame::{Entry, RoomInfo},
    id::{EventId, PersonId, RoomId, SessionId, WriterId},
    time::Instant,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The database, and what a view that folds its changes would show.
#[derive(Debug, Clone)]
pub struct Database {
    pub principal: Principal,
    pub writer: WriterId,
    pub generation: u64,
    pub rows: BTreeMap<Key, Row>,
    pub lanes: BTreeMap<RoomId, u64>,
    pub cursors: BTreeMap<RoomId, Cursor>,
    pub entries: BTreeMap<RoomId, Vec<Entry>>,
    pub latest: Vec<LatestRow>,
    /// The directory.
    pub rooms: BTreeMap<RoomId, RoomInfo>,
    /// The ranks of everyone's registers.
    pub registers: BTreeMap<(RoomId, PersonId), u64>,
    /// Gaps, resets and pages: everything that stands in for entries.
    pub told: Vec<String>,
    /// Entries that came as missed.
    pub missed: Vec<EventId>,
    keys: Key,
}

impl Database {
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
            missed: Vec::new(),
            keys: 0,
        }
    }

    pub fn add(&mut self, event: Held) -> Row {
        self.keys += 1;
        let row = Row { key: self.keys, event, state: RowState::Queued };
        self.rows.insert(row.key, row.clone());
        row
    }

    /// How many rows were ever added.
    pub fn keys(&self) -> Key {
        self.keys
    }

    fn snapshot(&self) -> Snapshot {
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
    pub fn commit(&mut self, batch: Batch) -> Result<Vec<Row>, NotWritten> {
        if self.generation != batch.generation {
            return Err(NotWritten::Fenced);
        }
        let mut added = Vec::new();
        for write in batch.writes {
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
                    let held = self.entries.entry(room).or_default();
                    held.extend(items.into_iter().map(|item| item.entry));
                    self.cursors.insert(room, cursor);
                }
                Write::Gap(gap) => {
                    self.told.push(format!("gap {:?} of {}", gap.reason, gap.count));
                    self.cursors.insert(gap.room, gap.cursor);
                }
                Write::Reset { room, reason, .. } => {
                    self.told.push(format!("reset {reason:?}"));
                    self.entries.remove(&room);
                    self.cursors.remove(&room);
                }
                Write::PutLatest(row) => self.latest.push(row),
                Write::DeleteLatest { room, kind, rank } => {
                    self.latest.retain(|it| it.room != room || it.kind != kind || it.rank > rank);
                }
                Write::Left(room) | Write::Lost(room) => {
                    self.entries.remove(&room);
                    self.cursors.remove(&room);
                }
                Write::Room(info) => drop(self.rooms.insert(info.room, info)),
                Write::Register(value) => {
                    let rank = self.registers.entry((value.room, value.person)).or_default();
                    *rank = value.rank.max(*rank);
                }
            }
        }
        Ok(added)
    }

    /// The states of the rows, by the text of their payloads.
    pub fn outbox(&self) -> Vec<(&str, &RowState)> {
        self.rows.values().map(|row| (row.event.data.as_str(), &row.state)).collect()
    }
}

/// A client that runs, or does not.
#[derive(Debug)]
pub struct Node {
    pub database: Database,
    pub client: Option<Client>,
    pub shown: Vec<Show>,
    /// Batches that the database has not committed yet, in order.
    pub writing: VecDeque<Batch>,
    runs: u8,
}

impl Node {
    pub fn new(n: u8) -> Self {
        Self {
            database: Database::new(n),
            client: None,
            shown: Vec::new(),
            writing: VecDeque::new(),
            runs: 0,
        }
    }

    /// Starts a run from what is in the database.
    pub fn start(&mut self, now: Instant) -> Vec<Output> {
        self.runs += 1;
        let session = SessionId::from_bytes([self.runs; 16]);
        let mut client = Client::new(self.database.snapshot(), session, u64::from(self.runs));
        let out = client.handle(now, Input::Start);
        self.client = Some(client);
        out
    }

    /// Who is in a room, as the view has it: it forgets everyone with the connection.
    pub fn presence(&self, room: RoomId) -> BTreeSet<PersonId> {
        let mut here = BTreeSet::new();
        for show in &self.shown {
            match show {
                Show::Link(Link::Online) => {}
                Show::Link(_) => here.clear(),
                Show::Presence(presence) if presence.room == room => {
                    if presence.all {
                        here.clear();
                    }
                    here.extend(presence.came.iter().map(|author| author.id));
                    here.retain(|person| !presence.left.contains(person));
                }
                _ => {}
            }
        }
        here
    }

    pub fn ids(&self, room: RoomId) -> Vec<EventId> {
        self.database.entries.get(&room).into_iter().flatten().map(|entry| entry.id).collect()
    }
}
