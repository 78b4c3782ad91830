//! From a status and a body, or from a failure, to an [`Answer`].

use super::Question;
use crate::fault::Code;
use crate::model::answer::{Answer, RouteFault};
use crate::model::finding::{Effect, Finding, Layer};
use crate::model::ids::MessageId;
use crate::model::receipt::{ContentHash, Receipt};
use crate::model::state::ReceiptStatus;
use crate::wire::receipt;
use std::error::Error;
use std::time::Duration;

/// What came back over HTTP.
#[derive(Debug, Clone, Copy)]
pub struct Got<'a> {
    pub status: u16,
    pub body: &'a [u8],
    pub retry_after: Option<Duration>,
    /// The receiver says where something is.
    pub has_location: bool,
}

/// The answer to a message.
pub fn sent(got: Got<'_>, message: MessageId, hash: ContentHash, wants_receipt: bool) -> Answer {
    let Got { status, body, retry_after, .. } = got;
    match status {
        404 => Answer::RouteDown { fault: RouteFault::Status(status), retry_after },
        _ if is_closed(status) => Answer::RouteDown { fault: RouteFault::Status(status), retry_after },
        202 if wants_receipt && (got.has_location || body.is_empty()) => Answer::Pending { retry_after },
        _ => answer(status, body, message, hash, wants_receipt),
    }
}

/// The answer to a question. Where any message was looked up, an acceptance counts only if it shows our content.
pub(super) fn asked(got: Got<'_>, question: &Question) -> Answer {
    let Got { status, body, retry_after, .. } = got;
    match status {
        404 | 410 => return Answer::Absent,
        202 | 204 => return Answer::Pending { retry_after },
        _ if is_closed(status) => return Answer::RouteDown { fault: RouteFault::Status(status), retry_after },
        _ => {}
    }
    let answer = answer(status, body, question.message, question.content_hash, true);
    let Ok(receipt) = receipt::read(body) else { return answer };
    let accepts = matches!(&answer, Answer::Receipt { status, .. } if *status != ReceiptStatus::Rejected);
    let shown = receipt.content_hash == Some(question.content_hash);
    // It has something under this id, and it is not what we have.
    let another = answer == Answer::ForeignReceipt && receipt.message == question.message;
    if question.place.is_none() && ((accepts && !shown) || another) { Answer::Conflict { proved: false } } else { answer }
}

/// Statuses that say that the way is closed, whatever was wanted.
fn is_closed(status: u16) -> bool {
    matches!(status, 300..=399 | 401 | 403 | 407 | 429 | 502..=504)
}

/// Reads the body as a receipt and weighs it with the status.
fn answer(status: u16, body: &[u8], message: MessageId, hash: ContentHash, wants_receipt: bool) -> Answer {
    let success = (200..300).contains(&status);
    if success && !wants_receipt && body.is_empty() {
        return Answer::Accepted;
    }
    let receipt = receipt::read(body).ok();
    // One that accepts another content than ours accepts another message.
    let ours = receipt.as_ref().is_some_and(|receipt| {
        receipt.message == message
            && (receipt.status == ReceiptStatus::Rejected || receipt.content_hash.is_none_or(|theirs| theirs == hash))
    });
    match (status, receipt) {
        // nginx looks at our certificate after the handshake, and says so on a page.
        (400 | 495 | 496, None) if mentions(body, b"SSL certificate") => {
            Answer::RouteDown { fault: RouteFault::ClientCertificate, retry_after: None }
        }
        (409, receipt) => {
            let proved =
                receipt.is_some_and(|receipt| ours && receipt.status != ReceiptStatus::Rejected && receipt.content_hash == Some(hash));
            Answer::Conflict { proved }
        }
        (_, Some(_)) if !ours => Answer::ForeignReceipt,
        // A receipt that accepts under a status that refuses contradicts itself.
        (_, Some(receipt)) if success || receipt.status == ReceiptStatus::Rejected => verdict(&receipt),
        (200..=299, None) if wants_receipt => Answer::BadReceipt,
        (200..=299, None) => Answer::Accepted,
        _ => failed(status, None),
    }
}

/// A status that is no success, where nothing more is known.
pub(super) fn failed(status: u16, retry_after: Option<Duration>) -> Answer {
    match status {
        _ if is_closed(status) => Answer::RouteDown { fault: RouteFault::Status(status), retry_after },
        400 | 405 | 406 | 410..=422 => Answer::Refused { status },
        408 | 425 | 500..=599 => Answer::ServerError { status },
        _ => Answer::Unexpected { status },
    }
}

fn mentions(body: &[u8], words: &[u8]) -> bool {
    body.windows(words.len()).any(|window| window == words)
}

/// What the receipt says; its own texts stay in the stored receipt, for they may quote the message.
pub fn verdict(receipt: &Receipt) -> Answer {
    let effect = if receipt.status == ReceiptStatus::Rejected { Effect::Refuse } else { Effect::Warn };
    // What may be about a person stays in the stored receipt.
    let findings = receipt.errors.iter().map(|error| remark(error.code.known().unwrap_or("–"), effect)).collect();
    Answer::Receipt { status: receipt.status, retryable: receipt.retryable.unwrap_or(false), reason: receipt.reason, findings }
}

/// A remark of the receiver's by its code alone.
pub(super) fn remark(code: &str, effect: Effect) -> Finding {
    Code::DlvRejected.finding(effect, Layer::Delivery, Some((format!("kod {code}"), format!("code {code}"))))
}

/// A request that brought no answer: either it cannot have arrived, or we do not know.
///
/// In TLS 1.3 a client is done before the server has looked at its certificate, so a refusal comes as the end of a
/// connection that seemed good: with an alert, or, where hyper noticed before our request had started, without one.
pub(super) fn failure(fault: &reqwest::Error) -> Answer {
    let down = |fault| Answer::RouteDown { fault, retry_after: None };
    match tls_fault(fault) {
        Some(rustls::Error::AlertReceived(alert)) if about_our_certificate(*alert) => return down(RouteFault::ClientCertificate),
        Some(_) if fault.is_connect() => return down(RouteFault::Tls),
        _ => {}
    }
    if fault.is_connect() {
        let dns = causes(fault).any(|cause| cause.to_string().contains("dns error"));
        return down(if dns { RouteFault::Dns } else { RouteFault::Connect });
    }
    // hyper calls a request canceled only when nothing of it was sent, and such a one on an old connection is repeated.
    if causes(fault).any(|cause| cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_canceled)) {
        return down(if over_tls(fault) { RouteFault::ClientCertificate } else { RouteFault::Connect });
    }
    Answer::Lost
}

/// The connection broke in a way that swallows an alert: our certificate may have been refused, or the answer lost.
pub(super) fn unsure(fault: &reqwest::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    let broken = |cause: &(dyn Error + 'static)| {
        let io = cause.downcast_ref::<std::io::Error>();
        io.is_some_and(|io| matches!(io.kind(), BrokenPipe | ConnectionAborted | ConnectionReset))
    };
    !fault.is_connect() && over_tls(fault) && causes(fault).any(broken)
}

fn over_tls(fault: &reqwest::Error) -> bool {
    fault.url().is_some_and(|url| url.scheme() == "https")
}

/// A plain handshake failure is how servers of TLS 1.2 say that they miss a certificate.
fn about_our_certificate(alert: rustls::AlertDescription) -> bool {
    use rustls::AlertDescription as Alert;
    matches!(
        alert,
        Alert::CertificateRequired
            | Alert::NoCertificate
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied
            | Alert::DecryptError
            | Alert::HandshakeFailure
    )
}

fn tls_fault(fault: &reqwest::Error) -> Option<&rustls::Error> {
    causes(fault).find_map(tls_within)
}

/// `source` passes over what an I/O error was made from, so that is looked into by hand.
fn tls_within<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    if let Some(found) = cause.downcast_ref::<rustls::Error>() {
        return Some(found);
    }
    tls_within(cause.downcast_ref::<std::io::Error>()?.get_ref()?)
}

fn causes(fault: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    let mut next = fault.source();
    std::iter::from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_conflict_is_proved_by_our_hash_and_by_nothing_less() {
        let (message, ours) = (MessageId(Uuid::from_bytes([7; 16])), ContentHash::of(b"ours"));
        let answer = |status, content_hash, of: MessageId| {
            let receipt = Receipt {
                id: Uuid::from_bytes([1; 16]),
                created_at: jiff::Timestamp::from_second(1_773_100_000).expect("a time"),
                message: of,
                envelope: None,
                content_hash,
                status,
                retryable: None,
                reason: None,
                errors: Vec::new(),
                log_id: None,
            };
            let body = receipt::write(&receipt);
            sent(Got { status: 409, body: &body, retry_after: None, has_location: false }, message, ours, true)
        };
        let accepted = ReceiptStatus::Accepted;
        assert_eq!(answer(accepted, Some(ours), message), Answer::Conflict { proved: true });
        let doubtful = [
            answer(accepted, None, message),
            answer(accepted, Some(ContentHash::of(b"another")), message),
            answer(ReceiptStatus::Rejected, Some(ours), message),
            answer(accepted, Some(ours), MessageId(Uuid::from_bytes([8; 16]))),
        ];
        assert!(doubtful.iter().all(|answer| *answer == Answer::Conflict { proved: false }), "{doubtful:?}");
    }
}
