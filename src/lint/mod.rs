//! `vardbro check`: files found, read as the daemon would read them, held against what they are to say, and counted for coverage.
//!
//! Each file stands alone: an episode's course over several files is what a story is for. So files are looked at side by side,
//! and the report is the same in whatever order that happens.

mod coverage;
mod example;
mod excerpt;
mod expect;
mod file;
mod walk;

pub use coverage::{Coverage, Kind, Share};
pub use example::{example, story};
pub use expect::written;
pub use walk::{Found, Unit, find};

use crate::fault::Fault;
use crate::intake::Desk;
use crate::map::Mapping;
use crate::model::testpersons::TestPersons;
use crate::model::time::Clock;
use crate::report::findings::{FileReport, Report};
use coverage::Reached;
use expect::Expectations;
use file::{Checker, Looked};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Units that are looked at before their findings are put in order.
const CHUNK: usize = 512;
/// Most findings that a report tells; the others are counted.
const TOLD_MAX: usize = 10_000;

/// A mapping by its name or file, as a folder names it.
type Load<'a> = dyn Fn(&str, &Path) -> Result<Mapping, Vec<Fault>> + Sync + 'a;

/// What to look at the files with.
pub struct Options<'a> {
    /// Rules, routes and sender.
    pub desk: Desk,
    /// By which all files are read; else by what a folder's `expect.toml` names, else as events, messages and receipts of ours.
    pub mapping: Option<Mapping>,
    /// Reads a mapping that a folder names.
    pub load: &'a Load<'a>,
    /// The configuration that stories are played with; else the one above each story.
    pub config: Option<PathBuf>,
    /// Show lines of the source as they are, where everybody in the file is one of these.
    pub shown: Option<Arc<TestPersons>>,
    /// Largest file, in bytes.
    pub max_bytes: u64,
    /// Write what is found as what is expected.
    pub update: bool,
    /// Count what is reached.
    pub coverage: bool,
    pub threads: usize,
    pub clock: &'a (dyn Clock + Sync),
    /// Called now and then with how many units are done.
    pub progress: &'a (dyn Fn(usize) + Sync),
}

impl std::fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("update", &self.update).finish_non_exhaustive()
    }
}

/// Looks at everything that was found.
pub fn run(found: Found, options: &Options<'_>) -> Result<(Report, Option<Coverage>), Fault> {
    let Found { units, folders, stdin } = found;
    let expected = Expectations::read(&folders, options);
    let mut report = Report::default();
    let mut reached = Reached::default();
    let mut checkers: Vec<Checker<'_>> =
        (0..options.threads.clamp(1, units.len().max(1))).map(|_| Checker::new(options, &expected, stdin.as_ref())).collect();
    let mut outcomes: BTreeMap<PathBuf, Vec<expect::Outcome>> = BTreeMap::new();
    for (place, chunk) in units.chunks(CHUNK).enumerate() {
        for looked in side_by_side(&mut checkers, chunk, place * CHUNK, options)? {
            report.records += looked.records;
            report.stories += usize::from(looked.story);
            reached.add(looked.reached);
            if let Some((folder, outcome)) = looked.outcome {
                outcomes.entry(folder).or_default().push(outcome);
            }
            looked.files.into_iter().for_each(|file| tell(&mut report, file));
        }
    }
    drop(checkers);
    for file in expected.settle(outcomes, options)? {
        tell(&mut report, file);
    }
    report.files.sort_by(|one, other| one.file.cmp(&other.file));
    let coverage = options.coverage.then(|| Coverage::of(&reached, &options.desk.rules, &expected.mappings(options)));
    Ok((report, coverage))
}

/// A chunk's results, in the order of its units.
fn side_by_side(checkers: &mut [Checker<'_>], chunk: &[Unit], done: usize, options: &Options<'_>) -> Result<Vec<Looked>, Fault> {
    let next = AtomicUsize::new(0);
    let looks = |checker: &mut Checker<'_>| {
        let mut looked = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(unit) = chunk.get(place) else { return looked };
            looked.push((place, checker.look(unit)));
            (options.progress)(done + place + 1);
        }
    };
    let mut all: Vec<(usize, Result<Looked, Fault>)> = match checkers {
        [one] => looks(one),
        many => std::thread::scope(|scope| {
            let workers: Vec<_> = many.iter_mut().map(|checker| scope.spawn(|| looks(checker))).collect();
            workers.into_iter().flat_map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
        }),
    };
    all.sort_by_key(|(place, _)| *place);
    all.into_iter().map(|(_, looked)| looked).collect()
}

/// Adds a file's findings to the report, as far as there is room.
fn tell(report: &mut Report, mut file: FileReport) {
    file.findings.iter().for_each(|told| report.totals.count(told.severity));
    let findings = report.totals.errors + report.totals.warnings + report.totals.notes;
    let beyond = findings.saturating_sub(TOLD_MAX + report.untold).min(file.findings.len());
    file.findings.truncate(file.findings.len() - beyond);
    // What is cut off would keep its room, file for file.
    file.findings.shrink_to_fit();
    report.untold += beyond;
    report.files.push(file);
}
