//! The daemon's own folder source over the daemon's own intake, a round at a time.

use super::world::{World, fixtures};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;
use vardbro::config::FileOrder;
use vardbro::fault::Code;
use vardbro::map::{Document, Limits, Mapping};
use vardbro::model::name::Name;
use vardbro::model::raw::{Answer, RawEvent};
use vardbro::model::time::{Clock as _, local_day};
use vardbro::oplog;
use vardbro::source::directory::{Directory, Settings};
use vardbro::source::{Intake, Report, Source, Unavailable};
use vardbro::store::Filter;

const MAX_BYTES: u64 = 1024 * 1024;

/// A folder, read by the daemon's own source, into the daemon's own intake.
pub(crate) struct Folder {
    pub(crate) world: World,
    directory: Directory,
    settings: Settings,
    pub(crate) path: PathBuf,
    _temp: tempfile::TempDir,
}

struct Port<'a> {
    world: &'a mut World,
}

impl Intake for Port<'_> {
    fn submit(&mut self, batch: Vec<RawEvent>) -> Result<Vec<Vec<Answer>>, Unavailable> {
        let today = local_day(self.world.clock.now());
        let answers = |raw: &RawEvent| {
            let mut document = Document::read(raw, &Mapping::canonical(), Limits::default(), today);
            let verdicts = self.world.intake.batch(&document.incoming()).map_err(|_| Unavailable)?;
            Ok(document.answers(verdicts))
        };
        batch.iter().map(answers).collect()
    }
}

struct NoTrouble;

impl Report for NoTrouble {
    fn trouble(&mut self, code: Code) {
        panic!("the source has trouble: {}", code.id());
    }
}

/// The log of the whole test process.
pub(crate) fn log() -> &'static Path {
    static LOG: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    &LOG.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("oplog.json");
        oplog::start(&oplog::Output::file(&path).expect("a log"), oplog::Level::Debug);
        (folder, path)
    })
    .1
}

fn settings(path: &Path) -> Settings {
    Settings {
        name: Name::parse("journal").expect("a name"),
        path: path.to_owned(),
        still: Duration::ZERO,
        keep_done: true,
        max_bytes: MAX_BYTES,
        folders: false,
        pattern: None,
        order: FileOrder::Name,
        marker: None,
    }
}

impl Folder {
    pub(crate) fn new(still: Duration) -> Self {
        Self::with(|settings| settings.still = still)
    }

    /// A folder whose files are taken at once, with some settings changed.
    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        log();
        let temp = tempfile::tempdir().expect("a folder");
        let path = temp.path().join("in");
        fs::create_dir(&path).expect("a folder");
        let mut settings = settings(&path);
        change(&mut settings);
        let world = World::new("vanersborg/2026.1", "2026-06-01T12:00:00+02:00".parse().expect("a time"));
        Self { world, directory: Directory::new(settings.clone()).expect("a source"), settings, path, _temp: temp }
    }

    /// As after a crash: what was only in memory is gone.
    pub(crate) fn restart(&mut self) {
        self.directory = Directory::new(self.settings.clone()).expect("a source");
    }

    pub(crate) fn round(&mut self) {
        let mut port = Port { world: &mut self.world };
        while self.directory.round(&mut port, &mut NoTrouble).expect("intake works") {}
    }

    pub(crate) fn put(&self, name: &str, bytes: &[u8]) {
        let path = self.path.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }

    pub(crate) fn there(&self, folder: &str, name: &str) -> bool {
        fs::symlink_metadata(self.path.join(folder).join(name)).is_ok()
    }

    /// Rounds until the file has been moved there.
    pub(crate) fn until(&mut self, folder: &str, name: &str) {
        for _ in 0..400 {
            self.round();
            if self.there(folder, name) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("{name} never came to {folder}/");
    }

    /// A good file of its own goes through.
    pub(crate) fn good(&mut self, n: usize) {
        let name = format!("good-{n}.json");
        self.put(&name, good(&format!("GOOD-{n}")).as_bytes());
        self.round();
        assert!(self.there("done", &name), "the good file {n} did not go through");
    }

    pub(crate) fn journal(&self) -> String {
        let rows = self.world.store.journal(&Filter { limit: 100_000, ..Filter::default() }).expect("a working store");
        rows.into_iter().map(|row| row.line + "\n").collect()
    }
}

pub(crate) fn good(id: &str) -> String {
    let file = fixtures().join("planning-data-before-admission/in/01-k-pu.json");
    let text = fs::read_to_string(file).expect("a fixture");
    assert!(text.contains("TRS-2026-001301"));
    text.replace("TRS-2026-001301", id)
}
