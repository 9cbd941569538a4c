//! How things stand that are not in the database: a fold of what a client shows, for a tab that
//! comes later.

use crate::{
    client::{Link, Show},
    frame::{Author, Presence},
    id::RoomId,
    time::{Instant, Timestamp},
};

#[derive(Debug, Default)]
pub(super) struct Standing {
    link: Option<Show>,
    /// The newest welcome, and when it came.
    welcome: Option<(Instant, Show)>,
    live: Vec<RoomId>,
    present: Vec<(RoomId, Vec<Author>)>,
}

impl Standing {
    pub(super) fn take(&mut self, now: Instant, show: &Show) {
        match show {
            Show::Link(link) => {
                self.link = Some(show.clone());
                if *link != Link::Online {
                    self.live.clear();
                    self.present.clear();
                }
            }
            Show::Welcome { .. } => self.welcome = Some((now, show.clone())),
            Show::Live(room) if self.live.contains(room) => {}
            Show::Live(room) => self.live.push(*room),
            Show::Presence(presence) => self.presence(presence),
            _ => {}
        }
    }

    /// The membership in a room has ended.
    pub(super) fn left(&mut self, room: RoomId) {
        self.live.retain(|of| *of != room);
        self.present.retain(|(of, _)| *of != room);
    }

    fn presence(&mut self, presence: &Presence) {
        let known = self.present.iter().position(|(room, _)| *room == presence.room);
        let at = known.unwrap_or_else(|| {
            self.present.push((presence.room, Vec::new()));
            self.present.len() - 1
        });
        let here = &mut self.present[at].1;
        if presence.all {
            here.clear();
        }
        here.retain(|one| !presence.left.contains(&one.id));
        for one in &presence.came {
            here.retain(|known| known.id != one.id);
            here.push(one.clone());
        }
    }

    pub(super) fn shows(&self, now: Instant) -> Vec<Show> {
        let mut welcome = self.welcome.clone();
        // The server's clock has gone on since.
        if let Some((came, Show::Welcome { now: Timestamp(theirs), .. })) = &mut welcome {
            *theirs += (now - *came).0;
        }
        let live = self.live.iter().copied().map(Show::Live);
        let present = self.present.iter().map(|(room, came)| {
            Show::Presence(Presence {
                room: *room,
                all: true,
                came: came.clone(),
                left: Vec::new(),
            })
        });
        let first = [welcome.map(|(_, show)| show), self.link.clone()];
        first.into_iter().flatten().chain(live).chain(present).collect()
    }
}
