//! A report for a person at a terminal or in a build's log.

use super::{Excerpt, FileReport, Report, Severity, Style, Told, commands};
use crate::check::rules::Rules;
use crate::fault::Code;
use crate::model::finding::{Effect, Finding};
use std::collections::BTreeMap;
use std::fmt::Write as _;

const BOLD: &str = "\x1b[1m";
const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[1;33m";
const BLUE: &str = "\x1b[1;34m";
const PLAIN: &str = "\x1b[0m";

/// Each finding with its line of the source and its remedy; what depends on other events in one line a file; and a summary.
pub fn text(report: &Report, style: &Style<'_>, rules: &str) -> String {
    let mut out = String::new();
    for file in &report.files {
        let name = visible(&file.file);
        let (notes, told): (Vec<&Told>, Vec<&Told>) = file.findings.iter().partition(|told| told.severity == Severity::Note);
        for told in told {
            finding(&mut out, &name, told, style, rules);
        }
        out.push_str(&file.shown);
        if style.notes && !notes.is_empty() {
            remarks(&mut out, &name, &notes, style);
        }
    }
    out.push_str(&summary(report, style));
    out
}

/// Findings without a report around them: a line each, the remedy below.
pub fn plain(file: &str, findings: &[Finding], swedish: bool) -> String {
    let told = |finding: &Finding| Told { severity: Severity::of(finding), finding: finding.clone(), excerpt: None };
    let style = Style { swedish, ..Style::default() };
    let mut out = String::new();
    for told in FileReport::new(file.to_owned(), findings.iter().map(told).collect()).findings {
        finding(&mut out, file, &told, &style, "");
    }
    out
}

/// A file's name may hold anything: what would command the terminal is written out.
fn visible(name: &str) -> String {
    name.chars().fold(String::with_capacity(name.len()), |mut out, letter| {
        if commands(letter) {
            out.extend(letter.escape_unicode());
        } else {
            out.push(letter);
        }
        out
    })
}

fn finding(out: &mut String, file: &str, told: &Told, style: &Style<'_>, rules: &str) {
    let found = &told.finding;
    let place = found.place.map_or(String::new(), |place| format!(":{}:{}", place.line, place.column));
    let row = found.mapping.map_or(String::new(), |line| format!(" @{line}"));
    let path = found.path.as_ref().map_or(String::new(), |path| format!(" [{path}]"));
    let (says, remedy) = style.says(found);
    let word = painted(word(found, style.swedish), told.severity, style.colour);
    let head = if style.colour { format!("{BOLD}{file}{place}{PLAIN}") } else { format!("{file}{place}") };
    let _ = writeln!(out, "{head}{row}: {word} {}{path} {says}", found.code);
    if let (Some(excerpt), Some(place)) = (&told.excerpt, found.place) {
        snippet(out, excerpt, place.line, told.severity, style.colour);
    }
    let _ = writeln!(out, "    → {remedy}");
    if let Some(page) = style.page(&found.code, rules) {
        let _ = writeln!(out, "      {page}");
    }
}

fn snippet(out: &mut String, excerpt: &Excerpt, line: usize, severity: Severity, colour: bool) {
    let number = line.to_string();
    let gutter = " ".repeat(number.len());
    let carets = format!("{}{}", " ".repeat(excerpt.start), painted(&"^".repeat(excerpt.width), severity, colour));
    let _ = writeln!(out, "    {number} │ {}\n    {gutter} │ {carets}", excerpt.line);
}

/// What other events of the episode decide: each code, and how often.
fn remarks(out: &mut String, file: &str, notes: &[&Told], style: &Style<'_>) {
    let mut codes: BTreeMap<&str, usize> = BTreeMap::new();
    for told in notes {
        *codes.entry(&told.finding.code).or_default() += 1;
    }
    let code = |(code, count): (&str, usize)| if count == 1 { code.to_owned() } else { format!("{code} ({count})") };
    let codes: Vec<String> = codes.into_iter().map(code).collect();
    let word = if style.swedish { "upplysning" } else { "note" };
    let _ = writeln!(out, "{file}: {} {}", painted(word, Severity::Note, style.colour), codes.join(", "));
}

fn summary(report: &Report, style: &Style<'_>) -> String {
    let swedish = style.swedish;
    let (files, stories, records) = (report.files.len(), report.stories, report.records);
    let super::Totals { errors, warnings, notes } = report.totals;
    let mut out = String::new();
    if report.untold > 0 {
        let _ = if swedish {
            writeln!(out, "… och {} till som inte visas", report.untold)
        } else {
            writeln!(out, "… and {} more that are not shown", report.untold)
        };
    }
    let told = if stories == 0 {
        String::new()
    } else if swedish {
        format!(", {stories} {}", if stories == 1 { "berättelse" } else { "berättelser" })
    } else {
        format!(", {stories} {}", if stories == 1 { "story" } else { "stories" })
    };
    let more = match (notes > 0 && !style.notes, swedish) {
        (false, _) => "",
        (true, true) => " (--notes visar dem)",
        (true, false) => " (--notes shows them)",
    };
    let one = |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    let counted = if swedish {
        [one(files, "fil", "filer"), one(records, "post", "poster"), format!("{errors} fel"), one(warnings, "varning", "varningar")]
    } else {
        [
            one(files, "file", "files"),
            one(records, "record", "records"),
            one(errors, "error", "errors"),
            one(warnings, "warning", "warnings"),
        ]
    };
    let [files, records, errors, warnings] = counted;
    let notes = if swedish { one(notes, "upplysning", "upplysningar") } else { one(notes, "note", "notes") };
    let _ = writeln!(out, "{files}{told}, {records}: {errors}, {warnings}, {notes}{more}");
    out
}

fn painted(word: &str, severity: Severity, colour: bool) -> String {
    let paint = match severity {
        _ if !colour => return word.to_owned(),
        Severity::Error => RED,
        Severity::Warning => YELLOW,
        Severity::Note => BLUE,
    };
    format!("{paint}{word}{PLAIN}")
}

fn word(finding: &Finding, swedish: bool) -> &'static str {
    match (finding.effect, swedish) {
        (Effect::Refuse, true) => "fel",
        (Effect::Refuse, false) => "error",
        (Effect::Withhold, true) => "hålls tillbaka",
        (Effect::Withhold, false) => "withheld",
        (Effect::Hold, true) => "väntar på en människa",
        (Effect::Hold, false) => "held",
        (Effect::Deviation, true) => "avvikelse",
        (Effect::Deviation, false) => "deviation",
        (Effect::Warn, true) => "varning",
        (Effect::Warn, false) => "warning",
    }
}

/// All codes and rules that a check can give, a line each.
pub fn list(rules: &Rules, swedish: bool) -> String {
    let mut out = String::new();
    for rule in rules.rules() {
        let what = if swedish { &rule.page.what.sv } else { &rule.page.what.en };
        let _ = writeln!(out, "{:12} {:12} {what}", rule.id.as_str(), rule.effect.code());
    }
    for entry in Code::ALL.iter().filter(|entry| FAMILIES.iter().any(|family| entry.id.starts_with(family))) {
        let _ = writeln!(out, "{:12} {:12} {}", entry.id, Effect::Refuse.code(), if swedish { entry.sv } else { entry.en });
    }
    out
}

/// Families of codes that a check can give.
const FAMILIES: [&str; 5] = ["VB-SRC", "VB-MAP", "VB-CHK", "VB-OUT", "VB-FIX"];
