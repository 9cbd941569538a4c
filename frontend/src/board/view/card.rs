//! A job.

use super::{Board, details::details, mend::mend};
use crate::{
    board::{
        Wish,
        store::{Card, Wait},
        words,
    },
    components::{Glyph, Icon, flag, press, text, when},
};
use holdfast_common::{frame::work::Which, id::JobId, job::Place};
use leptos::prelude::*;

/// A job, with how it stands and what can be done with it.
pub(super) fn card_view(board: Board, id: JobId) -> AnyView {
    let Some(card) = board.card(id) else {
        return ().into_any();
    };
    let card = RwSignal::from(card);
    let open = RwSignal::new(false);
    let mending = RwSignal::new(false);
    let said = move || told(card, |card| card.said.clone());
    let dead = move || card.with(|card| card.place == Place::Dead);
    let mends = move || mending.get() && dead();
    view! {
        <article
            class="job"
            class:job-mine=flag(move || card.with(|card| card.mine))
            data-job-id=id.to_string()
            data-job-state=text(move || card.with(|card| card.state().into()))
            aria-label=text(move || card.with(|card| card.title.clone()))
            aria-busy=text(move || card.with(|card| card.wait.is_some()).to_string())
            tabindex="-1"
        >
            <h3 class="job-title" dir="auto">{text(move || card.with(|card| card.title.clone()))}</h3>
            {paragraph("job-body", move || card.with(|card| card.body.clone()))}
            {meta(board, card)}
            {when(move || card.with(|card| card.place == Place::Leased), move || holder(board, card))}
            {when(move || !said().is_empty(), move || note(text(said)))}
            {when(mends, move || mend(board, card, mending))}
            {when(move || !mends(), move || buttons(board, card, open, mending))}
            {when(move || open.get(), move || details(board, id))}
        </article>
    }
    .into_any()
}

fn told(card: RwSignal<Card>, of: fn(&Card) -> Option<String>) -> String {
    card.with(of).unwrap_or_default()
}

/// A text that is not always there.
fn paragraph(
    class: &'static str,
    says: impl Fn() -> String + Copy + Send + Sync + 'static,
) -> AnyView {
    let shown = move || view! { <p class=class dir="auto">{text(says)}</p> }.into_any();
    when(move || !says().is_empty(), shown)
}

/// Since when, and what else there is to know of it.
fn meta(board: Board, card: RwSignal<Card>) -> AnyView {
    let facts = text(move || {
        let now = board.clock.get();
        card.with(|card| facts(card, now).join(" · "))
    });
    let waits =
        text(move || card.with(|card| if card.wait.is_some() { "waiting…" } else { "" }.into()));
    let group = move || told(card, |card| card.group.clone());
    let chip = move || view! { <bdi class="job-group">{text(group)}</bdi> }.into_any();
    let error = move || told(card, |card| card.error.clone().filter(|_| card.place != Place::Done));
    view! {
        <p class="job-meta">
            {when(move || !group().is_empty(), chip)}
            <span>{facts}</span>
            <span class="job-waits">{waits}</span>
        </p>
        {paragraph("job-error", error)}
    }
    .into_any()
}

fn facts(card: &Card, now: i64) -> Vec<String> {
    let mut facts = Vec::new();
    let length = |ms: i64| words::seconds(u64::try_from(ms).unwrap_or(0));
    if card.wait == Some(Wait::Add) || card.refused {
        facts.push("not on the server yet".into());
        return facts;
    }
    match card.place {
        Place::Delayed => {
            facts.push(format!("in {}", length(card.due.unwrap_or(now) - now)));
        }
        Place::Behind => facts.push("waits for another of its group".into()),
        _ => {}
    }
    facts.push(format!("{} old", length(now - card.made)));
    let (attempt, most) = card.attempts;
    let more = if card.place == Place::Leased { 1 } else { 0 };
    if attempt > more && card.place != Place::Done {
        facts.push(format!("attempt {attempt} of {most}"));
    }
    if card.priority != 0 {
        facts.push(format!("priority {}", card.priority));
    }
    facts
}

/// Who has it, how far they are, and for how long it is theirs.
fn holder(board: Board, card: RwSignal<Card>) -> AnyView {
    let name = move || told(card, |card| card.holder.clone());
    let who = text(move || {
        card.with(|card| match (card.mine, card.elsewhere) {
            (true, _) => " (you)",
            (_, true) => " (you, elsewhere)",
            _ => "",
        })
        .into()
    });
    let left = text(move || {
        let now = board.clock.get();
        let due = card.with(|card| card.due);
        let left = due.map(|due| u64::try_from(due - now).unwrap_or(0));
        left.map_or_else(String::new, |left| format!("{} left", words::seconds(left)))
    });
    view! {
        <div class="job-holder">
            <span class="job-sign" aria-hidden="true">{text(move || name().chars().take(1).collect())}</span>
            <span class="job-who"><bdi>{text(name)}</bdi>{who}</span>
            <span class="job-left">{left}</span>
        </div>
        {progress(card)}
    }
    .into_any()
}

fn progress(card: RwSignal<Card>) -> AnyView {
    let far = move || card.with(|card| card.progress);
    let bar = move || {
        let value = text(move || far().unwrap_or(0).to_string());
        let note = text(move || told(card, |card| card.note.clone()));
        view! {
            <div class="job-progress">
                <progress max="100" value=value aria-label="Progress"></progress>
                <span dir="auto">{note}</span>
            </div>
        }
        .into_any()
    };
    when(move || far().is_some(), bar)
}

fn note(words: Signal<String>) -> AnyView {
    view! {
        <p class="job-note">
            <Icon glyph=Glyph::Alert />
            <span>{words}</span>
        </p>
    }
    .into_any()
}

/// What can be done with it, and that something was asked for.
fn buttons(
    board: Board,
    card: RwSignal<Card>,
    open: RwSignal<bool>,
    mending: RwSignal<bool>,
) -> AnyView {
    let id = card.with_untracked(|card| card.id);
    let free = board.is_free();
    let wish = move |words, first, wish: fn(JobId) -> Wish| {
        deed(card, words, first, move || board.wish(wish(id)))
    };
    let at = move |place| {
        move || {
            card.with(|card| card.place == place && !card.refused && card.wait != Some(Wait::Add))
        }
    };
    let mine = move || at(Place::Leased)() && card.with(|card| card.mine);
    let known = move || card.with(|card| !card.refused && card.wait != Some(Wait::Add));
    let theirs = move || {
        view! {
            {wish("Done", true, Wish::Done)}
            {wish("Give back", false, Wish::Back)}
        }
        .into_any()
    };
    let dead = move || {
        view! {
            {wish("Requeue", true, |id| Wish::Requeue(Which::Jobs(vec![id]), None))}
            {free.then(|| deed(card, "Mend", false, move || mending.set(true)))}
            {wish("Discard", false, |id| Wish::Discard(Which::Jobs(vec![id])))}
        }
        .into_any()
    };
    view! {
        <div class="job-buttons">
            {when(move || free && at(Place::Ready)(), move || wish("Take", true, Wish::Take))}
            {when(mine, theirs)}
            {when(at(Place::Dead), dead)}
            {when(move || card.with(|card| card.refused), move || wish("Discard", false, Wish::Dismiss))}
            {when(known, move || disclosure(open))}
        </div>
    }
    .into_any()
}

fn deed(
    card: RwSignal<Card>,
    words: &'static str,
    first: bool,
    deed: impl Fn() + 'static,
) -> AnyView {
    let waits = move || card.with(|card| card.wait.is_some());
    // Disabled by its role alone: a button that is truly so would lose the keyboard's focus.
    let press: Box<dyn FnMut(leptos::ev::MouseEvent)> = Box::new(move |_| {
        if !untrack(waits) {
            deed();
        }
    });
    let class = if first { "pill pill-first" } else { "pill" };
    view! {
        <button class=class type="button" aria-disabled=text(move || waits().to_string()) on:click=press>
            {words}
        </button>
    }
    .into_any()
}

fn disclosure(open: RwSignal<bool>) -> AnyView {
    let expanded = text(move || open.get().to_string());
    let press = press(move || open.update(|open| *open = !*open));
    view! {
        <button class="pill pill-quiet" type="button" aria-expanded=expanded on:click=press>
            "Details"
        </button>
    }
    .into_any()
}
