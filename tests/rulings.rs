//! What the fold once got wrong, by the law, the domain or the contracts: the smallest example of each.

#![expect(clippy::expect_used, reason = "helpers of tests, outside the functions that clippy knows as such")]

#[expect(dead_code, reason = "the other test makes histories with it")]
#[path = "support/history.rs"]
mod history;
#[path = "support/tale.rs"]
mod tale;

use tale::{Tale, day, has, instant, nothing_known, sip_needed};
use vardbro::episode::{Alarms, ring};
use vardbro::model::bodies::{CanReceive, ItemCode, ItemStatus, NoteCategory, Party};
use vardbro::model::catalogue::{Body, EventType};
use vardbro::model::episode::{ClockKind, ClockStatus, PaymentPhase, Phase};
use vardbro::model::event::{CareEvent, RefTo};
use vardbro::model::personal::Personal;
use vardbro::model::regime::ClBlock;
use vardbro::model::shape::Text;

const LONG_AFTER: &str = "2026-12-01T00:00:00Z";

fn names(id: &str) -> impl FnOnce(&mut CareEvent) {
    move |event| {
        event.head.ref_to = Some(RefTo { message_id: None, event_id: Some(Text(Personal::new(id.to_owned()))), region_message_id: None });
    }
}

fn corrects(event: &mut CareEvent, id: &str) {
    event.head.corrects = Some(Text(Personal::new(id.to_owned())));
}

/// Every municipal item of the list, with one status.
fn items(status: ItemStatus, codes: &'static [&'static str]) -> impl FnOnce(&mut CareEvent) {
    move |event| {
        let Body::KCl(update) = &mut event.body else { panic!("not a K-CL") };
        let mut entry = update.items.0[0].clone();
        (entry.status, entry.share) = (status, Some(Party::K));
        let with_code = |code: &&str| {
            let mut entry = entry.clone();
            entry.code = ItemCode::parse(code).expect("a code");
            entry
        };
        update.items.0 = codes.iter().map(with_code).collect();
    }
}

const ALL: &[&str] = &[
    "CL01", "CL02", "CL03", "CL06", "CL07", "CL08", "CL09", "CL10", "CL11", "CL12", "CL13", "CL14", "CL15", "CL16", "CL17", "CL18", "CL19",
    "CL20", "CL23", "CL26",
];

/// K-MK named the wrong event, and its correction the right one: both end up void.
#[test]
fn a_corrected_voiding_no_longer_voids() {
    let mut tale = Tale::new();
    let right = tale.tell(EventType::KPu, "2026-03-10T09:00:00Z", |_| {});
    let wrong = tale.tell(EventType::KPm, "2026-03-10T10:00:00Z", |_| {});
    let voiding = tale.tell(EventType::KMk, "2026-03-10T11:00:00Z", names(&right));
    tale.tell(EventType::KMk, "2026-03-10T12:00:00Z", |event| {
        names(&wrong)(event);
        corrects(event, &voiding);
    });
    let state = tale.at(LONG_AFTER);
    assert!(state.seen.contains(&EventType::KPu) && !state.seen.contains(&EventType::KPm), "{:?}", state.ignored);
}

/// The correction went to the wrong patient's case and is void; what it corrected was right all the time.
#[test]
fn what_a_void_correction_corrected_counts_again() {
    let mut tale = Tale::new();
    let notice = tale.admitted("2026-03-10T08:00:00Z", "2026-03-10T09:00:00Z");
    let wrong = tale.tell(EventType::RIn, "2026-03-10T10:00:00Z", |event| corrects(event, &notice));
    tale.tell(EventType::RMk, "2026-03-10T11:00:00Z", names(&wrong));
    assert_eq!(tale.at("2026-03-10T12:00:00Z").phase, Phase::Admitted);
}

/// Felsänt: a notice about another patient, and its voiding, which naturally names that patient too.
#[test]
fn a_voiding_tells_nothing_of_the_patient() {
    let mut tale = Tale::new();
    tale.admitted("2026-03-10T08:00:00Z", "2026-03-10T09:00:00Z");
    let known = tale.at(LONG_AFTER).patient;
    let mut wrong = tale.templates.event(EventType::RUk, "x", instant("2026-03-11T09:00:00Z"));
    tale.templates.person(&mut wrong, 1);
    let (record, patient) = (wrong.head.patient.clone(), wrong.patient.clone());
    let other = move |event: &mut CareEvent| (event.head.patient, event.patient) = (record, patient);
    let sent = tale.tell(EventType::RUk, "2026-03-11T09:00:00Z", other.clone());
    tale.tell(EventType::RMk, "2026-03-11T10:00:00Z", |event| {
        other(event);
        names(&sent)(event);
    });
    let state = tale.at(LONG_AFTER);
    assert_eq!((state.two_persons, &state.patient), (false, &known), "the other patient's number is in the case");
}

/// The estimate was overdue and told; a new estimate puts the due time ahead again. The next reminder must lie ahead too:
/// intake comes back at it, and would come back at once, again and again, until the new due time.
#[test]
fn an_alarm_whose_due_time_moved_ahead_is_no_longer_overdue() {
    let mut tale = Tale::new();
    let mut alarms = Alarms::new();
    let estimate = |event: &mut CareEvent, at: &str| {
        if let Body::RIn(notice) = &mut event.body {
            notice.estimated_discharge_at = Some(instant(at));
        }
        if let Body::RBu(changed) = &mut event.body {
            changed.estimated_discharge_at = instant(at);
        }
    };
    tale.tell(EventType::RIn, "2026-03-10T09:00:00Z", |event| estimate(event, "2026-03-12T12:00:00Z"));
    let first = instant("2026-03-12T12:00:01Z");
    ring(&mut alarms, &tale.at("2026-03-12T12:00:01Z"), &tale.regime, first);
    tale.tell(EventType::RBu, "2026-03-13T10:00:00Z", |event| estimate(event, "2026-03-13T14:00:00Z"));
    for now in ["2026-03-13T10:00:00Z", "2026-03-13T12:30:00Z"] {
        let (_, remind_at) = ring(&mut alarms, &tale.at(now), &tale.regime, instant(now));
        assert!(remind_at.is_none_or(|at| at > instant(now)), "at {now}: {remind_at:?}");
    }
    let near = alarms.values().find(|alarm| alarm.kind == ClockKind::Contact).expect("near");
    assert!(!near.overdue);
}

#[test]
fn a_care_request_after_one_that_lapsed_is_an_announcement() {
    let mut tale = Tale::new();
    tale.tell(EventType::KVb, "2026-03-01T09:00:00Z", |_| {});
    tale.tell(EventType::KVb, "2026-03-20T09:00:00Z", |_| {});
    assert_eq!(tale.at("2026-03-20T10:00:00Z").phase, Phase::Announced);
}

/// Discharged on 10 March; sent in on the 12th, not admitted; admitted on the 20th.
#[test]
fn a_readmission_is_seen_past_an_announcement_that_led_to_nothing() {
    for lapses in [true, false] {
        let mut tale = Tale::new();
        tale.admitted("2026-03-01T08:00:00Z", "2026-03-01T09:00:00Z");
        tale.discharged("2026-03-10T12:00:00Z");
        tale.tell(EventType::KVb, "2026-03-12T09:00:00Z", |_| {});
        if !lapses {
            tale.tell(EventType::RMb, "2026-03-12T15:00:00Z", |event| {
                if let Body::RMb(note) = &mut event.body {
                    note.category = NoteCategory::NotAdmitted;
                }
            });
        }
        tale.admitted("2026-03-20T08:00:00Z", "2026-03-20T09:00:00Z");
        let stay = tale.at("2026-03-20T10:00:00Z").stay.expect("a stay");
        assert_eq!(stay.readmitted_after, Some(instant("2026-03-10T12:00:00Z")), "lapses: {lapses}");
    }
}

/// The days are counted to when the notice came, not to the admission.
#[test]
fn the_days_of_a_readmission_end_with_the_admission() {
    let mut tale = Tale::new();
    tale.admitted("2026-03-01T08:00:00Z", "2026-03-01T09:00:00Z");
    tale.discharged("2026-03-10T12:00:00Z");
    tale.admitted("2026-04-09T15:00:00Z", "2026-04-10T09:00:00Z");
    assert!(tale.at(LONG_AFTER).stay.expect("a stay").readmitted_after.is_some());
}

/// The region's notice of the readmission is missing; its R-UT must not lengthen the stay before, for which the municipality
/// would pay.
#[test]
fn a_second_discharge_does_not_lengthen_the_stay_before() {
    let mut tale = Tale::new();
    tale.admitted("2026-03-01T08:00:00Z", "2026-03-01T09:00:00Z");
    tale.ready("2026-03-02T09:00:00Z");
    tale.discharged("2026-03-06T12:00:00Z");
    let charged = tale.at("2026-03-10T00:00:00Z").stay.expect("a stay").payment.charged_days;
    tale.ready("2026-03-20T09:00:00Z");
    tale.discharged("2026-03-25T12:00:00Z");
    let state = tale.at(LONG_AFTER);
    let days: Vec<i32> = state.stays().map(|stay| stay.payment.charged_days).collect();
    assert_eq!(days[0], charged, "{days:?}");
}

/// R-UK before R-IN opens the first stay of a case; the same in the second stay.
#[test]
fn ready_before_the_notice_counts_in_a_readmission_too() {
    let mut tale = Tale::new();
    tale.admitted("2026-03-01T08:00:00Z", "2026-03-01T09:00:00Z");
    tale.discharged("2026-03-06T12:00:00Z");
    tale.ready("2026-03-20T09:00:00Z");
    tale.admitted("2026-03-19T08:00:00Z", "2026-03-20T10:00:00Z");
    assert_eq!(tale.at("2026-03-20T11:00:00Z").phase, Phase::Ready);
}

fn with_risk_assessed() -> Tale {
    let mut tale = Tale::new();
    tale.tell(EventType::RIn, "2026-03-02T09:00:00Z", sip_needed);
    tale.tell(EventType::KRb, "2026-03-03T09:00:00Z", |event| {
        if let Body::KRb(assessment) = &mut event.body {
            assessment.assessed_on = day("2026-03-03");
        }
    });
    tale
}

/// SIP-1 wants a plan. R-KS closes the region's share of CL20, and any share that is done counts as a plan.
#[test]
fn a_call_is_no_plan() {
    let mut tale = with_risk_assessed();
    tale.tell(EventType::RKs, "2026-03-04T09:00:00Z", |_| {});
    tale.discharged("2026-03-10T12:00:00Z");
    assert!(has(&tale.at("2026-03-10T13:00:00Z"), "SIP-1"));
}

#[test]
fn a_missing_plan_is_not_made_good_after_the_discharge() {
    let mut tale = with_risk_assessed();
    tale.discharged("2026-03-10T12:00:00Z");
    assert!(has(&tale.at("2026-03-10T13:00:00Z"), "SIP-1"));
    tale.tell(EventType::KCl, "2026-03-20T09:00:00Z", items(ItemStatus::Klar, &["CL20"]));
    assert!(has(&tale.at("2026-03-20T10:00:00Z"), "SIP-1"));
}

#[test]
fn the_checklist_that_was_done_in_time_stays_so() {
    let mut tale = Tale::new();
    tale.admitted("2026-03-10T08:00:00Z", "2026-03-10T09:00:00Z");
    tale.tell(EventType::KCl, "2026-03-11T09:00:00Z", items(ItemStatus::Klar, ALL));
    tale.discharged("2026-03-12T12:00:00Z");
    assert_eq!(tale.status(ClockKind::Checklist, "2026-03-12T13:00:00Z"), ClockStatus::Met);
    tale.tell(EventType::KCl, "2026-03-14T09:00:00Z", items(ItemStatus::Saknas, &["CL26"]));
    assert_eq!(tale.status(ClockKind::Checklist, "2026-03-14T10:00:00Z"), ClockStatus::Met);
    assert!(!has(&tale.at("2026-03-14T10:00:00Z"), "CHK-1"));
}

/// CHK-1 looks at every municipal item; its due time only at those that K-HT waits for.
#[test]
fn the_due_time_of_the_checklist_is_that_of_its_rule() {
    for block in [ClBlock::StagePOnly, ClBlock::Warn] {
        let mut tale = Tale::new();
        tale.regime.parameters.cl_block = block;
        tale.admitted("2026-03-10T08:00:00Z", "2026-03-10T09:00:00Z");
        let stage_p: &[&str] = &["CL01", "CL03", "CL09", "CL10", "CL11", "CL12", "CL23", "CL26"];
        tale.tell(EventType::KCl, "2026-03-11T09:00:00Z", items(ItemStatus::Klar, stage_p));
        tale.discharged("2026-03-12T12:00:00Z");
        assert!(has(&tale.at("2026-03-12T13:00:00Z"), "CHK-1"));
        assert_ne!(tale.status(ClockKind::Checklist, "2026-03-12T13:00:00Z"), ClockStatus::Met, "{block:?}");
    }
}

/// A joint plan (CL20 done) satisfies SIP-1, yet K-SIP stays open until the discharge and rings.
#[test]
fn a_joint_plan_meets_the_due_time_of_the_plan() {
    let mut tale = with_risk_assessed();
    tale.tell(EventType::KCl, "2026-03-04T09:00:00Z", items(ItemStatus::Klar, &["CL20"]));
    let state = tale.at("2026-03-04T10:00:00Z");
    assert_eq!(state.stay.as_ref().expect("a stay").sip_met, Some(true));
    assert!(state.clocks().all(|due| due.kind != ClockKind::Plan || due.met_at.is_some()));
}

/// The need was judged two days after the admission; 24 hours run from there, in the due time as in the rule.
#[test]
fn the_due_time_of_the_notice_runs_from_the_judgement() {
    let mut tale = Tale::new();
    tale.tell(EventType::RIn, "2026-03-13T12:00:00Z", |event| {
        if let Body::RIn(notice) = &mut event.body {
            (notice.admitted_at, notice.judged_at) = (instant("2026-03-10T08:00:00Z"), Some(instant("2026-03-12T09:00:00Z")));
        }
    });
    assert_eq!(tale.due(ClockKind::AdmissionNotice, LONG_AFTER).due_at, instant("2026-03-13T09:00:00Z"));
}

/// Late by the first notice (IN-2); a second one with a later admission turns the due time into one that was met.
#[test]
fn a_late_notice_has_a_late_due_time() {
    let mut tale = Tale::new();
    tale.admitted("2026-03-10T08:00:00Z", "2026-03-11T09:00:00Z");
    tale.admitted("2026-03-10T20:00:00Z", "2026-03-11T10:00:00Z");
    assert!(has(&tale.at(LONG_AFTER), "IN-2"));
    assert_eq!(tale.status(ClockKind::AdmissionNotice, LONG_AFTER), ClockStatus::Late);
}

/// R-UK after a discharge is not heard; R-AU is, and what was to be paid is gone.
#[test]
fn a_withdrawal_after_the_discharge_changes_nothing() {
    let mut tale = Tale::new();
    tale.admitted("2026-03-01T08:00:00Z", "2026-03-01T09:00:00Z");
    tale.ready("2026-03-02T09:00:00Z");
    tale.discharged("2026-03-10T12:00:00Z");
    tale.tell(EventType::RAu, "2026-03-20T09:00:00Z", |_| {});
    assert_eq!(tale.at(LONG_AFTER).stay.expect("a stay").payment.phase, PaymentPhase::Triggered);
}

/// What belongs to a stay that another one has followed can no longer be met by anything, nor ended.
#[test]
fn no_due_time_of_an_earlier_stay_stays_open() {
    let mut tale = Tale::new();
    tale.admitted("2026-03-01T08:00:00Z", "2026-03-01T09:00:00Z");
    tale.discharged("2026-03-05T12:00:00Z");
    tale.admitted("2026-03-08T08:00:00Z", "2026-03-08T09:00:00Z");
    tale.tell(EventType::RUi, "2026-03-12T11:00:00Z", |_| {});
    tale.discharged("2026-03-12T12:00:00Z");
    tale.tell(EventType::RDo, "2026-03-20T12:00:00Z", |_| {});
    let state = tale.at(LONG_AFTER);
    let open: Vec<_> = state.earlier[0].clocks.iter().filter(|due| due.met_at.is_none() && due.ended_at.is_none()).collect();
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn a_lapsed_announcement_has_no_open_due_times() {
    let mut tale = Tale::new();
    tale.tell(EventType::KVb, "2026-03-10T09:00:00Z", |_| {});
    tale.tell(EventType::RBu, "2026-03-10T12:00:00Z", |event| {
        if let Body::RBu(estimate) = &mut event.body {
            estimate.estimated_discharge_at = instant("2026-03-14T12:00:00Z");
        }
    });
    let state = tale.at(LONG_AFTER);
    let open: Vec<_> = state.clocks().filter(|due| due.met_at.is_none() && due.ended_at.is_none()).collect();
    assert_eq!((state.phase, open.len()), (Phase::Closed, 0), "{open:?}");
}

/// Readmitted on the day of the discharge: whether the region's items were done is never told.
#[test]
fn missing_region_items_are_told_of_an_earlier_stay_too() {
    let mut tale = Tale::new();
    tale.admitted("2026-03-01T08:00:00Z", "2026-03-01T09:00:00Z");
    tale.discharged("2026-03-05T12:00:00Z");
    tale.admitted("2026-03-05T18:00:00Z", "2026-03-05T19:00:00Z");
    assert!(tale.at(LONG_AFTER).earlier[0].deviations.iter().any(|deviation| deviation.rule == "CHK-2"));
}

/// R-UT was written the day after; what was done in between was done after the discharge.
#[test]
fn the_checklist_freezes_at_the_discharge() {
    let mut tale = Tale::new();
    tale.admitted("2026-03-10T08:00:00Z", "2026-03-10T09:00:00Z");
    tale.tell(EventType::KCl, "2026-03-12T18:00:00Z", items(ItemStatus::Klar, ALL));
    tale.tell(EventType::RUt, "2026-03-13T09:00:00Z", |event| {
        if let Body::RUt(discharged) = &mut event.body {
            discharged.discharged_at = instant("2026-03-12T12:00:00Z");
        }
    });
    assert!(has(&tale.at("2026-03-13T10:00:00Z"), "CHK-1"));
}

/// K-OB was corrected under another id; the health centre answers the one that it first got.
#[test]
fn an_answer_to_the_corrected_request_answers_its_correction() {
    let mut tale = Tale::new();
    let asked = tale.tell(EventType::KOb, "2026-03-10T09:00:00Z", |_| {});
    tale.tell(EventType::KOb, "2026-03-10T10:00:00Z", |event| corrects(event, &asked));
    tale.tell(EventType::ROs, "2026-03-11T09:00:00Z", |event| {
        names(&asked)(event);
        if let Body::ROs(answer) = &mut event.body {
            answer.answer = None;
        }
    });
    assert_eq!(tale.at("2026-03-11T10:00:00Z").open_requests, 0);
}

/// The case was closed long ago; a death that is told then does not make it a process that was broken off.
#[test]
fn a_closed_case_is_not_broken_off() {
    let mut tale = Tale::new();
    tale.admitted("2026-03-01T08:00:00Z", "2026-03-01T09:00:00Z");
    tale.discharged("2026-03-05T12:00:00Z");
    assert_eq!(tale.at("2026-04-20T09:00:00Z").phase, Phase::Closed);
    tale.tell(EventType::RDo, "2026-04-20T10:00:00Z", |_| {});
    assert_eq!(tale.at("2026-04-20T11:00:00Z").phase, Phase::Closed);
}

/// R-FV never came: the law wants it before the discharge. Its due time is the discharge, and what ends when it is due is
/// dropped as if it had not been late.
#[test]
fn a_care_contact_that_never_came_is_missed() {
    let mut tale = Tale::new();
    tale.admitted("2026-03-10T08:00:00Z", "2026-03-10T09:00:00Z");
    tale.discharged("2026-03-15T12:00:00Z");
    assert_eq!(tale.status(ClockKind::Contact, LONG_AFTER), ClockStatus::Missed);
}

/// Broken off in hospital; later a request to the health centre, and its answer.
#[test]
fn a_request_that_was_answered_ends_as_closed() {
    let mut tale = Tale::new();
    tale.admitted("2026-03-10T08:00:00Z", "2026-03-10T09:00:00Z");
    tale.tell(EventType::KAv, "2026-03-12T09:00:00Z", |_| {});
    let asked = tale.tell(EventType::KOb, "2026-05-10T09:00:00Z", |_| {});
    assert_eq!(tale.at("2026-05-10T10:00:00Z").phase, Phase::Outpatient);
    tale.tell(EventType::ROs, "2026-05-11T09:00:00Z", names(&asked));
    assert_eq!(tale.at("2026-05-11T10:00:00Z").phase, Phase::Closed);
}

/// The municipality has called to a plan in outpatient care; the region calls too, before there is one.
#[test]
fn a_plan_that_is_called_to_is_under_way_whoever_called() {
    let mut tale = Tale::new();
    tale.tell(EventType::KKs, "2026-03-10T09:00:00Z", sip_needed);
    tale.tell(EventType::RKs, "2026-03-11T09:00:00Z", |_| {});
    assert_eq!(tale.at("2026-03-11T10:00:00Z").phase, Phase::Outpatient);
}

/// A go-ahead that was given before the first notice of ready for discharge holds; the one before a second notice does not
/// (R-AU took it back), and neither may become one by a checklist alone.
#[test]
fn a_go_ahead_is_taken_back_with_the_notice_that_it_answered() {
    let mut tale = Tale::new();
    tale.tell(EventType::RIn, "2026-03-10T09:00:00Z", |event| event.head.circumstances = Some(nothing_known()));
    tale.tell(EventType::KCl, "2026-03-11T09:00:00Z", items(ItemStatus::Klar, ALL));
    tale.tell(EventType::KHt, "2026-03-11T10:00:00Z", |event| {
        if let Body::KHt(take_home) = &mut event.body {
            take_home.answer = CanReceive::Can;
        }
    });
    tale.ready("2026-03-11T11:00:00Z");
    assert_eq!(tale.at("2026-03-11T12:00:00Z").phase, Phase::TakeHomeConfirmed);
    tale.tell(EventType::RAu, "2026-03-11T13:00:00Z", |_| {});
    assert_eq!(tale.at("2026-03-11T14:00:00Z").phase, Phase::Planning);
    tale.ready("2026-03-12T09:00:00Z");
    assert_eq!(tale.at("2026-03-12T10:00:00Z").phase, Phase::Ready);
}
