//! The client's side of a connection of `holdfast-work.v1`: frames for what is said, and what frames
//! mean. A connection that is made anew is a new one of these.

use crate::{
    brings,
    deed::{End, Ended, Leased},
    disk::{QUEUES, Queue},
    server::{Down, Up, digest},
};
use holdfast_common::{
    codec::work as codec,
    consumer::BroughtIds,
    error::Code,
    frame::work::{
        Brings, Brought, Complete, Consume, Credit, EnqueueJob, ExtendLease, Fail, Hello,
        JobLeased, Refused, Request, Snooze, Sub, Take, WorkClient, WorkServer,
    },
    id::{JobId, PersonId},
    job::{Digest, Ending, Token},
};
use std::collections::{BTreeMap, BTreeSet};

/// What a request was about.
#[derive(Debug, Clone)]
enum Asked {
    Consume(Queue),
    Take(Queue),
    /// With the number that it keeps over connections, and what it brings.
    End(u64, BroughtIds),
    Extend(JobId, Token),
    Enqueue(u64),
}

#[derive(Debug, Default)]
pub struct Client {
    last: Request,
    asked: BTreeMap<Request, Asked>,
    /// The subscription, and its queue.
    sub: Option<(Sub, Queue)>,
    /// What it may still be pushed.
    pub credit: u64,
    /// Leases that it has heard of over this connection.
    pub heard: BTreeSet<(JobId, u64)>,
}

/// What a frame comes to.
#[derive(Debug)]
pub enum Heard {
    Down(Down),
    /// It waits for jobs no longer.
    Unsubscribed,
    /// A job for which there was no credit.
    Unasked(Leased),
    /// An end that is done is said to have brought something else than it has.
    Misnamed(u64),
    Nothing,
}

impl Client {
    pub fn hello(at: usize, person: Option<PersonId>) -> String {
        let secret = person.map(|_| "a secret of sixteen bytes".to_owned());
        let name = format!("worker {at}");
        codec::write_client(&WorkClient::Hello(Hello { person, secret, name }))
    }

    /// The frame for what is to be said; none where it means nothing on this connection.
    pub fn frame(&mut self, up: &Up) -> Option<String> {
        self.last += 1;
        let (req, ns) = (self.last, "work".to_owned());
        let (mut payload, mut beside) = (String::new(), Brings::default());
        let (asked, frame) = match up {
            Up::Consume { queue, credit, length } => {
                self.credit = u64::from(*credit);
                let (name, lease_ms) = (name(*queue), Some(*length));
                let ask = Consume { req, ns, queue: name, credit: *credit, lease_ms };
                (Asked::Consume(*queue), WorkClient::Consume(ask))
            }
            Up::Credit { jobs } => {
                let (sub, _) = self.sub?;
                self.credit += u64::from(*jobs);
                return Some(codec::write_client(&WorkClient::Credit(Credit { sub, n: *jobs })));
            }
            Up::Take { queue, job, length } => {
                let ask = Take { req, job: *job, lease_ms: Some(*length) };
                (Asked::Take(*queue), WorkClient::Take(ask))
            }
            Up::End { req: number, end } => {
                let frame = self.end(req, end, &mut payload);
                beside = brings::of(end);
                (Asked::End(*number, brings::ids(end)), frame)
            }
            Up::Extend { job, token, length, progress } => {
                let (lease_ms, progress) = (*length, Some(*progress));
                let token_text = token.to_string();
                let (job, token, note) = (*job, *token, None);
                let ask = ExtendLease { req, job, token: token_text, lease_ms, progress, note };
                (Asked::Extend(job, token), WorkClient::Extend(ask))
            }
            Up::Enqueue { req: number, jobs, .. } => {
                let [asked] = &jobs[..] else { unreachable!("one job a frame") };
                let new = asked.new.clone();
                payload = new.data;
                let ask = EnqueueJob {
                    req,
                    id: new.id,
                    ns,
                    queue: new.queue,
                    kind: new.kind,
                    delay_ms: Some(new.delay),
                    priority: Some(new.priority.into()),
                    group: new.group,
                    max_attempts: new.most,
                    backoff_ms: new.backoff,
                    expires_ms: new.expires,
                };
                (Asked::Enqueue(*number), WorkClient::Enqueue(ask))
            }
            Up::Poll { .. } | Up::Frame(_) | Up::Pong => unreachable!("{up:?} is no frame's"),
        };
        self.asked.insert(req, asked);
        let head = codec::write_client_beside(&frame, &beside);
        Some(format!("{head}\n{payload}"))
    }

    fn end(&mut self, req: Request, end: &End, payload: &mut String) -> WorkClient {
        let (job, token) = (end.job, end.token.to_string());
        let next = self.sub.map(|(sub, _)| sub).filter(|_| end.then.is_some());
        self.credit += u64::from(next.is_some());
        let number = number(&end.digest).to_string();
        match end.how {
            Ending::Complete => {
                *payload = number;
                WorkClient::Complete(Complete { req, job, token, next })
            }
            Ending::Fail { retry, .. } => {
                let retry = retry.is_some();
                WorkClient::Fail(Fail { req, job, token, reason: number, retry, next })
            }
            Ending::Snooze(delay) => {
                WorkClient::Snooze(Snooze { req, job, token, delay_ms: Some(delay), next })
            }
            Ending::HandBack(_) => unreachable!("it is the server's own word"),
        }
    }

    /// What a frame of the server means. Nothing that was not asked for is answered: the machine is
    /// [watched](holdfast_common::proof::Watched).
    pub fn hear(&mut self, text: &str) -> Heard {
        let frame = codec::read_server(text).expect("a frame").expect("of this version");
        match frame {
            WorkServer::Consuming(it) => {
                if let Some(Asked::Consume(queue)) = self.asked.remove(&it.req) {
                    self.sub = Some((it.sub, queue));
                }
                Heard::Nothing
            }
            WorkServer::Leased(it) => {
                let queue = match it.req.map(|req| self.asked.remove(&req)) {
                    Some(Some(Asked::Take(queue))) => queue,
                    _ => self.sub.map_or(0, |(_, queue)| queue),
                };
                let leased = leased(&it.job, queue);
                self.heard.insert((leased.job, leased.token.fence));
                if it.sub.is_some() {
                    let Some(credit) = self.credit.checked_sub(1) else {
                        return Heard::Unasked(leased);
                    };
                    self.credit = credit;
                }
                Heard::Down(Down::Leased { jobs: vec![leased], poll: false })
            }
            WorkServer::Did(it) => match self.asked.remove(&it.req) {
                Some(Asked::End(req, names)) if !is_told(text, &names) => Heard::Misnamed(req),
                Some(Asked::End(req, _)) => {
                    let ended = if it.again { Ended::Again } else { Ended::Done };
                    Heard::Down(Down::Did { req, ended })
                }
                _ => Heard::Nothing,
            },
            WorkServer::Enqueued(it) => match self.asked.remove(&it.req) {
                Some(Asked::Enqueue(req)) => Heard::Down(Down::Enqueued { req }),
                _ => Heard::Nothing,
            },
            WorkServer::Lost(it) => Heard::Down(Down::Lost { job: it.job, fence: it.fence }),
            WorkServer::Refused(it) => self.refused(&it),
            _ => Heard::Nothing,
        }
    }

    fn refused(&mut self, it: &Refused) -> Heard {
        let over = it.code == "unknown_job";
        match self.asked.remove(&it.req) {
            Some(Asked::Consume(_)) => Heard::Unsubscribed,
            Some(Asked::End(req, _)) => {
                let ended = match (it.reason, &*it.code) {
                    (Some(reason), "fenced") => Ended::Late(reason),
                    (_, "unknown_job") => Ended::Unknown,
                    (_, "too_many") => Ended::TooOften,
                    (_, code) if code == Code::Refused.name() => Ended::Rejected,
                    _ => return Heard::Down(Down::Retry { req }),
                };
                Heard::Down(Down::Did { req, ended })
            }
            Some(Asked::Enqueue(req)) => Heard::Down(Down::Retry { req }),
            Some(Asked::Extend(job, token)) if over || it.reason.is_some() => {
                Heard::Down(Down::Lost { job, fence: token.fence })
            }
            _ => Heard::Nothing,
        }
    }
}

fn leased(job: &JobLeased, queue: Queue) -> Leased {
    let token = job.token.parse().expect("a token");
    Leased { job: job.id, queue, token, length: job.lease_ms }
}

/// A queue's name.
pub fn name(queue: Queue) -> String {
    format!("queue {queue}")
}

/// The queue of a name.
pub fn queue_named(text: &str) -> Queue {
    let mut all = 0..QUEUES;
    all.find(|queue| name(*queue) == text).expect("a queue of the model")
}

/// Whether a frame says that these were brought.
fn is_told(text: &str, names: &BroughtIds) -> bool {
    let told: Brought = codec::read_beside(text).expect("a frame");
    let events: Vec<_> = told.events.iter().map(|stands| stands.id).collect();
    events == names.events && told.enqueued == names.jobs
}

/// What a word has that no other one has.
fn number(digest: &Digest) -> u64 {
    let (bytes, _) = digest.split_first_chunk().expect("longer than that");
    u64::from_le_bytes(*bytes)
}

/// The digest of a word, which is that of the word said again.
pub fn digest_of(how: Ending, said: &str) -> Digest {
    match how {
        Ending::Snooze(delay) => digest(1 << 59 | delay.0),
        Ending::HandBack(_) => digest(1 << 58),
        Ending::Complete | Ending::Fail { .. } => digest(said.parse().unwrap_or_default()),
    }
}
