//! What a client asks for: memberships, history, whether events are there.

use super::{Output, Session};
use crate::{
    error::Code,
    frame::{AskIds, Found, History, Joined, Request, ServerFrame},
    id::RoomId,
    limits::OPEN_REQUESTS,
    storage::{Fault, Membership, Places},
    time::Instant,
};

impl<B> Session<B> {
    /// Each costs the engine a write or a read, so they come no faster than emits and registers, and
    /// out of one measure with them.
    pub(super) fn request(
        &mut self,
        now: Instant,
        req: Request,
        output: impl FnOnce() -> Output<B>,
    ) {
        if self.requests >= OPEN_REQUESTS {
            return self.close(Code::OverLimit);
        }
        if self.lanes.rate.take(now).is_err() {
            return self.refuse(req, Code::TooFast);
        }
        self.requests += 1;
        self.out.push(output());
    }

    /// Only members read a room's history.
    pub(super) fn history(&mut self, now: Instant, ask: History) {
        if !self.rooms.contains_key(&ask.room) {
            return self.refuse(ask.req, Code::NotMember);
        }
        let limit = ask.limit.clamp(1, self.limits.page);
        let (req, room, before) = (Some(ask.req), ask.room, ask.before);
        self.request(now, ask.req, || Output::Page { req, room, before, limit, since: None });
    }

    /// Answered to everyone, members or not. A fenced outbox asks about what it had sent to rooms
    /// that its person has left since: without an answer those events would be its writer's to
    /// change again, although they stand in the log. It says nothing that an emit of the same id
    /// does not say, which is acked if it stands; and nobody knows an id, random as it is, of an
    /// event that they have neither written nor read.
    pub(super) fn find(&mut self, now: Instant, ask: AskIds) {
        if ask.ids.len() > self.limits.unsettled as usize {
            return self.close(Code::OverLimit);
        }
        let AskIds { req, room, ids } = ask;
        self.request(now, req, || Output::Find { req, room, ids });
    }

    pub(super) fn found(&mut self, req: Request, room: RoomId, result: Result<Places, Fault>) {
        self.requests = self.requests.saturating_sub(1);
        match result {
            Ok(Some((epoch, found))) => {
                let some = !found.is_empty();
                self.send(&ServerFrame::Found(Found { req, room, epoch, found }));
                if some {
                    self.seek(room);
                }
            }
            Ok(None) => self.refuse(req, Code::UnknownRoom),
            // No answer is no "not there": the client asks again over its next connection.
            Err(fault) => self.close(fault.code()),
        }
    }

    pub(super) fn membership(
        &mut self,
        req: Request,
        room: RoomId,
        join: bool,
        result: Result<Membership, Fault>,
    ) {
        self.requests = self.requests.saturating_sub(1);
        match result {
            Ok(Membership::Done(info)) if join => {
                let begins = !self.rooms.contains_key(&room);
                self.send(&ServerFrame::Joined(Joined { req, room: info.clone() }));
                if begins {
                    self.begin(&info);
                }
            }
            Ok(Membership::Done(_)) => self.not_member(Some(req), room),
            Ok(Membership::NoRoom) => self.refuse(req, Code::UnknownRoom),
            Ok(Membership::TooMany) => self.refuse(req, Code::TooMany),
            Ok(Membership::ForGood) => self.refuse(req, Code::Forbidden),
            Err(fault) => self.refuse(req, fault.code()),
        }
    }
}
