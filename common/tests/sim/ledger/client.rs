//! What a client writes and sends.

use super::{Book, Intent, Invariant, Ledger};
use holdfast_common::{
    client::{Batch, Held, Key, Row, RowState, Write},
    codec,
    cursor::{Cursor, Offset},
    frame::{ClientFrame, Emit, Entry, Folded, GapReason},
    id::{EventId, RoomId},
    proof::Database,
};
use std::{collections::BTreeMap, iter};

impl Ledger {
    /// How many events were held so far.
    pub fn turn(&self) -> u64 {
        self.turns
    }

    /// An event is in an outbox, on the disk.
    pub fn held(&mut self, book: Book, event: &Held, database: &Database) {
        self.turns += 1;
        self.intents.insert(
            event.id,
            Intent {
                book,
                person: database.principal.person,
                room: event.room,
                turn: self.turns,
                bytes: None,
                copied: false,
                withdrawn: false,
                excused: false,
            },
        );
    }

    /// A person takes an event back, or sends a rejected one anew.
    pub fn withdraws(&mut self, id: EventId) {
        if let Some(intent) = self.intents.get_mut(&id) {
            intent.withdrawn = true;
        }
    }

    /// The browser has lost what it held, by a fault that nothing helps against.
    pub fn excuse(&mut self, book: Book) {
        for intent in self.intents.values_mut().filter(|it| it.book == book) {
            intent.excused = true;
        }
    }

    /// A copy from before takes the place of a book: of what waits in it the writer cannot know that
    /// it was transmitted, and may change it.
    /// What is newer than the copy is lost, unless it had arrived.
    pub fn set_back_book(&mut self, book: Book, copy: &Database, turn: u64) {
        for intent in self.intents.values_mut().filter(|it| it.book == book && it.turn > turn) {
            intent.excused = true;
        }
        for row in copy.rows.values().filter(|row| row.state == RowState::Queued) {
            if let Some(intent) = self.intents.get_mut(&row.event.id) {
                intent.bytes = None;
            }
        }
    }

    /// A copy of a book goes on beside it.
    pub fn copied(&mut self, copy: &Database) {
        for row in copy.rows.values() {
            if let Some(intent) = self.intents.get_mut(&row.event.id) {
                intent.copied = true;
            }
        }
    }

    /// The leading client of a database sends.
    pub fn transmits(&mut self, database: &Database, text: &str) {
        let Ok(incoming) = codec::read_client(text.as_bytes()) else {
            return self.breaks(Invariant::I11, || format!("a client says {text}"));
        };
        let ClientFrame::Emit(emit) = incoming.frame else {
            return;
        };
        let payload = String::from_utf8_lossy(incoming.payload).into_owned();
        let Emit { room, n, floor, id, .. } = emit;
        let next = database.lanes.get(&room).copied().unwrap_or(1);
        let row = database.rows.values().find(|row| row.event.id == id);
        let sent = row.is_some_and(|row| row.state == RowState::Sent { n });
        self.holds(n < next && sent, Invariant::I6, || {
            format!("number {n} leaves for {id}, which is {row:?}; {next} is next")
        });
        let unsettled = |row: &&Row| {
            row.event.room == room && matches!(row.state, RowState::Sent { n } if n <= floor)
        };
        let early = database.rows.values().find(unsettled).map(|row| row.event.id);
        self.holds(early.is_none(), Invariant::I6, || {
            format!("floor {floor} leaves, and {early:?} is not settled on the disk")
        });
        if let Some(intent) = self.intents.get_mut(&id).filter(|it| !it.copied) {
            let first = intent.bytes.get_or_insert_with(|| payload.clone()).clone();
            self.holds(first == payload, Invariant::I6, || {
                format!("{id} was transmitted as {first}, and now as {payload}")
            });
        }
    }

    /// A batch is about to be in the database.
    pub fn commits(&mut self, book: Book, before: &Database, batch: &Batch) {
        // What an earlier write of the batch has made of it.
        let mut cursors = before.cursors.clone();
        let mut rows: BTreeMap<Key, Row> = BTreeMap::new();
        for write in &batch.writes {
            match write {
                Write::PutRow(row) => {
                    self.row_changes(rows.get(&row.key).or(before.rows.get(&row.key)), row);
                    rows.insert(row.key, row.clone());
                }
                Write::DeleteRow(key) => {
                    if let Some(row) = rows.get(key).or(before.rows.get(key)) {
                        self.row_leaves(row);
                    }
                }
                Write::Entries { room, entries, cursor, .. } => {
                    self.outside.remove(&(book, *room));
                    self.entries_arrive(cursors.get(room), *room, entries, *cursor);
                    cursors.insert(*room, *cursor);
                }
                Write::Page { room, cursor, first, items, from, .. } => {
                    self.passes(*room, *cursor);
                    self.page_arrives(*room, items, *from, *cursor);
                    self.counts.add("write: page");
                    self.place_is_trimmed(book, *room, cursors.get(room), *first);
                    cursors.insert(*room, *cursor);
                }
                Write::Gap(gap) => {
                    self.passes(gap.room, gap.cursor);
                    self.counts.add("write: gap");
                    if gap.reason == GapReason::Trimmed {
                        let first = gap.to + 1;
                        self.place_is_trimmed(book, gap.room, cursors.get(&gap.room), first);
                    }
                    cursors.insert(gap.room, gap.cursor);
                }
                Write::Reset { room, reason, .. } => {
                    cursors.remove(room);
                    let set_back = self.set_backs > 0;
                    self.counts.add_named("write: reset ", reset_name(*reason));
                    self.holds(set_back, Invariant::I5, || "a reset without a cause".to_owned());
                    self.tells(book, *room);
                }
                Write::Lost(room) => {
                    self.counts.add("write: lost");
                    cursors.remove(room);
                    self.tells(book, *room);
                }
                Write::Left(room) => {
                    self.counts.add("write: left");
                    self.outside.insert((book, *room));
                    cursors.remove(room);
                    self.tells(book, *room);
                }
                Write::Writer { .. } => self.counts.add("write: a new writer"),
                Write::Generation(generation) => {
                    let last = before.generation;
                    self.holds(*generation > last, Invariant::I6, || {
                        format!("generation {generation} is written over {last}")
                    });
                }
                Write::AddRow(event) => self.held(book, event, before),
                _ => {}
            }
        }
    }

    /// A reader is told that something of a room is gone.
    pub fn tells(&mut self, book: Book, room: RoomId) {
        self.untold.retain(|_, told| *told != (book, room));
    }

    /// A reader learns from where on the log is kept. Where its place lies before that, nobody can
    /// compare it any more: of a set-back that had not been announced it is told only the gap.
    fn place_is_trimmed(&mut self, book: Book, room: RoomId, was: Option<&Cursor>, first: Offset) {
        if was.is_some_and(|was| was.offset + 1 < first) {
            self.tells(book, room);
        }
    }

    fn row_changes(&mut self, was: Option<&Row>, row: &Row) {
        let id = row.event.id;
        let from = was.map_or("nothing", |was| state_name(&was.state));
        self.counts.add_step("row: ", from, state_name(&row.state));
        let same_bytes =
            was.is_none_or(|was| was.event.data == row.event.data || was.state == RowState::Queued);
        self.holds(same_bytes, Invariant::I6, || format!("{id} was {from} and is changed"));
        match &row.state {
            RowState::Acked { epoch, offset } => {
                let stands = self.stood_at(row.event.room, *epoch, *offset, id);
                self.holds(stands, Invariant::I1, || {
                    format!("{id} is taken for acked at {offset}, and never was there")
                });
            }
            RowState::Rejected { .. } => {
                let stands = self.stood(id) && !self.lost.contains(&id);
                self.untold.remove(&id); // Its writer sees it on the shelf.
                self.holds(!stands, Invariant::I6, || format!("{id} is shelved, and stands"));
            }
            RowState::Queued => {
                let known =
                    |was: &Row| matches!(was.state, RowState::Sent { .. } | RowState::Unsure);
                let transmitted = was.is_some_and(known);
                self.holds(!transmitted, Invariant::I6, || {
                    format!("{id} may have been transmitted and is its writer's again")
                });
            }
            RowState::Sent { .. } | RowState::Unsure => {}
        }
    }

    fn row_leaves(&mut self, row: &Row) {
        let id = row.event.id;
        self.counts.add_step("row: ", state_name(&row.state), "gone");
        let withdrawn = self.intents.get(&id).is_none_or(|it| it.withdrawn || it.excused);
        let settled = match row.state {
            RowState::Queued | RowState::Rejected { .. } => withdrawn,
            _ => false,
        };
        let stood = self.stood(id);
        self.holds(settled || stood, Invariant::I6, || {
            format!("{id} leaves the outbox as {}, and never stood", state_name(&row.state))
        });
    }

    fn entries_arrive(
        &mut self,
        known: Option<&Cursor>,
        room: RoomId,
        entries: &[Entry],
        cursor: Cursor,
    ) {
        self.counts.add("write: entries");
        let known = known.filter(|known| known.epoch == cursor.epoch);
        let mut at = known.map_or(0, |known| known.offset);
        for entry in entries {
            self.holds(entry.offset == at + 1, Invariant::I4, || {
                format!("the entry at {} is applied behind {at}", entry.offset)
            });
            at = entry.offset;
            let stands = self.says(room, cursor.epoch, entry)
                || self.former.contains_key(&(room, cursor.epoch, entry.offset, entry.id));
            self.holds(stands, Invariant::I3, || {
                format!("another entry than the log's is applied at {}", entry.offset)
            });
        }
        self.holds(at == cursor.offset, Invariant::I4, || {
            format!("the cursor is put to {} behind the entry at {at}", cursor.offset)
        });
    }

    /// A page shows all that there is from its first entry on.
    fn page_arrives(&mut self, room: RoomId, items: &[Folded], from: Offset, cursor: Cursor) {
        let Cursor { epoch, offset, mark } = cursor;
        if self.standing(room, epoch, offset).is_none_or(|it| it.mark != mark) {
            return; // It is of before a set-back.
        }
        let there = items.iter().map(|it| (it.entry.id, it.change.as_ref().map(|it| it.id)));
        let same = there.eq(self.shown(room, epoch, from, offset));
        self.holds(same, Invariant::I4, || format!("a page from {from} is not what stands there"));
        let parts = items.iter().flat_map(|it| iter::once(&it.entry).chain(&it.change));
        let wrong = parts.into_iter().find(|entry| !self.says(room, epoch, entry));
        let wrong = wrong.map(|entry| entry.id);
        self.holds(wrong.is_none(), Invariant::I3, || format!("a page has another {wrong:?}"));
    }

    /// A cursor passes what is not applied one by one.
    fn passes(&mut self, room: RoomId, cursor: Cursor) {
        let Cursor { epoch, offset, mark } = cursor;
        let stands = self.standing(room, epoch, offset);
        let places = (room, epoch, offset, EventId::NIL)..(room, epoch, offset + 1, EventId::NIL);
        let there = offset == 0
            || stands.is_some_and(|it| it.mark == mark)
            || self.former.range(places).any(|(_, stood)| *stood == mark);
        self.holds(there, Invariant::I5, || format!("a cursor passes to {cursor:?}"));
    }
}

fn state_name(state: &RowState) -> &'static str {
    match state {
        RowState::Queued => "queued",
        RowState::Sent { .. } => "sent",
        RowState::Unsure => "unsure",
        RowState::Acked { .. } => "acked",
        RowState::Rejected { .. } => "rejected",
    }
}

fn reset_name(reason: holdfast_common::cursor::ResetReason) -> &'static str {
    use holdfast_common::cursor::ResetReason;
    match reason {
        ResetReason::Epoch => "epoch",
        ResetReason::Future => "future",
        ResetReason::Forked => "forked",
        ResetReason::Unknown => "unknown",
    }
}
