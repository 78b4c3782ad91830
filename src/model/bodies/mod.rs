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
