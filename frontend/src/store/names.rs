//! The order of names. Which of two comes first is the reader's language's to say, so it is an
//! input, like time; and asking for it is dear, so an order once found is kept.

use super::RoomLine;
use holdfast_common::{id::RoomId, sorted::Sorted};
use std::cmp::Ordering;

/// Which of two names stands first.
pub type ByName = fn(&str, &str) -> Ordering;

/// The rooms in the order of their names, from one list to the next.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    names: Sorted<RoomId, String>,
    order: Vec<RoomId>,
}

impl Names {
    /// Puts lines in the order of their names; only for new names is the order asked for.
    pub(super) fn arrange(&mut self, lines: Vec<RoomLine>, by_name: ByName) -> Vec<RoomLine> {
        let mut lines: Sorted<RoomId, RoomLine> =
            lines.into_iter().map(|line| (line.id, line)).collect();
        let same = |id, name: &String| lines.get(id).is_some_and(|line| line.name == *name);
        self.names.retain(|id, name| same(*id, name));
        self.order.retain(|id| self.names.has(id));
        for line in lines.values() {
            if self.names.has(line.id) {
                continue;
            }
            let before = |id: &RoomId| {
                let name = self.names.get(id).map(String::as_str).unwrap_or_default();
                by_name(name, &line.name).then(id.cmp(&line.id)).is_lt()
            };
            let place = self.order.partition_point(before);
            self.order.insert(place, line.id);
            self.names.insert(line.id, line.name.clone());
        }
        self.order.iter().filter_map(|id| lines.remove(id)).collect()
    }
}
