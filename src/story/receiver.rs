//! The receiver of a story: refuses what is not valid, keeps the first copy, and follows its script.

use super::world::SetClock;
use crate::fault::{Code, Fault};
use crate::model::answer::{Answer, RouteFault};
use crate::model::finding::{Effect, Layer};
use crate::model::ids::MessageId;
use crate::model::name::Name;
use crate::model::personal::Personal;
use crate::model::receipt::{ContentHash, ForeignCode, Receipt, ReceiptError};
use crate::model::state::{ReceiptReason, ReceiptStatus};
use crate::model::time::Clock;
use crate::seal::{Validator, XsdValidator};
use crate::transport::{Envelope, Question, Reply, Transport};
use crate::wire;
use jiff::Timestamp;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Longest wait for a receipt: a year.
const LATER_MAX_MIN: u64 = 366 * 24 * 60;
/// Fewest characters of a message's id by which a script may name it.
const ID_MIN: usize = 8;

/// How the receiver behaves towards one transmission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conduct {
    Accept,
    /// A status without a receipt; nothing is kept.
    Status(u16),
    /// The connection ends before the message is kept.
    DropBefore,
    /// The message is kept, and the answer is lost.
    DropAfter,
    Reject(ReceiptReason),
    /// The message is kept, and the receipt is to be had after so long.
    Later(Duration),
    /// The connection is refused for a certificate; nothing is kept.
    Certificate(RouteFault),
}

impl Conduct {
    /// As `case.toml` writes it.
    pub fn parse(text: &str) -> Option<Self> {
        let known = match text {
            "accepted" => Self::Accept,
            "drop_before" => Self::DropBefore,
            "drop_after" => Self::DropAfter,
            "certificate" => Self::Certificate(RouteFault::Tls),
            "our_certificate" => Self::Certificate(RouteFault::ClientCertificate),
            _ => return Self::parse_longer(text),
        };
        Some(known)
    }

    fn parse_longer(text: &str) -> Option<Self> {
        if let Some(reason) = text.strip_prefix("rejected ") {
            return ReceiptReason::parse(reason).map(Self::Reject);
        }
        if let Some(span) = text.strip_prefix("later ") {
            let minutes = span.strip_suffix(" min")?.parse().ok()?;
            return (minutes <= LATER_MAX_MIN).then(|| Self::Later(Duration::from_mins(minutes)));
        }
        text.parse().ok().filter(|status| (400..=599).contains(status)).map(Self::Status)
    }
}

/// One entry of the script.
#[derive(Debug, Clone)]
pub struct Scripted {
    pub conduct: Conduct,
    pub times: u32,
    /// A message's type, or the beginning of its id; anything where it is not given.
    pub matching: Option<String>,
}

impl From<Conduct> for Scripted {
    /// Once, towards whatever comes next.
    fn from(conduct: Conduct) -> Self {
        Self { conduct, times: 1, matching: None }
    }
}

/// A document as the receiver has it.
#[derive(Debug, Clone)]
pub struct Kept {
    pub destination: Name,
    pub message: MessageId,
    pub kind: &'static str,
    pub hash: ContentHash,
    pub document: Personal<Vec<u8>>,
}

/// Every destination's receiver: one script, and one list of what has come.
pub struct Receiver {
    clock: Arc<SetClock>,
    inner: Mutex<Inner>,
}

struct Inner {
    validator: XsdValidator,
    script: VecDeque<Scripted>,
    kept: Vec<Kept>,
    /// From when on a receipt is to be had.
    due: BTreeMap<(Name, MessageId), Timestamp>,
    looks_up: bool,
    /// What it was sent that must never leave the house.
    fault: Option<Fault>,
}

/// The way to it from one destination.
pub(super) struct Way {
    pub(super) destination: Name,
    pub(super) receiver: Arc<Receiver>,
}

impl Transport for Way {
    async fn send(&self, envelope: Envelope) -> Reply {
        self.receiver.answer(&self.destination, &envelope)
    }

    async fn ask(&self, question: Question) -> Reply {
        self.receiver.look_for(&self.destination, &question)
    }

    fn looks_up(&self) -> bool {
        self.receiver.lock().looks_up
    }
}

impl std::fmt::Debug for Receiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}

impl Receiver {
    pub(super) fn new(clock: Arc<SetClock>) -> Self {
        let inner = Inner {
            validator: XsdValidator::message(),
            script: VecDeque::new(),
            kept: Vec::new(),
            due: BTreeMap::new(),
            looks_up: false,
            fault: None,
        };
        Self { clock, inner: Mutex::new(inner) }
    }

    /// What it is to do next, after all that it has been told before.
    pub fn script(&self, entry: Scripted) {
        self.lock().script.push_back(entry);
    }

    /// From now on it tells of any message that it is asked about.
    pub fn look_up(&self) {
        self.lock().looks_up = true;
    }

    /// First copies, in the order in which they came.
    pub fn kept(&self) -> Vec<Kept> {
        self.lock().kept.clone()
    }

    pub(super) fn fault(&self) -> Result<(), Fault> {
        self.lock().fault.clone().map_or(Ok(()), Err)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look_for(&self, destination: &Name, question: &Question) -> Reply {
        let inner = self.lock();
        let kept = inner.find(destination, question.message).map(|kept| kept.hash == question.content_hash);
        let due = inner.due.get(&(destination.clone(), question.message));
        let early = due.is_some_and(|due| *due > self.clock.now());
        match (kept, early) {
            (None, _) => Reply::bare(Answer::Absent, Some(404)),
            (Some(_), true) => Reply::bare(Answer::Pending { retry_after: None }, Some(202)),
            (Some(false), false) => Reply::bare(Answer::Conflict { proved: false }, Some(200)),
            (Some(true), false) => Reply::bare(acceptance(), Some(200)),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the receiver reads what it is sent")]
    fn answer(&self, destination: &Name, envelope: &Envelope) -> Reply {
        let mut inner = self.lock();
        let read = match read(&mut inner.validator, envelope) {
            Ok(read) => read,
            Err(why) => {
                // What is found here no story can make good.
                inner.fault.get_or_insert(Fault::with(Code::OutSchema, why));
                return Reply::bare(Answer::Refused { status: 400 }, Some(400));
            }
        };
        let conduct = match inner.conduct(read.message_id, read.kind.code()) {
            Conduct::Status(status @ (401 | 403 | 404 | 429 | 502..=504)) => {
                return Reply::bare(Answer::RouteDown { fault: RouteFault::Status(status), retry_after: None }, Some(status));
            }
            Conduct::Status(500) => return Reply::bare(Answer::ServerError { status: 500 }, Some(500)),
            Conduct::Status(status) => return Reply::bare(Answer::Refused { status }, Some(status)),
            Conduct::Certificate(fault) => return Reply::bare(Answer::RouteDown { fault, retry_after: None }, None),
            Conduct::DropBefore => return Reply::bare(Answer::Lost, None),
            conduct => conduct,
        };
        let known = inner.find(destination, read.message_id).map(|kept| kept.hash);
        if known.is_none() {
            let (destination, document) = (destination.clone(), Personal::new(envelope.body.disclose().clone()));
            inner.kept.push(Kept { destination, message: read.message_id, kind: read.kind.code(), hash: read.declared_hash, document });
        }
        match (conduct, known) {
            (Conduct::Later(after), None) => {
                inner.due.insert((destination.clone(), read.message_id), self.clock.now() + after);
                let place = Some(Personal::new(format!("/receipts/{}", read.message_id)));
                Reply { place, ..Reply::bare(Answer::Pending { retry_after: None }, Some(202)) }
            }
            (Conduct::DropAfter, _) => Reply::bare(Answer::Lost, None),
            (_, Some(hash)) => {
                self.receipt(envelope, Answer::Conflict { proved: hash == envelope.content_hash }, 409, ReceiptStatus::Accepted)
            }
            (Conduct::Reject(reason), _) => self.receipt(envelope, rejection(reason), 200, ReceiptStatus::Rejected),
            _ => self.receipt(envelope, acceptance(), 200, ReceiptStatus::Accepted),
        }
    }

    fn receipt(&self, envelope: &Envelope, answer: Answer, http: u16, status: ReceiptStatus) -> Reply {
        let rejected = status == ReceiptStatus::Rejected;
        let reason = if let Answer::Receipt { reason, .. } = &answer { *reason } else { None };
        let error = |code| ReceiptError {
            code,
            severity: None,
            path: None,
            rule: None,
            text: Some(Personal::new("Mottagaren är inte ansluten".to_owned())),
        };
        let receipt = Receipt {
            id: envelope.envelope.0,
            created_at: self.clock.now(),
            message: envelope.message,
            envelope: Some(envelope.envelope),
            content_hash: Some(envelope.content_hash),
            status,
            retryable: rejected.then_some(false),
            reason,
            errors: ForeignCode::parse(REMARK).filter(|_| rejected).map(error).into_iter().collect(),
            log_id: None,
        };
        Reply { receipt: Some(Personal::new(wire::receipt::write(&receipt))), ..Reply::bare(answer, Some(http)) }
    }
}

impl Inner {
    fn find(&self, destination: &Name, message: MessageId) -> Option<&Kept> {
        self.kept.iter().find(|kept| kept.destination == *destination && kept.message == message)
    }

    /// The script's next word for this message.
    fn conduct(&mut self, message: MessageId, kind: &str) -> Conduct {
        let fits = |entry: &Scripted| {
            entry
                .matching
                .as_deref()
                .is_none_or(|wanted| wanted == kind || (wanted.len() >= ID_MIN && message.to_string().starts_with(wanted)))
        };
        let Some(place) = self.script.iter().position(fits) else { return Conduct::Accept };
        let entry = &mut self.script[place];
        let conduct = entry.conduct.clone();
        entry.times = entry.times.saturating_sub(1);
        if entry.times == 0 {
            self.script.remove(place);
        }
        conduct
    }
}

/// A transmission as any receiver must find it; else which promise is broken.
#[expect(clippy::disallowed_methods, reason = "the receiver reads what it is sent")]
fn read(validator: &mut XsdValidator, envelope: &Envelope) -> Result<wire::xml::Received, String> {
    let document = envelope.body.disclose();
    if let Some(fault) = validator.validate(document).into_iter().next() {
        return Err(format!("{} {}", fault.constraint, fault.path));
    }
    let read = wire::xml::read(document).map_err(|_| "not a message".to_owned())?;
    if !read.hash_holds(document) {
        return Err("contentHash".to_owned());
    }
    let named = (read.message_id, read.envelope_id) == (envelope.message, envelope.envelope);
    if named { Ok(read) } else { Err("messageId, envelopeId".to_owned()) }
}

/// What the receiver remarks on a message that it rejects.
const REMARK: &str = "HSA-1";

fn acceptance() -> Answer {
    Answer::Receipt { status: ReceiptStatus::Accepted, retryable: false, reason: None, findings: Vec::new() }
}

/// As the daemon reads such a receipt.
fn rejection(reason: ReceiptReason) -> Answer {
    let detail = (format!("kod {REMARK}"), format!("code {REMARK}"));
    let finding = Code::DlvRejected.finding(Effect::Refuse, Layer::Delivery, Some(detail));
    Answer::Receipt { status: ReceiptStatus::Rejected, retryable: false, reason: Some(reason), findings: vec![finding] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::EnvelopeId;
    use uuid::Uuid;

    #[test]
    fn words_to_the_receiver_are_read_whole() {
        assert_eq!(Conduct::parse("503"), Some(Conduct::Status(503)));
        assert_eq!(Conduct::parse("rejected BV"), Some(Conduct::Reject(ReceiptReason::Bv)));
        assert_eq!(Conduct::parse("later 60 min"), Some(Conduct::Later(Duration::from_hours(1))));
        for wrong in ["", "200", "70000", "rejected", "rejected XX", "later 60", "later -1 min", "later 99999999999 min", "asleep"] {
            assert_eq!(Conduct::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_document_that_must_never_leave_stops_the_story() {
        let receiver = Receiver::new(Arc::new(SetClock::at(Timestamp::UNIX_EPOCH)));
        let (message, body) = (MessageId(Uuid::nil()), Personal::new(b"<message/>".to_vec()));
        let envelope = Envelope { message, envelope: EnvelopeId(Uuid::nil()), content_hash: ContentHash::of(b""), body };
        assert!(receiver.fault().is_ok());
        assert_eq!(receiver.answer(&Name::unnamed(), &envelope).answer, Answer::Refused { status: 400 });
        assert_eq!(receiver.fault().expect_err("a fault").code, Code::OutSchema);
        assert!(receiver.kept().is_empty());
    }
}
