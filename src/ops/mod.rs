//! What operators ask: the journal, the queue, one message's story, episodes, a code's page, the rules. Texts only; nothing
//! personal in them but in the list of the fallback routine, the export of the audit log and what was disclosed about a person,
//! where they are asked for, and that they were stands in the audit log.

mod alarms;
mod audit;
mod audit_riv;
mod cases;
mod delivery;
mod disclosures;
mod episode_json;
mod episodes;
mod explain;
mod fallback;
mod fallback_text;
mod guarantees;
mod journal;
mod messages;
mod parked;
mod plan;
mod purge;
mod rekey;
mod render;
mod report;
mod report_text;
mod restore;
mod rules;
mod upkeep;

pub use alarms::{ALARMS_MAX, alarms_json, alarms_text};
pub use audit::{AuditForm, audit_exported, audit_list, audit_list_json, audit_warning, export_audit, verified_json, verified_text};
pub use cases::{Named, Readmission, Seen, Sets, find_episode, readmissions, see, see_all};
pub use delivery::delivery_page;
pub use disclosures::Disclosures;
pub use episode_json::episode_json;
pub use episodes::{episode_text, episodes_list};
pub use explain::explain;
pub use fallback::{Unsent, unsent};
pub use guarantees::{guarantees, guarantees_page};
pub use journal::line_text;
pub use messages::{Found, find, list, show};
pub use parked::{RESENDS_MAX, ResendPlan, ResolvePlan};
pub use plan::{MovePlan, ReleasePlan, release_result, unanswered};
pub use purge::{PurgePlan, hold_line, holds_text, purged_text};
pub use rekey::{new_key_text, rekey_line, rekeyed_text};
pub use render::render;
pub use report::{Cell, Column, Month, Report, ReportKind, Table, Word, report};
pub use restore::{MarkPlan, RestorePlan, backup_name, backup_text, export_warning, exported_text, restored, restored_text};
pub use rules::{rules_diff, rules_json, rules_list, rules_show};
pub use upkeep::{check_store, looked_json, looked_text};
