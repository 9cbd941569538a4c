//! A job as it is shown.

use super::{Job, Since};
use holdfast_common::{
    id::JobId,
    job::{JobState, Place},
};
use serde_json::{Value, value::RawValue};

/// A job as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// Its id.
    pub id: JobId,
    /// Where it is.
    pub place: Place,
    /// What is to be done, in a few words.
    pub title: String,
    /// All there is to know.
    pub body: String,
    /// Its payload; none where it is too long for a board.
    pub data: Option<String>,
    /// Its group.
    pub group: Option<String>,
    /// Higher ones begin first.
    pub priority: i8,
    /// Attempts that have begun, and how many it has.
    pub attempts: (u32, u32),
    /// Who has it.
    pub holder: Option<String>,
    /// Whether this page has it.
    pub mine: bool,
    /// Whether it is this person's, taken elsewhere.
    pub elsewhere: bool,
    /// How far that is, of a hundred.
    pub progress: Option<u8>,
    /// The same in words.
    pub note: Option<String>,
    /// What went wrong last.
    pub error: Option<String>,
    /// When its lease ends, or when it may begin.
    pub due: Option<Since>,
    /// When it was enqueued.
    pub made: Since,
    /// What was asked for and is not answered.
    pub wait: Option<Wait>,
    /// What is to be said of it.
    pub said: Option<String>,
    /// It was not accepted, and is nowhere but here.
    pub refused: bool,
}

/// What was asked for and is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// To be stored.
    Add,
    /// To be taken.
    Take,
    /// To be done.
    Done,
    /// To be given back.
    Back,
    /// Anything else.
    Other,
}

impl Card {
    /// What is known of a job from the server alone.
    #[must_use]
    pub fn of(job: &Job) -> Self {
        let shown = &job.shown;
        let data = shown.data.as_deref().map(RawValue::get);
        let (title, body) = told(&shown.kind, data);
        Self {
            id: shown.id,
            place: shown.place,
            title,
            body,
            data: data.map(str::to_owned),
            group: shown.group.clone(),
            priority: shown.priority,
            attempts: (shown.attempt, shown.max_attempts),
            holder: shown.consumer.clone(),
            mine: false,
            elsewhere: false,
            progress: shown.progress,
            note: shown.note.clone(),
            error: shown.error.clone(),
            due: job.due,
            made: job.made,
            wait: None,
            said: None,
            refused: false,
        }
    }

    /// As in the page's `data-job-state`.
    #[must_use]
    pub const fn state(&self) -> &'static str {
        match self.place.state() {
            JobState::Ready => "ready",
            JobState::Leased => "leased",
            JobState::Done => "done",
            JobState::Dead => "dead",
            JobState::Cancelled => "cancelled",
        }
    }
}

/// A payload's title and what else it says. One that is no task is named by its type.
fn told(kind: &str, data: Option<&str>) -> (String, String) {
    let Some(data) = data else {
        return (kind.to_owned(), String::new());
    };
    let value: Value = serde_json::from_str(data).unwrap_or_default();
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    match text("title").filter(|title| !title.trim().is_empty()) {
        Some(title) => (title.to_owned(), text("body").unwrap_or_default().to_owned()),
        None => (kind.to_owned(), data.to_owned()),
    }
}
