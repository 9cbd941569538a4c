//! The client, before a desk that answers whatever it is told to.

use super::deeds::{Ask, Deed};
use holdfast_common::{
    codec::work as codec,
    frame::work::*,
    id::JobId,
    job::Place,
    proof::{Desk, Fate, QUEUES, job},
    time::Millis,
};

fn enqueue(req: Request, queue: String, id: JobId, priority: i64) -> EnqueueJob {
    EnqueueJob {
        req,
        id,
        ns: "work".to_owned(),
        queue,
        kind: "task".to_owned(),
        delay_ms: None,
        priority: Some(priority),
        group: None,
        max_attempts: None,
        backoff_ms: None,
        expires_ms: None,
    }
}

pub struct World {
    pub desk: Desk,
    req: Request,
}

impl World {
    pub fn new() -> Self {
        let mut desk = Desk::default();
        desk.hear(br#"{"hello":{"name":"x"}}"#);
        desk.answer(0, Fate::Done);
        Self { desk, req: 0 }
    }

    fn ask(&mut self, ask: Ask) {
        if self.desk.watched.machine.full() {
            return;
        }
        self.req += 1;
        let (req, ns) = (self.req, "work".to_owned());
        let queue = |n: u8| QUEUES[usize::from(n % 2)].to_owned();
        let lease = |n: u8| {
            let (job, token) = self.desk.lease(n);
            (job, token.to_string())
        };
        let mut payload = "";
        let frame = match ask {
            Ask::Consume(n, credit) => {
                let (queue, lease_ms) = (queue(n), None);
                WorkClient::Consume(Consume { req, ns, queue, credit, lease_ms })
            }
            Ask::Unconsume(n) => WorkClient::Unconsume(Unsubscribe { req, sub: n.into() }),
            Ask::Enqueue(n, priority) => {
                payload = "{}";
                WorkClient::Enqueue(enqueue(req, queue(n), job(n.into()), priority))
            }
            Ask::Take(n) => WorkClient::Take(Take { req, job: job(n.into()), lease_ms: None }),
            Ask::Complete(n, sub, text) => {
                payload = text;
                let ((job, token), next) = (lease(n), sub.map(Sub::from));
                WorkClient::Complete(Complete { req, job, token, next })
            }
            Ask::Snooze(n, sub) => {
                let ((job, token), next) = (lease(n), sub.map(Sub::from));
                WorkClient::Snooze(Snooze { req, job, token, delay_ms: None, next })
            }
            Ask::Extend(n) => {
                let ((job, token), note) = (lease(n), None);
                let (lease_ms, progress) = (None, Some(n * 50));
                WorkClient::Extend(ExtendLease { req, job, token, lease_ms, progress, note })
            }
            Ask::Watch(n) => WorkClient::Watch(Watch { req, ns, queue: queue(n) }),
            Ask::Unwatch(n) => WorkClient::Unwatch(Unsubscribe { req, sub: n.into() }),
            Ask::More(n) => {
                let (sub, place) = (n.into(), Place::Dead);
                WorkClient::More(More { req, sub, place, after: None, like: Like::default() })
            }
            Ask::Pause => {
                let (queue, deed) = (queue(0), holdfast_common::frame::work::Deed::Pause);
                WorkClient::Govern(Govern { req, ns, queue, deed })
            }
        };
        self.desk.hear(codec::write_client_with(&frame, payload).as_bytes());
    }

    pub fn step(&mut self, deed: Deed) {
        let desk = &mut self.desk;
        match deed {
            Deed::Ask(ask) => self.ask(ask),
            Deed::Credit(sub, n) => {
                let sub = sub.into();
                let text = codec::write_client(&WorkClient::Credit(Credit { sub, n }));
                desk.hear(text.as_bytes());
            }
            Deed::Answer(at, fate) => desk.answer(at, fate),
            Deed::Push(sub, count) => desk.push(sub.into(), count),
            Deed::Change(first, count, from, to) => {
                let first = u16::from(first);
                desk.moves(first..first + count, from, to);
            }
            Deed::Missed => desk.missed(),
            Deed::Figures => desk.figures(),
            Deed::Flushed => desk.flushed(),
            Deed::Later(length) => desk.later(Millis(length)),
            Deed::Drain => desk.drains(),
            Deed::Gone => desk.goes(),
            Deed::Bytes(bytes) => drop(desk.hear(&bytes)),
        }
    }
}
