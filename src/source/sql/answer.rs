//! What is written into a row. Pure.

use crate::model::raw::{Answer, Verdict};
use serde_json::{Map, Value, json};

/// Refused records of one row that are told of, and later fates of its records that are kept.
const PARTS_MAX: usize = 100;
const PARTS: &str = "parts";

/// The status of a row and what stands beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) status: &'static str,
    pub(super) answer: String,
}

impl Written {
    /// Where the long answer does not fit.
    pub(super) fn short(&self) -> String {
        json!({"verdict": self.status}).to_string()
    }
}

/// The first answer. One refused record makes the row refused, so that somebody looks; the others are taken.
pub(super) fn first(answers: &[Answer]) -> Written {
    let rejected = |answer: &Answer| match &answer.verdict {
        Verdict::Rejected(findings) => Some((answer.place, findings.clone())),
        _ => None,
    };
    let refused: Vec<_> = answers.iter().filter_map(rejected).collect();
    let accepted = answers.iter().any(|answer| answer.verdict == Verdict::Accepted);
    let status = match (refused.is_empty(), accepted || answers.is_empty()) {
        (false, _) => "rejected",
        (true, true) => "accepted",
        (true, false) => "duplicate",
    };
    let answer = match &refused[..] {
        [] => json!({"verdict": status}),
        [(None, findings)] => json!({"verdict": status, "findings": findings}),
        _ => {
            let records = refused.iter().take(PARTS_MAX);
            let records = records.map(|(place, findings)| json!({"line": place.map(|place| place.line), "findings": findings}));
            let taken = answers.len() - refused.len();
            json!({"verdict": status, "taken": taken, "refused": refused.len(), "records": records.collect::<Vec<_>>()})
        }
    };
    Written { status, answer: answer.to_string() }
}

/// A row's key and the part of it that is meant: of several records or events in one row each has its own fate.
pub(super) fn place(origin: &str) -> (&str, Option<&str>) {
    origin.find(['#', '~']).map_or((origin, None), |at| (&origin[..at], Some(&origin[at..])))
}

/// What stands in a row once it is told of a change: the row's own fate above, those of its parts below.
pub(super) fn again(status: &str, before: Option<&str>, part: Option<&str>, outcome: &str) -> Written {
    let object = |text: &str| serde_json::from_str::<Map<String, Value>>(text).ok();
    let mut before = before.and_then(object).unwrap_or_default();
    let Some(outcome) = object(outcome) else { return Written { status: known(status), answer: Value::Object(before).to_string() } };
    let answer = match part {
        None => {
            let mut answer = outcome;
            // What was refused stays to be read.
            for name in [PARTS, "findings", "records", "taken", "refused"] {
                if let Some(kept) = before.remove(name) {
                    answer.insert(name.to_owned(), kept);
                }
            }
            answer
        }
        Some(part) => {
            let parts = before.entry(PARTS).or_insert_with(|| json!({}));
            if let Value::Object(parts) = parts
                && (parts.len() < PARTS_MAX || parts.contains_key(part))
            {
                parts.insert(part.to_owned(), Value::Object(outcome));
            }
            before
        }
    };
    Written { status: known(status), answer: Value::Object(answer).to_string() }
}

/// A row that is told of is the one that its event came with: that we met it twice is our own affair.
fn known(status: &str) -> &'static str {
    if status == "rejected" { "rejected" } else { "accepted" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Code;
    use crate::model::finding::{Effect, Layer, Place};

    fn answer(line: Option<usize>, verdict: Verdict) -> Answer {
        Answer { place: line.map(|line| Place { line, column: 1 }), events: Vec::new(), verdict }
    }

    fn refused() -> Verdict {
        Verdict::Rejected(vec![Code::SrcTooLarge.finding(Effect::Refuse, Layer::Syntax, None)])
    }

    #[test]
    fn the_first_answer_says_what_became_of_the_row() {
        let written = |answers: &[Answer]| first(answers);
        assert_eq!(written(&[answer(None, Verdict::Accepted)]).answer, r#"{"verdict":"accepted"}"#);
        assert_eq!(written(&[answer(None, Verdict::Duplicate)]).status, "duplicate");
        assert_eq!(written(&[answer(Some(1), Verdict::Duplicate), answer(Some(2), Verdict::Accepted)]).status, "accepted");
        let no = written(&[answer(None, refused())]);
        assert!(no.status == "rejected" && no.answer.contains("VB-SRC-002"), "{no:?}");
        let partly = written(&[answer(Some(1), Verdict::Accepted), answer(Some(2), refused())]);
        assert!(partly.status == "rejected" && partly.answer.contains("\"taken\":1") && partly.answer.contains("\"line\":2"), "{partly:?}");
        let many = written(&vec![answer(Some(2), refused()); 300]);
        assert_eq!(many.answer.matches("VB-SRC-002").count(), PARTS_MAX);
    }

    #[test]
    fn a_later_fate_takes_the_place_of_the_first_answer_and_keeps_the_parts() {
        let one = again("duplicate", Some(r#"{"verdict":"duplicate"}"#), None, r#"{"verdict":"accepted","messages":[]}"#);
        assert_eq!(one, Written { status: "accepted", answer: r#"{"verdict":"accepted","messages":[]}"#.to_owned() });
        let part = again("accepted", Some(&one.answer), Some("~2"), r#"{"messages":[1]}"#);
        assert!(part.answer.contains(r#""parts":{"~2":{"messages":[1]}}"#), "{part:?}");
        let whole = again("accepted", Some(&part.answer), None, r#"{"messages":[2]}"#);
        assert_eq!(whole.answer, r#"{"messages":[2],"parts":{"~2":{"messages":[1]}}}"#);
        assert_eq!(again("rejected", None, Some("#2"), "{}").status, "rejected");
        assert_eq!((place("12#3~2"), place("ab"), place("7~2")), (("12", Some("#3~2")), ("ab", None), ("7", Some("~2"))));
    }
}
