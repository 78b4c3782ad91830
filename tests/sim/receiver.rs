//! The receiver: what reaches it, what it keeps, and the way there, on which every transmission waits until the sequence says
//! how it goes on. The only implementation of [`Transport`] here.

use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use tokio::sync::oneshot;
use vardbro::fault::Code;
use vardbro::model::answer::{Answer, RouteFault};
use vardbro::model::finding::{Effect, Layer};
use vardbro::model::ids::MessageId;
use vardbro::model::personal::Personal;
use vardbro::model::receipt::{ContentHash, Receipt};
use vardbro::model::state::{ReceiptReason, ReceiptStatus};
use vardbro::seal::{SchemaFault, Validator, XsdValidator};
use vardbro::transport::{Envelope, Question, Reply, Transport};
use vardbro::wire;

/// What is under way to the receiver.
pub(crate) enum What {
    Message(Envelope),
    Question(Question),
}

/// Something under way, and where its answer is waited for.
pub(crate) struct Transmission {
    pub(crate) what: What,
    pub(crate) answer: oneshot::Sender<Reply>,
}

/// Holds what was sent last until it is taken.
pub(crate) struct Gate {
    last: Mutex<Option<Transmission>>,
    looks_up: bool,
}

impl Transport for Gate {
    async fn send(&self, envelope: Envelope) -> Reply {
        self.pass(What::Message(envelope)).await
    }

    async fn ask(&self, question: Question) -> Reply {
        self.pass(What::Question(question)).await
    }

    fn looks_up(&self) -> bool {
        self.looks_up
    }
}

impl Gate {
    pub(crate) fn new(looks_up: bool) -> Self {
        Self { last: Mutex::default(), looks_up }
    }

    async fn pass(&self, what: What) -> Reply {
        let (answer, told) = oneshot::channel();
        *self.last.lock().expect("no panic while it was held") = Some(Transmission { what, answer });
        told.await.unwrap_or_else(|_| Reply::bare(Answer::Lost, None))
    }

    pub(crate) fn take(&self) -> Option<Transmission> {
        self.last.lock().expect("no panic while it was held").take()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.last.lock().expect("no panic while it was held").is_some()
    }
}

/// The real validator, shared by the replicas, with a note of every content that has passed it.
#[derive(Clone)]
pub(crate) struct Sealer(Arc<Mutex<Sealed>>);

struct Sealed {
    validator: XsdValidator,
    /// Documents that were valid, without their numbers: validating costs more than all the rest of a sequence, and those of
    /// another sequence differ in numbers, moments and ids only.
    valid: BTreeSet<Vec<u8>>,
    passed: BTreeSet<String>,
}

impl Sealer {
    pub(crate) fn new() -> Self {
        let inner = Sealed { validator: XsdValidator::message(), valid: BTreeSet::new(), passed: BTreeSet::new() };
        Self(Arc::new(Mutex::new(inner)))
    }

    /// Another sequence begins.
    pub(crate) fn forget(&self) {
        self.0.lock().expect("no panic while it was held").passed.clear();
    }

    fn has_passed(&self, hash: &str) -> bool {
        self.0.lock().expect("no panic while it was held").passed.contains(hash)
    }
}

impl Validator for Sealer {
    fn validate(&mut self, document: &[u8]) -> Vec<SchemaFault> {
        let mut inner = self.0.lock().expect("no panic while it was held");
        let mut without: Vec<u8> = document.iter().map(|byte| if byte.is_ascii_hexdigit() { b'0' } else { *byte }).collect();
        without.dedup_by(|next, last| *next == b'0' && *last == b'0');
        if !inner.valid.contains(&without) {
            let faults = inner.validator.validate(document);
            if !faults.is_empty() {
                return faults;
            }
            inner.valid.insert(without);
        }
        if let Some(read) = wire::xml::read(document).ok().filter(|read| read.hash_holds(document)) {
            inner.passed.insert(format!("{:?}", read.declared_hash));
        }
        Vec::new()
    }
}

/// What the receiver thinks of a message, for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ruling {
    Accept,
    /// Accepted, with errors told.
    Remark,
    /// Kept, and rejected by a receipt.
    Reject,
    /// 400, and not kept.
    Refuse,
}

impl Ruling {
    pub(crate) fn is_kept(self) -> bool {
        self != Self::Refuse
    }
}

/// The first copy of a message.
#[derive(Debug, Clone)]
pub(crate) struct First {
    pub(crate) hash: ContentHash,
    pub(crate) ruling: Ruling,
    /// Asked for its receipt, the receiver says until then that it comes later.
    pub(crate) due: Option<Timestamp>,
    /// Of the sender's lives the one in which it came.
    life: u32,
}

/// One receiver behind all destinations; each keeps its own.
pub(crate) struct Receiver {
    sealer: Sealer,
    /// By destination and message.
    firsts: BTreeMap<(String, String), First>,
    /// Number of the last first copy, by destination and episode.
    numbers: BTreeMap<(String, String), u64>,
    envelopes: BTreeSet<String>,
    /// The sender's life; each restore begins another.
    life: u32,
    /// What a person has sent again in it.
    by_hand: BTreeSet<(String, String)>,
}

impl Receiver {
    pub(crate) fn new(sealer: Sealer) -> Self {
        let (envelopes, by_hand) = (BTreeSet::new(), BTreeSet::new());
        Self { sealer, firsts: BTreeMap::new(), numbers: BTreeMap::new(), envelopes, life: 0, by_hand }
    }

    /// The sender has forgotten what it did since a backup. What it had in its lanes then comes by the numbers of then.
    pub(crate) fn forgotten(&mut self) {
        self.life += 1;
        self.numbers.clear();
        self.by_hand.clear();
    }

    pub(crate) fn in_another_life(&self) -> bool {
        self.life > 0
    }

    /// A person sends a message again.
    pub(crate) fn expect(&mut self, destination: &str, message: &str) {
        self.by_hand.insert((destination.to_owned(), message.to_owned()));
    }

    pub(crate) fn first(&self, destination: &str, message: &str) -> Option<&First> {
        self.firsts.get(&(destination.to_owned(), message.to_owned()))
    }

    /// The receipt of a message is not to be had before then.
    pub(crate) fn put_off(&mut self, destination: &str, message: &str, due: Timestamp) {
        if let Some(first) = self.firsts.get_mut(&(destination.to_owned(), message.to_owned())) {
            first.due = Some(due);
        }
    }

    /// A question arrives.
    pub(crate) fn ask(&self, destination: &str, question: &Question, now: Timestamp) -> Reply {
        let first = self.first(destination, &question.message.to_string()).filter(|first| first.ruling.is_kept());
        let Some(first) = first else { return Reply::bare(Answer::Absent, Some(404)) };
        if first.due.is_some_and(|due| due > now) {
            return Reply::bare(Answer::Pending { retry_after: None }, Some(202));
        }
        // As the transport understands a receipt for another content.
        if first.hash != question.content_hash && matches!(first.ruling, Ruling::Accept | Ruling::Remark) {
            let looked_up = question.place.is_none();
            return Reply::bare(if looked_up { Answer::Conflict { proved: false } } else { Answer::ForeignReceipt }, Some(200));
        }
        Reply::bare(judged(first.ruling), Some(200))
    }

    pub(crate) fn kept(&self) -> impl Iterator<Item = (&str, &str)> {
        let kept = self.firsts.iter().filter(|(_, first)| first.ruling.is_kept());
        kept.map(|((destination, message), _)| (destination.as_str(), message.as_str()))
    }

    /// A transmission arrives. `ruling` counts where the message is new; an error where it should not have come.
    #[expect(clippy::disallowed_methods, reason = "the receiver reads what it is sent")]
    pub(crate) fn take(&mut self, destination: &str, envelope: &Envelope, ruling: Ruling, now: Timestamp) -> Result<Reply, String> {
        let document = envelope.body.disclose();
        let read = wire::xml::read(document).map_err(|fault| format!("{destination} was sent what is no message: {fault:?}"))?;
        let (message, episode, hash) = (read.message_id.to_string(), read.episode_id.to_string(), read.declared_hash);
        if !read.hash_holds(document) || (read.message_id, read.envelope_id) != (envelope.message, envelope.envelope) {
            return Err(format!("the envelope of {message} is not its own"));
        }
        if !self.sealer.has_passed(&format!("{hash:?}")) {
            return Err(format!("{message} leaves unchecked"));
        }
        if !self.envelopes.insert(read.envelope_id.to_string()) {
            return Err(format!("{message} is sent twice in one envelope"));
        }
        let key = (destination.to_owned(), message.clone());
        let by_hand = self.by_hand.contains(&key);
        if let Some(first) = self.firsts.get_mut(&key) {
            let forgotten = first.life < self.life;
            if first.ruling.is_kept() && forgotten && !by_hand {
                return Err(format!("{destination} has {message} since before a restore, and it is sent unasked"));
            }
            if first.hash != hash && !forgotten {
                return Err(format!("{message} comes to {destination} a second time with another content"));
            }
            if first.hash != hash && first.ruling.is_kept() {
                return Ok(Reply::bare(Answer::Conflict { proved: false }, Some(409)));
            }
            // What it has refused it has not kept.
            first.hash = hash;
            return Ok(again(envelope, first.ruling, now));
        }
        let last = self.numbers.entry((destination.to_owned(), episode.clone())).or_default();
        if *last >= read.sequence && !by_hand {
            return Err(format!("number {} of {episode} comes to {destination} after number {last}", read.sequence));
        }
        *last = read.sequence.max(*last);
        self.firsts.insert(key, First { hash, ruling, due: None, life: self.life });
        Ok(answer(envelope, ruling, now))
    }
}

/// What a receipt says.
fn judged(ruling: Ruling) -> Answer {
    let receipt = |status, reason, findings| Answer::Receipt { status, retryable: false, reason, findings };
    match ruling {
        Ruling::Accept => receipt(ReceiptStatus::Accepted, None, Vec::new()),
        Ruling::Remark => receipt(ReceiptStatus::AcceptedWithErrors, None, Vec::new()),
        Ruling::Reject | Ruling::Refuse => {
            let findings = vec![Code::DlvRejected.finding(Effect::Refuse, Layer::Delivery, None)];
            receipt(ReceiptStatus::Rejected, Some(ReceiptReason::Bv), findings)
        }
    }
}

/// The first answer to a message.
fn answer(envelope: &Envelope, ruling: Ruling, now: Timestamp) -> Reply {
    match ruling {
        Ruling::Accept | Ruling::Remark => told(envelope, judged(ruling), ruling, 200, now),
        Ruling::Reject => told(envelope, judged(ruling), ruling, 422, now),
        Ruling::Refuse => Reply::bare(Answer::Refused { status: 400 }, Some(400)),
    }
}

/// A message that the receiver knows: what it said at first, and for what it has, that it has it.
fn again(envelope: &Envelope, ruling: Ruling, now: Timestamp) -> Reply {
    match ruling {
        Ruling::Accept | Ruling::Remark => told(envelope, Answer::Conflict { proved: true }, ruling, 409, now),
        Ruling::Reject | Ruling::Refuse => answer(envelope, ruling, now),
    }
}

fn told(envelope: &Envelope, answer: Answer, ruling: Ruling, http: u16, now: Timestamp) -> Reply {
    let receipt = receipt(envelope.message, Some(envelope.content_hash), ruling, now);
    Reply { receipt: Some(Personal::new(wire::receipt::write(&receipt))), ..Reply::bare(answer, Some(http)) }
}

/// A receipt as the receiver writes it.
pub(crate) fn receipt(message: MessageId, content_hash: Option<ContentHash>, ruling: Ruling, now: Timestamp) -> Receipt {
    let rejected = !matches!(ruling, Ruling::Accept | Ruling::Remark);
    Receipt {
        id: message.0,
        created_at: now,
        message,
        envelope: None,
        content_hash,
        status: match ruling {
            Ruling::Accept => ReceiptStatus::Accepted,
            Ruling::Remark => ReceiptStatus::AcceptedWithErrors,
            Ruling::Reject | Ruling::Refuse => ReceiptStatus::Rejected,
        },
        retryable: rejected.then_some(false),
        reason: rejected.then_some(ReceiptReason::Bv),
        errors: Vec::new(),
        log_id: None,
    }
}

/// The way is closed.
pub(crate) fn closed() -> Reply {
    Reply::bare(Answer::RouteDown { fault: RouteFault::Status(503), retry_after: None }, Some(503))
}
