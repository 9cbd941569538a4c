//! A worker by `holdfast-work.v1`: jobs are pushed to it, and what it says is said again, with the same
//! token, over whatever connection there is next.

use super::{Deed, HOLD_MS, LEASE_MS, Leased, Worker, came, ends, longer, said, say};
use crate::{
    Outcome,
    clock::{millis, nanos},
    driver::socket::{self, Came, Socket},
};
use holdfast_common::{
    codec::work as codec,
    error::{Code, Kind},
    frame::{
        Ping,
        work::{
            Complete, Consume, Credit, ExtendLease, Fail, Hello, Request, SUBPROTOCOL, Snooze, Sub,
            WorkClient, WorkServer,
        },
    },
    id::JobId,
    time::Millis,
};
use serde_json::{Value, json};
use std::{collections::VecDeque, net::SocketAddr};
use tokio::time::timeout;

/// How long it hears nothing before it pings.
const PING: u64 = 800;
/// So many of these in silence, and the connection is given up.
const SILENT: u32 = 6;

pub(super) async fn work(mut worker: Worker) -> Outcome<()> {
    let mut link = Link::new(worker.address, &worker.name);
    loop {
        let job = link.job().await?;
        match worker.begins(&job).await {
            Deed::Complete => complete(&mut link, &worker, &job).await?,
            Deed::Fail(reason) => {
                let fail = |req, job, token, next| {
                    let reason = reason.clone();
                    WorkClient::Fail(Fail { req, job, token, reason, retry: true, next })
                };
                link.ends(&job, "fail", None, fail).await?;
            }
            Deed::GiveBack => {
                let delay_ms = Some(Millis(20));
                let snooze = |req, job, token, next| {
                    WorkClient::Snooze(Snooze { req, job, token, delay_ms, next })
                };
                link.ends(&job, "snooze", None, snooze).await?;
            }
            Deed::Hold(time) => {
                let extend = |req, job, token, _| {
                    let lease_ms = Some(Millis(HOLD_MS));
                    let (progress, note) = (Some(1), None);
                    WorkClient::Extend(ExtendLease { req, job, token, lease_ms, progress, note })
                };
                let asked = nanos();
                if link.says(&job, None, extend).await? == "done" {
                    longer(&job, asked);
                    tokio::time::sleep(millis(time)).await;
                    complete(&mut link, &worker, &job).await?;
                }
            }
        }
    }
}

async fn complete(link: &mut Link, worker: &Worker, job: &Leased) -> Outcome<()> {
    let result = json!({ "fence": job.fence, "how": "socket" });
    let beside = Beside { brings: worker.brings(job)?, result };
    let done = |req, job, token, next| WorkClient::Complete(Complete { req, job, token, next });
    link.ends(job, "complete", Some(&beside), done).await
}

/// What a completion says beside its own members, in the same words each time.
struct Beside {
    /// Stands in the frame with them.
    brings: Value,
    /// Follows the frame.
    result: Value,
}

/// Its connections, one after the other.
struct Link {
    address: SocketAddr,
    name: String,
    socket: Option<Socket>,
    sub: Option<Sub>,
    last: Request,
    mine: VecDeque<Leased>,
    /// When it has said that it wants one job more, on this connection. Each job uses the oldest up:
    /// a word of these that was refused is behind those that count.
    asked: VecDeque<u64>,
}

impl Link {
    fn new(address: SocketAddr, name: &str) -> Self {
        let (name, mine, asked) = (name.to_owned(), VecDeque::new(), VecDeque::new());
        Self { address, name, socket: None, sub: None, last: 0, mine, asked }
    }

    /// The next job that is pushed.
    async fn job(&mut self) -> Outcome<Leased> {
        loop {
            if let Some(job) = self.mine.pop_front() {
                return Ok(job);
            }
            self.subscribe().await?;
            self.frame().await?;
        }
    }

    /// Ends a job, and says so; then it wants another one.
    async fn ends(
        &mut self,
        job: &Leased,
        what: &str,
        beside: Option<&Beside>,
        end: impl Fn(Request, JobId, String, Option<Sub>) -> WorkClient,
    ) -> Outcome<()> {
        ends(job);
        let taken = self.says(job, beside, end).await?;
        said(job, what, &taken);
        if let (true, Some(sub)) = (taken != "done", self.sub) {
            // What was not done has asked for no next one.
            self.send(&WorkClient::Credit(Credit { sub, n: 1 }), None);
        }
        Ok(())
    }

    /// Says a word about a job until it is answered.
    async fn says(
        &mut self,
        job: &Leased,
        beside: Option<&Beside>,
        word: impl Fn(Request, JobId, String, Option<Sub>) -> WorkClient,
    ) -> Outcome<String> {
        let id: JobId = job.id.parse()?;
        loop {
            self.subscribe().await?;
            let req = self.request();
            self.send(&word(req, id, job.token.clone(), self.sub), beside);
            while self.socket.is_some() {
                match self.frame().await? {
                    Some(WorkServer::Did(did)) if did.req == req => {
                        return Ok(if did.again { "again" } else { "done" }.to_owned());
                    }
                    Some(WorkServer::Refused(no)) if no.req == req => {
                        let reason = no.reason.map(serde_json::to_value).transpose()?;
                        if let Some(reason) = reason {
                            return Ok(reason.as_str().unwrap_or("refused").to_owned());
                        }
                        if !comes_again(&no.code) {
                            say(&format!("odd {no:?}"));
                        }
                        tokio::time::sleep(millis(100)).await;
                        break;
                    }
                    _ => {}
                }
            }
        }
    }

    /// Has a connection over which jobs are pushed.
    async fn subscribe(&mut self) -> Outcome<()> {
        while self.socket.is_none() || self.sub.is_none() {
            self.sub = None;
            self.asked.clear();
            self.socket = socket::open(self.address, SUBPROTOCOL).await;
            if self.socket.is_none() {
                tokio::time::sleep(millis(30)).await;
                continue;
            }
            let name = self.name.clone();
            self.send(&WorkClient::Hello(Hello { person: None, secret: None, name }), None);
            let consume = Consume {
                req: self.request(),
                ns: "work".to_owned(),
                queue: "inbox".to_owned(),
                credit: 1,
                lease_ms: Some(Millis(LEASE_MS)),
            };
            self.send(&WorkClient::Consume(consume), None);
            while self.socket.is_some() && self.sub.is_none() {
                if let Some(WorkServer::Refused(_)) = self.frame().await? {
                    self.socket = None;
                    tokio::time::sleep(millis(100)).await;
                }
            }
        }
        Ok(())
    }

    /// The next frame. `None` where there was none: one has been silent, or the connection is over.
    async fn frame(&mut self) -> Outcome<Option<WorkServer>> {
        let mut silent = 0;
        let text = loop {
            match timeout(millis(PING), socket::next(&mut self.socket)).await {
                Ok(Came::Text(text)) => break text,
                Err(_) if silent < SILENT => {
                    silent += 1;
                    self.send(&WorkClient::Ping(Ping { n: 1 }), None);
                }
                Ok(Came::End(_)) | Err(_) => {
                    (self.socket, self.sub) = (None, None);
                    return Ok(None);
                }
            }
        };
        let frame = codec::read_server(&text)?;
        match &frame {
            Some(WorkServer::Consuming(it)) => self.sub = Some(it.sub),
            Some(WorkServer::Leased(it)) => {
                let job = &it.job;
                let leased = Leased {
                    id: job.id.to_string(),
                    token: job.token.clone(),
                    fence: job.fence,
                    attempt: job.attempt,
                    data: serde_json::from_str(job.data.get())?,
                };
                came(&leased, self.asked.pop_front().unwrap_or(0));
                self.mine.push_back(leased);
            }
            _ => {}
        }
        Ok(frame)
    }

    const fn request(&mut self) -> Request {
        self.last += 1;
        self.last
    }

    fn send(&mut self, frame: &WorkClient, beside: Option<&Beside>) {
        if wants_one_more(frame) {
            self.asked.push_back(nanos());
        }
        let text = match beside {
            None => codec::write_client(frame),
            Some(Beside { brings, result }) => {
                format!("{}\n{result}", codec::write_client_beside(frame, brings))
            }
        };
        if let Some(socket) = &self.socket {
            socket.send(text);
        }
    }
}

/// Whether a job may be pushed for this.
const fn wants_one_more(frame: &WorkClient) -> bool {
    match frame {
        WorkClient::Consume(_) | WorkClient::Credit(_) => true,
        WorkClient::Complete(Complete { next, .. })
        | WorkClient::Fail(Fail { next, .. })
        | WorkClient::Snooze(Snooze { next, .. }) => next.is_some(),
        _ => false,
    }
}

/// Whether a request that is refused with this code is to be made again: it was not done, or nobody
/// knows.
fn comes_again(code: &str) -> bool {
    Code::ALL.iter().any(|it| it.name() == code && it.kind() != Kind::Reject)
}
