//! Hello and welcome: who it is, and from where each room goes on.

use super::{Me, Output, Phase, Session};
use crate::{
    cursor::{self, Cursor},
    error::Code,
    fanout::Note,
    fanout::Run,
    frame::{Ack, Author, Hello, Left, Reject, Reset, RoomInfo, ServerFrame, Welcome},
    id::RoomId,
    limits::{MOST_INBOXES, MOST_LANES, MOST_ROOMS, MOST_VERDICTS, SECRET_BYTES},
    planted::{Planted, planted},
    storage::{Fault, Greeted, Resume, RoomState, Verdict},
    text,
    time::{Millis, Timestamp},
};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};

/// Rooms that one hello may name. It does not go by the limit of rooms, which may have been higher:
/// who is in more rooms than that has to be able to come, be it only to leave some.
const ROOMS: usize = MOST_ROOMS as usize;

impl<B> Session<B> {
    pub(super) fn hello(&mut self, hello: Hello) {
        let hello = match self.hello.take() {
            None => Box::new(hello),
            Some(mut first) => {
                first.rooms.extend(hello.rooms);
                first.lanes.extend(hello.lanes);
                first.more = hello.more;
                first
            }
        };
        if hello.rooms.len() > ROOMS + MOST_INBOXES || hello.lanes.len() > MOST_LANES {
            return self.close(Code::OverLimit);
        }
        let mut hello = hello;
        hello.name = self.label(&hello.name);
        let secret = SECRET_BYTES.contains(&hello.secret.len());
        if hello.name.is_empty() || !secret || hello.generation == 0 {
            return self.close(Code::BadFrame);
        }
        if hello.more {
            self.hello = Some(hello);
        } else {
            self.phase = Phase::Greeting;
            self.hello = Some(hello.clone());
            self.out.push(Output::Greet(hello));
        }
    }

    /// A person's name as others see it: a label, so what does not belong in one is left out
    /// instead of being refused.
    fn label(&self, name: &str) -> String {
        let plain = name.chars().filter(|it| !it.is_control() && !text::steers(*it));
        let plain: String = plain.collect();
        plain.trim().chars().take(self.limits.name_chars as usize).collect()
    }

    pub(super) fn greeted(&mut self, now: Timestamp, result: Result<Greeted, Fault>) {
        let Some(hello) = self.hello.take() else {
            return;
        };
        let resume = match result {
            Ok(Greeted::Welcome(resume)) => resume,
            Ok(Greeted::Refused(code)) => return self.close(code),
            // The page says the truth: the disk is full, not "a fault".
            Err(fault) => return self.close(fault.code()),
        };
        if resume.verdicts.len() > MOST_VERDICTS {
            return self.close(Code::OverLimit);
        }
        if set_back(&hello, &resume) {
            return self.close(Code::Fenced);
        }
        self.phase = Phase::Ready;
        let author = Author { id: hello.person, name: hello.name.clone() };
        let Hello { session, writer, generation, .. } = *hello;
        let run = Run { session, writer, generation };
        self.out.push(Output::Register { person: author.clone(), run });
        self.me = Some(Me { author, writer, generation });
        let Resume { rooms, lanes, verdicts, latest, latest_rest } = resume;
        self.send(&ServerFrame::Welcome(Welcome {
            connection: self.connection,
            server: self.server.version.to_owned(),
            now,
            limits: self.limits.clone(),
            lanes,
            latest,
        }));
        let infos: Vec<RoomInfo> = rooms.iter().map(|state| state.info.clone()).collect();
        self.list(&infos);
        let mut known: BTreeSet<RoomId> = hello.rooms.iter().map(|known| known.room).collect();
        for (room, n, verdict) in verdicts {
            if matches!(verdict, Verdict::Ack { .. }) {
                known.insert(room);
            }
            self.verdict(room, n, verdict);
        }
        self.resume(now, &hello, rooms, known);
        if let Some(rest) = latest_rest {
            let rest = self.rooms.range(rest..).map(|(room, _)| Note::OwnRegisters(*room));
            rest.for_each(|note| self.reads.want(note));
        }
    }

    /// First what the person is no member of, of the rooms of which the client has something or
    /// waits for something: entries of its own that were acked. Then what is to be read.
    fn resume(
        &mut self,
        now: Timestamp,
        hello: &Hello,
        rooms: Vec<RoomState>,
        mut known: BTreeSet<RoomId>,
    ) {
        let cursors: BTreeMap<RoomId, Cursor> =
            hello.rooms.iter().map(|known| (known.room, known.cursor)).collect();
        let mut followed = Vec::new();
        for state in rooms.into_iter().filter(|state| state.info.joined && !state.info.gone) {
            known.remove(&state.info.room);
            let cursor = cursors.get(&state.info.room).copied();
            followed.push((state, cursor));
        }
        for room in known {
            self.send(&ServerFrame::Left(Left { req: None, room }));
        }
        for (state, cursor) in followed {
            self.take_up(now, &state, cursor);
        }
    }

    fn take_up(&mut self, now: Timestamp, state: &RoomState, cursor: Option<Cursor>) {
        let (room, head) = (state.info.room, state.info.head);
        let going_on =
            match cursor.map(|cursor| (cursor, cursor::check(&cursor, &head, state.mark_at))) {
                None => None,
                Some((cursor, Ok(()))) => Some(cursor),
                Some((_, Err(reason))) => {
                    self.send(&ServerFrame::Reset(Reset { room, reason, head }));
                    None
                }
            };
        let Some(cursor) = going_on else {
            return self.begin(&state.info);
        };
        let missed = head.offset - cursor.offset;
        let away =
            state.missed_since.map_or(Millis(0), |since| Millis(now.0.saturating_sub(since.0)));
        let too_long =
            missed > u64::from(self.limits.replay_events) || away > self.limits.replay_age;
        let one_more = u64::from(planted(Planted::ResumeOffByOne));
        self.follow(&state.info, cursor.offset + one_more, too_long && missed > 0);
    }

    /// A room of which the client has nothing: a short log from its start, a long one by a page.
    pub(super) fn begin(&mut self, info: &RoomInfo) {
        let head = info.head;
        let long = head.offset > u64::from(self.limits.page) || head.first > 1;
        self.follow(info, 0, long);
    }

    pub(super) fn verdict(&mut self, room: RoomId, n: u64, verdict: Verdict) {
        let json = |text: String| {
            RawValue::from_string(text).expect("replies and reasons were written as JSON")
        };
        let frame = match verdict {
            Verdict::Ack { id, epoch, offset, reply } => {
                ServerFrame::Ack(Ack { room, n, id, epoch, offset, reply: json(reply) })
            }
            Verdict::Reject { id, code, detail, why } => {
                ServerFrame::Reject(Reject { room, n, id, code, detail, why: why.map(json) })
            }
        };
        self.send(&frame);
    }
}

/// Whether the client's outbox has been set back since it last spoke. It shows in two ways: a number
/// that it still means to give is decided already, or a verdict above its floor is no longer kept,
/// because it has reported a higher floor before.
fn set_back(hello: &Hello, resume: &Resume) -> bool {
    let known: BTreeMap<RoomId, u64> =
        resume.lanes.iter().map(|lane| (lane.room, lane.watermark)).collect();
    let mut kept: BTreeMap<RoomId, u64> = BTreeMap::new();
    for (room, ..) in &resume.verdicts {
        *kept.entry(*room).or_default() += 1;
    }
    hello.lanes.iter().any(|lane| {
        let Some(watermark) = known.get(&lane.room) else {
            return false;
        };
        let kept = kept.get(&lane.room).copied().unwrap_or_default();
        let decided = watermark.saturating_sub(lane.floor);
        lane.next <= *watermark || kept != decided
    })
}
