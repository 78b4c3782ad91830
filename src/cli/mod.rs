//! The command line: arguments in, text and exit code out. Wiring only; nothing is decided here.

mod alarms;
mod audit;
mod check;
mod demo;
mod doctor;
mod episodes;
mod fallback;
mod hold;
mod inspect;
mod mapping;
mod parked;
mod render;
mod report;
mod requests;
mod rules;
mod run;
mod settings;
mod store;
mod who;

use crate::fault::{Code, Fault};
use clap::{Parser, Subcommand, ValueEnum};
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;

/// Carries a municipality's care-transition messages safely to a SAMSA-style messaging system.
#[derive(Debug, Parser)]
#[command(name = "vardbro", version, about, disable_help_subcommand = true)]
struct Arguments {
    /// Language of what is printed; else from LANG
    #[arg(long, global = true, value_enum)]
    lang: Option<Lang>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Lang {
    Sv,
    En,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show everything at work: needs no server, no file and no setting
    Demo(demo::DemoArgs),
    /// The daemon
    Run {
        #[arg(long, default_value = "vardbro.toml", env = "VARDBRO_CONFIG")]
        config: PathBuf,
    },
    /// Check events and documents as the daemon would
    Check(check::CheckArgs),
    /// Show a message in a wire: personal data, for whoever may read it
    Render(render::RenderArgs),
    /// Try a mapping on a file: which rows gave which fields, and what is wrong
    Map(mapping::MapArgs),
    /// Write a first draft
    #[command(subcommand)]
    New(mapping::NewCommand),
    /// The reference receiver: validates, answers receipts, misbehaves by script
    Receiver(receiver::ReceiverArgs),
    /// Read the delivery log
    Log(inspect::LogArgs),
    /// Look at messages
    #[command(subcommand)]
    Messages(inspect::MessagesCommand),
    /// Look at alarms
    #[command(subcommand)]
    Alarms(alarms::AlarmsCommand),
    /// Look at episodes
    #[command(subcommand)]
    Episodes(episodes::EpisodesCommand),
    /// The audit log: who did and saw what
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// What was sent about a person, to whom, when; asking is kept in the audit log
    Disclosures(audit::DisclosuresArgs),
    /// Figures of a month: patients ready for discharge, checklist, what was late, outpatient care
    Report(report::ReportArgs),
    /// The page of a code or a rule
    Explain {
        /// VB-MAP-005, CHK-1
        code: String,
    },
    /// Look at the sets of rules
    #[command(subcommand)]
    Rules(rules::RulesCommand),
    /// Look after the store
    #[command(subcommand)]
    Store(store::StoreCommand),
    /// Keep what must not be purged
    #[command(subcommand)]
    Hold(hold::HoldCommand),
    /// What survives which fault under this configuration, and what in it weakens that
    Guarantees {
        #[arg(long, default_value = "vardbro.toml", env = "VARDBRO_CONFIG")]
        config: PathBuf,
    },
    /// Examine the installation: configuration, certificates, files, disk, store, connections, clock. Sends nothing, changes nothing
    Doctor(doctor::DoctorArgs),
    /// Look at the configuration
    #[command(subcommand)]
    Config(settings::ConfigCommand),
}

mod receiver;

/// How a command ended.
#[derive(Debug)]
enum Ending {
    Clean,
    /// It ran, and found something (exit 1).
    Findings,
    /// It could not run: usage or configuration (exit 2).
    Faults(Vec<Fault>),
    /// The program itself failed (exit 3).
    Internal(Fault),
}

impl From<Fault> for Ending {
    fn from(fault: Fault) -> Self {
        match fault.code.entry().remedy {
            crate::fault::Remedy::Bug => Self::Internal(fault),
            _ => Self::Faults(vec![fault]),
        }
    }
}

impl From<crate::store::StoreFault> for Ending {
    fn from(fault: crate::store::StoreFault) -> Self {
        Self::Internal(fault.into())
    }
}

/// Runs the program; clap itself ends it with 2 where the arguments are wrong.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let swedish = swedish(arguments.lang);
    watch_panics(swedish);
    let run = AssertUnwindSafe(|| dispatch(arguments.command, swedish).unwrap_or_else(|ending| ending));
    let ending = catch_unwind(run).unwrap_or_else(|_| Ending::Internal(Fault::new(Code::BugPanic)));
    match ending {
        Ending::Clean => ExitCode::SUCCESS,
        Ending::Findings => ExitCode::from(1),
        Ending::Faults(faults) => {
            for fault in &faults {
                complain(&fault.text(swedish));
            }
            ExitCode::from(2)
        }
        Ending::Internal(fault) => {
            complain(&fault.text(swedish));
            ExitCode::from(3)
        }
    }
}

fn dispatch(command: Command, swedish: bool) -> Result<Ending, Ending> {
    match command {
        Command::Demo(arguments) => demo::run(&arguments, swedish),
        Command::Run { config } => run::run(&config),
        Command::Check(arguments) => check::run(&arguments, swedish),
        Command::Render(arguments) => render::run(&arguments, swedish),
        Command::Map(arguments) => mapping::map(&arguments, swedish),
        Command::New(command) => mapping::new(&command),
        Command::Receiver(arguments) => run::blocking(receiver::run(arguments)).map(|()| Ending::Clean),
        Command::Log(arguments) => inspect::log(&arguments, swedish),
        Command::Messages(command) => inspect::messages(command, swedish),
        Command::Alarms(command) => alarms::run(&command, swedish),
        Command::Episodes(command) => episodes::run(command, swedish),
        Command::Audit(command) => audit::run(command, swedish),
        Command::Disclosures(arguments) => audit::disclosures(&arguments, swedish),
        Command::Report(arguments) => report::run(&arguments, swedish),
        Command::Explain { code } => inspect::explain(&code, swedish),
        Command::Rules(command) => rules::run(command, swedish),
        Command::Store(command) => store::run(command, swedish),
        Command::Hold(command) => hold::run(command, swedish),
        Command::Guarantees { config } => {
            say(&crate::ops::guarantees(&settings::load(config)?, swedish));
            Ok(Ending::Clean)
        }
        Command::Doctor(arguments) => doctor::run(&arguments, swedish),
        Command::Config(command) => settings::run(command),
    }
}

/// A panic's own words may quote a record: only its place is shown. The daemon and the receiver log it instead.
fn watch_panics(swedish: bool) {
    std::panic::set_hook(Box::new(move |info| {
        let place = info.location().map_or_else(String::new, |place| format!("{}:{}", place.file(), place.line()));
        complain(&Fault::with(Code::BugPanic, place).text(swedish));
    }));
}

fn swedish(asked: Option<Lang>) -> bool {
    match asked {
        Some(lang) => lang == Lang::Sv,
        None => ["LC_ALL", "LC_MESSAGES", "LANG"]
            .iter()
            .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
            .is_some_and(|value| value.starts_with("sv")),
    }
}

/// Prints what the user asked for. A reader that has gone away is no fault of ours.
fn say(text: &str) {
    let _ = io::stdout().lock().write_all(text.as_bytes());
    let _ = io::stdout().lock().flush();
}

fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
