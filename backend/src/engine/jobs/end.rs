//! What a consumer says of a job that it has.

use super::{
    Work,
    claim::chance,
    digest::digest,
    rows::{Row, Rows},
    work::Worked,
};
use holdfast_common::{
    id::JobId,
    job::{Act, Ending, Place, Reason, Refused, Token, limits::reason},
    storage::{
        Fault,
        jobs::{End, Ended, Extend, Extended, How},
    },
    time::Millis,
};

impl<R: Rows> Work<R> {
    pub(in crate::engine) fn end(&mut self, end: &End) -> Worked<Ended, R> {
        let Some(mut row) = self.rows.job(end.job)? else {
            return Ok(Ended::UnknownJob);
        };
        let (how, error, outcome) = match &end.how {
            How::Complete { result } => (Ending::Complete, None, result.as_deref()),
            How::Fail { reason: why, failure, retry } => {
                let how = Ending::Fail { retry: *retry, chance: chance()? };
                (how, Some(reason(why.clone())), failure.as_deref())
            }
            How::Snooze { delay } => (Ending::Snooze(*delay), None, None),
        };
        let before = row.outcome;
        // Tried before anything is stored.
        let act = Act::End { token: end.token, digest: digest(&end.how), how };
        if let Err(refused) = row.job.clone().act(self.moment.now, act.clone()) {
            return self.refused(&row, end.token, refused);
        }
        if !matches!(end.how, How::Snooze { .. }) {
            row.outcome = outcome.map(|data| self.rows.store(data)).transpose()?;
        }
        if let Err(refused) = self.act(&mut row, act, error)? {
            return self.refused(&row, end.token, refused);
        }
        if let Some(before) = before.filter(|before| row.outcome != Some(*before)) {
            self.rows.drop_content(before)?;
        }
        let waits = matches!(row.job.place, Place::Ready | Place::Delayed);
        let wait: Option<Millis> = waits.then(|| row.job.due - self.moment.now);
        let then = end.then.as_ref().map(|claim| self.claim(claim)).transpose()?;
        Ok(Ended::Done { place: row.job.place, wait, appended: Vec::new(), then })
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

    fn refused(&mut self, row: &Row, token: Token, refused: Refused) -> Worked<Ended, R> {
        Ok(match refused {
            Refused::Again => Ended::Again { place: row.job.place, stands: Vec::new() },
            Refused::Late(why) => Ended::Late(self.exactly(row, token, why)?),
            Refused::TooOften => Ended::TooOften,
            other => return Err(Fault::Failed(other.to_string()).into()),
        })
    }

    /// Why a token does not hold a job, as exactly as its attempts still tell.
    fn exactly(&self, row: &Row, token: Token, why: Reason) -> Worked<Reason, R> {
        if why != Reason::Other {
            return Ok(why);
        }
        let attempts = self.rows.attempts(row.seq)?;
        let its = attempts.iter().find(|attempt| attempt.fence == token.fence && token.fence > 0);
        Ok(its.map_or(why, Reason::of))
    }
}
