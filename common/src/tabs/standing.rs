//! How things stand that are not in the database: a fold of what a client shows, for a tab that
//! comes later.

use crate::{
    client::{Link, Show},
    frame::{Author, Presence},
    id::RoomId,
};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default)]
pub(super) struct Standing {
    link: Option<Show>,
    welcome: Option<Show>,
    live: BTreeSet<RoomId>,
    present: BTreeMap<RoomId, Vec<Author>>,
}

impl Standing {
    pub(super) fn take(&mut self, show: &Show) {
        match show {
            Show::Link(link) => {
                self.link = Some(show.clone());
                if *link != Link::Online {
                    self.live.clear();
                    self.present.clear();
                }
            }
            Show::Welcome { .. } => self.welcome = Some(show.clone()),
            Show::Live(room) => {
                self.live.insert(*room);
            }
            Show::Presence(presence) => self.presence(presence),
            _ => {}
        }
    }

    /// The membership in a room has ended.
    pub(super) fn left(&mut self, room: RoomId) {
        self.live.remove(&room);
        self.present.remove(&room);
    }

    fn presence(&mut self, presence: &Presence) {
        let here = self.present.entry(presence.room).or_default();
        if presence.all {
            here.clear();
        }
        here.retain(|one| !presence.left.contains(&one.id));
        for one in &presence.came {
            here.retain(|known| known.id != one.id);
            here.push(one.clone());
        }
    }

    pub(super) fn shows(&self) -> Vec<Show> {
        let live = self.live.iter().copied().map(Show::Live);
        let present = self.present.iter().map(|(room, came)| {
            Show::Presence(Presence {
                room: *room,
                all: true,
                came: came.clone(),
                left: Vec::new(),
            })
        });
        let first = [self.welcome.clone(), self.link.clone()];
        first.into_iter().flatten().chain(live).chain(present).collect()
    }
}
