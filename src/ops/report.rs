//! Figures of a month for a municipality's own use, from what the episodes say. Pure: episodes, month and moment in, rows
//! out; how they look stands in `report_text`.

use super::cases::{Seen, short};
use super::episodes::item_text;
use crate::fault::Fault;
use crate::model::bodies::{ItemCode, Party, Specialty};
use crate::model::calendar::days_between;
use crate::model::catalogue::EventType;
use crate::model::episode::{ClockKind, ClockStatus, Due, PaymentPhase, Stay, What};
use crate::model::event::PayingMunicipality;
use crate::model::shape::codes;
use crate::model::time::local_day;
use jiff::{Timestamp, civil::Date};
use std::collections::BTreeMap;

codes! {
    /// Which report.
    ReportKind {
        Ready = "utskrivningsklara": "Utskrivningsklara (preliminärt)", "Ready for discharge (preliminary)";
        Checklist = "checklista": "Checklistan vid utskrivningen", "The checklist at the discharge";
        Late = "sena": "Sent eller uteblivet", "Late or not done";
        Outpatient = "oppenvard": "Öppenvård", "Outpatient care";
    }
}

/// A calendar month, in Swedish days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Month {
    pub year: i16,
    pub month: i8,
}

impl Month {
    /// Reads `2026-03`.
    pub fn parse(text: &str) -> Option<Self> {
        let day: Date = (text.len() == 7).then(|| format!("{text}-01").parse().ok()).flatten()?;
        Some(Self { year: day.year(), month: day.month() })
    }

    fn has_day(self, day: Date) -> bool {
        (day.year(), day.month()) == (self.year, self.month)
    }

    fn has(self, at: Timestamp) -> bool {
        self.has_day(local_day(at))
    }
}

impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

/// A value of ours: its code, and its texts.
pub type Word = (&'static str, (&'static str, &'static str));

/// What stands in one place of a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    Nothing,
    Text(String),
    Count(i64),
    /// With so many decimals.
    Number(f64, usize),
    Day(Date),
    At(Timestamp),
    Minutes(i64),
    Yes(bool),
    /// A checklist item: code, and its text in Swedish and English.
    Item(String, String, String),
    Word(Word),
    Words(Vec<Word>),
}

/// Name for programs, then for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub sv: &'static str,
    pub en: &'static str,
}

const fn column(name: &'static str, sv: &'static str, en: &'static str) -> Column {
    Column { name, sv, en }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    pub title: Column,
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Cell>>,
}

/// The rows, and what they come to.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    pub kind: ReportKind,
    pub month: Month,
    pub preliminary: bool,
    /// The first holds the rows, the others what follows from them.
    pub tables: Vec<Table>,
}

/// Makes a report; every episode is looked at once and let go.
pub fn report(
    kind: ReportKind,
    episodes: impl Iterator<Item = Result<Seen, Fault>>,
    month: Month,
    now: Timestamp,
) -> Result<Report, Fault> {
    let tables = match kind {
        ReportKind::Ready => ready_tables(&gather(episodes, |seen| ready(seen, month))?),
        ReportKind::Checklist => checklist_tables(&gather(episodes, |seen| shares(seen, month))?),
        ReportKind::Late => late_tables(&gather(episodes, |seen| late(seen, month, now))?),
        ReportKind::Outpatient => outpatient_tables(&gather(episodes, |seen| outpatient(seen, month, now))?),
    };
    Ok(Report { kind, month, preliminary: kind == ReportKind::Ready, tables })
}

fn gather<T>(episodes: impl Iterator<Item = Result<Seen, Fault>>, rows: impl Fn(&Seen) -> Vec<T>) -> Result<Vec<T>, Fault> {
    let mut out = Vec::new();
    for seen in episodes {
        out.extend(rows(&seen?));
    }
    Ok(out)
}

const EPISODE: Column = column("episode", "Ärende", "Episode");
const SPECIALTY: Column = column("specialty", "Verksamhet", "Specialty");
const OWNER: Column = column("owner", "Ansvarig", "Owner");
const COUNT: Column = column("count", "Antal", "Count");
const ROWS: Column = column("rows", "Rader", "Rows");
const SUMMARY: Column = column("summary", "Sammanfattning", "Summary");

fn word(code: &'static str, texts: (&'static str, &'static str)) -> Word {
    (code, texts)
}

fn owner(party: Party) -> Cell {
    Cell::Word(word(party.code(), party.texts()))
}

fn at(moment: Option<Timestamp>) -> Cell {
    moment.map_or(Cell::Nothing, Cell::At)
}

fn count(number: usize) -> Cell {
    Cell::Count(i64::try_from(number).unwrap_or(i64::MAX))
}

/// A stay whose patient was ready for discharge.
struct Ready {
    episode: String,
    specialty: Option<Specialty>,
    notice_at: Option<Timestamp>,
    withdrawn_at: Option<Timestamp>,
    discharged_at: Option<Timestamp>,
    days: Option<i32>,
    charged_days: i32,
    phase: PaymentPhase,
    blocks: Vec<Word>,
    /// Another municipality pays, or none.
    left_out: bool,
    /// More days than the region's model takes into the mean.
    apart: bool,
    threshold_tenths: u32,
}

fn ready(seen: &Seen, month: Month) -> Vec<Ready> {
    let concerns = |stay: &&Stay| {
        let notices = stay.ready.map(|ready| ready.sent_at).into_iter().chain(stay.withdrawn.iter().copied());
        let mut moments = notices.chain(stay.discharged_at);
        (stay.ready.is_some() || !stay.withdrawn.is_empty()) && moments.any(|at| month.has(at))
    };
    let parameters = &seen.rules.regime.parameters;
    let payer = seen.state.circumstances.get("municipality").and_then(|code| PayingMunicipality::parse(code));
    let row = |stay: &Stay| {
        let payment = &stay.payment;
        Ready {
            episode: short(seen.id),
            specialty: stay.specialty,
            notice_at: stay.ready.map(|ready| ready.sent_at),
            withdrawn_at: stay.withdrawn.last().copied(),
            discharged_at: stay.discharged_at,
            days: payment.ready_days,
            charged_days: payment.charged_days,
            phase: payment.phase,
            blocks: payment.blocks.iter().map(|block| word(block.code(), block.texts())).collect(),
            left_out: payment.phase == PaymentPhase::NotApplicable && payer.is_some_and(|payer| !payer.is_us()),
            apart: payment.ready_days.is_some_and(|days| i64::from(days) > i64::from(parameters.individual_days)),
            threshold_tenths: parameters.mean_threshold_tenths,
        }
    };
    seen.state.stays().filter(concerns).map(row).collect()
}

fn ready_tables(all: &[Ready]) -> Vec<Table> {
    let rows: Vec<&Ready> = all.iter().filter(|row| !row.left_out).collect();
    let specialty = |row: &Ready| row.specialty.map_or(Cell::Nothing, |known| Cell::Word(word(known.code(), known.texts())));
    let days = |row: &Ready| row.days.map_or(Cell::Nothing, |days| Cell::Count(i64::from(days)));
    let cells = |row: &&Ready| {
        vec![
            Cell::Text(row.episode.clone()),
            specialty(row),
            at(row.notice_at),
            at(row.withdrawn_at),
            at(row.discharged_at),
            days(row),
            Cell::Count(i64::from(row.charged_days)),
            Cell::Word(word(row.phase.code(), row.phase.texts())),
            Cell::Words(row.blocks.clone()),
        ]
    };
    let main = Table {
        title: ROWS,
        columns: vec![
            EPISODE,
            SPECIALTY,
            column("noticeAt", "Underrättelse", "Notice"),
            column("withdrawnAt", "Återtagen", "Withdrawn"),
            column("dischargedAt", "Utskriven", "Discharged"),
            column("days", "Dagar", "Days"),
            column("chargedDays", "Dagar att betala för", "Days to be paid for"),
            column("payment", "Betalningsansvar", "Duty to pay"),
            column("blocks", "Oklart", "Unclear"),
        ],
        rows: rows.iter().map(cells).collect(),
    };
    let individual = Table {
        title: column("individual", "Räknas för sig, utanför medelvärdet", "Counted apart, outside the mean"),
        columns: vec![EPISODE, SPECIALTY, column("days", "Dagar", "Days")],
        rows: rows.iter().filter(|row| row.apart).map(|row| vec![Cell::Text(row.episode.clone()), specialty(row), days(row)]).collect(),
    };
    vec![main, individual, ready_summary(all, &rows)]
}

/// The region's model: a mean over the stays that are not counted apart.
fn ready_summary(all: &[Ready], rows: &[&Ready]) -> Table {
    let counted: Vec<i32> = rows.iter().filter(|row| !row.apart).filter_map(|row| row.days).collect();
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    let sum: i64 = counted.iter().copied().map(i64::from).sum();
    let mean = (!counted.is_empty()).then(|| f64::from(i32::try_from(sum).unwrap_or(i32::MAX)) / number(counted.len()));
    // Where episodes run under several sets, the strictest.
    let threshold = rows.iter().map(|row| f64::from(row.threshold_tenths) / 10.0).reduce(f64::min);
    let apart = |wanted: Option<Specialty>| count(rows.iter().filter(|row| row.apart && row.specialty == wanted).count());
    let above = mean.zip(threshold).map(|(mean, threshold)| mean > threshold);
    Table {
        title: SUMMARY,
        columns: vec![
            column("count", "Vårdtillfällen", "Stays"),
            column("counted", "Vårdtillfällen i medelvärdet", "Stays in the mean"),
            column("mean", "Medelvärde, dagar", "Mean, days"),
            column("threshold", "Gräns, dagar", "Threshold, days"),
            column("above", "Över gränsen", "Above the threshold"),
            column("individualSomatik", "Räknas för sig, somatik", "Counted apart, somatic care"),
            column("individualPsykiatri", "Räknas för sig, psykiatri", "Counted apart, psychiatry"),
            column("individualUnknown", "Räknas för sig, okänd verksamhet", "Counted apart, specialty unknown"),
            column("leftOut", "Utelämnade: annan kommun eller ingen betalar", "Left out: another municipality pays, or none"),
        ],
        rows: vec![vec![
            count(rows.len()),
            count(counted.len()),
            mean.map_or(Cell::Nothing, |mean| Cell::Number(mean, 2)),
            threshold.map_or(Cell::Nothing, |threshold| Cell::Number(threshold, 1)),
            above.map_or(Cell::Nothing, Cell::Yes),
            apart(Some(Specialty::Somatik)),
            apart(Some(Specialty::Psykiatri)),
            apart(None),
            count(all.len() - rows.len()),
        ]],
    }
}

/// One owner's share of an item in one stay.
struct Share {
    item: ItemCode,
    text: (String, String),
    owner: Party,
    done: bool,
}

fn shares(seen: &Seen, month: Month) -> Vec<Share> {
    let stays = seen.state.stays().filter(|stay| stay.discharged_at.is_some_and(|at| month.has(at)));
    let text = |code: &ItemCode| (item_text(seen, code, true), item_text(seen, code, false));
    let items = stays.flat_map(|stay| &stay.items);
    items.map(|(code, owner, done)| Share { item: code.clone(), text: text(code), owner: *owner, done: *done }).collect()
}

fn checklist_tables(shares: &[Share]) -> Vec<Table> {
    type Total<'a> = (&'a (String, String), usize, usize);
    let mut items: BTreeMap<(&ItemCode, Party), Total<'_>> = BTreeMap::new();
    let mut owners: BTreeMap<Party, (usize, usize)> = BTreeMap::new();
    for share in shares {
        let item = items.entry((&share.item, share.owner)).or_insert((&share.text, 0, 0));
        let total = owners.entry(share.owner).or_default();
        (item.1, total.0) = (item.1 + 1, total.0 + 1);
        (item.2, total.1) = (item.2 + usize::from(share.done), total.1 + usize::from(share.done));
    }
    let figures = [column("applied", "Gällde", "Applied"), column("done", "Klara", "Done"), column("percent", "Procent", "Per cent")];
    let cells = |applied: usize, done: usize| [count(applied), count(done), percent(done, applied)];
    let main = Table {
        title: ROWS,
        columns: [column("item", "Punkt", "Item"), OWNER].into_iter().chain(figures).collect(),
        rows: items
            .iter()
            .map(|((code, party), (text, applied, done))| {
                let item = Cell::Item(code.as_str().to_owned(), text.0.clone(), text.1.clone());
                [item, owner(*party)].into_iter().chain(cells(*applied, *done)).collect()
            })
            .collect(),
    };
    let totals = Table {
        title: column("owners", "Per ansvarig", "By owner"),
        columns: [OWNER].into_iter().chain(figures).collect(),
        rows: owners.iter().map(|(party, (applied, done))| [owner(*party)].into_iter().chain(cells(*applied, *done)).collect()).collect(),
    };
    vec![main, totals]
}

fn percent(part: usize, of: usize) -> Cell {
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    if of == 0 { Cell::Nothing } else { Cell::Number(number(part) * 100.0 / number(of), 1) }
}

/// Something that was due and was not done in time.
struct Late {
    episode: String,
    due: Due,
    status: ClockStatus,
    minutes: i64,
}

fn late(seen: &Seen, month: Month, now: Timestamp) -> Vec<Late> {
    let row = |due: &Due| {
        let status = due.status(now);
        let until = due.met_at.or(due.ended_at).unwrap_or(now);
        let minutes = until.duration_since(due.due_at).as_mins();
        Late { episode: short(seen.id), due: due.clone(), status, minutes }
    };
    let wanted = |late: &Late| matches!(late.status, ClockStatus::Late | ClockStatus::Missed | ClockStatus::Overdue);
    seen.state.clocks().filter(|due| month.has(due.due_at)).map(row).filter(wanted).collect()
}

fn late_tables(rows: &[Late]) -> Vec<Table> {
    let kind = |kind: ClockKind| Cell::Word(word(kind.code(), kind.texts()));
    let cells = |row: &Late| {
        vec![
            Cell::Text(row.episode.clone()),
            kind(row.due.kind),
            owner(row.due.owner),
            Cell::At(row.due.due_at),
            at(row.due.met_at),
            Cell::Word(word(row.status.code(), row.status.texts())),
            Cell::Minutes(row.minutes),
        ]
    };
    let mut kinds: BTreeMap<(ClockKind, Party), usize> = BTreeMap::new();
    for row in rows {
        *kinds.entry((row.due.kind, row.due.owner)).or_default() += 1;
    }
    let what = column("what", "Vad", "What");
    vec![
        Table {
            title: ROWS,
            columns: vec![
                EPISODE,
                what,
                OWNER,
                column("dueAt", "Senast", "Due"),
                column("metAt", "Gjort", "Done"),
                column("status", "Läge", "Status"),
                column("lateMinutes", "Så sent", "How late"),
            ],
            rows: rows.iter().map(cells).collect(),
        },
        Table {
            title: column("kinds", "Antal av varje slag", "How many of each kind"),
            columns: vec![what, OWNER, COUNT],
            rows: kinds.iter().map(|((what, party), number)| vec![kind(*what), owner(*party), count(*number)]).collect(),
        },
    ]
}

enum Outpatient {
    Enrolment {
        episode: String,
        kind: EventType,
        on: Date,
        told_at: Timestamp,
    },
    /// Without an answer, whatever its month.
    Request {
        episode: String,
        due_at: Timestamp,
        asked_at: Option<Timestamp>,
        age_days: Option<i32>,
        overdue: bool,
    },
}

fn outpatient(seen: &Seen, month: Month, now: Timestamp) -> Vec<Outpatient> {
    let episode = || short(seen.id);
    let counts = seen.facts.iter().filter(|fact| !seen.state.ignored.contains_key(&fact.event));
    let mut out: Vec<Outpatient> = counts
        .filter_map(|fact| match fact.what {
            What::Enrolled { on } | What::EnrolmentEnded { on } if month.has_day(on) => {
                Some(Outpatient::Enrolment { episode: episode(), kind: fact.kind, on, told_at: fact.occurred_at })
            }
            _ => None,
        })
        .collect();
    let open = seen.state.clocks.iter().filter(|due| due.kind == ClockKind::CentreAnswer && due.met_at.is_none() && due.ended_at.is_none());
    out.extend(open.map(|due| {
        let asked_at = seen.facts.iter().find(|fact| fact.event == due.of).map(|fact| fact.occurred_at);
        let age_days = asked_at.map(|at| days_between(local_day(at), local_day(now)));
        Outpatient::Request { episode: episode(), due_at: due.due_at, asked_at, age_days, overdue: due.status(now) == ClockStatus::Overdue }
    }));
    out
}

fn outpatient_tables(all: &[Outpatient]) -> Vec<Table> {
    let (mut rows, mut requests) = (Vec::new(), Vec::new());
    let (mut enrolled, mut ended, mut late) = (0, 0, 0);
    for one in all {
        match one {
            Outpatient::Enrolment { episode, kind, on, told_at } => {
                let began = *kind == EventType::KHi;
                (enrolled, ended) = (enrolled + usize::from(began), ended + usize::from(!began));
                let what = word(kind.code(), kind.texts());
                rows.push(vec![Cell::Text(episode.clone()), Cell::Word(what), Cell::Day(*on), Cell::At(*told_at)]);
            }
            Outpatient::Request { episode, due_at, asked_at, age_days, overdue } => {
                late += usize::from(*overdue);
                let age = age_days.map_or(Cell::Nothing, |days| Cell::Count(i64::from(days)));
                requests.push(vec![Cell::Text(episode.clone()), at(*asked_at), Cell::At(*due_at), age, Cell::Yes(*overdue)]);
            }
        }
    }
    let totals = vec![count(enrolled), count(ended), count(requests.len()), count(late)];
    vec![
        Table {
            title: ROWS,
            columns: vec![EPISODE, column("what", "Vad", "What"), column("on", "Dag", "Day"), column("toldAt", "Meddelat", "Told")],
            rows,
        },
        Table {
            title: column("requests", "Frågor till vårdcentralen utan svar i dag", "Requests to the health centre without an answer today"),
            columns: vec![
                EPISODE,
                column("askedAt", "Ställd", "Asked"),
                column("answerBy", "Svar senast", "Answer by"),
                column("ageDays", "Ålder, dagar", "Age, days"),
                column("overdue", "Försenad", "Overdue"),
            ],
            rows: requests,
        },
        Table {
            title: SUMMARY,
            columns: vec![
                column("enrolled", "Inskrivna i hemsjukvård", "Enrolled in home health care"),
                column("ended", "Avslutade i hemsjukvård", "Ended in home health care"),
                column("openRequests", "Frågor utan svar", "Requests without an answer"),
                column("overdueRequests", "Varav försenade", "Of which overdue"),
            ],
            rows: vec![totals],
        },
    ]
}
