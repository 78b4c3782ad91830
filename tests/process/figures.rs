//! The load that the tests with faults lay on, and the figures that each of them gives.
//!
//! Every one of them ends in a line of the same form, so that a table can be made of them.

#![expect(clippy::print_stdout, reason = "the figures are there to be read")]

use super::world::{World, admission, planning, put_at, wait};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio_postgres::{NoTls, SimpleQueryMessage};
use vardbro::model::dice::{Dice, SystemDice};
use vardbro::model::ids::MessageId;
use vardbro::model::time::{Clock, SystemClock};

/// The first files are admissions, one for each episode. Every later file is a message, in the episodes by turns.
pub(crate) const EPISODES: usize = 40;

pub(crate) fn now() -> Timestamp {
    SystemClock.now()
}

/// The message of a file.
pub(crate) fn message_of(file: usize) -> String {
    MessageId::of("test-journal", &format!("E-{file}"), "K-PU", 1).to_string()
}

pub(crate) fn lay(folder: &Path, file: usize) {
    lay_among(folder, file, EPISODES);
}

/// The same with another number of episodes.
pub(crate) fn lay_among(folder: &Path, file: usize, episodes: usize) {
    put_at(folder, &format!("{file:06}.json"), &event_of(file, episodes));
}

/// The event of a file.
pub(crate) fn event_of(file: usize, episodes: usize) -> String {
    let (case, event, second) = (format!("HSL-{}", file % episodes), format!("E-{file}"), i64::try_from(file).expect("small"));
    if file < episodes { admission(&case, &event, second) } else { planning(&case, &event, second) }
}

/// Most messages that a feeder lets lie about.
const BACKLOG: usize = 120;

/// Lays files one after the other until it is stopped, so that there is work at every moment of a test and not much left
/// at its end.
pub(crate) struct Feeder {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<usize>,
}

impl Feeder {
    /// The events of an episode go to the folders in turn, all but the admissions.
    pub(crate) fn start(world: &World, folders: &[&str], pause: Duration) -> Self {
        let folders: Vec<_> = folders.iter().map(|name| world.path(name)).collect();
        let arrived = world.path("receiver/messages");
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut file = 0;
            while !stopped.load(Ordering::SeqCst) {
                if file < EPISODES + BACKLOG + files_in(&arrived) {
                    lay(&folders[turn(file, folders.len())], file);
                    file += 1;
                }
                std::thread::sleep(pause);
            }
            file
        });
        Self { stop, thread }
    }

    /// How many files there are now.
    pub(crate) fn stop(self) -> usize {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().expect("the feeder")
    }
}

/// Which of so many folders a file goes to.
pub(crate) fn turn(file: usize, folders: usize) -> usize {
    if file < EPISODES { 0 } else { (file / EPISODES) % folders }
}

/// A generator whose seed is printed; `SEED` sets it.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new() -> Self {
        let given = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(|| u64::from(SystemDice.envelope_id().0.as_fields().0));
        println!("SEED={seed}");
        Self(seed)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    pub(crate) fn pause(&mut self, millis: Range<u64>) -> Duration {
        Duration::from_millis(millis.start + self.below(millis.end - millis.start))
    }
}

impl World {
    pub(crate) fn fill(&self, files: Range<usize>) {
        files.for_each(|file| lay(&self.path("in"), file));
    }

    /// Asks the database: a text for each row, its columns with `|` between.
    pub(crate) fn ask(&self, sql: &str) -> Vec<String> {
        let Some(database) = &self.database else { return ask_file(&self.path("vardbro.db"), sql) };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(database, NoTls).await.expect("the database");
            tokio::spawn(connection);
            let answers = client.simple_query(sql).await.expect("an answer");
            let rows = answers.iter().filter_map(|answer| if let SimpleQueryMessage::Row(row) = answer { Some(row) } else { None });
            rows.map(|row| (0..row.len()).map(|place| row.get(place).unwrap_or_default()).collect::<Vec<_>>().join("|")).collect()
        })
    }

    /// A number from the database.
    pub(crate) fn count(&self, what: &str) -> usize {
        let row = self.ask(&format!("SELECT COUNT(*) FROM {what}")).pop();
        row.and_then(|row| row.parse().ok()).expect("a number")
    }

    /// Whether the store says that the receiver has the message of a file.
    pub(crate) fn settled(&self, file: usize) -> bool {
        self.count(&format!("delivery WHERE state = 'ACCEPTED' AND message_id = '{}'", message_of(file))) == 1
    }

    /// Waits until the receiver has the messages of these files and the store knows it.
    pub(crate) fn settle(&self, files: &Range<usize>, patience: Duration) {
        let has = |file: usize| self.path(&format!("receiver/messages/{}.xml", message_of(file))).exists();
        // What has arrived does not go away: the search goes on where it stood.
        let mut first = files.start;
        wait("the messages to arrive", patience, || {
            first = (first..files.end).find(|file| !has(*file)).unwrap_or(files.end);
            first == files.end
        });
        wait("the store to know", patience, || self.count("delivery WHERE state <> 'ACCEPTED'") == 0);
    }

    /// Prints the line of figures of a test, and asserts that nothing of what these files hold was lost, out of order or there twice.
    pub(crate) fn figures(&self, name: &str, injected: usize, fault_ended: Timestamp, files: Range<usize>) {
        let received = self.received();
        let numbers: BTreeMap<String, usize> = (EPISODES..files.end).map(|file| (message_of(file), file)).collect();
        // Between two folders there is no order.
        let seen = Seen::of(&received, &numbers, !self.path("two").exists());
        let lost = files.clone().filter(|file| !seen.first.contains(file)).count();
        let ours: Vec<&Value> = received.iter().filter(|line| number(line, &numbers).is_some_and(|file| files.contains(&file))).collect();
        let after: Vec<i64> = ours
            .iter()
            .filter(|line| was_taken(line))
            .map(|line| line["at"].as_str().and_then(|at| at.parse::<Timestamp>().ok()).expect("an instant"))
            .map(|at| at.as_millisecond() - fault_ended.as_millisecond())
            .filter(|after| *after >= 0)
            .collect();
        println!(
            "figures | {name} | {} | injected {injected} | messages {} | transmissions {} | lost {lost} | out of order {} | wrong duplicates {} | first after {} ms | all after {} ms",
            if self.database.is_some() { "PostgreSQL" } else { "SQLite" },
            files.len(),
            ours.len(),
            seen.out_of_order,
            seen.wrong,
            after.iter().min().unwrap_or(&0),
            after.iter().max().unwrap_or(&0),
        );
        assert_eq!((lost, seen.out_of_order, seen.wrong), (0, 0, 0), "lost, out of order, wrong duplicates");
    }
}

/// Whether the receiver kept the message, the answer lost or not.
fn was_taken(line: &Value) -> bool {
    line["answer"] == "accepted" || line["answer"] == "lost"
}

fn number(line: &Value, numbers: &BTreeMap<String, usize>) -> Option<usize> {
    numbers.get(line["messageId"].as_str()?).copied()
}

/// What the receiver has seen.
struct Seen {
    /// Files whose message it has.
    first: BTreeSet<usize>,
    out_of_order: usize,
    /// Messages that are none of ours, that it took in twice, or that came again with another content.
    wrong: usize,
}

impl Seen {
    /// In one folder the events of an episode have the order of their files.
    fn of(received: &[Value], numbers: &BTreeMap<String, usize>, one_folder: bool) -> Self {
        let mut seen = Self { first: BTreeSet::new(), out_of_order: 0, wrong: 0 };
        // The lanes: what came last in each.
        let mut lanes: BTreeMap<String, (u64, usize)> = BTreeMap::new();
        for line in received.iter().filter(|line| line["duplicate"] == false && line["messageId"].is_string()) {
            let accepted = was_taken(line);
            match number(line, numbers) {
                Some(file) if accepted && seen.first.insert(file) => {
                    let at = (line["sequenceNumber"].as_u64().expect("a number"), file);
                    let before = lanes.insert(line["episodeId"].to_string(), at);
                    let overtaken = |before: (u64, usize)| before.0 >= at.0 || (one_folder && before.1 >= at.1);
                    seen.out_of_order += usize::from(before.is_some_and(overtaken));
                }
                Some(file) => seen.wrong += usize::from(accepted || (seen.first.contains(&file) && line["answer"] == "rejected")),
                None => seen.wrong += 1,
            }
        }
        seen
    }
}

fn ask_file(path: &Path, sql: &str) -> Vec<String> {
    use rusqlite::types::Value as Field;
    let db = rusqlite::Connection::open(path).expect("a database");
    db.busy_timeout(Duration::from_secs(10)).expect("set");
    let mut statement = db.prepare(sql).expect("a statement");
    let columns = statement.column_count();
    let text = |field: Field| match field {
        Field::Integer(number) => number.to_string(),
        Field::Text(text) => text,
        _ => String::new(),
    };
    let rows = statement.query_map([], |row| {
        let fields: Vec<String> = (0..columns).map(|place| row.get(place).map(text)).collect::<Result<_, _>>()?;
        Ok(fields.join("|"))
    });
    rows.expect("rows").map(|row| row.expect("a row")).collect()
}

/// How many files a folder holds.
pub(crate) fn files_in(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}
