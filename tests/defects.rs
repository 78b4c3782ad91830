//! Sound documents with one defect each: `vardbro check` finds it, says what it is, and points at the line.

#![expect(clippy::expect_used, reason = "helpers of tests, outside the functions that clippy knows as such")]

use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The document, what is exchanged for what (the first of it), and the findings that must follow: code, and what stands on
/// the line (the first of it in the broken document; nothing for a finding that has no place).
type Defect = (&'static str, &'static str, &'static str, &'static [(&'static str, &'static str)]);

const DEFECTS: &[Defect] = &[
    // What breaks the form of JSON.
    ("vb.json", "\"system\"", "system", &[("VB-MAP-001", "system:")]),
    ("vb.json", "\"protected\": \"none\"", "\"protected\": \"none\",", &[("VB-MAP-001", "  },\n  \"author\"")]),
    ("vb.json", "\"informed\": true", "\"informed\": True", &[("VB-MAP-001", "True")]),
    ("vb.json", "\n  }\n}\n", "", &[("VB-MAP-002", "contactPhone")]),
    ("vb.json", "\"adl\": ", "\"adl\": \"x\", \"adl\": ", &[("VB-MAP-008", "\"adl\"")]),
    ("vb.json", "Feber", "Fe\u{0}ber", &[("VB-MAP-001", "\"contactReason\"")]),
    ("vb.json", "Feber", "Fe\\u0007ber", &[("VB-MAP-020", "\"contactReason\"")]),
    // What an event must hold.
    ("vb.json", "  \"eventId\": \"TRS-2026-000316\",\n", "", &[("VB-MAP-005", "{")]),
    ("vb.json", "\"caseId\": \"HSL-7781\",\n    ", "", &[("VB-MAP-005", "\"episodeRef\"")]),
    ("vb.json", "    \"housing\": \"ordinary\",\n", "", &[("VB-MAP-005", "\"data\"")]),
    ("vb.json", "        \"kind\": \"HTJ\"\n", "", &[("VB-MAP-005", "      {\n      }")]),
    ("vb.json", "\"phone\": \"070-000 00 00\",\n      ", "", &[("VB-MAP-005", "\"relative\"")]),
    ("vb.json", "\"HSL-7781\"", "\"\"", &[("VB-MAP-006", "\"caseId\"")]),
    ("vb.json", "\"HSL-7781\"", "null", &[("VB-MAP-005", "\"episodeRef\"")]),
    // What no event has.
    ("vb.json", "\"allergy\"", "\"alergy\"", &[("VB-MAP-007", "\"alergy\"")]),
    ("vb.json", "\"basis\"", "\"ground\"", &[("VB-MAP-007", "\"ground\"")]),
    // Values of the wrong kind.
    ("vb.json", "\"medicationListSent\": true", "\"medicationListSent\": \"yes\"", &[("VB-MAP-009", "\"medicationListSent\"")]),
    ("vb.json", "\"adl\": \"Går med rollator, behöver hjälp med dusch\"", "\"adl\": 3", &[("VB-MAP-009", "\"adl\"")]),
    ("vb.json", "\"relative\": {", "\"relative\": \"Per\", \"x\": {", &[("VB-MAP-009", "\"Per\""), ("VB-MAP-007", "\"Per\"")]),
    ("vb.json", "\"ordinary\"", "\"castle\"", &[("VB-MAP-010", "castle")]),
    ("vb.json", "\"HSJV\"", "\"HSVJ\"", &[("VB-MAP-010", "HSVJ")]),
    ("vb.json", "\"party\": \"OV\"", "\"party\": \"ÖV\"", &[("VB-MAP-010", "ÖV")]),
    ("vb.json", "\"K-VB\"", "\"K-XX\"", &[("VB-MAP-010", "K-XX")]),
    ("vb.json", "\"home\"\n", "\"hotel\"\n", &[("VB-MAP-010", "hotel")]),
    ("vb.json", "09:00:00+01:00", "09:00:00", &[("VB-MAP-011", "\"occurredAt\"")]),
    ("vb.json", "2026-03-11T09", "2026-02-30T09", &[("VB-MAP-012", "\"occurredAt\"")]),
    ("vb.json", "2026-03-11T09:00", "11/3 2026 09:00", &[("VB-MAP-012", "\"occurredAt\"")]),
    ("vb.json", "2026-03-11T09", "2199-03-11T09", &[("VB-MAP-027", "\"occurredAt\"")]),
    ("vb.json", "SE2120001538-T101", "2120001538-T101", &[("VB-MAP-014", "T101")]),
    ("vb.json", "070-000 00 00", "ring hem", &[("VB-MAP-015", "ring hem")]),
    // Numbers of persons.
    ("vb.json", "193812217044", "193812217045", &[("VB-MAP-024", "217045")]),
    ("vb.json", "193812217044", "193813217044", &[("VB-MAP-022", "13217044")]),
    ("vb.json", "193812217044", "19381221704", &[("VB-MAP-021", "19381221704")]),
    ("vb.json", "\"personnummer\"", "\"samordningsnummer\"", &[("VB-MAP-023", "193812217044")]),
    ("vb.json", "\"personnummer\"", "\"other\"", &[("VB-MAP-025", "\"idType\"")]),
    // What fields say together.
    ("ht.json", "    \"from\": \"2026-03-13T13:00:00+01:00\",\n", "", &[("VB-MAP-005", "\"data\"")]),
    ("ht.json", "\"answer\": \"can\"", "\"answer\": \"cannot\"", &[("VB-MAP-005", "\"data\"")]),
    ("cl.json", "\"status\": \"klar\"", "\"status\": \"ej_aktuell\"", &[("VB-MAP-005", "      {\n        \"code\": \"CL01\"")]),
    ("cl.json", "\"CL02\"", "\"CL99\"", &[("VB-CHK-001", "CL99")]),
    ("cl.json", "\"CL02\"", "\"Punkt 2\"", &[("VB-MAP-010", "Punkt 2")]),
    ("in.json", "\"name\": {\n      \"given\": \"Greta\",\n      \"family\": \"Almqvist\"\n    },\n    ", "", &[("IN-1", "\"patient\"")]),
    ("in.json", "  \"sentAt\": \"2026-03-11T09:05:00+01:00\",\n", "", &[("VB-CHK-003", "{")]),
    ("in.json", "\"sentAt\": \"2026-03-11T09:05:00+01:00\"", "\"sentAt\": \"2026-03-12T15:05:00+01:00\"", &[("IN-2", "{")]),
    // Documents.
    ("pu.xml", "<housing>ordinary</housing>", "<housing>castle</housing>", &[("VB-OUT-006", "castle")]),
    ("pu.xml", "      <housing>ordinary</housing>\n", "", &[("VB-OUT-006", "<careContact>")]),
    ("pu.xml", "<aids>", "<tools>x</tools><aids>", &[("VB-OUT-006", "<tools>")]),
    ("pu.xml", "<version>1</version>", "<version>first</version>", &[("VB-OUT-006", "<version>")]),
    ("pu.xml", "<sequenceNumber>3<", "<sequenceNumber>0<", &[("VB-OUT-006", "<sequenceNumber>")]),
    ("pu.xml", "2120001538</orgNumber>", "212</orgNumber>", &[("VB-OUT-006", "<orgNumber>")]),
    ("pu.xml", "2025-11-03", "2025-11-31", &[("VB-OUT-006", "2025-11-31")]),
    (
        "pu.xml",
        "<given>Greta</given>\n      <family>Almqvist</family>",
        "<family>Almqvist</family>\n      <given>Greta</given>",
        &[("VB-OUT-006", "<family>")],
    ),
    ("pu.xml", "<status>new</status>", "<status>new</status><status>new</status>", &[("VB-OUT-006", "<status>new")]),
    ("pu.xml", "<confidentiality>true", "<confidentiality>maybe", &[("VB-OUT-006", "<confidentiality>")]),
    ("pu.xml", "</services>", "</service>", &[("VB-OUT-006", "</service>")]),
    ("pu.xml", "</message>", "", &[("VB-OUT-006", "</content>")]),
    ("pu.xml", "rollator", "käpp", &[("VB-OUT-005", "<contentHash>")]),
    ("pu.xml", "urn:vardbro:message:1", "urn:vardbro:message:9", &[("VB-OUT-006", "<message")]),
    ("pu.xml", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "<!DOCTYPE message>", &[("VB-OUT-006", "<!DOCTYPE")]),
    ("receipt.xml", "<status>rejected<", "<status>perhaps<", &[("VB-OUT-006", "perhaps")]),
    ("receipt.xml", "  <receiptId>6f2f3c1e-9c1b-4a53-8f0e-0d6a5b1f0c11</receiptId>\n", "", &[("VB-OUT-006", "<createdAt>")]),
    ("receipt.xml", "2026-03-10T09:00:07.000Z", "2026-03-10 09:00", &[("VB-OUT-006", "<createdAt>")]),
    // What a system exports, by its mapping: the finding points into the export.
    ("export.csv", "193812217044;Greta", "193812217045;Greta", &[("VB-MAP-024", "193812217045")]),
    ("export.csv", "2026-03-11 10:15", "11 mars 10:15", &[("VB-MAP-032", "11 mars")]),
    ("export.csv", "HTJ;Dusch", "XXX;Dusch", &[("VB-MAP-033", "XXX")]),
    ("export.csv", "0521-000000", "", &[("VB-MAP-005", "2026-101")]),
    ("export.csv", "Nycklar;;;;;", "Nycklar;;;;", &[("VB-MAP-030", "2026-102")]),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The sound documents.
fn sound() -> BTreeMap<&'static str, String> {
    let read = |name: &str| fs::read_to_string(root().join("fixtures").join(name)).expect("a fixture");
    let story = "01-home-with-home-health-care";
    let mut course: Vec<PathBuf> = fs::read_dir(root().join("fixtures").join(story).join("in"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    course.sort();
    let line = |path: &PathBuf| serde_json::from_slice::<Value>(&fs::read(path).expect("an event")).expect("JSON").to_string();
    let export = concat!(
        "HändelseId;Typ;Tid;Ärende;Personnummer;Förnamn;Efternamn;Skyddad;SigneratAv;Telefon;Ensamboende;Hemsjukvård;ADL;Rubrik;Boendeform;Insats1;Omfattning1;Insats2;Omfattning2\n",
        "2026-101;PLANERING;2026-03-11 09:00;HSL-7781;19381221-7044;Greta;Almqvist;N;SE2120001538-T101;0521-000000;J;J;Går med rollator;;1;HSV;2 ggr/dag;HTJ;Dusch\n",
        "2026-102;ANTECKNING;2026-03-11 10:15;HSL-7781;193812217044;Greta;Almqvist;;SE2120001538-T101;;J;J;Nyckelgömma;Nycklar;;;;;\n",
    );
    let receipt = concat!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<receipt xmlns=\"urn:vardbro:receipt:1\" schemaVersion=\"1.0\">\n",
        "  <receiptId>6f2f3c1e-9c1b-4a53-8f0e-0d6a5b1f0c11</receiptId>\n  <createdAt>2026-03-10T09:00:07.000Z</createdAt>\n",
        "  <originalMessageId>ae8cb3fc-a894-549f-812d-267329c6a9f4</originalMessageId>\n  <status>rejected</status>\n",
        "  <retryable>false</retryable>\n  <reason>BV</reason>\n</receipt>\n",
    );
    BTreeMap::from([
        ("vb.json", read("types/K-VB.json")),
        ("ht.json", read("types/K-HT.json")),
        ("cl.json", read("types/K-CL.json")),
        ("in.json", read("types/R-IN.json").replace("\"2026-03-10T0", "\"2026-03-11T0")),
        ("course.ndjson", course.iter().map(line).collect::<Vec<_>>().join("\n")),
        ("pu.xml", read(&format!("{story}/out/03-K-PU.xml"))),
        ("receipt.xml", receipt.to_owned()),
        ("export.csv", export.to_owned()),
    ])
}

type Found = Vec<(String, Option<u64>)>;

/// What is found in each file of a folder. Notes count only where a file is to be judged with all that it says.
fn found(folder: &Path, notes: bool) -> BTreeMap<String, Found> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vardbro"));
    let output = command.args(["check", ".", "--format", "json"]).current_dir(folder).output().expect("the program");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let mut files: BTreeMap<String, Found> = BTreeMap::new();
    for row in report["findings"].as_array().expect("findings").iter().filter(|row| notes || row["severity"] != "note") {
        let (file, code) = (row["file"].as_str().expect("a file"), row["code"].as_str().expect("a code"));
        files.entry(file.to_owned()).or_default().push((code.to_owned(), row["line"].as_u64()));
    }
    files
}

fn line_of(text: &str, what: &str) -> u64 {
    let at = text.find(what).unwrap_or_else(|| panic!("{what} is not in the document"));
    text[..at].matches('\n').count() as u64 + 1
}

#[test]
fn sound_documents_give_no_finding() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in sound() {
        put(folder.path(), name, name, &text);
    }
    // A notice and a checklist alone depend on the rest of their episode, and say so in notes.
    let all = found(folder.path(), true);
    let alone = ["ht.json", "cl.json", "export/export.csv"];
    let others: Vec<_> = all.iter().filter(|(name, _)| !alone.contains(&name.as_str())).collect();
    assert!(others.is_empty(), "{others:?}");
    assert!(found(folder.path(), false).is_empty());
}

/// An export lies in a folder of its own, which names the mapping.
fn put(folder: &Path, base: &str, name: &str, text: &str) -> String {
    let is_export = Path::new(base).extension().is_some_and(|ending| ending == "csv");
    if !is_export {
        fs::write(folder.join(name), text).expect("written");
        return name.to_owned();
    }
    fs::create_dir_all(folder.join("export")).expect("a folder");
    fs::write(folder.join("export/expect.toml"), "mapping = \"exempel-csv\"\n").expect("written");
    let (bytes, _, _) = encoding_rs::WINDOWS_1252.encode(text);
    fs::write(folder.join("export").join(name), bytes).expect("written");
    format!("export/{name}")
}

#[test]
fn every_defect_is_found_with_its_code_and_its_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let sound = sound();
    let mut expected: Vec<(String, usize, Found)> = Vec::new();
    for (number, (base, old, new, findings)) in DEFECTS.iter().enumerate() {
        let text = &sound[base];
        assert!(text.contains(old), "{number}: {base} does not hold {old}");
        let broken = text.replacen(old, new, 1);
        let name = put(folder.path(), base, &format!("{number:02}-{base}"), &broken);
        expected.push((name, number, findings.iter().map(|(code, line)| ((*code).to_owned(), Some(line_of(&broken, line)))).collect()));
    }
    assert!(expected.len() >= 60);
    let all = found(folder.path(), false);
    let with_notes = found(folder.path(), true);
    let mut wrong = Vec::new();
    for (name, number, mut wanted) in expected {
        let notes = wanted.iter().any(|(code, _)| code == "IN-2");
        let mut got = if notes { &with_notes } else { &all }.get(&name).cloned().unwrap_or_default();
        got.sort();
        wanted.sort();
        if got != wanted {
            wrong.push(format!("{name} ({:?} → {:?}): {got:?}, not {wanted:?}", DEFECTS[number].1, DEFECTS[number].2));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What lines of a course are told of, notes and all.
fn told(lines: &[String]) -> Vec<(String, Option<u64>)> {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("course.ndjson"), lines.join("\n")).expect("written");
    let mut told = found(folder.path(), true).remove("course.ndjson").unwrap_or_default();
    told.dedup();
    told
}

#[test]
fn a_course_of_events_is_told_at_the_line_where_it_goes_wrong() {
    let course: Vec<String> = sound()["course.ndjson"].lines().map(str::to_owned).collect();
    let line = |kind: &str| course.iter().position(|line| line.contains(&format!("\"type\":\"{kind}\""))).expect(kind);
    let number = |place: usize| Some(place as u64 + 1);
    assert_eq!(told(&course), []);
    // The same once more.
    let mut twice = course.clone();
    twice.insert(4, course[3].clone());
    assert_eq!(told(&twice), [("DUP-1".to_owned(), Some(5))]);
    // What must come first has not come: the planning data wait.
    let mut without = course.clone();
    without.remove(line("R-IN"));
    assert!(told(&without).contains(&("ORD-1".to_owned(), number(line("K-PU") - 1))), "{:?}", told(&without));
    // An item of the municipality's is open: the notice waits, and the discharge is noted.
    let mut open = course.clone();
    open[line("K-CL")] = open[line("K-CL")].replacen("\"klar\"", "\"pagar\"", 1);
    let found = told(&open);
    for kind in ["K-HT", "R-UT"] {
        assert!(found.contains(&("CHK-1".to_owned(), number(line(kind)))), "{kind}: {found:?}");
    }
    // Two persons in one case.
    let mut other = course.clone();
    other[line("K-PU")] = other[line("K-PU")].replace("193812217044", "195003072260");
    assert!(told(&other).contains(&("PER-2".to_owned(), number(line("K-PU")))), "{:?}", told(&other));
}
