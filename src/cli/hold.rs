//! `vardbro hold`: what must not be purged.

use super::episodes::named;
use super::inspect::{Where, refused};
use super::who::{name, who};
use super::{Ending, say};
use crate::fault::{Code, Fault};
use crate::model::keyed::Ref;
use crate::model::personal::Personal;
use crate::model::time::{Clock, SystemClock};
use crate::oplog::{Event, Line};
use crate::ops;
use crate::store::{Audit, Kind, Subject};
use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(super) enum HoldCommand {
    /// Keep something, however old it becomes, until the hold is lifted
    Set(SetArgs),
    /// Which holds stand, why, and who set them
    List {
        #[command(flatten)]
        place: Where,
        /// Those that were lifted as well
        #[arg(long)]
        lifted: bool,
    },
    /// Lift a hold
    Lift {
        /// Its number in the list
        id: i64,
        #[command(flatten)]
        place: Where,
        /// Who decides; else the user of the terminal
        #[arg(long)]
        by: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(super) struct SetArgs {
    #[command(flatten)]
    subject: SubjectArgs,
    #[command(flatten)]
    place: Where,
    /// Why; kept with the hold, sealed where the store is
    #[arg(long)]
    reason: String,
    /// Who decides; else the user of the terminal. The audit log also has the user that the command runs as
    #[arg(long)]
    by: Option<String>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct SubjectArgs {
    /// Episode id, a beginning of it (8 or more), or system:caseId
    #[arg(long)]
    episode: Option<String>,
    /// The patient's keyed reference (`patient_ref` in the log): every episode in which the patient is named
    #[arg(long, value_parser = patient)]
    patient_ref: Option<Ref>,
    /// Everything, the sources' folders included
    #[arg(long)]
    all: bool,
}

pub(super) fn run(command: HoldCommand, swedish: bool) -> Result<Ending, Ending> {
    match command {
        HoldCommand::Set(arguments) => set(&arguments, swedish),
        HoldCommand::List { place, lifted } => {
            say(&ops::holds_text(&place.open()?.holds(lifted)?, swedish));
            Ok(Ending::Clean)
        }
        HoldCommand::Lift { id, place, by } => {
            let now = SystemClock.now();
            let store = place.open()?;
            let found = store.holds(false)?.into_iter().find(|hold| hold.id == id);
            let line = ops::hold_line(now, Event::HoldLifted, found.as_ref().map(|hold| &hold.subject));
            if !store.lift(id, &name(by.as_deref()), &line, audit(Kind::HoldLifted, &line, by.as_deref()))? {
                return Ok(refused(&Fault::new(Code::RetNoHold), swedish));
            }
            say(&ops::holds_text(&store.holds(false)?, swedish));
            Ok(Ending::Clean)
        }
    }
}

fn set(arguments: &SetArgs, swedish: bool) -> Result<Ending, Ending> {
    let now = SystemClock.now();
    let (store, sets) = arguments.place.open_with_rules()?;
    let SubjectArgs { episode, patient_ref, .. } = &arguments.subject;
    let subject = match (episode, patient_ref) {
        (Some(episode), _) => {
            let Some(id) = named(&store, &sets, episode, swedish)? else { return Ok(Ending::Findings) };
            Subject::Episode(id)
        }
        (None, Some(patient)) => Subject::Patient(patient.clone()),
        (None, None) => Subject::Everything,
    };
    let line = ops::hold_line(now, Event::HoldSet, Some(&subject));
    let by = arguments.by.as_deref();
    let told = audit(Kind::HoldSet, &line, by).tell("subject", subject.text()).tell("reason", arguments.reason.as_str());
    store.hold(&name(by), &subject, &Personal::new(arguments.reason.clone()), &line, told)?;
    say(&ops::holds_text(&store.holds(false)?, swedish));
    Ok(Ending::Clean)
}

/// The audit log's row of what the line tells.
fn audit(kind: Kind, line: &Line, by: Option<&str>) -> Audit {
    let mut audit = Audit::new(line.at, kind, who(by));
    (audit.episode, audit.patient) = (line.episode_id, line.patient_ref.clone());
    audit
}

fn patient(text: &str) -> Result<Ref, &'static str> {
    Ref::parse(text).ok_or("24 hexadecimal digits")
}
