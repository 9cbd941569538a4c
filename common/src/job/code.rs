//! The error codes of queues and jobs, beside those that [every way in](crate::error) shares.
//!
//! They are an enum of their own: a page that has no queues carries none of them, and
//! [`Code::Fenced`] answers one word about one job, where the code of that name in
//! [`error`](crate::error::Code::Fenced) ends a connection.

use crate::error::{self, Kind};
use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $kind:ident $number:literal $name:literal, $text:literal;)*) => {
        /// A stable error code. The text form is on the wire and in HTTP's problem documents.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Code {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)*
        }

        impl Code {
            /// Every code of queues and jobs.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// What it means for the request that it answers.
            #[must_use]
            pub const fn kind(self) -> Kind {
                match self { $(Self::$variant => Kind::$kind,)* }
            }

            /// The wire's name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The HTTP status.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $number,)* }
            }

            /// One sentence for a person.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

codes! {
    /// The namespace has no such queue.
    UnknownQueue = Reject 404 "unknown_queue", "There is no such queue.";
    /// No job has this id, or it was removed a while after its end.
    UnknownJob = Reject 404 "unknown_job", "There is no such job, or no longer.";
    /// The job is in a state in which this cannot be done.
    WrongState = Reject 409 "wrong_state", "The job is in a state in which this cannot be done.";
    /// The token does not hold the job. The [reason](super::Reason) stands beside it.
    Fenced = Reject 409 "fenced", "The job is no longer held by this token.";
    /// A schedule's expression cannot be read, or never comes.
    BadSchedule = Reject 422 "bad_schedule", "That is no schedule, or one that never comes.";
    /// A webhook's target is not among those that are allowed.
    TargetRefused = Reject 403 "target_refused", "Webhooks may not be sent to that address.";

    /// The queue holds as many jobs as it may.
    QueueFull = RetryAfter 503 "queue_full", "The queue is full.";
}

/// Whether what was refused with this code, of jobs or of every way in, may be asked for again later.
#[must_use]
pub fn may_pass(code: &str) -> bool {
    let shared = error::Code::ALL.iter().find(|it| it.name() == code).map(|it| it.kind());
    let own = || Code::ALL.iter().find(|it| it.name() == code).map(|it| it.kind());
    shared.or_else(own) == Some(Kind::RetryAfter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_name_of_its_own_and_a_status_of_its_kind() {
        let mut names: Vec<_> = Code::ALL.iter().map(|code| code.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
        for code in Code::ALL {
            assert_eq!(serde_json::to_string(code).unwrap(), format!("\"{}\"", code.name()));
            let later = code.kind() == Kind::RetryAfter;
            assert_eq!((500..600).contains(&code.status()), later, "{}", code.name());
            assert_ne!(code.kind(), Kind::Close);
        }
    }

    #[test]
    fn what_may_be_asked_for_again_is_what_the_server_cannot_do_for_now() {
        for code in ["queue_full", "overloaded", "draining", "storage_fault"] {
            assert!(may_pass(code), "{code}");
        }
        // The second one ends a connection, and the last is a newer server's.
        for code in ["wrong_state", "fenced", "unknown_room", "eclipsed"] {
            assert!(!may_pass(code), "{code}");
        }
    }

    #[test]
    fn the_protocol_names_every_code_with_its_kind_and_status() {
        let text = include_str!("../../../docs/protocol.md");
        for code in Code::ALL {
            let kind = if code.kind() == Kind::Reject { "reject" } else { "retry-after" };
            let row =
                format!("| `{}` | {kind} | {} | {} |", code.name(), code.status(), code.text());
            assert!(text.contains(&row), "{row}");
        }
    }
}
