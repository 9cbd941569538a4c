//! Where events are held, if that is not what a person may take for granted.

use super::{Glyph, Icon, pieces::fresh};
use crate::{link::StorageKind, view::use_view};
use leptos::prelude::*;

/// Says that unsent events will not survive, or that a part of what was held was lost.
#[component]
pub fn StorageNotice() -> impl IntoView {
    let view = use_view();
    let text = move || match view.storage.get()? {
        StorageKind::Durable => None,
        StorageKind::Memory { why } => Some((
            "Nothing can be kept in this browser: what is not sent when you close this tab is lost.",
            why,
        )),
        StorageKind::Mended { what } => Some((
            "This browser had lost a part of what was held here. What could be read is shown.",
            what,
        )),
    };
    fresh(move || match text() {
        Some((text, detail)) => view! {
            <p class="storage-notice" role="note" title=detail>
                <Icon glyph=Glyph::Alert />
                <span>{text}</span>
            </p>
        }
        .into_any(),
        None => ().into_any(),
    })
}
