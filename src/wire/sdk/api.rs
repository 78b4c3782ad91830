//! The message in Digg's API between a message service and its clients: JSON, the same fields under other names.

use super::super::receipt::ERRORS_MAX;
use super::xml::SYSTEM;
use super::{FUNCTION_ROOT, HASH_ROOT, Letter, MAX_BYTES, OTHER_ROOT, Part, PartContent, Parties, Party, Reference, TEXT_MAX};
use super::{Unfit, write as xml};
use crate::model::ids::MessageId;
use crate::model::personal::Personal;
use crate::model::receipt::{ContentHash, SDK_CODES};
use crate::model::shape::codes;
use crate::model::time::parse_instant;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Value, json};
use uuid::Uuid;

codes! {
    /// Where a message stands at the message service.
    Status {
        New = "NEW": "Ny", "New";
        Scheduled = "SCHEDULED": "I kö till accesspunkten", "In the queue to the access point";
        Submitted = "SUBMITTED": "Sänds nu", "Being sent";
        ScheduledForResend = "SCHEDULED_FOR_RESEND": "Väntar på omsändning", "Waiting to be sent again";
        Acknowledge = "ACKNOWLEDGE": "Framme hos mottagarens accesspunkt", "At the receiver's access point";
        WaitingForReceipt = "WAITING_FOR_RECEIPT": "Väntar på kvitto", "Waiting for the receipt";
        Retrieved = "RETRIEVED": "Hämtat av mottagaren", "Fetched by the receiver";
        ReceiptSent = "RECEIPT_SENT": "Mottagaren har sänt kvitto", "The receiver has sent a receipt";
        Accepted = "ACCEPTED": "Mottaget", "Accepted";
        Rejected = "REJECTED": "Avvisat", "Rejected";
        MessageExchangeError = "MESSAGE_EXCHANGE_ERROR": "Inte levererat", "Not delivered";
        Error = "ERROR": "Fel hos meddelandetjänsten", "Failed at the message service";
    }
}

/// The request's body, unless the message is too large for SDK in one form or the other.
#[expect(clippy::disallowed_methods, reason = "writes the message")]
pub fn write(letter: &Personal<Letter>) -> Result<Personal<Vec<u8>>, Unfit> {
    let body = json!({"data": {"type": "messages", "attributes": attributes(letter.disclose())}}).to_string().into_bytes();
    let largest = body.len().max(xml(letter).disclose().len());
    if largest > MAX_BYTES { Err(Unfit::TooLarge) } else { Ok(Personal::new(body)) }
}

fn attributes(letter: &Letter) -> Value {
    let Parties { sender, recipient, .. } = &letter.parties;
    let mut attributes = json!({
        "creationDateTime": letter.created_at,
        "messageId": letter.id.to_string(),
        "conversationId": letter.conversation.to_string(),
        "confidentiality": true,
        "generatingSystem": {"root": OTHER_ROOT, "extension": SYSTEM},
        "recipientAttention": attention(recipient, &letter.recipient_references),
        "senderAttention": attention(sender, &letter.sender_references),
        "sender": sender.organisation,
        "recipient": recipient.organisation,
        "label": letter.label,
        "digitalDocument": letter.parts.iter().zip(1..).map(|(part, place)| document(part, place)).collect::<Vec<_>>(),
    });
    if let Some(refers_to) = letter.refers_to {
        attributes["refToMessageId"] = json!(refers_to.to_string());
    }
    attributes
}

/// What a message service tells of a message without its content.
pub(crate) fn metadata(letter: &Letter) -> Value {
    let mut attributes = attributes(letter);
    if let Some(map) = attributes.as_object_mut() {
        map.remove("digitalDocument");
    }
    attributes
}

fn attention(party: &Party, references: &[Reference]) -> Value {
    let mut attention = json!({"subOrganization": {"root": FUNCTION_ROOT, "extension": party.function}});
    if !references.is_empty() {
        let one = |reference: &Reference| json!({"root": reference.root, "extension": reference.extension, "label": reference.label});
        attention["referenceId"] = references.iter().map(one).collect();
    }
    attention
}

fn document(part: &Part, place: i32) -> Value {
    let mut document = json!({"documentId": part.id, "documentName": part.name, "index": place.to_string()});
    match &part.content {
        PartContent::Text(text) => document["contentTextBody"] = json!([text]),
        PartContent::File { name, kind, bytes } => {
            document["contentFiles"] = json!([{"fileName": name, "contentType": kind, "content": BASE64_STANDARD.encode(bytes)}]);
        }
    }
    document
}

/// What a message service says of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    pub message: MessageId,
    pub status: Status,
    /// The hash that the sender's references show.
    pub content_hash: Option<ContentHash>,
    /// It is for the recipient whom we mean.
    pub is_to: bool,
    /// Families and details of why, as far as they are Digg's words.
    pub codes: Vec<&'static str>,
}

/// Reads the answer to a look-up; none where it is not one.
pub fn known(bytes: &[u8], parties: &Parties) -> Option<Known> {
    let answer: Value = serde_json::from_slice(bytes).ok()?;
    let attributes = answer.pointer("/data/attributes")?;
    let status = attributes.get("messageStatus")?.as_str().and_then(Status::parse)?;
    let message = attributes.get("messageId")?.as_str().and_then(|id| Uuid::try_parse(id).ok()).map(MessageId)?;
    let references = attributes.pointer("/senderAttention/referenceId").and_then(Value::as_array);
    let shown = references.into_iter().flatten().find(|reference| reference["root"] == HASH_ROOT);
    let content_hash = shown.and_then(|reference| reference["extension"].as_str()).and_then(ContentHash::parse);
    let function = attributes.pointer("/recipientAttention/subOrganization/extension");
    let is_to = attributes.get("recipient")?.as_str()? == parties.recipient.organisation
        && function.is_none_or(|function| function.as_str() == Some(&parties.recipient.function));
    Some(Known { message: parties.id(message), status, content_hash, is_to, codes: codes(attributes) })
}

/// Digg's words in what the service tells of a message's course: as a code, or before a text.
fn codes(attributes: &Value) -> Vec<&'static str> {
    let issues = attributes.pointer("/events/eventIssues").and_then(Value::as_array);
    let texts = issues.into_iter().flatten().flat_map(|issue| ["typeCode", "title", "detail"].map(|name| issue[name].as_str()));
    let words = texts.flatten().map(|text| text.split_once('|').map_or(text, |(word, _)| word).trim());
    let mut codes: Vec<_> = words.filter_map(|word| SDK_CODES.iter().find(|code| **code == word)).copied().take(ERRORS_MAX).collect();
    codes.dedup();
    codes
}

/// Reads a request; else the fields that are wrong, by name. What has no id or time yet gets these.
pub fn read(bytes: &[u8], id: Uuid, now: &str) -> Result<Personal<Letter>, Vec<&'static str>> {
    let request: Value = serde_json::from_slice(bytes).map_err(|_| vec!["body"])?;
    let mut reader = Reader { faults: Vec::new() };
    let data = request.get("data").unwrap_or(&Value::Null);
    let attributes = data.get("attributes").filter(|attributes| attributes.is_object());
    if attributes.is_none() || data.get("type").is_some_and(|kind| kind != "messages") {
        return Err(vec!["data"]);
    }
    let letter = reader.letter(attributes.unwrap_or(&Value::Null), id, now);
    if reader.faults.is_empty() { Ok(Personal::new(letter)) } else { Err(reader.faults) }
}

struct Reader {
    faults: Vec<&'static str>,
}

impl Reader {
    fn letter(&mut self, from: &Value, id: Uuid, now: &str) -> Letter {
        let id = self.uuid(from, "messageId").unwrap_or(id);
        if from.get("confidentiality").is_none_or(|flag| !flag.is_boolean()) {
            self.faults.push("confidentiality");
        }
        let created_at = self.optional(from, "creationDateTime", 64).unwrap_or_else(|| now.to_owned());
        if !created_at.ends_with('Z') || parse_instant(&created_at).is_err() {
            self.faults.push("creationDateTime");
        }
        Letter {
            created_at,
            id: MessageId(id),
            conversation: self.uuid(from, "conversationId").unwrap_or(id),
            refers_to: self.uuid(from, "refToMessageId"),
            label: self.required(from, "label"),
            parties: Parties {
                sender: self.party(from, "sender", "senderAttention"),
                recipient: self.party(from, "recipient", "recipientAttention"),
                own_ids: false,
            },
            sender_references: self.references(from, "senderAttention"),
            recipient_references: self.references(from, "recipientAttention"),
            parts: self.parts(from),
        }
    }

    fn required(&mut self, from: &Value, name: &'static str) -> String {
        let text = self.optional(from, name, TEXT_MAX);
        if text.is_none() {
            self.faults.push(name);
        }
        text.unwrap_or_default()
    }

    /// A text that is not blank.
    fn optional(&mut self, from: &Value, name: &'static str, max: usize) -> Option<String> {
        let value = from.get(name)?;
        let text = value.as_str().filter(|text| !text.trim().is_empty() && text.chars().count() <= max);
        if text.is_none() {
            self.faults.push(name);
        }
        text.map(str::to_owned)
    }

    fn uuid(&mut self, from: &Value, name: &'static str) -> Option<Uuid> {
        let text = self.optional(from, name, 36)?;
        let id = Uuid::try_parse(&text).ok().filter(|_| text.len() == 36);
        if id.is_none() {
            self.faults.push(name);
        }
        id
    }

    fn party(&mut self, from: &Value, name: &'static str, attention: &'static str) -> Party {
        let organisation = self.required(from, name);
        if !organisation.starts_with("0203:") {
            self.faults.push(name);
        }
        let function = from.get(attention).and_then(|attention| attention.get("subOrganization")).unwrap_or(&Value::Null);
        if function.get("root").is_none_or(|root| root != FUNCTION_ROOT) {
            self.faults.push(attention);
        }
        Party { organisation, function: self.required(function, "extension") }
    }

    fn references(&mut self, from: &Value, attention: &'static str) -> Vec<Reference> {
        let Some(references) = from.get(attention).and_then(|attention| attention.get("referenceId")) else { return Vec::new() };
        let Some(references) = references.as_array() else {
            self.faults.push(attention);
            return Vec::new();
        };
        let one = |reference: &Value| Reference {
            root: self.required(reference, "root"),
            extension: self.required(reference, "extension"),
            label: self.required(reference, "label"),
        };
        references.iter().map(one).collect()
    }

    fn parts(&mut self, from: &Value) -> Vec<Part> {
        let documents = from.get("digitalDocument").and_then(Value::as_array).filter(|documents| !documents.is_empty());
        let Some(documents) = documents else {
            self.faults.push("digitalDocument");
            return Vec::new();
        };
        let mut parts = Vec::new();
        for document in documents {
            let id = self.required(document, "documentId");
            let name = self.optional(document, "documentName", TEXT_MAX).unwrap_or_else(|| id.clone());
            for content in self.contents(document) {
                parts.push(Part { id: id.clone(), name: name.clone(), content });
            }
        }
        parts
    }

    fn contents(&mut self, document: &Value) -> Vec<PartContent> {
        let list = |name| document.get(name).and_then(Value::as_array).into_iter().flatten();
        let mut contents = Vec::new();
        for text in list("contentTextBody") {
            match text.as_str().filter(|text| !text.trim().is_empty()) {
                Some(text) => contents.push(PartContent::Text(text.to_owned())),
                None => self.faults.push("contentTextBody"),
            }
        }
        for file in list("contentFiles") {
            let (name, kind) = (self.required(file, "fileName"), self.required(file, "contentType"));
            match file.get("content").and_then(Value::as_str).and_then(|content| BASE64_STANDARD.decode(content).ok()) {
                Some(bytes) if !bytes.is_empty() => contents.push(PartContent::File { name, kind, bytes }),
                _ => self.faults.push("content"),
            }
        }
        if contents.is_empty() {
            self.faults.push("digitalDocument");
        }
        contents
    }
}
