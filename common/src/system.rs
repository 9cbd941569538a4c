//! The namespace `holdfast`: the server's own queues. Nobody else enqueues or takes jobs there.

use crate::{
    cursor::Offset,
    error::Code,
    id::{Epoch, RoomId, WebhookId},
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The server's own namespace.
pub const SYSTEM: &str = "holdfast";

/// The queue of what webhooks are to be told.
pub const WEBHOOKS: &str = "webhooks";

/// The queue of rooms that are written to files.
pub const EXPORTS: &str = "exports";

/// Something that a webhook is to be told. What it says is read from the log when it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deliver {
    /// The webhook.
    pub webhook: WebhookId,
    /// The room.
    pub room: RoomId,
    /// The incarnation of its log when the event was appended.
    pub epoch: Epoch,
    /// The event's place; none of one that is sent for a test.
    pub offset: Option<Offset>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Delivered {
    /// The receiver has it.
    Sent {
        /// The HTTP status with which it said so.
        status: u16,
    },
    /// The receiver wants no more: the webhook has ended.
    Ended,
    /// It was not sent, and need not be.
    Unsent {
        /// Why.
        why: String,
    },
}

/// Why an attempt has not delivered it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotDelivered {
    /// For programs.
    pub code: Undelivered,
    /// The HTTP status, where the receiver has answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// For people.
    pub detail: String,
}

impl fmt::Display for NotDelivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.name(), self.detail)
    }
}

/// What kept it from being delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Undelivered {
    /// Webhooks may not go there, or its name leads to where they may not.
    TargetRefused,
    /// Its name was not found.
    UnknownHost,
    /// Nobody took the connection.
    Unreachable,
    /// There was no safe connection.
    Unsafe,
    /// It took longer than it may.
    Slow,
    /// The connection broke, or was closed without an answer.
    Broken,
    /// What came is no answer of HTTP, or too large a one.
    BadAnswer,
    /// The answer leads elsewhere, and is not followed.
    Redirected,
    /// The answer says that it is not taken.
    Refused,
    /// What is to be sent cannot be read.
    StorageFault,
    /// A newer server's.
    #[serde(other)]
    Other,
}

impl Undelivered {
    /// The wire's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TargetRefused => "target_refused",
            Self::UnknownHost => "unknown_host",
            Self::Unreachable => "unreachable",
            Self::Unsafe => "unsafe",
            Self::Slow => "slow",
            Self::Broken => "broken",
            Self::BadAnswer => "bad_answer",
            Self::Redirected => "redirected",
            Self::Refused => "refused",
            Self::StorageFault => "storage_fault",
            Self::Other => "other",
        }
    }
}

/// A room whose log is to be written to a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Export {
    /// The room.
    pub room: RoomId,
    /// Its namespace.
    pub namespace: String,
    /// What it was called when it was asked for.
    pub name: String,
}

/// What the file has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exported {
    /// Entries, the hollow ones too.
    pub entries: u64,
    /// Bytes.
    pub bytes: u64,
    /// The incarnation of the log.
    pub epoch: Epoch,
    /// Its last entry when the writing began.
    pub head: Offset,
}

/// Why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotExported {
    /// For programs.
    pub code: Code,
    /// More of it for people; empty where there is no more.
    pub detail: String,
}

impl fmt::Display for NotExported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = if self.detail.is_empty() { self.code.text() } else { &self.detail };
        write!(f, "{}: {text}", self.code.name())
    }
}

crate::queues! {
    "holdfast" / "webhooks" { Deliver = "deliver" -> Delivered, NotDelivered; }
    "holdfast" / "exports" { Export = "export" -> Exported, NotExported; }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::JobType;

    #[test]
    fn the_queues_are_called_as_they_are_declared() {
        assert_eq!((Deliver::NAMESPACE, Deliver::QUEUE), (SYSTEM, WEBHOOKS));
        assert_eq!((Export::NAMESPACE, Export::QUEUE), (SYSTEM, EXPORTS));
    }

    #[test]
    fn an_outcome_says_what_it_is() {
        let text = |outcome: &Delivered| serde_json::to_string(outcome).unwrap();
        assert_eq!(text(&Delivered::Sent { status: 204 }), r#"{"outcome":"sent","status":204}"#);
        assert_eq!(text(&Delivered::Ended), r#"{"outcome":"ended"}"#);
        let failed = NotExported { code: Code::RoomGone, detail: String::new() };
        assert_eq!(failed.to_string(), "room_gone: This room was deleted.");
        let detail = "the receiver answered 307".to_owned();
        let failed = NotDelivered { code: Undelivered::Redirected, status: Some(307), detail };
        assert_eq!(failed.to_string(), "redirected: the receiver answered 307");
        let text = serde_json::to_string(&failed).unwrap();
        let whole = r#"{"code":"redirected","status":307,"detail":"the receiver answered 307"}"#;
        assert_eq!(text, whole);
    }
}
