//! `vardbro rules list|show|diff`.

use super::inspect::Format;
use super::{Ending, say};
use crate::check::rules::{Rules, shipped};
use crate::config;
use crate::daemon;
use crate::fault::{Code, Fault};
use crate::ops::{self, Sets};
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
    }
    Ok(Ending::Clean)
}

fn named<'a>(sets: &'a Sets, name: &str) -> Result<&'a Rules, Ending> {
    sets.get(name).map(Arc::as_ref).ok_or_else(|| {
        let known: Vec<&str> = sets.keys().map(String::as_str).collect();
        Fault::with(Code::CfgRules, format!("{name} (known: {})", known.join(", "))).into()
    })
}
