//! Looking through a store: what is whole has nothing to tell, and each kind of damage is told of with its row.

use crate::database::Database;
use crate::hand::{commit, ending, finish, lane, sending, take};
use vardbro::model::state::State;
use vardbro::store::Damage;

pub(crate) fn what_is_whole_has_nothing_to_tell(database: &Database) {
    let store = database.open();
    lane(&store, 1, &["a", "b", "c"]);
    assert!(finish(&store, ending(&take(&store, 10), State::Accepted, 10)));
    assert!(finish(&store, ending(&take(&store, 11), State::ScheduledForResend, 11)));
    lane(&store, 2, &["d"]);
    let looked = store.check().expect("a working store");
    assert_eq!((looked.events, looked.episodes, looked.deliveries), (4, 2, 4));
    assert_eq!(looked.damaged, []);
}

pub(crate) fn what_is_damaged_is_found(database: &Database) {
    let first = "WHERE id = (SELECT MIN(id) FROM delivery)";
    // Where values are sealed, one that was put there by hand does not even open.
    let read = |damage| if database.is_sealed() { Damage::Unopened } else { damage };
    let hurts: [(&str, String, Damage); 10] = [
        ("event", "UPDATE event SET kind = 'no type' WHERE id = (SELECT MIN(id) FROM event)".to_owned(), Damage::Unreadable),
        (
            "event",
            format!("UPDATE event SET body = {} WHERE id = (SELECT MIN(id) FROM event)", database.bytes(b"{")),
            read(Damage::Unreadable),
        ),
        ("episode", format!("UPDATE episode SET body = {}", database.bytes(b"no JSON")), read(Damage::Unreadable)),
        ("delivery", format!("UPDATE delivery SET message_id = 'no id' {first}"), read(Damage::Unreadable)),
        ("delivery", format!("UPDATE delivery SET document = {} {first}", database.bytes(b"<content/>")), read(Damage::NotTheContent)),
        ("delivery", format!("UPDATE delivery SET document = NULL, content_hash = NULL {first}"), Damage::NoDocument),
        ("delivery", format!("UPDATE delivery SET state = 'ACCEPTED' {first}"), Damage::NotInItsLane),
        ("delivery", format!("UPDATE delivery SET next_at = NULL {first}"), Damage::NeverDue),
        ("delivery", format!("UPDATE delivery SET state = 'SUBMITTED' {first}"), Damage::NoLease),
        ("delivery", "UPDATE delivery SET head = 0".to_owned(), Damage::NoHead),
    ];
    for (table, hurt, damage) in hurts {
        let database = database.another();
        let store = database.open();
        lane(&store, 1, &["a", "b"]);
        assert!(commit(&store, sending(2, 1, "c", 0)));
        database.sql(&hurt);
        let damaged = store.check().expect("a working store").damaged;
        assert!(damaged.iter().any(|found| found.table == table && found.damage == damage), "{hurt}: {damaged:?}");
    }
}
