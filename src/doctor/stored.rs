//! The store: whether it opens with the keys that are given, what somebody without them would see of it, and what stands in it.

use super::{Area, Examiner, Reading};
use crate::config::{Environment, Mode, Settings};
use crate::daemon;
use crate::fault::{Code, Fault};
use crate::model::state::State;
use crate::store::{Figures, RawForm, RawValue, Store, StoreFault};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

const SUBJECT: &str = "store";
/// A queue whose oldest message is older than this is worth a look.
const OLD: SignedDuration = SignedDuration::from_hours(1);

pub(super) fn readings(examiner: &Examiner<'_>) -> Vec<Reading> {
    let settings = examiner.settings;
    if settings.store_url_file.is_none() && !settings.store_path.exists() {
        let shown = settings.store_path.display().to_string();
        return vec![Reading::note(Area::Store, SUBJECT, Code::DocNoStore, shown.clone(), shown)];
    }
    let store = match open(examiner) {
        Ok(store) => store,
        Err(fault) => return vec![Reading::fault(Area::Store, SUBJECT, fault)],
    };
    read(&store, settings, examiner.clock.now()).unwrap_or_else(|fault| vec![Reading::fault(Area::Store, SUBJECT, fault.into())])
}

/// To be read.
pub(super) fn open(examiner: &Examiner<'_>) -> Result<Store, Fault> {
    let keys = daemon::keys(examiner.settings, Arc::clone(&examiner.dice))?;
    Store::open_at_to_read(&daemon::place(examiner.settings)?, &keys)
}

fn read(store: &Store, settings: &Settings, now: Timestamp) -> Result<Vec<Reading>, StoreFault> {
    let (events, deliveries) = store.size()?;
    let figures = store.figures()?;
    let megabytes = figures.bytes >> 20;
    let mut out = vec![Reading::good(
        Area::Store,
        SUBJECT,
        format!("öppnas; händelser: {events}, leveranser: {deliveries}, {megabytes} MB"),
        format!("opens; events: {events}, deliveries: {deliveries}, {megabytes} MB"),
    )];
    out.extend(store.raw()?.iter().map(|value| sealed(value, settings)));
    out.extend(left_behind(store, settings)?);
    out.extend(standing(&figures, now));
    let doubts = store.doubts()?;
    if doubts > 0 {
        let (sv, en) = (format!("{doubts} meddelanden"), format!("{doubts} messages"));
        out.push(Reading::note(Area::Store, SUBJECT, Code::StoDoubts, sv, en));
    }
    Ok(out)
}

/// A value as it stands in the database.
fn sealed(value: &RawValue, settings: &Settings) -> Reading {
    let subject = format!("store: {}", value.column);
    match &value.form {
        RawForm::Sealed { key, begins, opens: true } => Reading::good(
            Area::Store,
            subject,
            format!("krypterad med nyckeln {key} och öppnas; en rad läst rå börjar {begins}…"),
            format!("sealed with the key {key}, and opens; a row read raw begins {begins}…"),
        ),
        RawForm::Sealed { key, .. } => {
            Reading::bad(Area::Store, subject, Code::StoUnopened, format!("nyckeln {key}"), format!("the key {key}"))
        }
        RawForm::Plain if settings.environment == Environment::Production || !settings.store_key_files.is_empty() => {
            Reading::bad(Area::Store, subject, Code::DocPlain, "en rad läst rå är i klartext", "a row read raw is in the clear")
        }
        RawForm::Plain => {
            Reading::note(Area::Store, subject, Code::DocPlain, "en rad läst rå är i klartext", "a row read raw is in the clear")
        }
    }
}

/// What the daemon would stop at, or tell of, when it starts.
fn left_behind(store: &Store, settings: &Settings) -> Result<Vec<Reading>, StoreFault> {
    let mut out = Vec::new();
    let sets = daemon::rule_sets(settings).unwrap_or_default();
    for rules in store.rules_in_use()?.into_iter().filter(|rules| !sets.contains_key(rules)) {
        out.push(Reading::bad(Area::Store, "rules", Code::CfgRules, rules.clone(), rules));
    }
    let live = |name: &str| settings.destination(name).is_some_and(|known| known.mode == Mode::Live);
    for (destination, waiting) in store.waiting()?.into_iter().filter(|(name, _)| !live(name.as_str())) {
        let subject = format!("destination.{}", destination.as_str());
        out.push(Reading::bad(Area::Store, subject, Code::CfgDestinationGone, format!("{waiting} väntar"), format!("{waiting} wait")));
    }
    Ok(out)
}

/// What waits, and for what.
fn standing(figures: &Figures, now: Timestamp) -> Vec<Reading> {
    let mut out = Vec::new();
    for known in figures.unsettled.iter().filter(|known| matches!(known.state, State::Parked | State::Held)) {
        let (sv, en) = known.state.texts();
        let (subject, count) = (format!("destination.{}", known.destination.as_str()), known.count);
        out.push(Reading::note(Area::Store, subject, Code::DocWaits, format!("{sv}: {count}"), format!("{en}: {count}")));
    }
    for (destination, since) in figures.oldest() {
        let age = now.duration_since(since);
        if age > OLD {
            let minutes = age.as_mins();
            let (sv, en) = (format!("det äldsta sedan {minutes} minuter"), format!("the oldest for {minutes} minutes"));
            out.push(Reading::note(Area::Store, format!("destination.{}", destination.as_str()), Code::DocQueue, sv, en));
        }
    }
    for open in &figures.alarms {
        let Some(code) = Code::parse(&open.alarm.cause) else { continue };
        let minutes = now.duration_since(open.opened_at).as_mins();
        let (sv, en) = (format!("larm sedan {minutes} minuter"), format!("an alarm for {minutes} minutes"));
        out.push(Reading::note(Area::Store, format!("{}.{}", open.alarm.kind.name(), open.alarm.subject.as_str()), code, sv, en));
    }
    out
}
