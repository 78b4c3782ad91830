//! From as written to as used: required keys, identifiers, addresses, paths, and what must fit together.

mod alarms;
mod mail;
mod sdk;
mod sql;

use super::nearest::nearest;
use super::raw::{self, Raw};
use super::read::Origin;
use super::settings::{
    Address, AmqpSettings, BrokerTls, DAY, DAY_S, DestinationSettings, DirectorySettings, HOUR, HttpSettings, HttpSourceSettings, KILOBYTE,
    LimitsSettings, MEGABYTE, MappingChoice, MetricsSettings, NatsSettings, OplogSettings, Organisation, RecipientSettings,
    RetentionSettings, RetrySettings, RouteSettings, RulesSettings, Settings, SourceKind, SourceSettings, Way, YEAR,
};
use crate::fault::{Code, Fault};
use crate::model::catalogue::EventType;
use crate::model::ids::{HsaId, MessageId, OrgNumber};
use crate::model::name::subject;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// For writing what became of a try.
const SETTLING: Duration = Duration::from_secs(2);
/// Keys of a store: one that seals, and those that it has not been sealed anew from yet.
const KEYS_MAX: usize = 16;
/// Longest pattern or marker of file names.
const PART_MAX: usize = 100;
const HSA_ID: &str = "expected SE, ten digits, a hyphen and at most 18 letters (A-Z) and digits";
const NATS_NAME: &str = "expected a name without blanks and . * > / \\";
const ADDRESS: &str = "expected an address that begins with https://";

/// The settings, or everything that is wrong.
pub(super) fn check(raw: Raw, origin: Origin, base: &Path) -> Result<Settings, Vec<Fault>> {
    let mut checker = Checker { origin, base };
    let settings = checker.settings(raw);
    let faults = checker.origin.faults;
    match settings {
        Some(settings) if faults.is_empty() => Ok(settings),
        _ => Err(faults),
    }
}

struct Checker<'a> {
    origin: Origin,
    base: &'a Path,
}

// Every field is looked at before the first missing one ends a function, so that all faults are found at once.
impl Checker<'_> {
    fn settings(&mut self, raw: Raw) -> Option<Settings> {
        let names: Vec<String> = raw.destination.keys().cloned().collect();
        let organisation = self.organisation(raw.organisation);
        let sources: Vec<_> = raw.source.into_iter().map(|(name, source)| self.source(name, source)).collect();
        let retry = self.retry(&raw.retry);
        let lease = retry.as_ref().map(|retry| retry.lease);
        let destinations: Vec<_> = raw.destination.into_iter().map(|(name, to)| self.destination(name, to, lease)).collect();
        self.ids(&destinations);
        let routes: Vec<_> = raw.route.into_iter().enumerate().map(|(place, route)| self.route(place, route, &names)).collect();
        let recipients: Vec<_> = raw.recipient.into_iter().enumerate().map(|(place, to)| self.recipient(place, to)).collect();
        let rules = self.rules(raw.rules);
        let store = self.need(raw.store.path, "store.path");
        let store_path = self.path(store, "store.path");
        let store_url_file = self.path(raw.store.url_file, "store.url_file");
        let store_ca_file = self.path(raw.store.ca_file, "store.ca_file");
        let store_key_files = self.key_files(raw.store.key_files);
        let http = self.http(raw.http, "http");
        let metrics = self.metrics(raw.metrics);
        let alarms = self.alarms(raw.alarms);
        let mail = self.mail(raw.mail, raw.environment);
        let oplog_path = self.path(raw.oplog.path, "oplog.path");
        let level = self.need(raw.oplog.level, "oplog.level");
        let retention = self.retention(&raw.retention);
        let depth = self.need(raw.limits.depth, "limits.depth");
        let records = self.need(raw.limits.records, "limits.records");
        let shutdown_grace = self.seconds(raw.shutdown.grace_s, "shutdown.grace_s");
        let environment = self.need(raw.environment, "environment");
        let test_persons_file = self.path(raw.test_persons_file, "test_persons_file");
        let language = self.need(raw.language, "language");
        let sources = sources.into_iter().collect::<Option<Vec<_>>>()?;
        self.apart(&sources);
        self.mailed(&sources, mail.as_ref());
        if let Some(source) = sources.iter().find(|source| matches!(source.way, Way::Http(_)) && http.is_none()) {
            self.origin.fault(Code::CfgMissing, "http.listen", &format!("needed by source.{}", source.name));
        }
        Some(Settings {
            environment: environment?,
            test_persons_file,
            language: language?,
            organisation: organisation?,
            sources,
            destinations: destinations.into_iter().collect::<Option<_>>()?,
            routes: routes.into_iter().collect::<Option<_>>()?,
            recipients: recipients.into_iter().collect::<Option<_>>()?,
            rules: rules?,
            store_path: store_path?,
            store_url_file,
            store_ca_file,
            store_key_files,
            http,
            metrics,
            alarms: alarms?,
            mail,
            oplog: OplogSettings { path: oplog_path, level: level? },
            retention: retention?,
            limits: LimitsSettings { depth: usize::try_from(depth?).ok()?, records: usize::try_from(records?).ok()? },
            retry: retry?,
            shutdown_grace: shutdown_grace?,
        })
    }

    fn key_files(&mut self, files: Vec<String>) -> Vec<PathBuf> {
        if files.len() > KEYS_MAX {
            self.origin.fault(Code::CfgValue, "store.key_files", &format!("at most {KEYS_MAX}"));
        }
        let mut out = Vec::new();
        for (place, file) in files.into_iter().enumerate() {
            let key = format!("store.key_files[{place}]");
            if !self.origin.is_bad(&key) {
                out.extend(self.path(Some(file), &key));
            }
        }
        out
    }

    fn organisation(&mut self, raw: raw::Organisation) -> Option<Organisation> {
        let number = self.need(raw.org_number, "organisation.org_number");
        let org_number = self.formed(number, "organisation.org_number", OrgNumber::parse, "expected ten digits with a right check digit");
        let hsa_id = self.need(raw.hsa_id, "organisation.hsa_id");
        let hsa_id = self.formed(hsa_id, "organisation.hsa_id", HsaId::parse, HSA_ID);
        let name = self.need(raw.name, "organisation.name");
        let name = self.formed(
            name,
            "organisation.name",
            |name| ((1..=200).contains(&name.trim().chars().count()) && !name.contains(char::is_control)).then(|| name.trim().to_owned()),
            "expected 1 to 200 characters, without line breaks",
        );
        Some(Organisation { org_number: org_number?, hsa_id: hsa_id?, name: name? })
    }

    fn source(&mut self, name: String, mut raw: raw::Source) -> Option<SourceSettings> {
        let key = |key: &str| format!("source.{name}.{key}");
        let kind = self.need(raw.kind, &key("kind"));
        let mapping = self.mapping(raw.mapping.clone(), &key("mapping"));
        let max_kb = self.need(raw.max_kb, &key("max_kb"));
        let mail_to = self.mail_to(std::mem::take(&mut raw.mail_to), &key("mail_to"));
        let silent = raw.silent_h.and_then(|hours| Duration::try_from_secs_f64(hours * HOUR).ok());
        let way = match kind {
            Some(SourceKind::Directory) | None => self.directory(raw, &key).map(Way::Directory),
            Some(SourceKind::Sql) => self.sql(raw, &key).map(Way::Sql),
            Some(SourceKind::Nats) => self.nats(raw, &key).map(Way::Nats),
            Some(SourceKind::Amqp) => self.amqp(raw, &key).map(Way::Amqp),
            Some(SourceKind::Http) => self.http_source(raw, &key).map(Way::Http),
        };
        kind?;
        Some(SourceSettings { mapping, max_bytes: u64::from(max_kb?) * KILOBYTE, silent, mail_to, way: way?, name })
    }

    /// A name of a mapping that is shipped has no dot; a file has one.
    fn mapping(&mut self, given: Option<String>, key: &str) -> Option<MappingChoice> {
        let given = given.filter(|name| name != "canonical")?;
        if given.contains('.') {
            return self.path(Some(given), key).map(MappingChoice::File);
        }
        Some(MappingChoice::Shipped(given))
    }

    fn directory(&mut self, raw: raw::Source, key: &dyn Fn(&str) -> String) -> Option<DirectorySettings> {
        let path = self.need(raw.path, &key("path"));
        let path = self.path(path, &key("path"));
        let still = self.seconds(raw.still_s, &key("still_s"));
        let done = self.need(raw.done, &key("done"));
        let done_days = self.need(raw.done_days, &key("done_days"));
        let folders = self.need(raw.folders, &key("folders"));
        let order = self.need(raw.order, &key("order"));
        let part = |text: &str| (!text.is_empty() && text.len() <= PART_MAX && !text.contains(['/', '\0'])).then(|| text.to_owned());
        let pattern = self.formed(raw.pattern, &key("pattern"), part, "expected at most 100 characters, without /");
        let marker = self.formed(raw.marker, &key("marker"), part, "expected at most 100 characters, without /");
        let done_age = Duration::from_secs(u64::from(done_days?) * DAY);
        Some(DirectorySettings { path: path?, still: still?, done: done?, done_age, folders: folders?, pattern, order: order?, marker })
    }

    fn http_source(&mut self, raw: raw::Source, key: &dyn Fn(&str) -> String) -> Option<HttpSourceSettings> {
        let token_file = self.need(raw.token_file, &key("token_file"));
        let token_file = self.path(token_file, &key("token_file"));
        let rate_per_s = self.need(raw.rate_per_s, &key("rate_per_s"));
        let in_flight = self.need(raw.in_flight, &key("in_flight"));
        Some(HttpSourceSettings { token_file: token_file?, rate_per_s: rate_per_s?, in_flight: usize::try_from(in_flight?).ok()? })
    }

    fn nats(&mut self, raw: raw::Source, key: &dyn Fn(&str) -> String) -> Option<NatsSettings> {
        let tls = self.broker_tls(&raw, key);
        let url = self.need(raw.url, &key("url"));
        let url = self.formed(url, &key("url"), nats_url, "expected tls://host:port or nats://host:port, and no name or password in it");
        let here = |url: &reqwest::Url| matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        if url.as_ref().zip(tls.as_ref()).is_some_and(|(url, tls)| url.scheme() == "nats" && !here(url) && !tls.plain) {
            self.origin.fault(Code::CfgValue, &key("url"), "nats:// is allowed only to 127.0.0.1, localhost and [::1]; use tls://");
        }
        let credentials_file = self.path(raw.credentials_file, &key("credentials_file"));
        let token_file = self.path(raw.token_file, &key("token_file"));
        let stream = self.need(raw.stream, &key("stream"));
        let stream = self.formed(stream, &key("stream"), nats_name, NATS_NAME);
        let consumer = self.need(raw.consumer, &key("consumer"));
        let consumer = self.formed(consumer, &key("consumer"), nats_name, NATS_NAME);
        let filter = self.formed(raw.subject, &key("subject"), |text| subject(text).map(str::to_owned), "expected a subject");
        let answer = |text: &str| subject(text).filter(|text| !text.contains(['*', '>'])).map(str::to_owned);
        let answer_subject = self.formed(raw.answer_subject, &key("answer_subject"), answer, "expected a subject without * and >");
        let prefetch = self.need(raw.prefetch, &key("prefetch"));
        Some(NatsSettings {
            url: url?.to_string(),
            credentials_file,
            token_file,
            tls: tls?,
            stream: stream?,
            consumer: consumer?,
            subject: filter,
            answer_subject,
            prefetch: prefetch?,
        })
    }

    fn amqp(&mut self, raw: raw::Source, key: &dyn Fn(&str) -> String) -> Option<AmqpSettings> {
        let tls = self.broker_tls(&raw, key);
        let url_file = self.need(raw.url_file, &key("url_file"));
        let url_file = self.path(url_file, &key("url_file"));
        let short = |text: &str| (1..=255).contains(&text.len()).then(|| text.to_owned());
        let queue = self.need(raw.queue, &key("queue"));
        let queue = self.formed(queue, &key("queue"), short, "expected 1 to 255 bytes");
        let answer_queue = self.formed(raw.answer_queue, &key("answer_queue"), short, "expected 1 to 255 bytes");
        let prefetch = self.need(raw.prefetch, &key("prefetch"));
        Some(AmqpSettings { url_file: url_file?, tls: tls?, queue: queue?, answer_queue, prefetch: prefetch? })
    }

    fn broker_tls(&mut self, raw: &raw::Source, key: &dyn Fn(&str) -> String) -> Option<BrokerTls> {
        self.together(key("").trim_end_matches('.'), raw.cert_file.is_some(), raw.key_file.is_some());
        let plain = self.need(raw.tls, &key("tls")).map(|tls| tls == raw::Tls::Off);
        let ca_file = self.path(raw.ca_file.clone(), &key("ca_file"));
        let cert_file = self.path(raw.cert_file.clone(), &key("cert_file"));
        let key_file = self.path(raw.key_file.clone(), &key("key_file"));
        Some(BrokerTls { plain: plain?, ca_file, cert_file, key_file })
    }

    /// Two sources at one place would take each other's files or messages, and answer each other's rows.
    fn apart(&mut self, sources: &[SourceSettings]) {
        let place_of = |source: &SourceSettings| match &source.way {
            Way::Directory(_) | Way::Http(_) => None,
            Way::Sql(sql) => Some(("table", format!("{} {}", sql.place.display(), sql.table))),
            Way::Nats(nats) => Some(("consumer", format!("{} {} {}", nats.url, nats.stream, nats.consumer))),
            Way::Amqp(amqp) => Some(("queue", format!("{} {}", amqp.url_file.display(), amqp.queue))),
        };
        let holds = |one: &SourceSettings, other: &SourceSettings| match (&one.way, &other.way) {
            (Way::Directory(one), Way::Directory(other)) => one.path == other.path || (one.folders && other.path.starts_with(&one.path)),
            _ => false,
        };
        for (place, source) in sources.iter().enumerate() {
            let same = |other: &&SourceSettings| place_of(source).is_some() && place_of(other) == place_of(source);
            if let (Some((key, _)), Some(other)) = (place_of(source), sources[..place].iter().find(same)) {
                let what = format!("the same {key} as source.{}", other.name);
                self.origin.fault(Code::CfgValue, &format!("source.{}.{key}", source.name), &what);
            }
            let same = |other: &&SourceSettings| holds(other, source) || holds(source, other);
            if let Some(other) = sources[..place].iter().find(same) {
                let within = if holds(other, source) && holds(source, other) { "the same folder as" } else { "one lies within the other:" };
                let what = format!("{within} source.{}", other.name);
                self.origin.fault(Code::CfgValue, &format!("source.{}.path", source.name), &what);
            }
        }
    }

    fn destination(&mut self, name: String, mut raw: raw::Destination, lease: Option<Duration>) -> Option<DestinationSettings> {
        let key = |key: &str| format!("destination.{name}.{key}");
        let sdk = self.sdk(&mut raw, &format!("destination.{name}"));
        let url = self.need(raw.url, &key("url"));
        let url = self.formed(url, &key("url"), Address::parse, ADDRESS);
        if url.as_ref().is_some_and(|url| !url.is_https() && !url.is_this_machine()) {
            self.origin.fault(Code::CfgValue, &key("url"), "http is allowed only to 127.0.0.1, localhost and [::1]; use https");
        }
        let proxy = self.formed(raw.proxy, &key("proxy"), Address::parse, "expected an address that begins with http:// or https://");
        self.together(&format!("destination.{name}"), raw.cert_file.is_some(), raw.key_file.is_some());
        let lookup_url = self.lookup_url(raw.lookup_url, url.as_ref(), &key("lookup_url"));
        let callback_token_file = self.path(raw.callback_token_file, &key("callback_token_file"));
        let timeout = self.seconds(raw.timeout_s, &key("timeout_s"));
        if timeout.zip(lease).is_some_and(|(timeout, lease)| timeout.mul_f64(1.5) + SETTLING > lease) {
            // Else a second worker could send what the first is still sending, or asking about.
            self.origin.fault(Code::CfgValue, &key("timeout_s"), "retry.lease_s must be at least one and a half times this and 2 s more");
        }
        let wire = self.need(raw.wire, &key("wire"));
        let mode = self.need(raw.mode, &key("mode"));
        let ca_file = self.path(raw.ca_file, &key("ca_file"));
        let cert_file = self.path(raw.cert_file, &key("cert_file"));
        let key_file = self.path(raw.key_file, &key("key_file"));
        let max_attempts = self.need(raw.max_attempts, &key("max_attempts"));
        let max_age = self.seconds(raw.max_age_h.map(|hours| hours * HOUR), &key("max_age_h"));
        let receipt_deadline = self.seconds(raw.receipt_deadline_h.map(|hours| hours * HOUR), &key("receipt_deadline_h"));
        let receipt = self.need(raw.receipt, &key("receipt"));
        let in_flight = self.need(raw.in_flight, &key("in_flight"));
        Some(DestinationSettings {
            url: url?,
            lookup_url,
            callback_token_file,
            wire: wire?,
            mode: mode?,
            ca_file,
            cert_file,
            key_file,
            proxy,
            timeout: timeout?,
            max_attempts: max_attempts?,
            max_age: max_age?,
            receipt_deadline: receipt_deadline?,
            receipt: receipt?,
            in_flight: usize::try_from(in_flight?).ok()?,
            sdk,
            name,
        })
    }

    /// A certificate and its key are given together.
    fn together(&mut self, section: &str, certificate: bool, key: bool) {
        let (missing, given) = match (certificate, key) {
            (true, false) => ("key_file", "cert_file"),
            (false, true) => ("cert_file", "key_file"),
            _ => return,
        };
        let missing = format!("{section}.{missing}");
        if !self.origin.is_bad(&missing) {
            self.origin.fault(Code::CfgMissing, &missing, &format!("needed together with {given}"));
        }
    }

    /// On the same host as the messages: it is met with the same certificates.
    fn lookup_url(&mut self, text: Option<String>, url: Option<&Address>, key: &str) -> Option<String> {
        let text = text?;
        let Some(address) = Address::parse(&text) else {
            self.origin.fault(Code::CfgValue, key, ADDRESS);
            return None;
        };
        if !text.contains(MessageId::PLACEHOLDER) {
            self.origin.fault(Code::CfgValue, key, "expected {messageId} in it");
        }
        if url.is_some_and(|url| url.url().origin() != address.url().origin()) {
            self.origin.fault(Code::CfgValue, key, "expected the same scheme, host and port as url");
        }
        Some(text)
    }

    /// An address to listen at.
    fn http(&mut self, raw: raw::Http, section: &str) -> Option<HttpSettings> {
        let key = |key: &str| format!("{section}.{key}");
        self.together(section, raw.cert_file.is_some(), raw.key_file.is_some());
        let listen: Option<SocketAddr> =
            self.formed(raw.listen, &key("listen"), |text| text.parse().ok(), "expected an address and a port: \"127.0.0.1:8080\"");
        let tls = self.path(raw.cert_file, &key("cert_file")).zip(self.path(raw.key_file, &key("key_file")));
        let client_ca_file = self.path(raw.client_ca_file, &key("client_ca_file"));
        if tls.is_none() && client_ca_file.is_some() {
            self.origin.fault(Code::CfgMissing, &key("cert_file"), "needed together with client_ca_file");
        }
        if tls.is_none() && listen.is_some_and(|listen| !listen.ip().is_loopback()) {
            let what = "without cert_file only an address of this machine itself: 127.0.0.1 or [::1]";
            self.origin.fault(Code::CfgValue, &key("listen"), what);
        }
        Some(HttpSettings { listen: listen?, tls, client_ca_file })
    }

    fn metrics(&mut self, raw: raw::Metrics) -> Option<MetricsSettings> {
        let raw::Metrics { listen, cert_file, key_file, client_ca_file, route_closed_min, disk_free_mb } = raw;
        let http = self.http(raw::Http { listen, cert_file, key_file, client_ca_file }, "metrics");
        let minutes = self.need(route_closed_min, "metrics.route_closed_min");
        let megabytes = self.need(disk_free_mb, "metrics.disk_free_mb");
        let route_closed = Duration::from_mins(minutes?.into());
        Some(MetricsSettings { http: http?, route_closed, disk_free: u64::from(megabytes?) * MEGABYTE })
    }

    fn route(&mut self, place: usize, raw: raw::Route, destinations: &[String]) -> Option<RouteSettings> {
        let key = |key: &str| format!("route[{place}].{key}");
        let conditions = [("party", raw.party.is_some()), ("hsa_id", raw.hsa_id.is_some()), ("type", raw.kind.is_some())];
        if !conditions.iter().any(|(name, given)| *given || self.origin.is_bad(&key(name))) {
            self.origin.fault(Code::CfgMissing, &format!("route[{place}]"), "at least one of party, hsa_id and type");
        }
        let hsa_id = self.formed(raw.hsa_id, &key("hsa_id"), HsaId::parse, HSA_ID);
        let types = || EventType::VALUES.iter().map(|value| value.code);
        let meant = raw.kind.as_deref().and_then(|kind| nearest(kind, types()));
        let hint = meant.map_or_else(|| format!("known types: {}", types().collect::<Vec<_>>().join(", ")), did_you_mean);
        let kind = self.formed(raw.kind, &key("type"), EventType::parse, &hint);
        let destination = self.need(raw.destination, &key("destination"));
        if let Some(name) = destination.as_ref().filter(|name| !destinations.contains(name)) {
            let known = || destinations.iter().map(String::as_str);
            let hint = nearest(name, known()).map_or_else(|| format!("known: {}", known().collect::<Vec<_>>().join(", ")), did_you_mean);
            self.origin.fault(Code::CfgRoute, &key("destination"), &hint);
        }
        Some(RouteSettings { party: raw.party.map(Into::into), hsa_id, kind, destination: destination? })
    }

    fn recipient(&mut self, place: usize, raw: raw::Recipient) -> Option<RecipientSettings> {
        let key = |key: &str| format!("recipient[{place}].{key}");
        let party = self.need(raw.party, &key("party"));
        let hsa_id = self.need(raw.hsa_id, &key("hsa_id"));
        let hsa_id = self.formed(hsa_id, &key("hsa_id"), HsaId::parse, HSA_ID);
        Some(RecipientSettings { party: party?.into(), hsa_id: hsa_id? })
    }

    fn rules(&mut self, raw: raw::Rules) -> Option<RulesSettings> {
        let name = self.need(raw.name, "rules.use");
        let name = self.formed_as(Code::CfgRules, name, "rules.use", rules_name, "expected a name and a version: \"vanersborg/2026.1\"");
        let dir = self.path(raw.dir, "rules.dir");
        Some(RulesSettings { name: name?, dir })
    }

    fn retry(&mut self, raw: &raw::Retry) -> Option<RetrySettings> {
        let base = self.seconds(raw.base_s, "retry.base_s");
        let cap = self.seconds(raw.cap_s, "retry.cap_s");
        if base > cap && cap.is_some() {
            self.origin.fault(Code::CfgValue, "retry.cap_s", "must not be less than retry.base_s");
        }
        let lease = self.seconds(raw.lease_s, "retry.lease_s");
        let probe_cap = self.seconds(raw.probe_cap_s, "retry.probe_cap_s");
        Some(RetrySettings { base: base?, cap: cap?, lease: lease?, probe_cap: probe_cap? })
    }

    fn retention(&mut self, raw: &raw::Retention) -> Option<RetentionSettings> {
        let mut days = |value: Option<f64>, key: &str| self.seconds(value.map(|days| days * DAY_S), &format!("retention.{key}"));
        let (accepted, ended) = (days(raw.accepted_days, "accepted_days"), days(raw.ended_days, "ended_days"));
        let (metadata, journal) = (days(raw.metadata_days, "metadata_days"), days(raw.journal_days, "journal_days"));
        let rejected = days(raw.rejected_days, "rejected_days");
        let mut years = |value: Option<u32>, key: &str| {
            self.need(value, &format!("retention.{key}")).map(|years| Duration::from_secs(u64::from(years) * YEAR))
        };
        let (tombstones, audit) = (years(raw.tombstone_years, "tombstone_years"), years(raw.audit_years, "audit_years"));
        let on = self.need(raw.on, "retention.on");
        // An episode outlives the content of its messages, and the memory of an event its episode.
        if metadata.is_some_and(|metadata| accepted.max(ended) > Some(metadata)) {
            self.origin.fault(Code::CfgValue, "retention.metadata_days", "must not be less than accepted_days and ended_days");
        }
        if metadata.zip(tombstones).is_some_and(|(metadata, tombstones)| tombstones < metadata) {
            self.origin.fault(Code::CfgValue, "retention.tombstone_years", "must not be less than metadata_days");
        }
        Some(RetentionSettings {
            on: on?,
            accepted: accepted?,
            ended: ended?,
            metadata: metadata?,
            journal: journal?,
            rejected: rejected?,
            tombstones: tombstones?,
            audit: audit?,
        })
    }

    /// A value that must be there, unless a fault has been told of it already.
    fn need<T>(&mut self, value: Option<T>, key: &str) -> Option<T> {
        if value.is_none() && !self.origin.is_bad(key) {
            self.origin.fault(Code::CfgMissing, key, "required");
        }
        value
    }

    fn formed<T>(&mut self, text: Option<String>, key: &str, parse: impl Fn(&str) -> Option<T>, expected: &str) -> Option<T> {
        self.formed_as(Code::CfgValue, text, key, parse, expected)
    }

    fn formed_as<T>(
        &mut self,
        code: Code,
        text: Option<String>,
        key: &str,
        parse: impl Fn(&str) -> Option<T>,
        expected: &str,
    ) -> Option<T> {
        let parsed = parse(&text?);
        if parsed.is_none() {
            self.origin.fault(code, key, expected);
        }
        parsed
    }

    fn seconds(&mut self, value: Option<f64>, key: &str) -> Option<Duration> {
        // Bounds were checked where it was read.
        self.need(value, key).and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
    }

    fn path(&mut self, text: Option<String>, key: &str) -> Option<PathBuf> {
        let base = self.base;
        self.formed(text, key, |text| (!text.is_empty()).then(|| base.join(text)), "expected a path")
    }
}

fn nats_url(text: &str) -> Option<reqwest::Url> {
    let url = reqwest::Url::parse(text).ok()?;
    let secret = !url.username().is_empty() || url.password().is_some();
    (matches!(url.scheme(), "nats" | "tls") && url.has_host() && !secret).then_some(url)
}

fn nats_name(text: &str) -> Option<String> {
    let bad = |c: char| c.is_whitespace() || c.is_control() || ".*>/\\".contains(c);
    ((1..=255).contains(&text.len()) && !text.contains(bad)).then(|| text.to_owned())
}

fn did_you_mean(word: &str) -> String {
    format!("did you mean \"{word}\"?")
}

/// `name/version`; nothing that could climb out of a folder.
fn rules_name(text: &str) -> Option<String> {
    let (name, version) = text.split_once('/')?;
    let word = |word: &str, also: &[char]| {
        word.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || also.contains(&c))
    };
    (word(name, &['-', '_']) && word(version, &['-', '_', '.'])).then(|| text.to_owned())
}
