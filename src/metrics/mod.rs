//! What the program counts and measures of its own work, in the words of Prometheus.
//!
//! One list names every figure; the registry, the page in `docs/` and the tests come from it. Labels hold names of the
//! configuration and words of ours, never anything that an event brought along: they are few, and none is personal.
//!
//! What happens is counted where it happens, in atomics: that costs a tenth of a microsecond beside a commit that costs
//! milliseconds, and no figure has to be looked up in a store that grows. What stands now is asked of the store when somebody
//! wants to know, see `daemon/monitor/`.

mod kinds;
mod list;

pub use kinds::{Counts, Durations, Entry, Kind, Levels, Sizes};
pub use list::{LIST, Metrics};

use crate::model::state::State;
use crate::oplog::{Event, Line, Reason};

/// Stands for a type that could not be read.
pub const UNREADABLE: &str = "unreadable";

/// How the figures are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Prometheus' own, 0.0.4: what everything reads.
    Prometheus,
    /// `OpenMetrics` 1.0.0, for whoever asks for it.
    OpenMetrics,
}

impl Format {
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

impl Metrics {
    /// Tells of what has happened: each line goes to the log, and those that end a message are counted.
    pub fn tell(&self, lines: &[Line]) {
        for line in lines {
            line.emit();
            // A later receipt that contradicts the first changes nothing.
            if let (Some(state), Some(destination)) = (line.state.filter(|state| State::is_end(*state)), &line.destination)
                && line.event != Event::ReceiptContradicted
            {
                self.messages_ended.count([destination.as_str(), state.code()]);
            }
            if let (Event::StorePurged, Some(Reason::Counted(kind, count))) = (line.event, line.reason) {
                self.purged.add([kind], count);
            }
        }
    }

    /// All figures as text.
    pub fn text(&self, format: Format) -> String {
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _ = prometheus_client::encoding::text::encode(&mut out, self.registry());
        if format == Format::OpenMetrics { out } else { plain(&out) }
    }
}

/// The older form differs in what a counter is called above its samples, and has no end.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 256);
    let counters: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter")).collect();
    for line in text.lines().filter(|line| *line != "# EOF") {
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        match words[..] {
            ["#", kind, name, rest] if counters.contains(&name) => out.extend(["# ", kind, " ", name, "_total ", rest, "\n"]),
            _ => out.extend([line, "\n"]),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::name::Name;
    use crate::oplog::Level;
    use jiff::Timestamp;
    use std::collections::BTreeSet;
    use std::time::Duration;

    /// Every figure with a sample.
    fn all() -> Metrics {
        let metrics = Metrics::default();
        metrics.events.count(["a\"b\\c\n", "K-PU", "accepted"]);
        metrics.messages_ended.count(["region", "ACCEPTED"]);
        metrics.attempts.count(["region", "lost"]);
        metrics.attempt_duration.took(["region"], Duration::from_millis(30));
        metrics.deliveries.set(["region", "SCHEDULED"], 7);
        for levels in [&metrics.oldest_pending, &metrics.receipts_overdue, &metrics.route_open, &metrics.clock_skew] {
            levels.set(["region"], 1);
        }
        metrics.source_up.set(["journal"], 1);
        metrics.alarms_open.set(["route"], 1);
        metrics.certificate.set(["http"], 1_900_000_000);
        metrics.build_info.set(["1"], 1);
        for level in [&metrics.store_writable, &metrics.store_size, &metrics.oldest_content, &metrics.disk_free, &metrics.process_start] {
            level.set([], 1);
        }
        metrics.commit_duration.took([], Duration::from_micros(700));
        metrics.commit_writes.were([], 3);
        metrics.commit_failures.count([]);
        metrics.purged.add(["content"], 2);
        metrics
    }

    fn of<'a>(text: &'a str, prefix: &str) -> BTreeSet<&'a str> {
        text.lines().filter_map(|line| line.strip_prefix(prefix)?.split(' ').next()).collect()
    }

    #[test]
    fn every_figure_of_the_list_is_written_under_the_name_that_queries_use() {
        let text = all().text(Format::Prometheus);
        let listed: Vec<String> = LIST.iter().map(Entry::shown).collect();
        let listed: BTreeSet<&str> = listed.iter().map(String::as_str).collect();
        assert_eq!(of(&text, "# TYPE "), listed, "{text}");
        assert_eq!(of(&text, "# HELP "), listed, "{text}");
        for entry in LIST {
            let name = if entry.kind == Kind::Histogram { format!("{}_bucket", entry.name) } else { entry.shown() };
            let samples: Vec<&str> =
                text.lines().filter(|line| line.starts_with(&format!("{name}{{")) || line.starts_with(&format!("{name} "))).collect();
            assert!(!samples.is_empty(), "{name} has no sample:\n{text}");
            assert!(samples.iter().all(|line| entry.labels.iter().all(|label| line.contains(&format!("{label}=\"")))), "{samples:?}");
        }
        assert!(!text.contains("# EOF"));
        assert!(text.contains(r#"source="a\"b\\c\n""#), "{text}");
    }

    #[test]
    fn the_newer_form_names_counters_without_their_ending_and_has_an_end() {
        let text = all().text(Format::OpenMetrics);
        assert!(text.contains("# TYPE vardbro_events counter\n") && text.contains("\nvardbro_events_total{"), "{text}");
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn names_are_those_of_the_convention() {
        let units = ["_seconds", "_bytes", "_info"];
        for entry in LIST {
            assert!(entry.name.starts_with("vardbro_") || entry.name == "process_start_time_seconds", "{}", entry.name);
            assert!(entry.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{}", entry.name);
            assert!(!entry.name.ends_with("_total"), "{}: it is put there by itself", entry.name);
            let (help, unit) = (entry.en.to_lowercase(), units.iter().any(|unit| entry.name.ends_with(unit)));
            assert!(unit || !help.contains("how long") && !help.contains("how big"), "{} has no unit", entry.name);
            assert!(!entry.en.ends_with('.') && !entry.sv.ends_with('.'), "{}", entry.name);
            assert!(entry.labels.iter().all(|label| !["le", "job", "instance", "quantile"].contains(label)), "{}", entry.name);
        }
    }

    #[test]
    fn an_end_is_counted_once_and_what_is_no_end_is_not() {
        let metrics = Metrics::default();
        let line = |event, state| {
            let mut line = Line::new(Timestamp::UNIX_EPOCH, Level::Info, event);
            line.destination = Name::parse("region");
            line.state = Some(state);
            line
        };
        metrics.tell(&[
            line(Event::MessageReleased, State::Scheduled),
            line(Event::DeliveryWaiting, State::WaitingForReceipt),
            line(Event::DeliveryParked, State::Parked),
            line(Event::DeliveryAccepted, State::Accepted),
            line(Event::ReceiptContradicted, State::Accepted),
            line(Event::MessageRefused, State::Refused),
        ]);
        let text = metrics.text(Format::Prometheus);
        let samples: Vec<&str> = text.lines().filter(|line| line.starts_with("vardbro_messages_ended")).collect();
        assert_eq!(samples.len(), 2, "{samples:?}");
        assert!(samples.iter().all(|line| line.ends_with(" 1")), "{samples:?}");
    }
}
