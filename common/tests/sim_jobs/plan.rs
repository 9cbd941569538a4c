//! What people, workers, the network and the server do, and what befalls them. A run is a list of
//! these, each followed by a number of steps in an order that its own dice say: so any part of a
//! list can be left out, and what is left still means the same.

use crate::{
    disk::QUEUES,
    peer::{PEERS, WORKERS},
};
use holdfast_common::backoff::Dice;

/// One thing that is done or befalls. Numbers choose among what there is at that moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// `form` says with which group, delay, expiry, attempts and asker.
    Enqueue {
        p: usize,
        queue: usize,
        form: u64,
        times: u64,
        key: bool,
    },
    /// An enqueue that was made before is asked for again; `other`: with the same key for another job.
    Again {
        p: usize,
        which: usize,
        other: bool,
    },
    EmitsWork {
        p: usize,
        queue: usize,
        form: u64,
    },
    Poll {
        w: usize,
        jobs: u32,
        wait: u64,
        lease: u64,
    },
    Consume {
        w: usize,
        credit: u32,
        lease: u64,
    },
    Credit {
        w: usize,
        jobs: u32,
    },
    Take {
        w: usize,
        which: usize,
        lease: u64,
    },
    Complete {
        w: usize,
        which: usize,
        events: u64,
        jobs: u64,
        next: bool,
    },
    /// One of its events is refused.
    CompleteBadly {
        w: usize,
        which: usize,
    },
    Fail {
        w: usize,
        which: usize,
        retry: bool,
    },
    Snooze {
        w: usize,
        which: usize,
        ms: u64,
    },
    Extend {
        w: usize,
        which: usize,
        ms: u64,
    },
    Progress {
        w: usize,
        which: usize,
    },
    /// A lease that is over is spoken for once more; `forged`: by the token of another job.
    Stale {
        w: usize,
        which: usize,
        forged: bool,
    },
    KillWorker {
        w: usize,
    },
    Stall {
        w: usize,
        ms: u64,
    },
    Wake {
        w: usize,
    },
    /// Who gets this job dies of it.
    Poison {
        which: usize,
    },
    Leave {
        w: usize,
    },
    Cut {
        w: usize,
        told: bool,
    },
    Lose {
        w: usize,
        up: bool,
    },
    Double {
        w: usize,
        up: bool,
    },
    Swap {
        w: usize,
        up: bool,
    },
    KillServer {
        written: bool,
    },
    Stop,
    Go,
    /// The disk stands still.
    Steady {
        ms: u64,
    },
    /// The process stands still.
    Suspend {
        ms: u64,
    },
    Wall {
        ms: i64,
    },
    Full,
    Mend,
    Unknown {
        times: u64,
    },
    Moved {
        times: u64,
    },
    LoseHint {
        times: u64,
    },
    Copy,
    Restore,
    Pause {
        queue: usize,
    },
    Resume {
        queue: usize,
    },
    Cancel {
        which: usize,
    },
    Requeue {
        which: usize,
    },
    Discard {
        which: usize,
    },
    /// A dead letter is requeued, and cancelled before anybody has looked at it.
    Regret {
        which: usize,
    },
    Set {
        queue: usize,
        form: u64,
    },
    /// What a person decides about a schedule: which, the form says.
    Schedule {
        n: usize,
        form: u64,
    },
    /// The server drains, and stops.
    Drain,
    Wait {
        ms: u64,
    },
}

/// An act, and how many steps follow it by which dice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    pub act: Act,
    pub steps: u64,
    pub salt: u64,
}

/// Acts of a run.
const ACTS: usize = 200;

/// What a seed means.
pub fn plan(seed: u64) -> Vec<Move> {
    let mut dice = Dice::new(seed);
    let mut moves = Vec::new();
    while moves.len() < ACTS {
        let acts = if dice.up_to(9) == 0 { scene(&mut dice) } else { vec![act(&mut dice)] };
        let most = if acts.len() > 1 { 12 } else { 40 };
        for act in acts {
            moves.push(Move { act, steps: dice.up_to(most), salt: dice.up_to(u64::MAX) });
        }
    }
    moves
}

/// Things that go wrong together, more often than chance alone would have it.
fn scene(dice: &mut Dice) -> Vec<Act> {
    let mut n = |most: u64| usize::try_from(dice.up_to(most)).expect("small");
    let (p, w, queue) = (n(1), n(WORKERS as u64 - 1), n(QUEUES as u64 - 1));
    let (which, written) = (n(9), n(1) == 0);
    let form = n(1 << 20) as u64;
    let some = Act::Enqueue { p, queue, form, times: 3, key: written };
    let poll = Act::Poll { w, jobs: 2, wait: 8_000, lease: 1_000 };
    let done = Act::Complete { w, which, events: 1, jobs: 1, next: written };
    let soon = Act::Wait { ms: 200 };
    let timed = Act::Schedule { n: queue, form: form & !3 };
    let number = n(12);
    if let 8..=11 = number {
        return frames_and_times(number, (w, written), [timed, some, done]);
    }
    match number {
        0 => vec![
            some,
            poll,
            soon,
            Act::Stall { w, ms: 9_000 },
            Act::Wait { ms: 4_000 },
            Act::Wake { w },
            done,
            soon,
        ],
        1 => vec![some, poll, soon, done, Act::KillServer { written }, soon, Act::Go, soon],
        2 => vec![
            some,
            poll,
            soon,
            Act::Suspend { ms: 60_000 },
            Act::Wait { ms: 61_000 },
            done,
            soon,
        ],
        3 => vec![some, poll, soon, Act::Stop, Act::Wait { ms: 30_000 }, Act::Go, done, soon],
        4 => vec![
            Act::Copy,
            some,
            poll,
            soon,
            done,
            Act::Restore,
            soon,
            Act::Stale { w, which, forged: false },
        ],
        5 => vec![some, poll, soon, done, Act::Cut { w, told: written }, soon, done, soon],
        6 => vec![
            some,
            Act::Poison { which },
            poll,
            Act::Wait { ms: 3_000 },
            poll,
            Act::Wait { ms: 3_000 },
        ],
        7 => vec![poll, Act::Leave { w }, some, soon, Act::Cut { w, told: true }, soon],
        _ => vec![
            Act::Unknown { times: 2 },
            some,
            poll,
            soon,
            Act::Again { p, which: 0, other: false },
            soon,
        ],
    }
}

/// Those about schedules, and about who speaks in frames.
fn frames_and_times(number: usize, (w, written): (usize, bool), acts: [Act; 3]) -> Vec<Act> {
    let [timed, some, done] = acts;
    let soon = Act::Wait { ms: 200 };
    match number {
        8 => vec![timed, Act::Wait { ms: 7_000 }, Act::KillServer { written }, soon, soon],
        9 => vec![timed, Act::Stop, Act::Wait { ms: 30_000 }, Act::Go, soon, soon],
        10 => vec![
            some,
            Act::Consume { w, credit: 3, lease: 5_000 },
            soon,
            Act::Stall { w: w | 1, ms: 3_000 },
            some,
            soon,
            Act::Cut { w: w | 1, told: written },
            soon,
            done,
            soon,
        ],
        _ => {
            let mut all = vec![Act::Consume { w, credit: 3, lease: 20_000 }, soon, some];
            all.extend((0..6).map(|which| Act::Cancel { which: 2 * which + 1 }));
            all
        }
    }
}

fn act(dice: &mut Dice) -> Act {
    let mut n = |most: u64| usize::try_from(dice.up_to(most)).expect("small");
    let (p, w, queue, which) = (n(1), n(WORKERS as u64 - 1), n(QUEUES as u64 - 1), n(20));
    let any = n(PEERS as u64 - 1);
    let (one, other) = (n(1) == 0, n(1) == 0);
    let (small, form, ms) = (n(3) as u64, n(1 << 20) as u64, n(8) as u64 * 1_000);
    let (jobs, lease) = (1 + small as u32, [300, 1_000, 5_000, 20_000][n(3)]);
    match n(118) {
        0..=11 => Act::Enqueue { p, queue, form, times: 1 + small, key: one },
        12..=13 => Act::Again { p, which, other: one && other },
        14..=15 => Act::EmitsWork { p, queue, form },
        16..=25 => Act::Poll { w, jobs, wait: ms, lease },
        26..=31 => Act::Consume { w, credit: jobs, lease },
        32..=33 => Act::Credit { w, jobs },
        34..=37 => Act::Take { w, which, lease },
        38..=47 => Act::Complete { w, which, events: small, jobs: small / 2, next: one },
        48 => Act::CompleteBadly { w, which },
        49..=52 => Act::Fail { w, which, retry: one || other },
        53..=54 => Act::Snooze { w, which, ms: if one { 0 } else { ms } },
        55..=57 => Act::Extend { w, which, ms: 2 * ms },
        58 => Act::Progress { w, which },
        59..=60 => Act::Stale { w, which, forged: one },
        61..=62 => Act::KillWorker { w },
        63..=65 => Act::Stall { w, ms: 2 * ms },
        66..=67 => Act::Wake { w },
        68 => Act::Poison { which },
        69 => Act::Leave { w },
        70..=72 => Act::Cut { w: any, told: one },
        73..=74 => Act::Lose { w: any, up: one },
        75..=76 => Act::Double { w: any, up: one },
        77 => Act::Swap { w: any, up: one },
        78..=79 => Act::KillServer { written: one },
        80 => Act::Stop,
        81..=82 => Act::Go,
        83 => Act::Steady { ms: ms * small },
        84 => Act::Suspend { ms: ms * 4 },
        85 => Act::Wall { ms: (which as i64 - 10) << 27 },
        86 => Act::Full,
        87..=89 => Act::Mend,
        90 => Act::Unknown { times: 1 + small },
        91 => Act::Moved { times: 1 + small },
        92 => Act::LoseHint { times: 1 + small },
        93 => Act::Copy,
        94 if one => Act::Restore,
        94 => Act::Pause { queue },
        95..=96 => Act::Resume { queue },
        97..=98 => Act::Cancel { which },
        99..=101 => Act::Requeue { which },
        102 => Act::Discard { which },
        105..=106 => Act::Regret { which },
        103..=104 => Act::Set { queue, form },
        107..=111 => Act::Schedule { n: small as usize, form },
        112 => Act::Drain,
        _ => Act::Wait { ms: (which as u64 + 1) * 100 * (1 + 4 * small) },
    }
}
