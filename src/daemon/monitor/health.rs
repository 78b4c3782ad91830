//! Health, with what is wrong.
//!
//! *Live* is about the process alone: what a restart would cure. *Ready* is about whether work can be handed to it: a database
//! that cannot be written and a full disk say no. A closed route and a source that cannot be read do not: whoever takes the
//! daemon out of use since the region does not answer only adds an outage of its own; what comes is kept, and sent once the route is open.
//! They are told all the same (*degraded*), and `/health` answers 503 to those as well, for a watch that knows no more than statuses.

use super::{Known, Monitor, reply};
use crate::alarm::{Kind, Open};
use crate::config::Language;
use crate::fault::Code;
use crate::model::name::Name;
use crate::model::time::instant_text;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// Something that is wrong.
#[derive(Debug, Clone)]
struct Reason {
    code: Code,
    /// Work cannot be handed to the daemon.
    stops: bool,
    source: Option<Name>,
    destination: Option<String>,
    since: Option<Timestamp>,
    /// A code that narrows it down.
    cause: Option<String>,
}

impl Reason {
    fn new(code: Code, stops: bool) -> Self {
        Self { code, stops, source: None, destination: None, since: None, cause: None }
    }
}

impl Monitor {
    /// Looks at nothing that could make it wait.
    pub(super) fn live(&self) -> Response {
        let dead = !*self.watched.stopping.borrow() && !self.watched.intake.beats();
        let reasons: Vec<Reason> = dead.then(|| Reason::new(Code::HltIntake, true)).into_iter().collect();
        let (status, word) = if dead { (StatusCode::SERVICE_UNAVAILABLE, "dead") } else { (StatusCode::OK, "live") };
        self.answer(status, word, &reasons)
    }

    pub(super) async fn ready(&self) -> Response {
        self.told(false).await
    }

    /// The same, where everything that is wrong counts.
    pub(super) async fn health(&self) -> Response {
        self.told(true).await
    }

    async fn told(&self, all_count: bool) -> Response {
        let reasons = self.reasons(&*self.known().await);
        let word = match reasons.iter().map(|reason| reason.stops).max() {
            Some(true) => "notReady",
            Some(false) => "degraded",
            None => "ready",
        };
        let bad = reasons.iter().any(|reason| reason.stops || all_count);
        self.answer(if bad { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }, word, &reasons)
    }

    /// What is wrong, the worst first.
    fn reasons(&self, known: &Known) -> Vec<Reason> {
        let stopping = *self.watched.stopping.borrow();
        let mut reasons = Vec::new();
        if stopping {
            reasons.push(Reason::new(Code::HltStopping, true));
        } else if !self.watched.intake.beats() {
            reasons.push(Reason::new(Code::HltIntake, true));
        }
        if known.written.is_err() || known.figures.is_err() {
            reasons.push(Reason::new(Code::HltStore, true));
        }
        if known.disk_free.is_some_and(|free| free < self.disk_free) {
            reasons.push(Reason::new(Code::HltDisk, true));
        }
        let alarms = known.figures.as_ref().map_or(&[][..], |figures| &figures.alarms);
        reasons.extend(alarms.iter().filter(|alarm| self.is_long_closed(alarm)).map(|alarm| Reason {
            destination: Some(alarm.alarm.subject.as_str().to_owned()),
            since: Some(alarm.opened_at),
            cause: Some(alarm.alarm.cause.clone()),
            ..Reason::new(Code::DlvRouteClosed, false)
        }));
        for (source, standing) in &self.watched.sources {
            if let Some((code, since)) = standing.get() {
                reasons.push(Reason { source: Some(source.clone()), since: Some(since), ..Reason::new(code, false) });
            }
        }
        reasons
    }

    fn is_long_closed(&self, open: &Open) -> bool {
        let known = self.destinations.iter().any(|destination| destination.as_str() == open.alarm.subject.as_str());
        let long = open.opened_at + self.route_closed <= self.watched.clock.now();
        open.alarm.kind == Kind::Route && known && long
    }

    fn answer(&self, status: StatusCode, word: &str, reasons: &[Reason]) -> Response {
        let reasons: Vec<Value> = reasons.iter().map(|reason| shown(reason, self.language)).collect();
        reply(status, &json!({"status": word, "reasons": reasons, "version": env!("CARGO_PKG_VERSION")}), "application/json")
    }
}

fn shown(reason: &Reason, language: Language) -> Value {
    let entry = reason.code.entry();
    let (text, remedy) = if language == Language::Sv { (entry.sv, entry.do_sv) } else { (entry.en, entry.do_en) };
    let mut out = Map::new();
    let mut put = |name: &str, value: Option<Value>| drop(value.map(|value| out.insert(name.to_owned(), value)));
    put("code", Some(entry.id.into()));
    put("text", Some(text.into()));
    put("remedy", Some(remedy.into()));
    put("stops", Some(reason.stops.into()));
    put("source", reason.source.as_ref().map(|name| name.as_str().into()));
    put("destination", reason.destination.clone().map(Value::from));
    put("since", reason.since.map(|since| instant_text(since).into()));
    put("cause", reason.cause.clone().map(Value::from));
    out.into()
}
