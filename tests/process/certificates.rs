//! Certificates that have run out, come from somebody else, or are another host's: the way is closed, the messages wait
//! for it and none of them pays; when it is put right all of them go.

use super::figures::{EPISODES, now};
use super::world::{World, wait};
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd};
use std::fs;
use std::time::Duration;

const MESSAGES: std::ops::Range<usize> = EPISODES..3 * EPISODES;
const CONFIG: &str = "[retry]\nbase_s = 0.2\nlease_s = 6";

/// An issuer of the test's own, good for as long as anybody will run this.
pub(crate) fn issuer() -> (String, Issuer<'static, KeyPair>) {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.distinguished_name.push(DnType::CommonName, "Vardbro process test CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate().expect("a key");
    let pem = params.self_signed(&key).expect("a certificate").pem();
    (pem, Issuer::new(params, key))
}

/// Certificate and key, good or run out long ago.
pub(crate) fn leaf(host: &str, purpose: ExtendedKeyUsagePurpose, issuer: &Issuer<'static, KeyPair>, good: bool) -> (String, String) {
    let mut params = CertificateParams::new(vec![host.to_owned()]).expect("parameters");
    params.distinguished_name.push(DnType::CommonName, host);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = if good { date_time_ymd(2120, 1, 1) } else { date_time_ymd(2020, 2, 1) };
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![purpose];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate().expect("a key");
    (params.signed_by(&key, issuer).expect("a certificate").pem(), key.serialize_pem())
}

/// A world with an issuer of its own behind all certificates, all of them good.
fn world() -> (World, Issuer<'static, KeyPair>) {
    let world = World::new("timeout_s = 2", CONFIG);
    let (pem, issuer) = issuer();
    fs::write(&world.certificates.ca, pem).expect("written");
    give_server(&world, &leaf("localhost", ExtendedKeyUsagePurpose::ServerAuth, &issuer, true));
    give_client(&world, &leaf("vardbro", ExtendedKeyUsagePurpose::ClientAuth, &issuer, true));
    (world, issuer)
}

fn give_server(world: &World, (certificate, key): &(String, String)) {
    fs::write(&world.certificates.server_cert, certificate).expect("written");
    fs::write(&world.certificates.server_key, key).expect("written");
}

fn give_client(world: &World, (certificate, key): &(String, String)) {
    fs::write(&world.certificates.client_cert, certificate).expect("written");
    fs::write(&world.certificates.client_key, key).expect("written");
}

/// All messages lie in their lanes, and the alarm says by its code which certificate it is about.
fn wait_closed(world: &World, code: &str) {
    wait("the messages to wait", Duration::from_mins(1), || {
        world.path("vardbro.db").exists() && world.count("delivery WHERE state IN ('SCHEDULED', 'SUBMITTED')") == MESSAGES.len()
    });
    wait("the alarm", Duration::from_secs(20), || {
        world.oplog().iter().any(|line| line["event"] == "alarm.opened" && line["code"] == "VB-DLV-020")
    });
    // A few probes more, so that it is seen that they cost nothing.
    let probes = || world.oplog().iter().filter(|line| line["event"] == "delivery.attempt" && line["code"] == code).count();
    let before = probes();
    wait("probes", Duration::from_secs(30), || probes() >= before + 2);
}

fn assert_all_well(world: &World, name: &str, code: &str, ended: jiff::Timestamp) {
    world.settle(&MESSAGES, Duration::from_mins(1));
    assert_eq!(world.ask("SELECT DISTINCT attempts FROM delivery"), ["1"], "no attempt is burned");
    let log = world.oplog();
    let alarms = |event: &str| log.iter().filter(|line| line["event"] == event && line["code"] == "VB-DLV-020").collect::<Vec<_>>();
    assert_eq!((alarms("alarm.opened").len(), alarms("alarm.closed").len()), (1, 1));
    assert_eq!(alarms("alarm.opened")[0]["reason"], code);
    world.figures(name, 1, ended, MESSAGES);
}

/// The receiver's certificate is of no use, and then it gets a good one.
fn receivers_certificate(name: &str, bad: impl FnOnce(&Issuer<'static, KeyPair>) -> (String, String)) {
    let (world, issuer) = world();
    give_server(&world, &bad(&issuer));
    let receiver = world.receiver("");
    let daemon = world.daemon();
    world.fill(0..MESSAGES.end);
    wait_closed(&world, "VB-DLV-002");
    assert!(world.received().is_empty(), "nothing was sent to whom we do not trust");
    drop(receiver);
    give_server(&world, &leaf("localhost", ExtendedKeyUsagePurpose::ServerAuth, &issuer, true));
    let _receiver = world.receiver("");
    let ended = now();
    world.settle(&MESSAGES, Duration::from_mins(1));
    daemon.stop();
    // The receiver was away while its certificate was changed: that is the same outage.
    assert_all_well(&world, name, "VB-DLV-002", ended);
}

#[test]
fn the_receivers_certificate_has_expired_and_is_renewed() {
    receivers_certificate("receiver's certificate expired", |issuer| leaf("localhost", ExtendedKeyUsagePurpose::ServerAuth, issuer, false));
}

#[test]
fn the_receivers_issuer_is_unknown() {
    receivers_certificate("receiver's issuer unknown", |_| leaf("localhost", ExtendedKeyUsagePurpose::ServerAuth, &issuer().1, true));
}

#[test]
fn the_receivers_certificate_is_another_hosts() {
    receivers_certificate("receiver's certificate is another host's", |issuer| {
        leaf("another.example", ExtendedKeyUsagePurpose::ServerAuth, issuer, true)
    });
}

#[test]
fn our_certificate_has_expired_and_is_renewed_by_hup() {
    let (world, issuer) = world();
    give_client(&world, &leaf("vardbro", ExtendedKeyUsagePurpose::ClientAuth, &issuer, false));
    let _receiver = world.receiver("");
    let daemon = world.daemon();
    world.fill(0..MESSAGES.end);
    wait_closed(&world, "VB-DLV-003");
    assert!(world.received().is_empty(), "the receiver let nothing in");
    give_client(&world, &leaf("vardbro", ExtendedKeyUsagePurpose::ClientAuth, &issuer, true));
    let ended = now();
    daemon.signal("HUP");
    world.settle(&MESSAGES, Duration::from_mins(1));
    daemon.stop();
    assert_all_well(&world, "our certificate expired, renewed by HUP", "VB-DLV-003", ended);
}
