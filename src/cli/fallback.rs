//! `vardbro messages fallback-list`.

use super::parked::{Office, ending};
use super::requests::{Confirmation, have_done};
use super::who::{audited, who};
use super::{Ending, say};
use crate::intake::Action;
use crate::model::state::Handling;
use crate::ops::{self, ResolvePlan, Unsent};
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use std::path::PathBuf;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Csv,
    Json,
}

#[derive(Debug, Args)]
pub(super) struct FallbackArgs {
    /// Only what is for this destination
    #[arg(long)]
    destination: Option<String>,
    /// Rejected messages since this instant with zone; a day back unless given
    #[arg(long)]
    since: Option<Timestamp>,
    /// Only what had come at this instant with zone; now unless given
    #[arg(long)]
    until: Option<Timestamp>,
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// With patients, case numbers and content: PERSONAL DATA; that it was printed is kept in the store and told in the log
    #[arg(long, conflicts_with = "handled")]
    with_names: bool,
    /// Close what the list of that instant holds, as told by telephone: plan and token first, then --confirm
    #[arg(long, requires = "until")]
    handled: bool,
    #[arg(long, default_value = "vardbro.toml", env = "VARDBRO_CONFIG")]
    config: PathBuf,
    /// Why; kept with the request, so nothing personal
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    confirmation: Confirmation,
}

pub(super) fn run(arguments: &FallbackArgs, swedish: bool) -> Result<Ending, Ending> {
    let office = Office::open(&arguments.config)?;
    if arguments.handled {
        return handled(&office, arguments, swedish);
    }
    let until = arguments.until.unwrap_or(office.now);
    let destination = arguments.destination.as_deref();
    let list = Unsent::of(&office.store, &office.desk, destination, (arguments.since, until), arguments.with_names, swedish)?;
    if arguments.with_names {
        // Before anything is shown. Both stand in the store even where no daemon answers in time.
        let reason = arguments.reason.as_deref();
        audited(&office.store, &list.audits(&who(arguments.confirmation.by.as_deref()), office.now, reason))?;
        let print = Action::Print { count: list.count() };
        have_done(&office.settings, &[print], reason, &arguments.confirmation)?;
    }
    show(arguments.format, &list, swedish);
    Ok(Ending::Clean)
}

#[expect(clippy::disallowed_methods, reason = "an operator has asked for the list, with names where that was asked for and written down")]
fn show(format: Format, list: &Unsent, swedish: bool) {
    let made = match format {
        Format::Text => list.text(swedish),
        Format::Csv => list.csv(swedish),
        Format::Json => list.json(swedish),
    };
    say(made.disclose());
}

fn handled(office: &Office, arguments: &FallbackArgs, swedish: bool) -> Result<Ending, Ending> {
    let until = arguments.until.unwrap_or(office.now);
    let (rows, _) = ops::unsent(&office.store, arguments.destination.as_deref(), until)?;
    let plan = ResolvePlan::of(rows, Handling::Phone, true);
    let reason = arguments.reason.as_deref();
    let Some(done) = office.confirmed(&arguments.confirmation, &plan.token(), &plan.actions(), reason, swedish)? else {
        say(&plan.text(swedish));
        return Ok(if plan.is_empty() { Ending::Findings } else { Ending::Clean });
    };
    say(&plan.result(&done.outcomes, swedish));
    Ok(ending(&done, swedish))
}
