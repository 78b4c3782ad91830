//! The line of the source that a finding points at, with its values covered.
//!
//! What may be personal is everything but the names of fields: they stay, where they are names that we or the mapping know, so
//! that a reader finds the place. Everything else keeps its length only.

use crate::model::catalogue::CATALOGUE;
use crate::model::event::CareEvent;
use crate::model::finding::Place;
use crate::model::raw::Form;
use crate::model::shape::{Field, Shape};
use crate::report::findings::{Excerpt, commands};
use crate::seal;
use std::collections::HashSet;

/// Most characters of a line that are shown, and how many of them before the place.
const WIDTH: usize = 100;
const BEFORE: usize = 40;
/// What stands for a letter or digit of a value.
const COVER: char = '•';

/// Shows lines of one file.
pub(super) struct Lines<'t> {
    text: &'t str,
    form: Form,
    /// Names that may be shown; none where everything may.
    names: Option<&'t HashSet<String>>,
}

impl<'t> Lines<'t> {
    /// `names` of fields stay; without them the line is shown as it is.
    pub(super) fn new(text: &'t str, form: Form, names: Option<&'t HashSet<String>>) -> Self {
        Self { text, form, names }
    }

    pub(super) fn at(&self, place: Place) -> Option<Excerpt> {
        let (number, line, before) = self.line(place.line)?;
        let letters: Vec<char> = line.chars().map(|letter| if commands(letter) { ' ' } else { letter }).collect();
        let column = (place.column - 1).min(letters.len());
        let width = width(&letters, column);
        let shown = match self.names {
            None => letters,
            Some(names) => match self.form {
                Form::Json | Form::Ndjson => json(&letters, names),
                Form::Xml => xml(&letters, names, in_tag(before)),
                Form::Csv => plain(&letters, if number == 1 { Some(names) } else { None }),
            },
        };
        let from = if column > WIDTH - 20 || shown.len() > WIDTH { column.saturating_sub(BEFORE) } else { 0 };
        let to = (from + WIDTH).min(shown.len());
        let cut = (from > 0, to < shown.len());
        let mut line: String = shown.get(from..to)?.iter().collect();
        if cut.0 {
            line.insert(0, '…');
        }
        if cut.1 {
            line.push('…');
        }
        let start = column - from + usize::from(cut.0);
        Some(Excerpt { line, start, width: width.min(to.saturating_sub(column)).max(1) })
    }

    /// The line, its number, and what stands before it.
    fn line(&self, number: usize) -> Option<(usize, &'t str, &'t str)> {
        let mut begins = 0;
        for _ in 1..number {
            begins += self.text.get(begins..)?.find('\n')? + 1;
        }
        let line = self.text.get(begins..)?.split('\n').next()?;
        Some((number, line.strip_suffix('\r').unwrap_or(line), &self.text[..begins]))
    }
}

/// The names of our own fields and elements.
pub(super) fn own_names() -> HashSet<String> {
    fn add(fields: &[Field], names: &mut HashSet<String>) {
        for field in fields {
            names.insert(field.name.to_owned());
            if let Shape::Group(fields) = field.shape {
                add(fields, names);
            }
        }
    }
    let mut names: HashSet<String> = seal::names().map(str::to_owned).collect();
    add(&CareEvent::fields(), &mut names);
    for row in CATALOGUE {
        add(row.fields, &mut names);
    }
    names
}

/// Words of a mapping, among them the names of the source's fields.
pub(super) fn names_in(text: &str) -> impl Iterator<Item = String> {
    text.split(|letter: char| !is_word(letter) || matches!(letter, '.' | '@'))
        .filter(|word| word.chars().any(char::is_alphabetic))
        .map(str::to_owned)
}

/// How much is meant: a text with its quotes, a name or a number; of anything else its first character.
fn width(letters: &[char], column: usize) -> usize {
    let Some(rest) = letters.get(column..).filter(|rest| !rest.is_empty()) else { return 1 };
    match rest[0] {
        '"' => {
            let mut escaped = false;
            let end = rest.iter().skip(1).position(|letter| {
                let ends = *letter == '"' && !escaped;
                escaped = *letter == '\\' && !escaped;
                ends
            });
            end.map_or(rest.len(), |end| end + 2)
        }
        '<' => rest.iter().position(|letter| letter.is_whitespace() || *letter == '>').unwrap_or(rest.len()),
        first if is_word(first) => rest.iter().take_while(|letter| is_word(**letter)).count(),
        _ => 1,
    }
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.' | '@')
}

fn cover(letters: &[char], out: &mut Vec<char>) {
    out.extend(letters.iter().map(|letter| if letter.is_alphanumeric() { COVER } else { *letter }));
}

/// A word stays where it is a name, else it is covered.
fn named(word: &[char], names: Option<&HashSet<String>>, out: &mut Vec<char>) {
    if names.is_some_and(|names| names.contains(&word.iter().collect::<String>())) { out.extend(word) } else { cover(word, out) }
}

/// Names before a colon stay, and so do `true`, `false` and `null`.
fn json(letters: &[char], names: &HashSet<String>) -> Vec<char> {
    let mut out = Vec::with_capacity(letters.len());
    let mut at = 0;
    while at < letters.len() {
        let width = width(letters, at);
        let part = &letters[at..at + width];
        let is_text = part[0] == '"';
        let is_name = is_text && letters[at + width..].iter().find(|letter| !letter.is_whitespace()) == Some(&':');
        match part {
            ['"', name @ .., '"'] if is_name => {
                out.push('"');
                named(name, Some(names), &mut out);
                out.push('"');
            }
            _ if !is_text && matches!(part.iter().collect::<String>().as_str(), "true" | "false" | "null") => out.extend(part),
            _ => cover(part, &mut out),
        }
        at += width;
    }
    out
}

/// Names within tags stay, outside quotes.
fn xml(letters: &[char], names: &HashSet<String>, mut tag: bool) -> Vec<char> {
    let mut out = Vec::with_capacity(letters.len());
    let (mut at, mut quoted) = (0, None);
    while at < letters.len() {
        let letter = letters[at];
        match quoted {
            Some(quote) if quote == letter => quoted = None,
            None if tag && matches!(letter, '"' | '\'') => quoted = Some(letter),
            None if letter == '<' => tag = true,
            None if letter == '>' => tag = false,
            _ => {}
        }
        if is_word(letter) {
            let width = letters[at..].iter().take_while(|letter| is_word(**letter)).count();
            named(&letters[at..at + width], Some(names).filter(|_| tag && quoted.is_none()), &mut out);
            at += width;
        } else {
            out.push(letter);
            at += 1;
        }
    }
    out
}

/// Whether a text ends within a tag.
fn in_tag(before: &str) -> bool {
    before.rfind(['<', '>']).is_some_and(|at| before.as_bytes()[at] == b'<')
}

fn plain(letters: &[char], names: Option<&HashSet<String>>) -> Vec<char> {
    let mut out = Vec::with_capacity(letters.len());
    let mut at = 0;
    while at < letters.len() {
        let width = letters[at..].iter().take_while(|letter| is_word(**letter)).count();
        named(&letters[at..at + width], names, &mut out);
        at += width;
        out.extend(letters.get(at).filter(|letter| !is_word(**letter)));
        at += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, form: Form, line: usize, column: usize) -> (String, String) {
        let names: HashSet<String> = ["patient", "id", "name", "given", "@use", "arende"].map(str::to_owned).into();
        let excerpt = Lines::new(text, form, Some(&names)).at(Place { line, column }).expect("a line");
        (excerpt.line, format!("{}{}", " ".repeat(excerpt.start), "^".repeat(excerpt.width)))
    }

    #[test]
    fn names_stay_and_values_are_covered_in_every_form() {
        let text = "{\n  \"patient\": {\"id\": \"19381221-7044\", \"Greta\": true, \"age\": 88}\n}";
        let (line, caret) = shown(text, Form::Json, 2, 21);
        assert_eq!(line, r#"  "patient": {"id": "••••••••-••••", "•••••": true, "•••": ••}"#);
        assert_eq!(caret, r"                    ^^^^^^^^^^^^^^^");
        let text = "<patient id=\"7044\"\n given='Greta'><name>Greta</name></Greta></patient>";
        assert_eq!(shown(text, Form::Xml, 1, 1).0, "<patient id=\"••••\"");
        assert_eq!(shown(text, Form::Xml, 2, 16).0, " given='•••••'><name>•••••</name></•••••></patient>");
        let text = "arende;namn\n17;Greta Almqvist";
        assert_eq!(shown(text, Form::Csv, 1, 1).0, "arende;••••");
        assert_eq!(shown(text, Form::Csv, 2, 4), ("••;••••• ••••••••".to_owned(), "   ^^^^^".to_owned()));
    }

    #[test]
    fn a_line_that_breaks_off_or_ends_early_is_shown_without_harm() {
        assert_eq!(shown("{\"id\": \"1938", Form::Json, 1, 8).0, "{\"id\": \"••••");
        assert_eq!(shown("{\"id\"", Form::Json, 1, 99).1, "     ^");
        assert_eq!(shown("", Form::Json, 1, 1).1, "^");
        assert!(Lines::new("{}", Form::Json, None).at(Place { line: 7, column: 1 }).is_none());
    }

    #[test]
    fn of_a_long_line_the_part_around_the_place_is_shown() {
        let text = format!("[{}\"Greta\"]", "1,".repeat(5_000));
        let (line, caret) = shown(&text, Form::Json, 1, 10_002);
        assert!(line.chars().count() <= 102 && line.starts_with("…•,"), "{line}");
        assert_eq!(caret.len() - caret.trim_start().len(), line.chars().position(|letter| letter == '"').expect("a quote"));
    }
}
