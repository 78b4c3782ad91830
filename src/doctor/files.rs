//! Files and folders: whether the daemon may do with them what it must, whether others may not, and whether there is room.

use super::{Area, Reading};
use crate::config::{Settings, Way};
use crate::fault::Code;
use crate::store::{StoreKey, disk_free};
use rustix::fs::{Access, access};
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// The least room, where the configuration has none.
const LEAST: u64 = 200 << 20;

pub(super) fn readings(settings: &Settings) -> Vec<Reading> {
    let mut out = Vec::new();
    if rustix::process::geteuid().is_root() {
        let (sv, en) = (
            "root får allt: rättigheterna säger inget om tjänstens användare",
            "root may do anything: the permissions say nothing of the daemon's user",
        );
        out.push(Reading::note(Area::Files, "root", Code::DocRoot, sv, en));
    }
    for (place, file) in settings.store_key_files.iter().enumerate() {
        let subject = format!("store.key_files[{place}]");
        let shown = file.display();
        out.push(match StoreKey::read(file) {
            Ok(_) => Reading::good(Area::Files, subject, format!("{shown} är en nyckel"), format!("{shown} is a key")),
            Err(fault) => Reading::fault(Area::Files, subject, fault),
        });
    }
    for (subject, file) in secrets(settings) {
        out.extend(secret(&subject, &file));
    }
    for source in &settings.sources {
        if let Way::Directory(directory) = &source.way {
            let subject = format!("source.{}.path", source.name);
            out.extend(folder_of_records(&subject, &directory.path));
            // Whoever is kept out of the folder is kept out of those in it.
            let below = ["done", "rejected", "outcome"].map(|name| directory.path.join(name));
            out.extend(below.iter().filter(|folder| folder.exists()).map(|folder| usable(&subject, folder, true)));
        }
    }
    if settings.store_url_file.is_none() {
        let folder = settings.store_path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        out.push(usable("store.path", folder, true));
        out.extend(secret("store.path", &settings.store_path));
    }
    if let Some(path) = &settings.oplog.path {
        let place =
            if path.exists() { path } else { path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")) };
        out.push(usable("oplog.path", place, true));
    }
    out
}

/// Files that only the daemon's user has any business with, beside the store's keys.
fn secrets(settings: &Settings) -> Vec<(String, PathBuf)> {
    let mut out: Vec<(String, Option<PathBuf>)> = Vec::new();
    out.push(("store.url_file".to_owned(), settings.store_url_file.clone()));
    for known in &settings.destinations {
        let key = |key: &str| format!("destination.{}.{key}", known.name);
        out.push((key("key_file"), known.key_file.clone()));
        out.push((key("callback_token_file"), known.callback_token_file.clone()));
    }
    for source in &settings.sources {
        let key = |key: &str| format!("source.{}.{key}", source.name);
        match &source.way {
            Way::Http(http) => out.push((key("token_file"), Some(http.token_file.clone()))),
            Way::Sql(sql) => out.push((key("url_file"), Some(sql.place.clone()))),
            Way::Amqp(amqp) => {
                out.push((key("url_file"), Some(amqp.url_file.clone())));
                out.push((key("key_file"), amqp.tls.key_file.clone()));
            }
            Way::Nats(nats) => {
                out.push((key("credentials_file"), nats.credentials_file.clone()));
                out.push((key("token_file"), nats.token_file.clone()));
                out.push((key("key_file"), nats.tls.key_file.clone()));
            }
            Way::Directory(_) => {}
        }
    }
    for (section, http) in [("http", settings.http.as_ref()), ("metrics", settings.metrics.as_ref().map(|metrics| &metrics.http))] {
        out.push((format!("{section}.key_file"), http.and_then(|http| http.tls.as_ref()).map(|(_, key)| key.clone())));
    }
    out.push(("alarms.webhook_token_file".to_owned(), settings.alarms.webhook.as_ref().and_then(|webhook| webhook.token_file.clone())));
    let password = settings.mail.as_ref().and_then(|mail| mail.user.as_ref()).map(|(_, file)| file.clone());
    out.push(("mail.password_file".to_owned(), password));
    out.into_iter().filter_map(|(subject, file)| Some((subject, file?))).collect()
}

/// What is not there has been told with the configuration.
fn secret(subject: &str, file: &Path) -> Option<Reading> {
    let found = file.metadata().ok()?;
    // The group may read what root has put there for it, as systemd and Kubernetes do.
    let others = if found.uid() == 0 { 0o037 } else { 0o077 };
    if found.mode() & others != 0 {
        let shown = format!("{} ({:03o})", file.display(), found.mode() & 0o777);
        return Some(Reading::bad(Area::Files, subject, Code::DocOthers, shown.clone(), shown));
    }
    Some(usable(subject, file, false))
}

/// Whether this user may do with it what the daemon must.
fn usable(subject: &str, path: &Path, write: bool) -> Reading {
    let folder = path.is_dir();
    let mut wanted = Access::READ_OK;
    if write {
        wanted |= Access::WRITE_OK;
    }
    if folder {
        wanted |= Access::EXEC_OK;
    }
    let shown = path.display().to_string();
    match access(path, wanted) {
        Ok(()) => {
            let (sv, en) = if write {
                ("kan läsas och skrivas", "can be read and written")
            } else {
                ("kan läsas, och av ingen annan", "can be read, and by nobody else")
            };
            Reading::good(Area::Files, subject, format!("{shown} {sv}"), format!("{shown} {en}"))
        }
        Err(_) => Reading::bad(Area::Files, subject, Code::DocAccess, shown.clone(), shown),
    }
}

/// A folder with records of persons in it: taken, moved within, and nobody's whose business it is not.
fn folder_of_records(subject: &str, folder: &Path) -> Option<Reading> {
    let found = folder.metadata().ok()?;
    if found.mode() & 0o007 != 0 {
        let shown = format!("{} ({:03o})", folder.display(), found.mode() & 0o777);
        return Some(Reading::note(Area::Files, subject, Code::DocOthers, shown.clone(), shown));
    }
    Some(usable(subject, folder, true))
}

/// What is free on the disks that the daemon writes to, each once.
pub(super) fn disks(settings: &Settings) -> Vec<Reading> {
    let least = settings.metrics.as_ref().map_or(LEAST, |metrics| metrics.disk_free);
    let mut places: Vec<(String, PathBuf)> = Vec::new();
    if settings.store_url_file.is_none() {
        places.push(("store.path".to_owned(), settings.store_path.clone()));
    }
    for source in &settings.sources {
        if let Way::Directory(directory) = &source.way {
            places.push((format!("source.{}.path", source.name), directory.path.clone()));
        }
    }
    places.extend(settings.oplog.path.iter().map(|path| ("oplog.path".to_owned(), path.clone())));
    let mut seen = BTreeSet::new();
    let mut out = Vec::new();
    for (subject, path) in places {
        let Some(place) = path.ancestors().find(|place| place.exists()).filter(|place| !place.as_os_str().is_empty()) else { continue };
        let (Ok(found), Some(free)) = (place.metadata(), disk_free(place)) else { continue };
        if seen.insert(found.dev()) {
            out.push(room(subject, free, least, settings.alarms.disk_free));
        }
    }
    out
}

fn room(subject: String, free: u64, least: u64, enough: u64) -> Reading {
    let megabytes = free >> 20;
    let (sv, en) = (format!("{megabytes} MB ledigt"), format!("{megabytes} MB free"));
    if free < least {
        Reading::bad(Area::Disk, subject, Code::HltDisk, sv, en)
    } else if free < enough {
        Reading::note(Area::Disk, subject, Code::HltDisk, sv, en)
    } else {
        Reading::good(Area::Disk, subject, sv, en)
    }
}
