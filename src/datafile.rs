//! Tables, texts and lists of a TOML document, with the place of whatever is wrong.

use crate::model::finding::Place;
use crate::model::shape::CodeValue;
use std::fmt;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What is wrong in a file of rules, and where; line and column from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFault {
    pub line: usize,
    pub column: usize,
    pub sv: String,
    pub en: String,
}

impl fmt::Display for DataFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.en)
    }
}

/// A table and where it begins.
#[derive(Clone, Copy)]
pub(crate) struct Table<'t> {
    pub(crate) at: usize,
    pub(crate) entries: &'t DeTable<'t>,
}

impl<'t> Table<'t> {
    pub(crate) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    fn get(&self, key: &str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.entries.get(key)
    }
}

/// What a document holds, or everything that is wrong with it.
pub(crate) fn read<T>(text: &str, read: impl FnOnce(&Table<'_>, &mut Reading<'_>) -> Option<T>) -> Result<T, Vec<DataFault>> {
    let mut r = Reading::new(text);
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        r.syntax(error);
    }
    if !errors.is_empty() {
        return Err(r.done());
    }
    let root = Table { at: 0, entries: document.get_ref() };
    match read(&root, &mut r) {
        Some(found) if r.is_clean() => Ok(found),
        _ => Err(r.done()),
    }
}

/// One text of a list.
pub(crate) struct Word<'t> {
    pub(crate) at: usize,
    pub(crate) text: &'t str,
}

fn word_list<'t>(value: &'t Spanned<DeValue<'t>>) -> Option<Vec<Word<'t>>> {
    let word = |one: &'t Spanned<DeValue<'t>>| one.get_ref().as_str().map(|text| Word { at: one.span().start, text });
    value.get_ref().as_array()?.iter().map(word).collect()
}

/// The allowed codes as one text.
pub(crate) fn codes(values: &[CodeValue]) -> String {
    let codes: Vec<_> = values.iter().map(|value| value.code).collect();
    codes.join(", ")
}

/// Collects every fault while the document is read.
pub(crate) struct Reading<'t> {
    text: &'t str,
    faults: Vec<DataFault>,
}

impl<'t> Reading<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text, faults: Vec::new() }
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.faults.is_empty()
    }

    /// The faults in the order of the file.
    pub(crate) fn done(mut self) -> Vec<DataFault> {
        self.faults.sort_by_key(|fault| (fault.line, fault.column));
        self.faults.dedup();
        self.faults
    }

    /// Notes a fault at a byte offset. Returns `None` of any kind, so that a reader can end with it.
    pub(crate) fn fault<T>(&mut self, at: usize, sv: &str, en: &str) -> Option<T> {
        let Place { line, column } = Place::of(self.text.as_bytes(), at);
        self.faults.push(DataFault { line, column, sv: sv.to_owned(), en: en.to_owned() });
        None
    }

    pub(crate) fn unknown<T>(&mut self, at: usize, what: &str, allowed: &str) -> Option<T> {
        if allowed == "–" {
            return self.fault(
                at,
                &format!("”{what}” är okänt; inget sådant finns i filen"),
                &format!("“{what}” is unknown; the file has none"),
            );
        }
        self.fault(at, &format!("”{what}” är okänt; välj bland {allowed}"), &format!("“{what}” is unknown; choose among {allowed}"))
    }

    pub(crate) fn syntax(&mut self, error: &toml::de::Error) {
        let at = error.span().map_or(0, |span| span.start);
        self.fault::<()>(at, &format!("Inte giltig TOML ({})", error.message()), &format!("Not valid TOML ({})", error.message()));
    }

    /// Faults every key that is not among `allowed`.
    pub(crate) fn keys(&mut self, table: &Table, allowed: &[&str]) {
        for key in table.entries.keys() {
            if !allowed.contains(&key.get_ref().as_ref()) {
                self.unknown::<()>(key.span().start, key.get_ref(), &allowed.join(", "));
            }
        }
    }

    fn required<'d>(&mut self, table: &Table<'d>, key: &'static str) -> Option<&'d Spanned<DeValue<'d>>> {
        let found = table.get(key);
        found.or_else(|| self.fault(table.at, &format!("”{key}” saknas"), &format!("“{key}” is missing")))
    }

    fn kind<T>(&mut self, at: usize, key: &str, sv: &str, en: &str) -> Option<T> {
        self.fault(at, &format!("”{key}” ska vara {sv}"), &format!("“{key}” must be {en}"))
    }

    fn raw<'d>(&mut self, table: &Table<'d>, key: &'static str) -> Option<Word<'d>> {
        let value = self.required(table, key)?;
        let at = value.span().start;
        match value.get_ref().as_str() {
            Some(text) if !text.trim().is_empty() => Some(Word { at, text }),
            Some(_) => self.fault(at, &format!("”{key}” är tom"), &format!("“{key}” is empty")),
            None => self.kind(at, key, "en text", "a text"),
        }
    }

    /// A text with no other placeholders than those that will be filled in.
    pub(crate) fn text(&mut self, table: &Table, key: &'static str, fills: &[&str]) -> Option<String> {
        let Word { at, text } = self.raw(table, key)?;
        let bare = fills.iter().fold(text.to_owned(), |text, fill| text.replace(fill, ""));
        if bare.contains(['{', '}']) {
            let allowed = if fills.is_empty() { "–".to_owned() } else { fills.join(", ") };
            return self.fault(
                at,
                &format!("”{key}” har en okänd platshållare; tillåtna: {allowed}"),
                &format!("“{key}” has an unknown placeholder; allowed: {allowed}"),
            );
        }
        Some(text.to_owned())
    }

    /// A text that `parse` understands, with its place; where it does not, what it must be.
    pub(crate) fn parsed<T>(
        &mut self,
        table: &Table,
        key: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
        (sv, en): (&str, &str),
    ) -> Option<(usize, T)> {
        let Word { at, text } = self.raw(table, key)?;
        match parse(text) {
            Some(value) => Some((at, value)),
            None => self.kind(at, key, sv, en),
        }
    }

    /// A text that can be part of a path.
    pub(crate) fn name(&mut self, table: &Table, key: &'static str, good: fn(u8) -> bool) -> Option<String> {
        let Word { at, text } = self.raw(table, key)?;
        let formed = text.bytes().all(good) && !text.starts_with('.') && !text.ends_with('.') && !text.contains("..");
        if formed {
            Some(text.to_owned())
        } else {
            self.kind(at, key, "ett kort namn som vanersborg eller 2026.1", "a short name like vanersborg or 2026.1")
        }
    }

    /// One of a list of codes, with its place.
    pub(crate) fn one<'d, T>(
        &mut self,
        table: &Table<'d>,
        key: &'static str,
        parse: fn(&str) -> Option<T>,
        allowed: &str,
    ) -> Option<(usize, T)> {
        let Word { at, text } = self.raw(table, key)?;
        match parse(text) {
            Some(value) => Some((at, value)),
            None => self.unknown(at, text, allowed),
        }
    }

    pub(crate) fn number(&mut self, table: &Table, key: &'static str, min: u32, max: u32) -> Option<u32> {
        let value = self.required(table, key)?;
        let number = value.get_ref().as_integer().and_then(|n| u32::from_str_radix(n.as_str(), n.radix()).ok());
        match number.filter(|n| (min..=max).contains(n)) {
            Some(number) => Some(number),
            None => self.kind(
                value.span().start,
                key,
                &format!("ett heltal mellan {min} och {max}"),
                &format!("an integer from {min} to {max}"),
            ),
        }
    }

    /// Yes or no.
    pub(crate) fn choice(&mut self, table: &Table, key: &'static str) -> Option<bool> {
        let value = self.required(table, key)?;
        match value.get_ref().as_bool() {
            Some(choice) => Some(choice),
            None => self.kind(value.span().start, key, "true eller false", "true or false"),
        }
    }

    pub(crate) fn table<'d>(&mut self, table: &Table<'d>, key: &'static str) -> Option<Table<'d>> {
        let value = self.required(table, key)?;
        match value.get_ref() {
            DeValue::Table(entries) => Some(Table { at: value.span().start, entries }),
            _ => self.kind(value.span().start, key, "en tabell", "a table"),
        }
    }

    /// A list of at least one table.
    pub(crate) fn tables<'d>(&mut self, table: &Table<'d>, key: &'static str) -> Option<Vec<Table<'d>>> {
        let value = self.required(table, key)?;
        let tables: Option<Vec<_>> = value.get_ref().as_array().and_then(|values| {
            let table = |one: &'d Spanned<DeValue<'d>>| match one.get_ref() {
                DeValue::Table(entries) => Some(Table { at: one.span().start, entries }),
                _ => None,
            };
            values.iter().map(table).collect()
        });
        match tables.filter(|tables| !tables.is_empty()) {
            Some(tables) => Some(tables),
            None => self.kind(value.span().start, key, "en lista av tabeller", "a list of tables"),
        }
    }

    /// A list of at least one text.
    pub(crate) fn words<'d>(&mut self, table: &Table<'d>, key: &'static str) -> Option<Vec<Word<'d>>> {
        let value = self.required(table, key)?;
        match word_list(value).filter(|words| !words.is_empty()) {
            Some(words) => Some(words),
            None => self.kind(value.span().start, key, "en lista med minst en text", "a list of at least one text"),
        }
    }

    /// A list of texts that may be empty.
    pub(crate) fn any_words<'d>(&mut self, table: &Table<'d>, key: &'static str) -> Option<Vec<Word<'d>>> {
        let value = self.required(table, key)?;
        match word_list(value) {
            Some(words) => Some(words),
            None => self.kind(value.span().start, key, "en lista med texter", "a list of texts"),
        }
    }

    /// Every word as a code, none of them twice.
    pub(crate) fn codes<'d, T: PartialEq>(&mut self, words: &[Word<'d>], parse: fn(&str) -> Option<T>, allowed: &str) -> Vec<(usize, T)> {
        let mut out: Vec<(usize, T)> = Vec::with_capacity(words.len());
        for word in words {
            match parse(word.text) {
                Some(code) if out.iter().any(|(_, earlier)| *earlier == code) => {
                    self.fault::<()>(word.at, &format!("”{}” står två gånger", word.text), &format!("“{}” stands twice", word.text));
                }
                Some(code) => out.push((word.at, code)),
                None => {
                    self.unknown::<()>(word.at, word.text, allowed);
                }
            }
        }
        out
    }
}
