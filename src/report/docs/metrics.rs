//! `docs/metrics.md`.

use super::cell;
use crate::metrics::LIST;
use std::fmt::Write as _;

/// The reference of figures, in Markdown: what stands by itself, and then the list.
pub fn metrics() -> String {
    let mut out = include_str!("metrics.head.md").to_owned();
    out.push_str("| Figure · Mätvärde | Kind · Slag | Labels · Etiketter | Meaning · Betydelse |\n|---|---|---|---|\n");
    for entry in LIST {
        let labels: Vec<String> = entry.labels.iter().map(|label| format!("`{label}`")).collect();
        let labels = if labels.is_empty() { "–".to_owned() } else { labels.join(", ") };
        let _ = writeln!(out, "| `{}` | {} | {labels} | {}<br>*{}* |", entry.shown(), entry.kind.word(), cell(entry.en), cell(entry.sv));
    }
    out
}
