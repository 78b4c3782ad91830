//! Bodies of the municipality's messages, and the groups that only they use.

use super::{
    CallAnswer, CanReceive, EndReason, GoalStatus, Housing, Invited, ItemCode, ItemStatus, MedicineDispenser, Obstacle, Participant, Party,
    PlanKind, Professional, Provider, ReceivingForm, RequestReason, RiskArea, ServiceKind, StaffRole, Urgency,
};
use crate::model::ids::HsaId;
use crate::model::shape::{List, Phone, Text, group};
use jiff::{Timestamp, civil::Date};

group! {
    /// An ongoing service.
    Service {
        kind "kind": ServiceKind = "Slag av insats", "Kind of service";
        extent "extent": Text<200> = "Omfattning", "Extent";
        start "start": Option<Date> = "Startdatum", "Start date";
    }
}

group! {
    /// The patient's named contact in the municipality (fast omsorgskontakt).
    CareContact {
        name "name": Text<200> = "Namn på fast omsorgskontakt", "Name of the care contact";
        hsa_id "hsaId": Option<HsaId> = "HSA-id", "HSA-id";
        phone "phone": Phone = "Telefon", "Telephone";
    }
}

group! {
    /// Who receives the patient.
    Receiver {
        name "name": Text<200> = "Mottagarens namn", "Name of the receiver";
        phone "phone": Phone = "Mottagarens telefon", "Telephone of the receiver";
    }
}

group! {
    /// One item of the checklist.
    ChecklistEntry {
        code "code": ItemCode = "Punktens kod i checklistan", "Code of the item in the checklist";
        status "status": ItemStatus = "Status", "Status";
        reason "reason": Option<Text<400>> = "Orsak; krävs när punkten inte är aktuell", "Reason; demanded where the item is not applicable";
        by "by": Option<HsaId> = "Vem som satte status", "Who set the status";
        at "at": Option<Timestamp> = "När status sattes", "When the status was set";
        share "share": Option<Party> = "Vilken ägares del det gäller när flera äger punkten", "Whose share it is where several own the item";
    }
}

group! {
    /// K-PU, the municipality's planning data.
    PlanningData {
        services "services": List<Service, 0> = "Pågående insatser och omfattning; tom lista när inga pågår", "Ongoing services and their extent; an empty list where there are none";
        adl_before "adlBefore": Text<2000> = "ADL-status före inskrivning", "Activities of daily living before admission";
        aids "aids": Option<Text<2000>> = "Hjälpmedel", "Aids";
        housing "housing": Housing = "Boendeform", "Housing";
        care_contact "careContact": Option<CareContact> = "Fast omsorgskontakt", "Named care contact";
        nurse "nurse": Professional = "Ansvarig sjuksköterska", "Nurse in charge";
        case_officer "caseOfficer": Option<Professional> = "Biståndshandläggare", "Case officer";
        guardian "guardian": Option<Text<400>> = "God man eller annan ställföreträdare", "Guardian or other representative";
        risks "risks": Option<Text<2000>> = "Kända risker", "Known risks";
        keys_and_alarm "keysAndAlarm": Option<Text<400>> = "Nycklar och larm", "Keys and alarm";
        medicine_dispenser "medicineDispenser": Option<MedicineDispenser> = "Läkemedelsautomat", "Medicine dispenser";
    }
}

group! {
    /// K-CL, status of the municipality's checklist items.
    ChecklistUpdate {
        list_version "listVersion": Text<60> = "Checklistans version", "Version of the checklist";
        items "items": List<ChecklistEntry, 1> = "Punkter", "Items";
    }
}

group! {
    /// K-HT, whether the municipality can receive the patient.
    TakeHome {
        answer "answer": CanReceive = "Besked", "Answer";
        from "from": Option<Timestamp> = "Från och med", "From when";
        form "form": ReceivingForm = "Mottagandets form", "Form of the reception";
        services_start "servicesStart": Option<Timestamp> = "När insatserna börjar", "When the services begin";
        receiver "receiver": Receiver = "Mottagare", "Receiver";
        obstacle_code "obstacleCode": Option<Obstacle> = "Hinder när kommunen inte kan ta emot", "Obstacle where the municipality cannot receive";
    }
}

group! {
    /// A service that the person has when sent in.
    PresentService {
        kind "kind": ServiceKind = "Slag av insats", "Kind of service";
        extent "extent": Option<Text<200>> = "Omfattning", "Extent";
    }
}

group! {
    /// The next of kin, at the sending-in.
    Relative {
        name "name": Text<200> = "Den närståendes namn", "Name of the next of kin";
        phone "phone": Phone = "Den närståendes telefon", "Telephone of the next of kin";
        informed "informed": bool = "Den närstående är informerad", "The next of kin has been informed";
    }
}

group! {
    /// K-VB, request for care when the municipality sends a person to hospital.
    CareRequest {
        contact_reason "contactReason": Text<2000> = "Kontaktorsak", "Reason for the contact";
        last_24h "last24h": Text<2000> = "Senaste dygnet", "The last 24 hours";
        housing "housing": Housing = "Boendeform", "Housing";
        services "services": List<PresentService, 0> = "Pågående insatser; tom lista när inga pågår", "Ongoing services; an empty list where there are none";
        adl "adl": Text<2000> = "ADL-förmåga", "Activities of daily living";
        communication "communication": Text<2000> = "Kommunikation", "Communication";
        medication_list_sent "medicationListSent": bool = "Läkemedelslista medföljer", "The list of medicines is sent along";
        dose_packaging "dosePackaging": bool = "Dosdispenserade läkemedel", "Dose-dispensed medicines";
        medicine_dispenser "medicineDispenser": Option<MedicineDispenser> = "Läkemedelsautomat", "Medicine dispenser";
        infection "infection": Option<Text<2000>> = "Smitta", "Infection";
        allergy "allergy": Option<Text<2000>> = "Överkänslighet", "Hypersensitivity";
        aids_sent "aidsSent": Option<Text<2000>> = "Hjälpmedel som medföljer", "Aids that are sent along";
        relative "relative": Option<Relative> = "Närstående", "Next of kin";
        contact_phone "contactPhone": Phone = "Kommunens telefon, dygnet runt", "The municipality's telephone, day and night";
    }
}

group! {
    /// K-SV, answer to a call to a coordinated planning.
    CallReply {
        answer "answer": CallAnswer = "Svar", "Answer";
        participants "participants": List<Participant, 0> = "Deltagare från kommunen; tom lista när ingen kommer", "Participants from the municipality; an empty list where nobody comes";
        proposed_at "proposedAt": Option<Timestamp> = "Föreslagen tid", "Proposed time";
    }
}

group! {
    /// A measure of a plan.
    Measure {
        what "what": Text<2000> = "Vad som ska göras", "What is to be done";
        provider "provider": Provider = "Huvudman", "Provider (huvudman)";
        responsible "responsible": Text<200> = "Ansvarig", "Responsible";
        start "start": Option<Date> = "Startdatum", "Start date";
    }
}

group! {
    /// K-SIP, the municipality's part of the plan.
    PlanPart {
        kind "kind": PlanKind = "Slag av plan", "Kind of plan";
        goals "goals": List<Text<2000>, 1> = "Behov och mål", "Needs and goals";
        measures "measures": List<Measure, 1> = "Insatser", "Measures";
        other_measures "otherMeasures": Option<Text<2000>> = "Åtgärder av någon annan än regionen eller kommunen", "Measures by someone other than the region or the municipality";
        main_responsible "mainResponsible": Provider = "Huvudman med det övergripande ansvaret", "Provider with the main responsibility";
        follow_up_date "followUpDate": Date = "Uppföljningsdatum", "Date of the follow-up";
    }
}

group! {
    /// One assessed risk.
    Assessment {
        method "method": RiskArea = "Vad som bedömdes", "What was assessed";
        result "result": Text<2000> = "Resultat", "Result";
        action "action": Option<Text<2000>> = "Åtgärd", "Action";
    }
}

group! {
    /// Who made an assessment.
    Assessor {
        hsa_id "hsaId": HsaId = "HSA-id", "HSA-id";
    }
}

group! {
    /// K-RB, assessment of risks.
    RiskAssessment {
        assessments "assessments": List<Assessment, 1> = "Bedömningar", "Assessments";
        assessor "assessor": Assessor = "Den som bedömde", "Who assessed";
        assessed_on "assessedOn": Date = "Dag då bedömningen gjordes", "Day of the assessment";
    }
}

group! {
    /// One of the staff of the home health care.
    Staff {
        role "role": StaffRole = "Roll", "Role";
        hsa_id "hsaId": Option<HsaId> = "HSA-id", "HSA-id";
        phone "phone": Phone = "Telefon", "Telephone";
    }
}

group! {
    /// K-HI, enrolled in home health care.
    Enrolment {
        start_date "startDate": Date = "Startdatum", "Start date";
        responsibility "responsibility": Text<2000> = "Vad kommunen ansvarar för", "What the municipality answers for";
        staff "staff": List<Staff, 1> = "Ansvarig personal", "Staff in charge";
        contact_phone "contactPhone": Phone = "Kontakttelefon", "Telephone for contact";
        medicine_taken_over "medicineTakenOver": bool = "Läkemedelsansvaret är övertaget", "The responsibility for medicines has been taken over";
        medicine_dispenser "medicineDispenser": Option<MedicineDispenser> = "Läkemedelsautomat", "Medicine dispenser";
    }
}

group! {
    /// K-HA, home health care has ended.
    EnrolmentEnd {
        end_date "endDate": Date = "Slutdatum", "End date";
        reason_code "reasonCode": EndReason = "Orsak till att hemsjukvården avslutas", "Reason why the home health care ends";
        handed_to "handedTo": Text<200> = "Vem som tar över ansvaret", "Who takes over the responsibility";
    }
}

group! {
    /// A report in the order situation, background, assessment, recommendation.
    Sbar {
        situation "situation": Text<2000> = "Situation", "Situation";
        background "background": Text<2000> = "Bakgrund", "Background";
        assessment "assessment": Text<2000> = "Aktuellt tillstånd", "Assessment";
        recommendation "recommendation": Text<2000> = "Rekommendation", "Recommendation";
    }
}

group! {
    /// K-OB, request to the health centre.
    CentreRequest {
        reason_code "reasonCode": RequestReason = "Vad begäran gäller", "What the request is about";
        urgency "urgency": Urgency = "Angelägenhetsgrad", "Urgency";
        sbar "sbar": Sbar = "Rapport enligt SBAR", "Report as SBAR";
        answer_by "answerBy": Timestamp = "Svar önskas senast", "Answer wanted by";
    }
}

group! {
    /// K-KS, the municipality's call to a coordinated planning.
    MunicipalCall {
        purpose "purpose": Text<2000> = "Syfte med mötet", "Purpose of the meeting";
        meeting_at "meetingAt": Timestamp = "Mötestid", "Time of the meeting";
        place "place": Option<Text<400>> = "Plats", "Place";
        video "video": Option<Text<400>> = "Länk till videomöte", "Link to the video meeting";
        participants "participants": List<Invited, 1> = "Kallade", "Who is called";
    }
}

group! {
    /// A goal at the follow-up.
    GoalOutcome {
        goal "goal": Text<2000> = "Mål", "Goal";
        status "status": GoalStatus = "Måluppfyllelse", "What became of the goal";
    }
}

group! {
    /// K-UF, a plan is followed up.
    FollowUp {
        plan_id "planId": Text<200> = "Planens id", "Id of the plan";
        goals "goals": List<GoalOutcome, 1> = "Målen", "The goals";
        next_date "nextDate": Option<Date> = "Nästa uppföljning", "Next follow-up";
        closed "closed": bool = "Planen är avslutad", "The plan is closed";
    }
}
