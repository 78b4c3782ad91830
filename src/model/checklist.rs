//! The checklist as data: items with owner, stage and condition, and what is still open.

use super::bodies::{ItemCode, ItemStatus, Party};
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
