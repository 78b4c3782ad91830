//! `vardbro rules list|show|diff|move`.

use super::inspect::{Format, refused};
use super::requests::{Confirmation, have_done};
use super::{Ending, episodes, say};
use crate::check::rules::{Rules, shipped};
use crate::config::{self, Settings};
use crate::daemon;
use crate::fault::{Code, Fault};
use crate::ops::{self, MovePlan, Sets};
use clap::{Args, Subcommand};
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Debug, Subcommand)]
pub(super) enum RulesCommand {
    /// Which sets there are
    List {
        #[command(flatten)]
        known: Known,
    },
    /// What a set says
    Show {
        /// vanersborg/2026.1
        name: String,
        #[command(flatten)]
        known: Known,
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// How a set differs from another; exit 1 where it does
    Diff {
        from: String,
        to: String,
        #[command(flatten)]
        known: Known,
    },
    /// Move episodes to another set: shows the plan and its token first, then does it with --confirm
    Move {
        /// The set that they run under, vanersborg/2026.1
        #[arg(long)]
        from: String,
        /// The set that they shall run under
        #[arg(long)]
        to: String,
        /// One episode alone: its id, a beginning of it (8 or more), or system:caseId
        #[arg(long)]
        episode: Option<String>,
        /// Why; kept with the requests, so nothing personal
        #[arg(long)]
        reason: Option<String>,
        #[arg(long, default_value = "vardbro.toml", env = "VARDBRO_CONFIG")]
        config: PathBuf,
        #[command(flatten)]
        confirmation: Confirmation,
    },
}

/// Which sets are known: those in the binary, and those of a configuration.
#[derive(Debug, Args)]
pub(super) struct Known {
    /// Also the sets in this configuration's rules.dir
    #[arg(long, env = "VARDBRO_CONFIG")]
    config: Option<PathBuf>,
}

impl Known {
    /// The sets, and the name of the one in use.
    fn sets(&self) -> Result<(Sets, Option<String>), Ending> {
        let Some(file) = &self.config else {
            return Ok((shipped_sets()?, None));
        };
        let settings = config::load(Some(file), std::env::vars().collect()).map_err(Ending::Faults)?;
        Ok((daemon::rule_sets(&settings).map_err(Ending::Faults)?, Some(settings.rules.name)))
    }
}

/// The shipped sets, in their order.
pub(super) fn in_the_binary() -> Result<Vec<Rules>, Ending> {
    let parse = |(name, text): &(&str, &str)| Rules::parse(text).map_err(|_| Ending::Internal(Fault::with(Code::CfgRules, *name)));
    shipped().iter().map(parse).collect()
}

/// The shipped sets, by name.
pub(super) fn shipped_sets() -> Result<Sets, Ending> {
    Ok(in_the_binary()?.into_iter().map(|set| (set.name.clone(), Arc::new(set))).collect())
}

pub(super) fn run(command: RulesCommand, swedish: bool) -> Result<Ending, Ending> {
    match command {
        RulesCommand::List { known } => {
            let (sets, in_use) = known.sets()?;
            say(&ops::rules_list(sets.values().map(Arc::as_ref), in_use.as_deref(), swedish));
        }
        RulesCommand::Show { name, known, format } => {
            let (sets, _) = known.sets()?;
            let set = named(&sets, &name)?;
            match format {
                Format::Text => say(&ops::rules_show(set, swedish)),
                Format::Json => say(&ops::rules_json(set, swedish)),
            }
        }
        RulesCommand::Diff { from, to, known } => {
            let (sets, _) = known.sets()?;
            if let Some(text) = ops::rules_diff(named(&sets, &from)?, named(&sets, &to)?, swedish) {
                say(&text);
                return Ok(Ending::Findings);
            }
            say(if swedish { "Ingen skillnad.\n" } else { "No difference.\n" });
        }
        RulesCommand::Move { from, to, episode, reason, config, confirmation } => {
            let settings = config::load(Some(&config), std::env::vars().collect()).map_err(Ending::Faults)?;
            return move_episodes(&settings, (&from, &to), episode.as_deref(), reason.as_deref(), &confirmation, swedish);
        }
    }
    Ok(Ending::Clean)
}

fn move_episodes(
    settings: &Settings,
    (from, to): (&str, &str),
    episode: Option<&str>,
    reason: Option<&str>,
    confirmation: &Confirmation,
    swedish: bool,
) -> Result<Ending, Ending> {
    let sets = daemon::rule_sets(settings).map_err(Ending::Faults)?;
    named(&sets, from)?;
    named(&sets, to)?;
    let store = daemon::store(settings)?;
    let mut episodes = store.episodes_under(from)?;
    if let Some(wanted) = episode {
        let Some(id) = episodes::named(&store, &sets, wanted, swedish)? else { return Ok(Ending::Findings) };
        episodes.retain(|known| known.id == id);
    }
    let plan = MovePlan::of(from, to, episodes);
    if plan.is_empty() || from == to {
        let (sv, en) = ("Inget att flytta.", "There is nothing to move.");
        super::complain(if swedish { sv } else { en });
        return Ok(Ending::Findings);
    }
    let Some(token) = &confirmation.confirm else {
        say(&plan.text(swedish));
        return Ok(Ending::Clean);
    };
    if *token != plan.token() {
        return Ok(refused(&Fault::new(Code::OpsStale), swedish));
    }
    let done = have_done(settings, &plan.actions(), reason, confirmation)?;
    say(&plan.result(&done.outcomes, swedish));
    if done.outcomes.iter().any(Option::is_none) {
        super::complain(ops::unanswered(swedish));
    }
    let all = done.outcomes.iter().all(|outcome| outcome.as_ref().is_some_and(|outcome| outcome.done));
    Ok(if all { Ending::Clean } else { Ending::Findings })
}

fn named<'a>(sets: &'a Sets, name: &str) -> Result<&'a Rules, Ending> {
    sets.get(name).map(Arc::as_ref).ok_or_else(|| {
        let known: Vec<&str> = sets.keys().map(String::as_str).collect();
        Fault::with(Code::CfgRules, format!("{name} (known: {})", known.join(", "))).into()
    })
}
