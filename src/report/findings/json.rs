//! A report for another program: `schemas/check/check-1.schema.json`.

use super::{Report, Severity, Style, Totals};
use crate::model::bodies::Party;
use crate::model::finding::{Effect, Layer};
use crate::model::shape::CodeValue;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

/// Version of the form.
const VERSION: u32 = 1;

/// What `vardbro check --format json` gives. Fields may be added; none changes its meaning within a version.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    /// 1.
    version: u32,
    /// Files that were looked at.
    files: usize,
    /// Stories that were replayed.
    stories: usize,
    /// Records that were read in all files.
    records: usize,
    #[schemars(with = "TotalsSchema")]
    totals: Totals,
    /// Findings that are counted and not told, because there are too many.
    untold: usize,
    /// By file, in the order of their names, most useful first.
    findings: Vec<Row<'a>>,
    /// What the files reach of all that there is, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage: Option<&'a serde_json::Value>,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "describes the form only")]
struct TotalsSchema {
    /// What refuses an event or a document.
    errors: usize,
    /// What lets it pass with a remark, or keeps it for a person.
    warnings: usize,
    /// What other events of the episode decide.
    notes: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    /// As it was named, `/` between folders; `-` is standard input.
    file: &'a str,
    /// From 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    /// In characters, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    /// `VB-MAP-010` or the id of a rule, `CHK-1`.
    code: &'a str,
    #[schemars(schema_with = "severities")]
    severity: Severity,
    #[schemars(schema_with = "effects")]
    effect: Effect,
    #[schemars(schema_with = "layers")]
    layer: Layer,
    /// Path of our own field names, `data.items[3].status`; in documents element names.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    /// Line of the mapping that made the value, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    mapping: Option<usize>,
    sv: &'a str,
    en: &'a str,
    remedy_sv: &'a str,
    remedy_en: &'a str,
    /// Who owns the matter, for items of the checklist.
    #[serde(skip_serializing_if = "<[Party]>::is_empty")]
    #[schemars(with = "Vec<String>")]
    owner: &'a [Party],
    /// The page of the code, where it was said where pages lie.
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<String>,
}

fn listed(values: &[CodeValue]) -> Schema {
    let codes: Vec<&str> = values.iter().map(|value| value.code).collect();
    schemars::json_schema!({"type": "string", "enum": codes})
}

fn severities(_: &mut SchemaGenerator) -> Schema {
    listed(Severity::VALUES)
}

fn effects(_: &mut SchemaGenerator) -> Schema {
    listed(Effect::VALUES)
}

fn layers(_: &mut SchemaGenerator) -> Schema {
    listed(Layer::VALUES)
}

/// The report as one JSON object. `coverage` stands in it as it is.
pub fn json(report: &Report, style: &Style<'_>, rules: &str, coverage: Option<&serde_json::Value>) -> String {
    let rows = report.files.iter().flat_map(|file| {
        file.findings.iter().map(|told| {
            let finding = &told.finding;
            Row {
                file: &file.file,
                line: finding.place.map(|place| place.line),
                column: finding.place.map(|place| place.column),
                code: &finding.code,
                severity: told.severity,
                effect: finding.effect,
                layer: finding.layer,
                path: finding.path.as_deref(),
                mapping: finding.mapping,
                sv: &finding.sv,
                en: &finding.en,
                remedy_sv: &finding.remedy_sv,
                remedy_en: &finding.remedy_en,
                owner: &finding.owner,
                page: style.page(&finding.code, rules),
            }
        })
    });
    let document = Document {
        version: VERSION,
        files: report.files.len(),
        stories: report.stories,
        records: report.records,
        totals: report.totals,
        untold: report.untold,
        findings: rows.collect(),
        coverage,
    };
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

/// The schema of that object, JSON Schema 2020-12.
pub fn schema() -> String {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<Document<'_>>().to_value();
    schema["$id"] = serde_json::json!("urn:vardbro:check:1");
    schema["title"] = serde_json::json!("Vårdbro check");
    format!("{schema:#}\n")
}
