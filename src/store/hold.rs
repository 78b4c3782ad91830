//! Legal holds: what must not go, however old it is. A hold stands from the moment it is written; the batch after that heeds it.

use super::audit::{self, Audit};
use super::commit::write_line;
use super::db::{Db, Row, values};
use super::handle::within_transaction;
use super::seal::{HOLD_REASON, Sealer};
use super::{Store, StoreFault};
use crate::model::ids::EpisodeId;
use crate::model::keyed::Ref;
use crate::model::personal::Personal;
use crate::oplog::Line;
use jiff::Timestamp;
use uuid::Uuid;

/// Most holds that are shown.
const HOLDS_MAX: usize = 1_000;

/// What is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    Everything,
    Episode(EpisodeId),
    /// Every episode in which the patient was named.
    Patient(Ref),
}

impl Subject {
    pub fn text(&self) -> String {
        match self {
            Self::Everything => "*".to_owned(),
            Self::Episode(id) => id.to_string(),
            Self::Patient(patient) => patient.as_str().to_owned(),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Everything);
        }
        Uuid::try_parse(text).ok().map(|id| Self::Episode(EpisodeId(id))).or_else(|| Ref::parse(text).map(Self::Patient))
    }
}

/// A hold and who set it.
#[derive(Debug, Clone)]
pub struct Hold {
    pub id: i64,
    pub at: Timestamp,
    pub by: String,
    pub subject: Subject,
    pub reason: Personal<String>,
    /// When it was lifted, and by whom; none while it stands.
    pub lifted: Option<(Timestamp, String)>,
}

/// Holds for a statement: whether an episode, named by an expression, is kept by none.
pub(super) fn free(episode: &str) -> String {
    format!(
        "NOT EXISTS (SELECT 1 FROM legal_hold WHERE lifted_at IS NULL AND (subject = '*' OR subject = {episode}
            OR subject IN (SELECT patient FROM episode_patient AS named WHERE named.episode_id = {episode})))"
    )
}

/// The same for what names no episode: any hold keeps it, since nobody can say that it has nothing to do with that one.
pub(super) const NONE: &str = "NOT EXISTS (SELECT 1 FROM legal_hold WHERE lifted_at IS NULL)";

impl Store {
    /// Sets a hold, also from another process. `line` and the audit log tell of it.
    pub fn hold(&self, by: &str, subject: &Subject, reason: &Personal<String>, line: &Line, audit: Audit) -> Result<i64, StoreFault> {
        let at = line.at;
        self.read(|db| {
            within_transaction(db, || {
                let sealer = Sealer::hold(db)?;
                // Its number is a part of what its reason is sealed to.
                let sql = "INSERT INTO legal_hold (at, set_by, subject, reason) VALUES (?1, ?2, ?3, ?4) RETURNING id";
                let row = db.one(sql, values![at, by, subject.text(), Vec::new()])?;
                let id: i64 = row.ok_or(StoreFault::Stopped)?.get(0)?;
                let reason = sealer.seal(&HOLD_REASON, values![id], reason)?;
                db.execute("UPDATE legal_hold SET reason = ?2 WHERE id = ?1", &[id.into(), reason])?;
                write_line(db, line)?;
                audit::append(db, &sealer, &[audit.tell("hold", id)])?;
                Ok(id)
            })
        })
    }

    /// Lifts a hold. False where there is none of that number that stands.
    pub fn lift(&self, id: i64, by: &str, line: &Line, audit: Audit) -> Result<bool, StoreFault> {
        let at = line.at;
        self.read(|db| {
            within_transaction(db, || {
                let sql = "UPDATE legal_hold SET lifted_at = ?2, lifted_by = ?3 WHERE id = ?1 AND lifted_at IS NULL";
                let lifted = db.execute(sql, values![id, at, by])? == 1;
                if lifted {
                    write_line(db, line)?;
                    audit::append(db, &Sealer::hold(db)?, &[audit.tell("hold", id)])?;
                }
                Ok(lifted)
            })
        })
    }

    /// Every hold, the newest first; those that stand alone, or those that were lifted as well.
    pub fn holds(&self, lifted: bool) -> Result<Vec<Hold>, StoreFault> {
        self.read(|db| {
            let sql = "SELECT id, at, set_by, subject, reason, lifted_at, lifted_by FROM legal_hold
                 WHERE lifted_at IS NULL OR ?1 = 1 ORDER BY id DESC LIMIT ?2";
            db.list(sql, values![lifted, HOLDS_MAX], |row| hold(db, row))
        })
    }
}

fn hold(db: &dyn Db, row: &Row) -> Result<Hold, StoreFault> {
    let damaged = || StoreFault::Damaged { table: "legal_hold" };
    let lifted_by: Option<String> = row.maybe(6)?;
    Ok(Hold {
        id: row.get(0)?,
        at: row.get(1)?,
        by: row.get(2)?,
        subject: Subject::parse(&row.get::<String>(3)?).ok_or_else(damaged)?,
        reason: HOLD_REASON.text(db, row, 4, &[0])?.ok_or_else(damaged)?,
        lifted: row.maybe(5)?.map(|at| (at, lifted_by.unwrap_or_default())),
    })
}
