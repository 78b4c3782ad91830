//! Mappings: those that are shipped over their samples, the MedCom examples in both forms, what is wrong in a mapping file, and
//! hostile documents.

#![expect(clippy::expect_used, reason = "helpers of tests, outside the functions that clippy knows as such")]

mod hostile;

use jiff::civil::{Date, date};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use vardbro::map::{Limits, Mapping, compile, shipped, shipped_mapping, to_json};
use vardbro::model::finding::Finding;
use vardbro::model::raw::{Form, Record};

const TODAY: Date = date(2026, 3, 20);

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(mapping: &Mapping, bytes: &[u8], form: Form) -> Vec<Record> {
    mapping.read(bytes, Some(form), Limits::default(), TODAY)
}

fn placed(finding: &Finding) -> Value {
    let place = finding.place.map(|place| format!("{}:{}", place.line, place.column));
    json!({"code": finding.code, "path": finding.path, "place": place, "mapping": finding.mapping})
}

fn told(records: &[Record]) -> Value {
    let record = |record: &Record| match &record.events {
        Ok(events) => {
            let events = events.iter().map(|mapped| serde_json::from_slice::<Value>(&to_json(&mapped.event)).expect("JSON"));
            json!({"line": record.place.map(|place| place.line), "events": events.collect::<Vec<_>>()})
        }
        Err(findings) => {
            let findings: Vec<_> = findings.iter().map(placed).collect();
            json!({"line": record.place.map(|place| place.line), "findings": findings})
        }
    };
    records.iter().map(record).collect()
}

#[test]
fn every_mapping_that_is_shipped_compiles() {
    for (name, text) in shipped() {
        let faults = compile(text, &|_| None).err().unwrap_or_default();
        assert!(faults.is_empty(), "{name}: {faults:#?}");
        assert!(shipped_mapping(name).is_some_and(|mapping| mapping.label().starts_with(&format!("{name}/"))), "{name}");
    }
}

/// The reference examples, or nothing where the folder is not there. CI must have it.
#[expect(clippy::print_stdout, reason = "a skipped test says so")]
fn medcom() -> Option<BTreeMap<String, (String, String)>> {
    let folder = root().join("../shared/reference/medcom/hospitalnotification");
    let Ok(entries) = fs::read_dir(&folder) else {
        assert!(std::env::var_os("CI").is_none(), "the MedCom examples are missing");
        println!("skipped: the MedCom examples are not here");
        return None;
    };
    let mut found: BTreeMap<String, (String, String)> = BTreeMap::new();
    for entry in entries {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let text = swedish(&fs::read_to_string(&path).expect("text"));
        let pair = found.entry(name).or_default();
        if path.extension().is_some_and(|ending| ending == "xml") { pair.1 = text } else { pair.0 = text }
    }
    Some(found)
}

/// The examples' Danish patient becomes a Swedish test person: that is what the mapping asks for.
fn swedish(text: &str) -> String {
    assert!(text.contains("2509479989") && text.contains("urn:oid:1.2.208.176.1.2\""), "the example has another patient");
    text.replace("2509479989", "193812217044").replace("urn:oid:1.2.208.176.1.2\"", "http://electronichealth.se/identifier/personnummer\"")
}

/// Class, status, activity and death of a bundle, read by other means than the mapping, and what the state table makes of them.
fn by_the_table(bundle: &Value) -> (&'static str, bool) {
    let resources: Vec<&Value> = bundle["entry"].as_array().expect("entries").iter().map(|entry| &entry["resource"]).collect();
    let of = |kind: &str| resources.iter().filter(|resource| resource["resourceType"] == kind).copied().collect::<Vec<_>>();
    let me = format!("MessageHeader/{}", resources[0]["id"].as_str().expect("an id"));
    let provenance = of("Provenance").into_iter().find(|one| one["target"][0]["reference"] == me.as_str()).expect("a Provenance");
    let activity = provenance["activity"]["coding"][0]["code"].as_str().expect("an activity");
    let class = of("Encounter")[0]["class"]["code"].as_str().expect("a class");
    let kind = match (activity, class) {
        _ if of("Patient")[0]["deceasedBoolean"] == true => "R-DO",
        (activity, _) if activity.starts_with("cancel-") => "R-MK",
        (_, "EMER") => "R-PM",
        ("admit-inpatient" | "revise-admit-inpatient", _) => "R-IN",
        (activity, _) if activity.contains("leave-inpatient") => "R-PE",
        _ => "R-UT",
    };
    (kind, activity.starts_with("revise-"))
}

#[test]
fn the_medcom_examples_are_right_in_both_forms_and_the_same_in_each() {
    let Some(examples) = medcom() else { return };
    assert_eq!(examples.len(), 12);
    let mapping = shipped_mapping("medcom-hn").expect("shipped");
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for (name, (json, xml)) in &examples {
        let mut records = read(&mapping, json.as_bytes(), Form::Json);
        let mut from_xml = read(&mapping, xml.as_bytes(), Form::Xml);
        assert_eq!(told(&records), told(&from_xml), "{name}");
        let events = records.remove(0).events.unwrap_or_else(|findings| panic!("{name}: {findings:#?}"));
        let twin = from_xml.remove(0).events.expect("the same");
        assert_eq!((events.len(), twin.len()), (1, 1), "{name}");
        assert_eq!(events[0].hash, twin[0].hash, "{name}: one resource, one hash");
        let bundle: Value = serde_json::from_str(json).expect("JSON");
        let (kind, corrects) = by_the_table(&bundle);
        let event: Value = serde_json::from_slice(&to_json(&events[0].event)).expect("JSON");
        assert_eq!(event["type"], kind, "{name}");
        assert_eq!(event["eventId"], bundle["entry"][0]["resource"]["id"], "{name}");
        assert_eq!(event["corrects"].is_string(), corrects, "{name}");
        assert_eq!(event["episodeRef"]["caseId"], "bd481c38-a921-11ed-afa1-0242ac120002", "{name}");
        if kind == "R-MK" {
            assert!(event["refTo"]["eventId"].is_string(), "{name}");
        }
        *kinds.entry(kind.to_owned()).or_default() += 1;
    }
    let kinds: Vec<_> = kinds.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    assert_eq!(kinds.join(", "), "R-DO 2, R-IN 4, R-MK 1, R-PE 2, R-PM 2, R-UT 1");
}

/// A Danish number is no Swedish one; and a death that is taken back is no new admission.
#[test]
fn what_the_examples_do_not_show() {
    let Some(examples) = medcom() else { return };
    let mapping = shipped_mapping("medcom-hn").expect("shipped");
    let (json, _) = &examples["Bundle-a5e5b880-c087-4055-b9ec-99108695f81d"];
    let danish = json.replace("http://electronichealth.se/identifier/personnummer", "urn:oid:1.2.208.176.1.2");
    let findings = read(&mapping, danish.as_bytes(), Form::Json).remove(0).events.expect_err("refused");
    assert_eq!(findings.iter().map(|finding| finding.code.as_str()).collect::<Vec<_>>(), ["VB-MAP-025"]);
    // AN_MORS: the death of an inpatient, taken back.
    let (json, _) = examples.iter().find(|(_, (json, _))| json.contains("\"deceasedBoolean\"") && json.contains("IMP")).expect("a death").1;
    let mut bundle: Value = serde_json::from_str(json).expect("JSON");
    for entry in bundle["entry"].as_array_mut().expect("entries") {
        let resource = &mut entry["resource"];
        if resource["resourceType"] == "Patient" {
            resource["deceasedBoolean"] = json!(false);
        }
        if resource["resourceType"] == "Encounter" {
            resource["status"] = json!("in-progress");
        }
    }
    let events = read(&mapping, bundle.to_string().as_bytes(), Form::Json).remove(0).events.expect("an event");
    let kinds: Vec<_> = events.iter().map(|mapped| mapped.event.head.kind.code()).collect();
    assert_eq!(kinds, ["R-MK"]);
}

const SMALL: &str = r#"name = "x"
revision = "1"
format = "json"
[[event]]
type = "K-AD"
eventId = "id"
system = { value = "x" }
occurredAt = "at"
[event.episodeRef]
caseId = "case"
[event.patient]
id = "pnr"
idType = { value = "personnummer" }
[event.data]
category = { value = "other" }
text = "text"
"#;

fn faults(text: &str) -> Vec<String> {
    let beside = |name: &str| (name == "codes.csv").then(|| "A;aids\n# comment\nM;medicine\n".to_owned());
    compile(text, &beside).err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

#[test]
fn every_fault_of_a_mapping_file_is_pointed_at() {
    assert_eq!(faults(SMALL), Vec::<String>::new());
    for (from, to, expected) in [
        ("text = \"text\"", "txet = \"text\"", "16:1: “txet” is unknown"),
        ("text = \"text\"", "", "4:1: no row gives data.text (K-AD)"),
        ("eventId = \"id\"\n", "", "4:1: no row gives eventId"),
        ("text = \"text\"", "text = \"a..b\"", "16:8: “a..b” is no path"),
        ("text = \"text\"", "text = 3", "16:8: a path in quotes or a table is expected"),
        ("text = \"text\"", "text = { from = \"a\", convert = \"upcase\" }", "“upcase” is unknown; choose among personnummer"),
        ("text = \"text\"", "text = { from = \"a\", table = \"codes\" }", "“codes” is unknown; the file has none"),
        ("text = \"text\"", "text = { from = \"a\", value = \"b\" }", "16:8: one of “from”, “value” and “jq” is expected"),
        ("text = \"text\"", "text = { form = \"a\" }", "16:10: “form” is unknown"),
        ("text = \"text\"", "text = { from = \"$x\" }", "16:17: “$x” is unknown; the file has none"),
        ("category = { value = \"other\" }", "category = { value = \"annat\" }", "15:12: “annat (category)” is unknown; choose among aids"),
        ("category = { value = \"other\" }", "category = { each = \"a\" }", "“each” is unknown"),
        ("type = \"K-AD\"", "type = \"K-XX\"", "5:8: “K-XX” is unknown"),
        ("format = \"json\"", "format = \"yaml\"", "3:10: “yaml” is unknown; choose among json, ndjson, xml, csv, fhir"),
        ("format = \"json\"", "format = \"json\"\nencoding = \"latin\"", "4:12: “latin” is unknown; choose among utf-8, iso-8859-1"),
        ("format = \"json\"", "format = \"ndjson\"\nrecords = \"a\"", "does not belong to format = \"ndjson\""),
        ("[[event]]", "[table.t]\na = \"b\"\n[[event]]", "4:8: the code table “t” is not used"),
        ("[[event]]", "[table.t]\nfile = \"none.csv\"\n[[event]]", "5:8: the file none.csv cannot be read"),
        ("[event.data]", "[event.patient]\n[event.data]", "Not valid TOML"),
        ("text = \"text\"", "text = \"TODO\"", "16:8: a path is still to be written here"),
        ("format = \"json\"", "format = \"xml\"\nrecords = \"o:post\"", "4:11: “o: ([namespaces])” is unknown; the file has none"),
    ] {
        let found = faults(&SMALL.replacen(from, to, 1));
        assert!(found.iter().any(|fault| fault.contains(expected)), "{expected}\n{found:#?}");
    }
    let with_file = SMALL
        .replace("category = { value = \"other\" }", "category = { from = \"c\", table = \"t\" }")
        .replace("[[event]]", "[table.t]\nfile = \"codes.csv\"\n[[event]]");
    assert_eq!(faults(&with_file), Vec::<String>::new());
}

/// What would reach outside, not end, or grow without bound; and what is no expression.
const REFUSED: &[&str] = &[
    "halt",
    "input",
    "inputs",
    "env.HOME",
    "$ENV.HOME",
    "now",
    "debug",
    "stderr",
    "..",
    "recurse",
    "def f: 1 + f; f",
    "range(100000000)",
    "repeat(.)",
    "until(false; .)",
    "while(true; .)",
    "limit(3; repeat(1))",
    "reduce .[] as $x (0; . + $x)",
    "foreach .[] as $x (0; .)",
    "\"a\" * 1000000000",
    ". as $d | $__prog_args",
    "import \"a\" as a; .",
    "walk(.)",
    "combinations",
    "tojson",
    "@base64",
    "label $x | .",
    "test(\"a\")",
    "$missing",
    "input_filename",
    ".a = 1",
    ".a |= 1",
    "[.[] | .[] | .[] | .[]]",
    "getpath([\"a\"])",
    "splits(\"a\")",
    "ltrimstr(",
    "error",
    "transpose",
];

#[test]
fn an_expression_cannot_do_harm() {
    let with = |jq: &str| SMALL.replace("text = \"text\"", &format!("text = {{ jq = '{jq}' }}"));
    for refused in REFUSED {
        assert!(!faults(&with(refused)).is_empty(), "{refused} is taken");
    }
    let record = br#"{"id":"1","at":"2026-03-10T09:00:00+01:00","case":"C","pnr":"193812217044","list":[{"n":"a","ok":true},{"n":"b"}],"none":null,"number":12}"#;
    for (jq, expected) in [
        (r#"[.list[] | select(.ok) | .n] | join(", ")"#, "a"),
        (r#"[.list[].n] | join(", ")"#, "a, b"),
        (r#".none // "tomt""#, "tomt"),
        (r#""\(.number) st""#, "12 st"),
        (r#"if .number > 10 then "många" else "få" end"#, "många"),
        (r".pnr[:8] | tostring", "19381221"),
        (r"$record.case | ascii_downcase", "c"),
        (r".list | map(.n) | first", "a"),
        (r".list | length | tostring", "2"),
        (r"[.list[] | .n] | sort | reverse | .[0]", "b"),
        (r#".case | split("") | length | tostring"#, "1"),
    ] {
        let mapping = compile(&with(jq), &|_| None).unwrap_or_else(|faults| panic!("{jq}: {faults:?}"));
        let events = read(&mapping, record, Form::Json).remove(0).events.unwrap_or_else(|found| panic!("{jq}: {found:?}"));
        let event: Value = serde_json::from_slice(&to_json(&events[0].event)).expect("JSON");
        assert_eq!(event["data"]["text"], expected, "{jq}");
    }
    // What fails on a record is that record's finding, and a record that is too large for an expression is not tried.
    let mapping = compile(&with(".number | ascii_downcase"), &|_| None).expect("a mapping");
    let codes = |bytes: &[u8]| -> Vec<String> {
        let found = read(&mapping, bytes, Form::Json).remove(0).events.expect_err("refused");
        found.into_iter().map(|finding| finding.code).collect()
    };
    assert_eq!(codes(record), ["VB-MAP-034"]);
    let mapping = compile(&with("[.list[] | .list[]] | length | tostring"), &|_| None).expect("a mapping");
    let large =
        format!(r#"{{"id":"1","at":"2026-03-10T09:00:00+01:00","case":"C","pnr":"193812217044","list":[{}1]}}"#, "1,".repeat(5_000));
    let found = read(&mapping, large.as_bytes(), Form::Json).remove(0).events.expect_err("refused");
    assert_eq!(found[0].code, "VB-MAP-035");
}

#[test]
fn hostile_documents_are_findings_with_a_place() {
    let all = hostile::hostile();
    assert!(all.len() >= 30);
    for hostile::Hostile { what, mapping, document, form, code, place } in all {
        let mapping = compile(&mapping, &|_| None).unwrap_or_else(|faults| panic!("{what}: {faults:?}"));
        let mut records = read(&mapping, &document, form);
        let last = records.pop().expect("a record");
        let found = match last.events {
            Ok(_) => (String::new(), String::new()),
            Err(findings) => {
                let place = findings[0].place.map_or_else(|| "–".to_owned(), |place| format!("{}:{}", place.line, place.column));
                (findings[0].code.clone(), place)
            }
        };
        assert_eq!(found, (code.to_owned(), place.to_owned()), "{what}");
    }
}

/// What a first mapping gets wrong is told, not passed over.
#[test]
fn nothing_is_passed_over_in_silence() {
    let good = r#""id":"1","at":"2026-03-10T09:00:00+01:00","case":"C","pnr":"193812217044","text":"a""#;
    let found = |mapping: &str, document: &str, form: Form| {
        let mapping = compile(mapping, &|_| None).expect("a mapping");
        let mut records = read(&mapping, document.as_bytes(), form);
        records.pop().map(|record| record.events.map(|events| events.len()).map_err(|findings| findings[0].code.clone()))
    };
    let listed = SMALL.replace("format = \"json\"", "format = \"json\"\nrecords = \"export.rows\"");
    let document = |name: &str, rows: &str| format!(r#"{{"export":{{"{name}":{rows}}}}}"#);
    assert_eq!(found(&listed, &document("rows", &format!("[{{{good}}}]")), Form::Json), Some(Ok(1)));
    assert_eq!(found(&listed, &document("row", &format!("[{{{good}}}]")), Form::Json), Some(Err("VB-MAP-038".to_owned())));
    assert_eq!(found(&listed, &document("rows", "[]"), Form::Json), None, "an export without records");
    let twice = format!("{SMALL}{}", &SMALL[SMALL.find("[[event]]").expect("a block")..]);
    assert_eq!(found(&twice, &format!("{{{good}}}"), Form::Json), Some(Err("VB-MAP-039".to_owned())));
    // Windows-1252 that says ISO-8859-1 is common; the other way round is a fault.
    let xml = |encoding: &str| SMALL.replace("format = \"json\"", &format!("format = \"xml\"\nencoding = \"{encoding}\""));
    let fields = "<id>1</id><at>2026-03-10T09:00:00+01:00</at><case>C</case><pnr>193812217044</pnr><text>a</text>";
    let said = format!("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><x>{fields}</x>");
    assert_eq!(found(&xml("windows-1252"), &said, Form::Xml), Some(Ok(1)));
    assert_eq!(found(&xml("utf-8"), &said, Form::Xml), Some(Err("VB-SRC-003".to_owned())));
    // A named value may be a whole part of the record.
    let part =
        xml("utf-8").replace("[[event]]", "[let]\npart = \"part[@of=b]\"\n[[event]]").replace("text = \"text\"", "text = \"$part.t\"");
    let document = format!("<x>{fields}<part of='a'><t>1</t></part><part of='b'><t>2</t></part></x>");
    assert_eq!(found(&part, &document, Form::Xml), Some(Ok(1)));
}

/// A mapping may change; what was read before is not read as something new.
#[test]
fn a_new_mapping_makes_no_new_version() {
    let record = br#"{"id":"1","at":"2026-03-10T09:00:00+01:00","case":"C","pnr":"193812217044","text":"a","other":"b"}"#;
    let hash = |text: &str| {
        let mapping = compile(text, &|_| None).expect("a mapping");
        read(&mapping, record, Form::Json).remove(0).events.expect("an event")[0].hash
    };
    let named = SMALL.replace("[[event]]", "[let]\nx = \"other\"\n[[event]]").replace("text = \"text\"", "text = \"$x\"");
    assert_eq!(hash(SMALL), hash(&named));
}

/// The drafts of `vardbro new mapping` name every field of the sample, and none of its values.
#[test]
fn a_draft_lists_the_sample() {
    let sample = fs::read(root().join("fixtures/mappings/exempel-csv/in.csv")).expect("a sample");
    let draft = vardbro::map::draft(&sample, Form::Csv, vardbro::model::catalogue::EventType::KPu).expect("a draft");
    for column in ["HändelseId", "Personnummer", "Omfattning2"] {
        assert!(draft.contains(&format!("#   {column}    (")), "{draft}");
    }
    for field in ["adlBefore = \"TODO\"", "nurse = {", "[event.patient]", "encoding = \"windows-1252\""] {
        assert!(draft.contains(field), "{draft}");
    }
    assert!(!draft.contains("Greta") && !draft.contains("193812"), "{draft}");
    assert!(Path::new(&draft).as_os_str().len() < 10_000);
}
