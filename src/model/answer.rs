//! What is known after a try to deliver.

use super::state::{ReceiptReason, ReceiptStatus};
use crate::model::finding::Finding;
use std::time::Duration;

/// The answer to one transmission. Not knowing is an answer of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A receipt for this message.
    Receipt { status: ReceiptStatus, retryable: bool, reason: Option<ReceiptReason>, findings: Vec<Finding> },
    /// A success without a receipt, where the destination gives none.
    Accepted,
    /// Taken in; the receipt comes later. The receiver may say how long to wait before it is asked for.
    Pending { retry_after: Option<Duration> },
    /// Asked for a message's receipt, the receiver does not know of it.
    Absent,
    /// The receiver has it already; `proved` where it shows our content hash.
    Conflict { proved: bool },
    /// Refused for good, without a receipt.
    Refused { status: u16 },
    /// Failed at the receiver; the message may or may not have been the cause.
    ServerError { status: u16 },
    /// A status that means nothing to us.
    Unexpected { status: u16 },
    /// The way to the receiver is closed: nothing is wrong with the message, and it has not been taken in.
    RouteDown { fault: RouteFault, retry_after: Option<Duration> },
    /// Sent, and no answer: the receiver may have it.
    Lost,
    /// An answer that is not a receipt of ours.
    BadReceipt,
    /// A receipt for another message.
    ForeignReceipt,
    /// Whoever was to carry it on has given up; whether its receiver has it, nobody knows.
    Undelivered,
    /// It does not fit into the wire, so it was not sent.
    Unfit,
}

/// Why the way is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteFault {
    Connect,
    Dns,
    /// The receiver's certificate is not trusted.
    Tls,
    /// Ours was not.
    ClientCertificate,
    Status(u16),
}

impl Answer {
    /// Whether the receiver may have what was sent by now; where it was only asked, whether it has shown that it has.
    pub fn discloses(&self, sent: bool) -> bool {
        match self {
            // What was carried no further has left all the same.
            Self::Receipt { .. } | Self::Accepted | Self::Pending { .. } | Self::Conflict { .. } | Self::Undelivered => true,
            // Whoever answers with a status has read the request, or may have.
            Self::RouteDown { fault: RouteFault::Status(_), .. }
            | Self::Refused { .. }
            | Self::ServerError { .. }
            | Self::Unexpected { .. }
            | Self::Lost
            | Self::BadReceipt
            | Self::ForeignReceipt => sent,
            Self::RouteDown { .. } | Self::Absent | Self::Unfit => false,
        }
    }

    /// One word for logs and the store.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Receipt { status, .. } => status.code(),
            Self::Accepted => "accepted",
            Self::Pending { .. } => "pending",
            Self::Absent => "absent",
            Self::Conflict { .. } => "conflict",
            Self::Refused { .. } => "refused",
            Self::ServerError { .. } => "serverError",
            Self::Unexpected { .. } => "unexpected",
            Self::RouteDown { .. } => "routeDown",
            Self::Lost => "lost",
            Self::BadReceipt => "badReceipt",
            Self::ForeignReceipt => "foreignReceipt",
            Self::Undelivered => "undelivered",
            Self::Unfit => "unfit",
        }
    }
}
