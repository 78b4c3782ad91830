//! Tests of the configuration as a user meets it.

use super::*;
use crate::model::{bodies::Party, catalogue::EventType};
use std::path::PathBuf;
use std::time::Duration;

const ORGANISATION: &str = "[organisation]\norg_number = \"2120001538\"\nhsa_id = \"SE2120001538-T100\"\nname = \"Testkommunen\"\n";
const SAMPLE: &str = include_str!("../../deploy/vardbro.toml");

fn env(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn base() -> &'static Path {
    Path::new("/etc/vardbro")
}

/// Settings from a text after a sound organisation of four lines.
fn after(text: &str, pairs: &[(&str, &str)]) -> Result<Settings, Vec<Fault>> {
    parse(&format!("{ORGANISATION}{text}"), base(), env(pairs))
}

fn lines(result: Result<Settings, Vec<Fault>>) -> Vec<String> {
    let faults = result.expect_err("this must not load");
    faults.iter().map(|fault| format!("{} {}", fault.code.id(), fault.detail.as_deref().unwrap_or_default())).collect()
}

/// Faults of lines that stand after the organisation: the first of them is line 5.
fn faults(text: &str) -> Vec<String> {
    lines(after(text, &[]))
}

fn with_destination(lines: &str) -> String {
    format!("[destination.region]\nurl = \"https://region.test/in\"\n{lines}")
}

#[test]
fn figures_are_off_unless_an_address_is_given_and_then_at_this_machine_or_over_tls() {
    assert_eq!(after("", &[]).unwrap().metrics, None);
    let metrics = after("[metrics]\nlisten = \"127.0.0.1:9464\"\nroute_closed_min = 2\n", &[]).unwrap().metrics.unwrap();
    assert_eq!((metrics.http.tls, metrics.route_closed, metrics.disk_free), (None, Duration::from_mins(2), 200 * 1024 * 1024));
    for (lines, key) in [
        ("listen = \"0.0.0.0:9464\"", "metrics.listen"),
        ("listen = \"9464\"", "metrics.listen"),
        ("listen = \"127.0.0.1:1\"\nclient_ca_file = \"ca.pem\"", "metrics.cert_file"),
        ("listen = \"127.0.0.1:1\"\ndisk_free_mb = -1", "metrics.disk_free_mb"),
    ] {
        let found = faults(&format!("[metrics]\n{lines}\n"));
        assert!(found.iter().any(|fault| fault.contains(key)), "{lines}: {found:?}");
    }
    assert!(after("[metrics]\nlisten = \"0.0.0.0:9464\"\ncert_file = \"a\"\nkey_file = \"b\"\n", &[]).is_ok());
}

#[test]
fn alarms_go_to_the_log_alone_unless_a_way_out_is_given() {
    let alarms = after("", &[]).unwrap().alarms;
    assert_eq!((&alarms.webhook, &alarms.command, alarms.again), (&None, &None, Duration::from_hours(24)));
    let given = "webhook_url = \"https://larm.test/?key=s3cret\"\nwebhook_token_file = \"token\"\ncommand = [\"bin/tell\", \"-x\"]\n";
    let settings = after(&format!("[alarms]\n{given}"), &[]).unwrap();
    assert_eq!(settings.alarms.command, Some((base().join("bin/tell"), vec!["-x".to_owned()])));
    assert!(!settings.show().contains("s3cret"), "{}", settings.show());
    for (lines, key) in [
        ("webhook_url = \"http://larm.test/\"", "alarms.webhook_url"),
        ("webhook_url = \"larm.test\"", "alarms.webhook_url"),
        ("webhook_token_file = \"token\"", "alarms.webhook_url"),
        ("command = [\"\"]", "alarms.command"),
        ("command = [\"a\", \"b\\u0000\"]", "alarms.command"),
        ("again_h = 0", "alarms.again_h"),
    ] {
        let found = faults(&format!("[alarms]\n{lines}\n"));
        assert!(found.iter().any(|fault| fault.contains(key)), "{lines}: {found:?}");
    }
}

#[test]
fn whoever_is_mailed_needs_a_server_that_is_met_over_tls() {
    let source = "[source.in]\nkind = \"directory\"\npath = \"in\"\nmail_to = [\"a@b.test\"]\n";
    let mail = "[mail]\nserver = \"mail.b.test\"\nfrom = \"v@b.test\"\n";
    let settings = after(&format!("{source}{mail}"), &[]).unwrap();
    let read = settings.mail.clone().unwrap();
    assert_eq!((read.port, read.tls, settings.sources[0].mail_to.len()), (587, MailTls::Starttls, 1));
    for (text, key) in [
        (source.to_owned(), "mail.server"),
        (format!("{}{mail}", source.replace("a@b", "a b")), "source.in.mail_to[0]"),
        (format!("{mail}tls = \"off\""), "mail.tls"),
        (format!("{mail}user = \"u\""), "mail.password_file"),
        (format!("{mail}password_file = \"u\""), "mail.user"),
        ("[mail]\nserver = \"mail:25\"\nfrom = \"x\"".to_owned(), "mail.from"),
        ("[mail]\nserver = \"mail:25\"\nfrom = \"x\"".to_owned(), "mail.server"),
    ] {
        let found = faults(&text);
        assert!(found.iter().any(|fault| fault.contains(key)), "{text}: {found:?}");
    }
    let here = format!("{}tls = \"off\"", mail.replace("mail.b.test", "127.0.0.1"));
    assert!(after(&here, &[]).is_ok());
    assert!(after(&here, &[("VARDBRO__ENVIRONMENT", "production")]).is_err());
}

#[test]
fn the_least_file_gets_every_default() {
    let settings =
        after("[source.in]\nkind = \"directory\"\npath = \"in\"\n[destination.region]\nurl = \"https://region.test/in\"\n", &[]).unwrap();
    assert_eq!((settings.environment, settings.language), (Environment::Test, Language::Sv));
    let source = &settings.sources[0];
    let Way::Directory(directory) = &source.way else { panic!("a folder") };
    assert_eq!((source.name.as_str(), source.way.kind(), source.max_bytes), ("in", SourceKind::Directory, 1_048_576));
    assert_eq!((directory.done, directory.still, directory.done_age), (Done::Keep, Duration::from_secs(2), Duration::from_hours(30 * 24)));
    assert_eq!(directory.path, PathBuf::from("/etc/vardbro/in"));
    assert_eq!((directory.folders, directory.order), (false, FileOrder::Name));
    assert_eq!((&directory.pattern, &directory.marker), (&None, &None));
    let to = settings.destination("region").unwrap();
    assert_eq!((to.wire, to.mode, to.receipt), (Wire::Xml, Mode::Live, Receipt::Document));
    assert_eq!((&to.ca_file, &to.cert_file, &to.key_file, &to.proxy), (&None, &None, &None, &None));
    assert_eq!((to.timeout, to.max_attempts, to.in_flight), (Duration::from_secs(30), 300, 16));
    assert_eq!((to.max_age, to.receipt_deadline), (Duration::from_hours(72), Duration::from_hours(24)));
    assert_eq!(settings.rules, RulesSettings { name: "vanersborg/2026.1".to_owned(), dir: None });
    assert_eq!(settings.store_path, PathBuf::from("/etc/vardbro/vardbro.db"));
    assert_eq!(settings.oplog, OplogSettings { path: None, level: Level::Info });
    assert_eq!(settings.limits.depth, 32);
    let retry = &settings.retry;
    let seconds = [retry.base, retry.cap, retry.lease, retry.probe_cap, settings.shutdown_grace].map(|time| time.as_secs());
    assert_eq!(seconds, [2, 900, 120, 60, 20]);
    assert_eq!(settings.require_for_run(), Ok(()));
}

#[test]
fn every_key_of_the_defaults_file_is_a_key() {
    // Defaults are put into the tree by name: what does not belong there would be left without a type.
    fn walk(kind: &keys::Kind, table: &toml::Table, at: &str) {
        for (name, value) in table {
            let inner = kind.child(name).unwrap_or_else(|| panic!("{at}.{name} is no key"));
            if let Some(table) = value.as_table() {
                walk(inner, table, &format!("{at}.{name}"));
            } else {
                let line = toml::Table::from_iter([("x".to_owned(), value.clone())]).to_string();
                assert!(!matches!(inner, keys::Kind::Table(_) | keys::Kind::Named(_) | keys::Kind::List(_)), "{line}");
            }
        }
    }
    let defaults: toml::Table = keys::DEFAULTS.parse().unwrap();
    walk(&keys::root(), &defaults, "");
}

#[test]
fn run_wants_a_source_and_a_destination() {
    let settings = after("", &[]).unwrap();
    let faults = settings.require_for_run().unwrap_err();
    assert_eq!(faults.len(), 2);
    assert!(faults.iter().all(|fault| fault.code == Code::CfgMissing));
}

#[test]
fn a_file_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("none.toml");
    assert_eq!(lines(load(Some(&file), Vec::new())), [format!("VB-CFG-001 {}: no such file", file.display())]);
}

#[test]
fn a_file_is_read_and_its_folder_is_where_paths_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("vardbro.toml");
    std::fs::write(&file, ORGANISATION).unwrap();
    assert_eq!(load(Some(&file), Vec::new()).unwrap().store_path, folder.path().join("vardbro.db"));
    std::fs::write(&file, b"name = \"\xe5\"").unwrap();
    assert_eq!(lines(load(Some(&file), Vec::new())), [format!("VB-CFG-002 {}: not in UTF-8", file.display())]);
}

#[test]
fn syntax_faults_stand_alone_with_their_place() {
    let found = faults("[store]\npath = \n");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("VB-CFG-002 vardbro.toml:6:"), "{found:?}");
    let found = faults("[store]\npath = \"a\"\npath = \"b\"\n");
    assert_eq!(found, ["VB-CFG-002 vardbro.toml:7:1: duplicate key"]);
}

#[test]
fn unknown_keys_get_a_suggestion() {
    assert_eq!(faults("[stoer]\n"), ["VB-CFG-003 vardbro.toml:5:2: stoer: did you mean `store`?"]);
    assert_eq!(
        faults(&with_destination("  timeout = 3\n")),
        ["VB-CFG-003 vardbro.toml:7:3: destination.region.timeout: did you mean `timeout_s`?"]
    );
    assert_eq!(faults("[rules]\nlease_s = 3\n"), ["VB-CFG-003 vardbro.toml:6:1: rules.lease_s: `lease_s` belongs in [retry]"]);
    assert_eq!(faults("[shutdown]\ncolour = 3\n"), ["VB-CFG-003 vardbro.toml:6:1: shutdown.colour: known here: grace_s"]);
}

#[test]
fn what_is_kept_outlives_what_rests_on_it() {
    let found = faults("[retention]\naudit_years = 4\n");
    assert_eq!(found, ["VB-CFG-004 vardbro.toml:6:15: retention.audit_years: expected a whole number from 5 to 100"]);
    let found = faults("[retention]\nended_days = 500\n");
    assert!(found[0].contains("retention.metadata_days: must not be less than accepted_days and ended_days"), "{found:?}");
    let found = faults("[retention]\nmetadata_days = 800\ntombstone_years = 1\n");
    assert!(found[0].contains("retention.tombstone_years: must not be less than metadata_days"), "{found:?}");
}

#[test]
fn wrong_kinds_and_bounds_are_pointed_at() {
    let found = faults(
        "[limits]\ndepth = \"deep\"\n[shutdown]\ngrace_s = 601\n[retry]\nbase_s = nan\ncap_s = -1\n[oplog]\nlevel = \"inof\"\npath = 3\n",
    );
    assert_eq!(
        found,
        [
            "VB-CFG-004 vardbro.toml:6:9: limits.depth: expected a whole number from 4 to 128",
            "VB-CFG-004 vardbro.toml:13:9: oplog.level: expected \"error\" or \"warn\" or \"info\" or \"debug\"; did you mean \"info\"?",
            "VB-CFG-004 vardbro.toml:14:8: oplog.path: expected a text in quotes",
            "VB-CFG-004 vardbro.toml:10:10: retry.base_s: expected a number from 0.1 to 3600",
            "VB-CFG-004 vardbro.toml:11:9: retry.cap_s: expected a number from 0.1 to 86400",
            "VB-CFG-004 vardbro.toml:8:11: shutdown.grace_s: expected a number from 0 to 600",
        ]
    );
    assert_eq!(faults("[store]\npath = 2026-01-01\n"), ["VB-CFG-004 vardbro.toml:6:8: store.path: expected a text in quotes"]);
    assert_eq!(faults("[store]\npath = \"\"\n"), ["VB-CFG-004 vardbro.toml:6:8: store.path: expected a path"]);
    assert_eq!(
        faults("[store]\nkey_files = [\"a\", 1, \"\"]\n"),
        [
            "VB-CFG-004 vardbro.toml:6:19: store.key_files[1]: expected a text in quotes",
            "VB-CFG-004 vardbro.toml:6:22: store.key_files[2]: expected a path"
        ]
    );
    assert_eq!(
        faults("[store]\nkey_files = \"a\"\n"),
        ["VB-CFG-004 vardbro.toml:6:13: store.key_files: expected a list of texts in quotes"]
    );
    let many = vec!["\"a\""; 17].join(", ");
    assert_eq!(faults(&format!("[store]\nkey_files = [{many}]\n")), ["VB-CFG-004 vardbro.toml:6:13: store.key_files: at most 16"]);
}

#[test]
fn every_number_is_bounded() {
    fn walk(kind: &keys::Kind, at: &str) {
        match kind {
            keys::Kind::Table(keys) => keys.iter().for_each(|key| walk(&key.kind, &format!("{at}.{}", key.name))),
            keys::Kind::Named(inner) | keys::Kind::List(inner) => walk(inner, at),
            keys::Kind::Whole { max, .. } => assert!(*max < i64::from(u32::MAX), "{at}"),
            keys::Kind::Number { max, .. } => assert!(*max < 1e6, "{at}"),
            keys::Kind::Text | keys::Kind::Flag | keys::Kind::Choice { .. } => {}
        }
    }
    walk(&keys::root(), "");
}

const SDK: &str = "wire = \"sdk\"\nsender = \"0203:kommun.se\"\nsender_function = \"hsl\"\nrecipient = \"0203:region.se\"\nrecipient_function = \"avd5\"\n";

#[test]
fn sdk_asks_for_addresses_and_one_way_to_a_token() {
    let token = "token_url = \"https://mt.test/token\"\nclient_id = \"vardbro\"\n";
    let settings = after(&with_destination(&format!("{SDK}{token}")), &[]).unwrap();
    let sdk = settings.destinations[0].sdk.as_ref().unwrap();
    assert_eq!((sdk.sender.0.as_str(), sdk.recipient.1.as_str(), sdk.ids), ("0203:kommun.se", "avd5", SdkIds::Message));
    assert!(matches!(&sdk.token, Some(TokenSettings::Client { id, scope: None, .. }) if id == "vardbro"));
    let named = |lines: &str, key: &str| {
        let faults = faults(&with_destination(lines));
        assert!(faults.iter().any(|fault| fault.contains(&format!("destination.region.{key}:"))), "{key}: {faults:?}");
    };
    for key in ["sender", "sender_function", "recipient", "recipient_function"] {
        let without: Vec<&str> = SDK.lines().filter(|line| !line.starts_with(&format!("{key} "))).collect();
        named(&without.join("\n"), key);
    }
    named(&SDK.replace("0203:kommun.se", "kommun.se"), "sender");
    named(&SDK.replace("\"hsl\"", "\"h sl\""), "sender_function");
    named(&SDK.replace("wire = \"sdk\"", ""), "recipient");
    named(&format!("{SDK}token_url = \"https://mt.test/token\""), "client_id");
    named(&format!("{SDK}token_url = \"http://mt.test/token\"\nclient_id = \"v\""), "token_url");
    named(&format!("{SDK}{token}token_file = \"token\""), "token_url");
    named(&format!("{SDK}receipt = \"http\""), "receipt");
    named(&format!("{SDK}lookup_url = \"https://region.test/in/{{messageId}}\""), "lookup_url");
}

#[test]
fn two_recipients_at_one_message_service_do_not_share_ids() {
    let two = |ids: &str| {
        let centre = format!(
            "[destination.centre]\nurl = \"https://region.test/in\"\n{SDK}{ids}\n[[route]]\nparty = \"OV\"\ndestination = \"centre\""
        );
        format!("{}{centre}", with_destination(SDK))
    };
    let faults = faults(&two(""));
    assert!(faults.len() == 1 && faults[0].contains("destination.region.sdk_ids"), "{faults:?}");
    assert!(after(&two("sdk_ids = \"destination\""), &[]).is_ok());
}

#[test]
fn wires_to_come_say_so() {
    assert_eq!(
        faults(&with_destination("wire = \"fhir\"\n")),
        ["VB-CFG-004 vardbro.toml:7:8: destination.region.wire: only \"xml\" or \"sdk\" in this version; later: fhir"]
    );
}

#[test]
fn a_section_of_the_wrong_kind_is_said_once() {
    assert_eq!(lines(parse("organisation = 5\n", base(), Vec::new())), ["VB-CFG-004 vardbro.toml:1:16: organisation: expected a table"]);
    let text = format!("route = [3]\nrecipient = 4\n{ORGANISATION}");
    assert_eq!(
        lines(parse(&text, base(), Vec::new())),
        ["VB-CFG-004 vardbro.toml:2:13: recipient: expected a list of tables", "VB-CFG-004 vardbro.toml:1:10: route[0]: expected a table"]
    );
}

#[test]
fn missing_keys() {
    assert_eq!(
        lines(load(None, Vec::new())),
        ["org_number", "hsa_id", "name"].map(|key| format!("VB-CFG-005 organisation.{key}: required"))
    );
    assert_eq!(
        faults("[source.in]\n[[recipient]]\nparty = \"SV\"\n"),
        [
            "VB-CFG-005 vardbro.toml:5:9: source.in.kind: required",
            "VB-CFG-005 vardbro.toml:5:9: source.in.path: required",
            "VB-CFG-005 vardbro.toml:6:1: recipient[0].hsa_id: required",
        ]
    );
    assert_eq!(
        faults(&with_destination("cert_file = \"a.pem\"\n")),
        ["VB-CFG-005 vardbro.toml:5:14: destination.region.key_file: needed together with cert_file"]
    );
    assert_eq!(
        faults(&with_destination("key_file = \"a.pem\"\n")),
        ["VB-CFG-005 vardbro.toml:5:14: destination.region.cert_file: needed together with key_file"]
    );
}

#[test]
fn identifiers_are_checked() {
    let text = "[organisation]\norg_number = \"2120001539\"\nhsa_id = \"T100\"\nname = \" \"\n";
    let found = lines(parse(text, base(), Vec::new()));
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[0].starts_with("VB-CFG-004 vardbro.toml:2:14: organisation.org_number: expected ten digits"), "{found:?}");
    assert!(found[1].starts_with("VB-CFG-004 vardbro.toml:3:10: organisation.hsa_id: expected SE"), "{found:?}");
    assert!(found[2].starts_with("VB-CFG-004 vardbro.toml:4:8: organisation.name: "), "{found:?}");
}

#[test]
fn names_are_lower_case() {
    for bad in ["Region", "1st", "\"a b\"", "a__b", "a_", "\"\"", "\"å\""] {
        let found = faults(&format!("[destination.{bad}]\nurl = \"https://region.test/\"\n"));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("VB-CFG-004 vardbro.toml:5:14: "), "{found:?}");
    }
    assert!(after("[destination.vgr-2_b]\nurl = \"https://region.test/\"\n", &[]).is_ok());
}

#[test]
fn addresses() {
    let url = |url: &str| after(&format!("[destination.region]\nurl = \"{url}\"\n"), &[]);
    for good in ["https://a.test", "http://127.0.0.1:8080/x", "http://localhost/", "http://[::1]:1/", "https://u:p@a.test/"] {
        assert!(url(good).is_ok(), "{good}");
    }
    for bad in ["http://a.test", "http://127.0.0.2/", "http://localhost.a.test/", "ftp://a.test", "a.test", "https://", "mailto:a"] {
        let found = lines(url(bad));
        assert!(found[0].starts_with("VB-CFG-004 vardbro.toml:6:7: destination.region.url: "), "{bad} {found:?}");
    }
}

#[test]
fn secrets_in_addresses_are_never_repeated() {
    let text = "url = \"http://user:hunter2@a.test/?code=hunter2\"\nproxy = \"socks://user:hunter2@b.test\"\n";
    let found = faults(&format!("[destination.region]\n{text}"));
    assert_eq!(found.len(), 2, "{found:?}");
    let broken: Vec<String> =
        ["\"https://user:hunter2@a.test", "hunter2", "truehunter2", "1hunter2", "\"\\hunter2\"", "'a'hunter2", "[hunter2", "2026-hunter2"]
            .into_iter()
            .flat_map(|value| faults(&format!("[destination.region]\nurl = {value}\n")))
            .collect();
    let typed = lines(after("", &[("VARDBRO__DESTINATION__REGION__URL", "hunter2"), ("VARDBRO__LIMITS__DEPTH", "hunter2")]));
    assert_eq!(typed.len(), 2, "{typed:?}");
    let sound =
        after("[destination.region]\nurl = \"https://user:hunter2@a.test/p?code=hunter2\"\nproxy = \"http://u:hunter2@p\"\n", &[]).unwrap();
    assert_eq!(sound.destinations[0].url.url().password(), Some("hunter2"));
    let shown = sound.show();
    assert!(shown.contains("https://***@a.test/p?***"), "{shown}");
    for text in [found.join(" "), broken.join(" "), typed.join(" "), shown, format!("{sound:?}")] {
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn routes() {
    let settings = after(&with_destination("[[route]]\nparty = \"SV\"\ntype = \"K-PU\"\ndestination = \"region\"\n"), &[]).unwrap();
    let route = &settings.routes[0];
    assert_eq!((route.party, route.kind), (Some(Party::Sv), Some(EventType::KPu)));
    assert_eq!((&route.hsa_id, route.destination.as_str()), (&None, "region"));
    assert_eq!(
        faults(&with_destination(
            "[[route]]\nparty = \"SV\"\ndestination = \"regoin\"\n[[route]]\ndestination = \"region\"\n[[route]]\ntype = \"K-PUX\"\n"
        )),
        [
            "VB-CFG-009 vardbro.toml:9:15: route[0].destination: did you mean \"region\"?",
            "VB-CFG-005 vardbro.toml:10:1: route[1]: at least one of party, hsa_id and type",
            "VB-CFG-004 vardbro.toml:13:8: route[2].type: did you mean \"K-PU\"?",
            "VB-CFG-005 vardbro.toml:12:1: route[2].destination: required",
        ]
    );
    // A destination with a fault of its own still exists.
    let found = faults("[destination.region]\nurl = 3\n[[route]]\nparty = \"SV\"\ndestination = \"region\"\n");
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn rules_have_a_name_and_a_version() {
    for bad in ["vanersborg", "../x/1", "a/../b", "a/", "A/1"] {
        let found = faults(&format!("[rules]\nuse = \"{bad}\"\n"));
        assert!(found[0].starts_with("VB-CFG-008 vardbro.toml:6:7: rules.use: "), "{found:?}");
    }
}

#[test]
fn what_must_fit_together() {
    assert_eq!(
        faults("[retry]\nbase_s = 100\ncap_s = 50\n"),
        ["VB-CFG-004 vardbro.toml:7:9: retry.cap_s: must not be less than retry.base_s"]
    );
    assert_eq!(
        faults(&with_destination("timeout_s = 120\n")),
        [
            "VB-CFG-004 vardbro.toml:7:13: destination.region.timeout_s: retry.lease_s must be at least one and a half times this and 2 s more"
        ]
    );
    let source = |name: &str| format!("[source.{name}]\nkind = \"directory\"\npath = \"in\"\n");
    assert_eq!(faults(&(source("a") + &source("b"))), ["VB-CFG-004 vardbro.toml:10:8: source.b.path: the same folder as source.a"]);
    let below = source("a") + "folders = true\n" + &source("b").replace("\"in\"", "\"in/b\"");
    assert_eq!(faults(&below), ["VB-CFG-004 vardbro.toml:11:8: source.b.path: one lies within the other: source.a"]);
}

#[test]
fn a_table_is_a_source() {
    let source = |name: &str, more: &str| {
        format!(
            "[source.{name}]\nkind = \"sql\"\nengine = \"mariadb\"\nurl_file = \"url\"\ntable = \"care.outbox\"\nkey_column = \"id\"\n{more}"
        )
    };
    let whole = source("a", "body_column = \"event\"\nstatus_column = \"status\"\nanswer_column = \"answer\"\nca_file = \"ca.pem\"\n");
    let settings = after(&whole, &[]).unwrap();
    let Way::Sql(sql) = &settings.sources[0].way else { panic!("a table") };
    assert_eq!((sql.engine, sql.place.clone(), sql.table.as_str()), (Engine::Mariadb, PathBuf::from("/etc/vardbro/url"), "care.outbox"));
    assert_eq!((sql.key.as_str(), sql.order.as_str(), sql.body.as_deref()), ("id", "id", Some("event")));
    assert_eq!(sql.written, Some(("status".to_owned(), "answer".to_owned())));
    assert_eq!((sql.poll, sql.overlap, sql.reread), (Duration::from_secs(1), Duration::from_mins(10), Duration::from_hours(24)));
    assert_eq!(parse(&settings.show(), base(), Vec::new()).unwrap(), settings, "what is shown can be read again");

    let told = |text: &str| faults(text).join("; ");
    assert!(told(&source("a", "status_column = \"status\"\n")).contains("source.a.answer_column: needed together with status_column"));
    assert!(told(&source("a", "body_column = \"a b\"\n")).contains("source.a.body_column"));
    assert!(told("[source.a]\nkind = \"sql\"\n").contains("source.a.engine"));
    let file = told("[source.a]\nkind = \"sql\"\nengine = \"sqlite\"\nurl_file = \"url\"\ntable = \"t\"\n");
    assert!(file.contains("source.a.database: required") && file.contains("source.a.key_column: required"), "{file}");
    assert!(told(&(source("a", "") + &source("b", ""))).contains("source.b.table: the same table as source.a"));
}

#[test]
fn message_servers_are_met_over_tls_and_read_once() {
    let nats = |name: &str, url: &str, more: &str| {
        format!("[source.{name}]\nkind = \"nats\"\nurl = \"{url}\"\nstream = \"EVENTS\"\nconsumer = \"vardbro\"\n{more}")
    };
    let settings = after(&nats("in", "tls://nats.test:4222", "answer_subject = \"answers.care\"\n"), &[]).unwrap();
    let Way::Nats(known) = &settings.sources[0].way else { panic!("a stream") };
    assert_eq!((known.prefetch, known.tls.plain, known.answer_subject.as_deref()), (256, false, Some("answers.care")));
    let shown = parse(&settings.show(), base(), Vec::new()).unwrap();
    assert_eq!(shown.sources, settings.sources);
    assert!(after(&nats("in", "nats://127.0.0.1:4222", ""), &[]).is_ok());
    assert!(after(&nats("in", "nats://nats.test:4222", "tls = \"off\"\n"), &[]).is_ok());
    assert_eq!(
        faults(&nats("in", "nats://nats.test:4222", "")),
        ["VB-CFG-004 vardbro.toml:7:7: source.in.url: nats:// is allowed only to 127.0.0.1, localhost and [::1]; use tls://"]
    );
    for (url, more) in [("tls://me:secret@nats.test", ""), ("tls://nats.test", "answer_subject = \"$JS.API.x\"\n")] {
        let found = faults(&nats("in", url, more));
        assert!(found.len() == 1 && !found[0].contains("secret"), "{found:?}");
    }
    let twice = nats("a", "tls://nats.test", "") + &nats("b", "tls://nats.test", "");
    assert!(faults(&twice)[0].contains("source.b.consumer: the same consumer as source.a"));
    let amqp = "[source.in]\nkind = \"amqp\"\nurl_file = \"url\"\nqueue = \"events\"\n";
    let settings = after(amqp, &[]).unwrap();
    let Way::Amqp(known) = &settings.sources[0].way else { panic!("a queue") };
    assert_eq!((known.url_file.clone(), known.prefetch), (PathBuf::from("/etc/vardbro/url"), 256));
    assert_eq!(parse(&settings.show(), base(), Vec::new()).unwrap().sources, settings.sources);
}

#[test]
fn the_environment_overrides_the_file() {
    let text = with_destination("timeout_s = 10\n");
    let settings = after(
        &text,
        &[
            ("VARDBRO__DESTINATION__REGION__URL", "https://other.test/in"),
            ("VARDBRO__DESTINATION__REGION__TIMEOUT_S", "7.5"),
            ("VARDBRO__DESTINATION__REGION__IN_FLIGHT", "2"),
            ("VARDBRO__ORGANISATION__NAME", "123"),
            ("VARDBRO__ENVIRONMENT", "production"),
            ("VARDBRO__STORE__PATH", "data/v.db"),
            ("VARDBRO__OPLOG__LEVEL", ""),
            ("VARDBRO_CONFIG", "/somewhere"),
            ("PATH", "/bin"),
        ],
    )
    .unwrap();
    let to = &settings.destinations[0];
    assert_eq!((to.url.url().as_str(), to.timeout, to.in_flight), ("https://other.test/in", Duration::from_millis(7500), 2));
    assert_eq!((settings.organisation.name.as_str(), settings.environment), ("123", Environment::Production));
    assert_eq!((settings.store_path, settings.oplog.level), (PathBuf::from("/etc/vardbro/data/v.db"), Level::Info));
}

#[test]
fn the_environment_alone_is_enough() {
    let settings = load(
        None,
        env(&[
            ("VARDBRO__ORGANISATION__ORG_NUMBER", "2120001538"),
            ("VARDBRO__ORGANISATION__HSA_ID", "SE2120001538-T100"),
            ("VARDBRO__ORGANISATION__NAME", "Testkommunen"),
            ("VARDBRO__SOURCE__IN__KIND", "directory"),
            ("VARDBRO__SOURCE__IN__PATH", "in"),
            ("VARDBRO__DESTINATION__VGR-2_1__URL", "https://region.test/"),
        ]),
    )
    .unwrap();
    let Way::Directory(directory) = &settings.sources[0].way else { panic!("a folder") };
    assert_eq!((directory.path.clone(), settings.destinations[0].name.as_str()), (PathBuf::from("in"), "vgr-2_1"));
    assert_eq!(settings.destinations[0].in_flight, 16);
}

#[test]
fn faults_of_the_environment_name_the_variable() {
    let found = lines(after(
        &with_destination(""),
        &[
            ("VARDBRO__DESTINATION__REGION__ULR", "x"),
            ("VARDBRO__DESTINATION__REGION__URL", "http://a.test"),
            ("VARDBRO__LIMITS__DEPTH", "1000"),
            ("VARDBRO__ROUTE__0__PARTY", "SV"),
            ("VARDBRO__STORE", "x"),
            ("VARDBRO__STORE__PATH__X", "x"),
            ("VARDBRO__SOURCE__A B__PATH", "x"),
        ],
    ));
    assert_eq!(
        found,
        [
            "VB-CFG-003 VARDBRO__DESTINATION__REGION__ULR: destination.region.ulr: did you mean `url`?",
            "VB-CFG-004 VARDBRO__LIMITS__DEPTH: limits.depth: expected a whole number from 4 to 128",
            "VB-CFG-004 VARDBRO__ROUTE__0__PARTY: route.0.party: lists can only be written in the file",
            "VB-CFG-004 VARDBRO__STORE: store: expected a table",
            "VB-CFG-003 VARDBRO__STORE__PATH__X: store.path.x: the key has no parts",
            "VB-CFG-004 VARDBRO__SOURCE__A B__PATH: source.a b.path: a name is lower-case letters, digits, - and single _, and begins with a letter",
            "VB-CFG-004 VARDBRO__DESTINATION__REGION__URL: destination.region.url: http is allowed only to 127.0.0.1, localhost and [::1]; use https",
        ]
    );
}

#[test]
fn columns_count_characters() {
    assert_eq!(
        lines(parse("organisation = { name = \"Åäö\", nam = 1 }\n", base(), Vec::new()))[0],
        "VB-CFG-003 vardbro.toml:1:32: organisation.nam: did you mean `name`?"
    );
}

#[test]
fn the_sample_loads_and_what_is_shown_loads_again() {
    let settings = parse(SAMPLE, base(), Vec::new()).unwrap();
    assert_eq!(settings.require_for_run(), Ok(()));
    assert_eq!(settings.destinations[0].ca_file, Some(PathBuf::from("/etc/vardbro/tls/region-ca.pem")));
    assert_eq!(parse(&settings.show(), Path::new("/elsewhere"), Vec::new()).as_ref(), Ok(&settings));
}

#[test]
fn files_are_checked_apart() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("{ORGANISATION}[source.in]\nkind = \"directory\"\npath = \"in\"\n{}", with_destination("ca_file = \"ca.pem\"\n"));
    let settings = parse(&text, folder.path(), Vec::new()).unwrap();
    let found = settings.check_files().unwrap_err();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().all(|fault| fault.code == Code::CfgFile));
    std::fs::create_dir(folder.path().join("in")).unwrap();
    std::fs::write(folder.path().join("ca.pem"), "").unwrap();
    assert_eq!(settings.check_files(), Ok(()));
}

#[test]
fn the_schema_takes_the_sample_and_refuses_what_the_reader_refuses() {
    let schema: serde_json::Value = serde_json::from_str(&schema()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let json = |text: &str| serde_json::to_value(text.parse::<toml::Table>().unwrap()).unwrap();
    let faults: Vec<String> = validator.iter_errors(&json(SAMPLE)).map(|error| error.to_string()).collect();
    assert!(faults.is_empty(), "{faults:?}");
    let least = |text: &str| json(&format!("{ORGANISATION}{text}"));
    assert!(validator.is_valid(&least("")));
    for bad in [
        "[http]\nlisten = 8080\n",
        "[limits]\ndepth = 3\n",
        "[limits]\ndepth = 4.5\n",
        "[oplog]\nlevel = \"loud\"\n",
        "[destination.region]\nurl = \"https://a\"\nwire = \"fhir\"\n",
        "[destination.region]\n",
        "[destination.Region]\nurl = \"https://a\"\n",
        "[[route]]\ndestination = \"x\"\n",
        "[rules]\nuse = \"x\"\n",
    ] {
        assert!(!validator.is_valid(&least(bad)), "{bad}");
        assert!(after(bad, &[]).is_err(), "{bad}");
    }
}

#[test]
fn receipts_are_taken_and_asked_for_only_where_that_is_safe() {
    let http = |rest: &str| faults(&format!("[http]\n{rest}"));
    assert_eq!(
        http("listen = \"0.0.0.0:443\"\n"),
        ["VB-CFG-004 vardbro.toml:6:10: http.listen: without cert_file only an address of this machine itself: 127.0.0.1 or [::1]"]
    );
    assert_eq!(
        http("listen = \"localhost\"\n"),
        ["VB-CFG-004 vardbro.toml:6:10: http.listen: expected an address and a port: \"127.0.0.1:8080\""]
    );
    assert_eq!(
        http("listen = \"[::1]:1\"\ncert_file = \"c.pem\"\n"),
        ["VB-CFG-005 vardbro.toml:5:2: http.key_file: needed together with cert_file"]
    );
    assert_eq!(
        http("listen = \"127.0.0.1:1\"\nclient_ca_file = \"c.pem\"\n"),
        ["VB-CFG-005 vardbro.toml:5:2: http.cert_file: needed together with client_ca_file"]
    );
    let lookup = |url: &str| faults(&with_destination(&format!("lookup_url = \"{url}\"\n"))).join("\n");
    assert!(lookup("https://elsewhere.example/{messageId}").contains("the same scheme, host and port as url"));
    assert!(lookup("https://region.test/receipts").contains("{messageId}"));
    assert!(lookup("receipts").contains("begins with https://"));
}

#[test]
fn generated_files_are_fresh() {
    for (path, text) in [("schemas/config.schema.json", schema()), ("docs/config.md", reference())] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, &text).unwrap();
        }
        let stored = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(stored == text, "{path} is stale: run the tests once with UPDATE=1");
    }
}

#[test]
fn a_source_over_http_wants_a_token_and_an_address() {
    let source = "[source.in]\nkind = \"http\"\n";
    assert_eq!(faults(source), ["VB-CFG-005 vardbro.toml:5:9: source.in.token_file: required"]);
    assert_eq!(faults(&format!("{source}token_file = \"t\"\n")), ["VB-CFG-005 vardbro.toml: http.listen: needed by source.in"]);
    let settings = after(&format!("{source}token_file = \"t\"\n[http]\nlisten = \"127.0.0.1:8080\"\n"), &[]).unwrap();
    let used = HttpSourceSettings { token_file: PathBuf::from("/etc/vardbro/t"), rate_per_s: 100.0, in_flight: 64 };
    assert_eq!(settings.sources[0].way, Way::Http(used));
}

#[test]
fn a_folder_takes_its_keys_also_from_the_environment() {
    let text = "[source.in]\nkind = \"directory\"\npath = \"in\"\npattern = \"*.csv\"\norder = \"age\"\nmarker = \".klar\"\n";
    let settings = after(text, &[("VARDBRO__SOURCE__IN__FOLDERS", "true")]).unwrap();
    let Way::Directory(directory) = &settings.sources[0].way else { panic!("another kind") };
    assert_eq!((directory.folders, directory.order), (true, FileOrder::Age));
    assert_eq!((directory.pattern.as_deref(), directory.marker.as_deref()), (Some("*.csv"), Some(".klar")));
    let bad = text.replace("*.csv", "in/*.csv") + "folders = 1\n";
    assert_eq!(
        faults(&bad),
        [
            "VB-CFG-004 vardbro.toml:11:11: source.in.folders: expected true or false",
            "VB-CFG-004 vardbro.toml:8:11: source.in.pattern: expected at most 100 characters, without /",
        ]
    );
}
