//! One thread a source: woken by the file system, and looking by itself where that says nothing.

use super::intake_thread::SourcePort;
use crate::config::{Done, MappingChoice, Settings, SourceSettings, Way};
use crate::fault::{Code, Fault};
use crate::map::{self, Mapping};
use crate::model::name::Name;
use crate::model::time::Clock;
use crate::oplog::{Event, Level, Line};
use crate::source::directory::{self, Directory, Outcomes};
use crate::source::http::{self, Door};
use crate::source::sql::{Answers, Outbox};
use crate::source::{Report, Source, Teller, Watched, amqp, nats};
use arc_swap::ArcSwap;
use jiff::Timestamp;
use notify::event::{AccessKind, EventKind};
use notify::{RecursiveMode, Watcher};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often to look though nothing was heard: network shares say nothing.
const RESCAN: Duration = Duration::from_secs(5);
/// After trouble.
const PAUSE: Duration = Duration::from_secs(1);

/// A source's thread.
pub(super) struct Running {
    stop: Arc<AtomicBool>,
    wake: mpsc::SyncSender<()>,
    thread: JoinHandle<()>,
}

/// A source that has not been started.
pub(super) struct Opened {
    pub(super) source: Box<dyn Source>,
    pub(super) teller: Box<dyn Teller>,
    pub(super) mapping: Arc<ArcSwap<Mapping>>,
    /// Where its requests come in, if they come over HTTP.
    pub(super) door: Option<Arc<Door>>,
    pub(super) standing: Arc<Standing>,
}

/// What is wrong with a source now, and since when, and when it last gave something new.
#[derive(Debug, Default)]
pub(super) struct Standing {
    trouble: Mutex<Option<(Code, Timestamp)>>,
    /// Milliseconds since 1970; 0 where nothing has come in this life.
    heard: AtomicI64,
}

impl Standing {
    pub(super) fn get(&self) -> Option<(Code, Timestamp)> {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the last new event came.
    pub(super) fn heard(&self) -> Option<Timestamp> {
        let heard = self.heard.load(Ordering::Relaxed);
        Timestamp::from_millisecond(heard).ok().filter(|_| heard > 0)
    }

    pub(super) fn hear(&self, at: Timestamp) {
        self.heard.store(at.as_millisecond(), Ordering::Relaxed);
    }

    fn set(&self, trouble: Option<(Code, Timestamp)>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }
}

pub(super) fn open(settings: &Settings) -> Result<Vec<Opened>, Vec<Fault>> {
    settings.sources.iter().map(one).collect()
}

fn one(known: &SourceSettings) -> Result<Opened, Vec<Fault>> {
    let mapping = Arc::new(ArcSwap::from_pointee(mapping(known)?));
    let name = super::name(&known.name);
    let mut door = None;
    let (source, teller): (Box<dyn Source>, Box<dyn Teller>) = match &known.way {
        Way::Directory(directory) => {
            let used = directory::Settings {
                name,
                path: directory.path.clone(),
                still: directory.still,
                keep_done: directory.done == Done::Keep,
                max_bytes: known.max_bytes,
                folders: directory.folders,
                pattern: directory.pattern.clone(),
                order: directory.order,
                marker: directory.marker.clone(),
            };
            let unusable = |_| Fault::with(Code::SrcFolder, directory.path.display().to_string());
            let outcomes = Outcomes { folder: directory.path.clone() };
            (Box::new(Directory::new(used).map_err(unusable)?), Box::new(outcomes))
        }
        Way::Sql(sql) => {
            let unusable = |fault| vec![fault];
            let answers = Answers::new(sql).map_err(unusable)?;
            (Box::new(Outbox::new(name, sql, known.max_bytes).map_err(unusable)?), Box::new(answers))
        }
        Way::Nats(nats) => nats::open(nats::Settings { name, max_bytes: known.max_bytes, nats: nats.clone() }).map_err(super::no_thread)?,
        Way::Amqp(amqp) => amqp::open(amqp::Settings { name, max_bytes: known.max_bytes, amqp: amqp.clone() }).map_err(super::no_thread)?,
        Way::Http(bounds) => {
            let max_bytes = usize::try_from(known.max_bytes).unwrap_or(usize::MAX);
            let used = http::Settings { name, max_bytes, rate_per_s: bounds.rate_per_s, in_flight: bounds.in_flight };
            let (outside, source) = http::open(used);
            door = Some(Arc::new(outside));
            (Box::new(source), Box::new(http::LookedUp))
        }
    };
    Ok(Opened { source, teller, mapping, door, standing: Arc::default() })
}

/// A source's mapping, as its file says now.
pub(super) fn mapping(known: &SourceSettings) -> Result<Mapping, Vec<Fault>> {
    match &known.mapping {
        None => Ok(Mapping::canonical()),
        Some(choice) => load_mapping(choice),
    }
}

/// Reads and compiles a mapping; the files of its code tables lie beside it.
pub fn load_mapping(choice: &MappingChoice) -> Result<Mapping, Vec<Fault>> {
    let file = match choice {
        MappingChoice::Shipped(name) => {
            let unknown = || {
                let known: Vec<_> = map::shipped().iter().map(|(known, _)| *known).collect();
                vec![Fault::with(Code::CfgMapping, format!("{name} (known: canonical, {})", known.join(", ")))]
            };
            return map::shipped_mapping(name).ok_or_else(unknown);
        }
        MappingChoice::File(file) => file,
    };
    let text =
        std::fs::read_to_string(file).map_err(|fault| Fault::with(Code::CfgMapping, format!("{} ({})", file.display(), fault.kind())))?;
    let beside = |name: &str| std::fs::read_to_string(file.with_file_name(name)).ok();
    let told = |fault: &crate::datafile::DataFault| Fault::with(Code::CfgMapping, format!("{}:{fault}", file.display()));
    map::compile(&text, &beside).map_err(|faults| faults.iter().map(told).collect())
}

pub(super) fn start(source: Box<dyn Source>, port: SourcePort) -> std::io::Result<Running> {
    let stop = Arc::new(AtomicBool::new(false));
    let (wake, woken) = mpsc::sync_channel(1);
    let standing = Arc::clone(&port.standing);
    let (stop_seen, wake_on_change) = (Arc::clone(&stop), wake.clone());
    let thread = std::thread::Builder::new().name("source".to_owned()).spawn(move || {
        // Kept for as long as the thread: dropping it would end the watch.
        let _watcher = source.watched().and_then(|watched| watch(watched, wake_on_change));
        read(source, port, standing, &stop_seen, &woken);
    })?;
    Ok(Running { stop, wake, thread })
}

/// Stops reading: what has been handed in is settled first.
pub(super) async fn stop(running: Vec<Running>) {
    for source in &running {
        source.stop.store(true, Ordering::SeqCst);
        // Full means that it is about to look anyway.
        let _ = source.wake.try_send(());
    }
    let joined = tokio::task::spawn_blocking(|| running.into_iter().for_each(|source| drop(source.thread.join())));
    let _ = joined.await;
}

fn watch(place: Watched<'_>, wake: mpsc::SyncSender<()>) -> Option<impl Watcher + use<>> {
    let mut watcher = notify::recommended_watcher(move |heard: notify::Result<notify::Event>| {
        // Our own looking is heard as well; answering that by looking would never end.
        let ours = heard.is_ok_and(|event| matches!(event.kind, EventKind::Access(AccessKind::Open(_) | AccessKind::Read)));
        if !ours {
            let _ = wake.try_send(());
        }
    })
    .ok()?;
    let mode = if place.below { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
    watcher.watch(place.folder, mode).ok()?;
    Some(watcher)
}

fn read(mut source: Box<dyn Source>, mut port: SourcePort, standing: Arc<Standing>, stop: &AtomicBool, woken: &mpsc::Receiver<()>) {
    let mut trouble = Trouble { source: source.name().clone(), clock: Arc::clone(&port.clock), standing, said: false };
    while !stop.load(Ordering::SeqCst) {
        trouble.said = false;
        let pause = match source.round(&mut port, &mut trouble) {
            Ok(true) => {
                trouble.standing.set(trouble.standing.get().filter(|_| trouble.said));
                continue;
            }
            Ok(false) => {
                trouble.standing.set(None);
                source.pause().unwrap_or(RESCAN).min(RESCAN)
            }
            Err(_) => {
                // The source has said what it is, if it is its own.
                if !trouble.said {
                    trouble.trouble(Code::BugStore);
                }
                PAUSE
            }
        };
        let _ = woken.recv_timeout(pause);
    }
}

/// Tells of a trouble once, until it has passed.
struct Trouble {
    source: Name,
    clock: Arc<dyn Clock>,
    standing: Arc<Standing>,
    /// In this round.
    said: bool,
}

impl Report for Trouble {
    fn trouble(&mut self, code: Code) {
        self.said = true;
        let now = self.clock.now();
        if self.standing.get().is_none_or(|(told, _)| told != code) {
            self.standing.set(Some((code, now)));
            let mut line = Line::new(now, Level::Error, Event::SourceFault).code(code);
            line.source = Some(self.source.clone());
            line.emit();
        }
    }
}
