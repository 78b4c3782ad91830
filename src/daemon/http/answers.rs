//! What became of a posted document, as the answer to the one who posted it.

use super::{events, later, reply, told};
use crate::fault::Code;
use crate::model::raw::{Answer, EventName, Verdict};
use axum::http::StatusCode;
use axum::response::Response;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use std::time::Duration;

/// What stands for itself in a path.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// To wait where a record could not be stored now.
pub(super) const BUSY_PAUSE: Duration = Duration::from_secs(2);

/// One record is answered by its status, a batch record by record.
pub(super) fn answered(answers: &[Answer]) -> Response {
    match answers {
        [one] if one.place.is_none() => single(one),
        _ => reply(StatusCode::OK, &batch(answers), "application/json"),
    }
}

fn single(answer: &Answer) -> Response {
    let Verdict::Rejected(findings) = &answer.verdict else {
        let events: Vec<Value> = answer.events.iter().map(event).collect();
        let location = answer.events.first().map(location);
        return match word(&answer.verdict) {
            "later" => later(StatusCode::SERVICE_UNAVAILABLE, Code::SrcBusy, BUSY_PAUSE),
            verdict => reply(StatusCode::OK, &json!({"verdict": verdict, "events": events, "location": location}), "application/json"),
        };
    };
    // Only the mapping knows what its source gives.
    let foreign = findings.iter().any(|finding| finding.code == Code::SrcFileType.id());
    let (status, code) = if foreign {
        (StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::SrcMediaType)
    } else {
        (StatusCode::UNPROCESSABLE_ENTITY, Code::SrcRejected)
    };
    let mut problem = told(status, code);
    problem["findings"] = json!(findings);
    reply(status, &problem, "application/problem+json")
}

fn batch(answers: &[Answer]) -> Value {
    let count = |wanted: &str| answers.iter().filter(|answer| word(&answer.verdict) == wanted).count();
    let (rejected, later) = (count("rejected"), count("later"));
    let taken = answers.len() - rejected - later;
    let verdict = match (taken, rejected, later) {
        (_, _, 1..) => "later",
        (_, 0, _) => "accepted",
        (0, _, _) => "rejected",
        _ => "partly",
    };
    let records: Vec<Value> = answers.iter().map(record).collect();
    json!({"verdict": verdict, "taken": taken, "rejected": rejected, "later": later, "records": records})
}

fn record(answer: &Answer) -> Value {
    let events: Vec<Value> = answer.events.iter().map(event).collect();
    let mut record = json!({
        "line": answer.place.map(|place| place.line),
        "column": answer.place.map(|place| place.column),
        "verdict": word(&answer.verdict),
        "events": events,
    });
    if let Verdict::Rejected(findings) = &answer.verdict {
        record["findings"] = json!(findings);
    }
    record
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Accepted => "accepted",
        Verdict::Duplicate => "duplicate",
        Verdict::Rejected(_) => "rejected",
        Verdict::Later => "later",
    }
}

#[expect(clippy::disallowed_methods, reason = "the source's own id goes back to the source")]
fn event(name: &EventName) -> Value {
    json!({"system": name.system.disclose(), "eventId": name.id.disclose(), "location": location(name)})
}

/// Where what became of the event is told.
#[expect(clippy::disallowed_methods, reason = "the source's own id goes back to the source")]
fn location(name: &EventName) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, PLAIN).to_string();
    format!("{}{}:{}", events::ONE, encoded(name.system.disclose()), encoded(name.id.disclose()))
}
