//! Why a request is refused.

use crate::{
    error::Code,
    frame::work::{AtFault, Refused, Request, TooMuch, WorkServer},
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
    /// Which part of a completion is why.
    pub at: AtFault,
}

impl Refusal {
    /// A refusal by a code's name and a sentence for a person.
    #[must_use]
    pub fn new(code: &str, detail: &str) -> Self {
        let (code, detail) = (code.to_owned(), detail.to_owned());
        Self { code, detail, reason: None, state: None, at: AtFault::default() }
    }

    /// The job is something else than it would have to be.
    #[must_use]
    pub fn wrong_state(state: JobState) -> Self {
        Self { state: Some(state), ..job::Code::WrongState.into() }
    }

    /// It is this event of a completion.
    #[must_use]
    pub fn of_event(mut self, index: usize) -> Self {
        self.at.event = Some(index);
        self
    }

    /// It is this job of a completion.
    #[must_use]
    pub fn of_job(mut self, index: usize) -> Self {
        self.at.job = Some(index);
        self
    }

    pub(super) fn answer(self, req: Request) -> (WorkServer, AtFault) {
        let Self { code, detail, reason, state, at } = self;
        (WorkServer::Refused(Refused { req, code, detail, reason, state }), at)
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

impl From<TooMuch> for Refusal {
    fn from(much: TooMuch) -> Self {
        Self::new(Code::TooLarge.name(), &much.to_string())
    }
}
