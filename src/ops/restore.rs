//! Backups and restores: what is told before and after. What is done stands in `store/backup.rs` and `store/doubt.rs`.

use super::plan::token;
use crate::model::receipt::ContentHash;
use crate::model::time::stockholm;
use crate::oplog::{Event, Level, Line};
use crate::store::{Contents, Exported, Present, PutBack, Restored, Who};
use jiff::{Timestamp, ToSpan as _};
use serde_json::json;
use std::fmt::Write as _;
use std::path::Path;

/// Clocks of sources go ahead by this much at most: what they say happened later than this after a restore did.
const AHEAD_MIN: i64 = 10;

/// A restore at this moment.
pub fn restored(now: Timestamp, backup_at: Option<Timestamp>, who: Who) -> Restored {
    let line = Line::new(now, Level::Warn, Event::StoreRestored);
    Restored { at: now, backup_at, doubt_until: now + AHEAD_MIN.minutes(), line, who }
}

/// The name of a backup for which a folder was named.
pub fn backup_name(now: Timestamp) -> String {
    format!("vardbro-{}.db", now.strftime("%Y%m%dT%H%M%SZ"))
}

pub fn backup_text(to: &Path, contents: &Contents, swedish: bool) -> String {
    let Contents { events, deliveries, accepted, size, .. } = contents;
    let (to, sha256) = (to.display(), hex(&contents.sha256));
    if swedish {
        format!("{to}: {size} byte, {events} händelser, {deliveries} leveranser varav {accepted} mottagna, SHA-256 {sha256}\n")
    } else {
        format!("{to}: {size} bytes, {events} events, {deliveries} deliveries of which {accepted} accepted, SHA-256 {sha256}\n")
    }
}

/// What a restore would do, before it does it.
#[derive(Debug)]
pub struct RestorePlan<'a> {
    pub file: &'a Path,
    pub backup: &'a Contents,
    /// None where there is no store, or none that can be read.
    pub present: Option<Present>,
}

impl RestorePlan<'_> {
    /// Changes with the backup and with what would be left behind.
    pub fn token(&self) -> String {
        let present = self.present.as_ref().map(|present| [present.events, present.accepted]);
        token(&json!([hex(&self.backup.sha256), present]))
    }

    pub fn text(&self, now: Timestamp, swedish: bool) -> String {
        let word = |sv: &'static str, en: &'static str| if swedish { sv } else { en };
        let mut out = backup_text(self.file, self.backup, swedish);
        let made = self.backup.made_at.map_or_else(
            || {
                let newest = self.backup.newest.map_or_else(|| "–".to_owned(), second);
                format!("{} {newest}", word("okänt när; den nyaste händelsen i den är från", "unknown when; the newest event in it is of"))
            },
            |at| format!("{} ({})", second(at), age(now, at, swedish)),
        );
        let _ = writeln!(out, "{}: {made}", word("Gjord", "Made"));
        match &self.present {
            None => {
                let _ = writeln!(
                    out,
                    "{}",
                    word("Den nuvarande databasen saknas eller kan inte läsas.", "The present store is missing or cannot be read.")
                );
            }
            Some(present) => {
                let (events, accepted) = (present.newer_events, present.newer_accepted);
                let _ = writeln!(
                    out,
                    "{}",
                    if swedish {
                        format!("Den nuvarande databasen har {events} händelser och {accepted} mottagna leveranser som är nyare; de glöms.")
                    } else {
                        format!(
                            "The present store has {events} events and {accepted} accepted deliveries that are newer; they are forgotten."
                        )
                    }
                );
                if !present.same {
                    let sv = "Säkerhetskopian är av en annan databas än den nuvarande!";
                    let _ = writeln!(out, "{}", word(sv, "The backup is of another store than the present one!"));
                }
            }
        }
        let sv = "Den nuvarande databasen byter namn och ligger kvar bredvid.";
        let _ = writeln!(out, "{}", word(sv, "The present store is renamed and stays beside it."));
        out.push_str(doubt(swedish));
        let _ = writeln!(out, "{}: --confirm {}", word("Gör det med", "To do it"), self.token());
        out
    }
}

/// What a mark on a store that was put back by other means would do.
#[derive(Debug)]
pub struct MarkPlan {
    pub place: String,
    pub events: u64,
    pub deliveries: u64,
}

impl MarkPlan {
    pub fn token(&self) -> String {
        token(&json!([self.place, self.events, self.deliveries]))
    }

    pub fn text(&self, swedish: bool) -> String {
        let Self { place, events, deliveries } = self;
        let mut out = if swedish {
            format!("{place}: {events} händelser, {deliveries} leveranser. Databasen märks som återställd nu.\n")
        } else {
            format!("{place}: {events} events, {deliveries} deliveries. The store is marked as restored now.\n")
        };
        out.push_str(doubt(swedish));
        let _ = writeln!(out, "{}: --confirm {}", if swedish { "Gör det med" } else { "To do it" }, self.token());
        out
    }
}

fn doubt(swedish: bool) -> &'static str {
    if swedish {
        "Det som saknar slut i den, och det som sedan kommer in av det som hänt före nu, kan redan ha kommit fram. Mottagaren tillfrågas\n\
         innan något av det sänds; där `lookup_url` saknas läggs det åt sidan (VB-STO-007). Det mottagaren har sänds aldrig igen.\n"
    } else {
        "What has no end in it, and what comes in later of what happened before now, may have arrived already. The receiver is asked before\n\
         any of it is sent; where there is no `lookup_url` it is set aside (VB-STO-007). What the receiver has is never sent again.\n"
    }
}

/// What was done, and what is left for a person to do.
pub fn restored_text(done: &PutBack, backup_at: Option<Timestamp>, swedish: bool) -> String {
    let doubts = done.doubts;
    let mut out = if swedish {
        format!("Återställd; {doubts} leveranser är ovissa.\n")
    } else {
        format!("Restored; {doubts} deliveries are in doubt.\n")
    };
    if let Some(kept) = &done.kept {
        let _ = writeln!(out, "{}: {}", if swedish { "Den förra databasen" } else { "The store that was there" }, kept.display());
    }
    let since = backup_at.map_or_else(|| "–".to_owned(), second);
    let _ = if swedish {
        writeln!(out, "→ Flytta källans filer i done/ som är nyare än kopian ({since}) tillbaka till mappen, och starta tjänsten.")
    } else {
        writeln!(
            out,
            "→ Move the source's files in done/ that are newer than the backup ({since}) back into the folder, and start the daemon."
        )
    };
    out
}

/// Said before anything is written.
pub fn export_warning(to: &Path, swedish: bool) -> String {
    let to = to.display();
    if swedish {
        format!("{to} kommer att innehålla PERSONUPPGIFTER: allt om varje patient. Förvara den som en journal.\n")
    } else {
        format!("{to} will hold PERSONAL DATA: everything about each patient. Keep it as you keep a medical record.\n")
    }
}

pub fn exported_text(exported: &Exported, swedish: bool) -> String {
    let Exported { events, episodes, deliveries, journal } = exported;
    if swedish {
        format!("{events} händelser, {episodes} ärenden, {deliveries} leveranser, {journal} journalrader skrivna.\n")
    } else {
        format!("{events} events, {episodes} episodes, {deliveries} deliveries, {journal} lines of the journal written.\n")
    }
}

fn age(now: Timestamp, at: Timestamp, swedish: bool) -> String {
    let minutes = now.duration_since(at).as_mins();
    let (hours, minutes) = (minutes / 60, minutes % 60);
    if swedish { format!("{hours} h {minutes} min sedan") } else { format!("{hours} h {minutes} min ago") }
}

fn second(at: Timestamp) -> String {
    at.to_zoned(stockholm()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn hex(hash: &ContentHash) -> String {
    hash.as_bytes().iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}
