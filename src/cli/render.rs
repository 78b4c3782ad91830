//! `vardbro render`.

use super::{Ending, check, complain, settings};
use crate::config::Wire;
use crate::daemon;
use crate::fault::{Code, Fault};
use crate::model::time::{Clock as _, SystemClock};
use crate::ops;
use crate::wire::sdk::{Parties, Party};
use clap::{Args, ValueEnum};
use std::io::{self, Write as _};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct RenderArgs {
    /// An event as JSON, or a message of ours as XML
    file: PathBuf,
    #[arg(long, value_enum)]
    wire: WireName,
    /// Sender, recipients and rules of this configuration; else made up, with the rules below
    #[arg(long)]
    config: Option<PathBuf>,
    /// Whose addresses stand in the frame; else those of the first destination with this wire
    #[arg(long, requires = "config")]
    destination: Option<String>,
    #[arg(long, default_value = "vanersborg/2026.1")]
    rules: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WireName {
    Xml,
    Sdk,
}

pub(super) fn run(arguments: &RenderArgs, swedish: bool) -> Result<Ending, Ending> {
    let wire = if arguments.wire == WireName::Sdk { Wire::Sdk } else { Wire::Xml };
    let parties = parties(arguments)?;
    let desk = check::desk(arguments.config.as_deref(), &arguments.rules)?;
    let path = || arguments.file.display().to_string();
    let bytes = std::fs::read(&arguments.file).map_err(|fault| Fault::with(Code::CfgFile, format!("{} ({})", path(), fault.kind())))?;
    match ops::render(&bytes, &desk, wire, &parties, SystemClock.now()) {
        Ok(documents) => {
            for document in documents {
                #[expect(clippy::disallowed_methods, reason = "whoever asked for the message is shown it")]
                let _ = io::stdout().lock().write_all(document.disclose());
            }
            Ok(Ending::Clean)
        }
        Err(findings) => {
            for finding in findings {
                let at = finding.path.as_deref().map_or_else(path, |at| format!("{}: {at}", path()));
                complain(&format!("{at}: {} {}", finding.code, if swedish { &finding.sv } else { &finding.en }));
            }
            Ok(Ending::Findings)
        }
    }
}

/// The addresses of a configured destination, or of nobody.
fn parties(arguments: &RenderArgs) -> Result<Parties, Ending> {
    let Some(config) = &arguments.config else {
        let party = |name: &str| Party { organisation: format!("0203:{name}.example"), function: format!("sdk.{name}") };
        return Ok(Parties { sender: party("kommun"), recipient: party("region"), own_ids: false });
    };
    let settings = settings::load(config.clone())?;
    let wanted = |name: &str| arguments.destination.as_deref().is_none_or(|wanted| wanted == name);
    let sdk = settings.destinations.iter().filter(|known| wanted(&known.name)).find_map(|known| known.sdk.as_ref());
    match sdk {
        Some(sdk) => Ok(daemon::parties(sdk)),
        None if arguments.wire == WireName::Xml => {
            let nobody = || Party { organisation: String::new(), function: String::new() };
            Ok(Parties { sender: nobody(), recipient: nobody(), own_ids: false })
        }
        None => Err(Fault::with(Code::CfgMissing, "[destination.NAME] with wire = \"sdk\"").into()),
    }
}
