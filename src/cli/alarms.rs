//! `vardbro alarms`.

use super::inspect::Where;
use super::{Ending, say};
use crate::ops;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(super) enum AlarmsCommand {
    /// What is open, since when, and what to do
    List {
        #[command(flatten)]
        place: Where,
        /// One object a line
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(command: &AlarmsCommand, swedish: bool) -> Result<Ending, Ending> {
    let AlarmsCommand::List { place, json } = command;
    let open = place.open()?.alarms_of_all_kinds(ops::ALARMS_MAX)?;
    say(&if *json { ops::alarms_json(&open) } else { ops::alarms_text(&open, swedish) });
    Ok(Ending::Clean)
}
