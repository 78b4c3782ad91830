//! What operators ask: the journal, the queue, one message's story, episodes, a code's page, the rules. Texts only; nothing
//! personal in them.

mod cases;
mod episode_json;
mod episodes;
mod explain;
mod journal;
mod messages;
mod plan;
mod report;
mod report_text;
mod rules;

pub use cases::{Named, Readmission, Seen, Sets, find_episode, readmissions, see, see_all};
pub use episode_json::episode_json;
pub use episodes::{episode_text, episodes_list};
pub use explain::explain;
pub use journal::line_text;
pub use messages::{Found, find, list, show};
pub use plan::{MovePlan, ReleasePlan, release_result, unanswered};
pub use report::{Cell, Column, Month, Report, ReportKind, Table, Word, report};
pub use rules::{rules_diff, rules_json, rules_list, rules_show};
