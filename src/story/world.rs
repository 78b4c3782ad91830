//! The core in one process, with a clock, dice and a receiver of its own.
//!
//! Intake, rules, wire, seal, store and deliveries are those of the daemon; only what surrounds them is ours. It runs on a runtime
//! of its own and must not be called from within another.

use super::receiver::{Receiver, Way};
use crate::config::{Mode, Settings};
use crate::daemon;
use crate::deliver::{Driver, Steps};
use crate::fault::{Code, Fault};
use crate::intake::Intake;
use crate::map::{Document, Limits, Mapping};
use crate::model::dice::Dice;
use crate::model::event::CareEvent;
use crate::model::finding::Place;
use crate::model::name::Name;
use crate::model::personal::Personal;
use crate::model::raw::{Answer, RawEvent, Verdict};
use crate::model::time::{Clock, local_day};
use crate::ops;
use crate::seal::XsdValidator;
use crate::source::directory::form;
use crate::store::{self, Store, StoreFault};
use jiff::{SignedDuration, Timestamp};
use std::any::Any;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most rounds without any time passing; more is a loop that feeds itself.
const ROUNDS_MAX: usize = 10_000;
/// How often the time may go on in one story.
const TURNS_MAX: usize = 100_000;
/// How long a story runs on after its last step.
const REST: SignedDuration = SignedDuration::from_hours(24);
/// A story's file is there to be read by people.
const LIMITS: Limits = Limits { depth: 32, records: 1_000 };
/// The store's key for references: the same in every run.
const SECRET: [u8; 32] = [7; 32];

/// Why a world goes no further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Halt {
    /// What surrounds it, or what it is made of.
    Fault(Fault),
    /// What it was asked for cannot be done, in Swedish and English.
    Stuck(String, String),
}

impl Halt {
    pub(super) fn stuck(sv: &str, en: &str) -> Self {
        Self::Stuck(sv.to_owned(), en.to_owned())
    }
}

impl From<Fault> for Halt {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<StoreFault> for Halt {
    fn from(fault: StoreFault) -> Self {
        Self::Fault(fault.into())
    }
}

/// A clock that stands until it is set.
#[derive(Debug)]
pub struct SetClock(Mutex<Timestamp>);

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        *self.lock()
    }
}

impl SetClock {
    pub(super) fn at(now: Timestamp) -> Self {
        Self(Mutex::new(now))
    }

    fn lock(&self) -> MutexGuard<'_, Timestamp> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, at: Timestamp) -> Result<(), Halt> {
        let mut now = self.lock();
        if at < *now {
            return Err(Halt::stuck("klockan går bara framåt", "the clock runs forward only"));
        }
        *now = at;
        Ok(())
    }
}

/// The same throws in every run.
#[derive(Debug)]
struct CountingDice(Mutex<u64>);

impl Dice for CountingDice {
    fn bytes(&self) -> [u8; 16] {
        let mut seed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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

/// The store that a world stands on.
pub struct Ground {
    store: Store,
    /// Where it is a file: a backup can be made of it.
    file: Option<PathBuf>,
    /// Kept as long as the world lasts.
    place: Box<dyn Any + Send>,
}

impl std::fmt::Debug for Ground {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ground").field("file", &self.file).finish_non_exhaustive()
    }
}

impl Ground {
    /// A new store in a folder that goes with the world.
    pub fn temporary() -> Result<Self, Fault> {
        let folder = temporary_folder()?;
        let file = folder.path().join("vardbro.db");
        Ok(Self { store: Store::open(&file, &SECRET)?, file: Some(file), place: Box::new(folder) })
    }

    /// A store of the caller's; `place` is kept as long as the world lasts.
    pub fn over(store: Store, place: Box<dyn Any + Send>) -> Self {
        Self { store, file: None, place }
    }
}

pub(super) fn temporary_folder() -> Result<tempfile::TempDir, Fault> {
    tempfile::tempdir().map_err(|fault| Fault::with(Code::CfgFile, format!("a temporary folder ({})", fault.kind())))
}

/// A document that was handed in.
#[derive(Debug)]
pub struct Taken {
    /// What became of each of its records.
    pub answers: Vec<Answer>,
    /// The events that they gave.
    pub events: Vec<TakenEvent>,
}

/// An event of a document.
#[derive(Debug)]
pub struct TakenEvent {
    pub event: CareEvent,
    /// Where its record begins; none where the document is the record.
    pub place: Option<Place>,
    pub accepted: bool,
}

/// Is called wherever something may have changed.
pub type Look<'l> = dyn FnMut(&World) -> Result<(), Halt> + 'l;

/// Everything together, at one moment.
pub struct World {
    pub intake: Intake,
    pub store: Store,
    pub clock: Arc<SetClock>,
    pub receiver: Arc<Receiver>,
    /// One a destination.
    steps: Vec<Steps<Way>>,
    runtime: tokio::runtime::Runtime,
    settings: Settings,
    file: Option<PathBuf>,
    /// The last backup.
    backup: Option<PathBuf>,
    /// Backups and lives that there have been.
    files: u32,
    turns: usize,
    place: Box<dyn Any + Send>,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("clock", &self.clock).finish_non_exhaustive()
    }
}

impl World {
    pub fn new(settings: Settings, clock: Timestamp, ground: Ground) -> Result<Self, Halt> {
        let clock = Arc::new(SetClock::at(clock));
        let receiver = Arc::new(Receiver::new(Arc::clone(&clock)));
        Self::between(settings, ground, clock, receiver)
    }

    /// A life of the program between a store and a receiver that may have lived before.
    fn between(settings: Settings, ground: Ground, clock: Arc<SetClock>, receiver: Arc<Receiver>) -> Result<Self, Halt> {
        let Ground { store, file, place } = ground;
        let desk = daemon::desk(&settings).map_err(first)?;
        let shared: Arc<dyn Clock> = clock.clone();
        let live = settings.destinations.iter().filter(|known| known.mode == Mode::Live);
        let steps = live.zip(1..).map(|(known, seed)| {
            let destination = Name::parse(&known.name).unwrap_or_else(Name::unnamed);
            Steps::new(Driver {
                destination: destination.clone(),
                transport: Arc::new(Way { destination, receiver: Arc::clone(&receiver) }),
                store: store.clone(),
                policy: Arc::new(daemon::policy(&settings, known)),
                clock: Arc::clone(&shared),
                dice: Arc::new(CountingDice(Mutex::new(seed))),
                metrics: Arc::default(),
                route: Mutex::default(),
                alarms: tokio::sync::Mutex::default(),
            })
        });
        let steps = steps.collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let runtime = runtime.map_err(|fault| Fault::with(Code::BugPanic, format!("no runtime ({})", fault.kind())))?;
        let intake = Intake::new(desk, store.clone(), Box::new(XsdValidator::message()), shared);
        Ok(Self { intake, store, clock, receiver, steps, runtime, settings, file, backup: None, files: 0, turns: 0, place })
    }

    /// Writes a backup of the store beside it.
    pub fn back_up(&mut self) -> Result<(), Halt> {
        let no_file = || Halt::stuck("databasen är ingen fil", "the store is not a file");
        let file = self.file.as_deref().ok_or_else(no_file)?;
        let to = file.with_file_name(format!("{}.backup", self.files));
        store::back_up(file, &to, self.clock.now())?;
        (self.backup, self.files) = (Some(to), self.files + 1);
        Ok(())
    }

    /// Begins anew over the backup. What the receiver has it keeps.
    pub fn restore(self) -> Result<Self, Halt> {
        let no_backup = || Halt::stuck("ingen säkerhetskopia är gjord", "no backup has been made");
        let backup = self.backup.ok_or_else(no_backup)?;
        let contents = store::look_into(&backup)?;
        // Beside the old store and not in its place: whoever still had that one would hold it.
        let file = backup.with_file_name(format!("{}.db", self.files));
        let restored = ops::restored(self.clock.now(), contents.made_at, store::Who::daemon());
        store::Vacant::take(&file)?.put_back(&backup, &contents, &(&SECRET).into(), &restored)?;
        let ground = Ground { store: Store::open(&file, &SECRET)?, file: Some(file), place: self.place };
        let anew = Self::between(self.settings, ground, self.clock, self.receiver)?;
        Ok(Self { backup: Some(backup), files: self.files + 1, turns: self.turns, ..anew })
    }

    /// Hands a file in, as the folder source does.
    pub fn hand_in(&mut self, name: &str, bytes: Vec<u8>, mapping: &Mapping) -> Result<Taken, Halt> {
        let raw = RawEvent {
            source: source(),
            origin: Personal::new(name.to_owned()),
            body: Ok(Personal::new(bytes)),
            form: form(name),
            may_grow: false,
        };
        Ok(self.submit(&raw, mapping)?)
    }

    pub(super) fn submit(&mut self, raw: &RawEvent, mapping: &Mapping) -> Result<Taken, StoreFault> {
        let mut document = Document::read(raw, mapping, LIMITS, local_day(self.clock.now()));
        let incoming = document.incoming();
        let verdicts = self.intake.batch(&incoming)?;
        let accepted: Vec<bool> = verdicts.iter().map(|verdict| *verdict == Verdict::Accepted).collect();
        let answers = document.answers(verdicts);
        let read = incoming.into_iter().zip(accepted).filter_map(|(incoming, accepted)| Some((incoming.read.ok()?.event, accepted)));
        let places = answers.iter().flat_map(|answer| answer.events.iter().map(|_| answer.place));
        let events = read.zip(places).map(|((event, accepted), place)| TakenEvent { event, place, accepted }).collect();
        Ok(Taken { answers, events })
    }

    /// Delivers and ends what is due now. Returns when there is more to do.
    pub fn settle(&mut self, look: &mut Look<'_>) -> Result<Option<Timestamp>, Halt> {
        for _ in 0..ROUNDS_MAX {
            let now = self.clock.now();
            let due = self.intake.wake()?;
            look(self)?;
            let mut sent = 0;
            let mut wakes = vec![due];
            for steps in &mut self.steps {
                let round = self.runtime.block_on(steps.round())?;
                sent += round.sent;
                wakes.push(round.wake);
            }
            self.receiver.fault()?;
            look(self)?;
            if sent == 0 && due.is_none_or(|at| at > now) {
                return Ok(wakes.into_iter().flatten().filter(|at| *at > now).min());
            }
        }
        Err(Fault::with(Code::BugPanic, "there is no end of work").into())
    }

    /// Lets the time pass, with everything that falls due on the way.
    pub fn pass(&mut self, until: Timestamp, look: &mut Look<'_>) -> Result<(), Halt> {
        self.run(until, look)?;
        self.clock.set(until)?;
        self.settle(look)?;
        Ok(())
    }

    /// Until nothing is left to be sent or waited for, a day at most.
    pub fn rest(&mut self, look: &mut Look<'_>) -> Result<(), Halt> {
        let until = self.clock.now().checked_add(REST).unwrap_or(Timestamp::MAX);
        self.run(until, look)
    }

    /// From one thing that falls due to the next, up to a moment.
    fn run(&mut self, until: Timestamp, look: &mut Look<'_>) -> Result<(), Halt> {
        while let Some(next) = self.settle(look)?.filter(|next| *next < until) {
            self.turns += 1;
            if self.turns > TURNS_MAX {
                return Err(Halt::stuck("för mycket förfaller i berättelsens tid", "too much falls due in the story's time"));
            }
            self.clock.set(next)?;
        }
        Ok(())
    }
}

/// The source that hands in.
pub(super) fn source() -> Name {
    Name::parse("journal").unwrap_or_else(Name::unnamed)
}

/// One fault of several.
pub(super) fn first(faults: Vec<Fault>) -> Fault {
    faults.into_iter().next().unwrap_or(Fault::new(Code::BugPanic))
}

/// The settings of a story's world: a configuration's own, or those that are built in; with the rules that the story names.
pub fn settings(config: Option<&Path>, rules: &str) -> Result<Settings, Fault> {
    const BUILT_IN: &str = include_str!("../../fixtures/vardbro.toml");
    let read = match config {
        Some(path) => crate::config::load(Some(path), Vec::new()),
        None => crate::config::parse(BUILT_IN, Path::new(""), Vec::new()),
    };
    let mut settings = read.map_err(first)?;
    rules.clone_into(&mut settings.rules.name);
    Ok(settings)
}
