//! `vardbro messages resend` and `resolve`.

use super::inspect::{nothing, refused};
use super::requests::{Confirmation, Done, have_done};
use super::{Ending, complain, say};
use crate::config::{self, Settings};
use crate::daemon;
use crate::fault::{Code, Fault};
use crate::intake::{Action, Desk};
use crate::model::state::{Handling, State};
use crate::model::time::{Clock, SystemClock};
use crate::ops::{self, Found, RESENDS_MAX, ResendPlan, ResolvePlan};
use crate::store::{DeliveryRow, Store, Wanted};
use clap::Args;
use jiff::Timestamp;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(super) struct ResendArgs {
    /// As for show
    #[arg(required_unless_present = "state")]
    messages: Vec<String>,
    /// PARKED or REJECTED: all that are in this state, oldest first
    #[arg(long, value_parser = parked_state, conflicts_with = "messages")]
    state: Option<State>,
    /// Only those that ended with this code
    #[arg(long, requires = "state")]
    code: Option<String>,
    /// Only those for this destination
    #[arg(long, requires = "state")]
    destination: Option<String>,
    /// Only those since this instant with zone, 2026-03-10T09:00:00+01:00
    #[arg(long, requires = "state")]
    since: Option<Timestamp>,
    /// Most messages of this run
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u8).range(1..=100))]
    limit: u8,
    /// Also what the receiver has accepted
    #[arg(long)]
    again: bool,
    #[arg(long, default_value = "vardbro.toml", env = "VARDBRO_CONFIG")]
    config: PathBuf,
    /// Why; kept with the request, so nothing personal
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    confirmation: Confirmation,
}

#[derive(Debug, Args)]
pub(super) struct ResolveArgs {
    /// As for show
    #[arg(required = true)]
    messages: Vec<String>,
    /// phone, superseded or other: how they were dealt with
    #[arg(long = "as", value_parser = handling)]
    handling: Handling,
    #[arg(long, default_value = "vardbro.toml", env = "VARDBRO_CONFIG")]
    config: PathBuf,
    /// What was done; kept with the request, so nothing personal
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    confirmation: Confirmation,
}

/// Messages that are looked at for one plan; some of them may have to stay.
const LOOK_MAX: usize = 1_000;

/// What every command here needs.
pub(super) struct Office {
    pub(super) settings: Settings,
    pub(super) store: Store,
    pub(super) desk: Desk,
    pub(super) now: Timestamp,
}

impl Office {
    pub(super) fn open(config: &Path) -> Result<Self, Ending> {
        let settings = config::load(Some(config), std::env::vars().collect()).map_err(Ending::Faults)?;
        let desk = daemon::desk(&settings).map_err(Ending::Faults)?;
        let store = daemon::store(&settings)?;
        Ok(Self { settings, store, desk, now: SystemClock.now() })
    }

    /// The deliveries of these names. Of several that one name leads to, the one that `fits` is meant.
    fn find(&self, names: &[String], fits: impl Fn(&DeliveryRow) -> bool, swedish: bool) -> Result<Vec<DeliveryRow>, Ending> {
        let mut out: Vec<DeliveryRow> = Vec::new();
        for name in names {
            let row = match ops::find(&self.store, name)? {
                Found::Purged => return Err(refused(&Fault::new(Code::RetPurged), swedish)),
                Found::Nothing => return Err(nothing(swedish)),
                Found::One(row) => *row,
                Found::Several(rows) => {
                    let mut fitting = rows.iter().filter(|row| fits(row));
                    let (Some(row), None) = (fitting.next(), fitting.next()) else {
                        say(&ops::list(&rows, swedish));
                        return Err(Ending::Findings);
                    };
                    row.clone()
                }
            };
            if out.iter().all(|known| known.id != row.id) {
                out.push(row);
            }
        }
        Ok(out)
    }

    /// Has a plan done whose token was given. None: the plan is only to be shown.
    pub(super) fn confirmed(
        &self,
        confirmation: &Confirmation,
        token: &str,
        actions: &[Action],
        reason: Option<&str>,
        swedish: bool,
    ) -> Result<Option<Done>, Ending> {
        let Some(given) = &confirmation.confirm else { return Ok(None) };
        if given != token {
            return Err(refused(&Fault::new(Code::OpsStale), swedish));
        }
        have_done(&self.settings, actions, reason, confirmation).map(Some)
    }
}

pub(super) fn resend(arguments: &ResendArgs, swedish: bool) -> Result<Ending, Ending> {
    let office = Office::open(&arguments.config)?;
    let (rows, left) = match arguments.state {
        None => (office.find(&arguments.messages, |row| matches!(row.state, State::Parked | State::Rejected), swedish)?, 0),
        Some(state) => office.store.wanted(&Wanted {
            states: vec![state],
            code: arguments.code.clone(),
            destination: arguments.destination.clone(),
            since: arguments.since,
            until: None,
            limit: LOOK_MAX,
        })?,
    };
    let most = usize::from(arguments.limit).min(RESENDS_MAX);
    let plan = ResendPlan::of(&office.store, &office.desk, (rows, left), most, arguments.again, office.now)?;
    let (confirmation, reason) = (&arguments.confirmation, arguments.reason.as_deref());
    let Some(done) = office.confirmed(confirmation, &plan.token(), &plan.actions(), reason, swedish)? else {
        say(&plan.text(office.now, swedish));
        return Ok(if plan.is_empty() { Ending::Findings } else { Ending::Clean });
    };
    say(&plan.result(&done.outcomes, done.running, swedish));
    Ok(ending(&done, swedish))
}

pub(super) fn resolve(arguments: &ResolveArgs, swedish: bool) -> Result<Ending, Ending> {
    let office = Office::open(&arguments.config)?;
    let rows = office.find(&arguments.messages, |row| crate::intake::against_resolve(row).is_none(), swedish)?;
    let plan = ResolvePlan::of(rows, arguments.handling, false);
    let reason = Some(arguments.reason.as_str());
    let Some(done) = office.confirmed(&arguments.confirmation, &plan.token(), &plan.actions(), reason, swedish)? else {
        say(&plan.text(swedish));
        return Ok(if plan.is_empty() { Ending::Findings } else { Ending::Clean });
    };
    say(&plan.result(&done.outcomes, swedish));
    Ok(ending(&done, swedish))
}

/// Clean where everything that was asked was done.
pub(super) fn ending(done: &Done, swedish: bool) -> Ending {
    if done.outcomes.iter().any(Option::is_none) {
        complain(ops::unanswered(swedish));
    }
    let all = done.outcomes.iter().all(|outcome| outcome.as_ref().is_some_and(|outcome| outcome.done));
    if all && !done.outcomes.is_empty() { Ending::Clean } else { Ending::Findings }
}

fn parked_state(text: &str) -> Result<State, String> {
    let state = State::parse(&text.to_uppercase());
    state.filter(|state| matches!(state, State::Parked | State::Rejected)).ok_or_else(|| "PARKED, REJECTED".to_owned())
}

fn handling(text: &str) -> Result<Handling, String> {
    Handling::parse(text).ok_or_else(|| Handling::VALUES.iter().map(|value| value.code).collect::<Vec<_>>().join(", "))
}
