//! What the receiver does with one request: no network, no clock of its own.

use super::folder::{Folder, Known};
use super::script::{Planned, Script, Verdict};
use crate::fault::{Code, Fault};
use crate::model::dice::Dice;
use crate::model::ids::{EnvelopeId, EpisodeId, MessageId};
use crate::model::personal::Personal;
use crate::model::receipt::{ContentHash, ForeignCode, Receipt, ReceiptError, Severity};
use crate::model::state::{ReceiptReason, ReceiptStatus};
use crate::oplog::{self, Level, Reason};
use crate::seal::{Validator, XsdValidator};
use crate::wire::xml::{self, Received};
use crate::wire::{Unreadable, receipt};
use jiff::Timestamp;
use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use uuid::{Builder, Uuid};

/// The answer to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    /// Seconds.
    pub retry_after: Option<u32>,
    /// The receipt.
    pub body: Option<Vec<u8>>,
    /// The message whose receipt is to be had later, and after how long.
    pub later: Option<(MessageId, Duration)>,
    /// How long to wait before the answer.
    pub delay: Duration,
    /// The connection ends without the answer.
    pub drop: Option<Drop>,
}

/// When the connection ended: before the message was looked at, or after it was taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drop {
    Before,
    After,
}

/// A line of `received.ndjson`. Ids, numbers and words of ours only.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) at: Timestamp,
    pub(super) message: Option<MessageId>,
    pub(super) envelope: Option<EnvelopeId>,
    pub(super) episode: Option<EpisodeId>,
    pub(super) sequence: Option<u64>,
    pub(super) answer: String,
    pub(super) duplicate: bool,
}

/// The receiver without its network.
pub struct Core {
    folder: Folder,
    known: Known,
    script: Script,
    validator: XsdValidator,
    dice: Arc<dyn Dice>,
    /// Receipts that are not to be had before their time. Kept in memory alone: after a restart they are to be had at once.
    later: HashMap<MessageId, (Timestamp, Vec<u8>)>,
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core").field("folder", &self.folder).field("script", &self.script).finish_non_exhaustive()
    }
}

/// What came of a request, before the script has its say about the way it is answered.
struct Outcome {
    status: u16,
    body: Option<Vec<u8>>,
    word: &'static str,
    duplicate: bool,
}

/// A message as far as it could be read.
struct Subject<'a> {
    message: MessageId,
    received: Option<&'a Received>,
    /// Hash of the content, or of everything where no content could be found.
    digest: ContentHash,
}

impl Core {
    /// Opens the folder, and makes it where it is not there.
    pub fn open(dir: &Path, dice: Arc<dyn Dice>, script: Script) -> Result<Self, Fault> {
        let (folder, known) = Folder::open(dir)?;
        Ok(Self { folder, known, script, validator: XsdValidator::message(), dice, later: HashMap::new() })
    }

    /// From now on these answers.
    pub fn set_script(&mut self, script: Script) {
        self.script = script;
    }

    /// Takes in one request. When this returns, what was accepted is on disk.
    pub fn take(&mut self, now: Timestamp, body: &[u8], idempotency_key: Option<&str>) -> Reply {
        let read = xml::read(body);
        let received = read.as_ref().ok();
        let planned = self.script.next(received).unwrap_or_default();
        let outcome = if planned.bars() {
            Ok(Outcome { status: planned.status.unwrap_or(503), body: None, word: "", duplicate: self.has(received, body) })
        } else {
            self.judge(now, body, &read, idempotency_key, planned.receipt)
        };
        let outcome = outcome.and_then(|outcome| {
            let reply = self.put_off(now, received, reply(&outcome, &planned), planned.later);
            self.tell(now, received, &outcome, &reply)?;
            Ok(reply)
        });
        outcome.unwrap_or_else(|_| {
            oplog::Line::new(now, Level::Error, oplog::Event::StoreFault).code(Code::CfgFile).emit();
            // Taken in or not: the sender will come again, and then we know.
            Reply { status: 503, retry_after: Some(30), body: None, delay: Duration::ZERO, drop: None, later: None }
        })
    }

    /// Keeps a receipt back for a while.
    fn put_off(&mut self, now: Timestamp, received: Option<&Received>, reply: Reply, later: Option<Duration>) -> Reply {
        let (Some(received), Some(later)) = (received, later) else { return reply };
        let Reply { body: Some(body), .. } = &reply else { return reply };
        self.later.insert(received.message_id, (now + later, body.clone()));
        Reply { status: 202, body: None, later: Some((received.message_id, later)), ..reply }
    }

    /// The receipt of a message, by its id: 404 where it never came, 202 before its time.
    pub fn ask(&self, now: Timestamp, message: MessageId) -> Reply {
        let (status, body) = match self.later.get(&message) {
            Some((due, _)) if *due > now => (202, None),
            Some((_, body)) => (200, Some(body.clone())),
            None => match self.folder.receipt(message).filter(|_| self.known.accepted.contains_key(&message)) {
                Some(body) => (200, Some(body)),
                None => (404, None),
            },
        };
        Reply { status, retry_after: None, body, delay: Duration::ZERO, drop: None, later: None }
    }

    fn has(&self, received: Option<&Received>, body: &[u8]) -> bool {
        received.is_some_and(|received| self.known.accepted.get(&received.message_id) == Some(&digest(body, Some(received))))
    }

    fn judge(
        &mut self,
        now: Timestamp,
        body: &[u8],
        read: &Result<Received, Unreadable>,
        key: Option<&str>,
        planned: Option<Verdict>,
    ) -> io::Result<Outcome> {
        let received = read.as_ref().ok();
        let Some(message) = received.map(|received| received.message_id).or_else(|| partly(read, body)) else {
            return Ok(Outcome { status: 400, body: None, word: "rejected", duplicate: false });
        };
        let subject = Subject { message, received, digest: digest(body, received) };
        if let Some(Verdict::Rejected(reason)) = planned {
            return self.reject(now, &subject, reason, vec![remark("script", None, None)], Some(subject.digest));
        }
        if key.is_some_and(|key| !key.trim().trim_matches('"').eq_ignore_ascii_case(&message.to_string())) {
            let text = "Idempotency-Key är inte meddelandets id / Idempotency-Key is not the message id";
            let remark = remark("idempotencyKey", Some("message/content/header/messageId"), Some(text));
            // Nothing is known against the message itself.
            return self.reject(now, &subject, ReceiptReason::Sv, vec![remark], None);
        }
        if let Some(kept) = self.known.accepted.get(&message).copied() {
            return Ok(self.again(now, &subject, kept));
        }
        let whole = ContentHash::of(body);
        if planned.is_none()
            && let Some(outcome) = [subject.digest, whole].iter().find_map(|digest| self.rejected_before(message, *digest))
        {
            return Ok(outcome);
        }
        let remarks = self.remarks(body, read);
        if !remarks.is_empty() {
            // The fault may be in the transmission, and the same content good in the next.
            return self.reject(now, &subject, ReceiptReason::Sv, remarks, Some(whole));
        }
        let answer = receipt::write(&self.receipt(now, &subject, ReceiptStatus::Accepted));
        self.folder.keep(message, body, &answer)?;
        self.known.accepted.insert(message, subject.digest);
        Ok(Outcome { status: 200, body: Some(answer), word: "accepted", duplicate: false })
    }

    /// A message under an id that we have.
    fn again(&self, now: Timestamp, subject: &Subject<'_>, kept: ContentHash) -> Outcome {
        if kept == subject.digest {
            let first = self.folder.receipt(subject.message);
            let answer = first.unwrap_or_else(|| receipt::write(&self.receipt(now, subject, ReceiptStatus::Accepted)));
            return Outcome { status: 409, body: Some(answer), word: "accepted", duplicate: true };
        }
        let mut answer = self.receipt(now, subject, ReceiptStatus::Rejected);
        answer.reason = Some(ReceiptReason::Bv);
        // What we have, so that the sender can compare.
        answer.content_hash = Some(kept);
        let text = "meddelandets id finns redan med annat innehåll / the message id exists with other content";
        answer.errors = remark("messageId", None, Some(text)).into_iter().collect();
        Outcome { status: 409, body: Some(receipt::write(&answer)), word: "rejected", duplicate: false }
    }

    fn rejected_before(&self, message: MessageId, digest: ContentHash) -> Option<Outcome> {
        self.known.rejected.get(&(message, digest))?;
        let body = self.folder.rejection(message, digest)?;
        Some(Outcome { status: 422, body: Some(body), word: "rejected", duplicate: true })
    }

    /// `remembered` is by what the rejection is found again.
    fn reject(
        &mut self,
        now: Timestamp,
        subject: &Subject<'_>,
        reason: ReceiptReason,
        errors: Vec<Option<ReceiptError>>,
        remembered: Option<ContentHash>,
    ) -> io::Result<Outcome> {
        let mut answer = self.receipt(now, subject, ReceiptStatus::Rejected);
        answer.reason = Some(reason);
        answer.errors = errors.into_iter().flatten().collect();
        let answer = receipt::write(&answer);
        if let Some(digest) = remembered {
            self.folder.keep_rejection(subject.message, digest, &answer)?;
            self.known.rejected.insert((subject.message, digest));
        }
        Ok(Outcome { status: 422, body: Some(answer), word: "rejected", duplicate: false })
    }

    /// Everything that is wrong with a message.
    fn remarks(&mut self, body: &[u8], read: &Result<Received, Unreadable>) -> Vec<Option<ReceiptError>> {
        let faults = self.validator.validate(body);
        let mut out: Vec<_> = faults.iter().map(|fault| remark(&fault.constraint, Some(&fault.path), None)).collect();
        match read {
            Ok(received) if !received.hash_holds(body) => {
                let text = "innehållet stämmer inte med sin kontrollsumma / the content does not match its hash";
                out.push(remark("contentHash", Some("message/transmission/contentHash"), Some(text)));
            }
            // The schema names it better, but let no doubtful document through.
            Err(_) if out.is_empty() => out.push(remark("unreadable", None, None)),
            _ => {}
        }
        out
    }

    fn receipt(&self, now: Timestamp, subject: &Subject<'_>, status: ReceiptStatus) -> Receipt {
        Receipt {
            id: Builder::from_random_bytes(self.dice.bytes()).into_uuid(),
            created_at: now,
            message: subject.message,
            envelope: subject.received.map(|received| received.envelope_id),
            content_hash: subject.received.map(|_| subject.digest),
            status,
            retryable: (status == ReceiptStatus::Rejected).then_some(false),
            reason: None,
            errors: Vec::new(),
            log_id: None,
        }
    }

    /// The line in the folder, and the one in the log.
    fn tell(&mut self, now: Timestamp, received: Option<&Received>, outcome: &Outcome, reply: &Reply) -> io::Result<()> {
        let word = match reply.drop {
            Some(Drop::Before) => "dropped",
            // Taken in, and nobody was told.
            Some(Drop::After) => "lost",
            None => outcome.word,
        };
        self.folder.append(&Line {
            at: now,
            message: received.map(|received| received.message_id),
            envelope: received.map(|received| received.envelope_id),
            episode: received.map(|received| received.episode_id),
            sequence: received.map(|received| received.sequence),
            answer: if word.is_empty() { reply.status.to_string() } else { word.to_owned() },
            duplicate: outcome.duplicate,
        })?;
        let mut line = oplog::Line::new(now, Level::Info, oplog::Event::ReceiverMessage);
        line.message_id = received.map(|received| received.message_id);
        line.episode_id = received.map(|received| received.episode_id);
        line.reason = Some(if word.is_empty() { Reason::Http(reply.status) } else { Reason::Word(word) });
        line.emit();
        Ok(())
    }
}

/// Puts the outcome into the form that the script wants.
fn reply(outcome: &Outcome, planned: &Planned) -> Reply {
    let status = planned.status.unwrap_or(outcome.status);
    // "Later" and "nothing to say" are answers without a receipt, unless one was asked for.
    let silent = matches!(status, 202 | 204) && planned.receipt.is_none();
    Reply {
        status,
        retry_after: planned.retry_after,
        body: outcome.body.clone().filter(|_| !silent),
        delay: planned.delay,
        drop: planned.drop,
        later: None,
    }
}

fn digest(body: &[u8], received: Option<&Received>) -> ContentHash {
    ContentHash::of(received.and_then(|received| body.get(received.content.clone())).unwrap_or(body))
}

fn remark(code: &str, path: Option<&str>, text: Option<&str>) -> Option<ReceiptError> {
    // Names of constraints have the form of a code, unless one is very long.
    let code = ForeignCode::parse(code).or_else(|| ForeignCode::parse("schema"))?;
    let personal = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(|text| Personal::new(text.to_owned()));
    Some(ReceiptError { code, severity: Some(Severity::Error), path: personal(path), rule: None, text: personal(text) })
}

/// The message id of a document of ours that lacks something else.
fn partly(read: &Result<Received, Unreadable>, body: &[u8]) -> Option<MessageId> {
    let Err(Unreadable::Missing(name) | Unreadable::Twice(name) | Unreadable::Value(name)) = read else { return None };
    if *name == "messageId" {
        return None;
    }
    let text = std::str::from_utf8(body).ok()?;
    // The header comes before everything that could quote another message's id.
    let id = text.split_once("<messageId>")?.1.get(..36)?;
    Uuid::try_parse(id).ok().filter(|uuid| uuid.hyphenated().to_string() == id).map(MessageId)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::catalogue::EventType;
    use crate::model::dice::SystemDice;
    use crate::model::time::parse_instant;
    use crate::seal::seal;
    use crate::wire::testing::{Fill, envelope, event, message, release};
    use crate::wire::unchecked;
    use std::fs;

    fn now() -> Timestamp {
        parse_instant("2026-03-11T08:00:01Z").expect("an instant")
    }

    fn document() -> Vec<u8> {
        let document = unchecked(&message(&event(EventType::KPu.row(), Fill::Least), Fill::Least), &release(Fill::Least));
        seal(&mut XsdValidator::message(), document, envelope(), now()).expect("valid").transmission(envelope(), now())
    }

    fn open(dir: &Path, script: &str) -> Core {
        Core::open(dir, Arc::new(SystemDice), Script::parse(script, "s.toml").expect("a script")).expect("opened")
    }

    #[test]
    fn what_a_dying_process_leaves_is_no_harm() {
        let dir = tempfile::tempdir().expect("a directory");
        let id = xml::read(&document()).expect("ours").message_id;
        assert_eq!(open(dir.path(), "").take(now(), &document(), None).status, 200);
        // Half a line, half a file, and a message whose receipt is gone.
        let lines = dir.path().join("received.ndjson");
        let whole = fs::read_to_string(&lines).expect("lines");
        fs::write(&lines, format!("{whole}{{\"n\":2")).expect("written");
        fs::write(dir.path().join("messages").join(format!(".{id}.xml.part")), "<mess").expect("written");
        fs::remove_file(dir.path().join("receipts").join(format!("{id}.xml"))).expect("removed");
        let reply = open(dir.path(), "").take(now(), &document(), Some(&id.to_string()));
        assert_eq!(reply.status, 409);
        let receipt = receipt::read(&reply.body.expect("a receipt")).expect("readable");
        assert_eq!((receipt.status, receipt.message), (ReceiptStatus::Accepted, id));
        let text = fs::read_to_string(&lines).expect("lines");
        let last: serde_json::Value = serde_json::from_str(text.lines().last().expect("a line")).expect("JSON");
        assert_eq!((&last["n"], &last["duplicate"]), (&3.into(), &true.into()));
    }

    #[test]
    fn a_rejection_by_script_is_remembered_and_one_of_the_envelope_is_not_held_against_the_content() {
        let dir = tempfile::tempdir().expect("a directory");
        let first = open(dir.path(), "[[answer]]\nreceipt = 'rejected'\n").take(now(), &document(), None);
        let again = open(dir.path(), "").take(now(), &document(), None);
        assert_eq!((first.status, &first.body), (422, &again.body));

        let dir = tempfile::tempdir().expect("a directory");
        let mut core = open(dir.path(), "");
        assert_eq!(core.take(now(), &document(), Some("another")).status, 422);
        let broken = String::from_utf8(document()).expect("UTF-8").replace("<sentAt>", "<sentAt>x");
        assert_eq!(core.take(now(), broken.as_bytes(), None).status, 422);
        assert_eq!(core.take(now(), &document(), None).status, 200);
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_not_an_acceptance() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut core = open(dir.path(), "");
        fs::remove_dir_all(dir.path().join("messages")).expect("removed");
        let reply = core.take(now(), &document(), None);
        assert_eq!((reply.status, reply.body), (503, None));
        fs::create_dir(dir.path().join("messages")).expect("made");
        assert_eq!(core.take(now(), &document(), None).status, 200);
    }
}
