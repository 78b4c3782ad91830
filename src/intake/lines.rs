//! The lines that tell of intake's work.

use crate::alarm::{self, Alarm, Kind, Ring, Subject};
use crate::check;
use crate::episode::{Rung, Told};
use crate::fault::Code;
use crate::model::episode::ClockKind;
use crate::model::finding::Finding;
use crate::model::ids::{EpisodeId, MessageId};
use crate::model::keyed::Ref;
use crate::model::name::Name;
use crate::model::state::State;
use crate::oplog::{Event, Level, Line, Reason};
use crate::store::NewDelivery;
use jiff::Timestamp;

/// A line about an episode, and the event that moved it if one did.
pub(super) fn of_episode(at: Timestamp, level: Level, event: Event, episode: EpisodeId, key: Option<&Ref>) -> Line {
    let mut line = Line::new(at, level, event);
    line.event_ref = key.cloned();
    line.episode_id = Some(episode);
    line
}

/// The line of a state that a delivery has come to.
pub(super) fn of_fate(at: Timestamp, episode: EpisodeId, key: &Ref, message: MessageId, destination: &Name, state: State) -> Line {
    let (event, level) = match state {
        State::Withheld => (Event::MessageWithheld, Level::Warn),
        State::Held => (Event::MessageHeld, Level::Warn),
        State::Refused => (Event::MessageRefused, Level::Error),
        State::Resolved => (Event::MessageShadowed, Level::Info),
        State::Superseded => (Event::MessageSuperseded, Level::Info),
        State::Withdrawn => (Event::MessageWithdrawn, Level::Info),
        State::Expired => (Event::MessageExpired, Level::Warn),
        _ => (Event::MessageReleased, Level::Info),
    };
    let mut line = of_episode(at, level, event, episode, Some(key));
    line.message_id = Some(message);
    line.destination = Some(destination.clone());
    line.state = Some(state);
    line
}

pub(super) fn of_delivery(at: Timestamp, episode: EpisodeId, key: &Ref, delivery: &NewDelivery) -> Line {
    let mut line = of_fate(at, episode, key, delivery.message, &delivery.destination, delivery.state);
    line.code = first_code(&delivery.findings);
    line
}

/// The line of an alarm; its code is the rule that the due time belongs to.
pub(super) fn of_alarm(at: Timestamp, episode: EpisodeId, kind: ClockKind, rung: Rung) -> Line {
    let (event, level) = match rung {
        Rung::Near => (Event::DeadlineNear, Level::Warn),
        Rung::Overdue => (Event::DeadlinePassed, Level::Error),
        Rung::Still => (Event::DeadlineStill, Level::Error),
        Rung::Closed => (Event::DeadlineClosed, Level::Info),
    };
    let mut line = of_episode(at, level, event, episode, None);
    line.code = Some(rule_of(kind));
    line.reason = Some(Reason::Word(kind.code()));
    line
}

fn rule_of(kind: ClockKind) -> &'static str {
    match kind {
        ClockKind::Payment => "PAY-1",
        ClockKind::Checklist => "CHK-1",
        ClockKind::Risk | ClockKind::Plan => "SIP-1",
        _ => Code::ChkDeadline.id(),
    }
}

/// The same for whoever is told outside the log.
pub(super) fn ring_of(at: Timestamp, episode: EpisodeId, told: &Told) -> Ring {
    let rung = match told.rung {
        Rung::Overdue if told.was_open => alarm::Rung::Worse,
        Rung::Near | Rung::Overdue => alarm::Rung::Opened,
        Rung::Still => alarm::Rung::Still,
        Rung::Closed => alarm::Rung::Closed,
    };
    let step = u32::from(told.overdue);
    let alarm = Alarm { cause: rule_of(told.kind).to_owned(), step, ..Alarm::new(Kind::Deadline, Subject::due(episode, &told.key)) };
    Ring { since: told.opened_at, ..Ring::of(rung, alarm, at) }
}

/// The first finding's code as a word of ours.
pub(super) fn first_code(findings: &[Finding]) -> Option<&'static str> {
    let code = &findings.first()?.code;
    Code::parse(code).map(Code::id).or_else(|| check::rules::RuleId::parse(code).map(check::rules::RuleId::as_str))
}
