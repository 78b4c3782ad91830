//! Converters: from what a source writes to what an event wants. Each takes a text without blanks around it, and gives none
//! where it cannot be that.

use crate::model::time::stockholm;
use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime;
use std::borrow::Cow;

/// One converter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Converter {
    Personnummer,
    HsaId,
    LocalTime,
    Day,
    Digits,
    OneLine,
    Text,
    Upper,
    Lower,
    LastPart,
}

/// Name, converter, and what it does in Swedish and English.
pub const CONVERTERS: &[(&str, Converter, &str, &str)] = &[
    (
        "personnummer",
        Converter::Personnummer,
        "tar bort blanksteg och punkter; bindestreck och plus står kvar",
        "takes blanks and dots away; hyphen and plus stay",
    ),
    ("hsa-id", Converter::HsaId, "versaler, inga blanksteg", "capital letters, no blanks"),
    (
        "local-time",
        Converter::LocalTime,
        "svensk tid utan zon till ögonblick; den timme som finns två gånger är den första",
        "Swedish time without a zone to an instant; of the hour that comes twice the first",
    ),
    ("day", Converter::Day, "datum som 20260310 eller 2026-03-10T08:00 till dag", "a date like 20260310 or 2026-03-10T08:00 to a day"),
    ("digits", Converter::Digits, "bara siffrorna", "the digits alone"),
    (
        "one-line",
        Converter::OneLine,
        "radbrytningar och dubbla blanksteg blir ett blanksteg",
        "line breaks and runs of blanks become one blank",
    ),
    ("text", Converter::Text, "radbrytningar blir LF, styrtecken försvinner", "line breaks become LF, control characters go"),
    ("upper", Converter::Upper, "versaler", "capital letters"),
    ("lower", Converter::Lower, "gemener", "small letters"),
    ("last-part", Converter::LastPart, "det som står efter sista / eller :", "what stands behind the last / or :"),
];

impl Converter {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        CONVERTERS.iter().find(|(known, ..)| *known == name).map(|(_, converter, ..)| *converter)
    }

    pub(crate) fn name(self) -> &'static str {
        CONVERTERS.iter().find(|(_, known, ..)| *known == self).map_or("", |(name, ..)| name)
    }

    /// `format` is that of strptime, for the two that read times.
    pub(crate) fn run<'t>(self, text: &'t str, format: Option<&str>) -> Option<Cow<'t, str>> {
        let out = match self {
            Self::Personnummer => text.chars().filter(|letter| !letter.is_whitespace() && *letter != '.').collect(),
            Self::HsaId => text.chars().filter(|letter| !letter.is_whitespace()).flat_map(char::to_uppercase).collect(),
            Self::LocalTime => return local_time(text, format),
            Self::Day => day(text, format)?.to_string(),
            Self::Digits => text.chars().filter(char::is_ascii_digit).collect(),
            Self::OneLine => text.split_whitespace().collect::<Vec<_>>().join(" "),
            Self::Text => lines(text),
            Self::Upper => text.to_uppercase(),
            Self::Lower => text.to_lowercase(),
            Self::LastPart => return text.rsplit(['/', ':']).next().filter(|part| !part.is_empty()).map(Cow::Borrowed),
        };
        Some(Cow::Owned(out))
    }
}

/// A time that has its zone stays as it is.
fn local_time<'t>(text: &'t str, format: Option<&str>) -> Option<Cow<'t, str>> {
    let local = match format {
        Some(format) => {
            let read = strtime::parse(format, text).ok()?;
            if let Ok(at) = read.to_timestamp() {
                return Some(Cow::Owned(at.to_string()));
            }
            read.to_datetime().or_else(|_| read.to_date().map(|day| day.at(0, 0, 0, 0))).ok()?
        }
        None if text.len() > 19 && (text.ends_with(['Z', 'z']) || text[19.min(text.len())..].contains(['+', '-'])) => {
            return Some(Cow::Borrowed(text));
        }
        None => date_time(text)?,
    };
    // The clock that is set forward skips an hour: a time within it never was.
    let zoned = stockholm().to_ambiguous_zoned(local);
    let never = matches!(zoned.offset(), jiff::tz::AmbiguousOffset::Gap { .. });
    let at = if never { None } else { zoned.earlier().ok() }?;
    Some(Cow::Owned(at.timestamp().to_string()))
}

/// `2026-03-10 09:00`, `20260310 0900`, `2026-03-10T09:00:30` and the like, seconds or not.
fn date_time(text: &str) -> Option<DateTime> {
    const FORMATS: [&str; 9] = [
        "%Y-%m-%dT%H:%M:%S",
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M",
        "%Y%m%d %H%M%S",
        "%Y%m%d %H%M",
        "%Y%m%dT%H%M%S",
        "%Y%m%d%H%M%S",
        "%Y%m%d%H%M",
    ];
    FORMATS.iter().find_map(|format| DateTime::strptime(format, text).ok())
}

fn day(text: &str, format: Option<&str>) -> Option<Date> {
    if let Some(format) = format {
        return Date::strptime(format, text).ok();
    }
    ["%Y-%m-%d", "%Y%m%d"].iter().find_map(|format| Date::strptime(format, text).ok()).or_else(|| date_time(text).map(DateTime::date))
}

fn lines(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.chars().filter(|letter| !letter.is_control() || matches!(letter, '\n' | '\t')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(converter: &str, text: &str) -> Option<String> {
        Converter::parse(converter).expect("known").run(text, None).map(Cow::into_owned)
    }

    #[test]
    fn converters_give_what_an_event_wants() {
        for (converter, text, expected) in [
            ("personnummer", "19381221 7044", Some("193812217044")),
            ("personnummer", "381221-7044", Some("381221-7044")),
            ("hsa-id", "se2120001538-t100", Some("SE2120001538-T100")),
            ("local-time", "2026-03-10 09:00", Some("2026-03-10T08:00:00Z")),
            ("local-time", "20260710 090030", Some("2026-07-10T07:00:30Z")),
            ("local-time", "2026-03-10T09:00:00+02:00", Some("2026-03-10T09:00:00+02:00")),
            // The hour that never was, and the one that comes twice.
            ("local-time", "2026-03-29 02:30", None),
            ("local-time", "2026-10-25 02:30", Some("2026-10-25T00:30:00Z")),
            ("local-time", "i morgon", None),
            ("day", "20260310", Some("2026-03-10")),
            ("day", "2026-03-10 08:00", Some("2026-03-10")),
            ("day", "10/3", None),
            ("digits", "0521-12 34", Some("05211234")),
            ("one-line", "a\r\n b   c", Some("a b c")),
            ("text", "a\r\nb\u{7}", Some("a\nb")),
            ("last-part", "urn:uuid:abc", Some("abc")),
            ("last-part", "Patient/1", Some("1")),
            ("last-part", "x/", None),
        ] {
            assert_eq!(run(converter, text).as_deref(), expected, "{converter} {text}");
        }
        let with = |format| Converter::LocalTime.run("10.03.2026 kl 09.05", Some(format)).map(Cow::into_owned);
        assert_eq!(with("%d.%m.%Y kl %H.%M").as_deref(), Some("2026-03-10T08:05:00Z"));
        assert_eq!(with("%H:%M"), None);
    }
}
