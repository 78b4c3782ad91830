//! A mapping as it is used: what stands where in the event, and what it is made of.

use super::convert::Converter;
use super::decode::{Encoding, Format};
use super::jq::Jq;
use super::path::Path;
use crate::model::catalogue::EventType;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A compiled mapping.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// Name, revision and the first of the hash: `treserva/3 5f2c91ab`.
    pub(crate) label: String,
    /// As it was written.
    pub(super) text: Arc<str>,
    pub(super) encoding: Encoding,
    pub(super) format: Format,
    pub(super) how: How,
}

#[derive(Debug, Clone)]
pub(super) enum How {
    /// The record is the event.
    Canonical,
    /// Every block whose condition holds gives an event; a record that a condition in `skip` fits gives none.
    Blocks { named: Vec<(String, Row)>, blocks: Vec<Block>, skip: Vec<Condition> },
}

/// What makes one event.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub(super) kind: EventType,
    /// Line in the mapping.
    pub(super) line: usize,
    pub(super) when: Option<Condition>,
    /// The event's fields; `type` and what no row gives are not among them.
    pub(super) fields: Vec<(&'static str, Target)>,
}

/// What stands at a place of the event.
#[derive(Debug, Clone)]
pub(super) enum Target {
    /// A group that is left out where nothing of the record stands in it, unless the event demands it.
    Group {
        fields: Vec<(&'static str, Target)>,
        when: Option<Condition>,
        required: bool,
    },
    Value(Row),
    /// A plain list: every value that the row leads to. Left out where it is empty, unless the event demands it.
    Values(Row, bool),
    /// A group for each item.
    Each {
        each: Path,
        when: Option<Condition>,
        item: Box<Target>,
        line: usize,
        required: bool,
    },
    /// Groups that are named one by one.
    Several(Vec<Target>, bool),
    /// A group or a list of groups, made by an expression.
    Made(Row),
}

/// One row of the mapping: where a value comes from and what is done to it.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// Line in the mapping.
    pub(super) line: usize,
    pub(super) from: Given,
    pub(super) convert: Vec<Converter>,
    /// strptime's format for the converters of times.
    pub(super) format: Option<String>,
    pub(super) table: Option<Arc<Table>>,
    pub(super) default: Option<String>,
    pub(super) required: bool,
    pub(super) when: Option<Condition>,
    /// The event wants true or false.
    pub(super) bool: bool,
}

#[derive(Debug, Clone)]
pub(super) enum Given {
    /// The first that is there; with a text between them, all.
    Paths(Vec<Path>, Option<String>),
    Constant(String),
    Expression(Jq),
}

#[derive(Debug, Clone)]
pub(super) struct Condition {
    pub(super) line: usize,
    pub(super) from: Given,
    pub(super) test: Test,
    /// Another that must hold as well.
    pub(super) and: Option<Box<Condition>>,
}

#[derive(Debug, Clone)]
pub(super) enum Test {
    /// It is there and not blank; an expression gives something else than false and null.
    Present,
    Absent,
    Is(Vec<String>),
    Not(Vec<String>),
}

/// A code table: what the source says, and what the event says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) entries: BTreeMap<String, String>,
    /// What everything else becomes.
    pub(super) other: Option<String>,
}

impl Mapping {
    /// What needs no mapping: events as the program writes them itself.
    pub fn canonical() -> Self {
        let format = Format::Json { records: None };
        Self { label: "canonical".to_owned(), text: Arc::from(""), encoding: Encoding::Utf8, format, how: How::Canonical }
    }

    /// Name, revision and hash, as they are kept with each event.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// As it was written; nothing of canonical events.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The lines of all rows that make a part of an event. None of canonical events.
    pub fn lines(&self) -> BTreeSet<usize> {
        fn add(target: &Target, lines: &mut BTreeSet<usize>) {
            match target {
                Target::Value(row) | Target::Values(row, _) | Target::Made(row) => {
                    lines.insert(row.line);
                }
                Target::Group { fields, .. } => fields.iter().for_each(|(_, target)| add(target, lines)),
                Target::Each { item, .. } => add(item, lines),
                Target::Several(targets, _) => targets.iter().for_each(|target| add(target, lines)),
            }
        }
        let mut lines = BTreeSet::new();
        if let How::Blocks { blocks, .. } = &self.how {
            blocks.iter().flat_map(|block| &block.fields).for_each(|(_, target)| add(target, &mut lines));
        }
        lines
    }

    /// The line of the mapping that answers for a place of the event: the row itself, or the nearest that holds it.
    pub(super) fn line_of(block: &Block, path: &str) -> usize {
        let names = path.split(['.', '[']).filter(|step| !step.ends_with(']'));
        let (mut fields, mut line) = (&block.fields, block.line);
        for name in names {
            let Some((_, target)) = fields.iter().find(|(known, _)| *known == name) else { return line };
            let mut target = target;
            loop {
                match target {
                    Target::Value(row) | Target::Values(row, _) | Target::Made(row) => return row.line,
                    Target::Each { item, line: own, .. } => {
                        line = *own;
                        target = item;
                    }
                    Target::Several(items, _) if !items.is_empty() => target = &items[0],
                    Target::Several(..) => return line,
                    Target::Group { fields: inner, .. } => {
                        fields = inner;
                        break;
                    }
                }
            }
        }
        line
    }
}
