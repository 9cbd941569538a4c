//! A room of the reference: what has happened in it, and what follows from that.

use holdfast_common::{
    codec,
    cursor::{Head, Mark, Offset},
    event::Effect,
    frame::{Author, Entry, Folded, HOLLOW, RoomInfo},
    id::{Epoch, EventId, PersonId, RoomId},
    storage::{Append, Folds, Slice, Verdict},
    time::Timestamp,
};
use serde_json::value::RawValue;
use std::collections::BTreeSet;

/// A room. What is in `events` is never taken out.
pub(super) struct Room {
    pub(super) id: RoomId,
    pub(super) ns: String,
    pub(super) name: String,
    pub(super) owner: Option<PersonId>,
    pub(super) gone: bool,
    pub(super) first: Offset,
    pub(super) members: BTreeSet<PersonId>,
    pub(super) events: Vec<Event>,
}

pub(super) struct Event {
    pub(super) append: Append,
    pub(super) reply: String,
    /// Where the log began when it came: what was trimmed by then it has not changed.
    pub(super) first: Offset,
}

impl Room {
    fn head(&self) -> Head {
        let offset = self.events.len() as Offset;
        Head { epoch: Epoch::NIL, offset, mark: self.mark(offset), first: self.first }
    }

    fn mark(&self, offset: Offset) -> Mark {
        let events = self.events.iter().zip(1..=offset);
        events.fold(Mark::START, |mark, (event, at)| mark.next(at, event.append.id))
    }

    pub(super) fn info(&self, person: PersonId) -> RoomInfo {
        let (ns, name) = (self.ns.clone(), self.name.clone());
        let (joined, inbox) = (self.members.contains(&person), self.owner.is_some());
        RoomInfo { room: self.id, ns, name, head: self.head(), joined, gone: self.gone, inbox }
    }

    pub(super) fn is_there_for(&self, person: PersonId) -> bool {
        person == PersonId::NIL || self.owner.is_none_or(|owner| owner == person)
    }

    pub(super) fn event(&self, offset: Offset) -> &Event {
        &self.events[usize::try_from(offset - 1).unwrap()]
    }

    pub(super) fn place(&self, id: EventId) -> Option<Offset> {
        let at = self.events.iter().position(|event| event.append.id == id)?;
        Some(at as Offset + 1)
    }

    pub(super) fn ack(&self, id: EventId) -> Option<Verdict> {
        let offset = self.place(id)?;
        let reply = self.event(offset).reply.clone();
        Some(Verdict::Ack { id, epoch: Epoch::NIL, offset, reply })
    }

    /// Which entry the event at this offset changed when it came.
    fn changed(&self, offset: Offset) -> Option<Offset> {
        let event = self.event(offset);
        let target = self.place(event.append.effect.target()?)?;
        (target < offset && target >= event.first).then_some(target)
    }

    /// Of an entry that replaces: what it replaces, through whatever was replaced on the way.
    fn root(&self, offset: Offset) -> Option<Offset> {
        let replaces = |at| matches!(self.event(at).append.effect, Effect::Replaces(_));
        let target = self.changed(offset).filter(|_| replaces(offset))?;
        Some(self.root(target).filter(|_| replaces(target)).unwrap_or(target))
    }

    /// Who has emptied the entry at this offset: the first whose removal was about it.
    pub(super) fn emptied(&self, offset: Offset) -> Option<&Author> {
        let later = offset + 1..=self.events.len() as Offset;
        let mut removals = later.filter(|at| {
            let removes = matches!(self.event(*at).append.effect, Effect::Removes(_));
            let target = self.changed(*at).filter(|_| removes);
            // What the log had lost by then was not emptied either.
            let there = offset >= self.event(*at).first;
            target.is_some_and(|it| there && (it == offset || self.root(offset) == Some(it)))
        });
        removals.next().map(|at| &self.event(at).append.author)
    }

    pub(super) fn entry(&self, offset: Offset) -> Entry {
        let Append { id, kind, author, at, data, .. } = self.event(offset).append.clone();
        let data = RawValue::from_string(data).unwrap();
        let (kind, from, data) = match self.emptied(offset) {
            Some(by) => (HOLLOW.to_owned(), by.clone(), None),
            None => (kind, author, Some(data)),
        };
        Entry { offset, mark: self.mark(offset), id, kind, from, at, data }
    }

    pub(super) fn offsets(&self) -> impl DoubleEndedIterator<Item = Offset> + use<> {
        self.first..=self.events.len() as Offset
    }

    pub(super) fn slice(&self, after: Offset, max_entries: u32, max_bytes: usize) -> Slice {
        let mut entries: Vec<(Offset, String)> = Vec::new();
        let mut bytes = 0;
        for offset in self.offsets().filter(|offset| *offset > after) {
            let text = codec::write_entry(&self.entry(offset));
            bytes += text.len();
            if entries.len() == max_entries as usize || (bytes > max_bytes && !entries.is_empty()) {
                break;
            }
            entries.push((offset, text));
        }
        let trimmed_mark = (after + 1 < self.first).then(|| self.mark(self.first - 1));
        Slice { head: self.head(), entries, trimmed_mark }
    }

    /// All items up to an offset, in order: what stands for itself, each with its newest change.
    pub(super) fn items(&self, to: Offset) -> Vec<Folded> {
        let stands = |at: &Offset| self.event(*at).append.effect.target().is_none();
        let item = |at: Offset| {
            let change = self
                .offsets()
                .rev()
                .find(|later| self.root(*later) == Some(at) && self.emptied(*later).is_none());
            Folded { entry: self.entry(at), change: change.map(|later| self.entry(later)) }
        };
        self.offsets().filter(|at| *at <= to).filter(stands).map(item).collect()
    }

    pub(super) fn page(
        &self,
        before: Option<Offset>,
        limit: u32,
        max_bytes: usize,
        since: Option<Offset>,
    ) -> Folds {
        let end = self.events.len() as Offset;
        let to = before.map_or(end, |before| end.min(before.saturating_sub(1)));
        let mut items = self.items(to);
        let weight = |item: &Folded| {
            let change = item.change.as_ref().map_or(0, |it| codec::write_entry(it).len());
            codec::write_entry(&item.entry).len() + change
        };
        let (mut fit, mut bytes) = (0, 0);
        for item in items.iter().rev() {
            bytes += weight(item);
            if fit > 0 && (fit == limit.max(1) as usize || bytes > max_bytes) {
                break;
            }
            fit += 1;
        }
        let items = items.split_off(items.len() - fit);
        let older = self.items(to).len() > fit;
        let from = items.first().filter(|_| older).map_or(self.first, |it| it.entry.offset);
        let counted = |at: &Offset| self.event(*at).append.counts && self.emptied(*at).is_none();
        let between = |since: Offset| self.offsets().filter(move |at| *at > since && *at < from);
        let skipped = since.map_or(0, |since| between(since).filter(counted).count() as u64);
        Folds { head: self.head(), from, to, skipped, items }
    }

    pub(super) fn trim(&mut self, first: Offset) {
        self.first = self.first.max(first.min(self.events.len() as Offset + 1));
    }

    /// What the log says about a cursor of its own epoch.
    pub(super) fn at(&self, offset: Offset) -> (Option<Mark>, Option<Timestamp>) {
        let end = self.events.len() as Offset;
        let known = offset == 0 || (offset + 1 >= self.first && offset <= end);
        let next = self.first.max(offset + 1);
        let missed = (next <= end).then(|| self.event(next).append.at);
        (known.then(|| self.mark(offset)), missed)
    }
}
