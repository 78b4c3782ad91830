//! Paths into a record: `visit.patient["given name"]`, `rows[0].code`, `name[use=official].family`, `$.header.sender`.
//!
//! A name taken of a list is taken of each item, so a source that repeats an element now and then needs no other path. `$`
//! begins at the record even where rows are read one item at a time; `$name` is a value that the mapping has named.

use crate::model::node::{Node, NodeValue};
use crate::model::personal::Personal;

/// A compiled path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    from_record: bool,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Name(String),
    Item(usize),
    Items,
    /// Items in which a path shows a value, or does not.
    Where(Path, bool, Wanted),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    Text(String),
    /// What a named value is.
    Named(String),
}

/// Deepest nesting of conditions.
const DEPTH: usize = 4;

impl Path {
    /// `.` is the value itself. None where the form is wrong.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut rest = text.trim();
        let path = Self::read(&mut rest, DEPTH)?;
        rest.is_empty().then_some(path)
    }

    fn read(rest: &mut &str, depth: usize) -> Option<Self> {
        let from_record = eat(rest, "$");
        let mut steps = Vec::new();
        if from_record && let Some(name) = named(rest) {
            steps.push(Step::Name(name));
            while eat(rest, "[") {
                steps.push(suffix(rest, depth)?);
            }
            if !eat(rest, ".") {
                return Some(Self { from_record, steps });
            }
        } else if from_record {
            if rest.is_empty() || rest.starts_with([']', '=', '!']) {
                return Some(Self { from_record, steps });
            }
            if !rest.starts_with('[') && !eat(rest, ".") {
                return None;
            }
        } else if *rest == "." {
            *rest = "";
            return Some(Self { from_record, steps });
        }
        loop {
            if !rest.starts_with('[') {
                steps.push(Step::Name(name(rest)?));
            }
            while eat(rest, "[") {
                steps.push(suffix(rest, depth)?);
            }
            if !eat(rest, ".") {
                return Some(Self { from_record, steps });
            }
        }
    }

    /// Every value that the path leads to, in the order of the source. `null` counts as absent.
    pub(crate) fn all<'n>(&self, node: &'n Node) -> Vec<&'n Node> {
        self.within(node, node)
    }

    /// The same from an item of a record.
    pub(crate) fn within<'n>(&self, record: &'n Node, item: &'n Node) -> Vec<&'n Node> {
        let mut found = vec![if self.from_record { record } else { item }];
        for step in &self.steps {
            found = found.into_iter().flat_map(|node| step.take(record, node)).collect();
        }
        found.retain(|node| !node.is_null());
        found
    }

    /// Every name in it.
    pub(crate) fn names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for step in &self.steps {
            match step {
                Step::Name(name) => names.push(name.as_str()),
                Step::Where(path, ..) => names.extend(path.names()),
                Step::Item(_) | Step::Items => {}
            }
        }
        names
    }

    /// The named values that it needs.
    pub(crate) fn named(&self) -> Vec<&str> {
        let mut named = Vec::new();
        for step in &self.steps {
            match step {
                Step::Name(name) => named.extend(name.strip_prefix('$')),
                Step::Where(path, _, wanted) => {
                    named.extend(path.named());
                    if let Wanted::Named(name) = wanted {
                        named.extend(name.strip_prefix('$'));
                    }
                }
                Step::Item(_) | Step::Items => {}
            }
        }
        named
    }
}

impl Step {
    fn take<'n>(&self, record: &'n Node, node: &'n Node) -> Vec<&'n Node> {
        match self {
            Self::Name(name) => items(node).filter_map(|item| item.get(name)).collect(),
            Self::Item(place) => items(node).nth(*place).into_iter().collect(),
            Self::Items => items(node).collect(),
            Self::Where(path, shown, wanted) => {
                let wanted = match wanted {
                    Wanted::Text(text) => Some(Personal::new(text.clone())),
                    Wanted::Named(name) => record.get(name).and_then(Node::text),
                };
                let Some(wanted) = wanted else { return Vec::new() };
                let fits = |item: &&Node| path.within(record, item).into_iter().any(|found| shows(found, &wanted)) == *shown;
                items(node).filter(fits).collect()
            }
        }
    }
}

/// A list's items; anything else is a list of one.
fn items(node: &Node) -> impl Iterator<Item = &Node> {
    let (list, single) = match &node.value {
        NodeValue::List(items) => (items.as_slice(), None),
        _ => (&[][..], Some(node)),
    };
    list.iter().chain(single)
}

#[expect(clippy::disallowed_methods, reason = "compares two values, shows none")]
fn shows(node: &Node, wanted: &Personal<String>) -> bool {
    node.shows(wanted.disclose())
}

/// A named value stands in the record under its name with a `$` before it, which no name of a source's that a path may hold has.
fn named(rest: &mut &str) -> Option<String> {
    let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    let named = (!name.is_empty()).then(|| format!("${name}"))?;
    *rest = after;
    Some(named)
}

fn eat(rest: &mut &str, token: &str) -> bool {
    rest.strip_prefix(token).map(|after| *rest = after).is_some()
}

/// A bare name, or one in quotes where it holds a character of ours.
fn name(rest: &mut &str) -> Option<String> {
    if let Some(quoted) = rest.strip_prefix('"') {
        let (name, after) = quoted.split_once('"')?;
        *rest = after;
        return (!name.is_empty()).then(|| name.to_owned());
    }
    let end = rest.find(['.', '[', ']', '=', '!', '"', '$']).unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    *rest = after;
    let formed = !name.is_empty() && name.trim() == name && !name.contains(char::is_control);
    formed.then(|| name.to_owned())
}

/// What stands in brackets, up to the closing one.
fn suffix(rest: &mut &str, depth: usize) -> Option<Step> {
    if eat(rest, "]") || eat(rest, "*]") {
        return Some(Step::Items);
    }
    let digits = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    if digits > 0 && rest[digits..].starts_with(']') {
        let place = rest[..digits].parse().ok()?;
        *rest = &rest[digits + 1..];
        return Some(Step::Item(place));
    }
    if let Some(quoted) = rest.strip_prefix('"')
        && let Some((name, after)) = quoted.split_once('"')
        && let Some(after) = after.strip_prefix(']')
    {
        *rest = after;
        return Some(Step::Name(name.to_owned()));
    }
    let path = Path::read(rest, depth.checked_sub(1)?)?;
    let shown = !eat(rest, "!");
    if !eat(rest, "=") {
        return None;
    }
    let value = if let Some(quoted) = rest.strip_prefix('"') {
        let (value, after) = quoted.split_once('"')?;
        *rest = after;
        Wanted::Text(value.to_owned())
    } else if eat(rest, "$") {
        Wanted::Named(named(rest)?)
    } else {
        let (value, _) = rest.split_once(']')?;
        *rest = &rest[value.len()..];
        Wanted::Text(value.trim().to_owned())
    };
    eat(rest, "]").then_some(Step::Where(path, shown, value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::decode::{Format, Limits, units};

    fn node(json: &str) -> Node {
        let (mut units, _) = units(json, &Format::Json { records: None }, Limits::default()).unwrap_or_else(|_| panic!("bad JSON"));
        units.remove(0).node.unwrap_or_else(|_| panic!("bad JSON"))
    }

    #[expect(clippy::disallowed_methods, reason = "a test shows what it made up itself")]
    fn texts(path: &str, json: &str) -> Vec<String> {
        let node = node(json);
        let found = Path::parse(path).unwrap_or_else(|| panic!("{path}")).all(&node);
        found.into_iter().filter_map(|node| node.text().map(|text| text.disclose().clone())).collect()
    }

    #[test]
    fn paths_lead_where_they_say() {
        let json = r#"{"a":{"b":[{"c":"1","k":"x"},{"c":"2","k":"y z"}]},"d e":{"f.g":"3"},"n":null,"one":{"c":"4"}}"#;
        for (path, expected) in [
            ("a.b.c", &["1", "2"][..]),
            ("a.b[1].c", &["2"]),
            ("a.b[].c", &["1", "2"]),
            ("a.b[k=x].c", &["1"]),
            ("a.b[k!=x].c", &["2"]),
            (r#"a.b[k="y z"].c"#, &["2"]),
            ("d e.\"f.g\"", &["3"]),
            (r#"$["d e"]["f.g"]"#, &["3"]),
            ("one[0].c", &["4"]),
            ("one[c=4].c", &["4"]),
            ("n", &[]),
            ("a.x.c", &[]),
            ("a.b[7].c", &[]),
        ] {
            assert_eq!(texts(path, json), expected, "{path}");
        }
    }

    #[test]
    fn a_path_of_another_form_is_none() {
        for wrong in
            ["", "a..b", "a.", "a[", "a[x", "a[b]", ".a", "a]b", "$a-", "a[=1]", "a[b=", " a . b", "\"\"", "a[b[c[d[e[f=1]=1]=1]=1]=1]"]
        {
            assert_eq!(Path::parse(wrong), None, "{wrong}");
        }
    }
}
