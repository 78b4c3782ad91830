//! The receiver's answer to a message, and the hash by which it names the content.
//!
//! What a receiver writes in free words may be about a person, so it is [`Personal`]; its codes have a form.

use super::ids::{EnvelopeId, MessageId};
use super::personal::Personal;
use super::shape::codes;
use super::state::{ReceiptReason, ReceiptStatus};
use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use std::fmt;
use uuid::Uuid;

codes! {
    /// How grave a remark of the receiver's is.
    Severity {
        Error = "error": "Fel", "Error";
        Warning = "warning": "Varning", "Warning";
    }
}

/// A receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    pub id: Uuid,
    pub created_at: Timestamp,
    pub message: MessageId,
    pub envelope: Option<EnvelopeId>,
    pub content_hash: Option<ContentHash>,
    pub status: ReceiptStatus,
    /// Whether the receiver would take the same message later.
    pub retryable: Option<bool>,
    pub reason: Option<ReceiptReason>,
    pub errors: Vec<ReceiptError>,
    /// Where the receiver's staff find it in their log.
    pub log_id: Option<Personal<String>>,
}

/// One remark of the receiver's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptError {
    pub code: ForeignCode,
    pub severity: Option<Severity>,
    pub path: Option<Personal<String>>,
    pub rule: Option<ForeignCode>,
    pub text: Option<Personal<String>>,
}

/// A code from the receiver's own list: 1 to 40 of letters, digits, `.`, `_` and `-`, so that it can stand in a log line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ForeignCode(String);

impl ForeignCode {
    pub fn parse(text: &str) -> Option<Self> {
        let formed = (1..=40).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        formed.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The code, where it is of a form that receivers use: a word of the reference receiver's, a number (`T02`, `E-30`), or a
    /// constraint of the schema (`cvc-pattern-valid`). Any other word may be about a person.
    pub fn known(&self) -> Option<&str> {
        let text = self.0.as_str();
        let letters = text.bytes().take_while(u8::is_ascii_uppercase).count();
        let digits = text[letters..].strip_prefix('-').unwrap_or(&text[letters..]);
        let numbered = (1..=4).contains(&letters) && (1..=3).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        let constraint = text.starts_with("cvc-") && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-' || b == b'.');
        (numbered || constraint || KNOWN_CODES.contains(&text) || SDK_CODES.contains(&text)).then_some(text)
    }
}

/// Words that the reference receiver uses as codes.
pub const KNOWN_CODES: &[&str] =
    &["script", "idempotencyKey", "contentHash", "unreadable", "duplicate", "schema", "doctype", "encoding", "limit", "well-formed"];

/// Families and details of a receipt of Digg's.
pub const SDK_CODES: &[&str] = &["SV", "BV", "SIG", "structure", "invariant", "too-long", "not-supported", "forbidden"];

/// SHA-256 over the bytes of a message's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash([u8; 32]);

impl ContentHash {
    pub fn of(content: &[u8]) -> Self {
        let mut out = [0; 32];
        for (to, from) in out.iter_mut().zip(digest(&SHA256, content).as_ref()) {
            *to = *from;
        }
        Self(out)
    }

    /// Reads 64 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return None;
        }
        let mut out = [0; 32];
        for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
        }
        Some(Self(out))
    }

    /// The hash out of its 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_the_known_one_and_comes_back() {
        let hash = ContentHash::of(b"abc");
        assert_eq!(hash.to_string(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(ContentHash::parse(&hash.to_string()), Some(hash));
        for bad in ["", "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD", "ba78", &"g".repeat(64), &"å".repeat(32)] {
            assert_eq!(ContentHash::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn codes_have_a_form() {
        assert!(ForeignCode::parse("E-1.2_x").is_some());
        for bad in ["", "a b", "å", &"x".repeat(41), "<"] {
            assert_eq!(ForeignCode::parse(bad), None, "{bad}");
        }
    }
}
