// `starlane:sql/database` for Rust guests: values, rows and errors lie in memory exactly as the canonical ABI has them.
#![allow(dead_code)]

use std::mem::MaybeUninit;

use crate::abi::{List, Outcome, Text};

#[repr(C, u8)]
#[derive(Clone, Copy)]
pub enum Value {
    Null,
    Boolean(bool),
    Integer(i64),
    Float(f64),
    Text(Text),
    Blob(List<u8>),
    Decimal(Text),
    Date(Text),
    Time(Text),
    Timestamp(Text),
}

impl Value {
    pub fn text(&self) -> Text {
        match *self {
            Value::Text(text) => text,
            _ => "".into(),
        }
    }

    pub fn integer(&self) -> i64 {
        match *self {
            Value::Integer(number) => number,
            _ => 0,
        }
    }
}

#[repr(C, u8)]
#[derive(Clone, Copy)]
pub enum SqlError {
    NoSuchDatabase,
    AccessDenied(Text),
    Statement(Text),
    Constraint(Text),
    Busy,
    Limit(Text),
    Unavailable,
}

impl SqlError {
    pub fn text(&self) -> Text {
        match *self {
            SqlError::NoSuchDatabase => "no database of that name is granted".into(),
            SqlError::Busy => "the database is busy".into(),
            SqlError::Unavailable => "the database cannot be reached".into(),
            SqlError::AccessDenied(text) | SqlError::Statement(text) => text,
            SqlError::Constraint(text) | SqlError::Limit(text) => text,
        }
    }
}

pub type Row = List<Value>;

#[link(wasm_import_module = "starlane:sql/database@0.1.0")]
extern "C" {
    #[link_name = "[static]database.open"]
    fn open(name: *const u8, length: usize, result: *mut Outcome<u32, SqlError>);
    #[link_name = "[method]database.query"]
    fn query(
        database: u32,
        statement: *const u8,
        length: usize,
        values: *const Value,
        count: usize,
        result: *mut Outcome<u32, SqlError>,
    );
    #[link_name = "[method]database.execute"]
    fn execute(
        database: u32,
        statement: *const u8,
        length: usize,
        values: *const Value,
        count: usize,
        result: *mut Outcome<u64, SqlError>,
    );
    #[link_name = "[resource-drop]database"]
    fn drop_database(database: u32);
    #[link_name = "[method]rows.next"]
    fn next(rows: u32, limit: u32, result: *mut Outcome<List<Row>, SqlError>);
    #[link_name = "[resource-drop]rows"]
    fn drop_rows(rows: u32);
}

/// What a function of the host writes.
fn answer<T, E>(call: impl FnOnce(*mut Outcome<T, E>)) -> Result<T, E> {
    let mut area = MaybeUninit::uninit();
    call(area.as_mut_ptr());
    match unsafe { area.assume_init() } {
        Outcome::Ok(value) => Ok(value),
        Outcome::Err(error) => Err(error),
    }
}

pub struct Database(u32);

impl Database {
    pub fn open(name: &str) -> Result<Database, SqlError> {
        answer(|result| unsafe { open(name.as_ptr(), name.len(), result) }).map(Database)
    }

    /// At most `limit` rows of the answer.
    pub fn query(&self, statement: &str, values: &[Value], limit: u32) -> Result<List<Row>, SqlError> {
        let (text, many) = (statement.as_bytes(), values.len());
        let rows = answer(|result| unsafe { query(self.0, text.as_ptr(), text.len(), values.as_ptr(), many, result) })?;
        let read = answer(|result| unsafe { next(rows, limit, result) });
        unsafe { drop_rows(rows) };
        read
    }

    pub fn row(&self, statement: &str, values: &[Value]) -> Result<Option<Row>, SqlError> {
        Ok(self.query(statement, values, 1)?.first().copied())
    }

    pub fn execute(&self, statement: &str, values: &[Value]) -> Result<u64, SqlError> {
        let (text, many) = (statement.as_bytes(), values.len());
        answer(|result| unsafe { execute(self.0, text.as_ptr(), text.len(), values.as_ptr(), many, result) })
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        unsafe { drop_database(self.0) }
    }
}
