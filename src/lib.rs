//! Vårdbro carries a Swedish municipality's care-transition messages safely to a SAMSA-style messaging system.
//!
//! Modules stand in rank order: each imports only from those above it (`tests/tidy.rs` says so).

pub mod check; // 3  rules
pub mod fault;
pub mod oplog; // 2  every log line
pub mod map; // 3  bytes → event
pub mod episode; // 3  facts → state
pub mod store; // 6  the database
pub mod model; // 0  the nouns // 1  codes // 3  bytes → event
