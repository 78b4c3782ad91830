//! Bytes become a [`CareEvent`], with everything that is wrong found at once and pointed at.
//!
//! Pure. Never puts a value, an unknown name or a parser's own words into a finding.

mod canonical;
mod json;
mod write;

pub use write::to_json;

use crate::fault::{self, Code};
use crate::model::event::CareEvent;
use crate::model::finding::{Effect, Finding, Layer, Place};
use crate::model::person::PersonIdFault;
use crate::model::shape::{Problem, ProblemKind, Reader};
use jiff::civil::Date;

/// A record read: the event, and the hash that tells whether the source has changed it.
#[derive(Debug, Clone)]
pub struct Mapped {
    pub event: CareEvent,
    /// SHA-256 of the source record as canonical JSON (RFC 8785), before any mapping.
    pub hash: [u8; 32],
}

/// Reads one record. `depth` bounds the nesting.
pub fn read(bytes: &[u8], depth: usize, today: Date) -> Result<Mapped, Vec<Finding>> {
    let text = utf8(bytes).map_err(|finding| vec![*finding])?;
    let node = json::decode(text, depth).map_err(|fault| {
        let place = Place::of(text.as_bytes(), fault.at);
        vec![fault::at(fault.code.finding(Effect::Refuse, Layer::Syntax, fault.detail), None, Some(place))]
    })?;
    let mut reader = Reader::new(today);
    match CareEvent::read(&node, &mut reader) {
        Some(event) => Ok(Mapped { event, hash: canonical::hash(&node) }),
        None => Err(reader.problems.iter().map(|problem| finding(problem, text.as_bytes())).collect()),
    }
}

/// An event of ours read back from the store; `None` where the store is damaged.
pub fn reread(json: &[u8], today: Date) -> Option<CareEvent> {
    // A clock that has been set back makes nothing unreadable.
    read(json, 32, today).or_else(|_| read(json, 32, Date::MAX)).ok().map(|mapped| mapped.event)
}

/// The text without a byte-order mark; UTF-8 is the one encoding that is read.
fn utf8(bytes: &[u8]) -> Result<&str, Box<Finding>> {
    let content = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if content.iter().all(u8::is_ascii_whitespace) {
        return Err(Box::new(Code::SrcEmpty.finding(Effect::Refuse, Layer::Syntax, None)));
    }
    std::str::from_utf8(content).map_err(|fault| {
        let place = Place::of(content, fault.valid_up_to());
        // Cut off in the middle of a letter, the file may still be growing.
        let code = if fault.error_len().is_none() { Code::MapTruncated } else { Code::SrcEncoding };
        Box::new(fault::at(code.finding(Effect::Refuse, Layer::Syntax, None), None, Some(place)))
    })
}

fn finding(problem: &Problem, text: &[u8]) -> Finding {
    let (code, detail) = told(&problem.kind);
    let path = (!problem.path.is_empty()).then(|| problem.path.clone());
    fault::at(code.finding(Effect::Refuse, Layer::Form, detail), path, Some(Place::of(text, problem.at)))
}

/// Code and the part of the text that comes from our own tables.
fn told(kind: &ProblemKind) -> (Code, Option<(String, String)>) {
    let both = |sv: String, en: String| Some((sv, en));
    match kind {
        ProblemKind::Missing => (Code::MapMissing, None),
        ProblemKind::Empty => (Code::MapEmpty, None),
        ProblemKind::UnknownField => (Code::MapUnknownField, None),
        ProblemKind::DuplicateField => (Code::MapDuplicateField, None),
        ProblemKind::WrongKind { expected } => {
            let sv = match *expected {
                "object" => "ett objekt väntas",
                "array" => "en lista väntas",
                "boolean" => "true eller false väntas",
                _ => "en text väntas",
            };
            (Code::MapWrongKind, both(sv.to_owned(), format!("expected: {expected}")))
        }
        ProblemKind::UnknownCode { allowed } => {
            let list = allowed.join(", ");
            (Code::MapUnknownCode, both(format!("tillåtna är {list}"), format!("allowed are {list}")))
        }
        ProblemKind::NoZone => (Code::MapNoZone, None),
        ProblemKind::NotAnInstant => (Code::MapInstant, None),
        ProblemKind::NotADay => (Code::MapDay, None),
        ProblemKind::NotAnHsaId => (Code::MapHsaId, None),
        ProblemKind::NotAPhone => (Code::MapPhone, None),
        ProblemKind::NotAUuid => (Code::MapUuid, None),
        ProblemKind::TooLong { max } => (Code::MapTooLong, both(format!("högst {max} tecken"), format!("{max} characters at most"))),
        ProblemKind::TooMany { max } => (Code::MapTooMany, both(format!("högst {max}"), format!("{max} at most"))),
        ProblemKind::TooFew { min } => (Code::MapTooFew, both(format!("minst {min}"), format!("{min} at least"))),
        ProblemKind::BadCharacter => (Code::MapCharacter, None),
        ProblemKind::Person(PersonIdFault::Form) => (Code::MapPersonForm, None),
        ProblemKind::Person(PersonIdFault::Date) => (Code::MapPersonDate, None),
        ProblemKind::Person(PersonIdFault::Kind) => (Code::MapPersonKind, None),
        ProblemKind::Person(PersonIdFault::CheckDigit) => (Code::MapPersonCheckDigit, None),
        ProblemKind::UnsupportedIdType => (Code::MapIdType, None),
        ProblemKind::Future => (Code::MapFuture, None),
        ProblemKind::More => (Code::MapMore, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const PU: &str = r#"{"eventId":"E-1","system":"test-journal","type":"K-PU","occurredAt":"2026-03-10T09:00:00+01:00",
 "episodeRef":{"caseId":"HSL-1"},"patient":{"id":"19381221-7044","idType":"personnummer"},
 "data":{"services":[{"kind":"HSJV","extent":"2 ggr/dag"}],"adlBefore":"Går med rollator","housing":"ordinary",
  "nurse":{"hsaId":"SE2120001538-T101","phone":"0521-000000"}}}"#;

    type Told = (String, Option<String>, Option<(usize, usize)>);

    fn findings(text: &str) -> Vec<Told> {
        let findings = read(text.as_bytes(), 32, date(2026, 3, 10)).expect_err("bad");
        findings.into_iter().map(|f| (f.code, f.path, f.place.map(|p| (p.line, p.column)))).collect()
    }

    #[test]
    fn a_good_event_is_read_and_written_and_read_again() {
        let mapped = read(PU.as_bytes(), 32, date(2026, 3, 10)).expect("good");
        let json = to_json(&mapped.event);
        assert_eq!(reread(&json, date(2026, 3, 10)), Some(mapped.event));
    }

    /// Found by fuzzing: it was read again as of the end of time, and a short number became that of a person born in 9938.
    #[test]
    fn a_short_number_is_the_same_person_when_it_is_read_again() {
        let short = PU.replace("19381221-7044", "381221-7044");
        let event = read(short.as_bytes(), 32, date(2026, 3, 10)).expect("good").event;
        let kept = String::from_utf8(to_json(&event)).expect("UTF-8");
        assert!(kept.contains("\"193812217044\""), "{kept}");
        for later in [date(2026, 3, 10), date(2044, 1, 1), date(1990, 1, 1)] {
            assert_eq!(reread(kept.as_bytes(), later).as_ref(), Some(&event), "{later}");
        }
        // As it was kept before it was settled at intake.
        let before = kept.replace("193812217044", "381221-7044");
        assert_eq!(reread(before.as_bytes(), date(2026, 3, 12)), Some(event));
    }

    #[test]
    fn white_space_and_order_do_not_change_the_hash_but_a_value_does() {
        let one = read(PU.as_bytes(), 32, date(2026, 3, 10)).expect("good").hash;
        let spaced = PU.replace(r#"{"eventId":"E-1","system":"test-journal","#, r#"{ "system": "test-journal", "eventId":"E\u002d1","#);
        assert_eq!(read(spaced.as_bytes(), 32, date(2026, 3, 10)).expect("good").hash, one);
        let other = PU.replace("rollator", "käpp");
        assert_ne!(read(other.as_bytes(), 32, date(2026, 3, 10)).expect("good").hash, one);
    }

    #[test]
    fn every_problem_is_found_at_once_and_pointed_at() {
        let bad = PU.replace("19381221-7044", "19381221-7045").replace("HSJV", "XYZ").replace(r#""housing":"ordinary","#, "");
        let found = findings(&bad);
        assert!(found.contains(&("VB-MAP-024".into(), Some("patient.id".into()), Some((2, 50)))), "{found:?}");
        assert!(found.contains(&("VB-MAP-010".into(), Some("data.services[0].kind".into()), Some((3, 30)))), "{found:?}");
        assert!(found.contains(&("VB-MAP-005".into(), Some("data.housing".into()), Some((3, 9)))), "{found:?}");
    }

    #[test]
    fn an_unknown_name_is_not_repeated() {
        let found = findings(&PU.replace("adlBefore", "193812217044"));
        assert!(found.iter().any(|(code, path, _)| code == "VB-MAP-007" && path.as_deref() == Some("data")), "{found:?}");
        assert!(!format!("{found:?}").contains("193812217044"));
    }

    #[test]
    fn the_kinds_of_broken_files() {
        for (bytes, code) in [
            (&b""[..], "VB-SRC-001"),
            (b"\xEF\xBB\xBF \n", "VB-SRC-001"),
            (b"{\"a\":\"\xE5\"}", "VB-SRC-003"),
            (b"\xFF\xFE{\0}\0", "VB-SRC-003"),
            (b"{\"a\":1", "VB-MAP-002"),
            (b"{\"a\":1,}", "VB-MAP-001"),
            (b"{} {}", "VB-MAP-004"),
            (b"[]", "VB-MAP-004"),
            (b"\"x\"", "VB-MAP-004"),
            (b"{\"a\":\"\\ud800\"}", "VB-MAP-001"),
            (b"{\"a\":1e}", "VB-MAP-001"),
            (b"{\"a\":tru}", "VB-MAP-001"),
        ] {
            let found = read(bytes, 32, date(2026, 3, 10)).expect_err("bad");
            assert_eq!(found[0].code, code, "{}", String::from_utf8_lossy(bytes));
        }
        let deep = "[".repeat(10_000) + &"]".repeat(10_000);
        assert_eq!(read(format!("{{\"a\":{deep}}}").as_bytes(), 32, date(2026, 3, 10)).expect_err("bad")[0].code, "VB-MAP-003");
    }

    #[test]
    fn a_byte_order_mark_is_skipped() {
        assert!(read(format!("\u{feff}{PU}").as_bytes(), 32, date(2026, 3, 10)).is_ok());
    }
}
