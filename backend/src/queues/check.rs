//! What is looked at before the engine is asked, whichever way it comes in.

use super::About;
use crate::app::Shared;
use holdfast_common::{
    error::Code,
    job::{QueueSettings, SettingsPatch},
    storage::jobs::How,
};
use serde_json::{Map, Value, json};

/// Whether what is said of a job is of its type's form. A type that the server no longer knows takes
/// anything: its jobs can still be ended.
pub(crate) fn fits(shared: &Shared, about: &About, how: &How) -> Result<(), Code> {
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
