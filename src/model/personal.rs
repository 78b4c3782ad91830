//! Data about a person, in a type that cannot reach a log, a message text or a file by accident.

use std::fmt;

/// A value that may identify or describe a person.
///
/// There is no `Display`, no `Serialize` and no `Deref`; `Debug` shows a placeholder. The one way out is
/// [`Personal::disclose`], which `clippy.toml` bans outside the places that lawfully write it: the canonical event,
/// the wire, the store and the outcome that goes back to the system the data came from.
///
/// ```
/// use vardbro::model::personal::Personal;
/// assert_eq!(format!("{:?}", Personal::new("Greta")), "‹personal›");
/// ```
/// ```compile_fail,E0277
/// use vardbro::model::personal::Personal;
/// println!("{}", Personal::new("Greta"));
/// ```
/// ```compile_fail,E0277
/// use vardbro::model::personal::Personal;
/// serde_json::to_string(&Personal::new("Greta")).ok();
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Personal<T>(T);

impl<T> Personal<T> {
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Every caller states why it may have it.
    pub fn disclose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("‹personal›")
    }
}
