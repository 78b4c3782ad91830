//! `vardbro map` and `vardbro new`.

use super::inspect::Format;
use super::{Ending, say};
use crate::config::MappingChoice;
use crate::daemon;
use crate::fault::{Code, Fault};
use crate::lint;
use crate::map::{self, Limits, Mapping};
use crate::model::catalogue::EventType;
use crate::model::raw::Form;
use crate::model::time::{Clock, SystemClock, local_day};
use crate::report::{findings, mapping as report};
use clap::{Args, Subcommand};
use std::fs;
use std::path::{Path, PathBuf};

/// Longest file that is tried.
const FILE_MAX: u64 = 64 * 1024 * 1024;

#[derive(Debug, Args)]
pub(super) struct MapArgs {
    /// What the source gives; without it only the mapping is looked at
    file: Option<PathBuf>,
    /// A mapping file (its name has a dot in it), or the name of one that is shipped
    #[arg(long)]
    mapping: String,
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Show values and events too; they are personal data
    #[arg(long)]
    show_values: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum NewCommand {
    /// A mapping for what a sample file holds, every field of it listed
    Mapping {
        /// What the source gives: .json, .ndjson, .xml or .csv
        #[arg(long)]
        from: PathBuf,
        /// The type of event that it gives, K-PU
        #[arg(long = "type", default_value = "K-PU", value_parser = kind)]
        kind: EventType,
    },
    /// A sound event of a type, about a test person
    Fixture {
        /// The type of the event, K-PU
        #[arg(value_name = "TYPE", value_parser = kind)]
        kind: EventType,
        /// With the required fields alone
        #[arg(long)]
        minimal: bool,
        /// Make a folder with a story around it; `vardbro check --update FOLDER` then writes what comes of it
        #[arg(long, value_name = "FOLDER")]
        story: Option<PathBuf>,
    },
}

fn kind(text: &str) -> Result<EventType, String> {
    EventType::parse(text).ok_or_else(|| "K-VB, K-PU, … R-DO".to_owned())
}

pub(super) fn map(arguments: &MapArgs, swedish: bool) -> Result<Ending, Ending> {
    let mapping = load(&arguments.mapping)?;
    let Some(file) = &arguments.file else {
        say(&format!("{}\n", mapping.label()));
        return Ok(Ending::Clean);
    };
    let bytes = read(file)?;
    let told = mapping.explain(&bytes, form(file), Limits { records: 100_000, ..Limits::default() }, local_day(SystemClock.now()));
    let records = match told {
        Ok(records) => records,
        Err(found) => {
            say(&findings::plain(&file.display().to_string(), &found, swedish));
            return Ok(Ending::Findings);
        }
    };
    let file = file.display().to_string();
    match arguments.format {
        Format::Text => say(&report::text(&records, &file, mapping.label(), arguments.show_values, swedish)),
        Format::Json => say(&report::json(&records, mapping.label(), arguments.show_values)),
    }
    Ok(if records.iter().all(report::is_clean) { Ending::Clean } else { Ending::Findings })
}

pub(super) fn new(command: &NewCommand) -> Result<Ending, Ending> {
    let (from, kind) = match command {
        NewCommand::Mapping { from, kind } => (from, kind),
        NewCommand::Fixture { kind, minimal, story: Some(folder) } => {
            return Ok(lint::story(folder, *kind, *minimal).map(|()| Ending::Clean)?);
        }
        NewCommand::Fixture { kind, minimal, story: None } => {
            say(lint::example(*kind, *minimal));
            return Ok(Ending::Clean);
        }
    };
    let form = form(from).ok_or_else(|| Fault::with(Code::SrcFileType, from.display().to_string()))?;
    match map::draft(&read(from)?, form, *kind) {
        Ok(text) => {
            say(&text);
            Ok(Ending::Clean)
        }
        Err(found) => {
            say(&findings::plain(&from.display().to_string(), &found, false));
            Ok(Ending::Findings)
        }
    }
}

/// A mapping by name or file.
pub(super) fn load(given: &str) -> Result<Mapping, Ending> {
    if given == "canonical" {
        return Ok(Mapping::canonical());
    }
    let choice = if given.contains('.') { MappingChoice::File(PathBuf::from(given)) } else { MappingChoice::Shipped(given.to_owned()) };
    daemon::load_mapping(&choice).map_err(Ending::Faults)
}

/// The form that a file's name ends in.
pub(super) fn form(path: &Path) -> Option<Form> {
    crate::source::directory::form(path.file_name()?.to_str()?)
}

fn read(path: &Path) -> Result<Vec<u8>, Fault> {
    let told = |fault: &dyn std::fmt::Display| Fault::with(Code::CfgFile, format!("{} ({fault})", path.display()));
    let size = fs::metadata(path).map_err(|fault| told(&fault.kind()))?.len();
    if size > FILE_MAX {
        return Err(Fault::with(Code::SrcTooLarge, path.display().to_string()));
    }
    fs::read(path).map_err(|fault| told(&fault.kind()))
}
