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

/// Something to be told of one due time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub key: String,
    pub kind: ClockKind,
    pub rung: Rung,
    /// It has passed, or had when it closed.
    pub overdue: bool,
    pub opened_at: Timestamp,
    /// Something has been told of it before.
    pub was_open: bool,
}

/// Brings the alarms up to date. Returns what is new, and when the next reminder falls due.
pub fn ring(alarms: &mut Alarms, state: &EpisodeState, regime: &Regime, now: Timestamp) -> (Vec<Told>, Option<Timestamp>) {
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
            let Alarm { kind, overdue, opened_at, .. } = *alarm;
            told.push(Told { key: key.clone(), kind, rung: Rung::Closed, overdue, opened_at, was_open: true });
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
        let known = alarms.get(&key).map(|known| known.opened_at);
        let opened_at = known.unwrap_or(now);
        told.push(Told { key: key.clone(), kind, rung, overdue, opened_at, was_open: known.is_some() });
        alarms.insert(key, Alarm { kind, overdue, opened_at, told_at: now });
    }
    (told, alarms.values().filter(|alarm| alarm.overdue).map(|alarm| alarm.told_at + again).min())
}
