//! Mails that wait to be sent to those who keep a source, written in the transaction of what they tell of.
//!
//! A source's mails go in order, one at a time. The row of the source counts them, and says when the next may be tried.

use super::commit::findings_json;
use super::db::{Db, Row, values};
use super::seal::{EVENT_BODY, MAIL_BODY, Sealer};
use super::{Rejected, Store, StoreFault};
use crate::alarm::{self, Ring};
use crate::model::catalogue::EventType;
use crate::model::episode::ClockKind;
use crate::model::finding::Finding;
use crate::model::name::Name;
use crate::model::personal::Personal;
use crate::model::state::State;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

/// Most mails of a source within an hour; what comes beyond that is counted and told of when the hour ends.
pub const MAILS_MAX: u32 = 20;
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// What a mail tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum About {
    /// A record was no event.
    Rejected,
    /// A message came to this state.
    Message(State),
    /// A due time has passed.
    Deadline(ClockKind),
}

/// A mail as it is kept. The case and what happened are there where the event itself is not stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matter {
    pub about: About,
    #[serde(default)]
    pub findings: Vec<Finding>,
    #[serde(default)]
    pub case: Option<String>,
    #[serde(default)]
    pub kind: Option<EventType>,
    #[serde(default)]
    pub occurred_at: Option<Timestamp>,
}

/// The first mail of a source that waits.
#[derive(Debug, Clone)]
pub struct Mail {
    pub source: Name,
    /// The same on each try.
    pub id: String,
    pub at: Timestamp,
    /// How often it was tried before.
    pub tries: u32,
    pub content: Content,
}

/// What stands in it.
#[derive(Debug, Clone)]
pub enum Content {
    One(Box<Personal<Matter>>),
    /// It does not open; nothing waits for it.
    Unread,
    /// So many more since then than may be mailed in an hour.
    More(u64, Timestamp),
}

impl Store {
    /// From now on mails are written for these sources, and no others; what waits for others is dropped.
    pub async fn set_mailed(&self, sources: Vec<Name>) -> Result<(), StoreFault> {
        self.write(move |db| {
            for known in db.list("SELECT name FROM mail_source", values![], |row| row.get::<String>(0))? {
                if !sources.iter().any(|source| source.as_str() == known) {
                    db.execute("DELETE FROM mail_source WHERE name = ?1", values![&known])?;
                    db.execute("DELETE FROM mail WHERE source = ?1", values![&known])?;
                }
            }
            for source in &sources {
                db.execute("INSERT INTO mail_source (name) VALUES (?1) ON CONFLICT DO NOTHING", values![source.as_str()])?;
            }
            Ok(())
        })
        .await
    }

    /// The mail of a source that may be tried now. A time beyond `latest` is from a clock that went ahead.
    pub fn next_mail(&self, source: &Name, now: Timestamp, latest: Timestamp) -> Result<Option<Mail>, StoreFault> {
        self.read(|db| {
            let sql = "SELECT since, given, tries, next_at FROM mail_source WHERE name = ?1";
            let Some(row) = db.one(sql, values![source.as_str()])? else { return Ok(None) };
            let (since, given, tries, next_at): (Timestamp, u32, u32, Timestamp) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            if next_at > now && next_at <= latest {
                return Ok(None);
            }
            if given >= MAILS_MAX {
                if !has_ended(since, now) {
                    return Ok(None);
                }
                let sql = "SELECT COUNT(*) FROM mail WHERE source = ?1 AND at < ?2";
                let more: u64 = db.one(sql, values![source.as_str(), since + HOUR])?.map_or(Ok(0), |row| row.get(0))?;
                if more > 0 {
                    let id = format!("{source}-{}", since.as_millisecond());
                    return Ok(Some(Mail { source: source.clone(), id, at: since, tries, content: Content::More(more, since) }));
                }
            }
            let sql = "SELECT m.id, m.at, m.body, e.body, e.key, e.version, e.kind, e.occurred_at
                 FROM mail m LEFT JOIN event e ON e.id = m.event_id WHERE m.source = ?1 ORDER BY m.at, m.id LIMIT 1";
            let Some(row) = db.one(sql, values![source.as_str()])? else { return Ok(None) };
            let content = match matter(db, &row) {
                Ok(matter) => Content::One(Box::new(matter)),
                Err(StoreFault::Damaged { .. }) => Content::Unread,
                Err(fault) => return Err(fault),
            };
            Ok(Some(Mail { source: source.clone(), id: row.get(0)?, at: row.get(1)?, tries, content }))
        })
    }

    /// Whether the next mail of its source is ours until then.
    pub async fn lease_mail(&self, mail: &Mail, until: Timestamp) -> Result<bool, StoreFault> {
        let (source, tries) = (mail.source.clone(), mail.tries);
        let sql = "UPDATE mail_source SET tries = tries + 1, next_at = ?3 WHERE name = ?1 AND tries = ?2";
        self.write(move |db| Ok(db.execute(sql, values![source.as_str(), tries, until])? == 1)).await
    }

    /// It has been given, and counts.
    pub async fn mail_given(&self, mail: &Mail, now: Timestamp) -> Result<(), StoreFault> {
        let (source, id, more) = (mail.source.clone(), mail.id.clone(), matches!(mail.content, Content::More(..)));
        let at = mail.at;
        self.write(move |db| {
            let source = source.as_str();
            if more {
                db.execute("DELETE FROM mail WHERE source = ?1 AND at < ?2", values![source, at + HOUR])?;
            } else {
                db.execute("DELETE FROM mail WHERE id = ?1", values![&id])?;
            }
            let since = db.one("SELECT since FROM mail_source WHERE name = ?1", values![source])?.map(|row| row.get(0)).transpose()?;
            let anew = since.is_none_or(|since| has_ended(since, now));
            let sql = "UPDATE mail_source SET tries = 0, next_at = 0, given = CASE WHEN ?2 = 1 THEN 1 ELSE given + 1 END,
                 since = CASE WHEN ?2 = 1 THEN ?3 ELSE since END WHERE name = ?1";
            db.execute(sql, values![source, i64::from(anew), now]).map(drop)
        })
        .await
    }

    /// The next of the source is tried at that time; what waits since before the other is given up. Gives how many those are.
    pub async fn put_off_mail(&self, source: &Name, next_at: Timestamp, before: Timestamp) -> Result<u64, StoreFault> {
        let source = source.clone();
        self.write(move |db| {
            db.execute("UPDATE mail_source SET next_at = ?2 WHERE name = ?1", values![source.as_str(), next_at])?;
            let old = db.execute("DELETE FROM mail WHERE source = ?1 AND at < ?2", values![source.as_str(), before])?;
            Ok(u64::try_from(old).unwrap_or_default())
        })
        .await
    }

    /// How many wait in sources whose first has been tried so often.
    pub fn stuck_mails(&self, tries: u32) -> Result<u64, StoreFault> {
        let sql = "SELECT COUNT(*) FROM mail JOIN mail_source ON mail_source.name = mail.source WHERE mail_source.tries >= ?1";
        self.read(|db| db.one(sql, values![tries])?.map_or(Ok(0), |row| row.get(0)))
    }
}

/// The hour that is counted from then; also where the clock has been set back.
fn has_ended(since: Timestamp, now: Timestamp) -> bool {
    now >= since + HOUR || now < since
}

/// What is kept, completed from its event.
fn matter(db: &dyn Db, row: &Row) -> Result<Personal<Matter>, StoreFault> {
    let damaged = || StoreFault::Damaged { table: "mail" };
    let kept = MAIL_BODY.open(db, row, 2, &[0])?.ok_or_else(damaged)?;
    let mut matter: Matter = serde_json::from_slice(&kept).map_err(|_| damaged())?;
    if let Some(event) = EVENT_BODY.open(db, row, 3, &[4, 5])? {
        let event: Value = serde_json::from_slice(&event).map_err(|_| damaged())?;
        matter.case = event["episodeRef"]["caseId"].as_str().map(str::to_owned);
        // A due time is the case's, not the event's.
        if !matches!(matter.about, About::Deadline(_)) {
            matter.kind = EventType::parse(&row.get::<String>(6)?);
            matter.occurred_at = row.maybe(7)?;
        }
    }
    Ok(Personal::new(matter))
}

/// A message has come to a state in which it does not leave, from another or from none: one mail for an event, however many destinations it has.
pub(super) fn of_delivery(
    db: &dyn Db,
    sealer: &Sealer<'_>,
    (message, destination): (&str, &str),
    before: Option<&str>,
    findings: &[Finding],
    at: Timestamp,
) -> Result<(), StoreFault> {
    let sql = "SELECT d.event_id, d.state, e.source FROM delivery d JOIN event e ON e.id = d.event_id
         JOIN mail_source s ON s.name = e.source WHERE d.message_id = ?1 AND d.destination = ?2";
    let Some(row) = db.one(sql, values![message, destination])? else { return Ok(()) };
    let (event, state): (i64, String) = (row.get(0)?, row.get(1)?);
    if before == Some(&state) {
        return Ok(());
    }
    let Some(state @ (State::Withheld | State::Held | State::Refused)) = State::parse(&state) else { return Ok(()) };
    let matter = matter_of(About::Message(state), findings);
    write(db, sealer, &row.get::<String>(2)?, &json!([event, state.code()]), Some(event), &matter, at)
}

/// A due time has passed: told to every source of the episode that is mailed, by the latest event that it gave.
pub(super) fn of_ring(db: &dyn Db, sealer: &Sealer<'_>, ring: &Ring) -> Result<(), StoreFault> {
    if ring.alarm.step == 0 || !matches!(ring.rung, alarm::Rung::Opened | alarm::Rung::Worse) {
        return Ok(());
    }
    let subject = ring.alarm.subject.as_str();
    let mut words = subject.split(' ');
    let (Some(episode), Some(clock)) = (words.next(), words.next().and_then(ClockKind::parse)) else { return Ok(()) };
    let sql = "SELECT MAX(e.id), e.source FROM event e JOIN mail_source s ON s.name = e.source WHERE e.episode_id = ?1 GROUP BY e.source";
    for (event, source) in db.list(sql, values![episode], |row| Ok((row.get::<i64>(0)?, row.get::<String>(1)?)))? {
        write(db, sealer, &source, &json!([subject, source]), Some(event), &matter_of(About::Deadline(clock), &[]), ring.at)?;
    }
    Ok(())
}

/// A record was refused whole.
#[expect(clippy::disallowed_methods, reason = "the case number is kept sealed, for those who gave it")]
pub(super) fn of_rejected(db: &dyn Db, sealer: &Sealer<'_>, rejected: &Rejected, at: Timestamp) -> Result<(), StoreFault> {
    let source = rejected.source.as_str();
    if db.one("SELECT 1 FROM mail_source WHERE name = ?1", values![source])?.is_none() {
        return Ok(());
    }
    let case = rejected.case.as_ref().map(|case| case.disclose().clone());
    let Rejected { kind, occurred_at, findings, .. } = rejected;
    let matter = Matter { case, kind: *kind, occurred_at: *occurred_at, ..matter_of(About::Rejected, findings) };
    write(db, sealer, source, &json!([rejected.reference.as_str(), findings_json(findings)]), None, &matter, at)
}

fn matter_of(about: About, findings: &[Finding]) -> Matter {
    Matter { about, findings: findings.to_vec(), case: None, kind: None, occurred_at: None }
}

/// Its id follows from what it tells of and when.
fn write(
    db: &dyn Db,
    sealer: &Sealer<'_>,
    source: &str,
    of: &Value,
    event: Option<i64>,
    matter: &Matter,
    at: Timestamp,
) -> Result<(), StoreFault> {
    let of = json!([of, at.as_millisecond()]).to_string();
    let id = Uuid::new_v5(&Uuid::new_v5(&Uuid::NAMESPACE_DNS, b"vardbro.mail"), of.as_bytes()).to_string();
    let body = Personal::new(serde_json::to_vec(matter).map_err(|_| StoreFault::Damaged { table: "mail" })?);
    let body = sealer.seal(&MAIL_BODY, values![&id], &body)?;
    let sql = "INSERT INTO mail (id, source, at, event_id, body) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
    db.execute(sql, values![&id, source, at, event, body]).map(drop)
}
