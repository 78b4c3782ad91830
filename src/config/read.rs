//! Reads file and environment against the tree of keys, and lays the layers over each other.
//!
//! Every fault is found in one pass: what is wrong is named with its place and left out of the layers, so that the rest can be
//! looked at further. No value is ever repeated in a fault, since any could be a secret.

use super::keys::{self, Kind};
use super::nearest::nearest;
use super::raw::Raw;
use crate::fault::{Code, Fault};
use std::collections::{BTreeMap, BTreeSet};
use toml::de::{DeTable, DeValue};

/// Names of sources and destinations: lower case, so that the environment can name them too.
pub(super) const NAME_PATTERN: &str = "^[a-z][a-z0-9-]*(_[a-z0-9-]+)*$";
pub(super) const NAME_LENGTH: usize = 40;
const PREFIX: &str = "vardbro__";
/// After so many, the rest follows from the first.
const MOST_SYNTAX_FAULTS: usize = 10;

/// Where each value came from, and what has been found wrong.
#[derive(Debug)]
pub(super) struct Origin {
    /// The file as the user named it.
    file: Option<String>,
    text: String,
    /// Byte offset of keys and tables in the file.
    offsets: BTreeMap<String, usize>,
    /// The variable that set a key.
    variables: BTreeMap<String, String>,
    bad: BTreeSet<String>,
    pub(super) faults: Vec<Fault>,
}

impl Origin {
    /// The place of a key for a person: variable, or `FILE:LINE:COLUMN` of it or of the nearest table around it.
    fn place(&self, path: &str) -> Option<String> {
        if let Some(variable) = self.variables.get(path) {
            return Some(variable.clone());
        }
        let file = self.file.as_ref()?;
        let mut around = path;
        loop {
            if let Some(offset) = self.offsets.get(around) {
                return Some(self.position(file, *offset));
            }
            match around.rsplit_once('.') {
                Some((outer, _)) => around = outer,
                None => return Some(file.clone()),
            }
        }
    }

    fn position(&self, file: &str, offset: usize) -> String {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!("{file}:{line}:{column}")
    }

    /// Notes a fault of a key. `what` is of our own words.
    pub(super) fn fault(&mut self, code: Code, path: &str, what: &str) {
        let place = self.place(path).map_or(String::new(), |place| format!("{place}: "));
        self.bad.insert(path.to_owned());
        self.faults.push(Fault::with(code, format!("{place}{path}: {what}")));
    }

    /// Whether something has been said already of this key or of a table around it.
    pub(super) fn is_bad(&self, path: &str) -> bool {
        self.bad.iter().any(|bad| path.strip_prefix(bad.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '['])))
    }
}

/// Lays defaults, file and environment over each other.
pub(super) fn read(text: Option<(&str, &str)>, env: &[(String, String)]) -> (Raw, Origin) {
    let root = keys::root();
    let mut origin = Origin {
        file: text.map(|(file, _)| file.to_owned()),
        text: text.map_or(String::new(), |(_, text)| text.to_owned()),
        offsets: BTreeMap::new(),
        variables: BTreeMap::new(),
        bad: BTreeSet::new(),
        faults: Vec::new(),
    };
    let file = match text {
        Some((name, text)) => from_file(name, text, &root, &mut origin),
        None => toml::Table::new(),
    };
    let variables = from_env(env, &root, &mut origin);
    if let Some(raw) = layered(&file, variables) {
        (raw, origin)
    } else {
        // Every value was checked on the way here, so this is a fault of ours; say at least where to look.
        if origin.faults.is_empty() {
            origin.faults.push(Fault::with(Code::CfgValue, "the layers do not fit together"));
        }
        (Raw::default(), origin)
    }
}

fn layered(file: &toml::Table, variables: config::Map<String, String>) -> Option<Raw> {
    let mut defaults = keys::defaults();
    for section in ["source", "destination"] {
        let Some(toml::Value::Table(table)) = defaults.get_mut(section) else { continue };
        let Some(template) = table.remove(keys::ANY) else { continue };
        let in_file = file.get(section).and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::keys).cloned();
        let in_env = variables.keys().filter_map(|key| {
            let mut parts = key.strip_prefix(PREFIX)?.split("__");
            (parts.next()? == section).then(|| parts.next().map(str::to_owned))?
        });
        for name in in_file.chain(in_env).collect::<BTreeSet<_>>() {
            table.insert(name, template.clone());
        }
    }
    let layer = |table: &toml::Table| Some(config::File::from_str(&toml::to_string(table).ok()?, config::FileFormat::Toml));
    config::Config::builder()
        .add_source(layer(&defaults)?)
        .add_source(layer(file)?)
        .add_source(config::Environment::with_prefix("VARDBRO").separator("__").source(Some(variables)))
        .build()
        .ok()?
        .try_deserialize()
        .ok()
}

/// The sound part of the file.
fn from_file(name: &str, text: &str, root: &Kind, origin: &mut Origin) -> toml::Table {
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return match value(&DeValue::Table(table.into_inner()), root, "", 0, origin) {
            Some(toml::Value::Table(table)) => table,
            _ => toml::Table::new(),
        };
    }
    for error in errors.into_iter().take(MOST_SYNTAX_FAULTS) {
        let place = error.span().map_or_else(|| name.to_owned(), |span| origin.position(name, span.start));
        origin.faults.push(Fault::with(Code::CfgSyntax, format!("{place}: {}", error.message())));
    }
    // What is left of a broken file would only bring faults that follow from the first.
    toml::Table::new()
}

/// The sound part of a value. Its place is noted; what is wrong is noted as a fault.
fn value(value: &DeValue<'_>, kind: &Kind, path: &str, offset: usize, origin: &mut Origin) -> Option<toml::Value> {
    origin.offsets.insert(path.to_owned(), offset);
    let sound = match (kind, value) {
        (Kind::Table(_) | Kind::Named(_), DeValue::Table(entries)) => Some(toml::Value::Table(table(entries, kind, path, origin))),
        (Kind::List(inner), DeValue::Array(items)) => {
            let items = items.iter().enumerate();
            let item = |(place, item): (usize, &toml::Spanned<DeValue<'_>>)| {
                self::value(item.get_ref(), inner, &format!("{path}[{place}]"), item.span().start, origin)
            };
            let empty = || if **inner == Kind::Text { String::new().into() } else { toml::Table::new().into() };
            Some(toml::Value::Array(items.map(item).map(|item| item.unwrap_or_else(empty)).collect()))
        }
        (Kind::Text, DeValue::String(text)) => Some(text.as_ref().into()),
        (Kind::Flag, DeValue::Boolean(flag)) => Some((*flag).into()),
        (Kind::Choice { allowed, .. }, DeValue::String(text)) if allowed.iter().any(|word| word == text) => Some(text.as_ref().into()),
        (Kind::Whole { min, max }, DeValue::Integer(digits)) => i64::from_str_radix(digits.as_str(), digits.radix())
            .ok()
            .filter(|number| (min..=max).contains(&number))
            .map(toml::Value::Integer),
        (Kind::Number { min, max }, DeValue::Integer(_) | DeValue::Float(_)) => {
            number(value).filter(|number| (min..=max).contains(&number)).map(toml::Value::Float)
        }
        _ => None,
    };
    if sound.is_none() {
        let word = if let DeValue::String(text) = value { Some(text.as_ref()) } else { None };
        origin.fault(Code::CfgValue, path, &complaint(kind, word));
    }
    sound
}

fn number(value: &DeValue<'_>) -> Option<f64> {
    let digits = match value {
        DeValue::Integer(digits) if digits.radix() == 10 => digits.as_str(),
        DeValue::Float(digits) => digits.as_str(),
        _ => return None,
    };
    digits.parse().ok()
}

fn table(entries: &DeTable<'_>, kind: &Kind, path: &str, origin: &mut Origin) -> toml::Table {
    let mut sound = toml::Table::new();
    for (key, entry) in entries {
        let name = key.get_ref().as_ref();
        let at = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        // A table is pointed at by its name, a value by itself.
        let offset = if entry.get_ref().is_table() { key.span().start } else { entry.span().start };
        match kind.child(name) {
            Some(inner) if !matches!(kind, Kind::Named(_)) || is_name(name) => {
                if let Some(value) = value(entry.get_ref(), inner, &at, offset, origin) {
                    sound.insert(name.to_owned(), value);
                }
            }
            known => {
                origin.offsets.insert(at.clone(), key.span().start);
                let code = if known.is_some() { Code::CfgValue } else { Code::CfgUnknownKey };
                origin.fault(code, &at, &hint(kind, name));
            }
        }
    }
    sound
}

/// The sound variables, with their names in lower case as `config` has them.
fn from_env(env: &[(String, String)], root: &Kind, origin: &mut Origin) -> config::Map<String, String> {
    let mut sound = config::Map::new();
    for (variable, text) in env {
        let lower = variable.to_lowercase();
        let Some(rest) = lower.strip_prefix(PREFIX) else { continue };
        if text.is_empty() {
            continue;
        }
        let path = rest.replace("__", ".");
        origin.variables.insert(path.clone(), variable.clone());
        let mut kind = root;
        let mut wrong = None;
        for part in rest.split("__") {
            match kind.child(part) {
                Some(inner) if !matches!(kind, Kind::Named(_)) || is_name(part) => kind = inner,
                _ if matches!(kind, Kind::List(_)) => wrong = Some((Code::CfgValue, "lists can only be written in the file".to_owned())),
                Some(_) => wrong = Some((Code::CfgValue, hint(kind, part))),
                None => wrong = Some((Code::CfgUnknownKey, hint(kind, part))),
            }
            if wrong.is_some() {
                break;
            }
        }
        if wrong.is_none() && !fits(kind, text) {
            wrong = Some((Code::CfgValue, complaint(kind, Some(text))));
        }
        match wrong {
            None => {
                sound.insert(lower, text.clone());
            }
            Some((code, what)) => origin.fault(code, &path, &what),
        }
    }
    sound
}

/// Whether a variable's text will be read as what belongs there.
fn fits(kind: &Kind, text: &str) -> bool {
    match kind {
        Kind::Table(_) | Kind::Named(_) | Kind::List(_) => false,
        Kind::Text => true,
        Kind::Flag => text.parse::<bool>().is_ok(),
        Kind::Choice { allowed, .. } => allowed.iter().any(|word| word == text),
        Kind::Whole { min, max } => text.parse().is_ok_and(|number| (*min..=*max).contains(&number)),
        Kind::Number { min, max } => text.parse().is_ok_and(|number| (*min..=*max).contains(&number)),
    }
}

/// What is wrong with a value of the wrong kind, without the value.
fn complaint(kind: &Kind, word: Option<&str>) -> String {
    let expected = kind.expected();
    let Kind::Choice { allowed, later } = kind else { return format!("expected {expected}") };
    let meant = word.and_then(|word| nearest(word, allowed.iter().map(String::as_str)));
    match (meant, word.is_some_and(|word| later.iter().any(|known| known == word))) {
        (_, true) => format!("only {expected} in this version; later: {}", later.join(", ")),
        (Some(meant), _) => format!("expected {expected}; did you mean \"{meant}\"?"),
        (None, _) => format!("expected {expected}"),
    }
}

/// What is wrong with a key.
fn hint(kind: &Kind, name: &str) -> String {
    let keys = match kind {
        Kind::Table(keys) => keys,
        Kind::Named(_) => return "a name is lower-case letters, digits, - and single _, and begins with a letter".to_owned(),
        _ => return "the key has no parts".to_owned(),
    };
    if let Some(meant) = nearest(name, keys.iter().map(|key| key.name.as_str())) {
        return format!("did you mean `{meant}`?");
    }
    home(name).map_or_else(
        || format!("known here: {}", keys.iter().map(|key| key.name.as_str()).collect::<Vec<_>>().join(", ")),
        |section| format!("`{name}` belongs in {section}"),
    )
}

/// The section that has a key of this name, if it is the only one.
fn home(name: &str) -> Option<String> {
    let Kind::Table(sections) = keys::root() else { return None };
    let mut homes = sections.iter().filter_map(|section| match &section.kind {
        Kind::Named(inner) => inner.child(name).map(|_| format!("[{}.NAME]", section.name)),
        Kind::List(inner) => inner.child(name).map(|_| format!("[[{}]]", section.name)),
        inner => inner.child(name).map(|_| format!("[{}]", section.name)),
    });
    let home = homes.next();
    if homes.next().is_none() { home } else { None }
}

/// As `NAME_PATTERN` says.
fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_')
        && !name.contains("__")
        && !name.ends_with('_')
        && name.len() <= NAME_LENGTH
}
