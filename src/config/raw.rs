//! The configuration as it is written: every key, its kind, its bounds and its documentation.
//!
//! This is the only list of keys. The schema, the reference and the reader's checks all come from it, so a doc comment here
//! is text for users: English first, then a paragraph of Swedish. No default stands here; they are in `default.toml`.

mod alarms;
mod bounds;
mod destination;
mod mail;

pub(super) use alarms::Alarms;
pub(super) use bounds::{Limits, Retention, Retry, Shutdown};
pub(super) use destination::Destination;
pub(super) use mail::Mail;
pub use mail::MailTls;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Configuration of Vårdbro.
///
/// Konfiguration av Vårdbro.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Raw {
    /// Whether real messages flow, or only those of a test.
    ///
    /// Om riktiga meddelanden går, eller bara test.
    pub(super) environment: Option<Environment>,
    /// The list of test persons, a number of twelve digits a line, and the reserve numbers that tests use. With it, production refuses
    /// the numbers on it, and a test all that are not on it.
    ///
    /// Listan över testpersoner, ett nummer med tolv siffror per rad, och de reservnummer som test använder. Med den avvisas i produktion
    /// de nummer som står i den, och i test alla som inte gör det.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) test_persons_file: Option<String>,
    /// Language of texts for people.
    ///
    /// Språk i texter för människor.
    pub(super) language: Option<Language>,
    /// The municipality that sends.
    ///
    /// Kommunen som sänder.
    pub(super) organisation: Organisation,
    /// Where events come from; one table for each source, under a name of your own.
    ///
    /// Varifrån händelser kommer; en tabell per källa, under ett eget namn.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) source: BTreeMap<String, Source>,
    /// Where messages go; one table for each destination, under a name of your own.
    ///
    /// Vart meddelanden går; en tabell per destination, under ett eget namn.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) destination: BTreeMap<String, Destination>,
    /// Which destination a message takes: the first whose conditions all hold, else the only destination. At least one condition.
    ///
    /// Vilken destination ett meddelande tar: den första vars alla villkor gäller, annars den enda destinationen. Minst ett villkor.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) route: Vec<Route>,
    /// Who receives when neither the event nor its episode names a recipient.
    ///
    /// Mottagare när varken händelsen eller ärendet anger någon.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) recipient: Vec<Recipient>,
    /// The rules that messages are checked against.
    ///
    /// Reglerna som meddelanden kontrolleras mot.
    pub(super) rules: Rules,
    /// The database.
    ///
    /// Databasen.
    pub(super) store: Store,
    /// The log for operators: one JSON object a line, without personal data.
    ///
    /// Driftloggen: ett JSON-objekt per rad, utan personuppgifter.
    pub(super) oplog: Oplog,
    /// Where sources post events (`POST /v1/events`), and receivers send receipts that come later (`POST /v1/receipts`). Off unless
    /// `listen` is given.
    ///
    /// Dit källor postar händelser (`POST /v1/events`), och mottagare skickar kvitton som kommer senare (`POST /v1/receipts`). Av om
    /// inte `listen` anges.
    pub(super) http: Http,
    /// Where figures are read by Prometheus (`GET /metrics`) and health by whoever watches (`GET /health/live`, `GET /health/ready`,
    /// `GET /health`). No secret is asked for, and nothing personal is told. Off unless `listen` is given.
    ///
    /// Där Prometheus läser mätvärden (`GET /metrics`) och övervakning läser hälsan (`GET /health/live`, `GET /health/ready`,
    /// `GET /health`). Ingen hemlighet krävs, och inget personligt visas. Av om inte `listen` anges.
    pub(super) metrics: Metrics,
    /// How long what has come to its end is kept. What is undelivered, waits or belongs to an episode that runs is kept as long as it
    /// does; a legal hold (`vardbro hold`) keeps everything. `docs/retention.md` says why each time is what it is.
    ///
    /// Hur länge det som är avslutat sparas. Det som är olevererat, väntar eller hör till ett pågående ärende sparas så länge det gör det;
    /// ett gallringsstopp (`vardbro hold`) bevarar allt. `docs/retention.md` säger varför varje tid är som den är.
    pub(super) retention: Retention,
    /// When somebody is told that something is wrong, and how, beside the operations log: docs/alarms.md.
    ///
    /// När någon får veta att något är fel, och hur, utöver driftloggen: docs/alarms.md.
    pub(super) alarms: Alarms,
    /// The server that takes mail to those who keep a source (`mail_to`): docs/mail.md. Off unless `server` is given.
    ///
    /// Servern som tar emot mejl till dem som sköter en källa (`mail_to`): docs/mail.md. Av om inte `server` anges.
    pub(super) mail: Mail,
    /// Limits on what is read.
    ///
    /// Gränser för det som läses.
    pub(super) limits: Limits,
    /// How a failed delivery is tried again.
    ///
    /// Hur en misslyckad leverans prövas igen.
    pub(super) retry: Retry,
    /// How the service stops.
    ///
    /// Hur tjänsten stannar.
    pub(super) shutdown: Shutdown,
}

/// Who sends.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Organisation {
    /// Organisation number: ten digits, with or without the hyphen.
    ///
    /// Organisationsnummer: tio siffror, med eller utan bindestreck.
    #[schemars(required, extend("pattern" = r"^(16)?\d{6}-?\d{4}$"))]
    pub(super) org_number: Option<String>,
    /// HSA-id that stands as the sender.
    ///
    /// HSA-id som står som avsändare.
    #[schemars(required, extend("pattern" = HSA_ID))]
    pub(super) hsa_id: Option<String>,
    /// Name of the organisation, as the receiver shall read it.
    ///
    /// Organisationens namn, så som mottagaren ska läsa det.
    #[schemars(required, length(min = 1, max = 200))]
    pub(super) name: Option<String>,
}

/// One source.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Source {
    /// Kind of source. `directory`: files laid in a folder. `http`: events posted to `[http]`. `sql`: rows of a table or view. `nats`:
    /// messages of a NATS JetStream stream. `amqp`: messages of a RabbitMQ queue.
    ///
    /// Slag av källa. `directory`: filer som läggs i en mapp. `http`: händelser som postas till `[http]`. `sql`: rader i en tabell eller
    /// vy. `nats`: meddelanden i en ström i NATS JetStream. `amqp`: meddelanden i en kö i RabbitMQ.
    #[schemars(required)]
    pub(super) kind: Option<SourceKind>,
    /// What makes events of what the source gives: a mapping file (its name has a dot in it), or the name of one that is shipped. Without
    /// it every record is an event as `schemas/event` has it.
    ///
    /// Det som gör händelser av det källan ger: en mappningsfil (dess namn har en punkt), eller namnet på en som följer med. Utan den är
    /// varje post en händelse enligt `schemas/event`.
    #[schemars(length(min = 1))]
    pub(super) mapping: Option<String>,
    /// Folder where files are laid. `done`, `rejected` and `outcome` are made in it.
    ///
    /// Mapp där filer läggs. `done`, `rejected` och `outcome` skapas i den.
    #[schemars(length(min = 1))]
    pub(super) path: Option<String>,
    /// Seconds without change before a file counts as complete, by this machine's own clock; 0 where files are always renamed in.
    ///
    /// Sekunder utan ändring innan en fil räknas som komplett, enligt den egna klockan; 0 där filer alltid byter namn in.
    #[schemars(range(min = 0.0, max = 3600))]
    pub(super) still_s: Option<f64>,
    /// What becomes of a file that has been taken: kept in `done`, or deleted.
    ///
    /// Vad som händer med en mottagen fil: den sparas i `done` eller raderas.
    pub(super) done: Option<Done>,
    /// Days that a file is kept in `done`.
    ///
    /// Dagar som en fil sparas i `done`.
    #[schemars(range(min = 1, max = 3650))]
    pub(super) done_days: Option<u32>,
    /// Largest document, a file, a row, a message or a request's body, in kilobytes (1024 bytes).
    ///
    /// Största dokument, en fil, en rad, ett meddelande eller en begärans innehåll, i kilobyte (1024 byte).
    #[schemars(range(min = 1, max = 65536))]
    pub(super) max_kb: Option<u32>,
    /// `sql`: kind of database.
    ///
    /// `sql`: slag av databas.
    pub(super) engine: Option<Engine>,
    /// File that holds the connection string: `sql`: libpq's form for PostgreSQL, `mysql://user:password@host:3306/database` for MariaDB
    /// and MySQL (another machine is met over TLS; `sslmode=disable` and `?require_ssl=false` turn that off); `amqp`:
    /// `amqps://user:password@host:port/vhost`, or amqp:// to this machine itself.
    ///
    /// Fil med anslutningssträngen: `sql`: libpq:s form för PostgreSQL, `mysql://användare:lösenord@värd:3306/databas` för MariaDB och
    /// MySQL (en annan maskin nås över TLS; `sslmode=disable` och `?require_ssl=false` stänger av det); `amqp`:
    /// `amqps://användare:lösenord@värd:port/vhost`, eller amqp:// till den egna maskinen.
    #[schemars(length(min = 1))]
    pub(super) url_file: Option<String>,
    /// PEM file with the issuers that the server's certificate may come from; else the system's.
    ///
    /// PEM-fil med de utfärdare som serverns certifikat får komma från; annars systemets.
    #[schemars(length(min = 1))]
    pub(super) ca_file: Option<String>,
    /// `sql`: the file, where the database is SQLite.
    ///
    /// `sql`: filen, om databasen är SQLite.
    #[schemars(length(min = 1))]
    pub(super) database: Option<String>,
    /// `sql`: table or view, as the database spells it; a schema may stand before it with a dot.
    ///
    /// `sql`: tabell eller vy, så som databasen stavar den; ett schema får stå före med punkt.
    #[schemars(extend("pattern" = r"^[A-Za-z_][A-Za-z0-9_]{0,62}(\.[A-Za-z_][A-Za-z0-9_]{0,62})?$"))]
    pub(super) table: Option<String>,
    /// `sql`: column that is different in every row and never null: a number or a text.
    ///
    /// `sql`: kolumn som är olika i varje rad och aldrig null: ett tal eller en text.
    #[schemars(extend("pattern" = COLUMN))]
    pub(super) key_column: Option<String>,
    /// `sql`: column in whose order rows are handed in, never null; else the key.
    ///
    /// `sql`: kolumn i vars ordning raderna lämnas in, aldrig null; annars nyckeln.
    #[schemars(extend("pattern" = COLUMN))]
    pub(super) order_column: Option<String>,
    /// `sql`: column that holds the record. Without it the row is the record, a field for each column.
    ///
    /// `sql`: kolumn som innehåller posten. Utan den är raden posten, med ett fält per kolumn.
    #[schemars(extend("pattern" = COLUMN))]
    pub(super) body_column: Option<String>,
    /// `sql`: column that is null in a new row; `accepted`, `duplicate` or `rejected` is written to it. Together with `answer_column`;
    /// without them nothing is written, and `overlap_s` and `reread_h` count.
    ///
    /// `sql`: kolumn som är null i en ny rad; `accepted`, `duplicate` eller `rejected` skrivs i den. Tillsammans med `answer_column`;
    /// utan dem skrivs ingenting, och `overlap_s` och `reread_h` gäller.
    #[schemars(extend("pattern" = COLUMN))]
    pub(super) status_column: Option<String>,
    /// `sql`: column for what became of the row, as JSON; written anew at every change.
    ///
    /// `sql`: kolumn för vad som blev av raden, som JSON; skrivs om vid varje ändring.
    #[schemars(extend("pattern" = COLUMN))]
    pub(super) answer_column: Option<String>,
    /// `sql`: seconds between two looks.
    ///
    /// `sql`: sekunder mellan två avläsningar.
    #[schemars(range(min = 0.05, max = 3600))]
    pub(super) poll_s: Option<f64>,
    /// `sql` without `status_column`: seconds during which a row that comes late is still looked for among those that have been seen.
    /// Longer than any transaction that writes rows.
    ///
    /// `sql` utan `status_column`: sekunder under vilka en rad som kommer sent fortfarande söks bland dem som redan har setts. Längre
    /// än någon transaktion som skriver rader.
    #[schemars(range(min = 1, max = 86400))]
    pub(super) overlap_s: Option<f64>,
    /// `sql` without `status_column`: hours after which everything is read again; it is read at every start as well.
    ///
    /// `sql` utan `status_column`: timmar efter vilka allt läses igen; det läses även vid varje start.
    #[schemars(range(min = 0.001, max = 8760))]
    pub(super) reread_h: Option<f64>,
    /// Address of the NATS server, without name and password: tls://host:port, or nats:// to this machine itself.
    ///
    /// NATS-serverns adress, utan namn och lösenord: tls://värd:port, eller nats:// till den egna maskinen.
    #[schemars(length(min = 1))]
    pub(super) url: Option<String>,
    /// NATS and RabbitMQ: with `off` an address without TLS may name another machine: what passes there is not encrypted.
    ///
    /// NATS och RabbitMQ: med `off` får en adress utan TLS peka på en annan maskin: det som går dit är inte krypterat.
    pub(super) tls: Option<Tls>,
    /// NATS: file with the credentials (`.creds`) that the server demands.
    ///
    /// NATS: fil med de uppgifter (`.creds`) som servern kräver.
    #[schemars(length(min = 1))]
    pub(super) credentials_file: Option<String>,
    /// PEM file with our client certificate and its chain; together with `key_file`.
    ///
    /// PEM-fil med vårt klientcertifikat och dess kedja; tillsammans med `key_file`.
    #[schemars(length(min = 1))]
    pub(super) cert_file: Option<String>,
    /// PEM file with the private key of `cert_file`.
    ///
    /// PEM-fil med den privata nyckeln till `cert_file`.
    #[schemars(length(min = 1))]
    pub(super) key_file: Option<String>,
    /// NATS: name of the stream. It must be there.
    ///
    /// NATS: strömmens namn. Den måste finnas.
    #[schemars(length(min = 1))]
    pub(super) stream: Option<String>,
    /// NATS: name of the durable pull consumer, for this source alone. It is made where it is not there.
    ///
    /// NATS: namn på den varaktiga konsumenten (pull), enbart för den här källan. Den skapas om den inte finns.
    #[schemars(length(min = 1))]
    pub(super) consumer: Option<String>,
    /// NATS: the subject that the consumer is limited to; else it reads the whole stream.
    ///
    /// NATS: det ämne (subject) som konsumenten begränsas till; annars läser den hela strömmen.
    #[schemars(length(min = 1))]
    pub(super) subject: Option<String>,
    /// NATS: subject of a stream that answers go to; else the one that the message's `Reply-To` header names.
    ///
    /// NATS: ämne i en ström dit svar går; annars det som meddelandets huvud `Reply-To` anger.
    #[schemars(length(min = 1))]
    pub(super) answer_subject: Option<String>,
    /// RabbitMQ: name of the queue, for this source alone. It must be there.
    ///
    /// RabbitMQ: köns namn, enbart för den här källan. Den måste finnas.
    #[schemars(length(min = 1))]
    pub(super) queue: Option<String>,
    /// RabbitMQ: queue that answers go to; else the one that the message's `reply_to` names. It must be there.
    ///
    /// RabbitMQ: kö dit svar går; annars den som meddelandets `reply_to` anger. Den måste finnas.
    #[schemars(length(min = 1))]
    pub(super) answer_queue: Option<String>,
    /// NATS and RabbitMQ: most messages that are taken and not yet acknowledged.
    ///
    /// NATS och RabbitMQ: högsta antal meddelanden som är hämtade men ännu inte kvitterade.
    #[schemars(range(min = 1, max = 10_000))]
    pub(super) prefetch: Option<u16>,
    /// Folder: whether files in sub-folders are taken as well; under their path in `done`, `rejected` and `outcome`.
    ///
    /// Mapp: om även filer i undermappar tas; under sin sökväg i `done`, `rejected` och `outcome`.
    pub(super) folders: Option<bool>,
    /// Folder: which files are taken, by name: `*` stands for any characters, `?` for one. Without it those that end in .json, .ndjson,
    /// .xml or .csv.
    ///
    /// Mapp: vilka filer som tas, efter namn: `*` står för vilka tecken som helst, `?` för ett. Utan den de som slutar på .json, .ndjson,
    /// .xml eller .csv.
    #[schemars(length(min = 1))]
    pub(super) pattern: Option<String>,
    /// Folder: in which order files are taken: by name, or the oldest first by their time of change.
    ///
    /// Mapp: i vilken ordning filer tas: efter namn, eller den äldsta först efter ändringstid.
    pub(super) order: Option<FileOrder>,
    /// Folder: ending of the empty file that its sender lays beside each file when that is complete (`a.csv`, then `a.csv.klar`). A file
    /// is taken once its marker is there, without waiting `still_s`; then the marker is removed.
    ///
    /// Mapp: ändelse på den tomma fil som avsändaren lägger bredvid varje fil när den är komplett (`a.csv`, sedan `a.csv.klar`). En fil
    /// tas när dess markering finns, utan att vänta `still_s`; sedan tas markeringen bort.
    #[schemars(length(min = 1))]
    pub(super) marker: Option<String>,
    /// HTTP: file with the secret that the source shows (`Authorization: Bearer`): 32 to 200 characters; read anew on SIGHUP. NATS: file
    /// with the token that the server demands.
    ///
    /// HTTP: fil med den hemlighet som källan visar (`Authorization: Bearer`): 32 till 200 tecken; läses om vid SIGHUP. NATS: fil med den
    /// nyckel (token) som servern kräver.
    #[schemars(length(min = 1))]
    pub(super) token_file: Option<String>,
    /// HTTP: most requests a second; more are answered with 429.
    ///
    /// HTTP: högst så många begäranden per sekund; fler besvaras med 429.
    #[schemars(range(min = 0.1, max = 10000))]
    pub(super) rate_per_s: Option<f64>,
    /// HTTP: most requests under way at once; more are answered with 503.
    ///
    /// HTTP: högst så många begäranden samtidigt; fler besvaras med 503.
    #[schemars(range(min = 1, max = 256))]
    pub(super) in_flight: Option<u32>,
    /// Hours without a new event after which an alarm is opened; the weekend counts.
    ///
    /// Timmar utan någon ny händelse varefter ett larm öppnas; helgen räknas.
    #[schemars(range(min = 0.0001, max = 8784))]
    pub(super) silent_h: Option<f64>,
    /// Addresses that are mailed when an event of this source is rejected, when its message is refused, withheld or held, and when a due
    /// time of its episode has passed: docs/mail.md. Needs `[mail]`.
    ///
    /// Adresser som får mejl när en händelse från källan avvisas, när dess meddelande stoppas, hålls tillbaka eller väntar på en
    /// människa, och när en tidsgräns i dess ärende har passerat: docs/mail.md. Kräver `[mail]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub(super) mail_to: Vec<String>,
}

/// One route.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 2))]
pub(super) struct Route {
    /// Condition: the recipient's party.
    ///
    /// Villkor: mottagarens part.
    pub(super) party: Option<Party>,
    /// Condition: the recipient's HSA-id.
    ///
    /// Villkor: mottagarens HSA-id.
    #[schemars(extend("pattern" = HSA_ID))]
    pub(super) hsa_id: Option<String>,
    /// Condition: the message's type, for example `K-PU`.
    ///
    /// Villkor: meddelandets typ, till exempel `K-PU`.
    #[serde(rename = "type")]
    #[schemars(length(min = 1))]
    pub(super) kind: Option<String>,
    /// Name of the destination.
    ///
    /// Destinationens namn.
    #[schemars(required, length(min = 1))]
    pub(super) destination: Option<String>,
}

/// One recipient.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Recipient {
    /// Party: `SV` inpatient care, `OV` outpatient care, `K` municipality.
    ///
    /// Part: `SV` slutenvård, `OV` öppenvård, `K` kommun.
    #[schemars(required)]
    pub(super) party: Option<Party>,
    /// HSA-id of the receiving unit.
    ///
    /// Mottagande enhets HSA-id.
    #[schemars(required, extend("pattern" = HSA_ID))]
    pub(super) hsa_id: Option<String>,
}

/// Rules.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rules {
    /// Name and version of the set in use.
    ///
    /// Namn och version på det regelverk som används.
    #[serde(rename = "use")]
    #[schemars(extend("pattern" = r"^[a-z0-9][a-z0-9_-]*/[a-z0-9][a-z0-9._-]*$"))]
    pub(super) name: Option<String>,
    /// Folder with further sets, beside those that are built in.
    ///
    /// Mapp med fler regelverk, utöver de inbyggda.
    #[schemars(length(min = 1))]
    pub(super) dir: Option<String>,
}

/// Store.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Store {
    /// The database's file, on a local disk.
    ///
    /// Databasens fil, på en lokal disk.
    #[schemars(length(min = 1))]
    pub(super) path: Option<String>,
    /// File that holds the connection string of a PostgreSQL database, of libpq's form; then `path` is not used. Several
    /// daemons may share one database. Another machine is met over TLS; `sslmode=disable` in the string turns that off.
    ///
    /// Fil med anslutningssträngen till en PostgreSQL-databas, i libpq:s form; då används inte `path`. Flera tjänster kan dela
    /// en databas. En annan maskin nås över TLS; `sslmode=disable` i strängen stänger av det.
    #[schemars(length(min = 1))]
    pub(super) url_file: Option<String>,
    /// PEM file with the issuers that the database's certificate may come from; else the system's.
    ///
    /// PEM-fil med de utfärdare som databasens certifikat får komma från; annars systemets.
    #[schemars(length(min = 1))]
    pub(super) ca_file: Option<String>,
    /// Files with the keys that personal data in the store are sealed with, each made by `vardbro store new-key`. All of them
    /// open; a new store is sealed with the first, and one that there is when `vardbro store rekey` is run. A key may be taken
    /// away after that. Nothing is sealed without any. Whoever loses them loses the store and its backups.
    ///
    /// Filer med de nycklar som personuppgifter i databasen krypteras med, var och en gjord av `vardbro store new-key`. Alla
    /// öppnar; en ny databas krypteras med den första, en som redan finns när `vardbro store rekey` körs. Därefter kan en
    /// nyckel tas bort. Utan nycklar krypteras ingenting. Den som förlorar dem förlorar databasen och dess säkerhetskopior.
    #[serde(default)]
    #[schemars(length(max = 16))]
    pub(super) key_files: Vec<String>,
}

/// Operations log.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Oplog {
    /// File to append to; else standard error.
    ///
    /// Fil att skriva till; annars standard error.
    #[schemars(length(min = 1))]
    pub(super) path: Option<String>,
    /// Least level that is written.
    ///
    /// Lägsta nivå som skrivs.
    pub(super) level: Option<Level>,
}

/// HTTP.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Http {
    /// Address and port. Without `cert_file` one of this machine's own.
    ///
    /// Adress och port. Utan `cert_file` en av den egna maskinens.
    #[schemars(length(min = 1))]
    pub(super) listen: Option<String>,
    /// PEM file with the server's certificate and its chain; together with `key_file`.
    ///
    /// PEM-fil med serverns certifikat och dess kedja; tillsammans med `key_file`.
    #[schemars(length(min = 1))]
    pub(super) cert_file: Option<String>,
    /// PEM file with the private key of `cert_file`.
    ///
    /// PEM-fil med den privata nyckeln till `cert_file`.
    #[schemars(length(min = 1))]
    pub(super) key_file: Option<String>,
    /// PEM file with the issuers of clients; with it a client certificate is demanded.
    ///
    /// PEM-fil med klienternas utfärdare; med den krävs klientcertifikat.
    #[schemars(length(min = 1))]
    pub(super) client_ca_file: Option<String>,
}

/// Figures and health.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Metrics {
    /// Address and port. Without `cert_file` one of this machine's own.
    ///
    /// Adress och port. Utan `cert_file` en av den egna maskinens.
    #[schemars(length(min = 1))]
    pub(super) listen: Option<String>,
    /// PEM file with the server's certificate and its chain; together with `key_file`.
    ///
    /// PEM-fil med serverns certifikat och dess kedja; tillsammans med `key_file`.
    #[schemars(length(min = 1))]
    pub(super) cert_file: Option<String>,
    /// PEM file with the private key of `cert_file`.
    ///
    /// PEM-fil med den privata nyckeln till `cert_file`.
    #[schemars(length(min = 1))]
    pub(super) key_file: Option<String>,
    /// PEM file with the issuers of clients; with it a client certificate is demanded.
    ///
    /// PEM-fil med klienternas utfärdare; med den krävs klientcertifikat.
    #[schemars(length(min = 1))]
    pub(super) client_ca_file: Option<String>,
    /// Minutes that the way to a destination may be closed before health tells of it.
    ///
    /// Minuter som vägen till en destination får vara stängd innan hälsan berättar om det.
    #[schemars(range(min = 0, max = 10080))]
    pub(super) route_closed_min: Option<u32>,
    /// Least free space on the disk of a SQLite database, in megabytes; below it the service is not ready.
    ///
    /// Minsta lediga utrymme på en SQLite-databas disk, i megabyte; under det är tjänsten inte redo.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub(super) disk_free_mb: Option<u32>,
}

/// What an HSA-id looks like, for editors; `model::ids` judges.
const HSA_ID: &str = r"^SE\d{10}-[A-Za-z0-9]{1,18}$";

/// A column's name.
const COLUMN: &str = r"^[A-Za-z_][A-Za-z0-9_]{0,62}$";

/// A word out of a short list. The names are the written words.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident $case:literal { $($variant:ident),+ })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = $case)]
        pub enum $name { $($variant),+ }
    )+};
}

words! {
    /// Whether real messages flow.
    Environment "lowercase" { Test, Production }
    /// Language of texts for people.
    Language "lowercase" { Sv, En }
    /// Kind of source.
    SourceKind "lowercase" { Directory, Http, Sql, Nats, Amqp }
    /// Kind of database.
    Engine "lowercase" { Postgresql, Mariadb, Sqlite }
    /// What becomes of a file that has been taken.
    Done "lowercase" { Keep, Delete }
    /// Whether another machine is met over TLS alone.
    Tls "lowercase" { Required, Off }
    /// In which order files are taken.
    FileOrder "lowercase" { Name, Age }
    /// Format of documents.
    Wire "lowercase" { Xml, Sdk }
    /// Under which ids messages go over SDK.
    SdkIds "lowercase" { Message, Destination }
    /// Whether a destination is sent to.
    Mode "lowercase" { Live, Shadow }
    /// What counts as received.
    Receipt "lowercase" { Document, Http }
    /// Level of the operations log.
    Level "lowercase" { Error, Warn, Info, Debug }
    /// One of the three parties, as written.
    Party "UPPERCASE" { Sv, Ov, K }
}

impl From<Party> for crate::model::bodies::Party {
    fn from(party: Party) -> Self {
        match party {
            Party::Sv => Self::Sv,
            Party::Ov => Self::Ov,
            Party::K => Self::K,
        }
    }
}

impl From<crate::model::bodies::Party> for Party {
    fn from(party: crate::model::bodies::Party) -> Self {
        use crate::model::bodies::Party as Model;
        match party {
            Model::Sv => Self::Sv,
            Model::Ov => Self::Ov,
            Model::K => Self::K,
        }
    }
}
