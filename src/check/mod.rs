//! The rules: data in, findings out. No file, no clock, no randomness.

pub mod rules;
