//! The nouns: everything that more than one module speaks of. No I/O, no clock, no randomness.

pub mod answer;
pub mod bodies;
pub mod calendar;
pub mod catalogue;
pub mod checklist;
pub mod dice;
pub mod episode;
pub mod event;
pub mod finding;
pub mod ids;
pub mod keyed;
pub mod message;
pub mod name;
pub mod node;
pub mod person;
pub mod personal;
pub mod raw;
pub mod receipt;
pub mod regime;
pub mod shape;
pub mod state;
pub mod testpersons;
pub mod time;
