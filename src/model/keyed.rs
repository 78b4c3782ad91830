//! Keyed references: what stands for a person, a case, a source id or a file's name wherever those may not be shown.

use super::ids::EpisodeId;
use super::personal::Personal;
use aws_lc_rs::hmac;
use std::fmt::{self, Write as _};
use uuid::Uuid;

/// What a reference stands for; the same text in two domains gives two references.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Domain {
    Event,
    Case,
    Patient,
    File,
    RegionMessage,
}

/// The installation's key for references. Whoever lacks it cannot go from a reference back to a number by trying.
#[derive(Clone)]
pub struct ReferenceKey(hmac::Key);

impl fmt::Debug for ReferenceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("‹key›")
    }
}

/// The key of the audit log's chain. Whoever lacks it can neither write a row of it nor take one away unseen.
#[derive(Clone)]
pub struct ChainKey(hmac::Key);

impl fmt::Debug for ChainKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("‹key›")
    }
}

impl ChainKey {
    /// The code of some parts together; their lengths are part of it.
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut out = [0; 32];
        out.copy_from_slice(context.sign().as_ref());
        out
    }
}

/// A reference: 96 bits of HMAC-SHA-256, in hex. Safe in a log.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ref(String);

impl Ref {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads one back from the store.
    pub fn parse(text: &str) -> Option<Self> {
        let formed = text.len() == 24 && text.bytes().all(|b| b.is_ascii_hexdigit());
        formed.then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for Ref {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl ReferenceKey {
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// A key of its own: neither tells anything of the other.
    pub fn chain(&self) -> ChainKey {
        let derived = hmac::sign(&self.0, b"vardbro audit chain");
        ChainKey(hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref()))
    }

    /// The reference of some texts together; their lengths are part of it.
    pub fn reference(&self, domain: Domain, parts: &[&Personal<String>]) -> Ref {
        let tag = self.tag(domain, parts);
        let mut text = String::with_capacity(24);
        for byte in &tag[..12] {
            let _ = write!(text, "{byte:02x}");
        }
        Ref(text)
    }

    /// The id of the episode of a source's case.
    pub fn episode(&self, system: &Personal<String>, case: &Personal<String>) -> EpisodeId {
        let tag = self.tag(Domain::Case, &[system, case]);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&tag[16..32]);
        EpisodeId(Uuid::new_v8(bytes))
    }

    #[expect(clippy::disallowed_methods, reason = "goes into a keyed hash and nowhere else")]
    fn tag(&self, domain: Domain, parts: &[&Personal<String>]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(&[domain as u8]);
        for part in parts {
            context.update(&(part.disclose().len() as u64).to_be_bytes());
            context.update(part.disclose().as_bytes());
        }
        let mut out = [0; 32];
        out.copy_from_slice(context.sign().as_ref());
        out
    }
}
