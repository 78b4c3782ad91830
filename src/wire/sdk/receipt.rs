//! Digg's Meddelandekvittens: a UBL `ApplicationResponse` in Digg's profile, read.
//!
//! A receipt says a verdict once. What contradicts itself, or is made for another profile, is none; texts that are too long or of no use are
//! no reason to doubt the verdict.

use super::super::receipt::{ERRORS_MAX, TEXT_MAX, kept};
use super::super::scan::{Unreadable, scan};
use super::super::xml::once;
use crate::model::ids::MessageId;
use crate::model::personal::Personal;
use crate::model::receipt::{ForeignCode, Receipt, ReceiptError, SDK_CODES, Severity};
use crate::model::state::{ReceiptReason, ReceiptStatus};
use crate::model::time::parse_instant;
use uuid::Uuid;

const NAMESPACES: &[&str] = &[
    "urn:oasis:names:specification:ubl:schema:xsd:ApplicationResponse-2",
    "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
];
/// By which it is told from other documents.
pub const NS: &str = "urn:oasis:names:specification:ubl:schema:xsd:ApplicationResponse-2";

const CUSTOMIZATION: &str = "urn:fdc:digg.se:edelivery:messagetype:response:1";
const PROFILE: &str = "bdx:noprocess";

const NAMES: &[&str] = &[
    "ApplicationResponse",
    "CustomizationID",
    "ProfileID",
    "ID",
    "IssueDate",
    "IssueTime",
    "DocumentResponse",
    "Response",
    "ResponseCode",
    "DocumentReference",
    "LineResponse",
    "LineReference",
    "LineID",
    "Status",
    "StatusReasonCode",
    "StatusReason",
];

#[derive(Default)]
struct LineParts {
    path: Option<String>,
    family: Option<ReceiptReason>,
    code: Option<String>,
    text: Option<String>,
}

/// Reads a receipt. What it names as the message must be the id under which the message was sent.
pub fn read(bytes: &[u8]) -> Result<Receipt, Unreadable> {
    let (mut customization, mut profile, mut id, mut date, mut time) = (None, None, None, None, None);
    let (mut message, mut status, mut document) = (None, None, None);
    let mut lines = Vec::new();
    let mut parts = LineParts::default();
    scan(bytes, NAMESPACES, NAMES, |ended| {
        let text = ended.text.trim();
        match *ended.path {
            ["ApplicationResponse", "CustomizationID"] => {
                once(&mut customization, "CustomizationID", (text == CUSTOMIZATION).then_some(()))
            }
            ["ApplicationResponse", "ProfileID"] => once(&mut profile, "ProfileID", (text == PROFILE).then_some(())),
            ["ApplicationResponse", "ID"] => once(&mut id, "ID", (!text.is_empty()).then(|| text.to_owned())),
            ["ApplicationResponse", "IssueDate"] => once(&mut date, "IssueDate", Some(text.to_owned())),
            ["ApplicationResponse", "IssueTime"] => once(&mut time, "IssueTime", Some(text.to_owned())),
            ["ApplicationResponse", "DocumentResponse"] => once(&mut document, "DocumentResponse", Some(())),
            ["ApplicationResponse", "DocumentResponse", "Response", "ResponseCode"] => once(&mut status, "ResponseCode", verdict(text)),
            ["ApplicationResponse", "DocumentResponse", "DocumentReference", "ID"] => {
                once(&mut message, "DocumentReference", Uuid::try_parse(text).ok().filter(|_| text.len() == 36).map(MessageId))
            }
            ["ApplicationResponse", "DocumentResponse", "LineResponse"] => finish(&mut parts, &mut lines),
            ["ApplicationResponse", "DocumentResponse", "LineResponse", "LineReference", "LineID"] => {
                once(&mut parts.path, "LineID", Some(text.to_owned()))
            }
            ["ApplicationResponse", "DocumentResponse", "LineResponse", "Response", "ResponseCode"] => {
                once(&mut parts.family, "ResponseCode", ReceiptReason::parse(text))
            }
            ["ApplicationResponse", "DocumentResponse", "LineResponse", "Response", "Status", "StatusReasonCode"] => {
                once(&mut parts.code, "StatusReasonCode", Some(text.to_owned()))
            }
            ["ApplicationResponse", "DocumentResponse", "LineResponse", "Response", "Status", "StatusReason"] => {
                once(&mut parts.text, "StatusReason", Some(ended.text.to_owned()))
            }
            _ => Ok(()),
        }
    })?;
    customization.ok_or(Unreadable::Missing("CustomizationID"))?;
    profile.ok_or(Unreadable::Missing("ProfileID"))?;
    let status = status.ok_or(Unreadable::Missing("ResponseCode"))?;
    if status == ReceiptStatus::Accepted && !lines.is_empty() {
        return Err(Unreadable::Value("LineResponse"));
    }
    let id: String = id.ok_or(Unreadable::Missing("ID"))?;
    let (date, time): (String, String) = date.zip(time).ok_or(Unreadable::Missing("IssueTime"))?;
    Ok(Receipt {
        // Theirs has any form; the same id gives the same one of ours.
        id: Uuid::new_v5(&Uuid::NAMESPACE_OID, id.as_bytes()),
        created_at: issued(&date, &time).ok_or(Unreadable::Value("IssueTime"))?,
        message: message.ok_or(Unreadable::Missing("DocumentReference"))?,
        envelope: None,
        content_hash: None,
        status,
        retryable: (status == ReceiptStatus::Rejected).then_some(false),
        reason: lines.first().map(|(family, _)| *family),
        errors: lines.into_iter().map(|(_, error)| error).collect(),
        log_id: None,
    })
}

fn verdict(text: &str) -> Option<ReceiptStatus> {
    match text {
        "ACCEPTED" => Some(ReceiptStatus::Accepted),
        "REJECTED" => Some(ReceiptStatus::Rejected),
        _ => None,
    }
}

/// A time without a zone is taken as UTC: it is told to people and decides nothing.
fn issued(date: &str, time: &str) -> Option<jiff::Timestamp> {
    let at = format!("{date}T{time}");
    parse_instant(&at).or_else(|_| parse_instant(&format!("{at}Z"))).ok()
}

fn finish(parts: &mut LineParts, lines: &mut Vec<(ReceiptReason, ReceiptError)>) -> Result<(), Unreadable> {
    let LineParts { path, family, code, text } = std::mem::take(parts);
    if lines.len() == ERRORS_MAX {
        return Err(Unreadable::Value("LineResponse"));
    }
    let family = family.ok_or(Unreadable::Missing("ResponseCode"))?;
    // Digg's details stand as a code, or before the text: `invariant | …`.
    let before = text.as_deref().and_then(|text| text.split_once('|')).map(|(word, _)| word.trim());
    let detail = [code.as_deref(), before].into_iter().flatten().find(|word| SDK_CODES.contains(word));
    let free = |text: Option<String>| text.and_then(|text| kept(&text, TEXT_MAX)).map(Personal::new);
    let error = ReceiptError {
        code: ForeignCode::parse(detail.unwrap_or(family.code())).ok_or(Unreadable::Value("StatusReasonCode"))?,
        severity: Some(Severity::Error),
        path: free(path),
        rule: code.as_deref().and_then(ForeignCode::parse),
        text: free(text),
    };
    lines.push((family, error));
    Ok(())
}
