//! `vardbro config check|show|schema`.

use super::{Ending, say};
use crate::config;
use crate::daemon;
use crate::model::dice::SystemDice;
use clap::Subcommand;
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Say everything that is wrong with a configuration
    Check {
        #[arg(long, default_value = "vardbro.toml", env = "VARDBRO_CONFIG")]
        config: PathBuf,
    },
    /// Print the settings in force: defaults, file and environment
    Show {
        #[arg(long, default_value = "vardbro.toml", env = "VARDBRO_CONFIG")]
        config: PathBuf,
    },
    /// Print the JSON schema of the configuration file
    Schema,
}

pub(super) fn run(command: ConfigCommand) -> Result<Ending, Ending> {
    match command {
        ConfigCommand::Check { config } => {
            let settings = load(config)?;
            settings.require_for_run().map_err(Ending::Faults)?;
            settings.check_files().map_err(Ending::Faults)?;
            daemon::desk(&settings).map_err(Ending::Faults)?;
            daemon::keys(&settings, Arc::new(SystemDice))?;
            say("ok\n");
        }
        ConfigCommand::Show { config } => say(&load(config)?.show()),
        ConfigCommand::Schema => say(&config::schema()),
    }
    Ok(Ending::Clean)
}

pub(super) fn load(file: PathBuf) -> Result<config::Settings, Ending> {
    config::load(Some(&file), std::env::vars().collect()).map_err(Ending::Faults)
}
