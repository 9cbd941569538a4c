//! Typed events: what a namespace declares once and everyone else is checked against.
//!
//! [`namespace!`](crate::namespace) turns one declaration into the namespace's event enums, the
//! trait its handler must implement, and the glue that the machines use. The machines themselves
//! see a type's name and opaque payload bytes, so they serve any namespace.

mod declare;
mod rule;

pub use rule::{
    Decision, Facts, Handler, No, Parsed, Ranked, RoomFacts, TargetFacts, Verified, Versions, admit,
};

use crate::{error::Code, id::EventId, json};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// How an event is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Held in the outbox, logged once, acked with a typed reply, replayed.
    Durable,
    /// Passed on to who is connected, neither kept nor acked; the first to go under load.
    Volatile,
    /// One register per person, room and type: the greatest rank wins, and only the newest waits.
    Latest,
}

/// One type of event.
pub trait EventType: Serialize + DeserializeOwned + Clone + std::fmt::Debug + 'static {
    /// The name of the namespace that declares it.
    const NAMESPACE: &'static str;
    /// Its name on the wire.
    const NAME: &'static str;
    /// How it is delivered.
    const CLASS: Class;
}

/// What a durable event does to its room's log, as far as the log itself needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// It stands for itself.
    Adds,
    /// It is the newest content of an earlier event.
    Replaces(EventId),
    /// It empties an earlier event: the target and its replacements become hollow.
    Removes(EventId),
    /// It is the first entry of a new room with this name.
    Creates(String),
}

impl Effect {
    /// The earlier event it refers to.
    #[must_use]
    pub fn target(&self) -> Option<EventId> {
        match self {
            Self::Replaces(id) | Self::Removes(id) => Some(*id),
            Self::Adds | Self::Creates(_) => None,
        }
    }
}

/// A durable event: logged, acked, replayed.
pub trait Durable: EventType {
    /// What the writer is told with the ack.
    type Reply: Serialize + DeserializeOwned + Clone + std::fmt::Debug;
    /// Why the event's own rule may refuse it.
    type Refusal: Serialize + DeserializeOwned + Clone + std::fmt::Debug + std::fmt::Display;
    /// Whether a person would count it among what is new.
    const COUNTS: bool;

    /// What it does to the log.
    fn effect(&self) -> Effect;
}

/// A volatile event.
pub trait Volatile: EventType {}

/// An event of which only the greatest stands.
pub trait Latest: EventType {
    /// Whom a new value is told.
    const REACH: Reach;

    /// Its rank: a value with a lower or equal rank than the stored one changes nothing.
    fn rank(&self) -> u64;
}

/// Whom a register's new value is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The person's other connections.
    Own,
    /// Every connection in the room.
    Room,
}

/// A namespace: a name and an event set, declared by [`namespace!`](crate::namespace).
pub trait Namespace: 'static {
    /// The namespace's name, as on the wire and in addresses.
    const NAME: &'static str;
    /// Its durable events as one enum.
    type Event: Clone + std::fmt::Debug;
    /// Its volatile events as one enum.
    type Signal: Clone + std::fmt::Debug;
    /// Its latest events as one enum.
    type Register: Clone + std::fmt::Debug;

    /// Reads a durable event. `None` where this build does not know the type: a newer writer's
    /// event is kept and shown as unknown, never dropped.
    ///
    /// # Errors
    /// The payload is not of the type's declared form.
    fn read(kind: &str, payload: &str) -> Option<Result<Self::Event, serde_json::Error>>;

    /// Reads a volatile event, as [`Namespace::read`] a durable one.
    ///
    /// # Errors
    /// The payload is not of the type's declared form.
    fn read_signal(kind: &str, payload: &str) -> Option<Result<Self::Signal, serde_json::Error>>;

    /// Reads a register's value, as [`Namespace::read`] a durable event.
    ///
    /// # Errors
    /// The payload is not of the type's declared form.
    fn read_register(
        kind: &str,
        payload: &str,
    ) -> Option<Result<Self::Register, serde_json::Error>>;
}

/// Reads a payload as `E`. For [`namespace!`](crate::namespace).
///
/// # Errors
/// [`Code::BadPayload`].
pub fn payload<E: EventType>(payload: &[u8]) -> Result<E, Code> {
    // Read as a whole first: what the type does not look at goes to every reader all the same, so
    // it has to be JSON that any reader can take (depth, numbers, surrogates), and an object.
    let value: serde_json::Value = serde_json::from_slice(payload).map_err(|_| Code::BadPayload)?;
    if !value.is_object() {
        return Err(Code::BadPayload);
    }
    // From the text itself, as every reader will: a member that stands twice is refused.
    let text = std::str::from_utf8(payload).map_err(|_| Code::BadPayload)?;
    json::read(text).map_err(|_| Code::BadPayload)
}

/// The code for a type that has no place where it was sent. For [`namespace!`](crate::namespace).
#[must_use]
pub fn misfit(class: Option<Class>) -> Code {
    if class.is_some() { Code::WrongClass } else { Code::UnknownType }
}

/// A register's rank and reach. For [`namespace!`](crate::namespace).
pub fn ranked<E: Latest>(event: &E) -> Ranked {
    Ranked { rank: event.rank(), reach: E::REACH }
}

/// Makes the shared checks, asks the rule, and wears the types off its answer.
/// For [`namespace!`](crate::namespace).
pub fn verify<E: Durable>(
    namespace: &str,
    facts: &Facts,
    effect: &Effect,
    rule: impl FnOnce() -> Decision<E>,
) -> Verified {
    let decision = admit(facts, effect, namespace).map_err(No::Code).and_then(|()| rule());
    let json = |result: Result<String, serde_json::Error>| {
        result.expect("a declared reply or refusal has string keys and serializes")
    };
    match decision {
        Ok(reply) => Verified::allowed(json(serde_json::to_string(&reply))),
        Err(No::Code(code)) => {
            Verified::Rejected { code, why: None, detail: code.text().to_owned() }
        }
        Err(No::Because(why)) => Verified::Rejected {
            code: Code::Refused,
            detail: why.to_string(),
            why: Some(json(serde_json::to_string(&why))),
        },
    }
}
