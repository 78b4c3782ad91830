//! The audit log: one gapless chain, whatever is done to it from beside is noticed, and every outcome has its row.

use crate::database::Database;
use crate::hand::{PERSON, attempt, case, claim, commit, ending, finish, lane, message, minute, name, reference, sending, subject, take};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use vardbro::model::keyed::{Domain, Ref};
use vardbro::model::personal::Personal;
use vardbro::model::receipt::ContentHash;
use vardbro::model::state::State;
use vardbro::store::{Anchor, Attempt, Audit, AuditRow, AuditWanted, Breach, Broken, Finish, Kind, Place, Purged, Store, Verified, Who};
use vardbro::store::{Weighed, back_up};

fn told(at: i64, kind: Kind) -> Audit {
    let mut audit = Audit::new(minute(at), kind, Who { name: Personal::new("anna".to_owned()), uid: Some(1001), login: None });
    (audit.message, audit.destination, audit.episode) = (Some(message("a")), Some(name("region")), Some(case(1)));
    audit.patient = Some(reference("patient"));
    audit.tell("outcome", "accepted").tell("at", at)
}

fn fill(store: &Store, rows: i64) {
    for at in 0..rows {
        store.audit(&[told(at, Kind::Asked)]).expect("a working store");
    }
}

fn verified(store: &Store) -> Verified {
    store.verify_audit(None).expect("a working store")
}

fn broken(store: &Store) -> Option<(i64, Breach)> {
    verified(store).broken.map(|Broken { n, breach }| (n, breach))
}

fn rows(store: &Store) -> Vec<AuditRow> {
    store.audit_rows(&AuditWanted { limit: 10_000, ..AuditWanted::default() }).expect("a working store")
}

#[expect(clippy::disallowed_methods, reason = "a test looks at what the log keeps")]
fn body(row: &AuditRow) -> &Value {
    row.body.disclose()
}

pub(crate) fn an_empty_log_does_not_pass_for_a_whole_one(database: &Database) {
    let store = database.open();
    assert_eq!(broken(&store), Some((0, Breach::Empty)));
    assert_eq!(store.check().expect("a working store").damaged, [], "a new store is not damaged");
    fill(&store, 2);
    let whole = verified(&store);
    assert_eq!((whole.rows, whole.removed, whole.broken), (2, 0, None));
    database.sql("DELETE FROM audit; DELETE FROM meta WHERE name = 'audit_chain'");
    assert_eq!(broken(&store), Some((0, Breach::Empty)));
    let anchor = whole.head.expect("a head");
    assert!(store.verify_audit(Some(&anchor)).expect("a working store").broken.is_some());
    // Begun anew it is a chain again; what was noted elsewhere tells.
    store.audit(&[told(7, Kind::Asked), told(8, Kind::Asked)]).expect("a working store");
    assert_eq!(broken(&store), None);
    let again = store.verify_audit(Some(&anchor)).expect("a working store");
    assert_eq!(again.broken, Some(Broken { n: 2, breach: Breach::Anchor }));
}

/// Each way of changing the log from beside, and the first row that it is noticed at.
pub(crate) fn whatever_is_changed_is_noticed(database: &Database) {
    let other = database.another();
    fill(&other.open(), 5);
    let changed = |what: &str| (format!("UPDATE audit SET {what} WHERE n = 3"), 3, Breach::Changed);
    let bytes = |text: &[u8]| database.bytes(text);
    let copy = |n: i64, of: i64| {
        format!("INSERT INTO audit SELECT {n}, at, kind, message_id, destination, episode_id, patient, body, mac FROM audit WHERE n = {of}")
    };
    let cases: Vec<(String, i64, Breach)> = vec![
        changed("at = at + 1"),
        changed("kind = 'printed'"),
        changed("message_id = '7e57ab1e-0000-4000-8000-000000000001'"),
        changed("message_id = NULL"),
        changed("destination = 'elsewhere'"),
        changed("destination = ''"),
        changed("episode_id = NULL"),
        changed("patient = '0123456789abcdef01234567'"),
        changed(&format!("body = {}", bytes(b"{\"actor\":{\"name\":\"bo\"}}"))),
        changed("body = (SELECT body FROM audit WHERE n = 2)"),
        changed(&format!("mac = {}", bytes(&[7; 32]))),
        changed(&format!("mac = {}", bytes(b""))),
        // Rows taken away, from the middle, the beginning and the end.
        ("DELETE FROM audit WHERE n = 3".into(), 3, Breach::Missing),
        ("DELETE FROM audit WHERE n = 3; UPDATE audit SET n = n - 1 WHERE n > 3".into(), 3, Breach::Changed),
        ("DELETE FROM audit WHERE n = 1".into(), 1, Breach::Missing),
        ("DELETE FROM audit WHERE n > 3".into(), 4, Breach::Missing),
        ("DELETE FROM audit WHERE n > 3; DELETE FROM meta WHERE name = 'audit_chain'".into(), 0, Breach::Ends),
        ("DELETE FROM audit".into(), 1, Breach::Missing),
        // Rows changed for one another, put in, and put behind.
        (
            "UPDATE audit SET n = 99 WHERE n = 2; UPDATE audit SET n = 2 WHERE n = 3; UPDATE audit SET n = 3 WHERE n = 99".into(),
            2,
            Breach::Changed,
        ),
        (format!("UPDATE audit SET n = n + 10 WHERE n > 2; UPDATE audit SET n = n - 9 WHERE n > 10; {}", copy(3, 2)), 6, Breach::Added),
        (copy(6, 5), 6, Breach::Added),
        (copy(0, 1), 0, Breach::Added),
        (format!("UPDATE meta SET value = {} WHERE name = 'audit_chain'", bytes(b"x")), 0, Breach::Ends),
    ];
    for (hurt, n, breach) in cases {
        let database = database.another();
        let store = database.open();
        fill(&store, 5);
        assert_eq!(broken(&store), None);
        database.sql(&hurt);
        assert_eq!(broken(&store), Some((n, breach)), "{hurt}");
        assert!(!store.check().expect("a working store").damaged.is_empty(), "{hurt}");
        // Work goes on, and heals nothing.
        fill(&store, 2);
        assert!(broken(&store).is_some(), "afterwards: {hurt}");
    }
}

/// The log of another store, with its ends, in the place of ours.
pub(crate) fn the_chain_of_another_store_is_not_ours(database: &Database) {
    if database.is_shared() {
        return;
    }
    let other = database.another();
    let theirs = other.try_open(9).expect("a store");
    fill(&theirs, 4);
    let store = database.open();
    fill(&store, 4);
    let Place::File(path) = other.place() else { return };
    database.sql(&format!(
        "ATTACH '{}' AS other; DELETE FROM audit; INSERT INTO audit SELECT * FROM other.audit;
         UPDATE meta SET value = (SELECT value FROM other.meta WHERE name = 'audit_chain') WHERE name = 'audit_chain'",
        path.display()
    ));
    assert_eq!(broken(&store), Some((0, Breach::Ends)));
}

pub(crate) fn an_anchor_shows_that_nothing_before_was_written_anew(database: &Database) {
    let store = database.open();
    fill(&store, 3);
    let head = store.audit_head().expect("a working store").expect("a head");
    let short = Anchor { mac: head.mac[..24].to_owned(), ..head.clone() };
    fill(&store, 3);
    let ask = |anchor: &Anchor| store.verify_audit(Some(anchor)).expect("a working store").broken.map(|broken| broken.breach);
    assert_eq!((ask(&head), ask(&short)), (None, None));
    assert_eq!(ask(&Anchor { n: 4, ..head.clone() }), Some(Breach::Anchor));
    assert_eq!(ask(&Anchor { n: 7, ..head.clone() }), Some(Breach::AnchorAhead));
    let written = format!("{}:{}", head.n, head.mac);
    assert_eq!(Anchor::parse(&written), Some(head));
    for wrong in
        ["3", "3:", "0:aaaaaaaaaaaaaaaaaaaaaaaa", "3:aaaaaaaaaaaaaaaaaaaaaaa", "3:zaaaaaaaaaaaaaaaaaaaaaaa", "x:aaaaaaaaaaaaaaaaaaaaaaaa"]
    {
        assert_eq!(Anchor::parse(wrong), None, "{wrong}");
    }
    // Whoever has an older copy of the store, ends and all, has what fits together; the anchor tells.
    if let Place::File(path) = database.place() {
        let backup = path.with_file_name("backup.db");
        back_up(&path, &backup, minute(9)).expect("a backup");
        fill(&store, 2);
        let later = store.audit_head().expect("a working store").expect("a head");
        let sql = "DELETE FROM audit WHERE n > 6; ATTACH 'FILE' AS old;
            UPDATE meta SET value = (SELECT value FROM old.meta WHERE name = 'audit_chain') WHERE name = 'audit_chain'";
        database.sql(&sql.replace("FILE", &backup.display().to_string()));
        assert_eq!((broken(&store), ask(&later)), (None, Some(Breach::AnchorAhead)));
    }
}

/// On PostgreSQL by stores of their own, as replicas are; commands write beside them.
pub(crate) fn many_writers_make_one_chain(database: &Database) {
    const EACH: i64 = 25;
    let stores = database.workers(3);
    let beside = database.open_to_read().expect("a store");
    std::thread::scope(|scope| {
        for (number, store) in (1u8..).zip(&stores) {
            scope.spawn(move || {
                for round in 0..EACH {
                    let event = format!("{number}-{round}");
                    let sequence = u64::try_from(round).expect("small") + 1;
                    assert!(commit(store, sending(number, sequence, &event, 0)));
                    // Another worker may take it, and this one that of another.
                    for claimed in claim(store, 0) {
                        assert!(finish(store, ending(&claimed, State::Accepted, 1)));
                    }
                }
            });
        }
        scope.spawn(|| fill(&beside, EACH));
    });
    loop {
        let left = claim(&stores[0], 0);
        if left.is_empty() {
            break;
        }
        for claimed in left {
            assert!(finish(&stores[0], ending(&claimed, State::Accepted, 1)));
        }
    }
    let whole = verified(&stores[0]);
    assert_eq!((whole.rows, whole.broken), (4 * u64::try_from(EACH).expect("small"), None));
    let disclosed: BTreeSet<_> = rows(&stores[0]).into_iter().filter(|row| row.kind == "disclosed").filter_map(|row| row.message).collect();
    assert_eq!(disclosed.len(), 75, "each message once");
}

pub(crate) fn another_key_keeps_the_chain(database: &Database) {
    if !database.is_sealed() {
        return;
    }
    let database = database.another().with(&[1]);
    let store = database.open();
    lane(&store, 1, &["a"]);
    assert!(finish(&store, ending(&take(&store, 1), State::Accepted, 1)));
    fill(&store, 3);
    let head = store.audit_head().expect("a working store").expect("a head");
    drop(store);
    let database = database.with(&[2, 1]);
    assert_eq!(database.rekey().damaged, 0);
    let database = database.with(&[2]);
    let store = database.open();
    fill(&store, 1);
    let whole = store.verify_audit(Some(&head)).expect("a working store");
    assert_eq!((whole.rows, whole.broken), (6, None));
    assert_eq!(rows(&store)[4].kind, "rekeyed");
}

fn disclosed(store: &Store) -> Vec<AuditRow> {
    rows(store).into_iter().filter(|row| row.kind == "disclosed").collect()
}

fn patient(store: &Store) -> Ref {
    store.reference_key().reference(Domain::Patient, &[&Personal::new(PERSON.to_owned())])
}

/// Whom it was about outlives what was sent.
pub(crate) fn every_outcome_has_its_row(database: &Database) {
    let store = database.open();
    lane(&store, 1, &["a", "b"]);
    let first = take(&store, 0);
    let lost = Finish { attempt: Some(attempt("lost")), ..ending(&first, State::ScheduledForResend, 1) };
    assert!(finish(&store, lost.clone()));
    assert!(!finish(&store, lost), "whoever comes late writes no row");
    let closed = Attempt { disclosed: false, ..attempt("routeDown") };
    let again = take(&store, 40);
    assert!(finish(&store, Finish { attempt: Some(closed), ..ending(&again, State::ScheduledForResend, 41) }));
    assert!(finish(&store, ending(&take(&store, 80), State::Accepted, 81)));
    let told = disclosed(&store);
    let outcomes: Vec<_> = told.iter().map(|row| (body(row)["outcome"].as_str(), body(row)["attempt"].as_u64())).collect();
    assert_eq!(outcomes, [(Some("lost"), Some(1)), (Some("accepted"), Some(3))], "a closed door discloses nothing");
    for row in &told {
        assert_eq!(row.message, Some(message("a").to_string()));
        assert_eq!((row.destination.as_deref(), row.episode.clone()), (Some("region"), Some(case(1).to_string())));
        assert_eq!(row.patient.as_deref(), Some(patient(&store).as_str()));
        let hash = ContentHash::of(&crate::hand::content("a"));
        let hex = hash.as_bytes().iter().fold(String::new(), |out, byte| format!("{out}{byte:02x}"));
        assert_eq!((body(row)["contentHash"].as_str(), &body(row)["subject"]), (Some(hex.as_str()), &subject()));
        assert_eq!((&body(row)["receipt"], &body(row)["actor"]), (&json!("<receipt/>"), &json!({"name": "daemon"})));
    }
    database.sql("UPDATE delivery SET document = NULL, content_hash = NULL, subject = NULL, open = 0, head = 0");
    let wanted = AuditWanted { patient: Some(patient(&store)), limit: 10, ..AuditWanted::default() };
    assert_eq!(store.audit_rows(&wanted).expect("a working store").len(), 2);
    assert!(store.audit_rows(&AuditWanted { patient: Some(reference("else")), ..wanted }).expect("a working store").is_empty());
}

pub(crate) fn a_try_that_nobody_finished_is_told_of(database: &Database) {
    let store = database.open();
    lane(&store, 1, &["a"]);
    drop(take(&store, 0));
    let untold = store.tried_untold(None, Some(&case(1).to_string()), 10).expect("a working store");
    assert_eq!((untold.len(), untold[0].attempts), (1, 1), "it is under way, or its worker is gone");
    // The next one finds a closed door.
    let closed = Attempt { disclosed: false, ..attempt("routeDown") };
    let again = take(&store, 20);
    assert!(finish(&store, Finish { attempt: Some(closed), unburn: true, ..ending(&again, State::ScheduledForResend, 21) }));
    assert_eq!(disclosed(&store).iter().map(|row| body(row)["outcome"].clone()).collect::<Vec<_>>(), [json!("unanswered")]);
    assert!(finish(&store, ending(&take(&store, 60), State::Accepted, 61)));
    assert_eq!(disclosed(&store).len(), 2);
    assert!(store.tried_untold(None, Some(&case(1).to_string()), 10).expect("a working store").is_empty());
}

pub(crate) fn a_receipt_that_comes_by_itself_has_its_row(database: &Database) {
    let store = database.open();
    lane(&store, 1, &["a"]);
    let waiting = Finish { attempt: Some(attempt("pending")), ..ending(&take(&store, 0), State::WaitingForReceipt, 1) };
    assert!(finish(&store, waiting));
    let weighed = Weighed {
        to: Some(State::Accepted),
        next_at: None,
        code: None,
        findings: Vec::new(),
        attempt: Some(attempt("accepted")),
        at: minute(9),
        line: None,
    };
    let taken = store.take_receipt(message("a"), name("region"), move |_| Ok::<_, ()>(weighed.clone()));
    assert!(taken.expect("a working store").is_some());
    let told: Vec<_> = rows(&store).iter().map(|row| (row.kind.clone(), body(row)["outcome"].clone(), row.patient.is_some())).collect();
    assert_eq!(told, [("disclosed".to_owned(), json!("pending"), true), ("receipt".to_owned(), json!("accepted"), true)]);
}

/// What an operator does with a message is found by the message's person.
pub(crate) fn a_row_about_a_message_names_its_person(database: &Database) {
    let store = database.open();
    lane(&store, 1, &["a"]);
    let mut audit = Audit::new(minute(1), Kind::Resent, Who::daemon());
    (audit.message, audit.destination) = (Some(message("a")), Some(name("region")));
    store.audit(&[audit]).expect("a working store");
    let row = rows(&store).pop().expect("the row");
    assert_eq!((row.patient.as_deref(), row.episode), (Some(patient(&store).as_str()), Some(case(1).to_string())));
}

pub(crate) fn old_rows_go_and_the_chain_holds(database: &Database) {
    let store = database.open();
    fill(&store, 1_200);
    let anchor = store.audit_head().expect("a working store").expect("a head");
    let purge = |until: i64| store.purge_audit(minute(until), minute(2_000), &Who::daemon()).expect("a working store");
    assert_eq!(purge(1_100), Purged { rows: 1_100, broken: None });
    let whole = store.verify_audit(Some(&anchor)).expect("a working store");
    assert_eq!((whole.rows, whole.removed, whole.broken), (101, 1_100, None));
    assert_eq!(rows(&store).pop().map(|row| row.kind).as_deref(), Some("purged"));
    assert_eq!(purge(1_100), Purged::default(), "there is nothing left to do, and nothing to tell");
    let gone = Anchor { n: 1_000, ..anchor };
    assert_eq!(store.verify_audit(Some(&gone)).expect("a working store").broken.map(|broken| broken.breach), Some(Breach::AnchorGone));
    // What was changed is kept: removed, it could no longer be looked into.
    database.sql("UPDATE audit SET kind = 'printed' WHERE n = 1150");
    assert_eq!(purge(1_200), Purged { rows: 49, broken: Some(1_150) });
    assert_eq!(broken(&store), Some((1_150, Breach::Changed)));
    database.sql("DELETE FROM audit WHERE n = 1150");
    assert_eq!(broken(&store), Some((1_150, Breach::Missing)), "the new beginning does not hide it");
}
