//! A service that posts events by HTTP, over the line as everybody, and repeats each with its key
//! until it is answered.

use crate::{
    Outcome,
    chance::Chance,
    clock::millis,
    http,
    ledger::{Emitted, Ledger},
};
use holdfast_common::id::RoomId;
use serde_json::Value;
use std::net::SocketAddr;
use tokio::{sync::watch, task::JoinHandle};

/// Whose events these are in the ledger.
const NUMBER: u8 = 100;

/// The service as a scenario holds it.
#[derive(Debug)]
pub(crate) struct Service {
    /// Events that are still to be posted; the one under way counts.
    left: watch::Sender<u64>,
    task: JoinHandle<()>,
}

struct Posting {
    address: SocketAddr,
    rooms: Vec<(RoomId, String)>,
    chance: Chance,
    ledger: Ledger,
}

impl Service {
    pub(crate) fn start(
        address: SocketAddr,
        rooms: Vec<(RoomId, String)>,
        seed: u64,
        ledger: Ledger,
    ) -> Self {
        let left = watch::Sender::new(0);
        let posting = Posting { address, rooms, chance: Chance::new(seed, "service", 0), ledger };
        Self { task: tokio::spawn(posting.run(left.clone())), left }
    }

    pub(crate) fn post(&self, more: u64) {
        self.left.send_modify(|left| *left += more);
    }

    pub(crate) fn left(&self) -> u64 {
        *self.left.borrow()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Posting {
    async fn run(mut self, left: watch::Sender<u64>) {
        let mut more = left.subscribe();
        for n in 1.. {
            if more.wait_for(|left| *left > 0).await.is_err() {
                return;
            }
            self.post(n).await;
            left.send_modify(|left| *left -= 1);
        }
    }

    /// One event, until it is known to be there.
    async fn post(&mut self, n: u64) {
        let (room, name) = self.chance.of(&self.rooms).clone();
        let data = format!("{{\"text\":\"{n} of the service\"}}");
        self.ledger.posted(&data);
        let path = format!("/api/v1/chat/rooms/{name}/events");
        let body = format!("{{\"type\":\"message\",\"data\":{data}}}");
        let key = format!("idempotency-key: {n}\r\n");
        loop {
            let wait = match http::post_with(self.address, &path, &key, &body).await {
                Ok(answer) if matches!(answer.status, 200 | 201) => {
                    if let Err(error) = self.stored(room, &data, &answer) {
                        self.ledger.violation(format!("I2: {error} in {}", answer.text()));
                    }
                    return;
                }
                // Not now; or it may have happened, and then the key finds it.
                Ok(answer) if matches!(answer.status, 429 | 503 | 507) => 100,
                // Cut on the way up, and heard of it before the way down was cut as well.
                Ok(answer) if answer.text().contains("The body broke off.") => 50,
                Ok(answer) => {
                    let (status, text) = (answer.status, answer.text());
                    self.ledger.violation(format!("I11: a post is answered {status}, {text}"));
                    return;
                }
                Err(_) => 50,
            };
            tokio::time::sleep(millis(wait)).await;
        }
    }

    fn stored(&self, room: RoomId, data: &str, answer: &http::Answer) -> Outcome<()> {
        let said: Value = answer.json()?;
        let text = |name: &str| said[name].as_str().ok_or("an answer with something missing");
        let (id, epoch) = (text("id")?.parse()?, text("epoch")?.parse()?);
        let offset = said["offset"].as_u64().ok_or("no offset")?;
        self.ledger.emitted(id, Emitted { by: NUMBER, room, data: data.to_owned() });
        self.ledger.stored(room, epoch, offset, id);
        Ok(())
    }
}
