//! The checklist as data: items with owner, stage and condition, and what is still open.

use super::bodies::{ItemCode, ItemStatus, Party};
use super::catalogue::EventType;
use super::event::Circumstance;
use std::collections::BTreeMap;

/// When an item must be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Before the municipality says that it can receive.
    BeforeTakeHome,
    /// Before the discharge.
    BeforeDischarge,
    /// Within one weekday after it.
    After,
}

/// When an item is required. What is unknown counts as true: a condition is false only where it is known to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    Always,
    All(Vec<Term>),
    Any(Vec<Term>),
}

/// `name = value` or `name != value` of a circumstance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    pub name: String,
    pub equals: bool,
    pub value: String,
}

impl Term {
    fn holds(&self, known: &Circumstance) -> bool {
        known.get(&self.name).is_none_or(|value| (*value == self.value) == self.equals)
    }
}

impl Condition {
    pub fn holds(&self, known: &Circumstance) -> bool {
        match self {
            Self::Always => true,
            Self::All(terms) => terms.iter().all(|term| term.holds(known)),
            Self::Any(terms) => terms.iter().any(|term| term.holds(known)),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub code: ItemCode,
    pub sv: String,
    pub en: String,
    pub owners: Vec<Party>,
    pub stage: Stage,
    pub when: Condition,
    /// Events of the region's that close the region's share of the item.
    pub seen: Vec<EventType>,
    pub source: String,
}

/// A versioned list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checklist {
    pub items: Vec<Item>,
}

/// What has been said of the items: a status per item and owner.
pub type Statuses = BTreeMap<(ItemCode, Party), ItemStatus>;

impl Checklist {
    pub fn item(&self, code: &ItemCode) -> Option<&Item> {
        self.items.iter().find(|item| item.code == *code)
    }

    /// Shares that an event of the region's closes: those of the region.
    pub fn closed_by(&self, kind: EventType) -> impl Iterator<Item = (ItemCode, Party)> {
        let items = self.items.iter().filter(move |item| item.seen.contains(&kind));
        items.flat_map(|item| item.owners.iter().filter(|owner| **owner != Party::K).map(|owner| (item.code.clone(), *owner)))
    }

    /// Items that `owner` owns, whose condition is not known to be false, and that are neither done nor not applicable.
    pub fn open<'a>(&'a self, owner: Party, statuses: &'a Statuses, known: &'a Circumstance) -> impl Iterator<Item = &'a Item> {
        self.items.iter().filter(move |item| {
            item.owners.contains(&owner) && item.when.holds(known) && {
                let status = statuses.get(&(item.code.clone(), owner));
                !matches!(status, Some(ItemStatus::Klar | ItemStatus::EjAktuell))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(name: &str, equals: bool, value: &str) -> Term {
        Term { name: name.to_owned(), equals, value: value.to_owned() }
    }

    fn known(pairs: &[(&str, &str)]) -> Circumstance {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn item(code: &str, owners: &[Party], when: Condition) -> Item {
        Item {
            code: ItemCode::parse(code).expect("a code"),
            sv: "Punkt".to_owned(),
            en: "Item".to_owned(),
            owners: owners.to_vec(),
            stage: Stage::BeforeTakeHome,
            when,
            seen: Vec::new(),
            source: "[A]".to_owned(),
        }
    }

    fn open(list: &Checklist, owner: Party, statuses: &Statuses, circumstances: &Circumstance) -> Vec<String> {
        list.open(owner, statuses, circumstances).map(|item| item.code.as_str().to_owned()).collect()
    }

    #[test]
    fn what_is_unknown_counts_as_true() {
        let unknown = known(&[]);
        for equals in [true, false] {
            assert!(Condition::All(vec![term("dischargeTo", equals, "home")]).holds(&unknown));
            assert!(Condition::Any(vec![term("livesAlone", equals, "true")]).holds(&unknown));
        }
        assert!(Condition::Always.holds(&unknown));
    }

    #[test]
    fn a_condition_is_false_only_where_it_is_known_to_be() {
        let home_alone = Condition::All(vec![term("dischargeTo", true, "home"), term("livesAlone", true, "true")]);
        assert!(home_alone.holds(&known(&[("dischargeTo", "home")])));
        assert!(home_alone.holds(&known(&[("dischargeTo", "home"), ("livesAlone", "true")])));
        assert!(!home_alone.holds(&known(&[("livesAlone", "false")])));
        assert!(!home_alone.holds(&known(&[("dischargeTo", "residence"), ("livesAlone", "true")])));

        let medicines = Condition::Any(vec![term("homeHealthCare", true, "true"), term("medicineHelp", true, "true")]);
        assert!(medicines.holds(&known(&[("homeHealthCare", "false")])));
        assert!(medicines.holds(&known(&[("homeHealthCare", "false"), ("medicineHelp", "true")])));
        assert!(!medicines.holds(&known(&[("homeHealthCare", "false"), ("medicineHelp", "false")])));

        let away = Condition::All(vec![term("dischargeTo", false, "home")]);
        assert!(away.holds(&known(&[("dischargeTo", "shortTerm")])));
        assert!(!away.holds(&known(&[("dischargeTo", "home")])));
    }

    #[test]
    fn only_done_and_not_applicable_close_an_item() {
        let list = Checklist { items: vec![item("CL01", &[Party::K], Condition::Always)] };
        let code = ItemCode::parse("CL01").expect("a code");
        assert_eq!(open(&list, Party::K, &Statuses::new(), &known(&[])), ["CL01"]);
        for (status, closed) in [
            (ItemStatus::Klar, true),
            (ItemStatus::EjAktuell, true),
            (ItemStatus::Pagar, false),
            (ItemStatus::Saknas, false),
            (ItemStatus::Okand, false),
        ] {
            let statuses = Statuses::from([((code.clone(), Party::K), status)]);
            assert_eq!(open(&list, Party::K, &statuses, &known(&[])).is_empty(), closed, "{status:?}");
        }
    }

    #[test]
    fn every_owner_answers_for_its_own_share() {
        let list = Checklist {
            items: vec![
                item("CL01", &[Party::K, Party::Sv], Condition::Always),
                item("CL25", &[Party::Sv], Condition::Always),
                item("CL26", &[Party::K], Condition::All(vec![term("palliative", true, "true")])),
            ],
        };
        let statuses = Statuses::from([((ItemCode::parse("CL01").expect("a code"), Party::Sv), ItemStatus::Klar)]);
        let circumstances = known(&[("palliative", "false")]);
        assert_eq!(open(&list, Party::K, &statuses, &circumstances), ["CL01"]);
        assert_eq!(open(&list, Party::Sv, &statuses, &circumstances), ["CL25"]);
        assert!(open(&list, Party::Ov, &statuses, &circumstances).is_empty());
    }
}
