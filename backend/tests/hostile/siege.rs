//! How a class of hostile input is judged: what it did to the process and to the others, compared
//! with how both were just before.

use crate::{
    honest::{Bystanders, Times},
    program::Program,
    raw::{self, Raw},
};
use futures_util::future::join_all;
use std::{
    fs::File,
    net::SocketAddr,
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// How long the others are watched before it begins, and how long it goes on at least.
const QUIET: Duration = Duration::from_millis(300);
const PRESS: Duration = Duration::from_millis(700);

/// Between two rounds of a flood. The attackers' own work is done on the same processors, and what is
/// judged is whether the server lets them stand in anybody's way, not how many processors it has.
const ROUND: Duration = Duration::from_millis(20);

/// What a process may grow by whatever is done to it: the allocator's own, the databases' caches, the
/// log that the others have written meanwhile.
const OWN_GROWTH: u64 = mib(12);

/// The others' median may be so many times what it was before, or what it is meanwhile beside a second
/// server that nobody attacks, if the machine is busy; or `UNNOTICED`, if that is more.
///
/// The median, since it stays where it is when something gets in the way for a moment. It moves when the
/// server stands still for half of the time or is slow for all of it, because the others go by the
/// clock: with the writer held up for a second all events of that second are late. The second server
/// has its share of whatever else the machine does, the attackers' own work included; what is left is
/// what the attack does inside the first.
///
/// `UNNOTICED` is for a machine with a processor to spare. It grows with the number of the server's
/// threads that wait for one on average, which is the machine's doing: one that stands still, or waits
/// for another, waits for none.
const RATIO: u32 = 10;
const UNNOTICED: Duration = Duration::from_millis(150);

/// The same of what nine of ten take: it moves when the server stands still for a tenth of the time, and
/// is wide, since a busy machine moves it too.
const NINE_OF_TEN: Duration = Duration::from_millis(1_500);

pub const fn kib(n: u64) -> u64 {
    n * 1024
}

pub const fn mib(n: u64) -> u64 {
    n * 1024 * 1024
}

/// A class of hostile input.
pub struct Siege {
    what: &'static str,
    options: Vec<&'static str>,
    sockets: u64,
    each: u64,
    besides: u64,
    health_only: bool,
}

/// What is attacked.
pub struct Target {
    pub address: SocketAddr,
    pub program: Program,
    files: Option<usize>,
    until: Instant,
}

impl Target {
    /// Whether it has to go on.
    pub fn pressing(&self) -> bool {
        Instant::now() < self.until
    }

    /// Waits for the next round of a flood.
    pub async fn round(&self) -> bool {
        tokio::time::sleep(ROUND).await;
        self.pressing()
    }

    /// Waits until the server has by itself given up every socket that it did not have before.
    pub async fn let_go(&self) {
        given_back(&self.program, self.files).await;
    }

    /// Waits until the others have been watched for long enough.
    pub async fn hold(&self) {
        tokio::time::sleep_until(self.until.into()).await;
    }
}

pub fn siege(what: &'static str) -> Siege {
    Siege { what, options: Vec::new(), sockets: 0, each: 0, besides: 0, health_only: false }
}

impl Siege {
    /// With this option of the server's.
    pub fn with(mut self, option: &'static str, value: &'static str) -> Self {
        self.options.extend([option, value]);
        self
    }

    /// So many sockets at once, each of which may cost the server so many bytes.
    pub fn sockets(mut self, count: usize, each: u64) -> Self {
        (self.sockets, self.each) = (count as u64, each);
        self
    }

    /// What it may cost however many sockets there are.
    pub fn besides(mut self, bytes: u64) -> Self {
        self.besides = bytes;
        self
    }

    /// Of the others' requests none is taken: they ask how the server is.
    pub fn health_only(mut self) -> Self {
        self.health_only = true;
        self
    }

    pub fn run(self, attack: impl AsyncFnOnce(&Target)) {
        let lock = turn();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(self.laid(attack, lock));
    }

    async fn laid(&self, attack: impl AsyncFnOnce(&Target), turn: File) {
        let (program, quiet) = both(|_| Program::start(&self.options));
        let address = program.address;
        // With the two people, and without what is being asked at this moment.
        let files = program.files().map(|files| files + 2);
        let (others, control) =
            both(|attacked| self.others(if attacked { address } else { quiet.address }));
        let begin = Instant::now();
        tokio::time::sleep(QUIET).await;
        let before = others.between(begin, begin + QUIET);
        program.forget_peak();
        let (memory, waited) = (program.memory(), program.waited());
        let begin = Instant::now();
        let mut target = Target { address, program, files, until: begin + PRESS };
        attack(&target).await;
        target.hold().await;
        let end = Instant::now();
        let waited = target.program.waited().saturating_sub(waited);
        let crowded = 1.0 + waited.as_secs_f64() / (end - begin).as_secs_f64();
        let (during, beside) = (others.between(begin, end), control.between(begin, end));
        let growth = target.program.memory().zip(memory).map(|(now, was)| now.1 - was.0.min(now.1));
        println!("{}", self.row([&before, &beside, &during], growth, crowded));
        target.program.is_well();
        let counted = metrics(address).await;
        assert!(counted.contains("\nholdfast_panics_total 0\n"), "{counted}");
        if let Some(growth) = growth {
            assert!(growth <= self.most(), "{}: {} MiB", self.what, growth / mib(1));
        }
        let [before, beside, during] = [before, beside, during].map(Times::all);
        for ((before, beside), during) in before.iter().zip(&beside).zip(&during) {
            unharmed(crowded, [before, beside, during].map(|it| &it[..]));
        }
        // What lingers for its time is in nobody's way.
        drop((others, control, quiet, turn));
        given_back(&target.program, files).await;
        target.program.is_well();
    }

    fn others(&self, address: SocketAddr) -> Bystanders {
        Bystanders::come(address, self.health_only)
    }

    fn most(&self) -> u64 {
        OWN_GROWTH + self.besides + self.sockets * self.each
    }

    /// A row of the table in docs/testing.md: what it was, the sockets, MiB grown and allowed, and the
    /// medians before, beside and during in milliseconds; last what nine of ten acks took, and how
    /// many of the threads waited for a processor.
    fn row(&self, times: [&Times; 3], growth: Option<u64>, crowded: f64) -> String {
        let growth = growth.map_or("?".to_owned(), |it| format!("{:.1}", it as f64 / 1048576.0));
        let millis = |time: Duration| time.as_secs_f64() * 1e3;
        let three = |of: fn(&Times) -> &Vec<Duration>| {
            let [before, beside, during] = times.map(|it| millis(middle(of(it))));
            format!("{before:.1} / {beside:.1} / {during:.1}")
        };
        format!(
            "| {} | {} | {growth} of {} | {} | {} | {} | {:.0} | {:.1} |",
            self.what,
            self.sockets,
            self.most() / mib(1),
            three(|it| &it.acks),
            three(|it| &it.seen),
            three(|it| &it.requests),
            millis(nine_of_ten(&times[2].acks)),
            crowded - 1.0,
        )
    }
}

/// One after the other, also among processes: each would be the other's noise.
pub fn turn() -> File {
    let lock = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hostile.lock");
    let lock = File::create(lock).unwrap();
    lock.lock().unwrap();
    lock
}

/// So many of the same at once.
pub async fn many<T, F: Future<Output = T>>(count: usize, one: impl FnMut(usize) -> F) -> Vec<T> {
    join_all((0..count).map(one)).await
}

/// What is made for the server that is attacked, and for the other one, at the same time.
fn both<T: Send>(make: impl Fn(bool) -> T + Sync) -> (T, T) {
    thread::scope(|scope| {
        let other = scope.spawn(|| make(false));
        (make(true), other.join().unwrap())
    })
}

fn middle(times: &[Duration]) -> Duration {
    times[times.len() / 2]
}

fn nine_of_ten(times: &[Duration]) -> Duration {
    times[times.len() * 9 / 10]
}

fn unharmed(crowded: f64, [before, beside, during]: [&[Duration]; 3]) {
    for (of, least) in
        [(middle as fn(&[Duration]) -> Duration, UNNOTICED), (nine_of_ten, NINE_OF_TEN)]
    {
        let (before, beside, during) = (of(before), of(beside), of(during));
        let most = least.mul_f64(crowded).max(before.max(beside) * RATIO);
        assert!(
            during <= most,
            "{before:?}, {beside:?} beside it, became {during:?}: {crowded:.1}"
        );
    }
}

/// What the server counts.
pub async fn metrics(address: SocketAddr) -> String {
    let mut raw = Raw::connect(address).await;
    let head = format!("GET /metrics HTTP/1.1\r\nhost: {address}\r\n\r\n");
    raw.write(head.as_bytes()).await.unwrap();
    raw.answer().await.unwrap().1
}

/// Waits until the server has no more files open than before, but for those of the others.
async fn given_back(program: &Program, before: Option<usize>) {
    let Some(before) = before else { return };
    let deadline = Instant::now() + raw::PATIENCE;
    while program.files().is_some_and(|files| files > before + 3) {
        assert!(Instant::now() < deadline, "{before} became {:?}", program.files());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
