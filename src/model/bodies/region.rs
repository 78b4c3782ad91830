//! Bodies of the region's events, and the groups that only they use.

use super::{Destination, Ward};
use crate::model::shape::{Text, group};
use jiff::Timestamp;

group! {
    /// R-IN, admission notice.
    AdmissionNotice {
        admitted_at "admittedAt": Timestamp = "Inskriven", "Admitted";
        judged_at "judgedAt": Option<Timestamp> = "När behovet bedömdes, om senare än inskrivningen", "When the need was judged, if later than the admission";
        estimated_discharge_at "estimatedDischargeAt": Option<Timestamp> = "Beräknad utskrivning; lagstadgad, men ett meddelande utan den tas ändå emot", "Estimated discharge; statutory, yet a notice without it is still taken in";
        ward "ward": Ward = "Avdelning", "Ward";
        reason "reason": Option<Text<2000>> = "Inskrivningsorsak", "Reason for the admission";
    }
}

group! {
    /// R-UK, notice that the patient is ready for discharge.
    ReadyForDischarge {
        ready_at "readyAt": Timestamp = "Utskrivningsklar", "Ready for discharge";
        physician_judgement "physicianJudgement": bool = "Behandlande läkare har bedömt", "The treating physician has judged so";
        ward "ward": Option<Ward> = "Avdelning", "Ward";
        open_care_available "openCareAvailable": Option<bool> = "Öppenvårdens insatser finns", "Outpatient measures are available";
    }
}

group! {
    /// R-UT, the patient has been discharged.
    Discharged {
        discharged_at "dischargedAt": Timestamp = "Utskriven", "Discharged";
        discharged_to "dischargedTo": Destination = "Utskriven till", "Discharged to";
    }
}
