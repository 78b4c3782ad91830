//! Alarms, outcomes, the journal and requests: what is told, how often, and to whom.

use crate::database::Database;
use crate::hand::{
    case, changing, claim, commit, ending, entry, finish, lane, line, message, minute, name, queued, row, state, take, told, wait,
};
use vardbro::alarm::{self, Alarm, Ring, Rung};
use vardbro::fault::Code;
use vardbro::model::state::State;
use vardbro::oplog::{Event, Line};
use vardbro::store::{Answers, Audit, Entry, Filter, Finish, Kind, Store, StoreFault, Who};

async fn ring(store: &Store, rung: Rung, subject: &str) -> Result<bool, StoreFault> {
    let alarm = Alarm { cause: Code::DlvLost.id().to_owned(), ..Alarm::new(alarm::Kind::Route, &name(subject)) };
    Ok(store.tell_alarms(vec![Ring::of(rung, alarm, minute(0))]).await?.len() == 1)
}

async fn open_alarm(store: &Store, subject: &str) -> Result<bool, StoreFault> {
    ring(store, Rung::Opened, subject).await
}

async fn close_alarm(store: &Store, subject: &str) -> Result<bool, StoreFault> {
    ring(store, Rung::Closed, subject).await
}

pub(crate) fn an_alarm_opens_once_and_closes_once(database: &Database) {
    let store = database.open();
    let open = |store: &Store, subject| wait(open_alarm(store, subject)).expect("a working store");
    let close = |store: &Store, subject| wait(close_alarm(store, subject)).expect("a working store");
    assert!(!close(&store, "region"), "none is open");
    assert!(open(&store, "region") && open(&store, "elsewhere"));
    assert!(!open(&store, "region"));
    drop(store);
    let store = database.open();
    assert!(!open(&store, "region"), "it is still open after a restart");
    assert!(close(&store, "region") && !close(&store, "region"));
    assert!(open(&store, "region"), "and may open again");
    assert_eq!((told(&store, Event::AlarmOpened), told(&store, Event::AlarmClosed)), (3, 1));
}

pub(crate) fn a_source_is_told_of_every_change(database: &Database) {
    let store = database.open();
    let untold = |store: &Store| -> Vec<(i64, i64, usize)> {
        let untold = store.untold(&name("journal"), 10).expect("a working store");
        untold.iter().map(|untold| (untold.event, untold.outcome, untold.deliveries.len())).collect()
    };
    let hear = |told: &[(i64, i64, usize)]| {
        let told = told.iter().map(|(event, outcome, _)| (*event, *outcome)).collect();
        wait(store.told(told)).expect("a working store");
    };
    lane(&store, 1, &["a", "b"]);
    assert!(store.untold(&name("elsewhere"), 10).expect("a working store").is_empty());
    let first = untold(&store);
    assert_eq!(first.len(), 2, "an event that was taken in is a change of fate");
    hear(&first);
    assert!(untold(&store).is_empty());
    let sent = take(&store, 10);
    assert!(finish(&store, ending(&sent, State::ScheduledForResend, 10)));
    let second = untold(&store);
    assert_eq!((second.len(), second[0].0), (1, first[0].0));
    // It changes again while the source is being told.
    assert!(finish(&store, ending(&take(&store, 50), State::Accepted, 50)));
    hear(&second);
    let third = untold(&store);
    assert_eq!(third.len(), 1, "what came meanwhile is told as well");
    hear(&third);
    hear(&first);
    assert!(untold(&store).is_empty(), "what has been told later stays told");
    // An outcome tells of the deliveries of every version.
    let mut next = Entry { deliveries: vec![queued("a2", 9)], ..entry(1, 2, "a", 60) };
    let event = next.event.as_mut().expect("an event");
    (event.version, event.hash) = (2, [1; 32]);
    assert!(commit(&store, next));
    assert_eq!(untold(&store).iter().map(|(_, _, deliveries)| *deliveries).collect::<Vec<_>>(), [2]);
}

pub(crate) fn the_journal_is_filtered(database: &Database) {
    let store = database.open();
    let of = |number: u8, event: &str, state: State, at: i64| Line {
        at: minute(at),
        episode_id: Some(case(number)),
        message_id: Some(message(event)),
        state: Some(state),
        ..line(Event::MessageReleased).code(if number == 1 { Code::DlvLost } else { Code::DlvRejected })
    };
    let lines = vec![of(1, "a", State::Scheduled, 1), of(1, "b", State::Accepted, 2), of(2, "c", State::Scheduled, 3)];
    assert!(commit(&store, Entry { lines, event: None, ..entry(1, 0, "", 0) }));
    let ask = |filter: Filter| -> Vec<String> {
        let rows = store.journal(&Filter { limit: if filter.limit == 0 { 10 } else { filter.limit }, ..filter }).expect("a working store");
        let messages = ["a", "b", "c"];
        let of = |line: &str| messages.iter().find(|event| line.contains(&message(event).to_string())).expect("a line of ours").to_string();
        rows.iter().map(|row| of(&row.line)).collect()
    };
    let all = Filter::default;
    assert_eq!(ask(all()), ["a", "b", "c"], "oldest first");
    assert_eq!(ask(Filter { episode: Some(case(1).to_string()), ..all() }), ["a", "b"]);
    assert_eq!(ask(Filter { message: Some(message("b").to_string()[..8].to_owned()), ..all() }), ["b"], "by the beginning of an id");
    assert_eq!(ask(Filter { state: Some(State::Scheduled), ..all() }), ["a", "c"]);
    assert_eq!(ask(Filter { code: Some(Code::DlvRejected.id().to_owned()), ..all() }), ["c"]);
    assert_eq!(ask(Filter { since: Some(minute(2)), ..all() }), ["b", "c"]);
    assert_eq!(ask(Filter { limit: 2, ..all() }), ["b", "c"], "the newest, where none is named");
    let first = store.journal(&Filter { limit: 10, ..all() }).expect("a working store")[0].id;
    assert_eq!(ask(Filter { after: first, limit: 1, ..all() }), ["b"], "the next ones after a row");
    assert_eq!(ask(Filter { episode: Some(case(1).to_string()), state: Some(State::Accepted), ..all() }), ["b"], "all at once");
}

pub(crate) fn a_request_is_done_once(database: &Database) {
    let store = database.open();
    let beside = database.open_to_read().expect("a store");
    let request = beside.ask(minute(0), "operator", "{\"release\":1}").expect("a working store");
    let second = store.ask(minute(1), "operator", "{}").expect("a working store");
    let asked: Vec<i64> = store.asked(10).expect("a working store").iter().map(|asked| asked.id).collect();
    assert_eq!(asked, [request, second], "oldest first");
    assert_eq!(store.asked(1).expect("a working store")[0].action, "{\"release\":1}");
    let doing = |number, from| {
        let audit = Some(Audit::new(minute(5), Kind::Released, Who::daemon()));
        let answers = Some(Answers { request, outcome: "{\"done\":true}".to_owned(), audit });
        Entry { answers, ..changing(number, from, Vec::new()) }
    };
    assert!(commit(&store, doing(1, 0)));
    assert!(!commit(&store, doing(2, 0)), "done already");
    assert!(store.episode(case(2)).expect("a working store").is_none());
    assert_eq!(store.verify_audit(None).expect("a working store").rows, 1, "what was not done is not told of");
    let row = beside.request(request).expect("a working store").expect("the request");
    assert_eq!((row.done_at, row.outcome.as_deref(), row.by.as_str()), (Some(minute(5)), Some("{\"done\":true}"), "operator"));
    assert_eq!(store.asked(10).expect("a working store").len(), 1);
    assert!(store.request(second + 1).expect("a working store").is_none());
}

/// A rule of the test's own makes one write fail half-way, among others that wait for the same commit.
pub(crate) fn what_fails_undoes_its_own_writes(database: &Database) {
    let store = database.open();
    database.sql("CREATE UNIQUE INDEX closed_once ON journal (event) WHERE event = 'alarm.closed'");
    lane(&store, 1, &["a"]);
    let subjects: Vec<String> = (0..8).map(|number| number.to_string()).collect();
    for subject in &subjects {
        assert!(wait(open_alarm(&store, subject)).expect("a working store"));
    }
    let closed: Vec<Result<bool, StoreFault>> = std::thread::scope(|scope| {
        let closers: Vec<_> = subjects.iter().map(|subject| scope.spawn(|| wait(close_alarm(&store, subject)))).collect();
        closers.into_iter().map(|closer| closer.join().expect("no panic")).collect()
    });
    assert_eq!(closed.iter().filter(|closed| **closed == Ok(true)).count(), 1, "{closed:?}");
    assert_eq!(closed.iter().filter(|closed| closed.is_err()).count(), 7, "{closed:?}");
    assert_eq!(told(&store, Event::AlarmClosed), 1);
    for (subject, closed) in subjects.iter().zip(&closed) {
        let opens = wait(open_alarm(&store, subject)).expect("the writer lives");
        assert_eq!(opens, closed.is_ok(), "{subject}: the row that could not be told of is still there");
    }
    assert!(finish(&store, ending(&take(&store, 10), State::Accepted, 11)));
    assert_eq!(state(&store, "a"), State::Accepted);
}

pub(crate) fn what_stands_now_is_counted(database: &Database) {
    let store = database.open();
    let nothing = store.figures().expect("a working store");
    assert!(nothing.unsettled.is_empty() && nothing.overdue.is_empty() && nothing.alarms.is_empty() && nothing.bytes > 0);
    lane(&store, 1, &["a", "b"]);
    lane(&store, 2, &["c"]);
    let claimed = claim(&store, 10).into_iter().find(|claimed| claimed.message == message("c")).expect("the head");
    assert!(finish(&store, Finish { code: Some(Code::DlvReceiptOverdue.id()), ..ending(&claimed, State::Parked, 11) }));
    assert_eq!(wait(open_alarm(&store, "region")), Ok(true));
    let now = store.figures().expect("a working store");
    let mut counted: Vec<_> = now.unsettled.iter().map(|of| (of.state.code(), of.count)).collect();
    counted.sort_unstable();
    assert_eq!(counted, [("PARKED", 1), ("SCHEDULED", 1), ("SUBMITTED", 1)]);
    let oldest = ["a", "b"].into_iter().filter_map(|event| row(&store, event).released_at).min();
    assert_eq!(now.oldest().values().copied().min(), oldest, "the queue's, and not of what is parked");
    assert_eq!(now.overdue.iter().map(|(_, count)| *count).collect::<Vec<_>>(), [1]);
    assert_eq!(now.alarms_by_name.into_iter().collect::<Vec<_>>(), [("route".to_owned(), 1)]);
    assert_eq!((now.alarms[0].alarm.subject.as_str(), now.alarms[0].opened_at), ("region", minute(0)));
    for at in [20, 21] {
        assert_eq!(wait(store.try_to_write(minute(at))), Ok(()));
    }
}
