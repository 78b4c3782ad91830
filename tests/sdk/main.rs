//! SDK's wire against Digg's own: its schema by `xmllint`, its rules by Saxon (`saxonche`), its test data, its receipts.
//!
//! Digg's files lie beside the project (`../shared/reference/sdk`) and are not copied. Without them, or without the programs, a test says
//! that it is skipped; in CI it fails.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "helpers of tests, outside the functions that clippy knows as such")]

use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use vardbro::model;
use vardbro::model::catalogue::{CATALOGUE, Origin};
use vardbro::model::ids::MessageId;
use vardbro::model::personal::Personal;
use vardbro::model::receipt::Receipt;
use vardbro::model::state::{ReceiptReason, ReceiptStatus};
use vardbro::model::time::parse_instant;
use vardbro::seal::{Validator, XsdValidator};
use vardbro::wire::sdk::{self, Parties, Party, Unfit, api, letter};
use vardbro::wire::{self, ContentHash, content, transmission};

#[path = "../support/described.rs"]
mod described;
#[path = "../../src/wire/testing.rs"]
mod testing;

use testing::{Fill, envelope, event, message, release};

/// A message's id that stands in the receipts.
const ID: &str = "3a94b4ed-a6d7-41e2-945d-b3fa91e8a6e9";

fn digg(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/sdk").join(name);
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var_os("CI").is_none(), "Digg's files are not at {}", path.display());
    println!("skipped: Digg's files are not beside the project");
    None
}

/// What is missing is told of; in CI it must not be.
fn ran(program: &mut Command, name: &str) -> Option<std::process::Output> {
    let out = program.output().ok();
    if out.is_none() {
        assert!(std::env::var_os("CI").is_none(), "{name} is missing");
        println!("skipped: {name} is not installed");
    }
    out
}

/// Whether each document follows Digg's schema.
fn by_schema(schema: &Path, documents: &[PathBuf]) -> Option<Vec<bool>> {
    let out = ran(Command::new("xmllint").args(["--nonet", "--noout", "--huge", "--schema"]).arg(schema).args(documents), "xmllint")?;
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(!said.contains("Schemas parser error"), "{said}");
    Some(documents.iter().map(|path| said.lines().any(|line| line == format!("{} validates", path.display()))).collect())
}

/// The assertions of Digg's rules that fail in each document.
fn by_rules(rules: &Path, documents: &[PathBuf]) -> Option<Vec<Vec<String>>> {
    let python = std::env::var_os("VARDBRO_TEST_FORMATS").map(|folder| PathBuf::from(folder).join("bin/python"));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sdk/schematron.py");
    let python = python.unwrap_or_else(|| "python3".into());
    let has = Command::new(&python).args(["-c", "import saxonche"]).output().is_ok_and(|out| out.status.success());
    if !has {
        assert!(std::env::var_os("CI").is_none(), "saxonche is missing");
        println!("skipped: saxonche is not installed");
        return None;
    }
    let out = ran(Command::new(python).arg(script).arg(rules).args(documents), "python")?;
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let text = String::from_utf8(out.stdout).expect("UTF-8");
    let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON"));
    assert!(lines.next().expect("a line")["assertions"].as_u64().expect("a number") > 10);
    let failed =
        |line: Value| line["failed"].as_array().expect("a list").iter().map(|said| said.as_str().unwrap_or("").to_owned()).collect();
    let failed: Vec<Vec<String>> = lines.map(failed).collect();
    assert_eq!(failed.len(), documents.len());
    Some(failed)
}

fn parties() -> Parties {
    let party = |organisation: &str, function: &str| Party { organisation: organisation.to_owned(), function: function.to_owned() };
    Parties { sender: party("0203:vanersborg.se", "hsl.vanersborg"), recipient: party("0203:vgregion.se", "avd5.naes"), own_ids: false }
}

/// Every document of the stories, and of every type the least and the most that it can say.
#[expect(clippy::disallowed_methods, reason = "a test looks at what was written")]
fn documents() -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let stories = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")).expect("the stories");
    for folder in stories.flatten().map(|entry| entry.path().join("out")).filter(|folder| folder.is_dir()) {
        let files = fs::read_dir(folder).expect("documents").flatten().map(|entry| entry.path());
        found.extend(files.filter(|file| file.extension().is_some_and(|ending| ending == "xml")).map(|file| fs::read(file).expect("read")));
    }
    assert!(found.len() > 200, "{}", found.len());
    for row in CATALOGUE.iter().filter(|row| row.origin == Origin::Municipality) {
        for fill in [Fill::Least, Fill::Most] {
            let content = content(&message(&event(row, fill), fill), &release(fill));
            let bytes = content.disclose();
            found.push(transmission(bytes, ContentHash::of(bytes), envelope(), parse_instant("2026-03-11T08:00:01Z").expect("an instant")));
        }
    }
    found
}

#[expect(clippy::disallowed_methods, reason = "a test looks at what was written")]
fn rendered(document: &[u8], parties: &Parties) -> String {
    let letter = letter(&Personal::new(document.to_vec()), parties).expect("a document of ours");
    String::from_utf8(sdk::write(&letter).disclose().clone()).expect("UTF-8")
}

fn put(folder: &Path, documents: &[String]) -> Vec<PathBuf> {
    let file = |(place, text): (usize, &String)| {
        let path = folder.join(format!("{place}.xml"));
        fs::write(&path, text).expect("written");
        path
    };
    documents.iter().enumerate().map(file).collect()
}

#[test]
fn every_rendering_follows_diggs_schema_and_every_one_of_its_rules() {
    let documents: Vec<String> = documents().iter().map(|document| rendered(document, &parties())).collect();
    let mut validator = XsdValidator::sdk();
    for document in &documents {
        let faults = validator.validate(document.as_bytes());
        assert!(faults.is_empty(), "{faults:?}\n{document}");
    }
    let Some((schema, rules)) = digg("message/MessageWithAttachments_3.0.xsd").zip(digg("message/MessageConstraints.sch.xml")) else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let files = put(folder.path(), &documents);
    for (valid, file) in by_schema(&schema, &files).into_iter().flatten().zip(&files) {
        assert!(valid, "{}", fs::read_to_string(file).expect("read"));
    }
    for (failed, file) in by_rules(&rules, &files).into_iter().flatten().zip(&files) {
        assert!(failed.is_empty(), "{failed:?}\n{}", fs::read_to_string(file).expect("read"));
    }
    println!("{} documents", documents.len());
}

#[test]
fn diggs_own_test_data_get_the_verdicts_that_digg_means() {
    let Some(folder) = digg("message") else { return };
    let files = ["example.xml", "testdata-min.xml", "testdata-TF2.4.1.xml"].map(|name| folder.join(name));
    let ours = files.clone().map(|file| XsdValidator::sdk().validate(&fs::read(file).expect("read")));
    assert!(ours[0].is_empty() && ours[1].is_empty(), "{ours:?}");
    // The conversation's id only the rules forbid.
    let places: Vec<&str> = ours[2].iter().filter_map(|fault| fault.path.rsplit('/').next()).collect();
    assert!(places.contains(&"creationDateTime") && places.contains(&"conversationId"), "{places:?}");
    if let Some(valid) = by_schema(&folder.join("MessageWithAttachments_3.0.xsd"), &files) {
        assert_eq!(valid, [true, true, false]);
    }
    if let Some(failed) = by_rules(&folder.join("MessageConstraints.sch.xml"), &files) {
        let names: Vec<&str> = failed[2].iter().filter_map(|said| said.split(' ').next()).collect();
        assert_eq!((failed[0].len(), failed[1].len(), names), (0, 0, vec!["creationDateTime", "conversationId"]));
    }
}

/// Documents with one fault each: what is replaced, by what.
#[rustfmt::skip]
fn faults() -> Vec<(&'static str, String)> {
    let to = |text: &str| text.to_owned();
    vec![
        ("<messageId>", to("<messageId>x")),
        ("<conversationId>0", to("<conversationId>")),
        ("<refToMessageId>", to("<refToMessageId>{")),
        (".125Z</creationDateTime>", to("Z</creationDateTime>")),
        (".125Z</creationDateTime>", to(".125+01:00</creationDateTime>")),
        (".125Z</creationDateTime>", to(".1255Z</creationDateTime>")),
        (".125Z</creationDateTime>", to("</creationDateTime>")),
        ("<label>", format!("<label>{}", "å".repeat(256))),
        ("<confidentiality>true", to("<confidentiality>ja")),
        ("iso6523-actorid-upis", to("iso6523")),
        ("urn:riv:infrastructure:messaging:functionalAddress", to("urn:riv:infrastructure:messaging:address")),
        ("<extension>0203:vgregion.se", to("<extension>  ")),
        ("<fileName>", to("<fileName></fileName><fileName>")),
        ("<content>P", to("<content>\u{2014}")),
        ("<characterSequence>", to("<characterSequence/><characterSequence>")),
        ("<index>1</index>", to("<index> \n </index>")),
        ("<documentID>SDK-Meddelande</documentID>", to("")),
        ("<messageBody>", to("<messageBody><own/>")),
        ("<sender>", to("<sender><person/>")),
        ("</messagePayload>", to("")),
        ("<subOrganization>", to("<subOrganization></subOrganization><subOrganization>")),
    ]
}

#[test]
fn our_description_of_the_message_and_diggs_agree_on_what_is_broken() {
    let most = documents().pop().expect("a document");
    let good = rendered(&most, &parties());
    let broken: Vec<String> = faults()
        .into_iter()
        .map(|(from, to)| {
            assert!(good.contains(from), "{from}");
            good.replacen(from, &to, 1)
        })
        .collect();
    for (document, (from, to)) in broken.iter().zip(faults()) {
        assert!(!XsdValidator::sdk().validate(document.as_bytes()).is_empty(), "{from} → {to}");
    }
    let Some((schema, rules)) = digg("message/MessageWithAttachments_3.0.xsd").zip(digg("message/MessageConstraints.sch.xml")) else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let files = put(folder.path(), &broken);
    let Some(by_schema) = by_schema(&schema, &files) else { return };
    // What is no XML the rules cannot be asked about.
    let (open, asked): (Vec<usize>, Vec<PathBuf>) =
        files.iter().enumerate().filter(|(place, _)| by_schema[*place]).map(|(place, file)| (place, file.clone())).unzip();
    let Some(by_rules) = by_rules(&rules, &asked) else { return };
    for (place, failed) in open.iter().zip(by_rules) {
        assert!(!failed.is_empty(), "Digg takes {:?}", faults()[*place]);
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test looks at what was written")]
fn what_is_posted_is_the_same_message_and_follows_diggs_description() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut files = Vec::new();
    for document in documents() {
        let letter = letter(&Personal::new(document.clone()), &parties()).expect("a document of ours");
        let posted = api::write(&letter).expect("small enough");
        let file = folder.path().join(format!("{}.json", files.len()));
        fs::write(&file, posted.disclose()).expect("written");
        files.push(file);
        let read = api::read(posted.disclose(), uuid::Uuid::nil(), "").unwrap_or_else(|faults| panic!("{faults:?}"));
        assert_eq!(sdk::write(&read).disclose(), sdk::write(&letter).disclose());
        assert_eq!(read.disclose().document(), Some(document.as_slice()), "our document is in it as it was");
        let received = wire::xml::read(&document).expect("ours");
        assert_eq!(read.disclose().content_hash(), Some(received.declared_hash));
    }
    described::follow("createMessage", &files);
}

#[test]
fn the_subject_says_nothing_of_a_person_and_the_header_names_none() {
    let mut subjects = BTreeSet::new();
    for document in documents() {
        let rendered = rendered(&document, &parties());
        let between =
            |open: &str, close: &str| rendered.split_once(open).and_then(|(_, rest)| rest.split_once(close)).map_or("", |(text, _)| text);
        assert!(!rendered.contains("<person>"));
        let header = between("<messageHeader>", "</messageHeader>");
        assert!(!header.contains("193812217044") && !header.contains("Almqvist"), "{header}");
        subjects.insert(between("<label>", "</label>").to_owned());
    }
    let kinds = CATALOGUE.iter().filter(|row| row.origin == Origin::Municipality).count();
    assert!(subjects.len() <= kinds * 4, "{subjects:?}");
}

/// The leaves of a document that are no codes, flags or instants: words that a person must find in the text.
fn words(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.values().for_each(|value| words(value, out)),
        Value::Array(items) => items.iter().for_each(|value| words(value, out)),
        Value::String(text) if text.contains(' ') => out.push(text.clone()),
        _ => {}
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test looks at what was written")]
fn the_text_says_all_that_the_document_says() {
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut found = 0;
    for document in documents() {
        let received = wire::xml::read(&document).expect("ours");
        let tree = wire::tree(&Personal::new(document[received.content.clone()].to_vec())).expect("a tree");
        let rendered = rendered(&document, &parties());
        let text =
            rendered.split_once("<characterSequence>").and_then(|(_, rest)| rest.split_once("</characterSequence>")).expect("a text").0;
        let text = plain(&quick_xml::escape::unescape(text).expect("XML"));
        let mut leaves = Vec::new();
        words(tree.disclose(), &mut leaves);
        for leaf in leaves {
            found += 1;
            assert!(text.contains(&plain(&leaf)), "{leaf}\n{text}");
        }
        assert!(text.contains(tree.disclose()["patient"]["id"]["extension"].as_str().expect("a number")));
    }
    assert!(found > 500, "{found}");
}

#[test]
fn recipients_at_one_message_service_get_ids_of_their_own_that_lead_back() {
    let id = MessageId(uuid::Uuid::try_parse("0190c6a2-0000-5000-8000-00000000000a").expect("an id"));
    let own = Parties { own_ids: true, ..parties() };
    let other = Parties { recipient: Party { function: "vc.naes".to_owned(), ..own.recipient.clone() }, ..own.clone() };
    assert_eq!(parties().id(id), id);
    assert!(own.id(id) != id && own.id(id) != other.id(id));
    assert_eq!((own.id(own.id(id)), own.id(id).0.get_version_num()), (id, 5));
}

#[test]
fn a_message_that_is_too_large_is_not_written() {
    let mut document = String::from_utf8(documents().pop().expect("a document")).expect("UTF-8");
    let room = format!("</content>\n<!--{}-->", "x".repeat(23_000_000));
    document = document.replace("</content>", &room);
    let letter = letter(&Personal::new(document.into_bytes()), &parties()).expect("a document of ours");
    assert_eq!(api::write(&letter).err(), Some(Unfit::TooLarge));
}

fn receipt(name: &str) -> Option<String> {
    let text = fs::read_to_string(digg("receipt")?.join(name)).expect("a receipt");
    Some(text.replace("ID-FROM-XHE-12354689", ID))
}

fn read(text: &str) -> Result<Receipt, String> {
    wire::read_receipt(text.as_bytes()).map_err(|why| why.to_string())
}

#[test]
fn diggs_receipts_say_what_they_mean_and_nothing_of_the_message() {
    let Some(accepted) = receipt("Kvittens_AP-Accepterat.xml") else { return };
    let accepted = read(&accepted).expect("readable");
    assert_eq!((accepted.status, accepted.reason, accepted.message.to_string().as_str()), (ReceiptStatus::Accepted, None, ID));
    let families = [("SCHFel", ReceiptReason::Bv, 2), ("SIG", ReceiptReason::Sig, 1), ("XSDFel", ReceiptReason::Sv, 1)];
    for (name, reason, remarks) in families {
        let text = receipt(&format!("Kvittens_RE-{name}.xml")).expect("a receipt");
        let rejected = read(&text).expect("readable");
        assert_eq!((rejected.status, rejected.reason, rejected.errors.len()), (ReceiptStatus::Rejected, Some(reason), remarks));
        assert!(rejected.errors.iter().all(|error| error.code.as_str() == reason.code()));
        let answer = format!("{:?}", vardbro::transport::answer_of(&rejected));
        assert!(!answer.contains("Typkod") && !answer.contains("Signatur") && !answer.contains("ABC"), "{answer}");
        let detailed = text.replace("<cbc:StatusReason>", "<cbc:StatusReason>too-long | ");
        assert_eq!(read(&detailed).expect("readable").errors[0].code.as_str(), "too-long");
    }
    let Some(rules) = digg("receipt/DIGG-AppRes-Business-Rules.sch.xml") else { return };
    let files = ["AP-Accepterat", "RE-SCHFel", "RE-SIG", "RE-XSDFel"].map(|name| rules.with_file_name(format!("Kvittens_{name}.xml")));
    for failed in by_rules(&rules, &files).into_iter().flatten() {
        assert!(failed.is_empty(), "{failed:?}");
    }
}

#[test]
fn broken_and_hostile_receipts_are_refused_or_read_and_never_more() {
    let (Some(accepted), Some(rejected)) = (receipt("Kvittens_AP-Accepterat.xml"), receipt("Kvittens_RE-SCHFel.xml")) else { return };
    let line = rejected.split_once("<cac:LineResponse>").and_then(|(_, rest)| rest.split_once("</cac:LineResponse>")).expect("a line").0;
    let line = format!("<cac:LineResponse>{line}</cac:LineResponse>");
    let deep = format!("{}{}", "<cac:Status>".repeat(80), "</cac:Status>".repeat(80));
    let doctype = accepted.replacen("?>", "?>\n<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]>", 1);
    let bombs = "<!DOCTYPE a [<!ENTITY b \"bbbbbbbb\"><!ENTITY c \"&b;&b;&b;&b;\">]><a>&c;</a>".to_owned();
    let refused: Vec<String> = vec![
        String::new(),
        "ACCEPTED".to_owned(),
        accepted[..accepted.len() / 2].to_owned(),
        doctype,
        bombs,
        accepted.replace("ACCEPTED", "accepted"),
        accepted.replace("ACCEPTED", "ACCEPTED REJECTED"),
        accepted.replace("ACCEPTED", ""),
        accepted.replace(
            "<cbc:ResponseCode>ACCEPTED</cbc:ResponseCode>",
            "<cbc:ResponseCode>ACCEPTED</cbc:ResponseCode><cbc:ResponseCode>REJECTED</cbc:ResponseCode>",
        ),
        accepted.replace("<cbc:ResponseCode>ACCEPTED</cbc:ResponseCode>", ""),
        accepted.replace(ID, "ID-FROM-XHE-12354689"),
        accepted.replace(ID, &ID[..35]),
        accepted.replace(ID, &format!("{ID}</cbc:ID><cbc:ID>{ID}")),
        accepted.replace("response:1", "response:2"),
        accepted.replace("bdx:noprocess", "urn:other"),
        accepted.replace("ApplicationResponse-2\"", "ApplicationResponse-3\""),
        accepted.replace("</cac:DocumentReference>", &format!("</cac:DocumentReference>{line}")),
        accepted.replace("2021-04-15", "i dag"),
        accepted.replace("<cac:Response>", &format!("<cac:Response>{deep}")),
        rejected.replace(">BV<", ">XX<"),
        rejected.replace("</cac:LineResponse>", &format!("</cac:LineResponse>{}", line.repeat(201))),
        accepted.replace("<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>"),
    ];
    for text in &refused {
        assert!(read(text).is_err(), "{text}");
    }
    // What is only untidy keeps its verdict.
    let untidy = [
        rejected.replace("RegelID-123", "Regel nr 123, se bilaga"),
        rejected.replace("Typkoden", &"x".repeat(5_000)),
        rejected.replace(&line, ""),
        rejected.replace("12:00:00Z", "12:00:00"),
        rejected.replace(
            "<cac:DocumentResponse>",
            "<x:own xmlns:x=\"urn:x\"><cbc:ResponseCode>ACCEPTED</cbc:ResponseCode></x:own><cac:DocumentResponse>",
        ),
    ];
    for text in &untidy {
        assert_eq!(read(text).map(|receipt| receipt.status), Ok(ReceiptStatus::Rejected), "{text}");
    }
}
