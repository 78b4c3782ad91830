//! Instants, Swedish calendar days, and the clock as an argument.

use jiff::{Timestamp, civil, tz::TimeZone};

/// Where the time comes from. The daemon hands in the system's clock, a fixture its own.
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine for the time")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// The zone in which the law's hours and days are counted.
pub fn stockholm() -> TimeZone {
    // The zone is compiled in (jiff's bundled database); UTC would only be met if that bundle were gone.
    TimeZone::get("Europe/Stockholm").unwrap_or(TimeZone::UTC)
}

/// The Swedish calendar day of an instant.
pub fn local_day(at: Timestamp) -> civil::Date {
    at.to_zoned(stockholm()).date()
}

/// Why a text is not an instant of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeFault {
    /// Date and time are there, the offset from UTC is not.
    NoZone,
    Malformed,
}

const YEARS: std::ops::RangeInclusive<i16> = 1850..=2200;

/// Reads an RFC 3339 instant. The zone is demanded: half of the year a bare Swedish time is an hour wrong.
pub fn parse_instant(text: &str) -> Result<Timestamp, TimeFault> {
    let bytes = text.as_bytes();
    let shaped = text.is_ascii() && bytes.len() >= 19 && bytes.len() <= 40 && matches!(bytes[10], b'T' | b't') && !text.contains('[');
    if !shaped {
        return Err(TimeFault::Malformed);
    }
    let zoned = text.ends_with(['Z', 'z']) || text[19..].contains(['+', '-']);
    if !zoned {
        return match text.parse::<civil::DateTime>() {
            Ok(_) => Err(TimeFault::NoZone),
            Err(_) => Err(TimeFault::Malformed),
        };
    }
    let at: Timestamp = text.parse().map_err(|_| TimeFault::Malformed)?;
    if YEARS.contains(&local_day(at).year()) { Ok(at) } else { Err(TimeFault::Malformed) }
}

/// Reads a calendar day, `YYYY-MM-DD`.
pub fn parse_day(text: &str) -> Option<civil::Date> {
    if text.len() != 10 {
        return None;
    }
    let day: civil::Date = text.parse().ok()?;
    YEARS.contains(&day.year()).then_some(day)
}

/// RFC 3339 in UTC with milliseconds: the one form in which we write instants.
pub fn instant_text(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_needs_its_zone() {
        assert_eq!(parse_instant("2026-03-10T09:00:00"), Err(TimeFault::NoZone));
        assert_eq!(parse_instant("2026-03-10"), Err(TimeFault::Malformed));
        assert_eq!(parse_instant("2026-02-30T09:00:00+01:00"), Err(TimeFault::Malformed));
        assert_eq!(parse_instant("åäöåäöåäöåäöåäö"), Err(TimeFault::Malformed));
        assert_eq!(parse_instant("2026-03-10T09:00:0å"), Err(TimeFault::Malformed));
        let at = parse_instant("2026-03-10T09:00:00+01:00").expect("good");
        assert_eq!(instant_text(at), "2026-03-10T08:00:00.000Z");
    }

    #[test]
    fn the_day_is_the_swedish_one_on_both_sides_of_midnight_and_of_summer_time() {
        for (instant, day) in [
            ("2026-03-11T22:59:59Z", "2026-03-11"),
            ("2026-03-11T23:00:00Z", "2026-03-12"),
            ("2026-06-30T21:59:59Z", "2026-06-30"),
            ("2026-06-30T22:00:00Z", "2026-07-01"),
        ] {
            assert_eq!(local_day(parse_instant(instant).expect("good")).to_string(), day);
        }
    }
}
