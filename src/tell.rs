//! Tells the source what became of its events, each time that changes.
//!
//! What is to be told stands in the store, raised in the transaction that changed it; so a crash tells twice at worst.
//! An outcome tells of every version of its event. Two events that came under one file name share one outcome file, and
//! the last word stands: a source gives each file a name of its own.

use crate::fault::Code;
use crate::model::finding::{Effect, Layer};
use crate::model::name::Name;
use crate::model::personal::Personal;
use crate::model::time::instant_text;
use crate::source::{News, Teller};
use crate::store::{DeliveryRow, Store, Untold};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Most outcomes at once.
const BATCH: usize = 256;
/// After a failure; and how often to look though nothing was heard.
const PAUSE: Duration = Duration::from_secs(2);
const IDLE: Duration = Duration::from_mins(1);

/// Writes outcomes for one source until `stop` turns true, and then what is still untold.
pub async fn run(source: Name, teller: Box<dyn Teller>, store: Store, mut stop: watch::Receiver<bool>) {
    let teller = Arc::new(Mutex::new(teller));
    let mut news = store.news();
    loop {
        news.mark_unchanged();
        let stopping = *stop.borrow();
        let (store_for_read, source_for_read, teller) = (store.clone(), source.clone(), Arc::clone(&teller));
        let written = tokio::task::spawn_blocking(move || write(&store_for_read, &source_for_read, &teller)).await;
        let pause = match written {
            Ok(Some(told)) if told.is_empty() => IDLE,
            Ok(Some(told)) => {
                if store.told(told).await.is_ok() {
                    continue;
                }
                PAUSE
            }
            _ => PAUSE,
        };
        if stopping {
            return;
        }
        tokio::select! {
            _ = news.changed() => {}
            () = tokio::time::sleep(pause) => {}
            _ = stop.changed() => {}
        }
    }
}

/// None where the store or the source's system failed; it is tried again.
fn write(store: &Store, source: &Name, teller: &Mutex<Box<dyn Teller>>) -> Option<Vec<(i64, i64)>> {
    // A teller that panicked is used again: what it did not tell is still untold.
    let mut teller = teller.lock().unwrap_or_else(PoisonError::into_inner);
    let mut told = Vec::new();
    let untold = store.untold(source, BATCH).ok()?;
    let all = untold.len();
    for untold in untold {
        // One that cannot be written keeps none of the others waiting.
        let news = News { origin: untold.origin.clone(), event_id: event_id(&untold).map(Personal::new), outcome: outcome(&untold) };
        if teller.tell(&news).is_ok() {
            told.push((untold.event, untold.outcome));
        }
    }
    (all == 0 || !told.is_empty()).then_some(told)
}

/// The outcome file's content. It goes to the system that gave the event, and holds nothing but ids, states and our own
/// words.
pub fn outcome(untold: &Untold) -> String {
    format!("{:#}\n", outcome_json(untold))
}

/// The same for a source that asks.
pub fn outcome_json(untold: &Untold) -> Value {
    let messages: Vec<Value> = untold.deliveries.iter().map(message).collect();
    let event_id = event_id(untold);
    let mut remarks = untold.findings.clone();
    if untold.body.is_none() {
        remarks.push(Code::RetPurged.finding(Effect::Warn, Layer::Delivery, None));
    }
    json!({"eventId": event_id, "verdict": "accepted", "remarks": remarks, "messages": messages})
}

fn message(delivery: &DeliveryRow) -> Value {
    let (sv, en) = delivery.state.texts();
    json!({
        "messageId": delivery.message,
        "type": delivery.kind,
        "version": delivery.version,
        "destination": delivery.destination,
        "state": delivery.state.code(),
        "sv": sv,
        "en": en,
        "sequenceNumber": delivery.sequence,
        "attempts": delivery.attempts,
        "settledAt": delivery.settled_at.map(instant_text),
        "findings": delivery.findings,
    })
}

/// The source's own id, back to the source.
#[expect(clippy::disallowed_methods, reason = "the source's own id goes back to the source")]
fn event_id(untold: &Untold) -> Option<String> {
    let event: Value = serde_json::from_slice(untold.body.as_ref()?.disclose()).ok()?;
    event.get("eventId")?.as_str().map(str::to_owned)
}
