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

/// How often and since when a delivery has been tried.
#[derive(Debug, Clone, Copy)]
pub struct Tries {
    /// Number of this try, from 1.
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
    /// The receipt comes later; until then the lane is held.
    Wait { until: Duration },
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
        Answer::Unexpected { .. } => Next::Park { code: Code::DlvUnexpected },
        Answer::Pending => Next::Wait { until: policy.receipt_deadline },
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

pub fn route_news(answer: &Answer, suspect: bool) -> RouteNews {
    match answer {
        Answer::RouteDown { .. } if suspect => RouteNews::Silent,
        Answer::RouteDown { fault, retry_after } => RouteNews::Down { code: route_code(*fault), retry_after: *retry_after },
        Answer::Lost => RouteNews::Silent,
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
    fn only_a_proved_conflict_is_a_delivery() {
        assert!(matches!(decide(&Answer::Conflict { proved: true }, tries(1, 0), &policy()), Next::End { state: State::Accepted, .. }));
        assert_eq!(decide(&Answer::Conflict { proved: false }, tries(1, 0), &policy()), Next::Park { code: Code::DlvConflict });
    }
}
