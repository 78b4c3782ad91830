//! A case that is told event by event.

#![expect(clippy::expect_used, reason = "a broken test shall stop")]

use super::history::Templates;
use jiff::Timestamp;
use jiff::civil::Date;
use vardbro::check::rules::{Rules, shipped};
use vardbro::episode::{self, Links, fold};
use vardbro::model::catalogue::{Body, EventType};
use vardbro::model::episode::{ClockKind, ClockStatus, Due, EpisodeState, Fact};
use vardbro::model::event::{CareEvent, Circumstances, Consent, ConsentStatus};
use vardbro::model::regime::Regime;

pub(crate) fn instant(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

pub(crate) fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

/// A case that is told event by event.
pub(crate) struct Tale {
    pub(crate) templates: Templates,
    pub(crate) regime: Regime,
    pub(crate) facts: Vec<Fact>,
    told: usize,
}

impl Tale {
    pub(crate) fn new() -> Self {
        let regime = Rules::parse(shipped()[0].1).expect("a whole set").regime;
        Self { templates: Templates::read(), regime, facts: Vec::new(), told: 0 }
    }

    /// Adds an event that was sent when it happened. Returns its id.
    pub(crate) fn tell(&mut self, kind: EventType, at: &str, change: impl FnOnce(&mut CareEvent)) -> String {
        self.told += 1;
        let id = format!("E-{}", self.told);
        let mut event = self.templates.event(kind, &id, instant(at));
        change(&mut event);
        let fact = episode::fact(&event, &Links::of(&event, &self.templates.key), 1, &[]);
        episode::add(&mut self.facts, fact);
        id
    }

    /// R-IN: admitted at one time, the notice sent at another.
    pub(crate) fn admitted(&mut self, admitted: &str, sent: &str) -> String {
        self.tell(EventType::RIn, sent, |event| {
            if let Body::RIn(notice) = &mut event.body {
                (notice.admitted_at, notice.judged_at) = (instant(admitted), None);
            }
        })
    }

    /// R-UK with outpatient care in place.
    pub(crate) fn ready(&mut self, sent: &str) {
        self.tell(EventType::RUk, sent, |event| {
            if let Body::RUk(ready) = &mut event.body {
                ready.open_care_available = Some(true);
            }
        });
    }

    pub(crate) fn discharged(&mut self, at: &str) {
        self.tell(EventType::RUt, at, |event| {
            if let Body::RUt(discharged) = &mut event.body {
                discharged.discharged_at = instant(at);
            }
        });
    }

    pub(crate) fn at(&self, now: &str) -> EpisodeState {
        fold(&self.facts, &self.regime, instant(now))
    }

    pub(crate) fn due(&self, kind: ClockKind, now: &str) -> Due {
        self.at(now).clocks().find(|due| due.kind == kind).unwrap_or_else(|| panic!("no {kind:?}")).clone()
    }

    pub(crate) fn status(&self, kind: ClockKind, now: &str) -> ClockStatus {
        self.due(kind, now).status(instant(now))
    }
}

pub(crate) fn has(state: &EpisodeState, rule: &str) -> bool {
    state.deviations().any(|deviation| deviation.rule == rule)
}

/// The event says that the stay needs a plan at the hospital, with the patient's consent.
pub(crate) fn sip_needed(event: &mut CareEvent) {
    let mut known = event.head.circumstances.take().unwrap_or_else(nothing_known);
    known.hospital_sip = Some(true);
    event.head.circumstances = Some(known);
    event.head.consent = Some(Consent { status: ConsentStatus::Given, recorded_at: None, basis: None });
}

pub(crate) fn nothing_known() -> Circumstances {
    let json = br#"{"eventId":"E","system":"s","type":"K-KV","occurredAt":"2026-03-10T09:00:00+01:00","episodeRef":{"caseId":"C"},
        "patient":{"id":"193812217044","idType":"personnummer"},"circumstances":{},"data":{"unit":{"hsaId":"SE2120001538-T100"},
        "at":"2026-03-10T09:00:00+01:00"}}"#;
    let read = vardbro::map::read(json, 32, day("2026-03-20")).expect("a good event");
    read.event.head.circumstances.expect("circumstances")
}
