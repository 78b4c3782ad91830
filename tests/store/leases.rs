//! Leases: nobody has a delivery that another one has, and nobody who comes late changes it.

use crate::database::Database;
use crate::hand::{
    case, claim, claims, commit, content, ending, finish, lane, message, messages, minute, name, reference, remarks, row, sending, state,
    take, told,
};
use std::collections::BTreeSet;
use std::sync::Barrier;
use vardbro::fault::Code;
use vardbro::model::personal::Personal;
use vardbro::model::receipt::ContentHash;
use vardbro::model::state::State;
use vardbro::oplog::Event;
use vardbro::store::{Filter, Finish, Store};

pub(crate) fn a_claim_counts_the_try_and_carries_what_is_sent(database: &Database) {
    let store = database.open();
    lane(&store, 1, &["a"]);
    let first = take(&store, 10);
    assert_eq!((first.message, first.episode, &first.event_ref), (message("a"), case(1), &reference("a")));
    assert_eq!((first.attempt, first.released_at, &first.last_answer, first.tried_at), (1, minute(0), &None, None));
    assert_eq!((first.content, first.hash), (Personal::new(content("a")), ContentHash::of(&content("a")).as_bytes().to_vec()));
    assert_eq!(row(&store, "a").attempts, 1, "before anything is sent");
    // Its worker is gone; the next one counts on.
    assert!(finish(&store, ending(&take(&store, 20), State::ScheduledForResend, 20)));
    let third = take(&store, 50);
    assert_eq!((third.attempt, third.last_answer.as_deref(), third.tried_at), (3, Some("accepted"), Some(minute(20))));
}

pub(crate) fn claimers_at_one_moment_never_get_the_same(database: &Database) {
    const CASES: u8 = 120;
    let workers = database.workers(4);
    for number in 1..=CASES {
        assert!(commit(&workers[0], sending(number, 1, &number.to_string(), 0)));
    }
    let barrier = Barrier::new(workers.len());
    let taken: Vec<Vec<i64>> = std::thread::scope(|scope| {
        let claimer = |store| {
            let barrier = &barrier;
            scope.spawn(move || {
                barrier.wait();
                let mut taken = Vec::new();
                loop {
                    let more = claims(store, 10, 7).claimed;
                    if more.is_empty() {
                        break taken;
                    }
                    assert!(more.len() <= 7);
                    taken.extend(more.iter().map(|claimed| claimed.id));
                }
            })
        };
        let claimers: Vec<_> = workers.iter().map(claimer).collect();
        claimers.into_iter().map(|claimer| claimer.join().expect("no panic")).collect()
    });
    let all: Vec<i64> = taken.concat();
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "one was given twice");
    // Who met only rows that another one was just taking may have gone home early; nothing is lost by that.
    assert_eq!(all.len() + claim(&workers[0], 10).len(), usize::from(CASES));
}

pub(crate) fn a_lease_that_ran_out_passes_on(database: &Database) {
    let store = database.open();
    lane(&store, 1, &["a", "b"]);
    let first = take(&store, 10);
    assert!(claim(&store, 19).is_empty(), "ten minutes");
    let second = take(&store, 20);
    assert_eq!((second.id, second.attempt), (first.id, 2), "the try that nobody ended counts");
    assert_ne!(second.token, first.token);
    assert!(finish(&store, ending(&second, State::Accepted, 21)));
    assert_eq!(take(&store, 22).message, message("b"));
}

pub(crate) fn whoever_comes_late_changes_nothing(database: &Database) {
    let store = database.open();
    lane(&store, 1, &["a", "b"]);
    let late = take(&store, 10);
    let ours = take(&store, 20);
    let outcome = |store: &Store| store.untold(&name("journal"), 10).expect("a working store")[0].outcome;
    let before = (outcome(&store), row(&store, "a").next_at);
    let nothing = |store: &Store, state_of: State| {
        assert_eq!(state(store, "a"), state_of);
        assert_eq!((told(store, Event::DeliveryAttempt), store.attempts(late.id).expect("a working store").len()), (0, 0));
        assert_eq!((outcome(store), row(store, "a").next_at), before);
        assert!(claim(store, 21).is_empty(), "b waits");
    };
    for end in [State::Accepted, State::Parked, State::ScheduledForResend] {
        assert!(!finish(&store, ending(&late, end, 21)), "{end:?}");
        nothing(&store, State::Submitted);
    }
    assert!(!finish(&store, Finish { id: ours.id + 1, ..ending(&ours, State::Accepted, 21) }), "another's token");
    assert!(finish(&store, ending(&ours, State::Accepted, 22)));
    assert!(!finish(&store, ending(&ours, State::Parked, 23)), "it is ended");
    assert_eq!((state(&store, "a"), told(&store, Event::DeliveryAttempt)), (State::Accepted, 1));
}

/// The route failed, not the message: the source hears nothing, and the try is as if it had not been.
pub(crate) fn a_try_that_does_not_count_is_given_back(database: &Database) {
    let store = database.open();
    lane(&store, 1, &["a"]);
    let outcome = |store: &Store| store.untold(&name("journal"), 10).expect("a working store")[0].outcome;
    let before = outcome(&store);
    for now in [10, 60] {
        let tried = take(&store, now);
        assert_eq!(tried.attempt, 1);
        assert!(finish(&store, Finish { unburn: true, ..ending(&tried, State::ScheduledForResend, now) }));
        assert_eq!((row(&store, "a").attempts, outcome(&store)), (0, before));
    }
    assert!(finish(&store, ending(&take(&store, 100), State::ScheduledForResend, 100)));
    assert_eq!((row(&store, "a").attempts, outcome(&store)), (1, before + 1));
}

pub(crate) fn an_attempt_is_kept(database: &Database) {
    let store = database.open();
    lane(&store, 1, &["a"]);
    let claimed = take(&store, 10);
    let ended = Finish { code: Some(Code::DlvRejected.id()), findings: remarks(), ..ending(&claimed, State::Rejected, 11) };
    assert!(finish(&store, ended));
    let attempts = store.attempts(claimed.id).expect("a working store");
    let [attempt] = &attempts[..] else { panic!("{attempts:?}") };
    assert_eq!((attempt.n, attempt.started_at, attempt.duration_ms, attempt.http_status), (1, minute(1), 17, Some(200)));
    assert_eq!((attempt.answer.as_str(), attempt.code.as_deref()), ("accepted", Some(Code::DlvLost.id())));
    assert_eq!(attempt.receipt, Some(Personal::new(b"<receipt/>".to_vec())));
    let row = row(&store, "a");
    assert_eq!((row.code.as_deref(), row.findings), (Some(Code::DlvRejected.id()), remarks()));
}

/// Damage in one row is no reason to keep the others waiting, nor what comes after it.
pub(crate) fn a_damaged_row_is_parked_alone(database: &Database) {
    let store = database.open();
    lane(&store, 1, &["damaged", "after"]);
    lane(&store, 2, &["sound"]);
    let damaged = row(&store, "damaged").id;
    database.sql(&format!("UPDATE delivery SET message_id = 'damaged' WHERE id = {damaged}"));
    let claimed = claim(&store, 10);
    assert_eq!(messages(&claimed), [message("sound")]);
    let parked = store.delivery(damaged).expect("a working store").expect("the row");
    assert_eq!((parked.state, parked.code.as_deref()), (State::Parked, Some(Code::DlvCorrupt.id())));
    let filter = Filter { code: Some(Code::DlvCorrupt.id().to_owned()), limit: 10, ..Filter::default() };
    assert_eq!(store.journal(&filter).expect("a working store").len(), 1);
    assert_eq!(take(&store, 11).message, message("after"));
    // What is damaged within the document is seen by its hash, before it is sent.
    lane(&store, 3, &["c"]);
    database.sql(&format!("UPDATE delivery SET document = {} WHERE id = {}", database.bytes(b"x"), row(&store, "c").id));
    if database.is_sealed() {
        assert!(claim(&store, 12).is_empty(), "sealed, it does not open and is parked here already");
        assert_eq!(state(&store, "c"), State::Parked);
        return;
    }
    let claimed = take(&store, 12);
    assert_ne!(claimed.hash, ContentHash::of(b"x").as_bytes().to_vec());
    assert_eq!(claimed.content, Personal::new(b"x".to_vec()));
}
