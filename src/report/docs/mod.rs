//! The reference pages, the event schema and the description of `[http]`, made from the lists that the program itself uses.
//!
//! `tests/docs_fresh.rs` compares them with the files in the tree. Nothing here adds a fact of its own, but for
//! [`DEMANDS`], whose agreement with the reader is tested.

mod alarms;
mod codes;
mod event_schema;
mod messages;
mod metrics;
mod openapi;
mod wires;

pub use alarms::alarms;
pub use codes::codes;
pub use event_schema::event_schema;
pub use messages::messages;
pub use metrics::metrics;
pub use openapi::openapi;
pub use wires::{unplaced, wires};

use crate::model::bodies::{CanReceive, ItemStatus};
use crate::model::catalogue::EventType;

/// A field that another field's value makes necessary.
struct Demand {
    kind: EventType,
    /// The list whose items it is about.
    list: Option<&'static str>,
    field: &'static str,
    code: &'static str,
    needs: &'static str,
}

/// What [`crate::model::event`] checks across fields.
const DEMANDS: &[Demand] = &[
    Demand { kind: EventType::KHt, list: None, field: "answer", code: CanReceive::Can.code(), needs: "from" },
    Demand { kind: EventType::KHt, list: None, field: "answer", code: CanReceive::Cannot.code(), needs: "obstacleCode" },
    Demand { kind: EventType::KCl, list: Some("items"), field: "status", code: ItemStatus::EjAktuell.code(), needs: "reason" },
];

/// A text as one cell of a table.
fn cell(text: &str) -> String {
    text.trim().replace('|', "\\|").replace('\n', " ")
}
