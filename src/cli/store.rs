//! `vardbro store`: check, backup, restore, export.

use super::inspect::{Format, Where, refused};
use super::who::{audited, who};
use super::{Ending, say};
use crate::config;
use crate::daemon;
use crate::fault::{Code, Fault};
use crate::model::dice::SystemDice;
use crate::model::time::{Clock, SystemClock};
use crate::ops::{self, MarkPlan, PurgePlan, RestorePlan};
use crate::retain::Retention;
use crate::store::{self, Audit, Before, ExportFault, Kind, NewFile, Place, PutBack, Rekey, StoreKey, Vacant};
use clap::Subcommand;
use jiff::Timestamp;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Debug, Subcommand)]
pub(super) enum StoreCommand {
    /// Look at every row and say what does not hold together; exit 1 where something does not. The daemon may run meanwhile
    Check {
        #[command(flatten)]
        place: Where,
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Write a backup, also while the daemon runs
    Backup {
        /// A new file, or a folder in which it gets a name of its own
        to: PathBuf,
        #[command(flatten)]
        at: Where,
    },
    /// Put a backup in the store's place: shows the plan and its token first, then does it with --confirm
    Restore {
        /// The backup
        #[arg(required_unless_present = "in_place")]
        file: Option<PathBuf>,
        /// The store has been put back by other means (`pg_restore`, a disk's snapshot): only mark what may have been sent since
        #[arg(long, conflicts_with = "file")]
        in_place: bool,
        #[command(flatten)]
        at: Where,
        /// The token of the plan; without one the plan is shown and nothing is done
        #[arg(long)]
        confirm: Option<String>,
    },
    /// Purge what is old, as the daemon does every hour, also while it runs: shows the plan and its token first, then does it with
    /// --confirm
    Prune {
        #[arg(long, default_value = "vardbro.toml", env = "VARDBRO_CONFIG")]
        config: PathBuf,
        /// Show the plan, as without --confirm
        #[arg(long, conflicts_with = "confirm")]
        plan: bool,
        /// The token of the plan; without one the plan is shown and nothing is done
        #[arg(long)]
        confirm: Option<String>,
    },
    /// Seal everything with the first key of the configuration, also while the daemon runs. A store that is not sealed yet must be
    /// nobody else's when it begins
    Rekey {
        #[command(flatten)]
        at: Where,
    },
    /// Make a key for `store.key_files`
    NewKey {
        /// A new file
        file: PathBuf,
    },
    /// Write everything as lines of JSON, for leaving the product; holds personal data
    Export {
        /// A new file
        to: PathBuf,
        #[command(flatten)]
        at: Where,
    },
}

/// Seconds of an hour.
const HOUR_S: i64 = 3_600;
/// Between two batches of rows: the daemon writes meanwhile.
const PAUSE: Duration = Duration::from_millis(20);

pub(super) fn run(command: StoreCommand, swedish: bool) -> Result<Ending, Ending> {
    match command {
        StoreCommand::Check { place, format } => check(&place, format, swedish),
        StoreCommand::Backup { to, at } => backup(&to, &at, swedish),
        StoreCommand::Restore { file: Some(file), at, confirm, .. } => restore(&file, &at, confirm.as_deref(), swedish),
        StoreCommand::Restore { file: None, at, confirm, .. } => mark(&at, confirm.as_deref(), swedish),
        StoreCommand::Prune { config, confirm, .. } => prune(&config, confirm.as_deref(), swedish),
        StoreCommand::Rekey { at } => rekey(&at, swedish),
        StoreCommand::NewKey { file } => new_key(&file, swedish),
        StoreCommand::Export { to, at } => export(&to, &at, swedish),
    }
}

fn check(place: &Where, format: Format, swedish: bool) -> Result<Ending, Ending> {
    let (store, sets) = place.open_with_rules()?;
    let looked = ops::check_store(&store, &sets, SystemClock.now())?;
    say(&match format {
        Format::Text => ops::looked_text(&looked, swedish),
        Format::Json => ops::looked_json(&looked),
    });
    Ok(if looked.damaged.is_empty() { Ending::Clean } else { Ending::Findings })
}

fn backup(to: &Path, at: &Where, swedish: bool) -> Result<Ending, Ending> {
    let now = SystemClock.now();
    let to = if to.is_dir() { to.join(ops::backup_name(now)) } else { to.to_owned() };
    let path = match at.place()? {
        Place::File(path) => path,
        Place::Postgres(server) => return Err(Fault::with(Code::StoServer, server.dump_command(&to)?).into()),
    };
    // What a program of another version has written has no log that this one could write to.
    match at.open() {
        Ok(store) => audited(&store, &[Audit::new(now, Kind::BackedUp, who(None)).tell("file", to.display().to_string())])?,
        Err(Ending::Faults(faults)) if faults.iter().all(|fault| fault.code == Code::CfgStoreVersion) => {}
        Err(ending) => return Err(ending),
    }
    let contents = store::back_up(&path, &to, now)?;
    say(&ops::backup_text(&to, &contents, swedish));
    Ok(Ending::Clean)
}

fn restore(file: &Path, at: &Where, confirm: Option<&str>, swedish: bool) -> Result<Ending, Ending> {
    let path = match at.place()? {
        Place::File(path) => path,
        Place::Postgres(server) => return Err(Fault::with(Code::StoServer, server.dump_command(file)?).into()),
    };
    let vacant = Vacant::take(&path)?;
    let backup = store::look_into(file)?;
    let keys = at.keys()?;
    backup.opens_with(&keys).map_err(|fault| match fault.code() {
        Code::CfgStoreSealed => Fault::with(Code::CfgStoreSealed, file.display().to_string()),
        _ => Fault::with(Code::StoNoBackup, file.display().to_string()),
    })?;
    let plan = RestorePlan { file, backup: &backup, present: vacant.present(&backup, &keys) };
    let now = SystemClock.now();
    let Some(token) = confirm else {
        say(&plan.text(now, swedish));
        return Ok(Ending::Clean);
    };
    if token != plan.token() {
        return Ok(refused(&Fault::new(Code::OpsStale), swedish));
    }
    let done = vacant.put_back(file, &backup, &keys, &ops::restored(now, backup.made_at, who(None)))?;
    say(&ops::restored_text(&done, backup.made_at.or(backup.newest), swedish));
    Ok(Ending::Clean)
}

fn mark(at: &Where, confirm: Option<&str>, swedish: bool) -> Result<Ending, Ending> {
    let place = at.place()?;
    let name = match &place {
        Place::File(path) if !path.exists() => return Err(Fault::with(Code::CfgStore, path.display().to_string()).into()),
        Place::File(path) => path.display().to_string(),
        Place::Postgres(_) => "PostgreSQL".to_owned(),
    };
    let store = store::open_alone(&place, &at.keys()?)?;
    let (events, deliveries) = store.size()?;
    let plan = MarkPlan { place: name, events, deliveries };
    let Some(token) = confirm else {
        say(&plan.text(swedish));
        return Ok(Ending::Clean);
    };
    if token != plan.token() {
        return Ok(refused(&Fault::new(Code::OpsStale), swedish));
    }
    let doubts = store.mark_restored(ops::restored(SystemClock.now(), None, who(None)))?;
    say(&ops::restored_text(&PutBack { doubts, kept: None }, None, swedish));
    Ok(Ending::Clean)
}

fn prune(config: &Path, confirm: Option<&str>, swedish: bool) -> Result<Ending, Ending> {
    let settings = config::load(Some(config), std::env::vars().collect()).map_err(Ending::Faults)?;
    let store = daemon::store(&settings)?;
    let retention = Retention::of(&settings);
    // By the whole hour, so that the plan of a minute ago still holds.
    let now = SystemClock.now();
    let hour = Timestamp::from_second(now.as_second() / HOUR_S * HOUR_S).unwrap_or(now);
    let before = retention.before(hour);
    let plan = PurgePlan { before, due: store.due(&before)?, holds: store.holds(false)? };
    let Some(token) = confirm else {
        say(&plan.text(swedish));
        return Ok(Ending::Clean);
    };
    if token != plan.token() {
        return Ok(refused(&Fault::new(Code::OpsStale), swedish));
    }
    let mut pause = || {
        std::thread::sleep(PAUSE);
        true
    };
    retention.files(&store, hour, &mut pause)?;
    let lines = retention.purge(&store, Before { now, ..before }, &who(None), &mut pause)?;
    say(&ops::purged_text(&lines.unwrap_or_default(), swedish));
    Ok(Ending::Clean)
}

fn rekey(at: &Where, swedish: bool) -> Result<Ending, Ending> {
    let mut rekey = Rekey::begin(&at.place()?, &at.keys()?)?;
    let rekeyed = loop {
        while rekey.step()? {
            std::thread::sleep(PAUSE);
        }
        if let Some(rekeyed) = rekey.end(&ops::rekey_line(SystemClock.now()), &who(None))? {
            break rekeyed;
        }
        std::thread::sleep(PAUSE);
    };
    say(&ops::rekeyed_text(&rekeyed, swedish));
    Ok(if rekeyed.damaged == 0 { Ending::Clean } else { refused(&Fault::new(Code::StoUnopened), swedish) })
}

fn new_key(file: &Path, swedish: bool) -> Result<Ending, Ending> {
    StoreKey::make(file, &SystemDice)?;
    say(&ops::new_key_text(file, swedish));
    Ok(Ending::Clean)
}

fn export(to: &Path, at: &Where, swedish: bool) -> Result<Ending, Ending> {
    let store = at.open()?;
    say(&ops::export_warning(to, swedish));
    let mut out = BufWriter::new(NewFile::at(to)?);
    audited(&store, &[Audit::new(SystemClock.now(), Kind::StoreExported, who(None)).tell("file", to.display().to_string())])?;
    let unwritten = |fault: &std::io::Error| Ending::from(store::unwritten(to, fault));
    let exported = store.export(SystemClock.now(), &mut out).map_err(|fault| match fault {
        ExportFault::Store(fault) => Ending::from(fault),
        ExportFault::File(fault) => unwritten(&fault),
    })?;
    out.flush().map_err(|fault| unwritten(&fault))?;
    out.into_inner().map_err(|fault| unwritten(fault.error()))?.put()?;
    say(&ops::exported_text(&exported, swedish));
    Ok(Ending::Clean)
}
