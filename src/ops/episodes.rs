//! Episodes for a care planner: what the state is, what is open at whom, what is due when. Nothing personal in it.

use super::cases::{Readmission, Seen, minute, pick, short, specialty};
use super::rules::pick as pick_texts;
use crate::check;
use crate::model::bodies::{ItemCode, Party};
use crate::model::catalogue::EventType;
use crate::model::checklist::Stage;
use crate::model::episode::{CORRECTED, ClockStatus, Deviation, Due, Fact, Payment, Phase, SipPhase, Stay, VOID};
use crate::model::event::{PayingMunicipality, Protection};
use crate::model::state::State;
use crate::store::DeliveryRow;
use jiff::Timestamp;
use std::fmt::Write as _;

pub(super) const PARTIES: [Party; 3] = [Party::K, Party::Sv, Party::Ov];

/// One line an episode.
pub fn episodes_list(episodes: &[Seen], now: Timestamp, swedish: bool) -> String {
    let word = |sv: &'static str, en: &'static str| if swedish { sv } else { en };
    let mut out = String::new();
    for seen in episodes {
        let stay = seen.state.stay.as_ref();
        let _ = write!(out, "{}  {}  {:<30}", short(seen.id), minute(seen.changed_at), pick(seen.state.phase.texts(), swedish));
        if let Some(at) = stay.and_then(|stay| stay.admitted_at) {
            let _ = write!(out, "  {} {}", word("inskriven", "admitted"), minute(at));
        }
        let open = stay.map_or(0, |stay| stay.items.iter().filter(|(_, owner, done)| *owner == Party::K && !done).count());
        if open > 0 && stay.is_some_and(|stay| stay.end().is_none()) {
            let _ = write!(out, "  {}: {open}", word("öppna punkter hos kommunen", "open municipal items"));
        }
        let late = seen.state.clocks().filter(|due| due.status(now) == ClockStatus::Overdue).count();
        if late > 0 {
            let _ = write!(out, "  {}: {late}", word("försenat", "overdue"));
        }
        out.push('\n');
    }
    out
}

/// Everything that is known of one episode, in one language. `deliveries` are its own, newest first.
pub fn episode_text(seen: &Seen, others: &[Readmission], deliveries: &[DeliveryRow], now: Timestamp, swedish: bool) -> String {
    let mut page = Page { out: String::new(), seen, now, swedish };
    page.head();
    page.outside_stays();
    let count = seen.state.stays().count();
    for (place, stay) in seen.state.stays().enumerate() {
        page.stay(stay, (place + 1, count));
        for found in others.iter().filter(|found| found.stay == place) {
            let label = format!("{} {}", page.word("Återinlagd efter ärende", "Readmitted after episode"), short(found.after));
            page.line(1, &label, &format!("{} {}", page.word("utskriven", "discharged"), minute(found.discharged_at)));
        }
        page.payment(&stay.payment);
        page.checklist(stay);
        page.deviations(stay);
    }
    page.clocks();
    page.alarms();
    page.messages(deliveries);
    page.events();
    page.out
}

struct Page<'a> {
    out: String,
    seen: &'a Seen,
    now: Timestamp,
    swedish: bool,
}

impl Page<'_> {
    fn word(&self, sv: &'static str, en: &'static str) -> &'static str {
        if self.swedish { sv } else { en }
    }

    fn said(&self, texts: (&'static str, &'static str)) -> &'static str {
        pick(texts, self.swedish)
    }

    fn line(&mut self, depth: usize, label: &str, value: &str) {
        let _ = writeln!(self.out, "{:width$}{label}: {value}", "", width = depth * 2);
    }

    fn at(&mut self, label: (&'static str, &'static str), at: Option<Timestamp>) {
        if let Some(at) = at {
            self.line(1, self.said(label), &minute(at));
        }
    }

    fn heading(&mut self, sv: &'static str, en: &'static str) {
        let _ = writeln!(self.out, "\n{}", self.word(sv, en));
    }

    fn head(&mut self) {
        let seen = self.seen;
        let _ = writeln!(self.out, "{} {}", self.word("Ärende", "Episode"), seen.id);
        self.line(0, self.word("Läge", "State"), self.said(seen.state.phase.texts()));
        let title = pick_texts(&seen.rules.title, self.swedish);
        self.line(0, self.word("Regelverk", "Rules"), &format!("{} ({title})", seen.rules.name));
        if seen.state.protected != Protection::None {
            let said = self.said(seen.state.protected.texts());
            self.line(0, self.word("Skyddade personuppgifter", "Protected personal data"), said);
        }
        if let Some(consent) = seen.state.consent {
            self.line(0, self.word("Samtycke", "Consent"), self.said(consent.texts()));
        }
        if let Some(payer) = seen.state.circumstances.get("municipality").and_then(|code| PayingMunicipality::parse(code)) {
            self.line(0, self.word("Betalande kommun", "Paying municipality"), self.said(payer.texts()));
        }
        if seen.state.two_persons {
            let sv = "Ärendet har två nummer av samma slag och kan gälla två personer.";
            let said = self.word(sv, "There are two numbers of one kind: it may be about two persons.");
            let _ = writeln!(self.out, "{said}");
        }
    }

    fn outside_stays(&mut self) {
        let state = &self.seen.state;
        if state.enrolled {
            let said = self.word("Inskriven i hemsjukvård", "Enrolled in home health care");
            let _ = writeln!(self.out, "{said}");
        }
        if state.open_requests > 0 {
            let label = self.word("Obesvarade frågor till vårdcentralen", "Requests to the health centre without an answer");
            self.line(0, label, &state.open_requests.to_string());
        }
        let mut sip = self.said(state.sip.phase.texts()).to_owned();
        if let Some(at) = state.sip.made_at.filter(|_| state.sip.phase != SipPhase::Called) {
            let _ = write!(sip, ", {} {}", self.word("upprättad", "made"), minute(at));
        }
        if let Some(on) = state.sip.follow_up {
            let _ = write!(sip, ", {} {on}", self.word("följs upp", "to be followed up"));
        }
        if state.sip.own_call {
            let _ = write!(sip, ", {}", self.word("kommunen har kallat", "called by the municipality"));
        }
        self.line(0, self.word("Samordnad individuell plan (SIP)", "Coordinated individual plan (SIP)"), &sip);
    }

    fn stay(&mut self, stay: &Stay, (number, count): (usize, usize)) {
        let of = if count > 1 { format!(" {number} {} {count}", self.word("av", "of")) } else { String::new() };
        let what = specialty(stay, self.swedish).map_or_else(String::new, |specialty| format!(", {specialty}"));
        let _ = writeln!(self.out, "\n{}{of}: {}{what}", self.word("Vårdtillfälle", "Stay in hospital"), self.said(stay.phase.texts()));
        match stay.notice_at {
            Some(at) => {
                let late = if stay.late { self.word(" (för sent)", " (late)") } else { "" };
                let incomplete = if stay.incomplete { self.word(" (ofullständigt)", " (incomplete)") } else { "" };
                let said = format!("{}{late}{incomplete}", minute(at));
                self.line(1, self.word("Inskrivningsmeddelande sänt", "Admission notice sent"), &said);
            }
            None if stay.phase != Phase::Announced => {
                self.line(1, self.word("Inskrivningsmeddelande sänt", "Admission notice sent"), self.word("nej", "no"));
            }
            None => {}
        }
        self.at(("Inskriven", "Admitted"), stay.admitted_at);
        self.at(("Återinlagd efter utskrivning", "Readmitted after the discharge of"), stay.readmitted_after);
        self.at(("Beräknad utskrivning", "Estimated discharge"), stay.estimate);
        self.at(("Planerad utskrivning", "Planned discharge"), stay.planned);
        for at in &stay.withdrawn {
            self.at(("Utskrivningsklar återtagen", "Ready for discharge withdrawn"), Some(*at));
        }
        self.at(("Underrättelse om utskrivningsklar", "Notice of ready for discharge"), stay.ready.map(|ready| ready.sent_at));
        if let Some(on) = stay.risk_on {
            self.line(1, self.word("Riskbedömning", "Assessment of risks"), &on.to_string());
        }
        if let Some(met) = stay.sip_met {
            let label = self.word("Plan och riskbedömning före utskrivningsdagen", "Plan and assessment before the day of discharge");
            self.line(1, label, if met { self.word("ja", "yes") } else { self.word("nej", "no") });
        }
        self.at(("Utskriven", "Discharged"), stay.discharged_at);
        self.at(("Slutade", "Ended"), stay.ended_at);
    }

    /// Always called preliminary: it is the region that charges, and we do not know everything that it knows.
    fn payment(&mut self, payment: &Payment) {
        let label = self.word("Betalningsansvar (preliminärt)", "Duty to pay (preliminary)");
        self.line(1, label, self.said(payment.phase.texts()));
        for block in &payment.blocks {
            self.line(2, self.word("Oklart", "Unclear"), self.said(block.texts()));
        }
        let Some(starts_on) = payment.starts_on else { return };

        self.line(2, self.word("Första dag att betala för", "First day to be paid for"), &starts_on.to_string());
        if let Some(days) = payment.ready_days {
            self.line(2, self.word("Dagar som utskrivningsklar", "Days as ready for discharge"), &days.to_string());
        }
        self.line(2, self.word("Dagar att betala för", "Days to be paid for"), &payment.charged_days.to_string());
        let sum = match payment.sek {
            Some(sek) if self.swedish => format!("{sek} kr"),
            Some(sek) => format!("SEK {sek}"),
            None => self.word("belopp saknas för året", "no amount is known for the year").to_owned(),
        };
        self.line(2, self.word("Summa", "Sum"), &sum);
    }

    fn checklist(&mut self, stay: &Stay) {
        if self.seen.rules.regime.checklist.items.is_empty() {
            return;
        }
        self.line(1, self.word("Checklista", "Checklist"), self.said(stay.checklist.texts()));
        for owner in PARTIES {
            let open = stay.items.iter().filter(|(_, known, done)| *known == owner && !done).map(|(code, ..)| code);
            let label = match stay.discharged_at {
                None => ("Öppet hos", "Open at"),
                Some(_) => ("Öppet vid utskrivningen hos", "Open at the discharge, owned by"),
            };
            self.open_items(label, owner, &open.collect::<Vec<_>>());
        }
        // What is to be done afterwards belongs to the stay that ended last.
        let state = &self.seen.state;
        if stay.discharged_at.is_none() || state.stay.as_ref().is_none_or(|last| last.of != stay.of) {
            return;
        }
        for owner in PARTIES {
            let open = self.seen.rules.regime.checklist.open(owner, &state.statuses, &state.circumstances);
            let open: Vec<&ItemCode> = open.filter(|item| item.stage == Stage::After).map(|item| &item.code).collect();
            self.open_items(("Öppet efter utskrivningen hos", "Open after the discharge, owned by"), owner, &open);
        }
    }

    fn open_items(&mut self, label: (&'static str, &'static str), owner: Party, codes: &[&ItemCode]) {
        if codes.is_empty() {
            return;
        }
        let _ = writeln!(self.out, "    {} {}:", self.said(label), self.said(owner.texts()));
        for code in codes {
            let _ = writeln!(self.out, "      {}", item_text(self.seen, code, self.swedish));
        }
    }

    fn deviations(&mut self, stay: &Stay) {
        if stay.deviations.is_empty() {
            return;
        }
        let _ = writeln!(self.out, "  {}:", self.word("Avvikelser", "Deviations"));
        for deviation in &stay.deviations {
            let owners: Vec<&str> = deviation.owners.iter().map(|owner| self.said(owner.texts())).collect();
            let _ = writeln!(self.out, "    {} ({})", deviation_text(self.seen, deviation, self.swedish), owners.join(", "));
        }
    }

    fn clocks(&mut self) {
        let mut clocks: Vec<&Due> = self.seen.state.clocks().collect();
        if clocks.is_empty() {
            return;
        }
        clocks.sort_by_key(|due| (due.due_at, due.kind));
        self.heading("Tidsgränser", "Due times");
        for due in clocks {
            let (status, kind, owner) = (due.status(self.now).texts(), due.kind.texts(), due.owner.texts());
            let met = due.met_at.map_or_else(String::new, |at| format!(" {}", minute(at)));
            let _ = writeln!(self.out, "  {}  {} ({}): {}{met}", minute(due.due_at), self.said(kind), self.said(owner), self.said(status));
        }
    }

    fn alarms(&mut self) {
        if self.seen.alarms.is_empty() {
            return;
        }
        self.heading("Öppna larm", "Open alarms");
        for alarm in self.seen.alarms.values() {
            let status = if alarm.overdue { ClockStatus::Overdue } else { ClockStatus::Near };
            let (since, kind) = (self.word("sedan", "since"), self.said(alarm.kind.texts()));
            let _ = writeln!(self.out, "  {kind}: {} {since} {}", self.said(status.texts()), minute(alarm.opened_at));
        }
    }

    fn messages(&mut self, deliveries: &[DeliveryRow]) {
        if deliveries.is_empty() {
            return;
        }
        self.heading("Meddelanden", "Messages");
        for row in deliveries.iter().rev() {
            let kind = EventType::parse(&row.kind).map_or("", |kind| self.said(kind.texts()));
            let version = if row.version > 1 { format!(" {} {}", self.word("version", "version"), row.version) } else { String::new() };
            let id = row.message.get(..8).unwrap_or(&row.message);
            let state = self.said(row.state.texts());
            let _ = writeln!(self.out, "  {}  {} {kind}{version} → {}: {state} ({id})", minute(row.created_at), row.kind, row.destination);
            if !matches!(row.state, State::Withheld | State::Held | State::Refused | State::Parked | State::Rejected | State::Expired) {
                continue;
            }
            for finding in &row.findings {
                let _ = writeln!(self.out, "      {}", if self.swedish { &finding.sv } else { &finding.en });
            }
        }
    }

    fn events(&mut self) {
        self.heading("Händelser", "Events");
        for fact in &self.seen.facts {
            let _ = writeln!(
                self.out,
                "  {}  {:<5} {}{}",
                minute(fact.occurred_at),
                fact.kind.code(),
                self.said(fact.kind.texts()),
                self.standing(fact)
            );
        }
    }

    /// Why an event does not count, where it does not.
    fn standing(&self, fact: &Fact) -> String {
        let state = &self.seen.state;
        match state.ignored.get(&fact.event).copied() {
            Some(VOID) => self.word(" (räknas inte: makulerad)", " (does not count: voided)").to_owned(),
            Some(CORRECTED) => self.word(" (räknas inte: rättad av en senare)", " (does not count: corrected by a later one)").to_owned(),
            Some(rule) => format!(" ({} {rule})", self.word("räknas inte: stoppad av regel", "does not count: refused by rule")),
            None if state.waiting.contains(&fact.event) => {
                self.word(" (det som den makulerar har inte kommit)", " (what it voids has not come)").to_owned()
            }
            None => String::new(),
        }
    }
}

/// An item with its text.
pub(super) fn item_text(seen: &Seen, code: &ItemCode, swedish: bool) -> String {
    let item = seen.rules.regime.checklist.item(code);
    format!("{} {}", code.as_str(), item.map_or("", |item| if swedish { &item.sv } else { &item.en }))
}

/// A deviation as its rule words it.
pub(super) fn deviation_text(seen: &Seen, deviation: &Deviation, swedish: bool) -> String {
    let rules = seen.rules.as_ref();
    let item = deviation.item.as_ref().and_then(|code| rules.regime.checklist.item(code));
    let finding = item.map_or_else(|| rules.finding(deviation.rule, &[]), |item| check::item_finding(rules, deviation.rule, item));
    if swedish { finding.sv } else { finding.en }
}
