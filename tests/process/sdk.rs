//! A message over two wires to two receivers, a municipality's own and a message service of SDK's: down in turn, killed between, and each
//! message with a fate of its own for each. And the message service by Digg's own description of its API.

#![expect(clippy::print_stderr, reason = "who runs the test shall know what it did not do")]

use super::contract::tool;
use super::described;
use super::world::{Process, VARDBRO, World, admission, planning, wait};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const TOKEN: &str = "a-secret-of-more-than-thirty-two-characters";
const PATIENCE: Duration = Duration::from_mins(1);

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|taken| taken.local_addr()).expect("a port").port()
}

/// A world with a destination over our wire for the ward, and one over SDK for the health centre.
struct Two {
    world: World,
    /// Of the message service.
    port: u16,
    /// Where receipts may be sent.
    http: u16,
}

impl Two {
    fn new(sdk: &str) -> Self {
        let (port, http) = (free_port(), free_port());
        let rest = format!(
            r#"
[retry]
base_s = 0.2
probe_cap_s = 1
lease_s = 10
[http]
listen = "127.0.0.1:{http}"
[destination.centre]
wire = "sdk"
url = "https://localhost:{port}/v1/sdk/messages"
sender = "0203:vanersborg.se"
sender_function = "hsl.vanersborg"
recipient = "0203:vgregion.se"
recipient_function = "vc.naes"
ca_file = "ca.pem"
cert_file = "client.pem"
key_file = "client.key"
callback_token_file = "token"
timeout_s = 5
{sdk}
[[route]]
party = "SV"
destination = "region"
[[route]]
party = "OV"
destination = "centre"
[[recipient]]
party = "OV"
hsa_id = "SE2321000131-V100"
"#
        );
        let world = World::new("timeout_s = 5", &rest);
        fs::write(world.path("token"), TOKEN).expect("written");
        Self { world, port, http }
    }

    /// The message service, with a script.
    fn service(&self, script: &str, arguments: &[&str]) -> Process {
        let (c, file) = (&self.world.certificates, self.world.path("service.toml"));
        fs::write(&file, script).expect("written");
        let mut program = Command::new(VARDBRO);
        program.args(["receiver", "--listen", &format!("127.0.0.1:{}", self.port)]).arg("--dir").arg(self.world.path("service"));
        program.arg("--cert").arg(&c.server_cert).arg("--key").arg(&c.server_key).arg("--client-ca").arg(&c.ca);
        started(program.arg("--script").arg(file).args(arguments), &self.world).0
    }

    /// The states of what goes to a destination.
    fn states(&self, destination: &str) -> Vec<String> {
        let listed = self.world.vardbro(&["messages", "list", "--limit", "1000"]);
        let columns = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let mut states: Vec<String> = Vec::new();
        for columns in listed.lines().map(columns) {
            let place = columns.iter().position(|column| column == destination);
            states.extend(place.and_then(|place| columns.get(place + 1)).cloned());
        }
        states
    }

    fn wait(&self, region: &[&str], centre: &[&str]) {
        wait(&format!("{region:?} {centre:?}"), PATIENCE, || self.states("region") == region && self.states("centre") == centre);
    }

    /// What the service tells of its messages follows Digg's description.
    fn looked_up(&self) {
        let c = &self.world.certificates;
        let ask = |place: &str, name: &str| {
            let file = self.world.path(name);
            let url = format!("https://localhost:{}/v1/sdk/messages{place}", self.port);
            let mut curl = Command::new("curl");
            curl.args(["-s", "-f", "-g", &url])
                .arg("--cacert")
                .arg(&c.ca)
                .arg("--cert")
                .arg(&c.client_cert)
                .arg("--key")
                .arg(&c.client_key);
            assert!(curl.arg("-o").arg(&file).status().expect("curl").success());
            file
        };
        let list = ask("?filter[messageStatus]=WAITING_FOR_RECEIPT", "list.json");
        let listed: serde_json::Value = serde_json::from_slice(&fs::read(&list).expect("read")).expect("JSON");
        let id = listed["data"][0]["attributes"]["messageId"].as_str().expect("one").to_owned();
        described::follow("outputArrayData", &[list]);
        described::follow("outputData", &[ask(&format!("/{id}"), "one.json")]);
    }

    fn kept(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(self.world.path("service/sdk")).expect("the service's folder").flatten().map(|entry| entry.path());
        files.filter(|file| file.extension().is_some_and(|ending| ending == "xml")).collect()
    }
}

/// The process once it listens, and where.
fn started(program: &mut Command, world: &World) -> (Process, String) {
    program.stderr(fs::File::options().create(true).append(true).open(world.path("receiver.txt")).expect("a file")).stdout(Stdio::piped());
    let mut child = program.spawn().expect("the receiver");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
    let url = line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("the receiver did not start: {line:?}")).to_owned();
    (Process(child), url)
}

#[test]
fn over_two_wires_each_message_has_two_fates_whichever_receiver_is_down() {
    let two = Two::new("TOKENS");
    two.world.configure("TOKENS", &format!("token_url = \"https://localhost:{}/token\"\nclient_id = \"vanersborg\"", two.port));
    let daemon = two.world.daemon();
    two.world.put("1.json", &admission("HSL-1", "E-1", 0));
    two.world.put("2.json", &planning("HSL-1", "E-2", 60));
    wait("the message to be written twice", PATIENCE, || two.states("region").len() == 1 && two.states("centre").len() == 1);
    let region = two.world.receiver("");
    two.wait(&["ACCEPTED"], &["SCHEDULED"]);

    // Killed while one of the two is still to be delivered; its receipt comes later, and the service is killed before it is fetched.
    daemon.kill();
    let service = two.service("[[answer]]\nlater_ms = 4000\ntimes = 0", &["--token-s", "3"]);
    let daemon = two.world.daemon();
    two.wait(&["ACCEPTED"], &["WAITING_FOR_RECEIPT"]);
    service.kill();
    daemon.kill();
    let daemon = two.world.daemon();
    let service = two.service("", &["--token-s", "3"]);
    two.wait(&["ACCEPTED"], &["ACCEPTED"]);

    region.kill();
    two.world.put("3.json", &planning("HSL-1", "E-3", 120));
    wait("the centre alone", PATIENCE, || {
        two.states("centre") == ["ACCEPTED", "ACCEPTED"] && two.states("region").iter().filter(|state| *state == "ACCEPTED").count() == 1
    });
    service.kill();
    let _region = two.world.receiver("");
    two.wait(&["ACCEPTED", "ACCEPTED"], &["ACCEPTED", "ACCEPTED"]);
    daemon.stop();

    let kept = two.kept();
    assert_eq!(kept.len(), 2, "each once");
    for file in &kept {
        let id = file.file_stem().expect("a name").to_string_lossy().into_owned();
        // The service has our document as the region has it, but for what its own lane and transmission say.
        assert!(
            two.world.path(&format!("receiver/messages/{id}.xml")).exists()
                && two.world.path(&format!("service/messages/{id}.xml")).exists()
        );
    }
    assert!(two.world.received().iter().all(|line| line["duplicate"] == false));
    let checked = Command::new(VARDBRO).arg("check").args(&kept).output().expect("the program");
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
    follows_diggs_schema(&kept);
}

#[test]
fn a_token_that_the_service_no_longer_knows_is_fetched_anew_and_one_in_a_file_is_read_anew() {
    let two = Two::new("TOKENS");
    let client = format!("token_url = \"https://localhost:{}/token\"\nclient_id = \"vanersborg\"", two.port);
    two.world.configure("TOKENS", &client);
    let _region = two.world.receiver("");
    let service = two.service("", &["--token-s", "3600"]);
    let daemon = two.world.daemon();
    two.world.put("1.json", &admission("HSL-1", "E-1", 0));
    two.world.put("2.json", &planning("HSL-1", "E-2", 60));
    two.wait(&["ACCEPTED"], &["ACCEPTED"]);
    service.kill();
    let service = two.service("", &["--token-s", "3600"]);
    two.world.put("3.json", &planning("HSL-1", "E-3", 120));
    two.wait(&["ACCEPTED"; 2], &["ACCEPTED"; 2]);
    let refused = || two.world.oplog().iter().any(|line| line["event"] == "alarm.opened" && line["reason"] == "VB-DLV-004");
    assert!(!refused(), "nobody has to know of it");
    daemon.stop();

    two.world.configure(&client, "token_file = \"bearer\"");
    fs::write(two.world.path("bearer"), "one-that-nobody-knows\n").expect("written");
    let daemon = two.world.daemon();
    two.world.put("4.json", &planning("HSL-1", "E-4", 180));
    wait("the route to be closed", PATIENCE, refused);
    let c = &two.world.certificates;
    let out = Command::new("curl")
        .args(["-s", "--data", "grant_type=client_credentials&client_id=vanersborg", &format!("https://localhost:{}/token", two.port)])
        .arg("--cacert")
        .arg(&c.ca)
        .arg("--cert")
        .arg(&c.client_cert)
        .arg("--key")
        .arg(&c.client_key)
        .output()
        .expect("curl");
    let given: serde_json::Value = serde_json::from_slice(&out.stdout).expect("a token");
    fs::write(two.world.path("bearer"), given["access_token"].as_str().expect("a token")).expect("written");
    two.wait(&["ACCEPTED"; 3], &["ACCEPTED"; 3]);
    daemon.stop();
    drop(service);
}

fn follows_diggs_schema(files: &[PathBuf]) {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/sdk/message/MessageWithAttachments_3.0.xsd");
    if !schema.exists() {
        assert!(std::env::var_os("CI").is_none(), "Digg's schema is not beside the project");
        eprintln!("skipped: Digg's schema is not beside the project");
        return;
    }
    match Command::new("xmllint").args(["--nonet", "--noout", "--schema"]).arg(schema).args(files).output() {
        Ok(out) => assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr)),
        Err(_) if std::env::var_os("CI").is_none() => eprintln!("skipped: xmllint is not installed"),
        Err(fault) => panic!("xmllint: {fault}"),
    }
}

/// A receipt of Digg's for a message.
fn kvittens(message: &str, code: &str, lines: &str) -> String {
    let ns = "urn:oasis:names:specification:ubl:schema:xsd";
    format!(
        r#"<ApplicationResponse xmlns="{ns}:ApplicationResponse-2" xmlns:cac="{ns}:CommonAggregateComponents-2" xmlns:cbc="{ns}:CommonBasicComponents-2">
<cbc:CustomizationID>urn:fdc:digg.se:edelivery:messagetype:response:1</cbc:CustomizationID><cbc:ProfileID>bdx:noprocess</cbc:ProfileID>
<cbc:ID>K-1</cbc:ID><cbc:IssueDate>2026-03-10</cbc:IssueDate><cbc:IssueTime>12:00:00Z</cbc:IssueTime>
<cac:DocumentResponse><cac:Response><cbc:ResponseCode>{code}</cbc:ResponseCode></cac:Response>
<cac:DocumentReference><cbc:ID>{message}</cbc:ID></cac:DocumentReference>{lines}</cac:DocumentResponse></ApplicationResponse>"#
    )
}

const REASON: &str = "<cac:LineResponse><cac:LineReference><cbc:LineID>NA</cbc:LineID></cac:LineReference><cac:Response>\
<cbc:ResponseCode>BV</cbc:ResponseCode><cac:Status><cbc:StatusReason>invariant | HEMLIGHET</cbc:StatusReason></cac:Status></cac:Response></cac:LineResponse>";

#[test]
fn receipts_of_diggs_settle_what_waits_and_broken_ones_leave_it_waiting() {
    let two = Two::new("");
    let _region = two.world.receiver("");
    let _service = two.service("[[answer]]\nlater_ms = 600000\ntimes = 0", &[]);
    let daemon = two.world.daemon();
    two.world.put("1.json", &admission("HSL-1", "E-1", 0));
    two.world.put("2.json", &planning("HSL-1", "E-2", 60));
    two.wait(&["ACCEPTED"], &["WAITING_FOR_RECEIPT"]);
    two.looked_up();
    let id = two.world.received()[0]["messageId"].as_str().expect("an id").to_owned();
    let post = |body: &str| {
        let url = format!("http://127.0.0.1:{}/v1/receipts", two.http);
        let header = format!("Authorization: Bearer {TOKEN}");
        let out =
            Command::new("curl").args(["-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", &header, "--data-binary", body, &url]).output();
        String::from_utf8(out.expect("curl").stdout).expect("UTF-8")
    };
    let broken = [
        kvittens(&id, "MAYBE", ""),
        kvittens(&id, "ACCEPTED", REASON),
        kvittens("ID-FROM-XHE-1", "ACCEPTED", ""),
        kvittens(&id, "ACCEPTED", "").replace("bdx:noprocess", "other"),
        kvittens(&id, "ACCEPTED", "")[..400].to_owned(),
    ];
    for body in &broken {
        assert_eq!(post(body), "400", "{body}");
    }
    assert_eq!(post(&kvittens("3a94b4ed-a6d7-41e2-945d-b3fa91e8a6e9", "REJECTED", REASON)), "404");
    assert_eq!(two.states("centre"), ["WAITING_FOR_RECEIPT"]);
    assert_eq!(post(&kvittens(&id, "REJECTED", REASON)), "200");
    two.wait(&["ACCEPTED"], &["REJECTED"]);
    // The first stands.
    assert_eq!(post(&kvittens(&id, "ACCEPTED", "")), "200");
    two.wait(&["ACCEPTED"], &["REJECTED"]);
    let shown = two.world.vardbro(&["messages", "show", &format!("{id}@centre")]);
    assert!(shown.contains("invariant") && !shown.contains("HEMLIGHET"), "{shown}");
    daemon.stop();
}

/// Checks that cannot hold: Digg's description leaves open what a message must have, and says nothing of what is not described.
const NOT_ASKED: &str = "positive_data_acceptance";

#[test]
fn the_message_service_does_what_diggs_description_says() {
    let Some(tool) = tool() else { return };
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/sdk/sdk-api-restful.yml");
    if !schema.exists() {
        assert!(std::env::var_os("CI").is_none(), "Digg's description is not beside the project");
        eprintln!("skipped: Digg's description is not beside the project");
        return;
    }
    let world = World::new("", "");
    let mut program = Command::new(VARDBRO);
    program.args(["receiver", "--listen", "127.0.0.1:0"]).arg("--dir").arg(world.path("service"));
    let (_service, url) = started(&mut program, &world);
    let out = Command::new(&tool)
        .arg("run")
        .arg(schema)
        .args(["--url", &format!("{url}/v1"), "--exclude-checks", NOT_ASKED, "--max-examples", "30", "--seed", "1"])
        .args(["--request-timeout", "20", "--no-color", "--phases", "examples,coverage,fuzzing"])
        .current_dir(world.path(""))
        .output()
        .expect("schemathesis");
    let said = String::from_utf8_lossy(&out.stdout);
    assert!(out.status.success(), "{said}{}", String::from_utf8_lossy(&out.stderr));
    println!("{said}");
}
