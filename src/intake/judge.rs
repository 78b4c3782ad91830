//! One event against its episode: what it changes, what leaves, what stays and why. No store, no clock.

use super::case::{Case, Waiting, known_recipients};
use super::routing::Routing;
use crate::check::rules::Rules;
use crate::check::{self, Passed, Ruling};
use crate::episode;
use crate::fault::Code;
use crate::map::{self, Mapped};
use crate::model::bodies::ItemCode;
use crate::model::catalogue::{Body, EventType, Origin};
use crate::model::episode::{Deviation, EpisodeState};
use crate::model::event::{CareEvent, Recipient};
use crate::model::finding::{Effect, Finding, Layer};
use crate::model::ids::{EnvelopeId, EpisodeId, MessageId};
use crate::model::keyed::Ref;
use crate::model::message::{Message, MessageStatus};
use crate::model::name::Name;
use crate::model::personal::Personal;
use crate::model::state::State;
use crate::oplog::{Event, Level, Line, Reason};
use crate::seal::{self, Checked, Validator};
use crate::store::{Change, ChangeTo, Entry, NewDelivery, NewEvent, Release};
use crate::wire::{self, Sender};
use jiff::{SignedDuration, Timestamp};
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
    /// Deepest nesting that is read.
    pub depth: usize,
}

/// A well-formed event with everything that is known of it beforehand.
pub(super) struct Arrival {
    pub(super) version: u32,
    pub(super) key: Ref,
    pub(super) patient: Ref,
    pub(super) mapped: Mapped,
    /// Deliveries of earlier versions that have not left.
    pub(super) earlier: Vec<(MessageId, Name)>,
    pub(super) source: Name,
    pub(super) origin: Personal<String>,
    pub(super) at: Timestamp,
}

/// What one event brings about, as it is put together.
#[derive(Default)]
struct Draft {
    deliveries: Vec<NewDelivery>,
    changes: Vec<Change>,
    lines: Vec<Line>,
    findings: Vec<Finding>,
}

impl Desk {
    /// Judges an event. An error leaves the case as it was: the event is refused whole.
    pub(super) fn judge(&self, arrival: Arrival, case: &mut Case, validator: &mut dyn Validator) -> Result<Entry, Vec<Finding>> {
        let rules = self.rules_of(case);
        let event = &arrival.mapped.event;
        refuse_unruled(event)?;
        refuse_corrections(event)?;
        refuse_unknown_items(event, &rules)?;
        if case.facts.len() >= episode::FACTS_MAX {
            return Err(refusal(Code::ChkEpisodeFull));
        }
        let mut facts = case.facts.clone();
        let before = episode::fold(&facts, &rules.regime.checklist);
        episode::add(&mut facts, episode::fact(event, &arrival.key, arrival.version));
        let state = episode::fold(&facts, &rules.regime.checklist);
        let addressed = if event.head.kind.is_sent() { Some(self.address(event, &state)?) } else { None };
        case.facts = facts;

        let mut draft = Draft::default();
        if event.head.kind.row().origin == Origin::Region && event.head.sent_at.is_none() {
            let finding = Code::ChkNoSentAt.finding(Effect::Warn, Layer::Rules, None);
            draft.findings.push(crate::fault::at(finding, Some("sentAt".to_owned()), None));
        }
        let mut line = self.line(&arrival, case.id, Event::EventAccepted, Level::Info);
        line.patient_ref = Some(arrival.patient.clone());
        draft.lines.push(line);
        self.supersede(&arrival, case, &mut draft);
        if let Some((recipients, destinations)) = addressed {
            self.send(&arrival, recipients, destinations, &state, &rules, case, validator, &mut draft);
        }
        self.reconsider(&state, &rules, case, validator, arrival.at, &mut draft);
        self.deviations(&arrival, &before, &state, &rules, case.id, &mut draft);
        let episode = case.write(&state);
        Ok(Entry {
            at: arrival.at,
            event: Some(NewEvent {
                key: arrival.key.clone(),
                version: arrival.version,
                hash: arrival.mapped.hash,
                kind: event.head.kind,
                episode: case.id,
                source: arrival.source.clone(),
                origin: arrival.origin.clone(),
                body: Personal::new(map::to_json(event)),
                findings: draft.findings,
                occurred_at: event.head.occurred_at,
                received_at: arrival.at,
            }),
            episode: Some(episode),
            deliveries: draft.deliveries,
            changes: draft.changes,
            lines: draft.lines,
        })
    }

    /// Looks again at what is withheld, without a new event: time alone may have ended its use.
    pub(super) fn look_again(&self, case: &mut Case, validator: &mut dyn Validator, at: Timestamp) -> Entry {
        let rules = self.rules_of(case);
        let state = episode::fold(&case.facts, &rules.regime.checklist);
        let mut draft = Draft::default();
        self.reconsider(&state, &rules, case, validator, at, &mut draft);
        let episode = case.write(&state);
        Entry { at, event: None, episode: Some(episode), deliveries: Vec::new(), changes: draft.changes, lines: draft.lines }
    }

    /// An episode keeps the version that it began with.
    fn rules_of(&self, case: &Case) -> Arc<Rules> {
        Arc::clone(self.sets.get(&case.rules).unwrap_or(&self.rules))
    }

    fn address(&self, event: &CareEvent, state: &EpisodeState) -> Result<(Vec<Recipient>, Vec<Name>), Vec<Finding>> {
        let recipients = self.routing.recipients(event, known_recipients(state));
        if recipients.is_empty() {
            return Err(refusal(Code::OutNoRecipient));
        }
        let destinations = self.routing.destinations(event.head.kind, &recipients).ok_or_else(|| refusal(Code::OutNoRoute))?;
        Ok((recipients, destinations.into_iter().collect()))
    }

    /// A newer version makes an older one moot that has not left; a newer K-HT any withheld one.
    fn supersede(&self, arrival: &Arrival, case: &mut Case, draft: &mut Draft) {
        let kind = arrival.mapped.event.head.kind;
        let mut moot: Vec<(MessageId, Name)> = arrival.earlier.clone();
        if kind == EventType::KHt {
            let occurred_at = arrival.mapped.event.head.occurred_at;
            let older = |waiting: &&Waiting| waiting.kind == EventType::KHt && waiting.event.head.occurred_at <= occurred_at;
            let withheld = case.withheld.iter().filter(older);
            moot.extend(withheld.map(|waiting| (waiting.message, waiting.destination.clone())));
        }
        moot.sort_unstable();
        moot.dedup();
        for (message, destination) in moot {
            case.withheld.retain(|waiting| (waiting.message, &waiting.destination) != (message, &destination));
            let line = self.about(arrival.at, case.id, message, &destination, State::Superseded, Event::MessageSuperseded, Level::Info);
            draft.changes.push(Change {
                message,
                destination,
                to: ChangeTo::End { state: State::Superseded, findings: Vec::new() },
                line: Some(line),
            });
        }
    }

    /// The message that the event gives rise to, one delivery a destination.
    #[expect(clippy::too_many_arguments, reason = "the parts of one judgement; a struct would only name them again")]
    fn send(
        &self,
        arrival: &Arrival,
        recipients: Vec<Recipient>,
        destinations: Vec<Name>,
        state: &EpisodeState,
        rules: &Rules,
        case: &mut Case,
        validator: &mut dyn Validator,
        draft: &mut Draft,
    ) {
        let event = &arrival.mapped.event;
        let message = message(event, arrival.version, case.id, recipients.clone());
        let id = message.id;
        let ruling = check::run(rules, message, state);
        for destination in destinations {
            let mut delivery = NewDelivery {
                message: id,
                destination: destination.clone(),
                kind: event.head.kind,
                version: arrival.version,
                state: State::Withheld,
                rules: rules.name.clone(),
                rules_hash: rules.hash.clone(),
                release: None,
                findings: Vec::new(),
                useful_until: None,
            };
            match &ruling {
                Ruling::Pass(passed, remarks) => match self.write(passed, case, &destination, validator, arrival.at) {
                    Ok(release) => {
                        let shadow = self.routing.is_shadow(&destination);
                        delivery.state = if shadow { State::Resolved } else { State::Scheduled };
                        delivery.release = Some(release);
                        delivery.findings.clone_from(remarks);
                    }
                    Err(faults) => {
                        delivery.state = State::Refused;
                        delivery.findings = faults;
                    }
                },
                Ruling::Stop { effect, findings } => {
                    delivery.state = stopped(*effect);
                    delivery.findings.clone_from(findings);
                    if delivery.state == State::Withheld {
                        delivery.useful_until = Some(useful_until(event.head.kind, rules, arrival.at));
                        case.withheld.push(Waiting {
                            message: id,
                            destination: destination.clone(),
                            kind: event.head.kind,
                            version: arrival.version,
                            event_ref: arrival.key.clone(),
                            event: event.clone(),
                            recipients: recipients.clone(),
                            useful_until: delivery.useful_until,
                            findings: findings.clone(),
                        });
                    }
                }
            }
            draft.lines.push(self.fate_line(arrival, case.id, &delivery));
            draft.deliveries.push(delivery);
        }
    }

    /// What is withheld leaves when it may, and ends when it is of no more use.
    fn reconsider(
        &self,
        state: &EpisodeState,
        rules: &Rules,
        case: &mut Case,
        validator: &mut dyn Validator,
        at: Timestamp,
        draft: &mut Draft,
    ) {
        for waiting in std::mem::take(&mut case.withheld) {
            let useless =
                waiting.useful_until.is_some_and(|until| until <= at) || (waiting.kind == EventType::KHt && state.discharged_at.is_some());
            let (to, line) = if useless {
                let line =
                    self.about(at, case.id, waiting.message, &waiting.destination, State::Expired, Event::MessageExpired, Level::Warn);
                (ChangeTo::End { state: State::Expired, findings: waiting.findings.clone() }, Some(line))
            } else {
                match self.again(&waiting, state, rules, case, validator, at) {
                    Ok(release) => {
                        let shadow = self.routing.is_shadow(&waiting.destination);
                        let (state, event) =
                            if shadow { (State::Resolved, Event::MessageShadowed) } else { (State::Scheduled, Event::MessageReleased) };
                        let line = self.about(at, case.id, waiting.message, &waiting.destination, state, event, Level::Info);
                        (ChangeTo::Release { release, shadow }, Some(line))
                    }
                    Err(findings) if findings == waiting.findings => {
                        case.withheld.push(waiting);
                        continue;
                    }
                    Err(findings) => {
                        let to = ChangeTo::StillWithheld(findings.clone());
                        let change = Change { message: waiting.message, destination: waiting.destination.clone(), to, line: None };
                        case.withheld.push(Waiting { findings, ..waiting });
                        draft.changes.push(change);
                        continue;
                    }
                }
            };
            let line = line.map(|mut line| {
                line.event_ref = Some(waiting.event_ref.clone());
                line
            });
            draft.changes.push(Change { message: waiting.message, destination: waiting.destination, to, line });
        }
    }

    /// The same check as at first; the findings are why it still may not leave.
    fn again(
        &self,
        waiting: &Waiting,
        state: &EpisodeState,
        rules: &Rules,
        case: &mut Case,
        validator: &mut dyn Validator,
        at: Timestamp,
    ) -> Result<Release, Vec<Finding>> {
        let recipients = if waiting.recipients.is_empty() { self.address(&waiting.event, state)?.0 } else { waiting.recipients.clone() };
        match check::run(rules, message(&waiting.event, waiting.version, case.id, recipients), state) {
            Ruling::Pass(passed, _) => self.write(&passed, case, &waiting.destination, validator, at),
            Ruling::Stop { findings, .. } => Err(findings),
        }
    }

    /// Writes and seals the document, with the lane's next number.
    fn write(
        &self,
        passed: &Passed,
        case: &mut Case,
        destination: &Name,
        validator: &mut dyn Validator,
        at: Timestamp,
    ) -> Result<Release, Vec<Finding>> {
        let sequence = case.next_sequence(destination);
        let release = wire::Release {
            created_at: at,
            sequence,
            production: self.production,
            sender: self.sender.clone(),
            rules: passed.rules().to_owned(),
            rules_hash: passed.rules_hash().to_owned(),
        };
        let document = wire::write(passed, &release);
        // Any envelope will do for the schema; each transmission has its own.
        let checked: Checked = seal::seal(validator, document, EnvelopeId(passed.message().id.0), at)?;
        Ok(Release { sequence, checked })
    }

    /// What did not go as it should have, told once.
    fn deviations(
        &self,
        arrival: &Arrival,
        before: &EpisodeState,
        after: &EpisodeState,
        rules: &Rules,
        episode: EpisodeId,
        draft: &mut Draft,
    ) {
        for deviation in after.deviations.iter().filter(|deviation| !before.deviations.contains(deviation)) {
            let mut line = self.line(arrival, episode, Event::EpisodeDeviation, Level::Warn);
            line.code = Some(deviation.rule);
            line.reason = deviation.item.as_ref().and_then(|item| item.as_str().strip_prefix("CL")?.parse().ok()).map(Reason::Item);
            draft.lines.push(line);
            draft.findings.push(told(deviation, rules));
        }
    }

    fn fate_line(&self, arrival: &Arrival, episode: EpisodeId, delivery: &NewDelivery) -> Line {
        let (event, level) = match delivery.state {
            State::Withheld => (Event::MessageWithheld, Level::Warn),
            State::Held => (Event::MessageHeld, Level::Warn),
            State::Refused => (Event::MessageRefused, Level::Error),
            State::Resolved => (Event::MessageShadowed, Level::Info),
            _ => (Event::MessageReleased, Level::Info),
        };
        let mut line = self.about(arrival.at, episode, delivery.message, &delivery.destination, delivery.state, event, level);
        line.event_ref = Some(arrival.key.clone());
        line.code = delivery.findings.first().and_then(|finding| known_code(&finding.code));
        line
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of a line")]
    #[expect(clippy::unused_self, reason = "reads as one family with `line`")]
    fn about(
        &self,
        at: Timestamp,
        episode: EpisodeId,
        message: MessageId,
        destination: &Name,
        state: State,
        event: Event,
        level: Level,
    ) -> Line {
        let mut line = Line::new(at, level, event);
        line.episode_id = Some(episode);
        line.message_id = Some(message);
        line.destination = Some(destination.clone());
        line.state = Some(state);
        line
    }

    #[expect(clippy::unused_self, reason = "reads as one family with `about`")]
    fn line(&self, arrival: &Arrival, episode: EpisodeId, event: Event, level: Level) -> Line {
        let mut line = Line::new(arrival.at, level, event);
        line.event_ref = Some(arrival.key.clone());
        line.episode_id = Some(episode);
        line
    }
}

fn message(event: &CareEvent, version: u32, episode: EpisodeId, recipients: Vec<Recipient>) -> Message {
    let id = |version| message_id(event, version);
    Message {
        id: id(version),
        episode,
        version,
        status: if version == 1 { MessageStatus::New } else { MessageStatus::Changed },
        replaces: (version > 1).then(|| id(version - 1)),
        event: event.clone(),
        recipients,
    }
}

#[expect(clippy::disallowed_methods, reason = "hashed into the message's id")]
fn message_id(event: &CareEvent, version: u32) -> MessageId {
    MessageId::of(event.head.system.0.disclose(), event.head.event_id.0.disclose(), event.head.kind.code(), version)
}

fn stopped(effect: Effect) -> State {
    match effect {
        Effect::Refuse => State::Refused,
        Effect::Hold => State::Held,
        Effect::Withhold | Effect::Deviation | Effect::Warn => State::Withheld,
    }
}

fn useful_until(kind: EventType, rules: &Rules, at: Timestamp) -> Timestamp {
    let hours = if kind == EventType::KHt { rules.regime.parameters.take_home_useful_h } else { rules.regime.parameters.order_wait_h };
    at + SignedDuration::from_hours(i64::from(hours))
}

fn refusal(code: Code) -> Vec<Finding> {
    vec![code.finding(Effect::Refuse, Layer::Rules, None)]
}

/// Types that the catalogue has and the rules do not: without consent asked for, a target withdrawn or the episode ended,
/// sending them or taking them in would promise what is not done.
const UNRULED: &[EventType] = &[
    EventType::KSip,
    EventType::KKs,
    EventType::KUf,
    EventType::KMk,
    EventType::KAv,
    EventType::RAu,
    EventType::RAv,
    EventType::RMk,
    EventType::RDo,
];

fn refuse_unruled(event: &CareEvent) -> Result<(), Vec<Finding>> {
    if UNRULED.contains(&event.head.kind) {
        let finding = Code::ChkTypeNotYet.finding(Effect::Refuse, Layer::Rules, None);
        return Err(vec![crate::fault::at(finding, Some("type".to_owned()), None)]);
    }
    Ok(())
}

/// What would be lost if it were read as an event of its own.
fn refuse_corrections(event: &CareEvent) -> Result<(), Vec<Finding>> {
    let head = &event.head;
    for (present, path) in [(head.corrects.is_some(), "corrects"), (head.cancels.is_some(), "cancels")] {
        if present {
            let finding = Code::ChkCorrection.finding(Effect::Refuse, Layer::Rules, None);
            return Err(vec![crate::fault::at(finding, Some(path.to_owned()), None)]);
        }
    }
    Ok(())
}

fn refuse_unknown_items(event: &CareEvent, rules: &Rules) -> Result<(), Vec<Finding>> {
    let Body::KCl(update) = &event.body else { return Ok(()) };
    let unknown = |(place, code): (usize, &ItemCode)| {
        rules.regime.checklist.item(code).is_none().then(|| {
            let finding = Code::ChkUnknownItem.finding(Effect::Refuse, Layer::Rules, None);
            crate::fault::at(finding, Some(format!("data.items[{place}].code")), None)
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
    finding
}

/// The code as a word of ours, for the log.
fn known_code(code: &str) -> Option<&'static str> {
    Code::parse(code).map(Code::id).or_else(|| check::rules::RuleId::parse(code).map(check::rules::RuleId::as_str))
}
