//! Everything together: sources, intake, store, destinations and the outcomes back, until it is told to stop.

mod alarms;
mod audit;
mod http;
mod intake_thread;
mod mail;
mod monitor;
mod reload;
mod sources;

pub use sources::load_mapping;

use crate::check::rules::{self, Rules};
use crate::config::{DestinationSettings, Environment, Mode, Receipt, SdkIds, SdkSettings, Settings, TokenSettings};
use crate::deliver::{Driver, Policy};
use crate::fault::{Code, Fault};
use crate::intake::{Desk, Intake, Route, Routing};
use crate::listen::Listener;
use crate::map::Limits;
use crate::metrics::Metrics;
use crate::model::dice::{Dice, SystemDice};
use crate::model::event::Recipient;
use crate::model::name::Name;
use crate::model::testpersons::TestPersons;
use crate::model::time::Clock;
use crate::oplog::{self, Event, Level, Line, Reason};
use crate::retain::{self, Retention};
use crate::seal::XsdValidator;
use crate::store::{Keys, Place, Secret, Server, Store};
use crate::tell;
use crate::transport::{Endpoint, Https, Sdk, TlsFiles, TokenSource, Way};
use crate::wire::{Sender, sdk};
use intake_thread::SourcePort;
use jiff::Timestamp;
use monitor::{Certificates, Watched};
use reload::Anew;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// What the daemon is given from outside.
pub struct Surroundings {
    pub clock: Arc<dyn Clock>,
    pub dice: Arc<dyn Dice>,
    pub log: oplog::Output,
    pub orders: mpsc::Receiver<Order>,
}

impl std::fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Surroundings").finish_non_exhaustive()
    }
}

/// What the daemon can be told while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Read certificates and keys anew, and open the log file anew.
    Reload,
    Stop,
}

/// A destination's way and bounds.
type Destination = (Arc<Way>, Arc<Policy>);

/// For what is left to tell the sources at the end.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Runs until it is told to stop; then finishes what is in flight within the grace that the settings give.
pub async fn run(settings: &Settings, mut surroundings: Surroundings, ready: impl FnOnce()) -> Result<(), Vec<Fault>> {
    settings.require_for_run()?;
    settings.check_files()?;
    let desk = desk(settings)?;
    let destinations = destinations(settings)?;
    let store = Store::open_at(&place(settings)?, &keys(settings, Arc::clone(&surroundings.dice))?)?;
    let clock = Arc::clone(&surroundings.clock);
    let doubts = look_back(&store, &desk, clock.as_ref())?;
    let opened = sources::open(settings)?;
    let callers = Arc::new(http::Callers::read(settings, opened.iter().filter_map(|opened| opened.door.clone()).collect())?);
    let listener = http::open(settings).await?;
    let watching = monitor::open(settings).await?;
    let metrics = monitor::figures(settings, clock.as_ref());
    store.measure(Arc::clone(&metrics));
    let outputs = alarms::outputs(settings, &store).await?;
    let started_with = audit::started(settings, &desk.rules, clock.as_ref());
    let anew = Anew {
        settings,
        destinations: &destinations,
        mappings: opened.iter().map(|opened| Arc::clone(&opened.mapping)).collect(),
        callers: Arc::clone(&callers),
        listening: [&listener, &watching].into_iter().flatten().filter_map(Listener::tls).collect(),
        certificates: Arc::new(Certificates::read(settings, &metrics)),
    };

    let (stop, stopped) = watch::channel(false);
    let (stop_telling, telling_stopped) = watch::channel(false);
    let mut tellers = JoinSet::new();
    let drive = |destination| driver(destination, &store, &surroundings, &metrics).run(stopped.clone());
    let mut workers: JoinSet<()> = destinations.iter().map(drive).collect();
    mail::start(settings, &store, &clock, &stopped, &mut workers).await?;
    let mut intake = Intake::new(desk, store.clone(), Box::new(XsdValidator::message()), Arc::clone(&clock));
    intake.metrics = Arc::clone(&metrics);
    let (port, thread) = intake_thread::start(intake).map_err(no_thread)?;
    workers.spawn(intake_thread::wake(port.clone(), Arc::clone(&clock), stopped.clone()));
    let receiving =
        listener.map(|listener| tokio::spawn(http::serve(listener, http::Desk::new(&callers, &store, &clock, &metrics), stopped.clone())));
    workers.spawn(retain(settings, &store, &clock, &metrics, &stopped));
    workers.spawn(alarms::Watch::new(settings, &store, &clock, &metrics, &anew.certificates, &opened).run(outputs, stopped.clone()));
    let watched = Watched::of(metrics, &store, &clock, &opened, &port, &stopped);
    tellers.spawn(audit::keep(store.clone(), started_with, Arc::clone(&clock), telling_stopped.clone()));
    // Ends with the last words, so that it can tell that the daemon is stopping.
    tellers.spawn(monitor::serve(settings, watching, watched, telling_stopped.clone()));
    let limits = Limits { depth: settings.limits.depth, records: settings.limits.records };
    let mut running = Vec::new();
    for opened in opened {
        tellers.spawn(tell::run(opened.source.name().clone(), opened.teller, store.clone(), telling_stopped.clone()));
        let port = SourcePort { port: port.clone(), mapping: opened.mapping, limits, clock: Arc::clone(&clock), standing: opened.standing };
        running.push(sources::start(opened.source, port).map_err(no_thread)?);
    }
    drop(port);
    started(clock.now(), doubts).emit();
    ready();
    while let Some(Order::Reload) = surroundings.orders.recv().await {
        anew.read(&surroundings.log, clock.as_ref());
    }

    Line::new(clock.now(), Level::Info, Event::DaemonStopping).emit();
    let _ = stop.send(true);
    let ended = async {
        sources::stop(running).await;
        if let Some(receiving) = receiving {
            let _ = receiving.await;
        }
        workers.join_all().await;
        tokio::task::spawn_blocking(move || thread.join()).await
    };
    // What has no answer by then is left to its lease and sent again under the same id at the next start.
    let in_time = tokio::time::timeout(settings.shutdown_grace, ended).await.is_ok();
    let _ = stop_telling.send(true);
    let _ = tokio::time::timeout(LAST_WORDS, tellers.join_all()).await;
    ended_line(clock.now(), in_time).emit();
    Ok(())
}

fn retain(
    settings: &Settings,
    store: &Store,
    clock: &Arc<dyn Clock>,
    metrics: &Arc<Metrics>,
    stopped: &watch::Receiver<bool>,
) -> impl Future<Output = ()> + use<> {
    retain::run(Retention::of(settings), store.clone(), Arc::clone(clock), Arc::clone(metrics), stopped.clone())
}

/// The line of the end; loud where something had to be left.
fn ended_line(at: Timestamp, in_time: bool) -> Line {
    let line = Line::new(at, if in_time { Level::Info } else { Level::Warn }, Event::DaemonStopped);
    if in_time { line } else { line.code(Code::DlvLost) }
}

fn driver((way, policy): &Destination, store: &Store, surroundings: &Surroundings, metrics: &Arc<Metrics>) -> Driver<Way> {
    Driver {
        destination: way.name().clone(),
        transport: Arc::clone(way),
        store: store.clone(),
        policy: Arc::clone(policy),
        clock: Arc::clone(&surroundings.clock),
        dice: Arc::clone(&surroundings.dice),
        metrics: Arc::clone(metrics),
        route: Mutex::default(),
        alarms: tokio::sync::Mutex::default(),
    }
}

/// The line of the start; loud as long as a restore has left doubts.
fn started(at: Timestamp, doubts: u64) -> Line {
    if doubts == 0 {
        return Line::new(at, Level::Info, Event::DaemonStarted);
    }
    let mut line = Line::new(at, Level::Warn, Event::DaemonStarted).code(Code::StoDoubts);
    line.reason = Some(Reason::Count(doubts));
    line
}

/// What an earlier configuration left behind: episodes under rules that are gone do not start, deliveries to destinations
/// that are gone are told of. Gives how much is in doubt since a restore.
fn look_back(store: &Store, desk: &Desk, clock: &dyn Clock) -> Result<u64, Fault> {
    for rules in store.rules_in_use()? {
        if !desk.sets.contains_key(&rules) {
            return Err(Fault::with(Code::CfgRules, format!("{rules}: episodes in the store began with it")));
        }
    }
    for (destination, waiting) in store.waiting()? {
        if desk.routing.destinations.get(&destination) != Some(&false) {
            let mut line = Line::new(clock.now(), Level::Error, Event::DestinationGone).code(Code::CfgDestinationGone);
            line.destination = Some(destination);
            line.reason = Some(Reason::Count(waiting));
            line.emit();
        }
    }
    Ok(store.doubts()?)
}

/// Where the configured store is.
pub fn place(settings: &Settings) -> Result<Place, Fault> {
    let Some(file) = &settings.store_url_file else { return Ok(Place::File(settings.store_path.clone())) };
    let told = |fault: std::io::Error| Fault::with(Code::CfgFile, format!("store.url_file: {} ({})", file.display(), fault.kind()));
    let text = std::fs::read_to_string(file).map_err(told)?;
    Ok(Place::Postgres(Server { url: Secret(text.trim().to_owned()), ca_file: settings.store_ca_file.clone() }))
}

/// What the configured store is sealed with.
pub fn keys(settings: &Settings, dice: Arc<dyn Dice>) -> Result<Keys, Fault> {
    Keys::read(&settings.store_key_files, dice)
}

/// The configured store, to be read.
pub fn store(settings: &Settings) -> Result<Store, Fault> {
    Store::open_at_to_read(&place(settings)?, &keys(settings, Arc::new(SystemDice))?)
}

/// The rules, the routing and the sender, as intake uses them.
pub fn desk(settings: &Settings) -> Result<Desk, Vec<Fault>> {
    let sets = rule_sets(settings)?;
    let rules = sets.get(&settings.rules.name).ok_or_else(|| {
        let known: Vec<&str> = sets.keys().map(String::as_str).collect();
        vec![Fault::with(Code::CfgRules, format!("rules.use: {} (known: {})", settings.rules.name, known.join(", ")))]
    })?;
    let routing = Routing {
        routes: settings
            .routes
            .iter()
            .map(|route| Route {
                party: route.party,
                hsa_id: route.hsa_id.clone(),
                kind: route.kind,
                destination: name(&route.destination),
            })
            .collect(),
        defaults: settings.recipients.iter().map(|known| Recipient { hsa_id: known.hsa_id.clone(), party: known.party }).collect(),
        destinations: settings.destinations.iter().map(|known| (name(&known.name), known.mode == Mode::Shadow)).collect(),
    };
    let organisation = &settings.organisation;
    Ok(Desk {
        rules: Arc::clone(rules),
        sets,
        routing,
        sender: Sender {
            org_number: organisation.org_number.clone(),
            hsa_id: organisation.hsa_id.clone(),
            name: organisation.name.clone(),
        },
        production: settings.environment == Environment::Production,
        persons: persons(settings)?,
    })
}

/// The list of test persons, where there is one.
fn persons(settings: &Settings) -> Result<Option<Arc<TestPersons>>, Vec<Fault>> {
    let Some(file) = &settings.test_persons_file else { return Ok(None) };
    let told = |what: &dyn std::fmt::Display| vec![Fault::with(Code::CfgFile, format!("test_persons_file: {} ({what})", file.display()))];
    let text = std::fs::read_to_string(file).map_err(|fault| told(&fault.kind()))?;
    let persons = TestPersons::parse(&text);
    if persons.is_empty() {
        return Err(told(&"no numbers of twelve digits"));
    }
    Ok(Some(Arc::new(persons)))
}

/// Every set that an episode may use: those in the binary and those in the configured folder.
pub fn rule_sets(settings: &Settings) -> Result<BTreeMap<String, Arc<Rules>>, Vec<Fault>> {
    let mut texts: Vec<(String, String)> = rules::shipped().iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    for path in settings.rules.dir.iter().flat_map(|dir| rule_files(dir)) {
        let text = std::fs::read_to_string(&path)
            .map_err(|fault| Fault::with(Code::CfgRules, format!("{} ({})", path.display(), fault.kind())))?;
        texts.push((path.display().to_string(), text));
    }
    let mut sets = BTreeMap::new();
    let mut faults = Vec::new();
    for (place, text) in texts {
        match Rules::parse(&text) {
            Ok(rules) => drop(sets.insert(rules.name.clone(), Arc::new(rules))),
            Err(found) => faults.extend(found.iter().map(|fault| Fault::with(Code::CfgRules, format!("{place}:{fault}")))),
        }
    }
    if faults.is_empty() { Ok(sets) } else { Err(faults) }
}

/// `NAME/VERSION/rules.toml` below a folder.
fn rule_files(dir: &Path) -> Vec<PathBuf> {
    let folders = |dir: &Path| std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = folders(dir).flat_map(|name| folders(&name)).map(|version| version.join("rules.toml")).collect();
    files.retain(|file| file.is_file());
    files.sort_unstable();
    files
}

fn destinations(settings: &Settings) -> Result<Vec<Destination>, Vec<Fault>> {
    let live = settings.destinations.iter().filter(|known| known.mode == Mode::Live);
    live.map(|known| Ok((Arc::new(way(known)?), Arc::new(policy(settings, known))))).collect()
}

/// The way to a destination.
pub fn way(known: &DestinationSettings) -> Result<Way, Fault> {
    let endpoint = Endpoint {
        url: known.url.url().clone(),
        lookup_url: known.lookup_url.clone(),
        files: TlsFiles { ca: known.ca_file.clone(), certificate: known.cert_file.clone(), key: known.key_file.clone() },
        proxy: known.proxy.as_ref().map(|proxy| proxy.url().clone()),
        timeout: known.timeout,
        wants_receipt: known.receipt == Receipt::Document,
    };
    let Some(sdk) = &known.sdk else { return Ok(Way::Xml(Box::new(Https::new(name(&known.name), endpoint)?))) };
    let tokens = sdk.token.as_ref().map(|token| match token {
        TokenSettings::File(path) => TokenSource::File(path.clone()),
        TokenSettings::Client { url, id, scope } => TokenSource::Client { url: url.url().clone(), id: id.clone(), scope: scope.clone() },
    });
    Ok(Way::Sdk(Box::new(Sdk::new(name(&known.name), endpoint, parties(sdk), tokens)?)))
}

/// Between whom messages go over SDK.
pub fn parties(sdk: &SdkSettings) -> sdk::Parties {
    let party = |(organisation, function): &(String, String)| sdk::Party { organisation: organisation.clone(), function: function.clone() };
    sdk::Parties { sender: party(&sdk.sender), recipient: party(&sdk.recipient), own_ids: sdk.ids == SdkIds::Destination }
}

/// The bounds of delivery to a destination.
pub fn policy(settings: &Settings, known: &DestinationSettings) -> Policy {
    Policy {
        max_attempts: known.max_attempts,
        max_age: known.max_age,
        receipt_deadline: known.receipt_deadline,
        retry_base: settings.retry.base,
        retry_cap: settings.retry.cap,
        probe_cap: settings.retry.probe_cap,
        lease: settings.retry.lease,
        in_flight: known.in_flight,
    }
}

/// Names were checked when the settings were read.
fn name(text: &str) -> Name {
    Name::parse(text).unwrap_or_else(Name::unnamed)
}

#[expect(clippy::needless_pass_by_value, reason = "map_err hands it over")]
fn no_thread(fault: std::io::Error) -> Fault {
    Fault::with(Code::BugPanic, format!("no thread ({})", fault.kind()))
}
