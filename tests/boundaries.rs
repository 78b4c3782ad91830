//! The last second that is in time and the first that is not, for every limit of an episode: by the Swedish clock, whatever
//! the offset in which it was told, and over the nights, leap days and holidays where days are not what they seem.

#![expect(clippy::expect_used, reason = "a broken test shall stop")]

#[expect(dead_code, reason = "the other test makes histories with it")]
#[path = "support/history.rs"]
mod history;
#[path = "support/tale.rs"]
mod tale;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use tale::{Tale, day, has, instant, nothing_known, sip_needed};
use vardbro::episode::fold;
use vardbro::model::calendar;
use vardbro::model::catalogue::{Body, EventType};
use vardbro::model::episode::{ClockKind, ClockStatus, PaymentBlock, PaymentPhase, Phase};

#[test]
fn the_admission_notice_has_24_hours_to_the_millisecond() {
    for (admitted, sent, late) in [
        ("2026-03-10T08:00:00+01:00", "2026-03-11T08:00:00+01:00", false),
        ("2026-03-10T08:00:00+01:00", "2026-03-11T08:00:00.001+01:00", true),
        // 24 hours are 24 hours on the nights of summer time too.
        ("2026-03-28T12:00:00+01:00", "2026-03-29T13:00:00+02:00", false),
        ("2026-03-28T12:00:00+01:00", "2026-03-29T13:00:00.001+02:00", true),
        ("2026-10-24T12:00:00+02:00", "2026-10-25T11:00:00+01:00", false),
        ("2026-10-24T12:00:00+02:00", "2026-10-25T11:00:00.001+01:00", true),
    ] {
        let mut tale = Tale::new();
        tale.admitted(admitted, sent);
        let state = tale.at("2026-12-01T00:00:00Z");
        assert_eq!((state.stay.as_ref().expect("a stay").late, has(&state, "IN-2")), (late, late), "{admitted} {sent}");
    }
}

#[test]
fn a_later_judgement_moves_the_24_hours_and_an_earlier_one_does_not() {
    for (judged, sent, late) in [
        ("2026-03-12T09:00:00+01:00", "2026-03-13T09:00:00+01:00", false),
        ("2026-03-12T09:00:00+01:00", "2026-03-13T09:00:00.001+01:00", true),
        ("2026-03-09T09:00:00+01:00", "2026-03-11T08:00:00+01:00", false),
        ("2026-03-09T09:00:00+01:00", "2026-03-11T08:00:00.001+01:00", true),
    ] {
        let mut tale = Tale::new();
        tale.tell(EventType::RIn, sent, |event| {
            if let Body::RIn(notice) = &mut event.body {
                notice.admitted_at = instant("2026-03-10T08:00:00+01:00");
                notice.judged_at = Some(instant(judged));
            }
        });
        assert_eq!(tale.at("2026-03-20T00:00:00Z").stay.expect("a stay").late, late, "{judged} {sent}");
    }
}

/// The day that is paid for first, for a notice sent then.
fn starts_on(sent: &str) -> Date {
    let mut tale = Tale::new();
    tale.admitted("2025-12-01T08:00:00+01:00", "2025-12-01T09:00:00+01:00");
    tale.ready(sent);
    tale.at(sent).stay.expect("a stay").payment.starts_on.expect("a day")
}

#[test]
fn noon_is_swedish_in_winter_and_summer_and_told_in_utc() {
    for (sent, starts) in [
        ("2026-02-10T12:00:00+01:00", "2026-02-13"),
        ("2026-02-10T12:00:01+01:00", "2026-02-14"),
        ("2026-02-10T11:00:00Z", "2026-02-13"),
        ("2026-02-10T11:00:01Z", "2026-02-14"),
        ("2026-02-10T11:00:00.001Z", "2026-02-14"),
        ("2026-07-07T12:00:00+02:00", "2026-07-10"),
        ("2026-07-07T12:00:01+02:00", "2026-07-11"),
        ("2026-07-07T10:00:00Z", "2026-07-10"),
        ("2026-07-07T10:00:01Z", "2026-07-11"),
        // The offset in which it is told does not matter.
        ("2026-07-07T05:00:00-05:00", "2026-07-10"),
        ("2026-07-07T05:00:01-05:00", "2026-07-11"),
        // Midnight: the last instant of a day is after noon, the first of the next is not.
        ("2026-02-10T22:59:59.999Z", "2026-02-14"),
        ("2026-02-10T23:00:00Z", "2026-02-14"),
        ("2026-07-07T21:59:59.999Z", "2026-07-11"),
        ("2026-07-07T22:00:00Z", "2026-07-11"),
    ] {
        assert_eq!(starts_on(sent), day(starts), "{sent}");
    }
}

#[test]
fn days_to_the_payment_are_of_the_calendar() {
    for (sent, starts) in [
        // Leap day, and the same days of a year without.
        ("2028-02-26T10:00:00+01:00", "2028-02-29"),
        ("2028-02-26T12:00:01+01:00", "2028-03-01"),
        ("2028-02-29T10:00:00+01:00", "2028-03-03"),
        ("2027-02-26T10:00:00+01:00", "2027-03-01"),
        // Ends of months and of the year.
        ("2026-04-28T10:00:00+02:00", "2026-05-01"),
        ("2026-04-28T13:00:00+02:00", "2026-05-02"),
        ("2026-12-29T10:00:00+01:00", "2027-01-01"),
        ("2026-12-28T12:00:01+01:00", "2027-01-01"),
        ("2026-12-31T23:59:59.999+01:00", "2027-01-04"),
        // Over, onto and on the nights of summer time.
        ("2026-03-26T10:00:00+01:00", "2026-03-29"),
        ("2026-03-27T10:00:00+01:00", "2026-03-30"),
        ("2026-03-29T01:59:59+01:00", "2026-04-01"),
        ("2026-03-29T12:00:00+02:00", "2026-04-01"),
        ("2026-03-29T12:00:01+02:00", "2026-04-02"),
        ("2026-10-22T12:00:00+02:00", "2026-10-25"),
        ("2026-10-25T02:30:00+02:00", "2026-10-28"),
        ("2026-10-25T02:30:00+01:00", "2026-10-28"),
        ("2026-10-25T12:00:01+01:00", "2026-10-29"),
    ] {
        assert_eq!(starts_on(sent), day(starts), "{sent}");
    }
}

#[test]
fn the_duty_to_pay_begins_at_swedish_midnight() {
    for (sent, before, begins) in [
        ("2026-03-26T10:00:00+01:00", "2026-03-28T22:59:59.999Z", "2026-03-28T23:00:00Z"),
        ("2026-03-27T10:00:00+01:00", "2026-03-29T21:59:59.999Z", "2026-03-29T22:00:00Z"),
        ("2026-10-22T10:00:00+02:00", "2026-10-24T21:59:59.999Z", "2026-10-24T22:00:00Z"),
        ("2026-10-23T10:00:00+02:00", "2026-10-25T22:59:59.999Z", "2026-10-25T23:00:00Z"),
        ("2028-02-26T10:00:00+01:00", "2028-02-28T22:59:59.999Z", "2028-02-28T23:00:00Z"),
        ("2026-12-29T10:00:00+01:00", "2026-12-31T22:59:59.999Z", "2026-12-31T23:00:00Z"),
    ] {
        let mut tale = Tale::new();
        tale.admitted("2025-12-01T08:00:00+01:00", "2025-12-01T09:00:00+01:00");
        tale.ready(sent);
        let payment = |now: &str| tale.at(now).stay.expect("a stay").payment;
        assert_eq!((payment(before).phase, payment(before).charged_days), (PaymentPhase::Running, 0), "{before}");
        assert_eq!((payment(begins).phase, payment(begins).charged_days), (PaymentPhase::Triggered, 0), "{begins}");
        assert_eq!(tale.due(ClockKind::Payment, before).due_at, instant(begins));
    }
}

#[test]
fn a_discharge_stops_the_clock_until_the_day_begins() {
    for (discharged, phase, days) in [
        ("2026-03-29T21:59:59.999Z", PaymentPhase::Stopped, 0),
        ("2026-03-29T22:00:00Z", PaymentPhase::Triggered, 0),
        ("2026-03-30T21:59:59.999Z", PaymentPhase::Triggered, 0),
        ("2026-03-30T22:00:00Z", PaymentPhase::Triggered, 1),
    ] {
        let mut tale = Tale::new();
        tale.admitted("2026-03-20T08:00:00+01:00", "2026-03-20T09:00:00+01:00");
        tale.ready("2026-03-27T10:00:00+01:00");
        tale.discharged(discharged);
        let payment = tale.at("2026-05-01T00:00:00Z").stay.expect("a stay").payment;
        assert_eq!((payment.phase, payment.charged_days), (phase, days), "{discharged}");
    }
}

#[test]
fn the_call_to_a_plan_has_to_the_end_of_the_third_day() {
    for (called, blocked) in [("2026-03-30T21:59:59.999Z", false), ("2026-03-30T22:00:00Z", true)] {
        let mut tale = Tale::new();
        tale.tell(EventType::RIn, "2026-03-25T09:00:00+01:00", |event| {
            let mut known = nothing_known();
            known.both_providers_needed = Some(true);
            event.head.circumstances = Some(known);
            if let Body::RIn(notice) = &mut event.body {
                (notice.admitted_at, notice.judged_at) = (instant("2026-03-25T08:00:00+01:00"), None);
            }
        });
        tale.ready("2026-03-27T10:00:00+01:00");
        tale.tell(EventType::RKs, called, |_| {});
        let blocks = tale.at("2026-04-05T00:00:00Z").stay.expect("a stay").payment.blocks;
        assert_eq!(blocks.contains(&PaymentBlock::NoCall), blocked, "{called}");
    }
}

#[test]
fn the_plan_must_be_made_on_the_day_before() {
    for (made, discharged, met) in [
        ("2026-03-12T22:59:59Z", "2026-03-13T13:00:00+01:00", true),
        ("2026-03-12T22:59:59.999Z", "2026-03-13T13:00:00+01:00", true),
        ("2026-03-12T23:00:00Z", "2026-03-13T13:00:00+01:00", false),
        // The discharge just after midnight, in summer, and on the nights of summer time.
        ("2026-07-07T21:59:59Z", "2026-07-07T22:00:00Z", true),
        ("2026-07-07T22:00:00Z", "2026-07-07T22:00:01Z", false),
        ("2026-03-28T22:59:59Z", "2026-03-29T01:30:00+01:00", true),
        ("2026-03-28T23:00:00Z", "2026-03-29T01:30:00+01:00", false),
        ("2026-10-24T21:59:59Z", "2026-10-25T02:30:00+01:00", true),
        ("2026-10-24T22:00:00Z", "2026-10-25T02:30:00+01:00", false),
    ] {
        let mut tale = Tale::new();
        tale.tell(EventType::RIn, "2026-03-02T09:00:00+01:00", sip_needed);
        tale.tell(EventType::KRb, "2026-03-03T09:00:00+01:00", |event| {
            if let Body::KRb(assessment) = &mut event.body {
                assessment.assessed_on = day("2026-03-03");
            }
        });
        tale.tell(EventType::KSip, made, sip_needed);
        tale.discharged(discharged);
        let state = tale.at("2026-12-01T00:00:00Z");
        assert_eq!((state.stay.as_ref().expect("a stay").sip_met, has(&state, "SIP-1")), (Some(met), !met), "{made} {discharged}");
    }
}

#[test]
fn the_risk_assessment_must_be_of_the_day_before() {
    for (assessed, met) in [("2026-03-12", true), ("2026-03-13", false)] {
        let mut tale = Tale::new();
        tale.tell(EventType::RIn, "2026-03-10T09:00:00+01:00", sip_needed);
        tale.tell(EventType::KSip, "2026-03-11T09:00:00+01:00", sip_needed);
        tale.tell(EventType::KRb, "2026-03-12T09:00:00+01:00", |event| {
            if let Body::KRb(assessment) = &mut event.body {
                assessment.assessed_on = day(assessed);
            }
        });
        // In UTC it is still the day before.
        tale.discharged("2026-03-12T23:00:00Z");
        let state = tale.at("2026-03-20T00:00:00Z");
        assert_eq!(state.stay.as_ref().expect("a stay").sip_met, Some(met), "{assessed}");
        let status = if met { ClockStatus::Met } else { ClockStatus::Late };
        assert_eq!(tale.status(ClockKind::Risk, "2026-03-20T00:00:00Z"), status, "{assessed}");
    }
}

/// Easter 3-6 April 2026, the first of May, midsommarafton 19 June, Christmas and New Year.
const NEXT_WEEKDAYS: &[(&str, &str)] = &[
    ("2026-04-01T09:00:00+02:00", "2026-04-02"),
    ("2026-04-02T09:00:00+02:00", "2026-04-07"),
    ("2026-04-02T21:59:59Z", "2026-04-07"),
    ("2026-04-02T22:00:00Z", "2026-04-07"),
    ("2026-04-06T22:00:00Z", "2026-04-08"),
    ("2026-04-30T09:00:00+02:00", "2026-05-04"),
    ("2026-05-13T09:00:00+02:00", "2026-05-15"),
    ("2026-06-05T09:00:00+02:00", "2026-06-08"),
    ("2026-06-18T09:00:00+02:00", "2026-06-22"),
    ("2026-10-30T09:00:00+01:00", "2026-11-02"),
    ("2026-12-23T09:00:00+01:00", "2026-12-28"),
    ("2026-12-30T09:00:00+01:00", "2027-01-04"),
    ("2027-01-05T09:00:00+01:00", "2027-01-07"),
    ("2026-03-27T09:00:00+01:00", "2026-03-30"),
    ("2026-10-23T09:00:00+02:00", "2026-10-26"),
    ("2028-02-28T09:00:00+01:00", "2028-02-29"),
];

#[test]
fn acknowledgement_is_due_at_noon_of_the_next_weekday() {
    for (sent, next) in NEXT_WEEKDAYS {
        let due_at = calendar::noon(day(next));
        for (acknowledged, status) in [(due_at, ClockStatus::Met), (due_at + SignedDuration::from_millis(1), ClockStatus::Late)] {
            let mut tale = Tale::new();
            tale.admitted(sent, sent);
            tale.tell(EventType::KKv, &acknowledged.to_string(), |_| {});
            let due = tale.due(ClockKind::Acknowledge, sent);
            assert_eq!((due.due_at, due.status(due_at)), (due_at, status), "{sent}");
        }
    }
    assert_eq!(calendar::noon(day("2026-04-07")), instant("2026-04-07T10:00:00Z"));
    assert_eq!(calendar::noon(day("2026-12-28")), instant("2026-12-28T11:00:00Z"));
}

#[test]
fn a_call_is_to_be_answered_by_the_end_of_the_next_weekday() {
    for (sent, next) in NEXT_WEEKDAYS {
        let late_at = calendar::begin(calendar::plus_days(day(next), 1));
        for (answered, status) in [(late_at - SignedDuration::from_millis(1), ClockStatus::Met), (late_at, ClockStatus::Late)] {
            let mut tale = Tale::new();
            tale.admitted(sent, sent);
            tale.tell(EventType::RKs, sent, |_| {});
            tale.tell(EventType::KSv, &answered.to_string(), |_| {});
            assert_eq!(tale.due(ClockKind::CallAnswer, sent).status(late_at), status, "{sent} {answered}");
        }
    }
}

#[test]
fn an_announcement_lapses_after_48_hours_to_the_millisecond() {
    for (sent, last, first) in [
        ("2026-03-10T09:00:00Z", "2026-03-12T09:00:00Z", "2026-03-12T09:00:00.001Z"),
        ("2026-03-28T12:00:00+01:00", "2026-03-30T13:00:00+02:00", "2026-03-30T13:00:00.001+02:00"),
        ("2026-10-24T12:00:00+02:00", "2026-10-26T11:00:00+01:00", "2026-10-26T11:00:00.001+01:00"),
    ] {
        let mut tale = Tale::new();
        tale.tell(EventType::KVb, sent, |_| {});
        assert_eq!((tale.at(last).phase, tale.at(first).phase), (Phase::Announced, Phase::Closed), "{sent}");
        assert!(tale.at(last).look_at.is_some_and(|at| at > instant(last) && at <= instant(first)), "{sent}");
        // The admission in the last moment goes on with it; a moment later it opens a stay of its own.
        for (admitted, stays) in [(last, 1), (first, 2)] {
            let mut tale = Tale::new();
            tale.tell(EventType::KVb, sent, |_| {});
            tale.admitted(admitted, admitted);
            let state = tale.at("2026-12-01T00:00:00Z");
            assert_eq!((state.phase, state.stays().count()), (Phase::Admitted, stays), "{admitted}");
        }
    }
}

#[test]
fn a_readmission_is_one_for_30_days() {
    for (discharged, admitted, again) in [
        ("2026-03-10T13:00:00+01:00", "2026-04-09T21:59:59Z", true),
        ("2026-03-10T13:00:00+01:00", "2026-04-09T22:00:00Z", false),
        ("2026-03-10T00:00:00+01:00", "2026-04-09T10:00:00+02:00", true),
        ("2026-03-10T22:59:59Z", "2026-04-09T21:59:59Z", true),
        ("2026-03-10T23:00:00Z", "2026-04-09T22:00:00Z", true),
        ("2028-01-30T13:00:00+01:00", "2028-02-29T13:00:00+01:00", true),
        ("2028-01-30T13:00:00+01:00", "2028-03-01T00:00:00+01:00", false),
        ("2026-12-05T13:00:00+01:00", "2027-01-04T13:00:00+01:00", true),
        ("2026-12-05T13:00:00+01:00", "2027-01-05T00:00:00+01:00", false),
    ] {
        let mut tale = Tale::new();
        tale.admitted("2025-12-01T08:00:00+01:00", "2025-12-01T09:00:00+01:00");
        tale.discharged(discharged);
        tale.admitted(admitted, admitted);
        let stay = tale.at(admitted).stay.expect("a stay");
        assert_eq!(stay.readmitted_after, again.then(|| instant(discharged)), "{discharged} {admitted}");
    }
}

#[test]
fn information_is_in_time_to_the_end_of_the_day_of_discharge() {
    for (discharged, informed, status) in [
        ("2026-03-13T13:00:00+01:00", "2026-03-13T23:59:59.999+01:00", ClockStatus::Met),
        ("2026-03-13T13:00:00+01:00", "2026-03-14T00:00:00+01:00", ClockStatus::Late),
        ("2026-03-29T01:00:00+01:00", "2026-03-29T21:59:59.999Z", ClockStatus::Met),
        ("2026-03-29T01:00:00+01:00", "2026-03-29T22:00:00Z", ClockStatus::Late),
        ("2026-10-25T01:00:00+02:00", "2026-10-25T22:59:59.999Z", ClockStatus::Met),
        ("2026-10-25T01:00:00+02:00", "2026-10-25T23:00:00Z", ClockStatus::Late),
        ("2028-02-29T13:00:00+01:00", "2028-02-29T22:59:59.999Z", ClockStatus::Met),
        ("2026-12-31T13:00:00+01:00", "2026-12-31T23:00:00Z", ClockStatus::Late),
    ] {
        let mut tale = Tale::new();
        tale.admitted("2025-12-01T08:00:00+01:00", "2025-12-01T09:00:00+01:00");
        tale.discharged(discharged);
        tale.tell(EventType::RUi, informed, |_| {});
        assert_eq!(tale.status(ClockKind::Information, "2027-06-01T00:00:00Z"), status, "{informed}");
        // What it closes of the checklist counts as long.
        let open = |code: &str| {
            tale.at("2027-06-01T00:00:00Z").deviations().any(|told| told.item.as_ref().is_some_and(|item| item.as_str() == code))
        };
        assert_eq!(open("CL25"), status == ClockStatus::Late, "{informed}");
    }
}

#[test]
fn missing_region_items_are_told_from_the_day_after_the_discharge() {
    let mut tale = Tale::new();
    tale.admitted("2026-03-20T08:00:00+01:00", "2026-03-20T09:00:00+01:00");
    tale.discharged("2026-03-29T01:00:00+01:00");
    assert!(!has(&tale.at("2026-03-29T21:59:59.999Z"), "CHK-2"));
    assert!(has(&tale.at("2026-03-29T22:00:00Z"), "CHK-2"));
    assert_eq!(tale.at("2026-03-29T21:59:59.999Z").look_at, Some(instant("2026-03-29T22:00:00Z")));
}

#[test]
fn a_case_settles_after_the_next_weekday() {
    for (discharged, next) in NEXT_WEEKDAYS {
        let mut tale = Tale::new();
        tale.admitted("2026-01-02T08:00:00+01:00", "2026-01-02T09:00:00+01:00");
        tale.discharged(discharged);
        let settles = calendar::begin(calendar::plus_days(day(next), 1));
        let before = settles - SignedDuration::from_millis(1);
        let phase = |now: Timestamp| fold(&tale.facts, &tale.regime, now).phase;
        assert_eq!((phase(before), phase(settles)), (Phase::Discharged, Phase::Closed), "{discharged}");
    }
}
