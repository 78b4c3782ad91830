//! The events of a sequence: one or two cases, with what is withheld, corrected, voided and held in them.

use crate::random::Random;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// When every sequence begins.
pub(crate) const BASE: &str = "2026-03-12T09:00:00+01:00";

/// An event that a source has.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// `K-PU e3 of C-0`.
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

/// The examples of `fixtures/types/` by their type.
pub(crate) struct Templates(BTreeMap<&'static str, Value>);

/// What may happen in a case, and how often of a hundred. In the order in which it does.
const STORY: &[(&str, usize)] = &[
    ("R-IN", 90),
    ("K-KV", 40),
    ("R-BU", 25),
    ("K-PU", 60),
    ("K-PM", 50),
    ("K-AD", 50),
    ("K-HT", 50),
    ("R-UK", 45),
    ("K-AD", 30),
    ("R-PM", 10),
    ("K-CL", 45),
    ("K-HT", 25),
    ("R-UT", 12),
    ("K-AV", 6),
];

impl Templates {
    pub(crate) fn read() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/types");
        let kinds = STORY.iter().map(|(kind, _)| *kind).chain(["K-MK"]);
        let read = |kind: &'static str| {
            let text = std::fs::read_to_string(folder.join(format!("{kind}.json"))).expect("an example");
            (kind, serde_json::from_str(&text).expect("JSON"))
        };
        Self(kinds.map(read).collect())
    }

    /// The events of a sequence.
    pub(crate) fn pool(&self, random: &mut Random) -> Vec<Event> {
        let mut pool = Vec::new();
        for case in 0..=random.below(2) {
            self.case(case, random, &mut pool);
        }
        pool
    }

    /// Events after everything else, in a case of their own: what leaves by them finds a closed way open again. Where a store
    /// was put back they happened `at` a moment after that.
    pub(crate) fn last(&self, number: usize, at: Option<Timestamp>) -> [Event; 2] {
        let mut notice = self.event("R-IN", 9 + number, 900 + 2 * number);
        let mut order = self.event("K-PU", 9 + number, 901 + 2 * number);
        order["recipients"] = both();
        if let Some(at) = at.map(|at| at.to_string()) {
            (notice["occurredAt"], notice["sentAt"], order["occurredAt"]) = (at.as_str().into(), at.as_str().into(), at.as_str().into());
        }
        [whole(&notice, "R-IN"), whole(&order, "K-PU")]
    }

    fn case(&self, case: usize, random: &mut Random, pool: &mut Vec<Event>) {
        let mut sent: Vec<Value> = Vec::new();
        for (kind, percent) in STORY {
            if !random.percent(*percent) {
                continue;
            }
            let mut event = self.event(kind, case, pool.len());
            if kind.starts_with('R') && random.percent(4) {
                event["patient"]["protected"] = "sekretessmarkering".into();
            }
            if kind.starts_with('K') {
                event["recipients"] = recipients(random);
                sent.push(event.clone());
            }
            pool.push(whole(&event, kind));
        }
        for _ in 0..random.below(4) {
            if sent.is_empty() {
                return;
            }
            let earlier = random.pick(&sent).clone();
            self.afterthought(case, &earlier, random, pool);
        }
    }

    /// A voiding, a correction or another version of what was sent before.
    fn afterthought(&self, case: usize, earlier: &Value, random: &mut Random, pool: &mut Vec<Event>) {
        let kind = STORY.iter().map(|(kind, _)| *kind).find(|kind| earlier["type"] == *kind).expect("a known type");
        let own = pool.len();
        let (event, kind) = match random.below(3) {
            0 => {
                let mut event = self.event("K-MK", case, own);
                if random.percent(50) {
                    event["refTo"] = json!({ "eventId": earlier["eventId"] });
                } else {
                    event["cancels"] = earlier["eventId"].clone();
                }
                (event, "K-MK")
            }
            1 => {
                let mut event = self.event(kind, case, own);
                (event["corrects"], event["recipients"]) = (earlier["eventId"].clone(), earlier["recipients"].clone());
                (event, kind)
            }
            _ => {
                let mut event = earlier.clone();
                event["author"]["role"] = format!("sjuksköterska {own}").into();
                (event, kind)
            }
        };
        pool.push(whole(&event, kind));
    }

    fn event(&self, kind: &str, case: usize, place: usize) -> Value {
        let mut event = self.0[kind].clone();
        let fields = event.as_object_mut().expect("an object");
        for name in ["refTo", "corrects", "cancels"] {
            fields.shift_remove(name);
        }
        let minutes = SignedDuration::from_mins(i64::try_from(place).expect("small") % 100);
        let begin: Timestamp = BASE.parse().expect("a time");
        let at = begin - SignedDuration::from_hours(2) + minutes;
        event["eventId"] = format!("e{place}").into();
        event["occurredAt"] = at.to_string().into();
        event["episodeRef"] = json!({ "caseId": format!("C-{case}") });
        if kind.starts_with('R') {
            event["sentAt"] = at.to_string().into();
            event["regionMessageId"] = format!("REG-e{place}").into();
        }
        if kind == "K-CL" {
            let item = |number| json!({ "code": format!("CL{number:02}"), "status": "klar", "by": "SE2120001538-T101", "at": at.to_string(), "share": "K" });
            event["data"]["items"] = (1..=26).map(item).collect();
        }
        event
    }
}

fn both() -> Value {
    json!([{ "hsaId": "SE2321000131-T200", "party": "SV" }, { "hsaId": "SE2321000131-T300", "party": "OV" }])
}

fn recipients(random: &mut Random) -> Value {
    let both = both();
    match random.below(4) {
        0 => both,
        1 => json!([both[1]]),
        _ => json!([both[0]]),
    }
}

fn whole(event: &Value, kind: &'static str) -> Event {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut name = format!("{kind} {} of {}", text(&event["eventId"]), text(&event["episodeRef"]["caseId"]));
    for (word, target) in [("voids", &event["cancels"]), ("voids", &event["refTo"]["eventId"]), ("corrects", &event["corrects"])] {
        if let Some(target) = target.as_str() {
            name = format!("{name}, {word} {target}");
        }
    }
    if let Some(version) = event["author"]["role"].as_str().and_then(|role| role.strip_prefix("sjuksköterska ")) {
        name = format!("{name}, another version ({version})");
    }
    Event { name, bytes: serde_json::to_vec(event).expect("JSON") }
}
