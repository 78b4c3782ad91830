//! A file laid into a real folder, and read by the daemon's own source: what the folder itself sees to, names and sizes.

use super::world::{Halt, Taken, World, source, temporary_folder};
use crate::config::FileOrder;
use crate::fault::{Code, Fault};
use crate::map::Mapping;
use crate::model::raw::{Answer, RawEvent};
use crate::source::directory::{Directory, Settings};
use crate::source::{Intake, Report, Source, Unavailable};
use crate::store::StoreFault;
use std::fs;
use std::time::Duration;

/// Longest document, as a source has it that says nothing else.
const MAX_BYTES: u64 = 1024 * 1024;
/// Most rounds until the file has been taken.
const ROUNDS_MAX: usize = 100;

/// The world, as the source sees it.
struct Port<'a> {
    world: &'a mut World,
    mapping: &'a Mapping,
    taken: Taken,
    fault: Option<StoreFault>,
}

impl Intake for Port<'_> {
    fn submit(&mut self, batch: Vec<RawEvent>) -> Result<Vec<Vec<Answer>>, Unavailable> {
        let mut all = Vec::with_capacity(batch.len());
        for raw in &batch {
            let taken = self.world.submit(raw, self.mapping).map_err(|fault| {
                self.fault = Some(fault);
                Unavailable
            })?;
            self.taken.events.extend(taken.events);
            self.taken.answers.extend(taken.answers.clone());
            all.push(taken.answers);
        }
        Ok(all)
    }
}

#[derive(Default)]
struct Trouble(Option<Code>);

impl Report for Trouble {
    fn trouble(&mut self, code: Code) {
        self.0 = Some(code);
    }
}

/// Lays one file into a folder of its own and reads it.
pub(super) fn lay(world: &mut World, name: &str, bytes: &[u8], mapping: &Mapping) -> Result<Taken, Halt> {
    let folder = temporary_folder()?;
    let unusable = |fault: std::io::Error| Fault::with(Code::SrcFolder, format!("{} ({})", folder.path().display(), fault.kind()));
    let settings = Settings {
        name: source(),
        path: folder.path().to_owned(),
        still: Duration::ZERO,
        keep_done: true,
        max_bytes: MAX_BYTES,
        folders: false,
        pattern: None,
        order: FileOrder::Name,
        marker: None,
    };
    let mut directory = Directory::new(settings).map_err(unusable)?;
    fs::write(folder.path().join(name), bytes).map_err(unusable)?;
    let mut port = Port { world, mapping, taken: Taken { answers: Vec::new(), events: Vec::new() }, fault: None };
    let mut trouble = Trouble::default();
    for _ in 0..ROUNDS_MAX {
        let more = directory.round(&mut port, &mut trouble);
        if let Some(fault) = port.fault {
            return Err(fault.into());
        }
        if let Some(code) = trouble.0 {
            return Err(Fault::new(code).into());
        }
        if !matches!(more, Ok(true)) {
            break;
        }
    }
    if port.taken.answers.is_empty() {
        return Err(Halt::stuck("mappen tar ingen fil med det namnet", "the folder takes no file of that name"));
    }
    Ok(port.taken)
}
