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
