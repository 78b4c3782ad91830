//! The one place where what is personal enters a row and leaves it: sealed where the store has keys.
//!
//! A sealed value is a format byte, the key's name, a nonce, and the ciphertext with its tag (decision 018). It is bound to its
//! table, column and row: moved to another one it does not open. Which key seals stands in the store itself, so that every
//! process that writes seals with the same.

use super::db::{Db, Row, Value};
use super::keys::{ID, Keys, StoreKey};
use super::{StoreFault, named};
use crate::model::keyed::{ChainKey, ReferenceKey};
use crate::model::personal::Personal;
use aws_lc_rs::aead::{Aad, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::sync::OnceLock;

/// The first byte of what is sealed. Texts in UTF-8 never begin with it.
const FORMAT: u8 = 0x81;
const NONCE: usize = 12;
const TAG: usize = 16;
/// What stands before the nonce: format and key. A multiple of three, so that in base64 too it is a whole number of digits.
pub(super) const HEADER: usize = 1 + ID;

/// A column whose values are sealed.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) table: &'static str,
    pub(super) name: &'static str,
    /// The columns that name a row, in the order of an index.
    pub(super) row: &'static [&'static str],
    /// It holds text, so what is sealed is written in base64.
    pub(super) text: bool,
}

impl Column {
    pub(super) const fn bytes(table: &'static str, name: &'static str, row: &'static [&'static str]) -> Self {
        Self { table, name, row, text: false }
    }
}

pub(super) const EVENT_ORIGIN: Column = Column::bytes("event", "origin", &["key", "version"]);
pub(super) const EVENT_BODY: Column = Column::bytes("event", "body", &["key", "version"]);
pub(super) const EPISODE_BODY: Column = Column::bytes("episode", "body", &["id"]);
pub(super) const DOCUMENT: Column = Column::bytes("delivery", "document", &["message_id", "destination"]);
pub(super) const RECEIPT_AT: Column = Column::bytes("delivery", "receipt_at", &["message_id", "destination"]);
pub(super) const RECEIPT: Column = Column::bytes("attempt", "receipt", &["delivery_id", "n", "started_at"]);
/// People give their reasons in it.
pub(super) const ACTION: Column = Column { table: "request", name: "action", row: &["id"], text: true };

pub(super) const SUBJECT: Column = Column::bytes("delivery", "subject", &["message_id", "destination"]);
pub(super) const HOLD_REASON: Column = Column::bytes("legal_hold", "reason", &["id"]);
pub(super) const AUDIT_BODY: Column = Column::bytes("audit", "body", &["n"]);
/// It may name a case.
pub(super) const MAIL_BODY: Column = Column::bytes("mail", "body", &["id"]);

/// Every column that may hold something personal.
pub(super) const COLUMNS: [&Column; 11] =
    [&EVENT_ORIGIN, &EVENT_BODY, &EPISODE_BODY, &DOCUMENT, &SUBJECT, &RECEIPT_AT, &RECEIPT, &ACTION, &AUDIT_BODY, &HOLD_REASON, &MAIL_BODY];

/// How a store's values stand in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Plain,
    /// It began plain and is being sealed.
    Both,
    Sealed,
}

/// The keys of an open store, and how its values stand.
#[derive(Debug)]
pub(super) struct Seals {
    keys: Keys,
    form: OnceLock<Form>,
    /// The key for references, and what is derived from it; there once the store has been entered.
    secrets: OnceLock<(ReferenceKey, ChainKey)>,
}

impl Seals {
    pub(super) fn new(keys: Keys) -> Self {
        Self { keys, form: OnceLock::new(), secrets: OnceLock::new() }
    }

    /// For a file in which nothing personal is looked at.
    pub(super) fn none() -> Self {
        Self::new(Keys::from(&[0; 32]))
    }

    pub(super) fn keys(&self) -> &Keys {
        &self.keys
    }

    pub(super) fn form(&self) -> Form {
        *self.form.get().unwrap_or(&Form::Plain)
    }

    /// Whoever opens it twice finds the same, or that it has been sealed meanwhile; what was found first is the looser.
    pub(super) fn stand(&self, form: Form) {
        let _ = self.form.set(form);
    }

    pub(super) fn know(&self, references: &ReferenceKey) {
        let _ = self.secrets.set((references.clone(), references.chain()));
    }

    pub(super) fn references(&self) -> Result<&ReferenceKey, StoreFault> {
        self.secrets.get().map(|(references, _)| references).ok_or(StoreFault::NoKey)
    }

    pub(super) fn chain(&self) -> Result<&ChainKey, StoreFault> {
        self.secrets.get().map(|(_, chain)| chain).ok_or(StoreFault::NoKey)
    }

    /// What stands in a column, opened.
    fn open(&self, db: &dyn Db, column: &Column, row: &[Value], value: Value) -> Result<Vec<u8>, StoreFault> {
        match (self.form(), sealed(column, &value)) {
            (Form::Plain, _) | (Form::Both, None) => plain(value),
            (_, Some(bytes)) => self.unseal(db, column, row, bytes),
            (Form::Sealed, None) => Err(damaged(column)),
        }
    }

    fn unseal(&self, db: &dyn Db, column: &Column, row: &[Value], bytes: Vec<u8>) -> Result<Vec<u8>, StoreFault> {
        let id = bytes.get(1..HEADER).unwrap_or_default();
        let Some(key) = self.keys.find(id) else {
            // Another process may have given the store a key since; what is named by nobody is damaged.
            let known = named::named(db)?.is_some_and(|ids| ids.iter().any(|known| known == id));
            return Err(if known { StoreFault::NoKey } else { damaged(column) });
        };
        decrypt(key, column, row, bytes)
    }
}

pub(super) fn decrypt(key: &StoreKey, column: &Column, row: &[Value], mut bytes: Vec<u8>) -> Result<Vec<u8>, StoreFault> {
    let nonce = bytes.get(HEADER..HEADER + NONCE).and_then(|nonce| nonce.try_into().ok()).ok_or_else(|| damaged(column))?;
    let mut inner = bytes.split_off(HEADER + NONCE);
    let opened = key.cipher.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(place(column, row)), &mut inner);
    let length = opened.map_err(|_| damaged(column))?.len();
    inner.truncate(length);
    Ok(inner)
}

/// Sealed with the store's key for as long as the transaction lasts.
pub(super) struct Sealer<'a>(Option<(&'a Seals, &'a StoreKey)>);

impl<'a> Sealer<'a> {
    /// Within a transaction, before any of its savepoints: whoever gives the store another key waits until it ends.
    pub(super) fn hold(db: &'a dyn Db) -> Result<Self, StoreFault> {
        let seals = db.seals();
        if seals.form() == Form::Plain {
            return Ok(Self(None));
        }
        let share = if db.is_shared() { " FOR SHARE" } else { "" };
        let ids = named::read_named(db, share)?.ok_or(StoreFault::Damaged { table: "meta" })?;
        let key = ids.first().and_then(|id| seals.keys.find(id)).ok_or(StoreFault::NoKey)?;
        Ok(Self(Some((seals, key))))
    }

    #[expect(clippy::disallowed_methods, reason = "the store keeps what is personal, sealed where it has keys")]
    pub(super) fn seal(&self, column: &Column, row: &[Value], value: &Personal<impl AsRef<[u8]>>) -> Result<Value, StoreFault> {
        self.write(column, row, value.disclose().as_ref())
    }

    /// What may be empty.
    pub(super) fn maybe(&self, column: &Column, row: &[Value], value: Option<&Personal<impl AsRef<[u8]>>>) -> Result<Value, StoreFault> {
        value.map_or(Ok(Value::Null), |value| self.seal(column, row, value))
    }

    /// The same value under the key that seals now. None where it does not open.
    pub(super) fn reseal(&self, db: &dyn Db, column: &Column, row: &[Value], value: Value) -> Result<Option<Value>, StoreFault> {
        match db.seals().open(db, column, row, value) {
            Ok(opened) => self.write(column, row, &opened).map(Some),
            Err(StoreFault::Damaged { .. }) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// What its values begin with in a column. None where nothing is sealed.
    pub(super) fn header(&self, column: &Column) -> Option<Value> {
        self.0.map(|(_, key)| header_in(column, key))
    }

    fn write(&self, column: &Column, row: &[Value], value: &[u8]) -> Result<Value, StoreFault> {
        let Some((seals, key)) = self.0 else { return written(column, value.to_vec(), false) };
        written(column, encrypt(&seals.keys, key, column, row, value)?, true)
    }
}

pub(super) fn encrypt(keys: &Keys, key: &StoreKey, column: &Column, row: &[Value], value: &[u8]) -> Result<Vec<u8>, StoreFault> {
    let mut nonce = [0; NONCE];
    nonce.copy_from_slice(&keys.dice.bytes()[..NONCE]);
    let mut out = Vec::with_capacity(HEADER + NONCE + value.len() + TAG);
    out.extend(header(key));
    out.extend(nonce);
    let mut inner = value.to_vec();
    let sealed = key.cipher.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place(column, row)), &mut inner);
    // Only a value of gigabytes is refused.
    sealed.map_err(|_| damaged(column))?;
    out.extend(inner);
    Ok(out)
}

/// What the values begin with that this key has sealed.
pub(super) fn header(key: &StoreKey) -> [u8; HEADER] {
    let mut out = [FORMAT; HEADER];
    out[1..].copy_from_slice(&key.id);
    out
}

/// The same as it stands in a column.
pub(super) fn header_in(column: &Column, key: &StoreKey) -> Value {
    if column.text { BASE64.encode(header(key)).into() } else { header(key).into() }
}

/// How many of its characters or bytes that is.
pub(super) fn header_length(column: &Column) -> usize {
    if column.text { HEADER.div_ceil(3) * 4 } else { HEADER }
}

fn written(column: &Column, bytes: Vec<u8>, is_sealed: bool) -> Result<Value, StoreFault> {
    Ok(match (column.text, is_sealed) {
        (false, _) => Value::Bytes(bytes),
        (true, true) => Value::Text(BASE64.encode(bytes)),
        (true, false) => Value::Text(String::from_utf8(bytes).map_err(|_| damaged(column))?),
    })
}

fn plain(value: Value) -> Result<Vec<u8>, StoreFault> {
    match value {
        Value::Text(text) => Ok(text.into_bytes()),
        value => value.try_into(),
    }
}

/// The sealed bytes, where it looks like some.
pub(super) fn sealed(column: &Column, value: &Value) -> Option<Vec<u8>> {
    let bytes = match value {
        Value::Bytes(bytes) if !column.text => bytes.clone(),
        // Texts that are sealed are JSON: none of it is base64.
        Value::Text(text) if column.text => BASE64.decode(text).ok()?,
        _ => return None,
    };
    (bytes.first() == Some(&FORMAT) && bytes.len() >= HEADER + NONCE + TAG).then_some(bytes)
}

/// What a value is bound to. Lengths are part of it: no two places give the same bytes.
fn place(column: &Column, row: &[Value]) -> Vec<u8> {
    let mut out = vec![FORMAT];
    let mut put = |part: &[u8]| {
        out.extend((part.len() as u64).to_be_bytes());
        out.extend(part);
    };
    put(column.table.as_bytes());
    put(column.name.as_bytes());
    for part in row {
        match part {
            Value::Text(text) => put(text.as_bytes()),
            Value::Int(number) => put(number.to_string().as_bytes()),
            Value::Bytes(_) | Value::Null => put(&[]),
        }
    }
    out
}

fn damaged(column: &Column) -> StoreFault {
    StoreFault::Damaged { table: column.table }
}

impl Column {
    /// What stands at `at` of a row of an answer, whose own row is named by what stands at `row`.
    pub(super) fn get(&self, db: &dyn Db, answer: &Row, at: usize, row: &[usize]) -> Result<Personal<Vec<u8>>, StoreFault> {
        self.maybe(db, answer, at, row)?.ok_or_else(|| damaged(self))
    }

    /// The same, where it may be empty.
    pub(super) fn maybe(&self, db: &dyn Db, answer: &Row, at: usize, row: &[usize]) -> Result<Option<Personal<Vec<u8>>>, StoreFault> {
        Ok(self.open(db, answer, at, row)?.map(Personal::new))
    }

    /// As text.
    pub(super) fn text(&self, db: &dyn Db, answer: &Row, at: usize, row: &[usize]) -> Result<Option<Personal<String>>, StoreFault> {
        let text = self.open(db, answer, at, row)?.map(String::from_utf8).transpose();
        Ok(text.map_err(|_| damaged(self))?.map(Personal::new))
    }

    /// For what leaves the product, and for looking through it. None where it is empty, or was emptied.
    pub(super) fn open(&self, db: &dyn Db, answer: &Row, at: usize, row: &[usize]) -> Result<Option<Vec<u8>>, StoreFault> {
        let value = answer.value(at);
        if value.is_empty() {
            return Ok(None);
        }
        let row: Vec<Value> = row.iter().map(|at| answer.value(*at)).collect();
        db.seals().open(db, self, &row, value).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::super::db::values;
    use super::*;
    use crate::model::dice::Dice;
    use std::fmt::Write as _;
    use std::sync::Arc;

    struct Standing;

    impl Dice for Standing {
        fn bytes(&self) -> [u8; 16] {
            [3; 16]
        }
    }

    fn sealed_value() -> (Keys, Vec<u8>) {
        let keys = Keys::new(vec![StoreKey::new(&[1; 32]).expect("a key")], Arc::new(Standing));
        let sealed = encrypt(&keys, &keys.ring[0], &EVENT_BODY, values!["00ff", 2u32], b"{}").expect("sealed");
        (keys, sealed)
    }

    /// Values that are in stores: what is changed here opens none of them any more.
    #[test]
    fn the_form_of_what_is_sealed_stands() {
        let (keys, sealed) = sealed_value();
        let hex = sealed.iter().fold(String::new(), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        });
        assert_eq!(hex, "81fa5b3522ad205c8803030303030303030303030349e5e775976e4bbc35123877776f9bc4255c");
        assert_eq!(decrypt(&keys.ring[0], &EVENT_BODY, values!["00ff", 2u32], sealed), Ok(b"{}".to_vec()));
    }

    #[test]
    fn a_value_opens_whole_and_in_its_own_place_alone() {
        let (keys, sealed) = sealed_value();
        let opens = |column: &Column, row: &[Value], bytes: &[u8]| decrypt(&keys.ring[0], column, row, bytes.to_vec()).is_ok();
        let here = values!["00ff", 2u32];
        assert!(opens(&EVENT_BODY, here, &sealed));
        assert!(!opens(&EVENT_ORIGIN, here, &sealed));
        assert!(!opens(&EPISODE_BODY, here, &sealed));
        let others: [&[Value]; 5] =
            [values!["00ff", 3u32], values!["00fe", 2u32], values!["00f", "f2"], values!["00ff2"], values![2u32, "00ff"]];
        for row in others {
            assert!(!opens(&EVENT_BODY, row, &sealed), "{row:?}");
        }
        for at in HEADER..sealed.len() {
            let mut flipped = sealed.clone();
            flipped[at] ^= 1;
            assert!(!opens(&EVENT_BODY, here, &flipped), "byte {at}");
            assert!(!opens(&EVENT_BODY, here, &sealed[..at]), "the first {at} bytes");
        }
        let other = StoreKey::new(&[2; 32]).expect("a key");
        assert!(decrypt(&other, &EVENT_BODY, here, sealed).is_err());
    }
}
