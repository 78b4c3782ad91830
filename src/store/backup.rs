//! Backups of a store in a file: made while the daemon runs, looked into without being touched, and put back.
//!
//! A backup is put back beside the store, whole and marked (`doubt.rs`), and then takes its place. It has taken it from the
//! moment when it is called `.restored`: whoever opens the store next finishes what a crash has left.

use super::db::{Db, values};
use super::doubt::{Restored, mark};
use super::files::{NewFile, beside, sync_folder, unwritten};
use super::handle::{Connection, fits, migrate, unusable};
use super::keys::Keys;
use super::named::Reference;
use super::seal::Seals;
use super::{StoreFault, named, sqlite};
use crate::fault::{Code, Fault};
use crate::model::receipt::ContentHash;
use aws_lc_rs::digest::{Context, SHA256};
use jiff::Timestamp;
use rusqlite::OpenFlags;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    pub schema: i64,
    /// None where it was copied by other means.
    pub made_at: Option<Timestamp>,
    pub newest: Option<Timestamp>,
    pub events: u64,
    pub deliveries: u64,
    pub accepted: u64,
    pub size: u64,
    pub sha256: ContentHash,
    reference: Option<Reference>,
}

/// What stands in the store now, and how much of it a backup has not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Present {
    pub events: u64,
    pub accepted: u64,
    pub newer_events: u64,
    pub newer_accepted: u64,
    /// It gives the same references: the backup is one of this store.
    pub same: bool,
}

/// Writes everything that is committed to a new file. The daemon goes on meanwhile.
pub fn back_up(store: &Path, to: &Path, now: Timestamp) -> Result<Contents, Fault> {
    let place = store.display().to_string();
    if !store.exists() {
        return Err(Fault::with(Code::CfgStore, place));
    }
    let new = NewFile::at(to)?;
    let part = new.part().to_str().ok_or_else(|| Fault::with(Code::StoWrite, to.display().to_string()))?.to_owned();
    let source = open(store).and_then(|db| Ok((sqlite::version(db.as_ref())?, db)));
    let (schema, source) = source.map_err(|fault| unusable(&place, fault))?;
    if schema == 0 || !fits(schema) {
        return Err(Fault::with(Code::CfgStoreVersion, place));
    }
    let written = source.execute("VACUUM INTO ?1", values![&part]).and_then(|_| sign(new.part(), now));
    written.map_err(|fault| failed(to, fault))?;
    let contents = look_into(new.part())?;
    new.put()?;
    Ok(contents)
}

/// One file, which says when it was made.
fn sign(part: &Path, now: Timestamp) -> Result<(), StoreFault> {
    let backup = open(part)?;
    backup.batch("PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL")?;
    let at = now.as_millisecond().to_string();
    backup.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('backup_at', ?1)", values![at.as_bytes()])?;
    Ok(())
}

/// Reads a backup as a file that nobody writes to; changes nothing, and leaves nothing beside it.
pub fn look_into(file: &Path) -> Result<Contents, Fault> {
    let none = |why: &str| Fault::with(Code::StoNoBackup, format!("{} ({why})", file.display()));
    let sha256 = copy(file, &mut io::sink()).map_err(|fault| none(&fault.kind().to_string()))?;
    let size = file.metadata().map_err(|fault| none(&fault.kind().to_string()))?.len();
    if beside(file, "-wal").metadata().is_ok_and(|wal| wal.len() > 0) {
        return Err(none("a -wal file lies beside it: it was copied while a daemon had it"));
    }
    let db = sqlite::plain(immutable(file), OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI, &Arc::new(Seals::none()));
    let db = db.and_then(|db| Ok((sqlite::version(db.as_ref())?, db)));
    let (schema, db) = db.map_err(|fault| none(&fault.to_string()))?;
    if schema > 0 && !fits(schema) {
        return Err(Fault::with(Code::StoNewer, file.display().to_string()));
    }
    contents(db.as_ref(), Contents { schema, size, ..Contents::of(sha256) }).map_err(|fault| none(&fault.to_string()))
}

impl Contents {
    fn of(sha256: ContentHash) -> Self {
        Self { schema: 0, made_at: None, newest: None, events: 0, deliveries: 0, accepted: 0, size: 0, sha256, reference: None }
    }

    /// Whether the keys are given that its values are sealed with. One that is not sealed opens with any.
    pub fn opens_with(&self, keys: &Keys) -> Result<(), StoreFault> {
        match self.reference.as_ref().map(|reference| reference.open(keys)) {
            Some(Ok(_) | Err(StoreFault::Unsealed)) => Ok(()),
            Some(Err(fault)) => Err(fault),
            None => Err(StoreFault::Damaged { table: "meta" }),
        }
    }
}

fn contents(db: &dyn Db, of: Contents) -> Result<Contents, StoreFault> {
    let damaged = || StoreFault::Damaged { table: "?" };
    let sound: String = db.one("PRAGMA integrity_check(1)", values![])?.ok_or_else(damaged)?.get(0)?;
    if of.schema == 0 || sound != "ok" {
        return Err(damaged());
    }
    let made_at = db.one("SELECT value FROM meta WHERE name = 'backup_at'", values![])?.map(|row| row.get::<Vec<u8>>(0)).transpose()?;
    let millis = made_at.and_then(|at| String::from_utf8(at).ok()?.parse().ok());
    let counted = count(db, i64::MAX)?;
    let row = db.one("SELECT (SELECT MAX(received_at) FROM event), (SELECT COUNT(*) FROM delivery)", values![])?.ok_or_else(damaged)?;
    Ok(Contents {
        made_at: millis.and_then(|millis| Timestamp::from_millisecond(millis).ok()),
        newest: row.maybe(0)?,
        events: counted.events,
        deliveries: row.get(1)?,
        accepted: counted.accepted,
        reference: Some(Reference::read(db)?),
        ..of
    })
}

fn count(db: &dyn Db, since: i64) -> Result<Present, StoreFault> {
    let sql = "SELECT (SELECT COUNT(*) FROM event), (SELECT COUNT(*) FROM delivery WHERE state = 'ACCEPTED'),
         (SELECT COUNT(*) FROM event WHERE received_at > ?1),
         (SELECT COUNT(*) FROM delivery WHERE state = 'ACCEPTED' AND settled_at > ?1)";
    let row = db.one(sql, values![since])?.ok_or(StoreFault::Damaged { table: "?" })?;
    Ok(Present { events: row.get(0)?, accepted: row.get(1)?, newer_events: row.get(2)?, newer_accepted: row.get(3)?, same: false })
}

/// The store's place, with nobody else there for as long as this lives.
#[derive(Debug)]
pub struct Vacant {
    path: PathBuf,
    _lock: File,
}

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutBack {
    pub doubts: u64,
    /// Where the store that was there lies now.
    pub kept: Option<PathBuf>,
}

impl Vacant {
    pub fn take(path: &Path) -> Result<Self, Fault> {
        let lock = sqlite::lock(path)?.ok_or_else(|| Fault::with(Code::StoInUse, path.display().to_string()))?;
        settle(path)?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// None where there is no store, or none that can be read.
    pub fn present(&self, backup: &Contents, keys: &Keys) -> Option<Present> {
        if !self.path.exists() {
            return None;
        }
        let db = open(&self.path).ok()?;
        let since = backup.made_at.or(backup.newest).map_or(i64::MIN, Timestamp::as_millisecond);
        let present = count(db.as_ref(), since).ok()?;
        let own = Reference::read(db.as_ref()).ok();
        let same = own.zip(backup.reference.as_ref()).is_some_and(|(own, theirs)| own.is_that_of(theirs, keys));
        Some(Present { same, ..present })
    }

    /// Puts a backup in the store's place. The store that was there is kept beside it.
    pub fn put_back(&self, file: &Path, backup: &Contents, keys: &Keys, restored: &Restored) -> Result<PutBack, Fault> {
        let staged = beside(&self.path, ".restoring");
        clear(&staged);
        let placed = self.stage(&staged, file, (backup, keys), restored).and_then(|doubts| {
            let at = beside(&self.path, ".restored");
            let renamed = fs::rename(&staged, &at).and_then(|()| sync_folder(&at));
            renamed.map_err(|fault| unwritten(&self.path, &fault)).map(|()| doubts)
        });
        if placed.is_err() {
            clear(&staged);
        }
        Ok(PutBack { doubts: placed?, kept: settle(&self.path)? })
    }

    /// A copy of the backup on the disk, brought on and marked.
    fn stage(&self, staged: &Path, file: &Path, (backup, keys): (&Contents, &Keys), restored: &Restored) -> Result<u64, Fault> {
        let copied = NewFile::at(staged)?;
        let mut to = copied.file.try_clone().map_err(|fault| unwritten(&self.path, &fault))?;
        if copy(file, &mut to).map_err(|fault| unwritten(&self.path, &fault))? != backup.sha256 {
            return Err(Fault::with(Code::OpsStale, file.display().to_string()));
        }
        copied.put()?;
        let marked = (|| {
            // One that is not sealed may be put back where keys are configured.
            let plain = backup.reference.as_ref().is_some_and(|reference| reference.open(keys) == Err(StoreFault::Unsealed));
            let keys = if plain { keys.unsealing() } else { keys.clone() };
            let db = sqlite::connect(staged, &Arc::new(Seals::new(keys)))?;
            migrate(db.as_ref(), backup.schema, str::to_owned, sqlite::note)?;
            named::enter(db.as_ref())?;
            db.batch("BEGIN")?;
            db.execute("DELETE FROM meta WHERE name = 'backup_at'", values![])?;
            let doubts = mark(db.as_ref(), restored)?;
            db.batch("COMMIT; PRAGMA journal_mode = DELETE")?;
            Ok(doubts)
        })();
        let doubts = marked.map_err(|fault| failed(&self.path, fault))?;
        File::open(staged).and_then(|file| file.sync_all()).map_err(|fault| unwritten(&self.path, &fault))?;
        Ok(doubts)
    }
}

/// Removes a file of SQLite's with all that it may have beside it.
fn clear(path: &Path) {
    for ending in ["", "-wal", "-shm", "-journal"] {
        let _ = fs::remove_file(beside(path, ending));
    }
}

/// Finishes a restore that was decided: the store that is there steps aside, the other takes its place. Gives where it went.
/// Whoever calls it holds the lock.
pub(super) fn settle(path: &Path) -> Result<Option<PathBuf>, Fault> {
    let restored = beside(path, ".restored");
    let Ok(of) = restored.metadata() else { return Ok(None) };
    let settled = (|| {
        // The same name also after a crash half-way.
        let at = Timestamp::try_from(of.modified()?).map_err(io::Error::other)?;
        let kept = beside(path, &format!(".before-{}", at.strftime("%Y%m%dT%H%M%S%3fZ")));
        for ending in ["", "-wal"] {
            if beside(path, ending).exists() {
                fs::rename(beside(path, ending), beside(&kept, ending))?;
            }
        }
        let _ = fs::remove_file(beside(path, "-shm"));
        sync_folder(path)?;
        fs::rename(&restored, path)?;
        sync_folder(path)?;
        Ok(kept.exists().then_some(kept))
    })();
    settled.map_err(|fault| unwritten(path, &fault))
}

fn open(path: &Path) -> Result<Connection, StoreFault> {
    sqlite::plain(path, OpenFlags::SQLITE_OPEN_READ_WRITE, &Arc::new(Seals::none()))
}

/// The name of a file that SQLite takes for one that never changes.
fn immutable(file: &Path) -> String {
    let mut out = "file:".to_owned();
    for byte in file.as_os_str().as_bytes() {
        let _ = if byte.is_ascii_alphanumeric() || b"/._-".contains(byte) {
            out.write_char(char::from(*byte))
        } else {
            write!(out, "%{byte:02X}")
        };
    }
    out + "?immutable=1"
}

/// Copies a file, and hashes it.
fn copy(file: &Path, to: &mut dyn io::Write) -> io::Result<ContentHash> {
    let mut from = File::open(file)?;
    let mut hash = Context::new(&SHA256);
    let mut page = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut page)?;
        if read == 0 {
            to.flush()?;
            return ContentHash::from_bytes(hash.finish().as_ref()).ok_or_else(|| io::Error::other("SHA-256"));
        }
        hash.update(&page[..read]);
        to.write_all(&page[..read])?;
    }
}

/// SQLite's number for a full disk, in its primary codes.
const FULL: i32 = 13;

fn failed(path: &Path, fault: StoreFault) -> Fault {
    let full = matches!(fault, StoreFault::Sqlite(code) if code & 0xff == FULL);
    let why = if full { io::ErrorKind::StorageFull.to_string() } else { fault.to_string() };
    Fault::with(Code::StoWrite, format!("{} ({why})", path.display()))
}
