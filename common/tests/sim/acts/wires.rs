//! What befalls a wire.

use crate::{
    plan::{Act, PROFILES},
    server::Down,
    sim::Sim,
};
use holdfast_common::tabs::TabId;

impl Sim {
    fn connected(&self, p: usize) -> Option<(TabId, u64)> {
        let tabs = self.profiles[p].tabs.iter();
        tabs.filter_map(|tab| Some((tab.id, tab.socket.filter(|end| *end > 0)?))).next()
    }

    /// The next profile, from this one on, on whose wire at least so many frames are under way.
    fn crowded(&self, p: usize, up: bool, least: usize) -> Option<usize> {
        let crowded = |later: &usize| {
            let connected = self.connected((p + later) % PROFILES);
            let wire = connected.and_then(|(_, end)| self.server.wires.get(&end));
            wire.is_some_and(|it| if up { it.up.len() } else { it.down.len() } >= least)
        };
        (0..PROFILES).find(crowded)
    }

    pub(super) fn disturb(&mut self, act: Act) -> bool {
        let (Act::Cut { p, .. }
        | Act::Deafen { p, .. }
        | Act::Stall { p }
        | Act::Lose { p, .. }
        | Act::Double { p, .. }
        | Act::Swap { p, .. }) = act
        else {
            unreachable!("only what befalls a wire comes here")
        };
        let wanted = match act {
            Act::Cut { .. } | Act::Deafen { .. } | Act::Stall { .. } => Some(0),
            Act::Swap { up, .. } => self.crowded(p, up, 2),
            Act::Lose { up, .. } | Act::Double { up, .. } => self.crowded(p, up, 1),
            _ => None,
        };
        let Some(p) = wanted.map(|later| (p + later) % PROFILES) else {
            return false;
        };
        let Some((id, end)) = self.connected(p) else {
            return false;
        };
        if let Act::Cut { client, server, .. } = act {
            self.cut(p, id, client, server);
            return true;
        }
        let Some(wire) = self.server.wires.get_mut(&end) else {
            return false;
        };
        wire.torn |= !matches!(act, Act::Deafen { .. } | Act::Stall { .. });
        match act {
            Act::Deafen { up, down, .. } => {
                wire.deaf_up |= up;
                wire.deaf_down |= down;
                true
            }
            Act::Stall { .. } => !std::mem::replace(&mut wire.stalled, true),
            Act::Lose { up: true, .. } => wire.up.pop_front().is_some(),
            Act::Lose { .. } => {
                // What comes behind a reset does not show that there was one: that the line loses
                // nothing in between is TCP's to hold.
                let reset = matches!(wire.down.pop_front(), Some(Down::Text(text)) if text.starts_with("{\"reset\""));
                if reset {
                    self.cut(p, id, true, true);
                }
                true
            }
            Act::Double { up: true, .. } => {
                wire.up.front().cloned().map(|it| wire.up.push_back(it)).is_some()
            }
            Act::Double { .. } => {
                wire.down.front().cloned().map(|it| wire.down.push_back(it)).is_some()
            }
            Act::Swap { up: true, .. } => {
                let two = wire.up.len() > 1;
                two.then(|| wire.up.swap(0, 1)).is_some()
            }
            _ => {
                let two = wire.down.len() > 1;
                two.then(|| wire.down.swap(0, 1)).is_some()
            }
        }
    }
}
