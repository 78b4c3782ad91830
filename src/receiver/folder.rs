//! The receiver's folder: the messages it has, the receipts it gave, and a line for each request.

use super::core::Line;
use crate::fault::{Code, Fault};
use crate::model::ids::MessageId;
use crate::model::receipt::ContentHash;
use crate::model::time::instant_text;
use crate::wire::xml;
use serde_json::json;
use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use uuid::Uuid;

#[derive(Debug)]
pub(super) struct Folder {
    messages: PathBuf,
    receipts: PathBuf,
    rejected: PathBuf,
    lines: File,
    /// Lines so far.
    n: u64,
    /// The last write may have left half a line.
    torn: bool,
}

/// What the folder knows when it is opened.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) accepted: HashMap<MessageId, ContentHash>,
    /// Message and digest of what was rejected.
    pub(super) rejected: HashSet<(MessageId, ContentHash)>,
}

impl Folder {
    pub(super) fn open(dir: &Path) -> Result<(Self, Known), Fault> {
        let unusable = |path: &Path, fault: &io::Error| Fault::with(Code::CfgFile, format!("{} ({})", path.display(), fault.kind()));
        let [messages, receipts, rejected] = ["messages", "receipts", "rejected"].map(|name| dir.join(name));
        for path in [&messages, &receipts, &rejected] {
            fs::create_dir_all(path).map_err(|fault| unusable(path, &fault))?;
        }
        let path = dir.join("received.ndjson");
        let (lines, n, torn) = open_lines(&path).map_err(|fault| unusable(&path, &fault))?;
        let known = Known {
            accepted: accepted(&messages).map_err(|fault| unusable(&messages, &fault))?,
            rejected: rejections(&rejected).map_err(|fault| unusable(&rejected, &fault))?,
        };
        Ok((Self { messages, receipts, rejected, lines, n, torn }, known))
    }

    /// Keeps a message with its receipt. The message comes last: it alone says that the receiver has it.
    pub(super) fn keep(&self, message: MessageId, document: &[u8], receipt: &[u8]) -> io::Result<()> {
        whole(&self.receipts, &name(message), receipt)?;
        whole(&self.messages, &name(message), document)
    }

    pub(super) fn keep_rejection(&self, message: MessageId, digest: ContentHash, receipt: &[u8]) -> io::Result<()> {
        whole(&self.rejected, &rejected_name(message, digest), receipt)
    }

    /// The receipt that was given when the message came first; `None` where somebody removed it.
    pub(super) fn receipt(&self, message: MessageId) -> Option<Vec<u8>> {
        fs::read(self.receipts.join(name(message))).ok()
    }

    pub(super) fn rejection(&self, message: MessageId, digest: ContentHash) -> Option<Vec<u8>> {
        fs::read(self.rejected.join(rejected_name(message, digest))).ok()
    }

    pub(super) fn append(&mut self, line: &Line) -> io::Result<()> {
        let text = json!({
            "n": self.n + 1,
            "at": instant_text(line.at),
            "messageId": line.message.map(|id| id.to_string()),
            "envelopeId": line.envelope.map(|id| id.to_string()),
            "episodeId": line.episode.map(|id| id.to_string()),
            "sequenceNumber": line.sequence,
            "answer": line.answer,
            "duplicate": line.duplicate,
        });
        let start = if self.torn { "\n" } else { "" };
        self.torn = true;
        self.lines.write_all(format!("{start}{text}\n").as_bytes())?;
        self.torn = false;
        self.n += 1;
        Ok(())
    }
}

fn name(message: MessageId) -> String {
    format!("{message}.xml")
}

fn rejected_name(message: MessageId, digest: ContentHash) -> String {
    format!("{message}_{digest}.xml")
}

/// Whole or not at all, whenever the process dies.
fn whole(dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let part = dir.join(format!(".{name}.part"));
    fs::write(&part, bytes)?;
    fs::rename(part, dir.join(name))
}

fn open_lines(path: &Path) -> io::Result<(File, u64, bool)> {
    let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    file.seek(SeekFrom::End(0))?;
    let n = text.split(|b| *b == b'\n').filter(|line| !line.is_empty()).count();
    Ok((file, n as u64, text.last().is_some_and(|last| *last != b'\n')))
}

/// The names in a folder that are ours, without their ending.
fn stems(dir: &Path) -> io::Result<Vec<String>> {
    let mut out = Vec::new();
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name();
        if let Some(stem) = name.to_str().and_then(|name| name.strip_suffix(".xml")).filter(|stem| !stem.starts_with('.')) {
            out.push(stem.to_owned());
        }
    }
    Ok(out)
}

fn accepted(dir: &Path) -> io::Result<HashMap<MessageId, ContentHash>> {
    let mut out = HashMap::new();
    for stem in stems(dir)? {
        let document = fs::read(dir.join(format!("{stem}.xml")))?;
        let Ok(received) = xml::read(&document) else { continue };
        if received.message_id.to_string() == stem && received.hash_holds(&document) {
            out.insert(received.message_id, received.declared_hash);
        }
    }
    Ok(out)
}

fn rejections(dir: &Path) -> io::Result<HashSet<(MessageId, ContentHash)>> {
    let read = |stem: &String| {
        let (message, digest) = stem.split_once('_')?;
        Some((MessageId(Uuid::try_parse(message).ok()?), ContentHash::parse(digest)?))
    };
    Ok(stems(dir)?.iter().filter_map(read).collect())
}
