//! What becomes of deliveries that were there before.

use crate::database::Database;
use crate::hand::{
    case, change, changing, claim, commit, content, ending, entry, finish, lane, message, messages, minute, release, remarks, row, sending,
    state, take, told, withheld,
};
use vardbro::model::personal::Personal;
use vardbro::model::state::State;
use vardbro::oplog::Event;
use vardbro::store::{ChangeTo, Committed, Entry, Finish, Store};

fn superseded(event: &str) -> Vec<vardbro::store::Change> {
    vec![change(event, ChangeTo::End { state: State::Superseded, findings: remarks() })]
}

fn withdrawn(event: &str) -> Vec<vardbro::store::Change> {
    vec![change(event, ChangeTo::Withdraw(remarks()))]
}

fn releasing(event: &str, sequence: u64, shadow: bool) -> Vec<vardbro::store::Change> {
    vec![change(event, ChangeTo::Release { release: release(event, sequence), shadow })]
}

fn keep_back(store: &Store, event: &str) {
    assert!(commit(store, Entry { deliveries: vec![withheld(event)], ..entry(1, 0, event, 0) }));
}

pub(crate) fn what_is_withheld_is_released_once(database: &Database) {
    let store = database.open();
    keep_back(&store, "a");
    assert!(claim(&store, 10).is_empty(), "withheld");
    let still = vec![change("a", ChangeTo::StillWithheld(remarks()))];
    assert!(commit(&store, changing(1, 1, still)));
    assert_eq!(store.kept_back(case(1)).expect("a working store")[0].findings, remarks());
    let held = vec![change("a", ChangeTo::Hold(remarks()))];
    assert!(commit(&store, changing(1, 2, held)));
    assert_eq!(state(&store, "a"), State::Held);

    assert!(commit(&store, changing(1, 3, releasing("a", 1, false))));
    let now = row(&store, "a");
    assert_eq!((now.state, now.sequence, now.released_at), (State::Scheduled, Some(1), Some(minute(5))));
    assert!(now.findings.is_empty() && now.code.is_none());
    assert!(store.kept_back(case(1)).expect("a working store").is_empty());
    assert!(!commit(&store, changing(1, 4, releasing("a", 2, false))), "it is in its lane");
    let unknown = releasing("unknown", 2, false);
    assert!(!commit(&store, changing(1, 4, unknown)), "there is no such message");
    assert_eq!(take(&store, 10).content, Personal::new(content("a")));
    // In its lane, nothing about waiting concerns it any more.
    let still = vec![change("a", ChangeTo::StillWithheld(remarks())), change("a", ChangeTo::Hold(remarks()))];
    assert!(commit(&store, changing(1, 4, still)));
    assert!(row(&store, "a").state == State::Submitted && row(&store, "a").findings.is_empty());
}

pub(crate) fn a_shadow_is_written_and_not_sent(database: &Database) {
    let store = database.open();
    keep_back(&store, "a");
    assert!(commit(&store, changing(1, 1, releasing("a", 1, true))));
    let now = row(&store, "a");
    assert_eq!((now.state, now.sequence, now.settled_at), (State::Resolved, Some(1), Some(minute(5))));
    assert!(now.content_hash.is_some() && claim(&store, 10).is_empty());
    assert!(commit(&store, sending(1, 3, "b", 0)), "the lane is free");
    assert_eq!(take(&store, 10).message, message("b"));
}

/// What has left stays a fact: the entry stands, the delivery goes on, and nothing is told of it.
pub(crate) fn what_has_been_tried_is_not_superseded(database: &Database) {
    let store = database.open();
    lane(&store, 1, &["sent", "closed door", "accepted"]);
    let sent = take(&store, 10);
    assert!(commit(&store, changing(1, 3, superseded("sent"))));
    assert_eq!(state(&store, "sent"), State::Submitted, "it may be on its way");
    assert!(finish(&store, ending(&sent, State::Accepted, 11)));
    // It met a closed door, and its try was given back; that it once had an answer is enough.
    let tried = take(&store, 12);
    assert!(finish(&store, Finish { unburn: true, ..ending(&tried, State::ScheduledForResend, 12) }));
    for (from, event) in [(4, "sent"), (5, "closed door")] {
        assert!(commit(&store, changing(1, from, superseded(event))), "{event}");
        assert_ne!(state(&store, event), State::Superseded, "{event}");
    }
    assert_eq!(told(&store, Event::MessageSuperseded), 0);
}

pub(crate) fn what_has_not_been_tried_gives_its_place_to_the_next(database: &Database) {
    let store = database.open();
    lane(&store, 1, &["a", "b", "c"]);
    lane(&store, 2, &["other", "behind"]);
    assert!(commit(&store, changing(1, 3, superseded("a"))));
    let now = row(&store, "a");
    assert_eq!((now.state, now.settled_at, now.findings), (State::Superseded, Some(minute(5)), remarks()));
    assert!(commit(&store, changing(1, 4, withdrawn("b"))));
    assert_eq!(state(&store, "b"), State::Withdrawn);
    assert_eq!(told(&store, Event::MessageSuperseded), 2);
    assert_eq!(messages(&claim(&store, 10)), [message("c"), message("other")]);
}

/// Something else follows from it than was computed.
pub(crate) fn withdrawing_what_has_been_sent_conflicts(database: &Database) {
    let store = database.open();
    lane(&store, 1, &["a"]);
    let sent = take(&store, 10);
    assert!(!commit(&store, changing(1, 1, withdrawn("a"))), "being sent");
    assert!(finish(&store, ending(&sent, State::ScheduledForResend, 11)));
    assert!(!commit(&store, changing(1, 1, withdrawn("a"))), "sent, and to be sent again");
    assert!(finish(&store, ending(&take(&store, 60), State::Accepted, 61)));
    assert!(!commit(&store, changing(1, 1, withdrawn("a"))), "received");
    assert_eq!(state(&store, "a"), State::Accepted);
    assert_eq!(store.episode(case(1)).expect("a working store").expect("the episode").version, 1);
}

pub(crate) fn what_is_parked_can_be_withdrawn(database: &Database) {
    let store = database.open();
    lane(&store, 1, &["a"]);
    let sent = take(&store, 10);
    assert!(finish(&store, ending(&sent, State::Parked, 11)));
    assert!(commit(&store, changing(1, 1, superseded("a"))), "nothing happens to it");
    assert_eq!(state(&store, "a"), State::Parked);
    assert!(commit(&store, changing(1, 2, withdrawn("a"))));
    assert_eq!(state(&store, "a"), State::Withdrawn);
}

pub(crate) fn holding_takes_out_what_is_untried(database: &Database) {
    let store = database.open();
    lane(&store, 1, &["tried", "a", "b", "c"]);
    lane(&store, 2, &["other"]);
    let tried = claim(&store, 10).into_iter().find(|claimed| claimed.message == message("tried")).expect("the head");
    assert!(finish(&store, ending(&tried, State::ScheduledForResend, 10)));
    let holding = Entry { hold: Some(remarks()), ..changing(1, 4, Vec::new()) };
    let committed = store.commit(vec![holding]).expect("a working store").remove(0);
    let Committed::Done(lines) = committed else { panic!("a conflict") };
    let held: Vec<_> = lines.iter().filter(|line| line.event == Event::MessageHeld).filter_map(|line| line.message_id).collect();
    assert_eq!(held, ["a", "b", "c"].map(message), "in the order in which they were made");
    assert_eq!(told(&store, Event::MessageHeld), 3);
    for event in ["a", "b", "c"] {
        assert_eq!((state(&store, event), row(&store, event).findings), (State::Held, remarks()), "{event}");
    }
    assert_eq!((state(&store, "tried"), state(&store, "other")), (State::ScheduledForResend, State::Submitted));
    // They come back as new documents.
    for claimed in claim(&store, 45) {
        assert!(finish(&store, ending(&claimed, State::Accepted, 45)));
    }
    assert!(commit(&store, changing(1, 5, releasing("b", 7, false))));
    assert_eq!(take(&store, 46).message, message("b"));
}
