//! What follows from what stands now and from the alarms that are open.

use super::{Alarm, Kind, Open, Ring, Rung, Subject};
use jiff::{SignedDuration, Timestamp};

/// Days before a certificate's end; each is a step.
const STEPS: [i64; 3] = [60, 30, 7];
/// The step from which a certificate's end is an error.
pub(super) const LAST_DAYS: u32 = 2;

/// What was found of something that may be wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It stands.
    Stands(Alarm),
    /// It does not.
    Well(Kind, Subject),
    /// It is not known, or somebody else says: what is open stays open.
    Unknown(Kind, Subject),
}

impl Found {
    /// By whether it stands.
    pub fn when(stands: bool, alarm: Alarm) -> Self {
        if stands { Self::Stands(alarm) } else { Self::Well(alarm.kind, alarm.subject) }
    }

    /// A certificate that ends in so many days.
    pub fn certificate(subject: Subject, days: i64) -> Self {
        let passed = STEPS.iter().filter(|step| days < **step).count() + usize::from(days < 0);
        let step = u32::try_from(passed.saturating_sub(1)).unwrap_or(0);
        Self::when(passed > 0, Alarm { step, figure: Some(days), ..Alarm::new(Kind::Certificate, subject) })
    }

    fn of(&self) -> (Kind, &Subject) {
        match self {
            Self::Stands(alarm) => (alarm.kind, &alarm.subject),
            Self::Well(kind, subject) | Self::Unknown(kind, subject) => (*kind, subject),
        }
    }
}

/// When it was looked, and the bounds.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    pub now: Timestamp,
    /// Between two reminders.
    pub again: SignedDuration,
    /// So long an alarm stays open after it was last seen: what one replica does not see another may.
    pub linger: SignedDuration,
}

/// What is to be told, and the open alarms that were seen to stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rings {
    pub told: Vec<Ring>,
    pub seen: Vec<Alarm>,
}

/// Compares. What is open and was not looked for (it is no longer configured) closes as well; due times are their episodes' affair.
pub fn ring(open: &[Open], found: &[Found], look: Look) -> Rings {
    let mut rings = Rings::default();
    for alarm in found.iter().filter_map(Found::alarm) {
        if !open.iter().any(|open| open.is_of(alarm.kind, &alarm.subject)) {
            rings.told.push(Ring::of(Rung::Opened, alarm.clone(), look.now));
        }
    }
    for open in open.iter().filter(|open| open.alarm.kind != Kind::Deadline) {
        let found = found.iter().find(|found| open.is_of(found.of().0, found.of().1));
        let stands = found.and_then(Found::alarm);
        let rung = match found {
            Some(Found::Stands(alarm)) if alarm.step > open.alarm.step => Some(Rung::Worse),
            Some(Found::Stands(_) | Found::Unknown(..)) => open.falls_due(look).then_some(Rung::Still),
            // A clock that has gone back must not keep it open.
            _ => ((look.now - look.linger) >= open.seen_at || open.seen_at > look.now).then_some(Rung::Closed),
        };
        // A figure moves with what is found; a step only rises.
        let step = stands.map_or(open.alarm.step, |alarm| alarm.step.max(open.alarm.step));
        let alarm = Alarm { step, ..stands.unwrap_or(&open.alarm).clone() };
        if let Some(rung) = rung {
            rings.told.push(Ring { rung, alarm, at: look.now, since: open.opened_at, told_at: Some(open.told_at) });
        } else if stands.is_some() {
            rings.seen.push(alarm);
        }
    }
    rings
}

impl Found {
    fn alarm(&self) -> Option<&Alarm> {
        if let Self::Stands(alarm) = self { Some(alarm) } else { None }
    }
}

impl Open {
    fn is_of(&self, kind: Kind, subject: &Subject) -> bool {
        self.alarm.kind == kind && self.alarm.subject == *subject
    }

    /// Whether it is to be told again; after a clock that went ahead as well.
    fn falls_due(&self, look: Look) -> bool {
        self.alarm.kind.entry().reminds && look.now.duration_since(self.told_at).abs() >= look.again
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const AGAIN: i64 = 3_600;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_773_100_000 + second).expect("an instant")
    }

    fn look(second: i64, linger: i64) -> Look {
        Look { now: at(second), again: SignedDuration::from_secs(AGAIN), linger: SignedDuration::from_secs(linger) }
    }

    /// What the store does with it.
    fn keep(open: &mut Vec<Open>, rings: &Rings, now: Timestamp) {
        for told in &rings.told {
            open.retain(|known| !known.is_of(told.alarm.kind, &told.alarm.subject));
            if told.rung != Rung::Closed {
                open.push(Open { alarm: told.alarm.clone(), opened_at: told.since, told_at: told.at, seen_at: now });
            }
        }
        for seen in &rings.seen {
            for known in open.iter_mut().filter(|known| known.is_of(seen.kind, &seen.subject)) {
                known.seen_at = now;
            }
        }
    }

    fn found(kind: Kind, subject: &'static str, stands: Option<bool>) -> Found {
        match stands {
            None => Found::Unknown(kind, subject.into()),
            Some(stands) => Found::when(stands, Alarm::new(kind, subject)),
        }
    }

    /// Random courses of what stands, with nothing but the open alarms kept from one look to the next, as over a restart.
    #[test]
    fn whatever_happens_each_is_opened_once_told_again_in_time_and_closed_once() {
        let mut state = 0x5eed_u64;
        let mut random = move |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        let subjects = [(Kind::Parked, "a"), (Kind::Parked, "b"), (Kind::Clock, "a"), (Kind::Disk, "store")];
        for _ in 0..200 {
            let (mut open, mut now) = (Vec::new(), 0);
            let mut told_at: BTreeMap<(Kind, &str), i64> = BTreeMap::new();
            for _ in 0..60 {
                now += i64::try_from(random(2_000)).expect("small");
                let stands: Vec<Option<bool>> = subjects
                    .iter()
                    .map(|_| [Some(true), Some(true), Some(false), None][usize::try_from(random(4)).expect("small")])
                    .collect();
                let looked: Vec<Found> = subjects.iter().zip(&stands).map(|((kind, of), stands)| found(*kind, of, *stands)).collect();
                let rings = ring(&open, &looked, look(now, 0));
                keep(&mut open, &rings, at(now));
                for ((kind, of), stands) in subjects.iter().zip(stands) {
                    let heard: Vec<Rung> = rings
                        .told
                        .iter()
                        .filter(|told| (told.alarm.kind, told.alarm.subject.as_str()) == (*kind, of))
                        .map(|told| told.rung)
                        .collect();
                    let before = told_at.get(&(*kind, *of)).copied();
                    let expected = match (before, stands) {
                        (None, Some(true)) => vec![Rung::Opened],
                        (Some(_), Some(false)) => vec![Rung::Closed],
                        (Some(told), Some(true) | None) if now - told >= AGAIN => vec![Rung::Still],
                        _ => vec![],
                    };
                    assert_eq!(heard, expected, "{kind:?} {of} at {now}");
                    match heard.first() {
                        Some(Rung::Closed) => drop(told_at.remove(&(*kind, *of))),
                        Some(_) => drop(told_at.insert((*kind, *of), now)),
                        None => {}
                    }
                }
                let again = ring(&open, &looked, look(now, 0));
                assert!(again.told.is_empty(), "at the same moment nothing is told twice: {again:?}");
            }
        }
    }

    #[test]
    fn a_certificate_is_told_of_at_each_step_and_closes_when_it_is_renewed() {
        let mut open = Vec::new();
        let mut told = Vec::new();
        for (day, days) in (0_i64..).zip([61, 60, 59, 40, 30, 29, 10, 29, 6, 1, 0, -1, -30, 365]) {
            let rings = ring(&open, &[Found::certificate(Subject::table("http"), days)], look(day * 86_400, 0));
            keep(&mut open, &rings, at(day * 86_400));
            told.extend(rings.told.iter().map(|ring| (days, ring.rung)));
        }
        let expected = [(59, Rung::Opened), (29, Rung::Worse), (6, Rung::Worse), (-1, Rung::Worse), (365, Rung::Closed)];
        assert_eq!(told, expected);
    }

    /// Two replicas look in turn, and only one of them sees it.
    #[test]
    fn what_one_replica_sees_stays_open_until_nobody_has_seen_it_for_a_while() {
        let (mut open, mut told) = (Vec::new(), Vec::new());
        for second in 0..400 {
            let stands = second < 200 && second % 60 == 0;
            if second % 30 == 0 {
                let rings = ring(&open, &[found(Kind::Clock, "region", Some(stands))], look(second, 180));
                keep(&mut open, &rings, at(second));
                told.extend(rings.told.iter().map(|ring| (second, ring.rung)));
            }
        }
        assert_eq!(told, [(0, Rung::Opened), (360, Rung::Closed)]);
    }

    #[test]
    fn what_is_no_longer_configured_closes_and_due_times_are_left_alone() {
        let kept =
            |kind, subject: &'static str| Open { alarm: Alarm::new(kind, subject), opened_at: at(0), told_at: at(0), seen_at: at(0) };
        let open = [kept(Kind::Parked, "gone"), kept(Kind::Deadline, "episode"), kept(Kind::Route, "region")];
        let rings = ring(&open, &[Found::Unknown(Kind::Route, "region".into())], look(AGAIN, 0));
        let told: Vec<(Kind, Rung)> = rings.told.iter().map(|ring| (ring.alarm.kind, ring.rung)).collect();
        assert_eq!(told, [(Kind::Parked, Rung::Closed), (Kind::Route, Rung::Still)], "the route's reminder is told here");
    }
}
