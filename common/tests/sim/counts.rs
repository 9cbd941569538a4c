//! How often everything has happened: each fault and each transition that a run of many seeds must
//! have seen, or it proves less than it says.

use std::collections::BTreeMap;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<String, u64>);

impl Counts {
    pub fn add(&mut self, what: &str) {
        match self.0.get_mut(what) {
            Some(count) => *count += 1,
            None => drop(self.0.insert(what.to_owned(), 1)),
        }
    }

    pub fn add_named(&mut self, of: &str, name: &str) {
        self.add(&format!("{of}{name}"));
    }

    pub fn add_step(&mut self, of: &str, from: &str, to: &str) {
        self.add(&format!("{of}{from} -> {to}"));
    }

    pub fn merge(&mut self, other: &Self) {
        for (what, count) in &other.0 {
            *self.0.entry(what.clone()).or_default() += count;
        }
    }

    /// Those of `expected` that never happened.
    pub fn missing<'a>(&self, expected: &[&'a str]) -> Vec<&'a str> {
        expected.iter().copied().filter(|what| !self.0.contains_key(*what)).collect()
    }

    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(what, count)| format!("{count:>9}  {what}"))
    }
}

/// What a run over CI's seeds must have seen: each kind of act and fault, and each transition.
pub const EXPECTED: &[&str] = &[
    "act: Change",
    "act: ClientClock",
    "act: CloseTab",
    "act: Copy",
    "act: CopyProfile",
    "act: Create",
    "act: Cut",
    "act: Damage",
    "act: Deafen",
    "act: DeleteRoom",
    "act: Discard",
    "act: Double",
    "act: Evict",
    "act: Fail",
    "act: Fill",
    "act: Freeze",
    "act: Go",
    "act: Heal",
    "act: History",
    "act: Join",
    "act: Kill",
    "act: KillTab",
    "act: Leave",
    "act: Lose",
    "act: LoseWords",
    "act: Mark",
    "act: Moved",
    "act: OpenTab",
    "act: PowerCut",
    "act: Rename",
    "act: Resend",
    "act: Restore",
    "act: RetryNow",
    "act: Revise",
    "act: RollBack",
    "act: Say",
    "act: SayNothing",
    "act: SayTooMuch",
    "act: Service",
    "act: SetBack",
    "act: SignIn",
    "act: Stall",
    "act: Stop",
    "act: StoreFails",
    "act: StoreHeals",
    "act: StoreUnread",
    "act: Swap",
    "act: Thaw",
    "act: Trim",
    "act: Twin",
    "act: Type",
    "act: Unknown",
    "act: Unread",
    "act: Wait",
    "act: Wake",
    "act: WallClock",
    "append: acked",
    "append: another number expected",
    "append: fault",
    "append: fenced",
    "append: moved",
    "append: rejected",
    "append: settled",
    "append: stood already",
    "append: verdict again",
    "close: fenced",
    "close: hello_timeout",
    "close: silent",
    "close: storage_fault",
    "close: storage_full",
    "close: taken_over",
    "fanout: a queue was full",
    "frame: ack",
    "frame: entries",
    "frame: expected",
    "frame: found",
    "frame: gap",
    "frame: joined",
    "frame: latest",
    "frame: left",
    "frame: live",
    "frame: page",
    "frame: page of history",
    "frame: pong",
    "frame: presence",
    "frame: refused",
    "frame: reject",
    "frame: reset",
    "frame: retry",
    "frame: rooms",
    "frame: settled",
    "frame: signal",
    "frame: stored",
    "frame: welcome",
    "frame: welcome with a loss",
    "greeting: fault",
    "greeting: fenced",
    "greeting: welcome",
    "row: acked -> gone",
    "row: acked -> unsure",
    "row: queued -> gone",
    "row: queued -> queued",
    "row: queued -> rejected",
    "row: queued -> sent",
    "row: queued -> unsure",
    "row: rejected -> gone",
    "row: sent -> acked",
    "row: sent -> gone",
    "row: sent -> rejected",
    "row: sent -> unsure",
    "row: unsure -> gone",
    "row: unsure -> sent",
    "storage: a tab is fenced",
    "storage: a transaction fails",
    "storage: mended",
    "storage: not loaded",
    "storage: rows cannot be read",
    "storage: the server cannot read",
    "tabs: leads",
    "tabs: steals",
    "tabs: waits",
    "write: a new writer",
    "write: entries",
    "write: gap",
    "write: left",
    "write: lost",
    "write: page",
    "write: reset epoch",
    "write: reset forked",
    "write: reset future",
];
