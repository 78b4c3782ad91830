//! What is read anew while the daemon runs: certificates, keys, secrets and mappings. What is unusable changes nothing and is told of.

use super::monitor::Certificates;
use super::{Destination, http, name, sources};
use crate::config::Settings;
use crate::fault::Code;
use crate::listen::Tls;
use crate::map::Mapping;
use crate::model::time::Clock;
use crate::oplog::{self, Event, Level, Line};
use arc_swap::ArcSwap;
use std::sync::Arc;

/// All that can be read anew.
pub(super) struct Anew<'a> {
    pub(super) settings: &'a Settings,
    pub(super) destinations: &'a [Destination],
    pub(super) mappings: Vec<Arc<ArcSwap<Mapping>>>,
    pub(super) callers: Arc<http::Callers>,
    pub(super) listening: Vec<Arc<Tls>>,
    pub(super) certificates: Arc<Certificates>,
}

impl Anew<'_> {
    pub(super) fn read(&self, log: &oplog::Output, clock: &dyn Clock) {
        // Rotated away and not writable anew: the old file goes on.
        let _ = log.reopen();
        self.destinations(clock);
        self.mappings(clock);
        let listening = || self.listening.iter().try_for_each(|tls| tls.reload());
        if self.callers.reload(self.settings).and_then(|()| listening()).is_ok() {
            self.certificates.of_listeners(self.settings);
        } else {
            Line::new(clock.now(), Level::Error, Event::CertificatesKept).code(Code::DlvReload).emit();
        }
    }

    /// New certificates from the next connection on.
    fn destinations(&self, clock: &dyn Clock) {
        for (way, _) in self.destinations {
            let mut line = match way.reload() {
                Ok(()) => {
                    self.certificates.of_destination(self.settings, way.name().as_str());
                    Line::new(clock.now(), Level::Info, Event::CertificatesLoaded)
                }
                Err(_) => Line::new(clock.now(), Level::Error, Event::CertificatesKept).code(Code::DlvReload),
            };
            line.destination = Some(way.name().clone());
            line.emit();
        }
    }

    /// Mappings as their files say now.
    fn mappings(&self, clock: &dyn Clock) {
        for (known, mapping) in self.settings.sources.iter().zip(&self.mappings) {
            if known.mapping.is_none() {
                continue;
            }
            let mut line = match sources::mapping(known) {
                Ok(read) => {
                    mapping.store(Arc::new(read));
                    Line::new(clock.now(), Level::Info, Event::MappingLoaded)
                }
                Err(_) => Line::new(clock.now(), Level::Error, Event::MappingKept).code(Code::CfgMapping),
            };
            line.source = Some(name(&known.name));
            line.emit();
        }
    }
}
