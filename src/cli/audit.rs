//! `vardbro audit` and `vardbro disclosures`.

use super::episodes::named;
use super::inspect::{Format, Where, refused};
use super::who::{Asking, audited};
use super::{Ending, complain, say};
use crate::fault::{Code, Fault};
use crate::model::keyed::{Domain, Ref};
use crate::model::person::{PersonId, PersonIdKind};
use crate::model::time::{Clock, SystemClock, local_day};
use crate::ops::{self, AuditForm, Disclosures};
use crate::store::{self, Anchor, Audit, AuditWanted, ExportFault, Kind, NewFile};
use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use std::io::{self, BufWriter, Read as _, Write as _};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// The last rows: who did what, when, and how it ended; nobody whom they are about
    List {
        #[command(flatten)]
        place: Where,
        /// Only rows since this instant with zone, 2026-03-10T09:00:00+01:00
        #[arg(long)]
        since: Option<Timestamp>,
        /// disclosed, printed, asked, resent …
        #[arg(long, value_parser = kind)]
        kind: Option<Kind>,
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        limit: u32,
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Go through the whole chain; exit 1 where it does not hold. The daemon may run meanwhile
    Verify {
        #[command(flatten)]
        place: Where,
        /// NUMBER:CODE of a row that was noted elsewhere: it must still be there as it was
        #[arg(long, value_parser = anchor)]
        anchor: Option<Anchor>,
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Write rows with everybody's identities; that it was done stands in the log
    Export {
        /// A new file, or - for standard output
        #[arg(long)]
        output: PathBuf,
        /// Lines of JSON; or log posts of the national log service
        #[arg(long, value_enum, default_value = "jsonl")]
        format: ExportFormat,
        #[arg(long)]
        since: Option<Timestamp>,
        /// Only rows from before this instant
        #[arg(long)]
        until: Option<Timestamp>,
        #[command(flatten)]
        place: Where,
        #[command(flatten)]
        asking: Asking,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ExportFormat {
    Jsonl,
    Riv,
}

/// What was sent about a person, to whom, when. That somebody asked stands in the audit log.
#[derive(Debug, Args)]
#[group(id = "whom", required = true, multiple = false, args = ["patient_ref", "patient", "episode"])]
pub(super) struct DisclosuresArgs {
    /// The person's keyed reference, as the operations log has it
    #[arg(long)]
    patient_ref: Option<String>,
    /// `-`: the person's number is read from standard input, since arguments are seen by others on the machine
    #[arg(long, value_parser = ["-"])]
    patient: Option<String>,
    /// Episode id, a beginning of it (8 or more), or system:caseId
    #[arg(long)]
    episode: Option<String>,
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    asking: Asking,
}

/// A number of a person, and what stands around it.
const NUMBER_MAX: u64 = 100;

pub(super) fn run(command: AuditCommand, swedish: bool) -> Result<Ending, Ending> {
    match command {
        AuditCommand::List { place, since, kind, limit, format } => {
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            let rows = place.open()?.audit_tail(&AuditWanted { since, kind, limit, ..AuditWanted::default() })?;
            say(&match format {
                Format::Text => ops::audit_list(&rows, swedish),
                Format::Json => ops::audit_list_json(&rows),
            });
            Ok(Ending::Clean)
        }
        AuditCommand::Verify { place, anchor, format } => {
            let verified = place.open()?.verify_audit(anchor.as_ref())?;
            say(&match format {
                Format::Text => ops::verified_text(&verified, swedish),
                Format::Json => ops::verified_json(&verified),
            });
            Ok(if verified.broken.is_some() { refused(&Fault::new(Code::AudBroken), swedish) } else { Ending::Clean })
        }
        AuditCommand::Export { output, format, since, until, place, asking } => {
            let wanted = AuditWanted { since, until, ..AuditWanted::default() };
            export(&output, format, &wanted, &place, &asking, swedish)
        }
    }
}

fn export(
    output: &std::path::Path,
    format: ExportFormat,
    wanted: &AuditWanted,
    place: &Where,
    asking: &Asking,
    swedish: bool,
) -> Result<Ending, Ending> {
    let form = match format {
        ExportFormat::Jsonl => AuditForm::Lines,
        // Its posts name the organisation.
        ExportFormat::Riv => {
            let organisation = place.settings()?.organisation;
            AuditForm::Riv { hsa_id: organisation.hsa_id, name: organisation.name }
        }
    };
    let store = place.open()?;
    let to_file = output.as_os_str() != "-";
    complain(ops::audit_warning(output, swedish).trim_end());
    let file = if to_file { Some(NewFile::at(output)?) } else { None };
    let told = Audit::new(SystemClock.now(), Kind::LogExported, asking.who())
        .tell("to", output.display().to_string())
        .tell("since", wanted.since.map(|at| at.to_string()))
        .tell("until", wanted.until.map(|at| at.to_string()));
    audited(&store, &[asking.tell(told)])?;
    let failed = |fault: ExportFault| match fault {
        ExportFault::Store(fault) => Ending::from(fault),
        ExportFault::File(fault) => Ending::from(store::unwritten(output, &fault)),
    };
    let Some(file) = file else {
        let mut out = BufWriter::new(io::stdout().lock());
        ops::export_audit(&store, wanted, &form, &mut out).map_err(failed)?;
        out.flush().map_err(|fault| failed(fault.into()))?;
        return Ok(Ending::Clean);
    };
    let mut out = BufWriter::new(file);
    let rows = ops::export_audit(&store, wanted, &form, &mut out).map_err(failed)?;
    out.flush().map_err(|fault| failed(fault.into()))?;
    out.into_inner().map_err(|fault| failed(fault.into_error().into()))?.put()?;
    say(&ops::audit_exported(rows, swedish));
    Ok(Ending::Clean)
}

#[expect(clippy::disallowed_methods, reason = "somebody has asked what was disclosed, and that stands in the audit log by now")]
pub(super) fn disclosures(arguments: &DisclosuresArgs, swedish: bool) -> Result<Ending, Ending> {
    let (store, sets) = arguments.place.open_with_rules()?;
    let now = SystemClock.now();
    let mut told = Audit::new(now, Kind::Asked, arguments.asking.who());
    let mut episode = None;
    if let Some(wanted) = &arguments.episode {
        let Some(id) = named(&store, &sets, wanted, swedish)? else { return Ok(Ending::Findings) };
        (told.episode, episode) = (Some(id), Some(id.to_string()));
    } else if let Some(text) = &arguments.patient_ref {
        told.patient = Some(Ref::parse(&text.to_lowercase()).ok_or_else(|| Fault::with(Code::AudRequest, "--patient-ref"))?);
    } else {
        let person = person(now)?;
        told.patient = Some(store.reference_key().reference(Domain::Patient, &[person.number()]));
        told = told.tell("subject", serde_json::json!({"patient": {"id": person.number().disclose()}}));
    }
    let patient = told.patient.clone();
    audited(&store, &[arguments.asking.tell(told)])?;
    let found = Disclosures::of(&store, patient, episode.as_deref())?;
    let text = match arguments.format {
        Format::Text => found.text(swedish),
        Format::Json => found.json(),
    };
    say(text.disclose());
    Ok(Ending::Clean)
}

/// Of whatever kind its number is.
fn person(now: Timestamp) -> Result<PersonId, Ending> {
    let mut text = String::new();
    let read = io::stdin().lock().take(NUMBER_MAX).read_to_string(&mut text);
    let kinds = [PersonIdKind::Personnummer, PersonIdKind::Samordningsnummer, PersonIdKind::Nrid, PersonIdKind::ReservnummerVgr];
    let known = kinds.into_iter().find_map(|kind| PersonId::parse(kind, text.trim(), local_day(now)).ok());
    known.filter(|_| read.is_ok()).ok_or_else(|| Fault::with(Code::AudRequest, "--patient").into())
}

fn kind(text: &str) -> Result<Kind, String> {
    Kind::parse(text).ok_or_else(|| Kind::VALUES.iter().map(|value| value.code).collect::<Vec<_>>().join(", "))
}

fn anchor(text: &str) -> Result<Anchor, String> {
    Anchor::parse(text).ok_or_else(|| "NUMBER:CODE, with 24 digits of the code or more".to_owned())
}
