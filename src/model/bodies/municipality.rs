//! Bodies of the municipality's messages, and the groups that only they use.

use super::{
    CanReceive, Housing, ItemCode, ItemStatus, MedicineDispenser, Obstacle, Party, Professional, ReceivingForm, ServiceKind, UnitRef,
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
    /// K-KV, a person's acknowledgement of a message from the region.
    Acknowledgement {
        unit "unit": UnitRef = "Enhet som kvitterar", "Unit that acknowledges";
        role "role": Option<Text<100>> = "Roll", "Role";
        at "at": Timestamp = "När", "When";
    }
}
