//! What tabs ask of the world around them.

use super::Sim;
use crate::{
    engine::End,
    ledger::Invariant,
    profile::Tx,
    server::{Down, Up},
    tab::{Ask, Event, Tab},
};
use holdfast_common::{
    client::{self, Command},
    id::WriterId,
    tabs::TabId,
};

impl Sim {
    pub(super) fn receive(&mut self, p: usize, id: TabId, end: End) {
        let Some(down) = self.server.receive(end) else {
            return;
        };
        self.note(|| format!("         {down:?}"));
        let input = match down {
            Down::Text(text) => client::Input::Frame(text),
            Down::Ping => return self.server.send(end, Up::Pong),
            Down::Close(code) => {
                client::Input::Closed { code: code.close_number().expect("it closes") }
            }
        };
        if let Some(tab) = self.profiles[p].tab(id) {
            tab.events.push_back(Event::Socket(end, input));
        }
    }

    /// Does what a tab's driver asks for.
    pub(super) fn answer(&mut self, p: usize, id: TabId, ask: Ask) {
        match ask {
            Ask::Say(text) => self.profiles[p].say(id, &text),
            Ask::WantLock { number, steal } => {
                self.server.ledger.counts.add(if steal { "tabs: steals" } else { "tabs: waits" });
                self.profiles[p].want_lock(id, number, steal);
            }
            Ask::GiveBack => {
                self.hang_up(p, id);
                self.profiles[p].give_back(id);
            }
            Ask::Transact(tx) => {
                let tx = self.taking(p, id, tx);
                self.profiles[p].under_way.push_back((id, tx));
            }
            Ask::Connect => self.connect(p, id),
            Ask::Send(text) => self.send(p, id, text),
            Ask::HangUp => self.hang_up(p, id),
            Ask::WantWriter(run) => {
                let writer = WriterId::new(self.number(), &[9; 10]);
                if let Some(tab) = self.profiles[p].tab(id) {
                    tab.events.push_back(Event::NewWriter { run, writer });
                }
            }
            Ask::Leads => {
                self.hang_up(p, id);
                self.leads(p, id);
            }
            Ask::Resend(command) => self.resend(p, id, command),
        }
    }

    fn leads(&mut self, p: usize, id: TabId) {
        let profile = &mut self.profiles[p];
        profile.leader = Some(id);
        let (locks, held) = (profile.locks, profile.lock.map(|(who, _)| who));
        // A tab that was robbed of the lock may not have heard of it yet.
        let robbed = |tab: &mut Tab| tab.events.iter().any(|it| matches!(it, Event::Stolen(_)));
        let robbed = profile.tab(id).is_some_and(robbed);
        let ledger = &mut self.server.ledger;
        ledger.counts.add("tabs: leads");
        if locks && held != Some(id) && !robbed {
            ledger.breaks(Invariant::I6, || format!("tab {id} leads, and {held:?} has the lock"));
        }
    }

    /// Who reads the database in order to lead fences those who led, and mends what is damaged.
    fn taking(&mut self, p: usize, id: TabId, tx: Tx) -> Tx {
        let takes = self.profiles[p].tab(id).is_some_and(|tab| tab.machine.takes());
        match tx {
            Tx::Load { .. } if takes => {
                Tx::Load { takes: Some(WriterId::new(self.number(), &[8; 10])) }
            }
            tx => tx,
        }
    }

    fn connect(&mut self, p: usize, id: TabId) {
        self.hang_up(p, id);
        let end = if self.stopped { 0 } else { self.server.connect(self.now) };
        if let Some(tab) = self.profiles[p].tab(id) {
            tab.socket = Some(end);
            let closed = client::Input::Closed { code: 0 };
            let input = if end == 0 { closed } else { client::Input::Opened };
            tab.events.push_back(Event::Socket(end, input));
        }
    }

    fn hang_up(&mut self, p: usize, id: TabId) {
        if let Some(end) = self.profiles[p].tab(id).and_then(|tab| tab.socket.take()) {
            // Now and then the close itself is lost on its way.
            if self.roll(3) == 0 {
                self.server.abandon(end);
            } else {
                self.server.hang_up(end);
            }
        }
    }

    fn send(&mut self, p: usize, id: TabId, text: String) {
        let profile = &mut self.profiles[p];
        // What an earlier leader still says, it says of another moment.
        if profile.leader == Some(id) {
            self.server.ledger.transmits(&profile.stored.database, &text);
        }
        if let Some(end) = self.profiles[p].tab(id).and_then(|tab| tab.socket) {
            self.server.send(end, Up::Text(text));
        }
    }

    fn resend(&mut self, p: usize, id: TabId, command: Command) {
        let Command::Resend { id: event, .. } = command else {
            return;
        };
        let tab = self.profiles[p].tab(id);
        let shelf = tab.and_then(|tab| Some(tab.client.as_ref()?.shelf(event)));
        let rows = shelf.unwrap_or_default();
        let mut ids = Vec::new();
        for row in rows {
            self.server.ledger.withdraws(row.event.id);
            ids.push(self.id());
        }
        if let Some(tab) = self.profiles[p].tab(id) {
            tab.command(Command::Resend { id: event, ids });
        }
    }
}
