//! `vardbro doctor`: looks at an installation, sends no message, changes nothing, and says of each thing that it is good or what
//! to do about it.

mod bundle;
mod certificates;
mod configured;
mod files;
mod reach;
mod show;
mod stored;

pub use bundle::pack;
pub use show::{as_json, as_text};

use crate::config::Settings;
use crate::fault::{Code, Fault};
use crate::model::dice::Dice;
use crate::model::shape::codes;
use crate::model::time::Clock;
use std::path::Path;
use std::sync::Arc;

codes! {
    /// What is looked at.
    Area {
        Configuration = "configuration": "Konfiguration", "Configuration";
        Certificates = "certificates": "Certifikat", "Certificates";
        Files = "files": "Filer och rättigheter", "Files and permissions";
        Disk = "disk": "Disk", "Disk";
        Store = "store": "Databas", "Store";
        Reach = "reach": "Förbindelser", "Connections";
        Clock = "clock": "Klocka", "Clock";
    }
}

codes! {
    /// What is said of it.
    Verdict {
        Good = "good": "bra", "good";
        Note = "note": "obs", "note";
        Bad = "bad": "FEL", "BAD";
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    pub area: Area,
    pub verdict: Verdict,
    /// A key of the configuration.
    pub subject: String,
    /// What is wrong, with its remedy; none where it is good.
    pub code: Option<Code>,
    pub sv: String,
    pub en: String,
}

impl Reading {
    fn good(area: Area, subject: impl Into<String>, sv: impl Into<String>, en: impl Into<String>) -> Self {
        Self { area, verdict: Verdict::Good, subject: subject.into(), code: None, sv: sv.into(), en: en.into() }
    }

    fn note(area: Area, subject: impl Into<String>, code: Code, sv: impl Into<String>, en: impl Into<String>) -> Self {
        Self { verdict: Verdict::Note, code: Some(code), ..Self::good(area, subject, sv, en) }
    }

    fn bad(area: Area, subject: impl Into<String>, code: Code, sv: impl Into<String>, en: impl Into<String>) -> Self {
        Self { verdict: Verdict::Bad, code: Some(code), ..Self::good(area, subject, sv, en) }
    }

    fn fault(area: Area, subject: impl Into<String>, fault: Fault) -> Self {
        let detail = fault.detail.unwrap_or_default();
        Self::bad(area, subject, fault.code, detail.clone(), detail)
    }
}

/// What the examination needs.
pub struct Examiner<'a> {
    pub settings: &'a Settings,
    /// The configuration's file.
    pub file: &'a Path,
    pub clock: &'a dyn Clock,
    pub dice: Arc<dyn Dice>,
    /// Nobody else's machine is asked.
    pub offline: bool,
}

impl std::fmt::Debug for Examiner<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Examiner").field("file", &self.file).field("offline", &self.offline).finish_non_exhaustive()
    }
}

impl Examiner<'_> {
    /// Looks at everything, in the order of [`Area`].
    pub async fn examine(&self) -> Vec<Reading> {
        let mut out = configured::readings(self);
        out.extend(certificates::readings(self.settings, self.clock.now()));
        out.extend(files::readings(self.settings));
        out.extend(files::disks(self.settings));
        out.extend(stored::readings(self));
        if !self.offline {
            out.extend(reach::readings(self).await);
        }
        out.sort_by_key(|reading| reading.area);
        out
    }
}

/// Whether anything needs a hand.
pub fn is_well(readings: &[Reading]) -> bool {
    readings.iter().all(|reading| reading.verdict != Verdict::Bad)
}
