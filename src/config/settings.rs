//! The configuration as it is used: typed, complete and cross-checked. Plain data.

mod address;
mod retention;

pub use address::Address;
pub use retention::RetentionSettings;

pub use super::raw::{Done, Engine, Environment, FileOrder, Language, Level, MailTls, Mode, Receipt, SdkIds, SourceKind, Tls, Wire};

pub use super::mail::MailSettings;
use super::raw;
use crate::fault::{Code, Fault};
use crate::model::bodies::Party;
use crate::model::catalogue::EventType;
use crate::model::ids::{HsaId, OrgNumber};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    pub environment: Environment,
    pub test_persons_file: Option<PathBuf>,
    pub language: Language,
    pub organisation: Organisation,
    /// Sorted by name.
    pub sources: Vec<SourceSettings>,
    /// Sorted by name.
    pub destinations: Vec<DestinationSettings>,
    /// In the order of the file: the first that fits is taken.
    pub routes: Vec<RouteSettings>,
    pub recipients: Vec<RecipientSettings>,
    pub rules: RulesSettings,
    pub store_path: PathBuf,
    /// Holds the connection string of a PostgreSQL database, which takes the place of `store_path`.
    pub store_url_file: Option<PathBuf>,
    /// Issuers of the database's certificate.
    pub store_ca_file: Option<PathBuf>,
    /// The keys that the store is sealed with; none where it is not.
    pub store_key_files: Vec<PathBuf>,
    pub oplog: OplogSettings,
    pub http: Option<HttpSettings>,
    pub metrics: Option<MetricsSettings>,
    pub retention: RetentionSettings,
    pub alarms: AlarmSettings,
    /// Where mail is handed in, if anybody is mailed.
    pub mail: Option<MailSettings>,
    pub limits: LimitsSettings,
    pub retry: RetrySettings,
    pub shutdown_grace: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    pub org_number: OrgNumber,
    pub hsa_id: HsaId,
    pub name: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct SourceSettings {
    pub name: String,
    /// A file of the installation's own, or the name of a mapping that is shipped; events come as they are if none.
    pub mapping: Option<MappingChoice>,
    /// Largest document.
    pub max_bytes: u64,
    /// How long it may be without a new event; for ever if none.
    pub silent: Option<Duration>,
    /// Who is mailed of what does not leave.
    pub mail_to: Vec<String>,
    pub way: Way,
}

/// Which mapping a source has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MappingChoice {
    Shipped(String),
    File(PathBuf),
}

/// How a source is reached; one for each kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Way {
    Directory(DirectorySettings),
    Sql(SqlSettings),
    Nats(NatsSettings),
    Amqp(AmqpSettings),
    Http(HttpSourceSettings),
}

impl Way {
    pub const fn kind(&self) -> SourceKind {
        match self {
            Self::Directory(_) => SourceKind::Directory,
            Self::Sql(_) => SourceKind::Sql,
            Self::Nats(_) => SourceKind::Nats,
            Self::Amqp(_) => SourceKind::Amqp,
            Self::Http(_) => SourceKind::Http,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectorySettings {
    pub path: PathBuf,
    pub still: Duration,
    pub done: Done,
    /// How long a file stays in `done`, where it is kept.
    pub done_age: Duration,
    pub folders: bool,
    pub pattern: Option<String>,
    pub order: FileOrder,
    pub marker: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct HttpSourceSettings {
    pub token_file: PathBuf,
    pub rate_per_s: f64,
    pub in_flight: usize,
}

/// Rows of a table or view. The names are checked: letters, digits and `_`, and one dot in the table's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlSettings {
    pub engine: Engine,
    /// The file with the connection string; of SQLite the database itself.
    pub place: PathBuf,
    pub ca_file: Option<PathBuf>,
    pub table: String,
    pub key: String,
    pub order: String,
    /// The whole row is the record if none.
    pub body: Option<String>,
    /// The columns that status and answer are written to; if none, nothing is written.
    pub written: Option<(String, String)>,
    pub poll: Duration,
    pub overlap: Duration,
    pub reread: Duration,
}

/// Files of the TLS to a message server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerTls {
    /// An address without TLS may name another machine.
    pub plain: bool,
    pub ca_file: Option<PathBuf>,
    /// There if `key_file` is.
    pub cert_file: Option<PathBuf>,
    pub key_file: Option<PathBuf>,
}

/// A stream of NATS JetStream's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatsSettings {
    /// Without any secret.
    pub url: String,
    pub credentials_file: Option<PathBuf>,
    pub token_file: Option<PathBuf>,
    pub tls: BrokerTls,
    pub stream: String,
    pub consumer: String,
    pub subject: Option<String>,
    pub answer_subject: Option<String>,
    pub prefetch: u16,
}

/// A queue of RabbitMQ's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AmqpSettings {
    /// Holds the address with its password.
    pub url_file: PathBuf,
    pub tls: BrokerTls,
    pub queue: String,
    pub answer_queue: Option<String>,
    pub prefetch: u16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DestinationSettings {
    pub name: String,
    pub url: Address,
    /// With `{messageId}` in it.
    pub lookup_url: Option<String>,
    pub callback_token_file: Option<PathBuf>,
    pub wire: Wire,
    pub mode: Mode,
    pub ca_file: Option<PathBuf>,
    /// There if `key_file` is.
    pub cert_file: Option<PathBuf>,
    pub key_file: Option<PathBuf>,
    pub proxy: Option<Address>,
    pub timeout: Duration,
    pub max_attempts: u32,
    pub max_age: Duration,
    pub receipt_deadline: Duration,
    pub receipt: Receipt,
    pub in_flight: usize,
    /// There if the wire is SDK's.
    pub sdk: Option<SdkSettings>,
}

/// What only SDK's wire asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SdkSettings {
    /// Organisation and function.
    pub sender: (String, String),
    pub recipient: (String, String),
    pub ids: SdkIds,
    pub token: Option<TokenSettings>,
}

/// Where the message service's tokens come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenSettings {
    File(PathBuf),
    Client { url: Address, id: String, scope: Option<String> },
}

/// At least one condition is there; all that are there must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteSettings {
    pub party: Option<Party>,
    pub hsa_id: Option<HsaId>,
    pub kind: Option<EventType>,
    /// Name of a destination that exists.
    pub destination: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipientSettings {
    pub party: Party,
    pub hsa_id: HsaId,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RulesSettings {
    /// `vanersborg/2026.1`.
    pub name: String,
    pub dir: Option<PathBuf>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OplogSettings {
    /// Standard error if none.
    pub path: Option<PathBuf>,
    pub level: Level,
}

/// An address where something is answered over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpSettings {
    pub listen: SocketAddr,
    /// Certificate and key. None only on an address of this machine's own.
    pub tls: Option<(PathBuf, PathBuf)>,
    pub client_ca_file: Option<PathBuf>,
}

/// Where figures and health are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricsSettings {
    pub http: HttpSettings,
    /// How long a route may be closed before health tells of it.
    pub route_closed: Duration,
    /// Least free space on the store's disk, in bytes.
    pub disk_free: u64,
}

/// When somebody is told that something is wrong, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmSettings {
    pub look: Duration,
    pub again: Duration,
    pub pending: Duration,
    pub refused: Duration,
    /// In seconds.
    pub clock_skew: u32,
    /// Least free space on the store's disk, in bytes.
    pub disk_free: u64,
    pub webhook: Option<WebhookSettings>,
    /// A program and its arguments.
    pub command: Option<(PathBuf, Vec<String>)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSettings {
    pub url: Address,
    pub token_file: Option<PathBuf>,
    pub ca_file: Option<PathBuf>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitsSettings {
    pub depth: usize,
    /// Records in one document.
    pub records: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetrySettings {
    pub base: Duration,
    pub cap: Duration,
    pub lease: Duration,
    pub probe_cap: Duration,
}

impl Settings {
    pub fn destination(&self, name: &str) -> Option<&DestinationSettings> {
        self.destinations.iter().find(|destination| destination.name == name)
    }

    /// What the daemon needs beyond what other commands do.
    pub fn require_for_run(&self) -> Result<(), Vec<Fault>> {
        let mut faults = Vec::new();
        if self.sources.is_empty() {
            faults.push(Fault::with(Code::CfgMissing, "[source.NAME]: at least one"));
        }
        if self.destinations.is_empty() {
            faults.push(Fault::with(Code::CfgMissing, "[destination.NAME]: at least one"));
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// Whether the files and folders that are named are there. Apart from reading, so that a configuration can be checked on
    /// another machine than the one it is for.
    pub fn check_files(&self) -> Result<(), Vec<Fault>> {
        let mut faults = Vec::new();
        let mut need = |key: String, path: Option<&Path>, folder: bool| {
            let Some(path) = path else { return };
            if if folder { path.is_dir() } else { path.is_file() } {
                return;
            }
            let kind = if folder { "folder" } else { "file" };
            faults.push(Fault::with(Code::CfgFile, format!("{key}: no such {kind}: {}", path.display())));
        };
        for source in &self.sources {
            let key = |key: &str| format!("source.{}.{key}", source.name);
            if let Some(MappingChoice::File(path)) = &source.mapping {
                need(key("mapping"), Some(path), false);
            }
            match &source.way {
                Way::Directory(directory) => need(key("path"), Some(&directory.path), true),
                Way::Sql(sql) => {
                    let place = if sql.engine == Engine::Sqlite { "database" } else { "url_file" };
                    need(key(place), Some(&sql.place), false);
                    need(key("ca_file"), sql.ca_file.as_deref(), false);
                }
                Way::Nats(nats) => {
                    need(key("credentials_file"), nats.credentials_file.as_deref(), false);
                    need(key("token_file"), nats.token_file.as_deref(), false);
                }
                Way::Amqp(amqp) => need(key("url_file"), Some(&amqp.url_file), false),
                Way::Http(http) => need(key("token_file"), Some(&http.token_file), false),
            }
            if let Way::Nats(NatsSettings { tls, .. }) | Way::Amqp(AmqpSettings { tls, .. }) = &source.way {
                for (name, path) in [("ca_file", &tls.ca_file), ("cert_file", &tls.cert_file), ("key_file", &tls.key_file)] {
                    need(key(name), path.as_deref(), false);
                }
            }
        }
        for destination in &self.destinations {
            let files = [
                ("ca_file", &destination.ca_file),
                ("cert_file", &destination.cert_file),
                ("key_file", &destination.key_file),
                ("callback_token_file", &destination.callback_token_file),
            ];
            for (key, path) in files {
                need(format!("destination.{}.{key}", destination.name), path.as_deref(), false);
            }
            if let Some(SdkSettings { token: Some(TokenSettings::File(path)), .. }) = &destination.sdk {
                need(format!("destination.{}.token_file", destination.name), Some(path), false);
            }
        }
        need("rules.dir".to_owned(), self.rules.dir.as_deref(), true);
        need("store.path".to_owned(), folder_of(&self.store_path), true);
        need("store.url_file".to_owned(), self.store_url_file.as_deref(), false);
        need("store.ca_file".to_owned(), self.store_ca_file.as_deref(), false);
        for (section, http) in [("http", self.http.as_ref()), ("metrics", self.metrics.as_ref().map(|metrics| &metrics.http))] {
            let Some(http) = http else { continue };
            need(format!("{section}.cert_file"), http.tls.as_ref().map(|(certificate, _)| certificate.as_path()), false);
            need(format!("{section}.key_file"), http.tls.as_ref().map(|(_, key)| key.as_path()), false);
            need(format!("{section}.client_ca_file"), http.client_ca_file.as_deref(), false);
        }
        let webhook = self.alarms.webhook.as_ref();
        need("alarms.webhook_token_file".to_owned(), webhook.and_then(|webhook| webhook.token_file.as_deref()), false);
        need("alarms.webhook_ca_file".to_owned(), webhook.and_then(|webhook| webhook.ca_file.as_deref()), false);
        need("alarms.command".to_owned(), self.alarms.command.as_ref().map(|(program, _)| program.as_path()), false);
        let mail = self.mail.as_ref();
        need("mail.ca_file".to_owned(), mail.and_then(|mail| mail.ca_file.as_deref()), false);
        need("mail.password_file".to_owned(), mail.and_then(|mail| mail.user.as_ref()).map(|(_, file)| file.as_path()), false);
        need("oplog.path".to_owned(), self.oplog.path.as_deref().and_then(folder_of), true);
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// The settings as a configuration file, with secrets in addresses masked.
    pub fn show(&self) -> String {
        // Only kinds that TOML has stand in it.
        toml::to_string(&raw::Raw::from(self)).unwrap_or_default()
    }
}

/// The folder that a file shall lie in.
fn folder_of(path: &Path) -> Option<&Path> {
    path.parent().map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
}

impl From<&Settings> for raw::Raw {
    fn from(settings: &Settings) -> Self {
        let named = |name: &String| name.clone();
        Self {
            environment: Some(settings.environment),
            test_persons_file: settings.test_persons_file.as_deref().map(shown),
            language: Some(settings.language),
            organisation: raw::Organisation {
                org_number: Some(settings.organisation.org_number.as_str().to_owned()),
                hsa_id: Some(settings.organisation.hsa_id.as_str().to_owned()),
                name: Some(settings.organisation.name.clone()),
            },
            source: settings.sources.iter().map(|source| (named(&source.name), source.into())).collect(),
            destination: settings.destinations.iter().map(|destination| (named(&destination.name), destination.into())).collect(),
            route: settings.routes.iter().map(Into::into).collect(),
            recipient: settings.recipients.iter().map(Into::into).collect(),
            rules: raw::Rules { name: Some(settings.rules.name.clone()), dir: settings.rules.dir.as_deref().map(shown) },
            store: raw::Store {
                path: Some(shown(&settings.store_path)),
                url_file: settings.store_url_file.as_deref().map(shown),
                ca_file: settings.store_ca_file.as_deref().map(shown),
                key_files: settings.store_key_files.iter().map(|path| shown(path)).collect(),
            },
            http: settings.http.as_ref().map(Into::into).unwrap_or_default(),
            metrics: settings.metrics.as_ref().map(Into::into).unwrap_or_default(),
            alarms: (&settings.alarms).into(),
            mail: settings.mail.as_ref().map(Into::into).unwrap_or_default(),
            oplog: raw::Oplog { path: settings.oplog.path.as_deref().map(shown), level: Some(settings.oplog.level) },
            retention: (&settings.retention).into(),
            limits: raw::Limits { records: u32::try_from(settings.limits.records).ok(), depth: u32::try_from(settings.limits.depth).ok() },
            retry: raw::Retry {
                base_s: Some(settings.retry.base.as_secs_f64()),
                cap_s: Some(settings.retry.cap.as_secs_f64()),
                lease_s: Some(settings.retry.lease.as_secs_f64()),
                probe_cap_s: Some(settings.retry.probe_cap.as_secs_f64()),
            },
            shutdown: raw::Shutdown { grace_s: Some(settings.shutdown_grace.as_secs_f64()) },
        }
    }
}

pub(super) fn shown(path: &Path) -> String {
    path.display().to_string()
}

impl From<&HttpSettings> for raw::Http {
    fn from(http: &HttpSettings) -> Self {
        Self {
            listen: Some(http.listen.to_string()),
            cert_file: http.tls.as_ref().map(|(certificate, _)| shown(certificate)),
            key_file: http.tls.as_ref().map(|(_, key)| shown(key)),
            client_ca_file: http.client_ca_file.as_deref().map(shown),
        }
    }
}

impl From<&MetricsSettings> for raw::Metrics {
    fn from(metrics: &MetricsSettings) -> Self {
        let raw::Http { listen, cert_file, key_file, client_ca_file } = (&metrics.http).into();
        let minutes = metrics.route_closed.as_secs() / MINUTE;
        Self {
            listen,
            cert_file,
            key_file,
            client_ca_file,
            route_closed_min: u32::try_from(minutes).ok(),
            disk_free_mb: u32::try_from(metrics.disk_free / MEGABYTE).ok(),
        }
    }
}

impl From<&AlarmSettings> for raw::Alarms {
    fn from(alarms: &AlarmSettings) -> Self {
        let hours = |time: Duration| Some(time.as_secs_f64() / HOUR);
        let webhook = alarms.webhook.as_ref();
        let command = alarms.command.iter().flat_map(|(program, rest)| std::iter::once(shown(program)).chain(rest.iter().cloned()));
        Self {
            look_s: Some(alarms.look.as_secs_f64()),
            again_h: hours(alarms.again),
            pending_h: hours(alarms.pending),
            refused_h: hours(alarms.refused),
            clock_skew_s: Some(alarms.clock_skew),
            disk_free_mb: u32::try_from(alarms.disk_free / MEGABYTE).ok(),
            webhook_url: webhook.map(|webhook| webhook.url.to_string()),
            webhook_token_file: webhook.and_then(|webhook| webhook.token_file.as_deref()).map(shown),
            webhook_ca_file: webhook.and_then(|webhook| webhook.ca_file.as_deref()).map(shown),
            command: command.collect(),
        }
    }
}

impl BrokerTls {
    fn written(&self, source: raw::Source) -> raw::Source {
        raw::Source {
            tls: Some(if self.plain { raw::Tls::Off } else { raw::Tls::Required }),
            ca_file: self.ca_file.as_deref().map(shown),
            cert_file: self.cert_file.as_deref().map(shown),
            key_file: self.key_file.as_deref().map(shown),
            ..source
        }
    }
}

impl From<&SourceSettings> for raw::Source {
    fn from(source: &SourceSettings) -> Self {
        let mapping = source.mapping.as_ref().map(|mapping| match mapping {
            MappingChoice::Shipped(name) => name.clone(),
            MappingChoice::File(path) => shown(path),
        });
        let common = Self {
            kind: Some(source.way.kind()),
            mapping,
            max_kb: u32::try_from(source.max_bytes / KILOBYTE).ok(),
            mail_to: source.mail_to.clone(),
            silent_h: source.silent.map(|time| time.as_secs_f64() / HOUR),
            ..Self::default()
        };
        match &source.way {
            Way::Directory(directory) => Self {
                path: Some(shown(&directory.path)),
                still_s: Some(directory.still.as_secs_f64()),
                done: Some(directory.done),
                done_days: u32::try_from(directory.done_age.as_secs() / DAY).ok(),
                folders: Some(directory.folders),
                pattern: directory.pattern.clone(),
                order: Some(directory.order),
                marker: directory.marker.clone(),
                ..common
            },
            Way::Http(http) => Self {
                token_file: Some(shown(&http.token_file)),
                rate_per_s: Some(http.rate_per_s),
                in_flight: u32::try_from(http.in_flight).ok(),
                ..common
            },
            Way::Sql(sql) => sql.written_into(common),
            Way::Nats(nats) => Self {
                url: Some(nats.url.clone()),
                credentials_file: nats.credentials_file.as_deref().map(shown),
                token_file: nats.token_file.as_deref().map(shown),
                stream: Some(nats.stream.clone()),
                consumer: Some(nats.consumer.clone()),
                subject: nats.subject.clone(),
                answer_subject: nats.answer_subject.clone(),
                prefetch: Some(nats.prefetch),
                ..nats.tls.written(common)
            },
            Way::Amqp(amqp) => Self {
                url_file: Some(shown(&amqp.url_file)),
                queue: Some(amqp.queue.clone()),
                answer_queue: amqp.answer_queue.clone(),
                prefetch: Some(amqp.prefetch),
                ..amqp.tls.written(common)
            },
        }
    }
}

impl SqlSettings {
    fn written_into(&self, common: raw::Source) -> raw::Source {
        let place = Some(shown(&self.place));
        let (url_file, database) = if self.engine == Engine::Sqlite { (None, place) } else { (place, None) };
        let (status_column, answer_column) = self.written.clone().unzip();
        raw::Source {
            engine: Some(self.engine),
            url_file,
            database,
            ca_file: self.ca_file.as_deref().map(shown),
            table: Some(self.table.clone()),
            key_column: Some(self.key.clone()),
            order_column: Some(self.order.clone()),
            body_column: self.body.clone(),
            status_column,
            answer_column,
            poll_s: Some(self.poll.as_secs_f64()),
            overlap_s: Some(self.overlap.as_secs_f64()),
            reread_h: Some(self.reread.as_secs_f64() / HOUR),
            ..common
        }
    }
}

impl From<&DestinationSettings> for raw::Destination {
    fn from(destination: &DestinationSettings) -> Self {
        Self {
            url: Some(destination.url.to_string()),
            lookup_url: destination.lookup_url.as_deref().and_then(Address::parse).map(|address| address.to_string()),
            callback_token_file: destination.callback_token_file.as_deref().map(shown),
            wire: Some(destination.wire),
            mode: Some(destination.mode),
            ca_file: destination.ca_file.as_deref().map(shown),
            cert_file: destination.cert_file.as_deref().map(shown),
            key_file: destination.key_file.as_deref().map(shown),
            proxy: destination.proxy.as_ref().map(Address::to_string),
            timeout_s: Some(destination.timeout.as_secs_f64()),
            max_attempts: Some(destination.max_attempts),
            max_age_h: Some(destination.max_age.as_secs_f64() / HOUR),
            receipt_deadline_h: Some(destination.receipt_deadline.as_secs_f64() / HOUR),
            receipt: Some(destination.receipt),
            in_flight: u32::try_from(destination.in_flight).ok(),
            ..destination.sdk.as_ref().map(Into::into).unwrap_or_default()
        }
    }
}

impl From<&SdkSettings> for raw::Destination {
    fn from(sdk: &SdkSettings) -> Self {
        let mut raw = Self {
            sender: Some(sdk.sender.0.clone()),
            sender_function: Some(sdk.sender.1.clone()),
            recipient: Some(sdk.recipient.0.clone()),
            recipient_function: Some(sdk.recipient.1.clone()),
            sdk_ids: Some(sdk.ids),
            ..Self::default()
        };
        match &sdk.token {
            None => {}
            Some(TokenSettings::File(path)) => raw.token_file = Some(shown(path)),
            Some(TokenSettings::Client { url, id, scope }) => {
                (raw.token_url, raw.client_id) = (Some(url.to_string()), Some(id.clone()));
                raw.token_scope.clone_from(scope);
            }
        }
        raw
    }
}

impl From<&RouteSettings> for raw::Route {
    fn from(route: &RouteSettings) -> Self {
        Self {
            party: route.party.map(Into::into),
            hsa_id: route.hsa_id.as_ref().map(|id| id.as_str().to_owned()),
            kind: route.kind.map(|kind| kind.code().to_owned()),
            destination: Some(route.destination.clone()),
        }
    }
}

impl From<&RecipientSettings> for raw::Recipient {
    fn from(recipient: &RecipientSettings) -> Self {
        Self { party: Some(recipient.party.into()), hsa_id: Some(recipient.hsa_id.as_str().to_owned()) }
    }
}

pub(super) const DAY: u64 = 24 * 60 * 60;
pub(super) const DAY_S: f64 = 24.0 * HOUR;
/// No shorter than any year of the calendar.
pub(super) const YEAR: u64 = 366 * DAY;
const MINUTE: u64 = 60;
pub(super) const HOUR: f64 = 3600.0;
pub(super) const KILOBYTE: u64 = 1024;
pub(super) const MEGABYTE: u64 = 1024 * KILOBYTE;
