//! The tree of keys, made from `raw` and `default.toml`: what the reader checks against, the JSON Schema and the reference.

use super::raw::Raw;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// Every default, with comments for people.
pub(super) const DEFAULTS: &str = include_str!("default.toml");
/// Stands for every name in `[source.*]` and `[destination.*]` of the defaults.
pub(super) const ANY: &str = "*";

/// What may stand at one place of the file.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// A table with known keys.
    Table(Vec<Key>),
    /// A table whose keys are names of the user's.
    Named(Box<Kind>),
    List(Box<Kind>),
    Text,
    Flag,
    Choice {
        allowed: Vec<String>,
        later: Vec<String>,
    },
    Whole {
        min: i64,
        max: i64,
    },
    Number {
        min: f64,
        max: f64,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) required: bool,
    pub(super) default: Option<toml::Value>,
    pub(super) doc: String,
}

impl Kind {
    /// For a person: what belongs here.
    pub(super) fn expected(&self) -> String {
        match self {
            Self::Table(_) | Self::Named(_) => "a table".to_owned(),
            Self::List(inner) if **inner == Self::Text => "a list of texts in quotes".to_owned(),
            Self::List(_) => "a list of tables".to_owned(),
            Self::Text => "a text in quotes".to_owned(),
            Self::Flag => "true or false".to_owned(),
            Self::Choice { allowed, .. } => {
                allowed.iter().map(|word| format!("\"{word}\"")).reduce(|all, word| format!("{all} or {word}")).unwrap_or_default()
            }
            Self::Whole { min, max } => format!("a whole number from {min} to {max}"),
            Self::Number { min, max } => format!("a number from {min} to {max}"),
        }
    }

    /// What belongs at a key of this table.
    pub(super) fn child(&self, name: &str) -> Option<&Kind> {
        match self {
            Self::Table(keys) => keys.iter().find(|key| key.name == name).map(|key| &key.kind),
            Self::Named(kind) => Some(kind),
            _ => None,
        }
    }
}

/// The whole tree.
pub(super) fn root() -> Kind {
    kind(&tree())
}

/// The defaults as a table.
pub(super) fn defaults() -> toml::Table {
    // A test reads the file; a fault in it cannot leave the house.
    DEFAULTS.parse().unwrap_or_default()
}

/// The JSON Schema of the configuration (as JSON, which TOML maps to).
pub fn schema() -> String {
    let mut schema = tree();
    // Same text whatever features the build gives the JSON library.
    schema.sort_all_objects();
    format!("{schema:#}\n")
}

/// The schema as derived, without `null` (TOML has none) and with the defaults.
fn tree() -> Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<Raw>().to_value();
    tidy(&mut schema);
    // By Rust's types the section may be left out; its keys are required all the same.
    schema["required"] = json!(["organisation"]);
    schema["title"] = json!("Vårdbro configuration");
    if let Ok(defaults) = serde_json::to_value(defaults()) {
        put_defaults(&mut schema, &defaults);
    }
    for section in ["source", "destination"] {
        schema["properties"][section]["propertyNames"] =
            json!({ "pattern": super::read::NAME_PATTERN, "maxLength": super::read::NAME_LENGTH });
    }
    schema
}

/// Takes away what Rust's types brought along and a TOML file knows nothing of.
fn tidy(schema: &mut Value) {
    let Value::Object(map) = schema else { return };
    map.remove("format");
    map.remove("default");
    // An optional word is a choice between the word and null.
    if let Some(Value::Array(choices)) = map.remove("anyOf")
        && let Some(Value::Object(word)) = choices.into_iter().find(|choice| choice["type"] != json!("null"))
    {
        for (name, value) in word {
            map.entry(name).or_insert(value);
        }
    }
    if let Some(Value::Array(types)) = map.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [one] = &types[..] {
            let one = one.clone();
            map.insert("type".to_owned(), one);
        }
    }
    if let Some(Value::Array(words)) = map.get_mut("enum") {
        words.retain(|word| !word.is_null());
    }
    for name in ["items", "additionalProperties"] {
        map.get_mut(name).into_iter().for_each(tidy);
    }
    if let Some(Value::Object(properties)) = map.get_mut("properties") {
        properties.values_mut().for_each(tidy);
    }
}

fn put_defaults(schema: &mut Value, defaults: &Value) {
    let Value::Object(entries) = defaults else {
        schema["default"] = defaults.clone();
        return;
    };
    for (name, value) in entries {
        let place = if name == ANY { &mut schema["additionalProperties"] } else { &mut schema["properties"][name] };
        put_defaults(place, value);
    }
}

fn kind(schema: &Value) -> Kind {
    let words = |name: &str| -> Vec<String> {
        schema[name].as_array().map(|words| words.iter().filter_map(Value::as_str).map(str::to_owned).collect()).unwrap_or_default()
    };
    if schema["enum"].is_array() {
        return Kind::Choice { allowed: words("enum"), later: words("x-later") };
    }
    match schema["type"].as_str() {
        Some("object") => match (schema["properties"].as_object(), &schema["additionalProperties"]) {
            (None, inner @ Value::Object(_)) => Kind::Named(Box::new(kind(inner))),
            (properties, _) => Kind::Table(keys(properties, &words("required"))),
        },
        Some("boolean") => Kind::Flag,
        Some("array") => Kind::List(Box::new(kind(&schema["items"]))),
        Some("integer") => {
            Kind::Whole { min: schema["minimum"].as_i64().unwrap_or(0), max: schema["maximum"].as_i64().unwrap_or(i64::from(u32::MAX)) }
        }
        Some("number") => {
            Kind::Number { min: schema["minimum"].as_f64().unwrap_or(0.0), max: schema["maximum"].as_f64().unwrap_or(f64::MAX) }
        }
        _ => Kind::Text,
    }
}

fn keys(properties: Option<&Map<String, Value>>, required: &[String]) -> Vec<Key> {
    let key = |(name, schema): (&String, &Value)| Key {
        name: name.clone(),
        kind: kind(schema),
        required: required.contains(name),
        default: schema.get("default").and_then(|value| toml::Value::try_from(value).ok()),
        doc: schema["description"].as_str().unwrap_or_default().to_owned(),
    };
    let mut keys: Vec<Key> = properties.into_iter().flatten().map(key).collect();
    keys.sort_by(|one, other| one.name.cmp(&other.name));
    keys
}

/// `docs/config.md`.
pub fn reference() -> String {
    let mut text = HEAD.to_owned();
    let Kind::Table(keys) = root() else { return text };
    let (sections, plain): (Vec<Key>, Vec<Key>) =
        keys.into_iter().partition(|key| matches!(key.kind, Kind::Table(_) | Kind::Named(_) | Kind::List(_)));
    section(&mut text, "At the top", "Before the first table.\n\nFöre den första tabellen.", &plain);
    for key in &sections {
        let (title, inner) = match &key.kind {
            Kind::Named(inner) => (format!("`[{}.NAME]`", key.name), &**inner),
            Kind::List(inner) => (format!("`[[{}]]`", key.name), &**inner),
            inner => (format!("`[{}]`", key.name), inner),
        };
        if let Kind::Table(keys) = inner {
            section(&mut text, &title, &key.doc, keys);
        }
    }
    text
}

const HEAD: &str = "\
# Configuration · Konfiguration

Generated from `src/config`; do not edit. Defaults come first, then the file, then the environment: `VARDBRO__` and the key, \
with `__` between its parts (`VARDBRO__DESTINATION__REGION__URL` is `url` in `[destination.region]`; lists can only be written \
in the file; an empty variable counts as absent). Relative paths start in the folder of the configuration file. Names (`NAME`) \
are lower-case letters, digits, `-` and `_`, and begin with a letter. Units stand in the names: `_s` seconds, `_h` hours, \
`_days` days, `_kb` kilobytes. A key that is not listed here is refused.

Genererad ur `src/config`; redigera inte. Först gäller standardvärdena, sedan filen, sedan miljön: `VARDBRO__` och nyckeln, med \
`__` mellan delarna (listor kan bara skrivas i filen; en tom variabel räknas som utelämnad). Relativa sökvägar utgår från \
konfigurationsfilens mapp. Namn (`NAME`) är små bokstäver, siffror, `-` och `_`, med en bokstav först. Enheten står i \
nyckelns namn. En nyckel som inte finns här avvisas.
";

fn section(text: &mut String, title: &str, doc: &str, keys: &[Key]) {
    let _ = write!(text, "\n## {title}\n\n{doc}\n\n| Key | Type | Default | Meaning |\n|---|---|---|---|\n");
    for key in keys {
        let default = match &key.default {
            Some(value) => format!("`{value}`"),
            None if key.required => "required · krävs".to_owned(),
            None => "–".to_owned(),
        };
        let (en, sv) = key.doc.split_once("\n\n").unwrap_or((&key.doc, ""));
        let _ = writeln!(text, "| `{}` | {} | {default} | {en}<br>*{sv}* |", key.name, key.kind.expected());
    }
}
