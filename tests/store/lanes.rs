//! Lanes: one an episode and destination, and only its head is claimed.

use crate::database::Database;
use crate::hand::{
    attempt, claim, claims, commit, ending, entry, finish, lane, message, messages, minute, name, queued, row, sending, state, take, wait,
};
use vardbro::model::state::State;
use vardbro::store::{Entry, Finish, NewDelivery, Room};

pub(crate) fn only_heads_are_claimed(database: &Database) {
    let store = database.open();
    lane(&store, 1, &["a1", "a2", "a3"]);
    lane(&store, 2, &["b1", "b2"]);
    assert_eq!(messages(&claim(&store, 10)), [message("a1"), message("b1")]);
    assert!(claim(&store, 11).is_empty(), "their followers wait");
    assert_eq!([state(&store, "a1"), state(&store, "a2")], [State::Submitted, State::Scheduled]);
    assert_eq!(store.waiting().expect("a working store"), [(name("region"), 5)]);
}

pub(crate) fn destinations_have_lanes_of_their_own(database: &Database) {
    let store = database.open();
    let elsewhere = NewDelivery { destination: name("elsewhere"), ..queued("a", 1) };
    assert!(commit(&store, Entry { deliveries: vec![queued("a", 1), elsewhere], ..entry(1, 0, "a", 0) }));
    let head = take(&store, 10);
    assert!(finish(&store, ending(&head, State::ScheduledForResend, 10)));
    let other = wait(store.claim(name("elsewhere"), minute(10), minute(20), [1; 16], Room { sends: 10, asks: 0 }))
        .expect("a working store")
        .claimed;
    assert_eq!(messages(&other), [message("a")], "one waits, the other does not");
    assert_ne!(other[0].id, head.id);
    assert!(finish(&store, ending(&other[0], State::Accepted, 11)));
    assert_eq!(store.waiting().expect("a working store"), [(name("region"), 1)]);
}

pub(crate) fn claims_keep_their_limit(database: &Database) {
    let store = database.open();
    for number in 1..=5 {
        lane(&store, number, &[&format!("m{number}")]);
    }
    assert!(claims(&store, 10, 0).claimed.is_empty());
    assert_eq!(messages(&claims(&store, 10, 2).claimed), ["m1", "m2"].map(message));
    assert_eq!(messages(&claims(&store, 10, 2).claimed), ["m3", "m4"].map(message));
    assert_eq!(messages(&claims(&store, 10, 2).claimed), ["m5"].map(message));
}

/// A planner that believes the queue to be as short as it was yesterday may look at it in another way.
pub(crate) fn claims_keep_their_limit_when_the_queue_has_grown(database: &Database) {
    let store = database.open();
    lane(&store, 1, &["m1"]);
    database.sql("ANALYZE");
    for number in 2..=20 {
        lane(&store, number, &[&format!("m{number}")]);
    }
    assert_eq!(messages(&claims(&store, 10, 1).claimed), [message("m1")]);
    assert_eq!(messages(&claims(&store, 10, 2).claimed), ["m2", "m3"].map(message));
    assert_eq!(claims(&store, 10, 100).claimed.len(), 17);
}

pub(crate) fn claims_come_by_due_time(database: &Database) {
    let store = database.open();
    for (number, event, due) in [(1, "third", 30), (2, "first", 10), (3, "second", 20), (4, "fourth", 40)] {
        assert!(commit(&store, sending(number, 1, event, due)));
    }
    let early = claims(&store, 5, 10);
    assert_eq!((early.claimed.len(), early.next_due), (0, Some(minute(10))));
    let one = claims(&store, 30, 1);
    assert_eq!(messages(&one.claimed), [message("first")]);
    assert_eq!(one.next_due, Some(minute(40)), "what falls due later, leases included");
    assert_eq!(messages(&claims(&store, 30, 1).claimed), [message("second")]);
    assert_eq!(messages(&claims(&store, 30, 9).claimed), [message("third")]);
}

pub(crate) fn an_end_promotes_the_next_of_its_lane_and_no_other(database: &Database) {
    let store = database.open();
    // Numbers of a lane need not come in the order in which they were made.
    for (from, event, sequence) in [(0, "a1", 10), (1, "a3", 30), (2, "a2", 20)] {
        assert!(commit(&store, Entry { deliveries: vec![queued(event, sequence)], ..entry(1, from, event, 0) }));
    }
    lane(&store, 2, &["b1", "b2"]);
    let both = claim(&store, 10);
    assert!(finish(&store, ending(&both[0], State::Accepted, 11)));
    assert_eq!(messages(&claim(&store, 12)), [message("a2")], "by number; b2 waits for b1");
    assert_eq!([state(&store, "a1"), state(&store, "b1")], [State::Accepted, State::Submitted]);
    assert_eq!(row(&store, "a1").settled_at, Some(minute(11)));
    assert!(finish(&store, ending(&both[1], State::Accepted, 13)));
    assert_eq!(messages(&claim(&store, 14)), [message("b2")]);
}

pub(crate) fn what_leaves_the_lane_frees_it(database: &Database) {
    let store = database.open();
    let leaving = [State::Accepted, State::Rejected, State::Parked, State::Held, State::Expired, State::Resolved];
    for (number, end) in (1..).zip(leaving) {
        let (first, second) = (format!("{number} first"), format!("{number} second"));
        lane(&store, number, &[&first, &second]);
        let head = take(&store, 10);
        assert!(finish(&store, ending(&head, end, 11)));
        let now = row(&store, &first);
        assert_eq!((now.state, now.next_at, now.settled_at.is_some()), (end, None, end.is_end()), "{end:?}");
        let next = take(&store, 12);
        assert_eq!(next.message, message(&second), "{end:?}");
        assert!(finish(&store, ending(&next, State::Accepted, 13)));
    }
}

pub(crate) fn what_waits_in_the_lane_keeps_it(database: &Database) {
    let store = database.open();
    for (number, stays) in (1..).zip([State::ScheduledForResend, State::WaitingForReceipt, State::Scheduled]) {
        let (first, second) = (format!("{number} first"), format!("{number} second"));
        lane(&store, number, &[&first, &second]);
        let head = take(&store, 10);
        assert!(finish(&store, ending(&head, stays, 10)));
        assert_eq!((state(&store, &first), row(&store, &first).next_at), (stays, Some(minute(40))), "{stays:?}");
        let early = claims(&store, 39, 10);
        assert_eq!((early.claimed.len(), early.next_due), (0, Some(minute(40))), "{stays:?}");
        let again = take(&store, 40);
        assert_eq!(again.message, message(&first), "{stays:?}");
        assert!(finish(&store, ending(&again, State::Accepted, 41)));
        assert!(finish(&store, ending(&take(&store, 42), State::Accepted, 43)));
    }
}

/// The route is open again: whoever has not heard what became of a message asks first of all.
pub(crate) fn only_lost_answers_are_hurried(database: &Database) {
    let store = database.open();
    for (number, event, answer) in [(1, "lost", "lost"), (2, "busy", "serverError")] {
        lane(&store, number, &[event, &format!("after {event}")]);
        let head = take(&store, 10);
        let finished = Finish { attempt: Some(attempt(answer)), ..ending(&head, State::ScheduledForResend, 10) };
        assert!(finish(&store, finished));
    }
    let hurry = |destination| wait(store.hurry(name(destination), minute(15))).expect("a working store");
    assert_eq!((hurry("elsewhere"), hurry("region"), hurry("region")), (0, 1, 0));
    assert_eq!(take(&store, 15).message, message("lost"));
    assert_eq!(row(&store, "busy").next_at, Some(minute(40)));
}
