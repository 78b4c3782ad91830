//! `vardbro episodes list|show`.

use super::inspect::{Format, Where};
use super::{Ending, say};
use crate::model::episode::Phase;
use crate::model::ids::EpisodeId;
use crate::model::time::{Clock, SystemClock};
use crate::ops::{self, Named, Sets};
use crate::store::{Filter, Store};
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(super) enum EpisodesCommand {
    /// Episodes, the last changed first
    List {
        #[command(flatten)]
        place: Where,
        /// INSKRIVEN, UTSKRIVNINGSKLAR
        #[arg(long, value_parser = phase)]
        phase: Option<Phase>,
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// All that is known of one: what is open at whom, what is due when, payment, messages, events
    Show {
        /// Episode id, a beginning of it (8 or more), or system:caseId
        episode: String,
        #[command(flatten)]
        place: Where,
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
}

/// Messages of one episode that are shown at most.
const MESSAGES_MAX: usize = 1_000;

pub(super) fn run(command: EpisodesCommand, swedish: bool) -> Result<Ending, Ending> {
    let now = SystemClock.now();
    match command {
        EpisodesCommand::List { place, phase, limit } => {
            let (store, sets) = place.open_with_rules()?;
            let wanted = |seen: &ops::Seen| phase.is_none_or(|phase| seen.state.phase == phase);
            let mut found = Vec::new();
            for seen in ops::see_all(&store, &sets, now)? {
                found.extend(Some(seen?).filter(wanted));
                if found.len() >= limit {
                    break;
                }
            }
            found.truncate(limit);
            say(&ops::episodes_list(&found, now, swedish));
            Ok(Ending::Clean)
        }
        EpisodesCommand::Show { episode, place, format } => {
            let (store, sets) = place.open_with_rules()?;
            let Some(id) = named(&store, &sets, &episode, swedish)? else { return Ok(Ending::Findings) };
            let Some(seen) = ops::see(&store, &sets, id, now)? else { return Ok(Ending::Findings) };
            let others = ops::readmissions(&store, &sets, &seen, now)?;
            let deliveries = store.deliveries(&Filter { episode: Some(id.to_string()), limit: MESSAGES_MAX, ..Filter::default() })?;
            say(&match format {
                Format::Text => ops::episode_text(&seen, &others, &deliveries, now, swedish),
                Format::Json => ops::episode_json(&seen, &others, &deliveries, now, swedish),
            });
            Ok(Ending::Clean)
        }
    }
}

/// The episode that is meant; where none or several are, it is told so.
pub(super) fn named(store: &Store, sets: &Sets, wanted: &str, swedish: bool) -> Result<Option<EpisodeId>, Ending> {
    match ops::find_episode(store, wanted)? {
        Named::One(id) => Ok(Some(id)),
        Named::Several(ids) => {
            let now = SystemClock.now();
            let mut found = Vec::new();
            for id in ids {
                found.extend(ops::see(store, sets, id, now)?);
            }
            say(&ops::episodes_list(&found, now, swedish));
            Ok(None)
        }
        Named::Nothing => {
            super::complain(if swedish { "Inget ärende heter så." } else { "No episode is called so." });
            Ok(None)
        }
    }
}

fn phase(text: &str) -> Result<Phase, String> {
    Phase::parse(&text.to_uppercase()).ok_or_else(|| Phase::VALUES.iter().map(|value| value.code).collect::<Vec<_>>().join(", "))
}
