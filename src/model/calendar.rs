//! Swedish days: weekdays, public holidays, midnight and noon in Swedish time.
//!
//! Which days are no weekdays (vardagar) follows lag (1930:173) 2 § and lag (1989:1253) om allmänna helgdagar: Saturdays,
//! Sundays, public holidays, and midsommarafton, julafton and nyårsafton.

use super::time::stockholm;
use jiff::civil::{Date, Time, Weekday, date};
use jiff::{SignedDuration, Timestamp, ToSpan};

/// Whether a day is a weekday (vardag).
pub fn is_weekday(day: Date) -> bool {
    !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) && !is_holiday(day)
}

fn is_holiday(day: Date) -> bool {
    let fixed = matches!((day.month(), day.day()), (1, 1 | 6) | (5, 1) | (6, 6) | (12, 24 | 25 | 26 | 31));
    // Midsommarafton is the Friday of 19 to 25 June. Midsommardagen and alla helgons dag are Saturdays.
    let midsummer_eve = day.month() == 6 && day.weekday() == Weekday::Friday && (19..=25).contains(&day.day());
    let after_easter = |days: i32| easter(day.year()).checked_add(days.days()).is_ok_and(|holiday| holiday == day);
    // Långfredagen, annandag påsk, Kristi himmelsfärdsdag.
    fixed || midsummer_eve || [-2, 1, 39].into_iter().any(after_easter)
}

/// Easter Sunday of the Gregorian calendar (the algorithm of Meeus, Jones and Butcher).
#[expect(clippy::many_single_char_names, reason = "the names of the published algorithm")]
fn easter(year: i16) -> Date {
    let year = i32::from(year);
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let (d, e) = (b / 4, b % 4);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let (month, day) = ((h + l - 7 * m + 114) / 31, (h + l - 7 * m + 114) % 31 + 1);
    date(i16::try_from(year).unwrap_or(0), i8::try_from(month).unwrap_or(1), i8::try_from(day).unwrap_or(1))
}

/// The day `days` later; stays where it is at the calendar's end.
pub fn plus_days(day: Date, days: i64) -> Date {
    day.checked_add(days.days()).unwrap_or(day)
}

/// The `count`th weekday after a day; the day itself for 0.
pub fn weekdays_after(day: Date, count: u32) -> Date {
    step(day, count, 1)
}

/// The `count`th weekday before a day; the day itself for 0.
pub fn weekdays_before(day: Date, count: u32) -> Date {
    step(day, count, -1)
}

fn step(mut day: Date, count: u32, by: i64) -> Date {
    let mut left = count;
    while left > 0 {
        let next = plus_days(day, by);
        if next == day {
            return day;
        }
        day = next;
        if is_weekday(day) {
            left -= 1;
        }
    }
    day
}

/// A time of a Swedish day as an instant. A time that summer time leaves out is the one an hour later.
pub fn at(day: Date, time: Time) -> Timestamp {
    day.to_datetime(time).to_zoned(stockholm()).map_or(Timestamp::UNIX_EPOCH, |zoned| zoned.timestamp())
}

/// The first instant of a Swedish day.
pub fn begin(day: Date) -> Timestamp {
    at(day, Time::midnight())
}

/// The last instant of a Swedish day.
pub fn end(day: Date) -> Timestamp {
    begin(plus_days(day, 1)) - SignedDuration::from_nanos(1)
}

/// Noon of a Swedish day.
pub fn noon(day: Date) -> Timestamp {
    at(day, Time::constant(12, 0, 0, 0))
}

/// Whether an instant is later in its Swedish day than 12.00 sharp.
pub fn after_noon(instant: Timestamp) -> bool {
    instant.to_zoned(stockholm()).time() > Time::constant(12, 0, 0, 0)
}

/// Whole days from one Swedish day to another.
pub fn days_between(from: Date, to: Date) -> i32 {
    from.until(to).map_or(0, |span| span.get_days())
}

/// Hours as a length of time.
pub fn hours(count: u32) -> SignedDuration {
    SignedDuration::from_hours(i64::from(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(text: &str) -> Date {
        text.parse().expect("a day")
    }

    fn instant(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    #[test]
    fn holidays_are_no_weekdays() {
        for day in [
            "2026-01-01",
            "2026-01-06",
            "2026-04-03",
            "2026-04-06",
            "2026-05-01",
            "2026-05-14",
            "2026-06-19",
            "2026-06-20",
            "2026-10-31",
            "2026-12-24",
            "2026-12-25",
            "2026-12-31",
            "2025-04-18",
            "2024-06-21",
            "2000-04-21",
            "2038-04-23",
            "2027-03-26",
        ] {
            assert!(!is_weekday(on(day)), "{day}");
        }
        for day in ["2026-01-02", "2026-04-02", "2026-04-07", "2026-05-15", "2026-06-18", "2026-06-22", "2026-12-23", "2024-02-29"] {
            assert!(is_weekday(on(day)), "{day}");
        }
    }

    #[test]
    fn weekdays_are_counted_over_weekends_holidays_and_leap_days() {
        assert_eq!(weekdays_after(on("2026-04-02"), 1), on("2026-04-07"));
        assert_eq!(weekdays_after(on("2024-02-28"), 1), on("2024-02-29"));
        assert_eq!(weekdays_after(on("2023-02-28"), 1), on("2023-03-01"));
        assert_eq!(weekdays_before(on("2026-04-08"), 2), on("2026-04-02"));
        assert_eq!(weekdays_after(on("2026-03-10"), 0), on("2026-03-10"));
        assert_eq!(weekdays_after(on("2026-12-30"), 1), on("2027-01-04"));
    }

    #[test]
    fn a_day_has_23_and_25_hours_on_the_nights_of_summer_time() {
        let length = |day: &str| end(on(day)).duration_since(begin(on(day))).as_millis() + 1;
        assert_eq!(length("2026-03-29"), 23 * 3_600_000);
        assert_eq!(length("2026-10-25"), 25 * 3_600_000);
        assert_eq!(length("2026-03-28"), 24 * 3_600_000);
    }

    #[test]
    fn noon_is_sharp_and_swedish() {
        assert!(!after_noon(instant("2026-03-26T12:00:00+01:00")));
        assert!(after_noon(instant("2026-03-26T12:00:01+01:00")));
        assert!(after_noon(instant("2026-03-26T12:00:00.001+01:00")));
        assert!(after_noon(instant("2026-07-01T10:30:00Z")));
        assert!(!after_noon(instant("2026-12-01T10:30:00Z")));
    }

    #[test]
    fn days_are_counted_by_the_calendar() {
        assert_eq!(days_between(on("2026-03-26"), on("2026-03-30")), 4);
        assert_eq!(days_between(on("2024-02-28"), on("2024-03-01")), 2);
        assert_eq!(days_between(on("2026-12-31"), on("2027-01-31")), 31);
        assert_eq!(days_between(on("2026-01-31"), on("2026-03-31")), 59);
    }
}
