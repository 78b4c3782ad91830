//! The bodies of the messages: one group of fields per type, with the code lists they use.
//!
//! Fields follow the settled contract; every field says in Swedish and English what it is.

mod codes;
mod municipality;
mod region;

pub use codes::*;
pub use municipality::*;
pub use region::*;

use super::ids::HsaId;
use super::shape::{Phone, Text, group};
use jiff::Timestamp;

group! {
    /// A unit by its HSA-id.
    UnitRef {
        hsa_id "hsaId": HsaId = "Enhetens HSA-id", "HSA-id of the unit";
    }
}

group! {
    /// A ward.
    Ward {
        hsa_id "hsaId": HsaId = "Avdelningens HSA-id", "HSA-id of the ward";
        name "name": Text<200> = "Avdelningens namn", "Name of the ward";
        specialty "specialty": Specialty = "Avdelningens specialitet", "Speciality of the ward";
    }
}

group! {
    /// A professional who answers for the planning.
    Professional {
        hsa_id "hsaId": HsaId = "HSA-id", "HSA-id";
        phone "phone": Phone = "Telefon", "Telephone";
    }
}

group! {
    /// A person who takes part in a planning meeting.
    Participant {
        role "role": Text<100> = "Roll", "Role";
        hsa_id "hsaId": Option<HsaId> = "HSA-id", "HSA-id";
    }
}

group! {
    /// Someone who is called to a planning meeting.
    Invited {
        party "party": Party = "Part", "Party";
        role "role": Text<100> = "Roll", "Role";
        hsa_id "hsaId": Option<HsaId> = "HSA-id", "HSA-id";
    }
}

group! {
    /// K-PM, K-AD, R-PM and R-MB, a note in words.
    Note {
        category "category": NoteCategory = "Vad meddelandet gäller", "What the note is about";
        text "text": Text<4000> = "Meddelandets text", "Text of the note";
        answer_to "answerTo": Option<Text<200>> = "Id på den fråga som besvaras", "Id of the question that is answered";
    }
}

group! {
    /// K-KV and R-AK, a person's acknowledgement; `refTo` says of what.
    Acknowledgement {
        unit "unit": UnitRef = "Enhet som kvitterar", "Unit that acknowledges";
        role "role": Option<Text<100>> = "Roll", "Role";
        at "at": Timestamp = "När", "When";
    }
}

group! {
    /// K-AV and R-AV, the process is broken off.
    Interruption {
        reason_code "reasonCode": InterruptionReason = "Orsak till avbrottet", "Reason for the interruption";
        at "at": Timestamp = "När", "When";
    }
}

group! {
    /// K-MK and R-MK, a message is void; `refTo` says which, and it may come before what it voids.
    Voiding {
        reason_code "reasonCode": VoidReason = "Orsak till makuleringen", "Reason why it is void";
    }
}
