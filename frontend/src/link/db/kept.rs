//! The person and the outbox, as the page shows them: what a database that is deleted under the open
//! page gets back, and what tells that the outbox is full.

use super::{
    changes::PRINCIPAL,
    stores::{Key, Store},
};
use crate::link::update::Update;
use holdfast_common::{
    client::{Key as RowKey, Principal, Row, Show, Write},
    limits::Limits,
    sorted::Sorted,
};
use wasm_bindgen::JsValue;
use web_sys::IdbTransaction;

/// What the page shows.
#[derive(Debug, Default)]
pub(in crate::link) struct Kept {
    pub(crate) principal: Option<Principal>,
    rows: Sorted<RowKey, Row>,
    /// How many rows may wait for a verdict, once the server has said so.
    most: Option<u32>,
}

impl Kept {
    /// Keeps up with what the view is told.
    pub(in crate::link) fn follow(&mut self, update: &Update) {
        match update {
            Update::Loaded(loaded) => {
                self.principal.clone_from(&loaded.principal);
                self.rows.clear();
                loaded.rows.iter().for_each(|row| self.put(row));
            }
            Update::Applied(writes) => {
                for write in writes {
                    match write {
                        Write::PutRow(row) => self.put(row),
                        Write::DeleteRow(key) => drop(self.rows.remove(key)),
                        _ => {}
                    }
                }
            }
            Update::Show(Show::Welcome { limits, .. }) => self.most = Some(limits.outbox),
            _ => {}
        }
    }

    fn put(&mut self, row: &Row) {
        self.rows.insert(row.key, row.clone());
    }

    /// Puts them into a database that is being made. Without a writer it is a
    /// damaged one, and is gone on with as such.
    pub(super) fn put_back(&self, tx: &IdbTransaction) -> Result<(), JsValue> {
        let put = |store: Store, key: Key, json: serde_json::Result<String>| {
            let json = json.unwrap_or_default().into();
            tx.object_store(store.name())?.put_with_key(&json, &key.to_js())
        };
        if let Some(principal) = &self.principal {
            put(Store::Meta, Key::name(PRINCIPAL), serde_json::to_string(principal))?;
        }
        for row in self.rows.values() {
            put(Store::Outbox, Key::Row(row.key), serde_json::to_string(row))?;
        }
        Ok(())
    }

    /// Whether the outbox takes no more, where so many events are being written.
    pub(in crate::link) fn full(&self, more: usize) -> bool {
        let most = self.most.unwrap_or(Limits::default().outbox) as usize;
        self.rows.values().filter(|row| row.state.waits()).count() + more >= most
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_common::{
        client::{Held, RowState},
        error::Code,
        id::{Epoch, EventId, RoomId},
        time::Timestamp,
    };

    fn put(key: RowKey, state: RowState) -> Write {
        let event = Held {
            id: EventId::new(key, &[0; 10]),
            ns: "chat".into(),
            room: RoomId::NIL,
            kind: "message".into(),
            data: "{}".into(),
            target: None,
            at: Timestamp(key),
        };
        Write::PutRow(Row { key, event, state })
    }

    fn of_two() -> Kept {
        Kept { most: Some(2), ..Kept::default() }
    }

    #[test]
    fn the_outbox_is_full_of_what_waits_and_not_of_what_has_its_verdict() {
        let acked = || RowState::Acked { epoch: Epoch::NIL, offset: 7 };
        let rejected =
            RowState::Rejected { code: Code::TooLarge, detail: String::new(), why: None };
        let mut kept = of_two();
        let mut full = |writes| {
            kept.follow(&Update::Applied(writes));
            kept.full(0)
        };
        assert!(!full(vec![put(1, acked()), put(2, rejected), put(3, RowState::Queued)]));
        assert!(full(vec![put(4, RowState::Sent { n: 1 })]));
        assert!(!full(vec![put(4, acked())]));
        assert!(full(vec![put(5, RowState::Unsure)]));
        assert!(!full(vec![Write::DeleteRow(3)]));
    }

    #[test]
    fn what_is_being_written_counts_as_well() {
        let mut kept = of_two();
        assert!(!kept.full(1));
        assert!(kept.full(2));
        kept.follow(&Update::Applied(vec![put(1, RowState::Queued)]));
        assert!(kept.full(1));
    }
}
