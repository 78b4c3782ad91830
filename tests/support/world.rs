//! The real core in one process, with a clock, dice and a receiver of the test's own.
//!
//! Intake, rules, wire, seal, store and deliveries are those of the daemon; only what surrounds them is ours.

#![expect(clippy::expect_used, reason = "a broken test shall stop")]

use jiff::Timestamp;
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use vardbro::daemon;
use vardbro::deliver::{Driver, Steps};
use vardbro::fault::Code;
use vardbro::intake::Intake;
use vardbro::model::answer::{Answer, RouteFault};
use vardbro::model::dice::Dice;
use vardbro::model::finding::{Effect, Layer};
use vardbro::model::ids::MessageId;
use vardbro::model::name::Name;
use vardbro::model::personal::Personal;
use vardbro::model::raw::{Incoming, Verdict};
use vardbro::model::receipt::{ContentHash, ForeignCode, Receipt, ReceiptError};
use vardbro::model::state::{ReceiptReason, ReceiptStatus};
use vardbro::model::time::{Clock, local_day};
use vardbro::ops;
use vardbro::seal::{Validator, XsdValidator};
use vardbro::store::{self, Store};
use vardbro::transport::{Envelope, Question, Reply, Transport};
use vardbro::wire;

/// Most rounds without any time passing; more is a loop that feeds itself.
const ROUNDS_MAX: usize = 10_000;

/// A clock that stands until it is set.
#[derive(Debug)]
pub(crate) struct SetClock(Mutex<Timestamp>);

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().expect("no panic while it was held")
    }
}

impl SetClock {
    fn set(&self, at: Timestamp) {
        let mut now = self.0.lock().expect("no panic while it was held");
        assert!(*now <= at, "the clock runs forward: {now} to {at}");
        *now = at;
    }
}

/// The same throws in every run.
#[derive(Debug)]
pub(crate) struct CountingDice(Mutex<u64>);

impl Dice for CountingDice {
    fn bytes(&self) -> [u8; 16] {
        let mut seed = self.0.lock().expect("no panic while it was held");
        let mut out = [0; 16];
        for half in out.chunks_exact_mut(8) {
            // SplitMix64: spread well enough for ids and jitter.
            *seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut mixed = *seed;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            half.copy_from_slice(&(mixed ^ (mixed >> 31)).to_be_bytes());
        }
        out
    }
}

/// How the receiver behaves towards one transmission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Conduct {
    Accept,
    /// A status without a receipt; nothing is kept.
    Status(u16),
    /// The connection ends before the message is kept.
    DropBefore,
    /// The message is kept, and the answer is lost.
    DropAfter,
    Reject(ReceiptReason),
    /// The message is kept, and the receipt is to be had after so long.
    Later(Duration),
    /// The connection is refused for a certificate; nothing is kept.
    Certificate(RouteFault),
}

impl Conduct {
    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "accepted" => Self::Accept,
            "drop_before" => Self::DropBefore,
            "drop_after" => Self::DropAfter,
            "certificate" => Self::Certificate(RouteFault::Tls),
            "our_certificate" => Self::Certificate(RouteFault::ClientCertificate),
            _ if text.starts_with("later ") => {
                let minutes = text.strip_prefix("later ").and_then(|minutes| minutes.strip_suffix(" min")).and_then(|n| n.parse().ok());
                Self::Later(Duration::from_mins(minutes.unwrap_or_else(|| panic!("no time: {text}"))))
            }
            _ => match text.strip_prefix("rejected ") {
                Some(reason) => Self::Reject(ReceiptReason::parse(reason).unwrap_or_else(|| panic!("no reason: {reason}"))),
                None => Self::Status(text.parse().unwrap_or_else(|_| panic!("no conduct of a receiver: {text}"))),
            },
        }
    }
}

/// One entry of the script.
#[derive(Debug, Clone)]
pub(crate) struct Scripted {
    pub(crate) conduct: Conduct,
    pub(crate) times: u32,
    /// A message's type, or the beginning of its id; anything where it is not given.
    pub(crate) matching: Option<String>,
}

/// A document as the receiver has it.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) message: MessageId,
    pub(crate) kind: &'static str,
    pub(crate) hash: ContentHash,
    pub(crate) document: Vec<u8>,
}

/// The receiver: refuses what is not valid, keeps the first copy, and follows its script.
pub(crate) struct Receiver {
    clock: Arc<SetClock>,
    inner: Mutex<Inner>,
}

struct Inner {
    validator: XsdValidator,
    script: VecDeque<Scripted>,
    kept: Vec<Kept>,
    /// From when on a receipt is to be had.
    due: BTreeMap<MessageId, Timestamp>,
    looks_up: bool,
}

impl Transport for Receiver {
    async fn send(&self, envelope: Envelope) -> Reply {
        self.answer(&envelope)
    }

    async fn ask(&self, question: Question) -> Reply {
        let inner = self.inner.lock().expect("no panic while it was held");
        let kept = inner.kept.iter().find(|kept| kept.message == question.message).map(|kept| kept.hash == question.content_hash);
        let early = inner.due.get(&question.message).is_some_and(|due| *due > self.clock.now());
        match (kept, early) {
            (None, _) => Reply::bare(Answer::Absent, Some(404)),
            (Some(_), true) => Reply::bare(Answer::Pending { retry_after: None }, Some(202)),
            (Some(false), false) => Reply::bare(Answer::Conflict { proved: false }, Some(200)),
            (Some(true), false) => {
                let answer = Answer::Receipt { status: ReceiptStatus::Accepted, retryable: false, reason: None, findings: Vec::new() };
                Reply::bare(answer, Some(200))
            }
        }
    }

    fn looks_up(&self) -> bool {
        self.inner.lock().expect("no panic while it was held").looks_up
    }
}

impl Receiver {
    pub(crate) fn script(&self, entry: Scripted) {
        self.inner.lock().expect("no panic while it was held").script.push_back(entry);
    }

    /// From now on it tells of any message that it is asked about.
    pub(crate) fn look_up(&self) {
        self.inner.lock().expect("no panic while it was held").looks_up = true;
    }

    pub(crate) fn kept(&self) -> Vec<Kept> {
        self.inner.lock().expect("no panic while it was held").kept.clone()
    }

    #[expect(clippy::disallowed_methods, reason = "the receiver reads what it is sent")]
    fn answer(&self, envelope: &Envelope) -> Reply {
        let mut inner = self.inner.lock().expect("no panic while it was held");
        let document = envelope.body.disclose();
        let faults = inner.validator.validate(document);
        assert!(faults.is_empty(), "the receiver was sent an invalid document: {faults:?}");
        let read = wire::xml::read(document).expect("a message");
        assert!(read.hash_holds(document), "the hash does not hold");
        assert_eq!((read.message_id, read.envelope_id), (envelope.message, envelope.envelope));
        match inner.conduct(read.message_id, read.kind.code()) {
            Conduct::Status(status @ (401 | 403 | 404 | 429 | 502..=504)) => {
                Reply::bare(Answer::RouteDown { fault: RouteFault::Status(status), retry_after: None }, Some(status))
            }
            Conduct::Status(500) => Reply::bare(Answer::ServerError { status: 500 }, Some(500)),
            Conduct::Status(status) => Reply::bare(Answer::Refused { status }, Some(status)),
            Conduct::Certificate(fault) => Reply::bare(Answer::RouteDown { fault, retry_after: None }, None),
            Conduct::DropBefore => Reply::bare(Answer::Lost, None),
            conduct => {
                let known = inner.kept.iter().find(|kept| kept.message == read.message_id).map(|kept| kept.hash);
                if known.is_none() {
                    let (message, kind) = (read.message_id, read.kind.code());
                    inner.kept.push(Kept { message, kind, hash: read.declared_hash, document: document.clone() });
                }
                match (conduct, known) {
                    (Conduct::Later(after), None) => {
                        inner.due.insert(read.message_id, self.clock.now() + after);
                        let place = Some(Personal::new(format!("/receipts/{}", read.message_id)));
                        Reply { place, ..Reply::bare(Answer::Pending { retry_after: None }, Some(202)) }
                    }
                    (Conduct::DropAfter, _) => Reply::bare(Answer::Lost, None),
                    (_, Some(hash)) => {
                        self.receipt(envelope, Answer::Conflict { proved: hash == envelope.content_hash }, 409, ReceiptStatus::Accepted)
                    }
                    (Conduct::Reject(reason), _) => self.receipt(envelope, rejection(reason), 200, ReceiptStatus::Rejected),
                    _ => {
                        let status = ReceiptStatus::Accepted;
                        let answer = Answer::Receipt { status, retryable: false, reason: None, findings: Vec::new() };
                        self.receipt(envelope, answer, 200, status)
                    }
                }
            }
        }
    }

    fn receipt(&self, envelope: &Envelope, answer: Answer, http: u16, status: ReceiptStatus) -> Reply {
        let rejected = status == ReceiptStatus::Rejected;
        let reason = if let Answer::Receipt { reason, .. } = &answer { *reason } else { None };
        let error = || ReceiptError {
            code: ForeignCode::parse("HSA-1").expect("a code"),
            severity: None,
            path: None,
            rule: None,
            text: Some(Personal::new("Mottagaren är inte ansluten".to_owned())),
        };
        let receipt = Receipt {
            id: envelope.envelope.0,
            created_at: self.clock.now(),
            message: envelope.message,
            envelope: Some(envelope.envelope),
            content_hash: Some(envelope.content_hash),
            status,
            retryable: rejected.then_some(false),
            reason,
            errors: if rejected { vec![error()] } else { Vec::new() },
            log_id: None,
        };
        let bytes = wire::receipt::write(&receipt);
        assert_eq!(wire::receipt::read(&bytes).expect("a receipt"), receipt);
        Reply { receipt: Some(Personal::new(bytes)), ..Reply::bare(answer, Some(http)) }
    }
}

impl Inner {
    /// The script's next word for this message.
    fn conduct(&mut self, message: MessageId, kind: &str) -> Conduct {
        let fits = |entry: &Scripted| {
            entry.matching.as_deref().is_none_or(|wanted| wanted == kind || (wanted.len() >= 8 && message.to_string().starts_with(wanted)))
        };
        let Some(place) = self.script.iter().position(fits) else { return Conduct::Accept };
        let entry = &mut self.script[place];
        let conduct = entry.conduct.clone();
        entry.times -= 1;
        if entry.times == 0 {
            self.script.remove(place);
        }
        conduct
    }
}

/// As the daemon reads such a receipt.
fn rejection(reason: ReceiptReason) -> Answer {
    let detail = ("kod HSA-1".to_owned(), "code HSA-1".to_owned());
    let finding = Code::DlvRejected.finding(Effect::Refuse, Layer::Delivery, Some(detail));
    Answer::Receipt { status: ReceiptStatus::Rejected, retryable: false, reason: Some(reason), findings: vec![finding] }
}

/// Everything together, at one moment.
pub(crate) struct World {
    pub(crate) intake: Intake,
    pub(crate) store: Store,
    pub(crate) clock: Arc<SetClock>,
    pub(crate) receiver: Arc<Receiver>,
    steps: Steps<Receiver>,
    runtime: tokio::runtime::Runtime,
    rules: String,
    /// The store's, where it is one.
    file: Option<PathBuf>,
    place: Box<dyn std::any::Any + Send>,
}

impl World {
    pub(crate) fn new(rules: &str, clock: Timestamp) -> Self {
        Self::on(tempfile::tempdir().expect("a folder"), rules, clock)
    }

    /// On a folder that may hold a store already.
    pub(crate) fn on(folder: tempfile::TempDir, rules: &str, clock: Timestamp) -> Self {
        let file = folder.path().join("vardbro.db");
        let store = Store::open(&file, &[7; 32]).expect("a store");
        Self { file: Some(file), ..Self::over(store, Box::new(folder), rules, clock) }
    }

    /// Over a store; `place` is kept as long as the world lasts.
    pub(crate) fn over(store: Store, place: Box<dyn std::any::Any + Send>, rules: &str, clock: Timestamp) -> Self {
        let clock = Arc::new(SetClock(Mutex::new(clock)));
        let inner =
            Inner { validator: XsdValidator::message(), script: VecDeque::new(), kept: Vec::new(), due: BTreeMap::new(), looks_up: false };
        let receiver = Arc::new(Receiver { clock: Arc::clone(&clock), inner: Mutex::new(inner) });
        Self::between(store, clock, receiver, place, rules)
    }

    /// A life of the program between a store and a receiver that may have lived before.
    fn between(store: Store, clock: Arc<SetClock>, receiver: Arc<Receiver>, place: Box<dyn std::any::Any + Send>, rules: &str) -> Self {
        let text = std::fs::read_to_string(fixtures().join("vardbro.toml")).expect("fixtures/vardbro.toml");
        let env = vec![("VARDBRO__RULES__USE".to_owned(), rules.to_owned())];
        let settings = vardbro::config::parse(&text, Path::new("."), env).expect("a configuration");
        let shared: Arc<dyn Clock> = clock.clone();
        let known = settings.destinations.first().expect("a destination");
        let policy = daemon::policy(&settings, known);
        let driver = Driver {
            destination: Name::parse(&known.name).expect("a name"),
            transport: Arc::clone(&receiver),
            store: store.clone(),
            policy: Arc::new(policy),
            clock: Arc::clone(&shared),
            dice: Arc::new(CountingDice(Mutex::new(1))),
            route: Mutex::default(),
            alarms: tokio::sync::Mutex::default(),
        };
        let desk = daemon::desk(&settings).expect("a desk");
        let intake = Intake::new(desk, store.clone(), Box::new(XsdValidator::message()), shared);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        Self { intake, store, clock, receiver, steps: Steps::new(driver), runtime, rules: rules.to_owned(), file: None, place }
    }

    /// Writes a backup of the store beside it.
    pub(crate) fn back_up(&self) {
        let file = self.file.as_deref().expect("a store that is a file");
        store::back_up(file, &file.with_extension("backup"), self.clock.now()).expect("a backup");
    }

    /// Puts the backup in the store's place, and begins anew over it. What the receiver has it keeps.
    pub(crate) fn restore(self) -> Self {
        let Self { intake, store, clock, receiver, steps, runtime, rules, file, place } = self;
        // Whoever still had the store would hold its place.
        drop((intake, store, steps, runtime));
        let file = file.expect("a store that is a file");
        // The last connection removes by their names what lies beside a store: not beside the one that takes its place. Where two end
        // at once neither was the last.
        while ["db-shm", "db-wal"].iter().any(|ending| file.with_extension(ending).exists()) {
            let last = rusqlite::Connection::open(&file).expect("a store");
            last.query_row("SELECT COUNT(*) FROM meta", [], |_| Ok(())).expect("a count");
            drop(last);
            std::thread::sleep(Duration::from_millis(1));
        }
        let backup = file.with_extension("backup");
        let contents = store::look_into(&backup).expect("a backup");
        let restored = ops::restored(clock.now(), contents.made_at);
        store::Vacant::take(&file).expect("nobody has it").put_back(&backup, &contents, &restored).expect("put back");
        let store = Store::open(&file, &[7; 32]).expect("a store");
        Self { file: Some(file), ..Self::between(store, clock, receiver, place, &rules) }
    }

    /// Hands a file in, as the folder source does.
    pub(crate) fn hand_in(&mut self, name: &str, bytes: Vec<u8>) -> Verdict {
        let record = Incoming {
            source: Name::parse("journal").expect("a name"),
            origin: Personal::new(name.to_owned()),
            read: vardbro::map::read(&bytes, 32, local_day(self.clock.now())),
            mapping: "canonical".to_owned(),
            may_grow: false,
        };
        self.intake.batch(&[record]).expect("a working store").remove(0)
    }

    /// Delivers and ends what is due now. Returns when there is more to do. `look` is called wherever something may have changed.
    pub(crate) fn settle(&mut self, look: &mut dyn FnMut(&Self)) -> Option<Timestamp> {
        for _ in 0..ROUNDS_MAX {
            let now = self.clock.now();
            let useless = self.intake.wake().expect("a working store");
            look(self);
            let round = self.runtime.block_on(self.steps.round()).expect("a working store");
            look(self);
            if round.sent == 0 && useless.is_none_or(|at| at > now) {
                return [round.wake, useless].into_iter().flatten().filter(|at| *at > now).min();
            }
        }
        panic!("at {} there is no end of work", self.clock.now());
    }

    /// Lets the time pass, with everything that falls due on the way.
    pub(crate) fn pass(&mut self, until: Timestamp, look: &mut dyn FnMut(&Self)) {
        while let Some(next) = self.settle(look).filter(|next| *next < until) {
            self.clock.set(next);
        }
        self.clock.set(until);
        self.settle(look);
    }

    /// Until nothing is left to be sent or waited for, a day at most.
    pub(crate) fn rest(&mut self, look: &mut dyn FnMut(&Self)) {
        let until = self.clock.now() + Duration::from_hours(24);
        while let Some(next) = self.settle(look).filter(|next| *next < until) {
            self.clock.set(next);
        }
    }
}

pub(crate) fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}
