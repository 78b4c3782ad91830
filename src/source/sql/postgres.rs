//! PostgreSQL. Values go both ways as text, as the database itself writes them: so a key may be of any type.

use super::link::{ANSWER_MAX, CONNECT_MAX, Column, Db, Failure, Io, Kind, LOCK_MAX, Value};
use crate::config::SqlSettings;
use crate::fault::{Code, Fault};
use crate::trust;
use std::collections::HashMap;
use std::error::Error;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{Format, IsNull, ToSql, Type};
use tokio_postgres::{Client, Config, NoTls, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Nobody reads what is not committed; nobody waits for a lock for ever; a connection that is lost gives its locks back.
const SETUP: &str = "SET default_transaction_isolation = 'read committed'; SET DateStyle = 'ISO'; SET TimeZone = 'UTC';
    SET idle_in_transaction_session_timeout = '10s'; SET statement_timeout = '15s'; SET lock_timeout = ";

/// Statements that are kept prepared; most are made for so and so many keys.
const STATEMENTS_MAX: usize = 32;

pub(super) struct Pg {
    client: Client,
    statements: HashMap<String, Statement>,
    io: Io,
}

/// Read anew at every connection: a new password needs no restart.
fn config(settings: &SqlSettings) -> Option<Config> {
    std::fs::read_to_string(&settings.place).ok()?.trim().parse().ok()
}

pub(super) fn check(settings: &SqlSettings) -> Result<(), Fault> {
    config(settings).ok_or_else(|| Fault::with(Code::SrcDatabase, settings.place.display().to_string()))?;
    settings.ca_file.as_deref().map_or(Ok(()), |ca_file| trust::issuers(Some(ca_file), "source.NAME.ca_file").map(drop))
}

pub(super) fn connect(settings: &SqlSettings) -> Result<Pg, Failure> {
    let mut config = config(settings).ok_or(Failure::Lost)?;
    config.connect_timeout(CONNECT_MAX);
    if config.get_application_name().is_none() {
        config.application_name("vardbro");
    }
    let tls = trust::is_met_over_tls(&mut config).then(|| trust::client(settings.ca_file.as_deref(), "ca_file")).transpose();
    let tls = tls.map_err(|_| Failure::Lost)?;
    let io = Io::new()?;
    let client = io.wait(CONNECT_MAX, async {
        let client = match tls {
            None => {
                let (client, connection) = config.connect(NoTls).await.map_err(failure)?;
                tokio::spawn(connection);
                client
            }
            Some(tls) => {
                let (client, connection) = config.connect(MakeRustlsConnect::new(tls)).await.map_err(failure)?;
                tokio::spawn(connection);
                client
            }
        };
        client.batch_execute(&format!("{SETUP}'{}s'", LOCK_MAX.as_secs())).await.map_err(failure)?;
        Ok(client)
    });
    // Whatever the database says against a connection, there is none.
    Ok(Pg { client: client.map_err(|_| Failure::Lost)?, statements: HashMap::new(), io })
}

impl Pg {
    fn statement(&mut self, sql: &str) -> Result<Statement, Failure> {
        if let Some(known) = self.statements.get(sql) {
            return Ok(known.clone());
        }
        let text = numbered(sql);
        let statement = self.io.wait(ANSWER_MAX, async { self.client.prepare(&text).await.map_err(failure) })?;
        if self.statements.len() >= STATEMENTS_MAX {
            self.statements.clear();
        }
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

impl Db for Pg {
    fn columns(&mut self, table: &str) -> Result<Vec<Column>, Failure> {
        let sql = format!("SELECT * FROM {table}");
        let statement = self.io.wait(ANSWER_MAX, async { self.client.prepare(&sql).await.map_err(failure) })?;
        Ok(statement.columns().iter().map(|column| Column { name: column.name().to_owned(), kind: kind(column.type_()) }).collect())
    }

    fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Vec<Value>>, Failure> {
        let statement = self.statement(sql)?;
        let rows = self.io.wait(ANSWER_MAX, async {
            let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
            self.client.query(&statement, &values).await.map_err(failure)
        })?;
        let value = |row: &tokio_postgres::Row, place: usize| match *row.columns()[place].type_() {
            Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(place).map(|bytes| bytes.map(Value::Bytes)),
            Type::INT4 => row.try_get::<_, Option<i32>>(place).map(|number| number.map(|number| Value::Int(number.into()))),
            _ => row.try_get::<_, Option<String>>(place).map(|text| text.map(Value::Text)),
        };
        let fields = |row: &tokio_postgres::Row| {
            (0..row.len()).map(|place| value(row, place).map(|value| value.unwrap_or(Value::Null))).collect::<Result<Vec<_>, _>>()
        };
        rows.iter().map(fields).collect::<Result<_, _>>().map_err(failure)
    }

    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<(), Failure> {
        self.query(sql, values).map(drop)
    }

    fn control(&mut self, sql: &str) -> Result<(), Failure> {
        self.io.wait(ANSWER_MAX, async { self.client.batch_execute(sql).await.map_err(failure) })
    }
}

impl ToSql for Value {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Text(text) => out.extend_from_slice(text.as_bytes()),
            Self::Int(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Self::Real(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Self::Null | Self::Bytes(_) => return Ok(IsNull::Yes),
        }
        Ok(IsNull::No)
    }

    /// As text any type can be given.
    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    tokio_postgres::types::to_sql_checked!();
}

/// Never shown: it is a person's.
impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("‹value›")
    }
}

fn kind(known: &Type) -> Kind {
    match *known {
        Type::INT2 | Type::INT4 | Type::INT8 => Kind::Whole,
        Type::FLOAT4 | Type::FLOAT8 => Kind::Real,
        Type::BOOL => Kind::Truth,
        Type::TIMESTAMP | Type::TIMESTAMPTZ => Kind::Time,
        Type::JSON | Type::JSONB => Kind::Json,
        Type::BYTEA => Kind::Bytes,
        _ => Kind::Plain,
    }
}

/// A database that says why has not been lost, unless it says just that.
fn failure(fault: tokio_postgres::Error) -> Failure {
    match fault.code().map(|state| state.code().get(..2)) {
        None | Some(Some("08" | "57")) => Failure::Lost,
        _ => Failure::Refused,
    }
}

/// `?` as PostgreSQL writes it. No name and no text of ours holds one.
fn numbered(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len() + 16);
    for (place, part) in sql.split('?').enumerate() {
        if place > 0 {
            out.push('$');
            out.push_str(&place.to_string());
        }
        out.push_str(part);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::numbered;

    #[test]
    fn values_are_numbered() {
        assert_eq!(numbered("a = ? AND b IN (?, ?)"), "a = $1 AND b IN ($2, $3)");
        assert_eq!(numbered("a"), "a");
    }
}
