//! Who may send what: sources and destinations by their secrets.

use crate::config::{Settings, Way};
use crate::deliver::Policy;
use crate::fault::{Code, Fault};
use crate::model::name::Name;
use crate::source::http::Door;
use crate::wire::sdk::Parties;
use arc_swap::ArcSwap;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use std::path::Path;
use std::sync::Arc;

/// Characters of a secret.
const TOKEN: std::ops::RangeInclusive<usize> = 32..=200;

/// Everybody who may send something.
pub(in crate::daemon) struct Callers {
    pub(super) receivers: Secrets<Receiver>,
    pub(super) sources: Secrets<Door>,
    /// Every source over HTTP, in the order of the settings.
    doors: Vec<Arc<Door>>,
}

/// A receiver that may send receipts.
pub(super) struct Receiver {
    pub(super) destination: Name,
    pub(super) policy: Arc<Policy>,
    /// Its messages may have ids of their own.
    pub(super) parties: Option<Parties>,
}

impl Callers {
    pub(in crate::daemon) fn read(settings: &Settings, doors: Vec<Arc<Door>>) -> Result<Self, Fault> {
        let (receivers, sources) = (receivers(settings)?, sources(settings, &doors)?);
        Ok(Self { receivers: Secrets(ArcSwap::from_pointee(receivers)), sources: Secrets(ArcSwap::from_pointee(sources)), doors })
    }

    /// Reads the secrets anew. On a fault the old ones stay.
    pub(in crate::daemon) fn reload(&self, settings: &Settings) -> Result<(), Fault> {
        let (receivers, sources) = (receivers(settings)?, sources(settings, &self.doors)?);
        self.receivers.0.store(Arc::new(receivers));
        self.sources.0.store(Arc::new(sources));
        Ok(())
    }
}

/// Secrets as SHA-256, and whose they are.
pub(super) struct Secrets<T>(ArcSwap<Vec<(Vec<u8>, Arc<T>)>>);

impl<T> Secrets<T> {
    /// Whose secret is shown.
    pub(super) fn find(&self, headers: &HeaderMap) -> Option<Arc<T>> {
        let (scheme, shown) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
        let shown = scheme.eq_ignore_ascii_case("bearer").then(|| digest(&SHA256, shown.trim().as_bytes()))?;
        let known = self.0.load();
        let (_, whose) = known.iter().find(|(secret, _)| verify_slices_are_equal(secret, shown.as_ref()).is_ok())?;
        Some(Arc::clone(whose))
    }
}

type Known<T> = Vec<(Vec<u8>, Arc<T>)>;

fn receivers(settings: &Settings) -> Result<Known<Receiver>, Fault> {
    let mut known = Vec::new();
    for to in &settings.destinations {
        if let Some(path) = &to.callback_token_file {
            let receiver = Receiver {
                destination: super::super::name(&to.name),
                policy: Arc::new(super::super::policy(settings, to)),
                parties: to.sdk.as_ref().map(super::super::parties),
            };
            add(&mut known, &format!("destination.{}.callback_token_file", to.name), path, Arc::new(receiver))?;
        }
    }
    Ok(known)
}

fn sources(settings: &Settings, doors: &[Arc<Door>]) -> Result<Known<Door>, Fault> {
    let mut known = Vec::new();
    for source in &settings.sources {
        let Way::Http(http) = &source.way else { continue };
        let Some(door) = doors.iter().find(|door| door.name().as_str() == source.name) else { continue };
        add(&mut known, &format!("source.{}.token_file", source.name), &http.token_file, Arc::clone(door))?;
    }
    Ok(known)
}

fn add<T>(known: &mut Known<T>, key: &str, path: &Path, whose: Arc<T>) -> Result<(), Fault> {
    let secret = secret(&format!("{key}: {}", path.display()), path)?;
    if known.iter().any(|(other, _)| *other == secret) {
        // It could not be told who comes.
        return Err(Fault::with(Code::CfgValue, format!("{key}: the same secret as another's")));
    }
    known.push((secret, whose));
    Ok(())
}

fn secret(place: &str, path: &Path) -> Result<Vec<u8>, Fault> {
    match std::fs::read_to_string(path) {
        Ok(text) if TOKEN.contains(&text.trim().len()) => Ok(digest(&SHA256, text.trim().as_bytes()).as_ref().to_vec()),
        Ok(_) => Err(Fault::with(Code::CfgValue, format!("{place}: expected 32 to 200 characters"))),
        Err(fault) => Err(Fault::with(Code::CfgFile, format!("{place} ({})", fault.kind()))),
    }
}
