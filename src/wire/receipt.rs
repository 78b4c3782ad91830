//! The receipt as XML: read from receivers, and written by the reference receiver.
//!
//! Reading is tolerant of elements in other namespaces and strict about ours. Free texts stay [`Personal`].

use super::scan::{Unreadable, scan};
use super::xml::{XmlSink, once, uuid};
use super::{ContentHash, RECEIPT_NS};
use crate::model::ids::{EnvelopeId, MessageId};
use crate::model::personal::Personal;
use crate::model::receipt::{ForeignCode, Receipt, ReceiptError, Severity};
use crate::model::shape::Sink;
use crate::model::state::{ReceiptReason, ReceiptStatus};
use crate::model::time::{instant_text, parse_instant};
use quick_xml::events::{BytesStart, Event};

/// Most remarks that are kept of one receipt.
pub const ERRORS_MAX: usize = 200;
/// Longest path or text of a remark.
pub const TEXT_MAX: usize = 2000;
/// Longest name of a place in the receiver's log.
pub const LOG_ID_MAX: usize = 200;

const NAMES: &[&str] = &[
    "receipt",
    "receiptId",
    "createdAt",
    "originalMessageId",
    "originalEnvelopeId",
    "contentHash",
    "status",
    "retryable",
    "reason",
    "errors",
    "item",
    "code",
    "severity",
    "path",
    "ruleId",
    "text",
    "logId",
];

/// Writes a receipt.
pub fn write(receipt: &Receipt) -> Vec<u8> {
    let mut out = XmlSink::new();
    out.put(Event::Start(BytesStart::new("receipt").with_attributes([("xmlns", RECEIPT_NS), ("schemaVersion", "1.0")])));
    out.text("receiptId", &receipt.id.hyphenated().to_string());
    out.text("createdAt", &instant_text(receipt.created_at));
    out.text("originalMessageId", &receipt.message.to_string());
    if let Some(envelope) = receipt.envelope {
        out.text("originalEnvelopeId", &envelope.to_string());
    }
    if let Some(hash) = receipt.content_hash {
        out.text("contentHash", &hash.to_string());
    }
    out.text("status", receipt.status.code());
    if let Some(retryable) = receipt.retryable {
        out.bool("retryable", retryable);
    }
    if let Some(reason) = receipt.reason {
        out.text("reason", reason.code());
    }
    if !receipt.errors.is_empty() {
        out.open_list("errors");
        receipt.errors.iter().take(ERRORS_MAX).for_each(|error| write_error(error, &mut out));
        out.close("errors");
    }
    write_text("logId", receipt.log_id.as_ref(), LOG_ID_MAX, &mut out);
    out.close("receipt");
    let mut bytes = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_vec();
    bytes.extend(out.finish());
    bytes.push(b'\n');
    bytes
}

fn write_error(error: &ReceiptError, out: &mut XmlSink) {
    out.open("item");
    out.text("code", error.code.as_str());
    if let Some(severity) = error.severity {
        out.text("severity", severity.code());
    }
    write_text("path", error.path.as_ref(), TEXT_MAX, out);
    if let Some(rule) = &error.rule {
        out.text("ruleId", rule.as_str());
    }
    write_text("text", error.text.as_ref(), TEXT_MAX, out);
    out.close("item");
}

#[expect(clippy::disallowed_methods, reason = "writes the answer to the sender of the message")]
fn write_text(name: &'static str, value: Option<&Personal<String>>, max: usize, out: &mut XmlSink) {
    if let Some(value) = value.and_then(|value| kept(value.disclose(), max)) {
        out.text(name, &value);
    }
}

#[derive(Default)]
struct ErrorParts {
    code: Option<ForeignCode>,
    severity: Option<Severity>,
    path: Option<String>,
    rule: Option<ForeignCode>,
    text: Option<String>,
}

/// Reads a receipt. Blank texts count as absent, and texts that are too long are cut: they are for people, and no reason
/// to doubt the verdict.
pub fn read(bytes: &[u8]) -> Result<Receipt, Unreadable> {
    let (mut id, mut created, mut message, mut envelope, mut hash) = (None, None, None, None, None);
    let (mut status, mut retryable, mut reason, mut log_id, mut list) = (None, None, None, None, None);
    let mut errors = Vec::new();
    let mut parts = ErrorParts::default();
    scan(bytes, &[RECEIPT_NS], NAMES, |ended| {
        // Blanks around a code or an id are nobody's meaning; a free text is kept as it is.
        let text = ended.text.trim();
        match *ended.path {
            ["receipt", "receiptId"] => once(&mut id, "receiptId", uuid(text)),
            ["receipt", "createdAt"] => once(&mut created, "createdAt", parse_instant(text).ok()),
            ["receipt", "originalMessageId"] => once(&mut message, "originalMessageId", uuid(text).map(MessageId)),
            ["receipt", "originalEnvelopeId"] => once(&mut envelope, "originalEnvelopeId", uuid(text).map(EnvelopeId)),
            ["receipt", "contentHash"] => once(&mut hash, "contentHash", ContentHash::parse(text)),
            ["receipt", "status"] => once(&mut status, "status", ReceiptStatus::parse(text)),
            ["receipt", "retryable"] => once(&mut retryable, "retryable", text.parse::<bool>().ok()),
            ["receipt", "reason"] => once(&mut reason, "reason", ReceiptReason::parse(text)),
            ["receipt", "logId"] => once(&mut log_id, "logId", Some(text.to_owned())),
            ["receipt", "errors"] => once(&mut list, "errors", Some(())),
            ["receipt", "errors", "item"] => finish_error(&mut parts, &mut errors),
            ["receipt", "errors", "item", name] => error_part(&mut parts, name, ended.text),
            _ => Ok(()),
        }
    })?;
    Ok(Receipt {
        id: id.ok_or(Unreadable::Missing("receiptId"))?,
        created_at: created.ok_or(Unreadable::Missing("createdAt"))?,
        message: message.ok_or(Unreadable::Missing("originalMessageId"))?,
        envelope,
        content_hash: hash,
        status: status.ok_or(Unreadable::Missing("status"))?,
        retryable,
        reason,
        errors,
        log_id: log_id.and_then(|text| kept(&text, LOG_ID_MAX)).map(Personal::new),
    })
}

fn error_part(parts: &mut ErrorParts, name: &str, text: &str) -> Result<(), Unreadable> {
    match name {
        "code" => once(&mut parts.code, "code", ForeignCode::parse(text.trim())),
        "severity" => once(&mut parts.severity, "severity", Severity::parse(text.trim())),
        "path" => once(&mut parts.path, "path", Some(text.to_owned())),
        "ruleId" => once(&mut parts.rule, "ruleId", ForeignCode::parse(text.trim())),
        "text" => once(&mut parts.text, "text", Some(text.to_owned())),
        _ => Ok(()),
    }
}

fn finish_error(parts: &mut ErrorParts, errors: &mut Vec<ReceiptError>) -> Result<(), Unreadable> {
    let ErrorParts { code, severity, path, rule, text } = std::mem::take(parts);
    if errors.len() == ERRORS_MAX {
        return Err(Unreadable::Value("errors"));
    }
    let free = |text: Option<String>| text.and_then(|text| kept(&text, TEXT_MAX)).map(Personal::new);
    errors.push(ReceiptError { code: code.ok_or(Unreadable::Missing("code"))?, severity, path: free(path), rule, text: free(text) });
    Ok(())
}

/// The text as far as it is kept; nothing of a blank one.
pub(super) fn kept(text: &str, max: usize) -> Option<String> {
    let text: String = text.chars().take(max).collect();
    // XML's own notion of blank, and that of people, both count.
    (!text.trim().is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Receipt {
        let id = |n| uuid::Uuid::from_u128(n);
        Receipt {
            id: id(1),
            created_at: parse_instant("2026-03-10T08:00:00.123Z").expect("good"),
            message: MessageId(id(2)),
            envelope: Some(EnvelopeId(id(3))),
            content_hash: Some(ContentHash::of(b"x")),
            status: ReceiptStatus::Rejected,
            retryable: Some(false),
            reason: Some(ReceiptReason::Bv),
            errors: vec![ReceiptError {
                code: ForeignCode::parse("BV.1").expect("good"),
                severity: Some(Severity::Error),
                path: Some(Personal::new("/message/content".to_owned())),
                rule: ForeignCode::parse("CHK-1"),
                text: Some(Personal::new("Å <&> \"x\"\n".to_owned())),
            }],
            log_id: Some(Personal::new("L-1".to_owned())),
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let receipt = full();
        assert_eq!(read(&write(&receipt)), Ok(receipt.clone()));
        let least = Receipt {
            envelope: None,
            content_hash: None,
            retryable: None,
            reason: None,
            errors: Vec::new(),
            log_id: None,
            status: ReceiptStatus::Accepted,
            ..receipt
        };
        assert_eq!(read(&write(&least)), Ok(least));
    }

    #[test]
    fn blanks_other_names_and_a_byte_order_mark_do_no_harm() {
        let text = String::from_utf8(write(&full())).expect("UTF-8");
        let padded = text
            .replacen("?>", "?>\n\n<!-- hi -->", 1)
            .replace("rejected", "\n  rejected ")
            .replace("BV.1", " BV.1\t")
            .replace("</receipt>", "<x:own xmlns:x='urn:x'><receiptId/></x:own>\t</receipt>\n");
        assert_eq!(read(format!("\u{feff}{padded}").as_bytes()), Ok(full()));
    }

    #[test]
    fn a_fault_is_named_without_its_value() {
        let text = String::from_utf8(write(&full())).expect("UTF-8");
        for (from, to, why) in [
            ("BV.1", "BV 1", Unreadable::Value("code")),
            ("rejected", "refused", Unreadable::Value("status")),
            ("<code>BV.1</code>", "", Unreadable::Missing("code")),
            ("<status>rejected</status>", "", Unreadable::Missing("status")),
            ("<status>", "<status>accepted</status><status>", Unreadable::Twice("status")),
            ("urn:vardbro:receipt:1", "urn:other", Unreadable::OtherDocument),
            (">BV<", ">XX<", Unreadable::Value("reason")),
            ("00000000-0000-0000-0000-000000000002", "2", Unreadable::Value("originalMessageId")),
        ] {
            assert!(text.contains(from));
            assert_eq!(read(text.replace(from, to).as_bytes()), Err(why), "{to}");
        }
    }
}
