//! What an event says.

use crate::{
    browser,
    components::{Glyph, Icon, pieces::fresh},
    store::{Body, EntryRow},
    text::{Part, parts},
};
use leptos::prelude::*;

/// What an event says. Its text is shown as it is: nothing in it is interpreted but web addresses.
pub(super) fn body(entry: RwSignal<EntryRow>) -> AnyView {
    let body = Memo::new(move |_| entry.with(|entry| (entry.body.clone(), entry.edited)));
    let author = entry.with_untracked(|entry| entry.author.clone());
    fresh(move || {
        let (body, edited) = body.get();
        match body {
            Body::Text(text) => said(&text, edited),
            Body::Created(name) => fact(Glyph::Flag, "created the room ", &name),
            Body::Hollow { by, .. } if by.id == author.id => {
                fact(Glyph::Bin, "message deleted", "")
            }
            Body::Hollow { by, .. } => fact(Glyph::Bin, "message deleted by ", &by.name),
            Body::Edit(text) => {
                let fact = fact(Glyph::Pencil, "changed a message to:", "");
                view! { {fact} {said(&text, false)} }.into_any()
            }
            Body::Deletion => fact(Glyph::Bin, "deleted a message", ""),
            Body::Unknown { kind, .. } => fact(Glyph::Alert, "unknown event ", &kind),
        }
    })
}

/// Something that happened, in a word and a name.
fn fact(glyph: Glyph, words: &'static str, name: &str) -> AnyView {
    view! {
        <p class="entry-fact">
            <Icon glyph />
            <span>
                {words}
                <bdi>{name.to_owned()}</bdi>
            </span>
        </p>
    }
    .into_any()
}

fn said(text: &str, edited: bool) -> AnyView {
    let parts: Vec<AnyView> = parts(text).into_iter().map(part).collect();
    let mark = edited.then(|| view! { <span class="entry-mark">" edited"</span> });
    view! {
        <div class="entry-text" dir="auto">
            {parts}
            {mark}
        </div>
    }
    .into_any()
}

fn part(part: Part<'_>) -> AnyView {
    match part {
        Part::Plain(text) => text.to_owned().into_any(),
        Part::Link(href) => {
            // A place in this server's rooms opens here: a second tab would only be in the way.
            let own =
                href.strip_prefix(&browser::origin()).is_some_and(|rest| rest.starts_with('/'));
            let target = (!own).then_some("_blank");
            view! {
                <a class="link" href=href.to_owned() rel="noopener noreferrer" target=target>
                    {href.to_owned()}
                </a>
            }
            .into_any()
        }
    }
}
