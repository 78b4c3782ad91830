//! `vardbro doctor`.

use super::inspect::Format;
use super::{Ending, run, say, settings};
use crate::doctor::{self, Examiner};
use crate::model::dice::SystemDice;
use crate::model::time::SystemClock;
use clap::Args;
use std::path::PathBuf;
use std::sync::Arc;

/// Exit 0 where nothing needs a hand, 1 where something does, 2 where the configuration cannot be read. Run it as the daemon's user.
#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    #[arg(long, default_value = "vardbro.toml", env = "VARDBRO_CONFIG")]
    config: PathBuf,
    /// Ask nobody else's machine
    #[arg(long)]
    offline: bool,
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Also write a file for whoever is asked for help (a new one, .tar.gz); it holds no personal data
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
}

pub(super) fn run(arguments: &DoctorArgs, swedish: bool) -> Result<Ending, Ending> {
    let settings = settings::load(arguments.config.clone())?;
    let examiner = Examiner {
        settings: &settings,
        file: &arguments.config,
        clock: &SystemClock,
        dice: Arc::new(SystemDice),
        offline: arguments.offline,
    };
    let readings = run::blocking(async { Ok(examiner.examine().await) })?;
    say(&match arguments.format {
        Format::Text => doctor::as_text(&readings, swedish),
        Format::Json => doctor::as_json(&readings),
    });
    if let Some(to) = &arguments.bundle {
        doctor::pack(&examiner, &readings, to)?;
    }
    Ok(if doctor::is_well(&readings) { Ending::Clean } else { Ending::Findings })
}
