//! Vårdbro carries a Swedish municipality's care-transition messages safely to a SAMSA-style messaging system.
//!
//! Modules stand in rank order: each imports only from those of lower rank (`tests/tidy.rs` says so).

pub mod model; // 0  the nouns, the catalogue
pub mod fault; // 1  every code
pub mod oplog; // 2  every log line
pub mod source; // 3  folder → raw records
pub mod map; // 3  bytes → event
pub mod episode; // 3  facts → state
pub mod check; // 3  rules → findings, Passed
pub mod store; // 6  the database
