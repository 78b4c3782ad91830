//! How a mapping made its events: row by row, for the person who writes it.

use super::plan::How;
use super::rows::{Trace, Work, with_named};
use super::{Limits, Mapping, Places, broken, decode, mapped, of_row, write};
use crate::model::catalogue::EventType;
use crate::model::finding::{Finding, Place};
use crate::model::node::Node;
use crate::model::personal::Personal;
use crate::model::raw::Form;
use jiff::civil::Date;

/// One record, explained.
#[derive(Debug)]
pub struct Explained {
    /// Where it begins.
    pub place: Place,
    pub events: Vec<ExplainedEvent>,
    /// What is wrong with the record itself.
    pub findings: Vec<Finding>,
    /// A condition in `[[skip]]` fits it.
    pub skipped: bool,
}

/// One event of it.
#[derive(Debug)]
pub struct ExplainedEvent {
    pub kind: EventType,
    /// Line of its block in the mapping.
    pub line: usize,
    pub rows: Vec<ExplainedRow>,
    /// The event as canonical JSON, where nothing is wrong with it.
    pub json: Option<Personal<Vec<u8>>>,
    pub findings: Vec<Finding>,
}

/// What a row did.
#[derive(Debug)]
pub struct ExplainedRow {
    pub trace: Trace,
    /// Where in the source its value begins.
    pub place: Option<Place>,
}

impl Mapping {
    /// Reads a document as [`Mapping::read`] does, and tells how. None of a canonical one, which has no rows.
    pub fn explain(&self, bytes: &[u8], form: Option<Form>, limits: Limits, today: Date) -> Result<Vec<Explained>, Vec<Finding>> {
        let text = decode::decoded(bytes, self.encoding).map_err(|fault| vec![broken(&fault, Places::of(bytes))])?;
        let layout = self.fitting(form).map_err(|code| vec![super::refused(code)])?;
        let (units, _) = decode::units(&text, &layout, limits).map_err(|fault| vec![broken(&fault, Places::of(text.as_bytes()))])?;
        let mut here = Places::of(text.as_bytes());
        let record = |unit: decode::Unit| {
            let place = here.at(unit.at);
            let blank = Explained { place, events: Vec::new(), findings: Vec::new(), skipped: false };
            match unit.node {
                Ok(node) => self.record(node, here, today, blank),
                Err(fault) => Explained { findings: vec![broken(&fault, here)], ..blank },
            }
        };
        Ok(units.into_iter().map(record).collect())
    }

    /// Where in a document's first record that stands which became the value at `path` of its event, or the nearest that holds it;
    /// and the line of the mapping that says so.
    pub fn locate(&self, bytes: &[u8], form: Option<Form>, limits: Limits, today: Date, path: &str) -> Option<(Place, Option<usize>)> {
        if let How::Canonical = self.how {
            let text = decode::decoded(bytes, self.encoding).ok()?;
            let (units, _) = decode::units(&text, &self.fitting(form).ok()?, limits).ok()?;
            let record = units.into_iter().next()?.node.ok()?;
            return Some((Place::of(text.as_bytes(), nearest(&record, path).at), None));
        }
        let explained = self.explain(bytes, form, limits, today).ok()?.into_iter().next()?;
        let rows = explained.events.iter().flat_map(|event| &event.rows);
        let holds = |row: &&ExplainedRow| row.place.is_some() && path.starts_with(&row.trace.path);
        let row = rows.filter(holds).max_by_key(|row| row.trace.path.len());
        Some(row.map_or((explained.place, None), |row| (row.place.unwrap_or(explained.place), Some(row.trace.line))))
    }

    fn record(&self, record: Node, here: Places<'_>, today: Date, mut told: Explained) -> Explained {
        let How::Blocks { named, blocks, skip } = &self.how else {
            told.findings = super::event(&record, here, today).err().unwrap_or_default();
            return told;
        };
        let (record, problems) = with_named(record, named);
        told.findings.extend(problems.iter().map(|problem| of_row(problem, here)));
        let mut work = Work::new(&record, false);
        told.skipped = skip.iter().any(|condition| work.holds(condition, &record));
        if told.skipped {
            return told;
        }
        for block in blocks {
            if block.when.as_ref().is_some_and(|condition| !work.holds(condition, &record)) {
                continue;
            }
            let mut traced = Work::new(&record, true);
            traced.event(block);
            let row = |trace: Trace| ExplainedRow { place: trace.at.map(|at| here.place(at)), trace };
            let rows = traced.trace.take().unwrap_or_default().into_iter().map(row).collect();
            let (json, findings) = match mapped(block, &record, here, today) {
                Ok(event) => (Some(Personal::new(write::to_json(&event))), Vec::new()),
                Err(findings) => (None, findings),
            };
            told.events.push(ExplainedEvent { kind: block.kind, line: block.line, rows, json, findings });
        }
        if told.events.is_empty() {
            told.findings.push(super::unfitting(&record, here));
        }
        told
    }
}

/// The value at a path of ours, or the nearest that holds it.
fn nearest<'n>(record: &'n Node, path: &str) -> &'n Node {
    let mut node = record;
    for step in path.split(['.', '[']).filter(|step| !step.is_empty()) {
        let next = match step.strip_suffix(']') {
            Some(place) => place.parse().ok().and_then(|place| node.item(place)),
            None => node.get(step),
        };
        let Some(next) = next else { return node };
        node = next;
    }
    node
}
