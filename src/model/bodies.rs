//! The bodies of the messages: one group of fields per type, with the code lists they use.
//!
//! Fields follow the settled contract; every field says in Swedish and English what it is.

use super::ids::HsaId;
use super::shape::{List, Phone, Text, codes, group};
use jiff::{Timestamp, civil::Date};

codes! {
    /// Kind of municipal or regional service (RIV-TA `TypeOfCareServiceEnum`).
    ServiceKind {
        Hsjv = "HSJV": "Hemsjukvård", "Home health care";
        Htj = "HTJ": "Hemtjänst", "Home help service";
        Lss = "LSS": "Insats enligt LSS", "Service under the disability act (LSS)";
        Svtj = "SVTJ": "Specialistvårdstjänst", "Specialist care service";
        Sabo = "SABO": "Särskilt boende", "Special housing";
    }
}

codes! {
    /// How the person lives.
    Housing {
        Ordinary = "ordinary": "Ordinärt boende", "Ordinary housing";
        Sabo = "sabo": "Särskilt boende", "Special housing";
        ShortTerm = "shortTerm": "Korttidsboende", "Short-term stay";
        Lss = "lss": "Bostad med särskild service (LSS)", "Housing with special service (LSS)";
        Other = "other": "Annat", "Other";
    }
}

codes! {
    /// Status of a checklist item.
    ItemStatus {
        Klar = "klar": "Klar", "Done";
        Pagar = "pagar": "Pågår", "In progress";
        Saknas = "saknas": "Saknas", "Missing";
        EjAktuell = "ej_aktuell": "Ej aktuell", "Not applicable";
        Okand = "okand": "Okänd", "Unknown";
    }
}

codes! {
    /// The three parties of a care transition.
    Party {
        Sv = "SV": "Slutenvård", "Inpatient care";
        Ov = "OV": "Öppenvård", "Outpatient care (region)";
        K = "K": "Kommun", "Municipality";
    }
}

codes! {
    /// Whether the municipality can receive the patient.
    CanReceive {
        Can = "can": "Kan ta emot", "Can receive";
        Cannot = "cannot": "Kan inte ta emot", "Cannot receive";
    }
}

codes! {
    /// How the municipality receives the patient.
    ReceivingForm {
        Home = "home": "I hemmet", "At home";
        ShortTerm = "shortTerm": "Korttidsplats", "Short-term place";
        Residence = "residence": "Särskilt boende", "Special housing";
        Alternating = "alternating": "Växelvård", "Alternating care";
    }
}

codes! {
    /// Why the municipality cannot receive the patient.
    Obstacle {
        NoPlace = "noPlace": "Plats saknas", "No place free";
        Staffing = "staffing": "Bemanning saknas", "Staff lacking";
        Aids = "aids": "Hjälpmedel saknas", "Aids lacking";
        Medicine = "medicine": "Läkemedel eller ordination saknas", "Medicine or prescription lacking";
        Planning = "planning": "Planering inte klar", "Planning not finished";
        Other = "other": "Annat", "Other";
    }
}

codes! {
    /// Speciality of a ward.
    Specialty {
        Somatik = "somatik": "Somatik", "Somatic care";
        Psykiatri = "psykiatri": "Psykiatri", "Psychiatric care";
    }
}

codes! {
    /// Where a patient is discharged to, or lives after discharge.
    Destination {
        Home = "home": "Hemmet", "Home";
        ShortTerm = "shortTerm": "Korttidsplats", "Short-term place";
        Residence = "residence": "Särskilt boende", "Special housing";
        Alternating = "alternating": "Växelvård", "Alternating care";
        OtherHospital = "otherHospital": "Annat sjukhus", "Other hospital";
        Deceased = "deceased": "Avliden", "Deceased";
        Other = "other": "Annat", "Other";
    }
}

codes! {
    /// Whether a medicine dispenser (läkemedelsautomat) is used.
    MedicineDispenser {
        None = "none": "Nej", "No";
        InUse = "inUse": "Används", "In use";
        Planned = "planned": "Planeras", "Planned";
    }
}

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
    /// A professional who answers for the planning.
    Professional {
        hsa_id "hsaId": HsaId = "HSA-id", "HSA-id";
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

/// A checklist item's code, `CL01`: letters and digits, named by the rules in use.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemCode(String);

impl ItemCode {
    pub fn parse(text: &str) -> Option<Self> {
        let formed = text.len() == 4 && text.starts_with("CL") && text[2..].bytes().all(|b| b.is_ascii_digit());
        formed.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
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

impl super::shape::Part for ItemCode {
    const SHAPE: super::shape::Shape = super::shape::Shape::Text { max: 4 };
    fn read(node: &super::node::Node, r: &mut super::shape::Reader) -> Option<Self> {
        let text = r.plain_text(node)?;
        Self::parse(text).or_else(|| r.problem(node.at, super::shape::ProblemKind::UnknownCode { allowed: vec!["CL01 … CL99"] }))
    }
    fn write(&self, name: &'static str, out: &mut dyn super::shape::Sink) {
        out.text(name, &self.0);
    }
}
