//! Requests of operators: left for the daemon, or done here where none is running.

use super::Ending;
use super::who::{name, who};
use crate::config::Settings;
use crate::daemon;
use crate::intake::{Action, Intake, Outcome};
use crate::model::dice::SystemDice;
use crate::model::time::{Clock, SystemClock};
use crate::seal::XsdValidator;
use crate::store::{Place, Store};
use clap::Args;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Who decides.
#[derive(Debug, Args)]
pub(super) struct Confirmation {
    /// Who decides; else the user of the terminal. The audit log also has the user that the command runs as
    #[arg(long)]
    pub(super) by: Option<String>,
    /// The token of the plan; without one the plan is shown and nothing is done
    #[arg(long)]
    pub(super) confirm: Option<String>,
}

/// What came of requests, in their order; none where the daemon has not answered in time.
pub(super) struct Done {
    pub(super) outcomes: Vec<Option<Outcome>>,
    /// A daemon has the store.
    pub(super) running: bool,
}

/// For a daemon's answer; anew with each that comes.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(100);

/// Has the actions done. The store is the daemon's where one runs; otherwise it is ours for as long as this takes.
pub(super) fn have_done(
    settings: &Settings,
    actions: &[Action],
    reason: Option<&str>,
    confirmation: &Confirmation,
) -> Result<Done, Ending> {
    let place = daemon::place(settings)?;
    let keys = daemon::keys(settings, Arc::new(SystemDice))?;
    let reader = Store::open_at_to_read(&place, &keys)?;
    // A file that no daemon holds is ours for as long as this takes; a shared database has its daemons elsewhere.
    let own = if matches!(place, Place::File(_)) { Store::open_at(&place, &keys).ok() } else { None };
    let mut ids = Vec::new();
    for action in actions {
        ids.push(reader.ask(SystemClock.now(), &name(confirmation.by.as_deref()), &written(action, reason))?);
    }
    let running = own.is_none();
    if let Some(store) = own {
        serve(settings, store, &reader, &ids)?;
    } else {
        wait(&reader, &ids)?;
    }
    let outcomes = ids.iter().map(|id| outcome(&reader, *id)).collect::<Result<_, _>>()?;
    Ok(Done { outcomes, running })
}

/// The request as it is kept, with the user that asks, and with the reason also where the action itself has no place for one.
fn written(action: &Action, reason: Option<&str>) -> String {
    let mut value = json!(action);
    if let Value::Object(fields) = &mut value {
        let asker = who(None);
        fields.insert("asker".to_owned(), json!({"uid": asker.uid, "login": asker.login}));
        fields.extend(reason.map(|reason| ("reason".to_owned(), json!(reason))));
    }
    value.to_string()
}

fn serve(settings: &Settings, store: Store, reader: &Store, ids: &[i64]) -> Result<(), Ending> {
    let desk = daemon::desk(settings).map_err(Ending::Faults)?;
    let mut intake = Intake::new(desk, store, Box::new(XsdValidator::message()), Arc::new(SystemClock));
    while open(reader, ids)? > 0 && intake.serve()? > 0 {}
    Ok(())
}

fn wait(reader: &Store, ids: &[i64]) -> Result<(), Ending> {
    let mut left = open(reader, ids)?;
    let mut waited = Duration::ZERO;
    while left > 0 && waited < PATIENCE {
        std::thread::sleep(PAUSE);
        waited += PAUSE;
        let now = open(reader, ids)?;
        if now < left {
            (left, waited) = (now, Duration::ZERO);
        }
    }
    Ok(())
}

/// How many of the requests are not done.
fn open(reader: &Store, ids: &[i64]) -> Result<usize, Ending> {
    let mut left = 0;
    for id in ids {
        left += usize::from(outcome(reader, *id)?.is_none());
    }
    Ok(left)
}

fn outcome(reader: &Store, id: i64) -> Result<Option<Outcome>, Ending> {
    let row = reader.request(id)?;
    Ok(row.and_then(|row| row.outcome).and_then(|text| serde_json::from_str(&text).ok()))
}
