//! What people, browsers, the network and the server do, and what befalls them. A run is a list of
//! these, each followed by a number of steps in an order that its own dice say: so any part of a
//! list can be left out, and what is left still means the same.

use holdfast_common::backoff::Dice;

/// One thing that is done or befalls. Numbers choose among what there is at that moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Say { p: usize, t: usize, room: usize, times: usize },
    SayNothing { p: usize, t: usize },
    SayTooMuch { p: usize, t: usize },
    Change { p: usize, t: usize, which: usize, delete: bool },
    Create { p: usize, t: usize },
    Join { p: usize, room: usize },
    Leave { p: usize, room: usize },
    Revise { p: usize, which: usize },
    Discard { p: usize, which: usize },
    Resend { p: usize, which: usize },
    Mark { p: usize, to: u64 },
    Type { p: usize },
    Rename { p: usize },
    History { p: usize },
    RetryNow { p: usize, t: usize },
    Wake { p: usize, t: usize },
    Service { room: usize, published: bool },
    Cut { p: usize, client: bool, server: bool },
    Deafen { p: usize, up: bool, down: bool },
    Stall { p: usize },
    Lose { p: usize, up: bool },
    Double { p: usize, up: bool },
    Swap { p: usize, up: bool },
    OpenTab { p: usize },
    CloseTab { p: usize, t: usize },
    KillTab { p: usize, t: usize, aborts: bool },
    Freeze { p: usize, t: usize },
    Thaw { p: usize },
    LoseWords { p: usize },
    PowerCut { p: usize },
    CopyProfile { p: usize },
    SetBack { p: usize },
    Twin { p: usize },
    StoreFails { p: usize, full: bool },
    StoreUnread { p: usize, times: usize },
    StoreHeals { p: usize },
    Evict { p: usize },
    Damage { p: usize },
    SignIn { p: usize },
    ClientClock { p: usize, ms: u64 },
    WallClock { ms: i64, server: bool },
    Kill { written: bool },
    Stop,
    Go,
    Fill,
    Fail,
    Heal,
    Unread { times: u64 },
    Unknown { times: u64 },
    Moved { times: u64 },
    Trim { room: usize, keep: u64 },
    DeleteRoom { room: usize },
    Copy,
    Restore,
    RollBack,
    Wait { ms: u64 },
}

/// An act, and how many steps follow it by which dice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    pub act: Act,
    pub steps: u64,
    pub salt: u64,
}

/// Profiles of a run.
pub const PROFILES: usize = 3;
/// Acts of a run.
const ACTS: usize = 80;

/// What a seed means.
pub fn plan(seed: u64) -> Vec<Move> {
    let mut dice = Dice::new(seed);
    let mut moves = Vec::new();
    while moves.len() < ACTS {
        let acts = if dice.up_to(9) == 0 { scene(&mut dice) } else { vec![act(&mut dice)] };
        let most = if acts.len() > 1 { 150 } else { 60 };
        for act in acts {
            moves.push(Move { act, steps: dice.up_to(most), salt: dice.up_to(u64::MAX) });
        }
    }
    moves
}

/// Things that go wrong together, more often than chance alone would have it: frames of a connection
/// that is no more come late, an outbox speaks that is a copy, a server is away for a while.
fn scene(dice: &mut Dice) -> Vec<Act> {
    let mut n = |most: u64| usize::try_from(dice.up_to(most)).expect("small");
    let (p, t, room, times) = (n(PROFILES as u64 - 1), n(3), n(4), 1 + n(3));
    let (say, other) = (Act::Say { p, t, room, times }, (p + 1) % PROFILES);
    let gone = Act::Cut { p, client: true, server: false };
    let back = Act::RetryNow { p, t };
    match n(6) {
        0 => vec![say, Act::Stall { p }, say, gone, back, say, back, Act::Wait { ms: 2_000 }],
        1 => vec![say, Act::Stall { p }, say, Act::Damage { p }, back, back, back],
        2 => {
            vec![Act::CopyProfile { p }, say, gone, back, say, gone, back, Act::SetBack { p }, say]
        }
        3 => {
            let loud = Act::Say { p: other, t, room, times: 4 };
            vec![Act::Stall { p }, loud, loud, loud, Act::Wait { ms: 500 }]
        }
        4 => {
            let (twin, theirs) = (Act::Twin { p }, Act::Say { p: other, t, room, times });
            vec![
                Act::CopyProfile { p },
                say,
                twin,
                theirs,
                say,
                Act::RetryNow { p: other, t },
                back,
            ]
        }
        5 => vec![Act::Stop, say, Act::Go, back, say],
        _ => vec![Act::OpenTab { p }, say, Act::Freeze { p, t }, say, Act::Wait { ms: 12_000 }],
    }
}

fn act(dice: &mut Dice) -> Act {
    let mut n = |most: u64| usize::try_from(dice.up_to(most)).expect("small");
    let (p, t, room, which) = (n(PROFILES as u64 - 1), n(3), n(4), n(20));
    let (one, other) = (n(1) == 0, n(1) == 0);
    let small = n(3);
    match n(123) {
        0..=24 => Act::Say { p, t, room, times: 1 + small },
        25 => Act::SayNothing { p, t },
        26 => Act::SayTooMuch { p, t },
        27..=30 => Act::Change { p, t, which, delete: one },
        31..=32 => Act::Create { p, t },
        33..=34 => Act::Join { p, room },
        35 => Act::Leave { p, room },
        36..=37 => Act::Revise { p, which },
        38..=39 => Act::Discard { p, which },
        40..=41 => Act::Resend { p, which },
        42 => Act::Mark { p, to: which as u64 },
        43 => Act::Type { p },
        44 => Act::Rename { p },
        45 => Act::History { p },
        46..=48 => Act::RetryNow { p, t },
        49..=50 => Act::Wake { p, t },
        51..=52 => Act::Service { room, published: one || other },
        53..=56 => Act::Cut { p, client: one, server: other || !one },
        57..=59 => Act::Deafen { p, up: one, down: other || !one },
        60..=63 => Act::Lose { p, up: one },
        64..=66 => Act::Double { p, up: one },
        67..=68 => Act::Swap { p, up: one },
        69..=72 => Act::OpenTab { p },
        73 => Act::CloseTab { p, t },
        74..=76 => Act::KillTab { p, t, aborts: one },
        77 => Act::Freeze { p, t },
        78 => Act::Thaw { p },
        79 => Act::Stall { p },
        80 => Act::LoseWords { p },
        81 => Act::PowerCut { p },
        82 if one => Act::CopyProfile { p },
        82 if other => Act::SetBack { p },
        82 => Act::Twin { p },
        83 => Act::StoreFails { p, full: one },
        112 => Act::StoreUnread { p, times: 1 + small },
        84..=86 => Act::StoreHeals { p },
        87 if small == 0 => Act::Evict { p },
        88 => Act::Damage { p },
        89 => Act::SignIn { p },
        90 => Act::ClientClock { p, ms: 10_000 * which as u64 * which as u64 },
        91 => Act::WallClock { ms: (which as i64 - 10) << 27, server: one },
        92..=93 => Act::Kill { written: one },
        94 if one => Act::Stop,
        95..=98 => Act::Go,
        99 => {
            if one {
                Act::Fill
            } else {
                Act::Fail
            }
        }
        100..=102 => Act::Heal,
        103 => Act::Unknown { times: 1 + small as u64 },
        104 => Act::Moved { times: 1 + small as u64 },
        105 => Act::Trim { room, keep: 1 + which as u64 },
        106 => Act::Copy,
        107 => Act::Restore,
        108 => Act::RollBack,
        110..=111 => Act::DeleteRoom { room },
        109 => Act::Unread { times: 1 + small as u64 },
        _ => Act::Wait { ms: (which as u64 + 1) * 300 * (1 + 4 * small as u64) },
    }
}
