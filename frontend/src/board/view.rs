//! The page of a queue, made of what its machine says.

#![allow(unreachable_pub, reason = "`#[component]` makes public items of private ones")]

mod app;
mod audit;
mod card;
mod columns;
mod dead;
mod details;
mod figures;
mod focus;
mod head;
mod mend;
mod polled;
mod queues;
mod status;
mod task;
mod welcome;

pub use app::BoardApp;

use super::{
    Machine, Wish,
    machine::Link,
    store::{Card, Column, Point, Since},
};
use crate::link::{BoardLink, BoardUpdate};
use holdfast_common::{
    frame::work::{Like, QueueShown},
    id::JobId,
    job::figures::Rates,
    sorted::Sorted,
    system::SYSTEM,
};
use leptos::prelude::*;
use std::time::Duration;

/// A board, for components. Its copies are the same one.
#[derive(Debug, Clone, Copy)]
pub struct Board {
    inner: StoredValue<Inner, LocalStorage>,
    /// Whether the browser's database has been read.
    pub loaded: RwSignal<bool>,
    /// All that is not on a card. One signal, since each type of signal is much code.
    pub face: RwSignal<Face>,
    /// Whether what was done to the queue is seen in place of its jobs.
    pub audit: RwSignal<bool>,
    /// What is read out.
    pub said: RwSignal<String>,
    /// The steady clock, once a second.
    pub clock: RwSignal<Since>,
    /// The name of the column that is seen where there is place for one.
    pub open: RwSignal<String>,
}

struct Inner {
    ns: String,
    queue: String,
    link: Option<BoardLink>,
    cards: Sorted<JobId, ArcRwSignal<Card>>,
}

/// How the board stands, but for its cards.
#[derive(Debug, Clone, Default)]
pub struct Face {
    /// Whether it is known who sits here.
    pub known: bool,
    /// How it stands with the connection.
    pub state: Link,
    /// How many words are not answered.
    pub waiting: usize,
    /// The queue's counts and settings.
    pub queue: Option<QueueShown>,
    /// There is no such queue.
    pub missing: bool,
    /// A person's decision about the queue is under way.
    pub deciding: bool,
    /// What went through it in the last minute.
    pub rates: Option<Rates>,
    /// The same over time.
    pub points: Vec<Point>,
    /// Since when the oldest job waits.
    pub oldest: Option<Since>,
    /// What the dead letters are looked through for.
    pub like: Like,
    /// What is to be said of no job in particular.
    pub notice: String,
    /// The jobs of each column that are shown.
    pub rows: [Vec<JobId>; 4],
    /// Whether there are more.
    pub more: [bool; 4],
}

impl Board {
    /// Starts the link of a board and shows what it reports.
    #[must_use]
    pub fn start(ns: String, queue: String) -> Self {
        let inner =
            Inner { ns: ns.clone(), queue: queue.clone(), link: None, cards: Sorted::default() };
        let board = Self {
            inner: StoredValue::new_local(inner),
            loaded: RwSignal::new(false),
            face: RwSignal::new(Face::default()),
            audit: RwSignal::new(false),
            said: RwSignal::new(String::new()),
            clock: RwSignal::new(now()),
            open: RwSignal::new(Column::Ready.key().into()),
        };
        let link = BoardLink::start(ns, queue, move |update| board.apply(update));
        board.inner.update_value(|inner| inner.link = Some(link));
        // It runs as long as the page does.
        let _ = set_interval_with_handle(move || board.clock.set(now()), Duration::from_secs(1));
        board
    }

    fn apply(self, update: BoardUpdate) {
        match update {
            BoardUpdate::Read => self.loaded.set(true),
            BoardUpdate::Changed => self.show(),
            BoardUpdate::Say(words) => self.said.set(words),
            BoardUpdate::Taken(_) => self.open.set(Column::Taken.key().into()),
        }
    }

    /// Sets the signals that say something else now.
    fn show(self) {
        let Some(link) = self.link() else { return };
        let focus = focus::Kept::find();
        let (face, cards) = link.read(|machine| (face(machine), cards(machine)));
        let mut signals = Sorted::default();
        for card in cards {
            signals.insert(card.id, self.signal(card));
        }
        self.inner.update_value(|inner| inner.cards = signals);
        self.face.set(face);
        focus.keep();
    }

    /// The signal of a card, which says it now.
    fn signal(self, card: Card) -> ArcRwSignal<Card> {
        let Some(signal) = self.card(card.id) else {
            return ArcRwSignal::new(card);
        };
        if signal.with_untracked(|known| *known != card) {
            signal.set(card);
        }
        signal
    }

    /// What a card says.
    #[must_use]
    pub fn card(self, id: JobId) -> Option<ArcRwSignal<Card>> {
        self.inner.with_value(|inner| inner.cards.get(id).cloned())
    }

    fn link(self) -> Option<BoardLink> {
        self.inner.with_value(|inner| inner.link.clone())
    }

    /// The queue's namespace and name.
    #[must_use]
    pub fn at(self) -> (String, String) {
        self.inner.with_value(|inner| (inner.ns.clone(), inner.queue.clone()))
    }

    /// What the queue says of itself, once it has.
    pub fn queue<T>(self, read: impl FnOnce(&QueueShown) -> T) -> Option<T> {
        self.face.with(|face| face.queue.as_ref().map(read))
    }

    /// Gives the person a name.
    pub fn introduce(self, name: String) {
        if let Some(link) = self.link() {
            link.introduce(name);
        }
    }

    /// Asks for something.
    pub fn wish(self, wish: Wish) {
        if let Some(link) = self.link() {
            link.wish(wish);
        }
    }

    /// Does not wait for the next attempt to connect.
    pub fn retry_now(self) {
        if let Some(link) = self.link() {
            link.retry_now();
        }
    }

    /// Whether tasks can be added.
    #[must_use]
    pub fn takes_tasks(self) -> bool {
        self.link().is_some_and(|link| link.read(Machine::takes_tasks))
    }

    /// Whether others than the server take its jobs and change them.
    #[must_use]
    pub fn is_free(self) -> bool {
        self.inner.with_value(|inner| inner.ns != SYSTEM)
    }

    /// Where the server tells of a job.
    #[must_use]
    pub fn address(self, job: JobId) -> String {
        format!("/api/v1/{}/jobs/{job}", part(&self.at().0))
    }
}

/// Words with a look of their own. Who wrote them is no matter: they have a direction of their own too.
fn words_of(class: &'static str, words: String) -> AnyView {
    view! { <bdi class=class>{words}</bdi> }.into_any()
}

/// A part of an address.
fn part(name: &str) -> String {
    js_sys::encode_uri_component(name).into()
}

/// The board, for components.
pub(crate) fn use_board() -> Board {
    expect_context()
}

fn now() -> Since {
    i64::try_from(crate::browser::now().steady.0).unwrap_or(i64::MAX)
}

fn face(machine: &Machine) -> Face {
    let store = &machine.store;
    Face {
        known: machine.person().is_some(),
        state: machine.link(),
        waiting: machine.waiting(),
        queue: store.queue.clone(),
        missing: store.missing,
        deciding: machine.governing(&[]),
        rates: store.rates,
        points: store.points.iter().copied().collect(),
        oldest: store.oldest(),
        like: store.like.clone(),
        notice: machine.notice.clone().unwrap_or_default(),
        rows: Column::ALL.map(|column| machine.rows(column)),
        more: Column::ALL.map(|column| store.has_more(column)),
    }
}

fn cards(machine: &Machine) -> Vec<Card> {
    let rows = Column::ALL.into_iter().flat_map(|column| machine.rows(column));
    rows.filter_map(|id| machine.card(id)).collect()
}
