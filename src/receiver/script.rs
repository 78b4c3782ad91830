//! What the receiver is told to answer, in order: `[[answer]]` tables of a TOML file.

use super::core::Drop;
use crate::fault::{Code, Fault};
use crate::model::state::ReceiptReason;
use crate::wire::xml::Received;
use serde::Deserialize;
use std::path::Path;
use std::time::Duration;

/// Longest wait before an answer.
const DELAY_MAX_MS: u64 = 600_000;

/// Answers that are still to be given.
#[derive(Debug, Clone, Default)]
pub struct Script {
    answers: Vec<Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    answer: Planned,
    /// `None` for ever.
    left: Option<u32>,
    wanted: Option<String>,
}

/// One planned answer. With nothing set it is the normal one.
#[derive(Debug, Clone, Default)]
pub(super) struct Planned {
    pub(super) status: Option<u16>,
    pub(super) delay: Duration,
    pub(super) drop: Option<Drop>,
    pub(super) receipt: Option<Verdict>,
    pub(super) retry_after: Option<u32>,
    /// The message is taken in now, and its receipt is to be had after so long.
    pub(super) later: Option<Duration>,
}

/// What the planned receipt says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Accepted,
    Rejected(ReceiptReason),
}

impl Planned {
    /// The message is not looked at: a status that refuses, with no receipt beside it, or a connection that ends before.
    pub(super) fn bars(&self) -> bool {
        self.drop == Some(Drop::Before) || (self.receipt.is_none() && self.status.is_some_and(|status| status >= 300))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawScript {
    #[serde(default)]
    answer: Vec<toml::Spanned<RawAnswer>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAnswer {
    status: Option<u16>,
    #[serde(default)]
    delay_ms: u64,
    drop: Option<RawDrop>,
    receipt: Option<RawReceipt>,
    reason: Option<RawReason>,
    retry_after_s: Option<u32>,
    later_ms: Option<u64>,
    #[serde(default = "once")]
    times: u32,
    r#match: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawDrop {
    Before,
    After,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawReceipt {
    Accepted,
    Rejected,
}

#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum RawReason {
    Sv,
    Bv,
    Sig,
}

fn once() -> u32 {
    1
}

impl Script {
    /// Reads a file.
    pub fn load(path: &Path) -> Result<Self, Fault> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|fault| Fault::with(Code::CfgFile, format!("{name} ({})", fault.kind())))?;
        Self::parse(&text, &name)
    }

    /// Reads a text; `name` is what faults call it.
    pub fn parse(text: &str, name: &str) -> Result<Self, Fault> {
        let at = |offset: usize, what: &str| {
            let (line, column) = position(text, offset);
            format!("{name}:{line}:{column}: {what}")
        };
        let fault = |code, error: &toml::de::Error| {
            let offset = error.span().map_or(0, |span| span.start);
            Fault::with(code, at(offset, error.message()))
        };
        toml::de::DeTable::parse(text).map_err(|error| fault(Code::CfgSyntax, &error))?;
        let raw: RawScript = toml::from_str(text).map_err(|error| {
            let unknown = error.message().starts_with("unknown field");
            fault(if unknown { Code::CfgUnknownKey } else { Code::CfgValue }, &error)
        })?;
        let entry = |raw: toml::Spanned<RawAnswer>| {
            let offset = raw.span().start;
            raw.into_inner().entry().map_err(|what| Fault::with(Code::CfgValue, at(offset, what)))
        };
        Ok(Self { answers: raw.answer.into_iter().map(entry).collect::<Result<_, _>>()? })
    }

    /// The next answer for this message; `None` where the normal one is due.
    pub(super) fn next(&mut self, received: Option<&Received>) -> Option<Planned> {
        let entry = self.answers.iter_mut().find(|entry| entry.left != Some(0) && fits(entry.wanted.as_deref(), received))?;
        entry.left = entry.left.map(|left| left - 1);
        Some(entry.answer.clone())
    }
}

impl RawAnswer {
    fn entry(self) -> Result<Entry, &'static str> {
        let drop = self.drop.map(|drop| match drop {
            RawDrop::Before => Drop::Before,
            RawDrop::After => Drop::After,
        });
        let receipt = match (self.receipt, self.reason) {
            (None | Some(RawReceipt::Accepted), Some(_)) => return Err("reason needs receipt = \"rejected\""),
            (None, None) => None,
            (Some(RawReceipt::Accepted), None) => Some(Verdict::Accepted),
            (Some(RawReceipt::Rejected), reason) => Some(Verdict::Rejected(match reason {
                Some(RawReason::Sv) => ReceiptReason::Sv,
                None | Some(RawReason::Bv) => ReceiptReason::Bv,
                Some(RawReason::Sig) => ReceiptReason::Sig,
            })),
        };
        if self.status.is_some_and(|status| !(200..600).contains(&status)) {
            return Err("status is 200 to 599");
        }
        if self.delay_ms.max(self.later_ms.unwrap_or(0)) > DELAY_MAX_MS {
            return Err("delay_ms and later_ms are at most 600000");
        }
        if self.later_ms.is_some() && self.status.is_some_and(|status| status != 202) {
            return Err("later_ms answers 202, so another status cannot stand beside it");
        }
        if drop.is_some() && (self.status.is_some() || receipt.is_some() || self.retry_after_s.is_some()) {
            return Err("drop gives no answer, so status, receipt and retry_after_s cannot stand beside it");
        }
        let answer = Planned {
            status: self.status,
            delay: Duration::from_millis(self.delay_ms),
            drop,
            receipt,
            retry_after: self.retry_after_s,
            later: self.later_ms.map(Duration::from_millis),
        };
        Ok(Entry { answer, left: (self.times > 0).then_some(self.times), wanted: self.r#match })
    }
}

fn fits(wanted: Option<&str>, received: Option<&Received>) -> bool {
    let Some(wanted) = wanted else { return true };
    received.is_some_and(|received| {
        received.kind.code().contains(wanted)
            || received.message_id.to_string().contains(wanted)
            || received.episode_id.to_string().contains(wanted)
    })
}

/// Line and column, from 1; columns count characters.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> String {
        let fault = Script::parse(text, "s.toml").expect_err("refused");
        format!("{} {}", fault.code.id(), fault.detail.expect("a detail"))
    }

    #[test]
    fn answers_are_taken_in_order_until_they_are_used_up() {
        let text = "[[answer]]\nstatus = 503\nretry_after_s = 2\ntimes = 2\n[[answer]]\nmatch = 'K-HT'\nstatus = 500\n[[answer]]\ndrop = 'after'\ntimes = 0\n";
        let mut script = Script::parse(text, "s.toml").expect("good");
        let mut next = || script.next(None).expect("an answer");
        assert_eq!((next().status, next().retry_after), (Some(503), Some(2)));
        for _ in 0..3 {
            let planned = next();
            assert_eq!((planned.status, planned.drop), (None, Some(Drop::After)));
            assert!(!planned.bars());
        }
        assert!(Script::default().next(None).is_none());
    }

    #[test]
    fn a_mistake_is_named_with_its_place() {
        assert!(fault("[[answer]]\nstatus = 503\n  stutus = 1\n").starts_with("VB-CFG-003 s.toml:3:3: unknown field"));
        assert!(fault("[[answer]\n").starts_with("VB-CFG-002 s.toml:1:"));
        for bad in ["status = 99", "status = 'x'", "reason = 'SV'", "drop = 'never'", "drop = 'after'\nstatus = 200", "delay_ms = 600001"] {
            let said = fault(&format!("\n[[answer]]\n{bad}\n"));
            assert!(said.starts_with("VB-CFG-004 s.toml:"), "{bad}: {said}");
        }
    }
}
