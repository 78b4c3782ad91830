//! Runs a mapping over a record.

use super::jq::JqFault;
use super::plan::{Block, Condition, Given, Row, Target, Test};
use crate::fault::Code;
use crate::model::node::{Key, Node, NodeValue};
use crate::model::personal::Personal;
use std::borrow::Cow;
use std::collections::HashSet;

/// What is wrong with a row's value.
#[derive(Debug)]
pub(super) struct RowProblem {
    pub(super) code: Code,
    /// Place in the event.
    pub(super) path: String,
    /// Byte offset in the source.
    pub(super) at: usize,
    /// Line in the mapping.
    pub(super) line: usize,
    pub(super) detail: Option<(String, String)>,
}

/// What a row did, for a person who asks.
#[derive(Debug, Clone)]
pub struct Trace {
    /// Place in the event.
    pub path: String,
    /// Line in the mapping.
    pub line: usize,
    /// Byte offset in the source; none where nothing was there.
    pub(super) at: Option<usize>,
    /// How the value came about: `path`, `constant`, `expression`, `default`, `absent`, `not asked for`, `fault`.
    pub how: &'static str,
    /// Converters and code table that it went through.
    pub through: String,
    pub value: Option<Personal<String>>,
}

/// A record under a mapping.
pub(super) struct Work<'a> {
    record: &'a Node,
    path: Vec<String>,
    pub(super) problems: Vec<RowProblem>,
    pub(super) trace: Option<Vec<Trace>>,
}

/// A value of the event, and whether anything of the record is in it.
type Made = Option<(Node, bool)>;

impl<'a> Work<'a> {
    pub(super) fn new(record: &'a Node, traced: bool) -> Self {
        Self { record, path: Vec::new(), problems: Vec::new(), trace: traced.then(Vec::new) }
    }

    /// The event that a block makes of the record, in the form of the canonical JSON.
    pub(super) fn event(&mut self, block: &Block) -> Node {
        let record = self.record;
        let (mut entries, _) = self.fields(&block.fields, record);
        entries.push((key("type", record.at), text(block.kind.code().to_owned(), record.at)));
        Node { at: record.at, value: NodeValue::Map(entries) }
    }

    /// Whether a condition holds for the record or an item of it.
    pub(super) fn holds(&mut self, condition: &Condition, item: &Node) -> bool {
        if let (Given::Paths(paths, _), Test::Present | Test::Absent) = (&condition.from, &condition.test) {
            let there = paths.iter().flat_map(|path| path.within(self.record, item)).any(|node| !is_blank(node));
            let holds = there == matches!(condition.test, Test::Present);
            return holds && condition.and.as_ref().is_none_or(|other| self.holds(other, item));
        }
        let (found, _) = self.found(&condition.from, item, condition.line);
        let shown = found.first().map(|(text, _)| text.as_ref().trim()).filter(|text| !text.is_empty());
        let holds = match &condition.test {
            Test::Present => shown.is_some_and(|text| text != "false"),
            Test::Absent => shown.is_none(),
            Test::Is(texts) => texts.iter().any(|text| shown.unwrap_or_default() == text),
            Test::Not(texts) => texts.iter().all(|text| shown.unwrap_or_default() != text),
        };
        holds && condition.and.as_ref().is_none_or(|other| self.holds(other, item))
    }

    fn asked(&mut self, when: Option<&Condition>, item: &Node) -> bool {
        when.is_none_or(|condition| self.holds(condition, item))
    }

    fn fields(&mut self, fields: &[(&'static str, Target)], item: &Node) -> (Vec<(Key, Node)>, bool) {
        let mut entries = Vec::with_capacity(fields.len());
        let mut real = false;
        for (name, target) in fields {
            self.path.push((*name).to_owned());
            if let Some((node, from_record)) = self.target(target, item) {
                entries.push((key(name, node.at), node));
                real |= from_record;
            }
            self.path.pop();
        }
        (entries, real)
    }

    fn target(&mut self, target: &Target, item: &Node) -> Made {
        match target {
            Target::Value(row) => self.value(row, item),
            Target::Values(row, required) => self.values(row, item, *required),
            Target::Made(row) => self.made(row, item),
            Target::Group { fields, when, required } => {
                if !self.asked(when.as_ref(), item) {
                    return None;
                }
                let (entries, real) = self.fields(fields, item);
                let kept = !entries.is_empty() && (real || *required);
                kept.then_some((Node { at: item.at, value: NodeValue::Map(entries) }, real))
            }
            Target::Each { each, when, item: target, required, line } => {
                let found: Vec<&Node> = each.within(self.record, item).into_iter().flat_map(items).collect();
                if found.is_empty() {
                    self.trace_empty(*line);
                }
                let list = self.list(found.into_iter().map(|one| (one, target.as_ref())), when.as_ref());
                gathered(list, item.at, *required)
            }
            Target::Several(targets, required) => {
                let list = self.list(targets.iter().map(|target| (item, target)), None);
                gathered(list, item.at, *required)
            }
        }
    }

    fn list<'t>(&mut self, parts: impl Iterator<Item = (&'t Node, &'t Target)>, when: Option<&Condition>) -> Vec<Node> {
        let mut list = Vec::new();
        for (item, target) in parts {
            if !self.asked(when, item) {
                continue;
            }
            self.path.push(format!("[{}]", list.len()));
            list.extend(self.target(target, item).map(|(node, _)| node));
            self.path.pop();
        }
        list
    }

    fn value(&mut self, row: &Row, item: &Node) -> Made {
        if !self.asked(row.when.as_ref(), item) {
            return self.told(row, None, "not asked for", None);
        }
        let before = self.problems.len();
        let (found, how) = self.found(&row.from, item, row.line);
        if self.problems.len() > before {
            return self.told(row, Some(item.at), "fault", None);
        }
        let joined = match (&row.from, found.as_slice()) {
            (Given::Paths(_, Some(between)), [first, ..]) => {
                let texts: Vec<_> = found.iter().map(|(text, _)| text.trim()).collect();
                Some((Cow::Owned(texts.join(between)), first.1))
            }
            _ => found.into_iter().next(),
        };
        match joined {
            Some((text, at)) => self.finished(row, &text, at, how),
            None => self.absent(row, item),
        }
    }

    fn values(&mut self, row: &Row, item: &Node, required: bool) -> Made {
        let mut list = Vec::new();
        if self.asked(row.when.as_ref(), item) {
            let (found, how) = self.found(&row.from, item, row.line);
            for (text, at) in found {
                self.path.push(format!("[{}]", list.len()));
                list.extend(self.finished(row, &text, at, how).map(|(node, _)| node));
                self.path.pop();
            }
        }
        if list.is_empty() {
            if row.default.is_some() || row.required {
                return self.absent(row, item).map(|(node, _)| (Node { at: item.at, value: NodeValue::List(vec![node]) }, false));
            }
            self.told(row, None, "absent", None);
        }
        gathered(list, item.at, required)
    }

    /// A whole group or list, as an expression gives it.
    fn made(&mut self, row: &Row, item: &Node) -> Made {
        let Given::Expression(expression) = &row.from else { return None };
        if !self.asked(row.when.as_ref(), item) {
            return self.told(row, None, "not asked for", None);
        }
        match expression.run(self.record, item) {
            Ok(node) if node.is_null() => self.told(row, None, "absent", None),
            Ok(node) => {
                self.told(row, Some(item.at), "expression", None);
                Some((node, true))
            }
            Err(fault) => {
                self.expression_failed(fault, item.at, row.line);
                self.told(row, Some(item.at), "fault", None)
            }
        }
    }

    /// A named value may be a whole part of the record, where nothing is to be done to it.
    fn whole(&mut self, row: &Row, item: &Node) -> Option<Node> {
        let Given::Paths(paths, None) = &row.from else { return None };
        let plain = row.convert.is_empty() && row.table.is_none() && self.asked(row.when.as_ref(), item);
        let found = paths.iter().filter(|_| plain).find_map(|path| path.within(self.record, item).into_iter().next())?;
        matches!(found.value, NodeValue::Map(_) | NodeValue::List(_)).then(|| found.clone())
    }

    /// What a row finds, blank texts left out, each with its place; and how.
    #[expect(clippy::disallowed_methods, reason = "moves values of the record into the event")]
    fn found<'n>(&mut self, from: &'n Given, item: &'n Node, line: usize) -> (Vec<(Cow<'n, str>, usize)>, &'static str)
    where
        'a: 'n,
    {
        let mut found: Vec<(Cow<'n, str>, usize)> = Vec::new();
        let how = match from {
            Given::Constant(text) => {
                found.push((Cow::Borrowed(text.as_str()), item.at));
                return (found, "constant");
            }
            Given::Paths(paths, join) => {
                for path in paths {
                    for node in path.within(self.record, item).into_iter().flat_map(items) {
                        // An XML element that has attributes too is its text.
                        let node = node.get("#text").unwrap_or(node);
                        match &node.value {
                            NodeValue::Text(text) | NodeValue::Number(text) => {
                                found.push((Cow::Borrowed(text.disclose().as_str()), node.at));
                            }
                            NodeValue::Bool(value) => found.push((Cow::Owned(value.to_string()), node.at)),
                            _ => {}
                        }
                    }
                    found.retain(|(text, _)| !text.trim().is_empty());
                    if join.is_none() && !found.is_empty() {
                        break;
                    }
                }
                "path"
            }
            Given::Expression(expression) => {
                match expression.run(self.record, item) {
                    Ok(made) => {
                        found.extend(items(&made).filter_map(Node::text).map(|text| (Cow::Owned(text.disclose().clone()), item.at)));
                    }
                    Err(fault) => self.expression_failed(fault, item.at, line),
                }
                "expression"
            }
        };
        found.retain(|(text, _)| !text.trim().is_empty());
        (found, how)
    }

    fn absent(&mut self, row: &Row, item: &Node) -> Made {
        if let Some(default) = &row.default {
            let node = plain(default.clone(), item.at, row.bool);
            self.told(row, None, "default", Some(default));
            return Some((node, false));
        }
        if row.required {
            self.problem(Code::MapMissing, item.at, row.line, None);
        }
        self.told(row, None, "absent", None)
    }

    /// Through converters and code table.
    fn finished(&mut self, row: &Row, found: &str, at: usize, how: &'static str) -> Made {
        let mut value = Cow::Borrowed(found.trim());
        for converter in &row.convert {
            let Some(next) = converter.run(&value, row.format.as_deref()).map(Cow::into_owned) else {
                let name = converter.name();
                self.problem(Code::MapConvert, at, row.line, Some((name.to_owned(), name.to_owned())));
                return self.told(row, Some(at), "fault", Some(&value));
            };
            value = Cow::Owned(next.trim().to_owned());
        }
        if let Some(table) = &row.table {
            let Some(code) = table.entries.get(value.as_ref()).or(table.other.as_ref()) else {
                let detail = (format!("tabellen {}", table.name), format!("table {}", table.name));
                self.problem(Code::MapTable, at, row.line, Some(detail));
                return self.told(row, Some(at), "fault", Some(&value));
            };
            value = Cow::Owned(code.clone());
        }
        let node = plain(value.clone().into_owned(), at, row.bool);
        self.told(row, Some(at), how, Some(&value));
        Some((node, how != "constant"))
    }

    fn expression_failed(&mut self, fault: JqFault, at: usize, line: usize) {
        let code = match fault {
            JqFault::TooLarge => Code::MapTooLarge,
            JqFault::Failed => Code::MapExpression,
        };
        self.problem(code, at, line, None);
    }

    fn problem(&mut self, code: Code, at: usize, line: usize, detail: Option<(String, String)>) {
        let path = self.place();
        self.problems.push(RowProblem { code, path, at, line, detail });
    }

    fn told(&mut self, row: &Row, at: Option<usize>, how: &'static str, value: Option<&str>) -> Made {
        let path = self.place();
        if let Some(trace) = &mut self.trace {
            let mut through: Vec<_> = row.convert.iter().map(|converter| converter.name().to_owned()).collect();
            through.extend(row.table.iter().map(|table| format!("table {}", table.name)));
            let value = value.map(|text| Personal::new(text.to_owned()));
            trace.push(Trace { path, line: row.line, at, how, through: through.join(", "), value });
        }
        None
    }

    /// That a list found no items.
    fn trace_empty(&mut self, line: usize) {
        let path = self.place();
        if let Some(trace) = &mut self.trace {
            trace.push(Trace { path, line, at: None, how: "absent", through: String::new(), value: None });
        }
    }

    fn place(&self) -> String {
        self.path.join(".").replace(".[", "[")
    }
}

#[expect(clippy::disallowed_methods, reason = "looks whether there is a text")]
fn is_blank(node: &Node) -> bool {
    match &node.value {
        NodeValue::Null => true,
        NodeValue::Text(text) => text.disclose().trim().is_empty(),
        NodeValue::List(items) => items.iter().all(is_blank),
        NodeValue::Map(entries) => entries.is_empty(),
        _ => false,
    }
}

/// What a record must not hold where a mapping picks values out of it: a name twice, of which one would be passed over, and a
/// number that no two programs read alike.
#[expect(clippy::disallowed_methods, reason = "compares names, looks whether a number is one")]
pub(super) fn unsound(node: &Node) -> Option<(Code, usize)> {
    match &node.value {
        NodeValue::Number(raw) if !raw.disclose().parse::<f64>().is_ok_and(f64::is_finite) => Some((Code::MapNumber, node.at)),
        NodeValue::List(items) => items.iter().find_map(unsound),
        NodeValue::Map(entries) => {
            let mut names = HashSet::with_capacity(entries.len());
            entries.iter().find_map(|(key, value)| {
                if names.insert(key.name.disclose().as_str()) { unsound(value) } else { Some((Code::MapDuplicateField, key.at)) }
            })
        }
        _ => None,
    }
}

/// The record with the mapping's named values in it, each of which may build on those before it.
pub(super) fn with_named(mut record: Node, named: &[(String, Row)]) -> (Node, Vec<RowProblem>) {
    let mut problems = Vec::new();
    for (name, row) in named {
        let mut work = Work::new(&record, false);
        work.path.push(name.clone());
        let made = work.whole(row, &record).or_else(|| work.value(row, &record).map(|(node, _)| node));
        problems.append(&mut work.problems);
        if let (Some(node), NodeValue::Map(entries)) = (made, &mut record.value) {
            entries.push((key(name, node.at), node));
        }
    }
    (record, problems)
}

/// An empty list is an answer where the event demands one.
fn gathered(list: Vec<Node>, at: usize, required: bool) -> Made {
    let real = !list.is_empty();
    (real || required).then_some((Node { at, value: NodeValue::List(list) }, real))
}

/// A list's items; anything else is a list of one.
fn items(node: &Node) -> impl Iterator<Item = &Node> {
    let (list, single) = match &node.value {
        NodeValue::List(items) => (items.as_slice(), None),
        _ => (&[][..], Some(node)),
    };
    list.iter().chain(single)
}

fn key(name: &str, at: usize) -> Key {
    Key { at, name: Personal::new(name.to_owned()) }
}

fn text(text: String, at: usize) -> Node {
    Node { at, value: NodeValue::Text(Personal::new(text)) }
}

fn plain(value: String, at: usize, bool: bool) -> Node {
    match (bool, value.as_str()) {
        (true, "true") => Node { at, value: NodeValue::Bool(true) },
        (true, "false") => Node { at, value: NodeValue::Bool(false) },
        _ => text(value, at),
    }
}
