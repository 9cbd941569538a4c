//! The outbox by lanes, as data: what waits, what is under way, what is on the shelf.

use super::{Key, LaneRow, Row, RowState};
use crate::{
    frame::{LaneState, Retry, Settled},
    id::{Epoch, EventId, RoomId},
    planted::{Planted, planted},
    sorted::Sorted,
    time::Instant,
};

/// A transmitted (or about to be) event without a settled verdict.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) row: Row,
    /// Sent over the present connection, or known to be decided: its verdict is on the way.
    pub(super) sent: bool,
    /// The number is on disk.
    pub(super) numbered: bool,
    /// The verdict is being written.
    pub(super) settling: bool,
}

#[derive(Debug)]
pub(super) struct Lane {
    /// The number that the next event gets.
    pub(super) next: u64,
    /// What waits for its number. An unsure one among them was asked about and not found: another
    /// copy's may be under way all the same, so it goes out as it is and is nobody's to change.
    pub(super) queued: Sorted<Key, Row>,
    /// Asked about after the writer was replaced; they go to `queued` or leave.
    pub(super) unsure: Sorted<Key, Row>,
    pub(super) flight: Sorted<u64, Flight>,
    /// In this connection the server has said how far it has decided this lane, by the welcome or
    /// by a verdict. Until then one event alone goes out: should the server's history of the lane
    /// differ, nothing may overtake the event that shows it.
    pub(super) confirmed: bool,
    /// The last of the numbers whose verdicts are on the way since the welcome: none before it
    /// confirms, since each may be another event's, of a history that this outbox does not know.
    awaited: u64,
    /// The server asked for a pause.
    pub(super) until: Option<Instant>,
}

impl Default for Lane {
    fn default() -> Self {
        Self {
            next: 1,
            queued: Sorted::default(),
            unsure: Sorted::default(),
            flight: Sorted::default(),
            confirmed: false,
            awaited: 0,
            until: None,
        }
    }
}

impl Lane {
    /// Every number up to it is settled on this side's disk.
    pub(super) fn floor(&self) -> u64 {
        let settled = |flight: &Flight| flight.settling && planted(Planted::FloorBeforeVerdict);
        let first = self.flight.iter().find(|(_, flight)| !settled(flight));
        first.map_or(self.next, |(n, _)| *n).saturating_sub(1)
    }
}

/// An acked row whose entry has not arrived.
#[derive(Debug)]
struct Acked {
    row: Row,
    epoch: Epoch,
    offset: u64,
    /// Acked in an earlier connection than the present one.
    earlier: bool,
}

#[derive(Debug, Default)]
pub(super) struct Lanes {
    pub(super) lanes: Sorted<RoomId, Lane>,
    acked: Sorted<EventId, Acked>,
    rejected: Sorted<EventId, Row>,
}

impl Lanes {
    pub(super) fn load(rows: Vec<Row>, counters: &[LaneRow]) -> Self {
        let mut lanes = Self::default();
        for LaneRow { room, next } in counters {
            lanes.lane(*room).next = (*next).max(1);
        }
        for row in rows {
            lanes.add(row);
        }
        lanes.disconnected();
        lanes
    }

    pub(super) fn lane(&mut self, room: RoomId) -> &mut Lane {
        self.lanes.entry(room)
    }

    pub(super) fn add(&mut self, row: Row) {
        let room = row.event.room;
        match row.state {
            RowState::Queued => {
                self.lane(room).queued.insert(row.key, row);
            }
            // No number is 0: what is stored so is broken, and may have been transmitted.
            RowState::Unsure | RowState::Sent { n: 0 } => {
                self.lane(room).unsure.insert(row.key, row);
            }
            RowState::Sent { n } => {
                let lane = self.lane(room);
                lane.next = lane.next.max(n.saturating_add(1));
                let flight = Flight { row, sent: false, numbered: true, settling: false };
                lane.flight.insert(n, flight);
            }
            RowState::Acked { epoch, offset } => {
                self.acked.insert(row.event.id, Acked { row, epoch, offset, earlier: false });
            }
            RowState::Rejected { .. } => {
                self.rejected.insert(row.event.id, row);
            }
        }
    }

    pub(super) fn pending(&self) -> usize {
        self.lanes
            .values()
            .map(|lane| lane.queued.len() + lane.unsure.len() + lane.flight.len())
            .sum()
    }

    /// Nothing durable is waiting to go out or for its verdict.
    pub(super) fn idle(&self) -> bool {
        self.lanes
            .values()
            .all(|lane| lane.queued.is_empty() && lane.flight.values().all(|flight| flight.sent))
    }

    /// How many events are numbered and without a settled verdict.
    pub(super) fn under_way(&self) -> usize {
        self.lanes.values().map(|lane| lane.flight.len()).sum()
    }

    /// The lanes in which something may go out now.
    pub(super) fn ready(&self, now: Instant) -> Vec<RoomId> {
        let ready = self.lanes.iter().filter(|(_, lane)| {
            let held = lane.until.is_some_and(|until| now < until) || !lane.unsure.is_empty();
            let idle = lane.queued.is_empty() && lane.flight.is_empty();
            !(held || idle)
        });
        ready.map(|(room, _)| *room).collect()
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.lanes.values().filter_map(|lane| lane.until).min()
    }

    pub(super) fn tick(&mut self, now: Instant) {
        for lane in self.lanes.values_mut() {
            lane.until = lane.until.filter(|until| now < *until);
        }
    }

    /// The lanes in which something waits. The others keep the rule for lanes without a name in the
    /// hello, so the hello does not grow with every room that was ever written in.
    pub(super) fn states(&self) -> Vec<LaneState> {
        let busy = self.lanes.iter().filter(|(_, lane)| {
            !(lane.queued.is_empty() && lane.unsure.is_empty() && lane.flight.is_empty())
        });
        let state = |(room, lane): (&RoomId, &Lane)| LaneState {
            room: *room,
            floor: lane.floor(),
            next: lane.next,
        };
        busy.map(state).collect()
    }

    pub(super) fn disconnected(&mut self) {
        for lane in self.lanes.values_mut() {
            lane.until = None;
            lane.confirmed = false;
            lane.awaited = 0;
            for flight in lane.flight.values_mut() {
                flight.sent = false;
            }
        }
        for acked in self.acked.values_mut() {
            acked.earlier = true;
        }
    }

    /// What the server has decided of a lane: those verdicts are on the way, the rest goes again.
    pub(super) fn watermark(&mut self, room: RoomId, watermark: u64) {
        let lane = self.lane(room);
        let decided = lane.flight.keys().filter(|n| **n <= watermark);
        lane.awaited = decided.max().copied().unwrap_or(0);
        lane.confirmed = lane.awaited == 0;
        for (n, flight) in lane.flight.iter_mut() {
            flight.sent = *n <= watermark;
        }
        lane.next = lane.next.max(watermark.saturating_add(1));
    }

    /// The server expects this number: send again from there.
    pub(super) fn expected(&mut self, expected: Settled) {
        self.again_from(expected.room, expected.n);
    }

    /// Everything from that number on goes again. Where the number itself does not, because its
    /// verdict came before, the server passes over what is behind it until a floor shows that:
    /// nothing goes before the floor has moved.
    fn again_from(&mut self, room: RoomId, n: u64) {
        let lane = self.lane(room);
        lane.confirmed &= lane.flight.get(n).is_some_and(|flight| !flight.settling);
        for flight in lane.flight.from_mut(n) {
            flight.sent = false;
        }
    }

    pub(super) fn hold(&mut self, now: Instant, retry: &Retry) {
        self.lane(retry.room).until = Some(now + retry.after);
        self.again_from(retry.room, retry.n);
    }

    pub(super) fn numbered(&mut self, room: RoomId, last: u64) {
        for (n, flight) in self.lane(room).flight.iter_mut() {
            flight.numbered |= *n <= last;
        }
    }

    pub(super) fn forget(&mut self, room: RoomId, numbers: &[u64]) {
        let lane = self.lane(room);
        for n in numbers {
            lane.flight.remove(n);
        }
    }

    /// The writer was replaced: all that waits is asked about, since another copy of the outbox may
    /// have transmitted even what was not transmitted here. What has its verdict already keeps it:
    /// that is being written.
    pub(super) fn renew(&mut self) -> Vec<Row> {
        let mut changed = Vec::new();
        for lane in self.lanes.values_mut() {
            lane.next = 1;
            for (n, flight) in std::mem::take(&mut lane.flight) {
                if flight.settling {
                    lane.flight.insert(n, flight);
                    continue;
                }
                let row = Row { state: RowState::Unsure, ..flight.row };
                changed.push(row.clone());
                lane.unsure.insert(row.key, row);
            }
            for (key, row) in std::mem::take(&mut lane.queued) {
                let row = Row { state: RowState::Unsure, ..row };
                changed.push(row.clone());
                lane.unsure.insert(key, row);
            }
        }
        changed
    }

    pub(super) fn unsure(&self) -> Vec<(RoomId, Vec<EventId>)> {
        let lanes = self.lanes.iter().filter(|(_, lane)| !lane.unsure.is_empty());
        lanes.map(|(room, lane)| (*room, ids(lane.unsure.values()))).collect()
    }

    /// Takes the answer about the unsure events that were asked about; returns those that were found,
    /// as they are now.
    pub(super) fn found(
        &mut self,
        room: RoomId,
        asked: &[EventId],
        epoch: Epoch,
        found: &[(EventId, u64)],
    ) -> Vec<Row> {
        let mut acked = Vec::new();
        for (key, row) in std::mem::take(&mut self.lane(room).unsure) {
            if !asked.contains(&row.event.id) {
                self.lane(room).unsure.insert(key, row);
            } else if let Some((_, offset)) = found.iter().find(|(id, _)| *id == row.event.id) {
                let row = Row { state: RowState::Acked { epoch, offset: *offset }, ..row };
                acked.push(row.clone());
                self.add(row);
            } else {
                self.lane(room).queued.insert(key, row);
            }
        }
        acked
    }

    /// Forgets the acked row of an entry that has arrived.
    pub(super) fn arrived(&mut self, id: EventId) -> Option<Key> {
        self.acked.remove(id).map(|acked| acked.row.key)
    }

    /// Acked rows of a room whose entries should have come and did not: those of another epoch,
    /// those up to `offset`, and, where everything that was missed has come, those of earlier
    /// connections. They become unsure: does the log have them?
    pub(super) fn doubt(
        &mut self,
        room: RoomId,
        epoch: Epoch,
        offset: u64,
        all_came: bool,
    ) -> Vec<Row> {
        let doubtful = |acked: &Acked| {
            let overdue = acked.offset <= offset || (all_came && acked.earlier);
            acked.row.event.room == room && (acked.epoch != epoch || overdue)
        };
        let rows = self.take_acked(doubtful).into_iter();
        let rows: Vec<Row> = rows.map(|row| Row { state: RowState::Unsure, ..row }).collect();
        for row in &rows {
            self.add(row.clone());
        }
        rows
    }

    /// The rooms, and the incarnations of their logs, of acked events whose entries have not arrived.
    pub(super) fn acked_rooms(&self) -> impl Iterator<Item = (RoomId, Epoch)> {
        self.acked.values().map(|acked| (acked.row.event.room, acked.epoch))
    }

    /// The keys of a room's rows that were acked in this connection, or of all its acked ones where
    /// the room was deleted. They are let go of: their entries will not come here.
    pub(super) fn let_go(&mut self, room: RoomId, deleted: bool) -> Vec<Key> {
        let past = |acked: &Acked| deleted || !acked.earlier;
        let gone = self.take_acked(|acked| acked.row.event.room == room && past(acked));
        gone.into_iter().map(|row| row.key).collect()
    }

    fn take_acked(&mut self, taken: impl Fn(&Acked) -> bool) -> Vec<Row> {
        let acked = self.acked.iter().filter(|(_, acked)| taken(acked));
        let ids: Vec<EventId> = acked.map(|(id, _)| *id).collect();
        ids.iter().filter_map(|id| self.acked.remove(id)).map(|acked| acked.row).collect()
    }

    /// A row that its writer may still change.
    pub(super) fn queued(&mut self, id: EventId) -> Option<&mut Row> {
        let rows = self.lanes.values_mut().flat_map(|lane| {
            let sent = lane.flight.values_mut().map(|flight| &mut flight.row);
            let sent = sent.filter(|_| planted(Planted::ChangedAfterSent));
            let queued = lane.queued.values_mut().filter(|row| row.state == RowState::Queued);
            queued.chain(sent)
        });
        rows.into_iter().find(|row| row.event.id == id)
    }

    /// Takes a row out that was never transmitted, or was rejected.
    pub(super) fn take(&mut self, id: EventId) -> Option<Row> {
        if let Some(row) = self.rejected.remove(id) {
            return Some(row);
        }
        let (room, key) = self.queued(id).map(|row| (row.event.room, row.key))?;
        self.lane(room).queued.remove(key)
    }

    /// A rejected event, and the rejected ones that refer to it, in the order they were written.
    pub(super) fn shelf(&self, id: EventId) -> Vec<Row> {
        let rows = self.rejected.values();
        let rows = rows.filter(|row| row.event.id == id || row.event.target == Some(id));
        let rows: Sorted<Key, Row> = rows.map(|row| (row.key, row.clone())).collect();
        rows.into_values()
    }

    /// The event under way with that number, unless its verdict is being written already. A verdict
    /// is asked for it: the server says with it how far it has decided the lane.
    pub(super) fn flying(&mut self, room: RoomId, n: u64) -> Option<&mut Flight> {
        let lane = self.lanes.get_mut(room)?;
        let flight = lane.flight.get_mut(n).filter(|flight| !flight.settling)?;
        lane.confirmed |= n >= lane.awaited;
        Some(flight)
    }
}

fn ids<'a>(rows: impl Iterator<Item = &'a Row>) -> Vec<EventId> {
    rows.map(|row| row.event.id).collect()
}
