//! What an event says.

use crate::{
    browser,
    components::{Glyph, Icon},
    store::{Body, EntryRow},
    text::{Part, parts},
};
use leptos::prelude::*;

/// What an event says. Its text is shown as it is: nothing in it is interpreted but web addresses.
#[component]
pub(super) fn BodyView(entry: RwSignal<EntryRow>) -> impl IntoView {
    let body = Memo::new(move |_| entry.with(|entry| entry.body.clone()));
    let author = entry.with_untracked(|entry| entry.author.clone());
    move || match body.get() {
        Body::Text(text) => {
            view! { <div class="entry-text" dir="auto">{linked(&text)}</div> }.into_any()
        }
        Body::Created(name) => view! {
            <p class="entry-fact">
                <Icon glyph=Glyph::Flag />
                <span>"created the room " <bdi>{name.to_string()}</bdi></span>
            </p>
        }
        .into_any(),
        Body::Hollow { by, .. } => {
            let by = (by.id != author.id).then(|| view! { " by " <bdi>{by.name.clone()}</bdi> });
            view! { <p class="entry-fact"><Icon glyph=Glyph::Bin /><span>"message deleted" {by}</span></p> }
                .into_any()
        }
        Body::Edit(text) => view! {
            <p class="entry-fact"><Icon glyph=Glyph::Pencil />"changed a message to:"</p>
            <div class="entry-text" dir="auto">{linked(&text)}</div>
        }
        .into_any(),
        Body::Deletion => view! {
            <p class="entry-fact"><Icon glyph=Glyph::Bin />"deleted a message"</p>
        }
        .into_any(),
        Body::Unknown { kind, .. } => view! {
            <p class="entry-fact">
                <Icon glyph=Glyph::Alert />
                <span>"unknown event " <code>{kind.to_string()}</code></span>
            </p>
        }
        .into_any(),
    }
}

fn linked(text: &str) -> Vec<AnyView> {
    parts(text).into_iter().map(part).collect()
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
