//! Alarms of due times: opened once, told again while they stay open, closed once. What was told is kept with the episode.

use crate::model::calendar::hours;
use crate::model::episode::{ClockKind, ClockStatus, EpisodeState};
use crate::model::regime::Regime;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An open alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    pub kind: ClockKind,
    pub overdue: bool,
    pub opened_at: Timestamp,
    pub told_at: Timestamp,
}

/// Open alarms by the key of their due time.
pub type Alarms = BTreeMap<String, Alarm>;

/// What is to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rung {
    Near,
    Overdue,
    /// Still overdue.
    Still,
    Closed,
}

/// Brings the alarms up to date. Returns what is new, and when the next reminder falls due.
pub fn ring(alarms: &mut Alarms, state: &EpisodeState, regime: &Regime, now: Timestamp) -> (Vec<(ClockKind, Rung)>, Option<Timestamp>) {
    let mut wanted = BTreeMap::new();
    for due in state.clocks() {
        match due.status(now) {
            ClockStatus::Near => drop(wanted.insert(due.key(), (due.kind, false))),
            ClockStatus::Overdue => drop(wanted.insert(due.key(), (due.kind, true))),
            _ => {}
        }
    }
    let mut told = Vec::new();
    alarms.retain(|key, alarm| {
        let stays = wanted.get(key);
        if stays.is_none() {
            told.push((alarm.kind, Rung::Closed));
        }
        // A due time that has moved ahead is near again: its reminder would lie in the past.
        alarm.overdue &= stays.is_some_and(|(_, overdue)| *overdue);
        stays.is_some()
    });
    let again = hours(regime.parameters.alarm_again_h);
    for (key, (kind, overdue)) in wanted {
        let rung = match alarms.get(&key) {
            None => {
                if overdue {
                    Rung::Overdue
                } else {
                    Rung::Near
                }
            }
            Some(known) if overdue && !known.overdue => Rung::Overdue,
            Some(known) if overdue && now >= known.told_at + again => Rung::Still,
            Some(_) => continue,
        };
        let opened_at = alarms.get(&key).map_or(now, |known| known.opened_at);
        alarms.insert(key, Alarm { kind, overdue, opened_at, told_at: now });
        told.push((kind, rung));
    }
    (told, alarms.values().filter(|alarm| alarm.overdue).map(|alarm| alarm.told_at + again).min())
}
