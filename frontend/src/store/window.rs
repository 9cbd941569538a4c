//! Which part of a room's log is on the page: a long log is never rendered as a whole.

use super::{item::Item, timeline::Timeline};
use holdfast_common::cursor::Offset;
use std::sync::Arc;

/// Items on the page while its reader is at the newest.
const SIZE: usize = 150;
/// Items that come in by scrolling.
const STEP: usize = 100;
/// Items on the page at most: what goes beyond leaves at the other end.
const MOST: usize = 450;

/// A part of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Window {
    /// The first offset; absent for as many as fit.
    pub lo: Option<Offset>,
    /// The last offset; absent for the log's end and what is to come behind it.
    pub hi: Option<Offset>,
}

/// What a step of a window has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It shows other items now.
    Moved,
    /// There is nothing that way.
    End,
}

impl Window {
    /// The newest items and what comes behind them.
    #[must_use]
    pub fn newest() -> Self {
        Self::default()
    }

    /// The items on both sides of a place.
    #[must_use]
    pub fn around(timeline: &Timeline, offset: Offset) -> Self {
        let lo = nth_before(timeline, offset, SIZE / 2);
        let hi = nth_after(timeline, offset, SIZE / 2);
        Self { lo: Some(lo), hi }
    }

    /// The first offset, found where it is not given.
    #[must_use]
    pub fn first(&self, timeline: &Timeline) -> Offset {
        self.lo.unwrap_or_else(|| match self.hi {
            Some(hi) => nth_before(timeline, hi + 1, SIZE),
            None => nth_before(timeline, Offset::MAX, SIZE),
        })
    }

    /// The items in it.
    pub fn items<'a>(
        &self,
        timeline: &'a Timeline,
    ) -> impl DoubleEndedIterator<Item = &'a Arc<Item>> + use<'a> {
        timeline.range(self.first(timeline)..=self.hi.unwrap_or(Offset::MAX))
    }

    /// Whether an offset would be on the page.
    #[must_use]
    pub fn shows(&self, timeline: &Timeline, offset: Offset) -> bool {
        self.first(timeline) <= offset && self.hi.is_none_or(|hi| offset <= hi)
    }

    /// Takes in older items.
    pub fn up(&mut self, timeline: &Timeline) -> Step {
        let first = self.first(timeline);
        let lo = nth_before(timeline, first, STEP);
        if timeline.range(lo..first).next().is_none() {
            return Step::End;
        }
        self.lo = Some(lo);
        self.pin(timeline);
        Step::Moved
    }

    /// Stays where it is while newer items come: its first one does not leave, and at most so many
    /// follow.
    pub fn pin(&mut self, timeline: &Timeline) {
        self.lo = Some(self.first(timeline));
        let mut beyond = self.items(timeline).skip(MOST - 1);
        if let Some(last) = beyond.next().map(|item| item.offset)
            && beyond.next().is_some()
        {
            self.hi = Some(last);
        }
    }

    /// Takes in newer items.
    pub fn down(&mut self, timeline: &Timeline) -> Step {
        let Some(hi) = self.hi else {
            return Step::End;
        };
        self.lo = Some(self.first(timeline));
        self.hi = nth_after(timeline, hi, STEP);
        let mut beyond = self.items(timeline).rev().skip(MOST - 1);
        if let Some(first) = beyond.next().map(|item| item.offset)
            && beyond.next().is_some()
        {
            self.lo = Some(first);
        }
        Step::Moved
    }
}

/// The offset of the `n`th item before `offset`, or of the first one; 0 where none is before it.
fn nth_before(timeline: &Timeline, offset: Offset, n: usize) -> Offset {
    let before = timeline.range(..offset).rev().take(n);
    before.last().map_or(0, |item| item.offset)
}

/// The offset of the `n`th item behind `offset`; `None` where there are fewer.
fn nth_after(timeline: &Timeline, offset: Offset, n: usize) -> Option<Offset> {
    let mut behind = timeline.range(offset.saturating_add(1)..).skip(n - 1);
    let last = behind.next()?.offset;
    // The end is open where nothing else follows.
    behind.next().map(|_| last)
}
