//! The patient's identifier: kinds, forms and check digits.

use super::ids::luhn;
use super::personal::Personal;
use jiff::civil::Date;

/// What kind of number identifies the patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PersonIdKind {
    Personnummer,
    Samordningsnummer,
}

impl PersonIdKind {
    /// Root OID as RIV-TA and HL7 Sweden name it.
    pub fn oid(self) -> &'static str {
        match self {
            Self::Personnummer => "1.2.752.129.2.1.3.1",
            Self::Samordningsnummer => "1.2.752.129.2.1.3.3",
        }
    }
}

/// Why a text is not a person's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonIdFault {
    /// Not 10 or 12 digits with an optional `-` or `+`.
    Form,
    /// The digits name no day of the calendar, or one that has not come yet.
    Date,
    /// A coordination number where a personal one was announced, or the other way round.
    Kind,
    CheckDigit,
}

/// A valid number, kept in its form of twelve digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonId {
    pub kind: PersonIdKind,
    digits: Personal<String>,
}

impl PersonId {
    /// Reads `YYYYMMDDNNNN`, `YYYYMMDD-NNNN`, `YYMMDD-NNNN`, `YYMMDD+NNNN` (from the year of the hundredth birthday) or
    /// `YYMMDDNNNN`. The short forms need `today` to find their century.
    pub fn parse(kind: PersonIdKind, text: &str, today: Date) -> Result<Self, PersonIdFault> {
        let (digits, separator) = split(text).ok_or(PersonIdFault::Form)?;
        let full = match (digits.len(), separator) {
            (12, None | Some('-')) => digits,
            (10, _) => with_century(&digits, separator == Some('+'), today),
            _ => return Err(PersonIdFault::Form),
        };
        let day_digits = two(&full[6..8]);
        let day = match kind {
            PersonIdKind::Personnummer if day_digits > 60 => return Err(PersonIdFault::Kind),
            PersonIdKind::Samordningsnummer if day_digits <= 60 => return Err(PersonIdFault::Kind),
            PersonIdKind::Personnummer => day_digits,
            PersonIdKind::Samordningsnummer => day_digits - 60,
        };
        let year = i16::from(two(&full[..2])) * 100 + i16::from(two(&full[2..4]));
        let born = Date::new(year, two(&full[4..6]), day).map_err(|_| PersonIdFault::Date)?;
        if born > today || year < 1800 {
            return Err(PersonIdFault::Date);
        }
        if !luhn(&full.as_bytes()[2..]) {
            return Err(PersonIdFault::CheckDigit);
        }
        Ok(Self { kind, digits: Personal::new(full) })
    }

    /// The twelve digits.
    pub fn digits(&self) -> &Personal<String> {
        &self.digits
    }
}

/// The digits, and the separator before the last four.
fn split(text: &str) -> Option<(String, Option<char>)> {
    if !text.is_ascii() || text.len() > 13 || text.len() < 10 {
        return None;
    }
    let cut = text.len() - 5;
    let separator = match text.as_bytes()[cut] {
        b'-' => Some('-'),
        b'+' => Some('+'),
        _ => None,
    };
    let digits: String = match separator {
        Some(_) => format!("{}{}", &text[..cut], &text[cut + 1..]),
        None => text.to_owned(),
    };
    digits.bytes().all(|b| b.is_ascii_digit()).then_some((digits, separator))
}

/// The latest century that makes the person born, and with `+` at least a hundred years old this year.
fn with_century(digits: &str, over_hundred: bool, today: Date) -> String {
    let day = two(&digits[4..6]);
    let day = if day > 60 { day - 60 } else { day };
    let short_year = i16::from(two(&digits[..2]));
    let mut year = today.year() - today.year().rem_euclid(100) + short_year;
    let not_yet = match Date::new(year, two(&digits[2..4]), day) {
        Ok(born) => born > today,
        // 29 February may exist in one century only; a day that exists in none is refused later.
        Err(_) => year >= today.year() || two(&digits[2..4]) != 2,
    };
    if not_yet {
        year -= 100;
    }
    // The plus stands from the first day of the year of the hundredth birthday.
    if over_hundred && today.year() - year < 100 {
        year -= 100;
    }
    format!("{year:04}{}", &digits[2..])
}

fn two(digits: &str) -> i8 {
    digits.parse().unwrap_or(-1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const TODAY: Date = date(2026, 3, 10);

    #[expect(clippy::disallowed_methods, reason = "a test looks at what was read")]
    fn read(kind: PersonIdKind, text: &str) -> Result<String, PersonIdFault> {
        PersonId::parse(kind, text, TODAY).map(|id| id.digits().disclose().clone())
    }

    #[test]
    fn every_form_ends_in_twelve_digits() {
        use PersonIdKind::Personnummer as P;
        for form in ["193812217044", "19381221-7044", "381221-7044", "3812217044"] {
            assert_eq!(read(P, form).as_deref(), Ok("193812217044"), "{form}");
        }
        assert_eq!(read(P, "250207+9219").as_deref(), Ok("192502079219"));
        assert_eq!(read(P, "080103-2392").as_deref(), Ok("200801032392"));
    }

    #[test]
    fn coordination_numbers() {
        use PersonIdKind::{Personnummer as P, Samordningsnummer as S};
        assert_eq!(read(S, "197010632391").as_deref(), Ok("197010632391"));
        assert_eq!(read(S, "701063-2391").as_deref(), Ok("197010632391"));
        assert_eq!(read(P, "197010632391"), Err(PersonIdFault::Kind));
        assert_eq!(read(S, "193812217044"), Err(PersonIdFault::Kind));
    }

    #[test]
    fn what_is_wrong_is_told_apart() {
        use PersonIdKind::Personnummer as P;
        assert_eq!(read(P, "193812217045"), Err(PersonIdFault::CheckDigit));
        assert_eq!(read(P, "193802307044"), Err(PersonIdFault::Date));
        assert_eq!(read(P, "203812217044"), Err(PersonIdFault::Date));
        for bad in ["", "1938-12-21-7044", "19381221704", "19381221704x", "1938122170440", "19381221+7044", "åå12217044"] {
            assert_eq!(read(P, bad), Err(PersonIdFault::Form), "{bad}");
        }
    }
}
