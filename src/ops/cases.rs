//! Episodes as they stand at a moment, for whoever only looks.

use crate::check::rules::Rules;
use crate::episode::{Alarms, fold};
use crate::fault::{Code, Fault};
use crate::intake;
use crate::model::calendar::days_between;
use crate::model::episode::{EpisodeState, Fact, Stay};
use crate::model::ids::EpisodeId;
use crate::model::personal::Personal;
use crate::model::time::local_day;
use crate::store::{Store, StoreFault};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Sets of rules by their names.
pub type Sets = BTreeMap<String, Arc<Rules>>;

/// An episode with what follows from it.
#[derive(Debug, Clone)]
pub struct Seen {
    pub id: EpisodeId,
    pub changed_at: Timestamp,
    /// The set that it runs under.
    pub rules: Arc<Rules>,
    pub facts: Vec<Fact>,
    /// As they were last told.
    pub alarms: Alarms,
    pub state: EpisodeState,
}

/// What a name on the command line led to.
#[derive(Debug)]
pub enum Named {
    Nothing,
    One(EpisodeId),
    Several(Vec<EpisodeId>),
}

/// Other episodes that are told of where the beginning of an id fits several.
const SEVERAL_MAX: usize = 50;

/// Finds an episode by id, by a unique beginning of one (8 or more), or by `system:caseId`.
pub fn find_episode(store: &Store, wanted: &str) -> Result<Named, StoreFault> {
    let hex = wanted.len() >= 8 && wanted.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    let mut ids = if hex {
        store.episodes_beginning(&wanted.to_lowercase(), SEVERAL_MAX)?
    } else if let Some((system, case)) = wanted.split_once(':') {
        let id = store.reference_key().episode(&Personal::new(system.to_owned()), &Personal::new(case.to_owned()));
        store.episode(id)?.map(|_| id).into_iter().collect()
    } else {
        Vec::new()
    };
    Ok(match ids.len() {
        0 => Named::Nothing,
        1 => Named::One(ids.remove(0)),
        _ => Named::Several(ids),
    })
}

/// An episode at a moment; `None` where there is none of that id.
pub fn see(store: &Store, sets: &Sets, id: EpisodeId, now: Timestamp) -> Result<Option<Seen>, Fault> {
    let Some(row) = store.episode(id)? else { return Ok(None) };
    let rules = sets.get(&row.rules).ok_or_else(|| Fault::with(Code::CfgRules, format!("{}: an episode runs under it", row.rules)))?;
    let (facts, alarms) = intake::facts(store, id, &row, local_day(now))?;
    let state = fold(&facts, &rules.regime, now);
    Ok(Some(Seen { id, changed_at: row.changed_at, rules: Arc::clone(rules), facts, alarms, state }))
}

/// Every episode, the last changed first, one at a time: a store may hold many.
pub fn see_all<'a>(store: &'a Store, sets: &'a Sets, now: Timestamp) -> Result<impl Iterator<Item = Result<Seen, Fault>> + 'a, Fault> {
    let ids = store.episode_ids()?;
    Ok(ids.into_iter().filter_map(move |id| see(store, sets, id, now).transpose()))
}

/// A stay that began soon after a discharge in another episode of the same patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Readmission {
    /// Which stay, from 0.
    pub stay: usize,
    pub after: EpisodeId,
    pub discharged_at: Timestamp,
}

/// Readmissions across episodes.
pub fn readmissions(store: &Store, sets: &Sets, seen: &Seen, now: Timestamp) -> Result<Vec<Readmission>, Fault> {
    let mut out = Vec::new();
    for other in store.episodes_of_same_patient(seen.id)? {
        let Some(other) = see(store, sets, other, now)? else { continue };
        for (stay, known) in seen.state.stays().enumerate() {
            let Some(admitted_at) = known.admitted_at else { continue };
            let last = other.state.stays().filter_map(|stay| stay.discharged_at).filter(|at| *at <= admitted_at).max();
            let near = last.filter(|at| is_near(*at, admitted_at, seen));
            out.extend(near.map(|discharged_at| Readmission { stay, after: other.id, discharged_at }));
        }
    }
    out.sort_unstable_by_key(|found| (found.stay, found.discharged_at, found.after));
    Ok(out)
}

fn is_near(discharged_at: Timestamp, admitted_at: Timestamp, seen: &Seen) -> bool {
    let days = days_between(local_day(discharged_at), local_day(admitted_at));
    days <= i32::try_from(seen.rules.regime.parameters.readmission_days).unwrap_or(i32::MAX)
}

/// The first eight characters of an id: enough to tell cases apart on a screen.
pub(super) fn short(id: EpisodeId) -> String {
    id.to_string().chars().take(8).collect()
}

pub(super) use crate::wire::readable::minute;

/// The text of a code in one language.
pub(super) fn pick((sv, en): (&'static str, &'static str), swedish: bool) -> &'static str {
    if swedish { sv } else { en }
}

/// What a stay has that makes it worth a word beyond its phase.
pub(super) fn specialty(stay: &Stay, swedish: bool) -> Option<&'static str> {
    stay.specialty.map(|specialty| pick(specialty.texts(), swedish))
}
