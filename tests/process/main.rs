//! The real program as real processes: killed, starved of its receiver, told to stop and to reload.
//!
//! Not covered here: disk full, clock steps, slow and lying receivers (they have suites of their own to come).

#![expect(clippy::expect_used, reason = "a test that cannot set its stage has failed")]

#[path = "../support/postgres.rs"]
mod postgres;
mod faults;
mod privacy;
mod world;
