//! Keys that values are sealed with: made, read from their files, named.

use super::files::NewFile;
use super::unwritten;
use crate::fault::{Code, Fault};
use crate::model::dice::{Dice, SystemDice};
use aws_lc_rs::aead::{AES_256_GCM_SIV, LessSafeKey, UnboundKey};
use aws_lc_rs::hmac;
use std::fmt::{self, Write as _};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes of a key's name.
pub(super) const ID: usize = 8;
/// A file of 64 digits and the end of the line is read to here; what is longer is none.
const FILE_MAX: u64 = 256;

/// What a key is called in the values that it has sealed. Says nothing of the key.
pub(super) type KeyId = [u8; ID];

/// A key by which values are sealed.
pub struct StoreKey {
    pub(super) id: KeyId,
    pub(super) cipher: LessSafeKey,
}

impl fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("‹key›")
    }
}

impl StoreKey {
    /// None for no secret: the library takes every one of this length.
    pub fn new(secret: &[u8; 32]) -> Option<Self> {
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret);
        // The name and the cipher's key have nothing to do with each other.
        let derived = |what: &[u8]| hmac::sign(&secret, what);
        let id = derived(b"vardbro store key: name").as_ref().get(..ID)?.try_into().ok()?;
        let cipher = UnboundKey::new(&AES_256_GCM_SIV, derived(b"vardbro store key: values").as_ref()).ok()?;
        Some(Self { id, cipher: LessSafeKey::new(cipher) })
    }

    /// From a file that holds 64 hexadecimal digits and that nobody but its owner may read.
    pub fn read(path: &Path) -> Result<Self, Fault> {
        let none = |why: &str| Fault::with(Code::CfgStoreKey, format!("{} ({why})", path.display()));
        let failed = |fault: std::io::Error| none(&fault.kind().to_string());
        // Looked at and read through one handle: nobody changes the file in between.
        let file = File::open(path).map_err(failed)?;
        let found = file.metadata().map_err(failed)?;
        if !found.is_file() {
            return Err(none("not a file"));
        }
        // What root puts there for the service's group, as systemd and Kubernetes do, is as good as its own.
        let others = if found.uid() == 0 { 0o037 } else { 0o077 };
        if found.mode() & others != 0 {
            return Err(none("others may read or change it"));
        }
        let mut text = String::new();
        file.take(FILE_MAX).read_to_string(&mut text).map_err(failed)?;
        unhex(text.trim()).and_then(|secret| Self::new(&secret)).ok_or_else(|| none("not 64 hexadecimal digits"))
    }

    /// Writes a new key to a file of its own, never over another one.
    pub fn make(path: &Path, dice: &dyn Dice) -> Result<(), Fault> {
        let mut text = secret(dice).iter().fold(String::new(), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        });
        text.push('\n');
        let mut file = NewFile::at(path)?;
        file.write_all(text.as_bytes()).map_err(|fault| unwritten(path, &fault))?;
        file.put()
    }
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut out = [0; 32];
    let digits: Vec<u8> = text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect::<Option<_>>()?;
    if digits.len() != 2 * out.len() {
        return None;
    }
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair[0] << 4 | pair[1];
    }
    Some(out)
}

fn secret(dice: &dyn Dice) -> [u8; 32] {
    let mut out = [0; 32];
    out[..16].copy_from_slice(&dice.bytes());
    out[16..].copy_from_slice(&dice.bytes());
    out
}

/// What a store is opened with.
#[derive(Clone)]
pub struct Keys {
    /// Becomes the key for references of a store that has none.
    pub(super) reference: [u8; 32],
    /// All of them open values; a new store, and one that is given new keys, is sealed with the first. None: nothing is sealed.
    pub(super) ring: Arc<[StoreKey]>,
    pub(super) dice: Arc<dyn Dice>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

impl Keys {
    pub fn new(ring: Vec<StoreKey>, dice: Arc<dyn Dice>) -> Self {
        Self { reference: secret(dice.as_ref()), ring: ring.into(), dice }
    }

    /// The keys in these files, in their order.
    pub fn read(files: &[PathBuf], dice: Arc<dyn Dice>) -> Result<Self, Fault> {
        Ok(Self::new(files.iter().map(|file| StoreKey::read(file)).collect::<Result<_, _>>()?, dice))
    }

    /// The same, and nothing is sealed.
    pub(super) fn unsealing(&self) -> Self {
        Self { ring: Arc::new([]), ..self.clone() }
    }

    /// With another key for references, where the store has none.
    #[must_use]
    pub fn with_reference(self, reference: [u8; 32]) -> Self {
        Self { reference, ..self }
    }

    /// Leaves the keys' names with a file that is ours as long as the store is: who gives the store another key looks there
    /// whether we have it.
    pub(super) fn tell(&self, mut file: &File) -> std::io::Result<()> {
        file.set_len(0)?;
        file.write_all(&self.ring.iter().flat_map(|key| key.id).collect::<Vec<u8>>())
    }

    pub(super) fn find(&self, id: &[u8]) -> Option<&StoreKey> {
        self.ring.iter().find(|key| key.id == id)
    }
}

/// Nothing is sealed.
impl From<&[u8; 32]> for Keys {
    fn from(reference: &[u8; 32]) -> Self {
        Self { reference: *reference, ring: Arc::new([]), dice: Arc::new(SystemDice) }
    }
}

impl From<&Keys> for Keys {
    fn from(keys: &Keys) -> Self {
        keys.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_new_key_is_its_owner_s_alone_and_never_takes_another_one_s_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("store.key");
        StoreKey::make(&file, &SystemDice).expect("a key");
        assert_eq!(file.metadata().expect("a file").mode() & 0o777, 0o600);
        let written = fs::read(&file).expect("a file");
        assert_eq!(StoreKey::make(&file, &SystemDice).map_err(|fault| fault.code), Err(Code::StoExists));
        assert_eq!(fs::read(&file).expect("a file"), written);
        let key = StoreKey::read(&file).expect("it is one");
        let name = key.id.iter().fold(String::new(), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        });
        assert!(!String::from_utf8_lossy(&written).contains(&name), "its name says nothing of it");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("store.key");
        let refused = |text: &str, mode: u32| {
            fs::write(&file, text).expect("a file");
            fs::set_permissions(&file, Permissions::from_mode(mode)).expect("its mode");
            StoreKey::read(&file).err().map(|fault| fault.code)
        };
        let digits = "0123456789abcdef".repeat(4);
        assert_eq!(refused(&digits, 0o600), None);
        assert_eq!(refused(&format!("{}\r\n", digits.to_uppercase()), 0o400), None);
        for wrong in ["", &digits[1..], &format!("{digits}0"), &digits.replace('a', "g"), &digits.repeat(9)] {
            assert_eq!(refused(wrong, 0o600), Some(Code::CfgStoreKey), "{wrong}");
        }
        for mode in [0o604, 0o602, 0o644, 0o666] {
            assert_eq!(refused(&digits, mode), Some(Code::CfgStoreKey), "{mode:o}");
        }
        // Of root's the group may read: these tests may run as root.
        if file.metadata().expect("a file").uid() != 0 {
            assert_eq!(refused(&digits, 0o640), Some(Code::CfgStoreKey));
        }
        fs::remove_file(&file).expect("it was there");
        assert_eq!(StoreKey::read(&file).err().map(|fault| fault.code), Some(Code::CfgStoreKey));
        assert_eq!(StoreKey::read(folder.path()).err().map(|fault| fault.code), Some(Code::CfgStoreKey));
    }
}
