//! Numbering, transmitting, and what verdicts do to the outbox.

use super::{After, Client, Held, LaneRow, Output, Row, RowState, Show, Write, lanes::Flight};
use crate::{
    codec,
    error::Code,
    frame::{Ack, ClientFrame, Emit, Reject, Settled},
    id::RoomId,
    planted::{Planted, planted},
    time::Instant,
};

impl Client {
    /// Numbers and transmits what the window has room for, and asks about what is unsure.
    pub(super) fn pump(&mut self, now: Instant) {
        if !self.link.online() {
            return;
        }
        self.ask_unsure();
        let window = self.limits.window as usize;
        let mut under_way = self.lanes.under_way();
        let rooms = self.lanes.ready(now);
        // The window is shared, so that a long backlog in one room does not hold the others back.
        let share = (window / rooms.len().max(1)).max(1);
        for room in rooms {
            self.transmit(room);
            let left = share.saturating_sub(self.lanes.lane(room).flight.len());
            under_way += self.number(room, left.min(window.saturating_sub(under_way)));
        }
    }

    fn transmit(&mut self, room: RoomId) {
        let most = self.limits.payload_bytes as usize;
        let lane = self.lanes.lane(room);
        let floor = lane.floor();
        for (n, flight) in lane.flight.iter_mut() {
            if !flight.numbered && !planted(Planted::SentBeforeNumbered) {
                break;
            }
            if !lane.confirmed && *n > floor + 1 {
                break;
            }
            if !flight.sent && !flight.settling {
                flight.sent = true;
                if planted(Planted::RowGoneAtSend) {
                    self.waiting.push(Write::DeleteRow(flight.row.key));
                }
                let event = &flight.row.event;
                // The limit may have been lowered since it was numbered. Without its payload the
                // event still gets its verdict: the old one if it was decided, else a rejection.
                let payload = if event.data.len() > most { "" } else { &event.data };
                self.out.push(Output::Send(emit(*n, floor, event, payload)));
            }
        }
    }

    /// Gives numbers to at most `room_for` queued events and writes them; returns how many.
    fn number(&mut self, room: RoomId, room_for: usize) -> usize {
        let most = self.limits.payload_bytes as usize;
        let mut too_large = Vec::new();
        let lane = self.lanes.lane(room);
        let mut count = 0;
        // Behind the last number there is none.
        while count < room_for && lane.next < u64::MAX {
            let Some((_, row)) = lane.queued.pop_first() else { break };
            // One that may have been transmitted goes out without its payload, for its verdict.
            if row.event.data.len() > most && row.state == RowState::Queued {
                too_large.push(row);
                continue;
            }
            let n = lane.next;
            lane.next += 1;
            let row = Row { state: RowState::Sent { n }, ..row };
            self.waiting.push(Write::PutRow(row.clone()));
            let flight = Flight { row, sent: false, numbered: false, settling: false };
            lane.flight.insert(n, flight);
            count += 1;
        }
        if count > 0 {
            self.waiting.push(Write::Lane(LaneRow { room, next: lane.next }));
            self.after.push(After::Numbered(room, lane.next - 1));
        }
        for row in too_large {
            self.shelve(row, Code::TooLarge);
        }
        count
    }

    /// Puts an event on the rejected shelf that cannot be transmitted at all.
    fn shelve(&mut self, row: Row, code: Code) {
        let detail = code.text().to_owned();
        let row = Row { state: RowState::Rejected { code, detail, why: None }, ..row };
        self.waiting.push(Write::PutRow(row.clone()));
        self.lanes.add(row);
    }

    pub(super) fn acked(&mut self, ack: Ack) {
        let behind = self.reading.behind(ack.room, ack.epoch, ack.offset);
        let Some(flight) = self.lanes.flying(ack.room, ack.n) else { return };
        if flight.row.event.id != ack.id {
            return self.diverged();
        }
        flight.settling = true;
        let state = RowState::Acked { epoch: ack.epoch, offset: ack.offset };
        let row = Row { state, ..flight.row.clone() };
        if behind {
            self.waiting.push(Write::DeleteRow(row.key));
        } else {
            self.waiting.push(Write::PutRow(row.clone()));
            self.lanes.add(row);
        }
        self.after.push(After::Settled(ack.room, vec![ack.n]));
        let reply = ack.reply.get().to_owned();
        self.out.push(Output::Show(Show::Reply { id: ack.id, reply }));
    }

    pub(super) fn rejected(&mut self, reject: Reject) {
        let Some(flight) = self.lanes.flying(reject.room, reject.n) else { return };
        if flight.row.event.id != reject.id {
            return self.diverged();
        }
        flight.settling = true;
        let state = RowState::Rejected {
            code: reject.code,
            detail: reject.detail,
            why: reject.why.map(|why| why.get().to_owned()),
        };
        let row = Row { state, ..flight.row.clone() };
        self.waiting.push(Write::PutRow(row.clone()));
        self.lanes.add(row);
        self.after.push(After::Settled(reject.room, vec![reject.n]));
    }

    /// The server no longer keeps this number's verdict, because a higher floor was reported.
    pub(super) fn settled(&mut self, settled: Settled) {
        if self.lanes.flying(settled.room, settled.n).is_some() {
            self.diverged();
        }
    }

    /// A number's verdict shows that this writer has had another history than the outbox tells:
    /// the outbox is a copy, or was set back. It goes on as a new writer.
    fn diverged(&mut self) {
        self.out.push(Output::Close(Code::Fenced.number()));
        self.fenced();
    }
}

fn emit(n: u64, floor: u64, event: &Held, payload: &str) -> String {
    let head = Emit {
        ns: event.ns.clone(),
        room: event.room,
        n,
        floor,
        id: event.id,
        kind: event.kind.clone(),
    };
    codec::write_client_with(&ClientFrame::Emit(head), payload)
}
