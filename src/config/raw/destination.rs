//! Where messages go, as it is written.

use super::{Mode, Receipt, SdkIds, Wire};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An organisation of eDelivery's.
const SDK_ORGANISATION: &str = r"^0203:[A-Za-z0-9.-]{1,250}$";

/// One destination.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Destination {
    /// Address that messages are posted to. https; http only to this machine itself.
    ///
    /// Adress som meddelanden postas till. https; http bara till den egna maskinen.
    #[schemars(required, length(min = 1))]
    pub(in crate::config) url: Option<String>,
    /// Address where the receiver tells of any message, with `{messageId}` for its id: 200 with a receipt that shows the content's
    /// hash, or 404. Where it is given, a message is looked up before it is sent again after a lost answer.
    ///
    /// Adress där mottagaren svarar om vilket meddelande som helst, med `{messageId}` för dess id: 200 med kvitto som visar
    /// innehållets hash, eller 404. Om den anges frågas mottagaren innan ett meddelande vars svar kom bort sänds igen.
    #[schemars(length(min = 1))]
    pub(in crate::config) lookup_url: Option<String>,
    /// File with the secret that the receiver shows when it sends receipts to `[http]`: 32 to 200 characters. Without it no receipts
    /// are taken from this receiver.
    ///
    /// Fil med den hemlighet som mottagaren visar när den skickar kvitton till `[http]`: 32 till 200 tecken. Utan den tas inga kvitton
    /// emot från den mottagaren.
    #[schemars(length(min = 1))]
    pub(in crate::config) callback_token_file: Option<String>,
    /// Format of the documents. `xml`: our own. `sdk`: a message of Säker digital kommunikation with our document attached, over Digg's
    /// SDK API.
    ///
    /// Dokumentens format. `xml`: vårt eget. `sdk`: ett meddelande i Säker digital kommunikation med vårt dokument bifogat, genom Diggs
    /// SDK API.
    #[schemars(extend("x-later" = ["fhir"]))]
    pub(in crate::config) wire: Option<Wire>,
    /// `live` sends. `shadow` checks, writes and journals but sends nothing.
    ///
    /// `live` sänder. `shadow` kontrollerar, skriver och journalför men sänder ingenting.
    pub(in crate::config) mode: Option<Mode>,
    /// PEM file with the issuers that the receiver's certificate may come from; else the system's.
    ///
    /// PEM-fil med de utfärdare som mottagarens certifikat får komma från; annars systemets.
    #[schemars(length(min = 1))]
    pub(in crate::config) ca_file: Option<String>,
    /// PEM file with our client certificate and its chain; together with `key_file`.
    ///
    /// PEM-fil med vårt klientcertifikat och dess kedja; tillsammans med `key_file`.
    #[schemars(length(min = 1))]
    pub(in crate::config) cert_file: Option<String>,
    /// PEM file with the private key of `cert_file`.
    ///
    /// PEM-fil med den privata nyckeln till `cert_file`.
    #[schemars(length(min = 1))]
    pub(in crate::config) key_file: Option<String>,
    /// HTTP proxy on the way to the destination.
    ///
    /// HTTP-proxy på vägen till destinationen.
    #[schemars(length(min = 1))]
    pub(in crate::config) proxy: Option<String>,
    /// Seconds that one attempt may take. One and a half times it and 2 s fit into `retry.lease_s`.
    ///
    /// Sekunder som ett försök får ta. En och en halv gång så mycket och 2 s ryms i `retry.lease_s`.
    #[schemars(range(min = 0.1, max = 600))]
    pub(in crate::config) timeout_s: Option<f64>,
    /// Attempts before a message is parked for a person to look at.
    ///
    /// Försök innan ett meddelande parkeras för en människa att titta på.
    #[schemars(range(min = 1, max = 10000))]
    pub(in crate::config) max_attempts: Option<u32>,
    /// Hours after which an undelivered message is parked.
    ///
    /// Timmar efter vilka ett olevererat meddelande parkeras.
    #[schemars(range(min = 0.01, max = 8760))]
    pub(in crate::config) max_age_h: Option<f64>,
    /// Hours to wait for a receipt that comes later.
    ///
    /// Timmar att vänta på ett kvitto som kommer senare.
    #[schemars(range(min = 0.01, max = 8760))]
    pub(in crate::config) receipt_deadline_h: Option<f64>,
    /// What counts as received. `document`: a 2xx answer with a receipt document. `http`: a 2xx answer alone.
    ///
    /// Vad som räknas som mottaget. `document`: ett 2xx-svar med kvitto. `http`: enbart ett 2xx-svar.
    pub(in crate::config) receipt: Option<Receipt>,
    /// Messages under way at once.
    ///
    /// Meddelanden på väg samtidigt.
    #[schemars(range(min = 1, max = 256))]
    pub(in crate::config) in_flight: Option<u32>,
    /// `sdk`: our organisation, as eDelivery knows it: 0203: and a domain.
    ///
    /// `sdk`: vår organisation, så som eDelivery känner den: 0203: och en domän.
    #[schemars(extend("pattern" = SDK_ORGANISATION))]
    pub(in crate::config) sender: Option<String>,
    /// `sdk`: our function's address in SDK's address book.
    ///
    /// `sdk`: vår funktionsadress i SDK:s adressbok.
    #[schemars(length(min = 1, max = 256))]
    pub(in crate::config) sender_function: Option<String>,
    /// `sdk`: the organisation that receives: 0203: and a domain.
    ///
    /// `sdk`: organisationen som tar emot: 0203: och en domän.
    #[schemars(extend("pattern" = SDK_ORGANISATION))]
    pub(in crate::config) recipient: Option<String>,
    /// `sdk`: the address of the function that receives.
    ///
    /// `sdk`: funktionsadressen som tar emot.
    #[schemars(length(min = 1, max = 256))]
    pub(in crate::config) recipient_function: Option<String>,
    /// `sdk`: under which ids messages go. `message`: their own. `destination`: one that follows from it and the recipient; for all but one of the
    /// destinations at the same address, since one message may go to several of them.
    ///
    /// `sdk`: under vilka id meddelanden går. `message`: sina egna. `destination`: ett som följer av det och mottagaren; för alla utom en av
    /// destinationerna på samma adress, eftersom ett meddelande kan gå till flera av dem.
    pub(in crate::config) sdk_ids: Option<SdkIds>,
    /// `sdk`: file with the bearer token that the message service asks for.
    ///
    /// `sdk`: fil med den token (bearer) som meddelandetjänsten kräver.
    #[schemars(length(min = 1))]
    pub(in crate::config) token_file: Option<String>,
    /// `sdk`: address where a token is fetched with `client_id` and our client certificate.
    ///
    /// `sdk`: adress där en token hämtas med `client_id` och vårt klientcertifikat.
    #[schemars(length(min = 1))]
    pub(in crate::config) token_url: Option<String>,
    /// `sdk`: our name at `token_url`.
    ///
    /// `sdk`: vårt namn hos `token_url`.
    #[schemars(length(min = 1, max = 256))]
    pub(in crate::config) client_id: Option<String>,
    /// `sdk`: what is asked for at `token_url`, several with blanks between; else what it gives unasked.
    ///
    /// `sdk`: det som begärs hos `token_url`, flera med blanksteg emellan; annars det som ges utan begäran.
    #[schemars(length(min = 1, max = 1000))]
    pub(in crate::config) token_scope: Option<String>,
}
