//! An address of HTTP that was checked.

use std::fmt;

/// A checked address. It may hold a password, or a key in its query: both are masked wherever it is printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(reqwest::Url);

impl Address {
    pub fn parse(text: &str) -> Option<Self> {
        let url = reqwest::Url::parse(text).ok()?;
        (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(Self(url))
    }

    /// The whole of it, for the connection alone.
    pub fn url(&self) -> &reqwest::Url {
        &self.0
    }

    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    pub fn is_this_machine(&self) -> bool {
        matches!(self.0.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut url = self.0.clone();
        if !url.username().is_empty() || url.password().is_some() {
            // Neither can fail: an address of http or https has a host.
            let _ = url.set_password(None);
            let _ = url.set_username("***");
        }
        if url.query().is_some() {
            url.set_query(Some("***"));
        }
        url.set_fragment(None);
        f.write_str(url.as_str())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
