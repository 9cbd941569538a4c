//! What a client asks for: each is answered once, here where that can be said at once.

use super::{Consumer, Decided, Output, QueueName, Refusal, pushing::Subscription};
use crate::{
    codec::work::{Incoming, write_server_beside},
    error::Code,
    frame::work::{
        Deed, Did, EnqueueJob, Enqueued as EnqueuedFrame, Govern, Request, Sub, Take, Watch, Which,
        WorkClient, WorkServer,
    },
    id::JobId,
    job::{
        self, JobState, NewJob, Unfit,
        limits::{CALL_JOBS, SUBSCRIPTIONS, label},
    },
    json,
    limits::OPEN_REQUESTS,
    storage::jobs::{Claim, Enqueued, Wanted},
    time::Millis,
};
use serde::{Serialize, de::IgnoredAny};
use std::sync::Arc;

/// A request under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    Consume(Sub),
    Enqueue(JobId),
    Take,
    /// With the subscription that gets one credit more.
    End {
        job: JobId,
        fence: u64,
        next: Option<Sub>,
    },
    Extend {
        job: JobId,
        fence: u64,
    },
    Govern,
    Watch(Sub),
    Page(Sub),
}

impl Consumer {
    pub(super) fn request(&mut self, incoming: Incoming<'_>) {
        let Some(req) = number(&incoming.frame) else {
            return self.close(Code::BadFrame);
        };
        if self.open.contains_key(&req) {
            return self.close(Code::BadFrame);
        }
        if self.open.len() >= OPEN_REQUESTS {
            return self.close(Code::OverLimit);
        }
        if let Err(refusal) = self.asked(incoming) {
            self.refuse(req, refusal);
        }
    }

    fn asked(&mut self, incoming: Incoming<'_>) -> Result<(), Refusal> {
        let Incoming { frame, brings, patience, payload } = incoming;
        let begins =
            matches!(frame, WorkClient::Consume(_) | WorkClient::Watch(_) | WorkClient::Take(_));
        if begins && self.draining {
            return Err(Code::Draining.into());
        }
        match frame {
            WorkClient::Consume(ask) => {
                let queue = named(ask.ns, ask.queue)?;
                self.consume(ask.req, queue, ask.credit, ask.lease_ms);
            }
            WorkClient::Unconsume(ask) => {
                self.unconsume(ask.sub);
                self.did(Did { req: ask.req, ..Did::default() });
            }
            WorkClient::Enqueue(ask) => self.enqueue(ask, payload)?,
            WorkClient::Take(ask) => self.take(&ask),
            WorkClient::Complete(ask) => self.complete(ask, brings, payload)?,
            WorkClient::Fail(ask) => self.fail(ask, patience, payload)?,
            WorkClient::Extend(ask) => self.extend(ask)?,
            WorkClient::Snooze(ask) => self.snooze(ask)?,
            WorkClient::Watch(Watch { req, ns, queue }) => self.watch(req, named(ns, queue)?)?,
            WorkClient::Unwatch(ask) => {
                self.unwatch(ask.sub);
                self.did(Did { req: ask.req, ..Did::default() });
            }
            WorkClient::More(ask) => self.more(ask)?,
            WorkClient::Govern(ask) => self.govern(ask, payload)?,
            WorkClient::Hello(_) | WorkClient::Credit(_) | WorkClient::Ping(_) => {
                self.close(Code::BadFrame);
            }
        }
        Ok(())
    }

    fn consume(&mut self, req: Request, queue: QueueName, credit: u32, lease: Option<Millis>) {
        if self.subs.len() >= SUBSCRIPTIONS {
            return self.close(Code::OverLimit);
        }
        self.named += 1;
        let (sub, queue) = (self.named, Arc::new(queue));
        self.open.insert(req, Asked::Consume(sub));
        self.follow(&queue);
        self.subs.insert(sub, Subscription::new(req, Arc::clone(&queue), credit, lease));
        self.out.push(Output::Consume { sub, queue, holder: self.me.clone(), lease });
    }

    fn enqueue(&mut self, ask: EnqueueJob, payload: &[u8]) -> Result<(), Refusal> {
        let limit = self.limits.payload_bytes as usize;
        let data = read(payload, limit)?.ok_or(Code::BadPayload)?;
        let QueueName { ns, name: queue } = named(ask.ns, ask.queue)?;
        let priority = ask.priority.unwrap_or_default();
        let job = NewJob {
            id: ask.id,
            ns,
            queue,
            kind: ask.kind,
            data,
            delay: ask.delay_ms.unwrap_or_default(),
            priority: priority.try_into().map_err(|_| Unfit::Bounds("priority"))?,
            group: ask.group,
            most: ask.max_attempts,
            backoff: ask.backoff_ms,
            expires: ask.expires_ms,
            asker: self.me.person,
        };
        job.check(limit)?;
        self.open.insert(ask.req, Asked::Enqueue(job.id));
        self.out.push(Output::Enqueue { req: ask.req, job });
        Ok(())
    }

    fn take(&mut self, ask: &Take) {
        let Take { req, job, lease_ms: lease } = *ask;
        let claim = Claim { wanted: Wanted::Job(job), holder: self.me.clone(), lease };
        self.open.insert(req, Asked::Take);
        self.out.push(Output::Take { req, claim });
    }

    fn govern(&mut self, ask: Govern, payload: &[u8]) -> Result<(), Refusal> {
        let queue = named(ask.ns, ask.queue)?;
        let what = decided(ask.deed, payload, self.limits.payload_bytes as usize)?;
        self.open.insert(ask.req, Asked::Govern);
        let by = self.me.clone();
        self.out.push(Output::Govern { req: ask.req, by, queue, what });
        Ok(())
    }

    pub(super) fn enqueued(&mut self, req: Request, result: Result<Enqueued, Refusal>) {
        let Some(Asked::Enqueue(id)) = self.answered(req, |it| matches!(it, Asked::Enqueue(_)))
        else {
            return;
        };
        let refusal = match result {
            Ok(it @ (Enqueued::Made { .. } | Enqueued::Again(_))) => {
                let again = matches!(it, Enqueued::Again(_));
                return self.send(&WorkServer::Enqueued(EnqueuedFrame { req, id, again }));
            }
            Ok(Enqueued::Mismatch) => Code::IdempotencyMismatch.into(),
            Ok(Enqueued::UnknownQueue { .. }) => job::Code::UnknownQueue.into(),
            Ok(Enqueued::QueueFull) => job::Code::QueueFull.into(),
            Ok(Enqueued::TooLarge) => Code::TooLarge.into(),
            Err(refusal) => refusal,
        };
        self.refuse(req, refusal);
    }

    pub(super) fn governed(&mut self, req: Request, result: Result<u64, Refusal>) {
        if self.answered(req, |it| *it == Asked::Govern).is_none() {
            return;
        }
        match result {
            Ok(count) => self.did(Did { req, count: Some(count), ..Did::default() }),
            Err(refusal) => self.refuse(req, refusal),
        }
    }

    /// Takes a request from those under way, if it is of the kind that is answered.
    pub(super) fn answered(
        &mut self,
        req: Request,
        of: impl FnOnce(&Asked) -> bool,
    ) -> Option<Asked> {
        if self.open.get(&req).is_some_and(of) { self.open.remove(&req) } else { None }
    }

    pub(super) fn did(&mut self, did: Did) {
        self.send(&WorkServer::Did(did));
    }

    pub(super) fn refuse(&mut self, req: Request, refusal: impl Into<Refusal>) {
        // Closing is an answer, too.
        if !self.is_closed() {
            let (refused, at) = refusal.into().answer(req);
            self.send_beside(&refused, &at);
        }
    }

    pub(super) fn send_beside(&mut self, frame: &WorkServer, members: &impl Serialize) {
        self.flushed = false;
        self.out.push(Output::Send(write_server_beside(frame, members)));
    }
}

/// The number of a request; `None` for what is none.
const fn number(frame: &WorkClient) -> Option<Request> {
    Some(match frame {
        WorkClient::Hello(_) | WorkClient::Credit(_) | WorkClient::Ping(_) => return None,
        WorkClient::Consume(ask) => ask.req,
        WorkClient::Unconsume(ask) | WorkClient::Unwatch(ask) => ask.req,
        WorkClient::Enqueue(ask) => ask.req,
        WorkClient::Take(ask) => ask.req,
        WorkClient::Complete(ask) => ask.req,
        WorkClient::Fail(ask) => ask.req,
        WorkClient::Extend(ask) => ask.req,
        WorkClient::Snooze(ask) => ask.req,
        WorkClient::Watch(ask) => ask.req,
        WorkClient::More(ask) => ask.req,
        WorkClient::Govern(ask) => ask.req,
    })
}

/// A queue's name, if there could be one of it.
fn named(ns: String, name: String) -> Result<QueueName, Refusal> {
    if label(&ns) && label(&name) {
        Ok(QueueName { ns, name })
    } else {
        Err(job::Code::UnknownQueue.into())
    }
}

/// What follows a frame, as a text of JSON; `None` where nothing does.
pub(super) fn read(payload: &[u8], most: usize) -> Result<Option<String>, Refusal> {
    if payload.len() > most {
        return Err(Code::TooLarge.into());
    }
    let text = std::str::from_utf8(payload).map_err(|_| Code::BadPayload)?;
    if text.trim_ascii().is_empty() {
        return Ok(None);
    }
    json::read::<IgnoredAny>(text).map_err(|_| Code::BadPayload)?;
    Ok(Some(text.to_owned()))
}

fn decided(deed: Deed, payload: &[u8], most: usize) -> Result<Decided, Refusal> {
    let bounded = |which: Which| match which {
        Which::Jobs(jobs) if jobs.len() > CALL_JOBS => Err(Refusal::from(Code::TooLarge)),
        which => Ok(which),
    };
    Ok(match deed {
        Deed::Cancel(which) => match bounded(which)? {
            Which::Jobs(jobs) => Decided::Cancel(jobs),
            Which::Like(_) => return Err(Code::BadRequest.into()),
        },
        Deed::Discard(which) => Decided::Discard(bounded(which)?),
        Deed::Requeue(which) => {
            let (which, data) = (bounded(which)?, read(payload, most)?);
            let one = matches!(&which, Which::Jobs(jobs) if jobs.len() == 1);
            if data.is_some() && !one {
                return Err(Code::BadRequest.into());
            }
            Decided::Requeue(which, data)
        }
        Deed::Pause => Decided::Pause,
        Deed::Resume => Decided::Resume,
        Deed::Purge(state @ (JobState::Ready | JobState::Dead)) => Decided::Purge(state),
        Deed::Purge(_) => return Err(Code::BadRequest.into()),
        Deed::Set => Decided::Set(read(payload, most)?.ok_or(Code::BadRequest)?),
    })
}
