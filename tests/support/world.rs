//! The library's own world of stories; where that stops, the test does.

#![expect(clippy::expect_used, reason = "a broken test shall stop")]

use jiff::Timestamp;
use std::any::Any;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use vardbro::map::Mapping;
use vardbro::model::raw::Verdict;
use vardbro::store::Store;
use vardbro::story::{self, Ground};

/// Everything together, at one moment.
pub(crate) struct World(story::World);

impl Deref for World {
    type Target = story::World;

    fn deref(&self) -> &story::World {
        &self.0
    }
}

impl DerefMut for World {
    fn deref_mut(&mut self) -> &mut story::World {
        &mut self.0
    }
}

impl World {
    pub(crate) fn new(rules: &str, clock: Timestamp) -> Self {
        Self::on(Ground::temporary().expect("a store"), rules, clock)
    }

    /// Over a store; `place` is kept as long as the world lasts.
    pub(crate) fn over(store: Store, place: Box<dyn Any + Send>, rules: &str, clock: Timestamp) -> Self {
        Self::on(Ground::over(store, place), rules, clock)
    }

    fn on(ground: Ground, rules: &str, clock: Timestamp) -> Self {
        let settings = story::settings(None, rules).expect("a configuration");
        Self(story::World::new(settings, clock, ground).expect("a world"))
    }

    /// Hands a file in that is one record.
    pub(crate) fn hand_in(&mut self, name: &str, bytes: Vec<u8>) -> Verdict {
        self.0.hand_in(name, bytes, &Mapping::canonical()).expect("a working store").answers.remove(0).verdict
    }

    pub(crate) fn settle(&mut self) -> Option<Timestamp> {
        self.0.settle(&mut |_| Ok(())).expect("a working store")
    }

    pub(crate) fn pass(&mut self, until: Timestamp) {
        self.0.pass(until, &mut |_| Ok(())).expect("a working store");
    }
}

pub(crate) fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// Names in a folder, sorted.
pub(crate) fn names(dir: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
    let mut names: Vec<String> = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort_unstable();
    names
}
