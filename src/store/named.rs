//! What a store says of its own keys: which one seals, which others values may still be sealed with, and the key for references,
//! itself sealed.

use super::db::{Db, values};
use super::handle::within_transaction;
use super::keys::{ID, KeyId, Keys, StoreKey};
use super::seal::{Column, Form, HEADER, decrypt, encrypt};
use super::{StoreFault, audit};
use crate::model::keyed::ReferenceKey;

/// The key for references. Its row is named by the store's state, which so cannot be changed without the key.
const REFERENCE: Column = Column::bytes("meta", "value", &["state"]);
const WHOLE: &str = "sealed";
const PARTLY: &str = "sealed in part";

/// Makes what a new store has: its key for references, the name of the key that it is sealed with, and the place where its
/// audit log ends.
pub(super) fn found(db: &dyn Db) -> Result<(), StoreFault> {
    audit::found(db)?;
    let keys = db.seals().keys();
    let add = "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    let Some(key) = keys.ring.first() else {
        db.execute(add, values!["reference_key", keys.reference])?;
        return Ok(());
    };
    let reference = encrypt(keys, key, &REFERENCE, values![WHOLE], &keys.reference)?;
    within_transaction(db, || {
        // Of two that do it at once, the other waits here.
        if db.execute(add, values!["reference_key", reference])? == 1 {
            db.execute(add, values!["keys", key.id])?;
        }
        Ok(())
    })
}

/// Whether these keys are the store's: all of its own are there, and they open its key for references, which is returned.
pub(super) fn enter(db: &dyn Db) -> Result<ReferenceKey, StoreFault> {
    let (secret, form) = reference(db, db.seals().keys())?;
    let references = ReferenceKey::new(&secret);
    db.seals().stand(form);
    db.seals().know(&references);
    Ok(references)
}

pub(super) fn reference(db: &dyn Db, keys: &Keys) -> Result<([u8; 32], Form), StoreFault> {
    Reference::read(db)?.open(keys)
}

/// A store's key for references as it stands there.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Reference {
    value: Vec<u8>,
    ids: Option<Vec<KeyId>>,
}

impl std::fmt::Debug for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("‹key›")
    }
}

impl Reference {
    pub(super) fn read(db: &dyn Db) -> Result<Self, StoreFault> {
        let row = db.one("SELECT value FROM meta WHERE name = 'reference_key'", values![])?;
        Ok(Self { value: row.ok_or(StoreFault::Damaged { table: "meta" })?.get(0)?, ids: named(db)? })
    }

    /// Keys must be given where the store has some, all of its own, and none where it has none.
    pub(super) fn open(&self, keys: &Keys) -> Result<([u8; 32], Form), StoreFault> {
        let broken = || StoreFault::Damaged { table: "meta" };
        let Some(ids) = &self.ids else {
            let secret = self.value.as_slice().try_into().map_err(|_| broken())?;
            return if keys.ring.is_empty() { Ok((secret, Form::Plain)) } else { Err(StoreFault::Unsealed) };
        };
        if ids.iter().any(|id| keys.find(id).is_none()) {
            return Err(StoreFault::NoKey);
        }
        let key = self.value.get(1..HEADER).and_then(|id| keys.find(id)).ok_or_else(broken)?;
        for (state, form) in [(WHOLE, Form::Sealed), (PARTLY, Form::Both)] {
            if let Ok(secret) = decrypt(key, &REFERENCE, values![state], self.value.clone()) {
                return Ok((secret.try_into().map_err(|_| broken())?, form));
            }
        }
        Err(broken())
    }

    /// Both are of one store.
    pub(super) fn is_that_of(&self, other: &Self, keys: &Keys) -> bool {
        let secret = |one: &Self| one.open(keys).or_else(|_| one.open(&keys.unsealing())).map(|(secret, _)| secret).ok();
        secret(self).is_some_and(|own| secret(other) == Some(own))
    }
}

/// The keys that values of the store are sealed with, the one that seals now first. None where the store is plain.
pub(super) fn named(db: &dyn Db) -> Result<Option<Vec<KeyId>>, StoreFault> {
    read_named(db, "")
}

/// The same, and nobody else writes or changes it until the transaction ends.
pub(super) fn named_for_update(db: &dyn Db) -> Result<Vec<KeyId>, StoreFault> {
    let lock = if db.is_shared() { " FOR UPDATE" } else { "" };
    read_named(db, lock)?.ok_or(StoreFault::Damaged { table: "meta" })
}

pub(super) fn read_named(db: &dyn Db, lock: &str) -> Result<Option<Vec<KeyId>>, StoreFault> {
    let row = db.one(&format!("SELECT value FROM meta WHERE name = 'keys'{lock}"), values![])?;
    let Some(row) = row else { return Ok(None) };
    let bytes: Vec<u8> = row.get(0)?;
    let ids: Vec<KeyId> = bytes.chunks_exact(ID).filter_map(|id| id.try_into().ok()).collect();
    if ids.is_empty() || !bytes.len().is_multiple_of(ID) { Err(StoreFault::Damaged { table: "meta" }) } else { Ok(Some(ids)) }
}

/// Writes the store's key for references and its list of keys anew, under the first key given. Within a transaction.
pub(super) fn rename(db: &dyn Db, key: &StoreKey, secret: &[u8; 32], form: Form, ids: &[KeyId]) -> Result<(), StoreFault> {
    let state = if form == Form::Sealed { WHOLE } else { PARTLY };
    let put = "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    // First the list: whoever is writing is waited for here.
    db.execute(put, values!["keys", ids.concat()])?;
    let reference = encrypt(db.seals().keys(), key, &REFERENCE, values![state], secret)?;
    db.execute(put, values!["reference_key", reference])?;
    Ok(())
}
