//! What survives what: the promise in plain words, fault by fault, and which settings weaken it.
//!
//! One list: `docs/guarantees.md` and `vardbro guarantees` come from it. Each line names the tests that try it.

use crate::config::{DestinationSettings, Done, Mode, Receipt, Settings, Way};
use std::fmt::Write as _;

/// One fault and what holds in it.
struct Guarantee {
    fault: (&'static str, &'static str),
    holds: (&'static str, &'static str),
    /// Where it is tried.
    tests: &'static str,
}

/// A part of the program with its guarantees.
struct Part {
    title: (&'static str, &'static str),
    guarantees: &'static [Guarantee],
}

macro_rules! part {
    ($title_sv:literal, $title_en:literal; $($fault_sv:literal, $fault_en:literal => $sv:literal, $en:literal; $tests:literal;)+) => {
        Part {
            title: ($title_sv, $title_en),
            guarantees: &[$(Guarantee { fault: ($fault_sv, $fault_en), holds: ($sv, $en), tests: $tests }),+],
        }
    };
}

const SOURCE: Part = part! { "Källa: mapp", "Source: folder";
    "tjänsten dör medan en fil tas in", "the daemon dies while a file is taken" =>
        "Filen ligger kvar tills händelsen är sparad. Tas den två gånger känns den igen och ger ingenting nytt.",
        "The file stays until its event is stored. Taken twice, it is recognised and gives rise to nothing new."; "process: kills; sim";
    "filen är halvskriven, skadad eller för stor", "the file is half-written, damaged or too large" =>
        "Den läses när den har varit orörd i `still_s`, eller avvisas med orsak i `rejected/`. Inget annat stannar.",
        "It is read once it has been untouched for `still_s`, or rejected with a reason in `rejected/`. Nothing else stops."; "bad_inputs";
    "disken är full, eller filbeskrivningarna är slut", "the disk is full, or there are no file descriptors left" =>
        "Filerna ligger kvar och tas när det finns plats. Ingenting kvitteras som inte är sparat.",
        "The files stay and are taken when there is room. Nothing is acknowledged that is not stored."; "process: host";
    "avsändaren lägger markeringar (`marker`)", "the sender lays markers (`marker`)" =>
        "En fil tas när dess markering finns, inte förr; markeringen tas bort efter filen, också efter en krasch.",
        "A file is taken once its marker is there, not before; the marker goes after the file, also after a crash."; "folder";
    "nätverksmappen säger inget om ändringar", "the network share tells of no changes" =>
        "Mappen gås igenom var femte sekund ändå.", "The folder is looked at every five seconds all the same."; "process: folder";
    "några poster i en fil är trasiga", "some records of a file are broken" =>
        "De avvisas med rad och orsak i `rejected/`; de andra är intagna och känns igen om filen läggs in igen.",
        "They are refused with line and reason in `rejected/`; the others are taken, and are recognised if the file is laid in again."; "folder";
    "samma namn med nytt innehåll", "the same name with new content" =>
        "En ny händelse eller version; innehållet räknas, inte namnet.", "A new event or version; content counts, not the name."; "bad_inputs; process: faults";
};

const SOURCE_HTTP: Part = part! { "Källa: HTTP", "Source: HTTP";
    "tjänsten dör medan källan postar, eller svaret kommer bort", "the daemon dies while the source posts, or the answer is lost" =>
        "2xx kommer först när posten är sparad. Det som inte fick svar skickas igen med samma innehåll, känns igen om det var sparat och ger ingenting nytt.",
        "2xx comes only once the record is stored. What had no answer is sent again with the same content, is recognised if it was stored, and gives rise to nothing new."; "process: http";
    "ordning mellan begäranden", "order between requests" =>
        "De sparas i den ordning de kom in hela. Den som väntar på svar innan nästa skickas, eller skickar båda i en, får ordningen.",
        "They are stored in the order in which they came whole. Whoever waits for the answer before sending the next, or sends both in one, has the order."; "process: http";
    "en post i en sändning är trasig", "a record of a batch is broken" =>
        "Den avvisas med rad och orsak i svaret. De andra tas in.", "It is refused with line and reason in the answer. The others are taken."; "process: http";
    "källan postar för fort, för mycket eller stannar mitt i", "the source posts too fast, too much or stops half-way" =>
        "429 eller 503 med `Retry-After`; inget halvt sparas, och andra källor märker det inte.",
        "429 or 503 with `Retry-After`; nothing half is stored, and other sources do not notice."; "process: http";
    "samma `Idempotency-Key` med annat innehåll", "the same `Idempotency-Key` with another content" =>
        "422 så länge nyckeln minns: högst 24 timmar och 10 000 per källa, i minnet. Att inget räknas dubbelt vilar inte på nycklarna.",
        "422 as long as the key is remembered: 24 hours and 10,000 a source at most, in memory. That nothing counts twice does not rest on the keys."; "process: http";
};

const SOURCE_SQL: Part = part! { "Källa: tabell", "Source: table";
    "tjänsten dör medan rader tas in", "the daemon dies while rows are taken" =>
        "Status skrivs först när händelsen är sparad. Tas raden två gånger känns den igen och ger ingenting nytt.",
        "The status is written only once the event is stored. A row taken twice is recognised and gives rise to nothing new."; "process: sql";
    "en transaktion blir klar efter en senare", "a transaction is committed after a later one" =>
        "Raden tas ändå: det är status som räknas, inte numret. Den kommer efter det som redan är taget. Utan `status_column` gäller det inom `overlap_s`, därefter vid nästa hela läsning (`reread_h`).",
        "The row is taken all the same: its status counts, not its number. It comes after what has been taken. Without `status_column` that holds within `overlap_s`, and after that by the next full reading (`reread_h`)."; "process: sql";
    "en rad kan inte läsas, är för stor eller kan inte besvaras", "a row cannot be read, is too large or cannot be answered" =>
        "Den avvisas med orsak i raden, eller prövas igen senare. Inget annat stannar.",
        "It is rejected with a reason in the row, or tried again later. Nothing else stops."; "process: sql";
    "databasen går ner, svarar inte eller bryter", "the database goes down, does not answer or cuts the connection" =>
        "Raderna ligger kvar och tas när den svarar; en rad i loggen säger till.",
        "The rows stay and are taken when it answers; one line in the log tells of it."; "process: sql";
};

const SOURCE_NATS: Part = part! { "Källa: NATS JetStream", "Source: NATS JetStream";
    "tjänsten dör, eller förbindelsen bryts, medan meddelanden tas in", "the daemon dies, or the connection breaks, while messages are taken" =>
        "Ett meddelande kvitteras (dubbelt) först när det är sparat. Det som kommer igen känns igen. Inget nyare tas in förrän allt som konsumenten har lämnat ut är här: ordningen är strömmens.",
        "A message is acknowledged (twice over) only when it is stored. What comes again is recognised. Nothing newer is taken before all that the consumer has given out is here: the order is the stream's."; "process: nats";
    "meddelandet går inte att läsa, är för stort eller avvisas", "the message cannot be read, is too large or is refused" =>
        "Orsakerna skickas som svar; först när servern har svaret kvitteras meddelandet. De som kommer efter tas in.",
        "The reasons are sent as an answer; only when the server has that is the message acknowledged. Those behind it are taken."; "process: nats";
    "samma meddelande kommer om och om igen", "the same message comes again and again" =>
        "Det kastas aldrig: en konsument som ger upp efter ett visst antal används inte.",
        "It is never thrown away: a consumer that gives up after a number of times is not used."; "process: nats";
    "servern är nere", "the server is down" =>
        "En rad i driftloggen; nya försök med växande pauser, högst 30 s. Meddelanden och svar väntar.",
        "One line in the log; tried again with growing pauses, 30 s at most. Messages and answers wait."; "process: nats";
};

const SOURCE_AMQP: Part = part! { "Källa: RabbitMQ", "Source: RabbitMQ";
    "tjänsten dör, eller förbindelsen bryts, medan meddelanden tas in", "the daemon dies, or the connection breaks, while messages are taken" =>
        "Ett meddelande kvitteras först när det är sparat. Det som inte är kvitterat går tillbaka till sin plats i kön, och känns igen om det redan var sparat. En andra läsare släpps inte in (quorum-kö: `x-single-active-consumer`): ordningen är köns.",
        "A message is acknowledged only when it is stored. What is not goes back to its place in the queue, and is recognised if it was stored already. A second reader is not let in (quorum queue: `x-single-active-consumer`): the order is the queue's."; "process: amqp";
    "meddelandet går inte att läsa, är för stort eller avvisas", "the message cannot be read, is too large or is refused" =>
        "Orsakerna skickas som svar; först när servern har bekräftat det kvitteras meddelandet. De som kommer efter tas in.",
        "The reasons are sent as an answer; only when the server has confirmed that is the message acknowledged. Those behind it are taken."; "process: amqp";
    "samma meddelande kommer om och om igen", "the same message comes again and again" =>
        "Tjänsten kastar det aldrig. En gräns som är satt på kön (`delivery-limit`) är serverns egen: ställ den till -1, eller samla det som faller bort (dead letter).",
        "The daemon never throws it away. A limit that is set at the queue (`delivery-limit`) is the server's own: set it to -1, or collect what falls out (dead letter)."; "not tried: the server's own";
    "servern är nere", "the server is down" =>
        "En rad i driftloggen; nya försök med växande pauser, högst 30 s. Meddelanden och svar väntar.",
        "One line in the log; tried again with growing pauses, 30 s at most. Messages and answers wait."; "process: amqp";
};

const STORE_FILE: Part = part! { "Databas: SQLite", "Store: SQLite";
    "tjänsten dör (kill -9)", "the daemon dies (kill -9)" =>
        "Allt som är kvitterat finns kvar. Det som var på väg sänds igen med samma id när dess lån har gått ut.",
        "Everything acknowledged is there. What was on its way is sent again under the same id once its lease has ended."; "process: kills; sim";
    "strömmen går", "the power fails" =>
        "Detsamma, om disken håller vad den lovar: varje skrivning synkas innan den kvitteras (WAL, synchronous = FULL).",
        "The same, where the disk keeps its word: every write is synced before it is acknowledged (WAL, synchronous = FULL)."; "not tried: no power was cut";
    "en rad är skadad", "a row is damaged" =>
        "Den parkeras, och inget annat; `vardbro store check` visar den.", "It is parked, and nothing else; `vardbro store check` shows it."; "store; process: faults";
    "två tjänster startas på samma fil", "two daemons are started on one file" =>
        "Den andra startar inte.", "The second does not start."; "process: faults";
    "en säkerhetskopia återställs (`store backup`, `store restore`)", "a backup is restored (`store backup`, `store restore`)" =>
        "Det som mottagaren har tagit emot sänds aldrig igen: allt som kan ha gått efter kopian slås upp hos mottagaren (`lookup_url`) eller läggs åt sidan för en människa. Händelser efter kopian måste källan lämna igen.",
        "What the receiver has accepted is never sent again: all that may have left after the backup is looked up at the receiver (`lookup_url`) or set aside for a person. Events after the backup must be handed in again by the source."; "process: backups";
};

const STORE_SERVER: Part = part! { "Databas: PostgreSQL", "Store: PostgreSQL";
    "en replik dör, eller sover längre än sitt lån", "a replica dies, or sleeps past its lease" =>
        "En annan tar över när lånet har gått ut. Den som vaknar sent ändrar ingenting; det den redan höll på att sända kan komma fram två gånger, med samma id.",
        "Another takes over when the lease has ended. Who wakes late changes nothing; what it was already sending may arrive twice, under the same id."; "process: kills; store";
    "databasen startar om, svarar inte eller är långsam", "the database restarts, does not answer or is slow" =>
        "Ingenting kvitteras förrän det är sparat; arbetet går vidare när den svarar, på nya förbindelser.",
        "Nothing is acknowledged before it is stored; work goes on when it answers, over new connections."; "process: database";
    "flera repliker tar in samma ärende", "several replicas take in one episode" =>
        "En i taget; ordningen och numren i kön håller.", "One at a time; the order and the numbers of the lane hold."; "store; postgres";
    "strömmen går hos databasen", "the power fails at the database" =>
        "Allt kvitterat finns kvar om servern har `fsync` på, som från början; `synchronous_commit` begär tjänsten själv.",
        "Everything acknowledged is there where the server has `fsync` on, as it has by default; the daemon asks for `synchronous_commit` itself."; "not tried: no power was cut";
    "en säkerhetskopia återställs (`pg_restore`)", "a backup is restored (`pg_restore`)" =>
        "Detsamma som för en fil, om `vardbro store restore --in-place` körs innan någon tjänst startas.",
        "The same as for a file, if `vardbro store restore --in-place` is run before any daemon is started."; "process: backups";
};

const SEALING: Part = part! { "Databas: kryptering", "Store: encryption";
    "någon läser databasfilen, dess logg, en dump eller en säkerhetskopia", "somebody reads the database file, its log, a dump or a backup" =>
        "Inga personuppgifter står i klartext: händelser, ärenden, dokument, kvitton, källans filnamn och skäl är krypterade (AES-256-GCM-SIV). Tider, tillstånd, koder och nycklade referenser syns.",
        "No personal data stands in clear: events, episodes, documents, receipts, the source's file names and reasons are sealed (AES-256-GCM-SIV). Times, states, codes and keyed references show."; "process: privacy; store";
    "ett krypterat värde ändras eller flyttas till en annan rad eller kolumn", "a sealed value is changed, or moved to another row or column" =>
        "Det går inte att öppna. Raden är skadad och parkeras, inget annat; `vardbro store check` visar den.",
        "It does not open. The row is damaged and parked, and nothing else; `vardbro store check` shows it."; "store";
    "en nyckel saknas, är fel eller kan läsas av andra", "a key is missing, wrong or may be read by others" =>
        "Tjänsten startar inte. En replik som inte har fått den nya nyckeln skriver ingenting och parkerar ingenting.",
        "The daemon does not start. A replica that was not given the new key writes nothing and parks nothing."; "process: sealing; store";
    "nyckeln byts under drift (`store rekey`), och tjänsten eller kommandot dör", "the key is changed at work (`store rekey`), and the daemon or the command dies" =>
        "Allt läses som förut; den som börjar om fortsätter. När det är klart öppnas inget längre med den gamla nyckeln, utom säkerhetskopior från dess tid.",
        "Everything reads as before; whoever begins again goes on. When it is done nothing opens with the old key any more but backups of its time."; "process: sealing; store";
};

const DESTINATION: Part = part! { "Destination", "Destination";
    "mottagaren är nere eller stängd (anslutning, TLS, 401, 403, 404, 429, 3xx, 502-504)", "the receiver is down or closed (connection, TLS, 401, 403, 404, 429, 3xx, 502-504)" =>
        "Vägen stängs med ett larm. Inget meddelande förlorar ett försök; ett i taget prövar vägen, första minuten minst en gång i sekunden. När den öppnas går allt, i ordning.",
        "The route closes with one alarm. No message loses a try; one at a time probes it, at least once a second in the first minute. When it opens everything flows, in order."; "process: faults, certificates; sim";
    "svaret kommer bort", "the answer is lost" =>
        "Meddelandet sänds igen med samma id och samma innehåll. 409 räknas som mottaget bara om mottagaren visar vår kontrollsumma.",
        "The message is sent again under the same id with the same content. 409 counts as accepted only if the receiver shows our hash."; "process: receiver_faults; sim";
    "mottagaren tar emot nu och kvitterar senare (202)", "the receiver takes it now and sends its receipt later (202)" =>
        "Ärendets kö väntar till `receipt_deadline_h`; kvittot hämtas eller skickas hit. Det första kvittot gäller, även om det kommer efter parkering.",
        "The episode's lane waits until `receipt_deadline_h`; the receipt is asked for or sent here. The first receipt stands, also after parking."; "process: receipts; sim";
    "mottagaren avvisar (400, 405-422, kvitto med avslag)", "the receiver refuses (400, 405-422, a receipt that rejects)" =>
        "Slutligt: REJECTED med orsak till källan. Sänds aldrig igen och försvinner aldrig.", "Final: REJECTED with the reason to the source. Never sent again, never dropped."; "process: peers";
    "mottagaren felar (500, trasigt kvitto, fel meddelande)", "the receiver fails (500, a broken receipt, another message's)" =>
        "Sänds igen med växande pauser till `max_attempts` eller `max_age_h`, sedan parkerat med larm.",
        "Sent again with growing pauses up to `max_attempts` or `max_age_h`, then parked with an error line."; "process: receiver_faults; sim";
    "ordning", "order" =>
        "Inom ett ärende och en destination går inget om. Ett parkerat eller avvisat meddelande släpper fram nästa; mellan destinationer finns ingen ordning.",
        "Within an episode and a destination nothing overtakes. What is parked or rejected lets the next one pass; between destinations there is no order."; "process; sim; store";
};

const CLOCK: Part = part! { "Klockan", "The clock";
    "klockan hoppar", "the clock jumps" =>
        "Inget går förlorat eller om. Framåt: det som hålls tillbaka kan hinna bli för gammalt. Bakåt: det som var planerat för senare görs nu.",
        "Nothing is lost or overtakes. Forward: what is withheld may become too old. Back: what was planned for later is done now."; "process: host; sim";
};

const RETENTION: Part = part! { "Gallring", "Retention";
    "något blir gammalt", "something becomes old" =>
        "Det som är avslutat gallras efter `[retention]`, i små steg medan tjänsten arbetar, och utrymmet lämnas tillbaka. Det som är olevererat, väntar eller står under gallringsstopp rörs aldrig.",
        "What has ended is purged by `[retention]`, in small steps while the daemon works, and the room is given back. What is undelivered, waits or is under a legal hold is never touched."; "store; process: retention";
    "tjänsten dör mitt i en gallring", "the daemon dies in the middle of a purge" =>
        "Varje steg är helt eller inte gjort; nästa körning fortsätter och journalför det som redan har gått.",
        "Each step is whole or not done; the next run goes on, and tells the journal of what had gone."; "store";
    "en gallrad händelse kommer igen", "a purged event comes again" =>
        "Den känns igen i `tombstone_years`. Ändrat innehåll väntar på en människa; en ny händelse i ett gallrat ärende tas emot med en anmärkning.",
        "It is recognised for `tombstone_years`. Changed content waits for a person; a new event of a purged episode is taken with a remark."; "store";
};

const PARTS: &[&Part] = &[
    &SOURCE,
    &SOURCE_HTTP,
    &SOURCE_SQL,
    &SOURCE_NATS,
    &SOURCE_AMQP,
    &STORE_FILE,
    &STORE_SERVER,
    &SEALING,
    &DESTINATION,
    &RETENTION,
    &CLOCK,
];

/// A setting that weakens something, and how.
struct Weakness {
    applies: fn(&DestinationSettings) -> bool,
    setting: &'static str,
    means: (&'static str, &'static str),
}

const WEAKNESSES: &[Weakness] = &[
    Weakness {
        applies: |known| known.mode == Mode::Shadow,
        setting: "mode = \"shadow\"",
        means: ("ingenting sänds; meddelanden slutar som RESOLVED", "nothing is sent; messages end as RESOLVED"),
    },
    Weakness {
        applies: |known| known.receipt == Receipt::Http,
        setting: "receipt = \"http\"",
        means: (
            "varje 2xx räknas som mottaget, även från en mellanstation som inte har läst meddelandet",
            "every 2xx counts as accepted, also from something in between that has not read the message",
        ),
    },
    Weakness {
        applies: |known| known.lookup_url.is_none(),
        setting: "lookup_url –",
        means: (
            "efter ett förlorat svar sänds meddelandet igen utan att mottagaren frågas; att det inte blir två är mottagarens sak (samma id). Efter en återställning måste en människa fråga om det som är ovisst",
            "after a lost answer the message is sent again without asking; that it does not become two is up to the receiver (same id). After a restore a person must ask for what is in doubt",
        ),
    },
    Weakness {
        applies: |known| !known.url.is_https(),
        setting: "url = \"http://…\"",
        means: ("ingen kryptering; bara inom maskinen", "no encryption; within this machine only"),
    },
    Weakness {
        applies: |known| known.url.is_https() && known.cert_file.is_none(),
        setting: "cert_file –",
        means: ("mottagaren vet inte vem som sänder", "the receiver does not know who sends"),
    },
];

/// The page.
pub fn guarantees_page() -> String {
    let mut out = HEAD.to_owned();
    for part in PARTS {
        let _ = write!(out, "\n## {} · {}\n\n| Fault | What holds | Tried in |\n|---|---|---|\n", part.title.1, part.title.0);
        for Guarantee { fault, holds, tests } in part.guarantees {
            let _ = writeln!(out, "| {}<br>*{}* | {}<br>*{}* | {tests} |", fault.1, fault.0, holds.1, holds.0);
        }
    }
    out.push_str("\n## Settings that weaken it · Inställningar som försvagar\n\n| `[destination.NAME]` | What it means |\n|---|---|\n");
    for Weakness { setting, means, .. } in WEAKNESSES {
        let _ = writeln!(out, "| `{setting}` | {}<br>*{}* |", means.1, means.0);
    }
    for (setting, means) in [("done = \"delete\"", DELETED), ("answer_subject –, answer_queue –", UNANSWERED), ("tls = \"off\"", PLAIN)]
    {
        let _ = writeln!(out, "| `[source.NAME] {setting}` | {}<br>*{}* |", means.1, means.0);
    }
    let _ = writeln!(out, "| `[retention] on = false` | {}<br>*{}* |", KEPT.1, KEPT.0);
    let _ = writeln!(out, "| `[store] key_files –` | {}<br>*{}* |", UNSEALED.1, UNSEALED.0);
    out
}

const UNSEALED: (&str, &str) = (
    "personuppgifter står i klartext i databasen och dess säkerhetskopior",
    "personal data stands in clear in the database and its backups",
);
const KEPT: (&str, &str) = (
    "ingenting gallras av sig självt: databas och mappar växer, och innehåll sparas längre än det behövs",
    "nothing is purged by itself: database and folders grow, and content is kept longer than it is needed",
);
const UNWRITTEN: (&str, &str) = (
    "Ingenting skrivs i raderna: källsystemet får inte veta vad som blev av dem, och en rad som blir synlig senare än `overlap_s` tas först när allt läses igen.",
    "Nothing is written to the rows: the source's system does not hear what became of them, and a row that shows up later than `overlap_s` is taken only when everything is read again.",
);
const DELETED: (&str, &str) = (
    "en intagen fil finns bara i databasen; går den förlorad finns händelsen bara hos källan",
    "a file that was taken is in the store alone; is that lost, the event is at the source alone",
);

const UNANSWERED: (&str, &str) = (
    "ett meddelande som inte anger vart svar går får inget; avvisas det står det bara i driftloggen",
    "a message that does not say where answers go gets none; if it is refused, only the log tells",
);

const PLAIN: (&str, &str) = ("meddelanden kan gå okrypterade mellan maskiner", "messages may pass between machines without encryption");

const HEAD: &str = "\
# Guarantees · Garantier

Generated from `src/ops/guarantees.rs`; do not edit. `vardbro guarantees` prints the same for a configuration.

Every accepted event gets exactly one fate for each message that it gives rise to. Nothing is lost, nothing overtakes within an \
episode, nothing incomplete is delivered as complete. What was sent may be sent again, always under the same id with the same content.

*Varje mottagen händelse får exakt ett öde för varje meddelande den ger upphov till. Inget går förlorat, inget går om inom ett ärende, \
inget ofullständigt lämnas som fullständigt. Det som har sänts kan sändas igen, alltid med samma id och samma innehåll.*
";

/// What holds under a configuration, and what in it weakens that.
pub fn guarantees(settings: &Settings, swedish: bool) -> String {
    let pick = |texts: (&'static str, &'static str)| if swedish { texts.0 } else { texts.1 };
    let mut out = String::new();
    let mut part = |part: &Part, name: &str| {
        let _ = writeln!(out, "{}{name}", pick(part.title));
        for Guarantee { fault, holds, .. } in part.guarantees {
            let _ = writeln!(out, "  {}\n      {}", pick(*fault), pick(*holds));
        }
    };
    for source in &settings.sources {
        let known = match source.way {
            Way::Directory(_) => &SOURCE,
            Way::Http(_) => &SOURCE_HTTP,
            Way::Sql(_) => &SOURCE_SQL,
            Way::Nats(_) => &SOURCE_NATS,
            Way::Amqp(_) => &SOURCE_AMQP,
        };
        part(known, &format!(" [source.{}]", source.name));
    }
    part(if settings.store_url_file.is_some() { &STORE_SERVER } else { &STORE_FILE }, "");
    if !settings.store_key_files.is_empty() {
        part(&SEALING, "");
    }
    for known in &settings.destinations {
        part(&DESTINATION, &format!(" [destination.{}]", known.name));
    }
    part(&RETENTION, "");
    part(&CLOCK, "");
    let weak = weaknesses(settings, swedish);
    let title = pick(("Det här i konfigurationen försvagar", "This in the configuration weakens it"));
    let none = pick(("  Ingenting.", "  Nothing."));
    let _ = writeln!(out, "{title}\n{}", if weak.is_empty() { none.to_owned() } else { weak.join("\n") });
    out
}

fn weaknesses(settings: &Settings, swedish: bool) -> Vec<String> {
    let pick = |texts: (&'static str, &'static str)| if swedish { texts.0 } else { texts.1 };
    let mut out = Vec::new();
    if settings.store_key_files.is_empty() {
        out.push(format!("  store: key_files –\n      {}", pick(UNSEALED)));
    }
    if !settings.retention.on {
        out.push(format!("  retention: on = false\n      {}", pick(KEPT)));
    }
    for known in &settings.destinations {
        for weakness in WEAKNESSES.iter().filter(|weakness| (weakness.applies)(known)) {
            out.push(format!("  destination.{}: {}\n      {}", known.name, weakness.setting, pick(weakness.means)));
        }
    }
    for source in &settings.sources {
        let mut weak = |applies: bool, setting: &str, means| {
            if applies {
                out.push(format!("  source.{}: {setting}\n      {}", source.name, pick(means)));
            }
        };
        match &source.way {
            Way::Directory(directory) => weak(directory.done == Done::Delete, "done = \"delete\"", DELETED),
            Way::Http(_) => {}
            Way::Sql(sql) => weak(sql.written.is_none(), "status_column –", UNWRITTEN),
            Way::Nats(nats) => {
                weak(nats.answer_subject.is_none(), "answer_subject –", UNANSWERED);
                weak(nats.tls.plain, "tls = \"off\"", PLAIN);
            }
            Way::Amqp(amqp) => {
                weak(amqp.answer_queue.is_none(), "answer_queue –", UNANSWERED);
                weak(amqp.tls.plain, "tls = \"off\"", PLAIN);
            }
        }
    }
    out
}
