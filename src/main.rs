//! The `vardbro` program.

fn main() {}
