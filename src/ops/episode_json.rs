//! An episode for other programs: codes, and the texts of items in one language.

use super::cases::{Readmission, Seen};
use super::episodes::{PARTIES, deviation_text, item_text};
use crate::model::bodies::{ItemCode, Party, Specialty};
use crate::model::checklist::Stage;
use crate::model::episode::{Deviation, Due, Fact, Payment, Stay};
use crate::model::event::ConsentStatus;
use crate::model::finding::Finding;
use crate::model::time::instant_text;
use crate::store::DeliveryRow;
use jiff::Timestamp;
use serde_json::{Value, json};

/// The same as the text says.
pub fn episode_json(seen: &Seen, others: &[Readmission], deliveries: &[DeliveryRow], now: Timestamp, swedish: bool) -> String {
    let state = &seen.state;
    let stays: Vec<Value> = state
        .stays()
        .enumerate()
        .map(|(place, stay)| {
            let after: Vec<Value> = others
                .iter()
                .filter(|found| found.stay == place)
                .map(|found| json!({"episodeId": found.after.to_string(), "dischargedAt": instant_text(found.discharged_at)}))
                .collect();
            stay_json(seen, stay, after, swedish)
        })
        .collect();
    let clocks: Vec<Value> = state.clocks().map(|due| clock_json(due, now)).collect();
    let alarms: Vec<Value> = seen
        .alarms
        .values()
        .map(|alarm| json!({"kind": alarm.kind.code(), "overdue": alarm.overdue, "openedAt": instant_text(alarm.opened_at)}))
        .collect();
    let messages: Vec<Value> = deliveries.iter().rev().map(message_json).collect();
    let events: Vec<Value> = seen.facts.iter().map(|fact| event_json(seen, fact)).collect();
    format!(
        "{:#}\n",
        json!({
            "episodeId": seen.id.to_string(), "phase": state.phase.code(), "rules": seen.rules.name, "changedAt": instant_text(seen.changed_at),
            "protected": state.protected.code(), "consent": state.consent.map(ConsentStatus::code), "twoPersons": state.two_persons,
            "circumstances": state.circumstances, "enrolled": state.enrolled, "openRequests": state.open_requests,
            "sip": {
                "phase": state.sip.phase.code(), "ownCall": state.sip.own_call, "madeAt": moment(state.sip.made_at),
                "followUp": state.sip.follow_up.map(|day| day.to_string()),
            },
            "stays": stays, "clocks": clocks, "alarms": alarms, "messages": messages, "events": events,
        })
    )
}

fn moment(at: Option<Timestamp>) -> Option<String> {
    at.map(instant_text)
}

fn codes(parties: &[Party]) -> Vec<&'static str> {
    parties.iter().map(|party| party.code()).collect()
}

fn stay_json(seen: &Seen, stay: &Stay, after: Vec<Value>, swedish: bool) -> Value {
    let items: Vec<Value> = stay
        .items
        .iter()
        .map(|(code, owner, done)| {
            json!({"code": code.as_str(), "owner": owner.code(), "done": done, "text": item_text(seen, code, swedish)})
        })
        .collect();
    let deviation = |deviation: &Deviation| {
        json!({
            "rule": deviation.rule, "item": deviation.item.as_ref().map(ItemCode::as_str), "owners": codes(&deviation.owners),
            "text": deviation_text(seen, deviation, swedish),
        })
    };
    json!({
        "phase": stay.phase.code(), "specialty": stay.specialty.map(Specialty::code), "noticeAt": moment(stay.notice_at),
        "noticeLate": stay.late, "noticeIncomplete": stay.incomplete, "admittedAt": moment(stay.admitted_at),
        "estimatedDischargeAt": moment(stay.estimate), "plannedDischargeAt": moment(stay.planned),
        "readyAt": moment(stay.ready.map(|ready| ready.sent_at)),
        "readyWithdrawnAt": stay.withdrawn.iter().copied().map(instant_text).collect::<Vec<_>>(),
        "dischargedAt": moment(stay.discharged_at), "endedAt": moment(stay.ended_at), "riskOn": stay.risk_on.map(|day| day.to_string()),
        "readmittedAfter": moment(stay.readmitted_after), "readmittedAfterEpisodes": after, "sipMet": stay.sip_met,
        "checklist": stay.checklist.code(), "items": items, "openAfter": open_after(seen, stay, swedish),
        "payment": payment_json(&stay.payment), "deviations": stay.deviations.iter().map(deviation).collect::<Vec<_>>(),
    })
}

/// Items to be done after the discharge; they belong to the stay that ended last.
fn open_after(seen: &Seen, stay: &Stay, swedish: bool) -> Vec<Value> {
    let state = &seen.state;
    if stay.discharged_at.is_none() || state.stay.as_ref().is_none_or(|last| last.of != stay.of) {
        return Vec::new();
    }
    let mut out = Vec::new();
    for owner in PARTIES {
        let open = seen.rules.regime.checklist.open(owner, &state.statuses, &state.circumstances);
        out.extend(
            open.filter(|item| item.stage == Stage::After)
                .map(|item| json!({"code": item.code.as_str(), "owner": owner.code(), "text": item_text(seen, &item.code, swedish)})),
        );
    }
    out
}

fn payment_json(payment: &Payment) -> Value {
    json!({
        "preliminary": true, "phase": payment.phase.code(), "startsOn": payment.starts_on.map(|day| day.to_string()),
        "readyDays": payment.ready_days, "chargedDays": payment.charged_days, "sek": payment.sek.filter(|_| payment.starts_on.is_some()),
        "blocks": payment.blocks.iter().map(|block| block.code()).collect::<Vec<_>>(),
    })
}

fn clock_json(due: &Due, now: Timestamp) -> Value {
    json!({
        "kind": due.kind.code(), "owner": due.owner.code(), "dueAt": instant_text(due.due_at), "metAt": moment(due.met_at),
        "endedAt": moment(due.ended_at), "status": due.status(now).code(),
    })
}

fn message_json(row: &DeliveryRow) -> Value {
    let findings: Vec<&Finding> = row.findings.iter().collect();
    json!({
        "messageId": row.message, "type": row.kind, "version": row.version, "destination": row.destination, "state": row.state.code(),
        "createdAt": instant_text(row.created_at), "findings": findings,
    })
}

fn event_json(seen: &Seen, fact: &Fact) -> Value {
    json!({
        "eventRef": fact.event, "type": fact.kind.code(), "version": fact.version, "occurredAt": instant_text(fact.occurred_at),
        "ignored": seen.state.ignored.get(&fact.event), "waits": seen.state.waiting.contains(&fact.event),
    })
}
