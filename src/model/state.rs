//! States and answers of deliveries.

use super::shape::codes;

codes! {
    /// Where a delivery (one message to one destination) stands. Names are those of Digg's SDK API where it has them.
    State {
        New = "NEW": "Ny", "New";
        Scheduled = "SCHEDULED": "I kö", "In the queue";
        Submitted = "SUBMITTED": "Sänds nu", "Being sent";
        WaitingForReceipt = "WAITING_FOR_RECEIPT": "Väntar på kvitto", "Waiting for the receipt";
        ScheduledForResend = "SCHEDULED_FOR_RESEND": "Väntar på omsändning", "Waiting to be sent again";
        Withheld = "WITHHELD": "Undanhållen tills underlaget är komplett", "Withheld until complete";
        Held = "HELD": "Väntar på att en människa släpper den", "Held until a person releases it";
        Parked = "PARKED": "Parkerad, kräver åtgärd", "Parked, needs a hand";
        Accepted = "ACCEPTED": "Mottagen", "Accepted by the receiver";
        Rejected = "REJECTED": "Avvisad av mottagaren", "Rejected by the receiver";
        Refused = "REFUSED": "Stoppad av våra regler", "Refused by our rules";
        Superseded = "SUPERSEDED": "Ersatt av en nyare", "Superseded by a newer one";
        Withdrawn = "WITHDRAWN": "Återtagen", "Withdrawn";
        Expired = "EXPIRED": "För gammal för att vara till nytta", "Too old to be of use";
        Resolved = "RESOLVED": "Avslutad för hand", "Closed by hand";
    }
}

codes! {
    /// How a message was dealt with that a person closes.
    Handling {
        Phone = "phone": "meddelat per telefon", "told by telephone";
        Superseded = "superseded": "ersatt av något annat", "something else took its place";
        Other = "other": "på annat sätt", "in another way";
    }
}

impl State {
    /// The fate is settled.
    pub fn is_end(self) -> bool {
        use State::{Accepted, Expired, Refused, Rejected, Resolved, Superseded, Withdrawn};
        matches!(self, Accepted | Rejected | Refused | Superseded | Withdrawn | Expired | Resolved)
    }

    /// It holds its place in the lane: what comes after it waits.
    pub fn in_lane(self) -> bool {
        use State::{New, Scheduled, ScheduledForResend, Submitted, WaitingForReceipt};
        matches!(self, New | Scheduled | Submitted | WaitingForReceipt | ScheduledForResend)
    }
}

codes! {
    /// What a receipt says.
    ReceiptStatus {
        Accepted = "accepted": "Mottagen", "Accepted";
        AcceptedWithErrors = "acceptedWithErrors": "Mottagen med anmärkningar", "Accepted with remarks";
        Rejected = "rejected": "Avvisad", "Rejected";
    }
}

codes! {
    /// Family of reasons for a rejection (Digg's names).
    ReceiptReason {
        Sv = "SV": "Strukturfel", "Structure";
        Bv = "BV": "Verksamhetsregel", "Business rule";
        Sig = "SIG": "Signatur", "Signature";
    }
}
