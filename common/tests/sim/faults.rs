//! Faults of rooms, and what each breaks.

use crate::ledger::Invariant::{self, *};
use holdfast_common::planted::Planted;

/// Every one that can be planted.
pub const PLANTABLE: &[Planted] = Planted::ALL;

/// What each breaks. Which of several shows first depends on the seed.
pub const FAULTS: &[(Planted, &[Invariant])] = &[
    (Planted::RowGoneAtSend, &[I6]),
    (Planted::SentBeforeNumbered, &[I6]),
    (Planted::FloorBeforeVerdict, &[I6]),
    (Planted::ChangedAfterSent, &[I6]),
    (Planted::AnyEntryIsNext, &[I4]),
    (Planted::ResumeOffByOne, &[I4]),
    (Planted::LiveBeforeReplay, &[I4]),
    (Planted::TrimUntold, &[I4, I5]),
    (Planted::CursorUnchecked, &[I3, I4, I5, I6]),
    (Planted::HeadIgnored, &[I4, I6]),
    (Planted::NoNote, &[I4, I5]),
    (Planted::LeadsWithoutLock, &[I6]),
    (Planted::FenceIgnored, &[I3, I4, I6]),
    (Planted::CursorBeforeEntries, &[I3, I4]),
    (Planted::AckBeforeCommit, &[I1]),
    (Planted::WatermarkForgotten, &[I2, I5]),
    (Planted::StandsTwice, &[I2]),
    (Planted::RejectionKeepsNumber, &[I2, I5, I6]),
    (Planted::GenerationReused, &[I6]),
    (Planted::CommitLost, &[I1, I2]),
    (Planted::OldGenerationWrites, &[I6]),
    (Planted::KeysIgnored, &[I3]),
    (Planted::EntryLosesPayload, &[I3]),
    (Planted::PageLosesItem, &[I4]),
    (Planted::TakesUnfenced, &[I4, I6]),
];
