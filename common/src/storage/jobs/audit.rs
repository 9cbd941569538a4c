//! What is kept of what people did.

use super::{By, QueueName};
use crate::{id::JobId, time::Timestamp};

/// Rows about a queue that are to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditQuery {
    /// The queue.
    pub queue: QueueName,
    /// Those older than this one.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: u32,
}

/// That somebody did something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// Its number: those of later ones are higher.
    pub seq: i64,
    /// When, by the wall clock.
    pub at: Timestamp,
    /// Who.
    pub by: By,
    /// What.
    pub did: Did,
    /// The job, where it was one.
    pub job: Option<JobId>,
    /// To how many jobs it was done, up to now.
    pub jobs: u64,
    /// What was set, what was purged, what the jobs were sieved by, the ids of several that were named, with
    /// commas between them, or that the payload was `mended`; of what was done about a webhook its id,
    /// about a schedule its name. [Cut](crate::job::limits::reason).
    pub detail: Option<String>,
}

macro_rules! deeds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)*) => {
        /// What somebody did, as it is noted. Its names are stored, and never change.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Did {
            $($(#[$doc])* $variant,)*
            /// What a newer build has noted.
            Other(String),
        }

        impl Did {
            /// All that this build knows.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// As it is stored and shown.
            #[must_use]
            pub fn name(&self) -> &str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::Other(name) => name,
                }
            }
        }

        impl From<String> for Did {
            fn from(name: String) -> Self {
                match name.as_str() {
                    $($name => Self::$variant,)*
                    _ => Self::Other(name),
                }
            }
        }
    };
}

deeds! {
    /// [`Deed::Cancel`](super::Deed::Cancel).
    Cancel = "cancel";
    /// [`Deed::Requeue`](super::Deed::Requeue).
    Requeue = "requeue";
    /// [`Deed::Discard`](super::Deed::Discard).
    Discard = "discard";
    /// [`Deed::Purge`](super::Deed::Purge).
    Purge = "purge";
    /// [`Deed::Pause`](super::Deed::Pause).
    Pause = "pause";
    /// [`Deed::Resume`](super::Deed::Resume).
    Resume = "resume";
    /// [`Deed::Set`](super::Deed::Set).
    Set = "set";
    /// A webhook was made, as the others noted at the queue of [webhooks](crate::system::WEBHOOKS).
    WebhookMade = "webhook_made";
    /// It has a new secret.
    WebhookSecret = "webhook_secret";
    /// It is told nothing more.
    WebhookEnded = "webhook_ended";
    /// It was deleted.
    WebhookRemoved = "webhook_removed";
    /// A schedule was made, noted at its queue.
    ScheduleMade = "schedule_made";
    /// It was made anew.
    ScheduleReplaced = "schedule_replaced";
    /// Nothing comes of it for now.
    SchedulePaused = "schedule_paused";
    /// It goes on.
    ScheduleResumed = "schedule_resumed";
    /// It was deleted, or is another queue's now.
    ScheduleRemoved = "schedule_removed";
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = include_str!("../../../../docs/protocol.md");

    #[test]
    fn each_deed_is_read_by_its_name_and_told_to_people_and_what_is_not_known_stays_as_it_is() {
        for did in Did::ALL {
            assert_eq!(Did::from(did.name().to_owned()), *did);
            assert!(TEXT.contains(&format!("`{}`", did.name())), "{did:?}");
        }
        let newer = Did::from("queue_renamed".to_owned());
        assert!(!Did::ALL.contains(&newer));
        assert_eq!(newer.name(), "queue_renamed");
    }
}
