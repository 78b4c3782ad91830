//! What intake, the outcome writer and the operators' commands read.

use super::db::{Db, Row, values};
use super::seal::{EPISODE_BODY, EVENT_BODY, EVENT_ORIGIN, RECEIPT};
use super::{Store, StoreFault};
use crate::model::catalogue::EventType;
use crate::model::episode::Phase;
use crate::model::finding::Finding;
use crate::model::ids::{EpisodeId, MessageId};
use crate::model::keyed::Ref;
use crate::model::name::Name;
use crate::model::personal::Personal;
use crate::model::state::State;
use jiff::Timestamp;
use uuid::Uuid;

/// A delivery of an event, as far as it decides on another one's fate.
#[derive(Debug, Clone)]
pub struct Past {
    pub message: MessageId,
    pub destination: Name,
    pub state: State,
    /// It was sent, or may have been.
    pub tried: bool,
    /// It may have been sent in a life that a restore has made the store forget, whatever its state.
    pub in_doubt: bool,
}

/// The latest version of an event of an episode.
#[derive(Debug, Clone)]
pub struct KeptEvent {
    pub key: Ref,
    pub version: u32,
    /// None where it has been purged.
    pub body: Option<Personal<Vec<u8>>>,
}

/// A withheld or held delivery, with what is needed to look at it again.
#[derive(Debug, Clone)]
pub struct KeptBack {
    pub state: State,
    pub message: MessageId,
    pub destination: Name,
    pub kind: EventType,
    pub version: u32,
    pub event_ref: Ref,
    pub event: Personal<Vec<u8>>,
    pub useful_until: Option<Timestamp>,
    pub findings: Vec<Finding>,
}

/// An episode as it is kept.
#[derive(Debug, Clone)]
pub struct EpisodeRow {
    pub version: u64,
    /// The rules that it began with.
    pub rules: String,
    pub body: Personal<Vec<u8>>,
    pub opened_at: Timestamp,
    pub changed_at: Timestamp,
}

/// An episode under a set of rules, as far as a move to another set is planned by it.
#[derive(Debug, Clone)]
pub struct UnderRules {
    pub id: EpisodeId,
    pub version: u64,
    pub phase: Phase,
    pub withheld: u32,
    pub held: u32,
}

/// An event whose source has not heard the latest.
#[derive(Debug, Clone)]
pub struct Untold {
    pub event: i64,
    pub outcome: i64,
    pub origin: Personal<String>,
    /// None where it has been purged.
    pub body: Option<Personal<Vec<u8>>>,
    pub findings: Vec<Finding>,
    pub deliveries: Vec<DeliveryRow>,
}

/// A delivery as people look at it.
#[derive(Debug, Clone)]
pub struct DeliveryRow {
    pub id: i64,
    pub event: i64,
    pub message: String,
    pub destination: String,
    pub episode: String,
    pub kind: String,
    pub version: u32,
    pub state: State,
    pub rules: String,
    pub sequence: Option<i64>,
    pub attempts: u32,
    pub created_at: Timestamp,
    pub released_at: Option<Timestamp>,
    pub settled_at: Option<Timestamp>,
    pub next_at: Option<Timestamp>,
    pub content_hash: Option<Vec<u8>>,
    pub code: Option<String>,
    pub findings: Vec<Finding>,
    /// A restored backup has forgotten whether it left.
    pub in_doubt: bool,
    /// When its content went.
    pub purged_at: Option<Timestamp>,
}

#[derive(Debug, Clone)]
pub struct EventRow {
    pub key: String,
    pub version: u32,
    pub kind: String,
    pub episode: String,
    pub source: String,
    pub occurred_at: Timestamp,
    pub received_at: Timestamp,
    /// Name, revision and hash of the mapping that made it.
    pub mapping: String,
    /// When its content went.
    pub purged_at: Option<Timestamp>,
}

#[derive(Debug, Clone)]
pub struct AttemptRow {
    pub n: u32,
    pub envelope: String,
    pub started_at: Timestamp,
    pub duration_ms: u64,
    pub answer: String,
    pub code: Option<String>,
    pub http_status: Option<u16>,
    pub receipt: Option<Personal<Vec<u8>>>,
}

#[derive(Debug, Clone)]
pub struct JournalRow {
    pub id: i64,
    pub line: String,
}

/// Which rows of the journal or the queue to show.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub after: i64,
    pub episode: Option<String>,
    /// Message id or the beginning of one.
    pub message: Option<String>,
    pub state: Option<State>,
    pub code: Option<String>,
    pub since: Option<Timestamp>,
    pub limit: usize,
}

pub(super) const DELIVERY_COLUMNS: &str =
    "id, event_id, message_id, destination, episode_id, kind, version, state, rules, sequence, attempts, created_at,
    released_at, settled_at, next_at, content_hash, code, findings, doubt, purged_at";

impl Store {
    /// Versions of a source event that were accepted: number and content hash.
    pub fn versions(&self, key: &Ref) -> Result<Vec<(u32, [u8; 32])>, StoreFault> {
        self.read(|db| {
            let sql = "SELECT version, hash FROM event WHERE key = ?1 ORDER BY version";
            db.list(sql, values![key.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
        })
    }

    /// An episode's version, rules and body.
    pub fn episode(&self, id: EpisodeId) -> Result<Option<EpisodeRow>, StoreFault> {
        self.read(|db| {
            let sql = format!("SELECT {EPISODE_COLUMNS} FROM episode WHERE id = ?1");
            db.one(&sql, values![id.to_string()])?.map(|row| episode_row(db, &row)).transpose()
        })
    }

    /// What is withheld or held in an episode, oldest first.
    pub fn kept_back(&self, episode: EpisodeId) -> Result<Vec<KeptBack>, StoreFault> {
        self.read(|db| {
            let sql = "SELECT d.message_id, d.destination, d.kind, d.version, e.key, e.body, d.useful_until, d.findings, d.state, e.version
                 FROM delivery d JOIN event e ON e.id = d.event_id WHERE d.state IN ('WITHHELD', 'HELD') AND d.episode_id = ?1 ORDER BY d.id";
            db.list(sql, values![episode.to_string()], |row| kept_back(db, row))
        })
    }

    /// Episodes whose time to be looked at has come, and when the next one's will.
    pub fn due_episodes(&self, now: Timestamp, limit: usize) -> Result<(Vec<EpisodeId>, Option<Timestamp>), StoreFault> {
        self.read(|db| {
            let sql = "SELECT id FROM episode WHERE look_at <= ?1 ORDER BY look_at LIMIT ?2";
            // An id that cannot be read hides itself alone.
            let ids = db.list(sql, values![now, limit], |row| Ok(row.get::<String>(0).and_then(|id| episode_id(&id)).ok()))?;
            let ids = ids.into_iter().flatten().collect();
            let next = db.one("SELECT MIN(look_at) FROM episode WHERE look_at > ?1", values![now])?;
            Ok((ids, next.map(|row| row.maybe(0)).transpose()?.flatten()))
        })
    }

    /// Ids of all episodes, the last changed first.
    pub fn episode_ids(&self) -> Result<Vec<EpisodeId>, StoreFault> {
        self.read(|db| db.list("SELECT id FROM episode ORDER BY changed_at DESC, id", values![], |row| episode_id(&row.get::<String>(0)?)))
    }

    /// Episodes whose id begins with `prefix`, hexadecimal digits and hyphens.
    pub fn episodes_beginning(&self, prefix: &str, limit: usize) -> Result<Vec<EpisodeId>, StoreFault> {
        self.read(|db| {
            let sql = "SELECT id FROM episode WHERE id LIKE ?1 || '%' ORDER BY id LIMIT ?2";
            db.list(sql, values![prefix, limit], |row| episode_id(&row.get::<String>(0)?))
        })
    }

    /// Episodes under a set of rules, in the order of their ids.
    pub fn episodes_under(&self, rules: &str) -> Result<Vec<UnderRules>, StoreFault> {
        self.read(|db| {
            let sql = "SELECT e.id, e.version, e.phase, COUNT(CASE WHEN d.state = 'WITHHELD' THEN 1 END), COUNT(CASE WHEN d.state = 'HELD' THEN 1 END)
                 FROM episode e LEFT JOIN delivery d ON d.episode_id = e.id AND d.state IN ('WITHHELD', 'HELD')
                 WHERE e.rules = ?1 GROUP BY e.id ORDER BY e.id";
            db.list(sql, values![rules], |row| {
                Ok(UnderRules {
                    id: episode_id(&row.get::<String>(0)?)?,
                    version: row.get(1)?,
                    phase: Phase::parse(&row.get::<String>(2)?).ok_or(StoreFault::Damaged { table: "episode" })?,
                    withheld: row.get(3)?,
                    held: row.get(4)?,
                })
            })
        })
    }

    /// Episodes, newest first.
    pub fn episodes(&self, phase: Option<&str>, limit: usize) -> Result<Vec<(EpisodeId, EpisodeRow)>, StoreFault> {
        self.read(|db| {
            let sql = format!(
                "SELECT {EPISODE_COLUMNS} FROM episode WHERE CAST(?1 AS TEXT) IS NULL OR phase = ?1 ORDER BY changed_at DESC, id LIMIT ?2"
            );
            let episodes =
                db.list(&sql, values![phase, limit], |row| Ok((episode_id(&row.get::<String>(0)?)?, whole(episode_row(db, row))?)))?;
            Ok(episodes.into_iter().filter_map(|(id, row)| Some((id, row?))).collect())
        })
    }

    /// Other episodes of the patients whom an episode's events named.
    pub fn episodes_of_same_patient(&self, id: EpisodeId) -> Result<Vec<EpisodeId>, StoreFault> {
        self.read(|db| {
            let sql = "SELECT DISTINCT episode_id FROM episode_patient WHERE episode_id <> ?1
                 AND patient IN (SELECT patient FROM episode_patient WHERE episode_id = ?1)";
            db.list(sql, values![id.to_string()], |row| episode_id(&row.get::<String>(0)?))
        })
    }

    /// The events of an episode, each in its latest version.
    pub fn events_of(&self, episode: EpisodeId) -> Result<Vec<KeptEvent>, StoreFault> {
        self.read(|db| {
            let sql = "SELECT version, body, key FROM event e WHERE episode_id = ?1
                 AND version = (SELECT MAX(version) FROM event WHERE key = e.key) ORDER BY id";
            let read = |row: &Row| {
                let key = Ref::parse(&row.get::<String>(2)?).ok_or(StoreFault::Damaged { table: "event" })?;
                Ok(KeptEvent { key, version: row.get(0)?, body: EVENT_BODY.maybe(db, row, 1, &[2, 0])? })
            };
            db.list(sql, values![episode.to_string()], read)
        })
    }

    /// The episode of a message.
    pub fn episode_of(&self, message: MessageId) -> Result<Option<EpisodeId>, StoreFault> {
        self.read(|db| {
            let found = db.one("SELECT episode_id FROM delivery WHERE message_id = ?1 LIMIT 1", values![message.to_string()])?;
            found.map(|row| episode_id(&row.get::<String>(0)?)).transpose()
        })
    }

    /// The episode of an event, by its keyed reference.
    pub fn episode_of_event(&self, key: &Ref) -> Result<Option<EpisodeId>, StoreFault> {
        self.read(|db| {
            let found = db.one("SELECT episode_id FROM event WHERE key = ?1 LIMIT 1", values![key.as_str()])?;
            found.map(|row| episode_id(&row.get::<String>(0)?)).transpose()
        })
    }

    /// Whether all that is left of an event is that it was there.
    pub fn is_purged(&self, key: &Ref) -> Result<bool, StoreFault> {
        self.read(|db| {
            let sql = "SELECT 1 FROM event WHERE key = ?1 AND fate IS NOT NULL LIMIT 1";
            Ok(db.one(sql, values![key.as_str()])?.is_some())
        })
    }

    /// What became of an event's messages, in all its versions.
    pub fn past_of(&self, key: &Ref) -> Result<Vec<Past>, StoreFault> {
        self.read(|db| {
            let sql = "SELECT d.message_id, d.destination, d.state, d.attempts, d.last_answer, d.doubt
                 FROM delivery d JOIN event e ON e.id = d.event_id WHERE e.key = ?1 ORDER BY d.id";
            db.list(sql, values![key.as_str()], |row| {
                Ok(Past {
                    message: message_id(&row.get::<String>(0)?)?,
                    destination: name(&row.get::<String>(1)?)?,
                    state: state(row, 2)?,
                    tried: row.get::<u32>(3)? > 0 || row.maybe::<String>(4)?.is_some() || row.get(5)?,
                    in_doubt: row.get(5)?,
                })
            })
        })
    }

    /// Events of a source whose outcome has changed since it was told.
    pub fn untold(&self, source: &Name, limit: usize) -> Result<Vec<Untold>, StoreFault> {
        self.read(|db| {
            let sql = format!(
                "SELECT {UNTOLD_COLUMNS} FROM event WHERE source = ?1 AND outcome > outcome_told AND purged_at IS NULL ORDER BY id LIMIT ?2"
            );
            // One that does not open is told of by `store check`, and hides itself alone.
            let untold = db.list(&sql, values![source.as_str(), limit], |row| whole(untold(db, row)))?;
            Ok(untold.into_iter().flatten().collect())
        })
    }

    /// The latest version of a source's event, by its keyed reference, with what became of it.
    pub fn event_of(&self, source: &Name, key: &Ref) -> Result<Option<Untold>, StoreFault> {
        self.read(|db| {
            let sql = format!("SELECT {UNTOLD_COLUMNS} FROM event WHERE key = ?1 AND source = ?2 ORDER BY version DESC LIMIT 1");
            db.one(&sql, values![key.as_str(), source.as_str()])?.map(|row| untold(db, &row)).transpose()
        })
    }

    /// The source has heard these.
    pub async fn told(&self, told: Vec<(i64, i64)>) -> Result<(), StoreFault> {
        self.write(move |db| {
            for (event, outcome) in &told {
                db.execute("UPDATE event SET outcome_told = ?2 WHERE id = ?1 AND outcome_told < ?2", values![*event, *outcome])?;
            }
            Ok(())
        })
        .await
    }

    /// Lines of the journal, oldest first: the next ones after a row, or the newest where none is named.
    pub fn journal(&self, filter: &Filter) -> Result<Vec<JournalRow>, StoreFault> {
        self.read(|db| {
            let sql = "SELECT id, line FROM (SELECT id, line FROM journal WHERE id > ?1 AND (CAST(?2 AS TEXT) IS NULL OR episode_id = ?2)
                    AND (CAST(?3 AS TEXT) IS NULL OR message_id LIKE ?3 || '%') AND (CAST(?4 AS TEXT) IS NULL OR state = ?4) AND (CAST(?5 AS TEXT) IS NULL OR code = ?5) AND (CAST(?6 AS BIGINT) IS NULL OR at >= ?6)
                    ORDER BY CASE WHEN ?1 = 0 THEN -id ELSE id END LIMIT ?7) AS chosen ORDER BY id";
            let (episode, message, code) = (filter.episode.as_deref(), filter.message.as_deref(), filter.code.as_deref());
            db.list(
                sql,
                values![filter.after, episode, message, filter.state.map(State::code), code, filter.since, filter.limit],
                |row| Ok(JournalRow { id: row.get(0)?, line: row.get(1)? }),
            )
        })
    }

    /// Deliveries, newest first.
    pub fn deliveries(&self, filter: &Filter) -> Result<Vec<DeliveryRow>, StoreFault> {
        self.read(|db| {
            let sql = format!(
                "SELECT {DELIVERY_COLUMNS} FROM delivery WHERE (CAST(?1 AS TEXT) IS NULL OR episode_id = ?1) AND (CAST(?2 AS TEXT) IS NULL OR message_id LIKE ?2 || '%')
                 AND (CAST(?3 AS TEXT) IS NULL OR state = ?3) AND (CAST(?4 AS TEXT) IS NULL OR code = ?4) AND (CAST(?5 AS BIGINT) IS NULL OR created_at >= ?5) ORDER BY id DESC LIMIT ?6"
            );
            let (episode, message, code) = (filter.episode.as_deref(), filter.message.as_deref(), filter.code.as_deref());
            db.list(&sql, values![episode, message, filter.state.map(State::code), code, filter.since, filter.limit], delivery)
        })
    }

    /// A delivery by its row.
    pub fn delivery(&self, id: i64) -> Result<Option<DeliveryRow>, StoreFault> {
        self.read(|db| {
            let sql = format!("SELECT {DELIVERY_COLUMNS} FROM delivery WHERE id = ?1");
            db.one(&sql, values![id])?.map(|row| delivery(&row)).transpose()
        })
    }

    /// Deliveries of a source event, all its versions, newest first, by its keyed reference.
    pub fn deliveries_of_event(&self, key: &Ref) -> Result<Vec<DeliveryRow>, StoreFault> {
        self.read(|db| {
            let sql =
                format!("SELECT {DELIVERY_COLUMNS} FROM delivery WHERE event_id IN (SELECT id FROM event WHERE key = ?1) ORDER BY id DESC");
            db.list(&sql, values![key.as_str()], delivery)
        })
    }

    pub fn event(&self, id: i64) -> Result<Option<EventRow>, StoreFault> {
        self.read(|db| {
            let sql =
                "SELECT key, version, kind, episode_id, source, occurred_at, received_at, mapping, purged_at FROM event WHERE id = ?1";
            let row = db.one(sql, values![id])?;
            row.map(|row| {
                Ok(EventRow {
                    key: row.get(0)?,
                    version: row.get(1)?,
                    kind: row.get(2)?,
                    episode: row.get(3)?,
                    source: row.get(4)?,
                    occurred_at: row.get(5)?,
                    received_at: row.get(6)?,
                    mapping: row.get(7)?,
                    purged_at: row.maybe(8)?,
                })
            })
            .transpose()
        })
    }

    pub fn attempts(&self, delivery: i64) -> Result<Vec<AttemptRow>, StoreFault> {
        self.read(|db| {
            let sql = "SELECT n, envelope_id, started_at, duration_ms, answer, code, http_status, receipt, delivery_id FROM attempt
                 WHERE delivery_id = ?1 ORDER BY started_at";
            db.list(sql, values![delivery], |row| {
                Ok(AttemptRow {
                    n: row.get(0)?,
                    envelope: row.get(1)?,
                    started_at: row.get(2)?,
                    duration_ms: row.get(3)?,
                    answer: row.get(4)?,
                    code: row.maybe(5)?,
                    http_status: row.maybe(6)?,
                    receipt: RECEIPT.maybe(db, row, 7, &[8, 0, 2])?,
                })
            })
        })
    }

    /// Names of the rules that episodes began with.
    pub fn rules_in_use(&self) -> Result<Vec<String>, StoreFault> {
        self.read(|db| db.list("SELECT DISTINCT rules FROM episode", values![], |row| row.get(0)))
    }

    /// How many deliveries wait in the lanes of each destination.
    pub fn waiting(&self) -> Result<Vec<(Name, u64)>, StoreFault> {
        self.read(|db| {
            let sql = "SELECT destination, COUNT(*) FROM delivery WHERE open = 1 GROUP BY destination";
            db.list(sql, values![], |row| Ok((name(&row.get::<String>(0)?)?, row.get(1)?)))
        })
    }
}

/// None for a row that is damaged.
fn whole<T>(read: Result<T, StoreFault>) -> Result<Option<T>, StoreFault> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(StoreFault::Damaged { .. }) => Ok(None),
        Err(fault) => Err(fault),
    }
}

const UNTOLD_COLUMNS: &str = "id, outcome, origin, body, findings, key, version";

fn untold(db: &dyn Db, row: &Row) -> Result<Untold, StoreFault> {
    let event = row.get(0)?;
    Ok(Untold {
        event,
        outcome: row.get(1)?,
        origin: EVENT_ORIGIN.text(db, row, 2, &[5, 6])?.unwrap_or_else(|| Personal::new(String::new())),
        body: EVENT_BODY.maybe(db, row, 3, &[5, 6])?,
        findings: findings(&row.get::<String>(4)?)?,
        deliveries: deliveries_of(db, event)?,
    })
}

/// Most deliveries that an outcome tells of; of more, the newest.
const DELIVERIES_MAX: usize = 1_000;

/// Of an event in all its versions: an outcome tells of each.
fn deliveries_of(db: &dyn Db, event: i64) -> Result<Vec<DeliveryRow>, StoreFault> {
    let sql = format!(
        "SELECT {DELIVERY_COLUMNS} FROM delivery
         WHERE event_id IN (SELECT id FROM event WHERE key = (SELECT key FROM event WHERE id = ?1)) ORDER BY id DESC LIMIT ?2"
    );
    let mut newest = db.list(&sql, values![event, DELIVERIES_MAX], delivery)?;
    newest.reverse();
    Ok(newest)
}

pub(super) fn delivery(row: &Row) -> Result<DeliveryRow, StoreFault> {
    Ok(DeliveryRow {
        id: row.get(0)?,
        event: row.get(1)?,
        message: row.get(2)?,
        destination: row.get(3)?,
        episode: row.get(4)?,
        kind: row.get(5)?,
        version: row.get(6)?,
        state: state(row, 7)?,
        rules: row.get(8)?,
        sequence: row.maybe(9)?,
        attempts: row.get(10)?,
        created_at: row.get(11)?,
        released_at: row.maybe(12)?,
        settled_at: row.maybe(13)?,
        next_at: row.maybe(14)?,
        content_hash: row.maybe(15)?,
        code: row.maybe(16)?,
        findings: findings(&row.get::<String>(17)?)?,
        in_doubt: row.get(18)?,
        purged_at: row.maybe(19)?,
    })
}

fn kept_back(db: &dyn Db, row: &Row) -> Result<KeptBack, StoreFault> {
    let damaged = || StoreFault::Damaged { table: "delivery" };
    Ok(KeptBack {
        message: message_id(&row.get::<String>(0)?)?,
        destination: name(&row.get::<String>(1)?)?,
        kind: EventType::parse(&row.get::<String>(2)?).ok_or_else(damaged)?,
        version: row.get(3)?,
        event_ref: Ref::parse(&row.get::<String>(4)?).ok_or_else(damaged)?,
        event: EVENT_BODY.get(db, row, 5, &[4, 9])?,
        useful_until: row.maybe(6)?,
        findings: findings(&row.get::<String>(7)?)?,
        state: state(row, 8)?,
    })
}

const EPISODE_COLUMNS: &str = "id, version, rules, body, opened_at, changed_at";

fn episode_row(db: &dyn Db, row: &Row) -> Result<EpisodeRow, StoreFault> {
    Ok(EpisodeRow {
        version: row.get(1)?,
        rules: row.get(2)?,
        body: EPISODE_BODY.get(db, row, 3, &[0])?,
        opened_at: row.get(4)?,
        changed_at: row.get(5)?,
    })
}

fn episode_id(text: &str) -> Result<EpisodeId, StoreFault> {
    Uuid::try_parse(text).map(EpisodeId).map_err(|_| StoreFault::Damaged { table: "episode" })
}

pub(super) fn state(row: &Row, column: usize) -> Result<State, StoreFault> {
    State::parse(&row.get::<String>(column)?).ok_or(StoreFault::Damaged { table: "delivery" })
}

pub(super) fn findings(json: &str) -> Result<Vec<Finding>, StoreFault> {
    serde_json::from_str(json).map_err(|_| StoreFault::Damaged { table: "delivery" })
}

fn message_id(text: &str) -> Result<MessageId, StoreFault> {
    Uuid::try_parse(text).map(MessageId).map_err(|_| StoreFault::Damaged { table: "delivery" })
}

pub(super) fn name(text: &str) -> Result<Name, StoreFault> {
    Name::parse(text).ok_or(StoreFault::Damaged { table: "delivery" })
}
