//! Bodies of the region's events, and the groups that only they use.

use super::{Destination, Invited, RequestAnswer, Ward, WithdrawalReason};
use crate::model::ids::HsaId;
use crate::model::shape::{List, Phone, Text, group};
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

group! {
    /// R-BU, the estimated discharge has changed.
    NewEstimate {
        estimated_discharge_at "estimatedDischargeAt": Timestamp = "Ny beräknad utskrivning", "New estimated discharge";
    }
}

group! {
    /// A unit of the region's, by id and name.
    CareUnit {
        hsa_id "hsaId": HsaId = "Enhetens HSA-id", "HSA-id of the unit";
        name "name": Option<Text<200>> = "Enhetens namn", "Name of the unit";
    }
}

group! {
    /// R-FV, the permanent care contact in outpatient care.
    ContactAppointed {
        name "name": Text<200> = "Fast vårdkontakt, namn", "Name of the permanent care contact";
        unit "unit": Option<CareUnit> = "Vårdkontaktens enhet; utan den tas meddelandet ändå emot", "The contact's unit; without it the notice is still taken in";
        phone "phone": Option<Phone> = "Vårdkontaktens telefon; utan den tas meddelandet ändå emot", "The contact's telephone; without it the notice is still taken in";
    }
}

group! {
    /// R-KS, the region's call to a coordinated planning. That it was sent has legal effect, whatever it leaves out.
    RegionalCall {
        purpose "purpose": Option<Text<2000>> = "Syfte med mötet", "Purpose of the meeting";
        meeting_at "meetingAt": Option<Timestamp> = "Mötestid; en kallelse utan tid tas ändå emot", "Time of the meeting; a call without it is still taken in";
        place "place": Option<Text<400>> = "Plats", "Place";
        video "video": Option<Text<400>> = "Länk till videomöte", "Link to the video meeting";
        participants "participants": Option<List<Invited, 0>> = "Kallade; en kallelse utan dem tas ändå emot", "Who is called; a call without them is still taken in";
    }
}

group! {
    /// R-AU, the notice of ready for discharge is withdrawn.
    ReadyWithdrawn {
        withdrawn_at "withdrawnAt": Timestamp = "Återtagen", "Withdrawn";
        reason_code "reasonCode": WithdrawalReason = "Orsak till återtagandet", "Reason for the withdrawal";
    }
}

group! {
    /// R-UM, the planned discharge.
    DischargePlanned {
        planned_discharge_at "plannedDischargeAt": Timestamp = "Planerad utskrivning", "Planned discharge";
    }
}

group! {
    /// R-UI, what those who take over need to know.
    DischargeInformation {
        summary "summary": Text<8000> = "Sammanfattning av vårdtillfället", "Summary of the stay";
        functional_state "functionalState": Option<Text<4000>> = "Hälso- och funktionstillstånd; utan det tas informationen ändå emot", "State of health and function; the information is still taken in without it";
        risk_assessment "riskAssessment": Option<Text<4000>> = "Riskbedömning", "Assessment of risks";
        medication_changes "medicationChanges": Option<Text<4000>> = "Ändrade läkemedel", "Changes of medicines";
        follow_up "followUp": Option<Text<4000>> = "Uppföljning", "Follow-up";
    }
}

group! {
    /// R-PE, the patient is on leave (permission).
    Leave {
        leave_start "leaveStart": Timestamp = "Permissionen börjar", "The leave begins";
        leave_end "leaveEnd": Option<Timestamp> = "Permissionen slutar", "The leave ends";
    }
}

group! {
    /// R-FL, the patient has been moved to another ward.
    WardTransfer {
        ward "ward": Ward = "Ny avdelning", "New ward";
    }
}

group! {
    /// R-DO, the patient has died.
    Deceased {
        deceased_at "deceasedAt": Timestamp = "Avliden", "Deceased";
    }
}

group! {
    /// R-OS, the health centre's answer or information.
    CentreAnswer {
        text "text": Text<4000> = "Svarets text", "Text of the answer";
        answer "answer": Option<RequestAnswer> = "Vad som blir av begäran", "What becomes of the request";
    }
}
