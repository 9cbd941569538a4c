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
    /// How often it has turned, and whether a look is out since then.
    looks: StoredValue<(u32, bool)>,
}

impl Polled {
    /// Looks there for as long as the view lives that this is called in.
    pub(super) fn new(address: String) -> Self {
        let told = RwSignal::new("Loading…".to_owned());
        let looks = StoredValue::new((0, false));
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
        self.looks.update_value(|(turns, out)| (*turns, *out) = (*turns + 1, false));
        self.look();
    }

    /// Whether it looks there.
    pub(super) fn is_at(self, address: &str) -> bool {
        self.address.with_untracked(|at| at == address)
    }

    fn look(self) {
        // A server that is slow is not asked again before it has answered.
        let Some((turns, false)) = self.looks.try_get_value() else { return };
        self.looks.set_value((turns, true));
        let asked = self.address.get_untracked();
        spawn_local(async move {
            let answer = get(&asked).await.unwrap_or_else(|why| why);
            // The view may be gone meanwhile, or look elsewhere.
            if self.looks.try_get_value() != Some((turns, true)) {
                return;
            }
            self.looks.set_value((turns, false));
            // What is the same stays as it is.
            if self.told.with_untracked(|told| *told != answer) {
                let focus = Kept::find();
                self.told.set(answer);
                focus.keep();
            }
        });
    }
}
