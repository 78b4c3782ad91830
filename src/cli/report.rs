//! `vardbro report`.

use super::inspect::Where;
use super::{Ending, say};
use crate::model::time::{Clock, SystemClock};
use crate::ops::{self, Month, ReportKind};
use clap::{Args, ValueEnum};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Csv,
    Json,
}

/// `table` reads in one language. `csv` has the rows alone, by RFC 4180 (comma, decimal point, UTF-8); `json` has the totals too.
#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// utskrivningsklara, checklista, sena or oppenvard
    #[arg(value_parser = kind)]
    report: ReportKind,
    /// 2026-03, in Swedish days
    #[arg(long, value_parser = month)]
    month: Month,
    /// A table to read; comma-separated rows without totals, by RFC 4180; or JSON
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    #[command(flatten)]
    place: Where,
}

pub(super) fn run(arguments: &ReportArgs, swedish: bool) -> Result<Ending, Ending> {
    let now = SystemClock.now();
    let (store, sets) = arguments.place.open_with_rules()?;
    let report = ops::report(arguments.report, ops::see_all(&store, &sets, now)?, arguments.month, now)?;
    say(&match arguments.format {
        Format::Table => report.text(swedish),
        Format::Csv => report.csv(),
        Format::Json => report.json(),
    });
    Ok(Ending::Clean)
}

fn kind(text: &str) -> Result<ReportKind, String> {
    ReportKind::parse(text).ok_or_else(|| ReportKind::VALUES.iter().map(|value| value.code).collect::<Vec<_>>().join(", "))
}

fn month(text: &str) -> Result<Month, String> {
    Month::parse(text).ok_or_else(|| "YYYY-MM".to_owned())
}
