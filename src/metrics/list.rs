//! The list of figures.

use super::kinds::{Counts, Durations, Entry, Levels, Sizes};
use prometheus_client::registry::Registry;

macro_rules! figures {
    ($($field:ident: $kind:ident<$n:literal> = $name:literal [$($label:literal),*] { $en:literal, $sv:literal })+) => {
        /// Every figure of a running program.
        #[derive(Debug)]
        pub struct Metrics {
            registry: Registry,
            $(#[doc = $en] pub $field: $kind<$n>),+
        }

        /// What there is to know of each.
        pub static LIST: &[Entry] = &[$(Entry { name: $name, kind: $kind::<$n>::KIND, labels: &[$($label),*], en: $en, sv: $sv }),+];

        impl Default for Metrics {
            fn default() -> Self {
                let mut registry = Registry::default();
                $(let $field = $kind::<$n>::new(&mut registry, $name, $en, [$($label),*]);)+
                Self { registry, $($field),+ }
            }
        }
    };
}

impl Metrics {
    pub(super) fn registry(&self) -> &Registry {
        &self.registry
    }
}

figures! {
    events: Counts<3> = "vardbro_events" ["source", "type", "verdict"] {
        "Events that have been answered, by source, type (`unreadable` where none could be read) and verdict (`accepted`, `duplicate`, `rejected`)",
        "Händelser som har besvarats, per källa, typ (`unreadable` om ingen kunde läsas) och utslag (`accepted`, `duplicate`, `rejected`)" }
    messages_ended: Counts<2> = "vardbro_messages_ended" ["destination", "state"] {
        "Messages whose fate is settled, by destination and final state; one that is sent again by hand counts again",
        "Meddelanden vars öde är avgjort, per destination och sluttillstånd; ett som sänds om för hand räknas igen" }
    attempts: Counts<2> = "vardbro_delivery_attempts" ["destination", "answer"] {
        "Attempts to deliver, by destination and class of answer, as in the list of attempts in `vardbro messages show`",
        "Leveransförsök, per destination och slag av svar, så som försöken i `vardbro messages show`" }
    attempt_duration: Durations<1> = "vardbro_delivery_attempt_duration_seconds" ["destination"] {
        "How long attempts to deliver took, by destination",
        "Hur lång tid leveransförsöken tog, per destination" }
    deliveries: Levels<2> = "vardbro_deliveries" ["destination", "state"] {
        "Messages that are not settled now, by destination and state: those in the queue, and those that wait for something or somebody (`WITHHELD`, `HELD`, `PARKED`)",
        "Meddelanden som inte är avgjorda nu, per destination och tillstånd: de i kön, och de som väntar på något eller någon (`WITHHELD`, `HELD`, `PARKED`)" }
    oldest_pending: Levels<1> = "vardbro_oldest_pending_age_seconds" ["destination"] {
        "How long ago the oldest message that is in the queue now entered it, by destination; 0 where the queue is empty",
        "Hur länge sedan det äldsta meddelandet i kön kom dit, per destination; 0 om kön är tom" }
    receipts_overdue: Levels<1> = "vardbro_receipts_overdue" ["destination"] {
        "Messages that are parked since their receipt did not come in time, by destination",
        "Meddelanden som är parkerade för att deras kvitto inte kom i tid, per destination" }
    route_open: Levels<1> = "vardbro_route_open" ["destination"] {
        "Whether messages go to the destination (1), or the way there is closed and only probed (0)",
        "Om meddelanden går till destinationen (1), eller vägen dit är stängd och bara prövas (0)" }
    source_up: Levels<1> = "vardbro_source_up" ["source"] {
        "Whether the source could be read when it was last looked at (1) or not (0)",
        "Om källan kunde läsas när den senast avlästes (1) eller inte (0)" }
    alarms_open: Levels<1> = "vardbro_alarms_open" ["alarm"] {
        "Alarms that are open now, by kind (docs/alarms.md)",
        "Larm som är öppna nu, per slag (docs/alarms.md)" }
    store_writable: Levels<0> = "vardbro_store_writable" [] {
        "Whether a trial write to the database succeeded within 5 s (1) or not (0)",
        "Om en skrivning på prov till databasen lyckades inom 5 s (1) eller inte (0)" }
    commit_duration: Durations<0> = "vardbro_store_commit_duration_seconds" [] {
        "How long it took to make a transaction durable",
        "Hur lång tid det tog att göra en transaktion varaktig" }
    commit_writes: Sizes<0> = "vardbro_store_commit_writes" [] {
        "How many writes one transaction carried",
        "Hur många skrivningar en transaktion bar" }
    commit_failures: Counts<0> = "vardbro_store_commit_failures" [] {
        "Transactions that the database did not take",
        "Transaktioner som databasen inte tog emot" }
    store_size: Levels<0> = "vardbro_store_size_bytes" [] {
        "Size of the database; of SQLite the file and its log",
        "Databasens storlek; för SQLite filen och dess logg" }
    oldest_content: Levels<0> = "vardbro_store_oldest_content_age_seconds" [] {
        "How long ago the oldest event came in whose content is still kept; 0 where there is none",
        "Hur länge sedan den äldsta händelsen kom in vars innehåll ännu finns kvar; 0 om det inte finns någon" }
    purged: Counts<1> = "vardbro_purged" ["kind"] {
        "What retention has taken away, by kind (`content`, `events`, `episodes`, `tombstones`, `journal`, `reasons`, `requests`, `holds`, `files`)",
        "Vad gallringen har tagit bort, per slag (`content`, `events`, `episodes`, `tombstones`, `journal`, `reasons`, `requests`, `holds`, `files`)" }
    disk_free: Levels<0> = "vardbro_store_disk_free_bytes" [] {
        "Room that is left on the disk of the SQLite database",
        "Plats som är kvar på SQLite-databasens disk" }
    clock_skew: Levels<1> = "vardbro_destination_clock_skew_seconds" ["destination"] {
        "By how much at least the clock of the destination differs from ours, by the `Date` of its last answer; above 0 where it is ahead",
        "Hur mycket minst destinationens klocka skiljer sig från vår, enligt `Date` i dess senaste svar; över 0 om den går före" }
    certificate: Levels<1> = "vardbro_certificate_not_after_timestamp_seconds" ["certificate"] {
        "When the certificate in use ends (the first to end of its file), in seconds since 1970, by table of the configuration (`destination.NAME`, `http`, `metrics`)",
        "När certifikatet som används upphör (det första i sin fil), i sekunder sedan 1970, per tabell i konfigurationen (`destination.NAMN`, `http`, `metrics`)" }
    build_info: Levels<1> = "vardbro_build_info" ["version"] {
        "Always 1; the version stands in the label",
        "Alltid 1; versionen står i etiketten" }
    process_start: Levels<0> = "process_start_time_seconds" [] {
        "When the program started, in seconds since 1970",
        "När programmet startade, i sekunder sedan 1970" }
}
