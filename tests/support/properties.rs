//! What must hold for every history, whatever happened in it.

#![expect(clippy::expect_used, reason = "a broken test shall stop")]

use super::history::{Random, Step, Templates, arrived};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use vardbro::episode::{self, Alarm, Alarms, Rung, fold, ring};
use vardbro::model::calendar::{begin, hours};
use vardbro::model::catalogue::EventType;
use vardbro::model::episode::{CORRECTED, ClockStatus, EpisodeState, Fact, Payment, PaymentPhase, Phase, Stay, VOID, What};
use vardbro::model::regime::Regime;

/// A property, under the name by which a failure is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Property {
    Arrival,
    Discounted,
    Voided,
    Sane,
    Transitions,
    Time,
    Alarms,
}

pub(crate) const PROPERTIES: &[Property] =
    &[Property::Arrival, Property::Discounted, Property::Voided, Property::Sane, Property::Transitions, Property::Time, Property::Alarms];

impl Property {
    /// Whether a history is tried with it: the dear ones look at a share only.
    pub(crate) fn looks_at(self, number: usize) -> bool {
        match self {
            Self::Arrival => true,
            Self::Sane | Self::Discounted => number.is_multiple_of(2),
            Self::Voided => number % 2 == 1,
            Self::Time => number % 6 == 1,
            Self::Alarms => number % 12 == 3,
            Self::Transitions => number % 18 == 5,
        }
    }

    /// Says what is wrong, if anything is. The same seed gives the same answer.
    pub(crate) fn check(self, tried: &Tried, seed: u64) -> Result<(), String> {
        let random = &mut Random::new(seed);
        match self {
            Self::Arrival => tried.arrival(random),
            Self::Discounted => tried.discounted(random),
            Self::Voided => tried.voided(random),
            Self::Sane => tried.sane(random),
            Self::Transitions => tried.transitions(),
            Self::Time => tried.time(random),
            Self::Alarms => tried.alarms(random),
        }
    }
}

/// A history under a set of rules.
pub(crate) struct Tried<'a> {
    regime: &'a Regime,
    history: &'a [Step],
    /// In the order of making.
    facts: Vec<Fact>,
    in_order: Vec<Fact>,
}

impl<'a> Tried<'a> {
    pub(crate) fn new(templates: &Templates, regime: &'a Regime, history: &'a [Step]) -> Self {
        let facts: Vec<Fact> = history.iter().map(|step| templates.fact(step)).collect();
        let in_order = arrived(&facts);
        Self { regime, history, facts, in_order }
    }
}

fn ensure(holds: bool, text: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(text()) }
}

/// The fields in which two states differ.
fn differences(one: &EpisodeState, other: &EpisodeState) -> String {
    let (one, other) = (format!("{one:#?}"), format!("{other:#?}"));
    let (left, right): (Vec<&str>, Vec<&str>) = (one.lines().collect(), other.lines().collect());
    let lost = left.iter().filter(|line| !right.contains(line)).map(|line| format!("  - {line}"));
    let won = right.iter().filter(|line| !left.contains(line)).map(|line| format!("  + {line}"));
    lost.chain(won).collect::<Vec<_>>().join("\n")
}

fn same(what: &str, one: &EpisodeState, other: &EpisodeState) -> Result<(), String> {
    ensure(one == other, || format!("{what}:\n{}", differences(one, other)))
}

/// What tells of facts that do not count, and nothing else: why they do not, and that the case is void for it.
fn without_the_discounted(state: &EpisodeState) -> EpisodeState {
    let mut state = state.clone();
    state.ignored.clear();
    state.waiting.clear();
    // Protection, once said, holds whatever becomes of the event that said it.
    state.protected = vardbro::model::event::Protection::None;
    if state.phase == Phase::Voided {
        state.phase = Phase::New;
    }
    state
}

impl Tried<'_> {
    fn fold(&self, facts: &[Fact], now: Timestamp) -> EpisodeState {
        fold(facts, self.regime, now)
    }

    /// A moment in the history or in the weeks after it.
    fn moment(&self, random: &mut Random) -> Timestamp {
        let fact = &self.in_order[random.below(self.in_order.len())];
        let minutes = [0, 1, 59, 24 * 60, 40 * 24 * 60][random.below(5)];
        fact.occurred_at + SignedDuration::from_mins(i64::try_from(random.below(minutes + 1)).expect("small"))
    }

    /// Neither the order of arrival, nor repetition, nor an old version that comes late changes the facts or the state.
    fn arrival(&self, random: &mut Random) -> Result<(), String> {
        let mut order: Vec<&Fact> = self.facts.iter().collect();
        for _ in 0..self.facts.len() / 2 {
            order.push(&self.facts[random.below(self.facts.len())]);
        }
        random.shuffle(&mut order);
        let shuffled = arrived(order.iter().copied());
        // The fold sees nothing but the facts and the moment; equal facts need no second fold, but a share gets it.
        ensure(shuffled == self.in_order, || "the facts depend on the order of arrival".to_owned())?;
        if random.percent(4) {
            for _ in 0..3 {
                let now = self.moment(random);
                same("state after another order of arrival", &self.fold(&self.in_order, now), &self.fold(&shuffled, now))?;
            }
        }
        Ok(())
    }

    /// What is void or corrected counts as little as if it had never come: the rest of the history alone leads to the same
    /// state, clocks and deviations; only `ignored`, `waiting` and the name of an empty case differ.
    fn discounted(&self, random: &mut Random) -> Result<(), String> {
        if !self.in_order.iter().any(undoes) {
            return Ok(());
        }
        let now = self.moment(random);
        let whole = self.fold(&self.in_order, now);
        let gone: BTreeSet<&String> =
            whole.ignored.iter().filter(|(_, why)| **why == VOID || **why == CORRECTED).map(|(event, _)| event).collect();
        if gone.is_empty() || self.in_order.iter().any(|fact| gone.contains(&fact.event) && undoes(fact)) {
            return Ok(());
        }
        let rest: Vec<Fact> = self.in_order.iter().filter(|fact| !gone.contains(&fact.event)).cloned().collect();
        same("without what does not count", &without_the_discounted(&whole), &without_the_discounted(&self.fold(&rest, now)))
    }

    /// A voided event and its voiding together leave nothing. Voidings made here say nothing of their own but whom they are
    /// about, so `seen`, `patient` and `two_persons` are left out beside `ignored`, `waiting` and the name of an empty case.
    fn voided(&self, random: &mut Random) -> Result<(), String> {
        let now = self.moment(random);
        let mut gone = BTreeSet::new();
        for (voiding, step) in self.in_order.iter().filter_map(|fact| Some((fact, self.step_of(fact)?))) {
            let quiet = step.event.head.circumstances.is_none() && voiding.consent.is_none() && voiding.protected.is_none();
            let target = episode::is_void(voiding.kind).then(|| episode::target_of(voiding, &self.in_order)).flatten();
            if let Some(target) = target.filter(|_| quiet && voiding.corrects.is_none()) {
                gone.extend([voiding.event.clone(), target.event.clone()]);
            }
        }
        let others = self.in_order.iter().filter(|fact| !gone.contains(&fact.event));
        let tangled = others.clone().any(|fact| fact.corrects.as_ref().is_some_and(|corrected| gone.contains(corrected)));
        if gone.is_empty() || tangled || self.in_order.iter().any(|fact| gone.contains(&fact.event) && fact.corrects.is_some()) {
            return Ok(());
        }
        let rest: Vec<Fact> = others.cloned().collect();
        let bare = |facts: &[Fact]| {
            let mut state = without_the_discounted(&self.fold(facts, now));
            state.patient = None;
            state.two_persons = false;
            state.seen.retain(|kind| !episode::is_void(*kind));
            state
        };
        same("without the voided and their voidings", &bare(&self.in_order), &bare(&rest))
    }

    fn step_of(&self, fact: &Fact) -> Option<&Step> {
        self.history.iter().find(|step| step.id == fact.id && step.version == fact.version)
    }

    /// What no state may be.
    fn sane(&self, random: &mut Random) -> Result<(), String> {
        let now = self.moment(random);
        let state = self.fold(&self.in_order, now);
        let mut keys = BTreeSet::new();
        for due in state.clocks() {
            ensure(due.warn_at <= due.due_at, || format!("{} is warned of after it is due", due.key()))?;
            ensure(keys.insert(due.key()), || format!("two due times are called {}", due.key()))?;
            ensure(due.met_at.is_none() || due.ended_at.is_none(), || format!("{} is met and ended", due.key()))?;
        }
        for stay in state.stays() {
            sane_stay(stay, now)?;
        }
        let look_at = state.look_at.unwrap_or(Timestamp::MAX);
        ensure(look_at > now, || format!("looks again at {look_at}, which is not after {now}"))?;
        let counted = self.in_order.iter().filter(|fact| !state.ignored.contains_key(&fact.event));
        let left = counted.filter(|fact| fact.kind == EventType::RUt).count();
        let discharged = state.stays().filter(|stay| stay.discharged_at.is_some()).count();
        ensure(left == 0 || (1..=left).contains(&discharged), || format!("{left} R-UT, {discharged} discharged stays"))
    }

    /// Facts in their order, one by one: what each does to the phase, and what time does in between, is documented.
    /// What is corrected or void rewrites the past, so such histories are left out.
    fn transitions(&self) -> Result<(), String> {
        if self.in_order.iter().any(|fact| fact.corrects.is_some() || episode::is_void(fact.kind)) {
            return Ok(());
        }
        let (mut before, mut then) = (EpisodeState::default(), Timestamp::MIN);
        for (place, fact) in self.in_order.iter().enumerate() {
            let now = fact.occurred_at;
            let waited = if place == 0 { before.clone() } else { self.fold(&self.in_order[..place], now) };
            let text = |why: &str, one: Phase, other: Phase| format!("{why}: {} -> {} ({then} to {now})", one.code(), other.code());
            ensure(by_time(before.phase, waited.phase), || text("time alone", before.phase, waited.phase))?;
            let after = self.fold(&self.in_order[..=place], now);
            ensure(by_fact(fact, waited.phase, &after), || text(fact.kind.code(), waited.phase, after.phase))?;
            if fact.kind == EventType::RUt {
                left(fact, &after)?;
            }
            (before, then) = (after, now);
        }
        Ok(())
    }

    /// Between now and `look_at` nothing changes but what is counted in days up to now; nor does a due time's standing.
    fn time(&self, random: &mut Random) -> Result<(), String> {
        let now = self.moment(random);
        let state = self.fold(&self.in_order, now);
        let end = state.look_at.unwrap_or(now + hours(400 * 24));
        let length = usize::try_from(end.duration_since(now).as_nanos()).expect("forward");
        let instants =
            [now + SignedDuration::from_nanos(i64::try_from(random.below(length)).expect("small")), end - SignedDuration::from_nanos(1)];
        for instant in instants {
            let later = self.fold(&self.in_order, instant);
            same(&format!("from {now} to {instant}, before {end}"), &without_days(&state), &without_days(&later))?;
            for (one, other) in state.clocks().zip(later.clocks()) {
                let (was, is) = (one.status(now), other.status(instant));
                ensure(was == is, || format!("{} goes from {was:?} to {is:?} unannounced, {now} to {instant}", one.key()))?;
            }
        }
        Ok(())
    }

    /// At increasing moments each alarm opens once, closes once, is told again no sooner than it may be, and the next reminder
    /// lies ahead. Where events come in between, a due time may move, and its alarm open again.
    fn alarms(&self, random: &mut Random) -> Result<(), String> {
        let again = hours(self.regime.parameters.alarm_again_h);
        let mut alarms = Alarms::new();
        let mut now = self.in_order[0].occurred_at;
        let mut opened: BTreeMap<String, usize> = BTreeMap::new();
        let grows = random.percent(50);
        for round in 1..=8 {
            let heard = if grows { (self.in_order.len() * round / 8).max(1) } else { self.in_order.len() };
            let state = self.fold(&self.in_order[..heard], now);
            let before = alarms.clone();
            let (rung, remind_at) = ring(&mut alarms, &state, self.regime, now);
            ensure(remind_at.is_none_or(|at| at > now), || format!("reminds at {remind_at:?}, which is not after {now}"))?;
            let wanted = state.clocks().filter(|due| matches!(due.status(now), ClockStatus::Near | ClockStatus::Overdue)).count();
            ensure(alarms.len() == wanted, || format!("{} alarms, {wanted} due times near or overdue", alarms.len()))?;
            for key in alarms.keys().filter(|key| !before.contains_key(*key)) {
                *opened.entry(key.clone()).or_default() += 1;
                ensure(opened[key] == 1 || grows, || format!("{key} opens a second time at {now}"))?;
            }
            let closed = rung.iter().filter(|told| told.rung == Rung::Closed).count();
            let gone = before.keys().filter(|key| !alarms.contains_key(*key)).count();
            ensure(closed == gone, || format!("{closed} told closed, {gone} are"))?;
            ensure(rung.iter().all(|told| !before.is_empty() || told.rung != Rung::Still), || "still, yet never opened".to_owned())?;
            for (key, alarm) in &alarms {
                let known = before.get(key);
                let again_told = |known: &Alarm| known.overdue && alarm.overdue && alarm.told_at != known.told_at;
                let early = known.is_some_and(|known| again_told(known) && alarm.told_at < known.told_at + again);
                ensure(!early, || format!("{key} told again too soon, {now}"))?;
            }
            let (second, _) = ring(&mut alarms, &state, self.regime, now);
            ensure(second.is_empty(), || format!("told twice at {now}: {second:?}"))?;
            now = match random.below(3) {
                0 => state.look_at.unwrap_or(now + hours(30)),
                1 => remind_at.unwrap_or(now + hours(5)),
                _ => now + SignedDuration::from_mins(i64::try_from(1 + random.below(72 * 60)).expect("small")),
            };
        }
        Ok(())
    }
}

/// A fact that takes another one back and does not count itself. What then becomes of that other one is tried by name.
fn undoes(fact: &Fact) -> bool {
    fact.corrects.is_some() || episode::is_void(fact.kind)
}

fn without_days(state: &EpisodeState) -> EpisodeState {
    let mut state = state.clone();
    if let Some(stay) = &mut state.stay {
        stay.payment = Payment { ready_days: None, charged_days: 0, sek: None, ..stay.payment.clone() };
    }
    state
}

fn sane_stay(stay: &Stay, now: Timestamp) -> Result<(), String> {
    let late = |rule: &str| stay.deviations.iter().any(|deviation| deviation.rule == rule);
    let early = ["CHK-1", "CHK-2", "SIP-1"].into_iter().find(|rule| late(rule) && stay.discharged_at.is_none());
    ensure(early.is_none(), || format!("{} before a discharge", early.unwrap_or_default()))?;
    let payment = &stay.payment;
    ensure((payment.phase == PaymentPhase::Blocked) != payment.blocks.is_empty(), || format!("{payment:?}"))?;
    if payment.phase == PaymentPhase::Triggered {
        let until = stay.end().unwrap_or(now);
        let begins = payment.starts_on.map(begin);
        ensure(begins.is_some_and(|begins| until >= begins), || format!("paid for before it begins: {payment:?} {until}"))?;
    }
    ensure(payment.charged_days >= 0 && payment.ready_days.is_none_or(|days| days >= 0), || format!("{payment:?}"))?;
    ensure(!stay.phase.is_inpatient() || stay.end().is_none(), || "in a stay that has ended".to_owned())
}

/// A discharge is always taken in: the stay has ended, whatever ended it before.
fn left(fact: &Fact, state: &EpisodeState) -> Result<(), String> {
    let What::Discharge { discharged_at } = fact.what else { return Err("R-UT without a discharge".to_owned()) };
    let stay = state.stay.as_ref().ok_or("R-UT without a stay")?;
    let gone = matches!(stay.phase, Phase::Discharged | Phase::FollowUp | Phase::Closed | Phase::Interrupted);
    ensure(stay.discharged_at == Some(discharged_at) && gone, || format!("after R-UT {:?} {:?}", stay.phase, stay.discharged_at))
}

/// Time closes an announcement that led to nothing, and a discharged case. Care outside the hospital may go on beside both.
fn by_time(from: Phase, to: Phase) -> bool {
    use Phase::{Announced, Closed, Discharged, FollowUp, Outpatient};
    from == to || matches!((from, to), (Announced, Closed | Outpatient) | (Discharged, FollowUp | Closed | Outpatient))
}

/// The arrows of the state machine in domain section 9, and those that a case of several stays and of outpatient care adds.
fn by_fact(fact: &Fact, from: Phase, state: &EpisodeState) -> bool {
    use EventType::{KAv, KHa, KHi, KKs, KOb, KSip, KUf, KVb, RAu, RAv, RDo, RIn, RKs, RMb, ROs, RUk, RUt};
    use Phase::{Admitted, Announced, Closed, Discharged, FollowUp, Interrupted, New, Outpatient, Planning, Ready, TakeHomeConfirmed};
    let settled = matches!(from, New | Outpatient | Closed | Interrupted | FollowUp | Discharged);
    let (kind, to) = (fact.kind, state.phase);
    from == to
        || match to {
            // The announcement, from anywhere outside a stay.
            Announced => kind == KVb && settled,
            Admitted => kind == RIn && (settled || from == Announced),
            // Planning data may have come before the notice.
            Planning => {
                (from == Admitted && kind.is_sent())
                    || (kind == RIn && (settled || from == Announced))
                    || (kind == RAu && matches!(from, Ready | TakeHomeConfirmed))
            }
            // Ready without an admission notice opens a stay, or goes on with an announcement that had lapsed.
            Ready => (kind == RUk && (settled || matches!(from, Announced | Admitted | Planning))) || from == TakeHomeConfirmed,
            // The go-ahead may have been given before the patient was ready, and items may close in any event.
            TakeHomeConfirmed => {
                from == Ready || (kind == RUk && matches!(from, New | Announced | Admitted | Planning | Outpatient | Closed))
            }
            Discharged => kind == RUt,
            // R-UT that is told long after, and the plan's own course afterwards.
            FollowUp => matches!(kind, RUt | KSip | KUf),
            Interrupted => matches!(kind, KAv | RAv | RDo),
            Outpatient => matches!(kind, KHi | KOb | KKs | RMb) || matches!(from, FollowUp | Closed),
            Closed => match from {
                New => matches!(kind, KHa | KOb | KKs | RUt),
                Announced => matches!(kind, RMb | RUt),
                FollowUp => matches!(kind, KUf | RKs | KKs),
                Outpatient => matches!(kind, KHa | ROs | KUf) || fact.consent.is_some(),
                _ => false,
            },
            New | Phase::Voided => false,
        }
}
