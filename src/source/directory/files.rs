//! Reading, writing and moving the files of a folder.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Longest name of a file; what we add to it must fit as well.
pub(super) const NAME_MAX: usize = 200;
/// Most files of one name in a folder of ours; the next one stays where it is.
const NAMESAKES_MAX: usize = 10_000;

/// A name below a folder of ours that is not taken; the folders that it lies in are there.
pub(super) fn free(folder: &Path, name: &str) -> io::Result<PathBuf> {
    let short: String = name.chars().take(NAME_MAX / 4).collect();
    let name = if name.len() > NAME_MAX { short.as_str() } else { name };
    let first = folder.join(name);
    make_parent(&first)?;
    let others = (2..NAMESAKES_MAX).map(|n| folder.join(format!("{name}~{n}")));
    let free = std::iter::once(first).chain(others).find(|path| !path.exists());
    free.ok_or_else(|| io::ErrorKind::AlreadyExists.into())
}

/// Written beside and renamed, so that nobody reads half of it.
pub(super) fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    make_parent(path)?;
    let mut file = File::create(with(path, ".tmp"))?;
    file.write_all(text.as_bytes())?;
    // The store will remember that this was told.
    file.sync_all()?;
    fs::rename(with(path, ".tmp"), path)
}

/// The path with something behind its name.
pub(super) fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn make_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

pub(super) fn read_bounded(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}

pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    ignore_missing(fs::rename(from, to))
}

/// Somebody else took the file away: there is nothing left to move.
pub(super) fn ignore_missing(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// Removes what was moved here longer ago than `keep`, as long as there is room, and sub-folders that are empty then. What cannot
/// be removed now is tried again the next time.
pub(super) fn prune(folder: &Path, now: SystemTime, keep: Duration, room: &mut u64, deep: u32) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if *room == 0 {
            return;
        }
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if deep > 0 {
                prune(&entry.path(), now, keep, room, deep - 1);
            }
            let _ = fs::remove_dir(entry.path());
            continue;
        }
        // Counted from the move (change time), not from when the sender wrote the file.
        let moved = |meta: Metadata| SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(meta.ctime()).unwrap_or(0));
        if entry.metadata().map(moved).is_ok_and(|at| now.duration_since(at).is_ok_and(|age| age > keep)) {
            *room -= u64::from(fs::remove_file(entry.path()).is_ok());
        }
    }
}
