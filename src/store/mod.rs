//! The one database: events, episodes, the queue, attempts, journal and alarms, in SQLite beside the daemon or in PostgreSQL.
//!
//! What belongs together commits together, and nothing is told to anybody before it is committed. One thread writes and
//! commits in groups; readers stand beside it. The store has no clock and no policy: times and what follows from an
//! answer are decided by its callers.

mod alarms;
mod audit;
mod check;
mod commit;
mod backup;
mod db;
mod doubt;
mod export;
mod figures;
mod files;
mod handle;
mod hold;
mod keys;
mod mails;
mod named;
mod notices;
mod parked;
mod postgres;
mod purge;
mod queue;
mod raw;
mod read;
mod receipt;
mod rekey;
mod request;
mod seal;
mod sqlite;

pub use audit::{Anchor, Audit, AuditRow, AuditWanted, Breach, Broken, Kind, Purged, Tried, Verified, Who};
pub use backup::{Contents, Present, PutBack, Vacant, back_up, look_into};
pub use check::{Damage, Damaged, Looked};
pub use doubt::{Restored, open_alone};
pub use export::{ExportFault, Exported};
pub use figures::{Figures, Standing};
pub use files::{NewFile, disk_free, unwritten};
pub use handle::Store;
pub use hold::{Hold, Subject};
pub use keys::{Keys, StoreKey};
pub use mails::{About, Content, MAILS_MAX, Mail, Matter};
pub use notices::Waiting as WaitingNotice;
pub use parked::{Wanted, Written};
pub use purge::{Before, Due, Kind as PurgeKind, Purge, Tally};
pub use raw::{RawForm, RawValue};
pub use read::{AttemptRow, DeliveryRow, EpisodeRow, EventRow, Filter, JournalRow, KeptBack, KeptEvent, Past, UnderRules, Untold};
pub use receipt::{Sent, Weighed};
pub use rekey::{Rekey, Rekeyed};
pub use request::{Asked, RequestRow};

use crate::alarm::Ring;
use crate::fault::{Code, Fault};
use crate::model::catalogue::EventType;
use crate::model::episode::Phase;
use crate::model::finding::Finding;
use crate::model::ids::{EnvelopeId, EpisodeId, MessageId};
use crate::model::keyed::Ref;
use crate::model::name::Name;
use crate::model::personal::Personal;
use crate::model::state::State;
use crate::oplog::Line;
use crate::seal::Checked;
use jiff::Timestamp;
use std::path::PathBuf;

/// Where a store is.
#[derive(Debug, Clone)]
pub enum Place {
    /// SQLite.
    File(PathBuf),
    Postgres(Server),
}

/// A PostgreSQL database.
#[derive(Debug, Clone)]
pub struct Server {
    /// Of libpq's form.
    pub url: Secret,
    /// PEM file with the issuers that its certificate may come from; else the system's.
    pub ca_file: Option<PathBuf>,
}

impl From<&str> for Server {
    fn from(url: &str) -> Self {
        Self { url: Secret(url.to_owned()), ca_file: None }
    }
}

impl From<&String> for Server {
    fn from(url: &String) -> Self {
        url.as_str().into()
    }
}

/// A connection string; it may hold a password.
#[derive(Clone)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("‹secret›")
    }
}

impl Store {
    /// Opens the store for writing, see [`Store::open`] and [`Store::open_postgres`].
    pub fn open_at(place: &Place, keys: impl Into<Keys>) -> Result<Self, Fault> {
        match place {
            Place::File(path) => Self::open(path, keys),
            Place::Postgres(server) => Self::open_postgres(server.clone(), keys),
        }
    }

    /// Opens the store for reading.
    pub fn open_at_to_read(place: &Place, keys: impl Into<Keys>) -> Result<Self, Fault> {
        match place {
            Place::File(path) => Self::open_to_read(path, keys),
            Place::Postgres(server) => Self::open_postgres_to_read(server.clone(), keys),
        }
    }
}

impl Server {
    /// The command by which the server's own tools make a backup; without a password.
    pub fn dump_command(&self, to: &std::path::Path) -> Result<String, Fault> {
        postgres::dump_command(self, to)
    }
}

/// Why the store did not do what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoreFault {
    /// SQLite's extended result code. Its text is left out: it may name values.
    #[error("the database answered with code {0}")]
    Sqlite(i32),
    /// PostgreSQL's state code.
    #[error("the database answered with code {}", String::from_utf8_lossy(.0))]
    Postgres([u8; 5]),
    /// The database cannot be reached.
    #[error("the database cannot be reached")]
    Unreachable,
    #[error("a row of table {table} cannot be read")]
    Damaged { table: &'static str },
    #[error("the writer has stopped")]
    Stopped,
    /// Values are sealed with a key that is not given.
    #[error("a key that the store is sealed with is not given")]
    NoKey,
    /// Keys are given, and nothing is sealed.
    #[error("the store is not sealed")]
    Unsealed,
}

impl StoreFault {
    pub fn code(self) -> Code {
        match self {
            Self::NoKey => Code::CfgStoreSealed,
            Self::Unsealed => Code::CfgStoreUnsealed,
            _ => Code::BugStore,
        }
    }
}

impl From<rusqlite::Error> for StoreFault {
    fn from(fault: rusqlite::Error) -> Self {
        match fault {
            rusqlite::Error::SqliteFailure(failure, _) => Self::Sqlite(failure.extended_code),
            rusqlite::Error::FromSqlConversionFailure(..) | rusqlite::Error::InvalidColumnType(..) => Self::Damaged { table: "?" },
            _ => Self::Sqlite(0),
        }
    }
}

impl From<StoreFault> for Fault {
    fn from(fault: StoreFault) -> Self {
        Self::with(fault.code(), fault.to_string())
    }
}

/// A version of a source event, as it was when it was accepted.
#[derive(Debug, Clone)]
pub struct NewEvent {
    pub key: Ref,
    pub version: u32,
    pub hash: [u8; 32],
    pub kind: EventType,
    pub episode: EpisodeId,
    pub source: Name,
    /// What the source calls it: a file's name.
    pub origin: Personal<String>,
    /// Name, revision and hash of the mapping that made it.
    pub mapping: String,
    /// Canonical JSON.
    pub body: Personal<Vec<u8>>,
    /// Remarks and deviations that the source shall hear of.
    pub findings: Vec<Finding>,
    pub occurred_at: Timestamp,
    pub received_at: Timestamp,
}

/// An episode's new state. Refused where the episode is no longer at `from`.
#[derive(Debug, Clone)]
pub struct EpisodeWrite {
    pub id: EpisodeId,
    /// Version that the new state was computed from; 0 where there was none.
    pub from: u64,
    pub phase: Phase,
    pub rules: String,
    pub body: Personal<Vec<u8>>,
    /// When time alone changes something in it.
    pub look_at: Option<Timestamp>,
    /// Whom the event named.
    pub patient: Option<Ref>,
}

/// A document that enters its lane.
#[derive(Debug, Clone)]
pub struct Release {
    pub sequence: u64,
    pub checked: Checked,
    /// Whom it is about and whom it is for, JSON; for the audit log.
    pub subject: Personal<Vec<u8>>,
}

/// A delivery: one message for one destination.
#[derive(Debug, Clone)]
pub struct NewDelivery {
    pub message: MessageId,
    pub destination: Name,
    pub kind: EventType,
    pub version: u32,
    pub state: State,
    pub rules: String,
    pub rules_hash: String,
    pub release: Option<Release>,
    pub findings: Vec<Finding>,
    pub useful_until: Option<Timestamp>,
}

/// What becomes of a delivery that was there before, with the line that tells it if it happens.
#[derive(Debug, Clone)]
pub struct Change {
    pub message: MessageId,
    pub destination: Name,
    pub to: ChangeTo,
    pub line: Option<Line>,
}

#[derive(Debug, Clone)]
pub enum ChangeTo {
    /// It enters its lane, or where the destination is a shadow, ends written and unsent. The entry conflicts where it is no
    /// longer withheld.
    Release { release: Release, shadow: bool },
    /// It ends unsent. Nothing happens where it has been sent meanwhile: what has left stays a fact.
    End { state: State, findings: Vec<Finding> },
    /// It ends because it is voided or its case has ended. The entry conflicts where it has been sent meanwhile: then
    /// something else follows.
    Withdraw(Vec<Finding>),
    /// A person sends it again: into its lane by its own number, the same content, with tries and age counted anew. The entry
    /// conflicts where it is not in this state.
    Resend { from: State },
    /// A person closes it unsent. The entry conflicts where it is not in this state, or may have been sent meanwhile.
    Resolve { from: State, findings: Vec<Finding> },
    /// It stays withheld, for these reasons.
    StillWithheld(Vec<Finding>),
    /// A person must release it, for these reasons.
    Hold(Vec<Finding>),
}

/// Everything that one source event changes, committed as one.
#[derive(Debug, Clone)]
pub struct Entry {
    pub at: Timestamp,
    /// None where the event could not be read or was seen before: then only lines are kept.
    pub event: Option<NewEvent>,
    pub episode: Option<EpisodeWrite>,
    pub deliveries: Vec<NewDelivery>,
    pub changes: Vec<Change>,
    pub lines: Vec<Line>,
    /// Alarms of the episode's due times, to be told outside the log as well.
    pub alarms: Vec<Ring>,
    /// A record that is no event, for those who keep its source.
    pub rejected: Option<Rejected>,
    /// Why everything of the episode that waits in its lanes untried must wait for a person from now on.
    pub hold: Option<Vec<Finding>>,
    pub answers: Option<Answers>,
}

/// A record that was refused whole, as far as it could be read.
#[derive(Debug, Clone)]
pub struct Rejected {
    pub source: Name,
    pub reference: Ref,
    pub findings: Vec<Finding>,
    /// The case number as the source gave it.
    pub case: Option<Personal<String>>,
    pub kind: Option<EventType>,
    pub occurred_at: Option<Timestamp>,
}

/// The operator's request that an entry does, with what came of it.
#[derive(Debug, Clone)]
pub struct Answers {
    pub request: i64,
    /// JSON of ours.
    pub outcome: String,
    /// What the audit log says of it.
    pub audit: Option<Audit>,
}

/// What became of an entry.
#[derive(Debug, Clone)]
pub enum Committed {
    /// It is durable; these lines tell of it.
    Done(Vec<Line>),
    /// Something else changed what it was computed from: compute it anew.
    Conflict,
}

/// A delivery that is ours until the lease ends.
#[derive(Debug, Clone)]
pub struct Claimed {
    pub id: i64,
    pub token: [u8; 16],
    /// Until when it is ours.
    pub until: Timestamp,
    pub message: MessageId,
    pub episode: EpisodeId,
    pub event_ref: Ref,
    /// This try's number, from 1; a crash counted too.
    pub attempt: u32,
    /// Its number since a person last sent it again, if one has: what the limits go by.
    pub turn: u32,
    pub released_at: Timestamp,
    pub content: Personal<Vec<u8>>,
    pub hash: Vec<u8>,
    /// What the try before ended in, and when.
    pub last_answer: Option<String>,
    pub tried_at: Option<Timestamp>,
    /// Since a restore nobody knows whether the receiver has it.
    pub in_doubt: bool,
    /// It has been sent, and its receipt is waited for.
    pub waiting: Option<Waiting>,
}

/// A receipt that comes later.
#[derive(Debug, Clone)]
pub struct Waiting {
    pub until: Timestamp,
    /// Where the receiver said that it can be asked for.
    pub place: Option<Personal<String>>,
}

/// How many deliveries a worker takes, of those that are to be sent and of those whose receipt is to be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    pub sends: usize,
    pub asks: usize,
}

/// What was claimed, and when there is more.
#[derive(Debug, Clone)]
pub struct Claims {
    pub claimed: Vec<Claimed>,
    /// When the next delivery of this destination falls due; for sleeping, not for promises.
    pub next_due: Option<Timestamp>,
}

/// One try and what is known of it.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// None where nothing was sent, only asked.
    pub envelope: Option<EnvelopeId>,
    pub started_at: Timestamp,
    pub duration_ms: u64,
    /// Class of the answer, a word of ours.
    pub answer: &'static str,
    /// The receiver may have the document since this try, or has shown that it has.
    pub disclosed: bool,
    pub code: Option<&'static str>,
    pub http_status: Option<u16>,
    /// The receipt's bytes, bounded.
    pub receipt: Option<Personal<Vec<u8>>>,
}

/// How a claimed delivery goes on.
#[derive(Debug, Clone)]
pub struct Finish {
    pub id: i64,
    pub token: [u8; 16],
    pub state: State,
    /// When it falls due again, where it stays in its lane.
    pub next_at: Option<Timestamp>,
    /// There if its receipt is waited for.
    pub waiting: Option<Waiting>,
    /// It stays unknown whether the receiver has had it since before a restore.
    pub in_doubt: bool,
    /// The try does not count: the route failed, not the message.
    pub unburn: bool,
    pub code: Option<&'static str>,
    pub findings: Vec<Finding>,
    pub attempt: Option<Attempt>,
    pub at: Timestamp,
    pub lines: Vec<Line>,
}
