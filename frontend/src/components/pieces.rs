//! Small pieces that every part of the page is put together from. Their types are erased: each is
//! compiled once and not once for each closure, which is a good part of the page's size.

use super::{Glyph, Icon};
use leptos::{ev, prelude::*, tachys::reactive_graph::OwnedView, task::spawn_local};

/// What happens on a press.
pub type Press = Box<dyn FnMut(ev::MouseEvent)>;

/// A text that changes.
pub fn text(says: impl Fn() -> String + Send + Sync + 'static) -> Signal<String> {
    fn erased(says: Box<dyn Fn() -> String + Send + Sync>) -> Signal<String> {
        Signal::derive(says)
    }
    erased(Box::new(says))
}

/// An attribute that may be absent.
pub fn maybe(says: impl Fn() -> Option<String> + Send + Sync + 'static) -> Signal<Option<String>> {
    Signal::derive(says)
}

/// Something that is so or is not.
pub fn flag(is: impl Fn() -> bool + Send + Sync + 'static) -> Signal<bool> {
    fn erased(is: Box<dyn Fn() -> bool + Send + Sync>) -> Signal<bool> {
        Signal::derive(is)
    }
    erased(Box::new(is))
}

/// A view that is made anew whenever what it reads has changed.
pub fn fresh(make: impl Fn() -> AnyView + Send + 'static) -> AnyView {
    fn erased(make: Box<dyn Fn() -> AnyView + Send>) -> AnyView {
        let outer = Owner::current().unwrap_or_default();
        // The view's owner is not the effect's own, which would be gone while effects of the old
        // view are still queued.
        let scoped = move || {
            let owner = outer.child();
            let view = owner.with(&make);
            OwnedView::new_with_owner(view, owner)
        };
        scoped.into_any()
    }
    erased(Box::new(make))
}

/// A row of a list. What it owns outlives it by a moment: effects that are queued when the row goes
/// may still read it. `outer` owns the list.
pub fn row(outer: &Owner, make: impl FnOnce() -> AnyView) -> AnyView {
    let owner = outer.child();
    let view = owner.with(make);
    let last = owner.clone();
    on_cleanup(move || spawn_local(async move { drop(last) }));
    OwnedView::new_with_owner(view, owner).into_any()
}

/// A view that is there while something is so.
pub fn when(
    is: impl Fn() -> bool + Send + Sync + 'static,
    make: impl Fn() -> AnyView + Send + 'static,
) -> AnyView {
    either(is, make, nothing)
}

fn nothing() -> AnyView {
    ().into_any()
}

/// One view while something is so, else the other.
pub fn either(
    is: impl Fn() -> bool + Send + Sync + 'static,
    make: impl Fn() -> AnyView + Send + 'static,
    other: impl Fn() -> AnyView + Send + 'static,
) -> AnyView {
    type Make = Box<dyn Fn() -> AnyView + Send>;
    fn erased(is: Box<dyn Fn() -> bool + Send + Sync>, make: Make, other: Make) -> AnyView {
        let is = Memo::new(move |_| is());
        fresh(move || if is.get() { make() } else { other() })
    }
    erased(Box::new(is), Box::new(make), Box::new(other))
}

/// What happens on a press.
pub fn press(deed: impl Fn() + 'static) -> Press {
    Box::new(move |_| deed())
}

/// A button with words.
pub fn pill(words: &'static str, deed: impl Fn() + 'static) -> AnyView {
    pill_while(words, flag(|| false), press(deed))
}

/// A button with words that is at times disabled.
pub fn pill_while(words: &'static str, disabled: Signal<bool>, press: Press) -> AnyView {
    view! {
        <button class="pill" type="button" disabled=disabled on:click=press>
            {words}
        </button>
    }
    .into_any()
}

/// A button that is a picture.
pub fn tool(name: &'static str, glyph: Glyph, class: &'static str, press: Press) -> AnyView {
    let class = format!("tool {class}");
    view! {
        <button class=class type="button" aria-label=name title=name on:click=press>
            <Icon glyph />
        </button>
    }
    .into_any()
}

/// Words in a sentence that do something.
pub fn link(words: &'static str, deed: impl Fn() + 'static) -> AnyView {
    let press = press(deed);
    view! {
        <button class="link" type="button" on:click=press>
            {words}
        </button>
    }
    .into_any()
}

/// Words for the ear alone.
pub fn unseen(words: &'static str) -> AnyView {
    view! { <span class="sr-only">{words}</span> }.into_any()
}
