//! How a consumer is told over its connection that something cannot be.

use crate::queues::{Part, Refuses, Wrong};
use holdfast_common::{consumer::Refusal, error::Code};

impl From<Wrong> for Refusal {
    fn from(wrong: Wrong) -> Self {
        Self::new(wrong.code.name(), &wrong.detail)
    }
}

impl Refuses for Refusal {
    fn because(code: Code, detail: &str) -> Self {
        Self::new(code.name(), detail)
    }

    fn of(self, what: Part, index: usize) -> Self {
        match what {
            Part::Event => self.of_event(index),
            Part::Job => self.of_job(index),
        }
    }
}
