//! Vårdbro carries a Swedish municipality's care-transition messages safely to a SAMSA-style messaging system.
//!
//! Modules stand in rank order: each imports only from those of lower rank (`tests/tidy.rs` says so).

pub mod model; // 0  the nouns, the catalogue
pub mod fault; // 1  every code
pub mod oplog; // 2  every log line
pub mod config; // 2  as written → as used
pub mod datafile; // 2  TOML with places
pub mod trust; // 2  how a database is met over TLS
pub mod alarm; // 3  what somebody shall look at
pub mod metrics; // 3  what is counted and measured
pub mod source; // 3  folder → raw records
pub mod map; // 3  bytes → event
pub mod episode; // 3  facts → state
pub mod check; // 3  rules → findings, Passed
pub mod wire; // 4  Passed → Document; receipts
pub mod seal; // 5  Document → Checked
pub mod store; // 6  the database
pub mod transport; // 6  Envelope → Answer
pub mod listen; // 6  HTTP in
pub mod report; // 6  renderings
pub mod intake; // 7  one event, one transaction
pub mod deliver; // 7  the queue's loop
pub mod retain; // 7  what is old goes
pub mod tell; // 7  outcomes back to the source
pub mod daemon; // 8  everything together
pub mod ops; // 8  what operators ask
pub mod receiver; // 8  the reference receiver
pub mod doctor; // 9  an installation looked at from outside
pub mod story; // 9  stories replayed and compared
pub mod lint; // 10 files of fixtures, checked
pub mod cli; // 11 wiring only
