//! The list of codes.

use super::{Entry, Remedy};

macro_rules! codes {
    ($($variant:ident $id:literal $remedy:ident $since:literal { $sv:literal, $en:literal, $do_sv:literal, $do_en:literal })+) => {
        /// A stable code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $(#[doc = $en] $variant),+ }

        static LIST: &[Entry] = &[$(Entry {
            code: Code::$variant, id: $id, remedy: Remedy::$remedy, since: $since, sv: $sv, en: $en, do_sv: $do_sv, do_en: $do_en,
        }),+];

        impl Code {
            pub const ALL: &'static [Entry] = LIST;
        }
    };
}

codes! {
    CfgUnreadable "VB-CFG-001" Operator "0.1.0" {
        "Konfigurationsfilen kan inte läsas", "the configuration file cannot be read",
        "Kontrollera sökvägen och att tjänstens användare får läsa filen.", "Check the path, and that the service's user may read the file." }
    CfgSyntax "VB-CFG-002" Operator "0.1.0" {
        "Konfigurationsfilen är inte giltig TOML", "the configuration file is not valid TOML",
        "Rätta raden som pekas ut.", "Correct the line that is pointed at." }
    CfgUnknownKey "VB-CFG-003" Operator "0.1.0" {
        "Okänd nyckel i konfigurationen", "unknown key in the configuration",
        "Rätta stavningen; `vardbro config schema` listar alla nycklar.", "Correct the spelling; `vardbro config schema` lists every key." }
    CfgValue "VB-CFG-004" Operator "0.1.0" {
        "Ogiltigt värde i konfigurationen", "invalid value in the configuration",
        "Ge ett värde av det slag som anges; `docs/config.md` beskriver varje nyckel.", "Give a value of the kind that is named; `docs/config.md` describes every key." }
    CfgMissing "VB-CFG-005" Operator "0.1.0" {
        "En nödvändig nyckel saknas i konfigurationen", "a required key is missing in the configuration",
        "Lägg till nyckeln.", "Add the key." }
    CfgFile "VB-CFG-006" Operator "0.1.0" {
        "En fil eller mapp som konfigurationen pekar på kan inte användas", "a file or folder that the configuration names cannot be used",
        "Kontrollera att den finns och att tjänstens användare får läsa eller skriva den.", "Check that it exists and that the service's user may read or write it." }
    CfgCertificate "VB-CFG-007" Operator "0.1.0" {
        "Certifikat eller nyckel kan inte användas", "a certificate or key cannot be used",
        "Ge PEM-filer: certifikatkedja, privat nyckel som hör till den, och mottagarens utfärdare.", "Give PEM files: the certificate chain, the private key that belongs to it, and the receiver's issuer." }
    CfgRules "VB-CFG-008" Operator "0.1.0" {
        "Regelverket kan inte användas", "the set of rules cannot be used",
        "Rätta raden som pekas ut, eller välj ett regelverk som följer med.", "Correct the line that is pointed at, or choose a set that is shipped." }
    CfgRoute "VB-CFG-009" Operator "0.1.0" {
        "En väg pekar på en destination som inte finns", "a route names a destination that does not exist",
        "Rätta namnet eller lägg till `[destination.NAMN]`.", "Correct the name, or add `[destination.NAME]`." }
    CfgStore "VB-CFG-010" Operator "0.1.0" {
        "Databasen kan inte öppnas", "the store cannot be opened",
        "Kontrollera sökväg, rättigheter och diskutrymme; en annan process får inte ha den.", "Check path, permissions and disk space; no other daemon may have it." }
    CfgStoreVersion "VB-CFG-011" Operator "0.1.0" {
        "Databasen är skriven av en nyare version", "the store was written by a newer version",
        "Starta den version som skrev den, eller en nyare.", "Start the version that wrote it, or a newer one." }
    CfgDestinationGone "VB-CFG-012" Operator "0.1.0" {
        "Meddelanden väntar på en destination som inte längre finns eller bara är skugga", "messages wait for a destination that is gone or only a shadow",
        "Sätt tillbaka destinationen, med samma namn och mode = \"live\", tills de har gått.", "Put the destination back, under the same name and with mode = \"live\", until they have left." }
    CfgMapping "VB-CFG-013" Operator "0.1.0" {
        "Mappningen kan inte användas", "the mapping cannot be used",
        "Rätta raden som pekas ut; `vardbro map FIL --mapping M` visar vad mappningen gör.", "Correct the line that is pointed at; `vardbro map FILE --mapping M` shows what the mapping does." }
    CfgStoreKey "VB-CFG-014" Operator "0.1.0" {
        "En nyckelfil till databasen kan inte användas", "a key file of the store cannot be used",
        "Nyckeln är 64 hexadecimala siffror i en fil som bara tjänstens användare får läsa; `vardbro store new-key FIL` gör en. Är den borta: ta fram den ur sitt förvar, eller återställ databasen från en kopia vars nyckel finns.", "The key is 64 hexadecimal digits in a file that only the service's user may read; `vardbro store new-key FILE` makes one. If it is gone, fetch it from where it is kept, or restore the store from a backup whose key you have." }
    CfgStoreSealed "VB-CFG-015" Operator "0.1.0" {
        "Databasen är krypterad med en nyckel som inte är angiven", "the store is sealed with a key that is not given",
        "Ange nyckelns fil i `store.key_files` (i stället för en konfiguration: `--key-file`), och starta om tjänsten. Ingenting är förlorat; tills dess läses och skrivs ingenting.", "Name the key's file in `store.key_files` (without a configuration: `--key-file`), and start the daemon again. Nothing is lost; until then nothing is read and written." }
    CfgStoreUnsealed "VB-CFG-016" Operator "0.1.0" {
        "Nycklar är angivna men databasen är inte krypterad", "keys are given but the store is not sealed",
        "Med tjänsten stannad: `vardbro store rekey`. Så snart det har börjat kan tjänsten startas.", "With the daemon stopped: `vardbro store rekey`. As soon as that has begun, the daemon may be started." }

    SrcEmpty "VB-SRC-001" Sender "0.1.0" {
        "Filen är tom", "the file is empty",
        "Skicka händelsen igen. Skriv filen under ett annat namn och byt namn när den är klar.", "Send the event again. Write the file under another name and rename it when it is complete." }
    SrcTooLarge "VB-SRC-002" Sender "0.1.0" {
        "Filen är för stor", "the file is too large",
        "En händelse är ett par kilobyte. Lämna bilagor och ovidkommande innehåll utanför.", "An event is a few kilobytes. Leave out attachments and what does not belong." }
    SrcEncoding "VB-SRC-003" Sender "0.1.0" {
        "Filen är inte i den teckenkodning som är sagd", "the file is not in the encoding that was declared",
        "Ange rätt `encoding` i mappningen, eller exportera i UTF-8. UTF-16 läses inte.", "Say the right `encoding` in the mapping, or export in UTF-8. UTF-16 is not read." }
    SrcNotAFile "VB-SRC-004" Sender "0.1.0" {
        "Det som ligger i mappen är ingen vanlig fil", "what lies in the folder is not a regular file",
        "Lägg dit filen själv, inte en länk eller en kanal.", "Put the file itself there, not a link or a pipe." }
    SrcFileType "VB-SRC-005" Sender "0.1.0" {
        "Filtypen läses inte av den här versionen", "this version does not read that type of file",
        "Lämna en händelse per fil som JSON, med ändelsen .json.", "Give one event a file as JSON, with the ending .json." }
    SrcUnreadable "VB-SRC-006" Operator "0.1.0" {
        "Filen kan inte läsas", "the file cannot be read",
        "Ge tjänstens användare läsrätt.", "Let the service's user read it." }
    SrcFolder "VB-SRC-007" Operator "0.1.0" {
        "Källmappen kan inte användas", "the source folder cannot be used",
        "Skapa den, och ge tjänstens användare rätt att läsa, skriva och byta namn i den.", "Create it, and let the service's user read, write and rename in it." }
    SrcName "VB-SRC-008" Sender "0.1.0" {
        "Filens namn är inte i UTF-8 eller är för långt", "the file's name is not in UTF-8 or is too long",
        "Byt till ett namn på högst 200 tecken i UTF-8.", "Choose a name of at most 200 characters in UTF-8." }
    SrcDatabase "VB-SRC-009" Operator "0.1.0" {
        "Källans databas kan inte nås", "the source's database cannot be reached",
        "Kontrollera anslutningssträngen, nätet, certifikatet och att databasen går. Raderna ligger kvar och tas när den svarar.", "Check the connection string, the network, the certificate, and that the database runs. The rows stay and are taken when it answers." }
    SrcTable "VB-SRC-010" Operator "0.1.0" {
        "Källans tabell kan inte läsas", "the source's table cannot be read",
        "Tabellen och kolumnerna ska finnas under exakt de namn som konfigurationen anger, och användaren ska få läsa dem.", "The table and the columns must be there under exactly the names in the configuration, and the user must be allowed to read them." }
    SrcAnswer "VB-SRC-011" Operator "0.1.0" {
        "Svaret kan inte skrivas i källans rad", "the answer cannot be written to the source's row",
        "Användaren ska få ändra status- och svarskolumnen, och svarskolumnen ska rymma text utan gräns. En rad som är låst prövas igen.", "The user must be allowed to update the columns of status and answer, and the answer's must hold text without a limit. A locked row is tried again." }
    SrcRowKey "VB-SRC-012" Sender "0.1.0" {
        "Radens nyckel kan inte användas", "the row's key cannot be used",
        "Nyckeln ska vara ett tal eller en text på högst 200 byte i UTF-8, utan # och ~.", "The key must be a number or a text of at most 200 bytes in UTF-8, without # and ~." }
    SrcBroker "VB-SRC-015" Operator "0.1.0" {
        "Meddelandeservern svarar inte", "the message server does not answer",
        "Kontrollera adress, nät och certifikat. Källan försöker igen av sig själv; meddelandena väntar hos servern.", "Check address, network and certificates. The source tries again by itself; the messages wait at the server." }
    SrcLogin "VB-SRC-016" Operator "0.1.0" {
        "Uppgifterna till meddelandeservern går inte att använda", "the credentials for the message server cannot be used",
        "Kontrollera filerna med adress, uppgifter och nycklar, och att servern godtar dem.", "Check the files with address, credentials and keys, and that the server accepts them." }
    SrcQueue "VB-SRC-017" Operator "0.1.0" {
        "Strömmen eller kön finns inte eller får inte användas", "the stream or queue is not there or may not be used",
        "Skapa den, och ge tjänsten rätt att läsa den. En kö får inte ha andra läsare.", "Create it, and let the service read it. A queue must have no other readers." }
    SrcConsumer "VB-SRC-018" Operator "0.1.0" {
        "Konsumenten är inte ställd så att inget kan gå förlorat", "the consumer is not set so that nothing can be lost",
        "Den ska hämta (pull), kvittera varje meddelande (explicit), lämna ut utan gräns (max deliver -1), ha högst 10000 okvitterade och samma ämne som `subject`. Ta bort den, så skapas den rätt; det som redan är intaget känns igen.", "It shall pull, acknowledge each message (explicit), deliver without limit (max deliver -1), have at most 10000 unacknowledged and the same subject as `subject`. Delete it and it is made right; what was taken before is recognised." }
    SrcHeld "VB-SRC-019" Operator "0.1.0" {
        "En annan läsare håller meddelanden", "another reader holds messages",
        "Låt bara den här källan använda konsumenten. Meddelandena kommer hit när den andra släpper dem.", "Let this source alone use the consumer. The messages come here when the other one lets them go." }
    SrcReply "VB-SRC-020" Operator "0.1.0" {
        "Svar till källan kan inte lämnas", "answers to the source cannot be given",
        "Kontrollera att `answer_subject` hör till en ström, eller att `answer_queue` finns, och att tjänsten får skriva dit.", "Check that `answer_subject` belongs to a stream, or that `answer_queue` is there, and that the service may write to it." }
    SrcEcho "VB-SRC-021" Operator "0.1.0" {
        "Ett av tjänstens egna svar kom som en händelse", "one of the service's own answers came as an event",
        "Låt svaren gå till ett annat ämne eller en annan kö än händelserna.", "Let the answers go to another subject or queue than the events." }
    SrcRejected "VB-SRC-022" Sender "0.1.0" {
        "Posten kan inte tas emot", "the record cannot be taken",
        "Rätta det som anmärkningarna pekar ut och skicka den igen.", "Correct what the findings point at and send it again." }
    SrcToken "VB-SRC-023" Sender "0.1.0" {
        "Behörighet saknas", "not authorised",
        "Skicka källans nyckel i `Authorization: Bearer`.", "Send the source's token in `Authorization: Bearer`." }
    SrcRequest "VB-SRC-024" Sender "0.1.0" {
        "Begäran går inte att ta emot", "the request cannot be taken",
        "Skicka `POST /v1/events` eller `GET /v1/events/{system}:{eventId}` enligt `schemas/openapi.json`.", "Send `POST /v1/events` or `GET /v1/events/{system}:{eventId}` as `schemas/openapi.json` has it." }
    SrcMediaType "VB-SRC-025" Sender "0.1.0" {
        "Innehållet är inte av ett slag som källan lämnar", "the content is not of a kind that this source gives",
        "Ange `Content-Type`: JSON, NDJSON, XML eller CSV, det som källans mappning läser; utan komprimering.", "Give `Content-Type`: JSON, NDJSON, XML or CSV, whichever the source's mapping reads; not compressed." }
    SrcRate "VB-SRC-026" Retry "0.1.0" {
        "Begäranden kommer för tätt", "requests come too fast",
        "Vänta så länge som `Retry-After` säger och skicka samma begäran igen; skicka hellre flera poster i en.", "Wait as long as `Retry-After` says and send the same request again; rather send several records in one." }
    SrcBusy "VB-SRC-027" Retry "0.1.0" {
        "Posten kunde inte sparas nu", "the record could not be stored now",
        "Vänta så länge som `Retry-After` säger och skicka samma begäran igen; det som redan är sparat känns igen.", "Wait as long as `Retry-After` says and send the same request again; what is stored already is recognised." }
    SrcKeyReused "VB-SRC-028" Sender "0.1.0" {
        "Samma `Idempotency-Key` har använts för ett annat innehåll", "the same `Idempotency-Key` was used for another content",
        "Ge varje innehåll en egen nyckel; använd den igen bara när samma innehåll skickas om.", "Give each content a key of its own; use it again only when the same content is sent again." }
    SrcNoEvent "VB-SRC-029" Sender "0.1.0" {
        "Källan har inte lämnat någon sådan händelse", "the source has given no such event",
        "Kontrollera `system` och `eventId`; en händelse som avvisades finns inte.", "Check `system` and `eventId`; an event that was rejected does not exist." }

    MapSyntax "VB-MAP-001" Sender "0.1.0" {
        "Innehållet är inte giltig JSON", "the content is not valid JSON",
        "Rätta exporten på den plats som anges.", "Correct the export at the place that is given." }
    MapTruncated "VB-MAP-002" Sender "0.1.0" {
        "Filen tar slut mitt i", "the file ends in the middle",
        "Skicka händelsen igen. Skriv filen under ett annat namn och byt namn när den är klar.", "Send the event again. Write the file under another name and rename it when it is complete." }
    MapDepth "VB-MAP-003" Sender "0.1.0" {
        "Innehållet är nästlat för djupt", "the content is nested too deeply",
        "En händelse har högst ett par nivåer; rätta exporten.", "An event has a few levels at most; correct the export." }
    MapNotAnObject "VB-MAP-004" Sender "0.1.0" {
        "Filen ska innehålla ett enda JSON-objekt", "the file shall hold one single JSON object",
        "Lämna en händelse per fil.", "Give one event a file." }
    MapMissing "VB-MAP-005" Sender "0.1.0" {
        "Ett obligatoriskt fält saknas", "a required field is missing",
        "Fyll i fältet i källsystemet och skicka händelsen igen.", "Fill in the field in the source system and send the event again." }
    MapEmpty "VB-MAP-006" Sender "0.1.0" {
        "Ett fält är tomt", "a field is empty",
        "Fyll i fältet, eller utelämna det om det är frivilligt.", "Fill in the field, or leave it out if it is optional." }
    MapUnknownField "VB-MAP-007" Sender "0.1.0" {
        "Ett fält är okänt för den här typen", "a field is unknown for this type",
        "Rätta stavningen eller ta bort fältet; `docs/messages.md` listar fälten.", "Correct the spelling or remove the field; `docs/messages.md` lists the fields." }
    MapDuplicateField "VB-MAP-008" Sender "0.1.0" {
        "Ett fält förekommer två gånger", "a field stands twice",
        "Ta bort det ena.", "Remove one of them." }
    MapWrongKind "VB-MAP-009" Sender "0.1.0" {
        "Ett värde har fel slag", "a value is of the wrong kind",
        "Ge det slag av värde som anges.", "Give the kind of value that is named." }
    MapUnknownCode "VB-MAP-010" Sender "0.1.0" {
        "En kod är okänd", "a code is unknown",
        "Använd en av de koder som anges.", "Use one of the codes that are named." }
    MapNoZone "VB-MAP-011" Sender "0.1.0" {
        "En tidpunkt saknar tidszon", "an instant lacks its zone",
        "Skriv tidpunkten med förskjutning, till exempel +01:00 eller Z.", "Write the instant with its offset, for example +01:00 or Z." }
    MapInstant "VB-MAP-012" Sender "0.1.0" {
        "En tidpunkt är felskriven eller finns inte", "an instant is malformed or does not exist",
        "Skriv ÅÅÅÅ-MM-DDTtt:mm:ss med zon (RFC 3339).", "Write YYYY-MM-DDThh:mm:ss with zone (RFC 3339)." }
    MapDay "VB-MAP-013" Sender "0.1.0" {
        "Ett datum är felskrivet eller finns inte", "a date is malformed or does not exist",
        "Skriv ÅÅÅÅ-MM-DD.", "Write YYYY-MM-DD." }
    MapHsaId "VB-MAP-014" Sender "0.1.0" {
        "Ett HSA-id har fel form", "an HSA-id is malformed",
        "Skriv SE, tio siffror, bindestreck och högst 18 bokstäver (A-Z) och siffror.", "Write SE, ten digits, a hyphen and at most 18 letters (A-Z) and digits." }
    MapPhone "VB-MAP-015" Sender "0.1.0" {
        "Ett telefonnummer har fel form", "a telephone number is malformed",
        "Använd siffror, +, -, parenteser och blanksteg, högst 32 tecken.", "Use digits, +, -, brackets and blanks, 32 characters at most." }
    MapUuid "VB-MAP-016" Sender "0.1.0" {
        "Ett id är ingen UUID", "an id is not a UUID",
        "Skriv 36 tecken i formen 8-4-4-4-12.", "Write 36 characters in the form 8-4-4-4-12." }
    MapTooLong "VB-MAP-017" Sender "0.1.0" {
        "En text är för lång", "a text is too long",
        "Korta texten.", "Shorten the text." }
    MapTooMany "VB-MAP-018" Sender "0.1.0" {
        "En lista har för många poster", "a list has too many items",
        "Dela upp innehållet på flera händelser.", "Divide the content into several events." }
    MapTooFew "VB-MAP-019" Sender "0.1.0" {
        "En lista har för få poster", "a list has too few items",
        "Ge minst det antal som anges.", "Give at least the number that is named." }
    MapCharacter "VB-MAP-020" Sender "0.1.0" {
        "En text innehåller ett otillåtet styrtecken", "a text holds a forbidden control character",
        "Ta bort styrtecken; tabb och radbrytning är tillåtna.", "Remove control characters; tab and line feed are allowed." }
    MapPersonForm "VB-MAP-021" Sender "0.1.0" {
        "Patientens nummer har fel form", "the patient's number is malformed",
        "Skriv personnummer och samordningsnummer som ÅÅÅÅMMDDNNNN (bindestreck och kortform läses också), reservnummer i Västra Götaland som ÅÅÅÅMMDD följt av K, M eller X och tre siffror; i ett nationellt reservnummer förekommer inte bokstäverna I, O, Q, V och W. Numret ska vara av det slag som idType anger (PER-1).", "Write personal and coordination numbers as YYYYMMDDNNNN (the hyphen and the short form are read too), a reserve number of Västra Götaland as YYYYMMDD followed by K, M or X and three digits; a national reserve number has none of the letters I, O, Q, V and W. The number must be of the kind that idType names (PER-1)." }
    MapPersonDate "VB-MAP-022" Sender "0.1.0" {
        "Patientens nummer anger en dag som inte finns eller inte har kommit", "the patient's number names a day that does not exist or has not come",
        "Kontrollera numret mot folkbokföringen, ett reservnummer mot den som gav det (PER-1).", "Check the number against the population register, a reserve number with whoever gave it (PER-1)." }
    MapPersonKind "VB-MAP-023" Sender "0.1.0" {
        "Patientens nummer är inte av det slag som anges i idType", "the patient's number is not of the kind that idType names",
        "Ange samordningsnummer när dagen är 61-91, annars personnummer (PER-1).", "Name it samordningsnummer where the day is 61-91, else personnummer (PER-1)." }
    MapPersonCheckDigit "VB-MAP-024" Sender "0.1.0" {
        "Patientens nummer har fel kontrollsiffra", "the patient's number has a wrong check digit",
        "Kontrollera numret; ett tecken är felskrivet (PER-1).", "Check the number; a character is mistyped (PER-1)." }
    MapIdType "VB-MAP-025" Sender "0.1.0" {
        "Slaget av patientnummer läses inte av den här versionen", "this version does not read that kind of patient number",
        "Använd personnummer, samordningsnummer, nrid eller reservnummerVgr.", "Use personnummer, samordningsnummer, nrid or reservnummerVgr." }
    MapMore "VB-MAP-026" Sender "0.1.0" {
        "Det finns fler fel än så här många", "there are more faults than these",
        "Rätta exporten och pröva igen; resten visas då.", "Correct the export and try again; the rest will show then." }
    MapFuture "VB-MAP-027" Sender "0.1.0" {
        "Tidpunkten ligger mer än en dag framåt, men gäller något som har hänt", "the time lies more than a day ahead, yet tells of what has happened",
        "Rätta datumet, eller källsystemets klocka.", "Correct the date, or the source system's clock." }
    MapDoctype "VB-MAP-028" Sender "0.1.0" {
        "Dokumentet har en DTD", "the document has a document type declaration",
        "Skriv XML utan `<!DOCTYPE …>`; inga egna entiteter läses.", "Write XML without `<!DOCTYPE …>`; no entities of its own are read." }
    MapEntity "VB-MAP-029" Sender "0.1.0" {
        "Okänd entitet eller otillåtet tecken i XML", "unknown entity or forbidden character in XML",
        "Skriv tecknet självt, eller `&lt;` `&gt;` `&amp;` `&quot;` `&apos;` `&#nnn;`.", "Write the character itself, or `&lt;` `&gt;` `&amp;` `&quot;` `&apos;` `&#nnn;`." }
    MapColumns "VB-MAP-030" Sender "0.1.0" {
        "Raden har fel antal fält, eller två kolumner samma namn", "the row has the wrong number of fields, or two columns the same name",
        "Kontrollera avgränsare och citattecken på raden.", "Check delimiters and quotes in the row." }
    MapQuote "VB-MAP-031" Sender "0.1.0" {
        "Ett citattecken står där inget får stå", "a quote stands where none may",
        "Sätt hela fältet inom citattecken och dubbla dem som står i det.", "Put the whole field in quotes and double those within it." }
    MapConvert "VB-MAP-032" Sender "0.1.0" {
        "Värdet kan inte omvandlas", "the value cannot be converted",
        "Rätta värdet i källan, eller omvandlaren på mappningens rad.", "Correct the value in the source, or the converter on the mapping's line." }
    MapTable "VB-MAP-033" Sender "0.1.0" {
        "Koden finns inte i kodtabellen", "the code is not in the code table",
        "Lägg till koden i mappningens kodtabell, eller rätta den i källan.", "Add the code to the mapping's code table, or correct it in the source." }
    MapExpression "VB-MAP-034" Sender "0.1.0" {
        "Mappningens uttryck gick inte att räkna ut för posten", "the mapping's expression failed for the record",
        "Pröva med `vardbro map FIL --mapping M`; skriv uttrycket så att det tål att något saknas.", "Try it with `vardbro map FILE --mapping M`; write the expression so that it bears what is missing." }
    MapTooLarge "VB-MAP-035" Sender "0.1.0" {
        "Posten är för stor för mappningens uttryck", "the record is too large for the mapping's expression",
        "Använd en väg i stället för ett uttryck, eller färre listor i det.", "Use a path instead of an expression, or fewer lists in it." }
    MapNoBlock "VB-MAP-036" Sender "0.1.0" {
        "Ingen del av mappningen passar posten", "no part of the mapping fits the record",
        "Lägg till `[[event]]` för posten, eller `[[skip]]` om den ska förbigås.", "Add an `[[event]]` for the record, or a `[[skip]]` if it shall be passed over." }
    MapNumber "VB-MAP-037" Sender "0.1.0" {
        "Talet går inte att återge", "the number cannot be represented",
        "Skriv tal inom vad ett flyttal rymmer, eller som text.", "Write numbers within a double's range, or as text." }
    MapNoRecords "VB-MAP-038" Sender "0.1.0" {
        "Inga poster där mappningen söker dem", "no records where the mapping looks for them",
        "Rätta `records` (och `[namespaces]`) i mappningen, eller skicka den fil som den är till för.", "Correct `records` (and `[namespaces]`) in the mapping, or send the file that it is for." }
    MapSameId "VB-MAP-039" Sender "0.1.0" {
        "Två händelser ur en post har samma id", "two events of one record have the same id",
        "Ge dem olika `eventId` i mappningen, eller villkor som utesluter varandra.", "Give them different `eventId`s in the mapping, or conditions that exclude each other." }

    ChkUnknownItem "VB-CHK-001" Sender "0.1.0" {
        "Checklistan har ingen punkt med den koden", "the checklist has no item of that code",
        "Använd en kod ur regelverkets checklista; `vardbro rules show` listar dem.", "Use a code of the checklist in the rules; `vardbro rules show` lists them." }
    ChkEpisodeFull "VB-CHK-002" Operator "0.1.0" {
        "Ärendet har fler händelser än vad som ryms", "the case has more events than fit",
        "Kontrollera om källan sänder samma händelse under nya id.", "Check whether the source sends the same event under new ids." }
    ChkNoSentAt "VB-CHK-003" Sender "0.1.0" {
        "Det framgår inte när regionen sände meddelandet; händelsens egen tid används", "it is not said when the region sent the message; the event's own time is used",
        "Fyll i sentAt: lagens tider räknas från den.", "Fill in sentAt: the law's clocks run from it." }
    ChkDeadline "VB-CHK-006" Operator "0.1.0" {
        "Något i ärendet ska vara gjort snart eller skulle redan ha varit gjort", "something in the case is due soon or overdue",
        "Se ärendet med `vardbro episodes show`: där står vad, när och vem.", "Look at the case with `vardbro episodes show`: it says what, when and who." }
    ChkCancelsType "VB-CHK-007" Sender "0.1.0" {
        "Bara K-MK och R-MK återtar en annan händelse", "only K-MK and R-MK withdraw another event",
        "Sänd återtagandet som K-MK (kommunens) eller R-MK (regionens), med cancels eller refTo.", "Send the withdrawal as K-MK (the municipality's) or R-MK (the region's), with cancels or refTo." }
    ChkNoTarget "VB-CHK-008" Sender "0.1.0" {
        "Makuleringen säger inte vad den gäller", "the voiding does not say what it voids",
        "Fyll i cancels, refTo.eventId, refTo.messageId eller refTo.regionMessageId.", "Fill in cancels, refTo.eventId, refTo.messageId or refTo.regionMessageId." }
    ChkOtherType "VB-CHK-009" Sender "0.1.0" {
        "Rättelsen är av en annan typ än händelsen den rättar, eller rättar sig själv", "the correction is of another type than the event it corrects, or corrects itself",
        "En rättelse är fullständig och av samma typ. Är typen fel: makulera och sänd på nytt.", "A correction is complete and of the same type. If the type is wrong: void it and send anew." }
    ChkNothingLeft "VB-CHK-010" Sender "0.1.0" {
        "Det som makuleras hade inte lämnat oss; ingenting behövde sändas", "what is voided had not left; nothing had to be sent",
        "Ingenting behövs: meddelandet är återtaget.", "Nothing: the message is withdrawn." }
    ChkVoided "VB-CHK-011" Sender "0.1.0" {
        "Meddelandet makulerades innan det hade sänts", "the message was voided before it had been sent",
        "Ingenting behövs. Sänd en ny händelse om uppgiften ändå ska fram.", "Nothing. Send a new event if the information is to arrive after all." }
    ChkEpisodeEnded "VB-CHK-012" Sender "0.1.0" {
        "Ärendet avbröts eller makulerades innan meddelandet kunde sändas", "the case was broken off or voided before the message could be sent",
        "Ingenting behövs. Ring mottagaren om uppgiften ändå är viktig.", "Nothing. Telephone the receiver if the information matters all the same." }
    ChkReadyWithdrawn "VB-CHK-013" Sender "0.1.0" {
        "Utskrivningsklar återtogs innan beskedet om hemtagning hade sänts", "ready for discharge was withdrawn before the notice had been sent",
        "Sänd ett nytt besked när patienten är utskrivningsklar igen.", "Send a new notice once the patient is ready for discharge again." }
    ChkRequestLate "VB-CHK-014" Sender "0.1.0" {
        "Vårdbegäran kom hit senare än den ska efter avfärden", "the care request came later than it should after the departure",
        "Ring akuten eller avdelningen: patienten kan vara framme före meddelandet.", "Telephone the emergency department or the ward: the patient may be there before the message." }
    ChkConflict "VB-CHK-015" Sender "0.1.0" {
        "Ett meddelande som redan har sänts räknas inte längre, av det som senare blev känt", "a message that has been sent no longer counts, by what became known later",
        "Ta kontakt med mottagaren. Ska meddelandet bort: makulera det med K-MK.", "Contact the receiver. If the message is to go: void it with K-MK." }
    ChkAcute "VB-CHK-016" Sender "0.1.0" {
        "Begäran är akut: ett meddelande räcker inte", "the request is acute: a message is not enough",
        "Ring vårdcentralen först; meddelandet sänds ändå.", "Telephone the health centre first; the message is sent all the same." }

    ChkCorrected "VB-CHK-017" Sender "0.1.0" {
        "Händelsen var redan rättad när den kom", "the event had been corrected before it came",
        "Ingenting behövs: rättelsen gäller.", "Nothing: the correction holds." }
    ChkVoidsVoid "VB-CHK-018" Sender "0.1.0" {
        "En makulering kan inte själv makuleras", "a voiding cannot be voided itself",
        "Sänd uppgiften på nytt som en ny händelse.", "Send the information anew as a new event." }
    ChkOtherCase "VB-CHK-019" Sender "0.1.0" {
        "Händelsen hör till ett annat ärende i sin förra version", "the event belongs to another case in its version before",
        "Makulera händelsen i det gamla ärendet (K-MK eller R-MK) och sänd den under ett nytt id i det rätta.", "Void the event in the old case (K-MK or R-MK) and send it under a new id in the right one." }
    ChkNewer "VB-CHK-020" Sender "0.1.0" {
        "Ett senare besked om hemtagning har redan kommit", "a later take-home notice has come already",
        "Ingenting behövs: det senare beskedet gäller.", "Nothing: the later notice holds." }

    ChkTestPerson "VB-CHK-021" Sender "0.1.0" {
        "Patienten är en testperson, och det här är produktion", "the patient is a test person, and this is production",
        "Sänd testdata till testmiljön. Inget av händelsen har sparats.", "Send test data to the test environment. Nothing of the event has been stored." }
    ChkRealPerson "VB-CHK-022" Sender "0.1.0" {
        "Patienten är ingen testperson, och det här är en testmiljö", "the patient is no test person, and this is a test environment",
        "Använd en person ur listan i `test_persons_file`, och skriv de reservnummer som test använder i samma fil. Ta bort händelsen där den kom ifrån: den kan gälla en verklig person. Inget av den har sparats.", "Use a person of the list in `test_persons_file`, and write the reserve numbers that tests use into the same file. Remove the event where it came from: it may be about a real person. Nothing of it has been stored." }

    OpsNotHeld "VB-OPS-001" Operator "0.1.0" {
        "Meddelandet väntar inte på en människa", "the message is not held for a person",
        "Se vad som blev av det med `vardbro messages show`.", "See what became of it with `vardbro messages show`." }
    OpsNoRules "VB-OPS-002" Operator "0.1.0" {
        "Tjänsten har inget regelverk med det namnet", "the daemon has no set of rules of that name",
        "Lista dem med `vardbro rules list`; starta om tjänsten om regelverket är nytt.", "List them with `vardbro rules list`; restart the daemon if the set is new." }
    OpsStale "VB-OPS-003" Operator "0.1.0" {
        "Något har ändrats sedan planen gjordes", "something has changed since the plan was made",
        "Gör om planen och bekräfta den nya.", "Plan again and confirm the new one." }
    OpsDelivered "VB-OPS-004" Operator "0.1.0" {
        "Mottagaren har redan meddelandet", "the receiver has the message already",
        "Ska det ändå sändas en gång till: lägg till `--again`.", "If it is to be sent once more all the same: add `--again`." }
    OpsNotParked "VB-OPS-005" Operator "0.1.0" {
        "Meddelandet är varken parkerat eller avvisat", "the message is neither parked nor rejected",
        "Det som är i kö lämnar av sig självt; det som väntar på en människa släpps med `vardbro messages release`.", "What is in the queue leaves by itself; what is held leaves with `vardbro messages release`." }
    OpsNewer "VB-OPS-006" Operator "0.1.0" {
        "En nyare version, en rättelse eller ett senare besked har kommit", "a newer version, a correction or a later notice has come",
        "Sänd inte det gamla; avsluta det med `vardbro messages resolve --as superseded`.", "Do not send the old one; close it with `vardbro messages resolve --as superseded`." }
    OpsNoLonger "VB-OPS-007" Operator "0.1.0" {
        "Händelsen gäller inte längre: den är makulerad, ärendet är avbrutet eller senare uppgifter säger emot", "the event no longer holds: it is voided, its case is broken off, or later facts speak against it",
        "Se ärendet med `vardbro episodes show`; avsluta meddelandet med `vardbro messages resolve`.", "See the case with `vardbro episodes show`; close the message with `vardbro messages resolve`." }
    OpsNoDestination "VB-OPS-008" Operator "0.1.0" {
        "Destinationen finns inte i konfigurationen, eller är en skugga", "the destination is not in the configuration, or is a shadow",
        "Lägg tillbaka destinationen, eller avsluta meddelandet med `vardbro messages resolve`.", "Put the destination back, or close the message with `vardbro messages resolve`." }
    OpsProtected "VB-OPS-009" Operator "0.1.0" {
        "Meddelandet skrevs innan det blev känt att personen är skyddad, eller att ärendet kan gälla två personer", "the message was written before it was known that the person is protected, or that the case may be about two persons",
        "Ring mottagaren och avsluta det med `vardbro messages resolve --as phone`, eller sänd en ny version av händelsen.", "Telephone the receiver and close it with `vardbro messages resolve --as phone`, or send a new version of the event." }
    OpsInLane "VB-OPS-010" Operator "0.1.0" {
        "Meddelandet är i kö och kan ännu lämna, eller ha lämnat", "the message is in its lane and may still leave, or have left",
        "Vänta tills det är mottaget eller parkerat. Det som aldrig har kunnat sändas tas ur kön med `vardbro messages fallback-list --handled`.", "Wait until it is accepted or parked. What could never be sent is taken out of its lane with `vardbro messages fallback-list --handled`." }
    OpsEnded "VB-OPS-011" Operator "0.1.0" {
        "Meddelandet har redan fått sitt slut", "the message has come to its end already",
        "Ingenting; se `vardbro messages show`.", "Nothing; see `vardbro messages show`." }
    OpsResolved "VB-OPS-012" Operator "0.1.0" {
        "Avslutat för hand", "closed by hand",
        "Ingenting; meddelandet sänds inte.", "Nothing; the message is not sent." }

    OutNoRecipient "VB-OUT-001" Operator "0.1.0" {
        "Ingen mottagare är känd", "no recipient is known",
        "Ange `recipients` i händelsen, eller en `[[recipient]]` i konfigurationen.", "Name `recipients` in the event, or a `[[recipient]]` in the configuration." }
    OutNoRoute "VB-OUT-002" Operator "0.1.0" {
        "Ingen destination är vald för mottagaren", "no destination is chosen for the recipient",
        "Lägg till en `[[route]]` som passar mottagaren.", "Add a `[[route]]` that fits the recipient." }
    OutSchema "VB-OUT-003" Bug "0.1.0" {
        "Det skrivna dokumentet följer inte sitt schema och lämnar inte huset", "the written document does not follow its schema and does not leave",
        "Spara händelsen och anmäl felet; ingenting har skickats.", "Keep the event and report the fault; nothing was sent." }
    OutNotADocument "VB-OUT-004" Sender "0.1.0" {
        "Filen är varken ett meddelande eller ett kvitto, i vårt format eller i SDK:s", "the file is neither a message nor a receipt, of ours or of SDK's",
        "Kontrollera rotelement och namnrymd; schemana ligger i `schemas/`.", "Check root element and namespace; the schemas lie in `schemas/`." }
    OutContentHash "VB-OUT-005" Sender "0.1.0" {
        "Dokumentets kontrollsumma stämmer inte med innehållet", "the document's hash does not match its content",
        "Innehållet har ändrats efter att det skrevs; använd originalet.", "The content was changed after it was written; use the original." }
    OutInvalid "VB-OUT-006" Sender "0.1.0" {
        "Dokumentet följer inte sitt schema", "the document does not follow its schema",
        "Rätta det på den plats som anges; schemana ligger i `schemas/`.", "Correct it at the place that is given; the schemas lie in `schemas/`." }

    DlvConnect "VB-DLV-001" Retry "0.1.0" {
        "Mottagaren går inte att nå", "the receiver cannot be reached",
        "Ingenting; vägen prövas igen av sig själv. Varar det: kontrollera adress, brandvägg och mottagarens driftläge.", "Nothing; the route is tried again by itself. If it lasts: check address, firewall and the receiver's status." }
    DlvTls "VB-DLV-002" Operator "0.1.0" {
        "Mottagarens certifikat godtas inte", "the receiver's certificate is not trusted",
        "Kontrollera `ca_file`, att namnet i adressen står i certifikatet och att det inte har gått ut.", "Check `ca_file`, that the name in the address stands in the certificate, and that it has not run out." }
    DlvClientCertificate "VB-DLV-003" Operator "0.1.0" {
        "Mottagaren stängde efter handskakningen: vårt klientcertifikat avvisades eller saknas", "the receiver closed after the handshake: our client certificate was refused or is missing",
        "Kontrollera `cert_file` och `key_file`, och att mottagaren litar på utfärdaren. Efter byte: SIGHUP.", "Check `cert_file` and `key_file`, and that the receiver trusts the issuer. After a change: SIGHUP." }
    DlvAuth "VB-DLV-004" Operator "0.1.0" {
        "Mottagaren nekar oss åtkomst", "the receiver denies us access",
        "Kontrollera behörigheten hos mottagaren; meddelandena väntar.", "Check the authorisation at the receiver; the messages wait." }
    DlvRedirect "VB-DLV-005" Operator "0.1.0" {
        "Mottagaren hänvisar till en annan adress", "the receiver redirects to another address",
        "Rätta `url`; hänvisningar följs aldrig.", "Correct `url`; redirects are never followed." }
    DlvNotFound "VB-DLV-006" Operator "0.1.0" {
        "Adressen finns inte hos mottagaren", "the address does not exist at the receiver",
        "Rätta `url`.", "Correct `url`." }
    DlvBusy "VB-DLV-007" Retry "0.1.0" {
        "Mottagaren är upptagen eller nere", "the receiver is busy or down",
        "Ingenting; vägen prövas igen av sig själv.", "Nothing; the route is tried again by itself." }
    DlvLost "VB-DLV-008" Retry "0.1.0" {
        "Inget svar kom; mottagaren kan ha meddelandet", "no answer came; the receiver may have the message",
        "Ingenting; det sänds igen med samma id.", "Nothing; it is sent again under the same id." }
    DlvServerError "VB-DLV-009" Retry "0.1.0" {
        "Mottagaren fick ett internt fel", "the receiver failed internally",
        "Ingenting; det sänds igen med samma id.", "Nothing; it is sent again under the same id." }
    DlvReceipt "VB-DLV-010" Retry "0.1.0" {
        "Svaret är inget läsbart kvitto", "the answer is not a readable receipt",
        "Ingenting; det sänds igen med samma id. Varar det: låt mottagaren rätta sitt kvitto.", "Nothing; it is sent again under the same id. If it lasts: have the receiver correct its receipt." }
    DlvReceiptOther "VB-DLV-011" Retry "0.1.0" {
        "Kvittot gäller ett annat meddelande", "the receipt is for another message",
        "Ingenting; det sänds igen med samma id. Varar det: anmäl till mottagaren.", "Nothing; it is sent again under the same id. If it lasts: report it to the receiver." }
    DlvRejected "VB-DLV-012" Sender "0.1.0" {
        "Mottagaren avvisade meddelandet med kvitto", "the receiver rejected the message with a receipt",
        "Rätta det som kvittot anger och skicka en ny version av händelsen.", "Correct what the receipt names and send a new version of the event." }
    DlvRefused "VB-DLV-013" Sender "0.1.0" {
        "Mottagaren avvisade meddelandet utan kvitto", "the receiver rejected the message without a receipt",
        "Fråga mottagaren efter orsaken; meddelandet sänds inte igen.", "Ask the receiver for the reason; the message is not sent again." }
    DlvConflict "VB-DLV-014" Operator "0.1.0" {
        "Mottagaren säger att meddelandet redan finns, men visar inte att innehållet är detsamma", "the receiver says that the message exists, but does not show that the content is the same",
        "Jämför med mottagaren och sänd om eller avsluta för hand.", "Compare with the receiver and resend or close by hand." }
    DlvUnexpected "VB-DLV-015" Operator "0.1.0" {
        "Mottagaren svarade med en oväntad status", "the receiver answered with an unexpected status",
        "Fråga mottagaren vad statusen betyder.", "Ask the receiver what the status means." }
    DlvAttempts "VB-DLV-016" Operator "0.1.0" {
        "Alla försök är gjorda", "every attempt has been made",
        "Läs meddelandets historia med `vardbro messages show`, åtgärda och sänd om.", "Read the message's story with `vardbro messages show`, mend the cause and resend." }
    DlvAge "VB-DLV-017" Operator "0.1.0" {
        "Meddelandet blev för gammalt innan det kunde lämnas", "the message became too old before it could be delivered",
        "Meddela mottagaren på annat sätt, och sänd om eller avsluta för hand.", "Tell the receiver in another way, and resend or close by hand." }
    DlvReload "VB-DLV-018" Operator "0.1.0" {
        "Nya certifikat kunde inte läsas in; de gamla används", "new certificates could not be loaded; the old ones stay in use",
        "Rätta filerna och sänd SIGHUP igen.", "Correct the files and send SIGHUP again." }
    DlvReceiptOverdue "VB-DLV-019" Operator "0.1.0" {
        "Kvittot har inte kommit i tid", "the receipt did not come in time",
        "Fråga mottagaren; meddelandet kan ha kommit fram.", "Ask the receiver; the message may have arrived." }
    DlvRouteClosed "VB-DLV-020" Retry "0.1.0" {
        "Vägen till en destination är stängd", "the route to a destination is closed",
        "Ingenting; en prövning i taget görs tills den öppnas. Orsaken står bredvid.", "Nothing; it is probed one at a time until it opens. The cause stands beside." }
    DlvParked "VB-DLV-021" Operator "0.1.0" {
        "Ett meddelande är parkerat", "a message is parked",
        "Läs dess historia med `vardbro messages show`.", "Read its story with `vardbro messages show`." }
    DlvCorrupt "VB-DLV-022" Operator "0.1.0" {
        "Det lagrade dokumentet är skadat och skickas inte", "the stored document is damaged and is not sent",
        "Återställ databasen från en säkerhetskopia, eller sänd händelsen igen från källan.", "Restore the store from a backup, or send the event again from the source." }
    DlvLookUp "VB-DLV-023" Retry "0.1.0" {
        "Det gick inte att fråga mottagaren om meddelandet har kommit fram", "the receiver could not be asked whether the message has arrived",
        "Ingenting; det frågas igen innan något sänds. Varar det: kontrollera `lookup_url`.", "Nothing; it is asked again before anything is sent. If it lasts: check `lookup_url`." }
    DlvContradicted "VB-DLV-024" Operator "0.1.0" {
        "Mottagaren har skickat ett kvitto som säger emot det första; det första gäller", "the receiver has sent a receipt that contradicts the first; the first stands",
        "Fråga mottagaren vilket som är rätt; är det det senare, sänd en ny version av händelsen.", "Ask the receiver which is right; if it is the later one, send a new version of the event." }
    DlvUndelivered "VB-DLV-025" Operator "0.1.0" {
        "Meddelandetjänsten har gett upp att leverera meddelandet", "the message service has given up delivering the message",
        "Fråga meddelandetjänsten, och mottagaren om det kan ha kommit fram; sänd sedan om eller avsluta för hand.", "Ask the message service, and the receiver whether it may have arrived; then resend or close by hand." }
    DlvUnfit "VB-DLV-026" Operator "0.1.0" {
        "Meddelandet är för stort för destinationens format och har inte skickats", "the message is too large for the destination's wire and was not sent",
        "Meddela mottagaren på annat sätt; dela upp händelsen i källsystemet.", "Tell the receiver in another way; split the event in the source system." }

    RcvUnreadable "VB-RCV-001" Sender "0.1.0" {
        "Det som skickades är inget kvitto som går att läsa", "what was sent is not a readable receipt",
        "Skicka ett kvitto enligt `schemas/vardbro-receipt-1.xsd`.", "Send a receipt that follows `schemas/vardbro-receipt-1.xsd`." }
    RcvUnknown "VB-RCV-002" Sender "0.1.0" {
        "Inget meddelande med detta id har gått till er", "no message with this id has gone to you",
        "Kontrollera `messageId`; kvitton tas bara emot för meddelanden som har sänts.", "Check `messageId`; receipts are taken only for messages that have been sent." }
    RcvOtherContent "VB-RCV-003" Sender "0.1.0" {
        "Kvittot gäller ett annat innehåll än det som sändes", "the receipt is for another content than was sent",
        "Kontrollera `contentHash`, och att kvittot hör till meddelandet.", "Check `contentHash`, and that the receipt belongs to the message." }
    RcvToken "VB-RCV-004" Sender "0.1.0" {
        "Behörighet saknas", "not authorised",
        "Skicka den nyckel som kommunen har lämnat ut, i `Authorization: Bearer`.", "Send the token that the municipality has handed out, in `Authorization: Bearer`." }
    RcvBusy "VB-RCV-005" Retry "0.1.0" {
        "Kvittot kunde inte sparas", "the receipt could not be stored",
        "Skicka det igen om en stund.", "Send it again in a while." }
    RcvRequest "VB-RCV-006" Sender "0.1.0" {
        "Begäran går inte att ta emot", "the request cannot be taken",
        "Skicka `POST /v1/receipts` med ett kvitto på högst 64 kB.", "Send `POST /v1/receipts` with a receipt of at most 64 kB." }

    StoWrite "VB-STO-001" Operator "0.1.0" {
        "Filen kunde inte skrivas", "the file could not be written",
        "Kontrollera utrymme och rättigheter; det som var påbörjat är borttaget.", "Check space and permissions; what had been begun is removed." }
    StoExists "VB-STO-002" Operator "0.1.0" {
        "Det finns redan en fil med det namnet", "there is a file of that name already",
        "Välj ett annat namn; ingenting skrivs över.", "Choose another name; nothing is overwritten." }
    StoServer "VB-STO-003" Operator "0.1.0" {
        "PostgreSQL säkerhetskopieras med sina egna verktyg", "PostgreSQL is backed up by its own tools",
        "Kör kommandot ovan, eller `pg_basebackup` för hela servern. Efter återställningen, innan någon tjänst startas: `vardbro store restore --in-place`.", "Run the command above, or `pg_basebackup` for the whole server. After restoring, before any daemon is started: `vardbro store restore --in-place`." }
    StoNoBackup "VB-STO-004" Operator "0.1.0" {
        "Filen är ingen säkerhetskopia, eller är skadad", "the file is no backup, or is damaged",
        "Ta en annan kopia; databasen är orörd.", "Take another backup; the store is untouched." }
    StoNewer "VB-STO-005" Operator "0.1.0" {
        "Säkerhetskopian är skriven av en nyare version", "the backup was written by a newer version",
        "Återställ den med den version som skrev den, eller en nyare.", "Restore it with the version that wrote it, or a newer one." }
    StoInUse "VB-STO-006" Operator "0.1.0" {
        "En tjänst har databasen", "a daemon has the store",
        "Stanna tjänsten, alla repliker av den och kommandon som läser, och gör om.", "Stop the daemon, all replicas of it and commands that read, and try again." }
    StoDoubt "VB-STO-007" Operator "0.1.0" {
        "Mottagaren kan ha fått meddelandet före återställningen, och går inte att fråga", "the receiver may have got the message before the restore, and cannot be asked",
        "Fråga mottagaren efter meddelandets id. Finns det inte där: sänd om; annars: avsluta för hand.", "Ask the receiver for the message's id. If it is not there, send it again; else close it by hand." }
    StoDoubts "VB-STO-008" Operator "0.1.0" {
        "Sedan en återställning är det ovisst om meddelanden har kommit fram", "since a restore it is unknown whether some messages have arrived",
        "Det frågas efter dem där det går; de andra: `vardbro messages list --code VB-STO-007`.", "They are asked for where that is possible; the others: `vardbro messages list --code VB-STO-007`." }
    StoUnopened "VB-STO-009" Operator "0.1.0" {
        "Krypterade värden i databasen går inte att öppna: de är skadade eller flyttade", "sealed values of the store do not open: they are damaged, or were moved",
        "`vardbro store check` visar vilka rader; hämta dem ur en säkerhetskopia.", "`vardbro store check` names the rows; fetch them from a backup." }
    StoDaemonKey "VB-STO-010" Operator "0.1.0" {
        "Tjänsten som har databasen saknar den nya nyckeln", "the daemon that has the store was not given the new key",
        "Starta om tjänsten med samma `store.key_files` som här, och gör om; ingenting är ändrat.", "Start the daemon again with the same `store.key_files` as here, and try again; nothing is changed." }
    RetPurged "VB-RET-001" Operator "0.1.0" {
        "Innehållet är gallrat", "the content has been purged",
        "Det finns i källsystemet; ska det sändas, skicka det därifrån som en ny händelse. `vardbro hold set` stoppar gallringen av ett ärende i förväg.", "It is in the source's system; if it is to be sent, send it from there as a new event. `vardbro hold set` keeps an episode beforehand." }
    RetHistory "VB-RET-002" Sender "0.1.0" {
        "Ärendets tidigare händelser är gallrade", "the earlier events of the episode have been purged",
        "Händelsen är mottagen, men kontrolleras bara mot det som kommer från och med nu. En ny version av en gallrad händelse väntar på en människa.", "The event is taken, but checked only against what comes from now on. A new version of a purged event waits for a person." }
    RetNoHold "VB-RET-003" Operator "0.1.0" {
        "Det finns inget gallringsstopp med det numret, eller det är redan hävt", "there is no legal hold of that number, or it has been lifted",
        "`vardbro hold list` visar dem som gäller.", "`vardbro hold list` shows those that stand." }
    FixExpectation "VB-FIX-001" Operator "0.1.0" {
        "Berättelsen slutar inte som `expect.toml` säger", "the story does not end as `expect.toml` says",
        "`vardbro check --show-values MAPP` visar raderna. Är det som det ska: `vardbro check --update MAPP` skriver `expect.toml` och `out/` på nytt; granska ändringen.", "`vardbro check --show-values DIR` shows the lines. If it is as it should be, `vardbro check --update DIR` writes `expect.toml` and `out/` anew; review the change." }
    FixDocument "VB-FIX-002" Operator "0.1.0" {
        "Dokumentet är inte det som ligger i `out/`", "the document is not the one that lies in `out/`",
        "`vardbro check --show-values MAPP` visar raderna. Är det som det ska: `vardbro check --update MAPP` skriver `expect.toml` och `out/` på nytt; granska ändringen.", "`vardbro check --show-values DIR` shows the lines. If it is as it should be, `vardbro check --update DIR` writes `expect.toml` and `out/` anew; review the change." }
    FixNotSent "VB-FIX-003" Operator "0.1.0" {
        "Ett väntat dokument kom aldrig till mottagaren", "an expected document never came to the receiver",
        "`vardbro check --show-values MAPP` visar hur berättelsen slutade. Är det som det ska: `vardbro check --update MAPP` skriver `expect.toml` och `out/` på nytt.", "`vardbro check --show-values DIR` shows how the story ended. If it is as it should be, `vardbro check --update DIR` writes `expect.toml` and `out/` anew." }
    FixNotExpected "VB-FIX-004" Operator "0.1.0" {
        "Ett dokument kom till mottagaren som ingen väntade", "a document came to the receiver that nobody expected",
        "`vardbro check --show-values MAPP` visar det. Är det som det ska: `vardbro check --update MAPP` skriver `expect.toml` och `out/` på nytt.", "`vardbro check --show-values DIR` shows it. If it is as it should be, `vardbro check --update DIR` writes `expect.toml` and `out/` anew." }
    FixCase "VB-FIX-005" Operator "0.1.0" {
        "Berättelsen går inte att läsa", "the story cannot be read",
        "Rätta raden som pekas ut i `case.toml`, eller filerna i `in/`; `fixtures/README.md` beskriver dem.", "Correct the line that is pointed at in `case.toml`, or the files in `in/`; `fixtures/README.md` describes them." }
    FixStuck "VB-FIX-006" Operator "0.1.0" {
        "Berättelsen går inte att spela vidare", "the story cannot be played on",
        "Ändra steget i `case.toml` som pekas ut, eller det som ska ha hänt före det.", "Change the step in `case.toml` that is pointed at, or what must have happened before it." }
    FixPerson "VB-FIX-007" Operator "0.1.0" {
        "Det som väntas av berättelsen skulle nämna en patients nummer", "what is expected of the story would name a patient's number",
        "Ge filer och ärenden namn utan personnummer. Kommer numret inte därifrån: anmäl felet.", "Give files and cases names without personal numbers. If the number does not come from there, report the fault." }
    FixExpect "VB-FIX-010" Operator "0.1.0" {
        "Mappens expect.toml kan inte läsas", "the folder's expect.toml cannot be read",
        "Rätta den där platsen pekar: `mapping`, och för varje `[[file]]` `name`, `findings` och `events`. `vardbro check --update` skriver en som stämmer.", "Correct it at the place: `mapping`, and for each `[[file]]` `name`, `findings` and `events`. `vardbro check --update` writes one that holds." }
    FixUnmet "VB-FIX-011" Operator "0.1.0" {
        "En väntad anmärkning kom inte", "an expected finding did not come",
        "Rätta filen så att felet finns i den, eller stryk raden. `vardbro check --update` skriver det som kom.", "Correct the file so that the fault is in it, or strike the line. `vardbro check --update` writes what came." }
    FixAbsent "VB-FIX-012" Operator "0.1.0" {
        "Filen som expect.toml namnger finns inte", "the file that expect.toml names is not there",
        "Lägg dit den, eller stryk dess `[[file]]`.", "Put it there, or strike its `[[file]]`." }
    FixEvents "VB-FIX-013" Operator "0.1.0" {
        "Filen ger andra händelser än de väntade", "the file gives other events than the expected ones",
        "Jämför med `vardbro map FIL --mapping M --show-values`. Är det rätt nu skriver `vardbro check --update` händelserna på nytt.", "Compare with `vardbro map FILE --mapping M --show-values`. If it is right now, `vardbro check --update` writes the events anew." }
    FixMapping "VB-FIX-014" Operator "0.1.0" {
        "Mappningen som expect.toml namnger kan inte användas", "the mapping that expect.toml names cannot be used",
        "`vardbro map --mapping M` säger vad som är fel i den. En fil har en punkt i namnet och nämns från mappen.", "`vardbro map --mapping M` says what is wrong with it. A file has a dot in its name and is named from the folder." }
    FixUsage "VB-FIX-015" Operator "0.1.0" {
        "Ett val på kommandoraden går inte att använda", "an option of the command line cannot be used",
        "`vardbro check --help` visar vad den kan vara.", "`vardbro check --help` shows what it can be." }
    FixCoverage "VB-FIX-016" Operator "0.1.0" {
        "Filerna når för lite av det som finns", "the files reach too little of what there is",
        "`vardbro check --coverage` visar vad ingen fil når. `vardbro new fixture TYP` ger en början.", "`vardbro check --coverage` shows what no file reaches. `vardbro new fixture TYPE` gives a beginning." }

    FixNoMapping "VB-FIX-017" Operator "0.1.0" {
        "En CSV-fil läses bara med en mappning", "a CSV file is read by a mapping only",
        "Ange `--mapping M`, eller `mapping` i mappens expect.toml. `vardbro new mapping --from FIL` ger ett utkast.", "Say `--mapping M`, or `mapping` in the folder's expect.toml. `vardbro new mapping --from FILE` gives a draft." }
    FixNothing "VB-FIX-018" Operator "0.1.0" {
        "Det finns inget att kontrollera", "there is nothing to check",
        "Kontrollera sökvägarna, `--glob` och det som ignoreras (.gitignore, .ignore, .vardbroignore).", "Check the paths, `--glob`, and what is ignored (.gitignore, .ignore, .vardbroignore)." }
    FixPath "VB-FIX-019" Operator "0.1.0" {
        "En fil eller mapp på kommandoraden går inte att använda", "a file or folder of the command line cannot be used",
        "Kontrollera stavningen och rättigheterna. Det som skapas får inte finnas redan, och mappen det läggs i måste finnas.", "Check the spelling and the permissions. What is made must not be there already, and the folder that it goes into must be." }

    AlmPending "VB-ALM-001" Operator "0.1.0" {
        "Meddelanden har väntat länge i kön", "messages have waited long in the queue",
        "Se varför med `vardbro messages list --state SCHEDULED` och `--state SCHEDULED_FOR_RESEND`. Brådskar det: `vardbro messages fallback-list`.", "See why with `vardbro messages list --state SCHEDULED` and `--state SCHEDULED_FOR_RESEND`. If it is urgent: `vardbro messages fallback-list`." }
    AlmParked "VB-ALM-002" Operator "0.1.0" {
        "Meddelanden är parkerade och sänds inte av sig själva", "messages are parked and not sent by themselves",
        "`vardbro messages list --state PARKED` visar dem och varför. Åtgärda orsaken och sänd om (`vardbro messages resend`), eller avsluta för hand (`vardbro messages resolve`).", "`vardbro messages list --state PARKED` shows them and why. Mend the cause and send them again (`vardbro messages resend`), or close them by hand (`vardbro messages resolve`)." }
    AlmReceipts "VB-ALM-003" Operator "0.1.0" {
        "Kvitton har inte kommit i tid", "receipts have not come in time",
        "`vardbro messages list --code VB-DLV-019` visar meddelandena. Fråga mottagaren om den har dem; sänd om eller avsluta för hand.", "`vardbro messages list --code VB-DLV-019` shows the messages. Ask the receiver whether it has them; send them again or close them by hand." }
    AlmRefused "VB-ALM-004" Sender "0.1.0" {
        "Våra regler har stoppat meddelanden", "our rules have refused messages",
        "`vardbro messages list --state REFUSED` visar dem med regeln; den som svarar för källan rättar och lämnar händelsen igen. Larmet går över när inget har stoppats på `alarms.refused_h`.", "`vardbro messages list --state REFUSED` shows them with the rule; whoever answers for the source corrects the event and hands it in again. The alarm ends when nothing has been refused for `alarms.refused_h`." }
    AlmSilent "VB-ALM-005" Operator "0.1.0" {
        "Källan har varit tyst länge", "the source has been silent for long",
        "Kontrollera att källsystemets export går och når hit. Ska den vara tyst så länge: höj `silent_h`.", "Check that the source system's export runs and gets here. If it may be silent for so long, raise `silent_h`." }
    AlmCertificate "VB-ALM-006" Operator "0.1.0" {
        "Ett certifikat upphör snart, eller har upphört", "a certificate ends soon, or has ended",
        "Beställ ett nytt, lägg det på plats med sin nyckel och kör `systemctl reload vardbro`.", "Order a new one, put it in place with its key, and run `systemctl reload vardbro`." }
    AlmDisk "VB-ALM-007" Operator "0.1.0" {
        "Disken med databasen börjar bli full", "the disk of the store is filling up",
        "Frigör plats, eller flytta databasen till en större disk, innan tjänsten inte längre är redo.", "Make room, or move the store to a larger disk, before the service is no longer ready." }
    AlmClock "VB-ALM-008" Operator "0.1.0" {
        "Klockan här och mottagarens skiljer sig", "the clock here and the receiver's differ",
        "Kontrollera tidssynkroniseringen här (`timedatectl`). Är den rätt: säg det till mottagaren.", "Check that this machine keeps the time (`timedatectl`). If it does, tell the receiver." }
    AlmOutput "VB-ALM-009" Operator "0.1.0" {
        "Larm eller mejl når inte fram", "notices of alarms, or mails, do not get through",
        "Kontrollera `alarms.webhook_url` och dess mottagare, `alarms.command`, eller `[mail]` (docs/mail.md); raden `notice.failed` eller `mail.failed` i driftloggen säger varför. `vardbro alarms list` visar vad som är öppet.", "Check `alarms.webhook_url` and its receiver, `alarms.command`, or `[mail]` (docs/mail.md); the line `notice.failed` or `mail.failed` of the operations log says why. `vardbro alarms list` shows what is open." }
    AlmDropped "VB-ALM-010" Operator "0.1.0" {
        "Ett larm kunde inte sägas på ett dygn, eller avvisades", "a notice could not be given within a day, or was refused",
        "`vardbro alarms list` visar vad som är öppet. Åtgärda utgången; senare larm sägs igen av sig själva.", "`vardbro alarms list` shows what is open. Mend the way out; later notices are given by themselves." }
    AlmMailDropped "VB-ALM-011" Operator "0.1.0" {
        "Mejl kunde inte sändas på ett dygn", "mails could not be sent within a day",
        "Kontrollera `[mail]` och e-postservern; `vardbro messages list` visar vad som är stoppat. Senare mejl går av sig själva.", "Check `[mail]` and the mail server; `vardbro messages list` shows what is stopped. Later mails go by themselves." }

    AudUnwritten "VB-AUD-001" Operator "0.1.0" {
        "Åtkomstloggen kan inte skrivas, så inget visades", "the audit log cannot be written, so nothing was shown",
        "Kör kommandot som tjänstens användare, på en databas som går att skriva till; kontrollera disk och rättigheter.", "Run the command as the service's user, on a store that can be written; check disk and permissions." }
    AudBroken "VB-AUD-002" Operator "0.1.0" {
        "Åtkomstloggen håller inte ihop", "the audit log does not hold together",
        "Skriv inget mer i databasen för hand. Jämför med säkerhetskopior och antecknade ankare (docs/audit.md), och anmäl enligt er incidentrutin.", "Write nothing more into the store by hand. Compare with backups and with anchors that were noted (docs/audit.md), and report it as your incident routine says." }
    AudRequest "VB-AUD-003" Operator "0.1.0" {
        "Det går inte att läsa vad som frågas efter", "what is asked for cannot be read",
        "Ett ankare är `NUMMER:KOD` med minst 24 siffror i koden; en referens är 24 hexadecimala siffror; ett personnummer ges på standard in.", "An anchor is `NUMBER:CODE` with 24 digits of the code at least; a reference is 24 hexadecimal digits; a patient's number is given on standard input." }

    HltStore "VB-HLT-001" Operator "0.1.0" {
        "Databasen går inte att skriva till", "the store cannot be written",
        "Kontrollera disken och rättigheterna, eller att databasservern svarar. Det som väntar tas emot och sänds när den går att skriva till igen.", "Check the disk and the permissions, or that the database server answers. What waits is taken in and sent once it can be written again." }
    HltDisk "VB-HLT-002" Operator "0.1.0" {
        "Disken med databasen är nästan full", "the disk of the store is almost full",
        "Frigör plats, eller flytta databasen till en större disk. Gränsen är `metrics.disk_free_mb`.", "Make room, or move the store to a larger disk. The limit is `metrics.disk_free_mb`." }
    HltStopping "VB-HLT-003" Retry "0.1.0" {
        "Tjänsten håller på att stanna", "the service is stopping",
        "Inget: den avslutar det som pågår.", "Nothing: it finishes what is in flight." }
    HltIntake "VB-HLT-004" Bug "0.1.0" {
        "Mottagningen har upphört att arbeta", "intake has ceased to work",
        "Starta om tjänsten. Inget är förlorat. Skicka driftloggen till utvecklarna.", "Restart the service. Nothing is lost. Send the operations log to the developers." }
    HltRequest "VB-HLT-005" Sender "0.1.0" {
        "Här finns bara mätvärden och hälsa", "there are only figures and health here",
        "Fråga med `GET` efter `/metrics`, `/health/live`, `/health/ready` eller `/health`.", "Ask with `GET` for `/metrics`, `/health/live`, `/health/ready` or `/health`." }

    DocEnds "VB-DOC-001" Operator "0.1.0" {
        "Ett certifikat upphör snart", "a certificate ends soon",
        "Beställ ett nytt, lägg det i filens ställe och skicka SIGHUP till tjänsten (`systemctl reload vardbro`).", "Order a new one, put it in the file's place, and send the daemon SIGHUP (`systemctl reload vardbro`)." }
    DocEnded "VB-DOC-002" Operator "0.1.0" {
        "Ett certifikat gäller inte nu", "a certificate is not valid now",
        "Lägg ett som gäller i filens ställe och skicka SIGHUP till tjänsten. Meddelandena väntar så länge.", "Put a valid one in the file's place, and send the daemon SIGHUP. The messages wait until then." }
    DocPair "VB-DOC-003" Operator "0.1.0" {
        "Certifikat och nyckel hör inte ihop", "certificate and key do not belong together",
        "Ange nyckeln som certifikatet beställdes med, och certifikatet först i sin fil.", "Give the key that the certificate was ordered with, and the certificate first in its file." }
    DocChain "VB-DOC-004" Operator "0.1.0" {
        "Certifikatets kedja är inte hel", "the certificate's chain has a gap",
        "Lägg certifikaten i ordning i filen: vårt eget, sedan utfärdarens, sedan dennes. Annars kan mottagaren avvisa oss.", "Put the certificates in order in the file: our own, then its issuer's, then that one's. A receiver may refuse us otherwise." }
    DocOthers "VB-DOC-005" Operator "0.1.0" {
        "Andra på maskinen får läsa eller ändra", "others on this machine may read or change it",
        "Ge rättigheten bara till tjänstens användare (filer 0600, mappar 0750 med verksamhetssystemets grupp).", "Give the permission to the daemon's user alone (files 0600, folders 0750 with the care system's group)." }
    DocAccess "VB-DOC-006" Operator "0.1.0" {
        "Användaren får inte göra vad tjänsten måste", "this user may not do what the daemon must",
        "Ge tjänstens användare rätt att läsa, och där tjänsten skriver också att skriva. Kör `vardbro doctor` som den användaren.", "Let the daemon's user read it, and write where the daemon writes. Run `vardbro doctor` as that user." }
    DocRoot "VB-DOC-007" Operator "0.1.0" {
        "Undersökningen görs som root", "the examination runs as root",
        "Kör den som tjänstens användare: `runuser -u vardbro -- vardbro doctor`.", "Run it as the daemon's user: `runuser -u vardbro -- vardbro doctor`." }
    DocClock "VB-DOC-008" Operator "0.1.0" {
        "Klockan går inte som mottagarens", "the clock differs from the receiver's",
        "Kontrollera tidssynkroniseringen (`timedatectl`). Lagens tidsgränser räknas efter den här klockan.", "Check the time synchronisation (`timedatectl`). The law's time limits are counted by this clock." }
    DocPlain "VB-DOC-009" Operator "0.1.0" {
        "Personuppgifter ligger i klartext i databasen", "personal data stand in the clear in the store",
        "Gör en nyckel (`vardbro store new-key`), ange den i `store.key_files` och kryptera med `vardbro store rekey`.", "Make a key (`vardbro store new-key`), name it in `store.key_files`, and seal with `vardbro store rekey`." }
    DocNoStore "VB-DOC-010" Operator "0.1.0" {
        "Databasen finns inte än", "there is no store yet",
        "Ingenting, om tjänsten aldrig har varit igång här; den görs vid första starten. Annars: kontrollera `store.path`.", "Nothing, if the daemon has never run here; it is made at the first start. Else check `store.path`." }
    DocServer "VB-DOC-011" Operator "0.1.0" {
        "En server som tjänsten använder svarar inte", "a server that the daemon uses does not answer",
        "Kontrollera adress, brandvägg och serverns driftläge. Tjänsten försöker igen av sig själv; det som väntar går då.", "Check address, firewall and the server's status. The daemon tries again by itself; what waits goes on then." }
    DocWaits "VB-DOC-012" Operator "0.1.0" {
        "Meddelanden väntar på en människa", "messages wait for a person",
        "Se dem med `vardbro messages list --state PARKED` (eller HELD); sänd om, släpp eller avsluta dem.", "See them with `vardbro messages list --state PARKED` (or HELD); send them again, release or close them." }
    DocQueue "VB-DOC-013" Operator "0.1.0" {
        "Kön står", "the queue does not move",
        "Är tjänsten igång? Är vägen öppen? `vardbro log` säger vad som hände sist.", "Is the daemon running? Is the way open? `vardbro log` tells what happened last." }

    BugPanic "VB-BUG-001" Bug "0.1.0" {
        "Ett internt fel", "an internal fault",
        "Spara loggen och anmäl felet; meddelandet är kvar.", "Keep the log and report the fault; the message is still there." }
    BugStore "VB-BUG-002" Operator "0.1.0" {
        "Databasen svarade med ett fel", "the store answered with a fault",
        "Kontrollera diskutrymme och filsystem; ingenting kvitteras förrän det är sparat.", "Check disk space and file system; nothing is acknowledged until it is stored." }
}
