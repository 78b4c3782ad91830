//! Digg's Säker digital kommunikation: our document as a message with attachments, version 3.
//!
//! Only the frame is SDK's. Its parts are all taken from the document that the XML wire would send, and that document is attached
//! unchanged; so a message has one content and one hash, over whatever wire it goes.

pub mod api;
pub mod receipt;
mod text;
mod xml;

pub use xml::write;

use super::xml::read;
use super::{Unreadable, tree};
use crate::model::catalogue::EventType;
use crate::model::ids::MessageId;
use crate::model::personal::Personal;
use crate::model::receipt::ContentHash;
use serde_json::Value;
use uuid::Uuid;

/// Namespace of the message.
pub const NS: &str = "urn:riv:infrastructure:messaging:MessageWithAttachments:3";
/// Largest message, with all that is in it.
pub const MAX_BYTES: usize = 30_000_000;
/// Longest address, label or reference.
pub const TEXT_MAX: usize = 256;

/// What kind of id an organisation has.
const ACTOR_ROOT: &str = "iso6523-actorid-upis";
/// What kind of id a function has.
const FUNCTION_ROOT: &str = "urn:riv:infrastructure:messaging:functionalAddress";
/// What kind of id none of the known ones is.
const OTHER_ROOT: &str = "un-encoded";
/// Under this kind a look-up shows the content's hash.
const HASH_ROOT: &str = "urn:vardbro:contentHash";

/// An organisation and a function in it. Never a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// `0203:kommun.se`
    pub organisation: String,
    /// As the SDK address book has it.
    pub function: String,
}

/// From whom, and to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parties {
    pub sender: Party,
    pub recipient: Party,
    /// The recipient's messages have ids of their own: a message service knows a message by its id alone, and one message of ours may go
    /// to several recipients over it.
    pub own_ids: bool,
}

impl Parties {
    /// The id under which a message goes to this recipient; of such an id, the message's. Twice the same mask is none.
    pub fn id(&self, id: MessageId) -> MessageId {
        if !self.own_ids {
            return id;
        }
        let hash = ContentHash::of(format!("{} {}", self.recipient.organisation, self.recipient.function).as_bytes());
        let mut mask = [0; 16];
        mask.copy_from_slice(&hash.as_bytes()[..16]);
        // Version and variant stay.
        mask[6] &= 0x0f;
        mask[8] &= 0x3f;
        MessageId(Uuid::from_u128(id.0.as_u128() ^ u128::from_be_bytes(mask)))
    }
}

/// An id that the party wants to see again in the answer.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) root: String,
    pub(crate) extension: String,
    pub(crate) label: String,
}

/// A part of the message: something to read, or a file.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) content: PartContent,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum PartContent {
    Text(String),
    File { name: String, kind: String, bytes: Vec<u8> },
}

/// A message of SDK's.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// UTC with milliseconds.
    pub(crate) created_at: String,
    pub(crate) id: MessageId,
    pub(crate) conversation: Uuid,
    pub(crate) refers_to: Option<Uuid>,
    pub(crate) label: String,
    pub(crate) parties: Parties,
    pub(crate) sender_references: Vec<Reference>,
    pub(crate) recipient_references: Vec<Reference>,
    pub(crate) parts: Vec<Part>,
}

impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Letter").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Why a document does not become a message of SDK's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// It is no document of ours.
    Document(Unreadable),
    TooLarge,
}

/// The letter about a document of ours, as the XML wire would send it.
#[expect(clippy::disallowed_methods, reason = "writes the message")]
pub fn letter(document: &Personal<Vec<u8>>, parties: &Parties) -> Result<Personal<Letter>, Unfit> {
    let document = document.disclose();
    let received = read(document).map_err(Unfit::Document)?;
    let unreadable = Unfit::Document(Unreadable::NotXml);
    let content = document.get(received.content.clone()).ok_or(unreadable)?;
    let content = tree(&Personal::new(content.to_vec())).ok_or(unreadable)?;
    let content = content.disclose();
    let header = content.get("header").ok_or(unreadable)?;
    let said = |pointer: &str| header.pointer(pointer).and_then(Value::as_str);
    let uuid = |pointer| said(pointer).and_then(|id| Uuid::try_parse(id).ok());
    // What is ours has gone to this recipient under the id that it has here.
    let ours = |pointer| uuid(pointer).map(|id| parties.id(MessageId(id)).0);
    let file = format!("{}-{}.xml", received.kind.code(), received.message_id);
    let hash = Reference { root: HASH_ROOT.to_owned(), extension: received.declared_hash.to_string(), label: "Kontrollsumma".to_owned() };
    let reference = |id: &str| Reference { root: OTHER_ROOT.to_owned(), extension: id.to_owned(), label: "Ärendenummer".to_owned() };
    let parts = vec![
        part("SDK-Meddelande", "Meddelandet i klartext", PartContent::Text(text::text(received.kind, content))),
        part(
            "Vardbro-XML",
            "Meddelandet som XML, urn:vardbro:message:1",
            PartContent::File { name: file, kind: "application/xml".to_owned(), bytes: document.clone() },
        ),
    ];
    Ok(Personal::new(Letter {
        created_at: said("/createdAt").ok_or(unreadable)?.to_owned(),
        id: parties.id(received.message_id),
        conversation: received.episode_id.0,
        refers_to: ours("/replaces").or_else(|| ours("/inReplyTo/messageId")).or_else(|| uuid("/inReplyTo/regionMessageId")),
        label: label(received.kind, header),
        parties: parties.clone(),
        sender_references: said("/caseId").map(reference).into_iter().chain([hash]).collect(),
        recipient_references: said("/regionCaseId").map(reference).into_iter().collect(),
        parts,
    }))
}

fn part(id: &str, name: &str, content: PartContent) -> Part {
    Part { id: id.to_owned(), name: name.to_owned(), content }
}

/// The type, and what is always the same: it is read where the message is not.
fn label(kind: EventType, header: &Value) -> String {
    let (kind_sv, _) = kind.texts();
    let is = |name: &str, code: &str| header[name].as_str() == Some(code);
    let test = if is("processingMode", "test") { "PROV: " } else { "" };
    let changed = if is("status", "changed") { ", ändrat" } else { "" };
    format!("{test}{kind_sv} ({}{changed})", kind.code())
}

impl Letter {
    /// The hash by which the sender names the content, where the letter shows it.
    pub fn content_hash(&self) -> Option<ContentHash> {
        let shown = self.sender_references.iter().find(|reference| reference.root == HASH_ROOT)?;
        ContentHash::parse(&shown.extension)
    }

    /// The document of ours that is attached.
    pub fn document(&self) -> Option<&[u8]> {
        self.parts.iter().find_map(|part| match &part.content {
            PartContent::File { bytes, .. } if read(bytes).is_ok() => Some(bytes.as_slice()),
            _ => None,
        })
    }
}
