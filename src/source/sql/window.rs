//! What has been taken of a view into which nothing can be written. Pure: time is an argument.
//!
//! A place in the order is never "done" because something behind it has been seen. It is done when everything up to it has
//! been read again by a pass that began `overlap` or more after it was first seen; until then each pass begins before it.

use super::link::Value;
use super::table::From;
use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};

/// Most keys that are remembered. Those that were forgotten are handed in again, and known again by the duplicate check.
pub(super) const KEYS_MAX: usize = 100_000;
/// Places that are remembered for one overlap.
const STEPS: u32 = 64;

pub(super) struct Window {
    overlap: Duration,
    reread: Duration,
    /// From here on nothing is certain yet; from the start if none.
    bound: Option<Value>,
    /// How far had been read, and when.
    seen: VecDeque<(Instant, Value)>,
    pass: Option<Pass>,
    whole: Option<Instant>,
    known: HashSet<String>,
    age: VecDeque<String>,
}

struct Pass {
    began: Instant,
    from: From,
    last: Option<Value>,
    /// Everything that was met is done with.
    clean: bool,
    whole: bool,
}

impl Window {
    pub(super) fn new(overlap: Duration, reread: Duration) -> Self {
        Self { overlap, reread, bound: None, seen: VecDeque::new(), pass: None, whole: None, known: HashSet::new(), age: VecDeque::new() }
    }

    /// From where to read the next page.
    pub(super) fn next(&mut self, now: Instant) -> From {
        let whole = self.whole.is_none_or(|whole| now.duration_since(whole) >= self.reread);
        let start = match &self.bound {
            Some(bound) if !whole => From::At(bound.clone()),
            _ => From::Start,
        };
        self.pass.get_or_insert(Pass { began: now, from: start, last: None, clean: true, whole }).from.clone()
    }

    pub(super) fn knows(&self, key: &str) -> bool {
        self.known.contains(key)
    }

    /// A row that is done with, so that it is not handed in at every pass.
    pub(super) fn remember(&mut self, key: String) {
        if self.known.insert(key.clone()) {
            self.age.push_back(key);
        }
        if self.age.len() > KEYS_MAX
            && let Some(oldest) = self.age.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    /// A row that must be met again: nothing behind it is certain.
    pub(super) fn leave(&mut self) {
        if let Some(pass) = &mut self.pass {
            pass.clean = false;
        }
    }

    /// A page has been worked off up to this row.
    pub(super) fn reached(&mut self, order: Value, key: Value) {
        if let Some(pass) = &mut self.pass {
            pass.last = Some(order.clone());
            pass.from = From::After(order, key);
        }
    }

    /// The view has no more rows.
    pub(super) fn ended(&mut self, now: Instant) {
        let Some(pass) = self.pass.take().filter(|pass| pass.clean) else { return };
        if pass.whole {
            self.whole = Some(pass.began);
        }
        while self.seen.front().is_some_and(|(at, _)| pass.began.saturating_duration_since(*at) >= self.overlap) {
            self.bound = self.seen.pop_front().map(|(_, place)| place);
        }
        let dense = self.seen.back().is_some_and(|(at, _)| now.saturating_duration_since(*at) < self.overlap / STEPS);
        if let Some(last) = pass.last.filter(|_| !dense) {
            self.seen.push_back((now, last));
        }
    }

    /// The pass is given up; the next one begins where this one did.
    pub(super) fn broken(&mut self) {
        self.pass = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Clock(Instant);

    impl Clock {
        fn after(&mut self, seconds: u64) -> Instant {
            self.0 += Duration::from_secs(seconds);
            self.0
        }
    }

    /// Reads all up to a place, and says from where.
    fn pass(window: &mut Window, now: Instant, last: i64) -> Option<i64> {
        let from = match window.next(now) {
            From::At(Value::Int(at)) => Some(at),
            _ => None,
        };
        window.reached(Value::Int(last), Value::Int(last));
        window.ended(now);
        from
    }

    #[test]
    fn a_place_is_done_only_by_a_pass_that_began_an_overlap_later() {
        let (mut clock, mut window) = (Clock(Instant::now()), Window::new(Duration::from_secs(100), Duration::from_hours(24)));
        assert_eq!(pass(&mut window, clock.after(0), 10), None, "the first pass begins at the start");
        assert_eq!(pass(&mut window, clock.after(50), 20), None, "10 is not certain yet");
        // However long nothing could be read: only this pass makes 10 and 20 certain, and it still reads all.
        assert_eq!(pass(&mut window, clock.after(1000), 20), None);
        assert_eq!(pass(&mut window, clock.after(1), 30), Some(20));
        assert_eq!(pass(&mut window, clock.after(1), 30), Some(20), "30 has only been seen");
    }

    #[test]
    fn what_must_be_met_again_holds_the_bound() {
        let (mut clock, mut window) = (Clock(Instant::now()), Window::new(Duration::from_secs(10), Duration::from_hours(24)));
        pass(&mut window, clock.after(0), 10);
        window.next(clock.after(20));
        window.leave();
        window.reached(Value::Int(10), Value::Int(10));
        window.ended(clock.after(0));
        assert_eq!(pass(&mut window, clock.after(20), 10), None, "the pass before was not clean");
        assert_eq!(pass(&mut window, clock.after(1), 10), Some(10));
    }

    #[test]
    fn everything_is_read_again_in_time_and_memory_is_bounded() {
        let (mut clock, mut window) = (Clock(Instant::now()), Window::new(Duration::from_secs(10), Duration::from_secs(100)));
        pass(&mut window, clock.after(0), 10);
        pass(&mut window, clock.after(20), 10);
        assert_eq!(pass(&mut window, clock.after(20), 10), Some(10));
        assert_eq!(pass(&mut window, clock.after(61), 10), None, "the whole view again");
        (0..KEYS_MAX + 2).for_each(|key| window.remember(key.to_string()));
        assert_eq!(window.known.len(), KEYS_MAX);
        assert!(!window.knows("0") && window.knows("2"));
    }
}
