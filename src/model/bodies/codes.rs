//! The code lists that the bodies use. A code never changes its meaning; a new meaning is a new code.

use crate::model::shape::codes;

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

impl crate::model::shape::Part for ItemCode {
    const SHAPE: crate::model::shape::Shape = crate::model::shape::Shape::Text { max: 4 };
    fn read(node: &crate::model::node::Node, r: &mut crate::model::shape::Reader) -> Option<Self> {
        let text = r.plain_text(node)?;
        Self::parse(text).or_else(|| r.problem(node.at, crate::model::shape::ProblemKind::UnknownCode { allowed: vec!["CL01 … CL99"] }))
    }
    fn write(&self, name: &'static str, out: &mut dyn crate::model::shape::Sink) {
        out.text(name, &self.0);
    }
}

codes! {
    /// What a note is about.
    NoteCategory {
        Aids = "aids": "Hjälpmedel", "Aids";
        Medicine = "medicine": "Läkemedel", "Medicines";
        MedicineDispenser = "medicineDispenser": "Läkemedelsautomat", "Medicine dispenser";
        Services = "services": "Insatser", "Services";
        Adl = "adl": "ADL-förmåga", "Activities of daily living";
        Rehab = "rehab": "Rehabilitering", "Rehabilitation";
        Date = "date": "Datum och tider", "Dates and times";
        NotAdmitted = "notAdmitted": "Inte inskriven, åter hem", "Not admitted, sent home";
        Administrative = "administrative": "Administrativt", "Administrative";
        Other = "other": "Annat", "Other";
    }
}

codes! {
    /// Answer to a call to a coordinated planning (SIP).
    CallAnswer {
        Coming = "coming": "Kommer", "Coming";
        NotComing = "notComing": "Kommer inte", "Not coming";
        NewTime = "newTime": "Önskar ny tid", "Wants another time";
        Remote = "remote": "Deltar på distans", "Takes part remotely";
    }
}

codes! {
    /// Kind of plan (from RIV-TA `TypeOfCarePlanEnum`).
    PlanKind {
        Sip = "SIP": "Samordnad individuell plan", "Coordinated individual plan";
        Spu = "SPU": "Samordnad plan vid utskrivning", "Coordinated plan at discharge";
    }
}

codes! {
    /// The two public bodies that answer for care (huvudmän).
    Provider {
        Municipality = "municipality": "Kommunen", "The municipality";
        Region = "region": "Regionen", "The region";
    }
}

codes! {
    /// What became of a goal of a plan.
    GoalStatus {
        Met = "met": "Uppnått", "Met";
        PartlyMet = "partlyMet": "Delvis uppnått", "Partly met";
        NotMet = "notMet": "Inte uppnått", "Not met";
        Ongoing = "ongoing": "Pågår", "Ongoing";
        Dropped = "dropped": "Inte längre aktuellt", "No longer relevant";
    }
}

codes! {
    /// What risk was assessed.
    RiskArea {
        Fall = "fall": "Fall", "Falls";
        PressureUlcer = "pressureUlcer": "Trycksår", "Pressure ulcers";
        Nutrition = "nutrition": "Nutrition", "Nutrition";
        OralHealth = "oralHealth": "Munhälsa", "Oral health";
        Medicine = "medicine": "Läkemedel", "Medicines";
        Readmission = "readmission": "Återinläggning", "Readmission";
        Other = "other": "Annat", "Other";
    }
}

codes! {
    /// Why the process is broken off.
    InterruptionReason {
        Deceased = "deceased": "Avliden", "Deceased";
        Moved = "moved": "Flyttat", "Moved";
        NoNeed = "noNeed": "Inget behov av insatser", "No need of services";
        ConsentWithdrawn = "consentWithdrawn": "Samtycke återkallat", "Consent withdrawn";
        Other = "other": "Annat", "Other";
    }
}

codes! {
    /// Why a message is void.
    VoidReason {
        WrongPatient = "wrongPatient": "Fel patient", "Wrong patient";
        WrongReceiver = "wrongReceiver": "Fel mottagare", "Wrong receiver";
        WrongContent = "wrongContent": "Fel innehåll", "Wrong content";
        SentTwice = "sentTwice": "Sänt två gånger", "Sent twice";
        Other = "other": "Annat", "Other";
    }
}

codes! {
    /// Staff of the home health care.
    StaffRole {
        Nurse = "nurse": "Sjuksköterska", "Nurse";
        OccupationalTherapist = "occupationalTherapist": "Arbetsterapeut", "Occupational therapist";
        Physiotherapist = "physiotherapist": "Fysioterapeut", "Physiotherapist";
        Other = "other": "Annan", "Other";
    }
}

codes! {
    /// Why home health care has ended.
    EndReason {
        NoNeed = "noNeed": "Behovet har upphört", "The need has ceased";
        OwnWish = "ownWish": "Egen önskan", "Own wish";
        OtherProvider = "otherProvider": "Annan vårdgivare tar över", "Another provider takes over";
        Moved = "moved": "Flyttat", "Moved";
        Deceased = "deceased": "Avliden", "Deceased";
        Other = "other": "Annat", "Other";
    }
}

codes! {
    /// What the municipality asks the health centre for.
    RequestReason {
        Contact = "contact": "Kontakt", "Contact";
        Assessment = "assessment": "Bedömning", "Assessment";
        Prescription = "prescription": "Ordination eller recept", "Prescription";
        Other = "other": "Annat", "Other";
    }
}

codes! {
    /// How urgent a request is.
    Urgency {
        Planned = "planned": "Planerat", "Planned";
        Soon = "soon": "Snart", "Soon";
        Acute = "acute": "Akut; ring först", "Acute; telephone first";
    }
}

codes! {
    /// What the health centre makes of a request.
    RequestAnswer {
        Done = "done": "Åtgärdat", "Done";
        Accepted = "accepted": "Tas om hand", "Taken care of";
        MoreNeeded = "moreNeeded": "Mer uppgifter behövs", "More information needed";
        Declined = "declined": "Avböjs", "Declined";
    }
}

codes! {
    /// Why a notice of ready for discharge is withdrawn.
    WithdrawalReason {
        HealthChanged = "healthChanged": "Förändrat hälsotillstånd", "Changed state of health";
        JudgementChanged = "judgementChanged": "Ny medicinsk bedömning", "New medical judgement";
        SentInError = "sentInError": "Felsänt", "Sent in error";
        Other = "other": "Annat", "Other";
    }
}
