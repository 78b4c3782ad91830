//! What to start a fixture from: a sound event of each type, about a test person.

use crate::fault::{Code, Fault};
use crate::model::catalogue::EventType;
use std::fs;
use std::io::Write;
use std::path::Path;

macro_rules! example {
    ($code:literal) => {
        (
            $code,
            include_str!(concat!("../../fixtures/types/", $code, ".json")),
            include_str!(concat!("../../fixtures/types/minimal/", $code, ".json")),
        )
    };
}

/// Type, the event with every field, and with the required ones alone. `tests/types.rs` holds them to the catalogue.
const EXAMPLES: &[(&str, &str, &str)] = &[
    example!("K-AD"),
    example!("K-AV"),
    example!("K-CL"),
    example!("K-HA"),
    example!("K-HI"),
    example!("K-HT"),
    example!("K-KS"),
    example!("K-KV"),
    example!("K-MK"),
    example!("K-OB"),
    example!("K-PM"),
    example!("K-PU"),
    example!("K-RB"),
    example!("K-SIP"),
    example!("K-SV"),
    example!("K-UF"),
    example!("K-VB"),
    example!("R-AK"),
    example!("R-AU"),
    example!("R-AV"),
    example!("R-BU"),
    example!("R-DO"),
    example!("R-FL"),
    example!("R-FV"),
    example!("R-IN"),
    example!("R-KS"),
    example!("R-MB"),
    example!("R-MK"),
    example!("R-OS"),
    example!("R-PE"),
    example!("R-PM"),
    example!("R-UI"),
    example!("R-UK"),
    example!("R-UM"),
    example!("R-UT"),
];

/// An event of the type, with every field or with the required ones alone.
pub fn example(kind: EventType, minimal: bool) -> &'static str {
    let row = EXAMPLES.iter().find(|(code, ..)| *code == kind.code());
    row.map_or("", |(_, full, least)| if minimal { least } else { full })
}

/// Makes a folder with a story around the event; `vardbro check --update` fills in what comes of it. The folder must not be there.
pub fn story(folder: &Path, kind: EventType, minimal: bool) -> Result<(), Fault> {
    let (sv, en) = kind.texts();
    let event = example(kind, minimal);
    let file = format!("01-{}.json", kind.code().to_lowercase());
    let happened = event.split("\"occurredAt\": \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
    let case = format!(
        "title.sv = \"{sv}\"\ntitle.en = \"{en}\"\nrules = \"vanersborg/2026.1\"\nclock = \"{happened}\"\n\n[[step]]\nadvance = \"PT1M\"\nin = \"{file}\"\n"
    );
    let told = |fault: std::io::Error| Fault::with(Code::FixPath, format!("{} ({})", folder.display(), fault.kind()));
    fs::create_dir(folder).and_then(|()| fs::create_dir(folder.join("in"))).map_err(told)?;
    for (name, text) in [("case.toml".to_owned(), case.as_str()), (format!("in/{file}"), event)] {
        let made = fs::File::create_new(folder.join(name));
        made.and_then(|mut made| made.write_all(text.as_bytes())).map_err(told)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::catalogue::CATALOGUE;

    #[test]
    fn every_type_has_an_example_of_its_own() {
        for row in CATALOGUE {
            for minimal in [false, true] {
                assert!(example(row.kind, minimal).contains(&format!("\"type\": \"{}\"", row.code)), "{}", row.code);
            }
        }
        assert_eq!(EXAMPLES.len(), CATALOGUE.len());
    }
}
