//! When the certificates in use end.

use crate::config::{Mode, Settings};
use crate::metrics::Metrics;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use std::path::Path;
use std::sync::Arc;

/// Tells of certificates as they are taken into use.
pub(in crate::daemon) struct Certificates(Arc<Metrics>);

impl Certificates {
    /// Those that the daemon starts with.
    pub(in crate::daemon) fn read(settings: &Settings, metrics: &Arc<Metrics>) -> Self {
        let this = Self(Arc::clone(metrics));
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
            self.0.certificate.set([certificate], end);
        }
    }
}

/// Seconds since 1970 at which the first of a file's certificates ends: a chain holds for as long as its weakest link.
fn first_end(file: &Path) -> Option<i64> {
    let read = CertificateDer::pem_file_iter(file).ok()?.flatten();
    let end = |der: CertificateDer<'_>| Some(x509_parser::parse_x509_certificate(&der).ok()?.1.validity().not_after.timestamp());
    read.filter_map(end).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_ends_with_its_first_certificate() {
        let folder = tempfile::tempdir().expect("a folder");
        let pem = |year| {
            let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
            params.not_after = rcgen::date_time_ymd(year, 2, 3);
            params.self_signed(&rcgen::KeyPair::generate().expect("a key")).expect("a certificate").pem()
        };
        let file = folder.path().join("chain.pem");
        std::fs::write(&file, pem(2041) + &pem(2031) + &pem(2051)).expect("written");
        assert_eq!(first_end(&file), Some(1_927_843_200));
        std::fs::write(&file, "no certificate").expect("written");
        assert_eq!(first_end(&file), None);
    }
}
