//! The offsets of a room's log that are not held, in order and apart from each other.

use crate::link::{Hole, HoleKind};
use holdfast_common::{cursor::Offset, frame::GapReason};

/// What is missing of one room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holes(Vec<Hole>);

impl Holes {
    pub(super) fn load(holes: Vec<Hole>) -> Self {
        // Everything that is held of a log came after its reset.
        let key = |hole: &Hole| (!matches!(hole.kind, HoleKind::Reset(_)), hole.from);
        let mut sorted: Vec<Hole> = Vec::with_capacity(holes.len());
        for hole in holes {
            let place = sorted.partition_point(|known| key(known) <= key(&hole));
            sorted.insert(place, hole);
        }
        Self(sorted)
    }

    /// In the order of their offsets.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Hole> {
        self.0.iter()
    }

    /// The hole that begins at this offset.
    #[must_use]
    pub fn at(&self, from: Offset) -> Option<&Hole> {
        self.0.iter().find(|hole| hole.from == from)
    }

    /// The hole that this offset lies in.
    #[must_use]
    pub fn around(&self, offset: Offset) -> Option<&Hole> {
        let mut holes = self.0.iter();
        holes.find(|hole| hole.from <= offset && offset <= hole.to)
    }

    /// How many entries that a person would count lie in holes above this offset and can be had. Of a
    /// hole that this offset lies in it is an estimate.
    pub(super) fn skipped_above(&self, offset: Offset) -> u64 {
        let holes = self.0.iter();
        let skipped = holes.filter(|hole| hole.kind == HoleKind::Skipped && hole.to > offset);
        let above = |hole: &Hole| {
            let below = (hole.from <= offset).then_some(Hole { to: offset, ..*hole });
            let above = Hole { from: hole.from.max(offset + 1), ..*hole };
            share(hole.count, below, Some(above)).last().map_or(0, |hole| hole.count)
        };
        skipped.map(above).fold(0, u64::saturating_add)
    }

    /// The end of the last hole below this offset; 0 where there is none.
    pub(super) fn end_below(&self, offset: Offset) -> Offset {
        let below = self.0.iter().rev().find(|hole| hole.to < offset);
        below.map_or(0, |hole| hole.to)
    }

    pub(super) fn dig(&mut self, hole: Hole) {
        if hole.from <= hole.to {
            let place = self.0.partition_point(|other| other.from < hole.from);
            self.0.insert(place, hole);
        }
    }

    /// Forgets what could be had below an offset. What could not stays told.
    pub(super) fn forget_below(&mut self, offset: Offset) {
        self.0.retain_mut(|hole| {
            let fits = hole.kind != HoleKind::Skipped || hole.to >= offset;
            if hole.kind == HoleKind::Skipped {
                hole.from = hole.from.max(offset);
            }
            fits
        });
    }

    /// Takes `from..=to` as held. `counted` of its entries are such as a person would count.
    pub(super) fn fill(&mut self, from: Offset, to: Offset, counted: u64) {
        let mut left = Vec::with_capacity(self.0.len() + 1);
        for hole in self.0.drain(..) {
            if hole.kind != HoleKind::Skipped || hole.to < from || hole.from > to {
                left.push(hole);
                continue;
            }
            let below = (hole.from < from).then(|| Hole { to: from - 1, ..hole });
            let above = (hole.to > to).then(|| Hole { from: to + 1, ..hole });
            left.extend(share(hole.count.saturating_sub(counted), below, above));
        }
        self.0 = left;
    }

    /// The log begins at `first`: what can no longer be had is a gap.
    pub(super) fn trim(&mut self, first: Offset) {
        let mut cut = Vec::with_capacity(self.0.len() + 1);
        for hole in self.0.drain(..) {
            if hole.kind != HoleKind::Skipped || hole.from >= first {
                cut.push(hole);
                continue;
            }
            let to = hole.to.min(first - 1);
            cut.push(Hole {
                from: hole.from,
                to,
                count: size(hole.from, to),
                kind: HoleKind::Gap(GapReason::Trimmed),
            });
            if hole.to >= first {
                cut.push(Hole { from: first, ..hole });
            }
        }
        self.0 = cut;
    }
}

/// How many offsets there are from one to another.
fn size(from: Offset, to: Offset) -> u64 {
    to.saturating_sub(from).saturating_add(1)
}

/// Divides what is still to be counted between what is left of a hole. The rest of the count is
/// taken to be where the most offsets are; it is an estimate until the hole is closed.
fn share(count: u64, below: Option<Hole>, above: Option<Hole>) -> impl Iterator<Item = Hole> {
    let of = |hole: &Option<Hole>| hole.map_or(0, |hole| size(hole.from, hole.to));
    let (low, high) = (of(&below), of(&above));
    let lower = match low.saturating_add(high) {
        0 => 0,
        all => u64::try_from(u128::from(count) * u128::from(low) / u128::from(all)).unwrap_or(0),
    };
    let below = below.map(|hole| Hole { count: lower.min(low), ..hole });
    let above = above.map(|hole| Hole { count: (count - lower).min(high), ..hole });
    below.into_iter().chain(above)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skipped(from: Offset, to: Offset, count: u64) -> Hole {
        let kind = HoleKind::Skipped;
        Hole { from, to, count, kind }
    }

    #[test]
    fn a_page_that_ends_where_the_hole_ends_makes_it_smaller() {
        let mut holes = Holes::load(vec![skipped(11, 100, 80)]);
        holes.fill(91, 100, 10);
        assert_eq!(holes, Holes(vec![skipped(11, 90, 70)]));
        holes.fill(11, 90, 70);
        assert_eq!(holes, Holes::default());
    }

    #[test]
    fn a_page_in_the_middle_leaves_two_holes() {
        let mut holes = Holes::load(vec![skipped(1, 30, 30)]);
        holes.fill(11, 20, 10);
        assert_eq!(holes, Holes(vec![skipped(1, 10, 10), skipped(21, 30, 10)]));
    }

    #[test]
    fn what_was_trimmed_becomes_a_gap_with_its_count() {
        let mut holes = Holes::load(vec![skipped(1, 30, 12)]);
        holes.trim(21);
        let gap = Hole { from: 1, to: 20, count: 20, kind: HoleKind::Gap(GapReason::Trimmed) };
        assert_eq!(holes, Holes(vec![gap, skipped(21, 30, 12)]));
    }

    #[test]
    fn of_a_hole_that_was_read_in_part_the_rest_is_unread() {
        let holes = Holes::load(vec![skipped(11, 110, 50), skipped(201, 210, 4)]);
        assert_eq!(holes.skipped_above(0), 54);
        assert_eq!(holes.skipped_above(10), 54);
        assert_eq!(holes.skipped_above(60), 25 + 4);
        assert_eq!(holes.skipped_above(110), 4);
        assert_eq!(holes.skipped_above(210), 0);
        let holes = Holes::load(vec![skipped(1, u64::MAX, u64::MAX); 2]);
        assert_eq!(holes.skipped_above(0), u64::MAX, "whatever a server or a disk has said");
    }

    #[test]
    fn a_gap_is_never_filled() {
        let gap = Hole { kind: HoleKind::Gap(GapReason::Absent), ..skipped(5, 9, 5) };
        let mut holes = Holes::load(vec![gap]);
        holes.fill(1, 20, 5);
        assert_eq!(holes.around(7), Some(&gap));
    }
}
