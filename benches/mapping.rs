//! How fast documents become events, on one core: a 2 kB record as CSV, JSON and XML, and where the time goes.
//!
//! `cargo bench --bench mapping`; `RECORDS=` changes how many.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a benchmark prints what it measured")]

use jiff::civil::date;
use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};
use vardbro::map::{Limits, Mapping, compile};
use vardbro::model::raw::Form;

const NAMES: [&str; 12] = ["f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9", "f10", "f11"];
const ROWS: &str = r#"
[all]
eventId = "id"
system = { value = "bench" }
occurredAt = { from = "time", convert = "local-time" }
[all.episodeRef]
caseId = "case"
[all.patient]
id = { from = "person", convert = "personnummer" }
idType = { value = "personnummer" }
name = { given = "given", family = "family" }
[table.housing]
"1" = "ordinary"
"2" = "sabo"
[[event]]
type = "K-PU"
[event.data]
adlBefore = { from = ["f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9", "f10", "f11"], join = " ", convert = "one-line" }
housing = { from = "housing", table = "housing" }
nurse = { hsaId = { from = "nurse", convert = "hsa-id" }, phone = "phone" }
services = [{ kind = { value = "HSJV" }, extent = "extent" }]
"#;

fn main() {
    let records: usize = std::env::var("RECORDS").ok().and_then(|text| text.parse().ok()).unwrap_or(2_000);
    let filler = "Går med rollator, behöver stöd vid dusch och påklädning. ".repeat(2);
    let values = |n: usize| {
        let mut values = vec![
            ("id", format!("E-{n}")),
            ("time", "2026-03-10 09:00".to_owned()),
            ("case", format!("C-{n}")),
            ("person", "19381221-7044".to_owned()),
            ("given", "Greta".to_owned()),
            ("family", "Almqvist".to_owned()),
            ("housing", "1".to_owned()),
            ("nurse", "SE2120001538-T101".to_owned()),
            ("phone", "0521-000000".to_owned()),
            ("extent", "2 ggr/dag".to_owned()),
        ];
        values.extend(NAMES.map(|name| (name, filler.clone())));
        values
    };
    let (mut csv, mut json, mut xml) = (String::new(), String::from("["), String::from("<export>"));
    let names: Vec<_> = values(0).iter().map(|(name, _)| *name).collect();
    let _ = writeln!(csv, "{}", names.join(";"));
    for n in 0..records {
        let row = values(n);
        let cells: Vec<_> = row.iter().map(|(_, value)| value.as_str()).collect();
        let _ = writeln!(csv, "{}", cells.join(";"));
        let members: Vec<_> = row.iter().map(|(name, value)| format!("\"{name}\":\"{value}\"")).collect();
        let _ = write!(json, "{}{{{}}}", if n > 0 { "," } else { "" }, members.join(","));
        let elements: Vec<_> = row.iter().map(|(name, value)| format!("<{name}>{value}</{name}>")).collect();
        let _ = write!(xml, "<record>{}</record>", elements.concat());
    }
    json.push(']');
    xml.push_str("</export>");
    println!("{records} records, medians of 7 runs, one core");
    println!("{:5} {:>9} {:>12} {:>10} {:>8} {:>8} {:>8}", "form", "bytes", "records/s", "us/record", "decode", "map", "event");
    for (name, head, document, form) in
        [("CSV", "", &csv, Form::Csv), ("JSON", "", &json, Form::Json), ("XML", "records = \"record\"\n", &xml, Form::Xml)]
    {
        let format = name.to_lowercase();
        let text = format!("name = \"bench\"\nrevision = \"1\"\nformat = \"{format}\"\n{head}{ROWS}");
        let mapping = compile(&text, &|_| None).expect("a mapping");
        // A condition that fits every record passes it over before a row is run: what is left is the decoding and the hash.
        let skipping = compile(&text.replace("[[event]]", "[[skip]]\nfrom = \"id\"\n[[event]]"), &|_| None).expect("a mapping");
        // A row that fails keeps the event from being kept, but not from being read; explaining does rows and event twice.
        let whole = median(|| read(&mapping, document, form, records));
        let decode = median(|| read(&skipping, document, form, records));
        let canonical = events(&mapping, document, form);
        let event = median(|| canonical.iter().for_each(|json| drop(black_box(vardbro::map::read(json, 32, date(2026, 3, 20))))));
        let share = |part: Duration| format!("{:.0} %", 100.0 * part.as_secs_f64() / whole.as_secs_f64());
        let per = whole.as_secs_f64() * 1e6 / f64::from(u32::try_from(records).expect("few"));
        let rest = whole.saturating_sub(decode);
        println!(
            "{name:5} {:>9} {:>12.0} {per:>10.1} {:>8} {:>8} {:>8}",
            document.len() / records,
            1e6 / per,
            share(decode),
            share(rest),
            share(event),
        );
    }
    println!(
        "decode: text, records, places and hash; map: rows and the event's own checks; event: the same event as canonical JSON, read alone"
    );
}

fn read(mapping: &Mapping, document: &str, form: Form, expected: usize) {
    let records = mapping.read(document.as_bytes(), Some(form), Limits { records: expected, ..Limits::default() }, date(2026, 3, 20));
    assert!(records.len() == expected && records.iter().all(|record| record.events.is_ok()), "every record is sound");
    black_box(records);
}

fn events(mapping: &Mapping, document: &str, form: Form) -> Vec<Vec<u8>> {
    let records = mapping.read(document.as_bytes(), Some(form), Limits { records: 1_000_000, ..Limits::default() }, date(2026, 3, 20));
    records.iter().flat_map(|record| record.events.as_ref().expect("events")).map(|mapped| vardbro::map::to_json(&mapped.event)).collect()
}

fn median(mut run: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..7)
        .map(|_| {
            let begun = Instant::now();
            run();
            begun.elapsed()
        })
        .collect();
    times.sort();
    times[3]
}
