//! The wire: how a message becomes bytes and how receipts and messages are read back.
//!
//! Decides nothing about content. The content's bytes are made once and never again: a resend puts the same bytes into
//! a new transmission. No I/O, no clock, no randomness.

mod frame;
pub mod readable;
pub mod receipt;
mod scan;
pub mod sdk;
mod tree;
pub mod xml;
pub mod xsd;

#[cfg(test)]
pub(crate) mod testing;

pub use crate::model::receipt::{ContentHash, Receipt};
pub use scan::{MAX_DEPTH, Unreadable};
pub use tree::tree;
pub use xml::{content, transmission};

use crate::check::Passed;
use crate::model::ids::{HsaId, MessageId, OrgNumber};
use crate::model::message::Message;
use crate::model::personal::Personal;
use jiff::Timestamp;

/// Namespace of the message.
pub const MESSAGE_NS: &str = "urn:vardbro:message:1";
/// Namespace of the receipt.
pub const RECEIPT_NS: &str = "urn:vardbro:receipt:1";

/// Reads a receipt of ours or of Digg's.
pub fn read_receipt(bytes: &[u8]) -> Result<Receipt, Unreadable> {
    match receipt::read(bytes) {
        Err(Unreadable::OtherDocument) => sdk::receipt::read(bytes),
        read => read,
    }
}

/// What is settled about a message at the moment of its release.
#[derive(Debug, Clone)]
pub struct Release {
    pub created_at: Timestamp,
    /// Number within the lane, from 1.
    pub sequence: u64,
    /// Production, or else a test that must never be acted upon.
    pub production: bool,
    pub sender: Sender,
    /// `vanersborg/2026.1`
    pub rules: String,
    /// SHA-256 of the rules in lower-case hexadecimal.
    pub rules_hash: String,
}

/// Who sends: the municipality, from the configuration.
#[derive(Debug, Clone)]
pub struct Sender {
    pub org_number: OrgNumber,
    pub hsa_id: HsaId,
    pub name: String,
}

/// Written content with its hash. Nobody outside the crate can make one, so what is sealed was written here.
///
/// ```
/// fn hash(document: &vardbro::wire::Document) -> vardbro::wire::ContentHash {
///     document.hash()
/// }
/// ```
///
/// ```compile_fail,E0451
/// use vardbro::{model::{ids::MessageId, personal::Personal}, wire::{ContentHash, Document}};
/// fn forge(message: MessageId) -> Document {
///     Document { message, content: Personal::new(Vec::new()), hash: ContentHash::of(b"") }
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Document {
    message: MessageId,
    content: Personal<Vec<u8>>,
    hash: ContentHash,
}

impl Document {
    pub fn message(&self) -> MessageId {
        self.message
    }

    pub fn content(&self) -> &Personal<Vec<u8>> {
        &self.content
    }

    pub fn hash(&self) -> ContentHash {
        self.hash
    }
}

/// Writes a message that the rules let leave.
pub fn write(passed: &Passed, release: &Release) -> Document {
    document(passed.message(), release)
}

/// Writes a message's content and takes its hash. Tests of the wire may; everybody else brings a [`Passed`].
#[expect(clippy::disallowed_methods, reason = "takes the hash of the content")]
fn document(message: &Message, release: &Release) -> Document {
    let content = content(message, release);
    let hash = ContentHash::of(content.disclose());
    Document { message: message.id, content, hash }
}

/// For the tests of what comes after the wire.
#[cfg(test)]
pub(crate) fn unchecked(message: &Message, release: &Release) -> Document {
    document(message, release)
}
