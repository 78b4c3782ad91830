//! Generated histories of one case: events of every type around stays, readmissions, outpatient care, voidings and corrections.

#![expect(clippy::expect_used, reason = "a broken test shall stop")]

use jiff::civil::{Date, Time, date};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::path::Path;
use vardbro::episode::{self, Links};
use vardbro::model::bodies::{
    CanReceive, Destination, InterruptionReason, ItemCode, ItemStatus, NoteCategory, Obstacle, Party, RequestAnswer, Specialty, VoidReason,
};
use vardbro::model::calendar::{at, plus_days};
use vardbro::model::catalogue::{Body, CATALOGUE, EventType};
use vardbro::model::episode::Fact;
use vardbro::model::event::{CareEvent, Circumstances, ConsentStatus, IdType, PayingMunicipality, Protection, RefTo};
use vardbro::model::ids::MessageId;
use vardbro::model::keyed::ReferenceKey;
use vardbro::model::person::{PersonId, PersonIdKind};
use vardbro::model::personal::Personal;
use vardbro::model::shape::Text;
use vardbro::model::time::local_day;

/// Repeatable randomness (`SplitMix64`).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % bound as u64).expect("below the bound")
    }

    pub(crate) fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<'a, T>(&mut self, among: &'a [T]) -> &'a T {
        &among[self.below(among.len())]
    }

    pub(crate) fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            list.swap(last, self.below(last + 1));
        }
    }

    fn minutes(&mut self, bound: usize) -> SignedDuration {
        SignedDuration::from_mins(i64::try_from(self.below(bound)).expect("small"))
    }
}

/// One event as it was handed in, and its number among the versions.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) id: String,
    pub(crate) event: CareEvent,
    pub(crate) version: u32,
}

/// What happened in one case. In the order of making, which is not that of time.
pub(crate) type History = Vec<Step>;

/// The parsed examples of `fixtures/types/`, from which every event is made.
pub(crate) struct Templates {
    events: BTreeMap<EventType, CareEvent>,
    people: Vec<(IdType, PersonId)>,
    pub(crate) key: ReferenceKey,
}

const PEOPLE: &[(IdType, PersonIdKind, &str)] = &[
    (IdType::Personnummer, PersonIdKind::Personnummer, "193812217044"),
    (IdType::Personnummer, PersonIdKind::Personnummer, "195003072260"),
    (IdType::Samordningsnummer, PersonIdKind::Samordningsnummer, "197010632391"),
    (IdType::ReservnummerVgr, PersonIdKind::ReservnummerVgr, "19450829K088"),
];

const TODAY: Date = date(2026, 3, 20);

/// Days on which a history may begin: before each of the nights and holidays that matter, and a leap day.
const STARTS: &[Date] = &[
    date(2026, 3, 10),
    date(2026, 3, 24),
    date(2026, 5, 27),
    date(2026, 9, 1),
    date(2026, 10, 15),
    date(2026, 12, 8),
    date(2028, 2, 12),
    date(2022, 12, 1),
];

const STAY: &[EventType] = &[
    EventType::KVb,
    EventType::RIn,
    EventType::KKv,
    EventType::KPu,
    EventType::RFv,
    EventType::RBu,
    EventType::KCl,
    EventType::RUk,
    EventType::RKs,
    EventType::KSv,
    EventType::RAu,
    EventType::RUk,
    EventType::KCl,
    EventType::KHt,
    EventType::KRb,
    EventType::KSip,
    EventType::RUm,
    EventType::RUi,
    EventType::RUt,
    EventType::RUi,
    EventType::KUf,
];

const OUTPATIENT: &[EventType] = &[
    EventType::KHi,
    EventType::KOb,
    EventType::ROs,
    EventType::KKs,
    EventType::KSip,
    EventType::KOb,
    EventType::ROs,
    EventType::KUf,
    EventType::KHa,
    EventType::KAv,
];

impl Templates {
    pub(crate) fn read() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/types");
        let read = |code: &str| {
            let bytes = std::fs::read(folder.join(format!("{code}.json"))).expect("an example");
            vardbro::map::read(&bytes, 32, TODAY).expect("a good example").event
        };
        let events = CATALOGUE.iter().map(|row| (row.kind, read(row.code))).collect();
        let person = |(of, kind, number): &(IdType, PersonIdKind, &str)| (*of, PersonId::parse(*kind, number, TODAY).expect("a number"));
        Self { events, people: PEOPLE.iter().map(person).collect(), key: ReferenceKey::new(&[7; 32]) }
    }

    /// An event of a type with nothing said beyond its body.
    pub(crate) fn event(&self, kind: EventType, id: &str, occurred_at: Timestamp) -> CareEvent {
        let mut event = self.events[&kind].clone();
        event.head.event_id = text(id);
        event.head.occurred_at = occurred_at;
        event.head.sent_at = None;
        event.head.consent = None;
        event.head.recipients = None;
        event.head.ref_to = None;
        event.head.region_message_id = (!kind.is_sent()).then(|| text(&region_id(id)));
        event.head.circumstances = None;
        self.person(&mut event, 0);
        event
    }

    /// Makes it about another of the persons.
    pub(crate) fn person(&self, event: &mut CareEvent, place: usize) {
        let (of, number) = &self.people[place];
        event.head.patient.id = text(PEOPLE[place].2);
        event.head.patient.id_type = *of;
        event.patient.id = number.clone();
    }

    pub(crate) fn fact(&self, step: &Step) -> Fact {
        episode::fact(&step.event, &Links::of(&step.event, &self.key), step.version, &[])
    }
}

/// The facts of a history, as they would stand when its steps had come in this order.
pub(crate) fn arrived<'a>(facts: impl IntoIterator<Item = &'a Fact>) -> Vec<Fact> {
    let mut out = Vec::new();
    for fact in facts {
        episode::add(&mut out, fact.clone());
    }
    out
}

fn text<const MAX: usize>(text: &str) -> Text<MAX> {
    Text(Personal::new(text.to_owned()))
}

fn region_id(id: &str) -> String {
    format!("REG-{id}")
}

/// Makes histories one after the other.
pub(crate) struct Maker<'a> {
    templates: &'a Templates,
    random: &'a mut Random,
    steps: History,
    now: Timestamp,
    person: usize,
}

impl<'a> Maker<'a> {
    /// A history of 2 to 16 events.
    pub(crate) fn make(templates: &'a Templates, random: &'a mut Random) -> History {
        let day = plus_days(*random.pick(STARTS), i64::try_from(random.below(8)).expect("small"));
        let person = if random.percent(10) { 3 } else { 0 };
        let mut maker = Self { templates, random, steps: Vec::new(), now: at(day, Time::constant(8, 0, 0, 0)), person };
        let target = 2 + maker.random.below(13);
        while maker.steps.len() < target {
            let keep = 35 + maker.random.below(60);
            let flow = if maker.random.percent(70) { STAY } else { OUTPATIENT };
            for kind in flow {
                if maker.steps.len() < target && maker.random.percent(keep) {
                    maker.one(*kind);
                }
                if maker.steps.len() < target && maker.random.percent(8) {
                    let row = maker.random.below(CATALOGUE.len());
                    maker.one(CATALOGUE[row].kind);
                }
            }
        }
        if maker.random.percent(50) {
            maker.afterthought();
        }
        if maker.random.percent(25) {
            maker.afterthought();
        }
        maker.steps
    }

    /// Time goes on: by minutes, hours or days, to a time of day at which something may turn, or not at all.
    fn tick(&mut self) {
        let random = &mut *self.random;
        self.now = match random.below(10) {
            0 => self.now,
            1..=3 => self.now + random.minutes(120),
            4..=6 => self.now + random.minutes(24 * 60),
            7 => {
                let times = [Time::midnight(), Time::constant(12, 0, 0, 0), Time::constant(12, 0, 1, 0), Time::constant(2, 30, 0, 0)];
                let time = *random.pick(&times);
                at(plus_days(local_day(self.now), 1 + i64::from(random.percent(30))), time)
            }
            8 => at(plus_days(local_day(self.now), 1), Time::midnight()) - SignedDuration::from_millis(1),
            _ => self.now + random.minutes(6 * 24 * 60),
        };
    }

    fn one(&mut self, kind: EventType) {
        self.tick();
        let id = format!("E-{:02}", self.steps.len() + 1);
        let event = self.event(kind, &id, self.now);
        self.steps.push(Step { id, event, version: 1 });
    }

    /// A voiding, a correction, or a new version of something, before or after it.
    fn afterthought(&mut self) {
        let place = self.random.below(self.steps.len());
        let Step { id: of, event: target, version } = self.steps[place].clone();
        let id = format!("E-{:02}", self.steps.len() + 1);
        let moved = match self.random.below(4) {
            0 => target.head.occurred_at - self.random.minutes(36 * 60),
            1 => target.head.occurred_at,
            _ => target.head.occurred_at + self.random.minutes(72 * 60),
        };
        let kind = target.head.kind;
        match self.random.below(10) {
            0..=4 => {
                let kind = if kind.is_sent() || self.random.percent(20) { EventType::KMk } else { EventType::RMk };
                let mut event = self.templates.event(kind, &id, moved);
                self.templates.person(&mut event, self.person);
                self.refer(&mut event, &of, &target, version);
                if let Body::KMk(body) | Body::RMk(body) = &mut event.body {
                    body.reason_code = VoidReason::WrongContent;
                }
                self.steps.push(Step { id, event, version: 1 });
            }
            5..=7 => {
                let mut event = self.event(kind, &id, moved);
                event.head.corrects = Some(text(&of));
                self.steps.push(Step { id, event, version: 1 });
            }
            _ => {
                let moved = if self.random.percent(50) { target.head.occurred_at } else { moved };
                let event = self.event(kind, &of, moved);
                let newest = self.steps.iter().filter(|step| step.id == of).map(|step| step.version).max();
                self.steps.push(Step { id: of, event, version: newest.unwrap_or(0) + 1 });
            }
        }
    }

    /// Says of which event another one speaks, in one of the ways there are.
    fn refer(&mut self, event: &mut CareEvent, of: &str, target: &CareEvent, version: u32) {
        let mut to = RefTo { message_id: None, event_id: None, region_message_id: None };
        match (self.random.below(4), target.head.kind.is_sent()) {
            (0, true) => {
                to.message_id = Some(MessageId::of("test-journal", of, target.head.kind.code(), version));
            }
            (0 | 1, false) => to.region_message_id = Some(text(&region_id(of))),
            (2, _) if matches!(event.head.kind, EventType::KMk | EventType::RMk) => {
                event.head.cancels = Some(text(of));
                return;
            }
            _ => to.event_id = Some(text(of)),
        }
        event.head.ref_to = Some(to);
    }

    fn event(&mut self, kind: EventType, id: &str, occurred_at: Timestamp) -> CareEvent {
        let mut event = self.templates.event(kind, id, occurred_at);
        let person = if self.random.percent(3) { self.random.below(PEOPLE.len()) } else { self.person };
        self.templates.person(&mut event, person);
        if self.random.percent(1) {
            event.head.patient.protected = Some(Protection::Sekretessmarkering);
            event.patient.protected = Protection::Sekretessmarkering;
        }
        if !kind.is_sent() && self.random.percent(90) {
            event.head.sent_at = Some(occurred_at + self.random.minutes(10) * i32::from(self.random.percent(60)));
        }
        let consent = match self.random.below(20) {
            0 => Some(ConsentStatus::NotGiven),
            1 => Some(ConsentStatus::Menprovning),
            2..=14 => Some(ConsentStatus::Given),
            _ => None,
        };
        event.head.consent = consent.map(|status| vardbro::model::event::Consent { status, recorded_at: None, basis: None });
        if self.random.percent(50) {
            event.head.circumstances = Some(self.circumstances());
        }
        if matches!(kind, EventType::KKv | EventType::ROs | EventType::RAk | EventType::KMk | EventType::RMk) && !self.steps.is_empty() {
            let place = self.random.below(self.steps.len());
            let Step { id: of, event: target, version } = self.steps[place].clone();
            let must = matches!(kind, EventType::KMk | EventType::RMk);
            if must || self.random.percent(60) {
                self.refer(&mut event, &of, &target, version);
            }
        }
        self.body(&mut event.body, occurred_at);
        event
    }

    fn circumstances(&mut self) -> Circumstances {
        let mut said = |likely: usize| self.random.percent(60).then(|| self.random.percent(likely));
        let mut out = Circumstances {
            home_health_care: said(50),
            home_services: said(50),
            medicine_help: said(50),
            dose_packaging: None,
            aids_needed: said(20),
            lives_alone: said(50),
            discharge_to: None,
            relative_exists: said(50),
            guardian_exists: said(10),
            infection: said(10),
            palliative: said(10),
            medication_changed: said(30),
            adl_changed: said(20),
            advanced_care: said(20),
            hospital_sip: said(60),
            municipality: None,
            both_providers_needed: said(60),
        };
        out.discharge_to = self.random.percent(50).then(|| *self.random.pick(&[Destination::Home, Destination::ShortTerm]));
        let payers = [PayingMunicipality::Registered, PayingMunicipality::PlacedByUs, PayingMunicipality::PlacedByOther];
        out.municipality = self.random.percent(10).then(|| *self.random.pick(&payers));
        out
    }

    fn body(&mut self, body: &mut Body, now: Timestamp) {
        let random = &mut *self.random;
        let hours = |random: &mut Random, bound: usize| random.minutes(bound * 60);
        match body {
            Body::RIn(notice) => {
                notice.admitted_at = now - hours(random, 30);
                notice.judged_at = random.percent(30).then(|| notice.admitted_at + hours(random, 20));
                notice.estimated_discharge_at = random.percent(90).then(|| now + hours(random, 8 * 24));
                notice.ward.specialty = *random.pick(&[Specialty::Somatik, Specialty::Somatik, Specialty::Psykiatri]);
            }
            Body::RBu(estimate) => estimate.estimated_discharge_at = now + hours(random, 6 * 24) - hours(random, 24),
            Body::RUm(planned) => planned.planned_discharge_at = now + hours(random, 72),
            Body::RUk(ready) => {
                ready.open_care_available = *random.pick(&[Some(true), Some(true), Some(true), Some(false), None]);
                ready.ready_at = now;
            }
            Body::RUt(discharged) => discharged.discharged_at = now - random.minutes(120) * i32::from(random.percent(50)),
            Body::KHt(take_home) => {
                take_home.answer = if random.percent(80) { CanReceive::Can } else { CanReceive::Cannot };
                take_home.obstacle_code = (take_home.answer == CanReceive::Cannot).then_some(Obstacle::NoPlace);
            }
            Body::KCl(update) => {
                let one = update.items.0[0].clone();
                let whole = random.percent(60);
                update.items.0.clear();
                for number in 1..=26 {
                    if !whole && !random.percent(30) {
                        continue;
                    }
                    let mut entry = one.clone();
                    entry.code = ItemCode::parse(&format!("CL{number:02}")).expect("a code");
                    let open = !whole && random.percent(40);
                    entry.status = if open { *random.pick(&[ItemStatus::Pagar, ItemStatus::Saknas]) } else { ItemStatus::Klar };
                    if random.percent(3) {
                        entry.status = ItemStatus::EjAktuell;
                        entry.reason = Some(text("Behövs inte"));
                    }
                    entry.share = *random.pick(&[None, Some(Party::K), Some(Party::K), Some(Party::Sv)]);
                    if whole {
                        entry.share = Some(Party::K);
                    }
                    update.items.0.push(entry);
                }
                if update.items.0.is_empty() {
                    update.items.0.push(one);
                }
            }
            _ => self.body_of_plans(body, now),
        }
    }

    fn body_of_plans(&mut self, body: &mut Body, now: Timestamp) {
        let random = &mut *self.random;
        let hours = |random: &mut Random, bound: usize| random.minutes(bound * 60);
        let days = |random: &mut Random, bound: usize| plus_days(local_day(now), i64::try_from(random.below(bound)).expect("small"));
        match body {
            Body::RKs(call) => call.meeting_at = random.percent(80).then(|| now + hours(random, 10 * 24)),
            Body::KKs(call) => call.meeting_at = now + hours(random, 20 * 24),
            Body::KSip(plan) => plan.follow_up_date = days(random, 30),
            Body::KRb(assessment) => assessment.assessed_on = plus_days(days(random, 3), -2),
            Body::KUf(follow_up) => {
                follow_up.closed = random.percent(50);
                follow_up.next_date = random.percent(50).then(|| days(random, 30));
            }
            Body::KHi(enrolment) => enrolment.start_date = plus_days(days(random, 4), -2),
            Body::KHa(end) => end.end_date = plus_days(days(random, 4), -2),
            Body::KOb(request) => request.answer_by = now + hours(random, 5 * 24),
            Body::ROs(answer) => {
                answer.answer =
                    *random.pick(&[None, Some(RequestAnswer::Done), Some(RequestAnswer::MoreNeeded), Some(RequestAnswer::Declined)]);
            }
            Body::RMb(note) | Body::RPm(note) | Body::KPm(note) | Body::KAd(note) => {
                note.category = *random.pick(&[NoteCategory::NotAdmitted, NoteCategory::Other]);
            }
            Body::KAv(interruption) | Body::RAv(interruption) => {
                interruption.reason_code = *random.pick(&[InterruptionReason::Deceased, InterruptionReason::NoNeed]);
                interruption.at = now;
            }
            _ => {}
        }
    }
}
