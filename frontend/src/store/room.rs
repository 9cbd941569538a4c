//! One room as its reader stands in it.

use super::{INBOX, Trouble, item::Item, timeline::Timeline};
use crate::link::{HeldRoom, HoleKind};
use holdfast_common::{
    cursor::{Cursor, Offset, ResetReason},
    frame::{Entry, Folded, Gap, Page, RoomInfo},
    id::PersonId,
};

/// A room.
#[derive(Debug, Clone, Default)]
pub struct Room {
    /// As the directory has it; `None` while only this browser knows the room.
    pub info: Option<RoomInfo>,
    /// The server has told of it since the last welcome.
    pub told: bool,
    /// The name wished for a room that was made here.
    pub wished: Option<String>,
    /// The last entry taken in.
    pub cursor: Option<Cursor>,
    /// The log.
    pub timeline: Timeline,
    /// The last offset read by this person, on whichever device.
    pub read: Offset,
    /// The first place that was missed while the reader was away.
    pub missed: Option<Offset>,
    /// The divider has found its place since the link was lost the last time.
    divided: bool,
    /// How many unread events there are.
    pub unread: u64,
    /// A page of history was asked for and has not come.
    pub asking: bool,
}

impl Room {
    /// Forgets all but what the directory has; `false` where it has nothing.
    pub(super) fn only_told(&mut self) -> bool {
        *self = Self { info: self.info.take(), ..Self::default() };
        self.info.is_some()
    }

    /// Its name: the directory's, else the wished one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        let known = self.info.as_ref().map(|info| if info.inbox { INBOX } else { &info.name });
        known.or(self.wished.as_deref())
    }

    /// A room that was made here has this name now: whether it is another one than was wished for.
    pub(super) fn other_name(&self, name: &str) -> Option<Trouble> {
        let wished = self.wished.as_ref().filter(|_| self.info.is_none())?;
        let (wished, name) = (wished.trim().to_owned(), name.to_owned());
        (wished != name).then_some(Trouble::Renamed { wished, name })
    }

    /// Whether the person is a member. Who makes a room is one.
    #[must_use]
    pub fn joined(&self) -> bool {
        let known = self.info.as_ref().map(|info| info.joined);
        known.unwrap_or(self.wished.is_some())
    }

    /// Whether it was deleted.
    #[must_use]
    pub fn gone(&self) -> bool {
        self.info.as_ref().is_some_and(|info| info.gone)
    }

    /// Whether it is the person's inbox.
    #[must_use]
    pub fn inbox(&self) -> bool {
        self.info.as_ref().is_some_and(|info| info.inbox)
    }

    pub(super) fn load(&mut self, held: HeldRoom) {
        self.cursor = held.cursor;
        self.timeline = Timeline::load(held.items, held.holes);
    }

    /// The link is lost: what comes before the room is live again was missed.
    pub(super) fn away(&mut self) {
        self.divided = false;
        self.asking = false;
    }

    /// Puts the divider before the first event that was not seen when the page was closed.
    pub(super) fn divide_loaded(&mut self, me: Option<PersonId>) {
        if self.read > 0 {
            self.missed = self.first_unread(me);
        }
    }

    /// The first unread place that is not the person's own event.
    #[must_use]
    pub fn first_unread(&self, me: Option<PersonId>) -> Option<Offset> {
        let mut unread = self.timeline.range(self.read.saturating_add(1)..);
        let item = unread.find(|item| item.counts() && Some(item.author.id) != me);
        item.map(|item| item.offset)
    }

    /// Takes entries that follow the cursor; what is at or below it is known.
    pub(super) fn entries(
        &mut self,
        entries: Vec<Entry>,
        cursor: Cursor,
        missed: bool,
        me: Option<PersonId>,
    ) {
        let before = self.advance(cursor);
        let known = before.map_or(0, |cursor| cursor.offset);
        for entry in entries {
            if entry.offset > known {
                self.timeline.entry(entry);
            }
        }
        if missed && before.is_some() {
            self.divide(known + 1, me);
        }
    }

    /// Takes a page in place of a replay.
    pub(super) fn page(
        &mut self,
        items: Vec<Folded>,
        from: Offset,
        first: Offset,
        skipped: u64,
        cursor: Cursor,
        me: Option<PersonId>,
    ) {
        let before = self.advance(cursor);
        let known = before.map_or(0, |cursor| cursor.offset);
        // What was held below the page may have been changed or removed by what was not replayed.
        let below = from.saturating_sub(1);
        let held = self.timeline.forget_below(from);
        self.timeline.dig(first, known.min(below), held, HoleKind::Skipped);
        self.timeline.dig(known + 1, below, skipped, HoleKind::Skipped);
        self.timeline.holes.trim(first);
        self.timeline.page(items, from, cursor.offset);
        if before.is_some() {
            self.divide(known + 1, me);
        }
    }

    /// Takes a page of history that was asked for.
    pub(super) fn history(&mut self, page: Page) {
        self.asking = false;
        // A page of another log than the one held says nothing about it.
        if self.cursor.is_some_and(|cursor| cursor.epoch == page.as_of.epoch) {
            self.timeline.page(page.items, page.from, page.to);
            self.timeline.holes.trim(page.first);
        }
    }

    pub(super) fn gap(&mut self, gap: &Gap) {
        let before = self.advance(gap.cursor);
        if before.is_none_or(|cursor| cursor.offset < gap.to) {
            let kind = HoleKind::Gap(gap.reason);
            self.timeline.dig(gap.from, gap.to, gap.count, kind);
        }
    }

    pub(super) fn reset(&mut self, reason: ResetReason, was: Option<Cursor>) {
        let count = was.map_or(0, |cursor| cursor.offset);
        self.timeline = Timeline::default();
        self.timeline.dig(0, 0, count, HoleKind::Reset(reason));
        self.cursor = None;
        self.missed = None;
        self.divided = true;
    }

    pub(super) fn leave(&mut self) {
        self.wished = None;
        if let Some(info) = &mut self.info {
            info.joined = false;
        }
    }

    /// The server has no such room any more.
    pub(super) fn lose(&mut self) {
        self.leave();
        self.told = false;
        if let Some(info) = &mut self.info {
            info.gone = true;
        }
    }

    pub(super) fn mark_read(&mut self, rank: Offset) {
        self.read = self.read.max(rank);
    }

    pub(super) fn count(&mut self, me: Option<PersonId>) {
        let others = |item: &&std::sync::Arc<Item>| item.counts() && Some(item.author.id) != me;
        let items = self.timeline.range(self.read.saturating_add(1)..).filter(others).count();
        self.unread = self.timeline.holes.skipped_above(self.read).saturating_add(items as u64);
    }

    /// Moves the cursor; returns where it was. Another epoch without a reset is another log.
    fn advance(&mut self, cursor: Cursor) -> Option<Cursor> {
        let before = self.cursor;
        if before.is_some_and(|before| before.epoch != cursor.epoch) {
            self.timeline = Timeline::default();
            self.cursor = Some(cursor);
            return None;
        }
        if before.is_none_or(|before| before.offset < cursor.offset) {
            self.cursor = Some(cursor);
        }
        before
    }

    /// Puts the divider before what was missed from `from` on, unless an earlier one still has
    /// unread events behind it.
    fn divide(&mut self, from: Offset, me: Option<PersonId>) {
        if self.divided || self.missed.is_some_and(|missed| missed > self.read) {
            self.divided = true;
            return;
        }
        let hole = self.timeline.holes.around(from).is_some();
        let mut items = self.timeline.range(from..);
        let first = items.find(|item| item.shown() && Some(item.author.id) != me);
        let place = if hole { Some(from) } else { first.map(|item| item.offset) };
        if place.is_some() {
            self.missed = place;
            self.divided = true;
        }
    }
}
