//! What a board shows and says, from outside.

mod connecting;
mod deciding;
mod showing;
mod taking;
mod telling;

use super::*;
use crate::board::store::{Card, Wait};
use holdfast_common::{codec::work::read_client, id::PersonId, job::Place};

const WELCOME: &str = r#"{"welcome":{"connection":"0199c82c-c000-7c00-8c00-000000000001","server":"0.1.0","now":1760000000000,"limits":{"payload_bytes":65536,"result_bytes":65536,"requests":64,"subscriptions":64,"credit":1000,"ping_every":10000,"silence":25000}}}"#;
const TOKEN: &str = "42-9f3c0a11d2e4b567";

fn id(n: u8) -> JobId {
    JobId::new(u64::from(n), &[n; 10])
}

fn queue(ready: u64, leased: u64) -> String {
    format!(
        r#"{{"ns":"work","name":"inbox","ready":{ready},"delayed":0,"behind":0,"leased":{leased},"done":0,"dead":0,"paused":false,"settings":{{}}}}"#
    )
}

fn job(n: u8, place: &str, attempt: u32, more: &str) -> String {
    let id = id(n);
    format!(
        r#"{{"id":"{id}","type":"task","place":"{place}","priority":0,"attempt":{attempt},"max_attempts":5,"data":{{"title":"Job {n}"}},"age_ms":{}{more}}}"#,
        1_000 - u64::from(n)
    )
}

/// A board with its driver's part, at a time of its own.
struct Page {
    machine: Machine,
    now: Instant,
    /// What stands in the browser's storages.
    kept: Vec<(Shelf, JobId, String)>,
    said: Vec<String>,
}

impl Page {
    fn new() -> Self {
        Self::with(Words::default())
    }

    fn with(kept: Words) -> Self {
        let machine = Machine::new("work".into(), "inbox".into(), kept, 7);
        Self { machine, now: Instant(1_000_000), kept: Vec::new(), said: Vec::new() }
    }

    /// Feeds it; returns the frames it sends.
    fn feed(&mut self, input: Input) -> Vec<WorkClient> {
        let mut sent = Vec::new();
        for output in self.machine.handle(self.now, input) {
            match output {
                Output::Send(text) => sent.push(read_client(text.as_bytes()).unwrap().frame),
                Output::Keep(shelf, job, text) => self.kept.push((shelf, job, text)),
                Output::Drop(shelf, job) => {
                    self.kept.retain(|(on, of, _)| (*on, *of) != (shelf, job));
                }
                Output::Say(words) => self.said.push(words),
                Output::Connect | Output::Close(_) | Output::Taken(_) => {}
            }
        }
        sent
    }

    fn hear(&mut self, frame: &str) -> Vec<WorkClient> {
        self.feed(Input::Frame(frame.into()))
    }

    fn wish(&mut self, wish: Wish) -> Vec<WorkClient> {
        self.feed(Input::Wish(wish))
    }

    fn add(&mut self, n: u8, title: &str) -> Vec<WorkClient> {
        self.wish(Wish::Add(vec![(id(n), task(title))], Terms::default()))
    }

    fn later(&mut self, ms: u64) -> Vec<WorkClient> {
        self.now = self.now + Millis(ms);
        self.feed(Input::Tick)
    }

    /// Connects; returns what is said right after the welcome.
    fn connect(&mut self) -> Vec<WorkClient> {
        match self.machine.link() {
            Link::Idle => {
                let (person, secret) = (PersonId::NIL, "s".to_owned());
                self.feed(Input::Start(Principal { person, secret, name: "Ada".into() }));
            }
            _ => drop(self.feed(Input::Retry)),
        }
        assert!(matches!(self.feed(Input::Opened)[..], [WorkClient::Hello(_)]));
        let said = self.hear(WELCOME);
        let [WorkClient::Watch(watch), rest @ ..] = &said[..] else {
            panic!("the board is asked for first: {said:?}");
        };
        let req = watch.req;
        self.board(req, &[job(1, "ready", 0, ""), job(2, "ready", 0, "")]);
        rest.to_vec()
    }

    fn board(&mut self, req: Request, ready: &[String]) {
        let (queue, ready) = (queue(2, 0), ready.join(","));
        self.hear(&format!(
            r#"{{"board":{{"sub":1,"req":{req},"queue":{queue},"oldest_ms":250,"places":[{{"place":"ready","jobs":[{ready}]}}]}}}}"#
        ));
    }

    fn moved(&mut self, job: &str) {
        let queue = queue(1, 1);
        self.hear(&format!(r#"{{"moved":{{"sub":1,"queue":{queue},"jobs":[{job}]}}}}"#));
    }

    /// Takes job 1, and is given it.
    fn take(&mut self) {
        let sent = self.wish(Wish::Take(id(1)));
        let [WorkClient::Take(take)] = &sent[..] else { panic!("{sent:?}") };
        let (req, id) = (take.req, id(1));
        self.hear(&format!(
            r#"{{"leased":{{"req":{req},"job":{{"id":"{id}","token":"{TOKEN}","fence":42,"attempt":1,"type":"task","data":{{"title":"Job 1"}},"lease_ms":60000,"expires_at":1}}}}}}"#
        ));
    }

    fn refuse(&mut self, req: Request, rest: &str) -> Vec<WorkClient> {
        self.hear(&format!(r#"{{"refused":{{"req":{req},"detail":"So it is.",{rest}}}}}"#))
    }

    fn card(&self, n: u8) -> Card {
        self.machine.card(id(n)).unwrap()
    }

    fn column(&self, column: Column) -> Vec<String> {
        let cards = self.machine.rows(column).into_iter();
        cards.map(|id| self.machine.card(id).unwrap().title).collect()
    }

    fn cut(&mut self) {
        self.feed(Input::Closed(1006));
    }
}

fn task(title: &str) -> Task {
    Task { title: title.into(), body: String::new() }
}
