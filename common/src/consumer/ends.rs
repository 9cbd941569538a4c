//! What a holder says of its job.

use super::{BroughtIds, Consumer, Output, Refusal, asks::Asked, asks::read};
use crate::{
    error::Code,
    frame::work::{
        Brings, Complete, Did, ExtendLease, Fail, Patience, Request, Snooze, Sub, WorkServer,
    },
    id::JobId,
    job::{
        self, Reason, Token,
        limits::{RESULT_BYTES, reason},
    },
    storage::{
        Appended, Verdict,
        jobs::{Claim, Claimed, Ended, Extend, Extended, How, Progress, Wanted},
    },
};

impl Consumer {
    pub(super) fn complete(
        &mut self,
        ask: Complete,
        brings: Brings,
        payload: &[u8],
    ) -> Result<(), Refusal> {
        let result = outcome(payload)?.filter(|text| text.trim_ascii() != "null");
        self.end_lease(ask.req, ask.job, &ask.token, How::Complete { result }, brings, ask.next)
    }

    pub(super) fn fail(
        &mut self,
        ask: Fail,
        patience: Patience,
        payload: &[u8],
    ) -> Result<(), Refusal> {
        let failure = outcome(payload)?;
        let retry = ask.retry.then_some(patience.retry_ms.unwrap_or_default());
        let how = How::Fail { reason: reason(ask.reason), failure, retry };
        self.end_lease(ask.req, ask.job, &ask.token, how, Brings::default(), ask.next)
    }

    pub(super) fn snooze(&mut self, ask: Snooze) -> Result<(), Refusal> {
        let delay = ask.delay_ms.unwrap_or_default();
        let how = How::Snooze { delay };
        self.end_lease(ask.req, ask.job, &ask.token, how, Brings::default(), ask.next)
    }

    pub(super) fn extend(&mut self, ask: ExtendLease) -> Result<(), Refusal> {
        let token = read_token(&ask.token)?;
        let note = ask.note.map(reason);
        let progress = (ask.progress.is_some() || note.is_some())
            .then(|| Progress { percent: ask.progress.unwrap_or(0), note });
        let (req, lease) = (ask.req, ask.lease_ms);
        self.open.insert(req, Asked::Extend { job: ask.job, fence: token.fence });
        let extend = Extend { jobs: vec![(ask.job, token)], lease, progress };
        self.out.push(Output::Extend { req, extend });
        Ok(())
    }

    fn end_lease(
        &mut self,
        req: Request,
        job: JobId,
        token: &str,
        how: How,
        brings: Brings,
        next: Option<Sub>,
    ) -> Result<(), Refusal> {
        let token = read_token(token)?;
        let next = next.filter(|sub| self.subs.get(sub).is_some_and(|sub| sub.opening.is_none()));
        let then = next.and_then(|sub| self.subs.get(&sub)).map(|sub| Claim {
            wanted: Wanted::Of { ns: sub.queue.ns.clone(), queue: sub.queue.name.clone(), most: 1 },
            holder: self.me.clone(),
            lease: sub.lease,
        });
        self.ending(job, token.fence);
        self.open.insert(req, Asked::End { job, fence: token.fence, next });
        let author = self.author.clone();
        self.out.push(Output::End { req, job, token, how, brings, author, then });
        Ok(())
    }

    pub(super) fn ended(
        &mut self,
        req: Request,
        version: u64,
        ids: BroughtIds,
        result: Result<Ended, Refusal>,
    ) {
        let asked = self.answered(req, |it| matches!(it, Asked::End { .. }));
        let Some(Asked::End { job, fence, next }) = asked else {
            return self.hand_back_of(result.ok());
        };
        let over = matches!(
            result,
            Ok(Ended::Done { .. } | Ended::Again { .. } | Ended::Late(_) | Ended::UnknownJob)
        );
        self.said(job, fence, over);
        let refusal = match result {
            Ok(Ended::Done { place, wait, then, appended }) => {
                let did = Did { req, state: Some(place.state()), retry_ms: wait, ..Did::default() };
                let brought = ids.stand(appended.iter().map(Appended::offset));
                self.send_beside(&WorkServer::Did(did), &brought);
                return self.next(next, version, then);
            }
            Ok(Ended::Again { place, stands }) => {
                let did = Did { req, state: Some(place.state()), again: true, ..Did::default() };
                self.send_beside(&WorkServer::Did(did), &ids.stand(stands));
                return self.next(next, version, None);
            }
            Ok(Ended::Late(reason)) => reason.into(),
            Ok(Ended::TooOften) => Code::TooMany.into(),
            Ok(Ended::UnknownJob) => job::Code::UnknownJob.into(),
            Ok(Ended::Rejected { index, verdict }) => rejected(verdict).of_event(index),
            Ok(Ended::Moved) => Code::Overloaded.into(),
            Ok(Ended::UnknownQueue { index }) => {
                Refusal::from(job::Code::UnknownQueue).of_job(index)
            }
            Ok(Ended::QueueFull) => job::Code::QueueFull.into(),
            Ok(Ended::TooLarge) => Code::TooLarge.into(),
            Err(refusal) => refusal,
        };
        self.refuse(req, refusal);
    }

    /// The one credit more that came with an end, and the job that it got at once.
    fn next(&mut self, next: Option<Sub>, version: u64, then: Option<Claimed>) {
        let mut jobs = match then {
            Some(Claimed::Jobs { jobs, .. }) => jobs.into_iter(),
            _ => Vec::new().into_iter(),
        };
        if let Some(sub) = next.filter(|sub| self.subs.contains_key(sub)) {
            match jobs.next() {
                Some(job) => self.tell(sub, version, job),
                None => self.credit(sub, 1),
            }
        }
        self.hand_back(jobs);
    }

    pub(super) fn extended(&mut self, req: Request, result: Result<Extended, Refusal>) {
        let Some(Asked::Extend { job, fence }) =
            self.answered(req, |it| matches!(it, Asked::Extend { .. }))
        else {
            return;
        };
        let refusal = match result {
            Ok(Extended::Until(given)) => {
                let (lease_ms, expires_at) = (Some(given.length), Some(given.until));
                return self.did(Did { req, lease_ms, expires_at, ..Did::default() });
            }
            Ok(Extended::Late(reason)) => {
                self.forget(job, fence);
                reason.into()
            }
            Ok(Extended::UnknownJob) => job::Code::UnknownJob.into(),
            Err(refusal) => refusal,
        };
        self.refuse(req, refusal);
    }
}

/// A text that is no token is no lease's.
fn read_token(text: &str) -> Result<Token, Refusal> {
    text.parse().map_err(|_| Reason::Other.into())
}

/// Why an event that was to be appended with an end is not.
fn rejected(verdict: Verdict) -> Refusal {
    let Verdict::Reject { code, detail, why, .. } = verdict else {
        return Code::ServerFault.into();
    };
    let mut refusal = Refusal::new(code.name(), &detail);
    refusal.at.why = why.and_then(|why| serde_json::from_str(&why).ok());
    refusal
}

/// What comes of a job, as JSON. Of what is too large no more is kept than shows that.
fn outcome(payload: &[u8]) -> Result<Option<String>, Refusal> {
    let mut text = read(payload, usize::MAX)?;
    if let Some(text) = text.as_mut().filter(|text| text.len() > RESULT_BYTES) {
        text.truncate(text.ceil_char_boundary(RESULT_BYTES + 1));
        text.shrink_to_fit();
    }
    Ok(text)
}
