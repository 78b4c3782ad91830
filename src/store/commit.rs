//! What intake commits: event, episode, deliveries, changes and journal, as one.

use super::alarms::follow;
use super::db::{Db, Row, Value, values};
use super::mails;
use super::queue::UNANSWERED;
use super::seal::{DOCUMENT, EPISODE_BODY, EVENT_BODY, EVENT_ORIGIN, SUBJECT, Sealer};
use super::{Answers, Change, ChangeTo, Committed, Entry, EpisodeWrite, NewDelivery, NewEvent, Release, Store, StoreFault, audit};
use crate::model::finding::Finding;
use crate::model::ids::{EpisodeId, MessageId};
use crate::model::keyed::Ref;
use crate::model::name::Name;
use crate::model::state::State;
use crate::oplog::{Event, Level, Line};
use jiff::Timestamp;

impl Store {
    /// Commits a batch of entries in their order, each whole or not at all. For a thread that may wait.
    pub fn commit(&self, entries: Vec<Entry>) -> Result<Vec<Committed>, StoreFault> {
        let committed = self.write_blocking(move |db| {
            // In one order in every process, so that two never wait for each other.
            let mut episodes: Vec<String> =
                entries.iter().filter_map(|entry| entry.episode.as_ref()).map(|episode| episode.id.to_string()).collect();
            episodes.sort_unstable();
            episodes.dedup();
            for episode in &episodes {
                db.lock_episode(episode)?;
            }
            let sealer = Sealer::hold(db)?;
            let mut out = Vec::with_capacity(entries.len());
            let mut audits = Vec::new();
            for entry in &entries {
                db.batch("SAVEPOINT entry")?;
                let done = write_entry(db, &sealer, entry);
                match done {
                    Ok(Some(lines)) => {
                        db.batch("RELEASE entry")?;
                        audits.extend(entry.answers.as_ref().and_then(|answers| answers.audit.clone()));
                        out.push(Committed::Done(lines));
                    }
                    Ok(None) => {
                        db.batch("ROLLBACK TO entry; RELEASE entry")?;
                        out.push(Committed::Conflict);
                    }
                    Err(fault) => return Err(fault),
                }
            }
            audit::append(db, &sealer, &audits)?;
            Ok(out)
        })?;
        self.ring();
        Ok(committed)
    }
}

/// None: computed from something that is no longer so.
fn write_entry(db: &dyn Db, sealer: &Sealer<'_>, entry: &Entry) -> Result<Option<Vec<Line>>, StoreFault> {
    let mut lines = entry.lines.clone();
    if let Some(episode) = &entry.episode
        && !write_episode(db, sealer, episode, entry.at)?
    {
        return Ok(None);
    }
    if let Some(event) = &entry.event {
        let Some(event_id) = write_event(db, sealer, event)? else { return Ok(None) };
        for delivery in &entry.deliveries {
            if !write_delivery(db, sealer, (event_id, event), delivery, entry.at)? {
                return Ok(None);
            }
        }
    }
    for change in &entry.changes {
        match apply(db, sealer, change, entry.at)? {
            Applied::Yes => lines.extend(change.line.clone()),
            Applied::No => {}
            Applied::Conflict => return Ok(None),
        }
    }
    if let (Some(findings), Some(episode)) = (&entry.hold, &entry.episode) {
        lines.extend(hold_untried(db, sealer, episode.id, findings, entry.at)?);
    }
    for line in &lines {
        write_line(db, line)?;
    }
    for ring in &entry.alarms {
        follow(db, ring)?;
        mails::of_ring(db, sealer, ring)?;
    }
    if let Some(rejected) = &entry.rejected {
        mails::of_rejected(db, sealer, rejected, entry.at)?;
    }
    if let Some(Answers { request, outcome, .. }) = &entry.answers {
        let rows = db.execute(
            "UPDATE request SET done_at = ?2, outcome = ?3 WHERE id = ?1 AND done_at IS NULL",
            values![*request, entry.at, outcome],
        )?;
        if rows == 0 {
            return Ok(None);
        }
    }
    Ok(Some(lines))
}

fn write_episode(db: &dyn Db, sealer: &Sealer<'_>, episode: &EpisodeWrite, at: Timestamp) -> Result<bool, StoreFault> {
    let (id, from) = (episode.id.to_string(), episode.from);
    let look_at = episode.look_at;
    let body = sealer.seal(&EPISODE_BODY, values![&id], &episode.body)?;
    let rows = if from == 0 {
        db.execute(
            "INSERT INTO episode (id, version, phase, rules, body, opened_at, changed_at, look_at) VALUES (?1, 1, ?2, ?3, ?4, ?5, ?5, ?6)
             ON CONFLICT DO NOTHING",
            values![&id, episode.phase.code(), &episode.rules, body, at, look_at],
        )?
    } else {
        db.execute("UPDATE episode SET version = version + 1, phase = ?3, rules = ?4, body = ?5, changed_at = ?6, look_at = ?7 WHERE id = ?1 AND version = ?2", values![&id, from, episode.phase.code(), &episode.rules, body, at, look_at])?
    };
    if let Some(patient) = &episode.patient {
        db.execute(
            "INSERT INTO episode_patient (patient, episode_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            values![patient.as_str(), &id],
        )?;
    }
    Ok(rows == 1)
}

fn write_event(db: &dyn Db, sealer: &Sealer<'_>, event: &NewEvent) -> Result<Option<i64>, StoreFault> {
    let place = values![event.key.as_str(), event.version];
    let row = db.one(
        "INSERT INTO event (key, version, hash, kind, episode_id, source, origin, body, occurred_at, received_at, findings, mapping)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT DO NOTHING RETURNING id",
        values![
            event.key.as_str(),
            event.version,
            event.hash,
            event.kind.code(),
            event.episode.to_string(),
            event.source.as_str(),
            sealer.seal(&EVENT_ORIGIN, place, &event.origin)?,
            sealer.seal(&EVENT_BODY, place, &event.body)?,
            event.occurred_at,
            event.received_at,
            findings_json(&event.findings),
            &event.mapping,
        ],
    )?;
    row.map(|row| row.get(0)).transpose()
}

fn write_delivery(
    db: &dyn Db,
    sealer: &Sealer<'_>,
    (id, event): (i64, &NewEvent),
    delivery: &NewDelivery,
    at: Timestamp,
) -> Result<bool, StoreFault> {
    let episode = event.episode;
    let place = values![delivery.message.to_string(), delivery.destination.as_str()];
    let in_lane = delivery.state.in_lane();
    let ends = delivery.state.is_end();
    let head = in_lane && lane_is_free(db, &episode.to_string(), delivery.destination.as_str())?;
    let release = delivery.release.as_ref();
    let rows = db.execute("INSERT INTO delivery (message_id, destination, event_id, episode_id, kind, version, state, rules, rules_hash, open, head, sequence,
                document, content_hash, next_at, code, findings, created_at, released_at, settled_at, useful_until, subject, doubt)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?15, ?18, ?19, ?20, ?22,
                CASE WHEN EXISTS (SELECT 1 FROM restored WHERE doubt_until > ?21) THEN 1 ELSE 0 END) ON CONFLICT DO NOTHING", values![
            delivery.message.to_string(),
            delivery.destination.as_str(),
            id,
            episode.to_string(),
            delivery.kind.code(),
            delivery.version,
            delivery.state.code(),
            &delivery.rules,
            &delivery.rules_hash,
            in_lane,
            head,
            release.map(|release| release.sequence),
            sealer.maybe(&DOCUMENT, place, release.map(|release| release.checked.content()))?,
            release.map(|release| *release.checked.hash().as_bytes()),
            at,
            first_code(&delivery.findings),
            findings_json(&delivery.findings),
            release.map(|_| at),
            ends.then_some(at),
            delivery.useful_until,
            event.occurred_at,
            sealer.maybe(&SUBJECT, place, release.map(|release| &release.subject))?,
        ])?;
    if release.is_none() {
        mails::of_delivery(db, sealer, (&delivery.message.to_string(), delivery.destination.as_str()), None, &delivery.findings, at)?;
    }
    Ok(rows == 1)
}

enum Applied {
    Yes,
    No,
    Conflict,
}

fn apply(db: &dyn Db, sealer: &Sealer<'_>, change: &Change, at: Timestamp) -> Result<Applied, StoreFault> {
    let message = change.message.to_string();
    let found = db.one(
        "SELECT id, episode_id, state FROM delivery WHERE message_id = ?1 AND destination = ?2",
        values![&message, change.destination.as_str()],
    )?;
    let Some(found) = found else { return Ok(Applied::Conflict) };
    let (delivery, episode, before): (i64, String, String) = (found.get(0)?, found.get(1)?, found.get(2)?);
    let destination = change.destination.as_str();
    let applied = match &change.to {
        ChangeTo::Release { release: written, shadow } => {
            let place = values![change.message.to_string(), destination];
            let document = sealer.seal(&DOCUMENT, place, written.checked.content())?;
            let subject = sealer.seal(&SUBJECT, place, &written.subject)?;
            release(db, delivery, (&episode, destination), (written, document, subject), *shadow, at)?
        }
        ChangeTo::End { state, findings } => {
            let rows = db.execute(
                "UPDATE delivery SET state = ?2, open = 0, head = 0, next_at = NULL, settled_at = ?3, code = ?4, findings = ?5
                     WHERE id = ?1 AND (state IN ('WITHHELD', 'HELD') OR (state = 'SCHEDULED' AND attempts = 0 AND last_answer IS NULL AND doubt = 0))",
                values![delivery, state.code(), at, first_code(findings), findings_json(findings)],
            )?;
            if rows == 0 {
                return Ok(Applied::No);
            }
            promote(db, &episode, destination)?;
            mails::of_delivery(db, sealer, (&message, destination), Some(&before), findings, at)?;
            Applied::Yes
        }
        ChangeTo::Withdraw(findings) => {
            let rows = db.execute("UPDATE delivery SET state = 'WITHDRAWN', open = 0, head = 0, next_at = NULL, settled_at = ?2, code = ?3, findings = ?4
                     WHERE id = ?1 AND (state IN ('WITHHELD', 'HELD', 'PARKED') OR (state = 'SCHEDULED' AND attempts = 0 AND last_answer IS NULL AND doubt = 0))", values![delivery, at, first_code(findings), findings_json(findings)])?;
            if rows == 0 {
                return Ok(Applied::Conflict);
            }
            promote(db, &episode, destination)?;
            Applied::Yes
        }
        ChangeTo::Resend { from } => resend(db, delivery, (&episode, destination), *from, at)?,
        ChangeTo::Resolve { from, findings } => {
            let rows = db.execute(
                "UPDATE delivery SET state = 'RESOLVED', open = 0, head = 0, next_at = NULL, settled_at = ?2, code = ?3, findings = ?4
                     WHERE id = ?1 AND state = ?5
                     AND (state IN ('WITHHELD', 'HELD', 'PARKED') OR (state IN ('SCHEDULED', 'SCHEDULED_FOR_RESEND') AND attempts = 0 AND doubt = 0))",
                values![delivery, at, first_code(findings), findings_json(findings), from.code()],
            )?;
            if rows == 0 {
                return Ok(Applied::Conflict);
            }
            promote(db, &episode, destination)?;
            Applied::Yes
        }
        ChangeTo::Hold(findings) => {
            db.execute(
                "UPDATE delivery SET state = 'HELD', code = ?2, findings = ?3 WHERE id = ?1 AND state IN ('WITHHELD', 'HELD')",
                values![delivery, first_code(findings), findings_json(findings)],
            )?;
            mails::of_delivery(db, sealer, (&message, destination), Some(&before), findings, at)?;
            Applied::Yes
        }
        ChangeTo::StillWithheld(findings) => {
            db.execute(
                "UPDATE delivery SET code = ?2, findings = ?3 WHERE id = ?1 AND state = 'WITHHELD'",
                values![delivery, first_code(findings), findings_json(findings)],
            )?;
            Applied::Yes
        }
    };
    raise_outcome(db, delivery)?;
    Ok(applied)
}

fn release(
    db: &dyn Db,
    delivery: i64,
    (episode, destination): (&str, &str),
    (release, document, subject): (&Release, Value, Value),
    shadow: bool,
    at: Timestamp,
) -> Result<Applied, StoreFault> {
    let state = if shadow { State::Resolved } else { State::Scheduled };
    let head = !shadow && lane_is_free(db, episode, destination)?;
    let rows = db.execute("UPDATE delivery SET state = ?2, open = ?8, head = ?3, sequence = ?4, document = ?5, content_hash = ?6, next_at = ?7, released_at = ?7,
                settled_at = ?9, code = NULL, findings = '[]', subject = ?10 WHERE id = ?1 AND state IN ('WITHHELD', 'HELD')", values![
            delivery,
            state.code(),
            head,
            release.sequence,
            document,
            release.checked.hash().as_bytes(),
            at,
            !shadow,
            shadow.then_some(at),
            subject,
        ])?;
    Ok(if rows == 1 { Applied::Yes } else { Applied::Conflict })
}

/// Back into its lane, before what has higher numbers. What is under way there goes on; it is not sent again before this one has left.
fn resend(db: &dyn Db, delivery: i64, (episode, destination): (&str, &str), from: State, at: Timestamp) -> Result<Applied, StoreFault> {
    // Whether a parked message arrived is not known: where the receiver can be asked, it is asked first. An answer that it gave
    // before would only be given again.
    let doubt = (from == State::Parked).then_some(UNANSWERED);
    let rows = db.execute(
        "UPDATE delivery SET state = 'SCHEDULED', open = 1, head = 0, next_at = ?3, released_at = ?3, settled_at = NULL, attempts_before = attempts,
             last_answer = ?4, lease_token = NULL, lease_until = NULL, receipt_by = NULL, receipt_at = NULL, code = NULL, findings = '[]'
             WHERE id = ?1 AND state = ?2 AND state IN ('PARKED', 'REJECTED', 'ACCEPTED') AND sequence IS NOT NULL AND purged_at IS NULL",
        values![delivery, from.code(), at, doubt],
    )?;
    if rows == 0 {
        return Ok(Applied::Conflict);
    }
    db.execute("UPDATE delivery SET head = 0 WHERE head = 1 AND episode_id = ?1 AND destination = ?2", values![episode, destination])?;
    promote(db, episode, destination)?;
    Ok(Applied::Yes)
}

/// Takes out of its lanes what has met nothing but a closed door, if anything. Its document is written anew when a person lets it go.
fn hold_untried(
    db: &dyn Db,
    sealer: &Sealer<'_>,
    episode: EpisodeId,
    findings: &[Finding],
    at: Timestamp,
) -> Result<Vec<Line>, StoreFault> {
    let held = db.query(
        "UPDATE delivery SET state = 'HELD', open = 0, head = 0, next_at = NULL, code = ?2, findings = ?3
         WHERE episode_id = ?1 AND state IN ('SCHEDULED', 'SCHEDULED_FOR_RESEND') AND attempts = 0 RETURNING id, message_id, destination",
        values![episode.to_string(), first_code(findings), findings_json(findings)],
    )?;
    let read = |row: &Row| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let mut held: Vec<(i64, String, String)> = held.iter().map(read).collect::<Result<_, StoreFault>>()?;
    // As they were made: databases give back what they changed in any order.
    held.sort_unstable();
    let mut lines = Vec::new();
    for (delivery, message, destination) in held {
        promote(db, &episode.to_string(), &destination)?;
        raise_outcome(db, delivery)?;
        mails::of_delivery(db, sealer, (&message, &destination), None, findings, at)?;
        let mut line = Line::new(at, Level::Warn, Event::MessageHeld);
        line.episode_id = Some(episode);
        line.message_id = uuid::Uuid::try_parse(&message).ok().map(MessageId);
        line.destination = Name::parse(&destination);
        line.state = Some(State::Held);
        lines.push(line);
    }
    Ok(lines)
}

fn first_code(findings: &[Finding]) -> Option<&str> {
    findings.first().map(|finding| finding.code.as_str())
}

/// The source has something new to hear about the event behind a delivery.
pub(super) fn raise_outcome(db: &dyn Db, delivery: i64) -> Result<(), StoreFault> {
    db.execute("UPDATE event SET outcome = outcome + 1 WHERE id = (SELECT event_id FROM delivery WHERE id = ?1)", values![delivery])?;
    Ok(())
}

fn lane_is_free(db: &dyn Db, episode: &str, destination: &str) -> Result<bool, StoreFault> {
    let taken =
        db.one("SELECT 1 FROM delivery WHERE open = 1 AND episode_id = ?1 AND destination = ?2 LIMIT 1", values![episode, destination])?;
    Ok(taken.is_none())
}

/// Makes the first of a lane its head. Harmless where it is already.
pub(super) fn promote(db: &dyn Db, episode: &str, destination: &str) -> Result<(), StoreFault> {
    db.execute("UPDATE delivery SET head = 1 WHERE head = 0 AND id = (SELECT id FROM delivery WHERE open = 1 AND episode_id = ?1 AND destination = ?2
            ORDER BY sequence LIMIT 1)", values![episode, destination])?;
    Ok(())
}

pub(super) fn findings_json(findings: &[Finding]) -> String {
    serde_json::to_string(findings).unwrap_or_else(|_| "[]".to_owned())
}

pub(super) fn write_line(db: &dyn Db, line: &Line) -> Result<(), StoreFault> {
    db.execute("INSERT INTO journal (at, event, code, state, event_ref, episode_id, message_id, destination, line) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)", values![
            line.at,
            line.event.code(),
            line.code,
            line.state.map(State::code),
            line.event_ref.as_ref().map(Ref::as_str),
            line.episode_id.map(|id| id.to_string()),
            line.message_id.map(|id| id.to_string()),
            line.destination.as_ref().map(crate::model::name::Name::as_str),
            line.json(),
        ])?;
    Ok(())
}
