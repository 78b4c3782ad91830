//! Stub until the replay is moved here.
use crate::fault::Fault;
use crate::model::event::CareEvent;
use crate::model::finding::Finding;
use crate::model::personal::Personal;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
#[derive(Debug)]
pub struct Played {
    pub findings: Vec<(PathBuf, Finding)>,
    pub differences: Personal<String>,
    pub events: Vec<CareEvent>,
    pub rules: BTreeSet<String>,
}
#[derive(Debug, Default)]
pub struct Options {
    pub update: bool,
}
pub fn is_story(dir: &Path) -> bool {
    dir.join("case.toml").is_file()
}
pub fn check(_dir: &Path, _options: &Options) -> Result<Played, Fault> {
    Ok(Played { findings: Vec::new(), differences: Personal::new(String::new()), events: Vec::new(), rules: BTreeSet::new() })
}
