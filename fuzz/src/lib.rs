//! What several targets look at.

use jiff::Timestamp;
use jiff::civil::{Date, date};
use std::cell::RefCell;
use vardbro::model::finding::{Finding, Place};
use vardbro::seal::{SchemaFault, Validator, XsdValidator};

/// Deepest nesting that is read, as the program's default has it.
pub const DEPTH: usize = 32;

/// A word that stands in seeds and dictionaries as a value; a finding or fault that repeats it repeats personal data or a secret.
pub const MARK: &str = "hemligt-7xq";

pub const TODAY: Date = date(2026, 3, 12);

/// A moment of [`TODAY`].
pub fn now() -> Timestamp {
    "2026-03-12T10:00:00Z".parse().expect("a time")
}

/// Panics unless the place is in the text, or right behind a line of it.
#[track_caller]
pub fn within(text: &[u8], place: Place) {
    let Place { line, column } = place;
    let letters = text.split(|b| *b == b'\n').nth(line.wrapping_sub(1)).map(|line| line.iter().filter(|b| **b & 0xC0 != 0x80).count());
    assert!(letters.is_some_and(|letters| (1..=letters + 1).contains(&column)), "no such place: {place:?}");
}

/// What holds for every list of findings about a record.
#[track_caller]
pub fn sound(record: &[u8], findings: &[Finding]) {
    let record = record.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(record);
    for finding in findings {
        assert!(!finding.sv.is_empty() && !finding.en.is_empty(), "{finding:?}");
        if let Some(place) = finding.place {
            within(record, place);
        }
    }
    let told = serde_json::to_string(findings).expect("JSON");
    assert!(!told.contains(MARK), "a value is repeated: {told}");
}

thread_local! {
    static MESSAGE: RefCell<XsdValidator> = RefCell::new(XsdValidator::message());
    static RECEIPT: RefCell<XsdValidator> = RefCell::new(XsdValidator::receipt());
}

/// The validator of messages, loaded once.
pub struct Message;

impl Validator for Message {
    fn validate(&mut self, document: &[u8]) -> Vec<SchemaFault> {
        told(document, MESSAGE.with_borrow_mut(|validator| validator.validate(document)))
    }
}

/// The validator of receipts, loaded once.
pub struct Receipt;

impl Validator for Receipt {
    fn validate(&mut self, document: &[u8]) -> Vec<SchemaFault> {
        told(document, RECEIPT.with_borrow_mut(|validator| validator.validate(document)))
    }
}

fn told(document: &[u8], faults: Vec<SchemaFault>) -> Vec<SchemaFault> {
    for fault in &faults {
        if let Some(place) = fault.place {
            within(document, place);
        }
        assert!(!fault.path.contains(MARK) && !fault.constraint.contains(MARK), "a value is repeated: {fault:?}");
    }
    faults
}
