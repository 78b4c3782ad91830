//! `vardbro check`: files, folders and stories through the daemon's own core.

use super::{Ending, complain, say};
use crate::check::rules::{Rules, shipped};
use crate::config;
use crate::daemon;
use crate::fault::{Code, Fault};
use crate::intake::{Desk, Routing};
use crate::lint::{self, Coverage, Kind};
use crate::map::Mapping;
use crate::model::bodies::Party;
use crate::model::event::Recipient;
use crate::model::ids::{HsaId, OrgNumber};
use crate::model::name::Name;
use crate::model::testpersons::TestPersons;
use crate::model::time::SystemClock;
use crate::report::findings::{self, Report, Style};
use crate::wire::Sender;
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use std::fs;
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Work that takes longer than this has a progress bar, on a terminal.
const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(super) struct CheckArgs {
    /// Files and folders: events (.json, .ndjson), messages and receipts (.xml), what a mapping reads, stories; - for standard input
    #[arg(required_unless_present = "list_rules")]
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
    /// Write to FILE instead of standard output; FORMAT=FILE writes another format beside it, as often as you like
    #[arg(long, value_name = "[FORMAT=]FILE")]
    output: Vec<String>,
    /// The least severity that makes the check fail
    #[arg(long, value_enum, default_value = "error")]
    fail_on: FailOn,
    /// Only what fits this glob, without what fits one that begins with !
    #[arg(long, value_name = "GLOB")]
    glob: Vec<String>,
    /// Largest file, in kilobytes, as `max_kb` of a source
    #[arg(long, default_value_t = 1024)]
    max_kb: u32,
    /// Write what is found as what is expected: expect.toml of files, and the expectations of stories
    #[arg(long)]
    update: bool,
    /// Show which types, fields, code values, rules, checklist items and mapping lines no file reaches
    #[arg(long)]
    coverage: bool,
    /// Fail where less is reached, in percent: of everything, or of one KIND (types, fields, codes, rules, items, mapping)
    #[arg(long, value_name = "[KIND=]N", value_parser = least)]
    min_coverage: Vec<(Option<Kind>, usize)>,
    /// Show lines of the source as they are, in files that are about test persons alone; needs --test-persons
    #[arg(long, requires = "test_persons")]
    show_values: bool,
    /// The list of test persons: whoever is not on it is refused
    #[arg(long, value_name = "FILE")]
    test_persons: Option<PathBuf>,
    /// Where docs/ can be read, as the beginning of a link to the page of each code
    #[arg(long, value_name = "URL")]
    docs: Option<String>,
    /// Show notes too: what other events of the episode decide
    #[arg(long)]
    notes: bool,
    /// Show all codes and rules, and look at nothing
    #[arg(long)]
    list_rules: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
    Junit,
    Sarif,
    Github,
    Gitlab,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Error,
    Warn,
}

fn least(text: &str) -> Result<(Option<Kind>, usize), String> {
    let (kind, number) = text.split_once('=').map_or((None, text), |(kind, number)| (Some(kind), number));
    let kinds = || Kind::VALUES.iter().map(|value| value.code).collect::<Vec<_>>().join(", ");
    let kind = kind.map(|kind| Kind::parse(kind).ok_or_else(kinds)).transpose()?;
    let number = number.parse().ok().filter(|number| *number <= 100).ok_or("0-100")?;
    Ok((kind, number))
}

pub(super) fn run(arguments: &CheckArgs, swedish: bool) -> Result<Ending, Ending> {
    let mut desk = desk(arguments.config.as_deref(), &arguments.rules)?;
    let persons = test_persons(arguments)?.map(Arc::new);
    if desk.persons.is_none() && !desk.production {
        desk.persons.clone_from(&persons);
    }
    if arguments.list_rules {
        say(&findings::list(&desk.rules, swedish));
        return Ok(Ending::Clean);
    }
    let (rules, outputs) = (Arc::clone(&desk.rules), outputs(arguments)?);
    let mut found = lint::find(&arguments.paths, &arguments.glob)?;
    if found.units.contains(&lint::Unit::Stdin) {
        found.stdin = Some(stdin(u64::from(arguments.max_kb) * 1024)?);
    }
    let bar = Bar::new(found.units.len());
    let options = lint::Options {
        desk,
        mapping: arguments.mapping.as_deref().map(super::mapping::load).transpose()?,
        load: &load_beside,
        config: arguments.config.clone(),
        shown: persons.filter(|_| arguments.show_values),
        max_bytes: u64::from(arguments.max_kb) * 1024,
        update: arguments.update,
        coverage: arguments.coverage || !arguments.min_coverage.is_empty(),
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        clock: &SystemClock,
        progress: &|done| bar.at(done),
    };
    let (report, coverage) = lint::run(found, &options)?;
    bar.end();
    let json = coverage.as_ref().map(Coverage::json);
    let style =
        |to_terminal: bool| Style { swedish, colour: to_terminal && colours(), notes: arguments.notes, docs: arguments.docs.as_deref() };
    for (format, file) in outputs {
        let style = style(file.is_none());
        let mut text = render(format, &report, &style, &rules, json.as_ref());
        if let (Format::Text, Some(coverage), true) = (format, &coverage, arguments.coverage) {
            text = format!("{}\n{text}", coverage.text(swedish));
        }
        match file {
            None => say(&text),
            Some(file) => fs::write(&file, text).map_err(|fault| cannot(&file, &fault))?,
        }
    }
    let too_little = coverage.is_some_and(|coverage| falls_short(&coverage, &arguments.min_coverage, swedish));
    let failed = report.totals.errors > 0 || (arguments.fail_on == FailOn::Warn && report.totals.warnings > 0);
    Ok(if failed || too_little { Ending::Findings } else { Ending::Clean })
}

fn render(format: Format, report: &Report, style: &Style<'_>, rules: &Rules, coverage: Option<&serde_json::Value>) -> String {
    match format {
        Format::Text => findings::text(report, style, &rules.name),
        Format::Json => findings::json(report, style, &rules.name, coverage),
        Format::Junit => findings::junit(report, style, rules),
        Format::Sarif => findings::sarif(report, style, rules),
        Format::Github => findings::github(report, style, rules),
        Format::Gitlab => findings::gitlab(report, style, rules),
    }
}

/// Each format and the file that it goes to. One may go to standard output.
fn outputs(arguments: &CheckArgs) -> Result<Vec<(Format, Option<PathBuf>)>, Fault> {
    let mut main = None;
    let mut outputs = Vec::new();
    for output in &arguments.output {
        match output.split_once('=').and_then(|(format, file)| Some((Format::from_str(format, true).ok()?, file))) {
            Some((format, file)) => outputs.push((format, Some(PathBuf::from(file)))),
            None if main.is_none() && !output.contains('=') => main = Some(PathBuf::from(output)),
            None => return Err(Fault::with(Code::FixUsage, format!("--output {output}"))),
        }
    }
    outputs.insert(0, (arguments.format, main));
    Ok(outputs)
}

fn falls_short(coverage: &Coverage, least: &[(Option<Kind>, usize)], swedish: bool) -> bool {
    let mut short = false;
    for (kind, least) in least {
        let reached = coverage.percent(*kind);
        if reached < *least {
            let name = kind.map_or(String::new(), |kind| format!("{}: ", kind.code()));
            complain(&Fault::with(Code::FixCoverage, format!("{name}{reached} % < {least} %")).text(swedish));
            short = true;
        }
    }
    short
}

/// A mapping that a folder's expect.toml names.
fn load_beside(name: &str, folder: &Path) -> Result<Mapping, Vec<Fault>> {
    let beside = folder.join(name);
    let given = if name.contains('.') { beside.display().to_string() } else { name.to_owned() };
    super::mapping::load(&given).map_err(|ending| match ending {
        Ending::Faults(faults) => faults,
        _ => vec![Fault::with(Code::CfgMapping, given)],
    })
}

fn test_persons(arguments: &CheckArgs) -> Result<Option<TestPersons>, Fault> {
    let Some(path) = &arguments.test_persons else { return Ok(None) };
    let list = TestPersons::parse(&fs::read_to_string(path).map_err(|fault| cannot(path, &fault))?);
    if list.is_empty() { Err(Fault::with(Code::FixUsage, format!("--test-persons {}", path.display()))) } else { Ok(Some(list)) }
}

fn cannot(path: &Path, fault: &std::io::Error) -> Fault {
    Fault::with(Code::FixPath, format!("{} ({})", path.display(), fault.kind()))
}

/// One byte more than may be, so that it is seen to be too large.
fn stdin(max: u64) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    std::io::stdin().lock().take(max + 1).read_to_end(&mut bytes).map_err(|fault| cannot(Path::new("-"), &fault))?;
    Ok(bytes)
}

fn colours() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// How far the work has come, on a terminal, once it takes long.
struct Bar {
    bar: ProgressBar,
    begun: Instant,
}

impl Bar {
    fn new(units: usize) -> Self {
        let bar = ProgressBar::hidden();
        bar.set_length(units as u64);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {eta}") {
            bar.set_style(style);
        }
        Self { bar, begun: Instant::now() }
    }

    fn at(&self, done: usize) {
        if self.bar.is_hidden() && std::io::stderr().is_terminal() && self.begun.elapsed() > PATIENCE {
            self.bar.set_draw_target(indicatif::ProgressDrawTarget::stderr());
        }
        self.bar.set_position(done as u64);
    }

    fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// By a configuration, else by shipped rules and a sender that nobody is.
pub(super) fn desk(file: Option<&Path>, rules: &str) -> Result<Desk, Ending> {
    if let Some(file) = file {
        let settings = config::load(Some(file), std::env::vars().collect()).map_err(Ending::Faults)?;
        return daemon::desk(&settings).map_err(Ending::Faults);
    }
    let unknown = || Ending::from(Fault::with(Code::CfgRules, rules));
    let text = shipped().iter().find(|(name, _)| *name == rules).map(|(_, text)| *text).ok_or_else(unknown)?;
    let rules = Arc::new(Rules::parse(text).map_err(|_| unknown())?);
    // Nobody of these exists; without a configuration there is no sender and no recipient to check against.
    let nobody = HsaId::parse("SE0000000000-0").ok_or_else(unknown)?;
    Ok(Desk {
        sets: [(rules.name.clone(), Arc::clone(&rules))].into(),
        rules,
        routing: Routing {
            routes: Vec::new(),
            defaults: [Party::Sv, Party::Ov, Party::K].map(|party| Recipient { hsa_id: nobody.clone(), party }).to_vec(),
            destinations: [(Name::unnamed(), false)].into(),
        },
        sender: Sender { org_number: OrgNumber::parse("2120001538").ok_or_else(unknown)?, hsa_id: nobody, name: "–".to_owned() },
        production: false,
        persons: None,
    })
}
