//! What intake, the outcome writer and the operators' commands read.

use super::queue::timestamp;
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
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

/// A delivery of an event, as far as it decides on another one's fate.
#[derive(Debug, Clone)]
pub struct Past {
    pub message: MessageId,
    pub destination: Name,
    pub state: State,
    /// It was sent, or may have been.
    pub tried: bool,
}

/// The latest version of an event of an episode.
#[derive(Debug, Clone)]
pub struct KeptEvent {
    pub version: u32,
    pub body: Personal<Vec<u8>>,
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
    pub body: Personal<Vec<u8>>,
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

const DELIVERY_COLUMNS: &str =
    "id, event_id, message_id, destination, episode_id, kind, version, state, rules, sequence, attempts, created_at,
    released_at, settled_at, next_at, content_hash, code, findings";

impl Store {
    /// Versions of a source event that were accepted: number and content hash.
    pub fn versions(&self, key: &Ref) -> Result<Vec<(u32, [u8; 32])>, StoreFault> {
        self.read(|db| {
            let mut statement = db.prepare_cached("SELECT version, hash FROM event WHERE key = ?1 ORDER BY version")?;
            let rows = statement.query_map([key.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// An episode's version, rules and body.
    pub fn episode(&self, id: EpisodeId) -> Result<Option<EpisodeRow>, StoreFault> {
        self.read(|db| {
            let row = db
                .prepare_cached("SELECT version, rules, body, opened_at, changed_at FROM episode WHERE id = ?1")?
                .query_row([id.to_string()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))
                .optional()?;
            row.map(episode_row).transpose()
        })
    }

    /// What is withheld or held in an episode, oldest first.
    pub fn kept_back(&self, episode: EpisodeId) -> Result<Vec<KeptBack>, StoreFault> {
        self.read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT d.message_id, d.destination, d.kind, d.version, e.key, e.body, d.useful_until, d.findings, d.state
                 FROM delivery d JOIN event e ON e.id = d.event_id WHERE d.state IN ('WITHHELD', 'HELD') AND d.episode_id = ?1 ORDER BY d.id",
            )?;
            let rows = statement.query_map([episode.to_string()], |row| Ok(kept_back(row)))?;
            rows.map(|row| row?).collect()
        })
    }

    /// Episodes whose time to be looked at has come, and when the next one's will.
    pub fn due_episodes(&self, now: Timestamp, limit: usize) -> Result<(Vec<EpisodeId>, Option<Timestamp>), StoreFault> {
        self.read(|db| {
            let mut statement = db.prepare_cached("SELECT id FROM episode WHERE look_at <= ?1 ORDER BY look_at LIMIT ?2")?;
            let rows =
                statement.query_map(params![now.as_millisecond(), i64::try_from(limit).unwrap_or(1)], |row| row.get::<_, String>(0))?;
            // An id that cannot be read hides itself alone.
            let ids: Result<Vec<String>, rusqlite::Error> = rows.collect();
            let ids = ids?.iter().filter_map(|id| episode_id(id).ok()).collect();
            let next: Option<i64> = db
                .prepare_cached("SELECT MIN(look_at) FROM episode WHERE look_at > ?1")?
                .query_row([now.as_millisecond()], |row| row.get(0))?;
            Ok((ids, next.map(timestamp).transpose()?))
        })
    }

    /// Ids of all episodes, the last changed first.
    pub fn episode_ids(&self) -> Result<Vec<EpisodeId>, StoreFault> {
        self.read(|db| {
            let mut statement = db.prepare_cached("SELECT id FROM episode ORDER BY changed_at DESC, id")?;
            let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
            rows.map(|row| episode_id(&row?)).collect()
        })
    }

    /// Episodes whose id begins with `prefix`, hexadecimal digits and hyphens.
    pub fn episodes_beginning(&self, prefix: &str, limit: usize) -> Result<Vec<EpisodeId>, StoreFault> {
        self.read(|db| {
            let mut statement = db.prepare_cached("SELECT id FROM episode WHERE id LIKE ?1 || '%' ORDER BY id LIMIT ?2")?;
            let rows = statement.query_map(params![prefix, i64::try_from(limit).unwrap_or(i64::MAX)], |row| row.get::<_, String>(0))?;
            rows.map(|row| episode_id(&row?)).collect()
        })
    }

    /// Episodes under a set of rules, in the order of their ids.
    pub fn episodes_under(&self, rules: &str) -> Result<Vec<UnderRules>, StoreFault> {
        self.read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT e.id, e.version, e.phase, COALESCE(SUM(d.state = 'WITHHELD'), 0), COALESCE(SUM(d.state = 'HELD'), 0)
                 FROM episode e LEFT JOIN delivery d ON d.episode_id = e.id AND d.state IN ('WITHHELD', 'HELD')
                 WHERE e.rules = ?1 GROUP BY e.id ORDER BY e.id",
            )?;
            let rows = statement.query_map([rules], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, String>(2)?, row.get(3)?, row.get(4)?))
            })?;
            let mut out = Vec::new();
            for row in rows {
                let (id, version, phase, withheld, held) = row?;
                let damaged = || StoreFault::Damaged { table: "episode" };
                let version = u64::try_from(version).map_err(|_| damaged())?;
                out.push(UnderRules { id: episode_id(&id)?, version, phase: Phase::parse(&phase).ok_or_else(damaged)?, withheld, held });
            }
            Ok(out)
        })
    }

    /// Episodes, newest first.
    pub fn episodes(&self, phase: Option<&str>, limit: usize) -> Result<Vec<(EpisodeId, EpisodeRow)>, StoreFault> {
        self.read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT id, version, rules, body, opened_at, changed_at FROM episode WHERE ?1 IS NULL OR phase = ?1 ORDER BY changed_at DESC, id LIMIT ?2",
            )?;
            let rows = statement.query_map(params![phase, i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
                Ok((row.get::<_, String>(0)?, (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?)))
            })?;
            let mut out = Vec::new();
            for row in rows {
                let (id, row) = row?;
                out.push((episode_id(&id)?, episode_row(row)?));
            }
            Ok(out)
        })
    }

    /// Other episodes of the patients whom an episode's events named.
    pub fn episodes_of_same_patient(&self, id: EpisodeId) -> Result<Vec<EpisodeId>, StoreFault> {
        self.read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT DISTINCT episode_id FROM episode_patient WHERE episode_id <> ?1
                 AND patient IN (SELECT patient FROM episode_patient WHERE episode_id = ?1)",
            )?;
            let rows = statement.query_map([id.to_string()], |row| row.get::<_, String>(0))?;
            rows.map(|row| episode_id(&row?)).collect()
        })
    }

    /// The events of an episode, each in its latest version.
    pub fn events_of(&self, episode: EpisodeId) -> Result<Vec<KeptEvent>, StoreFault> {
        self.read(|db| {
            let mut statement =
                db.prepare_cached("SELECT MAX(version), body FROM event WHERE episode_id = ?1 GROUP BY key ORDER BY MIN(id)")?;
            let rows = statement.query_map([episode.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.map(|row| row.map(|(version, body)| KeptEvent { version, body: Personal::new(body) }).map_err(StoreFault::from)).collect()
        })
    }

    /// The episode of a message.
    pub fn episode_of(&self, message: MessageId) -> Result<Option<EpisodeId>, StoreFault> {
        self.read(|db| {
            let found: Option<String> = db
                .prepare_cached("SELECT episode_id FROM delivery WHERE message_id = ?1 LIMIT 1")?
                .query_row([message.to_string()], |row| row.get(0))
                .optional()?;
            found.map(|text| episode_id(&text)).transpose()
        })
    }

    /// The episode of an event, by its keyed reference.
    pub fn episode_of_event(&self, key: &Ref) -> Result<Option<EpisodeId>, StoreFault> {
        self.read(|db| {
            let found: Option<String> = db
                .prepare_cached("SELECT episode_id FROM event WHERE key = ?1 LIMIT 1")?
                .query_row([key.as_str()], |row| row.get(0))
                .optional()?;
            found.map(|text| episode_id(&text)).transpose()
        })
    }

    /// What became of an event's messages, in all its versions.
    pub fn past_of(&self, key: &Ref) -> Result<Vec<Past>, StoreFault> {
        self.read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT d.message_id, d.destination, d.state, d.attempts > 0 OR d.last_answer IS NOT NULL
                 FROM delivery d JOIN event e ON e.id = d.event_id WHERE e.key = ?1 ORDER BY d.id",
            )?;
            let rows = statement.query_map([key.as_str()], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?, row.get(3)?))
            })?;
            let mut out = Vec::new();
            for row in rows {
                let (message, destination, state, tried) = row?;
                let state = State::parse(&state).ok_or(StoreFault::Damaged { table: "delivery" })?;
                out.push(Past { message: message_id(&message)?, destination: name(&destination)?, state, tried });
            }
            Ok(out)
        })
    }

    /// Events of a source whose outcome has changed since it was told.
    pub fn untold(&self, source: &Name, limit: usize) -> Result<Vec<Untold>, StoreFault> {
        self.read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT id, outcome, origin, body, findings FROM event WHERE source = ?1 AND outcome > outcome_told ORDER BY id LIMIT ?2",
            )?;
            let rows = statement.query_map(params![source.as_str(), i64::try_from(limit).unwrap_or(1)], |row| {
                Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get::<_, Vec<u8>>(2)?, row.get(3)?, row.get::<_, String>(4)?))
            })?;
            let mut out = Vec::new();
            for row in rows {
                let (event, outcome, origin, body, remarks) = row?;
                let origin = Personal::new(String::from_utf8_lossy(&origin).into_owned());
                let deliveries = deliveries_of(db, event)?;
                out.push(Untold { event, outcome, origin, body: Personal::new(body), findings: findings(&remarks)?, deliveries });
            }
            Ok(out)
        })
    }

    /// The source has heard these.
    pub async fn told(&self, told: Vec<(i64, i64)>) -> Result<(), StoreFault> {
        self.write(move |db| {
            let mut statement = db.prepare_cached("UPDATE event SET outcome_told = ?2 WHERE id = ?1 AND outcome_told < ?2")?;
            for (event, outcome) in &told {
                statement.execute([event, outcome])?;
            }
            Ok(())
        })
        .await
    }

    /// Lines of the journal, oldest first: the next ones after a row, or the newest where none is named.
    pub fn journal(&self, filter: &Filter) -> Result<Vec<JournalRow>, StoreFault> {
        self.read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT id, line FROM (SELECT id, line FROM journal WHERE id > ?1 AND (?2 IS NULL OR episode_id = ?2)
                    AND (?3 IS NULL OR message_id LIKE ?3 || '%') AND (?4 IS NULL OR state = ?4) AND (?5 IS NULL OR code = ?5) AND (?6 IS NULL OR at >= ?6)
                    ORDER BY CASE WHEN ?1 = 0 THEN -id ELSE id END LIMIT ?7) ORDER BY id",
            )?;
            let rows = statement.query_map(
                params![
                    filter.after,
                    filter.episode,
                    filter.message,
                    filter.state.map(State::code),
                    filter.code,
                    filter.since.map(Timestamp::as_millisecond),
                    i64::try_from(filter.limit).unwrap_or(i64::MAX),
                ],
                |row| Ok(JournalRow { id: row.get(0)?, line: row.get(1)? }),
            )?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Deliveries, newest first.
    pub fn deliveries(&self, filter: &Filter) -> Result<Vec<DeliveryRow>, StoreFault> {
        self.read(|db| {
            let mut statement = db.prepare_cached(&format!(
                "SELECT {DELIVERY_COLUMNS} FROM delivery WHERE (?1 IS NULL OR episode_id = ?1) AND (?2 IS NULL OR message_id LIKE ?2 || '%')
                 AND (?3 IS NULL OR state = ?3) AND (?4 IS NULL OR code = ?4) AND (?5 IS NULL OR created_at >= ?5) ORDER BY id DESC LIMIT ?6"
            ))?;
            let rows = statement.query_map(
                params![
                    filter.episode,
                    filter.message,
                    filter.state.map(State::code),
                    filter.code,
                    filter.since.map(Timestamp::as_millisecond),
                    i64::try_from(filter.limit).unwrap_or(i64::MAX),
                ],
                |row| Ok(delivery(row)),
            )?;
            rows.map(|row| row?).collect()
        })
    }

    /// A delivery by its row.
    pub fn delivery(&self, id: i64) -> Result<Option<DeliveryRow>, StoreFault> {
        self.read(|db| {
            let mut statement = db.prepare_cached(&format!("SELECT {DELIVERY_COLUMNS} FROM delivery WHERE id = ?1"))?;
            statement.query_row([id], |row| Ok(delivery(row))).optional()?.transpose()
        })
    }

    /// Deliveries of a source event, all its versions, newest first, by its keyed reference.
    pub fn deliveries_of_event(&self, key: &Ref) -> Result<Vec<DeliveryRow>, StoreFault> {
        self.read(|db| {
            let mut statement = db.prepare_cached(&format!(
                "SELECT {DELIVERY_COLUMNS} FROM delivery WHERE event_id IN (SELECT id FROM event WHERE key = ?1) ORDER BY id DESC"
            ))?;
            let rows = statement.query_map([key.as_str()], |row| Ok(delivery(row)))?;
            rows.map(|row| row?).collect()
        })
    }

    pub fn event(&self, id: i64) -> Result<Option<EventRow>, StoreFault> {
        self.read(|db| {
            let row = db
                .prepare_cached("SELECT key, version, kind, episode_id, source, occurred_at, received_at FROM event WHERE id = ?1")?
                .query_row([id], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get::<_, i64>(5)?, row.get::<_, i64>(6)?))
                })
                .optional()?;
            let Some((key, version, kind, episode, source, occurred, received)) = row else { return Ok(None) };
            Ok(Some(EventRow { key, version, kind, episode, source, occurred_at: timestamp(occurred)?, received_at: timestamp(received)? }))
        })
    }

    pub fn attempts(&self, delivery: i64) -> Result<Vec<AttemptRow>, StoreFault> {
        self.read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT n, envelope_id, started_at, duration_ms, answer, code, http_status, receipt FROM attempt WHERE delivery_id = ?1 ORDER BY started_at",
            )?;
            let rows = statement.query_map([delivery], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?, row.get::<_, i64>(3)?, row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?))
            })?;
            let mut out = Vec::new();
            for row in rows {
                let (n, envelope, started, duration, answer, code, http_status, receipt): (_, _, _, _, _, _, _, Option<Vec<u8>>) = row?;
                let duration_ms = u64::try_from(duration).unwrap_or(0);
                let receipt = receipt.map(Personal::new);
                out.push(AttemptRow { n, envelope, started_at: timestamp(started)?, duration_ms, answer, code, http_status, receipt });
            }
            Ok(out)
        })
    }

    /// Names of the rules that episodes began with.
    pub fn rules_in_use(&self) -> Result<Vec<String>, StoreFault> {
        self.read(|db| {
            let mut statement = db.prepare_cached("SELECT DISTINCT rules FROM episode")?;
            let rows = statement.query_map([], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// How many deliveries wait in the lanes of each destination.
    pub fn waiting(&self) -> Result<Vec<(Name, u64)>, StoreFault> {
        self.read(|db| {
            let mut statement = db.prepare_cached("SELECT destination, COUNT(*) FROM delivery WHERE open = 1 GROUP BY destination")?;
            let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))?;
            let mut out = Vec::new();
            for row in rows {
                let (destination, count) = row?;
                out.push((name(&destination)?, u64::try_from(count).unwrap_or(0)));
            }
            Ok(out)
        })
    }
}

/// Of an event in all its versions: an outcome tells of each.
fn deliveries_of(db: &Connection, event: i64) -> Result<Vec<DeliveryRow>, StoreFault> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {DELIVERY_COLUMNS} FROM delivery
         WHERE event_id IN (SELECT id FROM event WHERE key = (SELECT key FROM event WHERE id = ?1)) ORDER BY id"
    ))?;
    let rows = statement.query_map([event], |row| Ok(delivery(row)))?;
    rows.map(|row| row?).collect()
}

fn delivery(row: &Row<'_>) -> Result<DeliveryRow, StoreFault> {
    let moment = |column: usize| -> Result<Option<Timestamp>, StoreFault> { row.get::<_, Option<i64>>(column)?.map(timestamp).transpose() };
    Ok(DeliveryRow {
        id: row.get(0)?,
        event: row.get(1)?,
        message: row.get(2)?,
        destination: row.get(3)?,
        episode: row.get(4)?,
        kind: row.get(5)?,
        version: row.get(6)?,
        state: State::parse(&row.get::<_, String>(7)?).ok_or(StoreFault::Damaged { table: "delivery" })?,
        rules: row.get(8)?,
        sequence: row.get(9)?,
        attempts: row.get(10)?,
        created_at: timestamp(row.get(11)?)?,
        released_at: moment(12)?,
        settled_at: moment(13)?,
        next_at: moment(14)?,
        content_hash: row.get(15)?,
        code: row.get(16)?,
        findings: findings(&row.get::<_, String>(17)?)?,
    })
}

fn kept_back(row: &Row<'_>) -> Result<KeptBack, StoreFault> {
    let damaged = || StoreFault::Damaged { table: "delivery" };
    Ok(KeptBack {
        message: message_id(&row.get::<_, String>(0)?)?,
        destination: name(&row.get::<_, String>(1)?)?,
        kind: EventType::parse(&row.get::<_, String>(2)?).ok_or_else(damaged)?,
        version: row.get(3)?,
        event_ref: Ref::parse(&row.get::<_, String>(4)?).ok_or_else(damaged)?,
        event: Personal::new(row.get(5)?),
        useful_until: row.get::<_, Option<i64>>(6)?.map(timestamp).transpose()?,
        findings: findings(&row.get::<_, String>(7)?)?,
        state: State::parse(&row.get::<_, String>(8)?).ok_or_else(damaged)?,
    })
}

fn episode_row((version, rules, body, opened_at, changed_at): (i64, String, Vec<u8>, i64, i64)) -> Result<EpisodeRow, StoreFault> {
    let version = u64::try_from(version).map_err(|_| StoreFault::Damaged { table: "episode" })?;
    Ok(EpisodeRow { version, rules, body: Personal::new(body), opened_at: timestamp(opened_at)?, changed_at: timestamp(changed_at)? })
}

fn episode_id(text: &str) -> Result<EpisodeId, StoreFault> {
    Uuid::try_parse(text).map(EpisodeId).map_err(|_| StoreFault::Damaged { table: "episode" })
}

fn findings(json: &str) -> Result<Vec<Finding>, StoreFault> {
    serde_json::from_str(json).map_err(|_| StoreFault::Damaged { table: "delivery" })
}

fn message_id(text: &str) -> Result<MessageId, StoreFault> {
    Uuid::try_parse(text).map(MessageId).map_err(|_| StoreFault::Damaged { table: "delivery" })
}

fn name(text: &str) -> Result<Name, StoreFault> {
    Name::parse(text).ok_or(StoreFault::Damaged { table: "delivery" })
}
