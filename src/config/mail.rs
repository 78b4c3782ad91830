//! `[mail]` as it is used.

use super::raw::{self, MailTls};
use super::settings::shown;
use std::path::PathBuf;

/// A mail server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailSettings {
    pub server: String,
    pub port: u16,
    pub tls: MailTls,
    pub ca_file: Option<PathBuf>,
    pub from: String,
    /// Name, and the file with the password.
    pub user: Option<(String, PathBuf)>,
}

impl From<&MailSettings> for raw::Mail {
    fn from(mail: &MailSettings) -> Self {
        Self {
            server: Some(mail.server.clone()),
            port: Some(mail.port),
            tls: Some(mail.tls),
            ca_file: mail.ca_file.as_deref().map(shown),
            from: Some(mail.from.clone()),
            user: mail.user.as_ref().map(|(name, _)| name.clone()),
            password_file: mail.user.as_ref().map(|(_, file)| shown(file)),
        }
    }
}
