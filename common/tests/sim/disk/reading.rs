//! What is read of a log.

use super::{Disk, Log};
use holdfast_common::{
    codec,
    event::Effect,
    frame::{Entry, Folded, HOLLOW},
    id::{Epoch, EventId, RoomId},
    storage::{Folds, Slice},
};

impl Disk {
    pub fn slice(&self, room: RoomId, after: u64, most: usize) -> Option<Slice> {
        let log = self.log_of(room)?;
        let entries = log.entries.iter().filter(|entry| entry.offset > after).take(most);
        let entries = entries.map(|entry| (entry.offset, codec::write_entry(entry)));
        let head = log.info.head;
        let trimmed_mark = (after + 1 < head.first).then_some(log.first_mark);
        Some(Slice { head, entries: entries.collect(), trimmed_mark })
    }

    pub fn page(
        &self,
        room: RoomId,
        before: Option<u64>,
        limit: u32,
        since: Option<u64>,
    ) -> Option<Folds> {
        let log = self.log_of(room)?;
        let top = before.unwrap_or(u64::MAX);
        let shown = |entry: &&Entry| {
            entry.offset < top
                && log.effects.get(&entry.id).is_none_or(|effect| effect.target().is_none())
        };
        let mut items: Vec<Folded> = log
            .entries
            .iter()
            .rev()
            .filter(shown)
            .take(limit as usize)
            .map(|e| self.fold(log, e))
            .collect();
        items.reverse();
        let from = items.first().map_or(log.info.head.first, |item| item.entry.offset);
        let to = top.min(log.info.head.offset + 1).saturating_sub(1);
        let hole =
            |entry: &&Entry| since.is_some_and(|since| entry.offset > since) && entry.offset < from;
        let counted = |entry: &&Entry| log.counts.contains(&entry.id) && entry.kind != HOLLOW;
        let skipped = log.entries.iter().filter(hole).filter(counted).count() as u64;
        Some(Folds { head: log.info.head, from, to, skipped, items })
    }

    fn fold(&self, log: &Log, entry: &Entry) -> Folded {
        let newest = log.entries.iter().rev().find(|later| {
            log.effects.get(&later.id) == Some(&Effect::Replaces(entry.id)) && later.kind != HOLLOW
        });
        Folded { entry: entry.clone(), change: newest.cloned() }
    }

    pub fn find(&self, room: RoomId, ids: &[EventId]) -> Option<(Epoch, Vec<(EventId, u64)>)> {
        let log = self.logs.get(&room)?;
        let found = ids.iter().filter_map(|id| log.ids.get(id).map(|offset| (*id, *offset)));
        Some((log.info.head.epoch, found.collect()))
    }
}
