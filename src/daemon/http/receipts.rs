//! `POST /v1/receipts`: receipts that receivers send by themselves.
//!
//! The secret that is shown tells which destination it is: nobody settles another receiver's messages.

use super::callers::Receiver;
use super::{Desk, later, not_allowed, pass_over, problem, reply, unauthorised, whole};
use crate::deliver::late::{Refused, fits, weigh};
use crate::fault::Code;
use crate::model::personal::Personal;
use crate::oplog::Event;
use crate::store::{Sent, Weighed};
use crate::wire::read_receipt;
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

pub(super) const PATH: &str = "/v1/receipts";
/// Longest receipt that is read.
const RECEIPT_MAX: usize = 64 * 1024;
/// To wait where the store fails.
const BUSY_PAUSE: Duration = Duration::from_secs(5);

pub(super) async fn request(desk: Desk, request: Request) -> Response {
    let now = desk.clock.now();
    if request.method() != Method::POST {
        return not_allowed(Code::RcvRequest, "POST");
    }
    let Some(receiver) = desk.callers.receivers.find(request.headers()) else {
        desk.hush.refused(now, Event::ReceiptRefused, Code::RcvToken, None, None);
        return unauthorised(Code::RcvToken);
    };
    let (head, mut body) = request.into_parts();
    let content = match whole(&head.headers, &mut body, RECEIPT_MAX).await {
        Ok(content) => content,
        Err(status) => {
            pass_over(&mut body).await;
            return problem(status, Code::RcvRequest);
        }
    };
    let (hush, sender) = (Arc::clone(&desk.hush), Arc::clone(&receiver));
    let taken = tokio::task::spawn_blocking(move || desk.take(&sender, content)).await;
    match taken.unwrap_or(Err((StatusCode::INTERNAL_SERVER_ERROR, Code::BugPanic))) {
        Ok(answer) => reply(StatusCode::OK, &answer, "application/json"),
        Err((status, code)) => {
            hush.refused(now, Event::ReceiptRefused, code, None, Some(&receiver.destination));
            if status == StatusCode::SERVICE_UNAVAILABLE { later(status, code, BUSY_PAUSE) } else { problem(status, code) }
        }
    }
}

impl Desk {
    fn take(&self, receiver: &Receiver, body: Vec<u8>) -> Result<Value, (StatusCode, Code)> {
        let mut receipt = read_receipt(&body).map_err(|_| (StatusCode::BAD_REQUEST, Code::RcvUnreadable))?;
        if let Some(parties) = &receiver.parties {
            receipt.message = parties.id(receipt.message);
        }
        let (message, now) = (receipt.message, self.clock.now());
        let (policy, sender) = (Arc::clone(&receiver.policy), receiver.destination.clone());
        let weighing = move |sent: &Sent| {
            fits(sent, &receipt)?;
            Ok(weigh(sent, &receipt, &Personal::new(body), &sender, now, &policy))
        };
        let taken = self.store.take_receipt(message, receiver.destination.clone(), weighing);
        match taken.map_err(|_| (StatusCode::SERVICE_UNAVAILABLE, Code::RcvBusy))? {
            Some(Ok(weighed)) => {
                self.metrics.tell(weighed.line.as_slice());
                let result = match weighed {
                    Weighed { to: Some(_), .. } => "settled",
                    Weighed { code: Some(_), .. } => "contradicts",
                    _ => "known",
                };
                Ok(json!({"messageId": message.to_string(), "result": result}))
            }
            Some(Err(Refused::OtherContent)) => Err((StatusCode::CONFLICT, Code::RcvOtherContent)),
            Some(Err(Refused::NotSent)) | None => Err((StatusCode::NOT_FOUND, Code::RcvUnknown)),
        }
    }
}
