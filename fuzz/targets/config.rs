//! The configuration: a file, and after a NUL the variables of the environment, one a line.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::path::Path;
use toml::Value;
use vardbro::config;
use vardbro::fault::Fault;
use vardbro::model::finding::Place;
use vardbro_fuzz::{MARK, within};

fuzz_target!(|text: &str| {
    let (file, variables) = text.split_once('\0').unwrap_or((text, ""));
    let pairs = || variables.lines().filter_map(|line| line.split_once('='));
    let env = pairs().map(|(name, value)| (format!("VARDBRO__{name}"), value.to_owned())).collect();
    match config::parse(file, Path::new("base"), env) {
        // It is used by others; what it says of itself must not need anything else.
        Ok(settings) => drop(format!("{settings:?}")),
        Err(faults) => {
            assert!(!faults.is_empty(), "refused without a reason");
            faults.iter().for_each(|fault| pointed(file, fault));
        }
    }
    // The same with every text of it a secret: none is ever repeated.
    let Ok(mut table) = file.parse::<toml::Table>() else { return };
    table.iter_mut().for_each(|(_, value)| hide(value));
    let Ok(hidden) = toml::to_string(&table) else { return };
    let env = pairs().filter(|(name, _)| !name.contains(MARK)).map(|(name, _)| (format!("VARDBRO__{name}"), MARK.to_owned())).collect();
    if let Err(faults) = config::parse(&hidden, Path::new("base"), env)
        && !names(&table)
    {
        for fault in &faults {
            assert!(!fault.text(true).contains(MARK) && !fault.text(false).contains(MARK), "a value is repeated: {fault}");
        }
    }
});

fn hide(value: &mut Value) {
    match value {
        Value::String(text) => MARK.clone_into(text),
        Value::Array(items) => items.iter_mut().for_each(hide),
        Value::Table(table) => table.iter_mut().for_each(|(_, value)| hide(value)),
        _ => {}
    }
}

/// Names of keys are no secrets.
fn names(table: &toml::Table) -> bool {
    fn within(value: &Value) -> bool {
        match value {
            Value::Table(table) => names(table),
            Value::Array(items) => items.iter().any(within),
            _ => false,
        }
    }
    table.iter().any(|(name, value)| name.contains(MARK) || within(value))
}

/// `vardbro.toml:3:7: …` lies in the file.
fn pointed(file: &str, fault: &Fault) {
    let Some(rest) = fault.detail.as_deref().and_then(|detail| detail.strip_prefix("vardbro.toml:")) else { return };
    let mut numbers = rest.split(':').map_while(|part| part.parse().ok());
    if let (Some(line), Some(column)) = (numbers.next(), numbers.next()) {
        within(file.as_bytes(), Place { line, column });
    }
}
