//! Intake: a record becomes an event, its episode moves on, its messages are checked, written and sealed, and all of it
//! commits as one before anybody hears of it.
//!
//! The work is done outside the database; what was computed from an episode that has changed meanwhile is computed anew.

mod case;
mod fates;
mod judge;
mod lines;
mod outgoing;
mod parked;
mod requests;
mod routing;
mod trial;

pub use case::facts;
pub use judge::Desk;
pub use parked::{Known, against_resolve};
pub use requests::{Action, Outcome};
pub use routing::{Route, Routing, Shadow};
pub use trial::{Trial, Tried};

use crate::episode::Links;
use crate::fault::Code;
use crate::metrics::Metrics;
use crate::model::finding::{Effect, Finding, Layer};
use crate::model::ids::EpisodeId;
use crate::model::keyed::{Domain, Ref};
use crate::model::raw::{Incoming, Verdict};
use crate::model::time::{Clock, local_day};
use crate::oplog::{Event, Level, Line};
use crate::seal::Validator;
use crate::store::{Committed, Entry, Rejected, Store, StoreFault};
use case::Case;
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Episodes that are looked at in one transaction.
const WAKE_MAX: usize = 256;
/// How often a batch is computed anew without any success before its records are handed back.
const IDLE_ROUNDS_MAX: usize = 8;

/// Takes records in. One per process and store; it belongs to a thread of its own.
pub struct Intake {
    pub desk: Desk,
    pub store: Store,
    pub validator: Box<dyn Validator>,
    pub clock: Arc<dyn Clock>,
    /// Where its work is counted.
    pub metrics: Arc<Metrics>,
    /// Episodes that could not be read since the start.
    damaged: HashSet<EpisodeId>,
}

impl std::fmt::Debug for Intake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Intake").finish_non_exhaustive()
    }
}

/// Episodes as a round works on them; none where the next event must wait for what is committed.
type Cases = HashMap<EpisodeId, Option<Case>>;

/// What is known of a record before anything is committed.
enum Draft {
    /// Settled without a transaction of its own.
    Settled(Verdict),
    /// To be committed; then this is the verdict.
    Entry(Box<Entry>, Verdict),
}

impl Intake {
    pub fn new(desk: Desk, store: Store, validator: Box<dyn Validator>, clock: Arc<dyn Clock>) -> Self {
        Self { desk, store, validator, clock, metrics: Arc::default(), damaged: HashSet::new() }
    }

    /// Takes a batch in, in its order. The verdicts are durable when this returns.
    pub fn batch(&mut self, records: &[Incoming]) -> Result<Vec<Verdict>, StoreFault> {
        let mut verdicts: Vec<Option<Verdict>> = vec![None; records.len()];
        let mut idle = 0;
        while idle < IDLE_ROUNDS_MAX {
            let open: Vec<usize> = (0..records.len()).filter(|place| verdicts[*place].is_none()).collect();
            if open.is_empty() {
                break;
            }
            self.round(records, &open, &mut verdicts)?;
            let settled = open.iter().any(|place| verdicts[*place].is_some());
            idle = if settled { 0 } else { idle + 1 };
        }
        // Something else moved these episodes all the while: the source hands the records in again.
        verdicts.into_iter().collect::<Option<Vec<_>>>().ok_or(StoreFault::Stopped)
    }

    /// One transaction over what is open, up to a record of an event that stands in it already.
    fn round(&mut self, records: &[Incoming], open: &[usize], verdicts: &mut [Option<Verdict>]) -> Result<(), StoreFault> {
        let mut cases: Cases = HashMap::new();
        let mut keys: HashSet<Ref> = HashSet::new();
        let mut entries = Vec::new();
        let mut waiting = Vec::new();
        for &place in open {
            let Some(draft) = self.draft(&records[place], &mut cases, &mut keys)? else { break };
            match draft {
                Draft::Settled(verdict) => verdicts[place] = Some(verdict),
                Draft::Entry(entry, verdict) => {
                    entries.push(*entry);
                    waiting.push((place, verdict));
                }
            }
        }
        if entries.is_empty() {
            return Ok(());
        }
        for ((place, verdict), committed) in waiting.into_iter().zip(self.store.commit(entries)?) {
            if let Committed::Done(lines) = committed {
                self.metrics.tell(&lines);
                verdicts[place] = Some(verdict);
            }
        }
        Ok(())
    }

    /// None: something that stands earlier in this batch must be committed first: the same event, the one that it corrects or
    /// voids, or one that takes messages out of its episode's lanes.
    fn draft(&mut self, record: &Incoming, cases: &mut Cases, keys: &mut HashSet<Ref>) -> Result<Option<Draft>, StoreFault> {
        let now = self.clock.now();
        let mapped = match &record.read {
            Ok(mapped) => mapped.clone(),
            Err(findings) if record.may_grow && breaks_off(findings) => return Ok(Some(Draft::Settled(Verdict::Later))),
            Err(findings) => return Ok(Some(self.rejected(record, findings.clone(), None, now))),
        };
        let links = Links::of(&mapped.event, self.store.reference_key());
        let key = links.event.clone();
        if !keys.insert(key.clone()) || links.corrects.as_ref().is_some_and(|corrected| keys.contains(corrected)) {
            return Ok(None);
        }
        let versions = self.store.versions(&key)?;
        if versions.iter().any(|(_, hash)| *hash == mapped.hash) {
            let mut line = Line::new(now, Level::Info, Event::EventDuplicate);
            line.code = Some("DUP-1");
            line.event_ref = Some(key);
            let entry = lines_only(now, line);
            return Ok(Some(Draft::Entry(Box::new(entry), Verdict::Duplicate)));
        }
        let episode = links.episode;
        if !versions.is_empty() && self.store.episode_of_event(&key)?.is_some_and(|known| known != episode) {
            let finding = Code::ChkOtherCase.finding(Effect::Refuse, Layer::Rules, None);
            let finding = crate::fault::at(finding, Some("episodeRef.caseId".to_owned()), None);
            return Ok(Some(self.rejected(record, vec![finding], Some(key), now)));
        }
        let mut case = match cases.remove(&episode) {
            Some(Some(case)) => case,
            Some(None) => return Ok(None),
            None => match self.load(episode, now)? {
                Some(case) => case,
                None => return Ok(Some(Draft::Settled(Verdict::Later))),
            },
        };
        let version = versions.iter().map(|(version, _)| *version).max().unwrap_or(0) + 1;
        let target = judge::target(&mapped.event, &links, version, &case.facts);
        if target.as_ref().is_some_and(|target| keys.contains(target)) {
            cases.insert(episode, Some(case));
            return Ok(None);
        }
        let purged = !versions.is_empty() && self.store.is_purged(&key)?;
        let mut earlier = if versions.is_empty() { Vec::new() } else { self.store.past_of(&key)? };
        if let Some(corrected) = &links.corrects {
            earlier.extend(self.store.past_of(corrected)?);
        }
        let voided = target.map_or_else(|| Ok(Vec::new()), |target| self.store.past_of(&target))?;
        let (source, origin, mapping) = (record.source.clone(), record.origin.clone(), record.mapping.clone());
        let arrival = judge::Arrival { version, links, mapped, earlier, voided, purged, source, origin, mapping, at: now };
        case.purged &= case.from == 0;
        let judged = self.desk.judge(arrival, &mut case, self.validator.as_mut());
        // Refused or not, the case holds what the batch's earlier records made of it.
        // What the store takes out of the lanes by itself the case does not know of; it is read anew once that is committed.
        let known = judged.as_ref().is_err() || judged.as_ref().is_ok_and(|entry| entry.hold.is_none());
        cases.insert(episode, known.then_some(case));
        let draft = match judged {
            Ok(entry) => Draft::Entry(Box::new(entry), Verdict::Accepted),
            Err(findings) => self.rejected(record, findings, Some(key), now),
        };
        Ok(Some(draft))
    }

    /// None where the store's copy is damaged: told once, and nobody else waits for it.
    fn load(&mut self, episode: EpisodeId, now: Timestamp) -> Result<Option<Case>, StoreFault> {
        match Case::load(&self.store, episode, self.desk.rules.as_ref(), local_day(now)) {
            Err(StoreFault::Damaged { .. }) => {
                if self.damaged.insert(episode) {
                    let mut line = Line::new(now, Level::Error, Event::StoreFault).code(Code::BugStore);
                    line.episode_id = Some(episode);
                    line.emit();
                }
                Ok(None)
            }
            case => case.map(Some),
        }
    }

    fn rejected(&self, record: &Incoming, findings: Vec<Finding>, key: Option<Ref>, now: Timestamp) -> Draft {
        let mut line = Line::new(now, Level::Warn, Event::EventRejected);
        line.code = findings.first().and_then(|finding| Code::parse(&finding.code)).map(Code::id);
        let reference = key.unwrap_or_else(|| self.store.reference_key().reference(Domain::File, &[&record.origin]));
        line.event_ref = Some(reference.clone());
        let head = record.read.as_ref().ok().map(|mapped| &mapped.event.head);
        let rejected = Rejected {
            source: record.source.clone(),
            reference,
            findings: findings.clone(),
            case: head.map(|head| head.episode_ref.case_id.0.clone()),
            kind: head.map(|head| head.kind),
            occurred_at: head.map(|head| head.occurred_at),
        };
        let entry = Entry { rejected: Some(rejected), ..lines_only(now, line) };
        Draft::Entry(Box::new(entry), Verdict::Rejected(findings))
    }

    /// Looks again at the episodes whose time has come. Returns when to come back.
    pub fn wake(&mut self) -> Result<Option<Timestamp>, StoreFault> {
        let now = self.clock.now();
        let (mut episodes, next) = self.store.due_episodes(now, WAKE_MAX + self.damaged.len())?;
        episodes.retain(|episode| !self.damaged.contains(episode));
        let mut entries = Vec::new();
        for episode in episodes {
            let Some(mut case) = self.load(episode, now)? else { continue };
            let look = || self.desk.look_again(&mut case, self.validator.as_mut(), now);
            // An episode that makes the program panic does not keep the others from being looked at.
            match catch_unwind(AssertUnwindSafe(look)) {
                Ok(entry) => entries.push(entry),
                Err(_) => drop(self.damaged.insert(episode)),
            }
        }
        if entries.is_empty() {
            return Ok(next);
        }
        for committed in self.store.commit(entries)? {
            // What conflicted is met again at the next call.
            if let Committed::Done(lines) = committed {
                self.metrics.tell(&lines);
            }
        }
        Ok(Some(next.map_or(now, |next| next.min(now))))
    }
}

fn lines_only(at: Timestamp, line: Line) -> Entry {
    Entry {
        at,
        event: None,
        episode: None,
        deliveries: Vec::new(),
        changes: Vec::new(),
        lines: vec![line],
        alarms: Vec::new(),
        rejected: None,
        hold: None,
        answers: None,
    }
}

/// The record may be whole once its writer is done.
fn breaks_off(findings: &[Finding]) -> bool {
    let codes = [Code::MapTruncated.id(), Code::SrcEmpty.id()];
    findings.iter().any(|finding| codes.contains(&finding.code.as_str()))
}
