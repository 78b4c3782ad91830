//! The chain: what binds a row of the audit log to the one before, and the log's two ends to the store's key.
//!
//! A row's code is HMAC-SHA-256 over the code of the row before and everything that the row says, opened: another key for
//! what is sealed changes none of them. The ends stand in `meta` under a code of their own, so that whoever has the database
//! and not the key can cut nothing off.

use super::super::StoreFault;
use super::super::db::{Db, values};
use crate::model::keyed::ChainKey;
use crate::model::personal::Personal;

pub(super) type Mac = [u8; 32];

/// Where the ends stand. Empty as long as nothing was logged.
const NAME: &str = "audit_chain";

/// Makes the place for the ends, once: who adds a row locks it.
pub(in crate::store) fn found(db: &dyn Db) -> Result<(), StoreFault> {
    db.execute("INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING", values![NAME, Vec::new()])?;
    Ok(())
}

/// What a row says.
pub(super) struct Link<'a> {
    pub(super) n: i64,
    pub(super) at: i64,
    pub(super) kind: &'a str,
    pub(super) message: Option<&'a str>,
    pub(super) destination: Option<&'a str>,
    pub(super) episode: Option<&'a str>,
    pub(super) patient: Option<&'a str>,
    pub(super) body: &'a Personal<Vec<u8>>,
}

impl Link<'_> {
    #[expect(clippy::disallowed_methods, reason = "goes into a keyed hash and nowhere else")]
    pub(super) fn mac(&self, key: &ChainKey, before: &Mac) -> Mac {
        // What is empty and what is not there are two things.
        let some = |text: Option<&str>| text.map_or_else(Vec::new, |text| [b"=", text.as_bytes()].concat());
        let [message, destination, episode, patient] = [self.message, self.destination, self.episode, self.patient].map(some);
        key.mac(&[
            b"row",
            before,
            &self.n.to_be_bytes(),
            &self.at.to_be_bytes(),
            self.kind.as_bytes(),
            &message,
            &destination,
            &episode,
            &patient,
            self.body.disclose(),
        ])
    }
}

/// A place in the chain: a row's number and its code. The zeroth is before the first row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct End {
    pub(super) n: i64,
    pub(super) mac: Mac,
}

impl End {
    fn bytes(self) -> [u8; 40] {
        let mut out = [0; 40];
        out[..8].copy_from_slice(&self.n.to_be_bytes());
        out[8..].copy_from_slice(&self.mac);
        out
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (n, mac) = bytes.split_first_chunk()?;
        Some(Self { n: i64::from_be_bytes(*n), mac: mac.try_into().ok()? })
    }
}

/// The chain from the last row that was removed to the last that was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Ends {
    pub(super) start: End,
    pub(super) head: End,
}

/// How the ends stand in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing has been logged.
    Unbegun,
    Sound(Ends),
    /// Not as the key's owner wrote it.
    Broken,
}

impl Ends {
    fn tag(&self, key: &ChainKey) -> Mac {
        key.mac(&[b"ends", &self.start.bytes(), &self.head.bytes()])
    }

    fn bytes(&self, key: &ChainKey) -> Vec<u8> {
        [&self.start.bytes()[..], &self.head.bytes(), &self.tag(key)].concat()
    }

    pub(super) fn read(db: &dyn Db) -> Result<Standing, StoreFault> {
        let row = db.one("SELECT value FROM meta WHERE name = ?1", values![NAME])?;
        row.map_or(Ok(Standing::Unbegun), |row| Ok(Self::of(&row.get::<Vec<u8>>(0)?, db.seals().chain()?)))
    }

    fn of(bytes: &[u8], key: &ChainKey) -> Standing {
        if bytes.is_empty() {
            return Standing::Unbegun;
        }
        let parts = bytes.split_at_checked(40).and_then(|(start, rest)| Some((start, rest.split_at_checked(40)?)));
        let ends = parts.and_then(|(start, (head, tag))| Some((Self { start: End::read(start)?, head: End::read(head)? }, tag)));
        match ends {
            Some((ends, tag)) if ends.tag(key) == tag => Standing::Sound(ends),
            _ => Standing::Broken,
        }
    }
}

/// The ends while this transaction has them to itself.
pub(super) struct Span {
    pub(super) ends: Ends,
    /// Highest number in the table. Rows that somebody else has put there are passed over, not run into.
    highest: i64,
}

impl Span {
    /// Where the ends are lost or have been changed, a chain begins behind whatever stands there: it fits nothing, and whoever
    /// verifies it sees that. Work goes on.
    pub(super) fn lock(db: &dyn Db) -> Result<Self, StoreFault> {
        let lock = if db.is_shared() { " FOR UPDATE" } else { "" };
        let value = db.one(&format!("SELECT value FROM meta WHERE name = ?1{lock}"), values![NAME])?;
        let value: Vec<u8> = value.map_or_else(|| Ok(Vec::new()), |row| row.get(0))?;
        let ends = match Ends::of(&value, db.seals().chain()?) {
            Standing::Sound(ends) => ends,
            Standing::Unbegun | Standing::Broken => Ends::default(),
        };
        let highest = db.one("SELECT MAX(n) FROM audit", values![])?.map(|row| row.maybe(0)).transpose()?.flatten();
        Ok(Self { ends, highest: highest.unwrap_or(0) })
    }

    pub(super) fn next(&self) -> i64 {
        self.ends.head.n.max(self.highest) + 1
    }

    pub(super) fn add(&mut self, db: &dyn Db, link: &Link<'_>) -> Result<Mac, StoreFault> {
        let mac = link.mac(db.seals().chain()?, &self.ends.head.mac);
        self.ends.head = End { n: link.n, mac };
        Ok(mac)
    }

    pub(super) fn write(&self, db: &dyn Db) -> Result<(), StoreFault> {
        db.execute(
            "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            values![NAME, self.ends.bytes(db.seals().chain()?)],
        )?;
        Ok(())
    }
}
