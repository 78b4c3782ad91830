//! Rows that are left alone for a while, so that they hold up no others. Pure: time is an argument.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Most of them; those that are not remembered are met again at once.
const STUCK_MAX: usize = 1024;
const PAUSE_FIRST: Duration = Duration::from_secs(2);
const PAUSE_MAX: Duration = Duration::from_hours(1);

#[derive(Default)]
pub(super) struct Stuck(HashMap<String, (Instant, Duration)>);

impl Stuck {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn holds(&self, origin: &str, now: Instant) -> bool {
        self.0.get(origin).is_some_and(|(until, _)| now < *until)
    }

    /// For longer each time.
    pub(super) fn hold(&mut self, origin: String, now: Instant) {
        let pause = self.0.get(&origin).map_or(PAUSE_FIRST, |(_, pause)| (*pause * 2).min(PAUSE_MAX));
        if self.0.len() < STUCK_MAX || self.0.contains_key(&origin) {
            self.0.insert(origin, (now + pause, pause));
        }
    }

    pub(super) fn free(&mut self, origin: &str) {
        self.0.remove(origin);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_left_alone_for_longer_each_time_and_memory_is_bounded() {
        let (now, mut stuck) = (Instant::now(), Stuck::default());
        stuck.hold("a".to_owned(), now);
        assert!(stuck.holds("a", now + Duration::from_secs(1)) && !stuck.holds("a", now + Duration::from_secs(2)));
        stuck.hold("a".to_owned(), now);
        assert!(stuck.holds("a", now + Duration::from_secs(3)));
        (0..2 * STUCK_MAX).for_each(|n| stuck.hold(n.to_string(), now));
        assert_eq!(stuck.len(), STUCK_MAX);
        stuck.free("a");
        assert!(!stuck.holds("a", now));
    }
}
