//! Which files are looked at.

use super::file::form_of;
use crate::fault::{Code, Fault};
use crate::story;
use ignore::overrides::{Override, OverrideBuilder};
use ignore::{DirEntry, WalkBuilder, WalkState};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Beside `.gitignore` and `.ignore`.
const IGNORE: &str = ".vardbroignore";
/// Deepest folder.
const DEPTH: usize = 32;
/// Most files and stories.
const UNITS_MAX: usize = 1_000_000;

/// What is looked at as a whole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    File(PathBuf),
    /// A folder with a `case.toml`.
    Story(PathBuf),
    /// What came in by standard input.
    Stdin,
}

/// Everything that is to be looked at, in the order of names.
#[derive(Debug, Default)]
pub struct Found {
    pub units: Vec<Unit>,
    /// Folders that say what is expected of their files.
    pub folders: Vec<PathBuf>,
    pub stdin: Option<Vec<u8>>,
}

/// Finds the units below the paths. A file that is named is taken whatever its ending; below folders, those with an ending that
/// is read. Hidden files, what ignore files leave out, and links are passed over. `globs` are as in a `.gitignore`; with one
/// that does not begin with `!` only what fits is taken.
pub fn find(paths: &[PathBuf], globs: &[String]) -> Result<Found, Fault> {
    let (mut units, mut folders) = (BTreeSet::new(), BTreeSet::new());
    let named: Vec<&PathBuf> = paths.iter().filter(|path| path.as_os_str() != "-").collect();
    if named.len() < paths.len() {
        units.insert(Unit::Stdin);
    }
    for path in &named {
        if !path.exists() {
            return Err(Fault::with(Code::FixPath, path.display().to_string()));
        }
        if !path.is_dir() {
            let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
            if folder.join("expect.toml").is_file() && !story::is_story(&folder) {
                folders.insert(folder);
            }
            units.insert(Unit::File((*path).clone()));
        }
    }
    let mut roots = named.iter().filter(|path| path.is_dir());
    if let Some(first) = roots.next() {
        let mut builder = WalkBuilder::new(first);
        roots.for_each(|root| {
            builder.add(root);
        });
        let mut overrides = OverrideBuilder::new(".");
        for glob in globs {
            overrides.add(glob).map_err(|_| Fault::with(Code::FixUsage, format!("--glob {glob}")))?;
        }
        let overrides = overrides.build().map_err(|_| Fault::with(Code::FixUsage, "--glob"))?;
        builder.max_depth(Some(DEPTH)).add_custom_ignore_filename(IGNORE).require_git(false);
        let found = Mutex::new((units, folders));
        builder.build_parallel().run(|| Box::new(|entry| entry.map_or(WalkState::Continue, |entry| step(&entry, &overrides, &found))));
        (units, folders) = found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    }
    if units.is_empty() {
        return Err(Fault::new(Code::FixNothing));
    }
    if units.len() > UNITS_MAX {
        return Err(Fault::with(Code::FixUsage, format!("{} > {UNITS_MAX}", units.len())));
    }
    Ok(Found { units: units.into_iter().collect(), folders: folders.into_iter().collect(), stdin: None })
}

fn step(entry: &DirEntry, globs: &Override, found: &Mutex<(BTreeSet<Unit>, BTreeSet<PathBuf>)>) -> WalkState {
    let path = entry.path();
    let kind = entry.file_type();
    let take = |unit: Option<Unit>, folder: Option<PathBuf>| {
        let mut found = found.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        found.0.extend(unit);
        found.1.extend(folder);
    };
    // Globs choose what is looked at, not what is expected of it.
    let wanted = |is_folder: bool| !globs.matched(path.strip_prefix(".").unwrap_or(path), is_folder).is_ignore();
    if kind.is_some_and(|kind| kind.is_dir()) && story::is_story(path) && wanted(true) {
        take(Some(Unit::Story(path.to_owned())), None);
        return WalkState::Skip;
    }
    if kind.is_some_and(|kind| kind.is_file()) {
        if path.file_name().is_some_and(|name| name == "expect.toml") {
            take(None, path.parent().map(Path::to_path_buf));
        } else if form_of(path).is_some() && wanted(false) {
            take(Some(Unit::File(path.to_owned())), None);
        }
    }
    WalkState::Continue
}
