//! Numbers of persons in the tree: only those of the Swedish Tax Agency's test persons may lie there.

use jiff::civil::{Date, date};
use std::collections::HashSet;
use std::path::Path;
use vardbro::model::person::{PersonId, PersonIdKind};

const TODAY: Date = date(2026, 11, 22);

/// Coordination numbers from public test data; the Tax Agency's list of test persons has none.
const COORDINATION: &[&str] = &["197010632391"];

/// Reserve numbers have no list of test persons; these are the examples of the guides that describe them.
const RESERVE: &[&str] = &["22950606FH20", "19810829M071", "19450829K088", "19930829X802"];

/// The list, or nothing where the reference folder is not there. CI must have it.
pub(crate) fn known(root: &Path) -> Option<HashSet<String>> {
    let path = root.join("../shared/reference/testpersons/testpersonnummer.txt");
    let Ok(text) = std::fs::read_to_string(path) else {
        assert!(std::env::var_os("CI").is_none(), "the list of test persons is missing");
        println!("skipped: the list of test persons is not here");
        return None;
    };
    let listed = text.lines().map(str::trim).chain(COORDINATION.iter().chain(RESERVE).copied());
    Some(listed.map(str::to_owned).collect())
}

/// Lines with a valid number that is not known. What fails its check digit is nobody's.
pub(crate) fn strangers(bytes: &[u8], known: &HashSet<String>) -> Vec<usize> {
    // UTF-16 is read as well: its zeros are left out.
    let letters: Vec<u8> = bytes.iter().copied().filter(|b| *b != 0).collect();
    let mut out = Vec::new();
    for (place, line) in letters.split(|b| *b == b'\n').enumerate() {
        let words = line.split(|b| !(b.is_ascii_alphanumeric() || b"-+_".contains(b)));
        let strange = words.flat_map(forms).any(|word| number(&word).is_some_and(|full| !known.contains(&full)));
        if strange {
            out.push(place + 1);
        }
    }
    out
}

/// A word as it stands, and its parts where something else was hung on with a hyphen or an underscore.
fn forms(word: &[u8]) -> Vec<String> {
    let word = String::from_utf8_lossy(word).into_owned();
    let parts: Vec<&str> = word.split('_').collect();
    let mut out = vec![word.clone()];
    for part in parts {
        let pieces: Vec<&str> = part.split('-').collect();
        // A UUID's groups are no numbers of persons.
        if pieces.len() < 5 {
            out.extend(pieces.windows(2).map(|pair| pair.join("-")));
            out.extend(pieces.iter().filter(|piece| piece.len() >= 12).map(|piece| (*piece).to_owned()));
        }
        out.push(part.to_owned());
    }
    out
}

#[expect(clippy::disallowed_methods, reason = "compares numbers with the list of test persons")]
fn number(word: &str) -> Option<String> {
    use PersonIdKind::{Nrid, Personnummer, ReservnummerVgr, Samordningsnummer};
    // People write reserve numbers with a hyphen too, and in lower case, whatever is read.
    let reserve = word.replace('-', "").to_uppercase();
    let forms = [(Personnummer, word), (Samordningsnummer, word), (Nrid, &reserve), (ReservnummerVgr, &reserve)];
    forms.iter().find_map(|(kind, text)| PersonId::parse(*kind, text, TODAY).ok()).map(|id| id.number().disclose().clone())
}

#[test]
fn a_stranger_is_found_in_every_form() {
    let known = HashSet::from(["193812217044".to_owned()]);
    let last_digit =
        |body: &str| (0..10).map(|digit| format!("{body}{digit}")).find(|text| number(text).is_some()).expect("one digit fits");
    let stranger = last_digit("19811218987");
    let short = format!("{}-{}", &stranger[2..8], &stranger[8..]);
    for text in [stranger.clone(), format!("\"id\":\"{short}\""), format!("fixtures/event_{stranger}.json"), format!("x-{stranger}-y")] {
        assert_eq!(strangers(text.as_bytes(), &known), [1], "{text}");
    }
    let wide: Vec<u8> = stranger.bytes().flat_map(|b| [b, 0]).collect();
    assert_eq!(strangers(&wide, &known), [1]);
    for reserve in [last_digit("19930829X81"), last_digit("22950606FH3")] {
        for text in [reserve.clone(), format!("{}-{}", &reserve[..8], &reserve[8..]), reserve.to_lowercase()] {
            assert_eq!(strangers(text.as_bytes(), &known), [1], "{text}");
        }
    }
    let known: HashSet<String> = known.into_iter().chain(RESERVE.iter().map(|number| (*number).to_owned())).collect();
    let none: [usize; 0] = [];
    for text in [
        "22950606-FH20",
        "22950606FH20",
        "19930829X802",
        "19930829X803",
        "193812217044",
        "381221-7044",
        "19381221-7044",
        "SE2120001538-T100",
        "212000-1538",
        "2026-03-10T09:00:00.123Z",
    ] {
        assert_eq!(strangers(text.as_bytes(), &known), none, "{text}");
    }
}
