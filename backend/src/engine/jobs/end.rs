//! What a consumer says of a job that it has.

use super::{
    Work,
    claim::chance,
    digest::digest,
    enqueue::Space,
    rows::{Row, Rows},
    work::Worked,
};
use crate::failpoint::{Planted, planted};
use holdfast_common::{
    error::Code,
    id::JobId,
    job::{Act, Ending, Place, Reason, Refused, Token, limits::reason},
    storage::{
        Append, Appended, Fault, Verdict,
        jobs::{End, Ended, Extend, Extended, How},
    },
    time::Millis,
};

impl<R: Rows> Work<R> {
    pub(in crate::engine) fn end(&mut self, end: &End) -> Worked<Ended, R> {
        let Some(mut row) = self.rows.job(end.job)? else {
            return Ok(Ended::UnknownJob);
        };
        let how = match &end.how {
            How::Complete { .. } => Ending::Complete,
            How::Fail { retry, .. } => Ending::Fail { retry: *retry, chance: chance()? },
            How::Snooze { delay } => Ending::Snooze(*delay),
            How::HandBack { delay } => Ending::HandBack(*delay),
        };
        let act = Act::End { token: end.token, digest: digest(end), how };
        // Tried before anything is stored.
        if let Err(refused) = row.job.clone().act(self.moment.now, act.clone()) {
            return self.refused(&row, end, refused);
        }
        let appended = if end.appends.is_empty() && end.jobs.is_empty() {
            self.leave(&mut row, end, act)?;
            Vec::new()
        } else {
            let whole = self.part(|work| {
                work.leave(&mut row, end, act)?;
                work.bring(end)
            });
            match whole? {
                Ok(appended) => appended,
                Err((index, Ended::Moved)) => return self.moved_by(end, index),
                Err((_, Ended::QueueFull)) => return self.full(end),
                Err((_, ended)) => return Ok(ended),
            }
        };
        let waits = matches!(row.job.place, Place::Ready | Place::Delayed);
        let wait: Option<Millis> = waits.then(|| row.job.due - self.moment.now);
        let then = end.then.as_ref().map(|claim| self.claim(claim)).transpose()?;
        Ok(Ended::Done { place: row.job.place, wait, appended, then })
    }

    /// Ends the lease, which was tried.
    fn leave(&mut self, row: &mut Row, end: &End, act: Act) -> Worked<(), R> {
        let (error, outcome) = match &end.how {
            How::Complete { result } => (None, result.as_deref()),
            How::Fail { reason: why, failure, .. } => {
                (Some(reason(why.clone())), failure.as_deref())
            }
            How::Snooze { .. } | How::HandBack { .. } => (None, None),
        };
        let before = row.outcome;
        if !matches!(end.how, How::Snooze { .. } | How::HandBack { .. }) {
            row.outcome = outcome.map(|data| self.rows.store(data)).transpose()?;
        }
        if let Err(refused) = self.act(row, act, error)? {
            return Err(Fault::Failed(refused.to_string()).into());
        }
        match before.filter(|before| row.outcome != Some(*before)) {
            Some(before) => self.rows.drop_content(before).map(drop),
            None => Ok(()),
        }
    }

    /// Appends the events of an end and enqueues its jobs. Where one of them cannot be had, its place among
    /// its like is told with it.
    fn bring(&mut self, end: &End) -> Worked<Result<Vec<Appended>, (usize, Ended)>, R> {
        let mut all = Vec::with_capacity(end.appends.len());
        for (index, append) in end.appends.iter().enumerate() {
            match self.append_unless_full(append)? {
                None => return Ok(Err((index, Ended::QueueFull))),
                Some(Appended::Moved) => return Ok(Err((index, Ended::Moved))),
                Some(Appended::Decided { verdict: verdict @ Verdict::Reject { .. }, .. }) => {
                    return Ok(Err((index, Ended::Rejected { index, verdict })));
                }
                Some(appended @ Appended::Decided { .. }) => all.push(appended),
                Some(Appended::Fault(fault)) => return Err(fault.into()),
                Some(other) => {
                    return Err(Fault::Failed(format!("an event of an end is {other:?}")).into());
                }
            }
        }
        let new = match self.queues_of(&end.jobs)? {
            Ok(queues) => self.not_there(&end.jobs, queues)?,
            Err(index) => return Ok(Err((index, Ended::UnknownQueue { index }))),
        };
        match self.space(&new)? {
            Space::Free => {}
            Space::Full => return Ok(Err((0, Ended::QueueFull))),
            Space::Never => return Ok(Err((0, Ended::TooLarge))),
        }
        self.add_all(&new)?;
        Ok(Ok(all))
    }

    /// What an end is for whose jobs there is no room. Those of its events' handlers and its own come together: where
    /// they are more than a queue may have there will never be any.
    fn full(&mut self, end: &End) -> Worked<Ended, R> {
        let by_handlers = end.appends.iter().flat_map(Append::jobs);
        let jobs: Vec<_> = by_handlers.chain(&end.jobs).cloned().collect();
        let Ok(queues) = self.queues_of(&jobs)? else {
            return Ok(Ended::QueueFull);
        };
        let new = self.not_there(&jobs, queues)?;
        let never = self.space(&new)? == Space::Never;
        Ok(if never { Ended::TooLarge } else { Ended::QueueFull })
    }

    /// What an end is whose event was judged by what has moved. Where that was moved by another event of the
    /// same end, to ask the rules again would change nothing: then it is rejected.
    fn moved_by(&mut self, end: &End, index: usize) -> Worked<Ended, R> {
        let append = &end.appends[index];
        let alone = self.part(|work| match work.append_unless_full(append)? {
            Some(Appended::Moved) => Ok(Err::<(), _>(true)),
            Some(Appended::Fault(fault)) => Err(fault.into()),
            _ => Ok(Err(false)),
        })?;
        if alone == Err(true) {
            return Ok(Ended::Moved);
        }
        let detail = "It changes what another event of the same end changes.".to_owned();
        let code = Code::BadRequest;
        let verdict = Verdict::Reject { id: append.id, code, detail, why: None };
        Ok(Ended::Rejected { index, verdict })
    }

    pub(in crate::engine) fn extend(&mut self, extend: &Extend) -> Worked<Vec<Extended>, R> {
        let jobs = extend.jobs.iter();
        jobs.map(|(job, token)| self.extend_one(*job, *token, extend)).collect()
    }

    fn extend_one(&mut self, id: JobId, token: Token, extend: &Extend) -> Worked<Extended, R> {
        let Some(mut row) = self.rows.job(id)? else {
            return Ok(Extended::UnknownJob);
        };
        let length = match extend.lease {
            Some(length) => length,
            None => self.queue(row.queue)?.info.settings.lease,
        };
        if let Some(progress) = &extend.progress {
            let mut progress = progress.clone();
            progress.note = progress.note.map(reason);
            row.progress = Some(progress);
        }
        match self.act(&mut row, Act::Extend { token, length }, None)? {
            Ok(_) => Ok(Extended::Until(self.given(row.job.due))),
            Err(Refused::Late(why)) => Ok(Extended::Late(self.exactly(&row, token, why)?)),
            Err(other) => Err(Fault::Failed(other.to_string()).into()),
        }
    }

    fn refused(&mut self, row: &Row, end: &End, refused: Refused) -> Worked<Ended, R> {
        Ok(match refused {
            Refused::Again => {
                let mut stands = Vec::new();
                for append in &end.appends {
                    stands.push(self.rows.stands(append.room, append.id)?);
                }
                Ended::Again { place: row.job.place, stands }
            }
            Refused::Late(why) => {
                if planted(Planted::EventsBesideEnd) {
                    drop(self.bring(end)?);
                }
                Ended::Late(self.exactly(row, end.token, why)?)
            }
            Refused::TooOften => Ended::TooOften,
            other => return Err(Fault::Failed(other.to_string()).into()),
        })
    }

    /// Why a token does not hold a job, as exactly as its attempts still tell.
    pub(super) fn exactly(&self, row: &Row, token: Token, why: Reason) -> Worked<Reason, R> {
        if why != Reason::Other {
            return Ok(why);
        }
        let attempts = self.rows.attempts(row.seq)?;
        let its = attempts.iter().find(|attempt| attempt.fence == token.fence && token.fence > 0);
        Ok(its.map_or(why, Reason::of))
    }
}
