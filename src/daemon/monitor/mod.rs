//! `[metrics]`: figures for Prometheus and health for whoever watches, at an address of their own.
//!
//! Neither is worked out anew for each who asks: what stands in the store is looked at once in a while, by one at a time, beside
//! the writer. However often it is asked, deliveries do not notice.

mod certificates;
mod health;
mod look;

pub(super) use certificates::Certificates;

use super::http::{not_allowed, problem, reply};
use super::intake_thread::{Port, Pulse};
use super::sources::{Opened, Standing};
use crate::alarm::Kind;
use crate::config::{Language, MetricsSettings, Mode, Settings};
use crate::fault::{Code, Fault};
use crate::listen::{Listener, ServerTls};
use crate::metrics::{Format, Metrics};
use crate::model::name::Name;
use crate::model::state::State;
use crate::model::time::Clock;
use crate::store::{PurgeKind, Store};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State as Shared};
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use axum::routing::any;
use look::{Known, Looks};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The figures of a daemon that starts: what is known before anything has happened.
pub(super) fn figures(settings: &Settings, clock: &dyn Clock) -> Arc<Metrics> {
    let metrics = Metrics::default();
    for destination in live(settings) {
        metrics.route_open.set([destination.as_str()], 1);
        states().filter(|state| state.is_end()).for_each(|state| metrics.messages_ended.start([destination.as_str(), state.code()]));
    }
    metrics.build_info.set([env!("CARGO_PKG_VERSION")], 1);
    metrics.process_start.set([], clock.now().as_second());
    metrics.commit_failures.start([]);
    for kind in PurgeKind::VALUES {
        metrics.purged.start([kind.code]);
    }
    Arc::new(metrics)
}

/// Those that messages are sent to.
fn live(settings: &Settings) -> impl Iterator<Item = Name> {
    settings.destinations.iter().filter(|known| known.mode == Mode::Live).map(|known| super::name(&known.name))
}

/// Takes the configured address, if there is one.
pub(super) async fn open(settings: &Settings) -> Result<Option<Listener>, Fault> {
    let Some(MetricsSettings { http, .. }) = &settings.metrics else { return Ok(None) };
    let tls =
        http.tls.as_ref().map(|(cert, key)| ServerTls { cert: cert.clone(), key: key.clone(), client_ca: http.client_ca_file.clone() });
    Listener::bind(http.listen, tls, "metrics.listen").await.map(Some)
}

/// Answers until it is told to stop, if there is an address to answer at.
pub(super) fn serve(
    settings: &Settings,
    listener: Option<Listener>,
    watched: Watched,
    stop: watch::Receiver<bool>,
) -> impl Future<Output = ()> + use<> {
    let monitor = settings.metrics.as_ref().zip(listener).map(|(bounds, listener)| (Monitor::new(settings, bounds, watched), listener));
    async move {
        if let Some((monitor, listener)) = monitor {
            listener.serve(Router::new().fallback(any(request)).with_state(Arc::new(monitor)), stop).await;
        }
    }
}

/// What is watched.
pub(super) struct Watched {
    metrics: Arc<Metrics>,
    store: Store,
    clock: Arc<dyn Clock>,
    sources: Vec<(Name, Arc<Standing>)>,
    intake: Pulse,
    stopping: watch::Receiver<bool>,
}

impl Watched {
    pub(super) fn of(
        metrics: Arc<Metrics>,
        store: &Store,
        clock: &Arc<dyn Clock>,
        sources: &[Opened],
        intake: &Port,
        stopping: &watch::Receiver<bool>,
    ) -> Self {
        let sources = sources.iter().map(|opened| (opened.source.name().clone(), Arc::clone(&opened.standing))).collect();
        Self { metrics, store: store.clone(), clock: Arc::clone(clock), sources, intake: intake.pulse(), stopping: stopping.clone() }
    }
}

/// Answers for all that is watched.
struct Monitor {
    watched: Watched,
    language: Language,
    route_closed: Duration,
    disk_free: u64,
    /// Those that messages are sent to.
    destinations: Vec<Name>,
    /// The SQLite database's file.
    file: Option<PathBuf>,
    looks: Looks,
}

impl Monitor {
    fn new(settings: &Settings, bounds: &MetricsSettings, watched: Watched) -> Self {
        Self {
            language: settings.language,
            route_closed: bounds.route_closed,
            disk_free: bounds.disk_free,
            destinations: live(settings).collect(),
            file: settings.store_url_file.is_none().then(|| settings.store_path.clone()),
            looks: Looks::default(),
            watched,
        }
    }

    async fn figures(&self, format: Format) -> Response {
        let known = self.known().await;
        let text = self.looks.write(|| {
            self.set(&known);
            self.watched.metrics.text(format)
        });
        let mut response = Response::new(Body::from(text));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
        response
    }

    async fn known(&self) -> Arc<Known> {
        let Watched { store, clock, .. } = &self.watched;
        self.looks.known(store, clock.as_ref(), self.file.as_deref()).await
    }

    /// What stands now, put into its figures. What is not known is not there.
    fn set(&self, known: &Known) {
        let metrics = &self.watched.metrics;
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        for (source, standing) in &self.watched.sources {
            metrics.source_up.set([source.as_str()], i64::from(standing.get().is_none()));
        }
        metrics.store_writable.set([], i64::from(known.written.is_ok()));
        metrics.disk_free.clear();
        known.disk_free.inspect(|free| metrics.disk_free.set([], number(*free)));
        metrics.deliveries.clear();
        for levels in [&metrics.oldest_pending, &metrics.receipts_overdue, &metrics.alarms_open] {
            levels.clear();
        }
        metrics.store_size.clear();
        let Ok(figures) = &known.figures else { return };
        metrics.store_size.set([], number(figures.bytes + known.log_bytes));
        let kept = figures.oldest_content.map_or(0, |since| self.watched.clock.now().duration_since(since).as_secs().max(0));
        metrics.oldest_content.set([], kept);
        for destination in &self.destinations {
            states().filter(|state| !state.is_end()).for_each(|state| metrics.deliveries.set([destination.as_str(), state.code()], 0));
            metrics.oldest_pending.set([destination.as_str()], 0);
            metrics.receipts_overdue.set([destination.as_str()], 0);
        }
        for standing in &figures.unsettled {
            metrics.deliveries.set([standing.destination.as_str(), standing.state.code()], number(standing.count));
        }
        for (destination, since) in figures.oldest() {
            // As old as it is now, not as it was when it was looked at.
            let age = self.watched.clock.now().duration_since(since).as_secs().max(0);
            metrics.oldest_pending.set([destination.as_str()], age);
        }
        for (destination, count) in &figures.overdue {
            metrics.receipts_overdue.set([destination.as_str()], number(*count));
        }
        for kind in Kind::ALL {
            metrics.alarms_open.set([kind.name()], figures.alarms_by_name.get(kind.name()).map_or(0, |count| number(*count)));
        }
    }
}

/// Every state there is.
fn states() -> impl Iterator<Item = State> {
    State::VALUES.iter().filter_map(|value| State::parse(value.code))
}

async fn request(Shared(monitor): Shared<Arc<Monitor>>, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return not_allowed(Code::HltRequest, "GET, HEAD");
    }
    let mut response = match request.uri().path() {
        "/metrics" => monitor.figures(wanted(&request)).await,
        "/health/live" => monitor.live(),
        "/health/ready" => monitor.ready().await,
        "/health" => monitor.health().await,
        _ => problem(StatusCode::NOT_FOUND, Code::HltRequest),
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The newer form for whoever says that it is understood.
fn wanted(request: &Request) -> Format {
    let understood = |value: &HeaderValue| value.to_str().is_ok_and(|text| text.contains("application/openmetrics-text"));
    if request.headers().get_all(ACCEPT).iter().any(understood) { Format::OpenMetrics } else { Format::Prometheus }
}
