//! Bytes become text, in the encoding that was declared.

use super::Fault;
use crate::fault::Code;
use encoding_rs::{ISO_8859_15, WINDOWS_1252};
use std::borrow::Cow;

/// How a document's letters are written. Declared; never guessed from the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Encoding {
    #[default]
    Utf8,
    /// ISO 8859-1. Its bytes 80 to 9F are control characters, and no export means those: they are a fault.
    Latin1,
    /// ISO 8859-15, with the euro sign.
    Latin9,
    Windows1252,
}

impl Encoding {
    pub(crate) const NAMES: &'static [(&'static str, Self)] =
        &[("utf-8", Self::Utf8), ("iso-8859-1", Self::Latin1), ("iso-8859-15", Self::Latin9), ("windows-1252", Self::Windows1252)];

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, encoding)| *encoding)
    }

    pub(crate) fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, known)| *known == self).map_or("", |(name, _)| name)
    }

    /// Whether a document that says this of itself may be read so: many that say ISO 8859-1 are Windows-1252.
    pub(crate) fn reads(self, said: Self) -> bool {
        self == said || (self, said) == (Self::Windows1252, Self::Latin1)
    }
}

/// The text, without a byte-order mark.
pub(crate) fn decoded(bytes: &[u8], encoding: Encoding) -> Result<Cow<'_, str>, Fault> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Fault::new(Code::SrcEmpty, 0));
    }
    match encoding {
        Encoding::Utf8 => utf8(bytes).map(Cow::Borrowed),
        // A byte-order mark says UTF-8, and every letter of it would come out as two.
        _ if bytes.starts_with(b"\xEF\xBB\xBF") => Err(Fault::new(Code::SrcEncoding, 0)),
        Encoding::Latin1 | Encoding::Latin9 => match bytes.iter().position(|byte| (0x80..0xA0).contains(byte)) {
            Some(at) => Err(Fault::new(Code::SrcEncoding, at)),
            None if encoding == Encoding::Latin9 => Ok(ISO_8859_15.decode_without_bom_handling(bytes).0),
            // Above 9F the two are the same.
            None => Ok(WINDOWS_1252.decode_without_bom_handling(bytes).0),
        },
        Encoding::Windows1252 => match bytes.iter().position(|byte| [0x81, 0x8D, 0x8F, 0x90, 0x9D].contains(byte)) {
            Some(at) => Err(Fault::new(Code::SrcEncoding, at)),
            None => Ok(WINDOWS_1252.decode_without_bom_handling(bytes).0),
        },
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, Fault> {
    let content = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if content.iter().all(u8::is_ascii_whitespace) {
        return Err(Fault::new(Code::SrcEmpty, 0));
    }
    std::str::from_utf8(content).map_err(|fault| {
        // Cut off in the middle of a letter, the file may still be growing.
        let code = if fault.error_len().is_none() { Code::MapTruncated } else { Code::SrcEncoding };
        Fault::new(code, fault.valid_up_to())
    })
}
