//! What the store says of itself when it is looked through.

use super::cases::{Sets, see};
use crate::fault::Fault;
use crate::store::{Damage, Damaged, Looked, Store};
use jiff::Timestamp;
use serde_json::json;
use std::fmt::Write as _;

/// Looks at every row, and at what each episode's facts come to.
pub fn check_store(store: &Store, sets: &Sets, now: Timestamp) -> Result<Looked, Fault> {
    let mut looked = store.check()?;
    let known = |looked: &Looked, row: &str| looked.damaged.iter().any(|damaged| damaged.table == "episode" && damaged.row == row);
    // Where an id cannot be read, the store has told of it.
    for id in store.episode_ids().unwrap_or_default() {
        let row = id.to_string();
        if see(store, sets, id, now).is_err() && !known(&looked, &row) {
            looked.damaged.push(Damaged { table: "episode", row, damage: Damage::Unreadable });
        }
    }
    Ok(looked)
}

pub fn looked_text(looked: &Looked, swedish: bool) -> String {
    let mut out = String::new();
    for damaged in &looked.damaged {
        let (sv, en) = damaged.damage.texts();
        let _ = writeln!(out, "{} {}: {}", damaged.table, damaged.row, if swedish { sv } else { en });
    }
    let Looked { events, episodes, deliveries, damaged } = looked;
    let damaged = damaged.len();
    let _ = if swedish {
        writeln!(out, "{events} händelser, {episodes} ärenden, {deliveries} leveranser genomgångna; {damaged} skadade.")
    } else {
        writeln!(out, "{events} events, {episodes} episodes, {deliveries} deliveries looked at; {damaged} damaged.")
    };
    if damaged > 0 {
        out.push_str(if swedish {
            "→ Återställ från en säkerhetskopia, eller sänd de händelser igen som raderna hör till (`vardbro messages show`).\n"
        } else {
            "→ Restore from a backup, or send the events again that the rows belong to (`vardbro messages show`).\n"
        });
    }
    out
}

pub fn looked_json(looked: &Looked) -> String {
    let damaged: Vec<_> = looked
        .damaged
        .iter()
        .map(|damaged| {
            let (sv, en) = damaged.damage.texts();
            json!({"table": damaged.table, "row": damaged.row, "damage": damaged.damage.code(), "sv": sv, "en": en})
        })
        .collect();
    let told = json!({"events": looked.events, "episodes": looked.episodes, "deliveries": looked.deliveries, "damaged": damaged});
    format!("{told:#}\n")
}
