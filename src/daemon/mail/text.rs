//! What stands in a mail: our own words and those of the findings, and of the source's nothing but the case number.

use crate::model::finding::Finding;
use crate::model::state::State;
use crate::model::time::stockholm;
use crate::store::{About, Content, Mail, Matter};
use jiff::Timestamp;
use std::fmt::Write as _;

/// Findings that are written out.
const FINDINGS_MAX: usize = 50;

/// Subject and body.
#[expect(clippy::disallowed_methods, reason = "the case number goes back to those who gave it")]
pub(super) fn write(mail: &Mail, swedish: bool) -> (&'static str, String) {
    match &mail.content {
        Content::One(matter) => one(mail, matter.disclose(), swedish),
        Content::Unread if swedish => {
            ("Vårdbro: något att se över", "Det som skulle mejlas går inte att läsa. Kör: vardbro store check\n".to_owned())
        }
        Content::Unread => ("Vårdbro: something to look at", "What was to be mailed cannot be read. Run: vardbro store check\n".to_owned()),
        Content::More(count, since) => {
            let subject = if swedish { "Vårdbro: fler meddelanden att se över" } else { "Vårdbro: more messages to look at" };
            let (source, since) = (&mail.source, local(*since));
            let body = if swedish {
                format!("{count} till sedan {since} från källan {source}, utöver dem som har mejlats. Se dem med: vardbro messages list\n")
            } else {
                format!(
                    "{count} more since {since} from source {source}, beyond those that were mailed. See them with: vardbro messages list\n"
                )
            };
            (subject, body)
        }
    }
}

fn one(mail: &Mail, matter: &Matter, swedish: bool) -> (&'static str, String) {
    let (subject, what) = titles(matter.about, swedish);
    let mut body = format!("{what}\n\n");
    let mut row = |sv: &str, en: &str, value: &str| {
        let _ = writeln!(body, "{}: {value}", if swedish { sv } else { en });
    };
    // A line of its own is all that it gets.
    let case = matter.case.as_deref().map(|case| case.replace(char::is_control, " "));
    row("Ärende", "Case", case.as_deref().unwrap_or(if swedish { "kunde inte läsas" } else { "could not be read" }));
    if let About::Deadline(clock) = matter.about {
        row("Tidsgräns", "Due time", &format!("{} ({})", pick(clock.texts(), swedish), clock.code()));
    }
    if let Some(kind) = matter.kind {
        row("Händelse", "Event", &format!("{} ({})", pick(kind.texts(), swedish), kind.code()));
    }
    if let Some(at) = matter.occurred_at {
        row("Inträffade", "Occurred", &local(at));
    }
    row("Upptäckt", "Found", &local(mail.at));
    row("Källa", "Source", mail.source.as_str());
    if !matter.findings.is_empty() {
        body.push_str(if swedish { "\nVarför, och vad som kan göras:\n" } else { "\nWhy, and what can be done:\n" });
        matter.findings.iter().take(FINDINGS_MAX).for_each(|finding| reason(&mut body, finding, swedish));
    }
    (subject, body)
}

fn titles(about: About, swedish: bool) -> (&'static str, &'static str) {
    let (sv, en) = match about {
        About::Rejected => (
            ("Vårdbro: en händelse avvisades", "En händelse kunde inte tas emot. Rätta den i källsystemet och lämna in den igen."),
            ("Vårdbro: an event was rejected", "An event could not be taken. Correct it in the source system and hand it in again."),
        ),
        About::Message(State::Withheld) => (
            ("Vårdbro: ett meddelande hålls tillbaka", "Ett meddelande har inte sänts. Det går av sig självt när underlaget är komplett."),
            ("Vårdbro: a message is withheld", "A message has not been sent. It goes by itself once what it rests on is complete."),
        ),
        About::Message(State::Held) => (
            ("Vårdbro: ett meddelande väntar på en människa", "Ett meddelande har inte sänts. Någon måste besluta om det ska släppas."),
            ("Vårdbro: a message waits for a person", "A message has not been sent. Somebody must decide whether it shall go."),
        ),
        About::Message(_) => (
            ("Vårdbro: ett meddelande stoppades", "Ett meddelande stoppades av reglerna och har inte sänts."),
            ("Vårdbro: a message was stopped", "A message was refused by the rules and has not been sent."),
        ),
        About::Deadline(_) => (
            (
                "Vårdbro: en tidsgräns har passerat",
                "En tidsgräns i ärendet har passerat. Gör det som återstår, och kontakta den andra parten.",
            ),
            ("Vårdbro: a due time has passed", "A due time of the case has passed. Do what remains, and speak with the other party."),
        ),
    };
    if swedish { sv } else { en }
}

fn reason(body: &mut String, finding: &Finding, swedish: bool) {
    let (text, remedy) = if swedish { (&finding.sv, &finding.remedy_sv) } else { (&finding.en, &finding.remedy_en) };
    let _ = writeln!(body, "- {text} [{}]", finding.code);
    if let Some(place) = finding.place {
        let (line, column) = if swedish { ("rad", "tecken") } else { ("line", "column") };
        let _ = writeln!(body, "  {line} {}, {column} {}", place.line, place.column);
    }
    if let Some(path) = &finding.path {
        let _ = writeln!(body, "  {}: {path}", if swedish { "fält" } else { "field" });
    }
    if !finding.owner.is_empty() {
        let owners: Vec<&str> = finding.owner.iter().map(|party| pick(party.texts(), swedish)).collect();
        let _ = writeln!(body, "  {}: {}", if swedish { "ansvar" } else { "owner" }, owners.join(", "));
    }
    if !remedy.is_empty() {
        let _ = writeln!(body, "  {remedy}");
    }
}

fn pick((sv, en): (&'static str, &'static str), swedish: bool) -> &'static str {
    if swedish { sv } else { en }
}

fn local(at: Timestamp) -> String {
    at.to_zoned(stockholm()).strftime("%Y-%m-%d %H:%M").to_string()
}
