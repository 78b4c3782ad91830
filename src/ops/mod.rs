//! What operators ask: the journal, the queue, one message's story, a code's page. Texts only; nothing personal in them.

mod explain;
mod journal;
mod messages;

pub use explain::explain;
pub use journal::line_text;
pub use messages::{Found, find, list, show};
