//! How long what has come to its end is kept.

use super::super::raw;
use super::{DAY_S, YEAR};
use std::time::Duration;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionSettings {
    /// By itself, not only by hand.
    pub on: bool,
    pub accepted: Duration,
    pub ended: Duration,
    pub metadata: Duration,
    pub journal: Duration,
    pub rejected: Duration,
    pub tombstones: Duration,
    pub audit: Duration,
}

impl From<&RetentionSettings> for raw::Retention {
    fn from(kept: &RetentionSettings) -> Self {
        let days = |time: Duration| Some(time.as_secs_f64() / DAY_S);
        let years = |time: Duration| u32::try_from(time.as_secs() / YEAR).ok();
        Self {
            on: Some(kept.on),
            accepted_days: days(kept.accepted),
            ended_days: days(kept.ended),
            metadata_days: days(kept.metadata),
            journal_days: days(kept.journal),
            rejected_days: days(kept.rejected),
            tombstone_years: years(kept.tombstones),
            audit_years: years(kept.audit),
        }
    }
}
