//! What follows from an answer. Pure: no clock, no store, no randomness.

use crate::fault::Code;
use crate::model::answer::{Answer, RouteFault};
use crate::model::state::{ReceiptStatus, State};
use jiff::Timestamp;
use std::time::Duration;

/// The bounds of delivery to one destination.
#[derive(Debug, Clone)]
pub struct Policy {
    pub max_attempts: u32,
    pub max_age: Duration,
    pub receipt_deadline: Duration,
    pub retry_base: Duration,
    pub retry_cap: Duration,
    /// Longest pause between probes of a closed route.
    pub probe_cap: Duration,
    pub lease: Duration,
    /// Most transmissions at once.
    pub in_flight: usize,
}

/// A receiver may ask for a longer pause, within this.
pub(super) const RETRY_AFTER_MAX: Duration = Duration::from_mins(15);

/// How often and since when a delivery has been tried.
#[derive(Debug, Clone, Copy)]
pub struct Tries {
    /// Number of this try, from 1; from 1 again where a person has sent it again.
    pub attempt: u32,
    pub released_at: Timestamp,
    pub now: Timestamp,
    /// The route failed with this message before, and has worked with others since.
    pub suspect: bool,
}

/// How a delivery goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The fate is settled.
    End { state: State, code: Option<Code> },
    /// Set aside for a person.
    Park { code: Code },
    /// Sent again after about this long, under the same id.
    Again { code: Code, after: Duration },
    /// The receipt comes later; until then the lane is held. Asked for after so long.
    Wait { after: Duration },
    /// Nothing is wrong with the message: it waits for its route, and the try does not count.
    Route { code: Code, retry_after: Option<Duration> },
}

/// What an answer says of the route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteNews {
    /// It leads to the receiver.
    Works,
    Down {
        code: Code,
        retry_after: Option<Duration>,
    },
    /// Says nothing: a message may be lost on a good route, and a time-out opens none.
    Silent,
}

pub fn decide(answer: &Answer, tries: Tries, policy: &Policy) -> Next {
    let again = |code: Code| retry(code, tries, policy);
    match answer {
        Answer::Receipt { status: ReceiptStatus::Accepted | ReceiptStatus::AcceptedWithErrors, .. }
        | Answer::Accepted
        | Answer::Conflict { proved: true } => Next::End { state: State::Accepted, code: None },
        Answer::Receipt { status: ReceiptStatus::Rejected, retryable: true, .. } => again(Code::DlvRejected),
        Answer::Receipt { status: ReceiptStatus::Rejected, .. } => Next::End { state: State::Rejected, code: Some(Code::DlvRejected) },
        Answer::Refused { .. } => Next::End { state: State::Rejected, code: Some(Code::DlvRefused) },
        Answer::Conflict { proved: false } => Next::Park { code: Code::DlvConflict },
        // Nobody asks with a message, so that it is absent is as odd an answer as any.
        Answer::Unexpected { .. } | Answer::Absent => Next::Park { code: Code::DlvUnexpected },
        Answer::Undelivered => Next::Park { code: Code::DlvUndelivered },
        Answer::Unfit => Next::Park { code: Code::DlvUnfit },
        Answer::Pending { retry_after } => Next::Wait { after: ask_after(Duration::ZERO, *retry_after, policy) },
        Answer::ServerError { .. } => again(Code::DlvServerError),
        Answer::Lost => again(Code::DlvLost),
        Answer::BadReceipt => again(Code::DlvReceipt),
        Answer::ForeignReceipt => again(Code::DlvReceiptOther),
        // What others get through, this one closes again and again: it is the message, not the route.
        Answer::RouteDown { fault, .. } if tries.suspect => again(route_code(*fault)),
        Answer::RouteDown { .. } if too_old(tries, policy) => Next::Park { code: Code::DlvAge },
        Answer::RouteDown { fault, retry_after } => Next::Route { code: route_code(*fault), retry_after: *retry_after },
    }
}

/// What follows where the receiver has the message and was asked for its receipt. Whatever is no receipt changes nothing: it is
/// asked for again until there is no time `left`. An outage is not the message's, and a question says nothing of the route.
pub fn decide_asked(answer: &Answer, waited: Duration, left: Duration, tries: Tries, policy: &Policy) -> Next {
    match answer {
        Answer::Receipt { .. } | Answer::Conflict { .. } | Answer::Undelivered => decide(answer, tries, policy),
        _ if left.is_zero() => Next::Park { code: Code::DlvReceiptOverdue },
        Answer::Pending { retry_after } | Answer::RouteDown { retry_after, .. } => {
            Next::Wait { after: ask_after(waited, *retry_after, policy).min(left) }
        }
        _ => Next::Wait { after: ask_after(waited, None, policy).min(left) },
    }
}

/// What follows where the outcome of a try is unknown and the message was looked up before it is sent again. None: the
/// receiver does not have it, so it is sent.
pub fn decide_doubt(answer: &Answer, tries: Tries, policy: &Policy) -> Option<Next> {
    match answer {
        Answer::Absent => None,
        // A status may be about this question alone; a connection that cannot be made is the route's.
        Answer::RouteDown { fault: RouteFault::Status(_), .. } => Some(retry(Code::DlvLookUp, tries, policy)),
        Answer::Receipt { .. } | Answer::Conflict { .. } | Answer::Pending { .. } | Answer::Undelivered | Answer::RouteDown { .. } => {
            Some(decide(answer, tries, policy))
        }
        // Sending without knowing is what the look-up is there to avoid.
        _ => Some(retry(Code::DlvLookUp, tries, policy)),
    }
}

/// The pause before a receipt is asked for: half of what has been waited already, within bounds.
fn ask_after(waited: Duration, retry_after: Option<Duration>, policy: &Policy) -> Duration {
    let pause = (waited / 2).clamp(policy.retry_base, policy.retry_base.max(policy.probe_cap));
    retry_after.map_or(pause, |asked| asked.clamp(pause, RETRY_AFTER_MAX.max(pause)))
}

pub fn route_news(answer: &Answer, suspect: bool) -> RouteNews {
    match answer {
        Answer::RouteDown { .. } if suspect => RouteNews::Silent,
        Answer::RouteDown { fault, retry_after } => RouteNews::Down { code: route_code(*fault), retry_after: *retry_after },
        Answer::Lost | Answer::Unfit => RouteNews::Silent,
        _ => RouteNews::Works,
    }
}

fn retry(code: Code, tries: Tries, policy: &Policy) -> Next {
    if too_old(tries, policy) {
        return Next::Park { code: Code::DlvAge };
    }
    if tries.attempt >= policy.max_attempts {
        return Next::Park { code: Code::DlvAttempts };
    }
    let doublings = tries.attempt.saturating_sub(1).min(20);
    Next::Again { code, after: policy.retry_base.saturating_mul(1 << doublings).min(policy.retry_cap) }
}

fn too_old(tries: Tries, policy: &Policy) -> bool {
    tries.now.duration_since(tries.released_at).as_secs() >= i64::try_from(policy.max_age.as_secs()).unwrap_or(i64::MAX)
}

fn route_code(fault: RouteFault) -> Code {
    match fault {
        RouteFault::Connect | RouteFault::Dns => Code::DlvConnect,
        RouteFault::Tls => Code::DlvTls,
        RouteFault::ClientCertificate => Code::DlvClientCertificate,
        RouteFault::Status(300..=399) => Code::DlvRedirect,
        RouteFault::Status(404) => Code::DlvNotFound,
        RouteFault::Status(401 | 403 | 407) => Code::DlvAuth,
        RouteFault::Status(_) => Code::DlvBusy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        Policy {
            max_attempts: 4,
            max_age: Duration::from_hours(1),
            receipt_deadline: Duration::from_mins(10),
            retry_base: Duration::from_secs(2),
            retry_cap: Duration::from_mins(15),
            probe_cap: Duration::from_mins(1),
            lease: Duration::from_mins(2),
            in_flight: 16,
        }
    }

    fn tries(attempt: u32, age_s: i64) -> Tries {
        let released_at = Timestamp::UNIX_EPOCH;
        Tries { attempt, released_at, now: Timestamp::from_second(age_s).expect("good"), suspect: false }
    }

    #[test]
    fn a_lost_answer_is_sent_again_with_growing_pauses_and_parked_at_the_end() {
        let pauses: Vec<Next> = (1..=4).map(|n| decide(&Answer::Lost, tries(n, 10), &policy())).collect();
        let again = |s| Next::Again { code: Code::DlvLost, after: Duration::from_secs(s) };
        assert_eq!(pauses, [again(2), again(4), again(8), Next::Park { code: Code::DlvAttempts }]);
        assert_eq!(decide(&Answer::Lost, tries(1, 3600), &policy()), Next::Park { code: Code::DlvAge });
    }

    #[test]
    fn a_refusal_is_never_sent_again_and_never_dropped() {
        for status in [400, 405, 410, 413, 415, 422] {
            let next = decide(&Answer::Refused { status }, tries(1, 0), &policy());
            assert_eq!(next, Next::End { state: State::Rejected, code: Some(Code::DlvRefused) });
        }
    }

    #[test]
    fn a_route_fault_costs_the_message_nothing_until_it_is_too_old() {
        let down = Answer::RouteDown { fault: RouteFault::Status(503), retry_after: None };
        assert_eq!(decide(&down, tries(99, 10), &policy()), Next::Route { code: Code::DlvBusy, retry_after: None });
        assert_eq!(decide(&down, tries(1, 3600), &policy()), Next::Park { code: Code::DlvAge });
    }

    #[test]
    fn a_message_that_alone_meets_a_closed_door_pays_for_itself_and_closes_no_route() {
        let forbidden = Answer::RouteDown { fault: RouteFault::Status(403), retry_after: None };
        let suspect = Tries { suspect: true, ..tries(1, 10) };
        assert_eq!(decide(&forbidden, suspect, &policy()), Next::Again { code: Code::DlvAuth, after: Duration::from_secs(2) });
        assert_eq!(decide(&forbidden, Tries { attempt: 4, ..suspect }, &policy()), Next::Park { code: Code::DlvAttempts });
        assert_eq!(route_news(&forbidden, true), RouteNews::Silent);
    }

    #[test]
    fn a_receipt_is_asked_for_less_and_less_often_until_there_is_no_time_left() {
        let pending = Answer::Pending { retry_after: None };
        let asked = |waited, left, answer: &Answer| {
            decide_asked(answer, Duration::from_secs(waited), Duration::from_secs(left), tries(1, 10), &policy())
        };
        let pauses: Vec<Next> = [0, 10, 60, 600].map(|waited| asked(waited, 1_000, &pending)).into();
        assert_eq!(pauses, [2, 5, 30, 60].map(|s| Next::Wait { after: Duration::from_secs(s) }));
        assert_eq!(asked(590, 10, &pending), Next::Wait { after: Duration::from_secs(10) }, "never past the deadline");
        let down = Answer::RouteDown { fault: RouteFault::Connect, retry_after: None };
        for answer in [&pending, &Answer::Absent, &Answer::Lost, &Answer::BadReceipt, &Answer::ForeignReceipt, &down] {
            assert!(matches!(asked(10, 100, answer), Next::Wait { .. }), "{answer:?} says nothing of the message");
            assert_eq!(asked(600, 0, answer), Next::Park { code: Code::DlvReceiptOverdue });
        }
    }

    #[test]
    fn what_is_in_doubt_is_sent_only_if_the_receiver_does_not_have_it() {
        let doubt = |answer: &Answer| decide_doubt(answer, tries(2, 10), &policy());
        assert_eq!(doubt(&Answer::Absent), None);
        assert!(matches!(doubt(&Answer::Pending { retry_after: None }), Some(Next::Wait { .. })));
        let again = Some(Next::Again { code: Code::DlvLookUp, after: Duration::from_secs(4) });
        let closed = Answer::RouteDown { fault: RouteFault::Status(503), retry_after: None };
        for unclear in [closed, Answer::Lost, Answer::BadReceipt, Answer::ServerError { status: 500 }, Answer::Refused { status: 400 }] {
            assert_eq!(doubt(&unclear), again, "{unclear:?}");
        }
    }

    #[test]
    fn only_a_proved_conflict_is_a_delivery() {
        assert!(matches!(decide(&Answer::Conflict { proved: true }, tries(1, 0), &policy()), Next::End { state: State::Accepted, .. }));
        assert_eq!(decide(&Answer::Conflict { proved: false }, tries(1, 0), &policy()), Next::Park { code: Code::DlvConflict });
    }
}
