//! `POST /v1/events`: events that sources post. `GET /v1/events/{system}:{eventId}`: what became of one.
//!
//! The secret that is shown tells which source it is: nobody sees another source's events.

use super::answers::{BUSY_PAUSE, answered};
use super::{Desk, later, not_allowed, pass_over, problem, reply, unauthorised, whole};
use crate::fault::Code;
use crate::model::keyed::Domain;
use crate::model::personal::Personal;
use crate::model::raw::Form;
use crate::oplog::Event;
use crate::source::http::{Door, Refused};
use crate::tell;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use percent_encoding::percent_decode_str;
use serde_json::Value;

pub(super) const PATH: &str = "/v1/events";
/// Before the name of an event.
pub(super) const ONE: &str = "/v1/events/";
/// Longest idempotency key.
const KEY_MAX: usize = 255;

/// Why a request has no answer of its own.
enum Stop {
    At(StatusCode, Code),
    Refused(Refused),
}

impl From<Refused> for Stop {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

pub(super) async fn posted(desk: Desk, request: Request) -> Response {
    if request.method() != Method::POST {
        return not_allowed(Code::SrcRequest, "POST");
    }
    let Some(door) = desk.callers.sources.find(request.headers()) else { return stranger(&desk) };
    let (head, mut body) = request.into_parts();
    match post(&door, &head.headers, &mut body).await {
        Ok(response) => response,
        Err(stop) => {
            let response = refused(&desk, &door, &stop);
            pass_over(&mut body).await;
            response
        }
    }
}

pub(super) async fn asked(desk: Desk, request: Request) -> Response {
    if request.method() != Method::GET {
        return not_allowed(Code::SrcRequest, "GET");
    }
    let Some(door) = desk.callers.sources.find(request.headers()) else { return stranger(&desk) };
    let done = look_up(&desk, &door, request.uri().path()).await;
    done.unwrap_or_else(|stop| refused(&desk, &door, &stop))
}

async fn post(door: &Door, headers: &HeaderMap, body: &mut Body) -> Result<Response, Stop> {
    let place = door.enter()?;
    let form = form(headers).ok_or(Stop::At(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::SrcMediaType))?;
    let key = key(headers).map_err(|()| Stop::At(StatusCode::BAD_REQUEST, Code::SrcRequest))?;
    let content = whole(headers, body, door.max_bytes()).await.map_err(|status| {
        let code = if status == StatusCode::PAYLOAD_TOO_LARGE { Code::SrcTooLarge } else { Code::SrcRequest };
        Stop::At(status, code)
    })?;
    Ok(answered(&door.hand_in(place, key, form, content).await?))
}

async fn look_up(desk: &Desk, door: &Door, path: &str) -> Result<Response, Stop> {
    let _place = door.enter()?;
    let (system, id) = named(path).ok_or(Stop::At(StatusCode::NOT_FOUND, Code::SrcNoEvent))?;
    let key = desk.store.reference_key().reference(Domain::Event, &[&system, &id]);
    let (store, source) = (desk.store.clone(), door.name().clone());
    let found = tokio::task::spawn_blocking(move || store.event_of(&source, &key)).await;
    match found {
        Ok(Ok(Some(event))) => {
            let outcome: Value = tell::outcome_json(&event);
            Ok(reply(StatusCode::OK, &outcome, "application/json"))
        }
        Ok(Ok(None)) => Err(Stop::At(StatusCode::NOT_FOUND, Code::SrcNoEvent)),
        Ok(Err(_)) => Err(Refused::Busy.into()),
        Err(_) => Err(Stop::At(StatusCode::INTERNAL_SERVER_ERROR, Code::BugPanic)),
    }
}

fn stranger(desk: &Desk) -> Response {
    desk.hush.refused(desk.clock.now(), Event::SourceRefused, Code::SrcToken, None, None);
    unauthorised(Code::SrcToken)
}

fn refused(desk: &Desk, door: &Door, stop: &Stop) -> Response {
    let (code, response) = match stop {
        // Asked for and not there: nothing went wrong.
        Stop::At(status, code @ Code::SrcNoEvent) => return problem(*status, *code),
        Stop::At(status, code) => (*code, problem(*status, *code)),
        Stop::Refused(Refused::TooFast(wait)) => (Code::SrcRate, later(StatusCode::TOO_MANY_REQUESTS, Code::SrcRate, *wait)),
        Stop::Refused(Refused::Busy) => (Code::SrcBusy, later(StatusCode::SERVICE_UNAVAILABLE, Code::SrcBusy, BUSY_PAUSE)),
        Stop::Refused(Refused::KeyReused) => (Code::SrcKeyReused, problem(StatusCode::UNPROCESSABLE_ENTITY, Code::SrcKeyReused)),
    };
    desk.hush.refused(desk.clock.now(), Event::SourceRefused, code, Some(door.name()), None);
    response
}

/// The form that the body is said to have.
fn form(headers: &HeaderMap) -> Option<Form> {
    let coding = headers.get(CONTENT_ENCODING).map_or(Some("identity"), |coding| coding.to_str().ok())?;
    if !coding.eq_ignore_ascii_case("identity") {
        return None;
    }
    let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind.as_str() {
        "application/json" => Some(Form::Json),
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Some(Form::Ndjson),
        "application/xml" | "text/xml" => Some(Form::Xml),
        "text/csv" => Some(Form::Csv),
        _ if kind.ends_with("+json") => Some(Form::Json),
        _ if kind.ends_with("+xml") => Some(Form::Xml),
        _ => None,
    }
}

fn key(headers: &HeaderMap) -> Result<Option<&[u8]>, ()> {
    let mut keys = headers.get_all("idempotency-key").iter();
    let key = keys.next().map(axum::http::HeaderValue::as_bytes);
    let sound = key.is_none_or(|key| (1..=KEY_MAX).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic));
    if sound && keys.next().is_none() { Ok(key) } else { Err(()) }
}

/// System and id from the path: parted by the first colon that is not encoded; where all of them are, by the first.
fn named(path: &str) -> Option<(Personal<String>, Personal<String>)> {
    let name = path.strip_prefix(ONE)?;
    let decoded = |text: &str| percent_decode_str(text).decode_utf8().ok().map(|text| Personal::new(text.into_owned()));
    let encoded = || name.split_once("%3A").or_else(|| name.split_once("%3a"));
    let (system, id) = name.split_once(':').or_else(encoded)?;
    Some((decoded(system)?, decoded(id)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "an id that belongs to nobody")]
    fn a_name_is_parted_by_its_first_plain_colon() {
        let named = |path: &str| named(path).map(|(system, id)| (system.disclose().clone(), id.disclose().clone()));
        let both = |system: &str, id: &str| Some((system.to_owned(), id.to_owned()));
        assert_eq!(named("/v1/events/journal:E-1"), both("journal", "E-1"));
        assert_eq!(named("/v1/events/a%3Ab:c:%2F%C3%A5"), both("a:b", "c:/å"));
        assert_eq!(named("/v1/events/journal%3AE-1%3a2"), both("journal", "E-1:2"));
        assert_eq!((named("/v1/events/E-1"), named("/v1/events/a:%FF")), (None, None));
    }

    #[test]
    fn a_media_type_says_the_form() {
        let form = |kind: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_str(kind).unwrap());
            super::form(&headers)
        };
        assert_eq!(form("Application/JSON; charset=utf-8"), Some(Form::Json));
        assert_eq!(form("application/fhir+json"), Some(Form::Json));
        assert_eq!(form("application/x-ndjson"), Some(Form::Ndjson));
        assert_eq!(form("application/hl7+xml"), Some(Form::Xml));
        assert_eq!(form("text/csv"), Some(Form::Csv));
        assert_eq!((form("text/plain"), form("")), (None, None));
        assert_eq!(super::form(&HeaderMap::new()), None);
    }
}
