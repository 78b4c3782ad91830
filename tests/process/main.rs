//! The real program as real processes: killed, stopped, starved of its receiver, its database, its disk and its clock, and
//! told to stop and to reload.
//!
//! The tests with faults end in lines of figures; to see them: `cargo nextest run --test process --no-capture | grep '^figures'`.

#![expect(clippy::expect_used, reason = "a test that cannot set its stage has failed")]

#[path = "../support/postgres.rs"]
mod postgres;
mod alarms;
mod amqp;
#[path = "../support/hook.rs"]
mod hook;
#[path = "../support/described.rs"]
mod described;
#[path = "../support/outbox.rs"]
mod outbox;
mod audit;
mod backups;
mod certificates;
mod contract;
mod database;
mod doctor;
mod faults;
mod figures;
mod folder;
mod front;
mod gate;
mod host;
mod http;
mod kills;
mod mail;
mod mapping;
mod messages;
mod metrics;
mod nats;
mod parked;
mod peers;
mod privacy;
mod receipts;
mod receiver_faults;
mod retention;
mod sdk;
mod sealing;
mod sql;
mod world;
