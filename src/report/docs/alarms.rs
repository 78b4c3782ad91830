//! `docs/alarms.md`.

use super::cell;
use crate::alarm::Kind;
use std::fmt::Write as _;

/// The reference of alarms, in Markdown: what stands by itself, and then the list.
pub fn alarms() -> String {
    let mut out = include_str!("alarms.head.md").to_owned();
    out.push_str("| Alarm · Larm | For each · För varje | Open while · Öppet medan | What to do · Att göra |\n|---|---|---|---|\n");
    for entry in Kind::ALL.iter().map(|kind| kind.entry()) {
        let (about_sv, about_en) = entry.about.texts();
        let code = entry.code.entry();
        let anchor = code.id.to_lowercase();
        let _ = writeln!(
            out,
            "| `{}`<br>[{}](codes.md#{anchor}) | {about_en}<br>*{about_sv}* | {}<br>*{}* | {}<br>*{}* |",
            entry.name,
            code.id,
            cell(entry.en),
            cell(entry.sv),
            cell(code.do_en),
            cell(code.do_sv),
        );
    }
    out
}
