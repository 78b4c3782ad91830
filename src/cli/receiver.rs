//! `vardbro receiver`: the reference receiver as a program of its own.

use crate::fault::{Code, Fault};
use crate::model::time::{Clock as _, SystemClock};
use crate::oplog;
use crate::receiver::{Callback, Certificates, Options, Receiver, Script, ServerTls};
use clap::Args;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};

/// Reference receiver for tests and demonstrations; at /sdk/messages a message service of SDK's. / Referensmottagare för test och demonstration;
/// vid /sdk/messages en meddelandetjänst i SDK.
#[derive(Debug, Args)]
pub(super) struct ReceiverArgs {
    /// Address to listen on; port 0 takes a free one. / Adress att lyssna på; port 0 tar en ledig.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8443")]
    listen: SocketAddr,
    /// Folder for what is received. / Mapp för det som tas emot.
    #[arg(long, value_name = "D", required_unless_present = "make_certificates")]
    dir: Option<PathBuf>,
    /// Certificate chain in PEM; without it plain HTTP, on this machine only. / Certifikatkedja i PEM; utan den bara HTTP inom maskinen.
    #[arg(long, value_name = "F", requires = "key")]
    cert: Option<PathBuf>,
    /// The certificate's key. / Certifikatets nyckel.
    #[arg(long, value_name = "F", requires = "cert")]
    key: Option<PathBuf>,
    /// Issuers of clients; demands a client certificate. / Klienternas utfärdare; kräver klientcertifikat.
    #[arg(long, value_name = "F", requires = "cert")]
    client_ca: Option<PathBuf>,
    /// Answers to give, in order. / Svar att ge, i ordning.
    #[arg(long, value_name = "S.toml")]
    script: Option<PathBuf>,
    /// Send receipts that come later here; else they are to be asked for. / Skicka senare kvitton hit; annars får de hämtas.
    #[arg(long, value_name = "URL", requires = "callback_token")]
    callback: Option<String>,
    /// File with the secret for it. / Fil med hemligheten för det.
    #[arg(long, value_name = "F", requires = "callback")]
    callback_token: Option<PathBuf>,
    /// Issuers of its server in PEM; else the system's. / Utfärdare av dess server i PEM; annars systemets.
    #[arg(long, value_name = "F", requires = "callback")]
    callback_ca: Option<PathBuf>,
    /// Ask for a token at /sdk/messages, which /token gives for so many seconds. / Kräv en token vid /sdk/messages, som /token ger för så många sekunder.
    #[arg(long, value_name = "N")]
    token_s: Option<u32>,
    /// Make test certificates in this folder, and end unless --dir is there. / Gör testcertifikat i mappen, och sluta där utan --dir.
    #[arg(long, value_name = "DIR")]
    make_certificates: Option<PathBuf>,
}

/// Runs until it is interrupted or told to end.
pub(super) async fn run(args: ReceiverArgs) -> Result<(), Fault> {
    if let Some(dir) = &args.make_certificates {
        Certificates::make(dir, SystemClock.now())?;
    }
    let Some(dir) = args.dir else { return Ok(()) };
    let mut options = Options { listen: args.listen, token_s: args.token_s, ..Options::new(dir) };
    options.tls = args.cert.zip(args.key).map(|(cert, key)| ServerTls { cert, key, client_ca: args.client_ca });
    if let Some(path) = &args.script {
        options.script = Script::load(path)?;
    }
    if let Some((url, token)) = args.callback.zip(args.callback_token) {
        let issuers = args.callback_ca.as_deref().map(read).transpose()?;
        let token = String::from_utf8(read(&token)?).map_err(|_| Fault::with(Code::CfgFile, token.display().to_string()))?;
        options.callback = Some(Callback::new(&url, &token, issuers.as_deref())?);
    }
    let no_signal = |_| Fault::with(Code::BugPanic, "signal");
    let mut interrupt = signal(SignalKind::interrupt()).map_err(no_signal)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(no_signal)?;
    oplog::start(&oplog::Output::stderr(), oplog::Level::Info);
    oplog::watch_panics(Arc::new(SystemClock));
    let running = Receiver::start(options).await?;
    say(running.url().trim_end_matches('/'));
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    running.stop().await;
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, Fault> {
    std::fs::read(path).map_err(|fault| Fault::with(Code::CfgFile, format!("{} ({})", path.display(), fault.kind())))
}

#[expect(clippy::print_stdout, reason = "whoever started it wants to know where it listens")]
fn say(url: &str) {
    println!("listening on {url}");
}
