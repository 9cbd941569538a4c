//! The scenarios: which trouble, how often, and what has to be seen beside what always holds.
//!
//! To add one: a file with `play`, and a line below. It sets a [`Stage`](crate::stage::Stage), has it
//! write, does its harm, says with `have_happened` which faults there must have been, and ends with
//! [`checks::all`](crate::checks::all).

mod fsync;
mod full;
mod kill;
mod lines;
mod lying;
mod power;
mod stop;
mod writes;

use crate::{Outcome, Play, program::End, trace::Trace};
use std::pin::Pin;

type Playing<'a> = Pin<Box<dyn Future<Output = Outcome<End>> + 'a>>;

pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) play: for<'a> fn(&'a Play, &'a Trace) -> Playing<'a>,
}

macro_rules! scenarios {
    ($($name:ident),*) => {
        [$(Scenario {
            name: stringify!($name),
            play: |play, trace| Box::pin($name::play(play, trace)),
        }),*]
    };
}

/// All of them, those first that tell the most.
pub(crate) const ALL: [Scenario; 8] =
    scenarios![kill, power, lying, fsync, writes, full, lines, stop];
