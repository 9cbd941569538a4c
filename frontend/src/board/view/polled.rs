//! What the server says at an address, looked at again and again while it is seen.

use super::focus::Kept;
use crate::link::get;
use leptos::{prelude::*, task::spawn_local};
use std::time::Duration;

/// How often it is looked at anew.
const EVERY: Duration = Duration::from_secs(3);

/// What stands at an address. Its copies are the same one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Polled {
    address: RwSignal<String>,
    /// The answer, or for a person why there is none.
    pub(super) told: RwSignal<String>,
    /// Counts looks that go out and answers that come: odd while one is out. No type of its own, since each
    /// type of signal is much code.
    looks: RwSignal<i64>,
}

impl Polled {
    /// Looks there for as long as the view lives that this is called in.
    pub(super) fn new(address: String) -> Self {
        let told = RwSignal::new("Loading…".to_owned());
        let looks = RwSignal::new(0);
        let polled = Self { address: RwSignal::new(address), told, looks };
        polled.look();
        let timer = set_interval_with_handle(move || polled.look(), EVERY);
        on_cleanup(move || {
            if let Ok(timer) = timer {
                timer.clear();
            }
        });
        polled
    }

    /// Looks there from now on.
    pub(super) fn turn(self, address: String) {
        self.address.set(address);
        // What is out is of no use any more: its answer is not heard.
        self.looks.set((self.looks.get_untracked() | 1) + 1);
        self.look();
    }

    /// Whether it looks there.
    pub(super) fn is_at(self, address: &str) -> bool {
        self.address.with_untracked(|at| at == address)
    }

    fn look(self) {
        // A server that is slow is not asked again before it has answered.
        let looks = self.looks.try_get_untracked();
        let Some(before) = looks.filter(|looks| looks % 2 == 0) else { return };
        let out = before + 1;
        self.looks.set(out);
        let asked = self.address.get_untracked();
        spawn_local(async move {
            let answer = get(&asked).await.unwrap_or_else(|why| why);
            // The view may be gone meanwhile, or look elsewhere.
            if self.looks.try_get_untracked() != Some(out) {
                return;
            }
            self.looks.set(out + 1);
            // What is the same stays as it is.
            if self.told.with_untracked(|told| *told != answer) {
                let focus = Kept::find();
                self.told.set(answer);
                focus.keep();
            }
        });
    }
}
