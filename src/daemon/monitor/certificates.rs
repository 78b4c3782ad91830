//! When the certificates in use end.

use crate::config::{Mode, Settings};
use crate::metrics::Metrics;
use crate::trust::first_end;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Keeps the ends of certificates as they are taken into use.
pub(in crate::daemon) struct Certificates {
    metrics: Arc<Metrics>,
    ends: Mutex<BTreeMap<String, i64>>,
}

impl Certificates {
    /// Those that the daemon starts with.
    pub(in crate::daemon) fn read(settings: &Settings, metrics: &Arc<Metrics>) -> Self {
        let this = Self { metrics: Arc::clone(metrics), ends: Mutex::default() };
        for known in settings.destinations.iter().filter(|known| known.mode == Mode::Live) {
            this.of_destination(settings, &known.name);
        }
        this.of_listeners(settings);
        this
    }

    pub(in crate::daemon) fn of_destination(&self, settings: &Settings, name: &str) {
        if let Some(file) = settings.destination(name).and_then(|known| known.cert_file.as_deref()) {
            self.tell(&format!("destination.{name}"), file);
        }
    }

    pub(in crate::daemon) fn of_listeners(&self, settings: &Settings) {
        let metrics = settings.metrics.as_ref().map(|metrics| &metrics.http);
        for (section, http) in [("http", settings.http.as_ref()), ("metrics", metrics)] {
            if let Some((file, _)) = http.and_then(|http| http.tls.as_ref()) {
                self.tell(section, file);
            }
        }
    }

    fn tell(&self, certificate: &str, file: &Path) {
        if let Some(end) = first_end(file) {
            self.metrics.certificate.set([certificate], end);
            self.ends.lock().unwrap_or_else(PoisonError::into_inner).insert(certificate.to_owned(), end);
        }
    }

    /// By table of the configuration, in seconds since 1970.
    pub(in crate::daemon) fn ends(&self) -> BTreeMap<String, i64> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
