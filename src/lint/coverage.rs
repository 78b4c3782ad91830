//! What the files reach of all that there is.

use crate::check::rules::Rules;
use crate::map::{Limits, Mapping};
use crate::model::catalogue::{CATALOGUE, EventType};
use crate::model::event::CareEvent;
use crate::model::raw::Form;
use crate::model::shape::{Field, Shape, Sink, codes};
use jiff::civil::Date;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

codes! {
    /// What is counted.
    Kind {
        Types = "types": "händelsetyper", "types of events";
        Fields = "fields": "fält", "fields";
        Codes = "codes": "kodvärden", "code values";
        Rules = "rules": "regler", "rules";
        Items = "items": "checklistans punkter", "checklist items";
        Mapping = "mapping": "mappningens rader", "mapping lines";
    }
}

/// What some files reached.
#[derive(Debug, Default)]
pub(super) struct Reached {
    types: BTreeSet<EventType>,
    /// `K-HT data.receiver.name`; of what every event has, without the type.
    fields: BTreeSet<String>,
    /// `K-HT data.form home`.
    codes: BTreeSet<String>,
    /// Codes of findings, rules among them, and items of the checklist that were given or found open.
    shown: BTreeSet<String>,
    lines: BTreeMap<String, BTreeSet<usize>>,
}

impl Reached {
    pub(super) fn add(&mut self, other: Self) {
        self.types.extend(other.types);
        self.fields.extend(other.fields);
        self.codes.extend(other.codes);
        self.shown.extend(other.shown);
        for (mapping, lines) in other.lines {
            self.lines.entry(mapping).or_default().extend(lines);
        }
    }

    pub(super) fn event(&mut self, event: &CareEvent) {
        self.types.insert(event.head.kind);
        event.write(&mut Trail { kind: event.head.kind, path: Vec::new(), reached: self });
    }

    /// Rules that were tripped, and items of the checklist.
    pub(super) fn shows(&mut self, ids: impl IntoIterator<Item = String>) {
        self.shown.extend(ids);
    }

    /// Rows of a mapping that gave a value.
    pub(super) fn lines(&mut self, mapping: &Mapping, bytes: &[u8], form: Option<Form>, limits: Limits, today: Date) {
        if mapping.lines().is_empty() {
            return;
        }
        let Ok(records) = mapping.explain(bytes, form, limits, today) else { return };
        let rows = records.iter().flat_map(|record| &record.events).flat_map(|event| &event.rows);
        let gave = rows.filter(|row| !matches!(row.trace.how, "absent" | "not asked for" | "fault")).map(|row| row.trace.line);
        self.lines.entry(mapping.label().to_owned()).or_default().extend(gave);
    }
}

/// Follows an event as it is written.
struct Trail<'r> {
    kind: EventType,
    path: Vec<&'static str>,
    reached: &'r mut Reached,
}

impl Trail<'_> {
    fn place(&self, name: &'static str) -> String {
        // The items of a list stand under the list's own name.
        let path: Vec<&str> = self.path.iter().skip(1).copied().chain([name]).filter(|step| *step != "item").collect();
        place(self.kind, &path.join("."))
    }
}

/// What all events have is counted once.
fn place(kind: EventType, path: &str) -> String {
    if path.starts_with(CareEvent::DATA) { format!("{} {path}", kind.code()) } else { path.to_owned() }
}

impl Sink for Trail<'_> {
    fn open(&mut self, name: &'static str) {
        self.reached.fields.insert(self.place(name));
        self.path.push(name);
    }
    fn open_list(&mut self, name: &'static str) {
        self.open(name);
    }
    fn close(&mut self, _: &'static str) {
        self.path.pop();
    }
    fn text(&mut self, name: &'static str, value: &str) {
        let place = self.place(name);
        if place == "K-CL data.items.code" {
            self.reached.shown.insert(value.to_owned());
        }
        // Only what the lists name is looked up later, so nothing else needs to be kept.
        if value.len() <= 40 && is_code(self.kind, &place, value) {
            self.reached.codes.insert(format!("{place} {value}"));
        }
        self.reached.fields.insert(place);
    }
    fn bool(&mut self, name: &'static str, _: bool) {
        self.reached.fields.insert(self.place(name));
    }
}

fn is_code(kind: EventType, place: &str, value: &str) -> bool {
    let path = place.split_once(' ').map_or(place, |(_, path)| path);
    let (fields, steps): (Vec<Field>, _) = match path.strip_prefix("data.") {
        Some(rest) => (kind.row().fields.to_vec(), rest),
        None => (CareEvent::fields(), path),
    };
    let mut fields: &[Field] = &fields;
    for step in steps.split('.') {
        match fields.iter().find(|field| field.name == step).map(|field| field.shape) {
            Some(Shape::Group(inner)) => fields = inner,
            Some(Shape::Code(values)) => return values.iter().any(|known| known.code == value),
            _ => return false,
        }
    }
    false
}

/// All fields and code values that there are.
#[derive(Default)]
struct All {
    fields: BTreeSet<String>,
    codes: BTreeSet<String>,
}

impl All {
    fn new() -> Self {
        let mut all = Self::default();
        all.walk(&CareEvent::fields(), &|path| path.to_owned(), "");
        for row in CATALOGUE {
            all.walk(row.fields, &|path| place(row.kind, path), CareEvent::DATA);
            all.fields.insert(place(row.kind, CareEvent::DATA));
        }
        all.fields.remove(CareEvent::DATA);
        // What kind of event it is is counted by itself; numbers of another kind cannot be read.
        all.codes.retain(|code| !code.starts_with("type ") && code != "patient.idType other");
        all
    }

    fn walk(&mut self, fields: &[Field], name: &dyn Fn(&str) -> String, above: &str) {
        for field in fields {
            let path = if above.is_empty() { field.name.to_owned() } else { format!("{above}.{}", field.name) };
            self.fields.insert(name(&path));
            match field.shape {
                Shape::Group(inner) => self.walk(inner, name, &path),
                Shape::Code(values) => self.codes.extend(values.iter().map(|value| format!("{} {}", name(&path), value.code))),
                _ => {}
            }
        }
    }
}

/// One kind: how much there is, and what of it no file reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    pub kind: Kind,
    pub all: usize,
    pub unreached: Vec<String>,
}

impl Share {
    fn of(kind: Kind, all: BTreeSet<String>, reached: &BTreeSet<String>) -> Self {
        Self { kind, all: all.len(), unreached: all.difference(reached).cloned().collect() }
    }

    fn reached(&self) -> usize {
        self.all - self.unreached.len()
    }

    /// In percent, rounded down; 100 where there is nothing.
    pub fn percent(&self) -> usize {
        percent(self.reached(), self.all)
    }
}

fn percent(part: usize, all: usize) -> usize {
    (part * 100).checked_div(all).unwrap_or(100)
}

/// What all files together reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    pub shares: Vec<Share>,
}

impl Coverage {
    pub(super) fn of(reached: &Reached, rules: &Rules, mappings: &[Mapping]) -> Self {
        let all = All::new();
        let types = |kinds: &mut dyn Iterator<Item = EventType>| kinds.map(|kind| kind.code().to_owned()).collect::<BTreeSet<_>>();
        let lines = |label: &str, lines: &BTreeSet<usize>| lines.iter().map(|line| format!("{label}:{line}")).collect::<Vec<_>>();
        let shares = vec![
            Share::of(Kind::Types, types(&mut CATALOGUE.iter().map(|row| row.kind)), &types(&mut reached.types.iter().copied())),
            Share::of(Kind::Fields, all.fields, &reached.fields),
            Share::of(Kind::Codes, all.codes, &reached.codes),
            Share::of(Kind::Rules, rules.rules().iter().map(|rule| rule.id.as_str().to_owned()).collect(), &reached.shown),
            Share::of(Kind::Items, rules.regime.checklist.items.iter().map(|item| item.code.as_str().to_owned()).collect(), &reached.shown),
            Share::of(
                Kind::Mapping,
                mappings.iter().flat_map(|mapping| lines(mapping.label(), &mapping.lines())).collect(),
                &reached.lines.iter().flat_map(|(label, reached)| lines(label, reached)).collect(),
            ),
        ];
        Self { shares: shares.into_iter().filter(|share| share.all > 0).collect() }
    }

    /// Of everything together, or of one kind.
    pub fn percent(&self, kind: Option<Kind>) -> usize {
        let counted = || self.shares.iter().filter(|share| kind.is_none_or(|kind| share.kind == kind));
        percent(counted().map(Share::reached).sum(), counted().map(|share| share.all).sum())
    }

    /// A table, and below it what is not reached.
    pub fn text(&self, swedish: bool) -> String {
        let name = |kind: Kind| if swedish { kind.texts().0 } else { kind.texts().1 };
        let wide = self.shares.iter().map(|share| name(share.kind).chars().count()).max().unwrap_or(0);
        let mut out = String::from(if swedish { "Täckning\n" } else { "Coverage\n" });
        for share in &self.shares {
            let _ = writeln!(out, "  {:wide$}  {:>5} / {:<5} {:>3} %", name(share.kind), share.reached(), share.all, share.percent());
        }
        for share in self.shares.iter().filter(|share| !share.unreached.is_empty()) {
            let _ = writeln!(out, "\n{}: {}", if swedish { "Når ingen fil" } else { "Reached by no file" }, name(share.kind));
            share.unreached.iter().for_each(|one| {
                let _ = writeln!(out, "  {one}");
            });
        }
        out
    }

    pub fn json(&self) -> Value {
        let share = |share: &Share| {
            (
                share.kind.code().to_owned(),
                json!({"all": share.all, "reached": share.reached(), "percent": share.percent(), "unreached": share.unreached}),
            )
        };
        let mut kinds: serde_json::Map<String, Value> = self.shares.iter().map(share).collect();
        kinds.insert("percent".to_owned(), json!(self.percent(None)));
        Value::Object(kinds)
    }
}
