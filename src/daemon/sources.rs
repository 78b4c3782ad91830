//! One thread a source: woken by the file system, and looking by itself where that says nothing.

use super::intake_thread::Port;
use crate::config::{Done, Settings, SourceSettings};
use crate::fault::{Code, Fault};
use crate::model::name::Name;
use crate::model::time::Clock;
use crate::oplog::{Event, Level, Line};
use crate::source::Report;
use crate::source::directory::{self, Directory};
use notify::event::{AccessKind, EventKind};
use notify::{RecursiveMode, Watcher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
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

pub(super) fn open(settings: &Settings) -> Result<Vec<Directory>, Fault> {
    settings
        .sources
        .iter()
        .map(|source| Directory::new(as_used(source)).map_err(|_| Fault::with(Code::SrcFolder, source.path.display().to_string())))
        .collect()
}

fn as_used(source: &SourceSettings) -> directory::Settings {
    directory::Settings {
        name: super::name(&source.name),
        path: source.path.clone(),
        still: source.still,
        keep_done: (source.done == Done::Keep).then_some(source.done_age),
        max_bytes: source.max_bytes,
    }
}

pub(super) fn start(directory: Directory, port: Port, clock: Arc<dyn Clock>) -> std::io::Result<Running> {
    let stop = Arc::new(AtomicBool::new(false));
    let (wake, woken) = mpsc::sync_channel(1);
    let (stop_seen, wake_on_change) = (Arc::clone(&stop), wake.clone());
    let thread = std::thread::Builder::new().name("source".to_owned()).spawn(move || {
        // Kept for as long as the thread: dropping it would end the watch.
        let _watcher = watch(&directory, wake_on_change);
        read(directory, port, clock, &stop_seen, &woken);
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

fn watch(directory: &Directory, wake: mpsc::SyncSender<()>) -> Option<impl Watcher + use<>> {
    let mut watcher = notify::recommended_watcher(move |heard: notify::Result<notify::Event>| {
        // Our own looking is heard as well; answering that by looking would never end.
        let ours = heard.is_ok_and(|event| matches!(event.kind, EventKind::Access(AccessKind::Open(_) | AccessKind::Read)));
        if !ours {
            let _ = wake.try_send(());
        }
    })
    .ok()?;
    watcher.watch(directory.path(), RecursiveMode::NonRecursive).ok()?;
    Some(watcher)
}

fn read(mut directory: Directory, mut port: Port, clock: Arc<dyn Clock>, stop: &AtomicBool, woken: &mpsc::Receiver<()>) {
    let mut trouble = Trouble { source: directory.name().clone(), clock, told: None };
    while !stop.load(Ordering::SeqCst) {
        let pause = match directory.round(&mut port, &mut trouble) {
            Ok(true) => continue,
            Ok(false) => {
                trouble.told = None;
                directory.pause().unwrap_or(RESCAN).min(RESCAN)
            }
            Err(_) => {
                trouble.trouble(Code::BugStore);
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
    told: Option<Code>,
}

impl Report for Trouble {
    fn trouble(&mut self, code: Code) {
        if self.told.replace(code) != Some(code) {
            let mut line = Line::new(self.clock.now(), Level::Error, Event::SourceFault).code(code);
            line.source = Some(self.source.clone());
            line.emit();
        }
    }
}
