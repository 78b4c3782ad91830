//! Which files of a folder are taken, and in which order.

use super::{Settings, form};
use crate::config::FileOrder;
use std::collections::HashSet;
use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Folders of ours in the source's folder.
pub(super) const OURS: [&str; 3] = ["done", "rejected", "outcome"];
/// Levels of sub-folders that are looked into.
const DEPTH_MAX: usize = 16;

/// What lies there.
#[derive(Default)]
pub(super) struct Listing {
    /// Names under which files are told of, and where they are, in their order.
    pub(super) files: Vec<(String, PathBuf)>,
    /// Markers without a file.
    pub(super) left_over: Vec<PathBuf>,
}

#[derive(Default)]
struct Found {
    files: Vec<File>,
    /// Files that have a marker, and where it is.
    marked: Vec<(String, PathBuf)>,
}

struct File {
    name: String,
    path: PathBuf,
    wanted: bool,
    /// Looked up only where the order needs it.
    changed: Option<SystemTime>,
}

pub(super) fn list(settings: &Settings) -> io::Result<Listing> {
    let mut found = Found::default();
    walk(settings, &settings.path, "", 0, &mut found)?;
    let left_over = {
        let there: HashSet<&String> = found.files.iter().map(|file| &file.name).collect();
        found.marked.iter().filter(|(name, _)| !there.contains(name)).map(|(_, marker)| marker.clone()).collect()
    };
    found.files.retain(|file| file.wanted);
    if settings.marker.is_some() {
        let marked: HashSet<&String> = found.marked.iter().map(|(name, _)| name).collect();
        found.files.retain(|file| marked.contains(&file.name));
    }
    found.files.sort_unstable_by(|one, other| (one.changed, &one.name).cmp(&(other.changed, &other.name)));
    Ok(Listing { files: found.files.into_iter().map(|file| (file.name, file.path)).collect(), left_over })
}

fn walk(settings: &Settings, folder: &Path, above: &str, depth: usize, found: &mut Found) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // A name that is no UTF-8 is shown with marks in it; it is refused by them when it is looked at.
        let own = entry.file_name().to_string_lossy().into_owned();
        if own.starts_with('.') {
            continue;
        }
        let name = format!("{above}{own}");
        if !entry.file_type()?.is_dir() {
            note(settings, &entry, &own, name, found);
        } else if settings.folders && depth < DEPTH_MAX && !(depth == 0 && OURS.contains(&own.as_str())) {
            // One that has gone meanwhile, or cannot be read, keeps no others from being taken.
            let _ = walk(settings, &entry.path(), &format!("{name}/"), depth + 1, found);
        }
    }
    Ok(())
}

fn note(settings: &Settings, entry: &DirEntry, own: &str, name: String, found: &mut Found) {
    if let Some(marked) = settings.marker.as_deref().and_then(|marker| name.strip_suffix(marker)) {
        found.marked.push((marked.to_owned(), entry.path()));
        return;
    }
    let wanted = settings.pattern.as_deref().map_or_else(|| form(own).is_some(), |pattern| fits(pattern, own));
    // What is not wanted counts only where markers are looked for.
    if wanted || settings.marker.is_some() {
        let by_age = settings.order == FileOrder::Age;
        let changed = if by_age { entry.metadata().and_then(|meta| meta.modified()).ok() } else { None };
        found.files.push(File { name, path: entry.path(), wanted, changed });
    }
}

/// Whether a name fits a pattern: `*` stands for any characters, `?` for one.
fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut taken) = (0, 0);
    // Where the pattern goes on behind its last star, and how much of the name is tried as the rest.
    let mut star: Option<(usize, usize)> = None;
    while taken < name.len() {
        match pattern.get(at) {
            Some('*') => {
                at += 1;
                star = Some((at, taken));
            }
            Some(&one) if one == '?' || one == name[taken] => (at, taken) = (at + 1, taken + 1),
            _ => {
                let Some((behind, from)) = star else { return false };
                star = Some((behind, from + 1));
                (at, taken) = (behind, from + 1);
            }
        }
    }
    pattern[at..].iter().all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn patterns() {
        for (pattern, name) in
            [("*.csv", "a.csv"), ("*", "x"), ("ut-????.xml", "ut-2026.xml"), ("a*b*c", "aXbXbXc"), ("**", "å"), ("a", "a"), ("*a", "aaa")]
        {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("*.csv", "a.csv.bak"), ("*.csv", "a.CSV"), ("?", ""), ("?", "ab"), ("a*b", "a"), ("", "a"), ("a*b*c", "abX")]
        {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
        assert!(!fits(&"*a".repeat(30), &"a".repeat(20)) && fits(&"a*".repeat(20), &"a".repeat(20)));
    }
}
