//! What an event leaves behind in its episode, and which of these facts count.

use crate::model::bodies::{NoteCategory, Party, RequestAnswer};
use crate::model::catalogue::{Body, EventType};
use crate::model::episode::{CORRECTED, Fact, Identity, Target, VOID, What};
use crate::model::event::{CareEvent, Circumstance, Circumstances, Protection, Recipient};
use crate::model::ids::EpisodeId;
use crate::model::keyed::{Domain, Ref, ReferenceKey};
use std::collections::{BTreeMap, BTreeSet};

/// What an event refers to, as keyed references.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Links {
    pub event: Ref,
    pub episode: EpisodeId,
    pub patient: Ref,
    pub corrects: Option<Ref>,
    pub target: Target,
    region_message: Option<Ref>,
}

impl Links {
    pub fn of(event: &CareEvent, key: &ReferenceKey) -> Self {
        let head = &event.head;
        let of_event = |id| key.reference(Domain::Event, &[&head.system.0, id]);
        let of_region = |id| key.reference(Domain::RegionMessage, &[id]);
        let refers = head.ref_to.as_ref();
        let named = refers.and_then(|to| to.event_id.as_ref()).or(head.cancels.as_ref());
        let target = Target {
            event: named.map(|id| of_event(&id.0).to_string()),
            message: refers.and_then(|to| to.message_id).map(|id| id.to_string()),
            region: refers.and_then(|to| to.region_message_id.as_ref()).map(|id| of_region(&id.0).to_string()),
        };
        Self {
            event: of_event(&head.event_id.0),
            episode: key.episode(&head.system.0, &head.episode_ref.case_id.0),
            patient: key.reference(Domain::Patient, &[event.patient.id.number()]),
            corrects: head.corrects.as_ref().map(|id| of_event(&id.0)),
            target,
            region_message: head.region_message_id.as_ref().map(|id| of_region(&id.0)),
        }
    }
}

/// The part of an event that its episode remembers.
#[expect(clippy::disallowed_methods, reason = "the episode keeps the source's id to order by, and the number to write with")]
pub fn fact(event: &CareEvent, links: &Links, version: u32, to: &[Recipient]) -> Fact {
    let head = &event.head;
    let unit = head.author.as_ref().and_then(|author| author.unit.as_ref()).map(|unit| unit.hsa_id.as_str().to_owned());
    let sender = match &event.body {
        Body::RIn(notice) => unit.or_else(|| Some(notice.ward.hsa_id.as_str().to_owned())),
        Body::RFl(transfer) => Some(transfer.ward.hsa_id.as_str().to_owned()),
        Body::RFv(contact) => contact.unit.as_ref().map(|unit| unit.hsa_id.as_str().to_owned()).or(unit),
        _ => unit,
    };
    Fact {
        event: links.event.to_string(),
        system: head.system.0.disclose().clone(),
        id: head.event_id.0.disclose().clone(),
        version,
        kind: head.kind,
        // A discharge happened when the patient left, however late it is told.
        occurred_at: if let Body::RUt(discharged) = &event.body { discharged.discharged_at } else { head.occurred_at },
        sent_at: head.sent_at,
        circumstances: circumstances(event),
        sender,
        patient: Identity { kind: head.patient.id_type, number: event.patient.id.number().disclose().clone() },
        protected: head.patient.protected.filter(|protection| *protection != Protection::None),
        consent: head.consent.as_ref().map(|consent| consent.status),
        region_message: links.region_message.as_ref().map(Ref::to_string),
        corrects: links.corrects.as_ref().map(Ref::to_string),
        target: links.target.clone(),
        to: to.iter().map(|recipient| (recipient.hsa_id.as_str().to_owned(), recipient.party)).collect(),
        unsent: false,
        what: what(event),
    }
}

/// What the event says of the circumstances; where the patient went stands in R-UT's own body.
fn circumstances(event: &CareEvent) -> Circumstance {
    let mut known = event.head.circumstances.as_ref().map_or_else(Circumstance::new, Circumstances::known);
    if let Body::RUt(discharged) = &event.body {
        known.insert("dischargeTo".to_owned(), discharged.discharged_to.code().to_owned());
    }
    known
}

fn what(event: &CareEvent) -> What {
    match &event.body {
        Body::KVb(_) => What::CareRequest,
        Body::RIn(notice) => What::Admission {
            admitted_at: notice.admitted_at,
            judged_at: notice.judged_at,
            estimate: notice.estimated_discharge_at,
            specialty: notice.ward.specialty,
            complete: missing_in_notice(event).is_empty(),
        },
        Body::RBu(estimate) => What::Estimate { at: estimate.estimated_discharge_at },
        Body::RFl(transfer) => What::Transfer { specialty: transfer.ward.specialty },
        Body::RUk(ready) => What::Ready {
            ready_at: ready.ready_at,
            open_care: ready.open_care_available,
            specialty: ready.ward.as_ref().map(|ward| ward.specialty),
        },
        Body::RUm(planned) => What::Planned { at: planned.planned_discharge_at },
        Body::RUt(discharged) => What::Discharge { discharged_at: discharged.discharged_at },
        Body::KHt(take_home) => What::TakeHome { answer: take_home.answer },
        Body::KCl(update) => What::Checklist {
            items: update.items.0.iter().map(|item| (item.code.as_str().to_owned(), item.share.unwrap_or(Party::K), item.status)).collect(),
        },
        Body::RKs(call) => What::Call { meeting_at: call.meeting_at },
        Body::KKs(call) => What::Call { meeting_at: Some(call.meeting_at) },
        Body::KSip(plan) => What::Plan { follow_up: plan.follow_up_date },
        Body::KRb(assessment) => What::Risk { on: assessment.assessed_on },
        Body::KUf(follow_up) => What::FollowUp { next: follow_up.next_date, closed: follow_up.closed },
        Body::KHi(enrolment) => What::Enrolled { on: enrolment.start_date },
        Body::KHa(end) => What::EnrolmentEnded { on: end.end_date },
        Body::KOb(request) => What::Request { answer_by: request.answer_by },
        Body::ROs(answer) => What::CentreAnswer { open: answer.answer == Some(RequestAnswer::MoreNeeded) },
        Body::RMb(note) if note.category == NoteCategory::NotAdmitted => What::NotAdmitted,
        Body::KAv(interruption) | Body::RAv(interruption) => {
            What::Interrupted { deceased: interruption.reason_code == crate::model::bodies::InterruptionReason::Deceased }
        }
        Body::RDo(_) => What::Interrupted { deceased: true },
        _ => What::Other,
    }
}

/// What an admission notice lacks of what Lag (2017:612) 2 kap. 2 § demands, as paths into the event.
pub fn missing_in_notice(event: &CareEvent) -> Vec<&'static str> {
    let Body::RIn(notice) = &event.body else { return Vec::new() };
    let address = event.patient.address.is_some() || event.patient.protected != Protection::None;
    let demanded = [
        (event.patient.name.is_some(), "patient.name"),
        (address, "patient.address"),
        (notice.estimated_discharge_at.is_some(), "data.estimatedDischargeAt"),
    ];
    demanded.into_iter().filter(|(there, _)| !there).map(|(_, path)| path).collect()
}

/// Adds a fact in its place; a newer version of the same event takes the place of the older.
pub fn add(facts: &mut Vec<Fact>, fact: Fact) {
    // Protection once said holds, whatever the next version leaves out.
    let protected = facts.iter().filter(|known| known.event == fact.event).filter_map(|known| known.protected).max();
    if let Some(known) = facts.iter_mut().find(|known| known.event == fact.event && known.version >= fact.version) {
        known.protected = known.protected.max(fact.protected);
        return;
    }
    let fact = Fact { protected: fact.protected.max(protected), ..fact };
    facts.retain(|known| known.event != fact.event);
    let place = facts.partition_point(|known| known.order() < fact.order());
    facts.insert(place, fact);
}

/// Facts that do not count, with why, and the voidings whose target has not come.
pub(super) fn discounted(facts: &[Fact]) -> (BTreeMap<String, &'static str>, BTreeSet<String>) {
    let (mut ignored, mut waiting) = (BTreeMap::new(), BTreeSet::new());
    let corrected: BTreeSet<&String> = facts.iter().filter_map(|fact| fact.corrects.as_ref()).collect();
    // A voiding that was corrected voids nothing.
    for voiding in facts.iter().filter(|fact| is_void(fact.kind) && !corrected.contains(&fact.event)) {
        match target_of(voiding, facts) {
            Some(target) => drop(ignored.insert(target.event.clone(), VOID)),
            None => drop(waiting.insert(voiding.event.clone())),
        }
    }
    // A correction that is void corrects nothing.
    let live: Vec<&Fact> = facts.iter().filter(|fact| corrects_its_like(fact, facts) && !ignored.contains_key(&fact.event)).collect();
    for fact in live {
        let mut next = fact.corrects.as_ref();
        // No chain is longer than the facts, unless it goes in a ring.
        for _ in 0..facts.len() {
            let Some(event) = next.filter(|event| ignored.get(*event) != Some(&CORRECTED)) else { break };
            ignored.entry(event.clone()).or_insert(CORRECTED);
            // What a void correction between had corrected is corrected by this one.
            let void = ignored.get(event) == Some(&VOID);
            next = facts.iter().find(|fact| fact.event == *event).filter(|_| void).and_then(|fact| fact.corrects.as_ref());
        }
    }
    (ignored, waiting)
}

/// A correction of another type, that came before what it names, corrects nothing.
fn corrects_its_like(fact: &Fact, facts: &[Fact]) -> bool {
    let target = |event: &String| facts.iter().find(|fact| fact.event == *event);
    fact.corrects.as_ref().is_some_and(|event| target(event).is_none_or(|target| target.kind == fact.kind))
}

pub fn is_void(kind: EventType) -> bool {
    matches!(kind, EventType::KMk | EventType::RMk)
}

/// The event of the region's that an acknowledgement is about.
pub fn acknowledged_of<'a>(acknowledgement: &Fact, facts: &'a [Fact]) -> Option<&'a Fact> {
    facts.iter().find(|fact| !fact.kind.is_sent() && fact.is_meant(&acknowledgement.target))
}

/// What a voiding voids. The region voids only its own; a voiding is never voided itself.
pub fn target_of<'a>(voiding: &Fact, facts: &'a [Fact]) -> Option<&'a Fact> {
    let may = |fact: &&Fact| !is_void(fact.kind) && (voiding.kind == EventType::KMk || !fact.kind.is_sent());
    facts.iter().filter(may).find(|fact| fact.is_meant(&voiding.target))
}
