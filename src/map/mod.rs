//! Bytes become [`CareEvent`]s: a document is taken apart into records, a mapping makes events of them, and everything that
//! is wrong is found at once and pointed at, in the source and in the mapping.
//!
//! Pure. Never puts a value, an unknown name or a parser's own words into a finding.

mod canonical;
mod compile;
mod convert;
mod decode;
mod document;
mod draft;
mod explain;
mod jq;
mod path;
mod plan;
mod rows;
mod write;

pub use compile::{Beside, compile};
pub use convert::CONVERTERS;
pub use decode::Limits;
pub use document::Document;
pub use draft::draft;
pub use explain::{Explained, ExplainedEvent, ExplainedRow};
pub use plan::Mapping;
pub use rows::Trace;
pub use write::to_json;

use crate::fault::{self, Code};
use crate::model::event::CareEvent;
use crate::model::finding::{Effect, Finding, Layer, Place};
use crate::model::node::Node;
use crate::model::person::PersonIdFault;
use crate::model::raw::{Form, Mapped, Record};
use crate::model::shape::{Problem, ProblemKind, Reader};
use decode::Format;
use jiff::civil::Date;
use plan::{Block, How};
use rows::{RowProblem, Work};

/// The mappings inside the binary, as name and text.
pub fn shipped() -> &'static [(&'static str, &'static str)] {
    &[
        ("exempel-csv", include_str!("../../schemas/mappings/exempel-csv.toml")),
        ("exempel-xml", include_str!("../../schemas/mappings/exempel-xml.toml")),
        ("medcom-hn", include_str!("../../schemas/mappings/medcom-hn.toml")),
    ]
}

/// One of them, compiled. A test compiles them all.
pub fn shipped_mapping(name: &str) -> Option<Mapping> {
    let (_, text) = shipped().iter().find(|(known, _)| *known == name)?;
    compile(text, &|_| None).ok()
}

impl Mapping {
    /// The records of a document, each with its events or with what is wrong with it. `form` is what the source says that the
    /// document is. A document that cannot be taken apart is one record.
    pub fn read(&self, bytes: &[u8], form: Option<Form>, limits: Limits, today: Date) -> Vec<Record> {
        let mut records = Vec::new();
        self.each(bytes, form, limits, today, &mut |record| records.push(record));
        records
    }

    /// The same, one at a time: a document full of faults is much smaller than all that there is to say of it.
    pub fn each(&self, bytes: &[u8], form: Option<Form>, limits: Limits, today: Date, take: &mut dyn FnMut(Record)) {
        let text = match decode::decoded(bytes, self.encoding) {
            Ok(text) => text,
            Err(fault) => {
                let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
                return take(alone(vec![broken(&fault, Places::of(text))]));
            }
        };
        let format = match self.fitting(form) {
            Ok(format) => format,
            Err(code) => return take(alone(vec![refused(code)])),
        };
        match decode::units(&text, &format, limits) {
            Err(fault) => take(alone(vec![broken(&fault, Places::of(text.as_bytes()))])),
            Ok((units, batch)) => {
                let mut here = Places::of(text.as_bytes());
                for unit in units {
                    let begins = here.at(unit.at);
                    let place = batch.then_some(begins);
                    let events = match unit.node {
                        Ok(node) => self.events(node, here, today),
                        Err(fault) => Err(vec![broken(&fault, here)]),
                    };
                    take(Record { place, events });
                }
            }
        }
    }

    /// A document's text in the encoding that it is read in; none where it is in another.
    pub fn decoded<'b>(&self, bytes: &'b [u8]) -> Option<std::borrow::Cow<'b, str>> {
        decode::decoded(bytes, self.encoding).ok()
    }

    /// What the source says that the document is goes before what the mapping says only where both can be true.
    fn fitting(&self, form: Option<Form>) -> Result<Format, Code> {
        match (&self.how, form) {
            (How::Canonical, Some(Form::Ndjson)) => Ok(Format::Ndjson),
            (_, Some(form)) if !decode::accepts(&self.format, form) => Err(Code::SrcFileType),
            _ => Ok(self.format.clone()),
        }
    }

    fn events(&self, record: Node, here: Places<'_>, today: Date) -> Result<Vec<Mapped>, Vec<Finding>> {
        let hash = canonical::hash(&record);
        let How::Blocks { named, blocks, skip } = &self.how else {
            return Ok(vec![Mapped { event: event(&record, here, today)?, hash }]);
        };
        if let Some((code, at)) = rows::unsound(&record) {
            return Err(vec![broken(&decode::Fault { code, at, detail: None }, here)]);
        }
        let (record, problems) = rows::with_named(record, named);
        let record = &record;
        let mut work = Work::new(record, false);
        if skip.iter().any(|condition| work.holds(condition, record)) {
            return Ok(Vec::new());
        }
        let mut findings: Vec<Finding> = problems.iter().map(|problem| of_row(problem, here)).collect();
        let (mut events, mut fitting) = (Vec::new(), false);
        for block in blocks {
            if block.when.as_ref().is_some_and(|condition| !work.holds(condition, record)) {
                continue;
            }
            fitting = true;
            match mapped(block, record, here, today) {
                Ok(event) => events.push(Mapped { event, hash }),
                Err(found) => findings.extend(found),
            }
        }
        if !fitting {
            findings.push(unfitting(record, here));
        }
        if let Some(place) = same_id(&events).then(|| here.place(record.at)) {
            findings.push(fault::at(Code::MapSameId.finding(Effect::Refuse, Layer::Form, None), Some("eventId".to_owned()), Some(place)));
        }
        if findings.is_empty() { Ok(events) } else { Err(findings) }
    }
}

/// Whether two events of a record would be one.
fn same_id(events: &[Mapped]) -> bool {
    let head = |mapped: &Mapped| (mapped.event.head.system.clone(), mapped.event.head.event_id.clone());
    (1..events.len()).any(|place| events[..place].iter().any(|earlier| head(earlier) == head(&events[place])))
}

/// What a block makes of a record. A row that failed has said why; that its field is missing then says nothing more.
fn mapped(block: &Block, record: &Node, here: Places<'_>, today: Date) -> Result<CareEvent, Vec<Finding>> {
    let mut work = Work::new(record, false);
    let node = work.event(block);
    let mut reader = Reader::new(today);
    let event = CareEvent::read(&node, &mut reader);
    if let (Some(event), true) = (event, work.problems.is_empty()) {
        return Ok(event);
    }
    let mut findings = Vec::new();
    for problem in &work.problems {
        findings.push(of_row(problem, here));
    }
    let told = |path: &str| work.problems.iter().any(|problem| problem.path.starts_with(path));
    for problem in reader.problems.iter().filter(|problem| problem.path.is_empty() || !told(&problem.path)) {
        findings.push(Finding { mapping: Some(Mapping::line_of(block, &problem.path)), ..finding(problem, here) });
    }
    findings.sort_by_key(|finding| finding.place);
    Err(findings)
}

fn of_row(problem: &RowProblem, here: Places<'_>) -> Finding {
    let place = Some(here.place(problem.at));
    let told = fault::at(problem.code.finding(Effect::Refuse, Layer::Form, problem.detail.clone()), Some(problem.path.clone()), place);
    Finding { mapping: Some(problem.line), ..told }
}

/// Reads one canonical event. `depth` bounds the nesting.
pub fn read(bytes: &[u8], depth: usize, today: Date) -> Result<Mapped, Vec<Finding>> {
    let mut records = Mapping::canonical().read(bytes, None, Limits { depth, records: 1 }, today);
    let record = records.pop().map_or_else(|| Ok(Vec::new()), |record| record.events);
    let not_one = || vec![Code::MapNotAnObject.finding(Effect::Refuse, Layer::Syntax, None)];
    record.and_then(|mut events| events.pop().ok_or_else(not_one))
}

fn event(node: &Node, here: Places<'_>, today: Date) -> Result<CareEvent, Vec<Finding>> {
    let mut reader = Reader::new(today);
    let event = CareEvent::read(node, &mut reader);
    event.ok_or_else(|| reader.problems.iter().map(|problem| finding(problem, here)).collect())
}

fn refused(code: Code) -> Finding {
    code.finding(Effect::Refuse, Layer::Syntax, None)
}

fn unfitting(record: &Node, here: Places<'_>) -> Finding {
    let place = Some(here.place(record.at));
    fault::at(Code::MapNoBlock.finding(Effect::Refuse, Layer::Form, None), None, place)
}

fn alone(findings: Vec<Finding>) -> Record {
    Record { place: None, events: Err(findings) }
}

fn broken(fault: &decode::Fault, here: Places<'_>) -> Finding {
    let place = (fault.code != Code::SrcEmpty).then(|| here.place(fault.at));
    fault::at(fault.code.finding(Effect::Refuse, Layer::Syntax, fault.detail.clone()), None, place)
}

/// Places that follow each other, counted on from the last one: a document is counted through once, whatever there is to say of
/// its records.
#[derive(Clone, Copy)]
struct Places<'t> {
    text: &'t [u8],
    at: usize,
    line: usize,
    column: usize,
}

impl<'t> Places<'t> {
    fn of(text: &'t [u8]) -> Self {
        Self { text, at: 0, line: 1, column: 1 }
    }

    /// A place further on, without going there.
    fn place(mut self, at: usize) -> Place {
        self.at(at)
    }

    fn at(&mut self, at: usize) -> Place {
        let at = at.min(self.text.len());
        if at < self.at {
            return Place::of(self.text, at);
        }
        let between = &self.text[self.at..at];
        let line = between.iter().rposition(|byte| *byte == b'\n').map(|newline| &between[newline + 1..]);
        self.line += between.iter().filter(|byte| **byte == b'\n').count();
        // A whole export may be one line: it is counted once.
        let letters = line.unwrap_or(between).iter().filter(|byte| **byte & 0xC0 != 0x80).count();
        self.column = if line.is_some() { letters + 1 } else { self.column + letters };
        self.at = at;
        Place { line: self.line, column: self.column }
    }
}

/// An event of ours read back from the store; `None` where the store is damaged.
pub fn reread(json: &[u8], today: Date) -> Option<CareEvent> {
    // A clock that has been set back makes nothing unreadable.
    read(json, 32, today).or_else(|_| read(json, 32, Date::MAX)).ok().map(|mapped| mapped.event)
}

fn finding(problem: &Problem, here: Places<'_>) -> Finding {
    let (code, detail) = told(&problem.kind);
    let path = (!problem.path.is_empty()).then(|| problem.path.clone());
    fault::at(code.finding(Effect::Refuse, Layer::Form, detail), path, Some(here.place(problem.at)))
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
            let (sv, en) = match *expected {
                "object" => ("ett objekt väntas", "an object is expected"),
                "array" => ("en lista väntas", "a list is expected"),
                "boolean" => ("true eller false väntas", "true or false is expected"),
                _ => ("en text väntas", "a text is expected"),
            };
            (Code::MapWrongKind, both(sv.to_owned(), en.to_owned()))
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

    #[test]
    fn places_that_follow_each_other_are_those_that_are_counted_from_the_beginning() {
        let text = "å{ä}\n\n{b}{ö}\r\n x{c}".as_bytes();
        let mut places = Places::of(text);
        for at in (0..=text.len()).step_by(2).chain([1]) {
            assert_eq!(places.at(at), Place::of(text, at), "{at}");
        }
    }
}
