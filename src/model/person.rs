//! The patient's identifier: kinds, forms and check digits.

use super::ids::luhn;
use super::personal::Personal;
use jiff::civil::Date;

/// What kind of number identifies the patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PersonIdKind {
    Personnummer,
    Samordningsnummer,
    /// Nationellt reservnummer.
    Nrid,
    /// Reserve number of Region Västra Götaland.
    ReservnummerVgr,
}

impl PersonIdKind {
    /// Root OID as RIV-TA, HL7 Sweden and Inera name it.
    pub fn oid(self) -> &'static str {
        match self {
            Self::Personnummer => "1.2.752.129.2.1.3.1",
            Self::Samordningsnummer => "1.2.752.129.2.1.3.3",
            Self::Nrid => "1.2.752.74.9.1",
            Self::ReservnummerVgr => "1.2.752.113.11.0.2.1.1.1",
        }
    }

    /// How firmly the number is tied to its person. Within a case a patient's number may only rise: a reserve number is
    /// for whoever has no other yet, a samordningsnummer for whoever has no personnummer.
    pub fn rank(self) -> u8 {
        match self {
            Self::Nrid | Self::ReservnummerVgr => 0,
            Self::Samordningsnummer => 1,
            Self::Personnummer => 2,
        }
    }
}

/// Why a text is not a person's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonIdFault {
    /// The characters are not those of the announced kind.
    Form,
    /// The digits name no day of the calendar, or one that has not come yet.
    Date,
    /// A coordination number where a personal one was announced, or the other way round.
    Kind,
    CheckDigit,
}

/// A valid number, kept in its form of twelve characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonId {
    pub kind: PersonIdKind,
    number: Personal<String>,
}

impl PersonId {
    /// Reads a number of the kind. The short forms of a personnummer need `today` to find their century, and nobody is
    /// born after it.
    pub fn parse(kind: PersonIdKind, text: &str, today: Date) -> Result<Self, PersonIdFault> {
        let number = match kind {
            PersonIdKind::Personnummer | PersonIdKind::Samordningsnummer => register_number(kind, text, today)?,
            PersonIdKind::Nrid => national_reserve_number(text, today)?,
            PersonIdKind::ReservnummerVgr => regional_reserve_number(text, today)?,
        };
        Ok(Self { kind, number: Personal::new(number) })
    }

    /// The twelve characters, without a separator.
    pub fn number(&self) -> &Personal<String> {
        &self.number
    }
}

/// Reads `YYYYMMDDNNNN`, `YYYYMMDD-NNNN`, `YYMMDD-NNNN`, `YYMMDD+NNNN` (from the year of the hundredth birthday) or
/// `YYMMDDNNNN`; of a samordningsnummer the day is 60 higher.
fn register_number(kind: PersonIdKind, text: &str, today: Date) -> Result<String, PersonIdFault> {
    let (digits, separator) = split(text).ok_or(PersonIdFault::Form)?;
    let full = match (digits.len(), separator) {
        (12, None | Some('-')) => digits,
        (10, _) => with_century(&digits, separator == Some('+'), today),
        _ => return Err(PersonIdFault::Form),
    };
    let day = two(&full[6..8]);
    let day = match (kind, day > 60) {
        (PersonIdKind::Samordningsnummer, true) => day - 60,
        (PersonIdKind::Samordningsnummer, false) | (_, true) => return Err(PersonIdFault::Kind),
        (_, false) => day,
    };
    born(four(&full[..4]), two(&full[4..6]), day, today)?;
    if luhn(&full.as_bytes()[2..]) { Ok(full) } else { Err(PersonIdFault::CheckDigit) }
}

/// Reads `XXYYMMDDNNGC` or `XXYYMMDD-NNGC` (Inera, specification of the national reserve identity): XX is the century of
/// birth plus 3, 6, … or 78; or 00 where the birth is unknown, then MM is 20-99 and DD 40-59. NN are letters, G a letter or
/// a digit, C the check digit.
fn national_reserve_number(text: &str, today: Date) -> Result<String, PersonIdFault> {
    let hyphen = text.len() == 13 && text.as_bytes()[8] == b'-';
    let number = if hyphen { text.replacen('-', "", 1) } else { text.to_owned() };
    let letter = |b: u8| b.is_ascii_uppercase() && !b"IOQVW".contains(&b);
    let formed = match number.as_bytes() {
        [day @ .., n1, n2, g, c] if day.len() == 8 => {
            day.iter().all(u8::is_ascii_digit) && letter(*n1) && letter(*n2) && (letter(*g) || g.is_ascii_digit()) && c.is_ascii_digit()
        }
        _ => false,
    };
    if !formed {
        return Err(PersonIdFault::Form);
    }
    let (series, month, day) = (two(&number[..2]), two(&number[4..6]), two(&number[6..8]));
    // Series of 19 and of 20 take turns; 18 to 21 are left to the numbers of the population register.
    match (series, series % 3) {
        (0, _) if (20..=99).contains(&month) && (40..=59).contains(&day) => {}
        (22..=97, 1) => born(1900 + i16::from(two(&number[2..4])), month, day, today)?,
        (23..=98, 2) => born(2000 + i16::from(two(&number[2..4])), month, day, today)?,
        _ => return Err(PersonIdFault::Date),
    }
    if !luhn_of_characters(number.as_bytes()) {
        return Err(PersonIdFault::CheckDigit);
    }
    Ok(number)
}

/// Luhn's check over digits and letters, a letter standing for its ASCII code; checked against five published examples.
fn luhn_of_characters(text: &[u8]) -> bool {
    let value = |b: &u8| u32::from(if b.is_ascii_digit() { b - b'0' } else { *b });
    let sums = text.iter().rev().enumerate().map(|(place, b)| {
        let product = value(b) * if place % 2 == 1 { 2 } else { 1 };
        product / 100 + product / 10 % 10 + product % 10
    });
    sums.sum::<u32>().is_multiple_of(10)
}

/// Reads `YYYYMMDDGggC`: G is K, M or X; gg is 06-79, even after K and odd after M, or 80-89 after X; C is the check
/// digit, as of a personnummer, with the letter read as 5, 7 or 8.
fn regional_reserve_number(text: &str, today: Date) -> Result<String, PersonIdFault> {
    let [day @ .., letter, g1, g2, c] = text.as_bytes() else { return Err(PersonIdFault::Form) };
    let tail = [*g1, *g2, *c];
    if day.len() != 8 || !day.iter().chain(&tail).all(u8::is_ascii_digit) {
        return Err(PersonIdFault::Form);
    }
    let serial = two(&text[9..11]);
    let (digit, in_range) = match letter {
        b'K' => (b'5', (6..=79).contains(&serial) && serial % 2 == 0),
        b'M' => (b'7', (6..=79).contains(&serial) && serial % 2 == 1),
        b'X' => (b'8', (80..=89).contains(&serial)),
        _ => return Err(PersonIdFault::Form),
    };
    if !in_range {
        return Err(PersonIdFault::Form);
    }
    born(four(&text[..4]), two(&text[4..6]), two(&text[6..8]), today)?;
    let digits = [&day[2..], &[digit], &tail].concat();
    if luhn(&digits) { Ok(text.to_owned()) } else { Err(PersonIdFault::CheckDigit) }
}

/// A day on which somebody who lives today may have been born.
fn born(year: i16, month: i8, day: i8, today: Date) -> Result<(), PersonIdFault> {
    match Date::new(year, month, day) {
        Ok(born) if born <= today && year >= 1800 => Ok(()),
        _ => Err(PersonIdFault::Date),
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

fn four(digits: &str) -> i16 {
    digits.parse().unwrap_or(-1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const TODAY: Date = date(2026, 3, 10);

    #[expect(clippy::disallowed_methods, reason = "a test looks at what was read")]
    fn read(kind: PersonIdKind, text: &str) -> Result<String, PersonIdFault> {
        PersonId::parse(kind, text, TODAY).map(|id| id.number().disclose().clone())
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

    /// The check digit that makes a regional reserve number whole; found by trying, so that no number of somebody's stands here.
    fn completed(body: &str) -> Option<String> {
        (0..10).map(|digit| format!("{body}{digit}")).find(|text| read(PersonIdKind::ReservnummerVgr, text).is_ok())
    }

    #[test]
    fn regional_reserve_numbers() {
        use PersonIdKind::ReservnummerVgr as R;
        for good in ["19810829M071", "19450829K088", "19930829X802"] {
            assert_eq!(read(R, good).as_deref(), Ok(good));
            let (body, digit) = good.split_at(11);
            let digit: u8 = digit.parse().expect("a digit");
            for other in (0..10).filter(|other| *other != digit) {
                assert_eq!(read(R, &format!("{body}{other}")), Err(PersonIdFault::CheckDigit), "{good}: {other}");
            }
        }
        for bad in ["", "19930829X80", "19930829X8022", "19930829-X802", "19930829x802", "19930829A802", "1993O829X802", "19930829X8O2"] {
            assert_eq!(read(R, bad), Err(PersonIdFault::Form), "{bad}");
        }
        for bad in ["193812217044", "åååååå", "19930829Å02", "22950606FH20"] {
            assert_eq!(read(R, bad), Err(PersonIdFault::Form), "{bad}");
        }
        for bad in ["19930229X802", "19931329X802", "20260311X802", "17930829X802"] {
            assert_eq!(read(R, bad), Err(PersonIdFault::Date), "{bad}");
        }
        assert!(completed("20260310X80").is_some(), "born today");
    }

    #[test]
    fn the_serial_of_a_regional_reserve_number_goes_with_its_letter() {
        for serial in 0..100 {
            for (letter, good) in [
                ('K', (6..80).contains(&serial) && serial % 2 == 0),
                ('M', (6..80).contains(&serial) && serial % 2 == 1),
                ('X', (80..90).contains(&serial)),
            ] {
                let body = format!("19930829{letter}{serial:02}");
                assert_eq!(completed(&body).is_some(), good, "{body}");
                if !good {
                    assert_eq!(read(PersonIdKind::ReservnummerVgr, &format!("{body}0")), Err(PersonIdFault::Form), "{body}");
                }
            }
        }
    }

    #[test]
    fn national_reserve_numbers() {
        use PersonIdKind::Nrid as N;
        for form in ["22950606-FH20", "22950606FH20"] {
            assert_eq!(read(N, form).as_deref(), Ok("22950606FH20"), "{form}");
        }
        // A later series, a letter for an unknown sex, an unknown birth, and both.
        for good in ["25780404-KHD5", "00342145-BZ31", "00749852-BZK0", "98240301-AA06"] {
            assert!(read(N, good).is_ok(), "{good}");
        }
        for digit in 1..=9 {
            assert_eq!(read(N, &format!("22950606FH2{digit}")), Err(PersonIdFault::CheckDigit));
        }
        for letter in "IOQVW".chars() {
            for form in [format!("22950606{letter}H20"), format!("22950606F{letter}20"), format!("22950606FH{letter}0")] {
                assert_eq!(read(N, &form), Err(PersonIdFault::Form), "{form}");
            }
        }
        for bad in ["", "22950606", "22950606-FH2", "22950606+FH20", "2295060-6FH20", "22950606--FH20", "22950606fh20", "22950606F120"] {
            assert_eq!(read(N, bad), Err(PersonIdFault::Form), "{bad}");
        }
        for bad in ["22950606FH2A", "229506O6FH20", "193812217044", "22950606ÅH0", "ååååå-å"] {
            assert_eq!(read(N, bad), Err(PersonIdFault::Form), "{bad}");
        }
        for bad in
            ["22950230FH20", "22951306FH20", "23260311FH20", "19950606FH20", "24950606FH20", "99950606FH20", "00950606FH20", "00342160BZ31"]
        {
            assert_eq!(read(N, bad), Err(PersonIdFault::Date), "{bad}");
        }
    }

    #[test]
    fn a_number_rises_from_reserve_to_coordination_to_personal() {
        use PersonIdKind::{Nrid, Personnummer, ReservnummerVgr, Samordningsnummer};
        assert_eq!(Nrid.rank(), ReservnummerVgr.rank());
        assert!(ReservnummerVgr.rank() < Samordningsnummer.rank() && Samordningsnummer.rank() < Personnummer.rank());
    }
}
