//! Intake without a store: what would become of these records, in this order. `vardbro check` runs on it.

use super::case::Case;
use super::judge::{self, Arrival, Desk};
use crate::episode::Links;
use crate::model::catalogue::EventType;
use crate::model::finding::Finding;
use crate::model::ids::EpisodeId;
use crate::model::keyed::{Ref, ReferenceKey};
use crate::model::name::Name;
use crate::model::personal::Personal;
use crate::model::raw::Mapped;
use crate::model::state::State;
use crate::seal::Validator;
use crate::store::{ChangeTo, Entry, Past};
use jiff::Timestamp;
use std::collections::HashMap;

/// What would become of one record.
#[derive(Debug, Clone)]
pub struct Tried {
    pub kind: EventType,
    pub findings: Vec<Finding>,
    /// States in which its deliveries would begin.
    pub states: Vec<State>,
}

/// Episodes in memory, beginning empty.
pub struct Trial {
    desk: Desk,
    validator: Box<dyn Validator>,
    key: ReferenceKey,
    cases: HashMap<EpisodeId, Case>,
    versions: HashMap<Ref, Vec<[u8; 32]>>,
    /// What became of each event's messages. In a trial what may leave counts as received at once.
    past: HashMap<Ref, Vec<Past>>,
}

impl std::fmt::Debug for Trial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trial").field("cases", &self.cases.len()).finish_non_exhaustive()
    }
}

impl Trial {
    pub fn new(desk: Desk, validator: Box<dyn Validator>) -> Self {
        // Nothing of a trial is kept, so its references need no secret.
        Self { desk, validator, key: ReferenceKey::new(&[0; 32]), cases: HashMap::new(), versions: HashMap::new(), past: HashMap::new() }
    }

    /// Begins anew, as if nothing had come.
    pub fn forget(&mut self) {
        self.cases.clear();
        self.versions.clear();
        self.past.clear();
    }

    pub fn event(&mut self, mapped: Mapped, now: Timestamp) -> Tried {
        let head = &mapped.event.head;
        let kind = head.kind;
        let links = Links::of(&mapped.event, &self.key);
        let (key, episode) = (links.event.clone(), links.episode);
        let versions = self.versions.entry(key.clone()).or_default();
        if versions.contains(&mapped.hash) {
            let findings = vec![self.desk.rules.finding("DUP-1", &[])];
            return Tried { kind, findings, states: Vec::new() };
        }
        versions.push(mapped.hash);
        let version = u32::try_from(versions.len()).unwrap_or(u32::MAX);
        let mut case = self.cases.remove(&episode).unwrap_or_else(|| Case::new(episode, &self.desk.rules));
        let past = |key: &Ref| self.past.get(key).cloned().unwrap_or_default();
        let mut earlier = past(&key);
        earlier.extend(links.corrects.iter().flat_map(past));
        let voided = judge::target(&mapped.event, &links, version, &case.facts).map(|target| past(&target)).unwrap_or_default();
        let (origin, mapping) = (Personal::new(String::new()), String::new());
        let arrival = Arrival { version, links, mapped, earlier, voided, purged: false, source: Name::unnamed(), origin, mapping, at: now };
        let judged = self.desk.judge(arrival, &mut case, self.validator.as_mut());
        self.cases.insert(episode, case);
        match judged {
            Ok(entry) => {
                self.remember(key, &entry);
                let mut findings = entry.event.map(|event| event.findings).unwrap_or_default();
                findings.extend(entry.deliveries.iter().flat_map(|delivery| delivery.findings.clone()));
                findings.dedup();
                Tried { kind, findings, states: entry.deliveries.iter().map(|delivery| delivery.state).collect() }
            }
            Err(findings) => Tried { kind, findings, states: Vec::new() },
        }
    }

    fn remember(&mut self, key: Ref, entry: &Entry) {
        let past = entry.deliveries.iter().map(|delivery| Past {
            message: delivery.message,
            destination: delivery.destination.clone(),
            state: delivery.state,
            tried: delivery.state.in_lane(),
            in_doubt: false,
        });
        self.past.entry(key).or_default().extend(past);
        for change in &entry.changes {
            let state = match &change.to {
                ChangeTo::Release { shadow: false, .. } | ChangeTo::Resend { .. } => State::Scheduled,
                ChangeTo::Release { .. } | ChangeTo::Resolve { .. } => State::Resolved,
                ChangeTo::End { state, .. } => *state,
                ChangeTo::Withdraw(_) => State::Withdrawn,
                ChangeTo::Hold(_) => State::Held,
                ChangeTo::StillWithheld(_) => continue,
            };
            let same = |past: &&mut Past| past.message == change.message && past.destination == change.destination;
            for past in self.past.values_mut().flatten().filter(same) {
                past.state = state;
                past.tried = state.in_lane();
            }
        }
    }
}
