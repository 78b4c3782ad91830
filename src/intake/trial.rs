//! Intake without a store: what would become of these records, in this order. `vardbro check` runs on it.

use super::case::Case;
use super::judge::{Arrival, Desk};
use crate::map;
use crate::model::catalogue::EventType;
use crate::model::finding::Finding;
use crate::model::ids::EpisodeId;
use crate::model::keyed::{Domain, Ref, ReferenceKey};
use crate::model::name::Name;
use crate::model::personal::Personal;
use crate::model::state::State;
use crate::model::time::local_day;
use crate::seal::Validator;
use jiff::Timestamp;
use std::collections::HashMap;

/// What would become of one record.
#[derive(Debug, Clone)]
pub struct Tried {
    /// None where the record is no event.
    pub kind: Option<EventType>,
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
}

impl std::fmt::Debug for Trial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trial").field("cases", &self.cases.len()).finish_non_exhaustive()
    }
}

impl Trial {
    pub fn new(desk: Desk, validator: Box<dyn Validator>) -> Self {
        // Nothing of a trial is kept, so its references need no secret.
        Self { desk, validator, key: ReferenceKey::new(&[0; 32]), cases: HashMap::new(), versions: HashMap::new() }
    }

    pub fn event(&mut self, bytes: &[u8], now: Timestamp) -> Tried {
        let mapped = match map::read(bytes, self.desk.depth, local_day(now)) {
            Ok(mapped) => mapped,
            Err(findings) => return Tried { kind: None, findings, states: Vec::new() },
        };
        let head = &mapped.event.head;
        let kind = Some(head.kind);
        let key = self.key.reference(Domain::Event, &[&head.system.0, &head.event_id.0]);
        let episode = self.key.episode(&head.system.0, &head.episode_ref.case_id.0);
        let versions = self.versions.entry(key.clone()).or_default();
        if versions.contains(&mapped.hash) {
            let findings = vec![self.desk.rules.finding("DUP-1", &[])];
            return Tried { kind, findings, states: Vec::new() };
        }
        versions.push(mapped.hash);
        let version = u32::try_from(versions.len()).unwrap_or(u32::MAX);
        let mut case = self.cases.remove(&episode).unwrap_or_else(|| Case::new(episode, &self.desk.rules));
        let arrival = Arrival {
            version,
            patient: self.key.reference(Domain::Patient, &[mapped.event.patient.id.number()]),
            key,
            mapped,
            earlier: Vec::new(),
            source: Name::unnamed(),
            origin: Personal::new(String::new()),
            at: now,
        };
        let judged = self.desk.judge(arrival, &mut case, self.validator.as_mut());
        self.cases.insert(episode, case);
        match judged {
            Ok(entry) => {
                let mut findings = entry.event.map(|event| event.findings).unwrap_or_default();
                findings.extend(entry.deliveries.iter().flat_map(|delivery| delivery.findings.clone()));
                findings.dedup();
                Tried { kind, findings, states: entry.deliveries.iter().map(|delivery| delivery.state).collect() }
            }
            Err(findings) => Tried { kind, findings, states: Vec::new() },
        }
    }
}
