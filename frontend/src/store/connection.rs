//! The link's state as a person is told.

use holdfast_common::{client::Link, error::Code, time::Instant};

/// Whether events can go out, and if not, when it is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Connection {
    /// A connection is being made.
    #[default]
    Connecting,
    /// Events go out at once.
    Online,
    /// No connection; a new one is tried by itself.
    Offline {
        /// When.
        retry_at: Instant,
        /// What ended the last one, where the server said.
        why: Option<Code>,
    },
    /// No connection, and none will be tried by itself.
    Blocked {
        /// What the server said.
        why: Option<Code>,
        /// Whether the cause is this browser's database.
        storage: bool,
        /// Whether what it lacks is room.
        full: bool,
    },
}

impl Connection {
    pub(super) fn new(now: Instant, link: Link) -> Self {
        match link {
            Link::Connecting => Self::Connecting,
            Link::Online => Self::Online,
            Link::Offline { retry_in, why } => Self::Offline { retry_at: now + retry_in, why },
            Link::Blocked { why, storage, full } => Self::Blocked { why, storage, full },
        }
    }

    /// As in the page's `data-link`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Online => "online",
            Self::Offline { .. } => "offline",
            Self::Blocked { .. } => "blocked",
        }
    }

    /// Whether a person can ask for a new attempt.
    #[must_use]
    pub fn can_retry(self) -> bool {
        matches!(self, Self::Offline { .. } | Self::Blocked { .. })
    }
}
