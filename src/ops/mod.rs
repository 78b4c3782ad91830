//! What operators ask: the journal, the queue, one message's story, a code's page, the rules. Texts only; nothing personal in them.

mod explain;
mod journal;
mod messages;
mod rules;

pub use explain::explain;
pub use journal::line_text;
pub use messages::{Found, find, list, show};
pub use rules::{rules_diff, rules_json, rules_list, rules_show};
