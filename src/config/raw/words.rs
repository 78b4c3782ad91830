//! Words of which one is chosen.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A word out of a short list. The names are the written words.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident $case:literal { $($variant:ident),+ })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = $case)]
        pub enum $name { $($variant),+ }
    )+};
}

words! {
    /// Whether real messages flow.
    Environment "lowercase" { Test, Production }
    /// Language of texts for people.
    Language "lowercase" { Sv, En }
    /// Kind of source.
    SourceKind "lowercase" { Directory, Http, Sql, Nats, Amqp }
    /// Kind of database.
    Engine "lowercase" { Postgresql, Mariadb, Sqlite }
    /// What becomes of a file that has been taken.
    Done "lowercase" { Keep, Delete }
    /// Whether another machine is met over TLS alone.
    Tls "lowercase" { Required, Off }
    /// In which order files are taken.
    FileOrder "lowercase" { Name, Age }
    /// Format of documents.
    Wire "lowercase" { Xml }
    /// Whether a destination is sent to.
    Mode "lowercase" { Live, Shadow }
    /// What counts as received.
    Receipt "lowercase" { Document, Http }
    /// Level of the operations log.
    Level "lowercase" { Error, Warn, Info, Debug }
    /// One of the three parties, as written.
    Party "UPPERCASE" { Sv, Ov, K }
}

impl From<Party> for crate::model::bodies::Party {
    fn from(party: Party) -> Self {
        match party {
            Party::Sv => Self::Sv,
            Party::Ov => Self::Ov,
            Party::K => Self::K,
        }
    }
}

impl From<crate::model::bodies::Party> for Party {
    fn from(party: crate::model::bodies::Party) -> Self {
        use crate::model::bodies::Party as Model;
        match party {
            Model::Sv => Self::Sv,
            Model::Ov => Self::Ov,
            Model::K => Self::K,
        }
    }
}
