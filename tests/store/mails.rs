//! Mails to those who keep a source: written with what they tell of, counted by the hour, in order.

use crate::database::Database;
use crate::hand::{case, change, changing, commit, entry, minute, moved, name, reference, remarks, wait, withheld};
use jiff::Timestamp;
use vardbro::alarm::{Alarm, Kind, Ring, Rung, Subject};
use vardbro::model::episode::ClockKind;
use vardbro::model::personal::Personal;
use vardbro::model::state::State;
use vardbro::store::{About, ChangeTo, Content, Entry, MAILS_MAX, Mail, NewDelivery, Rejected, Store};

fn mailed(store: &Store, sources: &[&str]) {
    wait(store.set_mailed(sources.iter().map(|source| name(source)).collect())).expect("a working store");
}

fn next(store: &Store, at: Timestamp) -> Option<Mail> {
    store.next_mail(&name("journal"), at, minute(100_000)).expect("a working store")
}

fn given(store: &Store, mail: &Mail, at: Timestamp) {
    assert!(wait(store.lease_mail(mail, at)).expect("a working store"));
    wait(store.mail_given(mail, at)).expect("a working store");
}

/// What a mail tells of, and the case that it names.
#[expect(clippy::disallowed_methods, reason = "a test may look")]
fn tells(mail: &Mail) -> (About, Option<String>) {
    let Content::One(matter) = &mail.content else { panic!("{mail:?}") };
    (matter.disclose().about, matter.disclose().case.clone())
}

fn rejected(number: i64) -> Entry {
    let rejected = Rejected {
        source: name("journal"),
        reference: reference(&format!("file {number}")),
        findings: remarks(),
        case: Some(Personal::new(format!("ARENDE-{number}"))),
        kind: None,
        occurred_at: None,
    };
    Entry { event: None, episode: None, rejected: Some(rejected), ..entry(1, 0, "", number) }
}

pub(crate) fn a_mail_is_written_with_what_it_tells_of(database: &Database) {
    let store = database.open();
    assert!(commit(&store, rejected(0)));
    assert!(next(&store, minute(1)).is_none(), "nobody is mailed");
    mailed(&store, &["journal", "other"]);
    assert!(commit(&store, rejected(1)));
    let named = |event: &str, from, at| {
        let mut entry = entry(1, from, event, at);
        let body = br#"{"episodeRef": {"caseId": "ARENDE-9"}}"#.to_vec();
        entry.event = entry.event.map(|event| vardbro::store::NewEvent { body: Personal::new(body), ..event });
        entry
    };
    let two = ["region", "shadow"].map(|to| NewDelivery { destination: name(to), ..withheld("a") });
    assert!(commit(&store, Entry { deliveries: two.to_vec(), ..named("a", 0, 2) }));
    assert!(!commit(&store, Entry { deliveries: vec![withheld("b")], ..named("b", 0, 3) }), "a conflict");
    for at in [4, 5] {
        let held = changing(1, at - 3, vec![change("a", ChangeTo::Hold(remarks()))]);
        assert!(commit(&store, Entry { at: minute(at.cast_signed()), ..held }));
    }
    let due = Alarm { step: 1, ..Alarm::new(Kind::Deadline, Subject::due(case(1), "K-PU abc")) };
    let ring = |rung, at| vec![Ring::of(rung, due.clone(), minute(at))];
    assert!(commit(&store, Entry { alarms: ring(Rung::Opened, 6), episode: Some(moved(1, 3)), ..named("c", 3, 6) }));
    assert!(commit(&store, Entry { alarms: ring(Rung::Still, 7), episode: Some(moved(1, 4)), ..named("d", 4, 7) }));
    drop(store);

    let store = database.open();
    let mut told = Vec::new();
    while let Some(mail) = next(&store, minute(10)) {
        given(&store, &mail, minute(10));
        told.push(tells(&mail));
    }
    let nine = || Some("ARENDE-9".to_owned());
    let expected = [
        (About::Rejected, Some("ARENDE-1".to_owned())),
        (About::Message(State::Withheld), nine()),
        (About::Message(State::Held), nine()),
        (About::Deadline(ClockKind::PlanningData), nine()),
    ];
    assert_eq!(told, expected, "each once");
    assert!(commit(&store, rejected(11)));
    if let Some(raw) = database.raw() {
        // The server's tool writes bytes in hexadecimal digits.
        let holds = |text: &[u8]| raw.windows(text.len()).any(|bytes| bytes == text);
        assert_eq!(holds(b"ARENDE-11") || holds(b"4152454e44452d3131"), !database.is_sealed());
    }
    mailed(&store, &["other"]);
    mailed(&store, &["journal"]);
    assert!(next(&store, minute(12)).is_none(), "what waited for one that is not mailed any more is dropped");
}

pub(crate) fn mails_are_leased_counted_and_given_up(database: &Database) {
    let store = database.open();
    mailed(&store, &["journal"]);
    let written = i64::from(MAILS_MAX) + 5;
    for number in 0..written {
        assert!(commit(&store, rejected(number)));
    }
    let first = next(&store, minute(30)).expect("a mail");
    assert!(wait(store.lease_mail(&first, minute(32))).expect("a working store"));
    assert!(!wait(store.lease_mail(&first, minute(32))).expect("a working store"), "it is another's");
    assert!(next(&store, minute(31)).is_none());
    let again = next(&store, minute(32)).expect("whoever had it has died");
    assert_eq!((&again.id, again.tries), (&first.id, 1));
    assert_eq!((store.stuck_mails(1), store.stuck_mails(2)), (Ok(25), Ok(0)));
    assert_eq!(wait(store.put_off_mail(&name("journal"), minute(34), minute(-1))), Ok(0));
    assert!(next(&store, minute(33)).is_none());
    for _ in 0..MAILS_MAX {
        let mail = next(&store, minute(34)).expect("a mail");
        given(&store, &mail, minute(34));
    }
    assert!(next(&store, minute(93)).is_none(), "as many as may be within the hour");
    let digest = next(&store, minute(94)).expect("the rest");
    assert!(matches!(digest.content, Content::More(5, since) if since == minute(34)), "{digest:?}");
    given(&store, &digest, minute(94));
    assert!(next(&store, minute(95)).is_none());
    assert!(commit(&store, rejected(96)));
    assert!(next(&store, minute(97)).is_some(), "a new hour");
    assert_eq!(wait(store.put_off_mail(&name("journal"), minute(98), minute(97))), Ok(1), "too old");
    assert!(next(&store, minute(99)).is_none());
}
