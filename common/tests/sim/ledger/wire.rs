//! What leaves the server.

use super::{Invariant, Ledger};
use crate::{disk::Disk, engine::End};
use holdfast_common::{
    codec,
    cursor::Offset,
    frame::{Ack, Entries, Gap, Hello, Page, ServerFrame},
    id::{Epoch, RoomId},
};

impl Ledger {
    /// A client says where it stands.
    pub fn hello(&mut self, end: End, hello: &Hello) {
        let rooms = hello.rooms.iter();
        let told = rooms.map(|it| (it.room, (it.cursor.epoch, it.cursor.offset)));
        self.wires.entry(end).or_default().extend(told);
    }

    pub fn hung_up(&mut self, end: End) {
        self.wires.remove(&end);
    }

    /// A frame leaves.
    pub fn leaves(&mut self, end: End, text: &str, disk: &Disk) {
        let Ok(Some(frame)) = codec::read_server(text) else {
            return self.breaks(Invariant::I11, || format!("the server says {text}"));
        };
        match frame {
            ServerFrame::Ack(ack) => self.ack_leaves(&ack, disk),
            ServerFrame::Reject(reject) => {
                let stands = disk.logs.values().any(|log| log.ids.contains_key(&reject.id));
                self.counts.add("frame: reject");
                self.holds(!stands, Invariant::I6, || {
                    format!("{} is rejected and stands", reject.id)
                });
            }
            ServerFrame::Entries(entries) => self.entries_leave(end, &entries),
            ServerFrame::Gap(gap) => self.gap_leaves(end, &gap, disk),
            ServerFrame::Page(page) if page.req.is_none() => self.page_leaves(end, &page),
            ServerFrame::Reset(reset) => {
                self.told(end, reset.room, None);
                self.counts.add("frame: reset");
            }
            ServerFrame::Left(left) => {
                self.told(end, left.room, None);
                self.counts.add("frame: left");
            }
            ServerFrame::Welcome(welcome) => {
                let lost = welcome.lanes.iter().any(|lane| lane.lost);
                let set_back = self.set_backs > 0;
                self.holds(!lost || set_back, Invariant::I5, || {
                    "a loss is told, and nothing was lost".to_owned()
                });
                self.counts.add(if lost { "frame: welcome with a loss" } else { "frame: welcome" });
            }
            other => self.counts.add(name(&other)),
        }
    }

    fn told(&mut self, end: End, room: RoomId, at: Option<(Epoch, Offset)>) {
        let rooms = self.wires.entry(end).or_default();
        match at {
            Some(at) => rooms.insert(room, at),
            None => rooms.remove(&room),
        };
    }

    fn told_before(&self, end: End, room: RoomId, epoch: Epoch) -> Option<Offset> {
        match self.wires.get(&end).and_then(|rooms| rooms.get(&room)) {
            None => Some(0),
            Some((of, offset)) => (*of == epoch).then_some(*offset),
        }
    }

    fn ack_leaves(&mut self, ack: &Ack, disk: &Disk) {
        let Ack { room, id, epoch, offset, .. } = ack;
        self.counts.add("frame: ack");
        let log = disk.logs.get(room);
        let lasts = log.is_some_and(|log| log.info.head.epoch == *epoch);
        let stands = self.standing(*room, *epoch, *offset).is_some_and(|it| it.id == *id);
        // A verdict of before a restore names the place of then.
        let stood = !lasts && self.stood_at(*room, *epoch, *offset, *id);
        self.holds(stands || stood, Invariant::I1, || {
            format!("{id} is acked at {offset}, where it is not durable")
        });
        if lasts {
            self.acked.insert(*id, (*room, *epoch, *offset));
        }
    }

    fn entries_leave(&mut self, end: End, frame: &Entries) {
        let Entries { room, epoch, entries } = frame;
        self.counts.add("frame: entries");
        let mut told = self.told_before(end, *room, *epoch);
        for entry in entries {
            let stands = self.says(*room, *epoch, entry);
            self.holds(stands, Invariant::I1, || {
                format!("the entry at {} goes out, and is not durable there", entry.offset)
            });
            self.holds(told == Some(entry.offset - 1), Invariant::I4, || {
                format!("the entry at {} goes out behind {told:?}", entry.offset)
            });
            told = Some(entry.offset);
        }
        self.told(end, *room, told.map(|offset| (*epoch, offset)));
    }

    fn gap_leaves(&mut self, end: End, gap: &Gap, disk: &Disk) {
        self.counts.add("frame: gap");
        let before = self.told_before(end, gap.room, gap.cursor.epoch);
        let first = disk.logs.get(&gap.room).map_or(u64::MAX, |log| log.info.head.first);
        let true_count = gap.count == gap.to + 1 - gap.from && gap.cursor.offset == gap.to;
        let from = before == Some(gap.from - 1);
        self.holds(from && true_count && gap.to < first, Invariant::I5, || {
            format!("a gap {}..={} of {} is told behind {before:?}", gap.from, gap.to, gap.count)
        });
        self.told(end, gap.room, Some((gap.cursor.epoch, gap.to)));
    }

    fn page_leaves(&mut self, end: End, page: &Page) {
        self.counts.add("frame: page");
        let (epoch, as_of) = (page.as_of.epoch, page.as_of.offset);
        if let Some(before) = self.told_before(end, page.room, epoch).filter(|before| *before > 0) {
            let hole = [before.max(page.first - 1) + 1, page.from - 1];
            let counted = self.counted(page.room, epoch, hole, as_of);
            self.holds(counted == page.skipped, Invariant::I5, || {
                format!("a page skips {counted} and tells {}", page.skipped)
            });
        }
        self.told(end, page.room, Some((epoch, as_of)));
    }
}

fn name(frame: &ServerFrame) -> &'static str {
    match frame {
        ServerFrame::Away(_) => "frame: away",
        ServerFrame::Pong(_) => "frame: pong",
        ServerFrame::Retry(_) => "frame: retry",
        ServerFrame::Settled(_) => "frame: settled",
        ServerFrame::Expected(_) => "frame: expected",
        ServerFrame::Rooms(_) => "frame: rooms",
        ServerFrame::Page(_) => "frame: page of history",
        ServerFrame::Live(_) => "frame: live",
        ServerFrame::Joined(_) => "frame: joined",
        ServerFrame::Found(_) => "frame: found",
        ServerFrame::Refused(_) => "frame: refused",
        ServerFrame::Stored(_) => "frame: stored",
        ServerFrame::Latest(_) => "frame: latest",
        ServerFrame::Signal(_) => "frame: signal",
        ServerFrame::Presence(_) => "frame: presence",
        _ => "frame: other",
    }
}
