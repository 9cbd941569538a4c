use super::*;
use crate::{
    backoff::Dice,
    client::{Held, RowState, Write},
    id::{EventId, RoomId},
    limits::Limits,
    time::Timestamp,
};
use std::collections::BTreeMap;

fn row(key: Key) -> Row {
    Row {
        key,
        event: Held {
            id: EventId::from_bytes([u8::try_from(key % 250).unwrap(); 16]),
            ns: "chat".to_owned(),
            room: RoomId::NIL,
            kind: "message".to_owned(),
            data: "{}".to_owned(),
            target: None,
            at: Timestamp(0),
        },
        state: RowState::Queued,
    }
}

fn run(n: u64) -> SessionId {
    SessionId::new(n, &[0; 10])
}

/// What the tabs share.
#[derive(Default)]
struct Disk {
    rows: BTreeMap<Key, Row>,
    next: Key,
    last: Option<(SessionId, u64)>,
}

/// The rows that were read.
type Read = BTreeMap<Key, Row>;

/// A tab, its view, and the model of its client: rows it was fed, and batches under way.
struct Tab {
    tabs: Tabs,
    view: BTreeMap<Key, Row>,
    read: Option<Read>,
    inbox: VecDeque<Word>,
    /// What the database was asked for and has not answered yet.
    asks: VecDeque<Output>,
    /// What it has answered and the tab has not heard yet.
    results: VecDeque<(Input, Option<Read>)>,
    client: Option<(SessionId, u64)>,
    /// The client's batch is under way.
    busy: bool,
    fed: Vec<Key>,
    commands: Vec<Command>,
    wants_lock: bool,
    alive: bool,
    /// The browser has suspended it.
    asleep: bool,
}

/// Some tabs of one browser, with a channel between them that keeps each sender's order.
struct World {
    disk: Disk,
    tabs: Vec<Tab>,
    lock: Option<usize>,
    locks: bool,
    now: Instant,
    runs: u64,
    dice: Dice,
}

impl World {
    fn new(seed: u64, locks: bool) -> Self {
        Self {
            disk: Disk::default(),
            tabs: Vec::new(),
            lock: None,
            locks,
            now: Instant(0),
            runs: 0,
            dice: Dice::new(seed),
        }
    }

    fn open(&mut self) -> usize {
        let i = self.tabs.len();
        self.tabs.push(Tab {
            tabs: Tabs::new(i as u64 + 1, self.locks),
            view: BTreeMap::new(),
            read: None,
            inbox: VecDeque::new(),
            asks: VecDeque::new(),
            results: VecDeque::new(),
            client: None,
            busy: false,
            fed: Vec::new(),
            commands: Vec::new(),
            wants_lock: false,
            alive: true,
            asleep: false,
        });
        self.feed(i, Input::Start);
        i
    }

    fn feed(&mut self, i: usize, input: Input) {
        let outputs = self.tabs[i].tabs.handle(self.now, input);
        for output in outputs {
            self.carry_out(i, output);
        }
    }

    fn carry_out(&mut self, i: usize, output: Output) {
        match output {
            Output::Say(word) => {
                for (j, tab) in self.tabs.iter_mut().enumerate() {
                    if j != i && tab.alive {
                        tab.inbox.push_back(word.clone());
                    }
                }
            }
            Output::WantLock { steal: false } => self.tabs[i].wants_lock = true,
            Output::WantLock { steal: true } => {
                self.tabs[i].wants_lock = false;
                if let Some(robbed) = self.lock.replace(i) {
                    self.tabs[robbed].results.push_back((Input::Fenced, None));
                }
                self.tabs[i].results.push_back((Input::Granted, None));
            }
            Output::Load | Output::Fetch(_) | Output::Sweep => self.tabs[i].asks.push_back(output),
            Output::Present => {
                self.tabs[i].view = self.tabs[i].read.clone().expect("something was read");
            }
            Output::Lead { run } => {
                let tab = &mut self.tabs[i];
                tab.client = Some((run, 0));
                tab.busy = false;
                tab.fed = tab.read.clone().unwrap().into_keys().collect();
            }
            Output::Resign => {
                self.tabs[i].client = None;
                if self.lock == Some(i) {
                    self.lock = None;
                }
            }
            Output::Apply(writes) => {
                for write in writes {
                    match write {
                        Write::PutRow(row) => drop(self.tabs[i].view.insert(row.key, row)),
                        Write::DeleteRow(key) => drop(self.tabs[i].view.remove(&key)),
                        _ => {}
                    }
                }
            }
            Output::Row(row) => {
                let last = self.tabs[i].fed.iter().max();
                assert!(last.is_none_or(|last| *last < row.key), "twice, or overtaken: {row:?}");
                self.tabs[i].fed.push(row.key);
            }
            Output::Command(command) => {
                self.tabs[i].commands.push(command);
                self.commit(i, Vec::new());
                self.feed(i, Input::Fed);
            }
            Output::Leading(_) | Output::Show(_) | Output::Woke | Output::Tick => {}
        }
    }

    /// The database carries out the oldest wish of a tab, which hears of it later.
    fn answer(&mut self, i: usize) {
        let result = match self.tabs[i].asks.pop_front() {
            Some(Output::Load) => {
                self.runs += 1;
                let loaded = Input::Loaded {
                    last: self.disk.last,
                    keys: self.disk.rows.keys().copied().collect(),
                    ready: true,
                    run: run(self.runs),
                };
                (loaded, Some(self.disk.rows.clone()))
            }
            Some(Output::Fetch(asked)) => {
                let rows = asked.iter().filter_map(|key| self.disk.rows.get(key));
                let rows = rows.cloned().collect();
                (Input::Fetched { asked, rows }, None)
            }
            Some(Output::Sweep) => {
                let keys = self.disk.rows.keys().copied().collect();
                (Input::Swept(keys), None)
            }
            _ => return,
        };
        self.tabs[i].results.push_back(result);
    }

    /// The database fails to read for the oldest wish of a tab.
    fn fail(&mut self, i: usize) {
        let failed = match self.tabs[i].asks.front() {
            Some(Output::Fetch(asked)) => Input::NotFetched(asked.clone()),
            Some(Output::Sweep) => Input::NotSwept,
            _ => return,
        };
        self.tabs[i].asks.pop_front();
        self.tabs[i].results.push_back((failed, None));
    }

    /// The tab hears what the database has answered.
    fn result(&mut self, i: usize) {
        let Some((input, read)) = self.tabs[i].results.pop_front() else {
            return;
        };
        if read.is_some() {
            self.tabs[i].read = read;
        }
        let committed = matches!(input, Input::Committed { .. });
        self.feed(i, input);
        if committed {
            self.tabs[i].busy = false;
            self.feed(i, Input::Fed);
        }
    }

    fn hear(&mut self, i: usize) {
        if let Some(word) = self.tabs[i].inbox.pop_front() {
            self.feed(i, Input::Heard(word));
        }
    }

    /// A tab adds a row. `told` is whether it lives to hear of the commit.
    fn add(&mut self, i: usize, told: bool) {
        self.disk.next += 1;
        let row = row(self.disk.next);
        self.disk.rows.insert(row.key, row.clone());
        if told {
            let added = (Input::Added(vec![row]), None);
            self.tabs[i].results.push_back(added);
        }
    }

    /// The leader's client commits a batch.
    fn commit(&mut self, i: usize, writes: Vec<Write>) {
        let Some((run, batch)) = self.tabs[i].client else {
            return;
        };
        if self.locks && self.lock != Some(i) {
            return; // Another tab has raised the generation; this one will hear of it.
        }
        if std::mem::replace(&mut self.tabs[i].busy, true) {
            return;
        }
        let token = batch + 1;
        self.tabs[i].client = Some((run, token));
        self.disk.last = Some((run, token));
        for write in &writes {
            match write {
                Write::PutRow(row) => drop(self.disk.rows.insert(row.key, row.clone())),
                Write::DeleteRow(key) => drop(self.disk.rows.remove(key)),
                _ => {}
            }
        }
        self.feed(i, Input::Issued(token));
        let committed = (Input::Committed { token, writes }, None);
        self.tabs[i].results.push_back(committed);
    }

    /// The client makes something of a row it was fed: it is sent, or done with.
    fn progress(&mut self, i: usize) {
        let fed: Vec<Key> = self.tabs[i].fed.clone();
        let held: Vec<Key> =
            fed.into_iter().filter(|key| self.disk.rows.contains_key(key)).collect();
        if held.is_empty() {
            return;
        }
        let key = held[usize::try_from(self.dice.up_to(held.len() as u64 - 1)).unwrap()];
        let sent = matches!(self.disk.rows[&key].state, RowState::Sent { .. });
        let write = if sent {
            Write::DeleteRow(key)
        } else {
            let state = RowState::Sent { n: key };
            Write::PutRow(Row { state, ..row(key) })
        };
        self.commit(i, vec![write]);
    }

    fn close(&mut self, i: usize) {
        let tab = &mut self.tabs[i];
        tab.alive = false;
        tab.client = None;
        tab.wants_lock = false;
        tab.inbox.clear();
        tab.asks.clear();
        tab.results.clear();
        if self.lock == Some(i) {
            self.lock = None;
        }
    }

    fn grant(&mut self) {
        let waiting = self.tabs.iter().position(|tab| tab.wants_lock && tab.alive);
        if let (None, Some(i)) = (self.lock, waiting) {
            self.lock = Some(i);
            self.tabs[i].wants_lock = false;
            self.feed(i, Input::Granted);
        }
    }

    fn alive(&self) -> Vec<usize> {
        let mut alive: Vec<usize> = (0..self.tabs.len()).collect();
        alive.retain(|i| self.tabs[*i].alive && !self.tabs[*i].asleep);
        alive
    }

    fn wake_all(&mut self) {
        for tab in &mut self.tabs {
            tab.asleep = false;
        }
    }

    fn leaders(&self) -> Vec<usize> {
        let mut alive = self.alive();
        alive.retain(|i| self.tabs[*i].client.is_some());
        alive
    }

    /// Everything said is heard and everything asked is answered, for so long.
    fn settle(&mut self, millis: u64) {
        for _ in 0..millis / 500 {
            for _ in 0..50 {
                self.grant();
                for i in self.alive() {
                    self.hear(i);
                    self.answer(i);
                    self.result(i);
                }
            }
            self.now = self.now + Millis(500);
            for i in self.alive() {
                if self.tabs[i].tabs.deadline().is_some_and(|at| at <= self.now) {
                    self.feed(i, Input::Tick);
                }
            }
        }
    }

    fn step(&mut self) {
        let alive = self.alive();
        let i = alive[usize::try_from(self.dice.up_to(alive.len() as u64 - 1)).unwrap()];
        match self.dice.up_to(32) {
            0 if self.tabs.len() < 12 => drop(self.open()),
            1 if alive.len() > 1 => self.close(i),
            2 if alive.len() > 1 => {
                self.add(i, false);
                self.close(i);
            }
            3..=5 => self.add(i, true),
            6 => self.feed(i, Input::Command(Command::RetryNow)),
            7 => self.feed(i, Input::Woke),
            8..=11 => self.answer(i),
            12..=14 => {
                if let Some(leader) = self.leaders().first() {
                    self.progress(*leader);
                }
            }
            15 => self.grant(),
            16..=19 => self.result(i),
            20 if alive.len() > 1 => self.tabs[i].asleep = true,
            24..=25 => self.fail(i),
            21 => self.wake_all(),
            22..=23 => {
                self.now = self.now + Millis(700);
                self.feed(i, Input::Tick);
            }
            _ => self.hear(i),
        }
    }
}

#[test]
fn whatever_happens_one_tab_leads_with_every_row_and_all_show_what_the_database_holds() {
    for seed in 0..500 {
        let mut world = World::new(seed, true);
        world.open();
        world.open();
        for _ in 0..300 {
            world.step();
        }
        world.wake_all();
        world.settle(30_000);
        let leaders = world.leaders();
        assert_eq!(leaders.len(), 1, "seed {seed}");
        let fed = &world.tabs[leaders[0]].fed;
        for key in world.disk.rows.keys() {
            assert!(fed.contains(key), "seed {seed}: row {key} is nobody's");
        }
        for i in world.alive() {
            assert_eq!(world.tabs[i].view, world.disk.rows, "seed {seed}, tab {i}");
            assert!(world.tabs[i].tabs.unconfirmed.is_empty(), "seed {seed}");
        }
    }
}

#[test]
fn a_command_of_a_follower_is_kept_until_a_leader_has_committed_it() {
    let mut world = World::new(1, true);
    let (first, second, third) = (world.open(), world.open(), world.open());
    world.settle(1_000);
    assert_eq!(world.leaders(), [first]);
    world.feed(second, Input::Command(Command::RetryNow));
    world.close(first); // It has not heard of it.
    world.settle(1_000);
    assert_eq!(world.leaders(), [second]);
    assert_eq!(world.tabs[second].commands, [Command::RetryNow]);
    let room = RoomId::NIL;
    world.feed(third, Input::Command(Command::Join { room }));
    world.settle(5_000);
    assert_eq!(world.tabs[second].commands.last(), Some(&Command::Join { room }));
    assert_eq!(world.tabs[second].commands.len(), 2, "taken once");
}

#[test]
fn without_locks_the_later_tab_leads_and_an_earlier_one_takes_over_when_it_is_gone() {
    let mut world = World::new(1, false);
    let first = world.open();
    world.settle(1_000);
    assert_eq!(world.leaders(), [first]);
    let second = world.open();
    world.settle(1_000);
    assert_eq!(world.leaders(), [second]);
    world.close(second);
    world.settle(20_000);
    assert_eq!(world.leaders(), [first], "its rows do not wait for somebody to come back to it");
}

#[test]
fn a_leader_that_the_browser_has_suspended_is_replaced_when_somebody_wants_something() {
    let mut world = World::new(1, true);
    let (first, second) = (world.open(), world.open());
    world.settle(1_000);
    world.tabs[first].asleep = true;
    world.settle(60_000);
    assert!(world.leaders().is_empty(), "nobody wants anything");
    world.add(second, true);
    world.settle(10_000);
    assert_eq!(world.leaders(), [second]);
    assert_eq!(world.tabs[second].fed, [1]);
    world.tabs[first].asleep = false;
    world.settle(1_000);
    assert_eq!(world.leaders(), [second]);
    assert_eq!(world.tabs[first].view, world.disk.rows);
}

#[test]
fn a_row_that_the_leader_was_faster_with_is_not_shown_as_it_was() {
    let mut world = World::new(1, true);
    let (leader, follower) = (world.open(), world.open());
    world.settle(1_000);
    world.add(follower, true); // Committed, and the follower has not heard of it yet.
    let told = world.tabs[follower].results.pop_back();
    world.feed(leader, Input::Woke);
    world.settle(1_000);
    for _ in 0..2 {
        world.progress(leader); // Sent, then done with.
        world.settle(500);
    }
    assert!(world.disk.rows.is_empty());
    world.tabs[follower].results.extend(told);
    world.settle(1_000);
    assert_eq!(world.tabs[follower].view, world.disk.rows);
    assert_eq!(world.tabs[leader].view, world.disk.rows);
}

#[test]
fn a_row_is_not_looked_at_twice_at_once() {
    let mut world = World::new(1, true);
    let (leader, _) = (world.open(), world.open());
    world.settle(1_000);
    let hint = || Input::Heard(Word::Added { keys: vec![7] });
    let first = world.tabs[leader].tabs.handle(world.now, hint());
    assert!(matches!(&first[..], [Output::Fetch(keys)] if *keys == [7]));
    assert!(world.tabs[leader].tabs.handle(world.now, hint()).is_empty());
}

#[test]
fn a_row_whose_tab_is_gone_before_it_could_hint_at_it_is_looked_for_soon() {
    let mut world = World::new(1, true);
    let (leader, follower) = (world.open(), world.open());
    world.settle(20_000);
    let said = world.tabs[follower].tabs.handle(world.now, Input::Adding);
    let [Output::Say(word)] = &said[..] else { panic!("{said:?}") };
    let word = word.clone();
    let tabs = &mut world.tabs[leader].tabs;
    assert!(tabs.handle(world.now, Input::Adding).is_empty(), "what a leader adds it knows");
    assert!(tabs.handle(world.now, Input::Heard(word)).is_empty());
    let due = tabs.deadline().unwrap();
    assert!(due <= world.now + SOON, "{due:?}");
    assert!(matches!(tabs.handle(due, Input::Tick)[..], [Output::Sweep]));
    // Once, and not for ever.
    assert!(tabs.deadline().unwrap() > due + SOON);
}

#[test]
fn a_tab_that_comes_later_is_told_how_things_stand() {
    let mut world = World::new(1, true);
    let first = world.open();
    world.settle(1_000);
    let welcome = |now| Show::Welcome { limits: Limits::default(), now: Timestamp(now) };
    world.feed(first, Input::Show(welcome(5_000_000)));
    world.feed(first, Input::Show(Show::Link(Link::Online)));
    world.now = world.now + Millis(3_600_000);
    let mut late = Tabs::new(9, true);
    late.handle(world.now, Input::Start);
    let answer = world.tabs[first].tabs.handle(world.now, Input::Heard(Word::Hello));
    let Some(Output::Say(word)) = answer.first() else { panic!("{answer:?}") };
    let shown = late.handle(world.now, Input::Heard(word.clone()));
    let [Output::Show(Show::Welcome { now, .. }), Output::Show(Show::Link(Link::Online))] =
        &shown[..]
    else {
        panic!("{shown:?}")
    };
    assert_eq!(*now, Timestamp(8_600_000), "the server's clock has gone on since its welcome");
}

#[test]
fn words_survive_the_channel() {
    let place = Place { run: run(1), batch: 2, extra: 3 };
    let room = RoomId::NIL;
    let writes = vec![
        Write::PutRow(row(1)),
        Write::DeleteRow(2),
        Write::Name("a \"name\"\n".to_owned()),
        Write::DeleteLatest { room, kind: "read".to_owned(), rank: u64::MAX },
    ];
    let blocked = Link::Blocked { why: None, storage: true, full: true };
    let shows = vec![Show::Live(room), Show::Link(blocked)];
    let command = Command::History { room, before: Some(7), limit: 9 };
    for word in [
        Word::Hello,
        Word::Leads { place, shows },
        Word::Batch { place, writes },
        Word::Rows { place, rows: vec![row(1), row(2)] },
        Word::Added { keys: Vec::new() },
        Word::Ask { tab: 1, n: 2, command: command.clone() },
        Word::Ask { tab: 1, n: 3, command: Command::RetryNow },
        Word::Beat,
    ] {
        let text = word.write();
        let read = Word::read(&text).unwrap_or_else(|| panic!("unreadable: {text}"));
        assert_eq!(format!("{read:?}"), format!("{word:?}"));
    }
    for text in ["", "[]", "[99]", "[6,1]", "{}", "[1,[],[[3]]]"] {
        assert!(Word::read(text).is_none(), "{text}");
    }
}

/// What a tab says, and what it has its client do.
fn said_and_done(outputs: Vec<Output>) -> (Vec<Word>, Vec<Command>) {
    let (mut said, mut done) = (Vec::new(), Vec::new());
    for output in outputs {
        match output {
            Output::Say(word) => said.push(word),
            Output::Command(command) => done.push(command),
            _ => {}
        }
    }
    (said, done)
}

fn discard(n: u8) -> Command {
    Command::Discard { id: EventId::from_bytes([n; 16]) }
}

fn loaded() -> Input {
    Input::Loaded { last: None, keys: Vec::new(), ready: true, run: run(5) }
}

#[test]
fn a_wish_that_no_leader_took_is_not_overtaken_by_a_later_one() {
    let now = Instant(1_000);
    let (mut follower, mut leader) = (Tabs::new(1, true), Tabs::new(2, true));
    follower.handle(now, Input::Start);
    follower.handle(now, loaded());
    leader.handle(now, Input::Start);
    leader.handle(now, Input::Granted);
    // The first is said while nobody leads, the second before the follower has heard who does.
    let mut done = Vec::new();
    for n in [1, 2] {
        let (said, _) = said_and_done(follower.handle(now, Input::Command(discard(n))));
        for word in said {
            done.extend(said_and_done(leader.handle(now, Input::Heard(word))).1);
        }
        // The read that was under way when the lock came does not count.
        leader.handle(now, loaded());
        leader.handle(now, loaded());
    }
    assert!(leader.leads());
    assert_eq!(done, [discard(1), discard(2)]);
}

#[test]
fn a_new_leaders_own_wish_is_kept_until_its_own_batch_is_committed() {
    let now = Instant(1_000);
    let mut tab = Tabs::new(1, true);
    tab.handle(now, Input::Start);
    tab.handle(now, loaded());
    tab.handle(now, Input::Command(discard(1)));
    tab.handle(now, Input::Granted);
    let (_, done) = said_and_done(tab.handle(now, loaded()));
    assert_eq!(done, [discard(1)]);
    // Its client begins with the generation's batch; what the wish changes is in the next one.
    tab.handle(now, Input::Issued(1));
    tab.handle(now, Input::Fed);
    tab.handle(now, Input::Committed { token: 1, writes: Vec::new() });
    tab.handle(now, Input::Issued(2));
    tab.handle(now, Input::Fed);
    tab.handle(now, Input::Failed);
    tab.handle(now, Input::Woke);
    let (_, again) = said_and_done(tab.handle(now, loaded()));
    assert_eq!(again, [discard(1)]);
}

/// A tab that leads, with an empty outbox.
fn leading(now: Instant) -> Tabs {
    let mut tab = Tabs::new(1, true);
    tab.handle(now, Input::Start);
    tab.handle(now, Input::Granted);
    tab.handle(now, loaded());
    tab.handle(now, loaded());
    assert!(tab.leads());
    tab
}

/// The rows that a client is fed.
fn fed(outputs: &[Output]) -> Vec<Key> {
    let rows = outputs.iter().filter_map(|output| match output {
        Output::Row(row) => Some(row.key),
        _ => None,
    });
    rows.collect()
}

#[test]
fn a_row_waits_for_those_in_front_of_it_that_another_tab_has_added() {
    let now = Instant(1_000);
    let mut tab = leading(now);
    let out = tab.handle(now, Input::Added(vec![row(2)]));
    assert!(fed(&out).is_empty(), "there may be one in front of it");
    let [Output::Apply(shown), Output::Sweep] = &out[..] else { panic!("{out:?}") };
    assert!(matches!(&shown[..], [Write::PutRow(row)] if row.key == 2), "it is held: {shown:?}");
    let out = tab.handle(now, Input::Swept(vec![1, 2]));
    assert!(matches!(&out[..], [Output::Fetch(keys)] if *keys == [1]));
    let out = tab.handle(now, Input::Fetched { asked: vec![1], rows: vec![row(1)] });
    assert_eq!(fed(&out), [1, 2]);
    let out = tab.handle(now, Input::Added(vec![row(3)]));
    assert_eq!(fed(&out), [3], "it follows");
}

#[test]
fn a_sweep_that_fails_says_nothing_and_comes_again_soon() {
    let now = Instant(1_000);
    let mut tab = leading(now);
    let out = tab.handle(now, Input::Added(vec![row(2)]));
    assert!(matches!(out[..], [Output::Apply(_), Output::Sweep]));
    assert!(tab.handle(now, Input::NotSwept).is_empty(), "there may still be one in front of it");
    let due = tab.deadline().unwrap();
    assert_eq!(due, now + SOON, "also where no other tab is there");
    assert!(matches!(tab.handle(due, Input::Tick)[..], [Output::Sweep]));
    let out = tab.handle(due, Input::Swept(vec![1, 2]));
    assert!(matches!(&out[..], [Output::Fetch(keys)] if *keys == [1]));
    assert_eq!(tab.deadline(), None, "once, and not for ever");
}

#[test]
fn of_two_sweeps_of_which_one_fails_the_other_says_no_more_than_it_has_seen() {
    let now = Instant(1_000);
    let mut tab = leading(now);
    for key in [2, 4] {
        let out = tab.handle(now, Input::Added(vec![row(key)]));
        assert!(matches!(out[..], [Output::Apply(_), Output::Sweep]));
    }
    tab.handle(now, Input::NotSwept);
    let out = tab.handle(now, Input::Swept(vec![1, 2]));
    assert!(matches!(&out[..], [Output::Fetch(keys), Output::Sweep] if *keys == [1]), "{out:?}");
    let out = tab.handle(now, Input::Fetched { asked: vec![1], rows: vec![row(1)] });
    assert_eq!(fed(&out), [1, 2], "nobody has looked for what is in front of the fourth");
    let out = tab.handle(now, Input::Swept(vec![1, 2, 3, 4]));
    assert!(matches!(&out[..], [Output::Fetch(keys)] if *keys == [3]));
    let out = tab.handle(now, Input::Fetched { asked: vec![3], rows: vec![row(3)] });
    assert_eq!(fed(&out), [3, 4]);
}

#[test]
fn a_row_that_could_not_be_read_is_not_overtaken_and_is_read_again_soon() {
    let now = Instant(1_000);
    let mut tab = leading(now);
    tab.handle(now, Input::Heard(Word::Added { keys: vec![1] }));
    assert!(tab.handle(now, Input::NotFetched(vec![1])).is_empty());
    let out = tab.handle(now, Input::Added(vec![row(2)]));
    assert!(fed(&out).is_empty(), "{out:?}");
    // Neither a sweep nor a hint asks for it a second time at once.
    assert!(tab.handle(now, Input::Swept(vec![1, 2])).is_empty());
    assert!(tab.handle(now, Input::Heard(Word::Added { keys: vec![1] })).is_empty());
    let due = tab.deadline().unwrap();
    assert_eq!(due, now + SOON);
    let out = tab.handle(due, Input::Tick);
    assert!(matches!(&out[..], [Output::Sweep, Output::Fetch(keys)] if *keys == [1]), "{out:?}");
    let out = tab.handle(due, Input::Fetched { asked: vec![1], rows: vec![row(1)] });
    assert_eq!(fed(&out), [1, 2]);
}

#[test]
fn a_read_that_failed_for_an_earlier_lead_is_no_concern_of_the_next_one() {
    let now = Instant(1_000);
    let mut tab = leading(now);
    tab.handle(now, Input::Heard(Word::Added { keys: vec![1] }));
    tab.handle(now, Input::NotFetched(vec![1]));
    tab.handle(now, Input::Fenced);
    tab.handle(now, Input::NotSwept);
    let out = tab.handle(now + SOON, Input::Tick);
    assert!(!out.iter().any(|it| matches!(it, Output::Fetch(_) | Output::Sweep)), "{out:?}");
    tab.handle(now + SOON, loaded());
    tab.handle(now + SOON, Input::Granted);
    tab.handle(now + SOON, loaded());
    assert!(tab.leads());
    let out = tab.handle(now + SOON + SWEEP, Input::Tick);
    assert!(!out.iter().any(|it| matches!(it, Output::Fetch(_))), "{out:?}");
}

#[test]
fn a_word_of_an_earlier_leader_is_not_followed_over_what_was_read() {
    let now = Instant(1_000);
    let mut tab = Tabs::new(1, true);
    tab.handle(now, Input::Start);
    let old = |batch| Place { run: run(3), batch, extra: 0 };
    tab.handle(now, Input::Heard(Word::Leads { place: old(0), shows: Vec::new() }));
    let writes = vec![Write::PutRow(row(1))];
    tab.handle(now, Input::Heard(Word::Batch { place: old(1), writes }));
    let read = || {
        let (last, keys) = (Some((run(4), 7)), Vec::new());
        Input::Loaded { last, keys, ready: true, run: run(5) }
    };
    // The read that was under way when the leader began does not count.
    tab.handle(now, read());
    tab.handle(now, Input::Heard(Word::Leads { place: old(0), shows: Vec::new() }));
    let writes = vec![Write::PutRow(row(1))];
    tab.handle(now, Input::Heard(Word::Batch { place: old(1), writes }));
    let out = tab.handle(now, read());
    assert!(!out.iter().any(|it| matches!(it, Output::Apply(_))), "{out:?}");
}

#[test]
fn a_database_that_fails_at_once_is_not_tried_again_at_each_word() {
    let mut now = Instant(1_000);
    let mut tab = leading(now);
    let loads = |tab: &mut Tabs, now| {
        let word = Word::Ask { tab: 2, n: 1, command: Command::RetryNow };
        tab.handle(now, Input::Failed);
        let out = tab.handle(now, Input::Heard(word));
        let loads = out.iter().any(|it| matches!(it, Output::Load));
        if loads {
            tab.handle(now, loaded());
        }
        loads
    };
    assert!(loads(&mut tab, now));
    assert!(!loads(&mut tab, now), "the other tab says it again as soon as this one leads");
    now = now + PATIENCE;
    let out = tab.handle(now, Input::Tick);
    assert!(out.iter().any(|it| matches!(it, Output::Load)), "it is not forgotten: {out:?}");
}
