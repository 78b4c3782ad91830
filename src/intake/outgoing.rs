//! The message that an event gives rise to: who the patient is by now, who shall have it, what it takes the place of.

use super::case::known_recipients;
use super::judge::Desk;
use crate::episode::{Links, fold};
use crate::fault::Code;
use crate::map;
use crate::model::bodies::{Note, NoteCategory, Party};
use crate::model::catalogue::{Body, EventType};
use crate::model::episode::{EpisodeState, Fact};
use crate::model::event::{CareEvent, Protection, Recipient, RefTo};
use crate::model::finding::{Effect, Finding, Layer};
use crate::model::ids::{EnvelopeId, EpisodeId, HsaId, MessageId};
use crate::model::keyed::ReferenceKey;
use crate::model::message::{Message, MessageStatus, Standing};
use crate::model::name::Name;
use crate::model::person::{PersonId, PersonIdKind};
use crate::model::personal::Personal;
use crate::model::shape::{List, Text};
use crate::model::time::local_day;
use crate::wire::{self, ContentHash};
use jiff::Timestamp;
use serde_json::{Value, json};

/// What makes a case one of outpatient care.
const OUTPATIENT: [EventType; 4] = [EventType::KHi, EventType::KHa, EventType::KOb, EventType::KKs];

/// Recipients, and the destinations over which they are reached.
pub(super) type Address = (Vec<Recipient>, Vec<Name>);

impl Desk {
    /// The event's own recipients; else whom it answers or voids; else, party by party as the catalogue has them, the
    /// episode's unit or the configuration's.
    pub(super) fn address(&self, event: &CareEvent, state: &EpisodeState, referred: Option<&Fact>) -> Result<Address, Vec<Finding>> {
        let kind = event.head.kind;
        let own = event.head.recipients.as_ref().map(|list| list.0.clone()).unwrap_or_default();
        let named = [own, referred.map(addressees).unwrap_or_default()].into_iter().find(|list| !list.is_empty());
        let recipients = named.unwrap_or_else(|| {
            // In an outpatient case no ward has anything to do with the patient, unless one is asked to take the person in.
            let outpatient = state.stay.is_none() && OUTPATIENT.iter().any(|kind| state.seen.contains(kind));
            let ward = !outpatient || kind == EventType::KVb;
            let parties = kind.row().receivers.iter().copied().filter(|party| ward || *party != Party::Sv);
            let known = known_recipients(state);
            parties.flat_map(|party| self.routing.of_party(party, &known)).collect()
        });
        if recipients.is_empty() {
            return Err(refusal(Code::OutNoRecipient));
        }
        let destinations = self.routing.destinations(kind, &recipients).ok_or_else(|| refusal(Code::OutNoRoute))?;
        Ok((recipients, destinations.into_iter().collect()))
    }
}

impl Desk {
    /// The document about an event as it would be written in an episode of which nothing else is known: to be looked at, never to be sent.
    #[expect(clippy::disallowed_methods, reason = "writes the message")]
    pub fn sketch(&self, event: &CareEvent, at: Timestamp) -> Result<Personal<Vec<u8>>, Vec<Finding>> {
        let state = fold(&[], &self.rules.regime, at);
        let (recipients, _) = self.address(event, &state, None)?;
        let episode = Links::of(event, &ReferenceKey::new(&[0; 32])).episode;
        let message = message(event, 1, episode, recipients, None, (&state, Standing::default(), at));
        let release = wire::Release {
            created_at: at,
            sequence: 1,
            production: self.production,
            sender: self.sender.clone(),
            rules: self.rules.name.clone(),
            rules_hash: self.rules.hash.clone(),
        };
        let content = wire::content(&message, &release);
        let content = content.disclose();
        Ok(Personal::new(wire::transmission(content, ContentHash::of(content), EnvelopeId(message.id.0), at)))
    }
}

/// Whom a fact's message was for when it came.
pub(super) fn recorded(fact: &Fact) -> Vec<Recipient> {
    let recipient = |(hsa_id, party): &(String, Party)| HsaId::parse(hsa_id).map(|hsa_id| Recipient { hsa_id, party: *party });
    fact.to.iter().filter_map(recipient).collect()
}

/// Whom a fact's message went to, or who sent it.
pub(super) fn addressees(fact: &Fact) -> Vec<Recipient> {
    let recipient = |hsa_id: &String, party| HsaId::parse(hsa_id).map(|hsa_id| Recipient { hsa_id, party });
    let by = if matches!(fact.kind, EventType::RFv | EventType::RKs | EventType::ROs) { Party::Ov } else { Party::Sv };
    let sender = fact.sender.iter().filter(|_| !fact.kind.is_sent()).filter_map(|sender| recipient(sender, by));
    fact.to.iter().filter_map(|(hsa_id, party)| recipient(hsa_id, *party)).chain(sender).collect()
}

/// The message, with the patient as the episode knows the person by now.
pub(super) fn message(
    event: &CareEvent,
    version: u32,
    episode: EpisodeId,
    recipients: Vec<Recipient>,
    corrected: Option<&Fact>,
    (state, standing, at): (&EpisodeState, Standing, Timestamp),
) -> Message {
    let id = |version| message_id(event, version);
    let before = (version > 1).then(|| id(version - 1)).or_else(|| corrected.map(|fact| fact.message(fact.version)));
    Message {
        id: id(version),
        episode,
        version,
        status: if before.is_some() { MessageStatus::Changed } else { MessageStatus::New },
        replaces: before,
        event: as_known(event, state, at),
        recipients,
        standing,
    }
}

#[expect(clippy::disallowed_methods, reason = "hashed into the message's id")]
pub(super) fn message_id(event: &CareEvent, version: u32) -> MessageId {
    MessageId::of(event.head.system.0.disclose(), event.head.event_id.0.disclose(), event.head.kind.code(), version)
}

/// The event with the best number that is known, and no address once anybody has said that the person is protected.
fn as_known(event: &CareEvent, state: &EpisodeState, at: Timestamp) -> CareEvent {
    let mut event = event.clone();
    if let Some(known) = state.patient.as_ref().filter(|_| !state.two_persons)
        && known.kind.kind().map(PersonIdKind::rank) > event.head.patient.id_type.kind().map(PersonIdKind::rank)
        && let Some(id) = known.kind.kind().and_then(|kind| PersonId::parse(kind, &known.number, local_day(at)).ok())
    {
        event.patient.id = id;
    }
    event.patient.protected = event.patient.protected.max(state.protected);
    if event.patient.protected != Protection::None {
        event.patient.address = None;
    }
    event
}

/// The K-AD that asks for what an admission notice lacks (rule IN-1).
pub(super) fn question(notice: &CareEvent, missing: &[&'static str], sender: Option<&String>) -> CareEvent {
    let names: Vec<&str> = missing.iter().map(|path| field_name(path)).collect();
    let text = format!("Inskrivningsmeddelandet saknar uppgift som lagen kräver: {}. Vänligen komplettera.", names.join(", "));
    let mut event = notice.clone();
    let head = &mut event.head;
    head.ref_to = Some(RefTo { message_id: None, event_id: Some(head.event_id.clone()), region_message_id: head.region_message_id.take() });
    head.kind = EventType::KAd;
    head.recipients = sender.and_then(|sender| HsaId::parse(sender)).map(|hsa_id| List(vec![Recipient { hsa_id, party: Party::Sv }]));
    (head.author, head.consent, head.circumstances, head.sent_at, head.corrects, head.cancels) = (None, None, None, None, None, None);
    event.body = Body::KAd(Note { category: NoteCategory::Administrative, text: Text(Personal::new(text)), answer_to: None });
    event
}

fn field_name(path: &str) -> &'static str {
    match path {
        "patient.name" => "namn",
        "patient.address" => "folkbokföringsadress",
        _ => "beräknad tidpunkt för utskrivning",
    }
}

/// Whom a message is about and whom it is for, for the audit log.
#[expect(clippy::disallowed_methods, reason = "kept sealed with the document, for the log of what was disclosed")]
pub(super) fn subject(message: &Message) -> Personal<Vec<u8>> {
    let head = &message.event.head;
    let to: Vec<Value> = message.recipients.iter().map(|unit| json!({"hsaId": unit.hsa_id.as_str(), "party": unit.party.code()})).collect();
    let subject = json!({
        "patient": {"id": message.event.patient.id.number().disclose(), "idType": head.patient.id_type.code()},
        "case": {"system": head.system.0.disclose(), "id": head.episode_ref.case_id.0.disclose()},
        "recipients": to,
    });
    Personal::new(subject.to_string().into_bytes())
}

pub(super) fn refusal(code: Code) -> Vec<Finding> {
    vec![code.finding(Effect::Refuse, Layer::Rules, None)]
}

/// The event as the store keeps it.
pub(super) fn body(event: &CareEvent) -> Personal<Vec<u8>> {
    Personal::new(map::to_json(event))
}
