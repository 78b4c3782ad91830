//! Entries: whole or not at all, and never computed from what is no longer so.

use crate::database::Database;
use crate::hand::{case, changing, commit, entry, line, message, minute, moved, name, queued, reference, remarks, row, sending, told};
use std::sync::atomic::{AtomicBool, Ordering};
use vardbro::model::personal::Personal;
use vardbro::model::state::State;
use vardbro::oplog::Event;
use vardbro::store::{Answers, Committed, Entry, EpisodeWrite, Filter, NewDelivery};

pub(crate) fn an_entry_commits_whole(database: &Database) {
    let store = database.open();
    let mut whole = sending(1, 1, "a", 0);
    whole.deliveries.push(NewDelivery { message: message("a2"), findings: remarks(), ..queued("a2", 2) });
    whole.lines.push(line(Event::EventAccepted));
    whole.episode = Some(EpisodeWrite { patient: Some(reference("patient")), ..moved(1, 0) });
    assert!(commit(&store, whole));

    let kept = store.episode(case(1)).expect("a working store").expect("the episode");
    assert_eq!((kept.version, kept.opened_at), (1, minute(0)));
    assert_eq!(kept.body, Personal::new(b"{\"from\":0}".to_vec()));
    assert_eq!(store.versions(&reference("a")).expect("a working store").len(), 1);
    assert_eq!(store.episode_of(message("a2")).expect("a working store"), Some(case(1)));
    assert_eq!(store.episode_of_event(&reference("a")).expect("a working store"), Some(case(1)));
    assert_eq!(store.events_of(case(1)).expect("a working store").len(), 1);
    let delivery = row(&store, "a2");
    assert_eq!((delivery.state, delivery.sequence, delivery.attempts), (State::Scheduled, Some(2), 0));
    assert_eq!((delivery.findings, delivery.code.as_deref()), (remarks(), Some(remarks()[0].code.as_str())));
    assert_eq!(store.event(delivery.event).expect("a working store").expect("the event").key, reference("a").as_str());
    assert_eq!(told(&store, Event::EventAccepted), 1);
    // The patient leads to the next episode.
    let next = Entry { episode: Some(EpisodeWrite { patient: Some(reference("patient")), ..moved(2, 0) }), ..entry(2, 0, "b", 0) };
    assert!(commit(&store, next));
    assert_eq!(store.episodes_of_same_patient(case(1)).expect("a working store"), [case(2)]);
}

/// The last thing that is written finds out; everything before it is undone, and its neighbours are not.
pub(crate) fn an_entry_that_conflicts_leaves_nothing(database: &Database) {
    let store = database.open();
    assert!(commit(&store, sending(1, 1, "before", 0)));
    let mut doomed = sending(1, 2, "doomed", 0);
    doomed.lines.push(line(Event::EventAccepted));
    doomed.hold = Some(remarks());
    doomed.answers = Some(Answers { request: 77, outcome: "{}".to_owned(), audit: None });
    let committed = store.commit(vec![sending(2, 1, "left", 0), doomed, sending(3, 1, "right", 0)]).expect("a working store");
    assert!(matches!(committed[..], [Committed::Done(_), Committed::Conflict, Committed::Done(_)]), "{committed:?}");

    assert_eq!(store.episode(case(1)).expect("a working store").expect("the episode").version, 1);
    assert!(store.versions(&reference("doomed")).expect("a working store").is_empty());
    assert_eq!(store.episode_of(message("doomed")).expect("a working store"), None);
    assert_eq!(row(&store, "before").state, State::Scheduled, "nothing was held");
    assert_eq!(told(&store, Event::EventAccepted) + told(&store, Event::MessageHeld), 0);
    for stands in ["left", "right"] {
        assert_eq!(row(&store, stands).state, State::Scheduled, "{stands}");
    }
}

pub(crate) fn an_episode_that_moved_is_a_conflict(database: &Database) {
    let store = database.open();
    assert!(commit(&store, entry(1, 0, "a", 0)));
    assert!(!commit(&store, entry(1, 0, "b", 0)), "it is there already");
    assert!(commit(&store, entry(1, 1, "b", 0)));
    assert!(!commit(&store, entry(1, 1, "c", 0)), "it has moved");
    assert!(!commit(&store, entry(1, 3, "c", 0)), "it has not come so far");
    assert!(!commit(&store, entry(2, 1, "c", 0)), "there is none");
    assert_eq!(store.episode(case(1)).expect("a working store").expect("the episode").version, 2);
    assert_eq!(store.episode(case(2)).expect("a working store").map(|row| row.version), None);
}

pub(crate) fn the_same_content_is_taken_once(database: &Database) {
    let store = database.open();
    assert!(commit(&store, entry(1, 0, "a", 0)));
    let mut again = entry(1, 1, "a", 0);
    again.event.as_mut().expect("an event").version = 2;
    assert!(!commit(&store, again.clone()), "a duplicate under another number");
    again.event.as_mut().expect("an event").key = reference("b");
    assert!(commit(&store, again), "another event may say the same");
    assert_eq!(store.versions(&reference("a")).expect("a working store").len(), 1);
}

pub(crate) fn a_version_is_unique(database: &Database) {
    let store = database.open();
    assert!(commit(&store, entry(1, 0, "a", 0)));
    let mut next = entry(1, 1, "a", 0);
    next.event.as_mut().expect("an event").hash = [1; 32];
    assert!(!commit(&store, next.clone()), "two records as version 1");
    next.event.as_mut().expect("an event").version = 2;
    next.event.as_mut().expect("an event").body = Personal::new(b"{\"v\":2}".to_vec());
    assert!(commit(&store, next));
    let versions = store.versions(&reference("a")).expect("a working store");
    assert_eq!(versions.iter().map(|(version, _)| *version).collect::<Vec<_>>(), [1, 2]);
    let events = store.events_of(case(1)).expect("a working store");
    assert_eq!(
        events.iter().map(|event| (event.version, &event.body)).collect::<Vec<_>>(),
        [(2, &Some(Personal::new(b"{\"v\":2}".to_vec())))]
    );
}

pub(crate) fn a_message_is_made_once_for_a_destination(database: &Database) {
    let store = database.open();
    assert!(commit(&store, sending(1, 1, "a", 0)));
    let mut again = sending(1, 2, "b", 0);
    again.deliveries[0].message = message("a");
    assert!(!commit(&store, again.clone()));
    again.deliveries[0].destination = name("elsewhere");
    assert!(commit(&store, again));
}

/// A reader beside the writer, as long as it writes: an episode has all of its deliveries, its event and its line, or is not there.
pub(crate) fn readers_see_an_entry_whole_or_not_at_all(database: &Database) {
    const EPISODES: u8 = 60;
    let store = database.open();
    let reader = database.open_to_read().expect("a store");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 1..=EPISODES {
                let mut whole = entry(number, 0, &format!("event {number}"), 0);
                whole.deliveries = (0..3).map(|at| queued(&format!("{number} {at}"), at + 1)).collect();
                whole.lines = vec![line(Event::EventAccepted)];
                assert!(commit(&store, whole));
            }
            done.store(true, Ordering::Release);
        });
        let mut last = false;
        while !last {
            // One look more after the last entry.
            last = done.load(Ordering::Acquire);
            let ids = reader.episode_ids().expect("a working store");
            for id in &ids {
                let filter = Filter { episode: Some(id.to_string()), limit: 10, ..Filter::default() };
                let rows = reader.deliveries(&filter).expect("a working store");
                assert_eq!(rows.len(), 3, "{id}");
                assert!(reader.event(rows[0].event).expect("a working store").is_some());
            }
            assert!(told(&reader, Event::EventAccepted) >= ids.len());
            assert!(!last || ids.len() == usize::from(EPISODES));
        }
    });
}

pub(crate) fn episodes_are_due_when_their_time_comes(database: &Database) {
    let store = database.open();
    for (number, look_at) in [(1, Some(20)), (2, Some(10)), (3, None), (4, Some(40))] {
        let episode = EpisodeWrite { look_at: look_at.map(minute), ..moved(number, 0) };
        assert!(commit(&store, Entry { episode: Some(episode), ..entry(number, 0, &number.to_string(), 0) }));
    }
    let due = |now: i64, limit| store.due_episodes(minute(now), limit).expect("a working store");
    assert_eq!(due(9, 10), (vec![], Some(minute(10))));
    assert_eq!(due(20, 10), (vec![case(2), case(1)], Some(minute(40))));
    assert_eq!(due(20, 1).0, [case(2)]);
    assert!(commit(&store, changing(2, 1, Vec::new())), "looked at, and nothing to wait for");
    assert_eq!(due(60, 10), (vec![case(1), case(4)], None));
}
