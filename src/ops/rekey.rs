//! Keys of the store: what is told when one is made and when a store has been given another.

use crate::oplog::{Event, Level, Line};
use crate::store::Rekeyed;
use jiff::Timestamp;
use std::fmt::Write as _;
use std::path::Path;

/// What the journal says of it.
pub fn rekey_line(at: Timestamp) -> Line {
    Line::new(at, Level::Info, Event::StoreRekeyed)
}

pub fn new_key_text(file: &Path, swedish: bool) -> String {
    let file = file.display();
    if swedish {
        format!(
            "{file}: en ny nyckel. Ange den i [store] key_files. Förvara en kopia skild från databasen och dess säkerhetskopior:\n\
             utan nyckeln kan ingen läsa dem, med den kan alla.\n"
        )
    } else {
        format!(
            "{file}: a new key. Name it in [store] key_files. Keep a copy apart from the store and its backups: without the key\n\
             nobody can read them, with it everybody can.\n"
        )
    }
}

pub fn rekeyed_text(rekeyed: &Rekeyed, swedish: bool) -> String {
    let Rekeyed { resealed, damaged, was_plain, compacted } = rekeyed;
    let mut out = if swedish {
        format!("{resealed} värden krypterade med den första nyckeln; {damaged} går inte att öppna.\n")
    } else {
        format!("{resealed} values sealed with the first key; {damaged} do not open.\n")
    };
    let _ = writeln!(
        out,
        "{}",
        if swedish {
            "De andra nycklarna kan tas bort ur key_files, på varje replik; spara dem så länge det finns säkerhetskopior från deras tid."
        } else {
            "The other keys may be taken out of key_files, at every replica; keep them as long as there are backups of their time."
        }
    );
    if *was_plain && !compacted {
        let _ = writeln!(
            out,
            "{}",
            if swedish {
                "Databasens filer kan ännu ha spår av det som stod där okrypterat. SQLite: kör om med tjänsten stannad. PostgreSQL: VACUUM FULL, \
                 och säkerhetskopiornas och WAL-arkivets gallring."
            } else {
                "The database's files may still hold traces of what stood there unsealed. SQLite: run it again with the daemon stopped. \
                 PostgreSQL: VACUUM FULL, and the pruning of backups and of the WAL archive."
            }
        );
    }
    out
}
