//! Every error code of the protocol, in one table.
//!
//! A code is exactly one of three kinds, see [`Kind`]; nothing that may pass by itself is ever a
//! rejection. A rule's own refusals travel as [`Code::Refused`] with the typed reason beside it.

use serde::{Deserialize, Serialize};

/// What a code means for the event or the connection that it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Final for this event or request. It consumes the event's number.
    Reject,
    /// Not now: the same bytes may be sent again after a while. It consumes nothing. What cannot be
    /// answered frame by frame ends the connection with it, see [`Code::close_number`].
    RetryAfter,
    /// Final for this connection. Whether a new one may be tried is [`Code::may_reconnect`].
    Close,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $kind:ident $number:literal $name:literal, $text:literal;)*) => {
        /// A stable error code. The text form is on the wire and in HTTP's problem documents.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Code {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)*
            /// A code of a newer peer. The frame it stands in says what became of the event.
            #[serde(other, rename = "unknown")]
            Unknown,
        }

        impl Code {
            /// Every code that this version knows.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// What it means for what it is about.
            #[must_use]
            pub const fn kind(self) -> Kind {
                match self { $(Self::$variant => Kind::$kind,)* Self::Unknown => Kind::Reject }
            }

            /// The wire's name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* Self::Unknown => "unknown" }
            }

            /// HTTP status for rejections and retry-afters, WebSocket close code for closes.
            #[must_use]
            pub const fn number(self) -> u16 {
                match self { $(Self::$variant => $number,)* Self::Unknown => 422 }
            }

            /// One sentence for a person.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)* Self::Unknown => "The server gave a reason that this version does not know." }
            }
        }
    };
}

codes! {
    /// The payload is not what its type declares.
    BadPayload = Reject 422 "bad_payload", "The event's content is not of its declared form.";
    /// The namespace has no such event type.
    UnknownType = Reject 422 "unknown_type", "This server does not know that type of event.";
    /// The server has no such namespace.
    UnknownNamespace = Reject 404 "unknown_namespace", "There is no such namespace.";
    /// The room does not exist.
    UnknownRoom = Reject 404 "unknown_room", "There is no such room.";
    /// Nobody of that id has ever come.
    UnknownPerson = Reject 404 "unknown_person", "There is no such person.";
    /// The room was deleted.
    RoomGone = Reject 410 "room_gone", "This room was deleted.";
    /// The room belongs to another namespace than the event names.
    WrongNamespace = Reject 422 "wrong_namespace", "The room belongs to another namespace.";
    /// The event's class does not fit the frame it came in.
    WrongClass = Reject 422 "wrong_class", "An event of this type cannot be sent this way.";
    /// The payload is larger than the limit.
    TooLarge = Reject 413 "too_large", "This is too large.";
    /// The event it refers to is not in this room.
    UnknownTarget = Reject 404 "unknown_target", "The event it refers to is not in this room.";
    /// The event it refers to was deleted.
    TargetGone = Reject 410 "target_gone", "The event it refers to was deleted.";
    /// The sender is not a member of the room.
    NotMember = Reject 403 "not_member", "Only members of the room may do this.";
    /// The sender may not do this.
    Forbidden = Reject 403 "forbidden", "You may not do this.";
    /// A room with this id exists already.
    RoomExists = Reject 409 "room_exists", "This room exists already.";
    /// The event's own rule refused it; the typed reason stands beside the code.
    Refused = Reject 422 "refused", "The event was refused.";
    /// A limit on rooms or memberships is reached.
    TooMany = Reject 429 "too_many", "There are too many of these already.";
    /// An idempotency key was used again with another body.
    IdempotencyMismatch = Reject 422 "idempotency_mismatch", "The key was used before with another body.";
    /// An HTTP request is not of the documented form.
    BadRequest = Reject 400 "bad_request", "The request is not of the documented form.";
    /// A POST that is not JSON.
    UnsupportedMedia = Reject 415 "unsupported_media_type", "A POST has to be application/json.";
    /// Another website, or a host that is not this server's.
    WrongOrigin = Reject 403 "wrong_origin", "Requests from that origin are not taken.";
    /// There is nothing at that address.
    NotFound = Reject 404 "not_found", "There is nothing at that address.";
    /// The address takes other methods.
    MethodNotAllowed = Reject 405 "method_not_allowed", "That method is not for this address.";
    /// The log that was read is another one now, or does not reach so far.
    Reset = Reject 409 "reset", "The log is another one than you read: start over.";

    /// More events a second than the limit.
    TooFast = RetryAfter 429 "too_fast", "Too many events a second.";
    /// The server has more to do than it can take on.
    Overloaded = RetryAfter 503 "overloaded", "The server is overloaded.";
    /// The server is shutting down.
    Draining = RetryAfter 503 "draining", "The server is restarting.";
    /// The disk is full.
    StorageFull = RetryAfter 507 "storage_full", "The server's disk is full.";
    /// The storage failed, or could not say whether it committed.
    StorageFault = RetryAfter 503 "storage_fault", "The server's storage is not answering.";

    /// The subprotocol is not one of this server's.
    UnsupportedVersion = Close 4400 "unsupported_version", "Page and server speak different versions.";
    /// A frame that cannot be read, or that has no place here.
    BadFrame = Close 4401 "bad_frame", "A frame could not be read.";
    /// A frame larger than the limit.
    FrameTooLarge = Close 4402 "frame_too_large", "A frame was too large.";
    /// The person's secret is wrong.
    WrongSecret = Close 4403 "wrong_secret", "This is not the person it says it is.";
    /// The writer belongs to another principal.
    WrongWriter = Close 4404 "wrong_writer", "This outbox belongs to somebody else.";
    /// The writer's generation is not above the last one seen: a copy of this outbox is in use.
    Fenced = Close 4405 "fenced", "A copy of this outbox has been used elsewhere.";
    /// A newer connection of the same session took over.
    TakenOver = Close 4406 "taken_over", "A newer connection took over.";
    /// No hello came in time.
    HelloTimeout = Close 4407 "hello_timeout", "No hello came in time.";
    /// Nothing came for too long.
    Silent = Close 4408 "silent", "The connection had gone silent.";
    /// More rooms, lanes or requests than a connection may have.
    OverLimit = Close 4409 "over_limit", "The connection asked for more than it may.";
    /// The server is shutting down; it says when to come back.
    GoingAway = Close 4410 "going_away", "The server is restarting.";
    /// The server failed; what was not acked is sent again.
    ServerFault = Close 4411 "server_fault", "The server had a fault.";
    /// The reader took nothing for too long.
    TooSlow = Close 4412 "too_slow", "The connection took nothing for too long.";
}

impl Code {
    /// Whether a client tries again by itself after a close with this code. Where it does not, the
    /// page shows the reason and waits for its person.
    #[must_use]
    pub const fn may_reconnect(self) -> bool {
        !matches!(
            self,
            Self::UnsupportedVersion | Self::WrongSecret | Self::WrongWriter | Self::TakenOver
        )
    }

    /// The number of a WebSocket close with this code. A greeting that the storage cannot take now
    /// has no frame to say so: its connection ends with the code of the kind retry-after.
    #[must_use]
    pub const fn close_number(self) -> Option<u16> {
        match self {
            Self::Overloaded => Some(4413),
            Self::StorageFull => Some(4414),
            Self::StorageFault => Some(4415),
            code if matches!(code.kind(), Kind::Close) => Some(code.number()),
            _ => None,
        }
    }

    /// The code of a WebSocket close number, if it is one of these.
    #[must_use]
    pub fn from_close(number: u16) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.close_number() == Some(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_one_name_and_every_close_one_number() {
        let mut names: Vec<_> = Code::ALL.iter().map(|code| code.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
        for code in Code::ALL {
            let wire = serde_json::to_string(code).unwrap();
            assert_eq!(wire, format!("\"{}\"", code.name()));
            if code.kind() == Kind::Close {
                assert_eq!(code.close_number(), Some(code.number()));
            }
            if let Some(number) = code.close_number() {
                assert_eq!(Code::from_close(number), Some(*code));
                assert!((4000..5000).contains(&number));
                assert_ne!(code.kind(), Kind::Reject, "what is final for an event ends no link");
            }
        }
    }

    #[test]
    fn overload_draining_and_storage_are_never_a_rejection() {
        for code in
            [Code::Overloaded, Code::Draining, Code::StorageFull, Code::StorageFault, Code::TooFast]
        {
            assert_eq!(code.kind(), Kind::RetryAfter);
        }
    }
}
