//! The message of SDK's as XML, as message services hand it to each other. Element by element in the order of Digg's schema.

use super::super::xml::XmlSink;
use super::{ACTOR_ROOT, FUNCTION_ROOT, Letter, NS, OTHER_ROOT, Part, PartContent, Party, Reference};
use crate::model::personal::Personal;
use crate::model::shape::Sink;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use quick_xml::events::{BytesStart, Event};

/// The program, as it stands in messages.
pub(super) const SYSTEM: &str = concat!("vardbro/", env!("CARGO_PKG_VERSION"));

/// The message's bytes.
#[expect(clippy::disallowed_methods, reason = "writes the message")]
pub fn write(letter: &Personal<Letter>) -> Personal<Vec<u8>> {
    let letter = letter.disclose();
    let mut out = XmlSink::new();
    out.put(Event::Start(BytesStart::new("messagePayload").with_attributes([("xmlns", NS)])));
    out.group("message", |out| {
        out.group("messageHeader", |out| header(letter, out));
        out.group("messageBody", |out| letter.parts.iter().zip(1..).for_each(|(part, place)| document(part, place, out)));
    });
    out.close("messagePayload");
    let mut bytes = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_vec();
    bytes.extend(out.finish());
    bytes.push(b'\n');
    Personal::new(bytes)
}

fn header(letter: &Letter, out: &mut XmlSink) {
    out.text("creationDateTime", &letter.created_at);
    out.text("messageId", &letter.id.to_string());
    out.text("conversationId", &letter.conversation.to_string());
    if let Some(refers_to) = letter.refers_to {
        out.text("refToMessageId", &refers_to.to_string());
    }
    out.text("label", &letter.label);
    out.bool("confidentiality", true);
    id("generatingSystem", OTHER_ROOT, SYSTEM, out);
    out.group("recipient", |out| party("recipientID", &letter.parties.recipient, &letter.recipient_references, out));
    out.group("sender", |out| party("senderID", &letter.parties.sender, &letter.sender_references, out));
}

fn party(name: &'static str, party: &Party, references: &[Reference], out: &mut XmlSink) {
    id(name, ACTOR_ROOT, &party.organisation, out);
    out.group("attention", |out| {
        out.group("subOrganization", |out| id("organizationId", FUNCTION_ROOT, &party.function, out));
        for reference in references {
            out.group("reference", |out| {
                id("referenceId", &reference.root, &reference.extension, out);
                out.text("label", &reference.label);
            });
        }
    });
}

fn id(name: &'static str, root: &str, extension: &str, out: &mut XmlSink) {
    out.group(name, |out| {
        out.text("root", root);
        out.text("extension", extension);
    });
}

fn document(part: &Part, place: usize, out: &mut XmlSink) {
    out.group("documents", |out| {
        out.text("documentID", &part.id);
        out.text("documentName", &part.name);
        out.text("index", &place.to_string());
        match &part.content {
            PartContent::File { name, kind, bytes } => out.group("ContentFiles", |out| {
                out.text("fileName", name);
                out.text("contentType", kind);
                out.text("content", &BASE64_STANDARD.encode(bytes));
            }),
            PartContent::Text(text) => out.group("ContentText", |out| out.text("characterSequence", text)),
        }
    });
}
