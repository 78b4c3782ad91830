//! `vardbro check`: files and folders through the daemon's own core.

use super::inspect::Format;
use super::{Ending, say};
use crate::check::rules::{Rules, shipped};
use crate::config;
use crate::daemon;
use crate::fault::{self, Code, Fault};
use crate::intake::{Desk, Routing, Trial};
use crate::map::{Limits, Mapping};
use crate::model::bodies::Party;
use crate::model::event::Recipient;
use crate::model::finding::{Effect, Finding, Layer};
use crate::model::ids::{HsaId, OrgNumber};
use crate::model::name::Name;
use crate::model::time::{Clock, SystemClock, local_day};
use crate::report::findings::{self, FileReport, Report, Severity, Style, Told};
use crate::seal::{SchemaFault, Validator, XsdValidator};
use crate::wire::{self, Sender};
use clap::Args;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Longest file that is read.
const FILE_MAX: u64 = 1024 * 1024;
/// Deepest folder that is walked.
const DEPTH: usize = 32;
const LIMITS: Limits = Limits { depth: 32, records: 10_000 };

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// Files and folders: events (.json), messages and receipts (.xml)
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Read the files by this mapping: a file (its name has a dot in it), or the name of one that is shipped
    #[arg(long)]
    mapping: Option<String>,
    /// The set of rules
    #[arg(long, default_value = "vanersborg/2026.1")]
    rules: String,
    /// Use this configuration's rules, routes and recipients
    #[arg(long)]
    config: Option<PathBuf>,
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub(super) fn run(arguments: &CheckArgs, swedish: bool) -> Result<Ending, Ending> {
    let mut files = Vec::new();
    for path in &arguments.paths {
        if !path.exists() {
            return Err(Fault::with(Code::CfgFile, path.display().to_string()).into());
        }
        walk(path, DEPTH, &mut files);
    }
    let mut checker = Checker {
        mapping: arguments.mapping.as_deref().map(super::mapping::load).transpose()?,
        trial: Trial::new(desk(arguments)?, Box::new(XsdValidator::message())),
        message: XsdValidator::message(),
        receipt: XsdValidator::receipt(),
    };
    let mut report = Report::default();
    for path in &files {
        let told = |finding: Finding| Told { severity: Severity::of(&finding), finding, excerpt: None };
        let file = FileReport::new(path.display().to_string(), checker.file(path).into_iter().map(told).collect());
        file.findings.iter().for_each(|told| report.totals.count(told.severity));
        report.files.push(file);
    }
    let style = Style { swedish, ..Style::default() };
    match arguments.format {
        Format::Text => say(&findings::text(&report, &style, &arguments.rules)),
        Format::Json => say(&findings::json(&report, &style, &arguments.rules, None)),
    }
    Ok(if report.totals.errors > 0 { Ending::Findings } else { Ending::Clean })
}

struct Checker {
    /// None: events, messages and receipts of our own.
    mapping: Option<Mapping>,
    trial: Trial,
    message: XsdValidator,
    receipt: XsdValidator,
}

impl Checker {
    fn file(&mut self, path: &Path) -> Vec<Finding> {
        let bytes = match read(path) {
            Ok(bytes) => bytes,
            Err(code) => return vec![code.finding(Effect::Refuse, Layer::Syntax, None)],
        };
        if self.mapping.is_none() && ends_in(path, "xml") {
            return self.document(&bytes);
        }
        let now = SystemClock.now();
        let mapping = self.mapping.clone().unwrap_or_else(Mapping::canonical);
        let mut findings = Vec::new();
        for record in mapping.read(&bytes, super::mapping::form(path), LIMITS, local_day(now)) {
            match record.events {
                Ok(events) => {
                    for event in events {
                        let found = self.trial.event(event, now).findings;
                        // Of a batch, what the rules say is said of the record's line.
                        findings.extend(found.into_iter().map(|finding| Finding { place: finding.place.or(record.place), ..finding }));
                    }
                }
                Err(found) => findings.extend(found),
            }
        }
        findings
    }

    /// A message or a receipt, told by its namespace.
    fn document(&mut self, bytes: &[u8]) -> Vec<Finding> {
        let names = |namespace: &str| bytes.windows(namespace.len()).any(|window| window == namespace.as_bytes());
        let faults = if names(wire::MESSAGE_NS) {
            self.message.validate(bytes)
        } else if names(wire::RECEIPT_NS) {
            self.receipt.validate(bytes)
        } else {
            return vec![Code::OutNotADocument.finding(Effect::Refuse, Layer::Syntax, None)];
        };
        if !faults.is_empty() {
            return faults.into_iter().map(schema_finding).collect();
        }
        match wire::xml::read(bytes) {
            Ok(received) if !received.hash_holds(bytes) => vec![Code::OutContentHash.finding(Effect::Refuse, Layer::Form, None)],
            _ => Vec::new(),
        }
    }
}

fn schema_finding(fault: SchemaFault) -> Finding {
    let detail = (fault.constraint.clone(), fault.constraint);
    fault::at(
        Code::OutInvalid.finding(Effect::Refuse, Layer::Schema, Some(detail)),
        Some(fault.path).filter(|path| !path.is_empty()),
        fault.place,
    )
}

fn desk(arguments: &CheckArgs) -> Result<Desk, Ending> {
    if let Some(file) = &arguments.config {
        let settings = config::load(Some(file), std::env::vars().collect()).map_err(Ending::Faults)?;
        return daemon::desk(&settings).map_err(Ending::Faults);
    }
    let unknown = || Ending::from(Fault::with(Code::CfgRules, arguments.rules.clone()));
    let text = shipped().iter().find(|(name, _)| *name == arguments.rules).map(|(_, text)| *text).ok_or_else(unknown)?;
    let rules = Arc::new(Rules::parse(text).map_err(|_| unknown())?);
    // Nobody of these exists; without a configuration there is no sender and no recipient to check against.
    let nobody = HsaId::parse("SE0000000000-0").ok_or_else(unknown)?;
    Ok(Desk {
        sets: [(rules.name.clone(), Arc::clone(&rules))].into(),
        rules,
        routing: Routing {
            routes: Vec::new(),
            defaults: vec![Recipient { hsa_id: nobody.clone(), party: Party::Sv }],
            destinations: [(Name::unnamed(), false)].into(),
        },
        sender: Sender { org_number: OrgNumber::parse("2120001538").ok_or_else(unknown)?, hsa_id: nobody, name: "–".to_owned() },
        production: false,
    })
}

/// The files below a path in the order of their names; folders that begin with a dot, and other endings, are left out.
fn walk(path: &Path, depth: usize, files: &mut Vec<PathBuf>) {
    if !path.is_dir() {
        files.push(path.to_owned());
        return;
    }
    let Ok(entries) = fs::read_dir(path) else { return };
    let mut entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    entries.sort_unstable();
    for entry in entries {
        let hidden = entry.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if entry.is_dir() && !hidden && !entry.is_symlink() && depth > 0 {
            walk(&entry, depth - 1, files);
        } else if super::mapping::form(&entry).is_some() {
            files.push(entry);
        }
    }
}

fn ends_in(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|known| known.eq_ignore_ascii_case(ending))
}

fn read(path: &Path) -> Result<Vec<u8>, Code> {
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(|_| Code::SrcUnreadable)?;
    file.take(FILE_MAX + 1).read_to_end(&mut bytes).map_err(|_| Code::SrcUnreadable)?;
    if bytes.len() as u64 > FILE_MAX { Err(Code::SrcTooLarge) } else { Ok(bytes) }
}
