//! Reads a file of rules and points at everything that is wrong with it.
//!
//! Walks the document itself instead of deriving: a derived reader stops at its first fault.

use super::{Page, Predicate, Reach, Rule, RuleFault, RuleId, Rules, Texts, blocks};
use crate::datafile::{self, Reading, Table, Word, codes};
use crate::model::bodies::{ItemCode, Party};
use crate::model::catalogue::EventType;
use crate::model::checklist::{Checklist, Condition, Item, Stage, Term};
use crate::model::event::Circumstances;
use crate::model::finding::Effect;
use crate::model::regime::{Amount, ClBlock, NUMBERS, Parameters, Regime, SipScope};
use crate::model::shape::Shape;
use crate::model::time::parse_day;
use aws_lc_rs::digest;
use std::fmt::Write as _;

pub(super) fn rules(text: &str) -> Result<Rules, Vec<RuleFault>> {
    datafile::read(text, |root, r| set(root, text, r))
}

fn set(root: &Table, text: &str, r: &mut Reading) -> Option<Rules> {
    r.keys(root, &["name", "version", "title", "source", "parameters", "amount", "rule", "item"]);
    let name = r.name(root, "name", |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let version = r.name(root, "version", |b| b.is_ascii_digit() || b == b'.');
    let title = texts(root, "title", r);
    let source = r.text(root, "source", &[]);
    let parameters = r.table(root, "parameters").and_then(|table| parameters(&table, r));
    let rules = all(root, "rule", r, rule, |rule| rule.id.as_str());
    // The law knows no checklist, and a set may leave the amounts out.
    let items = if root.has("item") { all(root, "item", r, item, |item| item.code.as_str()) } else { Some(Vec::new()) };
    let amounts = if root.has("amount") { amounts(root, r) } else { Some(Vec::new()) };
    let rules = rules?;
    Some(Rules {
        name: format!("{}/{}", name?, version?),
        hash: hash(text),
        title: title?,
        source: source?,
        regime: Regime {
            checklist: Checklist { items: items? },
            parameters: parameters?,
            rules: rules.iter().map(|rule| rule.id.as_str()).collect(),
            amounts: amounts?,
        },
        list: rules,
    })
}

fn hash(text: &str) -> String {
    digest::digest(&digest::SHA256, text.as_bytes()).as_ref().iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// Every table of a list, with no id twice.
fn all<T>(
    root: &Table,
    key: &'static str,
    r: &mut Reading,
    read: fn(&Table, &mut Reading) -> Option<(usize, T)>,
    id: fn(&T) -> &str,
) -> Option<Vec<T>> {
    let tables = r.tables(root, key)?;
    let mut out: Vec<T> = Vec::with_capacity(tables.len());
    for table in &tables {
        let Some((at, one)) = read(table, r) else { continue };
        if out.iter().any(|earlier| id(earlier) == id(&one)) {
            r.fault::<()>(at, &format!("”{}” står två gånger", id(&one)), &format!("“{}” stands twice", id(&one)));
        }
        out.push(one);
    }
    Some(out)
}

fn texts(table: &Table, key: &'static str, r: &mut Reading) -> Option<Texts> {
    let table = r.table(table, key)?;
    r.keys(&table, &["sv", "en"]);
    let (sv, en) = (r.text(&table, "sv", &[]), r.text(&table, "en", &[]));
    Some(Texts { sv: sv?, en: en? })
}

fn parameters(table: &Table, r: &mut Reading) -> Option<Parameters> {
    let choices = ["cl_block", "sip_scope", "ask_incomplete", "count_day_zero", "acknowledge"];
    let known: Vec<&str> = choices.into_iter().chain(NUMBERS.iter().map(|number| number.name)).collect();
    r.keys(table, &known);
    let mut out = Parameters::default();
    let cl_block = r.one(table, "cl_block", ClBlock::parse, &codes(ClBlock::VALUES));
    let sip_scope = r.one(table, "sip_scope", SipScope::parse, &codes(SipScope::VALUES));
    let (ask_incomplete, count_day_zero) = (r.choice(table, "ask_incomplete"), r.choice(table, "count_day_zero"));
    let acknowledge = r.any_words(table, "acknowledge").map(|words| r.codes(&words, EventType::parse, &codes(EventType::VALUES)));
    for (at, _) in acknowledge.iter().flatten().filter(|(_, kind)| kind.is_sent()) {
        r.fault::<()>(*at, "Bara det som kommer från regionen kvitteras", "Only what comes from the region is acknowledged");
    }
    let mut complete = true;
    for number in NUMBERS {
        match r.number(table, number.name, number.min, number.max) {
            Some(value) => (number.set)(&mut out, value),
            None => complete = false,
        }
    }
    out.cl_block = cl_block?.1;
    out.sip_scope = sip_scope?.1;
    out.ask_incomplete = ask_incomplete?;
    out.count_day_zero = count_day_zero?;
    out.acknowledge = acknowledge?.into_iter().map(|(_, kind)| kind).collect();
    complete.then_some(out)
}

/// What a day costs, from which day on; the days must follow each other.
fn amounts(root: &Table, r: &mut Reading) -> Option<Vec<Amount>> {
    let tables = r.tables(root, "amount")?;
    let mut out: Vec<Amount> = Vec::with_capacity(tables.len());
    for table in &tables {
        r.keys(table, &["from", "sek", "source"]);
        let from = r.one(table, "from", parse_day, "2026-01-01");
        let (sek, source) = (r.number(table, "sek", 1, 1_000_000), r.text(table, "source", &[]));
        let (Some((at, from)), Some(sek), Some(source)) = (from, sek, source) else { continue };
        if out.last().is_some_and(|earlier| earlier.from >= from) {
            r.fault::<()>(at, "Beloppen ska stå i dagarnas ordning", "Amounts must stand in the order of their days");
        }
        out.push(Amount { from, sek, source });
    }
    Some(out)
}

fn rule(table: &Table, r: &mut Reading) -> Option<(usize, Rule)> {
    r.keys(table, &["id", "predicate", "effect", "on", "sv", "en", "do_sv", "do_en", "page"]);
    let id = r.one(table, "id", RuleId::parse, &RuleId::KNOWN.join(", "));
    let predicate = r.one(table, "predicate", Predicate::parse, &codes(Predicate::VALUES));
    let effect = r.one(table, "effect", Effect::parse, &codes(Effect::VALUES));
    let on = if table.has("on") {
        r.words(table, "on").map(|words| Some(r.codes(&words, EventType::parse, &codes(EventType::VALUES))))
    } else {
        Some(None)
    };
    // What nothing would fill in must not be shown as it stands.
    let fills: &[&str] = match predicate {
        Some((_, Predicate::ChecklistComplete | Predicate::RegionItems)) => &["{items}"],
        Some((_, Predicate::Preconditions)) => &["{types}"],
        Some(_) => &[],
        None => &["{items}", "{types}"],
    };
    let (sv, en) = (r.text(table, "sv", fills), r.text(table, "en", fills));
    let (do_sv, do_en) = (r.text(table, "do_sv", &[]), r.text(table, "do_en", &[]));
    let page = r.table(table, "page").and_then(|table| explanation(&table, r));
    if let (Some((_, predicate)), Some(kinds)) = (predicate, &on) {
        within_reach(predicate, kinds.as_deref(), table, r);
    }
    if let (Some((_, effect)), Some(Some(kinds))) = (&effect, &on)
        && blocks(*effect)
    {
        for (at, _) in kinds.iter().filter(|(_, kind)| !kind.is_sent()) {
            r.fault::<()>(*at, "Det som kommer från regionen stoppas aldrig", "What comes from the region is never blocked");
        }
    }
    let (at, id) = id?;
    let rule = Rule {
        id,
        predicate: predicate?.1,
        effect: effect?.1,
        on: on?.map(|kinds| kinds.into_iter().map(|(_, kind)| kind).collect()),
        text: Texts { sv: sv?, en: en? },
        remedy: Texts { sv: do_sv?, en: do_en? },
        page: page?,
    };
    Some((at, rule))
}

/// A predicate that never sees what it looks for would pass everything, and nobody would notice.
fn within_reach(predicate: Predicate, on: Option<&[(usize, EventType)]>, table: &Table, r: &mut Reading) {
    let name = predicate.code();
    let reach = predicate.reach();
    let Some(kinds) = on else {
        if matches!(reach, Reach::Named(_) | Reach::NamedMessages) {
            r.fault::<()>(
                table.at,
                &format!("”on” saknas: ”{name}” är inte för alla meddelanden"),
                &format!("“on” is missing: “{name}” is not for every message"),
            );
        }
        return;
    };
    for (at, kind) in kinds {
        let (sv, en) = match reach {
            Reach::Named(known) if !known.contains(kind) => {
                let known: Vec<_> = known.iter().map(|kind| kind.code()).collect();
                (format!("; välj bland {}", known.join(", ")), format!("; choose among {}", known.join(", ")))
            }
            Reach::Messages | Reach::NamedMessages if !kind.is_sent() => {
                (", bara kommunens meddelanden".to_owned(), ", only messages of the municipality's".to_owned())
            }
            _ => continue,
        };
        let kind = kind.code();
        r.fault::<()>(*at, &format!("”{name}” kan inte pröva {kind}{sv}"), &format!("“{name}” cannot look at {kind}{en}"));
    }
}

fn explanation(table: &Table, r: &mut Reading) -> Option<Page> {
    r.keys(table, &["what", "why", "source", "example"]);
    let (what, why) = (texts(table, "what", r), texts(table, "why", r));
    let (source, example) = (texts(table, "source", r), texts(table, "example", r));
    Some(Page { what: what?, why: why?, source: source?, example: example? })
}

fn item(table: &Table, r: &mut Reading) -> Option<(usize, Item)> {
    r.keys(table, &["code", "owners", "stage", "when", "seen", "sv", "en", "source"]);
    let code = r.one(table, "code", ItemCode::parse, "CL01 … CL99");
    let owners = r.words(table, "owners").map(|words| r.codes(&words, Party::parse, &codes(Party::VALUES)));
    let stage = r.one(table, "stage", stage, "P, U, E");
    let when = if table.has("when") { r.table(table, "when").and_then(|table| condition(&table, r)) } else { Some(Condition::Always) };
    let seen = if table.has("seen") {
        r.words(table, "seen").map(|words| r.codes(&words, EventType::parse, &codes(EventType::VALUES)))
    } else {
        Some(Vec::new())
    };
    for (at, _) in seen.iter().flatten().filter(|(_, kind)| kind.is_sent()) {
        r.fault::<()>(
            *at,
            "Bara det som kommer från regionen gör klart regionens del",
            "Only what comes from the region closes the region's share",
        );
    }
    let (sv, en, source) = (r.text(table, "sv", &[]), r.text(table, "en", &[]), r.text(table, "source", &[]));
    let (at, code) = code?;
    let item = Item {
        code,
        sv: sv?,
        en: en?,
        owners: owners?.into_iter().map(|(_, owner)| owner).collect(),
        stage: stage?.1,
        when: when?,
        seen: seen?.into_iter().map(|(_, kind)| kind).collect(),
        source: source?,
    };
    Some((at, item))
}

fn stage(text: &str) -> Option<Stage> {
    match text {
        "P" => Some(Stage::BeforeTakeHome),
        "U" => Some(Stage::BeforeDischarge),
        "E" => Some(Stage::After),
        _ => None,
    }
}

fn condition(table: &Table, r: &mut Reading) -> Option<Condition> {
    r.keys(table, &["all", "any"]);
    if table.has("all") == table.has("any") {
        return r.fault(table.at, "Skriv antingen all eller any", "Write either all or any");
    }
    let all = table.has("all");
    let words = r.words(table, if all { "all" } else { "any" })?;
    let read: Vec<_> = words.iter().map(|word| term(word, r)).collect();
    let terms = read.into_iter().collect::<Option<Vec<_>>>()?;
    Some(if all { Condition::All(terms) } else { Condition::Any(terms) })
}

/// `name`, `!name`, `name=code` or `name!=code`, over the circumstances that an event can carry.
fn term(word: &Word, r: &mut Reading) -> Option<Term> {
    let (name, equals, value) = match word.text.split_once('=') {
        Some((name, value)) => match name.strip_suffix('!') {
            Some(name) => (name, false, Some(value)),
            None => (name, true, Some(value)),
        },
        None => match word.text.strip_prefix('!') {
            Some(name) => (name, false, None),
            None => (word.text, true, None),
        },
    };
    let Some(field) = Circumstances::FIELDS.iter().find(|field| field.name == name) else {
        let known: Vec<_> = Circumstances::FIELDS.iter().map(|field| field.name).collect();
        return r.unknown(word.at, name, &known.join(", "));
    };
    let value = match (field.shape, value) {
        (Shape::Code(values), Some(value)) if values.iter().any(|known| known.code == value) => value,
        (Shape::Code(values), Some(value)) => return r.unknown(word.at, value, &codes(values)),
        (Shape::Code(_), None) => {
            return r.fault(word.at, &format!("”{name}” behöver ett värde: {name}=…"), &format!("“{name}” needs a value: {name}=…"));
        }
        (_, None) => "true",
        (_, Some(_)) => {
            return r.fault(
                word.at,
                &format!("”{name}” är ja eller nej: {name} eller !{name}"),
                &format!("“{name}” is yes or no: {name} or !{name}"),
            );
        }
    };
    Some(Term { name: name.to_owned(), equals, value: value.to_owned() })
}
