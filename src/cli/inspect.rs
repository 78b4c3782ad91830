//! `vardbro log`, `vardbro messages` and `vardbro explain`.

use super::{Ending, rules, say};
use crate::config;
use crate::daemon;
use crate::model::state::State;
use crate::ops::{self, Found, Sets};
use crate::store::{Filter, Store};
use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use std::path::{Path, PathBuf};
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
}

impl Where {
    /// The store, and the sets of rules that its episodes may run under; without a configuration those in the binary.
    pub(super) fn open_with_rules(&self) -> Result<(Store, Sets), Ending> {
        let Some(path) = &self.store else {
            let settings = config::load(Some(&self.config), std::env::vars().collect()).map_err(Ending::Faults)?;
            let sets = daemon::rule_sets(&settings).map_err(Ending::Faults)?;
            return Ok((Store::open_to_read(&settings.store_path)?, sets));
        };
        Ok((Store::open_to_read(path)?, rules::shipped_sets()?))
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
}

const FOLLOW_PAUSE: Duration = Duration::from_millis(500);

pub(super) fn log(arguments: &LogArgs, swedish: bool) -> Result<Ending, Ending> {
    let store = open(&arguments.place)?;
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
            let rows = open(&place)?.deliveries(&Filter { episode, state, code, limit, ..Filter::default() })?;
            say(&ops::list(&rows, swedish));
            Ok(Ending::Clean)
        }
        MessagesCommand::Show { message, place, format } => {
            let store = open(&place)?;
            match ops::find(&store, &message)? {
                Found::One(row) => {
                    say(&ops::show(&store, &row, swedish, format == Format::Json)?);
                    Ok(Ending::Clean)
                }
                Found::Several(rows) => {
                    say(&ops::list(&rows, swedish));
                    Ok(Ending::Findings)
                }
                Found::Nothing => {
                    super::complain(if swedish { "Inget meddelande heter så." } else { "No message is called so." });
                    Ok(Ending::Findings)
                }
            }
        }
    }
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

fn open(place: &Where) -> Result<Store, Ending> {
    let path = match &place.store {
        Some(path) => path.clone(),
        None => store_path(&place.config)?,
    };
    Ok(Store::open_to_read(&path)?)
}

fn store_path(config: &Path) -> Result<PathBuf, Ending> {
    let settings = config::load(Some(config), std::env::vars().collect()).map_err(Ending::Faults)?;
    Ok(settings.store_path)
}

fn state(text: &str) -> Result<State, String> {
    State::parse(&text.to_uppercase()).ok_or_else(|| State::VALUES.iter().map(|value| value.code).collect::<Vec<_>>().join(", "))
}
