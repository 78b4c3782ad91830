//! Where the lines go: a file that can be reopened, or standard error.

use super::{CodePlace, Event, Level, Line, Reason};
use crate::fault::Code;
use crate::model::time::Clock;
use std::fmt::Debug;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tracing::field::{Field, Visit};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// The open end of the log.
#[derive(Debug, Clone)]
pub struct Output(Arc<Mutex<Target>>);

#[derive(Debug)]
enum Target {
    Stderr,
    File {
        path: PathBuf,
        file: File,
    },
    /// Nothing is written: for commands that speak to a terminal.
    Nowhere,
}

impl Output {
    pub fn stderr() -> Self {
        Self(Arc::new(Mutex::new(Target::Stderr)))
    }

    pub fn nowhere() -> Self {
        Self(Arc::new(Mutex::new(Target::Nowhere)))
    }

    pub fn file(path: &Path) -> io::Result<Self> {
        Ok(Self(Arc::new(Mutex::new(Target::File { path: path.to_owned(), file: append(path)? }))))
    }

    /// Opens the file anew, after it was rotated away.
    pub fn reopen(&self) -> io::Result<()> {
        if let Target::File { path, file } = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            *file = append(path)?;
        }
        Ok(())
    }

    fn write(&self, line: &str) {
        let text = format!("{line}\n");
        // A log that cannot be written must not stop deliveries; the journal has the same lines.
        let _ = match &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Target::Stderr => io::stderr().write_all(text.as_bytes()),
            Target::File { file, .. } => file.write_all(text.as_bytes()),
            Target::Nowhere => Ok(()),
        };
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

/// Starts the log for the whole process. Only our own lines pass: what libraries say may hold anything.
pub fn start(output: &Output, level: Level) {
    let filter = match level {
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
    };
    let layer = Lines(output.clone()).with_filter(Targets::new().with_target("oplog", filter));
    // A second start in one process keeps the first.
    let _ = tracing_subscriber::registry().with(layer).try_init();
}

/// Lets a panic end in a line that tells where in our code, and never with what.
pub fn watch_panics(clock: Arc<dyn Clock>) {
    std::panic::set_hook(Box::new(move |info| {
        let mut line = Line::new(clock.now(), Level::Error, Event::Panic).code(Code::BugPanic);
        line.reason = Some(Reason::Word("panic"));
        line.place = info.location().map(CodePlace::from);
        line.emit();
    }));
}

struct Lines(Output);

impl<S: tracing::Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        struct Find<'a>(&'a Output);
        impl Visit for Find<'_> {
            fn record_str(&mut self, field: &Field, value: &str) {
                if field.name() == "line" {
                    self.0.write(value);
                }
            }
            fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
        }
        event.record(&mut Find(&self.0));
    }
}
