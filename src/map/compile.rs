//! Reads a mapping file and points at everything that is wrong with it; one with any fault is not used at all.
//!
//! The file has the shape of the event, so a row stands where its value will. What may stand there comes from the catalogue.

use super::convert::{CONVERTERS, Converter};
use super::decode::{CsvFormat, Encoding, Format, XmlFormat};
use super::jq::Jq;
use super::path::Path;
use super::plan::{Block, Condition, Given, How, Mapping, Row, Table as Codes, Target, Test};
use crate::datafile::{DataFault, Reading, Table, Word};
use crate::model::catalogue::EventType;
use crate::model::event::CareEvent;
use crate::model::shape::{Card, Field, Shape};
use aws_lc_rs::digest::{SHA256, digest};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

type Value<'t> = Spanned<DeValue<'t>>;
/// Reads a file that lies beside the mapping.
pub type Beside<'a> = &'a dyn Fn(&str) -> Option<String>;

const TOP: &[&str] =
    &["name", "revision", "title", "format", "encoding", "records", "csv", "namespaces", "table", "let", "skip", "all", "event"];
const FORMATS: &[&str] = &["json", "ndjson", "xml", "csv", "fhir"];
const ROW: &[&str] = &["from", "value", "jq", "join", "convert", "format", "table", "default", "required", "when"];

/// Compiles a mapping. `beside` reads the files of its code tables.
pub fn compile(text: &str, beside: Beside) -> Result<Mapping, Vec<DataFault>> {
    let mut reading = Reading::new(text);
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        reading.syntax(error);
    }
    if !errors.is_empty() {
        return Err(reading.done());
    }
    let root = Table { at: 0, entries: document.get_ref() };
    let mut compiler = Compiler { text, r: reading, tables: BTreeMap::new(), used: Vec::new(), named: Vec::new(), prefixes: None };
    match compiler.mapping(&root, beside) {
        Some(mapping) if compiler.r.is_clean() => Ok(mapping),
        _ => Err(compiler.r.done()),
    }
}

struct Compiler<'t> {
    text: &'t str,
    r: Reading<'t>,
    tables: BTreeMap<String, (usize, Arc<Codes>)>,
    used: Vec<String>,
    /// The named values that stand before what is read.
    named: Vec<String>,
    /// Prefixes of XML namespaces; none where the format is another.
    prefixes: Option<Vec<String>>,
}

impl<'t> Compiler<'t> {
    fn mapping(&mut self, root: &Table<'t>, beside: Beside) -> Option<Mapping> {
        self.r.keys(root, TOP);
        let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
        let name = self.r.name(root, "name", good);
        let revision = self.r.name(root, "revision", good);
        let encoding = if root.has("encoding") { self.encoding(root) } else { Some(Encoding::Utf8) };
        let format = self.format(root, encoding.unwrap_or_default());
        self.code_tables(root, beside);
        let named = self.named_values(root);
        let skip = self.optional_tables(root, "skip").iter().filter_map(|table| self.condition_table(table)).collect();
        let all = if root.has("all") { self.r.table(root, "all") } else { None };
        let blocks = self.r.tables(root, "event")?;
        let blocks: Vec<_> = blocks.iter().map(|block| self.block(block, all.as_ref())).collect();
        for (name, (at, _)) in self.tables.clone() {
            // Where a row could not be read, a table may only seem to be unused.
            if self.r.is_clean() && !self.used.contains(&name) {
                self.r.fault::<()>(at, &format!("kodtabellen ”{name}” används inte"), &format!("the code table “{name}” is not used"));
            }
        }
        let hash = digest(&SHA256, self.text.as_bytes());
        let mut label = format!("{}/{} ", name?, revision?);
        for byte in &hash.as_ref()[..4] {
            let _ = write!(label, "{byte:02x}");
        }
        let blocks = blocks.into_iter().collect::<Option<Vec<_>>>()?;
        Some(Mapping {
            label,
            text: self.text.into(),
            encoding: encoding?,
            format: format?,
            how: How::Blocks { named: named?, blocks, skip },
        })
    }

    fn encoding(&mut self, root: &Table<'t>) -> Option<Encoding> {
        let names: Vec<_> = Encoding::NAMES.iter().map(|(name, _)| *name).collect();
        self.r.one(root, "encoding", Encoding::parse, &names.join(", ")).map(|(_, encoding)| encoding)
    }

    fn format(&mut self, root: &Table<'t>, encoding: Encoding) -> Option<Format> {
        let known = |name: &str| FORMATS.iter().find(|known| **known == name).copied();
        let (at, format) = self.r.one(root, "format", known, &FORMATS.join(", "))?;
        for (key, fits) in [("csv", &["csv"][..]), ("namespaces", &["xml"]), ("records", &["json", "xml"])] {
            if root.has(key) && !fits.contains(&format) {
                self.r.fault::<()>(
                    at,
                    &format!("”{key}” hör inte till format = \"{format}\""),
                    &format!("“{key}” does not belong to format = \"{format}\""),
                );
            }
        }
        if format == "fhir" && encoding != Encoding::Utf8 {
            self.r.fault::<()>(at, "FHIR är alltid UTF-8", "FHIR is always UTF-8");
        }
        let namespaces = self.namespaces(root)?;
        if format == "xml" {
            self.prefixes = Some(namespaces.iter().map(|(prefix, _)| prefix.clone()).collect());
        }
        let records = if root.has("records") { Some(self.path(&root.entries["records"])?) } else { None };
        Some(match format {
            "json" => Format::Json { records },
            "ndjson" => Format::Ndjson,
            "xml" => Format::Xml(XmlFormat { records, namespaces, encoding }),
            "csv" => Format::Csv(self.csv(root)?),
            _ => Format::Fhir,
        })
    }

    fn namespaces(&mut self, root: &Table<'t>) -> Option<Vec<(String, String)>> {
        if !root.has("namespaces") {
            return Some(Vec::new());
        }
        let table = self.r.table(root, "namespaces")?;
        table.entries.iter().map(|(prefix, uri)| Some((prefix.get_ref().to_string(), self.string(uri)?.to_owned()))).collect()
    }

    fn csv(&mut self, root: &Table<'t>) -> Option<CsvFormat> {
        let mut format = CsvFormat { delimiter: b';', quote: Some(b'"'), columns: None };
        if !root.has("csv") {
            return Some(format);
        }
        let table = self.r.table(root, "csv")?;
        self.r.keys(&table, &["delimiter", "quote", "columns"]);
        let one_byte = |text: &str| (text.len() == 1).then(|| text.as_bytes()[0]);
        if table.has("delimiter") {
            format.delimiter = self.r.one(&table, "delimiter", one_byte, "\";\", \",\", \"\\t\", \"|\"")?.1;
        }
        if let Some(quote) = table.entries.get("quote") {
            let text = self.string(quote)?;
            format.quote = match text {
                "" => None,
                text if text.len() == 1 => Some(text.as_bytes()[0]),
                text => return self.r.unknown(quote.span().start, text, "\"\\\"\", \"'\", \"\""),
            };
        }
        if table.has("columns") {
            format.columns = Some(self.r.words(&table, "columns")?.iter().map(|word| word.text.to_owned()).collect());
        }
        Some(format)
    }

    fn code_tables(&mut self, root: &Table<'t>, beside: Beside) {
        if !root.has("table") {
            return;
        }
        let Some(tables) = self.r.table(root, "table") else { return };
        for (name, value) in tables.entries {
            let at = name.span().start;
            let DeValue::Table(entries) = value.get_ref() else {
                self.r.fault::<()>(at, "en kodtabell är en tabell", "a code table is a table");
                continue;
            };
            let read = match entries.get("file") {
                Some(file) if entries.len() == 1 => self.code_file(file, beside),
                _ => entries.iter().map(|(from, to)| Some((from.get_ref().trim().to_owned(), self.plain(to)?))).collect(),
            };
            let Some(mut entries): Option<BTreeMap<String, String>> = read else { continue };
            let other = entries.remove("*");
            let name = name.get_ref().to_string();
            self.tables.insert(name.clone(), (at, Arc::new(Codes { name, entries, other })));
        }
    }

    /// In the order of the file, so that one may build on those before it.
    fn named_values(&mut self, root: &Table<'t>) -> Option<Vec<(String, Row)>> {
        if !root.has("let") {
            return Some(Vec::new());
        }
        let table = self.r.table(root, "let")?;
        let mut values: Vec<_> = table.entries.iter().collect();
        values.sort_by_key(|(name, _)| name.span().start);
        let mut named = Vec::with_capacity(values.len());
        for (name, value) in values {
            let (at, name) = (name.span().start, name.get_ref().to_string());
            if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                let (sv, en) = ("ett namn har bara bokstäver, siffror och _", "a name has letters, digits and _ alone");
                return self.r.fault(at, sv, en);
            }
            let field = Field { name: "let", card: Card::Optional, shape: Shape::Text { max: usize::MAX }, sv: "", en: "" };
            named.push((format!("${name}"), self.row(&field, value)?));
            self.named.push(name);
        }
        Some(named)
    }

    /// Two columns, `;` between them, no header.
    fn code_file(&mut self, file: &'t Value<'t>, beside: Beside) -> Option<BTreeMap<String, String>> {
        let (name, at) = (self.string(file)?, file.span().start);
        let Some(text) = beside(name) else {
            return self.r.fault(at, &format!("filen {name} kan inte läsas"), &format!("the file {name} cannot be read"));
        };
        let mut entries = BTreeMap::new();
        for (place, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#')) {
            let number = place + 1;
            let pair = line.split_once(';').map(|(from, to)| (from.trim().to_owned(), to.trim().to_owned()));
            let fresh = pair.is_some_and(|(from, to)| !to.contains(';') && entries.insert(from, to).is_none());
            if !fresh {
                return self.r.fault(
                    at,
                    &format!("{name} rad {number}: två kolumner med ; emellan väntas, och varje kod en gång"),
                    &format!("{name} line {number}: two columns with ; between them are expected, and each code once"),
                );
            }
        }
        Some(entries)
    }

    fn block(&mut self, block: &Table<'t>, all: Option<&Table<'t>>) -> Option<Block> {
        let (_, kind) = self.r.one(block, "type", EventType::parse, "K-VB, K-PU, … R-DO")?;
        let when = self.when(block.entries);
        let line = self.line(block.at);
        let mut fields = CareEvent::fields();
        fields.retain(|field| field.name != "type");
        if let Some(data) = fields.iter_mut().find(|field| field.name == CareEvent::DATA) {
            data.shape = Shape::Group(kind.row().fields);
        }
        let own = self.group(block.entries, &fields, &["type", "when"]);
        let shared = all.map_or_else(|| Some(Vec::new()), |all| self.group(all.entries, &fields, &[]));
        let mut fields = own?;
        lay_under(&mut fields, shared?);
        for name in ["eventId", "system", "occurredAt"] {
            if !fields.iter().any(|(known, _)| *known == name) {
                self.missing(block.at, name);
            }
        }
        for (group, name) in [("episodeRef", "caseId"), ("patient", "id"), ("patient", "idType")] {
            let given = fields.iter().any(|(known, target)| {
                let inner = if let Target::Group { fields, .. } = target { fields.iter().any(|(known, _)| *known == name) } else { true };
                *known == group && inner
            });
            if !given {
                self.missing(block.at, &format!("{group}.{name}"));
            }
        }
        self.required_data(kind, &fields, block.at);
        Some(Block { kind, line, when, fields })
    }

    /// What the type demands and no row gives would be refused record by record; here it is told once.
    fn required_data(&mut self, kind: EventType, fields: &[(&'static str, Target)], at: usize) {
        let data = fields.iter().find(|(name, _)| *name == CareEvent::DATA).map(|(_, target)| target);
        let given: &[_] = match data {
            Some(Target::Group { fields, .. }) => fields,
            Some(_) => return,
            None => &[],
        };
        for field in kind.row().fields {
            let demanded = matches!(field.card, Card::One | Card::List { .. });
            if demanded && !given.iter().any(|(name, _)| *name == field.name) {
                self.missing(at, &format!("data.{} ({})", field.name, kind.code()));
            }
        }
    }

    fn missing(&mut self, at: usize, what: &str) {
        self.r.fault::<()>(at, &format!("ingen rad ger {what}"), &format!("no row gives {what}"));
    }

    fn group(&mut self, entries: &'t DeTable<'t>, fields: &[Field], beside: &[&str]) -> Option<Vec<(&'static str, Target)>> {
        let mut out = Vec::new();
        let mut whole = true;
        for (key, value) in entries {
            let name = key.get_ref().as_ref();
            if beside.contains(&name) {
                continue;
            }
            let Some(field) = fields.iter().find(|field| field.name == name) else {
                let known: Vec<_> = fields.iter().map(|field| field.name).collect();
                self.r.unknown::<()>(key.span().start, name, &known.join(", "));
                whole = false;
                continue;
            };
            match self.target(field, value) {
                Some(target) => out.push((field.name, target)),
                None => whole = false,
            }
        }
        whole.then_some(out)
    }

    fn target(&mut self, field: &Field, value: &'t Value<'t>) -> Option<Target> {
        let demanded = matches!(field.card, Card::List { .. });
        let listed = demanded || field.card == Card::OptionalList;
        let Shape::Group(fields) = field.shape else {
            let row = self.row(field, value)?;
            return Some(if listed { Target::Values(row, demanded) } else { Target::Value(row) });
        };
        match value.get_ref() {
            DeValue::Table(entries) if entries.contains_key("jq") => {
                // It gives the whole group: there is no one value that could be converted.
                self.r.keys(&Table { at: value.span().start, entries }, &["jq", "when"]);
                self.row(field, value).map(Target::Made)
            }
            DeValue::Table(table) if listed => {
                let Some(each) = table.get("each") else {
                    let (sv, en) = ("en lista behöver ”each”: vägen till posterna", "a list needs “each”: the path to its items");
                    return self.r.fault(value.span().start, sv, en);
                };
                let each = self.path(each)?;
                let when = self.when(table);
                let fields = self.group(table, fields, &["each", "when"])?;
                let item = Box::new(Target::Group { fields, when: None, required: false });
                Some(Target::Each { each, when, item, line: self.line(value.span().start), required: demanded })
            }
            DeValue::Table(table) => {
                let when = self.when(table);
                let fields = self.group(table, fields, &["when"])?;
                Some(Target::Group { fields, when, required: field.card == Card::One })
            }
            DeValue::Array(items) if listed => {
                let item = |item: &'t Value<'t>| {
                    let DeValue::Table(table) = item.get_ref() else {
                        return self.r.fault(item.span().start, "en tabell väntas", "a table is expected");
                    };
                    let when = self.when(table);
                    let fields = self.group(table, fields, &["when"])?;
                    Some(Target::Group { fields, when, required: false })
                };
                items.iter().map(item).collect::<Option<_>>().map(|targets| Target::Several(targets, demanded))
            }
            _ => {
                let name = field.name;
                let (sv, en) = (format!("”{name}” är en grupp: skriv en tabell"), format!("“{name}” is a group: write a table"));
                self.r.fault(value.span().start, &sv, &en)
            }
        }
    }

    fn row(&mut self, field: &Field, value: &'t Value<'t>) -> Option<Row> {
        let at = value.span().start;
        let mut row = Row {
            line: self.line(at),
            from: Given::Constant(String::new()),
            convert: Vec::new(),
            format: None,
            table: None,
            default: None,
            required: false,
            when: None,
            bool: matches!(field.shape, Shape::Bool),
        };
        let table = match value.get_ref() {
            DeValue::String(_) => {
                row.from = Given::Paths(vec![self.path(value)?], None);
                return Some(row);
            }
            DeValue::Table(entries) => Table { at, entries },
            _ => {
                let (sv, en) = ("en väg i citattecken eller en tabell väntas", "a path in quotes or a table is expected");
                return self.r.fault(at, sv, en);
            }
        };
        self.r.keys(&table, ROW);
        row.from = self.from(&table)?;
        row.when = self.when(table.entries);
        row.convert = self.converters(&table)?;
        if let Some(format) = table.entries.get("format") {
            row.format = Some(self.string(format)?.to_owned());
            if !row.convert.iter().any(|known| matches!(known, Converter::LocalTime | Converter::Day)) {
                let (sv, en) = ("”format” hör till local-time och day", "“format” belongs to local-time and day");
                self.r.fault::<()>(format.span().start, sv, en);
            }
        }
        if let Some(name) = table.entries.get("table") {
            row.table = Some(self.code_table(name)?);
        }
        if let Some(default) = table.entries.get("default") {
            row.default = Some(self.plain(default)?);
        }
        if table.has("required") {
            row.required = self.r.choice(&table, "required")?;
        }
        self.codes_fit(field, &row, at);
        Some(row)
    }

    fn from(&mut self, table: &Table<'t>) -> Option<Given> {
        let given: Vec<_> = ["from", "value", "jq"].into_iter().filter(|key| table.has(key)).collect();
        let [key] = given[..] else {
            let (sv, en) = ("en av ”from”, ”value” och ”jq” väntas", "one of “from”, “value” and “jq” is expected");
            return self.r.fault(table.at, sv, en);
        };
        let value = &table.entries[key];
        Some(match key {
            "value" => Given::Constant(self.plain(value)?),
            "jq" => {
                let text = self.string(value)?;
                match Jq::compile(text) {
                    Ok(expression) => Given::Expression(expression),
                    Err((sv, en)) => {
                        return self.r.fault(value.span().start, &format!("uttrycket {sv}"), &format!("the expression {en}"));
                    }
                }
            }
            _ => {
                let paths = match value.get_ref() {
                    DeValue::Array(paths) if !paths.is_empty() => paths.iter().map(|path| self.path(path)).collect::<Option<_>>()?,
                    _ => vec![self.path(value)?],
                };
                let join = match table.entries.get("join") {
                    Some(join) => Some(self.string(join)?.to_owned()),
                    None => None,
                };
                Given::Paths(paths, join)
            }
        })
    }

    fn converters(&mut self, table: &Table<'t>) -> Option<Vec<Converter>> {
        let Some(value) = table.entries.get("convert") else { return Some(Vec::new()) };
        let words = match value.get_ref() {
            DeValue::String(text) => vec![Word { at: value.span().start, text }],
            _ => self.r.words(table, "convert")?,
        };
        let names: Vec<_> = CONVERTERS.iter().map(|(name, ..)| *name).collect();
        let mut out = Vec::new();
        for word in words {
            match Converter::parse(word.text) {
                Some(converter) => out.push(converter),
                None => return self.r.unknown(word.at, word.text, &names.join(", ")),
            }
        }
        Some(out)
    }

    fn code_table(&mut self, name: &'t Value<'t>) -> Option<Arc<Codes>> {
        let text = self.string(name)?;
        let Some((_, table)) = self.tables.get(text) else {
            let known: Vec<_> = self.tables.keys().cloned().collect();
            let known = if known.is_empty() { "–".to_owned() } else { known.join(", ") };
            return self.r.unknown(name.span().start, text, &known);
        };
        self.used.push(text.to_owned());
        Some(Arc::clone(table))
    }

    /// What the file itself puts into a field must be something that the field can be.
    fn codes_fit(&mut self, field: &Field, row: &Row, at: usize) {
        let allowed: Vec<&str> = match field.shape {
            Shape::Code(values) => values.iter().map(|value| value.code).collect(),
            Shape::Bool => vec!["true", "false"],
            _ => return,
        };
        let table = row.table.as_deref();
        let constant = if let (Given::Constant(text), None) = (&row.from, table) { Some(text) } else { None };
        let given = table.into_iter().flat_map(|table| table.entries.values().chain(&table.other)).chain(&row.default).chain(constant);
        for text in given {
            if !allowed.contains(&text.as_str()) {
                let what = format!("{} ({})", text, field.name);
                self.r.unknown::<()>(at, &what, &allowed.join(", "));
                return;
            }
        }
    }

    fn when(&mut self, entries: &'t DeTable<'t>) -> Option<Condition> {
        self.condition(entries.get("when")?)
    }

    fn condition(&mut self, value: &'t Value<'t>) -> Option<Condition> {
        let at = value.span().start;
        match value.get_ref() {
            DeValue::String(_) => {
                let from = Given::Paths(vec![self.path(value)?], None);
                Some(Condition { line: self.line(at), from, test: Test::Present, and: None })
            }
            DeValue::Table(entries) => self.condition_table(&Table { at, entries }),
            _ => self.r.fault(at, "en väg eller en tabell väntas", "a path or a table is expected"),
        }
    }

    fn condition_table(&mut self, table: &Table<'t>) -> Option<Condition> {
        self.r.keys(table, &["from", "jq", "is", "not", "present", "and"]);
        let from = self.from(table)?;
        let test = match (table.entries.get("is"), table.entries.get("not")) {
            (Some(value), None) => Test::Is(self.texts(value)?),
            (None, Some(value)) => Test::Not(self.texts(value)?),
            (None, None) if table.has("present") && !self.r.choice(table, "present")? => Test::Absent,
            (None, None) => Test::Present,
            (Some(_), Some(_)) => {
                let (sv, en) = ("”is” eller ”not”, inte båda", "“is” or “not”, not both");
                return self.r.fault(table.at, sv, en);
            }
        };
        let and = match table.entries.get("and") {
            Some(value) => Some(Box::new(self.condition(value)?)),
            None => None,
        };
        Some(Condition { line: self.line(table.at), from, test, and })
    }

    fn optional_tables(&mut self, root: &Table<'t>, key: &'static str) -> Vec<Table<'t>> {
        if root.has(key) { self.r.tables(root, key).unwrap_or_default() } else { Vec::new() }
    }

    fn texts(&mut self, value: &'t Value<'t>) -> Option<Vec<String>> {
        match value.get_ref() {
            DeValue::Array(values) => values.iter().map(|value| self.plain(value)).collect(),
            _ => Some(vec![self.plain(value)?]),
        }
    }

    fn path(&mut self, value: &'t Value<'t>) -> Option<Path> {
        let text = self.string(value)?;
        let wrong = (
            format!("”{text}” är ingen väg; skriv namn.namn[0].\"namn med punkt\"[kod=x]"),
            format!("“{text}” is no path; write name.name[0].\"name with a dot\"[code=x]"),
        );
        if text.starts_with("TODO") {
            let (sv, en) = ("här ska en väg stå", "a path is still to be written here");
            return self.r.fault(value.span().start, sv, en);
        }
        let Some(path) = Path::parse(text) else { return self.r.fault(value.span().start, &wrong.0, &wrong.1) };
        if let Some(unknown) = path.named().into_iter().find(|name| !self.named.iter().any(|known| known == name)) {
            let known = if self.named.is_empty() { "–".to_owned() } else { self.named.join(", ") };
            return self.r.unknown(value.span().start, &format!("${unknown}"), &known);
        }
        let prefix = |name: &str| name.trim_start_matches('@').split_once(':').map(|(prefix, _)| prefix.to_owned());
        if let Some(prefixes) = &self.prefixes
            && let Some(unknown) = path.names().into_iter().filter_map(prefix).find(|prefix| !prefixes.contains(prefix))
        {
            let known = if prefixes.is_empty() { "–".to_owned() } else { prefixes.join(", ") };
            return self.r.unknown(value.span().start, &format!("{unknown}: ([namespaces])"), &known);
        }
        Some(path)
    }

    fn string(&mut self, value: &'t Value<'t>) -> Option<&'t str> {
        value.get_ref().as_str().or_else(|| self.r.fault(value.span().start, "en text väntas", "a text is expected"))
    }

    /// A text, a number or a choice, as text.
    fn plain(&mut self, value: &'t Value<'t>) -> Option<String> {
        match value.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            DeValue::Boolean(choice) => Some(choice.to_string()),
            DeValue::Integer(number) => Some(number.to_string()),
            _ => self.r.fault(value.span().start, "en text väntas", "a text is expected"),
        }
    }

    fn line(&self, at: usize) -> usize {
        crate::model::finding::Place::of(self.text.as_bytes(), at).line
    }
}

/// What stands in `[all]` holds where the block itself says nothing.
fn lay_under(own: &mut Vec<(&'static str, Target)>, shared: Vec<(&'static str, Target)>) {
    for (name, target) in shared {
        match (own.iter_mut().find(|(known, _)| *known == name), target) {
            (None, target) => own.push((name, target)),
            (Some((_, Target::Group { fields, .. })), Target::Group { fields: under, .. }) => lay_under(fields, under),
            (Some(_), _) => {}
        }
    }
}
