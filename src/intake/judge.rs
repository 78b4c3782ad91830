//! One event against its episode: what it changes, what leaves, what stays and why. No store, no clock.

use super::case::{Case, Waiting};
use super::lines;
use super::outgoing::{self, Address, question, refusal};
use super::routing::Routing;
use crate::check::rules::Rules;
use crate::check::{self, Passed};
use crate::episode::{self, Links, fold};
use crate::fault::{Code, at};
use crate::model::bodies::{ItemCode, Urgency};
use crate::model::calendar::hours;
use crate::model::catalogue::{Body, EventType, Origin};
use crate::model::episode::{CORRECTED, Deviation, EpisodeState, Fact, Phase, VOID};
use crate::model::event::{CareEvent, Protection};
use crate::model::finding::{Effect, Finding, Layer};
use crate::model::ids::{EnvelopeId, MessageId};
use crate::model::keyed::Ref;
use crate::model::message::Standing;
use crate::model::name::Name;
use crate::model::personal::Personal;
use crate::model::raw::Mapped;
use crate::model::state::State;
use crate::model::testpersons::TestPersons;
use crate::oplog::{Event, Level, Line, Reason};
use crate::seal::{self, Checked, Validator};
use crate::store::{Change, ChangeTo, Entry, NewDelivery, NewEvent, Past, Release};
use crate::wire::{self, Sender};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What stays the same from event to event.
#[derive(Debug, Clone)]
pub struct Desk {
    /// For new episodes.
    pub rules: Arc<Rules>,
    /// Every set that an episode may have begun with.
    pub sets: BTreeMap<String, Arc<Rules>>,
    pub routing: Routing,
    pub sender: Sender,
    pub production: bool,
    /// Who exists for tests only, where such a list is given: these never in production, all others never in a test.
    pub persons: Option<Arc<TestPersons>>,
}

/// A well-formed event with everything that is known of it beforehand.
pub(super) struct Arrival {
    pub(super) version: u32,
    pub(super) links: Links,
    pub(super) mapped: Mapped,
    /// Deliveries of its earlier versions, and of the event that it corrects.
    pub(super) earlier: Vec<Past>,
    /// Deliveries of what it voids.
    pub(super) voided: Vec<Past>,
    /// An earlier version of it has been purged, with all that came of it.
    pub(super) purged: bool,
    pub(super) source: Name,
    pub(super) origin: Personal<String>,
    pub(super) mapping: String,
    pub(super) at: Timestamp,
}

/// An episode under the rules that it began with, and what comes of looking at it.
pub(super) struct Judgement<'a> {
    pub(super) desk: &'a Desk,
    pub(super) rules: Arc<Rules>,
    pub(super) state: EpisodeState,
    pub(super) case: &'a mut Case,
    pub(super) validator: &'a mut dyn Validator,
    pub(super) at: Timestamp,
    pub(super) deliveries: Vec<NewDelivery>,
    pub(super) changes: Vec<Change>,
    pub(super) lines: Vec<Line>,
    pub(super) findings: Vec<Finding>,
    hold: Option<Vec<Finding>>,
}

impl Desk {
    /// Judges an event. An error leaves the case as it was: the event is refused whole.
    pub(super) fn judge(&self, arrival: Arrival, case: &mut Case, validator: &mut dyn Validator) -> Result<Entry, Vec<Finding>> {
        let rules = self.rules_of(case);
        let event = &arrival.mapped.event;
        self.refuse_stranger(event)?;
        let own = episode::fact(event, &arrival.links, arrival.version, &[]);
        refuse_misused(&own, case)?;
        refuse_cancels(event)?;
        refuse_unknown_items(event, &rules)?;
        let before = fold(&case.facts, &rules.regime, case.looked_at);
        let was_over = case.facts.is_empty() || fold(&case.facts, &rules.regime, arrival.at).phase.is_over();
        let mut facts = case.facts.clone();
        episode::add(&mut facts, own.clone());
        let state = fold(&facts, &rules.regime, arrival.at);
        let addressed = if event.head.kind.is_sent() { Some(self.address(event, &state, referred(&own, &facts))?) } else { None };
        if let (Some((recipients, _)), Some(fact)) = (&addressed, facts.iter_mut().find(|fact| fact.event == own.event)) {
            fact.to = recipients.iter().map(|recipient| (recipient.hsa_id.as_str().to_owned(), recipient.party)).collect();
        }
        // What was told long ago is not told anew unless a person says so.
        let late = arrival.purged || (was_over && !case.facts.is_empty() && state.phase.is_over());
        case.facts = facts;
        let mut judgement = Judgement::new(self, rules, state, case, validator, arrival.at);
        judgement.arrive(&arrival, &before, addressed, late);
        Ok(judgement.entry(arrival))
    }

    /// Test data stay out of production, and real data out of tests, whoever sends them.
    fn refuse_stranger(&self, event: &CareEvent) -> Result<(), Vec<Finding>> {
        let Some(persons) = &self.persons else { return Ok(()) };
        let code = match (self.production, persons.has(&event.patient.id)) {
            (true, true) => Code::ChkTestPerson,
            (false, false) => Code::ChkRealPerson,
            _ => return Ok(()),
        };
        let finding = code.finding(Effect::Refuse, Layer::Rules, None);
        Err(vec![at(finding, Some("patient.id".to_owned()), None)])
    }

    /// Looks again at what is withheld, without a new event: time alone may have changed something.
    pub(super) fn look_again(&self, case: &mut Case, validator: &mut dyn Validator, at: Timestamp) -> Entry {
        let rules = self.rules_of(case);
        let before = fold(&case.facts, &rules.regime, case.looked_at);
        self.look(case, rules, &before, validator, at)
    }

    fn look(&self, case: &mut Case, rules: Arc<Rules>, before: &EpisodeState, validator: &mut dyn Validator, at: Timestamp) -> Entry {
        let state = fold(&case.facts, &rules.regime, at);
        let mut judgement = Judgement::new(self, rules, state, case, validator, at);
        judgement.reconsider();
        judgement.deviations(before, None);
        judgement.write(None, None)
    }

    /// Lets a held message go, as a person has decided; whatever else the rules have against it still holds.
    pub(super) fn release(
        &self,
        case: &mut Case,
        (message, destination): (MessageId, &Name),
        validator: &mut dyn Validator,
        at: Timestamp,
    ) -> Result<Entry, Vec<Finding>> {
        let rules = self.rules_of(case);
        let state = fold(&case.facts, &rules.regime, at);
        let found =
            case.waiting.iter().position(|waiting| waiting.held && waiting.message == message && waiting.destination == *destination);
        let waiting = found.map(|place| case.waiting.remove(place)).ok_or_else(|| refusal(Code::OpsNotHeld))?;
        let mut judgement = Judgement::new(self, rules, state, case, validator, at);
        // A person has decided on what was shown; what has come up since then wants another look.
        let shown: Vec<&str> = waiting.findings.iter().map(|finding| finding.code.as_str()).collect();
        let unseen = judgement.reasons(&waiting).iter().any(|finding| !shown.contains(&finding.code.as_str()));
        let ended = judgement.notice_ended(&waiting);
        if unseen || ended.is_some() {
            case.waiting.push(waiting);
            return Err(ended.map_or_else(|| refusal(Code::OpsStale), |(_, findings)| findings));
        }
        match judgement.again(&waiting, true) {
            Ok(release) => {
                judgement.released(waiting, release);
                Ok(judgement.write(None, None))
            }
            Err((_, findings)) => {
                case.waiting.push(waiting);
                Err(findings)
            }
        }
    }

    /// The episode goes on under another set; what is withheld is looked at again.
    pub(super) fn move_to(&self, case: &mut Case, rules: &Rules, validator: &mut dyn Validator, at: Timestamp) -> Entry {
        let before = fold(&case.facts, &self.rules_of(case).regime, case.looked_at);
        case.rules.clone_from(&rules.name);
        let rules = self.rules_of(case);
        let mut entry = self.look(case, rules, &before, validator, at);
        entry.lines.insert(0, lines::of_episode(at, Level::Info, Event::RulesMoved, case.id, None));
        entry
    }

    /// An episode keeps the version that it began with.
    pub(super) fn rules_of(&self, case: &Case) -> Arc<Rules> {
        Arc::clone(self.sets.get(&case.rules).unwrap_or(&self.rules))
    }
}

impl<'a> Judgement<'a> {
    pub(super) fn new(
        desk: &'a Desk,
        rules: Arc<Rules>,
        state: EpisodeState,
        case: &'a mut Case,
        validator: &'a mut dyn Validator,
        at: Timestamp,
    ) -> Self {
        let (deliveries, changes, lines, findings) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { desk, rules, state, case, validator, at, deliveries, changes, lines, findings, hold: None }
    }

    /// Everything that follows from an event, in the order in which it is told.
    fn arrive(&mut self, arrival: &Arrival, before: &EpisodeState, addressed: Option<Address>, late: bool) {
        let event = &arrival.mapped.event;
        let mut line = lines::of_episode(self.at, Level::Info, Event::EventAccepted, self.case.id, Some(&arrival.links.event));
        line.patient_ref = Some(arrival.links.patient.clone());
        self.lines.push(line);
        let mut missing = episode::missing_in_notice(event);
        // Nobody asks for the address of a protected person.
        missing.retain(|path| *path != "patient.address" || self.state.protected == Protection::None);
        self.remark(event, &missing);
        self.supersede(arrival);
        if let Some(address) = addressed {
            let standing = self.standing(arrival, late);
            self.send(arrival, event, address, standing);
        }
        self.ask(arrival, &missing);
        self.reconsider();
        self.hold_unsent(before);
        self.conflicts(before, arrival);
        self.deviations(before, Some(&arrival.links.event));
    }

    fn standing(&self, arrival: &Arrival, late: bool) -> Standing {
        let key = arrival.links.event.as_str();
        Standing { discounted: self.state.ignored.get(key).copied(), lacks_target: self.state.waiting.contains(key), late }
    }

    /// What the source shall hear, without anything being stopped for it.
    fn remark(&mut self, event: &CareEvent, missing: &[&'static str]) {
        let warn = |code: Code, path: &str| at(code.finding(Effect::Warn, Layer::Rules, None), Some(path.to_owned()), None);
        if event.head.kind.row().origin == Origin::Region && event.head.sent_at.is_none() {
            self.findings.push(warn(Code::ChkNoSentAt, "sentAt"));
        }
        let request_by = event.head.occurred_at + hours(self.rules.regime.parameters.request_sent_h);
        if event.head.kind == EventType::KVb && self.at > request_by {
            self.findings.push(warn(Code::ChkRequestLate, "occurredAt"));
        }
        if matches!(&event.body, Body::KOb(request) if request.urgency == Urgency::Acute) {
            self.findings.push(warn(Code::ChkAcute, "data.urgency"));
        }
        if self.case.purged {
            self.findings.push(warn(Code::RetHistory, "episodeRef.caseId"));
        }
        self.findings.extend(check::remarks(&self.rules, event, &self.state, missing));
    }

    /// A newer version or a correction makes older ones moot that have not left; a newer K-HT any withheld or held one.
    fn supersede(&mut self, arrival: &Arrival) {
        let event = &arrival.mapped.event;
        let unsent = |past: &&Past| matches!(past.state, State::Withheld | State::Held | State::Scheduled);
        let mut moot: Vec<(MessageId, Name)> =
            arrival.earlier.iter().filter(unsent).map(|past| (past.message, past.destination.clone())).collect();
        let counts = !self.state.ignored.contains_key(arrival.links.event.as_str());
        if event.head.kind == EventType::KHt && counts {
            let older = |waiting: &&Waiting| waiting.kind == EventType::KHt && waiting.event.head.occurred_at <= event.head.occurred_at;
            let kept_back = self.case.waiting.iter().filter(older);
            moot.extend(kept_back.map(|waiting| (waiting.message, waiting.destination.clone())));
        }
        moot.sort_unstable();
        moot.dedup();
        for (message, destination) in moot {
            self.case.waiting.retain(|waiting| (waiting.message, &waiting.destination) != (message, &destination));
            let line = lines::of_fate(self.at, self.case.id, &arrival.links.event, message, &destination, State::Superseded);
            let to = ChangeTo::End { state: State::Superseded, findings: Vec::new() };
            self.changes.push(Change { message, destination, to, line: Some(line) });
        }
    }

    /// Rule IN-1 asks the region for what its admission notice lacks, where the rules say so.
    fn ask(&mut self, arrival: &Arrival, missing: &[&'static str]) {
        let regime = &self.rules.regime;
        let counts = !self.state.ignored.contains_key(arrival.links.event.as_str());
        if missing.is_empty() || !counts || !regime.has("IN-1") || !regime.parameters.ask_incomplete {
            return;
        }
        let sender = self.state.units.get(&crate::model::bodies::Party::Sv);
        let event = question(&arrival.mapped.event, missing, sender);
        // Without anybody to ask, the remark to the source is all there is.
        if let Ok(address) = self.desk.address(&event, &self.state, None) {
            self.send(arrival, &event, address, Standing::default());
        }
    }

    /// Once it is known that the person is protected, or that the case may be about two, what has not left waits too.
    fn hold_unsent(&mut self, before: &EpisodeState) {
        let learnt = [
            ("PER-1", self.state.protected != Protection::None && before.protected == Protection::None),
            ("PER-2", self.state.two_persons && !before.two_persons),
        ];
        let rules = learnt.into_iter().filter(|(rule, learnt)| *learnt && self.rules.regime.has(rule));
        let findings: Vec<Finding> = rules.map(|(rule, _)| self.rules.finding(rule, &[])).collect();
        self.hold = (!findings.is_empty()).then_some(findings);
    }

    /// Messages that have left and, by what is known now, should not have.
    fn conflicts(&mut self, before: &EpisodeState, arrival: &Arrival) {
        let own = arrival.links.event.as_str();
        let kept_back = |event: &str| self.case.waiting.iter().any(|waiting| waiting.event_ref.as_str() == event);
        let fallen = self.state.ignored.iter().filter(|(event, why)| {
            let known = before.ignored.contains_key(*event) || !self.case.facts.iter().any(|fact| fact.event == **event);
            event.as_str() != own && !known && !kept_back(event) && **why != VOID && **why != CORRECTED
        });
        let fallen = fallen.count();
        let unsaid = before.phase == Phase::TakeHomeConfirmed && self.state.phase == Phase::Ready;
        let waits = self.case.waiting.iter().any(|waiting| waiting.kind == EventType::KHt);
        for _ in 0..fallen + usize::from(unsaid && !waits) {
            let mut line = lines::of_episode(self.at, Level::Warn, Event::EpisodeDeviation, self.case.id, Some(&arrival.links.event));
            line.code = Some(Code::ChkConflict.id());
            self.lines.push(line);
            self.findings.push(Code::ChkConflict.finding(Effect::Deviation, Layer::Rules, None));
        }
    }

    /// What did not go as it should have, told once.
    fn deviations(&mut self, before: &EpisodeState, key: Option<&Ref>) {
        let of = |state: &EpisodeState| -> Vec<(String, Deviation)> {
            state.stays().flat_map(|stay| stay.deviations.iter().map(|deviation| (stay.of.clone(), deviation.clone()))).collect()
        };
        let known = of(before);
        for (_, deviation) in of(&self.state).into_iter().filter(|one| !known.contains(one)) {
            let mut line = lines::of_episode(self.at, Level::Warn, Event::EpisodeDeviation, self.case.id, key);
            line.code = Some(deviation.rule);
            line.reason = deviation.item.as_ref().and_then(|item| item.as_str().strip_prefix("CL")?.parse().ok()).map(Reason::Item);
            self.lines.push(line);
            self.findings.push(told(&deviation, &self.rules));
        }
    }

    /// Writes and seals the document, with the lane's next number.
    pub(super) fn document(&mut self, passed: &Passed, destination: &Name) -> Result<Release, Vec<Finding>> {
        let sequence = self.case.next_sequence(destination);
        let subject = outgoing::subject(passed.message());
        let release = wire::Release {
            created_at: self.at,
            sequence,
            production: self.desk.production,
            sender: self.desk.sender.clone(),
            rules: passed.rules().to_owned(),
            rules_hash: passed.rules_hash().to_owned(),
        };
        let document = wire::write(passed, &release);
        // Any envelope will do for the schema; each transmission has its own.
        let checked: Checked = seal::seal(self.validator, document, EnvelopeId(passed.message().id.0), self.at)?;
        Ok(Release { sequence, checked, subject })
    }

    fn entry(mut self, arrival: Arrival) -> Entry {
        let event = &arrival.mapped.event;
        let event = NewEvent {
            key: arrival.links.event.clone(),
            version: arrival.version,
            hash: arrival.mapped.hash,
            kind: event.head.kind,
            episode: self.case.id,
            source: arrival.source,
            origin: arrival.origin,
            mapping: arrival.mapping,
            body: outgoing::body(event),
            findings: std::mem::take(&mut self.findings),
            occurred_at: event.head.occurred_at,
            received_at: self.at,
        };
        self.write(Some(event), Some(arrival.links.patient))
    }

    /// The entry, with the alarms as they stand at this moment.
    pub(super) fn write(mut self, event: Option<NewEvent>, patient: Option<Ref>) -> Entry {
        let (told, remind_at) = episode::ring(&mut self.case.alarms, &self.state, &self.rules.regime, self.at);
        self.lines.extend(told.iter().map(|told| lines::of_alarm(self.at, self.case.id, told.kind, told.rung)));
        let alarms = told.iter().map(|told| lines::ring_of(self.at, self.case.id, told)).collect();
        self.case.looked_at = self.case.looked_at.max(self.at);
        let episode = self.case.write(&self.state, remind_at, patient);
        Entry {
            at: self.at,
            event,
            episode: Some(episode),
            deliveries: self.deliveries,
            changes: self.changes,
            lines: self.lines,
            alarms,
            rejected: None,
            hold: self.hold,
            answers: None,
        }
    }
}

/// What a message voids or acknowledges: it goes to the same, or back to the sender.
pub(super) fn referred<'a>(own: &Fact, facts: &'a [Fact]) -> Option<&'a Fact> {
    match own.kind {
        EventType::KMk => episode::target_of(own, facts),
        EventType::KKv => episode::acknowledged_of(own, facts),
        _ => None,
    }
}

/// What an event voids, where that has come.
pub(super) fn target(event: &CareEvent, links: &Links, version: u32, facts: &[Fact]) -> Option<Ref> {
    if !episode::is_void(event.head.kind) {
        return None;
    }
    let own = episode::fact(event, links, version, &[]);
    episode::target_of(&own, facts).and_then(|target| Ref::parse(&target.event))
}

/// A correction of another type, a voiding of nothing, and one event too many.
fn refuse_misused(own: &Fact, case: &Case) -> Result<(), Vec<Finding>> {
    let refuse = |code: Code, path: &str| Err(vec![at(code.finding(Effect::Refuse, Layer::Rules, None), Some(path.to_owned()), None)]);
    // What comes from the region is never blocked; an event in a new version, or a voiding, adds little or nothing.
    let grows = own.kind.is_sent() && !episode::is_void(own.kind) && !case.facts.iter().any(|fact| fact.event == own.event);
    if grows && case.facts.len() >= episode::FACTS_MAX {
        return Err(refusal(Code::ChkEpisodeFull));
    }
    if let Some(corrected) = &own.corrects {
        let other = case.facts.iter().find(|fact| fact.event == *corrected).is_some_and(|fact| fact.kind != own.kind);
        if other || *corrected == own.event {
            return refuse(Code::ChkOtherType, "corrects");
        }
    }
    let voids_void = |fact: &Fact| episode::is_void(fact.kind) && fact.event != own.event && fact.is_meant(&own.target);
    if episode::is_void(own.kind) && case.facts.iter().any(voids_void) {
        return refuse(Code::ChkVoidsVoid, "refTo");
    }
    if episode::is_void(own.kind) && own.target.is_empty() {
        return refuse(Code::ChkNoTarget, "refTo");
    }
    Ok(())
}

fn refuse_cancels(event: &CareEvent) -> Result<(), Vec<Finding>> {
    if event.head.cancels.is_some() && !episode::is_void(event.head.kind) {
        let finding = Code::ChkCancelsType.finding(Effect::Refuse, Layer::Rules, None);
        return Err(vec![at(finding, Some("cancels".to_owned()), None)]);
    }
    Ok(())
}

fn refuse_unknown_items(event: &CareEvent, rules: &Rules) -> Result<(), Vec<Finding>> {
    let Body::KCl(update) = &event.body else { return Ok(()) };
    // A set without a checklist, as the law's, has nothing against one.
    if rules.regime.checklist.items.is_empty() {
        return Ok(());
    }
    let unknown = |(place, code): (usize, &ItemCode)| {
        rules.regime.checklist.item(code).is_none().then(|| {
            let finding = Code::ChkUnknownItem.finding(Effect::Refuse, Layer::Rules, None);
            at(finding, Some(format!("data.items[{place}].code")), None)
        })
    };
    let findings: Vec<Finding> = update.items.0.iter().map(|item| &item.code).enumerate().filter_map(unknown).collect();
    if findings.is_empty() { Ok(()) } else { Err(findings) }
}

/// A deviation in words.
fn told(deviation: &Deviation, rules: &Rules) -> Finding {
    let item = deviation.item.as_ref().and_then(|code| rules.regime.checklist.item(code));
    let mut finding = item.map_or_else(|| rules.finding(deviation.rule, &[]), |item| check::item_finding(rules, deviation.rule, item));
    finding.effect = Effect::Deviation;
    finding.owner.clone_from(&deviation.owners);
    finding
}
