//! `[mail]`, and who is mailed.

use super::Checker;
use crate::config::raw;
use crate::config::settings::{Environment, MailSettings, MailTls, SourceSettings};
use crate::fault::Code;
use std::net::IpAddr;

/// Addresses of one source.
const ADDRESSES_MAX: usize = 20;
const ADDRESS: &str = "expected an address: \"name@example.org\"";

impl Checker<'_> {
    pub(super) fn mail(&mut self, raw: raw::Mail, environment: Option<Environment>) -> Option<MailSettings> {
        let given = raw.from.is_some() || raw.user.is_some() || raw.password_file.is_some() || raw.ca_file.is_some();
        if raw.server.is_none() && !given {
            return None;
        }
        let server = self.need(raw.server, "mail.server");
        let server = self.formed(server, "mail.server", host, "expected the name of a machine, without a port");
        let from = self.need(raw.from, "mail.from");
        let from = self.formed(from, "mail.from", address, ADDRESS);
        let (port, tls) = (self.need(raw.port, "mail.port"), self.need(raw.tls, "mail.tls"));
        let ca_file = self.path(raw.ca_file, "mail.ca_file");
        let password_file = self.path(raw.password_file, "mail.password_file");
        if raw.user.is_some() != password_file.is_some() {
            let (missing, there) = if password_file.is_some() { ("mail.user", "password_file") } else { ("mail.password_file", "user") };
            self.origin.fault(Code::CfgMissing, missing, &format!("needed together with {there}"));
        }
        if tls == Some(MailTls::Off) && environment == Some(Environment::Production) {
            self.origin.fault(Code::CfgValue, "mail.tls", "production needs \"starttls\" or \"required\"");
        } else if tls == Some(MailTls::Off) && server.as_ref().is_some_and(|server| !is_here(server)) {
            self.origin.fault(Code::CfgValue, "mail.tls", "off is allowed only to 127.0.0.1, localhost and ::1");
        }
        Some(MailSettings { server: server?, port: port?, tls: tls?, ca_file, from: from?, user: raw.user.zip(password_file) })
    }

    /// Who is mailed of a source.
    pub(super) fn mail_to(&mut self, addresses: Vec<String>, key: &str) -> Vec<String> {
        if addresses.len() > ADDRESSES_MAX {
            self.origin.fault(Code::CfgValue, key, &format!("at most {ADDRESSES_MAX}"));
        }
        let each = addresses.into_iter().enumerate();
        each.filter_map(|(place, text)| self.formed(Some(text), &format!("{key}[{place}]"), address, ADDRESS)).collect()
    }

    /// Whoever is to be mailed needs a server.
    pub(super) fn mailed(&mut self, sources: &[SourceSettings], mail: Option<&MailSettings>) {
        if let Some(source) = sources.iter().find(|source| !source.mail_to.is_empty() && mail.is_none())
            && !self.origin.is_bad("mail.server")
        {
            self.origin.fault(Code::CfgMissing, "mail.server", &format!("needed by source.{}", source.name));
        }
    }
}

fn address(text: &str) -> Option<String> {
    text.parse::<lettre::Address>().ok().map(|address| address.to_string())
}

fn host(text: &str) -> Option<String> {
    let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let is_host = !text.is_empty() && text.chars().all(named) || text.parse::<IpAddr>().is_ok();
    is_host.then(|| text.to_owned())
}

fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}
