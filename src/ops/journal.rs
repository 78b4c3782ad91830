//! A line of the journal for a person at a terminal.

use crate::fault::Code;
use crate::model::episode::ClockKind;
use crate::model::state::State;
use crate::model::time::stockholm;
use crate::oplog::Event;
use jiff::Timestamp;
use serde_json::Value;
use std::fmt::Write as _;

/// Time in Swedish time, what happened, to what, with the code in words.
pub fn line_text(json: &str, swedish: bool) -> String {
    let line: Value = serde_json::from_str(json).unwrap_or(Value::Null);
    let field = |name: &str| line.get(name).and_then(Value::as_str);
    let at = field("ts")
        .and_then(|ts| ts.parse::<Timestamp>().ok())
        .map_or_else(|| "?".to_owned(), |at| at.to_zoned(stockholm()).strftime("%Y-%m-%d %H:%M:%S").to_string());
    let pick = |(sv, en): (&'static str, &'static str)| if swedish { sv } else { en };
    let event = field("event").and_then(Event::parse).map_or("?", |event| pick(event.texts()));
    let mut out = format!("{at}  {event}");
    for (name, shown) in [("message_id", 8), ("destination", 40), ("event_ref", 8)] {
        if let Some(value) = field(name) {
            out.push_str("  ");
            out.push_str(value.get(..shown).unwrap_or(value));
        }
    }
    if let Some(state) = field("state").and_then(State::parse) {
        out.push_str("  ");
        out.push_str(state.code());
    }
    if let Some(attempt) = line.get("attempt").and_then(Value::as_u64) {
        let _ = write!(out, "  #{attempt}");
    }
    // A due time is told by what is due, not by the code that all of them share.
    if let Some(kind) =
        field("reason").and_then(ClockKind::parse).filter(|_| field("event").is_some_and(|event| event.starts_with("deadline.")))
    {
        let _ = write!(out, "  {} {}", kind.code(), pick(kind.texts()));
        return out;
    }
    if let Some(code) = field("code") {
        let title = Code::parse(code).map_or("", |code| if swedish { code.entry().sv } else { code.entry().en });
        // What has ended is named, not told again as if it were so.
        let ended = field("event") == Some(Event::AlarmClosed.code());
        let _ = if ended { write!(out, "  {code}") } else { write!(out, "  {code} {title}") };
    }
    if let Some(reason) = field("reason") {
        let _ = write!(out, " ({reason})");
    }
    out
}
