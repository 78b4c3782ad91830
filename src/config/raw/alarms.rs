//! `[alarms]` as it is written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Alarms.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Alarms {
    /// Seconds between two looks at what may be wrong.
    ///
    /// Sekunder mellan två kontroller av det som kan vara fel.
    #[schemars(range(min = 0.1, max = 3600))]
    pub(in crate::config) look_s: Option<f64>,
    /// Hours until an alarm that stays open is told again. Due times of episodes go by their rules instead.
    ///
    /// Timmar tills ett larm som står kvar sägs igen. Tidsgränser i ärenden följer sina regler i stället.
    #[schemars(range(min = 0.0001, max = 8784))]
    pub(in crate::config) again_h: Option<f64>,
    /// Hours that the oldest message of a queue may wait.
    ///
    /// Timmar som det äldsta meddelandet i en kö får vänta.
    #[schemars(range(min = 0.0001, max = 8784))]
    pub(in crate::config) pending_h: Option<f64>,
    /// Hours that messages which our rules have refused are told of.
    ///
    /// Timmar som det larmas om meddelanden som våra regler har stoppat.
    #[schemars(range(min = 0.0001, max = 8784))]
    pub(in crate::config) refused_h: Option<f64>,
    /// Seconds that the clock of a receiver may differ from ours.
    ///
    /// Sekunder som en mottagares klocka får skilja sig från vår.
    #[schemars(range(min = 1, max = 86400))]
    pub(in crate::config) clock_skew_s: Option<u32>,
    /// Least free space on the disk of a SQLite database, in megabytes; more than `metrics.disk_free_mb`, so that there is time.
    ///
    /// Minsta lediga utrymme på en SQLite-databas disk, i megabyte; mer än `metrics.disk_free_mb`, så att det finns tid.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub(in crate::config) disk_free_mb: Option<u32>,
    /// Address that notices are posted to. https; http only to this machine itself.
    ///
    /// Adress som larm postas till. https; http bara till den egna maskinen.
    #[schemars(length(min = 1))]
    pub(in crate::config) webhook_url: Option<String>,
    /// File with the secret that is shown there (`Authorization: Bearer`).
    ///
    /// Fil med den hemlighet som visas där (`Authorization: Bearer`).
    #[schemars(length(min = 1))]
    pub(in crate::config) webhook_token_file: Option<String>,
    /// PEM file with the issuers that its certificate may come from; else the system's.
    ///
    /// PEM-fil med de utfärdare som dess certifikat får komma från; annars systemets.
    #[schemars(length(min = 1))]
    pub(in crate::config) webhook_ca_file: Option<String>,
    /// Program, and its arguments, that is given each notice on standard input. No shell; an empty environment but for `PATH`.
    ///
    /// Program, med argument, som får varje larm på standard input. Inget skal; tom miljö så när som på `PATH`.
    #[serde(default)]
    #[schemars(length(max = 32))]
    pub(in crate::config) command: Vec<String>,
}
