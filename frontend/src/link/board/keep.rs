//! What a board keeps: with the tab the jobs that were taken in it, in the browser what the server must
//! be told. Each has an item of its own, so that two tabs never write over one another's.

use crate::board::{Shelf, machine::Words};
use crate::link::clock;
use holdfast_common::{id::JobId, json, sorted::Sorted};
use serde::de::DeserializeOwned;
use web_sys::Storage;

const HELD: &str = "holdfast.held.";
const WORD: &str = "holdfast.word.";

/// The browser's two storages; without one nothing outlives the page.
pub(super) struct Shelves {
    tab: Option<Storage>,
    browser: Option<Storage>,
}

impl Shelves {
    pub(super) fn open() -> Self {
        let window = clock::window();
        Self {
            tab: window.session_storage().ok().flatten(),
            browser: window.local_storage().ok().flatten(),
        }
    }

    /// What is kept of earlier pages. What cannot be read is another version's, and left alone.
    pub(super) fn read(&self) -> Words {
        Words { words: all(&self.browser, WORD), held: all(&self.tab, HELD) }
    }

    /// Whether it is kept: there may be no room.
    pub(super) fn put(&self, shelf: Shelf, job: JobId, text: &str) -> bool {
        let (storage, name) = self.item(shelf, job);
        storage.is_some_and(|storage| storage.set_item(&name, text).is_ok())
    }

    pub(super) fn remove(&self, shelf: Shelf, job: JobId) {
        let (storage, name) = self.item(shelf, job);
        if let Some(storage) = storage {
            let _ = storage.remove_item(&name);
        }
    }

    fn item(&self, shelf: Shelf, job: JobId) -> (Option<&Storage>, String) {
        match shelf {
            Shelf::Tab => (self.tab.as_ref(), format!("{HELD}{job}")),
            Shelf::Browser => (self.browser.as_ref(), format!("{WORD}{job}")),
        }
    }
}

fn all<T: DeserializeOwned>(storage: &Option<Storage>, prefix: &str) -> Sorted<JobId, T> {
    let mut found = Sorted::default();
    let Some(storage) = storage else { return found };
    for n in 0..storage.length().unwrap_or(0) {
        let Ok(Some(name)) = storage.key(n) else { continue };
        let job = name.strip_prefix(prefix).and_then(|job| job.parse::<JobId>().ok());
        if let (Some(job), Ok(Some(text))) = (job, storage.get_item(&name))
            && let Ok(kept) = json::read(&text)
        {
            found.insert(job, kept);
        }
    }
    found
}
