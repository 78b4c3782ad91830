//! How another machine's database is met: over TLS, with the issuers that are named or else the system's; and when certificates end.

use crate::fault::{Code, Fault};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use tokio_postgres::config::{Config, Host, SslMode};

/// The issuers in a PEM file, or the system's; `key` is what the configuration calls the file.
pub fn issuers(ca_file: Option<&Path>, key: &str) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let Some(path) = ca_file else {
        let usable = |issuer: &CertificateDer<'static>| RootCertStore::empty().add(issuer.clone()).is_ok();
        return Ok(rustls_native_certs::load_native_certs().certs.into_iter().filter(usable).collect());
    };
    let unusable = || Fault::with(Code::CfgCertificate, format!("{key}: {}", path.display()));
    let read = CertificateDer::pem_file_iter(path).map_err(|_| unusable())?;
    let issuers: Vec<_> = read.collect::<Result<_, _>>().map_err(|_| unusable())?;
    if issuers.is_empty() { Err(unusable()) } else { Ok(issuers) }
}

/// A client that trusts these issuers.
pub fn client(ca_file: Option<&Path>, key: &str) -> Result<ClientConfig, Fault> {
    let unusable = || Fault::with(Code::CfgCertificate, key);
    let mut trusted = RootCertStore::empty();
    for issuer in issuers(ca_file, key)? {
        trusted.add(issuer).map_err(|_| unusable())?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(config.map_err(|_| unusable())?.with_root_certificates(trusted).with_no_client_auth())
}

/// Whether a host is this machine.
pub fn is_here(host: &str) -> bool {
    host == "localhost" || host.trim_matches(['[', ']']).parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Another machine is met over TLS, unless the connection string says that it shall not be; this one if it says so. Nothing in
/// between: a connection that is encrypted only when nobody minds is not.
pub fn is_met_over_tls(config: &mut Config) -> bool {
    let here = config.get_hosts().iter().all(|host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => is_here(name),
    });
    let tls = match config.get_ssl_mode() {
        SslMode::Disable => false,
        SslMode::Prefer => !here,
        _ => true,
    };
    config.ssl_mode(if tls { SslMode::Require } else { SslMode::Disable });
    tls
}

/// Seconds since 1970 at which the first of a file's certificates ends: a chain holds for as long as its weakest link.
pub fn first_end(file: &Path) -> Option<i64> {
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

    #[test]
    fn another_machine_is_met_over_tls() {
        let met = |text: &str| is_met_over_tls(&mut text.parse().expect("a connection string"));
        assert!(met("host=db.example user=a"));
        assert!(met("host=127.0.0.1 user=a sslmode=require"));
        assert!(!met("host=127.0.0.1 user=a"));
        assert!(!met("host=db.example user=a sslmode=disable"));
        assert!(is_here("[::1]") && !is_here("10.0.0.1"));
    }
}
