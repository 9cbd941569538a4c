//! Some of a queue's settings, to be set anew.

use super::QueueSettings;
use crate::{job::rate::Rate, time::Millis};
use serde::Serialize;

/// What is to be set of a queue's settings; what is `None` stays as it is. Each member is fit or not
/// whatever the others are. The text form has the names of [`QueueSettings`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct SettingsPatch {
    /// As [`QueueSettings::lease`].
    #[serde(rename = "lease_ms", skip_serializing_if = "Option::is_none")]
    pub lease: Option<Millis>,
    /// As [`QueueSettings::attempts`].
    #[serde(rename = "max_attempts", skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// As [`QueueSettings::backoff`].
    #[serde(rename = "backoff_ms", skip_serializing_if = "Option::is_none")]
    pub backoff: Option<Millis>,
    /// As [`QueueSettings::in_flight`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_flight: Option<Option<u32>>,
    /// As [`QueueSettings::rate`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<Option<Rate>>,
    /// As [`QueueSettings::keep`].
    #[serde(rename = "keep_ms", skip_serializing_if = "Option::is_none")]
    pub keep: Option<Millis>,
    /// As [`QueueSettings::most`].
    #[serde(rename = "max_jobs", skip_serializing_if = "Option::is_none")]
    pub most: Option<u64>,
}

impl SettingsPatch {
    /// Those of these settings whose names, as in the text form, are `named`.
    #[must_use]
    pub fn of(settings: QueueSettings, named: impl Fn(&str) -> bool) -> Self {
        let QueueSettings { lease, attempts, backoff, in_flight, rate, keep, most } = settings;
        Self {
            lease: named("lease_ms").then_some(lease),
            attempts: named("max_attempts").then_some(attempts),
            backoff: named("backoff_ms").then_some(backoff),
            in_flight: named("in_flight").then_some(in_flight),
            rate: named("rate").then_some(rate),
            keep: named("keep_ms").then_some(keep),
            most: named("max_jobs").then_some(most),
        }
    }

    /// Sets them.
    pub fn apply(&self, settings: &mut QueueSettings) {
        let Self { lease, attempts, backoff, in_flight, rate, keep, most } = *self;
        set(&mut settings.lease, lease);
        set(&mut settings.attempts, attempts);
        set(&mut settings.backoff, backoff);
        set(&mut settings.in_flight, in_flight);
        set(&mut settings.rate, rate);
        set(&mut settings.keep, keep);
        set(&mut settings.most, most);
    }
}

impl From<QueueSettings> for SettingsPatch {
    fn from(settings: QueueSettings) -> Self {
        Self::of(settings, |_| true)
    }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}
