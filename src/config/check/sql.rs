//! The keys of a source that reads a table.

use super::super::raw;
use super::super::settings::{Engine, HOUR, SqlSettings};
use super::Checker;
use crate::fault::Code;

const NAME: &str = "expected 1 to 63 letters (A-Z), digits and _, and no digit first";
const TABLE: &str = "expected a table's name of letters (A-Z), digits and _; a schema may stand before it with a dot";

impl Checker<'_> {
    pub(super) fn sql(&mut self, raw: raw::Source, key: &dyn Fn(&str) -> String) -> Option<SqlSettings> {
        let engine = self.need(raw.engine, &key("engine"));
        let (place, named) = match engine {
            Some(Engine::Sqlite) => (raw.database, key("database")),
            Some(_) => (raw.url_file, key("url_file")),
            None => (None, String::new()),
        };
        let place = engine.and_then(|_| self.need(place, &named));
        let place = self.path(place, &named);
        let ca_file = self.path(raw.ca_file, &key("ca_file"));
        let table = self.need(raw.table, &key("table"));
        let table = self.formed(table, &key("table"), table_name, TABLE);
        let mut column = |given: Option<String>, name: &str| self.formed(given, &key(name), name_of, NAME);
        let given_key = raw.key_column.is_some();
        let key_column = column(raw.key_column, "key_column");
        let order = column(raw.order_column, "order_column");
        let body = column(raw.body_column, "body_column");
        let (has_status, has_answer) = (raw.status_column.is_some(), raw.answer_column.is_some());
        let status = column(raw.status_column, "status_column");
        let answer = column(raw.answer_column, "answer_column");
        if !given_key {
            self.need(None::<()>, &key("key_column"));
        }
        if has_status != has_answer {
            let (missing, given) = if has_status { ("answer_column", "status_column") } else { ("status_column", "answer_column") };
            self.origin.fault(Code::CfgMissing, &key(missing), &format!("needed together with {given}"));
        }
        let poll = self.seconds(raw.poll_s, &key("poll_s"));
        let overlap = self.seconds(raw.overlap_s, &key("overlap_s"));
        let reread = self.seconds(raw.reread_h.map(|hours| hours * HOUR), &key("reread_h"));
        let key_column = key_column?;
        Some(SqlSettings {
            engine: engine?,
            place: place?,
            ca_file,
            table: table?,
            order: order.unwrap_or_else(|| key_column.clone()),
            key: key_column,
            body,
            written: status.zip(answer),
            poll: poll?,
            overlap: overlap?,
            reread: reread?,
        })
    }
}

/// What may be quoted as a name in SQL without a further thought.
fn name_of(text: &str) -> Option<String> {
    let fits = (1..=63).contains(&text.len())
        && text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_')
        && !text.starts_with(|c: char| c.is_ascii_digit());
    fits.then(|| text.to_owned())
}

fn table_name(text: &str) -> Option<String> {
    match text.split_once('.') {
        None => name_of(text),
        Some((schema, table)) => name_of(schema).and(name_of(table)).map(|_| text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_holds_nothing_that_could_leave_its_quotes() {
        for good in ["outbox", "_a", "Care_2", "dbo.outbox"] {
            assert!(table_name(good).is_some(), "{good}");
        }
        for bad in ["", "a b", "a\"b", "a`", "1a", "a.b.c", ".a", "a.", "a;", "å", "a.1", &"a".repeat(64)] {
            assert!(table_name(bad).is_none(), "{bad}");
        }
    }
}
