//! A receipt that comes by itself, after the answer to its message: what it does. Pure.
//!
//! The first receipt stands. One that contradicts it is kept beside it and told of; a message that was set aside for want of a
//! receipt is settled by it all the same.

use super::attempt::findings_of;
use super::decide::Policy;
use crate::fault::Code;
use crate::model::answer::Answer;
use crate::model::ids::MessageId;
use crate::model::name::Name;
use crate::model::personal::Personal;
use crate::model::receipt::Receipt;
use crate::model::state::{ReceiptStatus, State};
use crate::oplog::{Event, Level, Line};
use crate::store::{Attempt, Sent, Weighed};
use crate::transport::answer_of;
use jiff::Timestamp;

/// Why a receipt was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    NotSent,
    OtherContent,
}

/// Whether the receipt belongs to what was sent.
pub fn fits(sent: &Sent, receipt: &Receipt) -> Result<(), Refused> {
    if !sent.has_left {
        return Err(Refused::NotSent);
    }
    match (receipt.content_hash, sent.hash) {
        (Some(theirs), Some(ours)) if theirs != ours => Err(Refused::OtherContent),
        _ => Ok(()),
    }
}

/// What a receipt does that [`fits`]. `bytes` are the receipt's own.
pub fn weigh(sent: &Sent, receipt: &Receipt, bytes: &Personal<Vec<u8>>, destination: &Name, now: Timestamp, policy: &Policy) -> Weighed {
    let answer = answer_of(receipt);
    let rejected = receipt.status == ReceiptStatus::Rejected;
    let again = matches!(answer, Answer::Receipt { retryable: true, .. });
    let says = if rejected { State::Rejected } else { State::Accepted };
    let to = match sent.state {
        state if state.in_lane() && again => Some(State::ScheduledForResend),
        // Set aside already: a person decides when it is sent again.
        State::Parked if again => None,
        state if state.in_lane() || state == State::Parked => Some(says),
        _ => None,
    };
    let code = match to {
        Some(State::Accepted) => None,
        Some(_) => Some(Code::DlvRejected),
        None => (sent.state != says).then_some(Code::DlvContradicted),
    };
    let attempt = Attempt {
        envelope: receipt.envelope,
        started_at: now,
        duration_ms: 0,
        answer: answer.word(),
        disclosed: true,
        code: code.map(Code::id),
        http_status: None,
        receipt: Some(bytes.clone()),
    };
    // The same once more says nothing new.
    let is_new = to.is_some() || code.is_some();
    Weighed {
        to,
        next_at: (to == Some(State::ScheduledForResend)).then(|| now + policy.retry_base),
        code: code.map(Code::id),
        findings: findings_of(Some(&answer), says, code),
        attempt: is_new.then_some(attempt),
        at: now,
        line: is_new.then(|| line(sent, receipt.message, destination, now, to, code)),
    }
}

fn line(sent: &Sent, message: MessageId, destination: &Name, now: Timestamp, to: Option<State>, code: Option<Code>) -> Line {
    let (level, event) = match to {
        Some(State::Accepted) => (Level::Info, Event::DeliveryAccepted),
        Some(State::Rejected) => (Level::Warn, Event::DeliveryRejected),
        Some(_) => (Level::Warn, Event::DeliveryResend),
        None => (Level::Warn, Event::ReceiptContradicted),
    };
    let mut line = Line::new(now, level, event);
    line.code = code.map(Code::id);
    line.message_id = Some(message);
    line.event_ref = Some(sent.event_ref.clone());
    line.episode_id = Some(sent.episode);
    line.destination = Some(destination.clone());
    line.state = Some(to.unwrap_or(sent.state));
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::EpisodeId;
    use crate::model::keyed::{Domain, ReferenceKey};
    use crate::model::receipt::ContentHash;
    use std::time::Duration;
    use uuid::Uuid;

    fn sent(state: State) -> Sent {
        let event_ref = ReferenceKey::new(&[7; 32]).reference(Domain::Event, &[&Personal::new("E-1".to_owned())]);
        Sent { state, episode: EpisodeId(Uuid::nil()), event_ref, has_left: true, hash: Some(ContentHash::of(b"ours")) }
    }

    fn receipt(status: ReceiptStatus, retryable: bool) -> Receipt {
        Receipt {
            id: Uuid::nil(),
            created_at: Timestamp::UNIX_EPOCH,
            message: MessageId(Uuid::nil()),
            envelope: None,
            content_hash: Some(ContentHash::of(b"ours")),
            status,
            retryable: Some(retryable),
            reason: None,
            errors: Vec::new(),
            log_id: None,
        }
    }

    fn weighed(state: State, status: ReceiptStatus, retryable: bool) -> (Option<State>, Option<&'static str>) {
        let policy = Policy {
            max_attempts: 4,
            max_age: Duration::from_hours(1),
            receipt_deadline: Duration::from_mins(10),
            retry_base: Duration::from_secs(2),
            retry_cap: Duration::from_mins(15),
            probe_cap: Duration::from_mins(1),
            lease: Duration::from_mins(2),
            in_flight: 16,
        };
        let region = Name::parse("region").expect("a name");
        let bytes = Personal::new(Vec::new());
        let weighed = weigh(&sent(state), &receipt(status, retryable), &bytes, &region, Timestamp::UNIX_EPOCH, &policy);
        (weighed.to, weighed.code)
    }

    #[test]
    fn the_first_receipt_settles_and_stands() {
        use ReceiptStatus::{Accepted, AcceptedWithErrors, Rejected};
        let contradicted = Some(Code::DlvContradicted.id());
        for state in [State::WaitingForReceipt, State::Submitted, State::ScheduledForResend, State::Parked] {
            assert_eq!(weighed(state, Accepted, false), (Some(State::Accepted), None), "{state:?}");
            assert_eq!(weighed(state, Rejected, false), (Some(State::Rejected), Some(Code::DlvRejected.id())), "{state:?}");
        }
        assert_eq!(weighed(State::Accepted, AcceptedWithErrors, false), (None, None));
        assert_eq!(weighed(State::Rejected, Rejected, false), (None, None));
        assert_eq!(weighed(State::Accepted, Rejected, false), (None, contradicted));
        assert_eq!(weighed(State::Rejected, Accepted, false), (None, contradicted));
        assert_eq!(weighed(State::Resolved, Accepted, false), (None, contradicted));
    }

    #[test]
    fn a_rejection_for_now_is_sent_again_unless_a_person_has_it() {
        let again = (Some(State::ScheduledForResend), Some(Code::DlvRejected.id()));
        assert_eq!(weighed(State::WaitingForReceipt, ReceiptStatus::Rejected, true), again);
        assert_eq!(weighed(State::Parked, ReceiptStatus::Rejected, true).0, None);
    }

    #[test]
    fn a_receipt_for_what_has_not_left_or_for_another_content_is_refused() {
        let receipt = receipt(ReceiptStatus::Accepted, false);
        assert_eq!(fits(&Sent { has_left: false, ..sent(State::Scheduled) }, &receipt), Err(Refused::NotSent));
        let other = Receipt { content_hash: Some(ContentHash::of(b"another")), ..receipt.clone() };
        assert_eq!(fits(&sent(State::Parked), &other), Err(Refused::OtherContent));
        assert_eq!(fits(&sent(State::Parked), &Receipt { content_hash: None, ..receipt }), Ok(()));
    }
}
