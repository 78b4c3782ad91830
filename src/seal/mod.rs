//! The seal: a document that has passed its schema becomes [`Checked`], and only that may leave.
//!
//! Validates each document once, when its content is fixed. Never changes a byte.

mod xsd;

pub use xsd::{XsdValidator, names};

use crate::fault::{Code, at};
use crate::model::finding::{Effect, Finding, Layer, Place};
use crate::model::ids::{EnvelopeId, MessageId};
use crate::model::personal::Personal;
use crate::wire::{ContentHash, Document, transmission};
use jiff::Timestamp;

/// Something that knows a schema.
pub trait Validator: Send {
    /// Everything that is wrong; nothing where the document is valid.
    fn validate(&mut self, document: &[u8]) -> Vec<SchemaFault>;
}

/// One thing that is wrong with a document. Holds nothing of the document's values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaFault {
    /// Name of the violated constraint, `cvc-pattern-valid`; or `well-formed`, `doctype`, `encoding`, `limit`, `schema`.
    pub constraint: String,
    /// Element names of the schema, `message/content/body`; others are `?`.
    pub path: String,
    /// The element at which it was noticed.
    pub place: Option<Place>,
}

/// Constraints of the W3C's and our own, in words.
const WORDS: &[(&str, &str, &str)] = &[
    ("cvc-complex-type.2.4", "här väntas ett annat element, eller ett till", "another element is expected here, or one more"),
    ("cvc-complex-type.3", "attributet hör inte hit eller har fel värde", "the attribute does not belong here or has a wrong value"),
    ("cvc-complex-type.4", "ett attribut saknas", "an attribute is missing"),
    ("cvc-complex-type.2", "innehållet är av fel slag", "the content is of the wrong kind"),
    ("cvc-datatype-valid", "värdet är inte av rätt slag", "the value is not of the right kind"),
    ("cvc-enumeration-valid", "värdet är inget av de tillåtna", "the value is none of those allowed"),
    ("cvc-pattern-valid", "värdet har fel form", "the value has the wrong form"),
    ("cvc-length-valid", "värdet har fel längd", "the value has the wrong length"),
    ("cvc-minlength-valid", "värdet är för kort", "the value is too short"),
    ("cvc-maxlength-valid", "värdet är för långt", "the value is too long"),
    ("cvc-minexclusive-valid", "talet är för litet", "the number is too small"),
    ("cvc-mininclusive-valid", "talet är för litet", "the number is too small"),
    ("cvc-maxinclusive-valid", "talet är för stort", "the number is too large"),
    ("cvc-elt.1", "elementet finns inte i schemat", "the schema has no such element"),
    ("cvc-elt", "elementet får inte se ut så", "the element may not look like that"),
    ("cvc-type", "värdet är inte av rätt slag", "the value is not of the right kind"),
    ("cvc-", "ett av schemats villkor gäller inte", "a constraint of the schema does not hold"),
    ("well-formed", "det är inte välformad XML", "it is not well-formed XML"),
    ("doctype", "en DOCTYPE tas inte emot", "a DOCTYPE is not accepted"),
    ("encoding", "bara UTF-8 tas emot", "only UTF-8 is accepted"),
    ("limit", "det är för djupt eller för stort", "it is too deep or too large"),
    ("schema", "schemat gäller inte", "the schema does not hold"),
];

impl SchemaFault {
    /// The same as a finding, with the constraint in words and by name.
    pub fn finding(self, code: Code) -> Finding {
        let Self { constraint, path, place } = self;
        let words = WORDS.iter().find(|(name, ..)| constraint.to_ascii_lowercase().starts_with(name));
        let detail = words.map(|(_, sv, en)| (format!("{sv} ({constraint})"), format!("{en} ({constraint})")));
        at(code.finding(Effect::Refuse, Layer::Schema, detail), (!path.is_empty()).then_some(path), place)
    }
}

/// Content that has passed its schema. It cannot be made in any other way than by [`seal`] or out of the store, where the
/// hash must still hold.
///
/// ```
/// use vardbro::{model::{ids::MessageId, personal::Personal}, seal::Checked, wire::ContentHash};
/// fn restore(message: MessageId) -> Option<Checked> {
///     Checked::restore(message, Personal::new(Vec::new()), ContentHash::of(b""))
/// }
/// ```
///
/// ```compile_fail,E0451
/// use vardbro::{model::{ids::MessageId, personal::Personal}, seal::Checked, wire::ContentHash};
/// fn forge(message: MessageId) -> Option<Checked> {
///     Some(Checked { message, content: Personal::new(Vec::new()), hash: ContentHash::of(b"") })
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Checked {
    message: MessageId,
    content: Personal<Vec<u8>>,
    hash: ContentHash,
}

impl Checked {
    /// Content out of the store; `None` where it is no longer what was sealed.
    #[expect(clippy::disallowed_methods, reason = "compares the hash of the content")]
    pub fn restore(message: MessageId, content: Personal<Vec<u8>>, hash: ContentHash) -> Option<Self> {
        (ContentHash::of(content.disclose()) == hash).then_some(Self { message, content, hash })
    }

    pub fn message(&self) -> MessageId {
        self.message
    }

    pub fn content(&self) -> &Personal<Vec<u8>> {
        &self.content
    }

    pub fn hash(&self) -> ContentHash {
        self.hash
    }

    /// The document to send now.
    #[expect(clippy::disallowed_methods, reason = "writes the message")]
    pub fn transmission(&self, envelope: EnvelopeId, sent_at: Timestamp) -> Vec<u8> {
        transmission(self.content.disclose(), self.hash, envelope, sent_at)
    }
}

/// Validates the document as it will be sent.
pub fn seal(validator: &mut dyn Validator, document: Document, envelope: EnvelopeId, sent_at: Timestamp) -> Result<Checked, Vec<Finding>> {
    let checked = Checked { message: document.message(), content: document.content().clone(), hash: document.hash() };
    let faults = validator.validate(&checked.transmission(envelope, sent_at));
    if faults.is_empty() {
        return Ok(checked);
    }
    Err(faults.into_iter().map(|fault| fault.finding(Code::OutSchema)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::catalogue::EventType;
    use crate::model::time::parse_instant;
    use crate::wire::testing::{Fill, envelope, event, message, release};
    use crate::wire::{unchecked as document, xml};

    fn now() -> Timestamp {
        parse_instant("2026-03-11T08:00:01Z").expect("an instant")
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test looks at what was written")]
    fn what_is_sealed_can_be_sent_again_and_restored_with_the_same_bytes() {
        let document = document(&message(&event(EventType::KPu.row(), Fill::Most), Fill::Most), &release(Fill::Most));
        let checked = seal(&mut XsdValidator::message(), document, envelope(), now()).expect("valid");
        let sent = checked.transmission(envelope(), now());
        let received = xml::read(&sent).expect("ours");
        assert_eq!(&sent[received.content.clone()], checked.content().disclose().as_slice());
        assert!(received.hash_holds(&sent));
        assert_eq!(
            (received.message_id, received.envelope_id, received.kind, received.sequence),
            (checked.message(), envelope(), EventType::KPu, 999_999_999_999_999_999)
        );
        assert!(Checked::restore(checked.message(), checked.content().clone(), checked.hash()).is_some());
        let mut damaged = checked.content().disclose().clone();
        damaged[100] ^= 1;
        assert!(Checked::restore(checked.message(), Personal::new(damaged), checked.hash()).is_none());
    }

    #[test]
    fn a_document_that_breaks_its_schema_is_refused_with_name_and_place_only() {
        let mut release = release(Fill::Least);
        release.sequence = 0;
        release.rules_hash = "secret 193812217044".to_owned();
        let document = document(&message(&event(EventType::KKv.row(), Fill::Least), Fill::Least), &release);
        let findings = seal(&mut XsdValidator::message(), document, envelope(), now()).expect_err("broken");
        assert!(findings.iter().all(|finding| finding.code == "VB-OUT-003" && finding.effect == Effect::Refuse));
        let paths: Vec<_> = findings.iter().filter_map(|finding| finding.path.as_deref()).collect();
        assert!(paths.contains(&"message/content/header/sequenceNumber"), "{paths:?}");
        assert!(paths.contains(&"message/content/header/rules/hash"), "{paths:?}");
        let shown = format!("{findings:?}");
        assert!(!shown.contains("1938"), "{shown}");
        assert!(shown.contains("cvc-"), "{shown}");
    }

    #[test]
    fn a_protected_person_has_no_address_even_if_the_event_has_one() {
        let mut message = message(&event(EventType::KKv.row(), Fill::Most), Fill::Most);
        message.event.patient.protected = crate::model::event::Protection::Sekretessmarkering;
        let document = document(&message, &release(Fill::Least));
        let checked = seal(&mut XsdValidator::message(), document, envelope(), now()).expect("valid");
        let sent = String::from_utf8(checked.transmission(envelope(), now())).expect("UTF-8");
        assert!(!sent.contains("<address>") && sent.contains("<protectedIdentity>sekretessmarkering<"));
    }

    #[test]
    fn hostile_documents_are_refused_by_name() {
        let mut validator = XsdValidator::receipt();
        for (document, constraint) in
            [("<!DOCTYPE a><a/>", "doctype"), ("<?xml version='1.0' encoding='latin1'?><a/>", "encoding"), ("<a>", "well-formed")]
        {
            let faults = validator.validate(document.as_bytes());
            assert!(faults.iter().any(|fault| fault.constraint == constraint), "{document}: {faults:?}");
        }
        let deep = "<a>".repeat(100);
        assert!(validator.validate(deep.as_bytes()).iter().any(|fault| fault.constraint == "limit"));
        let strange = validator.validate(b"<personnummer193812217044/>");
        assert!(!strange.is_empty() && !format!("{strange:?}").contains("1938"), "{strange:?}");
    }
}
