//! The real intake, store and deliveries of one or two replicas, with a clock and dice of the test's own, carried through a
//! sequence one operation at a time.

mod hand;
mod restore;

use crate::checks::{self, Hand};
use crate::events::{BASE, Event};
use crate::ground::Ground;
use crate::ops::{Op, Sequence, Way};
use crate::probe::{Row, Spot};
use crate::random::Random;
use crate::receiver::{Gate, Receiver, Ruling, Transmission, What, closed, receipt};
use jiff::{SignedDuration, Timestamp};
use restore::Past;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use vardbro::deliver::late::{Refused, fits, weigh};
use vardbro::deliver::{Driver, Policy, Steps};
use vardbro::intake::{Action, Intake};
use vardbro::model::answer::Answer;
use vardbro::model::dice::Dice;
use vardbro::model::ids::MessageId;
use vardbro::model::name::Name;
use vardbro::model::personal::Personal;
use vardbro::model::raw::{Incoming, Verdict};
use vardbro::model::receipt::ContentHash;
use vardbro::model::state::State;
use vardbro::model::time::{Clock, local_day};
use vardbro::store::{Claimed, Sent};
use vardbro::transport::Reply;
use vardbro::wire;

pub(crate) const DESTINATIONS: [&str; 2] = ["region", "primary"];
const RULES: [&str; 2] = ["vanersborg/2026.1", "lagen/2026.1"];
/// Rounds without any time passing; more is a loop that feeds itself.
const ROUNDS_MAX: usize = 500;

/// A clock that stands until it is set; or, while the store fails, goes on whenever somebody looks.
#[derive(Debug)]
pub(crate) struct StandingClock(Mutex<(Timestamp, SignedDuration)>);

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        let mut inner = self.0.lock().expect("no panic while it was held");
        let leap = inner.1;
        inner.0 += leap;
        inner.0
    }
}

impl StandingClock {
    fn pass(&self, time: SignedDuration) {
        self.0.lock().expect("no panic while it was held").0 += time;
    }

    fn leap(&self, time: SignedDuration) {
        self.0.lock().expect("no panic while it was held").1 = time;
    }
}

/// Dice at which a delivery can be made to die.
#[derive(Debug)]
struct FatalDice(Mutex<Random>, AtomicBool);

impl Dice for FatalDice {
    fn bytes(&self) -> [u8; 16] {
        if self.1.swap(false, Ordering::Relaxed) {
            // As a panic, without its message.
            std::panic::resume_unwind(Box::new("died"));
        }
        let mut random = self.0.lock().expect("no panic while it was held");
        let mut out = [0; 16];
        out[..8].copy_from_slice(&random.next().to_be_bytes());
        out[8..].copy_from_slice(&random.next().to_be_bytes());
        out
    }
}

struct Replica {
    intake: Intake,
    steps: Vec<Steps<Gate>>,
}

/// A delivery under way.
struct Flight {
    replica: usize,
    destination: usize,
    claimed: Claimed,
    lease_until: Timestamp,
    future: Pin<Box<dyn Future<Output = ()>>>,
    sent: Transmission,
    /// The receiver's answer, where the message has reached it.
    reply: Option<Reply>,
}

/// How often what happened; so that a test can say that everything does.
pub(crate) type Tally = BTreeMap<String, usize>;

pub(crate) struct World<'a> {
    ground: &'a mut Ground,
    pool: &'a [Event],
    pub(crate) clock: Arc<StandingClock>,
    dice: Arc<FatalDice>,
    gate: Arc<Gate>,
    pub(crate) receiver: Receiver,
    replicas: Vec<Replica>,
    flights: Vec<Flight>,
    policy: Arc<Policy>,
    rows: Vec<Row>,
    /// Events of the pool that the store has taken, and those that their source still has.
    taken: BTreeSet<usize>,
    unheard: BTreeSet<usize>,
    broken: Option<Spot>,
    back: SignedDuration,
    hand: Hand,
    past: Past,
    pub(crate) tally: Tally,
}

impl<'a> World<'a> {
    pub(crate) fn new(ground: &'a mut Ground, sequence: &'a Sequence) -> Self {
        ground.wipe();
        let clock = Arc::new(StandingClock(Mutex::new((BASE.parse().expect("a time"), SignedDuration::ZERO))));
        let dice = Arc::new(FatalDice(Mutex::new(Random::new(1)), AtomicBool::new(false)));
        let (receiver, policy) = (Receiver::new(ground.sealer.clone()), Arc::clone(&ground.policy));
        let mut world = Self {
            ground,
            pool: &sequence.pool,
            clock,
            dice,
            gate: Arc::new(Gate::new(sequence.looks_up)),
            receiver,
            replicas: Vec::new(),
            flights: Vec::new(),
            policy,
            rows: Vec::new(),
            taken: BTreeSet::new(),
            unheard: BTreeSet::new(),
            broken: None,
            back: SignedDuration::ZERO,
            hand: Hand::default(),
            past: Past::default(),
            tally: Tally::new(),
        };
        world.replicas = (0..sequence.replicas).map(|number| world.start(number)).collect();
        world
    }

    /// A process begins.
    fn start(&self, number: usize) -> Replica {
        let store = self.ground.store(number);
        let shared: Arc<dyn Clock> = self.clock.clone();
        let driver = |name: &&str| Driver {
            destination: Name::parse(name).expect("a name"),
            transport: Arc::clone(&self.gate),
            store: store.clone(),
            policy: Arc::clone(&self.policy),
            clock: Arc::clone(&shared),
            dice: Arc::clone(&self.dice) as Arc<dyn Dice>,
            metrics: Arc::default(),
            route: Mutex::default(),
            alarms: tokio::sync::Mutex::default(),
        };
        let steps = DESTINATIONS.iter().map(driver).map(Steps::new).collect();
        let intake = Intake::new(self.ground.desk.clone(), store.clone(), Box::new(self.ground.sealer.clone()), Arc::clone(&shared));
        Replica { intake, steps }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.0.lock().expect("no panic while it was held").0
    }

    /// Does an operation, and looks whether all is as it must be.
    pub(crate) fn apply(&mut self, op: &Op) -> Result<(), String> {
        match op {
            Op::Arrive { replica, events } => self.arrive(*replica, events, true)?,
            Op::Unheard { replica, event } => self.arrive(*replica, &[*event], false)?,
            Op::Claim { replica, destination } => self.claim(replica % self.replicas.len(), *destination).map(drop)?,
            Op::Reach { flight, ruling } => {
                if let Some(place) = self.flight(*flight) {
                    self.reach(place, *ruling)?;
                }
            }
            Op::Hear { flight, way } => {
                if let Some(place) = self.flight(*flight) {
                    self.hear(place, *way, false)?;
                }
            }
            Op::Die { flight, way } => {
                if let Some(place) = self.flight(*flight) {
                    self.hear(place, *way, true)?;
                }
            }
            Op::Drop { flight } => {
                if let Some(place) = self.flight(*flight) {
                    self.flights.remove(place);
                }
            }
            Op::Round { replica } => self.round(replica % self.replicas.len()).map(drop)?,
            Op::Look { replica } => self.look(replica % self.replicas.len()).map(drop)?,
            Op::Crash { replica, reopen } => self.crash(replica % self.replicas.len(), *reopen),
            Op::Pass { seconds } => {
                let time = SignedDuration::from_secs(*seconds);
                self.back += time.min(SignedDuration::ZERO).abs();
                self.clock.pass(time);
            }
            Op::PassToDue => self.pass_to_due(),
            Op::CallBack { message, contradicts } => self.call_back(*message, *contradicts)?,
            Op::CallAstray { message } => self.call_astray(*message)?,
            Op::Break { spot } => {
                self.broken = Some(*spot);
                self.ground.probe.break_at(Some(*spot));
            }
            Op::Mend => self.mend(),
            Op::Release { held } => self.release(*held),
            Op::Move { episode } => self.move_rules(*episode),
            Op::Resend { message, all, again } => self.resend(*message, *all, *again)?,
            Op::Resolve { message, untried } => self.resolve(*message, *untried),
            Op::Serve { replica } => self.serve(replica % self.replicas.len())?,
            Op::BackUp => self.back_up(),
            Op::Restore { at_once } => self.restore(*at_once)?,
        }
        self.check()
    }

    fn mend(&mut self) {
        self.broken = None;
        self.ground.probe.break_at(None);
    }

    /// A store that was made to fail may fail; another may not.
    fn excuse<T>(&mut self, done: Result<T, vardbro::store::StoreFault>) -> Result<Option<T>, String> {
        match done {
            Ok(done) => Ok(Some(done)),
            Err(_) if self.broken.is_some() => {
                *self.tally.entry("store failed".to_owned()).or_default() += 1;
                Ok(None)
            }
            Err(fault) => Err(format!("the store fails by itself: {fault}")),
        }
    }

    fn arrive(&mut self, replica: usize, events: &[usize], heard: bool) -> Result<(), String> {
        self.read_again()?;
        let events: Vec<usize> = events.iter().map(|event| event % self.pool.len()).collect();
        let records: Vec<Incoming> = events.iter().map(|event| record(&self.pool[*event], self.now())).collect();
        let replica = replica % self.replicas.len();
        let done = self.replicas[replica].intake.batch(&records);
        let Some(verdicts) = self.excuse(done)? else {
            self.unheard.extend(events);
            return self.recount();
        };
        for (event, verdict) in events.iter().zip(verdicts) {
            let name = &self.pool[*event].name;
            match &verdict {
                Verdict::Duplicate if !self.taken.contains(event) => return Err(format!("{name} is called a duplicate at first sight")),
                Verdict::Accepted if !self.taken.insert(*event) => return Err(format!("{name} is accepted a second time")),
                Verdict::Rejected(_) if self.taken.contains(event) => return Err(format!("{name} is rejected after it was accepted")),
                Verdict::Later => return Err(format!("{name} is put off")),
                _ => {}
            }
            let word = format!("verdict {}", format!("{verdict:?}").split('(').next().unwrap_or_default());
            *self.tally.entry(word).or_default() += 1;
            let _ = if heard { self.unheard.remove(event) } else { self.unheard.insert(*event) };
        }
        let durable = self.ground.probe.number("SELECT COUNT(*) FROM event");
        if usize::try_from(durable) != Ok(self.taken.len()) {
            return Err(format!("{} events were accepted, {durable} are durable", self.taken.len()));
        }
        if !heard {
            self.crash(replica, false);
        }
        Ok(())
    }

    /// After a failure nobody was told what stands; the store is asked, by the file's name.
    fn recount(&mut self) -> Result<(), String> {
        let origins = self.ground.probe.origins();
        let lost = self.taken.iter().find(|event| !origins.contains(&self.pool[**event].name));
        if let Some(lost) = lost {
            return Err(format!("{} was accepted, and is no longer there", self.pool[*lost].name));
        }
        self.taken = (0..self.pool.len()).filter(|event| origins.contains(&self.pool[*event].name)).collect();
        Ok(())
    }

    fn flight(&self, number: usize) -> Option<usize> {
        (!self.flights.is_empty()).then(|| number % self.flights.len())
    }

    fn claim(&mut self, replica: usize, destination: usize) -> Result<usize, String> {
        let destination = destination % DESTINATIONS.len();
        let own = self.flights.iter().filter(|flight| flight.replica == replica && flight.destination == destination);
        let (asking, sending): (Vec<&Flight>, Vec<&Flight>) = own.partition(|flight| flight.claimed.waiting.is_some());
        let (sending, asking) = (sending.len(), asking.len());
        let now = self.now();
        let done = self.ground.runtime.block_on(self.replicas[replica].steps[destination].claim(sending, asking));
        let Some(claimed) = self.excuse(done)? else { return Ok(0) };
        let count = claimed.len();
        for claimed in claimed {
            checks::claim(&self.rows, &claimed, DESTINATIONS[destination], now)?;
            let lease_until = now + self.policy.lease;
            let lane = |flight: &&Flight| flight.destination == destination && flight.claimed.episode == claimed.episode;
            if let Some(other) = self.flights.iter().filter(lane).find(|flight| flight.lease_until > now && self.owns(flight))
                && !self.hand.resent.contains(&claimed.id)
            {
                return Err(format!("{} is claimed while {} of its lane is under way", claimed.message, other.claimed.message));
            }
            let mut future: Pin<Box<dyn Future<Output = ()>>> =
                Box::pin(self.replicas[replica].steps[destination].deliver(claimed.clone()));
            self.go_on(&mut future);
            if let Some(sent) = self.gate.take() {
                self.flights.push(Flight { replica, destination, claimed, lease_until, future, sent, reply: None });
            }
        }
        // What the next check compares with begins here.
        self.check()?;
        Ok(count)
    }

    /// Whether the lease is still the flight's, by what was last seen.
    fn owns(&self, flight: &Flight) -> bool {
        let token = checks::hex(&flight.claimed.token);
        self.rows.iter().any(|row| row.id == flight.claimed.id && row.token.as_deref() == Some(&token))
    }

    /// Until it waits for an answer or is done. False where it died.
    fn go_on(&self, future: &mut Pin<Box<dyn Future<Output = ()>>>) -> bool {
        let gate = &self.gate;
        // Where the store fails, the time goes on with every look, so that nobody waits for it in earnest.
        let leap = if self.broken.is_some() { SignedDuration::try_from(self.policy.lease).expect("short") } else { SignedDuration::ZERO };
        self.clock.leap(leap);
        let run = std::future::poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Pending if !gate.is_full() => Poll::Pending,
            _ => Poll::Ready(()),
        });
        let lives = catch_unwind(AssertUnwindSafe(|| self.ground.runtime.block_on(run))).is_ok();
        self.clock.leap(SignedDuration::ZERO);
        lives
    }

    /// The message arrives; or, where its lease has ended, has long been given up on the way.
    fn reach(&mut self, place: usize, ruling: Ruling) -> Result<(), String> {
        let now = self.now();
        let flight = &mut self.flights[place];
        if flight.reply.is_none() && now < flight.lease_until {
            let closed = self.rows.iter().any(|row| row.id == flight.claimed.id && row.state == State::Resolved);
            if closed && self.back.is_zero() {
                return Err(format!("{} leaves after it was closed by hand", flight.claimed.message));
            }
            let destination = DESTINATIONS[flight.destination];
            flight.reply = Some(match &flight.sent.what {
                What::Message(envelope) => self.receiver.take(destination, envelope, ruling, now)?,
                What::Question(question) => self.receiver.ask(destination, question, now),
            });
        }
        Ok(())
    }

    fn hear(&mut self, place: usize, way: Way, dies: bool) -> Result<(), String> {
        if !matches!(way, Way::Lost | Way::Closed | Way::Error) {
            self.reach(place, Ruling::Accept)?;
        }
        let mut flight = self.flights.remove(place);
        let reply = match (way, flight.reply.take()) {
            (Way::Answer, Some(reply)) => reply,
            (Way::Closed, None) => closed(),
            (Way::Error, _) => Reply::bare(Answer::ServerError { status: 500 }, Some(500)),
            (Way::Lost | Way::Closed, _) | (_, None) => Reply::bare(Answer::Lost, None),
            // What the receiver does not know it says nothing else about.
            (_, Some(reply)) if reply.answer == Answer::Absent => reply,
            (Way::Garbled, _) => Reply::bare(Answer::BadReceipt, Some(200)),
            (Way::Foreign, _) => Reply::bare(Answer::ForeignReceipt, Some(200)),
            (Way::Strange, _) => Reply::bare(Answer::Unexpected { status: 299 }, Some(299)),
            (Way::Unproved, _) => Reply::bare(Answer::Conflict { proved: false }, Some(409)),
            (Way::Pending | Way::Called, Some(reply)) => self.put_off(&flight, reply, way == Way::Pending),
        };
        let late = !self.owns(&flight);
        let word = if late { "late".to_owned() } else { format!("answer {}", reply.answer.word()) };
        *self.tally.entry(word).or_default() += 1;
        self.dice.1.store(dies, Ordering::Relaxed);
        if flight.sent.answer.send(reply).is_err() {
            return Err(format!("{} does not wait for its answer", flight.claimed.message));
        }
        let lives = self.go_on(&mut flight.future);
        self.dice.1.store(false, Ordering::Relaxed);
        if !lives && !dies {
            return Err(format!("the delivery of {} panics", flight.claimed.message));
        }
        if late {
            let row = |rows: &[Row]| rows.iter().find(|row| row.id == flight.claimed.id).cloned();
            let (before, after) = (row(&self.rows), row(&self.ground.probe.rows()));
            if before != after {
                return Err(format!("a late worker changed {}: {before:?} to {after:?}", flight.claimed.message));
            }
        }
        // After a look-up comes the message, after a conflict the look-up.
        if let Some(sent) = self.gate.take().filter(|_| lives) {
            self.flights.insert(place, Flight { sent, reply: None, ..flight });
        }
        Ok(())
    }

    /// The receiver has the message, and its receipt comes in ten minutes: at a place, or by a call.
    fn put_off(&mut self, flight: &Flight, reply: Reply, place: bool) -> Reply {
        let message = flight.claimed.message.to_string();
        if matches!(reply.answer, Answer::Refused { .. }) {
            return reply;
        }
        let due = self.now() + SignedDuration::from_mins(10);
        self.receiver.put_off(DESTINATIONS[flight.destination], &message, due);
        let place = place.then(|| Personal::new(format!("/receipts/{message}")));
        Reply { place, ..Reply::bare(Answer::Pending { retry_after: None }, Some(202)) }
    }

    /// A receipt comes by itself, as the daemon's listener takes it.
    fn take_receipt(&mut self, row: &Row, ruling: Ruling, hash: Option<ContentHash>) -> Result<Option<Result<(), Refused>>, String> {
        let now = self.now();
        let message = MessageId(row.message.parse().expect("an id"));
        let destination = Name::parse(&row.destination).expect("a name");
        let receipt = receipt(message, hash, ruling, now);
        let bytes = Personal::new(wire::receipt::write(&receipt));
        let (policy, name) = (Arc::clone(&self.policy), destination.clone());
        let weighing = move |sent: &Sent| {
            fits(sent, &receipt)?;
            Ok(weigh(sent, &receipt, &bytes, &name, now, &policy))
        };
        let done = self.ground.store(0).take_receipt(message, destination, weighing);
        Ok(self.excuse(done)?.flatten().map(|taken| taken.map(drop)))
    }

    fn call_back(&mut self, number: usize, contradicts: bool) -> Result<(), String> {
        let kept: Vec<(String, String)> = self.receiver.kept().map(|(to, message)| (to.to_owned(), message.to_owned())).collect();
        let Some((destination, message)) = (!kept.is_empty()).then(|| &kept[number % kept.len()]) else { return Ok(()) };
        let row = self.rows.iter().find(|row| row.message == *message && row.destination == *destination).cloned();
        let Some(row) = row else {
            let forgotten = self.receiver.in_another_life();
            return if forgotten { Ok(()) } else { Err(format!("{destination} has {message}, of which we know nothing")) };
        };
        let first = self.receiver.first(destination, message).expect("kept");
        // What was written before a restore may have been another content.
        let (mut ruling, hash) = (first.ruling, self.receiver.in_another_life().then_some(first.hash));
        // Nobody can know better than the first receipt; a later one is only heard.
        let contradicts = contradicts && row.state.is_end();
        if contradicts {
            ruling = if ruling == Ruling::Reject { Ruling::Accept } else { Ruling::Reject };
        }
        let taken = self.take_receipt(&row, ruling, hash)?;
        *self.tally.entry(if contradicts { "contradicted" } else { "called back" }.to_owned()).or_default() += 1;
        let now = self.ground.probe.rows().into_iter().find(|now| now.id == row.id);
        let settled = now.as_ref().is_some_and(|now| now.state.is_end());
        match taken {
            None if self.broken.is_some() => Ok(()),
            Some(Ok(())) if settled => Ok(()),
            Some(Err(Refused::OtherContent | Refused::NotSent)) if hash.is_some() && now.as_ref() == Some(&row) => Ok(()),
            _ => Err(format!("the receipt of {message}: {taken:?}, and then {now:?}")),
        }
    }

    fn call_astray(&mut self, number: usize) -> Result<(), String> {
        let unsent: Vec<Row> =
            self.rows.iter().filter(|row| row.attempts == 0 && row.last_answer.is_none() && !row.in_doubt).cloned().collect();
        let Some(row) = (!unsent.is_empty()).then(|| &unsent[number % unsent.len()]) else { return Ok(()) };
        let taken = self.take_receipt(row, Ruling::Accept, None)?;
        *self.tally.entry("called astray".to_owned()).or_default() += 1;
        let now = self.ground.probe.rows().into_iter().find(|now| now.id == row.id);
        let refused = taken == Some(Err(Refused::NotSent)) || (taken.is_none() && self.broken.is_some());
        if refused && now.as_ref() == Some(row) {
            Ok(())
        } else {
            Err(format!("a receipt for what has not left: {taken:?}, {row:?} to {now:?}"))
        }
    }

    /// Delivers all that is due, with the receiver's own answers. How many were sent.
    fn round(&mut self, replica: usize) -> Result<usize, String> {
        let mut sent = 0;
        for _ in 0..if self.broken.is_some() { 2 } else { ROUNDS_MAX } {
            let mut claimed = 0;
            for destination in 0..DESTINATIONS.len() {
                let others = self.flights.len();
                claimed += self.claim(replica, destination)?;
                while self.flights.len() > others {
                    self.hear(others, Way::Answer, false)?;
                    self.check()?;
                }
            }
            if claimed == 0 {
                return Ok(sent);
            }
            sent += claimed;
        }
        if self.broken.is_some() { Ok(sent) } else { Err("deliveries without end".to_owned()) }
    }

    fn look(&mut self, replica: usize) -> Result<Option<Timestamp>, String> {
        let now = self.now();
        for _ in 0..ROUNDS_MAX {
            let done = self.replicas[replica].intake.wake();
            match self.excuse(done)? {
                Some(Some(at)) if at <= now => {}
                next => return Ok(next.flatten()),
            }
        }
        Err("looks again without end".to_owned())
    }

    /// The process ends: what it had under way is gone, what it had not committed too.
    fn crash(&mut self, replica: usize, reopen: bool) {
        let both = reopen && self.ground.is_one_process();
        let falls = |number: usize| both || number == replica;
        self.flights.retain(|flight| !falls(flight.replica));
        if !reopen {
            self.replicas[replica] = self.start(replica);
            return;
        }
        let kept: Vec<Option<Replica>> =
            std::mem::take(&mut self.replicas).into_iter().enumerate().map(|(number, kept)| (!falls(number)).then_some(kept)).collect();
        self.ground.reopen(replica);
        self.replicas = kept.into_iter().enumerate().map(|(number, kept)| kept.unwrap_or_else(|| self.start(number))).collect();
    }

    fn pass_to_due(&self) {
        let now = self.now();
        let due = self.rows.iter().filter(|row| row.head).filter_map(|row| row.next_at).filter(|at| *at > now).min();
        let Some(due) = due else { return };
        self.clock.pass(due.duration_since(now));
    }

    fn release(&self, held: usize) {
        let rows: Vec<&Row> = self.rows.iter().filter(|row| row.state == State::Held).collect();
        if !rows.is_empty() {
            let row = rows[held % rows.len()];
            self.ask(&Action::Release { message: row.message.clone(), destination: row.destination.clone(), reason: "prövat".to_owned() });
        }
    }

    fn move_rules(&self, episode: usize) {
        let episodes = self.ground.probe.query("SELECT id, rules FROM episode ORDER BY id");
        if episodes.is_empty() {
            return;
        }
        let [Some(id), Some(from)] = &episodes[episode % episodes.len()][..] else { return };
        let to = RULES[usize::from(RULES[0] == from)];
        self.ask(&Action::Move { episode: id.clone(), from: from.clone(), to: to.to_owned() });
    }

    fn ask(&self, action: &Action) {
        let action = serde_json::to_string(action).expect("JSON");
        self.ground.store(0).ask(self.now(), "sim", &action).expect("a working store");
    }

    fn serve(&mut self, replica: usize) -> Result<(), String> {
        let done = self.replicas[replica].intake.serve();
        self.excuse(done)?;
        self.check()?;
        let open = self.ground.probe.number("SELECT COUNT(*) FROM request WHERE done_at IS NULL");
        if open == 0 {
            self.hand.asked.clear();
        }
        if open > 0 && self.broken.is_none() { Err(format!("{open} requests are not met")) } else { Ok(()) }
    }

    /// What must hold at every moment.
    fn check(&mut self) -> Result<(), String> {
        let rows = self.ground.probe.rows();
        for row in &rows {
            let before = self.rows.iter().find(|before| before.id == row.id);
            if before.is_none_or(|before| before.state != row.state) {
                *self.tally.entry(row.state.code().to_owned()).or_default() += 1;
            }
        }
        checks::change(&self.rows, &rows, &self.receiver, &self.hand)?;
        self.note_resent(&rows);
        self.rows = rows;
        self.check_numbers()?;
        checks::standing(&self.rows, &self.hand)
    }

    /// All faults end, the sources hand in what they still have, and time runs on until everything has found its end.
    pub(crate) fn settle(&mut self, long: bool) -> Result<(), String> {
        self.mend();
        while !self.flights.is_empty() {
            self.hear(0, Way::Answer, false)?;
            self.check()?;
        }
        self.read_again()?;
        for event in std::mem::take(&mut self.unheard) {
            self.arrive(0, &[event], true)?;
        }
        self.serve(0)?;
        let waits = self.rows.iter().any(|row| row.state == State::WaitingForReceipt);
        let pause = if waits { self.policy.receipt_deadline } else { self.policy.lease.max(self.policy.retry_cap.mul_f64(1.2)) };
        let bound = self.now() + pause + self.policy.probe_cap * 2 + self.back;
        self.run_until(bound)?;
        if let Some(row) = self.rows.iter().find(|row| row.open) {
            return Err(format!("at {bound}, long after all faults, this is still in its lane: {row:?}"));
        }
        self.close_alarms()?;
        if long {
            self.run_until(self.now() + SignedDuration::from_hours(24 * 5))?;
        }
        self.remember()?;
        checks::end(&self.rows, &self.ground.probe, &self.receiver, &self.hand, self.now())
    }

    /// Everything that falls due up to a moment, delivered and answered well.
    fn run_until(&mut self, until: Timestamp) -> Result<(), String> {
        for _ in 0..ROUNDS_MAX {
            let mut next: Option<Timestamp> = None;
            for replica in 0..self.replicas.len() {
                let looks = self.look(replica)?;
                self.check()?;
                self.round(replica)?;
                next = [next, looks].into_iter().flatten().min();
            }
            let now = self.now();
            // A closed way is tried again within the second, at first.
            let waits = self.rows.iter().any(|row| row.head && row.next_at.is_some_and(|at| at <= now));
            let due = self.rows.iter().filter(|row| row.head).filter_map(|row| row.next_at).filter(|at| *at > now).min();
            let soon = waits.then(|| now + SignedDuration::from_secs(1));
            let Some(next) = [next, due, soon].into_iter().flatten().filter(|at| *at > now && *at <= until).min() else { return Ok(()) };
            self.clock.pass(next.duration_since(now));
        }
        Err(format!("at {} there is no end of work", self.now()))
    }

    /// An alarm of a closed way is closed by the next message that gets through, at each replica.
    fn close_alarms(&mut self) -> Result<(), String> {
        for number in 0..3 * self.replicas.len() {
            if self.ground.probe.number("SELECT COUNT(*) FROM alarm WHERE name <> 'deadline'") == 0 {
                return Ok(());
            }
            let replica = number % self.replicas.len();
            let (at, now) = (self.after_restore(), self.now());
            let events = self.ground.templates.last(number, at);
            let done = self.replicas[replica].intake.batch(&events.each_ref().map(|event| record(event, now)));
            if !matches!(self.excuse(done)?.as_deref(), Some([Verdict::Accepted, Verdict::Accepted])) {
                return Err("the last event is not accepted".to_owned());
            }
            // A pause that a closed way has taken is over by then.
            self.clock.pass(SignedDuration::try_from(self.policy.probe_cap).expect("short"));
            self.check()?;
            self.round(replica)?;
        }
        let open = self.ground.probe.query("SELECT name, subject FROM alarm WHERE name <> 'deadline'");
        if open.is_empty() { Ok(()) } else { Err(format!("alarms stay open: {open:?}")) }
    }
}

fn record(event: &Event, now: Timestamp) -> Incoming {
    Incoming {
        source: Name::parse("journal").expect("a name"),
        origin: Personal::new(event.name.clone()),
        read: vardbro::map::read(&event.bytes, 32, local_day(now)),
        mapping: "canonical".to_owned(),
        may_grow: false,
    }
}
