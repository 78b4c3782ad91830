//! `vardbro demo`: the receiver and the daemon as they are, on a stage of their own, playing the stories of
//! `fixtures/demo`. Shows what happens as it happens, and fails where anything ends otherwise than the story says.

mod script;
mod watch;

use super::{Ending, run, say};
use crate::config::{self, Settings};
use crate::daemon::{self, Order, Surroundings};
use crate::fault::{Code, Fault};
use crate::model::dice::SystemDice;
use crate::model::time::{Clock, SystemClock};
use crate::oplog;
use crate::receiver::{self, Certificates, Options, Receiver, Running, ServerTls};
use crate::store::StoreKey;
use clap::Args;
use script::Script;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use watch::Watch;

#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Leave it running afterwards, until Ctrl-C
    #[arg(long)]
    keep: bool,
}

/// So that a person can follow.
const BETWEEN_FILES: Duration = Duration::from_millis(350);
/// For the whole play.
const PATIENCE: Duration = Duration::from_mins(1);

pub(super) fn run(arguments: &DemoArgs, swedish: bool) -> Result<Ending, Ending> {
    let script = Script::shipped()?;
    let stage = Stage::build()?;
    run::runtime()?.block_on(play(&stage, &script, arguments.keep, swedish))
}

/// The folder with everything in it. It stays afterwards, to be looked at.
struct Stage {
    folder: PathBuf,
    certificates: Certificates,
}

impl Stage {
    fn build() -> Result<Self, Ending> {
        let folder = tempfile::Builder::new().prefix("vardbro-demo-").tempdir().map_err(|fault| unusable(&std::env::temp_dir(), &fault))?;
        let folder = folder.keep();
        fs::create_dir_all(folder.join("in")).map_err(|fault| unusable(&folder, &fault))?;
        let certificates = Certificates::make(&folder, SystemClock.now())?;
        Ok(Self { folder, certificates })
    }

    fn settings(&self, port: u16) -> Result<Settings, Ending> {
        let text = format!(
            "environment = \"test\"\n\n[organisation]\norg_number = \"2120001538\"\nhsa_id = \"SE2120001538-T100\"\nname = \"Demokommunen\"\n\n\
             [source.journal]\nkind = \"directory\"\npath = \"in\"\nstill_s = 0\n\n\
             [destination.region]\nurl = \"https://localhost:{port}/messages\"\nca_file = \"ca.pem\"\ncert_file = \"client.pem\"\nkey_file = \"client.key\"\ntimeout_s = 5\n\n\
             [oplog]\npath = \"oplog.ndjson\"\nlevel = \"debug\"\n\n[retry]\nbase_s = 0.5\n\n[store]\nkey_files = [\"store.key\"]\n"
        );
        let text = text
            .replace("\"ca.pem\"", &quoted(&self.certificates.ca))
            .replace("\"client.pem\"", &quoted(&self.certificates.client_cert))
            .replace("\"client.key\"", &quoted(&self.certificates.client_key));
        StoreKey::make(&self.folder.join("store.key"), &SystemDice)?;
        let file = self.folder.join("vardbro.toml");
        fs::write(&file, text).map_err(|fault| unusable(&file, &fault))?;
        config::load(Some(&file), Vec::new()).map_err(Ending::Faults)
    }

    async fn receiver(&self, script: &Script) -> Result<Running, Ending> {
        let tls = ServerTls {
            cert: self.certificates.server_cert.clone(),
            key: self.certificates.server_key.clone(),
            client_ca: Some(self.certificates.ca.clone()),
        };
        let options = Options {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            tls: Some(tls),
            script: receiver::Script::parse(&script.answers(), "demo.toml")?,
            ..Options::new(self.folder.join("receiver"))
        };
        Ok(Receiver::start(options).await?)
    }

    /// Renamed in, as an export should.
    fn put(&self, name: &str, content: &str) -> Result<(), Ending> {
        let beside = self.folder.join("in").join(format!("{name}.tmp"));
        let done = fs::write(&beside, content).and_then(|()| fs::rename(&beside, self.folder.join("in").join(name)));
        done.map_err(|fault| unusable(&beside, &fault))
    }
}

async fn play(stage: &Stage, script: &Script, keep: bool, swedish: bool) -> Result<Ending, Ending> {
    let receiver = stage.receiver(script).await?;
    let settings = stage.settings(receiver.addr.port())?;
    let log = oplog::Output::file(&stage.folder.join("oplog.ndjson")).map_err(|fault| unusable(&stage.folder, &fault))?;
    oplog::start(&log, oplog::Level::Debug);
    let (orders, heard) = mpsc::channel(1);
    let (tell_ready, ready) = oneshot::channel();
    let surroundings = Surroundings { clock: Arc::new(SystemClock), dice: Arc::new(SystemDice), log, orders: heard };
    let of_daemon = settings.clone();
    let daemon = tokio::spawn(async move {
        daemon::run(&of_daemon, surroundings, || {
            let _ = tell_ready.send(());
        })
        .await
    });
    if ready.await.is_err() {
        return match daemon.await {
            Ok(Err(faults)) => Err(Ending::Faults(faults)),
            _ => Err(Ending::Internal(Fault::new(Code::BugPanic))),
        };
    }
    say(&opening(&stage.folder, receiver.addr.port(), swedish));
    let store = daemon::store(&settings)?;
    let mut watch = Watch::new(store, script, stage.folder.clone(), swedish);
    for event in &script.events {
        say(&watch.announce(event));
        stage.put(&event.file, event.content)?;
        tokio::time::sleep(BETWEEN_FILES).await;
        watch.look()?;
    }
    let until = tokio::time::Instant::now() + PATIENCE;
    while !watch.is_over()? && tokio::time::Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(100)).await;
        watch.look()?;
    }
    let (summary, as_told) = watch.summary()?;
    say(&summary);
    if keep {
        say(if swedish { "\nKör vidare. Ctrl-C avslutar.\n" } else { "\nStill running. Ctrl-C ends it.\n" });
        let _ = tokio::signal::ctrl_c().await;
    }
    let _ = orders.send(Order::Stop).await;
    let _ = daemon.await;
    receiver.stop().await;
    Ok(if as_told { Ending::Clean } else { Ending::Findings })
}

fn opening(folder: &Path, port: u16, swedish: bool) -> String {
    let folder = folder.display();
    if swedish {
        format!(
            "Vårdbro, en förevisning. Påhittade namn, Skatteverkets testnummer.\n\n  mottagare   https://localhost:{port}  (TLS, kräver klientcertifikat)\n  källmapp    {folder}/in\n  logg        {folder}/oplog.ndjson\n"
        )
    } else {
        format!(
            "Vårdbro, a demonstration. Invented names, the Tax Agency's test numbers.\n\n  receiver   https://localhost:{port}  (TLS, demands a client certificate)\n  source     {folder}/in\n  log        {folder}/oplog.ndjson\n"
        )
    }
}

/// A path as a TOML string.
fn quoted(path: &Path) -> String {
    toml::Value::String(path.display().to_string()).to_string()
}

fn unusable(path: &Path, fault: &std::io::Error) -> Ending {
    Fault::with(Code::CfgFile, format!("{} ({})", path.display(), fault.kind())).into()
}
