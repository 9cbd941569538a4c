//! Events with what their handlers enqueue.

use super::{Answer, Work, enqueue::Space, rows::Rows, work::Worked};
use holdfast_common::{
    error::Code,
    event::Verified,
    storage::{Append, Appended, Fault},
};

impl<R: Rows> Work<R> {
    pub(in crate::engine) fn append(&mut self, append: &Append) -> Worked<Appended, R> {
        let appended = self.append_unless_full(append)?;
        Ok(appended.unwrap_or(Appended::Fault(Fault::Overloaded)))
    }

    /// `None` if there is no room for its jobs: nothing is changed then.
    pub(super) fn append_unless_full(&mut self, append: &Append) -> Worked<Option<Appended>, R> {
        if append.jobs().is_empty() {
            return self.push(append).map(Some);
        }
        let new = match self.queues_of(append.jobs())? {
            Ok(queues) => self.not_there(append.jobs(), queues)?,
            Err(index) => {
                let job = &append.jobs()[index];
                let what = format!("a job is for {}/{}, which is no queue", job.ns, job.queue);
                return Err(Fault::Failed(what).into());
            }
        };
        let space = self.space(&new)?;
        if space == Space::Free {
            let appended = self.push(append)?;
            if is_new(&appended) {
                self.add_all(&new)?;
            }
            return Ok(Some(appended));
        }
        // What enqueues nothing needs no room. That this is so is seldom.
        let appended = self.part(|work| {
            let appended = work.push(append)?;
            Ok(if is_new(&appended) { Err(()) } else { Ok(appended) })
        })?;
        match appended {
            Err(()) if space == Space::Never => self.push(&too_large(append)).map(Some),
            appended => Ok(appended.ok()),
        }
    }
}

/// An event that its writer need not send again: what its handler enqueues there will never be room for.
fn too_large(append: &Append) -> Append {
    let (code, detail) =
        (Code::TooLarge, "It enqueues more jobs than a queue may have.".to_owned());
    Append { verified: Verified::Rejected { code, why: None, detail }, ..append.clone() }
}

fn is_new(appended: &Appended) -> bool {
    matches!(appended, Appended::Decided { entry: Some(_), .. })
}

/// With what it has moved, if it has moved anything.
pub(in crate::engine) fn appended(answer: Answer<Appended>) -> Appended {
    match answer {
        Ok((Appended::Decided { verdict, entry, .. }, moves)) if !moves.queues.is_empty() => {
            Appended::Decided { verdict, entry, moves }
        }
        Ok((appended, _)) => appended,
        Err(fault) => Appended::Fault(fault),
    }
}
