//! Identifiers of messages, units and organisations.

use std::fmt;
use uuid::Uuid;

/// An identifier that is well-formed and may stand in a log.
macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Uuid);
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }
    };
}

uuid_id!(
    /// A message for its whole life, the same on every resend.
    MessageId
);
uuid_id!(
    /// One care episode (vårdtillfälle with its ärende). Keyed, so that it does not tell the source's case number.
    EpisodeId
);
uuid_id!(
    /// One transmission of a message; new each time it is sent.
    EnvelopeId
);

impl MessageId {
    /// What stands for it in an address.
    pub const PLACEHOLDER: &str = "{messageId}";

    /// The id that everybody who knows the source event can compute: a UUID of version 5 over `[system, eventId, type, version]`.
    pub fn of(system: &str, event_id: &str, kind: &str, version: u32) -> Self {
        let namespace = Uuid::new_v5(&Uuid::NAMESPACE_DNS, b"vardbro");
        let name = serde_json::json!([system, event_id, kind, version]).to_string();
        Self(Uuid::new_v5(&namespace, name.as_bytes()))
    }
}

/// HSA-id of a unit or a role: `SE`, organisationsnummer, `-`, up to 18 of A-Z a-z 0-9 (31 characters at most).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HsaId(String);

impl HsaId {
    /// Root OID of HSA-ids in RIV-TA.
    pub const OID: &'static str = "1.2.752.129.2.1.4.1";

    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("SE")?;
        let (owner, suffix) = rest.split_once('-')?;
        let formed = owner.len() == 10
            && owner.bytes().all(|b| b.is_ascii_digit())
            && (1..=18).contains(&suffix.len())
            && suffix.bytes().all(|b| b.is_ascii_alphanumeric());
        formed.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Organisationsnummer: ten digits with a check digit; the third digit is at least 2.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrgNumber(String);

impl OrgNumber {
    /// Root OID used for organisationsnummer in Swedish guides.
    pub const OID: &'static str = "2.5.4.97";

    /// Reads ten digits, with or without the hyphen, or twelve with the century `16` of the tax register.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: String = match text.split_once('-') {
            Some((head, tail)) if tail.len() == 4 => format!("{head}{tail}"),
            Some(_) => return None,
            None => text.to_owned(),
        };
        let digits = match digits.len() {
            12 => digits.strip_prefix("16")?.to_owned(),
            _ => digits,
        };
        let formed =
            digits.len() == 10 && digits.bytes().all(|b| b.is_ascii_digit()) && digits.as_bytes()[2] >= b'2' && luhn(digits.as_bytes());
        formed.then_some(Self(digits))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Luhn's check over ASCII digits, the last one being the check digit.
pub(super) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let n = u32::from(digit - b'0') * if place % 2 == 1 { 2 } else { 1 };
            n / 10 + n % 10
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hsa_ids() {
        assert!(HsaId::parse("SE2321000131-T200").is_some());
        for bad in ["SE232100131-T200", "se2321000131-T200", "SE2321000131-", "SE2321000131-Å1", "SE2321000131-1234567890123456789"] {
            assert_eq!(HsaId::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn organisation_numbers() {
        for good in ["2321000131", "232100-0131", "162321000131", "2120001538"] {
            assert!(OrgNumber::parse(good).is_some(), "{good}");
        }
        for bad in ["2321000132", "232100-013", "8112189876", "23210001311", ""] {
            assert_eq!(OrgNumber::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_message_id_is_computed_from_the_source_event_alone() {
        let one = MessageId::of("test-journal", "TRS-1", "K-PU", 1);
        assert_eq!(one, MessageId::of("test-journal", "TRS-1", "K-PU", 1));
        assert_ne!(one, MessageId::of("test-journal", "TRS-1", "K-PU", 2));
    }
}
