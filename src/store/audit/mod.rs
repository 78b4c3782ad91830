//! The audit log (åtkomstlogg): who did and saw what, and every disclosure. Rows are only added, in the transaction of what
//! they tell of, each bound to the one before (decision 021).

mod chain;
mod disclosed;
mod purge;
mod read;
mod verify;

pub(super) use chain::found;
pub(super) use disclosed::{About, of_finish, of_receipt};
pub use purge::Purged;
pub use read::{AuditRow, AuditWanted, Tried};
pub(super) use verify::walk;
pub use verify::{Anchor, Breach, Broken, Verified};

use super::db::{Db, values};
use super::handle::within_transaction;
use super::seal::{AUDIT_BODY, Sealer};
use super::{Store, StoreFault};
use crate::model::ids::{EpisodeId, MessageId};
use crate::model::keyed::Ref;
use crate::model::name::Name;
use crate::model::personal::Personal;
use crate::model::shape::codes;
use chain::{Link, Span};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::fmt;

codes! {
    /// What a row of the audit log tells.
    Kind {
        Started = "started": "Tjänsten startade", "The daemon started";
        Stopped = "stopped": "Tjänsten stannade", "The daemon stopped";
        Disclosed = "disclosed": "Ett meddelande lämnades ut, eller kan ha lämnats ut", "A message was disclosed, or may have been";
        Receipt = "receipt": "Ett kvitto kom i efterhand", "A receipt came later";
        Released = "released": "Begäran att släppa ett meddelande", "Request to release a message";
        Resent = "resent": "Begäran att sända ett meddelande igen", "Request to send a message again";
        Resolved = "resolved": "Begäran att avsluta ett meddelande för hand", "Request to close a message by hand";
        Moved = "moved": "Begäran att flytta ett ärende till andra regler", "Request to move a case to other rules";
        Requested = "requested": "En begäran som inte gick att läsa", "A request that could not be read";
        Printed = "printed": "Ett meddelande visades med namn och innehåll", "A message was shown with names and content";
        Asked = "asked": "Någon frågade vad som lämnats ut", "Somebody asked what was disclosed";
        LogExported = "log-exported": "Åtkomstloggen skrevs ut", "The audit log was exported";
        StoreExported = "store-exported": "Hela databasen skrevs ut", "The whole store was exported";
        BackedUp = "backed-up": "En säkerhetskopia gjordes", "A backup was made";
        Restored = "restored": "Databasen återställdes", "The store was restored";
        Rekeyed = "rekeyed": "Databasen fick en annan nyckel", "The store was given another key";
        Retention = "retention": "Gallring", "A retention run";
        HoldSet = "hold-set": "Något undantogs från gallring", "Something was exempted from retention";
        HoldLifted = "hold-lifted": "Ett undantag från gallring upphörde", "An exemption from retention ended";
        Purged = "purged": "Gamla rader i åtkomstloggen gallrades", "Old rows of the audit log were removed";
    }
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// What they call themselves.
    pub name: Personal<String>,
    /// The user that the command ran as, as the kernel has it; none for the daemon's own doings.
    pub uid: Option<u32>,
    /// Who logged in, which neither `su` nor `sudo` changes; none where the system does not keep it.
    pub login: Option<u32>,
}

impl Who {
    pub fn daemon() -> Self {
        Self { name: Personal::new("daemon".to_owned()), uid: None, login: None }
    }

    #[expect(clippy::disallowed_methods, reason = "the audit log says who it was, sealed")]
    fn json(&self) -> Value {
        let mut out = json!({"name": self.name.disclose()});
        for (name, number) in [("uid", self.uid), ("login", self.login)] {
            if let Some(number) = number {
                out[name] = number.into();
            }
        }
        out
    }
}

/// A row to be added.
#[derive(Debug, Clone)]
pub struct Audit {
    pub at: Timestamp,
    pub kind: Kind,
    pub who: Who,
    pub message: Option<MessageId>,
    pub destination: Option<Name>,
    pub episode: Option<EpisodeId>,
    pub patient: Option<Ref>,
    told: Told,
}

/// What else is to be known, by name. May hold anything, and goes nowhere but into the sealed body.
#[derive(Clone)]
struct Told(Map<String, Value>);

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("‹personal›")
    }
}

impl Audit {
    /// About nobody and nothing yet.
    pub fn new(at: Timestamp, kind: Kind, who: Who) -> Self {
        Self { at, kind, who, message: None, destination: None, episode: None, patient: None, told: Told(Map::new()) }
    }

    #[must_use]
    pub fn tell(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.told.0.insert(name.to_owned(), value.into());
        self
    }

    fn body(mut self) -> Vec<u8> {
        self.told.0.insert("actor".to_owned(), self.who.json());
        Value::Object(self.told.0).to_string().into_bytes()
    }
}

impl Store {
    /// Adds rows, also from beside the daemon. They are durable when this returns.
    pub fn audit(&self, rows: &[Audit]) -> Result<(), StoreFault> {
        self.read(|db| {
            within_transaction(db, || {
                let sealer = Sealer::hold(db)?;
                append(db, &sealer, rows)
            })
        })
    }
}

/// Adds rows at the end of a transaction: the end of the log is locked from here on, and nobody who has it waits for anything
/// else. What a row does not say of the person that its message is about is taken from the message.
pub(super) fn append(db: &dyn Db, sealer: &Sealer<'_>, rows: &[Audit]) -> Result<(), StoreFault> {
    if rows.is_empty() {
        return Ok(());
    }
    let rows = rows.iter().map(|row| disclosed::complete(db, row.clone())).collect::<Result<Vec<_>, _>>()?;
    let mut span = Span::lock(db)?;
    for audit in rows {
        add(db, sealer, &mut span, audit)?;
    }
    span.write(db)
}

fn add(db: &dyn Db, sealer: &Sealer<'_>, span: &mut Span, audit: Audit) -> Result<(), StoreFault> {
    let (message, episode) = (audit.message.map(|id| id.to_string()), audit.episode.map(|id| id.to_string()));
    let (destination, patient) = (audit.destination.clone(), audit.patient.clone());
    let (at, kind, body) = (audit.at.as_millisecond(), audit.kind.code(), Personal::new(audit.body()));
    let link = Link {
        n: span.next(),
        at,
        kind,
        message: message.as_deref(),
        destination: destination.as_ref().map(Name::as_str),
        episode: episode.as_deref(),
        patient: patient.as_ref().map(Ref::as_str),
        body: &body,
    };
    let mac = span.add(db, &link)?;
    let value = sealer.seal(&AUDIT_BODY, values![link.n], &body)?;
    db.execute(
        "INSERT INTO audit (n, at, kind, message_id, destination, episode_id, patient, body, mac)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        values![link.n, at, kind, link.message, link.destination, link.episode, link.patient, value, mac],
    )?;
    Ok(())
}
