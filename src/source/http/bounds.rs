//! What a source may ask of us: how often, and with which keys.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

/// Idempotency keys that are remembered, and how long.
const KEYS_MAX: usize = 10_000;
const KEYS_AGE: Duration = Duration::from_hours(24);

/// Lets so many through a second, and a second's worth at once.
#[derive(Debug)]
pub(super) struct Bucket {
    per_second: f64,
    left: f64,
    filled: Instant,
}

impl Bucket {
    pub(super) fn new(per_second: f64, now: Instant) -> Self {
        Self { per_second, left: per_second.max(1.0), filled: now }
    }

    /// Takes one, or says how long until there is one.
    pub(super) fn take(&mut self, now: Instant) -> Result<(), Duration> {
        let since = now.saturating_duration_since(self.filled).as_secs_f64();
        self.left = (self.left + since * self.per_second).min(self.per_second.max(1.0));
        self.filled = now;
        if self.left < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - self.left) / self.per_second));
        }
        self.left -= 1.0;
        Ok(())
    }
}

pub(super) type Hash = [u8; 32];

/// Which content came under which idempotency key; both as hashes.
#[derive(Debug, Default)]
pub(super) struct Keys {
    contents: HashMap<Hash, Hash>,
    /// The keys, oldest first.
    order: VecDeque<(Hash, Instant)>,
}

impl Keys {
    /// Remembers the content of a key. False where another content came under it.
    pub(super) fn fits(&mut self, key: Hash, content: Hash, now: Instant) -> bool {
        while let Some((oldest, since)) = self.order.front().copied() {
            if self.order.len() < KEYS_MAX && now.saturating_duration_since(since) < KEYS_AGE {
                break;
            }
            self.order.pop_front();
            self.contents.remove(&oldest);
        }
        if let Some(known) = self.contents.get(&key) {
            return *known == content;
        }
        self.contents.insert(key, content);
        self.order.push_back((key, now));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_lets_its_rate_through_and_says_how_long_to_wait() {
        let start = Instant::now();
        let mut bucket = Bucket::new(4.0, start);
        assert_eq!((0..4).filter(|_| bucket.take(start).is_ok()).count(), 4);
        assert_eq!(bucket.take(start), Err(Duration::from_millis(250)));
        assert_eq!(bucket.take(start + Duration::from_millis(250)), Ok(()));
        assert!(bucket.take(start + Duration::from_millis(250)).is_err());
        assert_eq!((0..9).filter(|_| bucket.take(start + Duration::from_mins(1)).is_ok()).count(), 4, "no more than a second's worth");
        let mut slow = Bucket::new(0.1, start);
        assert_eq!(slow.take(start), Ok(()), "one at least");
        assert_eq!(slow.take(start), Err(Duration::from_secs(10)));
    }

    #[test]
    fn a_key_stands_for_one_content_until_it_is_forgotten() {
        let hash = |number: usize| -> Hash {
            let mut hash = [0; 32];
            hash[..8].copy_from_slice(&number.to_be_bytes());
            hash
        };
        let (start, mut keys) = (Instant::now(), Keys::default());
        assert!(keys.fits(hash(1), hash(1), start) && keys.fits(hash(1), hash(1), start));
        assert!(!keys.fits(hash(1), hash(2), start));
        assert!(keys.fits(hash(1), hash(2), start + KEYS_AGE), "a day later");
        for number in 2..2 * KEYS_MAX {
            assert!(keys.fits(hash(number), hash(1), start + KEYS_AGE));
        }
        assert!(keys.contents.len() <= KEYS_MAX && keys.order.len() == keys.contents.len());
        assert!(keys.fits(hash(1), hash(3), start + KEYS_AGE), "more keys than are remembered");
    }
}
