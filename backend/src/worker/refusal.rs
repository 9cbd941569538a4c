//! Why what a worker wants with its end cannot be.

use crate::queues::{Part, Refuses, Wrong};
use holdfast_common::{
    error::Code,
    frame::work::TooMuch,
    job::{self, Unfit},
    storage::Fault,
};

#[derive(Debug)]
pub(super) enum Refusal {
    /// In a sentence. It cannot be later either.
    Never(String),
    /// The storage could not say, or cannot for now.
    Fault(Fault),
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self::Never(code.text().to_owned())
    }
}

impl From<job::Code> for Refusal {
    fn from(code: job::Code) -> Self {
        Self::Never(code.text().to_owned())
    }
}

impl From<Unfit> for Refusal {
    fn from(unfit: Unfit) -> Self {
        Wrong::from(unfit).into()
    }
}

impl From<TooMuch> for Refusal {
    fn from(much: TooMuch) -> Self {
        Self::Never(much.to_string())
    }
}

impl From<Wrong> for Refusal {
    fn from(wrong: Wrong) -> Self {
        Self::Never(wrong.detail)
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Refuses for Refusal {
    fn because(_: Code, detail: &str) -> Self {
        Self::Never(detail.to_owned())
    }

    fn of(self, what: Part, index: usize) -> Self {
        match self {
            Self::Never(why) => Self::Never(format!("{} {index}: {why}", what.name())),
            fault @ Self::Fault(_) => fault,
        }
    }
}
