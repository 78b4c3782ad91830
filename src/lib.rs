//! Vårdbro carries a Swedish municipality's care-transition messages safely to a SAMSA-style messaging system.
//!
//! Modules stand in rank order: each imports only from those above it (`tests/tidy.rs` says so).

pub mod fault;
pub mod model; // 0  the nouns // 1  codes
pub mod seal; // 5
pub mod wire; // 4
