//! Wiring.

pub mod receiver;
