//! How far two clocks are apart, as far as an answer's `Date` can tell.

use jiff::{SignedDuration, Timestamp};

/// The least difference that explains a `Date` within an exchange of our `began` to `ended`: above zero where the other clock is
/// ahead. `Date` has whole seconds, and when it was written within the exchange nobody knows: neither is taken for a difference.
pub fn skew(date: Timestamp, began: Timestamp, ended: Timestamp) -> SignedDuration {
    let (began, ended) = (began.min(ended), began.max(ended));
    let (least, most) = (date.duration_since(ended), (date + SignedDuration::from_secs(1)).duration_since(began));
    if least > SignedDuration::ZERO { least } else { most.min(SignedDuration::ZERO) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_neither_the_second_nor_the_way_explains_is_a_difference() {
        let at = |millis: i64| Timestamp::from_millisecond(1_773_100_000_000 + millis).expect("an instant");
        let skew = |date, began, ended| skew(at(date), at(began), at(ended)).as_millis();
        assert_eq!(skew(0, 0, 0), 0);
        assert_eq!(skew(0, 999, 30_000), 0, "the second had not passed");
        assert_eq!(skew(30_000, 0, 30_000), 0, "written at the end of a long exchange");
        assert_eq!(skew(60_000, 0, 500), 59_500, "ahead");
        assert_eq!(skew(-60_000, 0, 500), -59_000, "behind");
        assert_eq!(skew(0, 500, 0), 0, "our clock was set back meanwhile");
    }
}
