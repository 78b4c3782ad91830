//! Rows of what was disclosed: written with the outcome of a try after which the receiver may have the document.

use super::super::db::{Db, Row, values};
use super::super::export::hex;
use super::super::queue::UNANSWERED;
use super::super::seal::SUBJECT;
use super::super::{Attempt, Finish, StoreFault};
use super::{Audit, Kind, Who};
use crate::model::ids::{EpisodeId, MessageId};
use crate::model::keyed::Domain;
use crate::model::name::Name;
use crate::model::personal::Personal;
use crate::model::receipt::ContentHash;
use crate::model::time::instant_text;
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

/// A receipt of more than this is kept by its hash alone.
const RECEIPT_MAX: usize = 4_096;

/// What the log says of a delivery: what it is, whom it is about and whom it is for.
pub(in crate::store) struct About {
    message: Option<MessageId>,
    destination: Option<Name>,
    episode: Option<EpisodeId>,
    kind: String,
    version: u32,
    hash: Option<Vec<u8>>,
    /// None where the store does not know: it was written before there was a log, or does not open.
    subject: Option<Personal<Value>>,
    /// Who had it before never wrote what came of it.
    unanswered: bool,
}

impl About {
    /// What [`About::read`] reads.
    pub(in crate::store) const COLUMNS: &'static str =
        "message_id, destination, episode_id, kind, version, content_hash, subject, last_answer, attempts";

    #[expect(clippy::disallowed_methods, reason = "goes from one sealed place of the store to another")]
    pub(in crate::store) fn read(db: &dyn Db, row: &Row) -> Result<Self, StoreFault> {
        let uuid = |text: String| Uuid::try_parse(&text).ok();
        let subject = match SUBJECT.maybe(db, row, 6, &[0, 1]) {
            Ok(subject) => subject.and_then(|json| serde_json::from_slice(json.disclose()).ok()),
            // What is damaged stops no delivery.
            Err(StoreFault::Damaged { .. }) => None,
            Err(fault) => return Err(fault),
        };
        let attempts: u32 = row.get(8)?;
        Ok(Self {
            message: uuid(row.get(0)?).map(MessageId),
            destination: Name::parse(&row.get::<String>(1)?),
            episode: uuid(row.get(2)?).map(EpisodeId),
            kind: row.get(3)?,
            version: row.get(4)?,
            hash: row.maybe(5)?,
            subject: subject.map(Personal::new),
            // The first try has none before it: a person has sent it again.
            unanswered: attempts > 1 && row.maybe::<String>(7)?.as_deref() == Some(UNANSWERED),
        })
    }

    fn audit(&self, kind: Kind, at: Timestamp, outcome: &str) -> Audit {
        let mut audit = Audit::new(at, kind, Who::daemon());
        (audit.message, audit.destination, audit.episode) = (self.message, self.destination.clone(), self.episode);
        audit = audit.tell("type", self.kind.as_str()).tell("version", self.version).tell("outcome", outcome);
        if let Some(hash) = &self.hash {
            audit = audit.tell("contentHash", hex(hash));
        }
        audit
    }

    #[expect(clippy::disallowed_methods, reason = "the audit log says whom a message is about, sealed")]
    fn fill(&self, db: &dyn Db, audit: Audit) -> Result<Audit, StoreFault> {
        match &self.subject {
            Some(subject) => of_person(db, audit.tell("subject", subject.disclose().clone())),
            None => Ok(audit),
        }
    }
}

/// With the reference of the person whom the row names.
fn of_person(db: &dyn Db, mut audit: Audit) -> Result<Audit, StoreFault> {
    let number = audit.told.0.get("subject").and_then(|subject| subject.pointer("/patient/id")).and_then(Value::as_str);
    if let (None, Some(number)) = (&audit.patient, number) {
        let number = Personal::new(number.to_owned());
        audit.patient = Some(db.seals().references()?.reference(Domain::Patient, &[&number]));
    }
    Ok(audit)
}

/// The row of a try that has ended; none where nothing can have reached the receiver.
pub(in crate::store) fn of_finish(db: &dyn Db, about: &About, n: u32, finish: &Finish) -> Result<Option<Audit>, StoreFault> {
    let disclosed = finish.attempt.as_ref().filter(|attempt| attempt.disclosed);
    if disclosed.is_none() && !about.unanswered {
        return Ok(None);
    }
    let outcome = disclosed.map_or(UNANSWERED, |attempt| attempt.answer);
    let mut audit = about.audit(Kind::Disclosed, finish.at, outcome).tell("attempt", n);
    if let Some(attempt) = disclosed {
        audit = tried(audit, attempt);
        if about.unanswered {
            audit = audit.tell("unansweredBefore", true);
        }
    }
    about.fill(db, audit).map(Some)
}

/// The row of a receipt that came by itself.
pub(in crate::store) fn of_receipt(db: &dyn Db, delivery: i64, at: Timestamp, attempt: &Attempt) -> Result<Option<Audit>, StoreFault> {
    let row = db.one(&format!("SELECT {} FROM delivery WHERE id = ?1", About::COLUMNS), values![delivery])?;
    let Some(about) = row.map(|row| About::read(db, &row)).transpose()? else { return Ok(None) };
    about.fill(db, tried(about.audit(Kind::Receipt, at, attempt.answer), attempt)).map(Some)
}

#[expect(clippy::disallowed_methods, reason = "the receipt is kept in the audit log, sealed")]
fn tried(mut audit: Audit, attempt: &Attempt) -> Audit {
    audit = audit.tell("sentAt", instant_text(attempt.started_at));
    if let Some(envelope) = attempt.envelope {
        audit = audit.tell("envelopeId", envelope.to_string());
    }
    if let Some(status) = attempt.http_status {
        audit = audit.tell("httpStatus", status);
    }
    if let Some(code) = attempt.code {
        audit = audit.tell("code", code);
    }
    match attempt.receipt.as_ref().map(Personal::disclose) {
        None => audit,
        Some(receipt) => match std::str::from_utf8(receipt) {
            Ok(text) if text.len() <= RECEIPT_MAX => audit.tell("receipt", text),
            _ => audit.tell("receiptHash", hex(ContentHash::of(receipt).as_bytes())),
        },
    }
}

/// With what the store knows of its message, where the row itself says nothing of it.
pub(super) fn complete(db: &dyn Db, audit: Audit) -> Result<Audit, StoreFault> {
    let known = ["subject", "outcome"].iter().any(|name| audit.told.0.contains_key(*name));
    let (Some(message), Some(destination), false) = (audit.message, &audit.destination, known) else { return of_person(db, audit) };
    let sql = format!("SELECT {} FROM delivery WHERE message_id = ?1 AND destination = ?2", About::COLUMNS);
    let Some(row) = db.one(&sql, values![message.to_string(), destination.as_str()])? else { return Ok(audit) };
    let about = About::read(db, &row)?;
    let audit = Audit { episode: audit.episode.or(about.episode), ..audit };
    about.fill(db, audit.tell("type", about.kind.as_str()))
}
