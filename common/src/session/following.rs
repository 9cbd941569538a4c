//! The rooms a connection follows: what has been sent of each, and reading the log from there.

use super::{Output, Session};
use crate::{
    codec,
    cursor::{Cursor, Offset},
    error::Code,
    fanout::Note,
    frame::{Gap, GapReason, Left, Live, Page, Refused, Request, RoomInfo, Rooms, ServerFrame},
    id::{Epoch, RoomId},
    planted::{Planted, planted},
    storage::{Fault, Folds, RegisterKey, Slice},
};
use std::collections::{BTreeSet, VecDeque};

#[derive(Debug)]
pub(super) struct Following {
    epoch: Epoch,
    /// The last offset that went out, or that the client said it has.
    sent: Offset,
    /// The highest offset known to be durable.
    head: Offset,
    /// Bytes replayed since the connection began; past the limit a page takes over.
    replayed: u64,
    /// Live entries come. Until then nothing of the log is read or told: it could be more by then.
    followed: bool,
    /// The way to the head is too long: a page takes its place.
    by_page: bool,
    /// Live entries were dropped since the last read began: how far the log goes is not known.
    behind: bool,
    /// The client has been told that it has everything.
    live: bool,
    /// A page in place of a replay is being read: live entries wait for it.
    paging: bool,
    /// The registers that stand are told once it is live.
    telling: bool,
    /// It is the person's inbox.
    pub(super) inbox: bool,
}

impl Following {
    /// Whether everything that is known to be durable has been sent.
    fn done(&self) -> bool {
        self.followed && self.sent >= self.head && !self.behind
    }

    fn at(info: &RoomInfo, sent: Offset, by_page: bool, telling: bool) -> Self {
        Self {
            epoch: info.head.epoch,
            sent,
            head: info.head.offset,
            replayed: 0,
            followed: false,
            by_page,
            behind: false,
            live: false,
            paging: false,
            telling,
            inbox: info.inbox,
        }
    }
}

/// At most one short read of one room is under way, and the next begins when what the last one
/// brought has left: the memory a connection takes does not depend on what it missed.
#[derive(Debug, Default)]
pub(super) struct Reads {
    /// What is to be read, each once: [`Note::Behind`] is a part of a log.
    pub(super) waiting: VecDeque<Note>,
    pub(super) under_way: bool,
    pub(super) flushed: bool,
    /// Where the registers that wait in front go on.
    pub(super) after: Option<RegisterKey>,
    /// Rooms in which an own event stands, and that are not followed: whether the person is in them is
    /// to be found with the next read of the list of rooms.
    pub(super) sought: BTreeSet<RoomId>,
    /// The same, with the read that is under way.
    pub(super) seeking: BTreeSet<RoomId>,
    /// While the list of rooms is read: those whose membership has ended since then.
    pub(super) ended: Option<BTreeSet<RoomId>>,
}

impl Reads {
    /// What waits in front may be told in part: what it has passed is told by another one.
    pub(super) fn want(&mut self, note: Note) {
        let begun = usize::from(self.after.is_some());
        if !self.waiting.iter().skip(begun).any(|it| *it == note) {
            self.waiting.push_back(note);
        }
    }
}

impl<B> Session<B> {
    /// Follows a room of which `sent` is known; a page takes the place of the rest if the way is
    /// too long.
    pub(super) fn follow(&mut self, info: &RoomInfo, sent: Offset, by_page: bool) {
        let telling = self.server.telling.iter().any(|ns| *ns == info.ns);
        self.out.push(Output::Follow(info.room));
        self.rooms.insert(info.room, Following::at(info, sent, by_page, telling));
    }

    /// The room's live entries come from now on, and its log goes at least so far.
    pub(super) fn head(&mut self, room: RoomId, offset: Offset) {
        let Some(state) = self.rooms.get_mut(&room) else {
            return;
        };
        if !planted(Planted::HeadIgnored) {
            state.head = state.head.max(offset);
        }
        state.followed = true;
        self.want(room);
    }

    pub(super) fn member(&mut self, info: &RoomInfo) {
        self.send(&ServerFrame::Rooms(Rooms { rooms: vec![info.clone()] }));
        if !self.rooms.contains_key(&info.room) {
            self.begin(info);
        }
    }

    /// A membership has ended by somebody else's doing.
    pub(super) fn ended(&mut self, room: RoomId) {
        if self.rooms.contains_key(&room) {
            return self.not_member(None, room);
        }
        if let Some(ended) = &mut self.reads.ended {
            ended.insert(room);
        }
    }

    pub(super) fn not_member(&mut self, req: Option<Request>, room: RoomId) {
        if self.rooms.remove(&room).is_some() {
            self.out.push(Output::Unfollow(room));
        }
        if let Some(ended) = &mut self.reads.ended {
            ended.insert(room);
        }
        self.send(&ServerFrame::Left(Left { req, room }));
    }

    pub(super) fn live(&mut self, room: RoomId, offset: Offset, bytes: B) {
        let Some(state) = self.rooms.get_mut(&room) else {
            return;
        };
        state.head = state.head.max(offset);
        if state.paging || !state.followed || offset <= state.sent {
            return;
        }
        if offset == state.sent + 1 || planted(Planted::LiveBeforeReplay) {
            state.sent = offset;
            self.out.push(Output::Pass(bytes));
            self.arrived(room);
        } else {
            self.want(room);
        }
    }

    pub(super) fn behind(&mut self, room: RoomId) {
        if let Some(state) = self.rooms.get_mut(&room) {
            state.behind = true;
            self.want(room);
        }
    }

    /// Queues a room for reading, or tells that it is live if there is nothing to read.
    fn want(&mut self, room: RoomId) {
        let Some(state) = self.rooms.get(&room) else {
            return;
        };
        if state.done() {
            self.arrived(room);
        } else if state.followed && !state.paging {
            self.reads.want(Note::Behind(room));
        }
    }

    /// Tells once that everything missed has been sent.
    fn arrived(&mut self, room: RoomId) {
        let Some(state) = self.rooms.get_mut(&room) else {
            return;
        };
        if !state.live && state.done() {
            state.live = true;
            let (offset, telling) = (state.sent, state.telling);
            self.send(&ServerFrame::Live(Live { room, offset }));
            if telling {
                self.reads.want(Note::Registers(room));
            }
        }
    }

    /// Begins the next short read, if none is under way and what the last one brought has left.
    pub(super) fn read_on(&mut self) {
        while !self.reads.under_way && self.reads.flushed {
            let Some(note) = self.reads.waiting.pop_front() else {
                return;
            };
            if let Some(output) = self.anew(note) {
                self.reads.flushed = false;
                self.out.push(output);
            }
        }
    }

    /// The next part of a room's log, if there is one, or a page in place of all the rest.
    pub(super) fn slice(&mut self, room: RoomId) -> Option<Output<B>> {
        let state = self.rooms.get_mut(&room)?;
        if state.paging || !state.followed || state.done() {
            return None;
        }
        state.behind = false;
        self.reads.under_way = true;
        if !std::mem::take(&mut state.by_page) {
            return Some(Output::Slice { room, after: state.sent });
        }
        state.paging = true;
        // Who has nothing yet has missed nothing: what there was before is history.
        let since = (state.sent > 0).then_some(state.sent);
        let limit = self.limits.page;
        Some(Output::Page { req: None, room, before: None, limit, since })
    }

    /// Of a read that was asked for an earlier membership nothing is told, and nothing of one that
    /// live entries have overtaken: the room is read again if there is more.
    pub(super) fn sliced(
        &mut self,
        room: RoomId,
        after: Offset,
        result: Result<Option<Slice>, Fault>,
    ) {
        self.reads.under_way = false;
        let Some(state) = self.rooms.get(&room) else {
            return;
        };
        if after != state.sent || state.by_page || state.paging || !state.followed {
            return self.want(room);
        }
        match result {
            Ok(Some(slice)) => self.replay(room, slice),
            Ok(None) => self.not_member(None, room),
            Err(fault) => self.close(fault.code()),
        }
    }

    fn replay(&mut self, room: RoomId, slice: Slice) {
        self.tell_trimmed(room, &slice);
        let Some(state) = self.rooms.get_mut(&room) else {
            return;
        };
        state.head = state.head.max(slice.head.offset);
        let fresh = slice.entries.iter().filter(|(offset, _)| *offset > state.sent);
        let fresh: Vec<&str> = fresh.map(|(_, text)| text.as_str()).collect();
        if let (Some((last, _)), false) = (slice.entries.last(), fresh.is_empty()) {
            state.sent = *last;
            state.replayed += fresh.iter().map(|text| text.len() as u64).sum::<u64>();
            let text = codec::entries_frame(room, state.epoch, fresh);
            let too_much = !state.live && state.replayed > self.limits.replay_bytes;
            state.by_page = too_much && !state.done();
            self.out.push(Output::Send(text));
        }
        self.want(room);
    }

    /// Where trimming has moved the log's start past what was sent, says so.
    fn tell_trimmed(&mut self, room: RoomId, slice: &Slice) {
        let Some(state) = self.rooms.get_mut(&room) else {
            return;
        };
        let (from, to) = (state.sent + 1, slice.head.first - 1);
        let (true, Some(mark)) = (from <= to, slice.trimmed_mark) else {
            return;
        };
        state.sent = to;
        if planted(Planted::TrimUntold) {
            return;
        }
        let cursor = Cursor { epoch: slice.head.epoch, offset: to, mark };
        let reason = GapReason::Trimmed;
        let gap = Gap { room, from, to, count: to - from + 1, reason, cursor };
        self.send(&ServerFrame::Gap(gap));
    }

    pub(super) fn paged(
        &mut self,
        req: Option<Request>,
        room: RoomId,
        result: Result<Option<Folds>, Fault>,
    ) {
        if req.is_some() {
            self.requests = self.requests.saturating_sub(1);
        } else {
            self.reads.under_way = false;
            // Asked for an earlier membership: the next one begins from its own place.
            if !self.rooms.get(&room).is_some_and(|state| state.paging) {
                return self.want(room);
            }
        }
        let folds = match (result, req) {
            (Ok(Some(folds)), _) => folds,
            (Ok(None), Some(req)) => return self.refuse(req, Code::UnknownRoom),
            (Ok(None), None) => return self.not_member(None, room),
            (Err(fault), Some(req)) => return self.refuse(req, fault.code()),
            (Err(fault), None) => return self.close(fault.code()),
        };
        let as_of = folds.head.cursor();
        if let (None, Some(state)) = (req, self.rooms.get_mut(&room)) {
            state.paging = false;
            state.sent = state.sent.max(as_of.offset);
            state.head = state.head.max(as_of.offset);
            state.replayed = 0;
        }
        let Folds { head, from, to, skipped, items } = folds;
        let page = Page { req, room, as_of, from, to, first: head.first, skipped, items };
        self.send(&ServerFrame::Page(page));
        if req.is_none() {
            self.want(room);
        }
    }

    pub(super) fn refuse(&mut self, req: Request, code: Code) {
        let detail = code.text().to_owned();
        self.send(&ServerFrame::Refused(Refused { req, code, detail }));
    }
}
