//! What a namespace's handler is asked, and how it answers.

use super::{Class, Effect, Reach};
use crate::{
    error::Code,
    id::{EventId, PersonId, RoomId},
    job::{NewJob, Work},
    limits::Limits,
};

/// Versions of what a decision was based on. The engine compares them inside the append's
/// transaction; where one has moved, nothing is appended and the rule is asked again.
/// 0 stands for "there is none".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Versions {
    /// Of the room: moves when it is created, renamed or deleted.
    pub room: u64,
    /// Of the writer's membership: moves when it begins or ends.
    pub member: u64,
    /// Of the target: moves when it is replaced or removed.
    pub target: u64,
}

/// What is known of a room when a rule is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomFacts {
    /// The room.
    pub id: RoomId,
    /// The namespace it belongs to.
    pub namespace: String,
    /// Its name, a label.
    pub name: String,
    /// Who created it.
    pub creator: PersonId,
    /// Whose inbox it is, if it is one.
    pub owner: Option<PersonId>,
    /// Whether it was deleted.
    pub gone: bool,
}

/// What is known of the event that another one refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetFacts {
    /// The event.
    pub id: EventId,
    /// Its type.
    pub kind: String,
    /// Who wrote it.
    pub author: PersonId,
    /// Whether its content was removed.
    pub hollow: bool,
}

/// Everything a rule may go by. The engine reads it in one snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Who emits.
    pub person: PersonId,
    /// The room, if it exists.
    pub room: Option<RoomFacts>,
    /// Whether `person` is a member of it.
    pub member: bool,
    /// The target, if the event has one and it is in this room's log.
    pub target: Option<TargetFacts>,
    /// For an event that creates a room: the name it would get, made unique within its namespace.
    pub free_name: Option<String>,
    /// What all of this was read at.
    pub versions: Versions,
}

/// Why a rule says no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum No<R> {
    /// For a reason that every namespace shares.
    Code(Code),
    /// For a reason of the event's own.
    Because(R),
}

impl<R> From<Code> for No<R> {
    fn from(code: Code) -> Self {
        Self::Code(code)
    }
}

/// A rule's answer for a durable event of type `E`.
pub type Decision<E> = Result<<E as super::Durable>::Reply, No<<E as super::Durable>::Refusal>>;

/// A decision with its types worn off: what the session and the engine carry on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verified {
    /// Append it and answer with this reply (JSON).
    Allowed {
        /// The typed reply as JSON.
        reply: String,
        /// What is enqueued in the same transaction, each [within its bounds](NewJob::check).
        jobs: Vec<NewJob>,
    },
    /// Do not append it.
    Rejected {
        /// The code on the wire.
        code: Code,
        /// The typed reason as JSON, where the code is [`Code::Refused`].
        why: Option<String>,
        /// One sentence for a person.
        detail: String,
    },
}

impl Verified {
    /// Append it, answer with this reply, and enqueue nothing.
    #[must_use]
    pub const fn allowed(reply: String) -> Self {
        Self::Allowed { reply, jobs: Vec::new() }
    }
}

/// A durable event that was read, waiting for the facts its rule needs.
pub trait Parsed: Send {
    /// What it does to the log; its target is among the facts to read.
    fn effect(&self) -> Effect;
    /// Whether a person would count it.
    fn counts(&self) -> bool;
    /// Asks the rule.
    fn decide(&self, facts: &Facts, limits: &Limits) -> Verified;
    /// What the namespace wants to have done with it, where the rule has allowed it. The ids are
    /// given by who appends it.
    fn work(&self, facts: &Facts) -> Work;
}

/// A register's value that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ranked {
    /// Its rank.
    pub rank: u64,
    /// Whom it is told.
    pub reach: Reach,
}

/// A namespace as the server mounts it: its event set and its rule behind one object. Made by
/// [`namespace!`](crate::namespace) for every type that implements the namespace's `Rules`.
pub trait Handler: Send + Sync + 'static {
    /// The namespace's name.
    fn namespace(&self) -> &'static str;
    /// The class of an event type, `None` for an unknown one.
    fn class(&self, kind: &str) -> Option<Class>;
    /// Reads a durable event's payload.
    ///
    /// # Errors
    /// [`Code::UnknownType`], [`Code::WrongClass`] or [`Code::BadPayload`].
    fn parse<'a>(&'a self, kind: &str, payload: &[u8]) -> Result<Box<dyn Parsed + 'a>, Code>;
    /// Reads a register's value.
    ///
    /// # Errors
    /// As [`Handler::parse`].
    fn rank(&self, kind: &str, payload: &[u8]) -> Result<Ranked, Code>;
    /// Whether it has a register whose values all in a room are told: [`Reach::Room`].
    fn tells_registers(&self) -> bool;
    /// Checks a volatile event's payload.
    ///
    /// # Errors
    /// As [`Handler::parse`].
    fn signal(&self, kind: &str, payload: &[u8]) -> Result<(), Code>;
}

/// The checks every namespace shares, made before the event's own rule is asked. The one place
/// where "may this person write here" is decided.
///
/// # Errors
/// The code of the first check that fails.
pub fn admit(facts: &Facts, effect: &Effect, namespace: &str) -> Result<(), Code> {
    if let Effect::Creates(_) = effect {
        return if facts.room.is_some() { Err(Code::RoomExists) } else { Ok(()) };
    }
    let room = facts.room.as_ref().ok_or(Code::UnknownRoom)?;
    // To anybody but its owner and the server, who is everywhere, an inbox is not there.
    if room.owner.is_some_and(|owner| owner != facts.person) && !facts.member {
        return Err(Code::UnknownRoom);
    }
    if room.gone {
        return Err(Code::RoomGone);
    }
    if room.namespace != namespace {
        return Err(Code::WrongNamespace);
    }
    if !facts.member {
        return Err(Code::NotMember);
    }
    // The server alone writes in an inbox.
    if room.owner == Some(facts.person) {
        return Err(Code::Forbidden);
    }
    if effect.target().is_some() {
        let target = facts.target.as_ref().ok_or(Code::UnknownTarget)?;
        if target.hollow {
            return Err(Code::TargetGone);
        }
    }
    Ok(())
}
