//! A folder into which another system drops files.
//!
//! **Guarantee.** A file is taken when it has been unchanged for `still_s` by our own clock, and moved only after what it
//! holds is durable in the store; a crash in between is met by the duplicate check when the file is read again. So no
//! file is lost and none counts twice. Files go in the order of their names, or of their age; of two that come at different
//! times the later may only come to be seen, or to be still, before the earlier. Where senders lay markers, a file is taken
//! once its marker is there, and the marker goes after the file. A share that tells of no changes is looked at by the clock.

mod files;
mod listing;

use super::{Intake, News, Report, Source, Teller, Unavailable, Watched, reason_text};
use crate::config::FileOrder;
use crate::fault::Code;
use crate::model::finding::{Effect, Finding, Layer};
use crate::model::name::Name;
use crate::model::personal::Personal;
use crate::model::raw::{Answer, Form, RawEvent, Verdict};
use files::{NAME_MAX, free, ignore_missing, read_bounded, rename, with, write_whole};
use std::collections::{HashMap, HashSet, VecDeque};
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// Most files in one batch, and most bytes.
const BATCH_FILES: usize = 256;
const BATCH_BYTES: u64 = 8 * 1024 * 1024;
/// A file that breaks off is given so many times `still` before it is refused.
const GRACE: u32 = 10;
/// Linux: no more memory, no more descriptors on the machine, none in this process.
const OUT_OF_MEANS: [i32; 3] = [12, 23, 24];
/// How long a file that could not be moved is left alone: at first, and at most.
const STUCK_FIRST: Duration = Duration::from_secs(2);
/// Most files that are taken away in one go, and how deep below a folder of ours.
pub const PRUNED_MAX: u64 = 500;
const FOLDERS_DEEP: u32 = 32;
const STUCK_MAX: Duration = Duration::from_hours(1);

/// How a folder is read.
#[derive(Debug, Clone)]
pub struct Settings {
    pub name: Name,
    pub path: PathBuf,
    pub still: Duration,
    /// Else files are deleted once they are durable.
    pub keep_done: bool,
    pub max_bytes: u64,
    /// Sub-folders as well.
    pub folders: bool,
    /// Names of the files that are taken; by their ending if none.
    pub pattern: Option<String>,
    pub order: FileOrder,
    /// What the name of the file ends in that says that another is complete.
    pub marker: Option<String>,
}

/// A folder being read.
#[derive(Debug)]
pub struct Directory {
    settings: Settings,
    /// Files that are not yet taken: what they looked like, and since when.
    seen: HashMap<String, (Look, Instant, Instant)>,
    /// The folder's listing, as far as it has not been worked off: a folder of many files is listed once, not once a batch.
    listed: VecDeque<(String, PathBuf)>,
    /// Files that could not be moved: left alone for a while, so that they hold up no others.
    stuck: HashMap<String, Stuck>,
    /// Markers that a crash has left behind are gone.
    swept: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    bytes: u64,
    modified: Option<SystemTime>,
    inode: u64,
}

impl Look {
    fn at(meta: &Metadata) -> Self {
        Self { bytes: meta.len(), modified: meta.modified().ok(), inode: meta.ino() }
    }
}

/// A file that could not be moved, as it looked. It is tried again when it changes, and else after longer and longer pauses:
/// the disk may only have been full.
#[derive(Debug, Clone, Copy)]
struct Stuck {
    look: Look,
    since: Instant,
    pause: Duration,
}

impl Stuck {
    fn after(before: Option<&Self>, look: Look) -> Self {
        let again = before.filter(|before| before.look == look);
        let pause = again.map_or(STUCK_FIRST, |before| (before.pause * 2).min(STUCK_MAX));
        Self { look, since: Instant::now(), pause }
    }

    fn holds(&self, look: Look) -> bool {
        self.look == look && self.since.elapsed() < self.pause
    }
}

/// No file can be opened now, and none is to blame for that.
struct OutOfMeans;

struct Candidate {
    name: String,
    path: PathBuf,
    /// When we first met the file in this form.
    young: bool,
    look: Option<Look>,
    body: Result<Personal<Vec<u8>>, Box<Finding>>,
}

impl Directory {
    /// Makes the folders that belong to the source.
    pub fn new(settings: Settings) -> io::Result<Self> {
        for folder in listing::OURS {
            fs::create_dir_all(settings.path.join(folder))?;
        }
        Ok(Self { settings, seen: HashMap::new(), listed: VecDeque::new(), stuck: HashMap::new(), swept: false })
    }

    fn take(&mut self, intake: &mut dyn Intake, report: &mut dyn Report) -> Result<bool, Unavailable> {
        if self.listed.is_empty() && self.list().is_err() {
            report.trouble(Code::SrcFolder);
            return Err(Unavailable);
        }
        let mut batch = Vec::new();
        let mut bytes = 0;
        while batch.len() < BATCH_FILES && bytes < BATCH_BYTES {
            let Some((name, path)) = self.listed.pop_front() else { break };
            match self.look(name, path) {
                Ok(Some(candidate)) => {
                    bytes += candidate.body.as_ref().map_or(0, size);
                    batch.push(candidate);
                }
                Ok(None) => {}
                Err(OutOfMeans) => {
                    report.trouble(Code::SrcFolder);
                    self.listed.clear();
                    if batch.is_empty() {
                        return Err(Unavailable);
                    }
                }
            }
        }
        if batch.is_empty() {
            return Ok(!self.listed.is_empty());
        }
        let raws = batch.iter().map(|candidate| self.raw(candidate)).collect();
        // What was not taken comes first again: what lies behind it must not overtake it.
        let answers = intake.submit(raws).inspect_err(|_| self.listed.clear())?;
        let mut settled = false;
        for (candidate, answers) in batch.iter().zip(answers) {
            settled |= answers.iter().all(|answer| answer.verdict != Verdict::Later);
            if self.settle(candidate, &answers).is_err() {
                report.trouble(Code::SrcFolder);
                if let Some(look) = candidate.look {
                    let stuck = Stuck::after(self.stuck.get(&candidate.name), look);
                    self.stuck.insert(candidate.name.clone(), stuck);
                }
            }
        }
        Ok(settled || !self.listed.is_empty())
    }

    /// Lists the files that lie there.
    fn list(&mut self) -> io::Result<()> {
        let listing = listing::list(&self.settings)?;
        if !self.swept {
            // Left over from a file that was settled: they would say of the next one of its name that it is complete.
            let mut left_over = listing.left_over.iter().filter(|marker| !self.marks_something(marker));
            self.swept = left_over.all(|marker| ignore_missing(fs::remove_file(marker)).is_ok());
        }
        let names: HashSet<&String> = listing.files.iter().map(|(name, _)| name).collect();
        self.seen.retain(|name, _| names.contains(name));
        self.stuck.retain(|name, _| names.contains(name));
        self.listed = listing.files.into();
        Ok(())
    }

    /// Whether there is a file by now that a marker belongs to.
    fn marks_something(&self, marker: &Path) -> bool {
        let name = marker.to_str().zip(self.settings.marker.as_deref()).and_then(|(path, marker)| path.strip_suffix(marker));
        name.is_none_or(|name| fs::symlink_metadata(name).is_ok())
    }

    /// The file, if it is ready to be taken.
    fn look(&mut self, name: String, path: PathBuf) -> Result<Option<Candidate>, OutOfMeans> {
        let refuse = |code: Code| Err(Box::new(code.finding(Effect::Refuse, Layer::Syntax, None)));
        if name.len() > NAME_MAX || name.contains('\u{fffd}') {
            return Ok(path.exists().then(|| Candidate { name, path, young: false, look: None, body: refuse(Code::SrcName) }));
        }
        let Ok(meta) = fs::symlink_metadata(&path) else { return Ok(None) };
        let look = Look::at(&meta);
        // Whoever lays markers says by them that a file is complete.
        let (still, young) = if self.settings.marker.is_some() { (true, false) } else { self.stillness(&name, look) };
        if !still || self.stuck.get(&name).is_some_and(|stuck| stuck.holds(look)) {
            return Ok(None);
        }
        let body = if !meta.is_file() {
            refuse(Code::SrcNotAFile)
        } else if meta.len() > self.settings.max_bytes {
            refuse(Code::SrcTooLarge)
        } else {
            match read_bounded(&path, self.settings.max_bytes) {
                Ok(bytes) => Ok(Personal::new(bytes)),
                Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(fault) if fault.raw_os_error().is_some_and(|code| OUT_OF_MEANS.contains(&code)) => return Err(OutOfMeans),
                Err(fault) if fault.kind() == io::ErrorKind::FileTooLarge => refuse(Code::SrcTooLarge),
                Err(_) => refuse(Code::SrcUnreadable),
            }
        };
        Ok(Some(Candidate { name, path, young, look: Some(look), body }))
    }

    /// Whether the file has been unchanged long enough, and whether it may still be a file in the making.
    fn stillness(&mut self, name: &str, look: Look) -> (bool, bool) {
        let now = Instant::now();
        let entry = self.seen.entry(name.to_owned()).or_insert((look, now, now));
        if entry.0 != look {
            *entry = (look, now, entry.2);
        }
        let unchanged = now.duration_since(entry.1);
        (unchanged >= self.settings.still, unchanged < self.settings.still * GRACE)
    }

    fn raw(&self, candidate: &Candidate) -> RawEvent {
        RawEvent {
            source: self.settings.name.clone(),
            origin: Personal::new(candidate.name.clone()),
            body: candidate.body.clone(),
            form: form(&candidate.name),
            may_grow: candidate.young,
        }
    }

    /// Moves a file out of the way, now that its fate is durable.
    fn settle(&mut self, candidate: &Candidate, answers: &[Answer]) -> io::Result<()> {
        let ours = |folder: &str| self.settings.path.join(folder);
        let replaced = |look: Look| fs::symlink_metadata(&candidate.path).is_ok_and(|meta| Look::at(&meta) != look);
        if answers.iter().any(|answer| answer.verdict == Verdict::Later) {
            return Ok(());
        }
        // Another file has come under the name since ours was read: it is not ours to move.
        if candidate.look.is_some_and(replaced) {
            return Ok(());
        }
        if answers.iter().any(|answer| matches!(answer.verdict, Verdict::Rejected(_))) {
            let target = free(&ours("rejected"), &candidate.name)?;
            // The reason first: a refused file without one would be a riddle.
            write_whole(&with(&target, ".reason.json"), &reason_text(answers))?;
            rename(&candidate.path, &target)?;
        } else if self.settings.keep_done {
            rename(&candidate.path, &free(&ours("done"), &candidate.name)?)?;
        } else {
            ignore_missing(fs::remove_file(&candidate.path))?;
        }
        self.seen.remove(&candidate.name);
        let Some(marker) = &self.settings.marker else { return Ok(()) };
        let removed = ignore_missing(fs::remove_file(with(&candidate.path, marker)));
        self.swept &= removed.is_ok();
        removed
    }
}

impl Source for Directory {
    fn name(&self) -> &Name {
        &self.settings.name
    }

    fn round(&mut self, intake: &mut dyn Intake, report: &mut dyn Report) -> Result<bool, Unavailable> {
        self.take(intake, report)
    }

    fn pause(&self) -> Option<Duration> {
        (!self.seen.is_empty()).then(|| self.settings.still.max(Duration::from_millis(20)))
    }

    fn watched(&self) -> Option<Watched<'_>> {
        Some(Watched { folder: &self.settings.path, below: self.settings.folders })
    }
}

/// Writes outcomes into a source's folder.
#[derive(Debug)]
pub struct Outcomes {
    pub folder: PathBuf,
}

impl Teller for Outcomes {
    #[expect(clippy::disallowed_methods, reason = "the file's own name, in the folder of the system that gave it")]
    fn tell(&mut self, news: &News) -> io::Result<()> {
        let name = Path::new(news.origin.disclose());
        // Where another kind of source had this name before, what it called its events may be no path below ours.
        let below = name.components().all(|part| matches!(part, Component::Normal(_)));
        let name = if below { name.to_owned() } else { news.origin.disclose().replace('/', "_").into() };
        write_whole(&with(&self.folder.join("outcome").join(name), ".outcome.json"), &news.outcome)
    }
}

/// How long files are kept in the folders of ours.
#[derive(Debug, Clone)]
pub struct Keep {
    pub path: PathBuf,
    pub done: Duration,
    /// In `rejected`, with their reasons, and in `outcome`.
    pub rejected: Duration,
}

impl Keep {
    /// Takes away what is older, a bounded number at a time; how many files went. Fewer than that bound: there are no more.
    pub fn prune(&self, now: SystemTime) -> u64 {
        let mut room = PRUNED_MAX;
        for (folder, keep) in [("done", self.done), ("rejected", self.rejected), ("outcome", self.rejected)] {
            files::prune(&self.path.join(folder), now, keep, &mut room, FOLDERS_DEEP);
        }
        PRUNED_MAX - room
    }
}

/// The form that a file's name ends in.
pub fn form(name: &str) -> Option<Form> {
    let forms = [("json", Form::Json), ("ndjson", Form::Ndjson), ("xml", Form::Xml), ("csv", Form::Csv)];
    let (_, ending) = name.rsplit_once('.')?;
    forms.iter().find(|(known, _)| ending.eq_ignore_ascii_case(known)).map(|(_, form)| *form)
}

#[expect(clippy::disallowed_methods, reason = "counts the bytes, shows none")]
fn size(body: &Personal<Vec<u8>>) -> u64 {
    body.disclose().len() as u64
}
