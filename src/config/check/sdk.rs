//! What only SDK's wire asks for, and what does not go with it.

use super::super::raw;
use super::super::settings::{Address, DestinationSettings, Mode, Receipt, SdkIds, SdkSettings, TokenSettings, Wire};
use super::{ADDRESS, Checker};
use crate::fault::Code;

const ORGANISATION: &str = "expected 0203: and a domain: \"0203:kommun.se\"";

impl Checker<'_> {
    /// None where the wire is another, or where a fault has been told.
    pub(super) fn sdk(&mut self, raw: &mut raw::Destination, section: &str) -> Option<SdkSettings> {
        let key = |key: &str| format!("{section}.{key}");
        if raw.wire != Some(Wire::Sdk) {
            let given = [
                ("sender", raw.sender.is_some()),
                ("sender_function", raw.sender_function.is_some()),
                ("recipient", raw.recipient.is_some()),
                ("recipient_function", raw.recipient_function.is_some()),
                ("token_file", raw.token_file.is_some()),
                ("token_url", raw.token_url.is_some()),
                ("client_id", raw.client_id.is_some()),
                ("token_scope", raw.token_scope.is_some()),
            ];
            for (name, _) in given.iter().filter(|(_, given)| *given) {
                self.origin.fault(Code::CfgValue, &key(name), "only with wire = \"sdk\"");
            }
            return None;
        }
        if raw.lookup_url.is_some() {
            self.origin.fault(Code::CfgValue, &key("lookup_url"), "not with wire = \"sdk\": messages are looked up at url");
        }
        if raw.receipt == Some(Receipt::Http) {
            self.origin.fault(Code::CfgValue, &key("receipt"), "not with wire = \"sdk\": it always has receipts");
        }
        let sender = self.party((raw.sender.take(), raw.sender_function.take()), (&key("sender"), &key("sender_function")));
        let recipient = self.party((raw.recipient.take(), raw.recipient_function.take()), (&key("recipient"), &key("recipient_function")));
        let ids = self.need(raw.sdk_ids, &key("sdk_ids"));
        let token = self.token(raw, section);
        Some(SdkSettings { sender: sender?, recipient: recipient?, ids: ids?, token })
    }

    fn party(&mut self, (organisation, function): (Option<String>, Option<String>), keys: (&str, &str)) -> Option<(String, String)> {
        let organisation = self.need(organisation, keys.0);
        let organisation = self.formed(organisation, keys.0, organisation_of, ORGANISATION);
        let function = self.need(function, keys.1);
        let function = self.formed(function, keys.1, function_of, "expected an address of at most 256 characters, without blanks");
        Some((organisation?, function?))
    }

    fn token(&mut self, raw: &mut raw::Destination, section: &str) -> Option<TokenSettings> {
        let key = |key: &str| format!("{section}.{key}");
        let file = self.path(raw.token_file.take(), &key("token_file"));
        let url = self.formed(raw.token_url.take(), &key("token_url"), Address::parse, ADDRESS);
        if url.as_ref().is_some_and(|url| !url.is_https() && !url.is_this_machine()) {
            self.origin.fault(Code::CfgValue, &key("token_url"), "http is allowed only to 127.0.0.1, localhost and [::1]; use https");
        }
        let (id, scope) = (raw.client_id.take(), raw.token_scope.take());
        match (file, url) {
            (Some(_), Some(_)) => {
                self.origin.fault(Code::CfgValue, &key("token_url"), "not together with token_file");
                None
            }
            (Some(file), None) => Some(TokenSettings::File(file)),
            (None, Some(url)) => {
                let id = self.need(id, &key("client_id"));
                Some(TokenSettings::Client { url, id: id?, scope })
            }
            (None, None) => None,
        }
    }

    /// A message service knows a message by its id alone, and one message may go to several recipients over it.
    pub(super) fn ids(&mut self, destinations: &[Option<DestinationSettings>]) {
        let own =
            |known: &&DestinationSettings| known.mode == Mode::Live && known.sdk.as_ref().is_some_and(|sdk| sdk.ids == SdkIds::Message);
        let own: Vec<_> = destinations.iter().flatten().filter(own).collect();
        for (place, known) in own.iter().enumerate() {
            if let Some(other) = own[..place].iter().find(|other| other.url == known.url) {
                let what = format!("expected \"destination\": {} at the same url has the messages' own ids", other.name);
                self.origin.fault(Code::CfgValue, &format!("destination.{}.sdk_ids", known.name), &what);
            }
        }
    }
}

fn organisation_of(text: &str) -> Option<String> {
    let domain = text.strip_prefix("0203:")?;
    let formed = (1..=250).contains(&domain.len()) && domain.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    formed.then(|| text.to_owned())
}

fn function_of(text: &str) -> Option<String> {
    let formed = (1..=256).contains(&text.chars().count()) && !text.chars().any(|c| c.is_whitespace() || c.is_control());
    formed.then(|| text.to_owned())
}
