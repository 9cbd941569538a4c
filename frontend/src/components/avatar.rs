//! A person's sign: initials on a colour of their own.

use crate::format;
use holdfast_common::frame::Author;
use leptos::prelude::*;

/// A person's sign. The name stands beside it, so it says nothing itself.
#[component]
pub fn Avatar<'a>(
    /// Whose.
    author: &'a Author,
) -> impl IntoView + use<> {
    let class = format!("sign tint-{}", format::tint(author.id));
    let initials = format::initials(&author.name);
    view! { <span class=class aria-hidden="true">{initials}</span> }.into_any()
}
