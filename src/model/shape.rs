//! One definition of a body, many uses: reading, writing, the XSD, the JSON schema and the reference pages.
//!
//! `codes!` defines a code list, `group!` a group of fields. Both give a Rust type *and* its [`Shape`], which the
//! generators walk; so a new message type is a `group!` and a row in the catalogue, and nothing else.

use super::ids::HsaId;
use super::node::{Node, NodeValue};
use super::personal::Personal;
use super::time::{self, TimeFault};
use jiff::{Timestamp, civil::Date};
use std::fmt::Write as _;

/// Most items in one list.
pub const LIST_MAX: usize = 200;

/// Most problems that are told of one record.
pub const PROBLEMS_MAX: usize = 100;

/// What a value looks like.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// Free text of at most so many characters; control characters other than tab and line feed are refused.
    Text {
        max: usize,
    },
    Phone,
    Bool,
    /// RFC 3339 with zone.
    Instant,
    /// Swedish calendar day.
    Day,
    HsaId,
    Uuid,
    Code(&'static [CodeValue]),
    Group(&'static [Field]),
}

/// How often a field stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Card {
    One,
    Optional,
    /// A list that must be given; `min` is 0 where "none" is an answer.
    List {
        min: usize,
    },
    OptionalList,
}

#[derive(Debug, Clone, Copy)]
pub struct Field {
    pub name: &'static str,
    pub card: Card,
    pub shape: Shape,
    pub sv: &'static str,
    pub en: &'static str,
}

#[derive(Debug, Clone, Copy)]
pub struct CodeValue {
    pub code: &'static str,
    pub sv: &'static str,
    pub en: &'static str,
}

/// What is wrong at one place of a record. Never holds the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Path of our own field names and list positions, `data.items[3].code`.
    pub path: String,
    /// Byte offset in the source.
    pub at: usize,
    pub kind: ProblemKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProblemKind {
    Missing,
    Empty,
    UnknownField,
    DuplicateField,
    WrongKind {
        expected: &'static str,
    },
    UnknownCode {
        allowed: Vec<&'static str>,
    },
    NoZone,
    NotAnInstant,
    NotADay,
    NotAnHsaId,
    NotAPhone,
    NotAUuid,
    TooLong {
        max: usize,
    },
    TooMany {
        max: usize,
    },
    TooFew {
        min: usize,
    },
    BadCharacter,
    Person(super::person::PersonIdFault),
    UnsupportedIdType,
    /// It has not happened yet.
    Future,
    /// There are more than are told.
    More,
}

#[derive(Debug)]
enum Step {
    Name(&'static str),
    Index(usize),
}

/// Collects every problem of a record while it is read.
#[derive(Debug)]
pub struct Reader {
    path: Vec<Step>,
    pub problems: Vec<Problem>,
    /// The Swedish day on which the record is read; the century of a short person number depends on it.
    pub today: Date,
}

impl Reader {
    pub fn new(today: Date) -> Self {
        Self { path: Vec::new(), problems: Vec::new(), today }
    }

    pub fn problem<T>(&mut self, at: usize, kind: ProblemKind) -> Option<T> {
        match self.problems.len() {
            PROBLEMS_MAX => {}
            // Whoever sends so many has one fault in the export, not a hundred; more would only bury it.
            last if last == PROBLEMS_MAX - 1 => self.problems.push(Problem { path: String::new(), at, kind: ProblemKind::More }),
            _ => {
                let path = self.path_text();
                self.problems.push(Problem { path, at, kind });
            }
        }
        None
    }

    /// Runs `read` one step further down.
    pub fn within<T>(&mut self, name: &'static str, read: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(Step::Name(name));
        let out = read(self);
        self.path.pop();
        out
    }

    /// The same for an item of a list.
    pub fn at_index<T>(&mut self, place: usize, read: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(Step::Index(place));
        let out = read(self);
        self.path.pop();
        out
    }

    /// Names the reader's fields, refuses others and the same one twice.
    #[expect(clippy::disallowed_methods, reason = "compares field names, shows none")]
    pub fn expect_map(&mut self, node: &Node, fields: &[Field]) -> bool {
        let NodeValue::Map(entries) = &node.value else {
            self.problem::<()>(node.at, ProblemKind::WrongKind { expected: "object" });
            return false;
        };
        for (place, (key, _)) in entries.iter().enumerate() {
            if !fields.iter().any(|field| key.is(field.name)) {
                self.problem::<()>(key.at, ProblemKind::UnknownField);
            } else if entries[..place].iter().any(|(earlier, _)| earlier.is(key.name.disclose())) {
                self.problem::<()>(key.at, ProblemKind::DuplicateField);
            }
        }
        true
    }

    /// Reads one field of a map.
    pub fn field<T: Part>(&mut self, node: &Node, name: &'static str) -> Option<T> {
        self.path.push(Step::Name(name));
        let out = match node.get(name).filter(|value| !value.is_null()) {
            Some(value) => T::read(value, self),
            None => T::absent().or_else(|| self.problem(node.at, ProblemKind::Missing)),
        };
        self.path.pop();
        out
    }

    fn list<T: Part>(&mut self, node: &Node, min: usize) -> Option<Vec<T>> {
        let NodeValue::List(nodes) = &node.value else {
            return self.problem(node.at, ProblemKind::WrongKind { expected: "array" });
        };
        if nodes.len() < min {
            return self.problem(node.at, ProblemKind::TooFew { min });
        }
        if nodes.len() > LIST_MAX {
            return self.problem(node.at, ProblemKind::TooMany { max: LIST_MAX });
        }
        let mut out = Vec::with_capacity(nodes.len());
        for (place, item) in nodes.iter().enumerate() {
            out.push(self.at_index(place, |r| T::read(item, r)));
        }
        out.into_iter().collect()
    }

    /// A text that XML can carry and that is not blank.
    #[expect(clippy::disallowed_methods, reason = "reads the value in order to type it")]
    fn text<'a>(&mut self, node: &'a Node, max: usize) -> Option<&'a str> {
        let NodeValue::Text(text) = &node.value else {
            return self.problem(node.at, ProblemKind::WrongKind { expected: "string" });
        };
        let text = text.disclose();
        if text.trim().is_empty() {
            return self.problem(node.at, ProblemKind::Empty);
        }
        if text
            .chars()
            .any(|c| (c < ' ' && c != '\t' && c != '\n') || ('\u{7f}'..='\u{9f}').contains(&c) || matches!(c, '\u{fffe}' | '\u{ffff}'))
        {
            return self.problem(node.at, ProblemKind::BadCharacter);
        }
        if text.chars().count() > max {
            return self.problem(node.at, ProblemKind::TooLong { max });
        }
        Some(text)
    }

    fn path_text(&self) -> String {
        let mut out = String::new();
        for step in &self.path {
            match step {
                Step::Name(name) => {
                    if !out.is_empty() {
                        out.push('.');
                    }
                    out.push_str(name);
                }
                Step::Index(place) => {
                    let _ = write!(out, "[{place}]");
                }
            }
        }
        out
    }
}

/// Where a value is written to: the wire's XML, or canonical JSON.
pub trait Sink {
    fn open(&mut self, name: &'static str);
    fn open_list(&mut self, name: &'static str);
    fn close(&mut self, name: &'static str);
    fn text(&mut self, name: &'static str, value: &str);
    fn bool(&mut self, name: &'static str, value: bool);
}

/// Something that can be a field.
pub trait Part: Sized {
    const SHAPE: Shape;
    const CARD: Card = Card::One;
    fn read(node: &Node, r: &mut Reader) -> Option<Self>;
    /// What stands for a field that is not there; `None` where it must be.
    fn absent() -> Option<Self> {
        None
    }
    fn write(&self, name: &'static str, out: &mut dyn Sink);
}

/// Free text about a person or a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text<const MAX: usize>(pub Personal<String>);

impl<const MAX: usize> Part for Text<MAX> {
    const SHAPE: Shape = Shape::Text { max: MAX };
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        r.text(node, MAX).map(|text| Self(Personal::new(text.to_owned())))
    }
    #[expect(clippy::disallowed_methods, reason = "writes the event and the message")]
    fn write(&self, name: &'static str, out: &mut dyn Sink) {
        out.text(name, self.0.disclose());
    }
}

/// A telephone number: digits, `+`, `-`, brackets and blanks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phone(pub Personal<String>);

impl Part for Phone {
    const SHAPE: Shape = Shape::Phone;
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        let text = r.text(node, 32)?;
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let formed = text.bytes().all(|b| b.is_ascii_digit() || b"+-() ".contains(&b)) && digits >= 3;
        if formed { Some(Self(Personal::new(text.to_owned()))) } else { r.problem(node.at, ProblemKind::NotAPhone) }
    }
    #[expect(clippy::disallowed_methods, reason = "writes the event and the message")]
    fn write(&self, name: &'static str, out: &mut dyn Sink) {
        out.text(name, self.0.disclose());
    }
}

impl Part for bool {
    const SHAPE: Shape = Shape::Bool;
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        match node.value {
            NodeValue::Bool(value) => Some(value),
            _ => r.problem(node.at, ProblemKind::WrongKind { expected: "boolean" }),
        }
    }
    fn write(&self, name: &'static str, out: &mut dyn Sink) {
        out.bool(name, *self);
    }
}

impl Part for Timestamp {
    const SHAPE: Shape = Shape::Instant;
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        match time::parse_instant(r.text(node, 60)?) {
            Ok(at) => Some(at),
            Err(TimeFault::NoZone) => r.problem(node.at, ProblemKind::NoZone),
            Err(TimeFault::Malformed) => r.problem(node.at, ProblemKind::NotAnInstant),
        }
    }
    fn write(&self, name: &'static str, out: &mut dyn Sink) {
        out.text(name, &time::instant_text(*self));
    }
}

impl Part for Date {
    const SHAPE: Shape = Shape::Day;
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        let text = r.text(node, 60)?;
        time::parse_day(text).or_else(|| r.problem(node.at, ProblemKind::NotADay))
    }
    fn write(&self, name: &'static str, out: &mut dyn Sink) {
        out.text(name, &self.to_string());
    }
}

impl Part for HsaId {
    const SHAPE: Shape = Shape::HsaId;
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        let text = r.text(node, 64)?;
        HsaId::parse(text).or_else(|| r.problem(node.at, ProblemKind::NotAnHsaId))
    }
    fn write(&self, name: &'static str, out: &mut dyn Sink) {
        out.text(name, self.as_str());
    }
}

impl Part for super::ids::MessageId {
    const SHAPE: Shape = Shape::Uuid;
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        let text = r.text(node, 64)?;
        match uuid::Uuid::try_parse(text) {
            Ok(id) if text.len() == 36 => Some(Self(id)),
            _ => r.problem(node.at, ProblemKind::NotAUuid),
        }
    }
    fn write(&self, name: &'static str, out: &mut dyn Sink) {
        out.text(name, &self.to_string());
    }
}

impl<T: Part> Part for Option<T> {
    const SHAPE: Shape = T::SHAPE;
    const CARD: Card = match T::CARD {
        Card::List { .. } => Card::OptionalList,
        _ => Card::Optional,
    };
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        T::read(node, r).map(Some)
    }
    fn absent() -> Option<Self> {
        Some(None)
    }
    fn write(&self, name: &'static str, out: &mut dyn Sink) {
        if let Some(value) = self {
            value.write(name, out);
        }
    }
}

/// A list that must be given, with at least `MIN` items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T, const MIN: usize>(pub Vec<T>);

impl<T: Part, const MIN: usize> Part for List<T, MIN> {
    const SHAPE: Shape = T::SHAPE;
    const CARD: Card = Card::List { min: MIN };
    fn read(node: &Node, r: &mut Reader) -> Option<Self> {
        r.list(node, MIN).map(Self)
    }
    fn write(&self, name: &'static str, out: &mut dyn Sink) {
        out.open_list(name);
        for item in &self.0 {
            item.write("item", out);
        }
        out.close(name);
    }
}

/// A code list: the enum, its codes with Swedish and English text, and how to read and write it.
macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $code:literal: $sv:literal, $en:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $(#[doc = $en] $variant),+ }

        impl $name {
            pub const VALUES: &'static [$crate::model::shape::CodeValue] =
                &[$($crate::model::shape::CodeValue { code: $code, sv: $sv, en: $en }),+];

            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            /// Swedish and English text.
            pub const fn texts(self) -> (&'static str, &'static str) {
                match self { $(Self::$variant => ($sv, $en)),+ }
            }

            pub fn parse(text: &str) -> Option<Self> {
                match text { $($code => Some(Self::$variant),)+ _ => None }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(self.code())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(d)?;
                Self::parse(&text).ok_or_else(|| serde::de::Error::custom(concat!("not a code of ", stringify!($name))))
            }
        }

        impl $crate::model::shape::Part for $name {
            const SHAPE: $crate::model::shape::Shape = $crate::model::shape::Shape::Code(Self::VALUES);
            fn read(node: &$crate::model::node::Node, r: &mut $crate::model::shape::Reader) -> Option<Self> {
                r.code(node, Self::VALUES, Self::parse)
            }
            fn write(&self, name: &'static str, out: &mut dyn $crate::model::shape::Sink) {
                out.text(name, self.code());
            }
        }
    };
}

impl Reader {
    /// A short text that a type of its own will read further.
    pub fn plain_text<'a>(&mut self, node: &'a Node) -> Option<&'a str> {
        self.text(node, 200)
    }

    /// Reads one of a list of codes.
    pub fn code<T>(&mut self, node: &Node, values: &'static [CodeValue], parse: fn(&str) -> Option<T>) -> Option<T> {
        let text = self.text(node, 200)?;
        parse(text).or_else(|| {
            let allowed = values.iter().map(|value| value.code).collect();
            self.problem(node.at, ProblemKind::UnknownCode { allowed })
        })
    }
}

/// A group of fields: the struct, its table of fields, and how to read and write it.
macro_rules! group {
    ($(#[$doc:meta])* $name:ident { $($field:ident $json:literal: $type:ty = $sv:literal, $en:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name { $(#[doc = $en] pub $field: $type),+ }

        impl $name {
            pub const FIELDS: &'static [$crate::model::shape::Field] = &[$($crate::model::shape::Field {
                name: $json,
                card: <$type as $crate::model::shape::Part>::CARD,
                shape: <$type as $crate::model::shape::Part>::SHAPE,
                sv: $sv,
                en: $en,
            }),+];
        }

        impl $name {
            /// The fields alone, where something else says which names may stand beside them.
            pub fn read_fields(node: &$crate::model::node::Node, r: &mut $crate::model::shape::Reader) -> Option<Self> {
                $(let $field = r.field::<$type>(node, $json);)+
                Some(Self { $($field: $field?),+ })
            }
            pub fn write_fields(&self, out: &mut dyn $crate::model::shape::Sink) {
                $($crate::model::shape::Part::write(&self.$field, $json, out);)+
            }
        }

        impl $crate::model::shape::Part for $name {
            const SHAPE: $crate::model::shape::Shape = $crate::model::shape::Shape::Group(Self::FIELDS);
            fn read(node: &$crate::model::node::Node, r: &mut $crate::model::shape::Reader) -> Option<Self> {
                if r.expect_map(node, Self::FIELDS) { Self::read_fields(node, r) } else { None }
            }
            fn write(&self, name: &'static str, out: &mut dyn $crate::model::shape::Sink) {
                out.open(name);
                self.write_fields(out);
                out.close(name);
            }
        }
    };
}

pub(crate) use {codes, group};
