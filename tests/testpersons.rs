//! The Swedish Tax Agency's whole list of test persons, read in every form in which systems write a number.

use jiff::civil::{Date, date};
use std::path::PathBuf;
use vardbro::model::person::{PersonId, PersonIdFault, PersonIdKind};

const TODAY: Date = date(2026, 11, 22);
const COUNT: usize = 41_493;

/// The list, or nothing where the reference folder is not there. CI must have it.
#[expect(clippy::print_stdout, reason = "a skipped test says so")]
fn numbers() -> Option<Vec<String>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/testpersons/testpersonnummer.txt");
    let Ok(text) = std::fs::read_to_string(&path) else {
        assert!(std::env::var_os("CI").is_none(), "the list of test persons is missing");
        println!("skipped: the list of test persons is not here");
        return None;
    };
    Some(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

#[expect(clippy::disallowed_methods, reason = "a test looks at what was read")]
fn read(text: &str) -> Result<String, PersonIdFault> {
    PersonId::parse(PersonIdKind::Personnummer, text, TODAY).map(|id| id.number().disclose().clone())
}

#[test]
fn every_test_person_reads_back_from_every_form() {
    let Some(numbers) = numbers() else { return };
    assert_eq!(numbers.len(), COUNT);
    let mut wrong = Vec::new();
    for number in &numbers {
        let (day, last) = number.split_at(8);
        let year: i16 = day[..4].parse().expect("a year");
        // The plus stands from the year in which the person turns a hundred, whatever the month.
        let separator = if TODAY.year() - year >= 100 { '+' } else { '-' };
        for form in [number.clone(), format!("{day}-{last}"), format!("{}{separator}{last}", &day[2..])] {
            if read(&form).as_ref() != Ok(number) {
                wrong.push(form);
            }
        }
    }
    assert!(wrong.is_empty(), "{} forms are misread, among them {:?}", wrong.len(), &wrong[..wrong.len().min(5)]);
}

#[test]
fn no_test_person_survives_a_changed_check_digit() {
    let Some(numbers) = numbers() else { return };
    for number in &numbers {
        let (body, check) = number.split_at(11);
        let check: u8 = check.parse().expect("a digit");
        let changed = format!("{body}{}", (check + 1) % 10);
        assert_eq!(read(&changed), Err(PersonIdFault::CheckDigit), "{changed}");
    }
}
