//! Who gets a message, and over which destination.

use crate::model::bodies::Party;
use crate::model::catalogue::EventType;
use crate::model::event::Recipient;
use crate::model::ids::HsaId;
use crate::model::name::Name;
use std::collections::{BTreeMap, BTreeSet};

/// Recipients whom all conditions fit go to this destination.
#[derive(Debug, Clone)]
pub struct Route {
    pub party: Option<Party>,
    pub hsa_id: Option<HsaId>,
    pub kind: Option<EventType>,
    pub destination: Name,
}

/// A destination that is written for but not sent to: a pilot beside manual work.
pub type Shadow = bool;

/// The municipality's choice of recipients and destinations.
#[derive(Debug, Clone)]
pub struct Routing {
    pub routes: Vec<Route>,
    /// For messages that name no recipients in episodes that know none.
    pub defaults: Vec<Recipient>,
    pub destinations: BTreeMap<Name, Shadow>,
}

impl Routing {
    /// The units of a party that an episode knows, else the configured ones.
    pub(super) fn of_party(&self, party: Party, known: &[Recipient]) -> Vec<Recipient> {
        let of = |list: &[Recipient]| list.iter().filter(|recipient| recipient.party == party).cloned().collect::<Vec<_>>();
        Some(of(known)).filter(|list| !list.is_empty()).unwrap_or_else(|| of(&self.defaults))
    }

    /// The destinations of all recipients, each once; `None` where one has none.
    pub(super) fn destinations(&self, kind: EventType, recipients: &[Recipient]) -> Option<BTreeSet<Name>> {
        let only = || if self.destinations.len() == 1 { self.destinations.keys().next().cloned() } else { None };
        recipients.iter().map(|recipient| self.route(kind, recipient).or_else(only)).collect()
    }

    /// The first route that fits.
    fn route(&self, kind: EventType, recipient: &Recipient) -> Option<Name> {
        let fits = |route: &&Route| {
            route.party.is_none_or(|party| party == recipient.party)
                && route.hsa_id.as_ref().is_none_or(|hsa_id| *hsa_id == recipient.hsa_id)
                && route.kind.is_none_or(|wanted| wanted == kind)
        };
        self.routes.iter().find(fits).map(|route| route.destination.clone())
    }

    pub(super) fn is_shadow(&self, destination: &Name) -> bool {
        self.destinations.get(destination).copied().unwrap_or(false)
    }
}
