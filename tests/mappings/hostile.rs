//! Documents that want to do harm, or are broken: each ends in one code at one place.

use super::SMALL;
use std::fmt::Write as _;
use vardbro::model::raw::Form;

pub(crate) struct Hostile {
    pub(crate) what: &'static str,
    pub(crate) mapping: String,
    pub(crate) document: Vec<u8>,
    pub(crate) form: Form,
    pub(crate) code: &'static str,
    /// `line:column`.
    pub(crate) place: &'static str,
}

type Row = (&'static str, String, Vec<u8>, Form, &'static str, &'static str);

pub(crate) fn hostile() -> Vec<Hostile> {
    let rows = [xml(), json(), csv()].into_iter().flatten();
    rows.map(|(what, mapping, document, form, code, place)| Hostile { what, mapping, document, form, code, place }).collect()
}

fn xml() -> Vec<Row> {
    let xml = SMALL.replace("format = \"json\"", "format = \"xml\"");
    let fhir = SMALL.replace("format = \"json\"", "format = \"fhir\"");
    let attributes: String = (0..1_000_000).fold(String::new(), |mut out, n| {
        let _ = write!(out, " a{n}=\"1\"");
        out
    });
    let bomb = "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]><x>&b;</x>";
    vec![
        ("entity bomb", xml.clone(), bomb.into(), Form::Xml, "VB-MAP-028", "1:1"),
        ("external entity", xml.clone(), "<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><x/>".into(), Form::Xml, "VB-MAP-028", "1:1"),
        ("entity of its own", xml.clone(), "<x>\n<id>&nbsp;</id></x>".into(), Form::Xml, "VB-MAP-029", "2:5"),
        ("entity in an attribute", xml.clone(), "<x a=\"&boo;\"/>".into(), Form::Xml, "VB-MAP-029", "1:7"),
        ("a million attributes", xml.clone(), format!("<x{attributes}/>").into(), Form::Xml, "VB-MAP-018", "1:1"),
        ("a million elements", xml.clone(), format!("<x>{}</x>", "<a/>".repeat(1_000_001)).into(), Form::Xml, "VB-MAP-018", "1:4000000"),
        ("deep XML", xml.clone(), "<a>".repeat(100_000).into(), Form::Xml, "VB-MAP-003", "1:97"),
        ("broken off XML", xml.clone(), "<x><id>1</id>".into(), Form::Xml, "VB-MAP-002", "1:14"),
        ("wrong end", xml.clone(), "<x><id>1</di></x>".into(), Form::Xml, "VB-MAP-001", "1:9"),
        ("two roots", xml.clone(), "<x/><y/>".into(), Form::Xml, "VB-MAP-001", "1:5"),
        ("doubled attribute", xml.clone(), "<x a=\"1\" a=\"2\"/>".into(), Form::Xml, "VB-MAP-001", "1:1"),
        ("NUL in XML", xml.clone(), "<x>\0</x>".into(), Form::Xml, "VB-MAP-020", "1:4"),
        (
            "another encoding than declared",
            xml.clone(),
            "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><x/>".into(),
            Form::Xml,
            "VB-SRC-003",
            "1:1",
        ),
        ("unknown prefix", xml, "<a:x/>".into(), Form::Xml, "VB-MAP-001", "1:1"),
        ("FHIR that is XHTML", fhir.clone(), "<html xmlns=\"http://www.w3.org/1999/xhtml\"/>".into(), Form::Xml, "VB-MAP-004", "1:1"),
        ("FHIR that is a list", fhir, "[1,2]".into(), Form::Json, "VB-MAP-004", "1:1"),
    ]
}

fn json() -> Vec<Row> {
    let json = SMALL.to_owned();
    let good = r#""id":"1","at":"2026-03-10T09:00:00+01:00","case":"C","pnr":"193812217044""#;
    vec![
        (
            "deep JSON",
            json.clone(),
            format!("{{\"a\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000)).into(),
            Form::Json,
            "VB-MAP-003",
            "1:37",
        ),
        ("broken off JSON", json.clone(), "{\"id\":\"1".into(), Form::Json, "VB-MAP-002", "1:8"),
        ("invalid UTF-8", json.clone(), b"{\"id\":\"\xE5\"}".to_vec(), Form::Json, "VB-SRC-003", "1:8"),
        ("UTF-16", json.clone(), b"\xFF\xFE{\0}\0".to_vec(), Form::Json, "VB-SRC-003", "1:1"),
        ("a lone surrogate", json.clone(), "{\"id\":\"\\ud800\"}".into(), Form::Json, "VB-MAP-001", "1:14"),
        ("NUL in a value", json.clone(), format!("{{{good},\"text\":\"a\\u0000b\"}}").into(), Form::Json, "VB-MAP-020", "1:83"),
        ("1e999", json.clone(), format!("{{{good},\"text\":1e999}}").into(), Form::Json, "VB-MAP-037", "1:83"),
        ("the same key twice", json.clone(), format!("{{{good},\"text\":\"a\",\"text\":\"b\"}}").into(), Form::Json, "VB-MAP-008", "1:87"),
    ]
}

fn csv() -> Vec<Row> {
    let rows = SMALL.replace("occurredAt = \"at\"", "occurredAt = { from = \"at\", convert = \"local-time\" }");
    let csv = |encoding: &str| rows.replace("format = \"json\"", &format!("format = \"csv\"\nencoding = \"{encoding}\""));
    let head = "id;at;case;pnr;text\r\n";
    vec![
        (
            "half an export in another encoding",
            csv("utf-8"),
            [head.as_bytes(), b"1;2026-03-10 09:00;C;193812217044;\xE5\r\n"].concat(),
            Form::Csv,
            "VB-SRC-003",
            "2:35",
        ),
        ("UTF-8 in what is declared ISO-8859-1", csv("iso-8859-1"), format!("\u{feff}{head}").into(), Form::Csv, "VB-SRC-003", "1:1"),
        ("control bytes in ISO-8859-1", csv("iso-8859-1"), [head.as_bytes(), b"1;\x80;C;1;x\r\n"].concat(), Form::Csv, "VB-SRC-003", "2:3"),
        (
            "no such byte in Windows-1252",
            csv("windows-1252"),
            [head.as_bytes(), b"1;\x81;C;1;x\r\n"].concat(),
            Form::Csv,
            "VB-SRC-003",
            "2:3",
        ),
        (
            "a stray quote",
            csv("utf-8"),
            format!("{head}1;2026-03-10 09:00;C;193812217044;a \"b\" c\r\n").into(),
            Form::Csv,
            "VB-MAP-031",
            "2:37",
        ),
        (
            "a quote that is never closed",
            csv("utf-8"),
            format!("{head}1;2026-03-10 09:00;C;193812217044;\"a\r\n").into(),
            Form::Csv,
            "VB-MAP-031",
            "2:35",
        ),
        ("too few fields", csv("utf-8"), format!("{head}1;2026-03-10 09:00;C\r\n").into(), Form::Csv, "VB-MAP-030", "2:1"),
        ("two columns of one name", csv("utf-8"), "id;id\r\n1;2\r\n".into(), Form::Csv, "VB-MAP-030", "1:1"),
        (
            "too many records",
            csv("utf-8"),
            format!("{head}{}", "1;2026-03-10 09:00;C;193812217044;x\r\n".repeat(10_001)).into(),
            Form::Csv,
            "VB-MAP-018",
            "10002:1",
        ),
        ("only a header", csv("utf-8"), head.into(), Form::Csv, "VB-SRC-001", "–"),
        ("JSON as CSV", csv("utf-8"), "{}".into(), Form::Json, "VB-SRC-005", "–"),
    ]
}
