//! The message as XML: written from the model, and read back as far as a receiver needs it.
//!
//! The order of elements is that of [`super::frame`]; the seal holds the two together.

use super::scan::{Unreadable, is_xml_char, scan};
use super::{ContentHash, MESSAGE_NS, Release};
use crate::model::catalogue::EventType;
use crate::model::event::{CareEvent, Head, Patient, Protection};
use crate::model::ids::{EnvelopeId, EpisodeId, MessageId};
use crate::model::message::Message;
use crate::model::personal::Personal;
use crate::model::shape::{Part, Sink};
use crate::model::time::{instant_text, local_day};
use jiff::Timestamp;
use quick_xml::Writer;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};
use std::borrow::Cow;
use std::ops::Range;
use uuid::Uuid;

/// Writes elements into memory.
pub(super) struct XmlSink {
    writer: Writer<Vec<u8>>,
}

impl XmlSink {
    pub(super) fn new() -> Self {
        Self { writer: Writer::new_with_indent(Vec::with_capacity(4096), b' ', 2) }
    }

    pub(super) fn put(&mut self, event: Event<'_>) {
        // A Vec takes everything; were it not so, the seal would find the document broken.
        let _ = self.writer.write_event(event);
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.writer.into_inner()
    }

    pub(super) fn group(&mut self, name: &'static str, write: impl FnOnce(&mut Self)) {
        self.open(name);
        write(self);
        self.close(name);
    }
}

impl Sink for XmlSink {
    fn open(&mut self, name: &'static str) {
        self.put(Event::Start(BytesStart::new(name)));
    }

    fn open_list(&mut self, name: &'static str) {
        self.open(name);
    }

    fn close(&mut self, name: &'static str) {
        self.put(Event::End(BytesEnd::new(name)));
    }

    fn text(&mut self, name: &'static str, value: &str) {
        // Events are checked when they are read; a name from the configuration is not.
        let barred = |c| !is_xml_char(c) || c == '\r';
        let value: Cow<'_, str> = if value.contains(barred) { value.replace(barred, "\u{fffd}").into() } else { value.into() };
        self.open(name);
        self.put(Event::Text(BytesText::new(&value)));
        self.close(name);
    }

    fn bool(&mut self, name: &'static str, value: bool) {
        self.text(name, if value { "true" } else { "false" });
    }
}

/// The content's bytes, from `<content` to `</content>`. Made once per message and kept.
pub fn content(message: &Message, release: &Release) -> Personal<Vec<u8>> {
    let mut out = XmlSink::new();
    out.put(Event::Start(BytesStart::new("content").with_attributes([("xmlns", MESSAGE_NS)])));
    out.group("header", |out| header(message, release, out));
    out.group("patient", |out| patient(&message.event.patient, out));
    out.group("body", |out| message.event.body.write(message.event.head.kind.row().element, out));
    out.close("content");
    Personal::new(out.finish())
}

fn header(message: &Message, release: &Release, out: &mut XmlSink) {
    let CareEvent { head, .. } = &message.event;
    out.text("messageId", &message.id.to_string());
    out.text("messageType", head.kind.code());
    out.text("status", message.status.code());
    out.text("version", &message.version.to_string());
    out.text("createdAt", &instant_text(release.created_at));
    out.text("eventTime", &instant_text(head.occurred_at));
    out.text("localDate", &local_day(head.occurred_at).to_string());
    out.text("processingMode", if release.production { "production" } else { "test" });
    out.group("sender", |out| sender(head, release, out));
    out.group("recipients", |out| message.recipients.iter().for_each(|recipient| recipient.write("item", out)));
    head.episode_ref.write_fields(out);
    out.text("episodeId", &message.episode.to_string());
    out.text("sequenceNumber", &release.sequence.to_string());
    if let Some(refers) = &head.ref_to
        && (refers.message_id.is_some() || refers.event_id.is_some() || refers.region_message_id.is_some())
    {
        refers.write("inReplyTo", out);
    }
    if let Some(replaced) = message.replaces {
        out.text("replaces", &replaced.to_string());
    }
    out.group("source", |out| {
        head.system.write("system", out);
        head.event_id.write("eventId", out);
    });
    out.group("rules", |out| {
        out.text("name", &release.rules);
        out.text("hash", &release.rules_hash);
    });
    head.consent.write("consent", out);
    out.bool("confidentiality", true);
}

fn sender(head: &Head, release: &Release, out: &mut XmlSink) {
    out.text("orgNumber", release.sender.org_number.as_str());
    release.sender.hsa_id.write("hsaId", out);
    if !release.sender.name.trim().is_empty() {
        out.text("name", &release.sender.name);
    }
    let Some(author) = &head.author else { return };
    author.unit.write("unit", out);
    if author.hsa_id.is_some() || author.role.is_some() {
        out.group("author", |out| {
            author.hsa_id.write("hsaId", out);
            author.role.write("role", out);
        });
    }
}

#[expect(clippy::disallowed_methods, reason = "writes the message")]
fn patient(patient: &Patient, out: &mut XmlSink) {
    out.group("id", |out| {
        out.text("root", patient.id.kind.oid());
        out.text("extension", patient.id.number().disclose());
    });
    patient.name.write("name", out);
    // The event's reader has dropped it already; this is the last door.
    if patient.protected == Protection::None {
        patient.address.write("address", out);
    }
    out.text("protectedIdentity", patient.protected.code());
}

/// The whole document around bytes that [`content`] made.
pub fn transmission(content: &[u8], hash: ContentHash, envelope: EnvelopeId, sent_at: Timestamp) -> Vec<u8> {
    let head = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<message xmlns=\"{MESSAGE_NS}\" schemaVersion=\"1.0\">\n<transmission>\n  \
         <envelopeId>{envelope}</envelopeId>\n  <sentAt>{}</sentAt>\n  <contentHash>{hash}</contentHash>\n</transmission>\n",
        instant_text(sent_at)
    );
    let mut out = Vec::with_capacity(head.len() + content.len() + 16);
    out.extend_from_slice(head.as_bytes());
    out.extend_from_slice(content);
    out.extend_from_slice(b"\n</message>\n");
    out
}

/// What a receiver needs to know of a document. The schema says whether the rest is in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    pub message_id: MessageId,
    pub envelope_id: EnvelopeId,
    pub episode_id: EpisodeId,
    pub kind: EventType,
    pub sequence: u64,
    pub declared_hash: ContentHash,
    /// Where the content stands in the document.
    pub content: Range<usize>,
}

impl Received {
    /// The declared hash is the content's own. `document` is what was read.
    pub fn hash_holds(&self, document: &[u8]) -> bool {
        document.get(self.content.clone()).is_some_and(|content| ContentHash::of(content) == self.declared_hash)
    }
}

const NAMES: &[&str] = &[
    "message",
    "transmission",
    "envelopeId",
    "contentHash",
    "content",
    "header",
    "messageId",
    "messageType",
    "episodeId",
    "sequenceNumber",
];

/// Reads a message of ours.
pub fn read(bytes: &[u8]) -> Result<Received, Unreadable> {
    let (mut message, mut envelope, mut episode) = (None, None, None);
    let (mut kind, mut sequence, mut hash, mut content) = (None, None, None, None);
    scan(bytes, &[MESSAGE_NS], NAMES, |ended| {
        let text = ended.text;
        match *ended.path {
            ["message", "transmission", "envelopeId"] => once(&mut envelope, "envelopeId", uuid(text).map(EnvelopeId)),
            ["message", "transmission", "contentHash"] => once(&mut hash, "contentHash", ContentHash::parse(text)),
            ["message", "content", "header", "messageId"] => once(&mut message, "messageId", uuid(text).map(MessageId)),
            ["message", "content", "header", "episodeId"] => once(&mut episode, "episodeId", uuid(text).map(EpisodeId)),
            ["message", "content", "header", "messageType"] => once(&mut kind, "messageType", EventType::parse(text)),
            ["message", "content", "header", "sequenceNumber"] => once(&mut sequence, "sequenceNumber", text.parse().ok()),
            ["message", "content"] => once(&mut content, "content", Some(ended.range)),
            _ => Ok(()),
        }
    })?;
    Ok(Received {
        message_id: message.ok_or(Unreadable::Missing("messageId"))?,
        envelope_id: envelope.ok_or(Unreadable::Missing("envelopeId"))?,
        episode_id: episode.ok_or(Unreadable::Missing("episodeId"))?,
        kind: kind.ok_or(Unreadable::Missing("messageType"))?,
        sequence: sequence.ok_or(Unreadable::Missing("sequenceNumber"))?,
        declared_hash: hash.ok_or(Unreadable::Missing("contentHash"))?,
        content: content.ok_or(Unreadable::Missing("content"))?,
    })
}

/// Fills a slot that may be filled once, with a value that must have been readable.
pub(super) fn once<T>(slot: &mut Option<T>, name: &'static str, value: Option<T>) -> Result<(), Unreadable> {
    if slot.is_some() {
        return Err(Unreadable::Twice(name));
    }
    *slot = Some(value.ok_or(Unreadable::Value(name))?);
    Ok(())
}

/// A UUID in the one form that we write.
pub(super) fn uuid(text: &str) -> Option<Uuid> {
    let formed = text.len() == 36 && !text.bytes().any(|b| b.is_ascii_uppercase());
    Uuid::try_parse(text).ok().filter(|_| formed)
}
