//! The storage seam: everything the server asks of its database, in terms of transactions, logs
//! and heads. Nothing outside `engine/` knows which database there is.
//!
//! Every engine passes the one suite in `tests/engine_contract.rs`.

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use holdfast_common::{
    codec,
    cursor::Offset,
    error::Code,
    frame::{Folded, LatestSet, RoomInfo},
    id::{Epoch, EventId, PersonId, RoomId},
    storage::{
        Append, Appended, FactsQuery, FactsRead, Fault, Folds, Greeted, Greeting, Inbox,
        Membership, Places, Registered, Registers, RegistersQuery, Slice, Verdict,
    },
    time::Timestamp,
};

mod hooks;
mod jobs;
mod lane;
pub mod memory;
mod names;
mod schedules;
pub mod sqlite;

pub use hooks::Hooks;
pub(crate) use jobs::digest_of_job;
pub use jobs::{Answer, Clocks, Jobs};
pub use schedules::{Schedules, occurrence_job};

/// What the person is called, or [`Code::WrongSecret`] where it is somebody else.
pub type Recognised = Result<String, Code>;

/// What a trim did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trimmed {
    /// The log's first offset now.
    pub first: Offset,
}

/// A store of logs, lanes and memberships.
///
/// Each call is one transaction and is seen whole or not at all. What a call reports as done is on
/// stable storage before the call returns (I1). Calls may run at the same time; [`Engine::append`]
/// says what is kept in order.
///
/// A room may have an owner: then it is their inbox. It is not found by its name, and in a call that
/// names another person it is not there. The nil id, under which the server acts, is nobody else's.
#[async_trait]
pub trait Engine: Jobs + Hooks + Schedules {
    /// Binds person, secret, writer and generation as [`Greeting`] says, moves the lanes up to
    /// their floors, and reads a resume, which may be of a later moment than the binding. A refused
    /// greeting changes nothing. A deleted room is in the resume only if the greeting has a cursor
    /// for it; of the rooms the person is no member of, the newest [`OTHER_ROOMS`](crate::limits::OTHER_ROOMS) are.
    async fn greet(&self, greeting: Greeting) -> Result<Greeted, Fault>;

    /// Binds the person to the secret at their first use, with this name; later ones compare the
    /// secret, and change nothing: what they are called is what they were at last greeted by. As a greeting without a writer.
    async fn recognise(
        &self,
        person: PersonId,
        secret_hash: [u8; 32],
        name: String,
        at: Timestamp,
    ) -> Result<Recognised, Fault>;

    /// The rooms as a resume without cursors lists them to the person.
    async fn directory(&self, person: PersonId) -> Result<Vec<RoomInfo>, Fault>;

    /// Makes one event durable: checks the lane, the versions and the idempotency key, appends
    /// the entry, applies its effect, stores the verdict and moves the watermark, all in one
    /// transaction.
    ///
    /// It is *submitted by the call*, not by the first poll: two appends of one thread are decided
    /// in the order of the calls. Many are committed together; a failing one of them takes nothing
    /// of the others with it. Entries of one room become readable in the order of their offsets.
    ///
    /// The checks, in this order: the writer's generation, the number in its lane (the floor moves
    /// the watermark up first), the idempotency key, the versions, the id. An id that stands in the
    /// log already, whoever wrote it and whatever the rule says now, is acked with its offset and
    /// its first reply, but for a rejection where the room is not there for the author. Versions are
    /// compared for a rejection too. A reply outlives its entry's trimming and removal, so a rule
    /// puts no content into it.
    ///
    /// An entry that replaces a replacement replaces what that one replaced. A new room's name that
    /// was taken in the meantime is [`Appended::Moved`], and so is an inbox that was made in the
    /// meantime; the name of an inbox need not be free. The first member of a new room is its owner,
    /// else its author, unless that is nil; an author who is in as many rooms as one may be is
    /// rejected with [`Code::TooMany`].
    ///
    /// Its [jobs](Append::jobs) are enqueued just behind the entry, and only with an entry: a repeat, a
    /// rejection and what has moved enqueue none. A job for a queue that is not there is a programming
    /// error, which fails the append. Where a queue is full nothing is rejected, since that passes:
    /// the append is [`Fault::Overloaded`], nothing of it has happened, and it may come again. What
    /// [webhooks](Hooks) are to be told of it is enqueued with it, too.
    fn append(&self, append: Append) -> BoxFuture<'static, Appended>;

    /// Reads what a rule goes by, in one snapshot.
    async fn facts(&self, query: FactsQuery) -> FactsRead;

    /// Reads the log after `after`: at most `max_entries` entries and, but for the first entry,
    /// `max_bytes` of them. `None` if there is no such room, or no longer. Starts at the first entry
    /// that is left where `after` lies in the trimmed part, with the mark before it.
    async fn slice(
        &self,
        room: RoomId,
        after: Offset,
        max_entries: u32,
        max_bytes: usize,
    ) -> Result<Option<Slice>, Fault>;

    /// Reads a page of history: the newest `limit` entries that are no replacements and no
    /// removals, at or below `before - 1` (or the head), folded as of the head; fewer where they
    /// and their changes would be more than `max_bytes`, but for the first one. Pages tile: asked
    /// with `before` set to a page's `from`, the next one goes on without a hole, and `from` is the
    /// log's first offset once nothing older is left. `since` is where the reader stands: countable
    /// entries between it and the page that are neither trimmed nor hollow are counted in `skipped`.
    /// `None` as for [`Engine::slice`].
    async fn page(
        &self,
        room: RoomId,
        before: Option<Offset>,
        limit: u32,
        max_bytes: usize,
        since: Option<Offset>,
    ) -> Result<Option<Folds>, Fault>;

    /// Which of `ids` stand in the room's log, trimmed ones included; `person` asks.
    async fn find(
        &self,
        person: PersonId,
        room: RoomId,
        ids: Vec<EventId>,
    ) -> Result<Places, Fault>;

    /// Makes `person` a member of `room`, who may then be one of at most `most` rooms, inboxes not
    /// counted. To join where one is a member already changes nothing.
    async fn join(
        &self,
        person: PersonId,
        room: RoomId,
        most: u32,
        at: Timestamp,
    ) -> Result<Membership, Fault>;

    /// Ends a membership. That of one's inbox cannot be ended.
    async fn leave(&self, person: PersonId, room: RoomId) -> Result<Membership, Fault>;

    /// Stores a register's value if its rank is above the stored one, and the room is a live one of
    /// the value's namespace.
    async fn set_latest(&self, value: LatestSet) -> Result<Registered, Fault>;

    /// Reads registers of a room in the order of their keys: at most `max_entries` values and, but
    /// for the first one, `max_bytes` of their data. Asked on with each answer's `rest` until there
    /// is none, it tells each register that was there all the while once.
    async fn registers(
        &self,
        query: RegistersQuery,
        max_entries: u32,
        max_bytes: usize,
    ) -> Result<Registers, Fault>;

    /// The live room of that name, as one who is no member sees it.
    async fn room_named(&self, namespace: &str, name: &str) -> Result<Option<RoomInfo>, Fault>;

    /// The person's inbox in a namespace, as its owner sees it.
    async fn inbox(&self, person: PersonId, namespace: &str) -> Result<Inbox, Fault>;

    /// Deletes the entries below `first`, all of them where it is above the head, and the
    /// idempotency keys of their events; their ids stay taken for ever. It may go in several
    /// transactions, each a whole trim of a part, so that appends need not wait for all of it.
    async fn trim(&self, room: RoomId, first: Offset) -> Result<Option<Trimmed>, Fault>;

    /// Deletes a room: its memberships and registers end, its name is free again, its log is
    /// trimmed to nothing, and its id stays behind as a tombstone. `None` if there never was one.
    /// After a fault it may be done in part: asked again, it goes on.
    async fn delete_room(&self, room: RoomId) -> Result<Option<RoomInfo>, Fault>;

    /// Whether an append could be taken now: for `readyz`.
    async fn ready(&self) -> Result<(), Fault>;

    /// How often it has brought writes to stable storage since it was opened, however many went
    /// together; 0 where nothing has to be brought anywhere.
    fn commits(&self) -> u64;
}

/// The verdict on a room that is one too many for its creator.
fn too_many(id: EventId) -> Verdict {
    let code = Code::TooMany;
    Verdict::Reject { id, code, detail: code.text().to_owned(), why: None }
}

/// A page that is being filled from its newest item downwards.
struct Filling {
    limit: usize,
    max_bytes: usize,
    bytes: usize,
    items: Vec<Folded>,
}

impl Filling {
    fn new(limit: u32, max_bytes: usize) -> Self {
        Self { limit: limit.max(1) as usize, max_bytes, bytes: 0, items: Vec::new() }
    }

    /// Puts the next older item in; `false` where there is no room for it, which tells that
    /// something older is left. For one there always is.
    fn put(&mut self, item: Folded) -> bool {
        self.bytes += weight(&item);
        let full = self.items.len() >= self.limit || self.bytes > self.max_bytes;
        if full && !self.items.is_empty() {
            return false;
        }
        self.items.push(item);
        true
    }

    /// The items in their order.
    fn items(mut self) -> Vec<Folded> {
        self.items.reverse();
        self.items
    }
}

/// What an item adds to a page's bytes.
fn weight(item: &Folded) -> usize {
    let change = item.change.as_ref();
    codec::write_entry(&item.entry).len()
        + change.map_or(0, |change| codec::write_entry(change).len())
}

/// A new incarnation of a log.
fn fresh_epoch(at: Timestamp) -> Result<Epoch, Fault> {
    let mut random = [0; 10];
    getrandom::fill(&mut random).map_err(|error| Fault::Failed(error.to_string()))?;
    Ok(Epoch::new(at.0, &random))
}
