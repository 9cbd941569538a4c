//! Who asks for jobs: the clients' people and a service, by HTTP over the line. Each batch is said with
//! its key until it is answered.

use crate::{
    Outcome,
    chance::Chance,
    clock::millis,
    http,
    ledger::Ledger,
    worker::{Kind, POISON_ATTEMPTS},
};
use holdfast_common::{client::Principal, proof::Database};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};
use tokio::{sync::mpsc, task::JoinHandle};

const BATCH: &str = "/api/v1/work/queues/inbox/batch";
/// Jobs of one batch.
const MOST: u64 = 12;
const GROUPS: u64 = 5;
/// Batches that may be said again.
const REMEMBERED: usize = 30;

/// A job that somebody has asked for.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) id: String,
    pub(super) kind: Kind,
    pub(super) group: Option<String>,
    /// Which client's person it was, if it was no service.
    pub(super) by: Option<u8>,
}

/// By their titles, which go in the order of enqueues.
pub(super) type Book = BTreeMap<String, Asked>;

/// Those who ask, as the scenario holds them.
pub(super) struct Asks {
    book: Arc<Mutex<Book>>,
    orders: mpsc::UnboundedSender<Kind>,
    /// What is still to be answered.
    left: Arc<AtomicUsize>,
    task: JoinHandle<Outcome<()>>,
}

struct Asking {
    address: SocketAddr,
    chance: Chance,
    /// How many of the people ask.
    people: u8,
    book: Arc<Mutex<Book>>,
    left: Arc<AtomicUsize>,
    jobs: u64,
    /// The last that were answered.
    said: VecDeque<Said>,
    ledger: Ledger,
}

/// A batch, and how it was answered.
struct Said {
    key: String,
    body: String,
    ids: Vec<String>,
}

impl Asks {
    pub(super) fn start(address: SocketAddr, seed: u64, people: u8, ledger: &Ledger) -> Self {
        let (book, left) = (Arc::<Mutex<Book>>::default(), Arc::<AtomicUsize>::default());
        let (orders, told) = mpsc::unbounded_channel();
        let chance = Chance::new(seed, "asks", 0);
        let (to, count) = (Arc::clone(&book), Arc::clone(&left));
        let asking = Asking {
            address,
            chance,
            people,
            book: to,
            left: count,
            jobs: 0,
            said: VecDeque::new(),
            ledger: ledger.clone(),
        };
        Self { book, orders, left, task: tokio::spawn(asking.run(told)) }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has so many more of these asked for.
    pub(super) fn more(&self, kind: Kind, count: u64) {
        for _ in 0..count {
            self.left.fetch_add(1, SeqCst);
            let _ = self.orders.send(kind);
        }
    }

    /// How many have been enqueued.
    pub(super) fn enqueued(&self) -> usize {
        self.book().len()
    }

    /// Whether all of it has been answered; an answer that has no place fails.
    pub(super) fn is_done(&self) -> bool {
        self.left.load(SeqCst) == 0 || self.task.is_finished()
    }

    pub(super) async fn end(self) -> Outcome<Book> {
        let Self { book, orders, task, .. } = self;
        drop(orders);
        task.await??;
        let book = book.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(book)
    }
}

impl Asking {
    async fn run(mut self, mut told: mpsc::UnboundedReceiver<Kind>) -> Outcome<()> {
        for n in 1_u64.. {
            let most = usize::try_from(self.chance.between(1, MOST))?;
            let mut kinds = Vec::new();
            if told.recv_many(&mut kinds, most).await == 0 {
                break;
            }
            let count = kinds.len();
            if self.chance.percent(20) {
                self.again().await;
            }
            self.batch(n, kinds).await?;
            self.left.fetch_sub(count, SeqCst);
        }
        Ok(())
    }

    /// One batch, until it is known to be there.
    async fn batch(&mut self, n: u64, kinds: Vec<Kind>) -> Outcome<()> {
        let by = self.chance.between(0, u64::from(self.people));
        let by = u8::try_from(by).ok().filter(|by| *by > 0);
        let (mut asked, mut jobs) = (Vec::new(), Vec::new());
        for kind in kinds {
            let (title, group, job) = self.draw(kind);
            asked.push((title, Asked { id: String::new(), kind, group, by }));
            jobs.push(job);
        }
        let body = json!({ "jobs": jobs }).to_string();
        let mut more = format!("idempotency-key: batch-{n}\r\n");
        if let Some(by) = by {
            let Principal { person, secret, .. } = Database::new(by).principal;
            more += &format!("authorization: Holdfast {person}:{secret}\r\n");
        }
        let ids = loop {
            match http::post_with(self.address, BATCH, &more, &body).await {
                Ok(answer) if matches!(answer.status, 200 | 201) => break answer.json()?,
                Ok(answer) if matches!(answer.status, 429 | 500..) => {}
                Ok(answer) if answer.text().contains("The body broke off.") => {}
                Ok(answer) => {
                    let (status, text) = (answer.status, answer.text());
                    return Err(format!("J1: an enqueue is answered {status}, {text}").into());
                }
                Err(_) => {}
            }
            tokio::time::sleep(millis(50)).await;
        };
        let ids: Vec<String> = serde_json::from_value(ids["ids"].clone())?;
        self.said.push_back(Said { key: more, body, ids: ids.clone() });
        if self.said.len() > REMEMBERED {
            self.said.pop_front();
        }
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        for ((title, asked), id) in asked.into_iter().zip(ids) {
            book.insert(title, Asked { id, ..asked });
        }
        Ok(())
    }

    /// Says a batch once more that was answered, perhaps by a server before this one. If that is not
    /// answered, it is of no matter.
    async fn again(&mut self) {
        if self.said.is_empty() {
            return;
        }
        let Said { key, body, ids } = &self.said[self.chance.index(self.said.len())];
        let Ok(answer) = http::post_with(self.address, BATCH, key, body).await else { return };
        let same = answer.json().is_ok_and(|answer| answer["ids"] == json!(ids));
        if matches!(answer.status, 200 | 201) && !(answer.status == 200 && same) {
            let (key, text) = (key.lines().next(), answer.text());
            self.ledger.violation(format!("J10: {key:?} was {ids:?}, and again it is {text}"));
        }
    }

    fn draw(&mut self, kind: Kind) -> (String, Option<String>, Value) {
        self.jobs += 1;
        let title = format!("job-{:06}", self.jobs);
        let mut job = json!({
            "type": "task",
            "data": { "title": title, "body": kind },
            "max_attempts": 100,
            "backoff_ms": 20,
        });
        let mut group = None;
        let at_once = matches!(kind, Kind::Held | Kind::Kept);
        match kind {
            Kind::Held | Kind::Kept => job["priority"] = json!(100),
            Kind::Fails | Kind::Kills => job["max_attempts"] = json!(POISON_ATTEMPTS),
            Kind::Plain | Kind::Parent => {}
        }
        match self.chance.between(0, 9) {
            _ if at_once => {}
            0..=4 => {
                let name = format!("group-{}", self.chance.between(1, GROUPS));
                job["group"] = json!(name);
                group = Some(name);
            }
            5 => job["priority"] = json!(self.chance.between(0, 20)),
            6 => job["delay_ms"] = json!(self.chance.between(1, 500)),
            _ => {}
        }
        (title, group, job)
    }
}
