//! What holders say of their jobs.

use super::Tx;
use crate::{
    deed::{Deed, End, Ended, Source},
    disk::By,
};
use holdfast_common::{
    id::JobId,
    job::{Act, Ending, Reason, Refused, Token, limits},
    planted::{Planted, planted},
    time::Millis,
};
use std::rc::Rc;

impl Tx<'_> {
    /// The end of a lease with all that it brings, or nothing of it.
    pub(super) fn end(&mut self, end: &End) -> Ended {
        let held = self.disk.jobs.get(&end.job).map(|row| row.job.check(self.now, end.token));
        let said = match held {
            None => Ended::Unknown,
            Some(Ok(())) if end.bad => Ended::Rejected,
            Some(Ok(())) if !end.events.is_empty() && *self.moved > 0 => {
                *self.moved -= 1;
                Ended::Moved
            }
            Some(_) => return self.whole(end),
        };
        let (job, token, digest) = (end.job, end.token, Some(end.digest));
        self.deeds.push(Deed::Said { job, token, digest, said });
        said
    }

    fn whole(&mut self, end: &End) -> Ended {
        let savepoint = (self.disk.clone(), self.deeds.len());
        for event in &end.events {
            let by = By::End(end.job, end.token);
            if self.disk.log.insert(*event, by).is_none() {
                self.deeds.push(Deed::Appended(*event, by));
            }
        }
        match self.act(end.job, Act::End { token: end.token, digest: end.digest, how: end.how }) {
            Ok(step) => {
                if end.how == Ending::Complete
                    && let Some(row) = self.disk.jobs.get_mut(&end.job)
                {
                    Rc::make_mut(row).result = Some(end.digest);
                }
                self.deeds.push(Deed::Ended { end: Box::new(end.clone()), to: step.to });
                for asked in &end.jobs {
                    self.make(asked, Source::End(end.job));
                }
                Ended::Done
            }
            Err(refused) => {
                if !planted(Planted::EventsBesideEnd) {
                    *self.disk = savepoint.0;
                    self.deeds.truncate(savepoint.1);
                }
                let said = match refused {
                    Refused::Again => Ended::Again,
                    Refused::TooOften => Ended::TooOften,
                    Refused::Late(reason) => Ended::Late(self.exactly(end.job, end.token, reason)),
                    other => unreachable!("an end is not refused as {other:?}"),
                };
                let (job, token, digest) = (end.job, end.token, Some(end.digest));
                self.deeds.push(Deed::Said { job, token, digest, said });
                said
            }
        }
    }

    /// The reason for a token, by what is kept of the job's attempts.
    fn exactly(&self, job: JobId, token: Token, reason: Reason) -> Reason {
        let attempts = self.disk.attempts.get(&job).into_iter().flat_map(|it| it.iter());
        let mut of = attempts.filter(|it| it.fence == token.fence && reason == Reason::Other);
        of.next().map_or(reason, Reason::of)
    }

    pub(super) fn extend(
        &mut self,
        job: JobId,
        token: Token,
        length: Option<Millis>,
        progress: u8,
    ) -> Result<(), Option<Reason>> {
        let row = self.disk.jobs.get(&job).ok_or(None)?;
        let late = match length {
            Some(length) => self.act(job, Act::Extend { token, length }).err(),
            None => row.job.check(self.now, token).err().map(Refused::Late),
        };
        if let Some(Refused::Late(reason)) = late {
            let reason = self.exactly(job, token, reason);
            self.deeds.push(Deed::Said { job, token, digest: None, said: Ended::Late(reason) });
            return Err(Some(reason));
        }
        if let Some(row) = self.disk.jobs.get_mut(&job) {
            Rc::make_mut(row).progress = progress;
        }
        self.deeds.push(match length {
            Some(length) => Deed::Extended { job, token, length: limits::lease(length) },
            None => Deed::Progressed { job, token },
        });
        Ok(())
    }
}
