//! `[alarms]`.

use super::{ADDRESS, Checker};
use crate::config::raw;
use crate::config::settings::{Address, AlarmSettings, HOUR, MEGABYTE, WebhookSettings};
use crate::fault::Code;

/// The program and its arguments.
const COMMAND_MAX: usize = 32;

impl Checker<'_> {
    pub(super) fn alarms(&mut self, raw: raw::Alarms) -> Option<AlarmSettings> {
        let webhook = self.webhook(&raw);
        let hours = |hours: Option<f64>| hours.map(|hours| hours * HOUR);
        let look = self.seconds(raw.look_s, "alarms.look_s");
        let again = self.seconds(hours(raw.again_h), "alarms.again_h");
        let pending = self.seconds(hours(raw.pending_h), "alarms.pending_h");
        let refused = self.seconds(hours(raw.refused_h), "alarms.refused_h");
        let clock_skew = self.need(raw.clock_skew_s, "alarms.clock_skew_s");
        let megabytes = self.need(raw.disk_free_mb, "alarms.disk_free_mb");
        if raw.command.len() > COMMAND_MAX || raw.command.iter().any(|part| part.contains('\0')) {
            self.origin.fault(Code::CfgValue, "alarms.command", &format!("at most {COMMAND_MAX} parts, without NUL"));
        }
        let mut parts = raw.command.into_iter();
        let program = self.path(parts.next(), "alarms.command");
        Some(AlarmSettings {
            look: look?,
            again: again?,
            pending: pending?,
            refused: refused?,
            clock_skew: clock_skew?,
            disk_free: u64::from(megabytes?) * MEGABYTE,
            webhook,
            command: program.map(|program| (program, parts.collect())),
        })
    }

    fn webhook(&mut self, raw: &raw::Alarms) -> Option<WebhookSettings> {
        let token_file = self.path(raw.webhook_token_file.clone(), "alarms.webhook_token_file");
        let ca_file = self.path(raw.webhook_ca_file.clone(), "alarms.webhook_ca_file");
        if raw.webhook_url.is_none() && (token_file.is_some() || ca_file.is_some()) {
            self.origin.fault(Code::CfgMissing, "alarms.webhook_url", "needed together with its files");
        }
        let url = self.formed(raw.webhook_url.clone(), "alarms.webhook_url", Address::parse, ADDRESS)?;
        if !url.is_https() && !url.is_this_machine() {
            self.origin.fault(Code::CfgValue, "alarms.webhook_url", "http is allowed only to 127.0.0.1, localhost and [::1]; use https");
        }
        Some(WebhookSettings { url, token_file, ca_file })
    }
}
