//! A decoded record: JSON-shaped, every value with its place in the source. JSON, XML and CSV all become this.

use super::personal::Personal;

/// One value of a source record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Byte offset of the value in the source.
    pub at: usize,
    pub value: NodeValue,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeValue {
    Null,
    Bool(bool),
    /// As written in the source.
    Number(Personal<String>),
    Text(Personal<String>),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A name in a map. Names come from outside too, and may hold anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub at: usize,
    pub name: Personal<String>,
}

impl Node {
    /// The value under a name of ours.
    pub fn get(&self, name: &str) -> Option<&Node> {
        match &self.value {
            NodeValue::Map(entries) => entries.iter().find(|(key, _)| key.is(name)).map(|(_, node)| node),
            _ => None,
        }
    }

    /// An item of a list, from 0.
    pub fn item(&self, place: usize) -> Option<&Node> {
        if let NodeValue::List(items) = &self.value { items.get(place) } else { None }
    }

    /// A plain value as text; none of a list, a map or `null`.
    pub fn text(&self) -> Option<Personal<String>> {
        match &self.value {
            NodeValue::Text(text) | NodeValue::Number(text) => Some(text.clone()),
            NodeValue::Bool(value) => Some(Personal::new(value.to_string())),
            _ => None,
        }
    }

    /// Whether it is a plain value and shows this text.
    #[expect(clippy::disallowed_methods, reason = "compares with a text of a mapping, shows nothing")]
    pub fn shows(&self, text: &str) -> bool {
        self.text().is_some_and(|own| own.disclose().trim() == text)
    }

    /// Absent and `null` are the same to us.
    pub fn is_null(&self) -> bool {
        self.value == NodeValue::Null
    }
}

impl Key {
    /// An attribute of XML stands under `@name`.
    #[expect(clippy::disallowed_methods, reason = "looks at the first character, shows nothing")]
    pub fn is_attribute(&self) -> bool {
        self.name.disclose().starts_with('@')
    }

    #[expect(clippy::disallowed_methods, reason = "compares with a name of ours, shows nothing")]
    pub fn is(&self, name: &str) -> bool {
        self.name.disclose() == name
    }
}
