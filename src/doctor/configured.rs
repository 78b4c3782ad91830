//! The configuration: what the daemon would stop at when it starts, and what it would start with.

use super::{Area, Examiner, Reading};
use crate::config::{Environment, Mode};
use crate::daemon;
use crate::fault::{Code, Fault};

pub(super) fn readings(examiner: &Examiner<'_>) -> Vec<Reading> {
    let Examiner { settings, file, .. } = examiner;
    let mut out = Vec::new();
    let environment = if settings.environment == Environment::Production { "production" } else { "test" };
    let (sources, destinations) = (settings.sources.len(), settings.destinations.len());
    out.push(Reading::good(
        Area::Configuration,
        file.display().to_string(),
        format!("läst; environment = \"{environment}\", källor: {sources}, destinationer: {destinations}"),
        format!("read; environment = \"{environment}\", sources: {sources}, destinations: {destinations}"),
    ));
    let mut told = |subject: &str, faults: Vec<Fault>| {
        out.extend(faults.into_iter().map(|fault| Reading::fault(Area::Configuration, subject, fault)));
    };
    told("vardbro.toml", settings.require_for_run().err().unwrap_or_default());
    told("vardbro.toml", settings.check_files().err().unwrap_or_default());
    for source in &settings.sources {
        if let Some(choice) = &source.mapping {
            told(&format!("source.{}.mapping", source.name), daemon::load_mapping(choice).err().unwrap_or_default());
        }
    }
    match daemon::desk(settings) {
        Ok(desk) => out.push(Reading::good(
            Area::Configuration,
            "rules.use",
            format!("{} ({} regelverk finns)", settings.rules.name, desk.sets.len()),
            format!("{} ({} sets there)", settings.rules.name, desk.sets.len()),
        )),
        Err(faults) => told("rules.use", faults),
    }
    for shadow in settings.destinations.iter().filter(|known| known.mode == Mode::Shadow) {
        let sv = "mode = \"shadow\": meddelanden kontrolleras och sparas men sänds inte";
        let en = "mode = \"shadow\": messages are checked and kept, and not sent";
        out.push(Reading::good(Area::Configuration, format!("destination.{}", shadow.name), sv, en));
    }
    if settings.environment == Environment::Production && settings.store_key_files.is_empty() {
        let (sv, en) = ("inga nycklar är angivna", "no keys are given");
        out.push(Reading::bad(Area::Configuration, "store.key_files", Code::DocPlain, sv, en));
    }
    out
}
