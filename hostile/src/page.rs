//! A page without a browser: the client, its database and the view's state, driven as the link drives
//! them.

use holdfast_common::{
    client::{Batch, Client, Input, LaneRow, Output, Row, RowState, Write},
    codec,
    cursor::{Accept, Cursor},
    frame::ClientFrame,
    id::{EventId, RoomId, SessionId, WriterId},
    time::{Instant, Timestamp},
};
use holdfast_frontend::{
    link::{Trial, Update},
    store::{Now, Store, Window},
};
use std::collections::{BTreeMap, VecDeque};

/// The client's run.
const RUN: SessionId = SessionId::NIL;

/// Nobody waits so long, though a server may say so.
const NEVER: Instant = Instant(1 << 40);

/// The page.
pub(crate) struct Page {
    pub(crate) db: Trial,
    store: Store,
    client: Client,
    now: Instant,
    /// Batches wait until [`Page::commit`].
    pub(crate) holds: bool,
    batch: Option<Batch>,
    /// What the client wants: a socket is open, or is to be opened.
    pub(crate) connected: bool,
    pub(crate) wants: bool,
    writers: u8,
    /// What is in the database of each number, and what was ever given it.
    on_disk: BTreeMap<(RoomId, u64), EventId>,
    given: BTreeMap<(u8, RoomId, u64), EventId>,
    cursors: BTreeMap<RoomId, Cursor>,
}

impl Page {
    /// A page that starts from what is in the database; `None` where nobody has given a name yet.
    pub(crate) fn start(db: Trial) -> Option<Self> {
        let read = db.read().expect("a database in memory is read");
        let mut store = Store::new(|a, b| a.cmp(b));
        store.apply(Now::default(), Update::Loaded(read.loaded.clone()));
        let snapshot = read.snapshot?;
        let on_disk = snapshot.rows.iter().filter_map(numbered).collect::<BTreeMap<_, _>>();
        let mut page = Self {
            db,
            store,
            cursors: snapshot.cursors.iter().copied().collect(),
            client: Client::new(snapshot, RUN, 7),
            now: Instant(0),
            holds: false,
            batch: None,
            connected: false,
            wants: false,
            writers: 0,
            given: on_disk.iter().map(|((room, n), id)| ((0, *room, *n), *id)).collect(),
            on_disk,
        };
        page.feed(Input::Start);
        Some(page)
    }

    /// Feeds the client, and carries out what it says and what comes of that.
    pub(crate) fn feed(&mut self, input: Input) -> Vec<Output> {
        let mut told = Vec::new();
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            for output in self.client.handle(self.now, input) {
                told.push(output.clone());
                self.carry_out(output, &mut inputs);
            }
            self.look();
        }
        told
    }

    /// The batch that waits is committed; `false` where there is none.
    pub(crate) fn commit(&mut self) -> bool {
        let Some(batch) = self.batch.take() else { return false };
        let mut inputs = VecDeque::new();
        self.write(batch, &mut inputs);
        for input in inputs {
            self.feed(input);
        }
        true
    }

    /// A hostile peer, or time, has ended the connection: there is a new one when it is due.
    pub(crate) fn come_back(&mut self) {
        let due = self.client.deadline().filter(|due| *due < NEVER);
        if let (false, Some(due)) = (self.connected || self.wants, due) {
            self.now = self.now.max(due);
            self.feed(Input::Tick);
        }
    }

    /// Every room can be shown.
    pub(crate) fn show(&mut self) {
        let rooms: Vec<RoomId> = self.store.rooms.keys().copied().collect();
        for room in rooms {
            let day = |at: Timestamp| i64::try_from(at.0 / 86_400_000).unwrap_or(0);
            let _ = self.store.rows(room, &Window::newest(), &day);
        }
        let _ = self.store.lines();
        self.store.expire(self.now);
    }

    fn carry_out(&mut self, output: Output, inputs: &mut VecDeque<Input>) {
        match output {
            Output::Connect => (self.connected, self.wants) = (false, true),
            Output::Close(_) => (self.connected, self.wants) = (false, false),
            Output::Send(text) => self.sent(&text),
            Output::Write(batch) if self.holds => {
                assert!(self.batch.is_none(), "at most one batch is under way");
                self.batch = Some(batch);
            }
            Output::Write(batch) => self.write(batch, inputs),
            Output::WantWriter => {
                self.writers += 1;
                let writer = WriterId::from_bytes([self.writers; 16]);
                inputs.push_back(Input::NewWriter(writer));
            }
            Output::Show(show) => {
                let now = Now { steady: self.now, wall: Timestamp(1) };
                self.store.apply(now, Update::Show(show));
            }
        }
    }

    fn write(&mut self, batch: Batch, inputs: &mut VecDeque<Input>) {
        let token = batch.token;
        let (writes, added) = self.db.commit(RUN, batch).expect("nobody else writes");
        writes.iter().for_each(|write| self.written(write));
        self.store.apply(Now::default(), Update::Applied(writes));
        inputs.push_back(Input::Written { token, result: Ok(()) });
        inputs.extend(added.into_iter().map(Input::Added));
    }

    /// What leaves is read by a server, and an event's number is on the disk before.
    fn sent(&mut self, text: &str) {
        let read = codec::read_client(text.as_bytes()).expect("a server reads what a client says");
        if let ClientFrame::Emit(emit) = read.frame {
            assert!(emit.floor < emit.n, "{emit:?}");
            let on_disk = self.on_disk.get(&(emit.room, emit.n));
            assert_eq!(on_disk, Some(&emit.id), "{emit:?} left before its number was on the disk");
        }
    }

    fn written(&mut self, write: &Write) {
        match write {
            Write::Writer { .. } => self.on_disk.clear(),
            Write::PutRow(row) => {
                if let Some(((room, n), id)) = numbered(row) {
                    self.on_disk.insert((room, n), id);
                    let first = *self.given.entry((self.writers, room, n)).or_insert(id);
                    assert_eq!(first, id, "the number {n} was given twice");
                }
            }
            Write::Lane(LaneRow { next, .. }) => assert!(*next > 0),
            Write::Entries { room, entries, cursor, .. } => {
                let mut at = self.cursors.get(room).copied();
                for entry in entries {
                    let before = at.unwrap_or(Cursor::start(cursor.epoch));
                    let accepted = before.accept(cursor.epoch, entry.offset, entry.id, entry.mark);
                    let Accept::Next(next) = accepted else { panic!("{accepted:?}: {entry:?}") };
                    at = Some(next);
                }
                assert_eq!(at, Some(*cursor));
                self.cursors.insert(*room, *cursor);
            }
            Write::Page { room, cursor, .. } => drop(self.cursors.insert(*room, *cursor)),
            Write::Gap(gap) => drop(self.cursors.insert(gap.room, gap.cursor)),
            Write::Reset { room, .. } | Write::Left(room) | Write::Lost(room) => {
                self.cursors.remove(room);
            }
            _ => {}
        }
    }

    /// The deadline is none that has passed for ever: a driver that feeds it would not rest.
    fn look(&mut self) {
        if let Some(due) = self.client.deadline().filter(|due| *due <= self.now) {
            self.client.handle(self.now, Input::Tick);
            let next = self.client.deadline();
            assert!(next.is_none_or(|next| next > due), "the deadline {due:?} does not move");
        }
    }
}

fn numbered(row: &Row) -> Option<((RoomId, u64), EventId)> {
    match row.state {
        RowState::Sent { n } => Some(((row.event.room, n), row.event.id)),
        _ => None,
    }
}
