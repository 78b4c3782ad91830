//! What is known, rendered for readers. Pure: texts come out, nothing is read or written here.

pub mod docs;
