//! The acts of a plan, carried out.

mod wires;
mod writes;

use crate::{
    engine::LOBBY,
    plan::{Act, Move, PROFILES},
    sim::Sim,
    tab::Event,
};
use holdfast_common::{
    backoff::Dice,
    chat::Message,
    client::{Command, LatestRow, NotWritten},
    id::RoomId,
    storage::Fault,
};

impl Sim {
    /// Does one act and lets some steps follow.
    pub fn play(&mut self, next: Move) {
        self.dice = Dice::new(next.salt);
        self.note(|| format!("--- {:?}", next.act));
        let name = format!("{:?}", next.act);
        let name = name.split([' ', '{']).next().unwrap_or_default().to_owned();
        if self.act(next.act) {
            self.server.ledger.counts.add_named("act: ", &name);
        }
        for _ in 0..next.steps {
            if !self.step() {
                break;
            }
        }
    }

    /// Returns whether it happened: there may be nothing for it to happen to.
    fn act(&mut self, act: Act) -> bool {
        match act {
            Act::Say { .. }
            | Act::SayNothing { .. }
            | Act::SayTooMuch { .. }
            | Act::Change { .. }
            | Act::Create { .. }
            | Act::Revise { .. }
            | Act::Discard { .. }
            | Act::Resend { .. } => self.write(act),
            Act::Join { .. }
            | Act::Leave { .. }
            | Act::Mark { .. }
            | Act::Type { .. }
            | Act::Rename { .. }
            | Act::History { .. }
            | Act::RetryNow { .. }
            | Act::Wake { .. } => self.ask(act),
            Act::Cut { .. }
            | Act::Deafen { .. }
            | Act::Stall { .. }
            | Act::Lose { .. }
            | Act::Double { .. }
            | Act::Swap { .. } => self.disturb(act),
            Act::OpenTab { .. }
            | Act::CloseTab { .. }
            | Act::KillTab { .. }
            | Act::Freeze { .. }
            | Act::Thaw { .. }
            | Act::LoseWords { .. }
            | Act::ClientClock { .. } => self.among_tabs(act),
            Act::PowerCut { .. }
            | Act::CopyProfile { .. }
            | Act::SetBack { .. }
            | Act::Twin { .. }
            | Act::StoreFails { .. }
            | Act::StoreUnread { .. }
            | Act::StoreHeals { .. }
            | Act::Evict { .. }
            | Act::Damage { .. }
            | Act::SignIn { .. } => self.at_the_store(act),
            _ => self.at_the_server(act),
        }
    }

    fn room(&self, at: usize) -> RoomId {
        let rooms = self.rooms();
        rooms[at % rooms.len()]
    }

    fn ask(&mut self, act: Act) -> bool {
        let (p, t, command) = match act {
            Act::Join { p, room } => (p, 0, Command::Join { room: self.room(room) }),
            // Everyone is in the lobby, for good.
            Act::Leave { room, .. } if self.room(room) == LOBBY => return false,
            Act::Leave { p, room } => (p, 0, Command::Leave { room: self.room(room) }),
            Act::Mark { p, to } => {
                let (ns, kind) = ("chat".to_owned(), "read".to_owned());
                let data = format!("{{\"offset\":{to}}}");
                let row = LatestRow { ns, room: LOBBY, kind, rank: to, data };
                (p, 1, Command::SetLatest(row))
            }
            Act::Type { p } => {
                let (ns, kind, data) = ("chat".to_owned(), "typing".to_owned(), "{}".to_owned());
                (p, 0, Command::Signal { ns, room: LOBBY, kind, data })
            }
            Act::Rename { p } => (p, 0, Command::Rename { name: format!("{p} the other") }),
            Act::History { p } => {
                (p, 0, Command::History { room: LOBBY, before: Some(9), limit: 3 })
            }
            Act::RetryNow { p, t } => (p, t, Command::RetryNow),
            Act::Wake { p, t } => {
                let tabs = &mut self.profiles[p].tabs;
                let at = t % tabs.len().max(1);
                return tabs.get_mut(at).map(|tab| tab.events.push_back(Event::Woke)).is_some();
            }
            _ => unreachable!("only wishes come here"),
        };
        self.wish(p, t, command);
        !self.profiles[p].tabs.is_empty()
    }

    fn among_tabs(&mut self, act: Act) -> bool {
        let (p, t) = match act {
            Act::OpenTab { p } => {
                let few = self.profiles[p].tabs.len() < 3;
                return few.then(|| self.open(p)).is_some();
            }
            Act::Thaw { p } => return self.thaw(p),
            Act::LoseWords { p } | Act::ClientClock { p, .. } => (p, 0),
            Act::CloseTab { p, t } | Act::KillTab { p, t, .. } | Act::Freeze { p, t } => (p, t),
            _ => unreachable!("only what befalls tabs comes here"),
        };
        let tabs = &mut self.profiles[p].tabs;
        let at = t % tabs.len().max(1);
        let Some(tab) = tabs.get_mut(at) else {
            return false;
        };
        let id = tab.id;
        match act {
            Act::LoseWords { .. } => {
                let had = !tab.heard.is_empty();
                tab.heard.clear();
                return had;
            }
            Act::ClientClock { ms, .. } => {
                tab.ahead += ms;
                tab.events.push_back(Event::Tick);
            }
            Act::Freeze { .. } => tab.frozen = true,
            Act::KillTab { aborts, .. } => self.kill(p, id, aborts, aborts),
            _ => self.kill(p, id, false, true),
        }
        true
    }

    pub fn thaw(&mut self, p: usize) -> bool {
        let mut any = false;
        for tab in &mut self.profiles[p].tabs {
            if std::mem::take(&mut tab.frozen) {
                tab.events.push_back(Event::Tick);
                any = true;
            }
        }
        any
    }

    fn at_the_store(&mut self, act: Act) -> bool {
        match act {
            Act::PowerCut { p } => self.quit(p, true),
            Act::CopyProfile { p } => {
                let turn = self.server.ledger.turn();
                let profile = &mut self.profiles[p];
                profile.copy = Some((profile.book, profile.stored.clone(), turn));
                return true;
            }
            Act::SetBack { p } => return self.set_back(p),
            Act::Twin { p } => return self.twin(p),
            Act::StoreFails { p, full } => {
                let why = if full { NotWritten::Full } else { NotWritten::Failed };
                self.profiles[p].fails = Some(why);
                return true;
            }
            Act::StoreUnread { p, times } => {
                self.profiles[p].unread = times;
                return true;
            }
            Act::StoreHeals { p } => return self.profiles[p].fails.take().is_some(),
            Act::Evict { p } => {
                self.quit(p, false);
                let (book, database) = self.person();
                let profile = &mut self.profiles[p];
                self.server.ledger.excuse(profile.book);
                profile.stored = crate::profile::Stored { database, last: None };
                profile.safe = profile.stored.clone();
                profile.book = book;
            }
            Act::Damage { p } => {
                self.quit(p, false);
                self.profiles[p].damaged = true;
            }
            Act::SignIn { p } => self.sign_in(p),
            _ => unreachable!("only what befalls a store comes here"),
        }
        self.open(act_profile(act));
        true
    }

    /// A copy of the profile from before takes its place, as after a restore of the machine. What was
    /// written meanwhile is gone with it, unless it had arrived.
    fn set_back(&mut self, p: usize) -> bool {
        let (book, profile) = (self.profiles[p].book, &mut self.profiles[p]);
        let Some((_, copy, turn)) = profile.copy.take().filter(|(of, ..)| *of == book) else {
            return false;
        };
        self.quit(p, false);
        self.server.ledger.set_back_book(book, &copy.database, turn);
        let profile = &mut self.profiles[p];
        profile.safe = copy.clone();
        profile.stored = copy;
        self.open(p);
        true
    }

    /// A copy of the profile from before is opened on another machine, and both go on. Who was there
    /// comes back when they sign in again.
    fn twin(&mut self, p: usize) -> bool {
        let book = self.profiles[p].book;
        let Some((_, copy, _)) = self.profiles[p].copy.take().filter(|(of, ..)| *of == book) else {
            return false;
        };
        self.server.ledger.copied(&copy.database);
        let other = (p + 1) % PROFILES;
        self.quit(other, false);
        let book = self.book();
        let profile = &mut self.profiles[other];
        let before = std::mem::replace(&mut profile.stored, copy);
        profile.others.push_back((std::mem::replace(&mut profile.book, book), before));
        profile.safe = profile.stored.clone();
        self.open(other);
        true
    }

    /// Another person signs in, with an outbox of their own; what the one before has not sent waits.
    pub fn sign_in(&mut self, p: usize) {
        self.quit(p, false);
        if self.profiles[p].others.is_empty() {
            let (book, database) = self.person();
            let stored = crate::profile::Stored { database, last: None };
            self.profiles[p].others.push_back((book, stored));
        }
        let profile = &mut self.profiles[p];
        if let Some((book, stored)) = profile.others.pop_front() {
            let before = std::mem::replace(&mut profile.stored, stored);
            profile.others.push_back((std::mem::replace(&mut profile.book, book), before));
            profile.safe = profile.stored.clone();
        }
    }

    fn at_the_server(&mut self, act: Act) -> bool {
        match act {
            Act::Service { room, published } => {
                let (id, text) = (self.id(), format!("a service says {}", self.number()));
                let data = serde_json::to_string(&Message { text }).expect("it is JSON");
                if self.server.engine.commits() {
                    return false;
                }
                self.server.service(self.room(room), id, data, published);
                if !published {
                    self.crash(true); // Between the commit and the publishing.
                }
            }
            Act::WallClock { ms, server: true } => self.server.wall = ms,
            Act::WallClock { ms, .. } => self.wall = ms,
            Act::Kill { written } => self.crash(written),
            Act::Stop => return !std::mem::replace(&mut self.stopped, true),
            Act::Go => return std::mem::take(&mut self.stopped),
            Act::Fill => self.server.trouble.refuse = Some(Fault::Full),
            Act::Fail => self.server.trouble.refuse = Some(Fault::Failed("it broke".to_owned())),
            Act::Heal => return self.server.trouble.refuse.take().is_some(),
            Act::Unread { times } => self.server.trouble.unread = times,
            Act::Unknown { times } => self.server.trouble.unknown = times,
            Act::Moved { times } => self.server.trouble.moved = times,
            Act::Trim { room, keep } => return self.trim(room, keep),
            Act::DeleteRoom { room } => return self.delete(room),
            Act::Copy => {
                self.copies.push_front(self.server.copy());
                self.copies.truncate(2);
            }
            Act::Restore => return self.put_back(true),
            Act::RollBack => return self.put_back(false),
            Act::Wait { ms } => self.wait(ms),
            _ => unreachable!("the others have their own place"),
        }
        true
    }

    fn trim(&mut self, room: usize, keep: u64) -> bool {
        let room = self.room(room);
        if self.server.engine.commits() {
            return false;
        }
        let info = &self.server.disk().logs[&room].info;
        let first = (info.head.offset + 1).saturating_sub(keep);
        let shorter = first > info.head.first && !info.gone;
        if shorter {
            self.server.engine.disk.trim(room, first);
        }
        shorter
    }

    /// An operator deletes a room, but not the one in which everyone is.
    fn delete(&mut self, room: usize) -> bool {
        let disk = self.server.disk();
        let there = self.rooms().into_iter().filter(|it| *it != LOBBY && !disk.logs[it].info.gone);
        let there: Vec<RoomId> = there.collect();
        let Some(room) = there.get(room % there.len().max(1)) else {
            return false;
        };
        let free = !self.server.engine.commits();
        if free {
            self.server.delete(*room);
        }
        free
    }

    /// The server is stopped, an older copy of its folder is put in place, and it starts again.
    fn put_back(&mut self, told: bool) -> bool {
        let Some(copy) = self.copies.pop_back() else {
            return false;
        };
        self.crash(true);
        self.server.set_back(copy, told);
        true
    }
}

fn act_profile(act: Act) -> usize {
    match act {
        Act::PowerCut { p } | Act::Evict { p } | Act::Damage { p } | Act::SignIn { p } => p,
        _ => unreachable!("only these end a browser"),
    }
}
