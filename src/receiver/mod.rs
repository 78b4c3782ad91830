//! The reference receiver: takes in messages over HTTP, validates them, answers with receipts, and fails when told to.
//!
//! For tests, demonstrations and the trying out of an installation. What it has survives the death of its process, not
//! that of the machine. Personal data stand in its folder `messages` and nowhere else.

mod certificates;
mod core;
mod folder;
mod script;
mod sdk;
mod server;

pub use crate::listen::ServerTls;
pub use certificates::Certificates;
pub use core::{Core, Drop, Reply};
pub use script::Script;
pub use server::{Callback, Options, Receiver, Running};
