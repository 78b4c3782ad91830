//! The ground on which sequences run, one after the other: a store, or two on one PostgreSQL, and what is read once.

use crate::events::Templates;
use crate::postgres::Schema;
use crate::probe::Probe;
use crate::receiver::Sealer;
use jiff::Timestamp;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use vardbro::deliver::Policy;
use vardbro::intake::Desk;
use vardbro::store::{Store, Vacant, Who, back_up, look_into};
use vardbro::{daemon, ops};

const SETTINGS: &str = r#"
environment = "test"
[organisation]
org_number = "212000-1538"
hsa_id = "SE2120001538-T100"
name = "Testkommunen"
[destination.region]
url = "https://region.example.test/vardbro/messages"
[destination.primary]
url = "https://primary.example.test/vardbro/messages"
[[route]]
party = "SV"
destination = "region"
[[route]]
party = "OV"
destination = "primary"
[[recipient]]
party = "SV"
hsa_id = "SE2321000131-T200"
[[recipient]]
party = "OV"
hsa_id = "SE2321000131-T300"
"#;

enum Place {
    Lite(tempfile::TempDir),
    Postgres(Schema),
}

pub(crate) struct Ground {
    pub(crate) probe: Probe,
    pub(crate) desk: Desk,
    pub(crate) policy: Arc<Policy>,
    pub(crate) sealer: Sealer,
    pub(crate) templates: Arc<Templates>,
    pub(crate) runtime: tokio::runtime::Runtime,
    stores: Vec<Option<Store>>,
    place: Place,
    /// A store was put back since the last wiping.
    restored: bool,
}

impl Ground {
    /// SQLite with its real settings, in memory where the system has a folder of that kind: what is tried here is what a crash
    /// of the program leaves, not of the machine.
    pub(crate) fn lite(templates: &Arc<Templates>) -> Self {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.expect("a folder");
        let path = file(&folder);
        let store = open(&path);
        Self::new(Probe::lite(&path), vec![Some(store)], Place::Lite(folder), templates)
    }

    /// Two replicas with a handle each. None where no PostgreSQL is to be had.
    pub(crate) fn postgres(templates: &Arc<Templates>) -> Option<Self> {
        let mut schema = Schema::new()?;
        // What is tried is what a crash of the program leaves, not of the database.
        schema.url = schema.url.replace("options='", "options='-c synchronous_commit=off ");
        let stores = (0..2).map(|_| Some(open_postgres(&schema.url))).collect();
        let probe = Probe::postgres(&schema.url);
        Some(Self::new(probe, stores, Place::Postgres(schema), templates))
    }

    fn new(probe: Probe, stores: Vec<Option<Store>>, place: Place, templates: &Arc<Templates>) -> Self {
        let settings = vardbro::config::parse(SETTINGS, Path::new("."), Vec::new()).expect("a configuration");
        let policy = Arc::new(daemon::policy(&settings, settings.destinations.first().expect("a destination")));
        let desk = daemon::desk(&settings).expect("a desk");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        Self { probe, desk, policy, sealer: Sealer::new(), templates: Arc::clone(templates), runtime, stores, place, restored: false }
    }

    /// SQLite belongs to one process: its replicas share a handle, and end together.
    pub(crate) fn is_one_process(&self) -> bool {
        matches!(self.place, Place::Lite(_))
    }

    pub(crate) fn store(&self, replica: usize) -> Store {
        self.stores[replica % self.stores.len()].clone().expect("an open store")
    }

    /// Closes a replica's store and opens it again. Nobody else may hold it.
    pub(crate) fn reopen(&mut self, replica: usize) {
        let place = replica % self.stores.len();
        drop(self.stores[place].take());
        self.stores[place] = Some(match &self.place {
            Place::Lite(folder) => open(&file(folder)),
            Place::Postgres(schema) => open_postgres(&schema.url),
        });
    }

    /// Writes a backup beside the store; the one before it is gone.
    pub(crate) fn back_up(&self, now: Timestamp) {
        let Place::Lite(folder) = &self.place else { return };
        let _ = fs::remove_file(backup(folder));
        back_up(&file(folder), &backup(folder), now).expect("a backup");
    }

    /// Puts the backup in the store's place. Nobody else may hold the store.
    pub(crate) fn put_back(&mut self, now: Timestamp) {
        let Place::Lite(folder) = &self.place else { return };
        let (file, backup) = (file(folder), backup(folder));
        self.probe = Probe::beside(Path::new(":memory:"));
        drop(self.stores[0].take());
        // The last connection removes by their names what lies beside a store: not beside the one that takes its place. Where two end
        // at once neither was the last.
        while ["vardbro.db-shm", "vardbro.db-wal"].iter().any(|name| folder.path().join(name).exists()) {
            Probe::beside(&file).number("SELECT COUNT(*) FROM meta");
            std::thread::sleep(Duration::from_millis(1));
        }
        let contents = look_into(&backup).expect("a backup");
        let restored = ops::restored(now, contents.made_at, Who::daemon());
        let done =
            Vacant::take(&file).expect("nobody has it").put_back(&backup, &contents, &(&[7; 32]).into(), &restored).expect("put back");
        fs::remove_file(done.kept.expect("the store that was there")).expect("no longer needed");
        self.stores[0] = Some(open(&file));
        self.probe = Probe::beside(&file);
        self.restored = true;
    }

    pub(crate) fn wipe(&mut self) {
        self.probe.wipe();
        self.sealer.forget();
        // A store learns when it is opened from which number its lanes go on.
        if std::mem::take(&mut self.restored) {
            self.reopen(0);
        }
    }
}

fn file(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("vardbro.db")
}

fn backup(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("vardbro.backup")
}

fn open(path: &Path) -> Store {
    Store::open(path, &[7; 32]).expect("a store")
}

fn open_postgres(url: &str) -> Store {
    Store::open_postgres(url, &[7; 32]).expect("a store")
}
