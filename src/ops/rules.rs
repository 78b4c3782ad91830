//! Sets of rules for people: which there are, what one says, how two differ.

use crate::check::rules::{Rule, Rules, Texts, applies_to, condition, owners, parameters, seen, stage};
use crate::model::checklist::Item;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// So much of a hash tells sets apart on a screen.
const HASH_SHOWN: usize = 12;

pub(super) fn pick(texts: &Texts, swedish: bool) -> &str {
    if swedish { &texts.sv } else { &texts.en }
}

/// When an item is required, without the Markdown of the reference page.
fn required(item: &Item, swedish: bool) -> String {
    let words = if swedish { ["alltid", "och", "eller"] } else { ["always", "and", "or"] };
    condition(&item.when, words).replace('`', "")
}

/// One line a set; a star marks the one in use.
pub fn rules_list<'a>(sets: impl Iterator<Item = &'a Rules>, in_use: Option<&str>, swedish: bool) -> String {
    let (rules, items) = if swedish { ("regler", "punkter") } else { ("rules", "items") };
    let mut out = String::new();
    for set in sets {
        let mark = if in_use == Some(set.name.as_str()) { '*' } else { ' ' };
        let _ = writeln!(
            out,
            "{mark} {:<20} {}  {rules}: {:>2}  {items}: {:>2}  {}",
            set.name,
            set.hash.get(..HASH_SHOWN).unwrap_or(&set.hash),
            set.rules().len(),
            set.regime.checklist.items.len(),
            pick(&set.title, swedish),
        );
    }
    if let Some(name) = in_use {
        let _ = writeln!(out, "* {} {name}", if swedish { "används:" } else { "in use:" });
    }
    out
}

/// A whole set in one language.
pub fn rules_show(set: &Rules, swedish: bool) -> String {
    let word = |sv: &'static str, en: &'static str| if swedish { sv } else { en };
    let mut out = format!(
        "{}: {}\n{}: {}\nSHA-256: {}\n\n{}\n",
        set.name,
        pick(&set.title, swedish),
        word("Källa", "Source"),
        set.source,
        set.hash,
        word("Parametrar", "Parameters"),
    );
    for one in parameters(&set.regime.parameters) {
        let _ = writeln!(out, "  {:<24} {:<18} {}", one.name, one.value, if swedish { one.sv } else { one.en });
    }
    if !set.regime.amounts.is_empty() {
        let _ = writeln!(out, "\n{}", word("Belopp, kr per dygn", "Amounts, SEK a day"));
    }
    for amount in &set.regime.amounts {
        let _ = writeln!(out, "  {} {:>6}  {}", amount.from, amount.sek, amount.source);
    }
    let _ = writeln!(out, "\n{}", word("Regler", "Rules"));
    for rule in set.rules() {
        let text = pick(&rule.text, swedish).replace("{items}", "…").replace("{types}", "…");
        let _ = writeln!(out, "  {:<7} {:<10} {}\n          {text}", rule.id.as_str(), rule.effect.code(), applies_to(rule, swedish));
    }
    if !set.regime.checklist.items.is_empty() {
        let _ = writeln!(out, "\n{}", word("Checklista", "Checklist"));
    }
    for item in &set.regime.checklist.items {
        let closes = if item.seen.is_empty() { String::new() } else { format!("; {} {}", word("sedd med", "seen by"), seen(item)) };
        let _ = writeln!(
            out,
            "  {}  {:<6} {}  {}\n          {}{closes}",
            item.code.as_str(),
            owners(item),
            stage(item),
            if swedish { &item.sv } else { &item.en },
            required(item, swedish),
        );
    }
    out
}

/// A whole set in one language, as JSON.
pub fn rules_json(set: &Rules, swedish: bool) -> String {
    let parameters: Vec<Value> = parameters(&set.regime.parameters)
        .into_iter()
        .map(|one| json!({"name": one.name, "value": one.value, "text": if swedish { one.sv } else { one.en }}))
        .collect();
    let amounts: Vec<Value> = set
        .regime
        .amounts
        .iter()
        .map(|amount| json!({"from": amount.from.to_string(), "sek": amount.sek, "source": amount.source}))
        .collect();
    let rule = |rule: &Rule| {
        json!({
            "id": rule.id.as_str(), "predicate": rule.predicate, "effect": rule.effect, "on": rule.on,
            "text": pick(&rule.text, swedish), "remedy": pick(&rule.remedy, swedish), "what": pick(&rule.page.what, swedish),
            "why": pick(&rule.page.why, swedish), "source": pick(&rule.page.source, swedish), "example": pick(&rule.page.example, swedish),
        })
    };
    let item = |item: &Item| {
        json!({
            "code": item.code.as_str(), "owners": item.owners, "stage": stage(item), "when": required(item, swedish),
            "seen": item.seen, "text": if swedish { &item.sv } else { &item.en }, "source": item.source,
        })
    };
    let (rules, items): (Vec<Value>, Vec<Value>) =
        (set.rules().iter().map(rule).collect(), set.regime.checklist.items.iter().map(item).collect());
    format!(
        "{:#}\n",
        json!({
            "name": set.name, "title": pick(&set.title, swedish), "source": set.source, "hash": set.hash,
            "parameters": parameters, "amounts": amounts, "rules": rules, "items": items,
        })
    )
}

/// Keys as the file writes them, and their values.
type Facts = BTreeMap<String, String>;

/// What two sets do not have in common; `None` where they say the same. Name, version and comments do not count.
pub fn rules_diff(from: &Rules, to: &Rules, swedish: bool) -> Option<String> {
    let (old, new) = (things(from, swedish), things(to, swedish));
    let (mut added, mut removed, mut changed) = (0, 0, 0);
    let mut out = format!("{} → {}\n", from.name, to.name);
    let mut names: Vec<&String> = old.iter().map(|(name, _)| name).collect();
    names.extend(new.iter().map(|(name, _)| name).filter(|name| facts(&old, name).is_none()));
    for name in names {
        match (facts(&old, name), facts(&new, name)) {
            (Some(old), Some(new)) if old != new => {
                changed += 1;
                let _ = writeln!(out, "\n~ {name}");
                changes(old, new, &mut out);
            }
            (Some(old), None) => {
                removed += 1;
                let _ = writeln!(out, "\n- {name}{}", title(old, swedish));
            }
            (None, Some(new)) => {
                added += 1;
                let _ = writeln!(out, "\n+ {name}{}", title(new, swedish));
            }
            _ => {}
        }
    }
    let counts = if swedish {
        format!("Tillagt: {added}. Borttaget: {removed}. Ändrat: {changed}.")
    } else {
        format!("Added: {added}. Removed: {removed}. Changed: {changed}.")
    };
    let _ = writeln!(out, "\n{counts}");
    (added + removed + changed > 0).then_some(out)
}

fn facts<'a>(things: &'a [(String, Facts)], wanted: &str) -> Option<&'a Facts> {
    things.iter().find(|(name, _)| name == wanted).map(|(_, facts)| facts)
}

/// What an added or removed thing says.
fn title(facts: &Facts, swedish: bool) -> String {
    let text = facts.get(if swedish { "sv" } else { "en" }).or_else(|| facts.get("sek"));
    text.map_or_else(String::new, |text| format!(": {text}"))
}

fn changes(old: &Facts, new: &Facts, out: &mut String) {
    for (key, value) in old {
        if new.get(key) != Some(value) {
            let _ = writeln!(out, "    {key}\n      - {value}");
            if let Some(value) = new.get(key) {
                let _ = writeln!(out, "      + {value}");
            }
        }
    }
    for (key, value) in new.iter().filter(|(key, _)| !old.contains_key(*key)) {
        let _ = writeln!(out, "    {key}\n      + {value}");
    }
}

/// Everything that a set says, in the order of the file; texts in both languages, for either may have changed.
fn things(set: &Rules, swedish: bool) -> Vec<(String, Facts)> {
    let name = |sv: &str, en: &str, id: &str| format!("{} {id}", if swedish { sv } else { en });
    let mut head = Facts::from([("source".to_owned(), set.source.clone())]);
    both(&mut head, "title.", &set.title);
    let mut out = vec![(if swedish { "regelverket" } else { "the set" }.to_owned(), head)];
    let values = parameters(&set.regime.parameters);
    out.extend(values.into_iter().map(|one| (name("parameter", "parameter", one.name), Facts::from([("value".to_owned(), one.value)]))));
    out.extend(set.regime.amounts.iter().map(|amount| {
        let facts = Facts::from([("sek".to_owned(), amount.sek.to_string()), ("source".to_owned(), amount.source.clone())]);
        (name("belopp", "amount", &amount.from.to_string()), facts)
    }));
    out.extend(set.rules().iter().map(|rule| (name("regel", "rule", rule.id.as_str()), rule_facts(rule, swedish))));
    let items = &set.regime.checklist.items;
    out.extend(items.iter().map(|item| (name("punkt", "item", item.code.as_str()), item_facts(item, swedish))));
    out
}

fn both(facts: &mut Facts, key: &str, texts: &Texts) {
    for (language, text) in [("sv", &texts.sv), ("en", &texts.en)] {
        facts.insert(format!("{key}{language}"), text.trim().to_owned());
    }
}

fn rule_facts(rule: &Rule, swedish: bool) -> Facts {
    let mut out = Facts::from([
        ("predicate".to_owned(), rule.predicate.code().to_owned()),
        ("effect".to_owned(), rule.effect.code().to_owned()),
        ("on".to_owned(), applies_to(rule, swedish)),
    ]);
    both(&mut out, "", &rule.text);
    both(&mut out, "do_", &rule.remedy);
    both(&mut out, "page.what.", &rule.page.what);
    both(&mut out, "page.why.", &rule.page.why);
    both(&mut out, "page.source.", &rule.page.source);
    both(&mut out, "page.example.", &rule.page.example);
    out
}

fn item_facts(item: &Item, swedish: bool) -> Facts {
    let facts = [
        ("owners", owners(item)),
        ("stage", stage(item).to_owned()),
        ("when", required(item, swedish)),
        ("seen", seen(item)),
        ("sv", item.sv.clone()),
        ("en", item.en.clone()),
        ("source", item.source.clone()),
    ];
    facts.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
