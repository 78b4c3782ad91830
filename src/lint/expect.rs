//! `expect.toml`: what a folder says of its files, and whether they keep to it.

use super::Options;
use super::excerpt::{names_in, own_names};
use super::file::shown;
use crate::fault::{self, Code, Fault};
use crate::map::Mapping;
use crate::model::finding::{Effect, Finding, Layer, Place};
use crate::report::findings::{FileReport, Severity, Told};
use crate::story::placed;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

const FILE: &str = "expect.toml";
/// Most bytes of such a file, and of one with expected events.
const BYTES_MAX: u64 = 16 * 1024 * 1024;

/// All that the folders say.
#[derive(Debug, Default)]
pub(super) struct Expectations {
    folders: BTreeMap<PathBuf, Folder>,
    /// Names that an excerpt may show, once something is shown.
    names: OnceLock<HashSet<String>>,
    /// Texts of the mappings in use, for their names.
    texts: Vec<String>,
}

#[derive(Debug, Default)]
struct Folder {
    text: String,
    mapping: Option<Mapping>,
    files: BTreeMap<String, Expected>,
    /// Why it cannot be used.
    findings: Vec<Finding>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    mapping: Option<String>,
    #[serde(default)]
    file: Vec<Expected>,
}

/// What is expected of one file.
#[derive(Debug, Clone, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(super) struct Expected {
    name: String,
    /// `CODE`, or with the path and the place too: `CODE data.housing 16:16`.
    #[serde(default)]
    findings: Vec<String>,
    /// A file beside it with the events that it gives.
    events: Option<String>,
}

/// Whether what was found is what is expected, of which the path and the place may be left out.
fn fits(expected: &str, found: &str) -> bool {
    let mut found = found.split(' ');
    let mut rest = expected.split(' ');
    rest.next() == found.next() && rest.all(|word| found.any(|other| other == word))
}

/// What a file gave, held against what is expected of it.
#[derive(Debug)]
pub(super) struct Outcome {
    name: String,
    found: Vec<String>,
    /// Places in `findings` of what is expected and did not come.
    unmet: Vec<usize>,
    events: Option<Value>,
    expected: BTreeSet<String>,
}

impl Outcome {
    pub(super) fn of(expected: Option<&Expected>, name: &str, found: &[String], events: Option<Value>) -> Self {
        let mut left: Vec<&String> = found.iter().collect();
        let (mut unmet, mut met) = (Vec::new(), BTreeSet::new());
        for (place, wanted) in expected.iter().flat_map(|expected| &expected.findings).enumerate() {
            match left.iter().position(|found| fits(wanted, found)) {
                Some(at) => {
                    met.insert(left.remove(at).clone());
                }
                None => unmet.push(place),
            }
        }
        Self { name: name.to_owned(), found: found.to_vec(), unmet, events, expected: met }
    }

    pub(super) fn was_expected(&self, finding: &Finding) -> bool {
        self.expected.contains(&placed(finding))
    }
}

impl Expectations {
    pub(super) fn read(folders: &[PathBuf], options: &Options<'_>) -> Self {
        let mut all = Self::default();
        for path in folders {
            let folder = read(path, options);
            all.texts.extend(folder.mapping.iter().map(|mapping| mapping.text().to_owned()));
            all.folders.insert(path.clone(), folder);
        }
        all.texts.extend(options.mapping.iter().map(|mapping| mapping.text().to_owned()));
        all
    }

    pub(super) fn names(&self) -> &HashSet<String> {
        self.names.get_or_init(|| own_names().into_iter().chain(self.texts.iter().flat_map(|text| names_in(text))).collect())
    }

    /// Without the mapping that the folder names its files say nothing.
    pub(super) fn is_unusable(&self, folder: &Path) -> bool {
        self.folders.get(folder).is_some_and(|folder| !folder.findings.is_empty())
    }

    pub(super) fn mapping(&self, folder: &Path) -> Option<&Mapping> {
        self.folders.get(folder)?.mapping.as_ref()
    }

    /// Whether events are looked for in a file's output, which is then no input.
    pub(super) fn is_output(&self, folder: &Path, name: &str) -> bool {
        self.folders.get(folder).is_some_and(|folder| folder.files.values().any(|file| file.events.as_deref() == Some(name)))
    }

    pub(super) fn wants_events(&self, folder: &Path, name: &str) -> bool {
        self.file(folder, name).is_some_and(|file| file.events.is_some())
    }

    pub(super) fn file(&self, folder: &Path, name: &str) -> Option<&Expected> {
        self.folders.get(folder)?.files.get(name)
    }

    /// Every mapping in use, each once.
    pub(super) fn mappings(&self, options: &Options<'_>) -> Vec<Mapping> {
        let mut all: BTreeMap<String, Mapping> = BTreeMap::new();
        for mapping in self.folders.values().filter_map(|folder| folder.mapping.as_ref()).chain(&options.mapping) {
            all.insert(mapping.label().to_owned(), mapping.clone());
        }
        all.into_values().collect()
    }

    /// What is expected and did not come; or, asked for, what came is written as what is expected.
    pub(super) fn settle(&self, mut outcomes: BTreeMap<PathBuf, Vec<Outcome>>, options: &Options<'_>) -> Result<Vec<FileReport>, Fault> {
        if options.update {
            // What cannot be read is not written over: something else may stand in it.
            if let Some((path, _)) = self.folders.iter().find(|(_, folder)| !folder.findings.is_empty()) {
                return Err(Fault::with(Code::FixExpect, shown(&path.join(FILE))));
            }
            for (path, outcomes) in &outcomes {
                self.write(path, outcomes)?;
            }
            return Ok(Vec::new());
        }
        let mut reports = Vec::new();
        for (path, folder) in &self.folders {
            let findings = folder.unkept(path, outcomes.remove(path).unwrap_or_default());
            let told = |finding: Finding| Told { severity: Severity::of(&finding), finding, excerpt: None };
            if !findings.is_empty() {
                reports.push(FileReport::new(shown(&path.join(FILE)), findings.into_iter().map(told).collect()));
            }
        }
        Ok(reports)
    }

    fn write(&self, path: &Path, outcomes: &[Outcome]) -> Result<(), Fault> {
        let known = self.folders.get(path);
        let mut files = known.map(|folder| folder.files.clone()).unwrap_or_default();
        files.retain(|name, _| path.join(name).is_file());
        for outcome in outcomes {
            let events = files.get(&outcome.name).and_then(|file| file.events.clone());
            if let (Some(name), Some(events)) = (&events, &outcome.events) {
                save(&path.join(name), &format!("{events:#}\n"))?;
            }
            let expected = Expected { name: outcome.name.clone(), findings: outcome.found.clone(), events };
            if expected.findings.is_empty() && expected.events.is_none() {
                files.remove(&outcome.name);
            } else {
                files.insert(outcome.name.clone(), expected);
            }
        }
        if known.is_none() && files.is_empty() {
            return Ok(());
        }
        // What stands before the first file is the reader's own.
        let head = known.map_or(HEAD, |folder| folder.text[..folder.text.find("[[file]]").unwrap_or(folder.text.len())].trim_end());
        let text = written(head, files.values().map(|file| (file.name.as_str(), file.findings.as_slice(), file.events.as_deref())));
        match known {
            Some(folder) if folder.text == text => Ok(()),
            _ => save(&path.join(FILE), &text),
        }
    }
}

const HEAD: &str = "# Written by `vardbro check --update`; read every change before you keep it.";

/// The text of such a file: name, findings and file of events of each.
pub fn written<'f>(head: &str, files: impl Iterator<Item = (&'f str, &'f [String], Option<&'f str>)>) -> String {
    let mut out = format!("{}\n", head.trim_end());
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    for (name, findings, events) in files {
        let _ = write!(out, "\n[[file]]\nname = {}\n", quoted(name));
        if let Some(events) = events {
            let _ = writeln!(out, "events = {}", quoted(events));
        }
        match findings {
            [] => {}
            [one] => {
                let _ = writeln!(out, "findings = [{}]", quoted(one));
            }
            several => {
                out.push_str("findings = [\n");
                for line in several {
                    let _ = writeln!(out, "  {},", quoted(line));
                }
                out.push_str("]\n");
            }
        }
    }
    out
}

impl Folder {
    /// Everything in which the folder's files differ from what it says.
    fn unkept(&self, path: &Path, outcomes: Vec<Outcome>) -> Vec<Finding> {
        let mut findings = self.findings.clone();
        for file in self.files.values().filter(|file| !path.join(&file.name).is_file()) {
            findings.push(self.finding(Code::FixAbsent, &file.name, None));
        }
        for outcome in outcomes {
            let Some(expected) = self.files.get(&outcome.name) else { continue };
            for place in outcome.unmet {
                findings.push(self.finding(Code::FixUnmet, &expected.name, expected.findings.get(place)));
            }
            if let (Some(name), Some(events)) = (&expected.events, &outcome.events) {
                let there = bounded(&path.join(name)).ok().and_then(|text| serde_json::from_str::<Value>(&text).ok());
                if let Some(at) = differs(there.as_ref(), Some(events)) {
                    let found = self.finding(Code::FixEvents, &expected.name, None);
                    findings.push(Finding { path: Some(format!("{name}{at}")), ..found });
                }
            }
        }
        findings
    }

    /// A finding at the line where the expectation stands.
    fn finding(&self, code: Code, name: &str, expected: Option<&String>) -> Finding {
        let begins = self.text.find(&format!("name = {}", toml::Value::String(name.to_owned()))).unwrap_or(0);
        let at = expected.and_then(|text| self.text[begins..].find(text.as_str())).map_or(begins, |at| begins + at);
        let detail = expected.map(|text| (text.clone(), text.clone()));
        let place = Some(Place::of(self.text.as_bytes(), at));
        fault::at(code.finding(Effect::Refuse, Layer::Form, detail), Some(name.to_owned()), place)
    }
}

/// Where two values first differ: `[0].events[0].patient.id`. Names and numbers of places, no value.
fn differs(one: Option<&Value>, other: Option<&Value>) -> Option<String> {
    match (one, other) {
        (Some(Value::Array(ones)), Some(Value::Array(others))) => (0..ones.len().max(others.len()))
            .find_map(|place| differs(ones.get(place), others.get(place)).map(|rest| format!("[{place}]{rest}"))),
        (Some(Value::Object(ones)), Some(Value::Object(others))) => {
            let names = ones.keys().chain(others.keys().filter(|name| !ones.contains_key(*name)));
            // What a file calls its fields is told only where we call them so too.
            let told = |name: &String| if others.contains_key(name) { format!(".{name}") } else { ".?".to_owned() };
            names.into_iter().find_map(|name| differs(ones.get(name), others.get(name)).map(|rest| told(name) + &rest))
        }
        _ => (one != other).then(String::new),
    }
}

fn read(path: &Path, options: &Options<'_>) -> Folder {
    let mut folder = Folder::default();
    let broken = |place: Option<Place>| fault::at(Code::FixExpect.finding(Effect::Refuse, Layer::Syntax, None), None, place);
    let Ok(text) = bounded(&path.join(FILE)) else {
        folder.findings.push(broken(None));
        return folder;
    };
    folder.text = text;
    match toml::from_str::<Document>(&folder.text) {
        Err(fault) => folder.findings.push(broken(fault.span().map(|span| Place::of(folder.text.as_bytes(), span.start)))),
        Ok(document) => {
            if let Some(name) = document.mapping.filter(|_| options.mapping.is_none()) {
                match (options.load)(&name, path) {
                    Ok(mapping) => folder.mapping = Some(mapping),
                    Err(faults) => {
                        // Told of a file of the project's own: its faults hold nothing of a record.
                        let why = faults.first().and_then(|fault| fault.detail.clone());
                        let at = folder.text.find("mapping").unwrap_or(0);
                        let place = Some(Place::of(folder.text.as_bytes(), at));
                        let finding = Code::FixMapping.finding(Effect::Refuse, Layer::Syntax, why.map(|why| (why.clone(), why)));
                        folder.findings.push(fault::at(finding, Some("mapping".to_owned()), place));
                    }
                }
            }
            folder.files = document.file.into_iter().map(|file| (file.name.clone(), file)).collect();
        }
    }
    folder
}

fn bounded(path: &Path) -> std::io::Result<String> {
    if fs::metadata(path)?.len() > BYTES_MAX {
        return Err(std::io::ErrorKind::FileTooLarge.into());
    }
    fs::read_to_string(path)
}

fn save(path: &Path, text: &str) -> Result<(), Fault> {
    fs::write(path, text).map_err(|fault| Fault::with(Code::FixPath, format!("{} ({})", path.display(), fault.kind())))
}
