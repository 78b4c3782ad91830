//! Retention by hand, and legal holds: what is told before and after.

use super::cases::minute;
use super::plan::token;
use crate::oplog::{Event, Level, Line, Reason};
use crate::store::{Before, Due, Hold, PurgeKind, Subject};
use jiff::Timestamp;
use serde_json::json;
use std::fmt::Write as _;

/// What would go.
#[derive(Debug)]
pub struct PurgePlan {
    pub before: Before,
    pub due: Vec<Due>,
    /// Those that stand.
    pub holds: Vec<Hold>,
}

impl PurgePlan {
    /// Changes with what goes, with the hour, and with every hold.
    pub fn token(&self) -> String {
        let due: Vec<_> = self.due.iter().map(|due| json!([due.kind.code(), due.count])).collect();
        let holds: Vec<i64> = self.holds.iter().map(|hold| hold.id).collect();
        token(&json!([self.before.accepted.to_string(), self.before.ended.to_string(), due, holds]))
    }

    pub fn text(&self, swedish: bool) -> String {
        let word = |sv: &'static str, en: &'static str| if swedish { sv } else { en };
        let mut out = format!("{}:\n", word("Att gallra nu", "To be purged now"));
        for Due { kind, count, oldest } in self.due.iter().filter(|due| due.count > 0) {
            let (sv, en) = kind.texts();
            let oldest = oldest.map_or_else(String::new, |at| format!(" ({} {})", word("äldst", "the oldest"), minute(at)));
            let _ = writeln!(out, "  {}: {count}{oldest}", word(sv, en));
        }
        if self.due.iter().all(|due| due.count == 0) {
            let _ = writeln!(out, "  {}", word("ingenting i databasen", "nothing in the database"));
        }
        let _ = writeln!(out, "{}", word("Gamla filer i källornas mappar gallras också.", "Old files in the sources' folders go as well."));
        let sv = "Det som är olevererat, väntar eller hör till ett pågående ärende rörs inte.";
        let _ = writeln!(out, "{}", word(sv, "What is undelivered, waits or belongs to an episode that runs is not touched."));
        if !self.holds.is_empty() {
            let _ = writeln!(out, "{}: {}", word("Gallringsstopp som gäller", "Legal holds that stand"), self.holds.len());
        }
        let _ = writeln!(out, "{}: --confirm {}", word("Inget är gjort. Gallra med", "Nothing is done. Purge with"), self.token());
        out
    }
}

/// What a run came to.
pub fn purged_text(lines: &[Line], swedish: bool) -> String {
    let mut out = format!("{}:\n", if swedish { "Gallrat" } else { "Purged" });
    let counted =
        lines.iter().filter_map(|line| if let Some(Reason::Counted(kind, count)) = line.reason { Some((kind, count)) } else { None });
    for (kind, count) in counted.clone() {
        let (sv, en) = PurgeKind::parse(kind).map_or((kind, kind), PurgeKind::texts);
        let _ = writeln!(out, "  {}: {count}", if swedish { sv } else { en });
    }
    if counted.count() == 0 {
        let _ = writeln!(out, "  {}", if swedish { "ingenting" } else { "nothing" });
    }
    out
}

/// What the journal says of a hold.
pub fn hold_line(at: Timestamp, event: Event, subject: Option<&Subject>) -> Line {
    let mut line = Line::new(at, Level::Info, event);
    match subject {
        Some(Subject::Episode(id)) => line.episode_id = Some(*id),
        Some(Subject::Patient(patient)) => line.patient_ref = Some(patient.clone()),
        Some(Subject::Everything) | None => {}
    }
    line
}

/// A line a hold. With reasons only where they are asked for: a person wrote them.
#[expect(clippy::disallowed_methods, reason = "the reason is shown to whoever asks for the list of holds, as it was meant to be")]
pub fn holds_text(holds: &[Hold], swedish: bool) -> String {
    let word = |sv: &'static str, en: &'static str| if swedish { sv } else { en };
    if holds.is_empty() {
        return format!("{}\n", word("Inget gallringsstopp gäller.", "No legal hold stands."));
    }
    let mut out = String::new();
    for hold in holds {
        let of = match &hold.subject {
            Subject::Everything => word("allt", "everything").to_owned(),
            Subject::Episode(id) => format!("{} {id}", word("ärende", "episode")),
            Subject::Patient(patient) => format!("{} {patient}", word("patient", "patient")),
        };
        let _ = writeln!(out, "{:>4}  {}  {of}  {} {}: {}", hold.id, minute(hold.at), word("av", "by"), hold.by, hold.reason.disclose());
        if let Some((at, by)) = &hold.lifted {
            let _ = writeln!(out, "      {} {}  {} {by}", word("hävt", "lifted"), minute(*at), word("av", "by"));
        }
    }
    out
}
