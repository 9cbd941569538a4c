//! What an address of this page names.

use crate::address::decode;
use holdfast_common::{event::Namespace, work::Work};

/// What an address names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// All queues.
    Queues,
    /// A queue.
    Queue {
        /// Its namespace.
        ns: String,
        /// Its name.
        queue: String,
    },
}

impl Place {
    /// Reads a path. Where it names no namespace, it is `work`.
    #[must_use]
    pub fn read(path: &str) -> Self {
        let path = path.trim_matches('/');
        let names = path.strip_prefix("queues").unwrap_or_default().trim_matches('/');
        match names.split_once('/') {
            Some((ns, queue)) => Self::Queue { ns: decode(ns), queue: decode(queue) },
            None if names.is_empty() => Self::Queues,
            None => Self::Queue { ns: Work::NAME.into(), queue: decode(names) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_a_queue_or_all_of_them() {
        let queue = |ns: &str, queue: &str| Place::Queue { ns: ns.into(), queue: queue.into() };
        assert_eq!(Place::read("/queues"), Place::Queues);
        assert_eq!(Place::read("/queues/"), Place::Queues);
        assert_eq!(Place::read("/queues/inbox"), queue("work", "inbox"));
        assert_eq!(Place::read("/queues/inbox/"), queue("work", "inbox"));
        assert_eq!(Place::read("/queues/holdfast/webhooks"), queue("holdfast", "webhooks"));
        assert_eq!(Place::read("/queues/a%2Fb%20%C3%A4"), queue("work", "a/b ä"));
    }
}
