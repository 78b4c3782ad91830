//! What a story came to, beside what its folder expects.

use super::Stop;
use super::case::{list, read_bounded};
use crate::fault::{Code, Fault};
use crate::model::finding::{Effect, Finding, Layer, Place};
use similar::{ChangeTag, TextDiff};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The expectation's file, and the folder of the documents.
pub(super) const EXPECT: &str = "expect.toml";
pub(super) const OUT: &str = "out";
/// What a new expectation begins with. An old one keeps the lines that it begins with: they are its owner's.
const HEAD: &str = "# Written by `vardbro check --update`. Read every change before you keep it.\n";
/// Of longer texts the differing lines are not looked for.
const LINES_MAX: usize = 20_000;

/// Files below the story's folder, and what stands in them.
pub(super) type Files = BTreeMap<PathBuf, Vec<u8>>;

/// Writes the expectation anew; documents that do not come any more go.
pub(super) fn update(dir: &Path, actual: &Files) -> Result<(), Stop> {
    let unwritten = |path: &Path, fault: &io::Error| Fault::with(Code::StoWrite, format!("{} ({})", path.display(), fault.kind()));
    for name in list(&dir.join(OUT))? {
        let path = Path::new(OUT).join(name);
        if path.extension().is_some_and(|ending| ending == "xml") && !actual.contains_key(&path) {
            let path = dir.join(path);
            fs::remove_file(&path).map_err(|fault| unwritten(&path, &fault))?;
        }
    }
    for (name, bytes) in actual {
        let path = dir.join(name);
        let whole = if name.as_os_str() == EXPECT { [head(dir).as_bytes(), bytes].concat() } else { bytes.clone() };
        let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
        folder.and_then(|()| fs::write(&path, whole)).map_err(|fault| unwritten(&path, &fault))?;
    }
    Ok(())
}

/// The comment that an expectation begins with.
fn head(dir: &Path) -> String {
    let text = read_bounded(&dir.join(EXPECT)).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.map_or_else(|| HEAD.to_owned(), |text| text[..comment(&text)].to_owned())
}

/// Bytes of the comment lines that a text begins with.
fn comment(text: &str) -> usize {
    text.split_inclusive('\n').take_while(|line| line.starts_with('#')).map(str::len).sum()
}

/// Every file that is not as it is expected, and the lines that differ.
pub(super) fn compare(dir: &Path, actual: &Files) -> Result<(Vec<(PathBuf, Finding)>, String), Stop> {
    let mut differences = String::new();
    let mut findings = Vec::new();
    for name in list(&dir.join(OUT))? {
        let path = Path::new(OUT).join(name);
        if !actual.contains_key(&path) {
            let _ = writeln!(differences, "{}: expected, but the receiver never got it", path.display());
            findings.push((path, finding(Code::FixNotSent, None)));
        }
    }
    for (path, got) in actual {
        let expectation = path.as_os_str() == EXPECT;
        let got = String::from_utf8_lossy(got);
        let Ok(bytes) = read_bounded(&dir.join(path)) else {
            let _ = writeln!(differences, "{}: not expected:\n{got}", path.display());
            findings.push((path.clone(), finding(if expectation { Code::FixExpectation } else { Code::FixNotExpected }, None)));
            continue;
        };
        let text = String::from_utf8_lossy(&bytes);
        let head = if expectation { comment(&text) } else { 0 };
        let expected = &text[head..];
        if expected != got {
            let _ = writeln!(differences, "{}:\n{}", path.display(), difference(expected, &got));
            let same = expected.bytes().zip(got.bytes()).take_while(|(expected, got)| expected == got).count();
            let place = Place::of(text.as_bytes(), head + same);
            let told = if expectation {
                let found = finding(Code::FixExpectation, Some(Place { column: 1, ..place }));
                Finding { path: field_at(&text, head + same), ..found }
            } else {
                finding(Code::FixDocument, Some(place))
            };
            findings.push((path.clone(), told));
        }
    }
    Ok((findings, differences))
}

/// Which field of an expectation stands at a place, `message[2].state`: names of ours, and no value.
fn field_at(text: &str, at: usize) -> Option<String> {
    let end = text.as_bytes().get(at..)?.iter().position(|byte| *byte == b'\n').map_or(text.len(), |newline| at + newline);
    let mut tables: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut table, mut field) = (None, None);
    for line in text.get(..end)?.lines() {
        if let Some(name) = line.strip_prefix("[[").and_then(|rest| rest.strip_suffix("]]")) {
            let count = tables.entry(name).or_default();
            table = Some(format!("{name}[{count}]"));
            *count += 1;
            field = None;
        } else if line == "[log]" {
            (table, field) = (Some("log".to_owned()), None);
        } else if let Some((name, _)) = line.split_once(" = ").filter(|(name, _)| name.bytes().all(|b| b.is_ascii_lowercase())) {
            field = Some(name);
        }
    }
    Some(table? + &field.map_or(String::new(), |name| format!(".{name}")))
}

fn finding(code: Code, place: Option<Place>) -> Finding {
    Finding { place, ..code.finding(Effect::Refuse, Layer::Form, None) }
}

/// The lines that differ, `-` expected and `+` got; an XML document is cut at its tags.
pub fn difference(expected: &str, got: &str) -> String {
    let cut = |text: &str| text.replace("><", ">\n<");
    let (old, new) = (cut(expected), cut(got));
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    if old.len().max(new.len()) > LINES_MAX {
        return format!("  {} lines expected, {} got\n", old.len(), new.len());
    }
    let diff = TextDiff::from_slices(&old, &new);
    diff.iter_all_changes().fold(String::new(), |mut out, change| {
        let _ = match change.tag() {
            ChangeTag::Equal => Ok(()),
            ChangeTag::Delete => writeln!(out, "  - {}", change.value()),
            ChangeTag::Insert => writeln!(out, "  + {}", change.value()),
        };
        out
    })
}
