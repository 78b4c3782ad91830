//! A new file: private, written beside its place, on the disk before it has its name, and never over another one.

use crate::fault::{Code, Fault};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// A file in the making; gone if it is not put in its place.
#[derive(Debug)]
pub struct NewFile {
    to: PathBuf,
    part: PathBuf,
    pub(super) file: File,
}

impl NewFile {
    /// What an earlier try left unfinished is overwritten.
    pub fn at(to: &Path) -> Result<Self, Fault> {
        if to.symlink_metadata().is_ok() {
            return Err(Fault::with(Code::StoExists, to.display().to_string()));
        }
        let part = beside(to, ".part");
        let _ = fs::remove_file(&part);
        let file = File::options().create_new(true).write(true).read(true).mode(0o600).open(&part);
        let file = file.map_err(|fault| unwritten(to, &fault))?;
        Ok(Self { to: to.to_owned(), part, file })
    }

    /// Where it is until it has its name.
    pub fn part(&self) -> &Path {
        &self.part
    }

    /// Gives it its name once it is on the disk.
    pub fn put(self) -> Result<(), Fault> {
        let put = self.file.sync_all().and_then(|()| match fs::hard_link(&self.part, &self.to) {
            // Not every file system has links.
            Err(fault) if fault.kind() != io::ErrorKind::AlreadyExists => fs::rename(&self.part, &self.to),
            linked => linked,
        });
        match put.and_then(|()| sync_folder(&self.to)) {
            Err(fault) if fault.kind() == io::ErrorKind::AlreadyExists => Err(Fault::with(Code::StoExists, self.to.display().to_string())),
            put => put.map_err(|fault| unwritten(&self.to, &fault)),
        }
    }
}

impl io::Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.part);
    }
}

/// The name with an ending behind it.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// New names in the file's folder are on the disk.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

pub fn unwritten(path: &Path, fault: &io::Error) -> Fault {
    Fault::with(Code::StoWrite, format!("{} ({})", path.display(), fault.kind()))
}

/// Bytes that are free on the disk that a file is on.
pub fn disk_free(file: &Path) -> Option<u64> {
    rustix::fs::statvfs(file).ok().map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize))
}
