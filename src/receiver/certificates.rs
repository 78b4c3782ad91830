//! Certificates for tests and demonstrations: an issuer, a server on this machine, a client. Never for real traffic.

use crate::fault::{Code, Fault};
use jiff::{SignedDuration, Timestamp};
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd};
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// PEM files. Keys can be read by their owner only.
#[derive(Debug, Clone)]
pub struct Certificates {
    pub ca: PathBuf,
    pub server_cert: PathBuf,
    pub server_key: PathBuf,
    pub client_cert: PathBuf,
    pub client_key: PathBuf,
}

type Made<T> = Result<T, rcgen::Error>;

impl Certificates {
    /// Makes all of them in the folder, valid from a day ago and for 90 days.
    pub fn make(dir: &Path, now: Timestamp) -> Result<Self, Fault> {
        let file = |name: &str| dir.join(name);
        let made = Self {
            ca: file("ca.pem"),
            server_cert: file("server.pem"),
            server_key: file("server.key"),
            client_cert: file("client.pem"),
            client_key: file("client.key"),
        };
        let (ca_pem, ca) = issuer("Vardbro test CA", now).map_err(unmade)?;
        let server = leaf("localhost", &["localhost", "127.0.0.1", "::1"], ExtendedKeyUsagePurpose::ServerAuth, &ca, now);
        let client = leaf("vardbro test client", &[], ExtendedKeyUsagePurpose::ClientAuth, &ca, now);
        fs::create_dir_all(dir).map_err(|fault| unwritten(dir, &fault))?;
        write(&made.ca, &ca_pem, 0o644)?;
        write_pair(&made.server_cert, &made.server_key, &server.map_err(unmade)?)?;
        write_pair(&made.client_cert, &made.client_key, &client.map_err(unmade)?)?;
        Ok(made)
    }

    /// Certificate and key of a client whose issuer nobody knows.
    pub fn make_other_client(dir: &Path, now: Timestamp) -> Result<(PathBuf, PathBuf), Fault> {
        let (_, ca) = issuer("Some other test CA", now).map_err(unmade)?;
        let pair = leaf("other test client", &[], ExtendedKeyUsagePurpose::ClientAuth, &ca, now).map_err(unmade)?;
        let (cert, key) = (dir.join("other-client.pem"), dir.join("other-client.key"));
        fs::create_dir_all(dir).map_err(|fault| unwritten(dir, &fault))?;
        write_pair(&cert, &key, &pair)?;
        Ok((cert, key))
    }
}

fn params(name: &str, names: &[&str], now: Timestamp) -> Made<CertificateParams> {
    let mut params = CertificateParams::new(names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>())?;
    params.distinguished_name.push(DnType::CommonName, name);
    let since_1970 = |at: Timestamp| Duration::from_secs(u64::try_from(at.as_second()).unwrap_or(0));
    let day = SignedDuration::from_hours(24);
    let epoch = date_time_ymd(1970, 1, 1);
    params.not_before = epoch + since_1970(now.checked_sub(day).unwrap_or(now));
    params.not_after = epoch + since_1970(now.checked_add(day * 90).unwrap_or(now));
    Ok(params)
}

fn issuer(name: &str, now: Timestamp) -> Made<(String, Issuer<'static, KeyPair>)> {
    let mut params = params(name, &[], now)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    let pem = params.self_signed(&key)?.pem();
    Ok((pem, Issuer::new(params, key)))
}

/// Certificate and key in PEM.
fn leaf(
    name: &str,
    names: &[&str],
    purpose: ExtendedKeyUsagePurpose,
    ca: &Issuer<'static, KeyPair>,
    now: Timestamp,
) -> Made<(String, String)> {
    let mut params = params(name, names, now)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![purpose];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    Ok((params.signed_by(&key, ca)?.pem(), key.serialize_pem()))
}

fn write_pair(cert: &Path, key: &Path, pair: &(String, String)) -> Result<(), Fault> {
    write(cert, &pair.0, 0o644)?;
    write(key, &pair.1, 0o600)
}

/// The file is new, so that its mode is ours from the start.
fn write(path: &Path, text: &str, mode: u32) -> Result<(), Fault> {
    let _ = fs::remove_file(path);
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|fault| unwritten(path, &fault))
}

fn unwritten(path: &Path, fault: &std::io::Error) -> Fault {
    Fault::with(Code::CfgFile, format!("{} ({})", path.display(), fault.kind()))
}

fn unmade(_: rcgen::Error) -> Fault {
    Fault::with(Code::CfgCertificate, "test CA")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn keys_are_their_owners_only_and_making_again_replaces() {
        let dir = tempfile::tempdir().expect("a directory");
        let now = Timestamp::from_second(1_773_129_600).expect("an instant");
        let made = Certificates::make(dir.path(), now).expect("made");
        let first = fs::read(&made.ca).expect("there");
        let made = Certificates::make(dir.path(), now).expect("made again");
        assert_ne!(first, fs::read(&made.ca).expect("there"));
        let (_, other) = Certificates::make_other_client(dir.path(), now).expect("made");
        for key in [&made.server_key, &made.client_key, &other] {
            assert_eq!(fs::metadata(key).expect("there").permissions().mode() & 0o777, 0o600);
        }
    }
}
