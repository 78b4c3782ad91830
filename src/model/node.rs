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

    /// Absent and `null` are the same to us.
    pub fn is_null(&self) -> bool {
        self.value == NodeValue::Null
    }
}

impl Key {
    #[expect(clippy::disallowed_methods, reason = "compares with a name of ours, shows nothing")]
    pub fn is(&self, name: &str) -> bool {
        self.name.disclose() == name
    }
}
