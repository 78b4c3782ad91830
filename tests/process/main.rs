//! The real program as real processes: killed, starved of its receiver, told to stop and to reload.
//!
//! Not covered here: disk full, clock steps, slow and lying receivers (they have suites of their own to come).

mod faults;
mod privacy;
mod world;
