//! What the statements of the store need of a database. They are written once, for SQLite and PostgreSQL.
//!
//! Values are of four kinds, and a truth is a number: what both databases agree on without being asked.

use super::StoreFault;
use super::seal::Seals;

/// One value of a statement or a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Value {
    /// Nothing stands there, or nothing any more.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Int(_) => false,
            Self::Text(text) => text.is_empty(),
            Self::Bytes(bytes) => bytes.is_empty(),
        }
    }
}

/// A connection. Placeholders are `?1`, `?2`, …
pub(super) trait Db {
    /// Runs a statement; how many rows it touched.
    fn execute(&self, sql: &str, values: &[Value]) -> Result<usize, StoreFault>;
    fn query(&self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreFault>;
    /// Runs statements without values.
    fn batch(&self, sql: &str) -> Result<(), StoreFault>;
    /// Several processes may write at once, so that rows must be locked.
    fn is_shared(&self) -> bool;
    /// Whether the connection is of no more use.
    fn is_broken(&self) -> bool;
    /// What the store's personal values are sealed and opened with.
    fn seals(&self) -> &Seals;

    /// The first row.
    fn one(&self, sql: &str, values: &[Value]) -> Result<Option<Row>, StoreFault> {
        Ok(self.query(sql, values)?.into_iter().next())
    }

    /// Nobody else changes an episode, its lanes and its deliveries until this transaction ends.
    fn lock_episode(&self, id: &str) -> Result<(), StoreFault> {
        if self.is_shared() {
            self.query("SELECT 1 FROM episode WHERE id = ?1 FOR UPDATE", &[id.into()])?;
        }
        Ok(())
    }
}

impl dyn Db + '_ {
    /// Every row, read by `read`.
    pub(super) fn list<T>(&self, sql: &str, values: &[Value], read: impl Fn(&Row) -> Result<T, StoreFault>) -> Result<Vec<T>, StoreFault> {
        self.query(sql, values)?.iter().map(read).collect()
    }
}

/// A row of an answer.
#[derive(Debug, Clone)]
pub(super) struct Row(pub(super) Vec<Value>);

impl Row {
    pub(super) fn get<T: TryFrom<Value, Error = StoreFault>>(&self, column: usize) -> Result<T, StoreFault> {
        self.value(column).try_into()
    }

    /// A column as it stands.
    pub(super) fn value(&self, column: usize) -> Value {
        self.0.get(column).cloned().unwrap_or(Value::Null)
    }

    /// A column that may be empty.
    pub(super) fn maybe<T: TryFrom<Value, Error = StoreFault>>(&self, column: usize) -> Result<Option<T>, StoreFault> {
        match self.0.get(column) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value.clone().try_into().map(Some),
        }
    }
}

const DAMAGED: StoreFault = StoreFault::Damaged { table: "?" };

impl TryFrom<Value> for i64 {
    type Error = StoreFault;
    fn try_from(value: Value) -> Result<Self, StoreFault> {
        if let Value::Int(number) = value { Ok(number) } else { Err(DAMAGED) }
    }
}

impl TryFrom<Value> for u32 {
    type Error = StoreFault;
    fn try_from(value: Value) -> Result<Self, StoreFault> {
        i64::try_from(value)?.try_into().map_err(|_| DAMAGED)
    }
}

impl TryFrom<Value> for u16 {
    type Error = StoreFault;
    fn try_from(value: Value) -> Result<Self, StoreFault> {
        i64::try_from(value)?.try_into().map_err(|_| DAMAGED)
    }
}

impl TryFrom<Value> for bool {
    type Error = StoreFault;
    fn try_from(value: Value) -> Result<Self, StoreFault> {
        Ok(i64::try_from(value)? != 0)
    }
}

impl TryFrom<Value> for jiff::Timestamp {
    type Error = StoreFault;
    /// Milliseconds since 1970 UTC.
    fn try_from(value: Value) -> Result<Self, StoreFault> {
        Self::from_millisecond(i64::try_from(value)?).map_err(|_| DAMAGED)
    }
}

impl TryFrom<Value> for u64 {
    type Error = StoreFault;
    fn try_from(value: Value) -> Result<Self, StoreFault> {
        i64::try_from(value)?.try_into().map_err(|_| DAMAGED)
    }
}

impl TryFrom<Value> for String {
    type Error = StoreFault;
    fn try_from(value: Value) -> Result<Self, StoreFault> {
        if let Value::Text(text) = value { Ok(text) } else { Err(DAMAGED) }
    }
}

impl TryFrom<Value> for Vec<u8> {
    type Error = StoreFault;
    fn try_from(value: Value) -> Result<Self, StoreFault> {
        if let Value::Bytes(bytes) = value { Ok(bytes) } else { Err(DAMAGED) }
    }
}

impl<const N: usize> TryFrom<Value> for [u8; N] {
    type Error = StoreFault;
    fn try_from(value: Value) -> Result<Self, StoreFault> {
        Vec::<u8>::try_from(value)?.try_into().map_err(|_| DAMAGED)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Int(number.into())
    }
}

impl From<u16> for Value {
    fn from(number: u16) -> Self {
        Self::Int(number.into())
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Int(truth.into())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl From<&Vec<u8>> for Value {
    fn from(bytes: &Vec<u8>) -> Self {
        Self::Bytes(bytes.clone())
    }
}

impl<const N: usize> From<[u8; N]> for Value {
    fn from(bytes: [u8; N]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl<const N: usize> From<&[u8; N]> for Value {
    fn from(bytes: &[u8; N]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl From<jiff::Timestamp> for Value {
    /// Milliseconds since 1970 UTC.
    fn from(at: jiff::Timestamp) -> Self {
        Self::Int(at.as_millisecond())
    }
}

/// The values of a statement, in the order of its placeholders.
macro_rules! values {
    ($($value:expr),* $(,)?) => { &[$($crate::store::db::Value::from($value)),*] };
}
pub(super) use values;
