//! One stay in inpatient care: how it goes on, and what follows when one looks at it.

use super::outpatient::due;
use super::{after, begin_of, is_true, says_can};
use crate::model::bodies::{Destination, ItemStatus, Party};
use crate::model::calendar::{after_noon, begin, days_between, end, hours, plus_days, weekdays_after};
use crate::model::catalogue::EventType;
use crate::model::checklist::{Stage, Statuses};
use crate::model::episode::{
    ChecklistPhase, ClockKind, Deviation, Due, EpisodeState, Fact, Payment, PaymentBlock, PaymentPhase, Phase, ReadyNotice, SipPhase, Stay,
    What,
};
use crate::model::event::{Circumstance, PayingMunicipality};
use crate::model::regime::{Regime, SipScope};
use crate::model::time::local_day;
use jiff::{Timestamp, civil::Date};

/// What the municipality does when it plans.
const PLANNING: &[EventType] =
    &[EventType::KPu, EventType::KPm, EventType::KCl, EventType::KSv, EventType::KSip, EventType::KRb, EventType::KHt];

/// A stay while its facts are read.
pub(super) struct Course {
    pub(super) stay: Stay,
    can_receive: bool,
    /// Since when the municipality's items have been done without a break.
    complete_since: Option<Timestamp>,
    after_since: Option<Timestamp>,
    pub(super) planning_data_at: Option<Timestamp>,
    take_home_at: Option<Timestamp>,
    /// The latest call to a SIP: when it was sent, by which event; and when it was answered.
    call: Option<(Timestamp, String)>,
    answered_at: Option<Timestamp>,
    contact_at: Option<Timestamp>,
    information_at: Option<Timestamp>,
    plan_at: Option<Timestamp>,
    /// The checklist as it stood at the discharge.
    frozen: Option<Frozen>,
    /// When the admission notice was due.
    notice_by: Option<Timestamp>,
}

/// What a discharge is judged by.
#[derive(Clone)]
struct Frozen {
    statuses: Statuses,
    known: Circumstance,
    /// The patient has declined the plan.
    declined: bool,
}

impl Frozen {
    fn of(state: &EpisodeState) -> Self {
        let declined = state.sip.phase == SipPhase::Declined;
        Self { statuses: state.statuses.clone(), known: state.circumstances.clone(), declined }
    }

    /// The patient will not come home.
    fn deceased(&self) -> bool {
        self.known.get("dischargeTo").is_some_and(|to| to == Destination::Deceased.code())
    }

    /// Both providers are to plan together, and the patient wants it.
    fn call_is_due(&self) -> bool {
        is_true(&self.known, "bothProvidersNeeded") && !self.declined
    }

    /// The municipality's own word that the plan is made; that the region has called is none.
    fn says_planned(&self) -> bool {
        self.statuses.iter().any(|((item, owner), status)| item.as_str() == "CL20" && *owner == Party::K && *status == ItemStatus::Klar)
    }
}

impl Course {
    pub(super) fn new(fact: &Fact, readmitted_after: Option<Timestamp>) -> Self {
        let stay = Stay {
            of: fact.event.clone(),
            phase: Phase::Announced,
            opened_at: fact.occurred_at,
            ended_at: None,
            notice_at: None,
            admitted_at: None,
            specialty: None,
            incomplete: false,
            late: false,
            estimate: None,
            planned: None,
            ready: None,
            withdrawn: Vec::new(),
            call_at: None,
            discharged_at: None,
            risk_on: None,
            readmitted_after,
            checklist: ChecklistPhase::Empty,
            items: Vec::new(),
            sip_met: None,
            payment: Payment::default(),
            deviations: Vec::new(),
            clocks: Vec::new(),
        };
        Self {
            stay,
            can_receive: false,
            complete_since: None,
            after_since: None,
            planning_data_at: None,
            take_home_at: None,
            call: None,
            answered_at: None,
            contact_at: None,
            information_at: None,
            plan_at: None,
            frozen: None,
            notice_by: None,
        }
    }

    /// The fact's own word, then what it does to the phase. `state` has heard it already.
    pub(super) fn take(&mut self, fact: &Fact, state: &EpisodeState, regime: &Regime) {
        let (statuses, known) = (&state.statuses, &state.circumstances);
        let open = |after: bool| regime.checklist.open(Party::K, statuses, known).any(|item| (item.stage == Stage::After) == after);
        // What is done after the discharge came too late for it.
        if self.stay.discharged_at.is_none() {
            self.complete_since = self.complete_since.or(Some(fact.occurred_at)).filter(|_| !open(false));
        }
        self.after_since = self.after_since.or(Some(fact.occurred_at)).filter(|_| !open(true));
        self.read(fact, regime);
        if self.stay.discharged_at.is_some() {
            self.freeze(fact, state, regime);
        }
        if self.stay.phase == Phase::Admitted && PLANNING.contains(&fact.kind) {
            self.stay.phase = Phase::Planning;
        }
        if matches!(self.stay.phase, Phase::Ready | Phase::TakeHomeConfirmed) {
            let confirmed = self.can_receive && regime.lets_receive(statuses, known);
            self.stay.phase = if confirmed { Phase::TakeHomeConfirmed } else { Phase::Ready };
        }
    }

    fn read(&mut self, fact: &Fact, regime: &Regime) {
        let stay = &mut self.stay;
        match &fact.what {
            What::Admission { .. } => self.admit(fact, regime),
            What::Estimate { at } => stay.estimate = Some(*at),
            What::Transfer { specialty } => stay.specialty = Some(*specialty),
            What::Planned { at } => stay.planned = Some(*at),
            What::Ready { open_care, specialty, .. } if stay.end().is_none() => {
                stay.specialty = specialty.or(stay.specialty);
                // Said twice, the first notice stands until it is withdrawn.
                stay.ready = stay.ready.or(Some(ReadyNotice { sent_at: fact.sent(), open_care: *open_care }));
                if matches!(stay.phase, Phase::Announced | Phase::Admitted | Phase::Planning) {
                    stay.phase = Phase::Ready;
                }
            }
            What::Discharge { discharged_at } => {
                stay.discharged_at = Some(*discharged_at);
                if !stay.phase.is_over() {
                    stay.phase = Phase::Discharged;
                }
                self.frozen = None;
            }
            What::TakeHome { .. } if !fact.unsent => {
                self.can_receive = says_can(fact) == Some(true);
                self.take_home_at = self.take_home_at.or(Some(fact.occurred_at));
            }
            What::Call { .. } if fact.kind == EventType::RKs => {
                stay.call_at = stay.call_at.or(Some(fact.sent()));
                self.call = Some((fact.sent(), fact.event.clone()));
                self.answered_at = None;
            }
            What::Risk { on } => stay.risk_on = Some(stay.risk_on.map_or(*on, |known| known.min(*on))),
            What::Plan { .. } => self.plan_at = self.plan_at.or(Some(fact.occurred_at)),
            What::NotAdmitted if stay.phase == Phase::Announced => {
                stay.phase = Phase::Closed;
                stay.ended_at = Some(fact.occurred_at);
            }
            _ => self.note(fact),
        }
    }

    /// What is known by its type alone.
    fn note(&mut self, fact: &Fact) {
        match fact.kind {
            EventType::KPu => self.planning_data_at = self.planning_data_at.or(Some(fact.occurred_at)),
            EventType::KSv => self.answered_at = self.answered_at.or(Some(fact.occurred_at)),
            EventType::RFv => self.contact_at = self.contact_at.or(Some(fact.sent())),
            EventType::RUi => self.information_at = self.information_at.or(Some(fact.sent())),
            EventType::RAu if self.stay.ready.is_some() && self.stay.end().is_none() => {
                self.stay.ready = None;
                self.stay.withdrawn.push(fact.occurred_at);
                // The go-ahead was for the discharge that is not to be.
                self.can_receive = false;
                self.take_home_at = None;
                if matches!(self.stay.phase, Phase::Ready | Phase::TakeHomeConfirmed) {
                    self.stay.phase = Phase::Planning;
                }
            }
            _ => {}
        }
    }

    fn admit(&mut self, fact: &Fact, regime: &Regime) {
        let What::Admission { admitted_at, judged_at, estimate, specialty, complete } = fact.what else { return };
        let stay = &mut self.stay;
        if stay.notice_at.is_none() {
            stay.notice_at = Some(fact.sent());
            let from = judged_at.map_or(admitted_at, |judged| judged.max(admitted_at));
            let by = from + hours(regime.parameters.admission_notice_h);
            stay.late = fact.sent() > by;
            self.notice_by = Some(by);
        }
        stay.admitted_at = Some(admitted_at);
        stay.specialty = Some(specialty);
        stay.estimate = estimate.or(stay.estimate);
        stay.incomplete = !complete;
        if stay.phase == Phase::Announced {
            stay.phase = if self.planning_data_at.is_some() { Phase::Planning } else { Phase::Admitted };
        }
    }

    /// The checklist stands still from the discharge on; the region's information has until the end of that day.
    fn freeze(&mut self, fact: &Fact, state: &EpisodeState, regime: &Regime) {
        let Some(frozen) = &mut self.frozen else {
            self.frozen = Some(Frozen::of(state));
            return;
        };
        if self.stay.discharged_at.is_some_and(|at| fact.sent() <= end(local_day(at))) {
            frozen.statuses.extend(regime.checklist.closed_by(fact.kind).map(|key| (key, ItemStatus::Klar)));
        }
    }

    /// The stay as it stands at a moment; `left` where another one has begun.
    pub(super) fn conclude(mut self, state: &EpisodeState, regime: &Regime, now: Timestamp, left: bool) -> Stay {
        self.settle(state, regime, now, left);
        let judged = self.frozen.clone().unwrap_or_else(|| Frozen::of(state));
        let items = regime.checklist.items.iter().filter(|item| item.stage != Stage::After && item.when.holds(&judged.known));
        let closed = |item, owner: &Party| matches!(judged.statuses.get(&(item, *owner)), Some(ItemStatus::Klar | ItemStatus::EjAktuell));
        self.stay.items =
            items.flat_map(|item| item.owners.iter().map(|owner| (item.code.clone(), *owner, closed(item.code.clone(), owner)))).collect();
        self.stay.checklist = self.checklist(&judged.statuses);
        self.stay.payment = self.payment(&judged, regime, now);
        let sip_is_due = sip_is_due(&judged.known, regime) && !judged.deceased();
        self.stay.sip_met = sip_is_due.then(|| self.sip_in_time(&judged, self.stay.discharged_at.map(local_day)));
        self.stay.deviations = self.deviations(&judged, regime, now, left);
        self.stay.clocks = self.clocks(&judged, regime, left.then_some(now));
        self.stay
    }

    /// What time alone does to the phase.
    fn settle(&mut self, state: &EpisodeState, regime: &Regime, now: Timestamp, left: bool) {
        let stay = &mut self.stay;
        match (stay.phase, stay.discharged_at) {
            (Phase::Announced, _) if left || now > lapses_at(stay, regime) => {
                stay.phase = Phase::Closed;
                stay.ended_at = Some(lapses_at(stay, regime).min(now));
            }
            (Phase::Discharged, Some(at)) if left || now > settles_at(at, regime) => {
                let plan = matches!(state.sip.phase, SipPhase::Made | SipPhase::FollowedUp);
                stay.phase = if plan && !left { Phase::FollowUp } else { Phase::Closed };
            }
            _ => {}
        }
    }

    fn checklist(&self, statuses: &Statuses) -> ChecklistPhase {
        let open = |mine: bool| self.stay.items.iter().any(|(_, owner, closed)| (*owner == Party::K) == mine && !closed);
        if self.stay.discharged_at.is_some() {
            return ChecklistPhase::Frozen;
        }
        match (statuses.is_empty() || self.stay.items.is_empty(), open(true), open(false)) {
            (true, _, _) => ChecklistPhase::Empty,
            (_, true, _) => ChecklistPhase::Started,
            (_, false, true) => ChecklistPhase::CompleteK,
            (_, false, false) => ChecklistPhase::CompleteAll,
        }
    }

    fn payment(&self, judged: &Frozen, regime: &Regime, now: Timestamp) -> Payment {
        let parameters = &regime.parameters;
        let payer = judged.known.get("municipality").and_then(|code| PayingMunicipality::parse(code));
        if !regime.has("PAY-1") || payer.is_some_and(|payer| !payer.is_us()) {
            return Payment::default();
        }
        let stay = &self.stay;
        let Some(ready) = stay.ready else {
            let phase = if stay.withdrawn.is_empty() { PaymentPhase::NotApplicable } else { PaymentPhase::Stopped };
            return Payment { phase, ..Payment::default() };
        };
        let sent_on = local_day(ready.sent_at);
        let wait = if after_noon(ready.sent_at) { parameters.payment_days_after_noon } else { parameters.payment_days };
        let starts_on = plus_days(sent_on, i64::from(wait));
        let until = stay.end().unwrap_or(now);
        let blocks = self.blocks(ready, judged, regime, until);
        let phase = match (blocks.is_empty(), until < begin(starts_on), stay.end()) {
            (false, _, _) => PaymentPhase::Blocked,
            (true, true, Some(_)) => PaymentPhase::Stopped,
            (true, true, None) => PaymentPhase::Running,
            (true, false, _) => PaymentPhase::Triggered,
        };
        let charged_days = days_between(starts_on, local_day(until)).max(0);
        Payment {
            phase,
            starts_on: Some(starts_on),
            ready_days: Some(days_between(sent_on, local_day(until)).max(0) + i32::from(parameters.count_day_zero)),
            charged_days,
            sek: sek(starts_on, charged_days, regime),
            blocks,
        }
    }

    /// Lag (2017:612) 5 kap. 3 och 5 §§.
    fn blocks(&self, ready: ReadyNotice, judged: &Frozen, regime: &Regime, until: Timestamp) -> Vec<PaymentBlock> {
        let stay = &self.stay;
        let called_by = end(plus_days(local_day(ready.sent_at), i64::from(regime.parameters.sip_call_days)));
        let no_call = judged.call_is_due() && stay.call_at.map_or(until > called_by, |at| at > called_by);
        [
            (stay.notice_at.is_none(), PaymentBlock::NoNotice),
            (stay.late, PaymentBlock::LateNotice),
            (no_call, PaymentBlock::NoCall),
            (ready.open_care != Some(true), PaymentBlock::OpenCare),
        ]
        .into_iter()
        .filter(|(so, _)| *so)
        .map(|(_, block)| block)
        .collect()
    }

    fn deviations(&self, judged: &Frozen, regime: &Regime, now: Timestamp, left: bool) -> Vec<Deviation> {
        let stay = &self.stay;
        let mut out = Vec::new();
        if stay.late && regime.has("IN-2") {
            out.push(Deviation { rule: "IN-2", item: None, owners: vec![Party::Sv] });
        }
        let Some(discharged_at) = stay.discharged_at.filter(|_| !judged.deceased()) else { return out };
        let open = |mine: bool| {
            let found = stay.items.iter().filter(move |(_, owner, closed)| (*owner == Party::K) == mine && !closed);
            let mut codes: Vec<_> = found.map(|(code, _, _)| code.clone()).collect();
            codes.dedup();
            codes
        };
        let owners = |code, mine: bool| {
            let found = stay.items.iter().filter(|(item, owner, closed)| *item == code && (*owner == Party::K) == mine && !closed);
            found.map(|(_, owner, _)| *owner).collect()
        };
        let mut tell = |rule, mine| {
            out.extend(open(mine).into_iter().map(|code| Deviation { rule, item: Some(code.clone()), owners: owners(code, mine) }));
        };
        if regime.has("CHK-1") {
            tell("CHK-1", true);
        }
        if regime.has("CHK-2") && (left || now > end(local_day(discharged_at))) {
            tell("CHK-2", false);
        }
        if stay.sip_met == Some(false) {
            out.push(Deviation { rule: "SIP-1", item: None, owners: vec![Party::K, Party::Ov] });
        }
        out
    }

    /// Plan and assessment, both on a day before the discharge if there was one; a patient who declined needs no plan.
    fn sip_in_time(&self, judged: &Frozen, discharged_on: Option<Date>) -> bool {
        let before = |on: Date| discharged_on.is_none_or(|discharged_on| on < discharged_on);
        let planned = judged.says_planned() || judged.declined || self.plan_at.is_some_and(|at| before(local_day(at)));
        planned && self.stay.risk_on.is_some_and(before)
    }

    fn clocks(&self, judged: &Frozen, regime: &Regime, left_at: Option<Timestamp>) -> Vec<Due> {
        let mut out = self.clocks_of_the_plan(judged, regime);
        out.extend(self.clocks_of_the_notices(judged, regime));
        let stay = &self.stay;
        let clock = |kind, owner, due_at, met_at| due(kind, &stay.of, owner, due_at, met_at, regime);
        if let Some(at) = stay.discharged_at {
            out.push(clock(ClockKind::Information, Party::Sv, end(local_day(at)), self.information_at));
            if regime.checklist.items.iter().any(|item| item.stage == Stage::After && item.owners.contains(&Party::K)) {
                out.push(clock(ClockKind::AfterItems, Party::K, settles_at(at, regime), self.after_since.map(|since| since.max(at))));
            }
        }
        if let (PaymentPhase::Running | PaymentPhase::Triggered, Some(on), None) = (stay.payment.phase, stay.payment.starts_on, stay.end())
        {
            out.push(clock(ClockKind::Payment, Party::K, begin(on), None));
        }
        let lasting = [ClockKind::Information, ClockKind::AfterItems];
        for due in out.iter_mut().filter(|due| due.met_at.is_none()) {
            due.ended_at = if lasting.contains(&due.kind) { stay.ended_at.or(left_at) } else { stay.end().or(left_at) };
        }
        // What ended before it was due was never late.
        out.retain(|due| due.ended_at.is_none_or(|ended| ended >= due.due_at));
        debug_assert!(out.iter().all(|due| due.warn_at <= due.due_at));
        out
    }

    /// What must be done before the patient leaves.
    fn clocks_of_the_plan(&self, judged: &Frozen, regime: &Regime) -> Vec<Due> {
        let stay = &self.stay;
        let clock = |kind, owner, due_at, met_at| due(kind, &stay.of, owner, due_at, met_at, regime);
        let mut out = Vec::new();
        let Some(leaves_at) = stay.leaves_at() else { return out };
        if stay.discharged_at.is_none() {
            // Patients leave about the hour, and the word of it comes after them: only hours later is something amiss.
            let late = leaves_at + hours(regime.parameters.warn_before_h);
            out.push(Due { warn_at: late, ..clock(ClockKind::Estimate, Party::Sv, late, None) });
        }
        if stay.notice_at.is_some() {
            out.push(clock(ClockKind::Contact, Party::Ov, leaves_at, self.contact_at));
        }
        if regime.has("CHK-1") && !regime.checklist.items.is_empty() {
            let warn_at = leaves_at - hours(regime.parameters.checklist_lead_h);
            out.push(Due { warn_at, ..clock(ClockKind::Checklist, Party::K, leaves_at, self.complete_since) });
        }
        if stay.sip_met.is_some() {
            let last = begin_of(leaves_at) - jiff::SignedDuration::from_nanos(1);
            let risk = stay.risk_on.map(begin);
            out.push(clock(ClockKind::Risk, Party::K, last, risk));
            if !judged.declined && !judged.says_planned() {
                out.push(clock(ClockKind::Plan, Party::K, last, self.plan_at));
            }
        }
        out
    }

    /// What the region's notices start.
    fn clocks_of_the_notices(&self, judged: &Frozen, regime: &Regime) -> Vec<Due> {
        let (stay, parameters) = (&self.stay, &regime.parameters);
        let clock = |kind, of: &str, owner, due_at, met_at| due(kind, of, owner, due_at, met_at, regime);
        let mut out = Vec::new();
        if let Some(at) = stay.notice_at {
            if let Some(by) = self.notice_by.filter(|_| regime.has("IN-2") && stay.late) {
                out.push(clock(ClockKind::AdmissionNotice, &stay.of, Party::Sv, by, Some(at)));
            }
            out.push(clock(ClockKind::PlanningData, &stay.of, Party::K, at + hours(parameters.planning_data_h), self.planning_data_at));
        }
        if let Some(ready) = stay.ready {
            let answer_by = ready.sent_at + hours(parameters.take_home_answer_h);
            out.push(clock(ClockKind::TakeHomeAnswer, &stay.of, Party::K, answer_by, self.take_home_at));
            if judged.call_is_due() {
                let by = end(plus_days(local_day(ready.sent_at), i64::from(parameters.sip_call_days)));
                out.push(clock(ClockKind::RegionCall, &stay.of, Party::Ov, by, stay.call_at));
            }
        }
        if let Some((sent_at, of)) = &self.call {
            let by = end(weekdays_after(local_day(*sent_at), parameters.call_answer_weekdays));
            out.push(clock(ClockKind::CallAnswer, of, Party::K, by, self.answered_at));
        }
        out
    }
}

/// When an announcement without an admission is over.
pub(super) fn lapses_at(stay: &Stay, regime: &Regime) -> Timestamp {
    stay.opened_at + hours(regime.parameters.not_admitted_h)
}

/// When a discharged patient's case goes over into follow-up, or is closed.
pub(super) fn settles_at(discharged_at: Timestamp, regime: &Regime) -> Timestamp {
    end(weekdays_after(local_day(discharged_at), regime.parameters.after_weekdays))
}

/// Moments at which time alone changes a stay, besides its clocks.
pub(super) fn edges(stay: &Stay, regime: &Regime) -> Vec<Timestamp> {
    let announced = (stay.phase == Phase::Announced).then(|| lapses_at(stay, regime));
    let discharged = stay.discharged_at.into_iter().flat_map(|at| [end(local_day(at)), settles_at(at, regime)]);
    let payment = stay.payment.starts_on.filter(|_| stay.end().is_none()).map(begin);
    announced.into_iter().chain(discharged).map(after).chain(payment).collect()
}

/// Whether rule SIP-1 looks at a stay.
pub(super) fn sip_is_due(known: &Circumstance, regime: &Regime) -> bool {
    regime.has("SIP-1")
        && match regime.parameters.sip_scope {
            SipScope::SipRequired => is_true(known, "hospitalSip"),
            SipScope::Flagged => is_true(known, "advancedCare"),
            SipScope::All => true,
        }
}

/// What the days cost, each by the amount of its time.
fn sek(from: Date, days: i32, regime: &Regime) -> Option<u64> {
    // A longer stay than this is a slip of the pen; the loop must have a bound.
    let days = days.min(3_660);
    (0..days).map(|n| regime.amount(plus_days(from, i64::from(n))).map(|amount| u64::from(amount.sek))).sum()
}
