//! Calls, drawn at random in a world so small that they meet.

use holdfast_common::cursor::Offset;
use proptest::prelude::*;

/// Small numbers that stand for ids: few, so that the calls meet.
pub(super) type Few = u8;

#[derive(Debug, Clone)]
pub(super) enum Call {
    Append(Draft),
    Greet {
        person: Few,
        writer: Few,
        raise: u64,
        wrong: bool,
        floors: Vec<(Few, u64)>,
        at: Vec<(Few, u64)>,
        welcome: Few,
    },
    Slice {
        room: Few,
        after: Offset,
        entries: u32,
        bytes: usize,
    },
    Page {
        room: Few,
        before: Option<Offset>,
        limit: u32,
        bytes: usize,
        since: Option<Offset>,
    },
    /// All pages, from the newest to the first.
    Walk {
        room: Few,
        limits: Vec<u32>,
        bytes: usize,
    },
    Directory {
        person: Few,
    },
    Registers {
        room: Few,
        person: Option<Few>,
        after: Option<Few>,
        entries: u32,
        bytes: usize,
    },
    Find {
        person: Few,
        room: Few,
        ids: Vec<u64>,
    },
    Member {
        person: Few,
        room: Few,
        join: bool,
        most: u32,
    },
    Set {
        person: Few,
        room: Few,
        rank: u64,
        other: bool,
    },
    Named {
        name: Few,
    },
    Inbox {
        person: Few,
    },
    Trim {
        room: Few,
        first: Offset,
    },
    Delete {
        room: Few,
    },
}

/// An append that is worked out when its turn comes.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) room: Few,
    pub(super) author: Few,
    pub(super) id: u64,
    pub(super) what: What,
    pub(super) rejected: bool,
    pub(super) stale: bool,
    pub(super) counts: bool,
    /// Writer, how far from the next number, and how far the floor is below it.
    pub(super) lane: Option<(Few, i8, u64)>,
    pub(super) key: Option<(Few, bool)>,
    pub(super) most_rooms: u32,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    Says,
    Edits(u64),
    Deletes(u64),
    Creates(Few),
    Inbox(Few),
}

fn few() -> impl Strategy<Value = Few> + Clone {
    1..=3_u8
}

fn id() -> impl Strategy<Value = u64> + Clone {
    1..40_u64
}

fn draft() -> impl Strategy<Value = Draft> {
    let what = prop_oneof![
        5 => Just(What::Says),
        4 => id().prop_map(What::Edits),
        2 => id().prop_map(What::Deletes),
        3 => few().prop_map(What::Creates),
        1 => few().prop_map(What::Inbox),
    ];
    let ahead = prop_oneof![7 => Just(0_i8), 2 => -3..0_i8, 1 => 1..3_i8];
    let flags = (prop::bool::weighted(0.1), prop::bool::weighted(0.05), any::<bool>());
    let lane = prop::option::of((few(), ahead, 0..5_u64));
    let key = prop::option::weighted(0.2, (few(), prop::bool::weighted(0.1)));
    let most = prop_oneof![4 => Just(u32::MAX), 1 => 0..3_u32];
    (few(), 0..=3_u8, id(), what, flags, lane, key, most).prop_map(
        |(room, author, id, what, (rejected, stale, counts), lane, key, most_rooms)| Draft {
            room,
            author,
            id,
            what,
            rejected,
            stale,
            counts,
            lane,
            key,
            most_rooms,
        },
    )
}

fn offset() -> impl Strategy<Value = Offset> + Clone {
    prop_oneof![8 => 0..14_u64, 1 => Just(u64::MAX >> 1)]
}

fn bytes() -> impl Strategy<Value = usize> + Clone {
    prop_oneof![Just(usize::MAX >> 1), 0..2_000_usize]
}

pub(super) fn call() -> impl Strategy<Value = Call> {
    let maybe = |of| prop::option::of(of);
    let floors = prop::collection::vec((few(), 0..6_u64), 0..3);
    let greet = (few(), few(), 0..3_u64, prop::bool::weighted(0.1), floors, 0..=3_u8);
    let at = prop::sample::subsequence(vec![1, 2, 3], 0..=3);
    let at = (at, offset()).prop_map(|(rooms, at)| rooms.into_iter().map(|it| (it, at)).collect());
    let page = (few(), maybe(offset()), 0..5_u32, bytes(), maybe(offset()));
    let walk = (few(), prop::collection::vec(1..4_u32, 1..3), bytes());
    let registers =
        (few(), prop::option::of(few()), prop::option::of(few()), 0..3_u32, 0..20_usize);
    prop_oneof![
        30 => draft().prop_map(Call::Append),
        6 => (greet, at).prop_map(|((person, writer, raise, wrong, floors, welcome), at)| {
            // Mostly of their own.
            let writer = if wrong { writer } else { person };
            Call::Greet { person, writer, raise, wrong, floors, at, welcome }
        }),
        2 => (few(), offset(), 0..9_u32, bytes())
            .prop_map(|(room, after, entries, bytes)| Call::Slice { room, after, entries, bytes }),
        3 => page.prop_map(|(room, before, limit, bytes, since)| {
            Call::Page { room, before, limit, bytes, since }
        }),
        3 => walk.prop_map(|(room, limits, bytes)| Call::Walk { room, limits, bytes }),
        1 => few().prop_map(|person| Call::Directory { person }),
        2 => registers.prop_map(|(room, person, after, entries, bytes)| {
            Call::Registers { room, person, after, entries, bytes }
        }),
        1 => (few(), few(), prop::collection::vec(id(), 0..4))
            .prop_map(|(person, room, ids)| Call::Find { person, room, ids }),
        3 => (few(), few(), any::<bool>(), 0..4_u32)
            .prop_map(|(person, room, join, most)| Call::Member { person, room, join, most }),
        3 => (few(), few(), 0..9_u64, prop::bool::weighted(0.1))
            .prop_map(|(person, room, rank, other)| Call::Set { person, room, rank, other }),
        1 => few().prop_map(|name| Call::Named { name }),
        1 => few().prop_map(|person| Call::Inbox { person }),
        2 => (few(), offset()).prop_map(|(room, first)| Call::Trim { room, first }),
        1 => few().prop_map(|room| Call::Delete { room }),
    ]
}
