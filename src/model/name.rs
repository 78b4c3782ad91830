//! Names that the operator gives to sources and destinations.

use std::fmt;
use std::sync::Arc;

/// Lower-case letters, digits, `-` and `_`, at most 40: safe in a log, a path and a URL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

impl Name {
    pub fn parse(text: &str) -> Option<Self> {
        let formed =
            (1..=40).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
        formed.then(|| Self(text.into()))
    }

    /// For a name that should have been checked before.
    pub fn unnamed() -> Self {
        Self("unnamed".into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A subject of NATS: words between dots. The server's own begin with `$`.
pub fn subject(text: &str) -> Option<&str> {
    let bad = |c: char| c.is_whitespace() || c.is_control();
    let formed = (1..=200).contains(&text.len()) && !text.contains(bad) && text.split('.').all(|word| !word.is_empty());
    (formed && !text.starts_with('$')).then_some(text)
}
