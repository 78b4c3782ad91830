//! The canonical event as JSON: what the store keeps, and what `vardbro map` will show.

use crate::model::event::CareEvent;
use crate::model::shape::Sink;
use serde_json::{Map, Value};

/// The event as canonical JSON. Holds everything that the record said.
pub fn to_json(event: &CareEvent) -> Vec<u8> {
    let mut tree = Tree { open: vec![(Level::Map(Map::new()), "")] };
    event.write(&mut tree);
    let root = tree.open.pop().map_or(Value::Null, |(level, _)| level.into());
    root.get("event").map_or_else(Vec::new, |event| event.to_string().into_bytes())
}

enum Level {
    Map(Map<String, Value>),
    List(Vec<Value>),
}

impl From<Level> for Value {
    fn from(level: Level) -> Self {
        match level {
            Level::Map(map) => Self::Object(map),
            Level::List(list) => Self::Array(list),
        }
    }
}

struct Tree {
    open: Vec<(Level, &'static str)>,
}

impl Tree {
    fn put(&mut self, name: &'static str, value: Value) {
        match self.open.last_mut() {
            Some((Level::Map(map), _)) => {
                map.insert(name.to_owned(), value);
            }
            Some((Level::List(list), _)) => list.push(value),
            None => {}
        }
    }
}

impl Sink for Tree {
    fn open(&mut self, name: &'static str) {
        self.open.push((Level::Map(Map::new()), name));
    }

    fn open_list(&mut self, name: &'static str) {
        self.open.push((Level::List(Vec::new()), name));
    }

    fn close(&mut self, _: &'static str) {
        if let Some((level, name)) = self.open.pop() {
            self.put(name, level.into());
        }
    }

    fn text(&mut self, name: &'static str, value: &str) {
        self.put(name, Value::String(value.to_owned()));
    }

    fn bool(&mut self, name: &'static str, value: bool) {
        self.put(name, Value::Bool(value));
    }
}
