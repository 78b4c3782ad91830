//! The receiver as a message service of SDK's, by Digg's API. What becomes of a message is [`Core`]'s business: the document of ours that is
//! attached is taken in as if it had come by itself, and its receipt is the message's status.

use super::core::{Core, Drop};
use crate::fault::{Code, Fault};
use crate::model::dice::Dice;
use crate::model::ids::MessageId;
use crate::model::personal::Personal;
use crate::model::state::{ReceiptReason, ReceiptStatus};
use crate::model::time::instant_text;
use crate::wire::receipt;
use crate::wire::sdk::api::{self, Status};
use crate::wire::sdk::{Letter, write};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use uuid::{Builder, Uuid};

/// What a request wants.
#[derive(Debug)]
pub(super) enum Wish {
    Send(Vec<u8>),
    /// The query, `filter[attribute]=value`, taken apart.
    List(Vec<(String, String)>),
    Look(String),
    Delete(String),
    /// A token for these form fields.
    Token(Vec<(String, String)>),
}

/// The answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Option<Value>,
    pub(super) retry_after: Option<u32>,
    pub(super) delay: Duration,
    pub(super) drop: bool,
}

impl Answer {
    fn of(status: u16, body: Option<Value>) -> Self {
        Self { status, body, retry_after: None, delay: Duration::ZERO, drop: false }
    }
}

/// A message, as far as it is told of.
struct Kept {
    status: Status,
    /// Until then its receipt is not there.
    due: Option<Timestamp>,
    reason: Option<ReceiptReason>,
    attributes: Value,
}

/// The message service.
pub(super) struct Service {
    folder: PathBuf,
    kept: BTreeMap<MessageId, Kept>,
    dice: Arc<dyn Dice>,
    /// How long the tokens that it gives are good; without it none is asked for.
    token_s: Option<u32>,
    tokens: Vec<(String, Timestamp)>,
}

impl Service {
    pub(super) fn open(dir: &Path, dice: Arc<dyn Dice>, token_s: Option<u32>) -> Result<Self, Fault> {
        let folder = dir.join("sdk");
        let unusable = |fault: io::Error| Fault::with(Code::CfgFile, format!("{} ({})", folder.display(), fault.kind()));
        fs::create_dir_all(&folder).map_err(unusable)?;
        let mut kept = BTreeMap::new();
        for entry in fs::read_dir(&folder).map_err(unusable)?.flatten() {
            if let Some((id, known)) = read(&entry.path()) {
                kept.insert(id, known);
            }
        }
        Ok(Self { folder, kept, dice, token_s, tokens: Vec::new() })
    }

    /// `token` is what the request shows.
    pub(super) fn answer(&mut self, core: &mut Core, now: Timestamp, token: Option<&str>, wish: Wish) -> Answer {
        self.tokens.retain(|(_, until)| now < *until);
        let known = |shown: &str| self.tokens.iter().any(|(token, _)| token == shown);
        if let Wish::Token(form) = &wish {
            return self.token(form, now);
        }
        if self.token_s.is_some() && !token.is_some_and(known) {
            return Answer::of(401, None);
        }
        match wish {
            Wish::Send(body) => self.take(core, now, &body),
            Wish::List(filters) => self.list(&filters, now),
            Wish::Look(id) => match parse(&id).and_then(|id| Some((id, self.kept.get(&id)?))) {
                Some((id, kept)) => Answer::of(200, Some(json!({"meta": meta(), "data": shown(id, kept, now)}))),
                None => Answer::of(404, None),
            },
            Wish::Delete(id) => self.delete(&id, now),
            Wish::Token(_) => Answer::of(400, None),
        }
    }

    fn token(&mut self, form: &[(String, String)], now: Timestamp) -> Answer {
        let is = |name: &str, value: Option<&str>| form.iter().any(|(key, found)| key == name && value.is_none_or(|value| value == found));
        let Some(lasts) = self.token_s.filter(|_| is("grant_type", Some("client_credentials")) && is("client_id", None)) else {
            return Answer::of(400, Some(json!({"error": "invalid_request"})));
        };
        let token = self.uuid().simple().to_string();
        self.tokens.push((token.clone(), now + Duration::from_secs(lasts.into())));
        Answer::of(200, Some(json!({"access_token": token, "token_type": "Bearer", "expires_in": lasts})))
    }

    #[expect(clippy::disallowed_methods, reason = "a receiver reads what was sent to it")]
    fn take(&mut self, core: &mut Core, now: Timestamp, body: &[u8]) -> Answer {
        let letter = match api::read(body, self.uuid(), &instant_text(now)) {
            Ok(letter) => letter,
            Err(faults) => return refused(&faults, "Input isn't valid with respect to schema"),
        };
        let id = letter.disclose().id;
        if self.kept.contains_key(&id) {
            return refused(&["messageId"], "Message exists already");
        }
        let kept = |status, due, reason| Kept { status, due, reason, attributes: api::metadata(letter.disclose()) };
        let Some(reply) = letter.disclose().document().map(|document| core.take(now, document, None)) else {
            return self.keep(id, &letter, kept(Status::Accepted, None, None));
        };
        let (message, after) = reply.later.unwrap_or((id, Duration::ZERO));
        // A receipt that comes later the core has already.
        let body = reply.body.or_else(|| reply.later.and_then(|_| core.ask(now + after, message).body));
        let read = body.and_then(|body| receipt::read(&body).ok());
        let rejected = read.filter(|receipt| receipt.status == ReceiptStatus::Rejected);
        let fate = match reply.status {
            _ if reply.drop == Some(Drop::Before) => None,
            200 | 202 | 409 | 422 if rejected.is_some() => {
                Some(kept(Status::Rejected, Some(now + after), rejected.and_then(|receipt| receipt.reason)))
            }
            // 409: the core has taken in the document before, and died before the message was kept.
            200 | 202 | 409 => Some(kept(Status::Accepted, Some(now + after), None)),
            _ => None,
        };
        let answer = fate.map_or_else(|| Answer::of(reply.status, None), |kept| self.keep(id, &letter, kept));
        Answer { retry_after: reply.retry_after, delay: reply.delay, drop: reply.drop.is_some(), ..answer }
    }

    /// On disk before anybody hears of it.
    #[expect(clippy::disallowed_methods, reason = "a receiver keeps what was sent to it")]
    fn keep(&mut self, id: MessageId, letter: &Personal<Letter>, kept: Kept) -> Answer {
        let Kept { status, due, reason, attributes } = &kept;
        let line = json!({"status": status, "due": due.map(instant_text), "reason": reason, "attributes": attributes}).to_string();
        let written =
            self.put(&format!("{id}.xml"), write(letter).disclose()).and_then(|()| self.put(&format!("{id}.json"), line.as_bytes()));
        if written.is_err() {
            return Answer::of(503, None);
        }
        self.kept.insert(id, kept);
        Answer::of(201, None)
    }

    /// Whole or not at all.
    fn put(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let part = self.folder.join(format!(".{name}.part"));
        fs::write(&part, bytes)?;
        fs::rename(part, self.folder.join(name))
    }

    fn list(&self, filters: &[(String, String)], now: Timestamp) -> Answer {
        let pointer = |name: &str| match name {
            "filter[messageStatus]" => Some("/attributes/messageStatus"),
            "filter[creationDateTime]" => Some("/attributes/creationDateTime"),
            "filter[recipientAttention.subOrganization.extension]" => Some("/attributes/recipientAttention/subOrganization/extension"),
            "filter[senderAttention.subOrganization.extension]" => Some("/attributes/senderAttention/subOrganization/extension"),
            _ => None,
        };
        let wanted: Option<Vec<_>> = filters.iter().map(|(name, value)| Some((pointer(name)?, value.as_str()))).collect();
        let Some(wanted) = wanted else { return refused(&["filter"], "Unknown filter") };
        let fits = |message: &Value| wanted.iter().all(|(pointer, value)| message.pointer(pointer).and_then(Value::as_str) == Some(value));
        let messages: Vec<Value> = self.kept.iter().map(|(id, kept)| shown(*id, kept, now)).filter(fits).collect();
        Answer::of(200, Some(json!({"meta": meta(), "data": messages})))
    }

    fn delete(&mut self, id: &str, now: Timestamp) -> Answer {
        let Some((id, kept)) = parse(id).and_then(|id| Some((id, self.kept.get(&id)?))) else { return Answer::of(404, None) };
        if status(kept, now) == Status::WaitingForReceipt {
            return refused(&["messageStatus"], "The message is under way");
        }
        for ending in ["json", "xml"] {
            // What stays behind is there again after the next start: no harm in a receiver for tests.
            let _ = fs::remove_file(self.folder.join(format!("{id}.{ending}")));
        }
        self.kept.remove(&id);
        Answer::of(202, None)
    }

    fn uuid(&self) -> Uuid {
        Builder::from_random_bytes(self.dice.bytes()).into_uuid()
    }
}

fn parse(id: &str) -> Option<MessageId> {
    Uuid::try_parse(id).ok().filter(|_| id.len() == 36).map(MessageId)
}

fn read(path: &Path) -> Option<(MessageId, Kept)> {
    let id = parse(path.file_name()?.to_str()?.strip_suffix(".json")?)?;
    let line: Value = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    let word = |name: &str| line[name].as_str();
    let status = word("status").and_then(Status::parse)?;
    let (due, reason) = (word("due").and_then(|at| at.parse().ok()), word("reason").and_then(ReceiptReason::parse));
    Some((id, Kept { status, due, reason, attributes: line["attributes"].clone() }))
}

fn status(kept: &Kept, now: Timestamp) -> Status {
    if kept.due.is_some_and(|due| now < due) { Status::WaitingForReceipt } else { kept.status }
}

fn shown(id: MessageId, kept: &Kept, now: Timestamp) -> Value {
    let mut attributes = kept.attributes.clone();
    let status = status(kept, now);
    attributes["messageStatus"] = json!(status);
    if status == Status::Rejected {
        attributes["events"] = problem(&["message"], "Rejected by the receiver", kept.reason.map_or("REJECTED", ReceiptReason::code));
    }
    json!({"type": "messages", "id": id.to_string(), "attributes": attributes})
}

fn meta() -> Value {
    json!({"version": "sdk api 1.0.0"})
}

fn refused(fields: &[&str], title: &str) -> Answer {
    let mut problem = problem(fields, title, "MESSAGE_EXCHANGE_ERROR");
    problem["status"] = json!(400);
    Answer::of(400, Some(problem))
}

/// Names of fields and words of ours; nothing of a message.
fn problem(fields: &[&str], title: &str, kind: &str) -> Value {
    let issues: Vec<Value> = fields.iter().map(|field| json!({"typeCode": kind, "title": title, "in": field})).collect();
    json!({"type": "urn:problem-type:sdk:badRequest", "title": title, "detail": kind, "eventIssues": issues})
}
