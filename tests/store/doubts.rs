//! What a restore leaves in doubt.

use crate::database::Database;
use crate::hand::{change, changing, commit, ending, entry, finish, lane, line, minute, reference, sending, state, take, told, withheld};
use vardbro::model::state::State;
use vardbro::oplog::Event;
use vardbro::store::{ChangeTo, Committed, Entry, Restored, Store, Who};

fn restore(store: &Store, at: i64) -> u64 {
    let (line, who) = (line(Event::StoreRestored), Who::daemon());
    let restored = Restored { at: minute(at), backup_at: None, doubt_until: minute(at + 10), line, who };
    store.mark_restored(restored).expect("a working store")
}

fn doubts(store: &Store) -> u64 {
    store.doubts().expect("a working store")
}

pub(crate) fn what_has_no_end_is_in_doubt_until_it_has_one(database: &Database) {
    let store = database.open();
    lane(&store, 1, &["done", "first", "second"]);
    let done = take(&store, 0);
    assert!(!done.in_doubt && finish(&store, ending(&done, State::Accepted, 1)));
    assert!(commit(&store, Entry { deliveries: vec![withheld("kept")], ..entry(2, 0, "kept", 0) }));
    assert_eq!((restore(&store, 5), doubts(&store), told(&store, Event::StoreRestored)), (3, 3, 1));

    let first = take(&store, 6);
    assert!(first.in_doubt);
    // The answer to the question was lost, or the way was closed: it is as unknown as before.
    assert!(finish(&store, ending(&first, State::ScheduledForResend, 7)));
    assert!(take(&store, 60).in_doubt && doubts(&store) == 3);
    let first = take(&store, 90);
    assert!(first.in_doubt && finish(&store, ending(&first, State::Accepted, 91)));
    assert!(take(&store, 92).in_doubt);
    assert_eq!(doubts(&store), 2);
}

pub(crate) fn what_happened_before_a_restore_is_in_doubt_however_late_it_comes(database: &Database) {
    let store = database.open();
    restore(&store, 5);
    for (number, event, at, in_doubt) in [(1, "before", 0, true), (2, "a clock ahead", 14, true), (3, "after", 15, false)] {
        assert!(commit(&store, sending(number, 1, event, at)));
        assert_eq!(take(&store, 20).in_doubt, in_doubt, "{event}");
    }
    drop(store);
    assert_eq!(database.open().numbers_from(), u64::try_from(minute(5).as_second()).expect("positive"));
}

pub(crate) fn what_is_in_doubt_counts_as_sent(database: &Database) {
    let store = database.open();
    lane(&store, 1, &["a"]);
    restore(&store, 5);
    let end = ChangeTo::End { state: State::Superseded, findings: Vec::new() };
    assert!(commit(&store, changing(1, 1, vec![change("a", end)])));
    assert_eq!(state(&store, "a"), State::Scheduled, "it is not superseded");
    let withdraw = changing(1, 2, vec![change("a", ChangeTo::Withdraw(Vec::new()))]);
    assert!(matches!(store.commit(vec![withdraw]).expect("a working store")[..], [Committed::Conflict]));
    let past = store.past_of(&reference("a")).expect("a working store");
    assert!(past[0].tried && past[0].in_doubt);
}
