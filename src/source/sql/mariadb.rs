//! MariaDB and MySQL.

use super::link::{ANSWER_MAX, CONNECT_MAX, Column, Db, Failure, Io, Kind, LOCK_MAX, Value};
use crate::config::SqlSettings;
use crate::fault::{Code, Fault};
use crate::trust;
use mysql_async::consts::ColumnType;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, Opts, OptsBuilder, Params, SslOpts, Value as Theirs};

/// The number by which the protocol calls the charset of bytes.
const BINARY: u16 = 63;
/// What the server says when it ends a connection: shut down, killed.
const ENDING: [u16; 4] = [1053, 1317, 1927, 3169];

pub(super) struct MariaDb {
    conn: Conn,
    io: Io,
}

/// Read anew at every connection: a new password needs no restart.
fn opts(settings: &SqlSettings) -> Option<Opts> {
    let text = std::fs::read_to_string(&settings.place).ok()?;
    let text = text.trim();
    let text = text.strip_prefix("mariadb://").map_or_else(|| text.to_owned(), |rest| format!("mysql://{rest}"));
    let opts = Opts::from_url(&text).ok()?;
    let tls = match (text.contains("require_ssl=false"), opts.ssl_opts()) {
        (true, _) => false,
        (false, Some(_)) => true,
        (false, None) => !trust::is_here(opts.ip_or_hostname()),
    };
    // What the string says of certificates is not listened to: they are checked.
    let ssl = tls.then(|| {
        let issuers = trust::issuers(settings.ca_file.as_deref(), "ca_file").ok()?;
        let issuers = issuers.into_iter().map(|issuer| issuer.to_vec().into()).collect();
        Some(SslOpts::default().with_root_certs(issuers).with_disable_built_in_roots(true))
    });
    let ssl = match ssl {
        Some(None) => return None,
        ssl => ssl.flatten(),
    };
    let setup = vec![
        // Nobody reads what is not committed; nobody waits for a lock for ever; a connection that is lost gives its
        // locks back (MariaDB alone knows how); what does not fit is refused, not cut.
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED".to_owned(),
        format!(
            "SET SESSION /*M! idle_transaction_timeout = 10, */ autocommit = 1, time_zone = '+00:00', innodb_lock_wait_timeout = {}, sql_mode = CONCAT(@@sql_mode, ',STRICT_TRANS_TABLES')",
            LOCK_MAX.as_secs()
        ),
    ];
    Some(OptsBuilder::from_opts(opts).ssl_opts(ssl).prefer_socket(false).setup(setup).into())
}

pub(super) fn check(settings: &SqlSettings) -> Result<(), Fault> {
    settings.ca_file.as_deref().map_or(Ok(()), |ca_file| trust::issuers(Some(ca_file), "source.NAME.ca_file").map(drop))?;
    opts(settings).map(drop).ok_or_else(|| Fault::with(Code::SrcDatabase, settings.place.display().to_string()))
}

pub(super) fn connect(settings: &SqlSettings) -> Result<MariaDb, Failure> {
    let opts = opts(settings).ok_or(Failure::Lost)?;
    let io = Io::new()?;
    // Whatever the database says against a connection, there is none.
    let conn = io.wait(CONNECT_MAX, async { Conn::new(opts).await.map_err(|_| Failure::Lost) })?;
    Ok(MariaDb { conn, io })
}

impl Db for MariaDb {
    fn columns(&mut self, table: &str) -> Result<Vec<Column>, Failure> {
        let sql = format!("SELECT * FROM {table}");
        let statement = self.io.wait(ANSWER_MAX, async { self.conn.prep(sql).await.map_err(failure) })?;
        let column = |column: &mysql_async::Column| Column {
            name: column.name_str().into_owned(),
            kind: kind(column.column_type(), column.character_set()),
        };
        Ok(statement.columns().iter().map(column).collect())
    }

    fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Vec<Value>>, Failure> {
        let values = params(values);
        let rows: Vec<mysql_async::Row> = self.io.wait(ANSWER_MAX, async { self.conn.exec(sql, values).await.map_err(failure) })?;
        Ok(rows.into_iter().map(|row| row.unwrap().into_iter().map(read).collect()).collect())
    }

    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<(), Failure> {
        let values = params(values);
        self.io.wait(ANSWER_MAX, async { self.conn.exec_drop(sql, values).await.map_err(failure) })
    }

    fn control(&mut self, sql: &str) -> Result<(), Failure> {
        self.io.wait(ANSWER_MAX, async { self.conn.query_drop(sql).await.map_err(failure) })
    }
}

fn kind(known: ColumnType, charset: u16) -> Kind {
    use ColumnType as C;
    match known {
        C::MYSQL_TYPE_TINY | C::MYSQL_TYPE_SHORT | C::MYSQL_TYPE_INT24 | C::MYSQL_TYPE_LONG | C::MYSQL_TYPE_LONGLONG => Kind::Whole,
        C::MYSQL_TYPE_TIMESTAMP => Kind::Utc,
        C::MYSQL_TYPE_BLOB | C::MYSQL_TYPE_STRING | C::MYSQL_TYPE_VAR_STRING if charset == BINARY => Kind::Bytes,
        _ => Kind::Plain,
    }
}

fn params(values: &[Value]) -> Params {
    if values.is_empty() { Params::Empty } else { Params::Positional(values.iter().map(given).collect()) }
}

fn given(value: &Value) -> Theirs {
    match value {
        Value::Null => Theirs::NULL,
        Value::Int(number) => Theirs::Int(*number),
        Value::Real(number) => Theirs::Double(*number),
        Value::Text(text) => Theirs::Bytes(text.clone().into_bytes()),
        Value::Bytes(bytes) => Theirs::Bytes(bytes.clone()),
    }
}

fn read(value: Theirs) -> Value {
    match value {
        Theirs::NULL => Value::Null,
        Theirs::Int(number) => Value::Int(number),
        Theirs::UInt(number) => i64::try_from(number).map_or_else(|_| Value::Text(number.to_string()), Value::Int),
        Theirs::Float(number) => Value::Real(number.into()),
        Theirs::Double(number) => Value::Real(number),
        Theirs::Bytes(bytes) => Value::of_bytes(bytes),
        Theirs::Date(year, month, day, hour, minute, second, micros) => Value::Text(date(year, [month, day, hour, minute, second], micros)),
        Theirs::Time(negative, days, hours, minutes, seconds, micros) => {
            let sign = if negative { "-" } else { "" };
            let hours = u64::from(days) * 24 + u64::from(hours);
            Value::Text(format!("{sign}{hours:02}:{minutes:02}:{seconds:02}{}", fraction(micros)))
        }
    }
}

fn date(year: u16, [month, day, hour, minute, second]: [u8; 5], micros: u32) -> String {
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{}", fraction(micros))
}

fn fraction(micros: u32) -> String {
    if micros == 0 { String::new() } else { format!(".{micros:06}") }
}

/// A database that says why has not been lost, unless it says just that.
fn failure(fault: Error) -> Failure {
    match fault {
        Error::Server(said) if !ENDING.contains(&said.code) => Failure::Refused,
        _ => Failure::Lost,
    }
}
