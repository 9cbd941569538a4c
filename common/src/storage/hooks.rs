//! What is asked of the engine about webhooks, and what it says.

use crate::{
    id::{PersonId, RoomId, WebhookId},
    time::{Millis, Timestamp},
};
use std::fmt;

/// Webhooks that a room may have.
pub const WEBHOOKS: usize = 64;

/// How long the secret before the present one signs too.
pub const OLD_SECRET: Millis = Millis(24 * 3_600_000);

/// An address that is told of what is appended to a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// The room.
    pub room: RoomId,
    /// The room's namespace.
    pub ns: String,
    /// What the room is called.
    pub name: String,
    /// The address.
    pub url: String,
    /// What signs.
    pub secret: Key,
    /// What signed before, where the secret was changed.
    pub before: Option<Key>,
    /// The names of the types of events that are told; `None`: all.
    pub kinds: Option<Vec<String>>,
    /// Whether each event waits for the one before it.
    pub ordered: bool,
    /// Whether it is told of anything.
    pub state: HookState,
    /// When it was made, by the wall clock.
    pub made: Timestamp,
    /// When its secret was, by the wall clock.
    pub changed: Timestamp,
    /// Who made it.
    pub by: PersonId,
}

impl Webhook {
    /// Whether it is told of events of this type.
    #[must_use]
    pub fn hears(&self, kind: &str) -> bool {
        let named = |kinds: &Vec<String>| kinds.iter().any(|it| it == kind);
        self.state == HookState::Active && self.kinds.as_ref().is_none_or(named)
    }

    /// What signs at a moment: the present secret, and for a while the one before it.
    #[must_use]
    pub fn keys(&self, at: Timestamp) -> Vec<&Key> {
        let lately = at.0.saturating_sub(self.changed.0) < OLD_SECRET.0;
        std::iter::once(&self.secret).chain(self.before.as_ref().filter(|_| lately)).collect()
    }
}

/// A secret's bytes. They are never shown by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(pub Vec<u8>);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// Whether a webhook is told of anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookState {
    /// It is.
    Active,
    /// Its receiver wants no more: it said 410.
    Ended,
}

/// What became of a new webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hooked {
    /// It is there: it is told of what is appended from now on.
    Made,
    /// There is no such room, or no longer, or it is an inbox.
    NoRoom,
    /// The room has [as many as it may](WEBHOOKS).
    TooMany,
}

/// What is to be changed of a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookChange {
    /// This secret signs from now on; the present one is the one before it then.
    Secret(Key, Timestamp),
    /// Its receiver wants no more.
    End,
    /// It is there no more.
    Remove,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webhook() -> Webhook {
        Webhook {
            id: WebhookId::NIL,
            room: RoomId::NIL,
            ns: "chat".to_owned(),
            name: "lobby".to_owned(),
            url: "https://hooks.example.org/".to_owned(),
            secret: Key(vec![1]),
            before: Some(Key(vec![2])),
            kinds: None,
            ordered: false,
            state: HookState::Active,
            made: Timestamp(0),
            changed: Timestamp(1_000),
            by: PersonId::NIL,
        }
    }

    #[test]
    fn the_secret_before_signs_for_a_day_whatever_the_clock_does() {
        let keys = |at| webhook().keys(Timestamp(at)).into_iter().cloned().collect::<Vec<_>>();
        let (new, old) = (Key(vec![1]), Key(vec![2]));
        let day = OLD_SECRET.0;
        for at in [0, 1_000, 999 + day] {
            assert_eq!(keys(at), [new.clone(), old.clone()], "{at}");
        }
        assert_eq!(keys(1_000 + day), [new]);
    }

    #[test]
    fn it_hears_of_the_types_that_it_names_while_it_is_active() {
        assert!(webhook().hears("message"));
        let edits = Webhook { kinds: Some(vec!["edit".to_owned()]), ..webhook() };
        assert!(edits.hears("edit") && !edits.hears("message"));
        assert!(!Webhook { state: HookState::Ended, ..webhook() }.hears("message"));
    }

    #[test]
    fn a_key_is_not_shown_by_accident() {
        assert!(format!("{:?}", webhook()).contains("secret: Key(…)"));
    }
}
