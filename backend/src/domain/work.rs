//! The rules of work: the server alone says that a job has ended.

use holdfast_common::{
    error::Code,
    event::{Decision, Facts},
    id::PersonId,
    limits::Limits,
    work::{JobEnded, Rules},
};

/// The rules of namespace `work`.
#[derive(Debug, Clone, Copy, Default)]
pub struct WorkRules;

impl Rules for WorkRules {
    fn job_ended(&self, _: &JobEnded, facts: &Facts, _: &Limits) -> Decision<JobEnded> {
        if facts.person == PersonId::NIL { Ok(()) } else { Err(Code::Forbidden.into()) }
    }
}
