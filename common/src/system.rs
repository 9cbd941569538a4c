//! The namespace `holdfast`: the server's own queues. Nobody else enqueues or takes jobs there.

use crate::{
    cursor::Offset,
    id::{Epoch, RoomId, WebhookId},
};
use serde::{Deserialize, Serialize};

/// The server's own namespace.
pub const SYSTEM: &str = "holdfast";

/// The queue of what webhooks are to be told.
pub const WEBHOOKS: &str = "webhooks";

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

crate::queues! {
    "holdfast" / "webhooks" { Deliver = "deliver" -> Delivered, String; }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::JobType;

    #[test]
    fn the_queue_is_called_as_it_is_declared() {
        assert_eq!((Deliver::NAMESPACE, Deliver::QUEUE), (SYSTEM, WEBHOOKS));
    }

    #[test]
    fn an_outcome_says_what_it_is() {
        let text = |outcome: &Delivered| serde_json::to_string(outcome).unwrap();
        assert_eq!(text(&Delivered::Sent { status: 204 }), r#"{"outcome":"sent","status":204}"#);
        assert_eq!(text(&Delivered::Ended), r#"{"outcome":"ended"}"#);
    }
}
