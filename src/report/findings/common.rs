//! What the forms for build servers have in common.

use super::{Report, Severity, Style, Told};
use crate::model::finding::Finding;
use aws_lc_rs::digest::{SHA256, digest};
use std::collections::HashMap;
use std::fmt::Write as _;

/// Bytes of a fingerprint.
const FINGERPRINT: usize = 16;

/// A file as build servers name it: from the root of the project, where it was named so.
pub(super) fn relative(file: &str) -> &str {
    let mut file = file;
    while let Some(rest) = file.strip_prefix("./") {
        file = rest.trim_start_matches('/');
    }
    file
}

/// Line that a finding points at; without a place the first.
pub(super) fn line(finding: &Finding) -> usize {
    finding.place.map_or(1, |place| place.line.max(1))
}

/// What is wrong, as a sentence: the path, what the finding says, and the line of the mapping.
pub(super) fn sentence(finding: &Finding, style: &Style<'_>) -> String {
    let says = style.says(finding).0.trim();
    let path = finding.path.as_ref().map_or(String::new(), |path| format!("{path}: "));
    let row = match (finding.mapping, style.swedish) {
        (None, _) => String::new(),
        (Some(row), true) => format!(" (mappningens rad {row})"),
        (Some(row), false) => format!(" (line {row} of the mapping)"),
    };
    if path.is_empty() { closed(&format!("{says}{row}")) } else { ended(format!("{path}{says}{row}")) }
}

/// A text as a sentence, with a capital letter and a full stop.
pub(super) fn closed(text: &str) -> String {
    let mut letters = text.trim().chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    ended(first + letters.as_str())
}

fn ended(text: String) -> String {
    if text.ends_with(['.', '!', '?']) { text } else { text + "." }
}

/// The sentence and what to do, in one line.
pub(super) fn told(finding: &Finding, style: &Style<'_>) -> String {
    format!("{} {}", sentence(finding, style), style.says(finding).1.trim())
}

/// Every finding with its file, as they stand in the report; notes where they are asked for.
pub(super) fn all<'r>(report: &'r Report, style: &Style<'_>) -> impl Iterator<Item = (&'r str, &'r Told)> {
    let notes = style.notes;
    let shown = move |told: &&Told| notes || told.severity != Severity::Note;
    report.files.iter().flat_map(move |file| file.findings.iter().filter(shown).map(|told| (relative(&file.file), told)))
}

/// Names findings so that they keep their name when lines move. Of those that are alike in one file, the number tells them apart.
#[derive(Debug, Default)]
pub(super) struct Fingerprints(HashMap<[u8; FINGERPRINT], u64>);

impl Fingerprints {
    pub(super) fn of(&mut self, file: &str, finding: &Finding) -> String {
        let path = finding.path.as_deref().unwrap_or_default();
        let alike = hash(&[file.as_bytes(), finding.code.as_bytes(), path.as_bytes()]);
        let number = self.0.entry(alike).and_modify(|number| *number += 1).or_insert(0);
        hash(&[&alike, &number.to_be_bytes()]).iter().fold(String::new(), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        })
    }
}

/// Of the parts, each with its length before it, so that no two lists of parts are the same bytes.
fn hash(parts: &[&[u8]]) -> [u8; FINGERPRINT] {
    let bytes: Vec<u8> = parts.iter().flat_map(|part| (part.len() as u64).to_be_bytes().into_iter().chain(part.iter().copied())).collect();
    let mut out = [0; FINGERPRINT];
    for (to, from) in out.iter_mut().zip(digest(&SHA256, &bytes).as_ref()) {
        *to = *from;
    }
    out
}
