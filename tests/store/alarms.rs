//! Alarms of every kind, and the notices of them.

use crate::database::Database;
use crate::hand::{case, commit, entry, minute, moved, name, told, wait, withheld};
use jiff::Timestamp;
use std::collections::BTreeSet;
use vardbro::alarm::{Alarm, Kind, Ring, Rung, Subject};
use vardbro::model::state::State;
use vardbro::oplog::Event;
use vardbro::store::{Entry, NewDelivery, Store, WaitingNotice};

fn ring(rung: Rung, at: i64, told_at: Option<i64>) -> Ring {
    Ring { told_at: told_at.map(minute), ..Ring::of(rung, Alarm::new(Kind::Parked, &name("region")), minute(at)) }
}

fn tell(store: &Store, ring: Ring) -> usize {
    wait(store.tell_alarms(vec![ring])).expect("a working store").len()
}

fn take(store: &Store, output: &'static str, at: Timestamp) -> Option<WaitingNotice> {
    wait(store.take_notice(output, at, at + jiff::SignedDuration::from_secs(30), minute(100_000))).expect("a working store")
}

pub(crate) fn of_several_who_look_one_tells(database: &Database) {
    let stores = database.workers(4);
    let all = |ring: &Ring| -> usize {
        std::thread::scope(|scope| {
            let looks: Vec<_> = stores.iter().map(|store| scope.spawn(|| tell(store, ring.clone()))).collect();
            looks.into_iter().map(|look| look.join().expect("no panic")).sum()
        })
    };
    wait(stores[0].set_outputs(vec!["webhook"])).expect("a working store");
    assert_eq!(all(&ring(Rung::Opened, 0, None)), 1);
    assert_eq!(all(&ring(Rung::Still, 60, Some(0))), 1);
    assert_eq!(all(&ring(Rung::Still, 61, Some(0))), 0, "it has been told since that was read");
    assert_eq!(all(&ring(Rung::Closed, 62, Some(0))), 0);
    assert_eq!(all(&ring(Rung::Closed, 63, Some(60))), 1);
    assert_eq!(all(&ring(Rung::Closed, 64, None)), 0);
    let store = &stores[0];
    assert_eq!([Event::AlarmOpened, Event::AlarmStill, Event::AlarmClosed].map(|event| told(store, event)), [1, 1, 1]);
    let mut given = Vec::new();
    while let Some(notice) = take(store, "webhook", minute(70)) {
        wait(store.drop_notice(notice.id)).expect("a working store");
        given.push(serde_json::from_str::<serde_json::Value>(&notice.body).expect("JSON"));
    }
    assert_eq!(given.iter().map(|notice| notice["rung"].as_str().expect("a word")).collect::<Vec<_>>(), ["opened", "still", "closed"]);
    assert!(given[2]["since"] == given[0]["at"] && given[2]["at"] != given[0]["at"], "{given:?}");
}

pub(crate) fn a_notice_is_written_for_each_way_out_and_given_in_order(database: &Database) {
    let store = database.open();
    assert_eq!(tell(&store, ring(Rung::Opened, 0, None)), 1);
    assert_eq!((store.has_notices("webhook"), take(&store, "webhook", minute(1))), (Ok(false), None), "nobody is to be told");
    wait(store.set_outputs(vec!["webhook", "command"])).expect("a working store");
    assert_eq!(tell(&store, ring(Rung::Still, 1, Some(0))), 1);
    assert_eq!(tell(&store, ring(Rung::Closed, 2, None)), 1);
    let first = take(&store, "webhook", minute(3)).expect("a notice");
    assert_eq!(take(&store, "webhook", minute(3)), None, "it is somebody's, and the second waits for it");
    let again = take(&store, "webhook", minute(4)).expect("whoever had it has died");
    assert_eq!((again.notice_id, again.body, again.tries), (first.notice_id.clone(), first.body, 2));
    wait(store.put_off_notice(first.id, minute(10))).expect("a working store");
    assert_eq!((take(&store, "webhook", minute(9)), store.stuck_notices("webhook", 2)), (None, Ok(2)));
    assert_eq!((store.stuck_notices("webhook", 3), store.stuck_notices("command", 1)), (Ok(0), Ok(0)));
    drop(store);
    let store = database.open();
    assert!(take(&store, "webhook", minute(10)).is_some(), "over a restart");
    wait(store.drop_notice(first.id)).expect("a working store");
    let second = take(&store, "webhook", minute(11)).expect("the next");
    assert_ne!(second.notice_id, first.notice_id);
    // What a clock that went far ahead has put off falls due now.
    wait(store.put_off_notice(second.id, minute(1_000_000))).expect("a working store");
    assert!(take(&store, "webhook", minute(12)).is_some());
    let other = take(&store, "command", minute(12)).expect("the other way out's own");
    assert_eq!(other.notice_id, first.notice_id, "the same notice");
    wait(store.set_outputs(vec!["webhook"])).expect("a working store");
    assert_eq!((store.has_notices("command"), store.has_notices("webhook")), (Ok(false), Ok(true)));
}

pub(crate) fn the_alarm_of_a_due_time_follows_its_entry(database: &Database) {
    let store = database.open();
    wait(store.set_outputs(vec!["command"])).expect("a working store");
    let due = |rung, at, step| {
        let subject = Subject::due(case(1), "K-PU abc");
        Ring { since: minute(0), ..Ring::of(rung, Alarm { step, ..Alarm::new(Kind::Deadline, subject) }, minute(at)) }
    };
    let with = |from, event: &str, alarms| Entry { alarms, episode: Some(moved(1, from)), ..entry(1, from, event, 1) };
    assert!(commit(&store, with(0, "a", vec![due(Rung::Opened, 1, 0)])));
    let open = || store.alarms_of_all_kinds(10).expect("a working store");
    assert_eq!((open().len(), store.alarms().expect("a working store").len()), (1, 0), "due times are read only when asked for");
    assert!(!commit(&store, with(0, "b", vec![due(Rung::Closed, 2, 0)])), "a conflict");
    assert_eq!(open().len(), 1);
    assert!(commit(&store, with(1, "b", vec![due(Rung::Worse, 2, 1)])));
    assert_eq!((open()[0].alarm.step, open()[0].opened_at, open()[0].told_at), (1, minute(0), minute(2)));
    assert!(commit(&store, with(2, "c", vec![due(Rung::Closed, 3, 1)])));
    assert!(open().is_empty());
    // One that an earlier version opened has no row; its end is told all the same.
    assert!(commit(&store, with(3, "d", vec![due(Rung::Closed, 4, 1)])));
    let mut ids = BTreeSet::new();
    while let Some(notice) = take(&store, "command", minute(5)) {
        assert!(notice.body.contains(&case(1).to_string()) && !notice.body.contains("abc"), "{}", notice.body);
        ids.insert(notice.notice_id);
        wait(store.drop_notice(notice.id)).expect("a working store");
    }
    assert_eq!(ids.len(), 4);
    assert_eq!(told(&store, Event::AlarmOpened), 0, "it has lines of its own");
}

pub(crate) fn a_source_is_heard_of_when_it_was_last_heard_of(database: &Database) {
    let store = database.open();
    let hear = |at: Option<i64>, now| wait(store.hear_of(vec![(name("journal"), at.map(minute))], minute(now))).expect("a working store");
    let heard = || store.heard().expect("a working store")[&name("journal")];
    hear(None, 1);
    assert_eq!(heard(), minute(1), "first seen");
    hear(None, 2);
    assert_eq!(heard(), minute(1));
    hear(Some(3), 4);
    assert_eq!(heard(), minute(3));
    hear(Some(2), 5);
    assert_eq!(heard(), minute(3), "another replica has heard of it since");
}

pub(crate) fn refusals_are_counted_by_source_and_time(database: &Database) {
    let store = database.open();
    let refused = |number, event, at| {
        let delivery = NewDelivery { state: State::Refused, ..withheld(event) };
        assert!(commit(&store, Entry { deliveries: vec![delivery], ..entry(number, 0, event, at) }));
    };
    refused(1, "a", 1);
    refused(2, "b", 10);
    let since = |at| store.refused_since(minute(at)).expect("a working store").into_iter().collect::<Vec<_>>();
    assert_eq!(since(0), [(name("journal"), 2)]);
    assert_eq!(since(5), [(name("journal"), 1)]);
    assert_eq!(since(10), []);
}
