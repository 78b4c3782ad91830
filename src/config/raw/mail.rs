//! `[mail]` as it is written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Mail.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Mail {
    /// Name of the mail server (SMTP).
    ///
    /// E-postserverns namn (SMTP).
    #[schemars(length(min = 1, max = 253))]
    pub(in crate::config) server: Option<String>,
    /// Its port.
    ///
    /// Dess port.
    #[schemars(range(min = 1, max = 65535))]
    pub(in crate::config) port: Option<u16>,
    /// `starttls`: the connection turns to TLS before anything is said, or ends. `required`: TLS from the first byte (port 465). `off`:
    /// only to this machine itself, and never in production.
    ///
    /// `starttls`: anslutningen går över till TLS innan något sägs, eller avbryts. `required`: TLS från första byten (port 465). `off`:
    /// bara till den egna maskinen, och aldrig i produktion.
    pub(in crate::config) tls: Option<MailTls>,
    /// PEM file with the issuers that its certificate may come from; else the system's.
    ///
    /// PEM-fil med de utfärdare som dess certifikat får komma från; annars systemets.
    #[schemars(length(min = 1))]
    pub(in crate::config) ca_file: Option<String>,
    /// The address that mails come from.
    ///
    /// Adressen som mejlen kommer från.
    #[schemars(length(min = 3, max = 254))]
    pub(in crate::config) from: Option<String>,
    /// Name to log in with; together with `password_file`.
    ///
    /// Namn att logga in med; tillsammans med `password_file`.
    #[schemars(length(min = 1))]
    pub(in crate::config) user: Option<String>,
    /// File with the password; read anew for each mail.
    ///
    /// Fil med lösenordet; läses om för varje mejl.
    #[schemars(length(min = 1))]
    pub(in crate::config) password_file: Option<String>,
}

/// How the mail server is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    Required,
    Starttls,
    Off,
}
