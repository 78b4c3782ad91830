//! Stories: folders that say what comes in and what shall come of it, walked through the real core and compared.
//!
//! A story is a folder with a `case.toml`; `fixtures/README.md` says how one is written. Intake, rules, wire, seal, store and
//! deliveries are the daemon's own, over a store that goes when the story ends; clock, dice and receiver are the story's. Nothing
//! is read but the folder, the configuration above it and what those name, and nothing is written but `expect.toml` and `out/`,
//! where that is asked for. What a story holds may be personal: findings tell places, and only the differences hold values.

mod case;
mod compare;
mod expect;
mod folder;
mod play;
mod receiver;
mod record;
mod world;

pub use compare::difference;
pub use expect::{list, placed};
pub use receiver::{Conduct, Kept, Receiver, Scripted};
pub use record::{Given, Origin, Record};
pub use world::{Ground, Halt, Look, SetClock, Taken, TakenEvent, World, settings};

use crate::fault::{Code, Fault};
use crate::model::event::CareEvent;
use crate::model::finding::{Effect, Finding, Layer, Place};
use crate::model::personal::Personal;
use crate::ops;
use case::Case;
use compare::{EXPECT, Files, OUT};
use play::Done;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// How a story is played.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Write `expect.toml` and `out/` anew. What comes of it is compared all the same.
    pub update: bool,
    /// The configuration. None: `vardbro.toml` in the folder above the story, else one that is built in. The rules are the story's.
    pub config: Option<PathBuf>,
}

/// One story, replayed.
#[derive(Debug)]
pub struct Played {
    /// What differs from what the folder expects, by file below the story's folder (`expect.toml`, `out/03-K-HT.xml`,
    /// `case.toml`); empty where all is as it says.
    pub findings: Vec<(PathBuf, Finding)>,
    /// The differing lines as text, `-` expected and `+` got. They may hold values: only for those who asked for them.
    pub differences: Personal<String>,
    /// The events that its files gave, for coverage.
    pub events: Vec<CareEvent>,
    /// Ids of the checklist items that it notes as open, and of the rules that it shows: in a message's findings, a deviation, or a journal line that is not a deadline's; DUP-1 by a
    /// duplicate, PAY-1 by the clock that it starts, IN-1 by the K-AD that an R-IN gives rise to.
    pub rules: BTreeSet<String>,
}

/// Why a story goes no further.
enum Stop {
    /// What surrounds it.
    Fault(Fault),
    /// The story itself, by file.
    Broken(Vec<(PathBuf, Finding)>),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Stop {
    /// A world that goes no further, at a step of the case.
    fn at(halt: Halt, place: Option<Place>) -> Self {
        match halt {
            Halt::Fault(fault) => Self::Fault(fault),
            Halt::Stuck(sv, en) => {
                let finding = Code::FixStuck.finding(Effect::Refuse, Layer::Form, Some((sv, en)));
                broken(case::CASE, Finding { place, ..finding })
            }
        }
    }
}

impl From<Halt> for Stop {
    fn from(halt: Halt) -> Self {
        Self::at(halt, None)
    }
}

/// One finding on one file.
fn broken(file: impl AsRef<Path>, finding: Finding) -> Stop {
    Stop::Broken(vec![(file.as_ref().to_owned(), finding)])
}

/// Whether a folder is a story.
pub fn is_story(dir: &Path) -> bool {
    dir.join(case::CASE).is_file()
}

/// Plays a story and compares what came of it with what its folder expects.
///
/// It blocks, and must not be called from within an asynchronous runtime.
pub fn check(dir: &Path, options: &Options) -> Result<Played, Fault> {
    check_on(dir, options, Ground::temporary()?)
}

/// The same over a store of the caller's.
pub fn check_on(dir: &Path, options: &Options, ground: Ground) -> Result<Played, Fault> {
    match played(dir, options, ground) {
        Ok(played) => Ok(played),
        Err(Stop::Broken(findings)) => {
            let differences = Personal::new(String::new());
            Ok(Played { findings, differences, events: Vec::new(), rules: BTreeSet::new() })
        }
        Err(Stop::Fault(fault)) => Err(fault),
    }
}

fn played(dir: &Path, options: &Options, ground: Ground) -> Result<Played, Stop> {
    let case = Case::read(dir)?;
    let Done { world, record } = play::play(dir, &case, options, ground)?;
    let ending = expect::ending(&world, &record, case.is_mapped())?;
    if names_a_person(&ending.text, &record) {
        return Err(broken(EXPECT, Code::FixPerson.finding(Effect::Refuse, Layer::Form, None)));
    }
    let mut actual = documents(&world);
    actual.insert(EXPECT.into(), ending.text.into_bytes());
    if options.update {
        compare::update(dir, &actual)?;
    }
    let (findings, differences) = compare::compare(dir, &actual)?;
    Ok(Played { findings, differences: Personal::new(differences), events: record.events, rules: ending.rules })
}

/// First copies, in the order in which the receiver got them.
#[expect(clippy::disallowed_methods, reason = "compares documents with those that are expected")]
fn documents(world: &World) -> Files {
    let file = |(place, kept): (usize, Kept)| {
        let name = format!("{:02}-{}.xml", place + 1, kept.kind);
        (Path::new(OUT).join(name), kept.document.disclose().clone())
    };
    world.receiver.kept().into_iter().enumerate().map(file).collect()
}

/// Findings and log never name a patient; what names files and cases must not either.
#[expect(clippy::disallowed_methods, reason = "looks for what must not be there")]
fn names_a_person(text: &str, record: &Record) -> bool {
    record.persons.iter().any(|person| text.contains(person.disclose()))
}

/// Tells a story to a person: what came, what the log says, what each episode came to.
pub fn tell(dir: &Path, options: &Options, swedish: bool) -> Result<String, Fault> {
    told(dir, options, swedish).map_err(|stop| match stop {
        Stop::Fault(fault) => fault,
        Stop::Broken(findings) => {
            findings.into_iter().next().map_or(Code::FixCase.into(), |(file, finding)| in_words(&file, &finding, swedish))
        }
    })
}

fn told(dir: &Path, options: &Options, swedish: bool) -> Result<String, Stop> {
    let case = Case::read(dir)?;
    let Done { world, record } = play::play(dir, &case, options, Ground::temporary()?)?;
    let title = if swedish { &case.sv } else { &case.en };
    let mut out = format!("{title}\n\n");
    for row in world.store.journal(&record::everything()).map_err(Halt::from)? {
        out.push_str(&ops::line_text(&row.line, swedish));
        out.push('\n');
    }
    out.push_str(&expect::ending(&world, &record, case.is_mapped())?.text);
    Ok(out)
}

/// A finding as a fault, with its place.
fn in_words(file: &Path, finding: &Finding, swedish: bool) -> Fault {
    let place = finding.place.map_or(String::new(), |place| format!(":{}:{}", place.line, place.column));
    let text = if swedish { &finding.sv } else { &finding.en };
    Fault::with(Code::parse(&finding.code).unwrap_or(Code::FixCase), format!("{}{place}: {text}", file.display()))
}
