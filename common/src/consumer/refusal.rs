//! Why a request is refused.

use crate::{
    error::Code,
    frame::work::{Refused, Request},
    job::{self, JobState, Reason, Unfit},
    storage::Fault,
};

/// Why a request is refused: a code with what stands beside it. Codes of [`error`](crate::error) and
/// of jobs both stand here, by their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The code's name.
    pub code: String,
    /// The same for a person.
    pub detail: String,
    /// Why the token does not hold the job.
    pub reason: Option<Reason>,
    /// What the job is, where that is why.
    pub state: Option<JobState>,
}

impl Refusal {
    /// A refusal by a code's name and a sentence for a person.
    #[must_use]
    pub fn new(code: &str, detail: &str) -> Self {
        Self { code: code.to_owned(), detail: detail.to_owned(), reason: None, state: None }
    }

    /// The job is something else than it would have to be.
    #[must_use]
    pub fn wrong_state(state: JobState) -> Self {
        Self { state: Some(state), ..job::Code::WrongState.into() }
    }

    pub(super) fn answer(self, req: Request) -> Refused {
        let Self { code, detail, reason, state } = self;
        Refused { req, code, detail, reason, state }
    }
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self::new(code.name(), code.text())
    }
}

impl From<job::Code> for Refusal {
    fn from(code: job::Code) -> Self {
        Self::new(code.name(), code.text())
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        fault.code().into()
    }
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self { reason: Some(reason), ..job::Code::Fenced.into() }
    }
}

impl From<Unfit> for Refusal {
    fn from(unfit: Unfit) -> Self {
        Self { detail: unfit.to_string(), ..unfit.code().into() }
    }
}
