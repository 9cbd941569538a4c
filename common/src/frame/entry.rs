//! Entries of a log, as they are sent and stored.

use crate::{
    cursor::{Mark, Offset},
    id::{EventId, PersonId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Who wrote an entry.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Author {
    /// The person.
    pub id: PersonId,
    /// Their name when they wrote it.
    pub name: String,
}

impl Author {
    /// Who writes where no person says who they are: a member of every room.
    #[must_use]
    pub fn service() -> Self {
        Self { id: PersonId::SERVICE, name: "service".to_owned() }
    }
}

/// One entry of a room's log.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    /// Its place.
    pub offset: Offset,
    /// The log's mark at it.
    pub mark: Mark,
    /// The event.
    pub id: EventId,
    /// The event's type; [`HOLLOW`] where the content was removed or may not be seen.
    #[serde(rename = "type")]
    pub kind: String,
    /// Who wrote it; of a hollow entry, who removed it.
    pub from: Author,
    /// When the server took it.
    pub at: Timestamp,
    /// The payload; absent from a hollow entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Box<RawValue>>,
}

/// The type of an entry without content.
pub const HOLLOW: &str = "hollow";

/// An entry with what later entries made of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Folded {
    /// The entry as it stands in the log.
    pub entry: Entry,
    /// The newest entry at or below the page's `as_of` that replaces its content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Entry>,
}
