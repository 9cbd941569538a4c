//! Deliberate faults, to prove that the proofs see them. Without the feature `proof`, which is for
//! tests alone, none of them is in the code.

macro_rules! faults {
    (
        $($(#[$doc:meta])* $fault:ident,)*
        ; of queues: $($(#[$of_jobs:meta])* $job:ident,)*
        ; of a server: $($(#[$of_server:meta])* $server:ident,)*
    ) => {
        /// A fault that can be planted.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Planted {
            $($(#[$doc])* $fault,)*
            $($(#[$of_jobs])* $job,)*
            $($(#[$of_server])* $server,)*
        }

        impl Planted {
            /// Every one of rooms.
            pub const ALL: &[Self] = &[$(Self::$fault),*];
            /// Every one of queues.
            pub const JOBS: &[Self] = &[$(Self::$job),*];
            /// Those that no machine can have.
            pub const SERVER: &[Self] = &[$(Self::$server),*];
        }
    };
}

faults! {
    /// The client's row leaves the outbox when it is transmitted.
    RowGoneAtSend,
    /// An event leaves before its number is on the disk.
    SentBeforeNumbered,
    /// The floor passes a verdict that is not on the client's disk yet.
    FloorBeforeVerdict,
    /// An event that was transmitted can still be changed.
    ChangedAfterSent,
    /// A reader takes whatever comes as the next entry.
    AnyEntryIsNext,
    /// A session goes on behind the entry that follows the cursor.
    ResumeOffByOne,
    /// A live entry goes out before what comes in front of it was replayed.
    LiveBeforeReplay,
    /// A part that was trimmed is passed over without a word.
    TrimUntold,
    /// A cursor is not compared with the log it is of.
    CursorUnchecked,
    /// Where the log is published to when it is followed is not asked.
    HeadIgnored,
    /// What finds no room in a connection's queue leaves no note.
    NoNote,
    /// A tab leads without the lock.
    LeadsWithoutLock,
    /// The database takes a batch of a tab that another one has overtaken.
    FenceIgnored,
    /// A cursor is written before the entries that it has passed.
    CursorBeforeEntries,
    /// An append is answered before it is on the disk.
    AckBeforeCommit,
    /// A restart forgets how far the lanes were decided.
    WatermarkForgotten,
    /// An event that stands is appended once more.
    StandsTwice,
    /// A rejection does not use its number up.
    RejectionKeepsNumber,
    /// A writer is welcome with a generation that was used before.
    GenerationReused,
    /// A restart forgets an append that was on the disk.
    CommitLost,
    /// A connection that a newer one has overtaken still writes.
    OldGenerationWrites,
    /// A leading tab passes a row on without looking for those in front of it.
    KeysIgnored,
    /// An entry is kept without its payload.
    EntryLosesPayload,
    /// A page is kept without its last item.
    PageLosesItem,
    /// A tab reads the database in order to lead, and who led can still write.
    TakesUnfenced,

    ; of queues:
    /// Any token holds a job that is leased.
    TokenIgnored,
    /// The end of a lease is taken after it has run out.
    LateAccepted,
    /// A restart forgets how many leases were given.
    FenceReused,
    /// A lease is told before it is on the disk.
    LeaseBeforeCommit,
    /// What a late end brings to rooms is not taken back.
    EventsBesideEnd,
    /// What has ended a lease is not kept.
    EndTwice,
    /// A job may begin beside another one of its group.
    GroupRuns,
    /// The end of a job leaves the next one of its group where it is.
    GroupNotFreed,
    /// A restart forgets that leases run out.
    LapseForgotten,
    /// An attempt whose lease ran out is not counted.
    AttemptNotCounted,
    /// Time in which nobody could have extended a lease counts.
    GapCounts,
    /// A gap is given once more where nobody could say whether it was.
    GapTwice,
    /// That somebody was told is written before it is so.
    ToldBefore,
    /// A restart forgets which keys were used.
    KeyForgotten,
    /// How many jobs may begin is not asked.
    LimitIgnored,
    /// A queue is not counted but when something changes.
    DispatchSleeps,
    /// What a claim asked for counts when it is over.
    AskedKept,
    /// Credit that was used counts again.
    CreditTwice,
    /// A consumer is not told that a lease of its own is over, and works on.
    LossUntold,
    /// With a connection goes what its client was told of: it comes back, and the job is done twice.
    ToldHandedBack,
    /// With a connection goes what nobody was told of: it is never given back.
    UntoldKept,
    /// A schedule is fired as somebody has read it, whether or not it has gone on since.
    StateUncompared,
    /// The next time of a schedule is written when the job of this one is there.
    NextAfterJob,
    /// A start of the server counts from then on when a schedule comes.
    MissedForgotten,
    /// An enqueue is answered before it is on the disk.
    MadeBeforeCommit,
    /// A restart forgets a job that waits.
    JobForgotten,
    /// A job whose lease has run out goes to nobody any more, though it has attempts left.
    LapseDrops,
    /// A lease runs out when half of its length is over.
    LeaseHalved,

    ; of a server:
    /// The store's clock goes with the wall clock.
    StoreGoesByWall,
}

#[cfg(feature = "proof")]
mod switch {
    use super::Planted;
    use std::{cell::Cell, sync::OnceLock};

    thread_local! {
        static NOW: Cell<Option<Planted>> = const { Cell::new(None) };
    }

    /// Plants a fault for this thread, in place of the one before.
    pub fn plant(fault: Option<Planted>) {
        NOW.set(fault);
    }

    static EVERYWHERE: OnceLock<Planted> = OnceLock::new();

    /// Plants the fault of this name in all of the process, for good. Returns whether there is one.
    pub fn plant_everywhere(name: &str) -> bool {
        let mut all = [Planted::ALL, Planted::JOBS, Planted::SERVER].into_iter().flatten();
        let Some(fault) = all.find(|fault| format!("{fault:?}") == name) else { return false };
        EVERYWHERE.get_or_init(|| *fault) == fault
    }

    /// Whether this fault is planted.
    #[must_use]
    pub fn planted(fault: Planted) -> bool {
        NOW.get() == Some(fault) || EVERYWHERE.get() == Some(&fault)
    }
}

#[cfg(feature = "proof")]
pub use switch::{plant, plant_everywhere, planted};

#[cfg(not(feature = "proof"))]
pub(crate) const fn planted(_: Planted) -> bool {
    false
}
