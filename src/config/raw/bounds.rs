//! How long, how often, how much: the tables of the configuration that hold nothing but bounds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Retention.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Retention {
    /// Whether the service purges by itself, once an hour. Off only until the municipality has decided on its times
    /// (gallringsbeslut): then nothing goes but by `vardbro store prune`.
    ///
    /// Om tjänsten gallrar av sig själv, en gång i timmen. Av bara tills kommunen har fattat sitt gallringsbeslut: då gallras ingenting
    /// annat än med `vardbro store prune`.
    pub(in crate::config) on: Option<bool>,
    /// Days that the content of a message and of its event is kept after the receiver has accepted it.
    ///
    /// Dagar som innehållet i ett meddelande och dess händelse sparas efter att mottagaren har tagit emot det.
    #[schemars(range(min = 0.01, max = 3650))]
    pub(in crate::config) accepted_days: Option<f64>,
    /// Days that it is kept after any other end: rejected, refused, withdrawn, superseded, expired or closed by hand.
    ///
    /// Dagar som det sparas efter ett annat slut: avvisat, stoppat, återtaget, ersatt, för gammalt eller avslutat för hand.
    #[schemars(range(min = 0.01, max = 3650))]
    pub(in crate::config) ended_days: Option<f64>,
    /// Days that an episode which is over is kept, with deliveries and attempts, but without content. What reports count.
    ///
    /// Dagar som ett avslutat ärende sparas, med leveranser och försök men utan innehåll. Det som rapporter räknar.
    #[schemars(range(min = 0.01, max = 3650))]
    pub(in crate::config) metadata_days: Option<f64>,
    /// Days that a line of the journal is kept.
    ///
    /// Dagar som en rad i journalen sparas.
    #[schemars(range(min = 0.01, max = 3650))]
    pub(in crate::config) journal_days: Option<f64>,
    /// Days that a file is kept in `rejected`, with its reason, and in `outcome` after it was last written.
    ///
    /// Dagar som en fil sparas i `rejected`, med sin orsak, och i `outcome` efter att den senast skrevs.
    #[schemars(range(min = 0.01, max = 3650))]
    pub(in crate::config) rejected_days: Option<f64>,
    /// Years that an event is remembered by keyed reference, hash and fate alone, so that it is known again when it comes again.
    ///
    /// År som en händelse minns med enbart nyckelreferens, kontrollsumma och öde, så att den känns igen när den kommer igen.
    #[schemars(range(min = 1, max = 100))]
    pub(in crate::config) tombstone_years: Option<u32>,
    /// Years that it is kept who asked for what: requests of operators and legal holds that were lifted.
    ///
    /// År som det sparas vem som har bett om vad: begäranden från driften och hävda gallringsstopp.
    #[schemars(range(min = 5, max = 100))]
    pub(in crate::config) audit_years: Option<u32>,
}

/// Limits.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Limits {
    /// Records in one document of a source.
    ///
    /// Poster i ett dokument från en källa.
    #[schemars(range(min = 1, max = 100_000))]
    pub(in crate::config) records: Option<u32>,
    /// Levels of nesting in a source file.
    ///
    /// Nivåer av nästling i en källfil.
    #[schemars(range(min = 4, max = 128))]
    pub(in crate::config) depth: Option<u32>,
}

/// Retries.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the unit stands in the name")]
pub(in crate::config) struct Retry {
    /// Seconds before the second attempt; doubled from there on.
    ///
    /// Sekunder före andra försöket; dubblas därefter.
    #[schemars(range(min = 0.1, max = 3600))]
    pub(in crate::config) base_s: Option<f64>,
    /// Most seconds between two attempts.
    ///
    /// Längsta tid i sekunder mellan två försök.
    #[schemars(range(min = 0.1, max = 86400))]
    pub(in crate::config) cap_s: Option<f64>,
    /// Seconds that a worker holds a message before another may take it over.
    ///
    /// Sekunder som en arbetare håller ett meddelande innan en annan får ta över.
    #[schemars(range(min = 1, max = 3600))]
    pub(in crate::config) lease_s: Option<f64>,
    /// Most seconds between two probes of a destination that is down.
    ///
    /// Längsta tid i sekunder mellan två prövningar av en destination som är nere.
    #[schemars(range(min = 0.1, max = 3600))]
    pub(in crate::config) probe_cap_s: Option<f64>,
}

/// Shutdown.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Shutdown {
    /// Seconds that what is under way gets to finish.
    ///
    /// Sekunder som det som är på väg får på sig att bli klart.
    #[schemars(range(min = 0, max = 600))]
    pub(in crate::config) grace_s: Option<f64>,
}
