//! What people write, and what they change of it.

use crate::{engine::LOBBY, plan::Act, sim::Sim};
use holdfast_common::{
    chat::{Delete, Edit, Message, RoomCreated},
    client::{Command, Held, RowState},
    event::Durable,
    id::{EventId, RoomId},
};

impl Sim {
    fn put<E: Durable>(&mut self, p: usize, t: usize, room: RoomId, event: &E) {
        let id = self.id();
        let held = Held::new(id, room, self.at(), event);
        self.hold(p, t, held);
    }

    pub(super) fn write(&mut self, act: Act) -> bool {
        match act {
            Act::Say { p, t, room, times } => {
                for _ in 0..times {
                    let text = format!("{p} says {}", self.number());
                    self.put(p, t, self.room(room), &Message { text });
                }
            }
            Act::SayNothing { p, t } => {
                self.put(p, t, LOBBY, &Message { text: String::new() });
            }
            Act::SayTooMuch { p, t } => {
                let most = self.server.limits.payload_bytes as usize;
                self.put(p, t, LOBBY, &Message { text: "x".repeat(most) });
            }
            Act::Create { p, t } => {
                let n = self.number();
                let room = RoomId::new(n, &[1; 10]);
                self.put(p, t, room, &RoomCreated { name: format!("room {n}") });
                self.put(p, t, room, &Message { text: format!("{p} opens {n}") });
            }
            Act::Change { p, t, which, delete } => return self.change(p, t, which, delete),
            Act::Revise { p, which } => {
                let Some(id) = self.row(p, which, |state| *state == RowState::Queued) else {
                    return false;
                };
                let text = format!("{p} says better {}", self.number());
                let data = serde_json::to_string(&Message { text }).expect("it is JSON");
                self.wish(p, which, Command::Revise { id, data });
            }
            Act::Discard { p, which } => {
                let own = |state: &RowState| {
                    matches!(state, RowState::Queued | RowState::Rejected { .. })
                };
                let Some(id) = self.row(p, which, own) else {
                    return false;
                };
                self.server.ledger.withdraws(id);
                self.wish(p, which, Command::Discard { id });
            }
            Act::Resend { p, which } => {
                let shelved = |state: &RowState| matches!(state, RowState::Rejected { .. });
                let Some(id) = self.row(p, which, shelved) else {
                    return false;
                };
                self.wish(p, which, Command::Resend { id, ids: Vec::new() });
            }
            _ => unreachable!("only what writes comes here"),
        }
        true
    }

    /// Changes an own message: one that stands, or one that waits.
    fn change(&mut self, p: usize, t: usize, which: usize, delete: bool) -> bool {
        let book = self.profiles[p].book;
        let intents = self.server.ledger.intents.iter().filter(|(_, it)| it.book == book);
        let own: Vec<(EventId, RoomId)> = intents.map(|(id, it)| (*id, it.room)).collect();
        let Some((target, room)) = own.get(own.len().wrapping_sub(1 + which % 8)).copied() else {
            return false;
        };
        if delete {
            self.put(p, t, room, &Delete { target });
        } else {
            let text = format!("{p} corrects {}", self.number());
            self.put(p, t, room, &Edit { target, text });
        }
        true
    }

    fn row(&self, p: usize, which: usize, wanted: impl Fn(&RowState) -> bool) -> Option<EventId> {
        let rows = self.profiles[p].database().rows.values();
        let of: Vec<EventId> =
            rows.filter(|row| wanted(&row.state)).map(|row| row.event.id).collect();
        of.get(which % of.len().max(1)).copied()
    }
}
