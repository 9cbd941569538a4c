//! What copies of the folder, and their return, change of what is known.

use super::{Copy, Ledger};
use crate::disk::Disk;
use holdfast_common::{cursor::Offset, id::EventId};
use std::collections::BTreeMap;

impl Ledger {
    /// A copy of the data folder is made.
    pub fn copy(&self, disk: Disk) -> Copy {
        Copy { disk, logs: self.logs.clone() }
    }

    /// An older copy of the data folder has taken the place of this one; `told` says whether the
    /// server knows.
    pub fn set_back(&mut self, copy: &Copy, now: &Disk) {
        self.set_backs += 1;
        self.decided.clear();
        self.generations.clear();
        for ((room, epoch), log) in &self.logs {
            let places = log.iter().zip(1..);
            self.former.extend(places.map(|(it, at)| ((*room, *epoch, at, it.id), it.mark)));
        }
        let mut logs = BTreeMap::new();
        for (room, log) in &now.logs {
            let was = copy.disk.logs[room].info.head;
            let mut entries = copy.logs.get(&(*room, was.epoch)).cloned().unwrap_or_default();
            entries.truncate(usize::try_from(was.offset).expect("logs are short"));
            logs.insert((*room, log.info.head.epoch), entries);
        }
        let stands = |id: &EventId| logs.values().any(|log| log.iter().any(|it| it.id == *id));
        let all = self.logs.values().flatten().map(|it| it.id);
        self.lost.extend(all.filter(|id| !stands(id)));
        let place = |id: &EventId| {
            let logs = logs.iter();
            let mut found = logs.filter_map(|((room, epoch), log)| {
                let at = log.iter().position(|it| it.id == *id)?;
                Some((*room, *epoch, at as Offset + 1))
            });
            found.next()
        };
        for (id, (room, ..)) in std::mem::take(&mut self.acked) {
            if let Some(at) = place(&id) {
                self.acked.insert(id, at);
            } else if !stands(&id)
                && let Some(intent) = self.intents.get(&id)
                && !self.outside.contains(&(intent.book, room))
            {
                self.untold.insert(id, (intent.book, room));
            }
        }
        self.rejected.retain(|id| !stands(id));
        self.lost.retain(|id| !stands(id));
        self.untold.retain(|id, _| !stands(id));
        // What was acked in an older epoch was checked then.
        self.logs.extend(logs);
    }

    /// Whether the event was lost when the server was set back.
    pub fn was_lost(&self, id: EventId) -> bool {
        self.lost.contains(&id)
    }
}
