//! What a person does with messages by hand.

use crate::database::Database;
use crate::hand::{
    attempt, case, change, changing, claim, commit, content, ending, entry, finish, lane, message, messages, minute, remarks, row, state,
    take, told, withheld,
};
use vardbro::model::personal::Personal;
use vardbro::model::state::State;
use vardbro::oplog::Event;
use vardbro::store::{Attempt, Change, ChangeTo, Entry, Finish, Store, Wanted};

fn again(event: &str, from: State) -> Vec<Change> {
    vec![change(event, ChangeTo::Resend { from })]
}

fn closed(event: &str, from: State) -> Vec<Change> {
    vec![change(event, ChangeTo::Resolve { from, findings: remarks() })]
}

/// Sends what is due and ends it like this.
fn end(store: &Store, event: &str, state: State, at: i64) {
    let claimed = claim(store, at).into_iter().find(|claimed| claimed.message == message(event)).expect("the head");
    let answer = Attempt { started_at: minute(at), ..attempt("serverError") };
    assert!(finish(store, Finish { attempt: Some(answer), ..ending(&claimed, state, at) }));
}

pub(crate) fn a_resend_starts_the_limits_anew_and_keeps_the_history(database: &Database) {
    let store = database.open();
    lane(&store, 1, &["a"]);
    end(&store, "a", State::ScheduledForResend, 10);
    end(&store, "a", State::Parked, 50);
    assert!(claim(&store, 200).is_empty(), "parked");
    let untold = |store: &Store| store.untold(&crate::hand::name("journal"), 10).expect("a working store").remove(0).outcome;
    let before = untold(&store);
    assert!(commit(&store, Entry { at: minute(300), ..changing(1, 1, again("a", State::Parked)) }));
    assert_eq!(untold(&store), before + 1, "the source hears of it");
    let now = row(&store, "a");
    assert_eq!((now.state, now.sequence, now.released_at), (State::Scheduled, Some(1), Some(minute(300))));
    assert!(now.code.is_none() && now.findings.is_empty() && now.settled_at.is_none());
    let claimed = take(&store, 300);
    assert_eq!((claimed.attempt, claimed.turn, claimed.released_at), (3, 1, minute(300)));
    assert_eq!(claimed.content, Personal::new(content("a")), "the same content");
    assert_eq!(claimed.last_answer.as_deref(), Some("unanswered"), "it may have arrived: where the receiver can be asked, it is asked");
    let answer = Attempt { started_at: minute(300), ..attempt("accepted") };
    assert!(finish(&store, Finish { attempt: Some(answer), ..ending(&claimed, State::Accepted, 301) }));
    let tries: Vec<u32> = store.attempts(now.id).expect("a working store").iter().map(|one| one.n).collect();
    assert_eq!(tries, [1, 2, 3], "the history goes on");
    assert!(store.check().expect("a working store").damaged.is_empty());
}

pub(crate) fn a_resend_goes_before_what_waits_and_after_what_has_left(database: &Database) {
    let store = database.open();
    lane(&store, 1, &["a", "b", "c"]);
    end(&store, "a", State::Rejected, 10);
    let under_way = take(&store, 11);
    assert_eq!(under_way.message, message("b"));
    assert!(commit(&store, changing(1, 3, again("a", State::Rejected))));
    assert!(store.check().expect("a working store").damaged.is_empty(), "one head, and it is the first");
    // What was under way ends as it ends, or comes back; it is not sent again before the one that has its place.
    assert!(finish(&store, ending(&under_way, State::ScheduledForResend, 12)));
    assert!(store.check().expect("a working store").damaged.is_empty());
    let claimed = take(&store, 100);
    assert_eq!((claimed.message, claimed.last_answer.as_deref()), (message("a"), None), "its old answer would be given again");
    assert!(claim(&store, 101).is_empty(), "the lane is held");
    assert!(finish(&store, ending(&claimed, State::Accepted, 102)));
    for event in ["b", "c"] {
        assert_eq!(messages(&claim(&store, 150)), [message(event)]);
        let ended = claim(&store, 161).remove(0);
        assert!(finish(&store, ending(&ended, State::Accepted, 162)));
    }
    // An accepted one too, where a person says so; into an empty lane.
    assert!(commit(&store, changing(1, 4, again("b", State::Accepted))));
    assert_eq!(take(&store, 200).message, message("b"));
}

pub(crate) fn a_resend_by_an_older_plan_conflicts(database: &Database) {
    let store = database.open();
    lane(&store, 1, &["a", "b"]);
    for from in [State::Parked, State::Rejected, State::Accepted, State::Scheduled] {
        assert!(!commit(&store, changing(1, 2, again("a", from))), "it is in its lane");
    }
    end(&store, "a", State::Parked, 10);
    assert!(!commit(&store, changing(1, 2, again("a", State::Rejected))), "it is parked");
    assert!(!commit(&store, changing(1, 1, again("a", State::Parked))), "the episode has moved");
    assert!(commit(&store, changing(1, 2, again("a", State::Parked))));
    assert!(!commit(&store, changing(1, 3, again("a", State::Parked))), "once");
    assert_eq!(messages(&claim(&store, 20)), [message("a")]);
}

/// It may have left, whatever it looks like: a document that is written anew would be another one under the same id.
pub(crate) fn what_was_sent_again_is_neither_held_nor_superseded(database: &Database) {
    let store = database.open();
    lane(&store, 1, &["a"]);
    end(&store, "a", State::Parked, 10);
    assert!(commit(&store, changing(1, 1, again("a", State::Parked))));
    assert!(commit(&store, Entry { hold: Some(remarks()), ..changing(1, 2, Vec::new()) }));
    let superseding = vec![change("a", ChangeTo::End { state: State::Superseded, findings: remarks() })];
    assert!(commit(&store, changing(1, 3, superseding)), "nothing happens to it");
    assert!(!commit(&store, changing(1, 4, vec![change("a", ChangeTo::Withdraw(remarks()))])));
    assert!(!commit(&store, changing(1, 4, closed("a", State::Scheduled))));
    assert_eq!(state(&store, "a"), State::Scheduled);
}

pub(crate) fn what_is_closed_by_hand_is_not_sent(database: &Database) {
    let store = database.open();
    lane(&store, 1, &["parked", "closed door", "behind"]);
    end(&store, "parked", State::Parked, 10);
    // It met nothing but a closed door.
    let probe = take(&store, 11);
    assert!(finish(&store, Finish { unburn: true, ..ending(&probe, State::Scheduled, 11) }));
    assert!(commit(&store, Entry { deliveries: vec![withheld("withheld")], ..entry(2, 0, "withheld", 0) }));
    assert!(commit(&store, changing(1, 3, closed("parked", State::Parked))));
    assert!(commit(&store, changing(1, 4, closed("closed door", State::Scheduled))));
    assert!(commit(&store, changing(2, 1, closed("withheld", State::Withheld))));
    for event in ["parked", "closed door", "withheld"] {
        let now = row(&store, event);
        assert_eq!((now.state, now.settled_at, now.findings), (State::Resolved, Some(minute(5)), remarks()), "{event}");
    }
    assert_eq!(told(&store, Event::MessageSuperseded), 3, "each is told of");
    assert!(store.kept_back(case(2)).expect("a working store").is_empty());
    assert_eq!(messages(&claim(&store, 100)), [message("behind")], "the lane goes on without it");
    assert!(!commit(&store, changing(1, 5, closed("parked", State::Parked))), "once");
}

pub(crate) fn what_may_have_left_is_not_closed(database: &Database) {
    let store = database.open();
    lane(&store, 1, &["a"]);
    let sent = take(&store, 10);
    assert!(!commit(&store, changing(1, 1, closed("a", State::Submitted))), "being sent");
    assert!(finish(&store, ending(&sent, State::ScheduledForResend, 11)));
    assert!(!commit(&store, changing(1, 1, closed("a", State::ScheduledForResend))), "its answer may be lost");
    end(&store, "a", State::WaitingForReceipt, 60);
    assert!(!commit(&store, changing(1, 1, closed("a", State::WaitingForReceipt))), "the receiver has it");
    end(&store, "a", State::Accepted, 100);
    assert!(!commit(&store, changing(1, 1, closed("a", State::Accepted))), "an end");
}

pub(crate) fn what_a_person_is_to_deal_with_is_found_oldest_first(database: &Database) {
    let store = database.open();
    for (number, event) in (1..).zip(["a", "b", "c", "d"]) {
        lane(&store, number, &[event]);
    }
    for (claimed, state) in claim(&store, 10).iter().zip([State::Parked, State::Parked, State::Rejected]) {
        assert!(finish(&store, ending(claimed, state, 10)));
    }
    let wanted = |states: &[State], limit: usize| Wanted { states: states.to_vec(), limit, ..Wanted::default() };
    let found = |wanted: &Wanted| {
        let (rows, beyond) = store.wanted(wanted).expect("a working store");
        (rows.into_iter().map(|row| row.message).collect::<Vec<_>>(), beyond)
    };
    let of = |events: &[&str]| events.iter().map(|event| message(event).to_string()).collect::<Vec<_>>();
    assert_eq!(found(&wanted(&[State::Parked], 10)), (of(&["a", "b"]), 0));
    assert_eq!(found(&wanted(&[State::Parked, State::Rejected], 1)), (of(&["a"]), 2));
    assert_eq!(found(&Wanted { destination: Some("else".to_owned()), ..wanted(&[State::Parked], 10) }), (Vec::new(), 0));
    let rejected = wanted(&[State::Rejected], 10);
    assert_eq!(found(&Wanted { since: Some(minute(10)), ..rejected.clone() }), (of(&["c"]), 0), "by when it ended");
    assert_eq!(found(&Wanted { since: Some(minute(11)), ..rejected.clone() }), (Vec::new(), 0));
    assert_eq!(found(&Wanted { until: Some(minute(0)), ..rejected.clone() }), (of(&["c"]), 0), "by when it began");
    assert_eq!(found(&Wanted { until: Some(minute(-1)), ..rejected }), (Vec::new(), 0));
    let row = row(&store, "a");
    let written = store.written(row.id).expect("a working store").expect("a delivery");
    assert_eq!((written.document, written.event), (Some(Personal::new(content("a"))), Some(Personal::new(b"{}".to_vec()))));
    assert_eq!(store.newest_version(row.event).expect("a working store"), Some((crate::hand::reference("a"), 1)));
    let named = store.delivery_to(message("a"), &crate::hand::name("region")).expect("a working store");
    assert_eq!(named.map(|named| named.id), Some(row.id));
}
