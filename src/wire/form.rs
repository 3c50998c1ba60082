//! A record as a web form, as Python's HTTPHandler sends it: `urllib.parse.urlencode` of the LogRecord's dictionary, in
//! the body of a POST or the query of a GET.

use std::str::FromStr;

use serde_json::Value as Json;
use thiserror::Error;

use super::event::Event;
use super::log_record::{Attribute, Caller, Value, extras};
use crate::format::Number;

/// Which attributes are sent, and in what order (what overriding `mapLogRecord` is for).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Fields {
    /// All of Python's, and what came along with the event.
    #[default]
    All,
    /// These.
    Chosen(Vec<Field>),
}

/// A field of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// An attribute of every LogRecord.
    Attribute(Attribute),
    /// The text, by the name it has for a Formatter.
    Message,
    /// The host, by the name it has in `--format`.
    Hostname,
}

/// A field that there is not, with what would be right.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("there is no field '{0}': the fields are {known}", known = known())]
pub struct FieldError(String);

fn known() -> String {
    let names: Vec<_> = Attribute::ALL.iter().map(|attribute| attribute.name()).collect();
    format!("{}, message, hostname", names.join(", "))
}

impl FromStr for Fields {
    type Err = FieldError;

    /// Names, with commas between them.
    fn from_str(text: &str) -> Result<Self, FieldError> {
        let fields: Result<_, _> = text.split(',').map(|name| name.trim().parse()).collect();
        fields.map(Self::Chosen)
    }
}

impl FromStr for Field {
    type Err = FieldError;

    fn from_str(name: &str) -> Result<Self, FieldError> {
        match name {
            "message" => Ok(Self::Message),
            "hostname" => Ok(Self::Hostname),
            _ => {
                let attribute = Attribute::ALL.into_iter().find(|attribute| attribute.name() == name);
                attribute.map(Self::Attribute).ok_or_else(|| FieldError(name.to_owned()))
            }
        }
    }
}

/// Appends `event` as `name=root&msg=…`.
///
/// Values are what Python's `str()` makes of them; lists and objects that came along are JSON. Bytes that aren't UTF-8
/// are sent as they are, percent-encoded: `parse_qs` shows U+FFFD for them.
pub fn encode(event: &Event<'_>, caller: &Caller<'_>, fields: &Fields, out: &mut Vec<u8>) {
    let start = out.len();
    let mut scratch = Vec::new();
    let mut put = |key: &str, write: &mut dyn FnMut(&mut Vec<u8>)| {
        if out.len() > start {
            out.push(b'&');
        }
        quote_plus(key.as_bytes(), out);
        out.push(b'=');
        scratch.clear();
        write(&mut scratch);
        quote_plus(&scratch, out);
    };
    let attribute = |known: Attribute, scratch: &mut Vec<u8>| match known {
        // The dictionary of a record that was logged without arguments, which a pickle replaces by None.
        Attribute::Args => scratch.extend_from_slice(b"()"),
        _ => show(&known.of(event, caller), scratch),
    };
    match fields {
        Fields::All => {
            for known in Attribute::ALL {
                put(known.name(), &mut |scratch| attribute(known, scratch));
            }
            for (key, value) in extras(event) {
                put(key, &mut |scratch| show_json(value, scratch));
            }
        }
        Fields::Chosen(chosen) => {
            for field in chosen {
                match field {
                    Field::Attribute(known) => put(known.name(), &mut |scratch| attribute(*known, scratch)),
                    Field::Message => put("message", &mut |scratch| scratch.extend_from_slice(&event.message)),
                    Field::Hostname => {
                        let host = event.host.as_deref().unwrap_or("None");
                        put("hostname", &mut |scratch| scratch.extend_from_slice(host.as_bytes()));
                    }
                }
            }
        }
    }
}

/// `url` with `form` as its query, or as more of the query it has (HTTPHandler's GET).
pub fn with_query(url: &str, form: &str) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}{form}")
}

/// Appends `text` as `urllib.parse.quote_plus` does.
pub fn quote_plus(text: &[u8], out: &mut Vec<u8>) {
    for byte in text {
        match byte {
            b' ' => out.push(b'+'),
            _ => percent(*byte, out),
        }
    }
}

/// Appends `text` as `urllib.parse.quote` does with nothing else safe: a space is `%20`.
pub fn quote(text: &[u8], out: &mut Vec<u8>) {
    text.iter().for_each(|byte| percent(*byte, out));
}

fn percent(byte: u8, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    match byte {
        // What RFC 3986 calls unreserved.
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' => out.push(byte),
        _ => out.extend_from_slice(&[b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]),
    }
}

fn show(value: &Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::None => out.extend_from_slice(b"None"),
        Value::Int(number) => Number::Int(*number).print(out),
        Value::Float(number) => Number::Float(*number).print(out),
        Value::Text(text) => out.extend_from_slice(text),
        Value::Json(value) => show_json(value, out),
    }
}

fn show_json(value: &Json, out: &mut Vec<u8>) {
    match value {
        Json::Null => out.extend_from_slice(b"None"),
        Json::Bool(truth) => out.extend_from_slice(if *truth { b"True" } else { b"False" }),
        Json::Number(number) => match (number.is_f64(), number.as_f64()) {
            (true, Some(number)) => Number::Float(number).print(out),
            _ => out.extend_from_slice(number.to_string().as_bytes()),
        },
        Json::String(text) => out.extend_from_slice(text.as_bytes()),
        // Writing into a vector cannot fail.
        Json::Array(_) | Json::Object(_) => drop(serde_json::to_writer(out, value)),
    }
}

#[cfg(test)]
mod tests;
