//! Expressions in jq's language, for rows that need logic; run by jaq.
//!
//! A mapping must not be able to stop the daemon, whatever it says and whatever a record holds. So only functions that
//! finish are known, there are no definitions, loops or products of texts, and how often an expression goes through lists and
//! adds bounds how large a record it gets to see.

use crate::model::node::{Node, NodeValue};
use crate::model::personal::Personal;
use jaq_core::load::parse::{BinaryOp, Pattern, Term};
use jaq_core::load::{Arena, File, Loader, lex::StrPart};
use jaq_core::path::Part;
use jaq_core::{Compiler, Ctx, Filter, Vars, data, ops::Math};
use jaq_json::Val;
use std::fmt;

/// Longest expression.
const TEXT_MAX: usize = 2_000;
/// Most places of an expression that go through a list or an object, and most additions.
const LOOPS_MAX: u32 = 3;
const SUMS_MAX: u32 = 12;
/// Steps that the loops may come to, and bytes that the additions may.
const STEPS_MAX: usize = 4_000_000;
const BYTES_MAX: usize = 16 * 1024 * 1024;

/// Functions that finish and reach for nothing outside.
const KNOWN: &[&str] = &[
    "empty",
    "not",
    "select",
    "map",
    "first",
    "last",
    "length",
    "add",
    "join",
    "split",
    "ltrimstr",
    "rtrimstr",
    "startswith",
    "endswith",
    "ascii_downcase",
    "ascii_upcase",
    "tostring",
    "tonumber",
    "trim",
    "ltrim",
    "rtrim",
    "has",
    "keys",
    "to_entries",
    "any",
    "all",
    "contains",
    "index",
    "sort",
    "sort_by",
    "unique",
    "unique_by",
    "group_by",
    "min_by",
    "max_by",
    "reverse",
    "floor",
    "round",
    "ceil",
    "type",
    "values",
    "strings",
    "arrays",
    "objects",
    "null",
    "true",
    "false",
    "isempty",
    "nth",
];
/// Those among them that go through their input.
const LOOPS: &[&str] = &["map", "add", "join", "any", "all", "sort_by", "unique_by", "group_by", "min_by", "max_by", "to_entries"];
/// What of them jaq's core lacks. Its own library has much that must not be reached from a mapping.
const PRELUDE: &str = r#"
def empty: {}[] as $x | .;
def true: 0 == 0;
def false: 0 != 0;
def null: [][0];
def not: if . then false else true end;
def select(f): if f then . else empty end;
def tostring: "\(.)";
def map(f): [.[] | f];
def first: .[0];
def last: .[-1];
def nth(n): .[n];
def add: reduce .[] as $x (null; . + $x);
def join($s): reduce .[] as $x (null; (if . == null then "" else . + $s end) + ($x | tostring)) // "";
def split($s): . / $s;
def isempty(g): first((g | false), true);
def any(f): isempty(.[] | f | select(.)) | not;
def all(f): isempty(.[] | f | select(not));
def isnumber: . > true and . < "";
def isstring: . >= "" and . < [];
def isarray: . >= [] and . < {};
def isobject: . >= {};
def type: if . == null then "null" elif . <= true then "boolean" elif isnumber then "number" elif isstring then "string" elif isarray then "array" else "object" end;
def values: select(. != null);
def strings: select(isstring);
def arrays: select(isarray);
def objects: select(isobject);
def tonumber: if isnumber then . else fromjson | select(isnumber) end;
def keys: keys_unsorted | sort;
def to_entries: [key_values[] as [$key, $value] | { $key, $value }];
def unique_by(f): [group_by(f)[] | .[0]];
def unique: unique_by(.);
def min_by(f): reduce min_by_or_empty(f) as $x (null; $x);
def max_by(f): reduce max_by_or_empty(f) as $x (null; $x);
def index($i): indices($i)[0];
"#;

/// A compiled expression.
#[derive(Clone)]
pub(super) struct Jq {
    text: String,
    filter: std::sync::Arc<Filter<data::JustLut<Val>>>,
    loops: u32,
    sums: u32,
}

impl fmt::Debug for Jq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Jq").field(&self.text).finish()
    }
}

impl PartialEq for Jq {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// Why an expression gave nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JqFault {
    /// The record is larger than what the expression may be run on.
    TooLarge,
    /// It ended in an error of the language.
    Failed,
}

impl Jq {
    /// In Swedish and English why it is not taken.
    pub(crate) fn compile(text: &str) -> Result<Self, (String, String)> {
        if text.len() > TEXT_MAX {
            return Err((format!("högst {TEXT_MAX} tecken"), format!("{TEXT_MAX} characters at most")));
        }
        let parsed = jaq_core::load::parse(text, |parser| parser.term());
        let not_jq = || ("är inte ett jq-uttryck".to_owned(), "is no jq expression".to_owned());
        let mut look = Look::default();
        look.term(&parsed.ok_or_else(not_jq)?);
        if let Some(word) = look.refused {
            return Err((format!("”{word}” får inte användas i en mappning"), format!("“{word}” may not be used in a mapping")));
        }
        if look.loops > LOOPS_MAX || look.sums > SUMS_MAX {
            return Err((
                format!("går igenom listor {} gånger och adderar {} gånger; högst {LOOPS_MAX} och {SUMS_MAX}", look.loops, look.sums),
                format!("goes through lists {} times and adds {} times; {LOOPS_MAX} and {SUMS_MAX} at most", look.loops, look.sums),
            ));
        }
        let defs = jaq_core::load::parse(PRELUDE, |parser| parser.defs()).unwrap_or_default();
        let funs = jaq_core::funs().chain(jaq_std::base_funs()).chain(jaq_json::funs());
        let arena = Arena::default();
        let modules = Loader::new(defs).load(&arena, File { code: text, path: () }).map_err(|_| not_jq())?;
        let filter = Compiler::default().with_funs(funs).with_global_vars(["$record"]).compile(modules).map_err(|_| not_jq())?;
        Ok(Self { text: text.to_owned(), filter: std::sync::Arc::new(filter), loops: look.loops, sums: look.sums })
    }

    /// The first value that it gives of an item, `$record` being the whole record. Values get the item's place.
    pub(crate) fn run(&self, record: &Node, item: &Node) -> Result<Node, JqFault> {
        let (mut values, mut bytes) = (0, 0);
        weigh(record, &mut values, &mut bytes);
        let steps = values.checked_pow(self.loops.max(1)).unwrap_or(usize::MAX);
        if steps > STEPS_MAX || bytes.checked_shl(self.sums).is_none_or(|most| most > BYTES_MAX) {
            return Err(JqFault::TooLarge);
        }
        let vars = Vars::new([value(record)]);
        let ctx = Ctx::<data::JustLut<Val>>::new(&self.filter.lut, vars);
        match self.filter.id.run((ctx, value(item))).next() {
            None => Ok(Node { at: item.at, value: NodeValue::Null }),
            Some(Ok(found)) => node(&found, item.at, 32).ok_or(JqFault::Failed),
            // The language's own words may quote the record.
            Some(Err(_)) => Err(JqFault::Failed),
        }
    }
}

/// What an expression would do.
#[derive(Default)]
struct Look {
    refused: Option<String>,
    loops: u32,
    sums: u32,
}

impl Look {
    fn refuse(&mut self, word: &str) {
        self.refused.get_or_insert_with(|| word.to_owned());
    }

    fn term(&mut self, term: &Term<&str>) {
        match term {
            Term::Var(name) if *name == "$__loc__" || *name == "$ENV" => self.refuse(name),
            Term::Id | Term::Num(_) | Term::Var(_) => {}
            Term::Recurse => self.refuse(".."),
            Term::Str(Some(format), _) => self.refuse(format),
            Term::Str(None, parts) => {
                for part in parts {
                    if let StrPart::Term(term) = part {
                        self.sums += 1;
                        self.term(term);
                    }
                }
            }
            Term::Arr(inner) => self.terms(inner.iter().map(AsRef::as_ref)),
            Term::Obj(entries) => {
                for (key, value) in entries {
                    self.term(key);
                    self.terms(value);
                }
            }
            Term::Neg(inner) => self.term(inner),
            Term::BinOp(left, op, right) => {
                self.operator(op);
                self.term(left);
                self.term(right);
            }
            Term::Label(..) => self.refuse("label"),
            Term::Break(_) => self.refuse("break"),
            Term::Fold(word, ..) => self.refuse(word),
            Term::TryCatch(inner, caught) => {
                self.term(inner);
                self.terms(caught.iter().map(AsRef::as_ref));
            }
            Term::IfThenElse(branches, otherwise) => {
                for (condition, then) in branches {
                    self.term(condition);
                    self.term(then);
                }
                self.terms(otherwise.iter().map(AsRef::as_ref));
            }
            Term::Def(..) => self.refuse("def"),
            Term::Call(name, arguments) => {
                if !KNOWN.contains(name) {
                    self.refuse(name);
                }
                self.loops += u32::from(LOOPS.contains(name));
                self.terms(arguments);
            }
            Term::Path(head, path) => {
                self.term(head);
                for (part, _) in &path.0 {
                    match part {
                        Part::Index(index) => self.term(index),
                        Part::Range(None, None) => self.loops += 1,
                        Part::Range(from, to) => self.terms(from.iter().chain(to)),
                    }
                }
            }
        }
    }

    fn terms<'t>(&mut self, terms: impl IntoIterator<Item = &'t Term<&'t str>>) {
        for term in terms {
            self.term(term);
        }
    }

    fn operator(&mut self, op: &BinaryOp<&str>) {
        match op {
            BinaryOp::Pipe(pattern) => {
                if let Some(pattern) = pattern {
                    self.pattern(pattern);
                }
            }
            BinaryOp::Math(Math::Add) => self.sums += 1,
            // A number of times a text is a text of any length.
            BinaryOp::Math(Math::Mul) => self.refuse("*"),
            BinaryOp::Assign | BinaryOp::Update | BinaryOp::UpdateMath(_) | BinaryOp::UpdateAlt => self.refuse("="),
            BinaryOp::Comma | BinaryOp::Alt | BinaryOp::Or | BinaryOp::And | BinaryOp::Math(_) | BinaryOp::Cmp(_) => {}
        }
    }

    fn pattern(&mut self, pattern: &Pattern<&str>) {
        match pattern {
            Pattern::Var(_) => {}
            Pattern::Arr(parts) => parts.iter().for_each(|part| self.pattern(part)),
            Pattern::Obj(parts) => parts.iter().for_each(|(key, part)| {
                self.term(key);
                self.pattern(part);
            }),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "counts the bytes, shows none")]
fn weigh(node: &Node, values: &mut usize, bytes: &mut usize) {
    *values += 1;
    match &node.value {
        NodeValue::Text(text) | NodeValue::Number(text) => *bytes += text.disclose().len() + 1,
        NodeValue::List(items) => items.iter().for_each(|item| weigh(item, values, bytes)),
        NodeValue::Map(entries) => {
            for (key, value) in entries {
                *bytes += key.name.disclose().len() + 1;
                weigh(value, values, bytes);
            }
        }
        _ => *bytes += 1,
    }
}

#[expect(clippy::disallowed_methods, reason = "hands the record to the expression")]
fn value(node: &Node) -> Val {
    match &node.value {
        NodeValue::Null => Val::Null,
        NodeValue::Bool(value) => Val::Bool(*value),
        NodeValue::Number(raw) => jaq_json::read::parse_single(raw.disclose().as_bytes()).unwrap_or(Val::Null),
        NodeValue::Text(text) => Val::from(text.disclose().clone()),
        NodeValue::List(items) => items.iter().map(value).collect(),
        NodeValue::Map(entries) => {
            let entries = entries.iter().map(|(key, node)| (Val::from(key.name.disclose().clone()), value(node)));
            Val::obj(entries.collect())
        }
    }
}

/// None where the value is nothing that JSON has.
fn node(found: &Val, at: usize, depth: usize) -> Option<Node> {
    let depth = depth.checked_sub(1)?;
    let value = match found {
        Val::Null => NodeValue::Null,
        Val::Bool(value) => NodeValue::Bool(*value),
        Val::Num(number) => NodeValue::Number(Personal::new(number.to_string())),
        Val::TStr(text) => NodeValue::Text(Personal::new(String::from_utf8(text.to_vec()).ok()?)),
        Val::BStr(_) => return None,
        Val::Arr(items) => NodeValue::List(items.iter().map(|item| node(item, at, depth)).collect::<Option<_>>()?),
        Val::Obj(entries) => {
            let mut map = Vec::with_capacity(entries.len());
            for (key, value) in entries.iter() {
                let Val::TStr(name) = key else { return None };
                let name = String::from_utf8(name.to_vec()).ok()?;
                map.push((crate::model::node::Key { at, name: Personal::new(name) }, node(value, at, depth)?));
            }
            NodeValue::Map(map)
        }
    };
    Some(Node { at, value })
}
