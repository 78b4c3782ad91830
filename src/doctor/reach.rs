//! Whether those whom the daemon talks to are there: a receiver is knocked at and sent nothing, a server of a source is connected to.

use super::{Area, Examiner, Reading};
use crate::config::{Engine, Mode, SourceSettings, Way};
use crate::daemon;
use crate::deliver::decide::{RouteNews, route_news};
use crate::fault::Code;
use crate::transport::{self, Knocked, skew};
use jiff::SignedDuration;
use std::path::Path;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Clocks that are kept in time differ by less.
const APART: SignedDuration = SignedDuration::from_secs(5);

pub(super) async fn readings(examiner: &Examiner<'_>) -> Vec<Reading> {
    let mut out = Vec::new();
    for known in examiner.settings.destinations.iter().filter(|known| known.mode == Mode::Live) {
        // What keeps a way from being made has been told with its files.
        if let Ok(way) = daemon::way(known) {
            knock(&mut out, &way, known.url.is_https(), examiner).await;
        }
    }
    for source in &examiner.settings.sources {
        if let Some(peer) = peer(source) {
            out.push(connect(&format!("source.{}", source.name), peer).await);
        }
    }
    if let Some(mail) = &examiner.settings.mail {
        out.push(connect("mail.server", (mail.server.clone(), mail.port)).await);
    }
    out
}

async fn knock(out: &mut Vec<Reading>, way: &transport::Way, tls: bool, examiner: &Examiner<'_>) {
    let subject = format!("destination.{}", way.name().as_str());
    let began = examiner.clock.now();
    let Knocked { answer, status, date } = way.knock().await;
    let ended = examiner.clock.now();
    match (route_news(&answer, false), status) {
        // Only that it is there is asked: many a receiver takes nothing but messages.
        (_, Some(status @ (401 | 403 | 407))) => {
            let (sv, en) = (format!("svarade {status} på en tom fråga"), format!("answered an empty question with {status}"));
            out.push(Reading::note(Area::Reach, &subject, Code::DlvAuth, sv, en));
        }
        (RouteNews::Works, status) | (RouteNews::Silent, status @ Some(_)) => {
            let status = status.map_or_else(String::new, |status| format!(" ({status})"));
            let (sv, en) = if tls { (", certifikaten godtas", ", the certificates are accepted") } else { (" utan TLS", " without TLS") };
            let (sv, en) = (format!("nådd{sv}; inget meddelande sänt{status}"), format!("reached{en}; no message sent{status}"));
            out.push(Reading::good(Area::Reach, &subject, sv, en));
        }
        (RouteNews::Down { code, .. }, status) => {
            let shown = status.map_or_else(String::new, |status| format!("http-{status}"));
            out.push(Reading::bad(Area::Reach, &subject, code, shown.clone(), shown));
        }
        (RouteNews::Silent, None) => out.push(Reading::bad(Area::Reach, &subject, Code::DlvConnect, "inget svar", "no answer")),
    }
    out.extend(date.map(|theirs| clock(&subject, skew(theirs, began, ended))));
}

/// Our clock against a receiver's.
fn clock(subject: &str, skew: SignedDuration) -> Reading {
    let apart = skew.abs();
    let seconds = apart.as_secs();
    if apart > APART {
        let (sv, en) = (format!("{seconds} s ifrån mottagarens klocka"), format!("{seconds} s from the receiver's clock"));
        return Reading::bad(Area::Clock, subject, Code::DocClock, sv, en);
    }
    Reading::good(Area::Clock, subject, "stämmer med mottagarens", "agrees with the receiver's")
}

/// The server that a source's records come from. None where they come in, lie on this machine, or it cannot be told.
fn peer(source: &SourceSettings) -> Option<(String, u16)> {
    let text = |file: &Path| std::fs::read_to_string(file).ok();
    match &source.way {
        Way::Nats(nats) => of_url(&nats.url, 4222),
        Way::Amqp(amqp) => of_url(&text(&amqp.url_file)?, 5672),
        Way::Sql(sql) if sql.engine == Engine::Mariadb => of_url(&text(&sql.place)?, 3306),
        Way::Sql(sql) if sql.engine == Engine::Postgresql => {
            let config: tokio_postgres::Config = text(&sql.place)?.trim().parse().ok()?;
            let host = config.get_hosts().iter().find_map(|host| match host {
                tokio_postgres::config::Host::Tcp(name) => Some(name.clone()),
                tokio_postgres::config::Host::Unix(_) => None,
            })?;
            Some((host, config.get_ports().first().copied().unwrap_or(5432)))
        }
        _ => None,
    }
}

fn of_url(text: &str, port: u16) -> Option<(String, u16)> {
    let url = reqwest::Url::parse(text.trim()).ok()?;
    let port = if url.scheme() == "amqps" { 5671 } else { port };
    Some((url.host_str()?.trim_matches(['[', ']']).to_owned(), url.port().unwrap_or(port)))
}

async fn connect(subject: &str, (host, port): (String, u16)) -> Reading {
    let shown = format!("{host}:{port}");
    match timeout(PATIENCE, TcpStream::connect((host.as_str(), port))).await {
        Ok(Ok(_)) => Reading::good(Area::Reach, subject, format!("{shown} tar emot förbindelser"), format!("{shown} takes connections")),
        Ok(Err(_)) | Err(_) => Reading::bad(Area::Reach, subject, Code::DocServer, shown.clone(), shown),
    }
}
