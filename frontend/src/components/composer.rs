//! Where a person writes.

mod field;

use super::{
    Glyph, Icon,
    pieces::{flag, link, text, when},
};
use crate::{
    format,
    view::{View, use_view},
};
use field::field;
use leptos::{ev::SubmitEvent, prelude::*};

/// From so many characters before the limit on, what is left is counted.
const COUNTED: usize = 500;

/// Where a person writes. Enter sends.
#[component]
pub fn Composer(
    /// The room's name.
    name: Signal<String>,
) -> impl IntoView {
    let view = use_view();
    let draft = Draft { view };
    Effect::new(move |_| {
        if view.editing.with(Option::is_some) {
            // The text is in the field by then.
            request_animation_frame(field::focus_end);
        }
    });
    let submit: Box<dyn FnMut(SubmitEvent)> = Box::new(move |event| {
        event.prevent_default();
        draft.send();
    });
    view! {
        <form class="composer" on:submit=submit>
            {when(move || draft.editing(), move || editing(draft))}
            <div class="composer-box">
                {field(draft, name)}
                <button
                    class="btn btn-primary btn-sm composer-send"
                    type="submit"
                    disabled=flag(move || draft.unfit())
                >
                    <Icon glyph=Glyph::Send />
                    <span class="composer-word">"Send"</span>
                </button>
            </div>
            {foot(view, draft)}
        </form>
    }
    .into_any()
}

fn editing(draft: Draft) -> AnyView {
    view! {
        <div class="composer-editing">
            <Icon glyph=Glyph::Pencil />
            <span>"Editing a message"</span>
            {link("Cancel", move || draft.cancel())}
        </div>
    }
    .into_any()
}

/// Who is writing, what stands against sending, and how to break a line.
fn foot(view: View, draft: Draft) -> AnyView {
    let writing = text(move || view.open.writing.with(|names| format::writing(names)));
    let wrong = flag(move || draft.against().is_some());
    let note = text(move || draft.against().or_else(|| draft.left()).unwrap_or_default());
    view! {
        <div class="composer-foot">
            <span class="composer-typing"><bdi>{writing}</bdi></span>
            <span class="composer-note" class:field-wrong=wrong>{note}</span>
            <span class="composer-hint" aria-hidden="true">
                <kbd>"Enter"</kbd>
                " sends, "
                <kbd>"Shift Enter"</kbd>
                " breaks the line"
            </span>
        </div>
    }
    .into_any()
}

/// The text in the field: the room's draft, or that of a message which is being edited.
#[derive(Debug, Clone, Copy)]
struct Draft {
    view: View,
}

impl Draft {
    fn editing(self) -> bool {
        self.view.editing.with(Option::is_some)
    }

    fn text(self) -> String {
        let drafts = self.view.drafts;
        if self.editing() { drafts.edit.get() } else { drafts.text.get() }
    }

    fn set(self, text: String) {
        if self.view.editing.with_untracked(Option::is_some) {
            return self.view.drafts.edit.set(text);
        }
        let typed = !text.is_empty();
        self.view.draft(text);
        if let Some(room) = self.view.open.room.get_untracked()
            && typed
        {
            self.view.typing(room);
        }
    }

    fn cancel(self) {
        self.view.editing.set(None);
        request_animation_frame(field::focus_end);
    }

    fn send(self) {
        if let Some(room) = self.view.open.room.get_untracked()
            && !untrack(move || self.unfit())
        {
            self.view.say(room, untrack(move || self.text()));
        }
    }

    fn unfit(self) -> bool {
        self.text().trim().is_empty() || self.against().is_some()
    }

    /// Why the text cannot be sent.
    fn against(self) -> Option<String> {
        let (most, outbox) =
            self.view.limits.with(|limits| (limits.text_chars as usize, limits.outbox as usize));
        let above = self.text().chars().count().checked_sub(most);
        if let Some(above) = above.filter(|above| *above > 0) {
            let characters = format::count(above as u64, "character");
            return Some(format!("{characters} too many"));
        }
        let full = self.view.waiting.get() >= outbox;
        full.then(|| "Too much is waiting to be sent already".to_owned())
    }

    /// How much can still be written, once that is near.
    fn left(self) -> Option<String> {
        let most = self.view.limits.with(|limits| limits.text_chars as usize);
        let left = most.saturating_sub(self.text().chars().count());
        (left <= COUNTED).then(|| format!("{} left", format::count(left as u64, "character")))
    }
}
