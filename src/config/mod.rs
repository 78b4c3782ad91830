//! Configuration: as written (`raw`, `default.toml`), read with places (`read`), checked (`check`), as used (`settings`).
//!
//! It reads one file and the environment that it is given, and must never repeat a value in a fault: any could be a secret.

mod check;
mod keys;
mod mail;
mod nearest;
mod raw;
mod read;
mod settings;

#[cfg(test)]
mod tests;

pub use keys::{reference, schema};
pub use settings::{
    Address, AlarmSettings, AmqpSettings, BrokerTls, DestinationSettings, DirectorySettings, Done, Engine, Environment, FileOrder,
    HttpSettings, HttpSourceSettings, Language, Level, LimitsSettings, MailSettings, MailTls, MappingChoice, MetricsSettings, Mode,
    NatsSettings, OplogSettings, Organisation, Receipt, RecipientSettings, RetentionSettings, RetrySettings, RouteSettings, RulesSettings,
    SdkIds, SdkSettings, Settings, SourceKind, SourceSettings, SqlSettings, Tls, TokenSettings, Way, Wire,
};

use crate::fault::{Code, Fault};
use std::io::ErrorKind;
use std::path::Path;

/// Defaults, then the file, then `VARDBRO__SECTION__KEY`. Relative paths start in the file's folder, or the working folder.
pub fn load(file: Option<&Path>, env: Vec<(String, String)>) -> Result<Settings, Vec<Fault>> {
    let Some(path) = file else { return settle(None, Path::new(""), &env) };
    let name = path.display().to_string();
    let text = std::fs::read(path).map_err(|error| vec![Fault::with(Code::CfgUnreadable, format!("{name}: {}", reason(error.kind())))])?;
    let Ok(text) = String::from_utf8(text) else {
        return Err(vec![Fault::with(Code::CfgSyntax, format!("{name}: not in UTF-8"))]);
    };
    settle(Some((&name, &text)), path.parent().unwrap_or(Path::new("")), &env)
}

/// The same from a text, as if it were `vardbro.toml` in `base`.
pub fn parse(text: &str, base: &Path, env: Vec<(String, String)>) -> Result<Settings, Vec<Fault>> {
    settle(Some(("vardbro.toml", text)), base, &env)
}

fn settle(text: Option<(&str, &str)>, base: &Path, env: &[(String, String)]) -> Result<Settings, Vec<Fault>> {
    let (raw, origin) = read::read(text, env);
    if origin.faults.iter().any(|fault| fault.code == Code::CfgSyntax) {
        // Nothing is known of what the file says; whatever is found missing would mislead.
        return Err(origin.faults);
    }
    check::check(raw, origin, base)
}

fn reason(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NotFound => "no such file",
        ErrorKind::PermissionDenied => "permission denied",
        ErrorKind::IsADirectory => "it is a folder",
        _ => "it cannot be read",
    }
}
