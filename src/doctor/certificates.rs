//! Our own certificates: that they can be read, belong to their keys, hang together, and hold for a while. Files that are not
//! there are told of with the configuration.

use super::{Area, Reading};
use crate::config::{BrokerTls, Mode, Settings, Way};
use crate::fault::Code;
use crate::model::time::local_day;
use jiff::Timestamp;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::path::Path;
use x509_parser::parse_x509_certificate;

/// A new certificate takes its time to get.
const SOON_DAYS: i64 = 60;
const NOW_DAYS: i64 = 7;

pub(super) fn readings(settings: &Settings, now: Timestamp) -> Vec<Reading> {
    let mut out = Vec::new();
    for known in settings.destinations.iter().filter(|known| known.mode == Mode::Live) {
        let key = |key: &str| format!("destination.{}.{key}", known.name);
        pair(&mut out, &key("cert_file"), known.cert_file.as_deref().zip(known.key_file.as_deref()), now);
        issuers(&mut out, &key("ca_file"), known.ca_file.as_deref(), now);
    }
    for source in &settings.sources {
        let key = |key: &str| format!("source.{}.{key}", source.name);
        let tls = match &source.way {
            Way::Nats(nats) => &nats.tls,
            Way::Amqp(amqp) => &amqp.tls,
            _ => continue,
        };
        let BrokerTls { ca_file, cert_file, key_file, .. } = tls;
        pair(&mut out, &key("cert_file"), cert_file.as_deref().zip(key_file.as_deref()), now);
        issuers(&mut out, &key("ca_file"), ca_file.as_deref(), now);
    }
    for (section, http) in [("http", settings.http.as_ref()), ("metrics", settings.metrics.as_ref().map(|metrics| &metrics.http))] {
        let Some(http) = http else { continue };
        let files = http.tls.as_ref().map(|(certificate, key)| (certificate.as_path(), key.as_path()));
        pair(&mut out, &format!("{section}.cert_file"), files, now);
        issuers(&mut out, &format!("{section}.client_ca_file"), http.client_ca_file.as_deref(), now);
    }
    issuers(&mut out, "store.ca_file", settings.store_ca_file.as_deref(), now);
    out
}

/// A certificate of ours with its chain, and its key.
fn pair(out: &mut Vec<Reading>, subject: &str, files: Option<(&Path, &Path)>, now: Timestamp) {
    let Some((certificate, key)) = files.filter(|(certificate, key)| certificate.exists() && key.exists()) else { return };
    let Some(chain) = read(certificate) else {
        return out.push(unreadable(subject, certificate));
    };
    let Ok(secret) = PrivateKeyDer::from_pem_file(key) else { return out.push(unreadable(subject, key)) };
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    if CertifiedKey::from_der(chain.clone(), secret, &provider).is_err() {
        let shown = format!("{}, {}", certificate.display(), key.display());
        return out.push(Reading::bad(Area::Certificates, subject, Code::DocPair, shown.clone(), shown));
    }
    if !hangs_together(&chain) {
        let shown = certificate.display().to_string();
        out.push(Reading::note(Area::Certificates, subject, Code::DocChain, shown.clone(), shown));
    }
    out.push(lasting(subject, &chain, now));
}

/// Those that others' certificates may come from. What has ended beside others does no harm.
fn issuers(out: &mut Vec<Reading>, subject: &str, file: Option<&Path>, now: Timestamp) {
    let Some(file) = file.filter(|file| file.exists()) else { return };
    let Some(mut all) = read(file) else { return out.push(unreadable(subject, file)) };
    let holds = |der: &CertificateDer<'_>| span(der).is_some_and(|(from, until)| from <= now && now < until);
    if all.iter().any(holds) {
        all.retain(holds);
    }
    out.push(lasting(subject, &all, now));
}

fn unreadable(subject: &str, file: &Path) -> Reading {
    let shown = file.display().to_string();
    Reading::bad(Area::Certificates, subject, Code::CfgCertificate, shown.clone(), shown)
}

/// None where there is none.
fn read(file: &Path) -> Option<Vec<CertificateDer<'static>>> {
    let read: Vec<_> = CertificateDer::pem_file_iter(file).ok()?.collect::<Result<_, _>>().ok()?;
    (!read.is_empty() && read.iter().all(|der| span(der).is_some())).then_some(read)
}

/// From when and until when it holds.
fn span(der: &CertificateDer<'_>) -> Option<(Timestamp, Timestamp)> {
    let (_, certificate) = parse_x509_certificate(der).ok()?;
    let validity = certificate.validity();
    let at = |seconds| Timestamp::from_second(seconds).ok();
    Some((at(validity.not_before.timestamp())?, at(validity.not_after.timestamp())?))
}

/// Each is issued by the one that follows.
fn hangs_together(chain: &[CertificateDer<'_>]) -> bool {
    chain.windows(2).all(|pair| {
        let [one, next] = pair else { return true };
        let (Ok((_, one)), Ok((_, next))) = (parse_x509_certificate(one), parse_x509_certificate(next)) else { return false };
        one.issuer() == next.subject()
    })
}

/// How long the first of them to end holds.
fn lasting(subject: &str, chain: &[CertificateDer<'_>], now: Timestamp) -> Reading {
    let spans = chain.iter().filter_map(span);
    let (from, until) = spans.fold((Timestamp::MIN, Timestamp::MAX), |(from, until), (start, end)| (from.max(start), until.min(end)));
    let days = until.duration_since(now).as_hours().div_euclid(24);
    let (sv, en) = (format!("gäller till {}", local_day(until)), format!("holds until {}", local_day(until)));
    if now < from {
        let (sv, en) = (format!("gäller först från {}", local_day(from)), format!("holds only from {}", local_day(from)));
        return Reading::bad(Area::Certificates, subject, Code::DocEnded, sv, en);
    }
    if now >= until {
        Reading::bad(Area::Certificates, subject, Code::DocEnded, sv, en)
    } else if days < NOW_DAYS {
        Reading::bad(Area::Certificates, subject, Code::DocEnds, sv, en)
    } else if days < SOON_DAYS {
        Reading::note(Area::Certificates, subject, Code::DocEnds, sv, en)
    } else {
        Reading::good(Area::Certificates, subject, sv, en)
    }
}
