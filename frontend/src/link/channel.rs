//! The channel between a profile's tabs.

use holdfast_common::tabs::Word;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{BroadcastChannel, MessageEvent};

/// The channel's name. Words of another form have another name.
const NAME: &str = "holdfast.tabs.2";

/// The channel; without one a tab is alone.
pub(super) struct Channel(Option<Open>);

struct Open {
    channel: BroadcastChannel,
    _heard: Closure<dyn Fn(MessageEvent)>,
}

impl Channel {
    pub(super) fn none() -> Self {
        Self(None)
    }

    pub(super) fn open(heard: impl Fn(Word) + 'static) -> Self {
        let Ok(channel) = BroadcastChannel::new(NAME) else {
            return Self::none();
        };
        let heard = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
            let text = event.data().as_string();
            // A word that cannot be read is another version's; its tabs lead or follow by the
            // lock and the database all the same.
            if let Some(word) = text.and_then(|text| Word::read(&text)) {
                heard(word);
            }
        });
        channel.set_onmessage(Some(heard.as_ref().unchecked_ref()));
        Self(Some(Open { channel, _heard: heard }))
    }

    pub(super) fn say(&self, word: &Word) {
        if let Some(Open { channel, .. }) = &self.0 {
            // It fails on a closed channel only, and this one is never closed.
            let _ = channel.post_message(&JsValue::from_str(&word.write()));
        }
    }
}
