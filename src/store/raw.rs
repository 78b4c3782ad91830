//! Values as they stand in the database, before anything opens them: what somebody would see who has the file and not the keys.

use super::db::{Db, Row, values};
use super::export::hex;
use super::seal::{COLUMNS, Column, HEADER, sealed};
use super::{Store, StoreFault};

/// How a value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RawForm {
    /// Sealed; the first bytes, and whether it opens with the keys that are given.
    Sealed { key: String, begins: String, opens: bool },
    /// Anybody can read it.
    Plain,
}

/// A value of one of the columns that hold something personal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawValue {
    /// `event.body`.
    pub column: String,
    pub form: RawForm,
}

/// Bytes of a sealed value that are shown: its format, its key's name, and where its nonce begins.
const SHOWN: usize = HEADER + 3;

impl Store {
    /// One value of each such column that has any, read as it stands.
    pub fn raw(&self) -> Result<Vec<RawValue>, StoreFault> {
        self.read(|db| {
            let found = COLUMNS.iter().map(|column| Ok(any(db, column)?.map(|row| (column, row))));
            let found: Vec<_> = found.collect::<Result<_, StoreFault>>()?;
            found.into_iter().flatten().map(|(column, row)| raw(db, column, &row)).collect()
        })
    }
}

/// A row of the table whose value is there.
fn any(db: &dyn Db, column: &Column) -> Result<Option<Row>, StoreFault> {
    let Column { table, name, row, .. } = column;
    let sql = format!("SELECT {name}, {} FROM {table} WHERE {name} IS NOT NULL AND length({name}) > 0 LIMIT 1", row.join(", "));
    db.one(&sql, values![])
}

fn raw(db: &dyn Db, column: &Column, row: &Row) -> Result<RawValue, StoreFault> {
    let place: Vec<usize> = (1..=column.row.len()).collect();
    let form = match sealed(column, &row.value(0)) {
        None => RawForm::Plain,
        Some(bytes) => {
            let opens = match column.open(db, row, 0, &place) {
                Ok(_) => true,
                Err(StoreFault::Damaged { .. } | StoreFault::NoKey) => false,
                Err(fault) => return Err(fault),
            };
            RawForm::Sealed { key: hex(bytes.get(1..HEADER).unwrap_or_default()), begins: hex(bytes.get(..SHOWN).unwrap_or(&bytes)), opens }
        }
    };
    Ok(RawValue { column: format!("{}.{}", column.table, column.name), form })
}
