//! What is looked at before the engine is asked, whichever way it comes in.

use super::About;
use crate::app::Shared;
use holdfast_common::{
    error::Code,
    job::{
        QueueSettings, SettingsPatch, Unfit,
        limits::{LONGEST_BACKOFF, LONGEST_DELAY, RESULT_BYTES},
    },
    storage::jobs::{How, Progress},
    time::Millis,
};
use serde_json::{Map, Value, json};

/// What is wrong with a word about a lease. Who says it is told so [only while the lease stands](super::unless_late).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub(crate) struct Wrong {
    pub(crate) code: Code,
    /// A sentence for whoever reads the answer.
    pub(crate) detail: String,
}

impl From<Code> for Wrong {
    fn from(code: Code) -> Self {
        Self { code, detail: code.text().to_owned() }
    }
}

impl From<Unfit> for Wrong {
    fn from(unfit: Unfit) -> Self {
        Self { code: unfit.code(), detail: format!("{unfit}.") }
    }
}

/// Whether an end is within its bounds and of its type's form.
pub(crate) fn proper(shared: &Shared, about: &About, how: &How) -> Result<(), Wrong> {
    let outcome = match how {
        How::Complete { result } => result.as_ref(),
        How::Fail { failure, retry, .. } => {
            bounded("retry_ms", retry.unwrap_or_default(), LONGEST_BACKOFF)?;
            failure.as_ref()
        }
        How::Snooze { delay } | How::HandBack { delay } => {
            bounded("delay_ms", *delay, LONGEST_DELAY)?;
            None
        }
    };
    if outcome.is_some_and(|text| text.len() > RESULT_BYTES) {
        let detail = format!("Its outcome has more than {RESULT_BYTES} bytes.");
        return Err(Wrong { code: Code::TooLarge, detail });
    }
    Ok(fits(shared, about, how)?)
}

/// Whether what is said of how far an attempt is can be.
pub(crate) fn possible(progress: Option<&Progress>) -> Result<(), Wrong> {
    let possible = progress.is_none_or(|progress| progress.percent <= 100);
    if possible { Ok(()) } else { Err(Unfit::Bounds("progress").into()) }
}

fn bounded(member: &'static str, length: Millis, most: Millis) -> Result<(), Wrong> {
    if length <= most { Ok(()) } else { Err(Unfit::Bounds(member).into()) }
}

/// Whether what is said of a job is of its type's form. A type that the server no longer knows takes
/// anything: its jobs can still be ended.
fn fits(shared: &Shared, about: &About, how: &How) -> Result<(), Code> {
    let queue = shared.queues.queue(&about.ns, &about.queue).ok();
    let Some(kind) = queue.and_then(|queue| queue.kind(&about.kind).ok()) else {
        return Ok(());
    };
    match how {
        // No result is the result null.
        How::Complete { result } => kind.check_output(result.as_deref().unwrap_or("null")),
        How::Fail { failure: Some(failure), .. } => kind.check_failure(failure),
        How::Fail { failure: None, .. } | How::Snooze { .. } | How::HandBack { .. } => Ok(()),
    }
}

/// What is named of a queue's settings, to be set anew, or what is wrong with that in a sentence.
pub(crate) fn patch(named: Map<String, Value>) -> Result<SettingsPatch, String> {
    let mut members = json!(QueueSettings::default());
    for (member, value) in &named {
        match members.get_mut(member) {
            Some(place) => *place = value.clone(),
            None => return Err(format!("There is no setting {member}.")),
        }
    }
    let settings = serde_json::from_value::<QueueSettings>(members);
    let settings = settings.map_err(|error| format!("These are no settings: {error}."))?;
    settings.check().map_err(|unfit| format!("{unfit}."))?;
    Ok(SettingsPatch::of(settings, |member| named.contains_key(member)))
}
