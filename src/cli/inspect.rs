//! `vardbro log`, `vardbro messages` and `vardbro explain`.

use super::requests::{Confirmation, have_done};
use super::{Ending, fallback, parked, rules, say};
use crate::config::{self, Settings};
use crate::daemon;
use crate::fault::{Code, Fault};
use crate::model::dice::SystemDice;
use crate::model::ids::EpisodeId;
use crate::model::state::State;
use crate::model::time::{Clock, SystemClock};
use crate::ops::{self, Found, Sets};
use crate::store::{DeliveryRow, Filter, Keys, Place, Store};
use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
}

/// Which store to look into.
#[derive(Debug, Args)]
pub(super) struct Where {
    #[arg(long, default_value = "vardbro.toml", env = "VARDBRO_CONFIG")]
    config: PathBuf,
    /// The store's file, without a configuration
    #[arg(long)]
    store: Option<PathBuf>,
    /// A key that this file is sealed with; may be given several times
    #[arg(long, requires = "store")]
    key_file: Vec<PathBuf>,
}

impl Where {
    pub(super) fn place(&self) -> Result<Place, Ending> {
        match &self.store {
            Some(path) => Ok(Place::File(path.clone())),
            None => Ok(daemon::place(&self.settings()?)?),
        }
    }

    pub(super) fn keys(&self) -> Result<Keys, Ending> {
        let dice = Arc::new(SystemDice);
        match &self.store {
            Some(_) => Ok(Keys::read(&self.key_file, dice)?),
            None => Ok(daemon::keys(&self.settings()?, dice)?),
        }
    }

    pub(super) fn open(&self) -> Result<Store, Ending> {
        Ok(Store::open_at_to_read(&self.place()?, &self.keys()?)?)
    }

    pub(super) fn settings(&self) -> Result<Settings, Ending> {
        config::load(Some(&self.config), std::env::vars().collect()).map_err(Ending::Faults)
    }

    /// The store, and the sets of rules that its episodes may run under; without a configuration those in the binary.
    pub(super) fn open_with_rules(&self) -> Result<(Store, Sets), Ending> {
        let sets = match &self.store {
            Some(_) => rules::shipped_sets()?,
            None => daemon::rule_sets(&self.settings()?).map_err(Ending::Faults)?,
        };
        Ok((self.open()?, sets))
    }
}

#[derive(Debug, Args)]
pub(super) struct LogArgs {
    #[command(flatten)]
    place: Where,
    /// Go on with what comes
    #[arg(short, long)]
    follow: bool,
    #[arg(long)]
    episode: Option<String>,
    /// Message id or its beginning
    #[arg(long)]
    message: Option<String>,
    #[arg(long, value_parser = state)]
    state: Option<State>,
    #[arg(long)]
    code: Option<String>,
    /// Instant with zone, 2026-03-10T09:00:00+01:00
    #[arg(long)]
    since: Option<Timestamp>,
    /// Most lines to begin with
    #[arg(long, default_value_t = 200)]
    limit: usize,
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Subcommand)]
pub(super) enum MessagesCommand {
    /// Deliveries, newest first
    List {
        #[command(flatten)]
        place: Where,
        #[arg(long, value_parser = state)]
        state: Option<State>,
        #[arg(long)]
        episode: Option<String>,
        #[arg(long)]
        code: Option<String>,
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// One message's whole story
    Show {
        /// Message id, a beginning of it (8 or more), or system:eventId; @destination picks one of several
        message: String,
        #[command(flatten)]
        place: Where,
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Let a held message go: shows the plan and its token first, then does it with --confirm
    Release {
        /// As for show
        message: String,
        #[arg(long, default_value = "vardbro.toml", env = "VARDBRO_CONFIG")]
        config: PathBuf,
        /// Why it may go; kept with the request, so nothing personal
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        confirmation: Confirmation,
    },
    /// Send parked or rejected messages again, under the same id with the same content, at most 100 a run: shows the plan and its
    /// token first, then does it with --confirm
    Resend(parked::ResendArgs),
    /// Close messages by hand that are parked, held or withheld: shows the plan and its token first, then does it with --confirm
    Resolve(parked::ResolveArgs),
    /// What is unsent, as a list for the telephone (reservrutin); afterwards --handled closes what was told
    FallbackList(fallback::FallbackArgs),
}

const FOLLOW_PAUSE: Duration = Duration::from_millis(500);

pub(super) fn log(arguments: &LogArgs, swedish: bool) -> Result<Ending, Ending> {
    let store = arguments.place.open()?;
    let mut filter = Filter {
        after: 0,
        episode: arguments.episode.clone(),
        message: arguments.message.clone(),
        state: arguments.state,
        code: arguments.code.clone(),
        since: arguments.since,
        limit: arguments.limit,
    };
    loop {
        for row in store.journal(&filter)? {
            filter.after = row.id;
            match arguments.format {
                Format::Text => say(&format!("{}\n", ops::line_text(&row.line, swedish))),
                Format::Json => say(&format!("{}\n", row.line)),
            }
        }
        if !arguments.follow {
            return Ok(Ending::Clean);
        }
        std::thread::sleep(FOLLOW_PAUSE);
    }
}

pub(super) fn messages(command: MessagesCommand, swedish: bool) -> Result<Ending, Ending> {
    match command {
        MessagesCommand::List { place, state, episode, code, limit } => {
            let rows = place.open()?.deliveries(&Filter { episode, state, code, limit, ..Filter::default() })?;
            say(&ops::list(&rows, swedish));
            Ok(Ending::Clean)
        }
        MessagesCommand::Show { message, place, format } => {
            let store = place.open()?;
            match ops::find(&store, &message)? {
                Found::One(row) => {
                    say(&ops::show(&store, &row, swedish, format == Format::Json)?);
                    Ok(Ending::Clean)
                }
                Found::Several(rows) => {
                    say(&ops::list(&rows, swedish));
                    Ok(Ending::Findings)
                }
                Found::Purged => Ok(refused(&Fault::new(Code::RetPurged), swedish)),
                Found::Nothing => Ok(nothing(swedish)),
            }
        }
        MessagesCommand::Resend(arguments) => parked::resend(&arguments, swedish),
        MessagesCommand::Resolve(arguments) => parked::resolve(&arguments, swedish),
        MessagesCommand::FallbackList(arguments) => fallback::run(&arguments, swedish),
        MessagesCommand::Release { message, config, reason, confirmation } => release(&message, &config, &reason, &confirmation, swedish),
    }
}

pub(super) fn nothing(swedish: bool) -> Ending {
    super::complain(if swedish { "Inget meddelande heter så." } else { "No message is called so." });
    Ending::Findings
}

fn release(message: &str, config: &Path, reason: &str, confirmation: &Confirmation, swedish: bool) -> Result<Ending, Ending> {
    let settings = config::load(Some(config), std::env::vars().collect()).map_err(Ending::Faults)?;
    let sets = daemon::rule_sets(&settings).map_err(Ending::Faults)?;
    let store = daemon::store(&settings)?;
    let row = match ops::find(&store, message)? {
        Found::One(row) => *row,
        Found::Several(rows) => {
            // Older versions and other destinations need no more of the name where one alone is held.
            let mut held: Vec<DeliveryRow> = rows.iter().filter(|row| row.state == State::Held).cloned().collect();
            let one = held.pop().filter(|_| held.is_empty());
            if one.is_none() {
                say(&ops::list(&rows, swedish));
            }
            let Some(row) = one else { return Ok(Ending::Findings) };
            row
        }
        Found::Purged => return Ok(refused(&Fault::new(Code::RetPurged), swedish)),
        Found::Nothing => return Ok(nothing(swedish)),
    };
    let now = SystemClock.now();
    let seen = uuid::Uuid::try_parse(&row.episode).ok().map(|id| ops::see(&store, &sets, EpisodeId(id), now)).transpose()?.flatten();
    let Some(seen) = seen else { return Ok(nothing(swedish)) };
    let deliveries = store.deliveries(&Filter { episode: Some(row.episode.clone()), limit: 500, ..Filter::default() })?;
    let plan = match ops::ReleasePlan::of(row, &seen, deliveries) {
        Ok(plan) => plan,
        Err(fault) => return Ok(refused(&fault, swedish)),
    };
    let Some(token) = &confirmation.confirm else {
        say(&plan.text(now, swedish));
        return Ok(Ending::Clean);
    };
    if *token != plan.token() {
        return Ok(refused(&Fault::new(Code::OpsStale), swedish));
    }
    let mut done = have_done(&settings, &[plan.action(reason)], None, confirmation)?;
    let Some(Some(outcome)) = done.outcomes.pop() else {
        super::complain(ops::unanswered(swedish));
        return Ok(Ending::Findings);
    };
    let row = store.delivery(plan.delivery())?;
    say(&ops::release_result(&outcome, row.as_ref(), done.running, swedish));
    Ok(if outcome.done { Ending::Clean } else { Ending::Findings })
}

/// Not done, for a reason that has a code.
pub(super) fn refused(fault: &Fault, swedish: bool) -> Ending {
    super::complain(&fault.text(swedish));
    Ending::Findings
}

pub(super) fn explain(code: &str, swedish: bool) -> Result<Ending, Ending> {
    if let Some(page) = ops::explain(code, &rules::in_the_binary()?, swedish) {
        say(&page);
        Ok(Ending::Clean)
    } else {
        super::complain(if swedish { "Ingen kod och ingen regel heter så." } else { "No code and no rule is called so." });
        Ok(Ending::Findings)
    }
}

fn state(text: &str) -> Result<State, String> {
    State::parse(&text.to_uppercase()).ok_or_else(|| State::VALUES.iter().map(|value| value.code).collect::<Vec<_>>().join(", "))
}
