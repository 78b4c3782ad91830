//! One file, or one story.

use super::coverage::Reached;
use super::excerpt::Lines;
use super::expect::{Expectations, Outcome};
use super::{Options, Unit};
use crate::fault::{self, Code, Fault};
use crate::intake::Trial;
use crate::map::{self, Limits, Mapping};
use crate::model::finding::{Effect, Finding, Layer, Place};
use crate::model::raw::{Form, Record};
use crate::model::testpersons::TestPersons;
use crate::model::time::local_day;
use crate::report::findings::{FileReport, Severity, Told};
use crate::seal::{Validator, XsdValidator};
use crate::story::{self, placed};
use crate::wire;
use serde_json::{Value, json};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Most findings that are kept of one file.
const FINDINGS_MAX: usize = 1_000;
/// Most characters of a story's differences that are shown.
const SHOWN_MAX: usize = 20_000;
/// Most findings of one file whose place is looked for a second time.
const LOCATED_MAX: usize = 100;

/// Where a message says what its content hashes to.
const HASH: &[u8] = b"<contentHash>";

/// What came of one unit.
#[derive(Debug, Default)]
pub(super) struct Looked {
    pub(super) files: Vec<FileReport>,
    pub(super) records: usize,
    pub(super) story: bool,
    pub(super) reached: Reached,
    /// What a file gave, for the expectations of its folder.
    pub(super) outcome: Option<(PathBuf, Outcome)>,
}

/// What looks at one unit at a time. One per thread.
pub(super) struct Checker<'o> {
    options: &'o Options<'o>,
    expected: &'o Expectations,
    stdin: Option<&'o Vec<u8>>,
    trial: Trial,
    message: XsdValidator,
    receipt: XsdValidator,
    sdk: XsdValidator,
}

/// The bytes of a file, what its name says that they are, and by what they are read.
type Source<'s> = (&'s [u8], Option<Form>, Option<&'s Mapping>);

/// What the bytes of a file gave.
#[derive(Default)]
struct Gist {
    findings: Vec<Finding>,
    records: usize,
    reached: Reached,
    events: Option<Value>,
}

impl<'o> Checker<'o> {
    pub(super) fn new(options: &'o Options<'o>, expected: &'o Expectations, stdin: Option<&'o Vec<u8>>) -> Self {
        let trial = Trial::new(options.desk.clone(), Box::new(XsdValidator::message()));
        Self {
            options,
            expected,
            stdin,
            trial,
            message: XsdValidator::message(),
            receipt: XsdValidator::receipt(),
            sdk: XsdValidator::sdk(),
        }
    }

    pub(super) fn look(&mut self, unit: &Unit) -> Result<Looked, Fault> {
        match unit {
            Unit::Story(folder) => self.story(folder),
            Unit::File(path) => Ok(self.file(path)),
            Unit::Stdin => {
                let bytes = self.stdin.cloned().unwrap_or_default();
                let form = form_of_text(&bytes);
                let read = self.read(&bytes, form, self.options.mapping.as_ref(), false);
                Ok(self.looked("-".to_owned(), (&bytes, form, self.options.mapping.as_ref()), read))
            }
        }
    }

    #[expect(clippy::disallowed_methods, reason = "shown to those who asked for values, of test persons alone")]
    fn story(&self, folder: &Path) -> Result<Looked, Fault> {
        let settings = story::Options { update: self.options.update, config: self.options.config.clone() };
        let played = story::check(folder, &settings)?;
        let mut files = vec![FileReport { file: shown(folder), ..FileReport::default() }];
        for (file, finding) in played.findings {
            let name = shown(&folder.join(file));
            let told = Told { severity: Severity::of(&finding), finding, excerpt: None };
            match files.iter_mut().find(|known| known.file == name) {
                Some(known) => known.findings.push(told),
                None => files.push(FileReport::new(name, vec![told])),
            }
        }
        let may_show = |list: &TestPersons| played.events.iter().all(|event| list.has(&event.patient.id));
        if self.options.shown.as_deref().is_some_and(may_show) {
            let differences = played.differences.disclose();
            let head = if differences.is_empty() { String::new() } else { format!("{}:\n", shown(folder)) };
            files[0].shown = head.chars().chain(differences.chars().take(SHOWN_MAX)).collect();
        }
        let mut reached = Reached::default();
        if self.options.coverage {
            played.events.iter().for_each(|event| reached.event(event));
            reached.shows(played.rules);
        }
        Ok(Looked { files, records: played.events.len(), story: true, reached, outcome: None })
    }

    fn file(&mut self, path: &Path) -> Looked {
        let (folder, name) = (path.parent().unwrap_or(Path::new("")), path.file_name().unwrap_or_default().to_string_lossy());
        if self.expected.is_output(folder, &name) || self.expected.is_unusable(folder) {
            return Looked::default();
        }
        let mapping = self.options.mapping.as_ref().or_else(|| self.expected.mapping(folder));
        let form = form_of(path);
        let unnamed = path.file_name().is_some_and(|name| name.to_str().is_none());
        let unmapped = form == Some(Form::Csv) && mapping.is_none();
        let bytes = match read(path, self.options.max_bytes) {
            _ if unnamed => Err(Code::SrcName),
            Ok(_) if unmapped => Err(Code::FixNoMapping),
            read => read,
        };
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(code) => {
                let read = Gist { findings: vec![refused(code)], ..Gist::default() };
                return self.compared(folder, &name, shown(path), (&[], form, mapping), read);
            }
        };
        let read = self.read(&bytes, form, mapping, self.expected.wants_events(folder, &name));
        self.compared(folder, &name, shown(path), (&bytes, form, mapping), read)
    }

    /// What is expected is not told again.
    fn compared(&self, folder: &Path, name: &str, file: String, source: Source<'_>, mut read: Gist) -> Looked {
        let counted: Vec<&Finding> = read.findings.iter().filter(|finding| Severity::of(finding) != Severity::Note).collect();
        let found: Vec<String> = counted.into_iter().map(placed).collect();
        let outcome = Outcome::of(self.expected.file(folder, name), name, &found, read.events.take());
        if self.options.update {
            read.findings.retain(|finding| Severity::of(finding) == Severity::Note);
        } else {
            read.findings.retain(|finding| !outcome.was_expected(finding));
        }
        // Of a file that nobody expects anything of nothing is kept.
        let kept = self.options.update || self.expected.file(folder, name).is_some();
        Looked { outcome: kept.then(|| (folder.to_owned(), outcome)), ..self.looked(file, source, read) }
    }

    fn looked(&self, file: String, (bytes, form, mapping): Source<'_>, read: Gist) -> Looked {
        let Gist { findings, records, mut reached, .. } = read;
        reached.shows(findings.iter().map(|finding| finding.code.clone()));
        reached.shows(findings.iter().filter_map(|finding| finding.path.as_deref()?.strip_prefix("checklist.").map(str::to_owned)));
        let bytes = if findings.is_empty() { &[] } else { bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes) };
        let text = mapping.and_then(|mapping| mapping.decoded(bytes)).unwrap_or_else(|| String::from_utf8_lossy(bytes));
        let may_show = |list: &TestPersons| list.alone_in(&text, local_day(self.options.clock.now()));
        // Whether everybody in the file is a test person is asked only where something is shown of it.
        let names =
            if findings.is_empty() || self.options.shown.as_deref().is_some_and(may_show) { None } else { Some(self.expected.names()) };
        let lines = Lines::new(&text, form.unwrap_or(Form::Json), names);
        let told = |finding: Finding| {
            let excerpt = finding.place.filter(|_| !text.is_empty()).and_then(|place| lines.at(place));
            // A bracket on a line of its own shows nothing.
            let excerpt = excerpt.filter(|excerpt| excerpt.line.trim().chars().count() > 1);
            Told { severity: Severity::of(&finding), finding, excerpt }
        };
        let files = vec![FileReport::new(file, findings.into_iter().map(told).collect())];
        Looked { files, records, reached, ..Looked::default() }
    }

    fn read(&mut self, bytes: &[u8], form: Option<Form>, mapping: Option<&Mapping>, events: bool) -> Gist {
        match mapping {
            None if form == Some(Form::Xml) => Gist { findings: self.document(bytes), records: 1, ..Gist::default() },
            None => self.records(bytes, form, &Mapping::canonical(), events),
            Some(mapping) => self.records(bytes, form, mapping, events),
        }
    }

    fn records(&mut self, bytes: &[u8], form: Option<Form>, mapping: &Mapping, events: bool) -> Gist {
        let now = self.options.clock.now();
        let limits = Limits::default();
        let mut read = Gist::default();
        self.trial.forget();
        let mut told = events.then(Vec::new);
        mapping.each(bytes, form, limits, local_day(now), &mut |record| {
            if let Some(told) = &mut told {
                told.push(events_of(&record));
            }
            self.record(record, &mut read);
        });
        read.events = told.map(Value::Array);
        for finding in read.findings.iter_mut().filter(|finding| finding.place.is_none()).take(LOCATED_MAX) {
            let found = mapping.locate(bytes, form, limits, local_day(now), finding.path.as_deref().unwrap_or_default());
            if let Some((place, line)) = found {
                *finding = Finding { place: Some(place), mapping: finding.mapping.or(line), ..finding.clone() };
            }
        }
        if self.options.coverage {
            read.reached.lines(mapping, bytes, form, limits, local_day(now));
        }
        read
    }

    fn record(&mut self, record: Record, read: &mut Gist) {
        read.records += 1;
        match record.events {
            Ok(events) => {
                for event in events {
                    if self.options.coverage {
                        read.reached.event(&event.event);
                    }
                    // It is taken in at once: what a fixture is does not depend on the day on which it is looked at.
                    let arrived = event.event.head.sent_at.unwrap_or(event.event.head.occurred_at);
                    let found = self.trial.event(event, arrived).findings;
                    // Of a batch, what the rules say is said of the record's line.
                    let room = FINDINGS_MAX.saturating_sub(read.findings.len());
                    read.findings
                        .extend(found.into_iter().take(room).map(|finding| Finding { place: finding.place.or(record.place), ..finding }));
                }
            }
            Err(found) => {
                let room = FINDINGS_MAX.saturating_sub(read.findings.len());
                read.findings.extend(found.into_iter().take(room));
            }
        }
    }

    /// A message or a receipt, of ours or of SDK's, told by its namespace.
    fn document(&mut self, bytes: &[u8]) -> Vec<Finding> {
        let names = |namespace: &str| bytes.windows(namespace.len()).any(|window| window == namespace.as_bytes());
        if names(wire::sdk::receipt::NS) {
            return match wire::sdk::receipt::read(bytes) {
                Ok(_) => Vec::new(),
                Err(why) => vec![Code::OutInvalid.finding(Effect::Refuse, Layer::Schema, Some((why.to_string(), why.to_string())))],
            };
        }
        let (faults, is_message) = if names(wire::sdk::NS) {
            (self.sdk.validate(bytes), false)
        } else if names(wire::MESSAGE_NS) {
            (self.message.validate(bytes), true)
        } else if names(wire::RECEIPT_NS) {
            (self.receipt.validate(bytes), false)
        } else {
            return vec![Code::OutNotADocument.finding(Effect::Refuse, Layer::Syntax, None)];
        };
        if !faults.is_empty() {
            return faults.into_iter().map(|fault| fault.finding(Code::OutInvalid)).collect();
        }
        match wire::xml::read(bytes) {
            Ok(received) if is_message && !received.hash_holds(bytes) => {
                let at = bytes.windows(HASH.len()).position(|window| window == HASH).unwrap_or(0);
                vec![fault::at(Code::OutContentHash.finding(Effect::Refuse, Layer::Form, None), None, Some(Place::of(bytes, at)))]
            }
            _ => Vec::new(),
        }
    }
}

/// A record's events, as a file of expected events has them; what is wrong with a record is expected beside them.
fn events_of(record: &Record) -> Value {
    let line = record.place.map(|place| place.line);
    let events = record.events.iter().flatten().map(|mapped| serde_json::from_slice(&map::to_json(&mapped.event)).unwrap_or_default());
    json!({"line": line, "events": events.collect::<Vec<Value>>()})
}

fn refused(code: Code) -> Finding {
    code.finding(Effect::Refuse, Layer::Syntax, None)
}

/// A path as it is told, the same on every system.
pub(super) fn shown(path: &Path) -> String {
    let text = path.to_string_lossy().replace('\\', "/");
    text.strip_prefix("./").map(str::to_owned).unwrap_or(text)
}

/// The form that a file's name ends in.
pub(super) fn form_of(path: &Path) -> Option<Form> {
    crate::source::directory::form(&path.file_name()?.to_string_lossy())
}

/// Standard input has no name: what begins as XML is XML, and several objects one a line are lines.
fn form_of_text(bytes: &[u8]) -> Option<Form> {
    let begins = |line: &[u8], with: u8| line.trim_ascii_start().first() == Some(&with);
    if begins(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes), b'<') {
        return Some(Form::Xml);
    }
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| begins(line, b'{') && line.trim_ascii_end().ends_with(b"}"));
    (lines.count() > 1).then_some(Form::Ndjson)
}

fn read(path: &Path, max: u64) -> Result<Vec<u8>, Code> {
    let mut bytes = Vec::new();
    // A pipe without a writer would be waited for without end; `-` is for what another program gives.
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(Code::SrcNotAFile);
    }
    let read = fs::File::open(path).and_then(|file| file.take(max + 1).read_to_end(&mut bytes));
    match read {
        Err(_) => Err(Code::SrcUnreadable),
        Ok(_) if bytes.len() as u64 > max => Err(Code::SrcTooLarge),
        Ok(_) => Ok(bytes),
    }
}
