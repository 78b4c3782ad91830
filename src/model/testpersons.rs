//! The list of test persons (Skatteverket, Testpersonnummer): numbers that nobody has and nobody will have.

use super::person::{PersonId, PersonIdKind};
use jiff::civil::Date;
use std::collections::HashSet;

/// Most numbers in one list.
const MAX: usize = 1_000_000;

/// Numbers that may be shown.
#[derive(Clone, Default)]
pub struct TestPersons(HashSet<String>);

impl std::fmt::Debug for TestPersons {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "‹{} test persons›", self.0.len())
    }
}

impl TestPersons {
    /// Every run of twelve digits in a text, and every one in the form of a reserve number, whatever stands between them.
    pub fn parse(text: &str) -> Self {
        let number = |run: &&str| run.len() == 12 && run.bytes().take(8).all(|b| b.is_ascii_digit());
        let runs = text.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(number);
        Self(runs.take(MAX).map(str::to_owned).collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[expect(clippy::disallowed_methods, reason = "compares with a list, shows nothing")]
    pub fn has(&self, person: &PersonId) -> bool {
        self.0.contains(person.number().disclose())
    }

    /// Whether a text names somebody, and nobody but these. Whatever could be a person's number counts as one, in any of its forms.
    pub fn alone_in(&self, text: &str, today: Date) -> bool {
        let part = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '+';
        let mut somebody = false;
        for run in text.split(|letter: char| !part(letter)).filter(|run| (10..=13).contains(&run.len())) {
            let kinds = [PersonIdKind::Personnummer, PersonIdKind::Samordningsnummer, PersonIdKind::Nrid, PersonIdKind::ReservnummerVgr];
            for person in kinds.into_iter().filter_map(|kind| PersonId::parse(kind, run, today).ok()) {
                if !self.has(&person) {
                    return false;
                }
                somebody = true;
            }
        }
        somebody
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_text_shows_only_those_on_the_list_in_whatever_form_they_stand() {
        let list = TestPersons::parse("Testpersonnummer\r\n193812217044\r\n195003072260;");
        let today = date(2026, 3, 10);
        assert!(TestPersons::parse("193812217044\n22950606FH20").alone_in("22950606-FH20", today));
        for text in [r#"{"id":"19381221-7044"}"#, "<id>381221-7044</id>", "a;193812217044;195003072260"] {
            assert!(list.alone_in(text, today), "{text}");
        }
        // Nobody, a number that is wrong, and somebody who is not on the list beside one who is.
        for text in ["", "{}", "193812217045", "193812217044 and 22950606FH20"] {
            assert!(!list.alone_in(text, today), "{text}");
        }
    }
}
