//! Whether a destination can be reached. An outage belongs to the route, not to each message: while it is closed one
//! probe at a time tries it, and no message pays for that.

use super::decide::{RETRY_AFTER_MAX, RouteNews};
use crate::fault::Code;
use jiff::Timestamp;
use std::time::Duration;

/// For so long an outage is probed at the shortest interval.
const FRESH: Duration = Duration::from_mins(1);
/// A little under a second, so that a receiver that returns is met within one.
const FIRST_INTERVAL: Duration = Duration::from_millis(900);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    Open,
    Closed { since: Timestamp, interval: Duration, heard_at: Timestamp, probe_at: Timestamp },
}

/// What a piece of news changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Nothing,
    Closed(Code),
    Opened,
}

impl Route {
    /// How many deliveries may be claimed now.
    pub(super) fn room(&self, in_flight: usize, most: usize, now: Timestamp) -> usize {
        match self {
            Self::Open => most.saturating_sub(in_flight),
            Self::Closed { heard_at, probe_at, .. } => usize::from(in_flight == 0 && due(*heard_at, *probe_at, now)),
        }
    }

    /// When to look again, where nothing else happens.
    pub(super) fn probe_at(&self) -> Option<Timestamp> {
        match self {
            Self::Open => None,
            Self::Closed { probe_at, .. } => Some(*probe_at),
        }
    }

    pub(super) fn hear(&mut self, news: RouteNews, now: Timestamp, cap: Duration) -> Turn {
        match (&mut *self, news) {
            (Self::Open, RouteNews::Works | RouteNews::Silent) => Turn::Nothing,
            (Self::Closed { .. }, RouteNews::Works) => {
                *self = Self::Open;
                Turn::Opened
            }
            (Self::Open, RouteNews::Down { code, retry_after }) => {
                let probe_at = now + pause(FIRST_INTERVAL, retry_after);
                *self = Self::Closed { since: now, interval: FIRST_INTERVAL, heard_at: now, probe_at };
                Turn::Closed(code)
            }
            (Self::Closed { since, interval, heard_at, probe_at }, news) => {
                let retry_after = if let RouteNews::Down { retry_after, .. } = news { retry_after } else { None };
                // What was in flight when the route closed tells the same story once more; only a probe lengthens the pause.
                if due(*heard_at, *probe_at, now) {
                    let fresh = now.duration_since(*since).as_secs() < i64::try_from(FRESH.as_secs()).unwrap_or(60);
                    *interval = if fresh { FIRST_INTERVAL } else { interval.saturating_mul(2).min(cap.max(FIRST_INTERVAL)) };
                    *heard_at = now;
                    *probe_at = now + pause(*interval, retry_after);
                }
                Turn::Nothing
            }
        }
    }
}

/// Whether it is time for a probe. Where the clock has gone back meanwhile, the time that was set for it means nothing.
fn due(heard_at: Timestamp, probe_at: Timestamp, now: Timestamp) -> bool {
    probe_at <= now || now < heard_at
}

fn pause(interval: Duration, retry_after: Option<Duration>) -> Duration {
    retry_after.map_or(interval, |asked| asked.clamp(interval, RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOWN: RouteNews = RouteNews::Down { code: Code::DlvBusy, retry_after: None };
    const CAP: Duration = Duration::from_mins(1);

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(ms).expect("good")
    }

    #[test]
    fn one_alarm_for_an_outage_and_one_probe_at_a_time_within_a_second() {
        let mut route = Route::Open;
        assert_eq!(route.hear(DOWN, at(0), CAP), Turn::Closed(Code::DlvBusy));
        assert_eq!(route.hear(DOWN, at(5), CAP), Turn::Nothing);
        assert_eq!(route.room(0, 16, at(899)), 0);
        assert_eq!(route.room(0, 16, at(900)), 1);
        assert_eq!(route.room(1, 16, at(900)), 0);
        let mut now = 900;
        while now < 60_000 {
            assert_eq!(route.hear(DOWN, at(now), CAP), Turn::Nothing);
            let next = route.probe_at().expect("closed").as_millisecond();
            assert!(next - now <= 1_000);
            now = next;
        }
        assert_eq!(route.hear(RouteNews::Works, at(now), CAP), Turn::Opened);
        assert_eq!(route.room(0, 16, at(now)), 16);
    }

    #[test]
    fn a_clock_that_goes_back_does_not_keep_the_route_closed() {
        let mut route = Route::Open;
        route.hear(DOWN, at(7_200_000), CAP);
        assert_eq!(route.room(0, 16, at(3_600_000)), 1);
        route.hear(DOWN, at(3_600_000), CAP);
        assert_eq!((route.room(0, 16, at(3_600_500)), route.room(0, 16, at(3_600_900))), (0, 1));
    }

    #[test]
    fn a_time_out_neither_closes_nor_opens() {
        let mut route = Route::Open;
        assert_eq!(route.hear(RouteNews::Silent, at(0), CAP), Turn::Nothing);
        assert_eq!(route, Route::Open);
        route.hear(DOWN, at(0), CAP);
        assert_eq!(route.hear(RouteNews::Silent, at(1_000), CAP), Turn::Nothing);
        assert!(route.probe_at().is_some_and(|probe| probe > at(1_000)));
    }

    #[test]
    fn the_pause_grows_to_its_cap_and_retry_after_is_honoured_within_bounds() {
        let mut route = Route::Open;
        route.hear(DOWN, at(0), CAP);
        let mut now = 61_000;
        for _ in 0..20 {
            route.hear(DOWN, at(now), CAP);
            now = route.probe_at().expect("closed").as_millisecond();
        }
        route.hear(DOWN, at(now), CAP);
        assert_eq!(route.probe_at().expect("closed").as_millisecond() - now, 60_000);
        let mut asked = Route::Open;
        asked.hear(RouteNews::Down { code: Code::DlvBusy, retry_after: Some(Duration::from_secs(7)) }, at(0), CAP);
        assert_eq!(asked.probe_at(), Some(at(7_000)));
        let mut greedy = Route::Open;
        greedy.hear(RouteNews::Down { code: Code::DlvBusy, retry_after: Some(Duration::from_hours(24)) }, at(0), CAP);
        assert_eq!(greedy.probe_at(), Some(at(900_000)));
    }
}
