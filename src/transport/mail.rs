//! Mails, handed in at a mail server.

use crate::config::{MailSettings, MailTls};
use crate::fault::{Code, Fault};
use crate::trust::issuers;
use jiff::Timestamp;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use std::time::Duration;

/// A mail to be sent.
#[derive(Debug)]
pub struct Letter<'a> {
    /// The same on each try: what comes twice can be known by it.
    pub id: &'a str,
    pub to: &'a [String],
    pub at: Timestamp,
    pub subject: &'a str,
    pub body: String,
}

/// Where mails are handed in.
#[derive(Debug)]
pub struct Mailer {
    settings: MailSettings,
    timeout: Duration,
}

impl Mailer {
    pub fn new(settings: MailSettings, timeout: Duration) -> Result<Self, Fault> {
        let mailer = Self { settings, timeout };
        mailer.server()?;
        Ok(mailer)
    }

    /// An error is a word for the log: what the server said is left out, it may name values.
    pub async fn send(&self, letter: Letter<'_>) -> Result<(), &'static str> {
        let message = self.message(letter).ok_or("mail-unwritten")?;
        let server = self.server().map_err(|_| "mail-files")?;
        server.send(message).await.map(drop).map_err(|fault| word(&fault))
    }

    fn message(&self, letter: Letter<'_>) -> Option<Message> {
        let from: Address = self.settings.from.parse().ok()?;
        // Out-of-office answers to it would help nobody.
        let automatic = HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
        let to = |builder: MessageBuilder, address: &String| Some(builder.to(Mailbox::new(None, address.parse().ok()?)));
        let builder = Message::builder()
            .message_id(Some(format!("<{}@{}>", letter.id, from.domain())))
            .date(letter.at.into())
            .from(Mailbox::new(None, from))
            .subject(letter.subject)
            .raw_header(automatic)
            .header(ContentType::TEXT_PLAIN);
        letter.to.iter().try_fold(builder, to)?.body(letter.body).ok()
    }

    /// Made anew each time: mails are few, and a new password or certificate is used at once.
    fn server(&self) -> Result<AsyncSmtpTransport<Tokio1Executor>, Fault> {
        let MailSettings { server, port, user, .. } = &self.settings;
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server.as_str())
            .port(*port)
            .tls(self.tls()?)
            .timeout(Some(self.timeout));
        if let Some((name, file)) = user {
            let told =
                |fault: std::io::Error| Fault::with(Code::CfgFile, format!("mail.password_file: {} ({})", file.display(), fault.kind()));
            let password = std::fs::read_to_string(file).map_err(told)?;
            builder = builder.credentials(Credentials::new(name.clone(), password.trim_end_matches(['\r', '\n']).to_owned()));
        }
        Ok(builder.build())
    }

    fn tls(&self) -> Result<Tls, Fault> {
        if self.settings.tls == MailTls::Off {
            return Ok(Tls::None);
        }
        let unusable = || Fault::with(Code::CfgCertificate, "mail.ca_file");
        let mut trusted = TlsParameters::builder(self.settings.server.clone()).certificate_store(CertificateStore::None);
        for issuer in issuers(self.settings.ca_file.as_deref(), "mail.ca_file")? {
            trusted = trusted.add_root_certificate(Certificate::from_der(issuer.to_vec()).map_err(|_| unusable())?);
        }
        let trusted = trusted.build_rustls().map_err(|_| unusable())?;
        Ok(if self.settings.tls == MailTls::Starttls { Tls::Required(trusted) } else { Tls::Wrapper(trusted) })
    }
}

fn word(fault: &Error) -> &'static str {
    if fault.is_permanent() || fault.is_transient() {
        "mail-refused"
    } else if fault.is_timeout() {
        "mail-timeout"
    } else if fault.is_tls() {
        "mail-tls"
    } else {
        "mail-unreachable"
    }
}
