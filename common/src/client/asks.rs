//! What the view wants: requests, registers, signals, and changes to what has not been sent.

use super::{Client, Held, LatestRow, Output, Row, RowState, Show, Write};
use crate::{
    codec,
    error::{Code, Kind},
    event::Class,
    frame::{
        AskIds, ClientFrame, Found, History, JoinRoom, LeaveRoom, Refused, Request, SetLatest,
        Signal, Stored,
    },
    id::{Epoch, EventId, RoomId},
    limits::OPEN_ASKS,
    sorted::Sorted,
    time::{Instant, Millis},
};

/// What a view asks for. It may be the view of another tab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Connect now, not when the wait is over.
    RetryNow,
    /// Change the payload of an event that was never transmitted.
    Revise {
        /// The event.
        id: EventId,
        /// Its new payload.
        data: String,
    },
    /// Drop an event that was never transmitted, or was rejected.
    Discard {
        /// The event.
        id: EventId,
    },
    /// Send a rejected event again, as a new event, with the rejected ones that refer to it.
    Resend {
        /// The rejected event.
        id: EventId,
        /// New ids, one for each event of [`Client::shelf`], in its order.
        ids: Vec<EventId>,
    },
    /// Set a register.
    SetLatest(LatestRow),
    /// Send a volatile event, if it can go out at once.
    Signal {
        /// The namespace that declares its type.
        ns: String,
        /// The room.
        room: RoomId,
        /// Its type.
        kind: String,
        /// Its payload.
        data: String,
    },
    /// Become a member of a room.
    Join {
        /// The room.
        room: RoomId,
    },
    /// End a membership.
    Leave {
        /// The room.
        room: RoomId,
    },
    /// A page of history below `before`.
    History {
        /// The room.
        room: RoomId,
        /// Absent for the newest page.
        before: Option<u64>,
        /// Entries at most.
        limit: u32,
    },
    /// The person's new name; it is told with the next hello, so the link is made anew.
    Rename {
        /// The name.
        name: String,
    },
}

/// How long registers and requests wait that were refused for now.
const AGAIN_WAIT: Millis = Millis(1_000);

/// A request without an answer.
#[derive(Debug, Clone)]
struct Open {
    room: RoomId,
    /// The unsure events it asks about, which wait for the answer.
    ids: Vec<EventId>,
    /// As it was sent.
    frame: ClientFrame,
    /// It is to be sent again: it was refused for now, or the connection has ended.
    late: bool,
}

impl Open {
    /// A membership is to begin or to end: somebody has asked for it and waits to see it.
    fn wish(&self) -> bool {
        matches!(self.frame, ClientFrame::Join(_) | ClientFrame::Leave(_))
    }
}

#[derive(Debug, Default)]
pub(super) struct Asks {
    requests: Request,
    open: Sorted<Request, Open>,
    latest: Sorted<(RoomId, String), LatestRow>,
    /// When registers, questions and requests are sent again, one having been refused for now.
    again: Option<Instant>,
}

impl Asks {
    pub(super) fn load(rows: Vec<LatestRow>) -> Self {
        let latest = rows.into_iter().map(|row| ((row.room, row.kind.clone()), row));
        Self { latest: latest.collect(), ..Self::default() }
    }

    /// Closes a request; `false` if it was not of this connection.
    pub(super) fn answered(&mut self, req: Request) -> bool {
        self.open.remove(req).is_some()
    }

    /// What the person wished is asked again after the next welcome: it may have been lost with the
    /// connection, and the view waits for it. The rest is asked anew by who needs it.
    pub(super) fn disconnected(&mut self) {
        self.open.retain(|_, open| open.wish());
        self.late();
        self.again = None;
    }

    /// There is no connection: what is open goes out over the next one.
    fn late(&mut self) {
        for open in self.open.values_mut() {
            open.late = true;
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.again
    }

    /// Opens a request and returns its frame.
    fn request(
        &mut self,
        room: RoomId,
        ids: Vec<EventId>,
        frame: impl FnOnce(Request) -> ClientFrame,
    ) -> ClientFrame {
        self.requests += 1;
        let frame = frame(self.requests);
        let open = Open { room, ids, frame: frame.clone(), late: false };
        self.open.insert(self.requests, open);
        frame
    }
}

impl Client {
    /// A rejected event and the rejected ones that refer to it: what a resend takes together.
    #[must_use]
    pub fn shelf(&self, id: EventId) -> Vec<Row> {
        self.lanes.shelf(id)
    }

    pub(super) fn command(&mut self, now: Instant, command: Command) {
        match command {
            Command::RetryNow => self.retry_now(now),
            Command::Revise { id, data } => {
                if let Some(row) = self.lanes.queued(id) {
                    row.event.data = data;
                    self.waiting.push(Write::PutRow(row.clone()));
                }
            }
            Command::Discard { id } => {
                if let Some(row) = self.lanes.take(id) {
                    self.waiting.push(Write::DeleteRow(row.key));
                }
            }
            Command::Resend { id, ids } => self.resend(id, &ids),
            Command::SetLatest(row) => self.set_latest(row),
            Command::Signal { ns, room, kind, data } => {
                if self.may_send(Class::Volatile) {
                    let head = ClientFrame::Signal(Signal { ns, room, kind });
                    self.out.push(Output::Send(codec::write_client_with(&head, &data)));
                }
            }
            Command::Join { room } => {
                self.member(room, |req| ClientFrame::Join(JoinRoom { req, room }));
            }
            Command::Leave { room } => {
                self.member(room, |req| ClientFrame::Leave(LeaveRoom { req, room }));
            }
            Command::History { room, before, limit } => {
                self.ask(room, |req| ClientFrame::History(History { req, room, before, limit }))
            }
            Command::Rename { name } => {
                self.principal.name.clone_from(&name);
                self.waiting.push(Write::Name(name));
                self.reconnect();
            }
        }
    }

    /// Begins or ends a membership, in place of an earlier wish for the room; when there is no
    /// connection, after the next welcome.
    fn member(&mut self, room: RoomId, frame: impl FnOnce(Request) -> ClientFrame) {
        self.asks.open.retain(|_, open| !(open.room == room && open.late && open.wish()));
        if self.asks.open.len() >= OPEN_ASKS {
            let (code, detail) = (Code::TooFast, Code::TooFast.text().to_owned());
            return self.out.push(Output::Show(Show::Refused { room, code, detail }));
        }
        let frame = self.asks.request(room, Vec::new(), frame);
        if self.link.online() {
            self.send(&frame);
        } else {
            self.asks.late();
        }
    }

    fn ask(&mut self, room: RoomId, frame: impl FnOnce(Request) -> ClientFrame) {
        if self.link.online() && self.asks.open.len() < OPEN_ASKS {
            let frame = self.asks.request(room, Vec::new(), frame);
            self.send(&frame);
        }
    }

    /// A new event each, since the old ids have their verdict for ever. References among them
    /// move along: an id is 128 bits, so its text stands in a payload only where it is meant.
    fn resend(&mut self, id: EventId, ids: &[EventId]) {
        let rows = self.lanes.shelf(id);
        if rows.len() != ids.len() {
            return;
        }
        let renamed: Vec<(EventId, EventId)> =
            rows.iter().zip(ids).map(|(row, new)| (row.event.id, *new)).collect();
        for (row, new) in rows.into_iter().zip(ids) {
            self.lanes.take(row.event.id);
            self.waiting.push(Write::DeleteRow(row.key));
            let mut event = Held { id: *new, ..row.event };
            for (old, new) in &renamed {
                event.data = event.data.replace(&old.to_string(), &new.to_string());
                event.target = event.target.map(|id| if id == *old { *new } else { id });
            }
            self.waiting.push(Write::AddRow(event));
        }
    }

    fn set_latest(&mut self, row: LatestRow) {
        let key = (row.room, row.kind.clone());
        if self.asks.latest.get(&key).is_some_and(|known| known.rank >= row.rank) {
            return;
        }
        self.waiting.push(Write::PutLatest(row.clone()));
        if self.link.online() {
            self.send_register(&row);
        }
        self.asks.latest.insert(key, row);
    }

    fn send_register(&mut self, row: &LatestRow) {
        // A server of lower limits would close the connection over it, again and again.
        if row.data.len() > self.limits.payload_bytes as usize {
            return;
        }
        let (ns, kind, rank) = (row.ns.clone(), row.kind.clone(), Some(row.rank));
        let head = SetLatest { ns, room: row.room, kind, rank };
        let text = codec::write_client_with(&ClientFrame::Latest(head), &row.data);
        self.out.push(Output::Send(text));
    }

    pub(super) fn send_again(&mut self, now: Instant) {
        if self.asks.again.is_none_or(|again| now < again) {
            return;
        }
        self.asks.again = None;
        self.send_latest();
        self.send_late();
    }

    /// Sends what was refused for now, or lost with a connection.
    pub(super) fn send_late(&mut self) {
        let late = self.asks.open.values_mut();
        let late =
            late.filter_map(|open| std::mem::take(&mut open.late).then(|| open.frame.clone()));
        let frames: Vec<ClientFrame> = late.collect();
        for frame in frames {
            self.send(&frame);
        }
    }

    pub(super) fn send_latest(&mut self) {
        let rows: Vec<LatestRow> = self.asks.latest.values().cloned().collect();
        for row in rows {
            self.send_register(&row);
        }
    }

    pub(super) fn stored(&mut self, now: Instant, stored: Stored) {
        let Stored { room, kind, rank, code, about } = stored;
        if code.is_some_and(|code| code.kind() == Kind::RetryAfter) {
            self.asks.again = Some(now + AGAIN_WAIT);
            return;
        }
        let key = (room, kind.clone());
        // An older server does not say which value it has refused.
        let rank = if code.is_some() { about.unwrap_or(u64::MAX) } else { rank };
        if self.asks.latest.get(&key).is_some_and(|row| row.rank <= rank) {
            self.asks.latest.remove(&key);
            self.waiting.push(Write::DeleteLatest { room, kind, rank });
        }
    }

    /// Asks the log about events that a replaced writer, or an earlier log, may have taken: those
    /// that no open question is about.
    pub(super) fn ask_unsure(&mut self) {
        if self.asks.again.is_some() {
            return;
        }
        for (room, mut ids) in self.lanes.unsure() {
            ids.retain(|id| !self.asks.open.values().any(|open| open.ids.contains(id)));
            // A server closes the connection over more in one question.
            for ids in ids.chunks((self.limits.unsettled as usize).max(1)) {
                if self.asks.open.len() >= OPEN_ASKS {
                    return; // The answers make room for more.
                }
                let ids = ids.to_vec();
                let asked = ids.clone();
                let frame = |req| ClientFrame::Ask(AskIds { req, room, ids: asked });
                let frame = self.asks.request(room, ids, frame);
                self.send(&frame);
            }
        }
    }

    pub(super) fn found(&mut self, found: Found) {
        let Some(Open { ids, .. }) = self.asks.open.remove(found.req) else { return };
        self.answer(&ids, &found);
    }

    fn answer(&mut self, ids: &[EventId], found: &Found) {
        for row in self.lanes.found(found.room, ids, found.epoch, &found.found) {
            let passed = matches!(row.state, RowState::Acked { epoch, offset }
                if self.reading.behind(found.room, epoch, offset));
            if passed && let Some(key) = self.lanes.arrived(row.event.id) {
                self.waiting.push(Write::DeleteRow(key));
            } else {
                self.waiting.push(Write::PutRow(row));
            }
        }
    }

    pub(super) fn refused(&mut self, now: Instant, refused: Refused) {
        // "Not now" is no "no": it is asked again, as it was.
        if refused.code.kind() == Kind::RetryAfter
            && let Some(open) = self.asks.open.get_mut(refused.req)
        {
            open.late = true;
            self.asks.again = Some(now + AGAIN_WAIT);
            return;
        }
        let Some(Open { room, ids, .. }) = self.asks.open.remove(refused.req) else {
            return;
        };
        let (code, detail) = (refused.code, refused.detail);
        if ids.is_empty() {
            return self.out.push(Output::Show(Show::Refused { room, code, detail }));
        }
        // What nobody wished is told to nobody: the events say how it stands with them.
        if code == Code::UnknownRoom {
            // It has none of the events that were asked about.
            self.lanes.found(room, &ids, Epoch::NIL, &[]);
        } else {
            // No other refusal says anything about them.
            self.asks.again = Some(now + AGAIN_WAIT);
        }
    }
}
