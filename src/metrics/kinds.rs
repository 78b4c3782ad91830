//! The kinds of figures. Each knows the names of its labels, so that a value cannot stand without one.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::time::Duration;

/// A figure, as the page and the tests know it.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// As it is registered; a counter's samples have `_total` after it.
    pub name: &'static str,
    pub kind: Kind,
    pub labels: &'static [&'static str],
    pub en: &'static str,
    pub sv: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

impl Entry {
    /// The name that queries use.
    pub fn shown(&self) -> String {
        if self.kind == Kind::Counter { format!("{}_total", self.name) } else { self.name.to_owned() }
    }
}

/// Bounds of durations, in seconds: a commit takes milliseconds, an attempt may take minutes.
const SECONDS: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0];
/// Bounds of how many there are of something.
const NUMBERS: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

type Labels<const N: usize> = [(&'static str, String); N];

fn labels<const N: usize>(names: &[&'static str; N], of: [&str; N]) -> Labels<N> {
    let mut values = of.into_iter();
    names.map(|name| (name, values.next().unwrap_or_default().to_owned()))
}

/// Numbers that only grow.
#[derive(Debug, Clone)]
pub struct Counts<const N: usize> {
    family: Family<Labels<N>, Counter>,
    names: [&'static str; N],
}

impl<const N: usize> Counts<N> {
    pub(super) const KIND: Kind = Kind::Counter;

    pub(super) fn new(registry: &mut Registry, name: &str, help: &str, names: [&'static str; N]) -> Self {
        let family = Family::default();
        registry.register(name, help, family.clone());
        Self { family, names }
    }

    pub fn count(&self, of: [&str; N]) {
        self.family.get_or_create(&labels(&self.names, of)).inc();
    }

    pub fn add(&self, of: [&str; N], more: u64) {
        self.family.get_or_create(&labels(&self.names, of)).inc_by(more);
    }

    /// From nought, so that the first one is seen as a rise.
    pub fn start(&self, of: [&str; N]) {
        drop(self.family.get_or_create(&labels(&self.names, of)));
    }
}

/// Numbers that stand now.
#[derive(Debug, Clone)]
pub struct Levels<const N: usize> {
    family: Family<Labels<N>, Gauge>,
    names: [&'static str; N],
}

impl<const N: usize> Levels<N> {
    pub(super) const KIND: Kind = Kind::Gauge;

    pub(super) fn new(registry: &mut Registry, name: &str, help: &str, names: [&'static str; N]) -> Self {
        let family = Family::default();
        registry.register(name, help, family.clone());
        Self { family, names }
    }

    pub fn set(&self, of: [&str; N], value: i64) {
        self.family.get_or_create(&labels(&self.names, of)).set(value);
    }

    /// What stands, if it is known.
    pub fn get(&self, of: [&str; N]) -> Option<i64> {
        self.family.get(&labels(&self.names, of)).map(|gauge| gauge.get())
    }

    /// Nothing is known.
    pub fn clear(&self) {
        self.family.clear();
    }
}

/// How long something took.
#[derive(Debug, Clone)]
pub struct Durations<const N: usize>(Spread<N>);

impl<const N: usize> Durations<N> {
    pub(super) const KIND: Kind = Kind::Histogram;

    pub(super) fn new(registry: &mut Registry, name: &str, help: &str, names: [&'static str; N]) -> Self {
        Self(Spread::new(registry, name, help, names, || Histogram::new(SECONDS)))
    }

    pub fn took(&self, of: [&str; N], time: Duration) {
        self.0.observe(of, time.as_secs_f64());
    }
}

/// How many there were of something.
#[derive(Debug, Clone)]
pub struct Sizes<const N: usize>(Spread<N>);

impl<const N: usize> Sizes<N> {
    pub(super) const KIND: Kind = Kind::Histogram;

    pub(super) fn new(registry: &mut Registry, name: &str, help: &str, names: [&'static str; N]) -> Self {
        Self(Spread::new(registry, name, help, names, || Histogram::new(NUMBERS)))
    }

    pub fn were(&self, of: [&str; N], count: usize) {
        self.0.observe(of, u32::try_from(count).map_or(f64::INFINITY, f64::from));
    }
}

#[derive(Debug, Clone)]
struct Spread<const N: usize> {
    family: Family<Labels<N>, Histogram, fn() -> Histogram>,
    names: [&'static str; N],
}

impl<const N: usize> Spread<N> {
    fn new(registry: &mut Registry, name: &str, help: &str, names: [&'static str; N], make: fn() -> Histogram) -> Self {
        let family = Family::new_with_constructor(make);
        registry.register(name, help, family.clone());
        Self { family, names }
    }

    fn observe(&self, of: [&str; N], value: f64) {
        self.family.get_or_create(&labels(&self.names, of)).observe(value);
    }
}
