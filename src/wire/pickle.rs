//! A record as Python's SocketHandler and DatagramHandler pickle it (`makePickle`): protocol 1, the LogRecord's
//! dictionary, for `logging.makeLogRecord` on the other side.
//!
//! Nothing is memoised, which every unpickler takes, and the dictionary needs no import, so that receivers which
//! refuse globals accept it.

use std::io::Write;

use serde_json::Value as Json;

use super::base64;
use super::event::Event;
use super::log_record::{Attribute, Caller, Value, extras};

// The opcodes, by the names of Python's pickletools.
const MARK: u8 = b'(';
const STOP: u8 = b'.';
const NONE: u8 = b'N';
const TRUE: &[u8] = b"I01\n";
const FALSE: &[u8] = b"I00\n";
const BININT: u8 = b'J';
const BININT1: u8 = b'K';
const BININT2: u8 = b'M';
const LONG: u8 = b'L';
const BINFLOAT: u8 = b'G';
const BINUNICODE: u8 = b'X';
const EMPTY_LIST: u8 = b']';
const APPENDS: u8 = b'e';
const EMPTY_DICT: u8 = b'}';
const SETITEMS: u8 = b'u';

/// Appends the pickle of `event`, without the length that Python sends before it (`Framing::Length`).
///
/// What isn't UTF-8 has U+FFFD in its place, which every stream of a receiver can print; Python's surrogate escapes
/// make the first handler that encodes them fail. Of the message the bytes then follow as `message_base64`.
pub fn encode(event: &Event<'_>, caller: &Caller<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(&[EMPTY_DICT, MARK]);
    for attribute in Attribute::ALL {
        text(attribute.name(), out);
        match attribute.of(event, caller) {
            Value::None => out.push(NONE),
            Value::Int(number) => int(number, out),
            Value::Float(number) => float(number, out),
            Value::Text(bytes) => text(&String::from_utf8_lossy(&bytes), out),
            Value::Json(value) => json(value, out),
        }
    }
    if std::str::from_utf8(&event.message).is_err() {
        let mut encoded = Vec::new();
        base64::encode(&event.message, &mut encoded);
        text("message_base64", out);
        text(&String::from_utf8_lossy(&encoded), out);
    }
    for (key, value) in extras(event) {
        text(key, out);
        json(value, out);
    }
    out.extend_from_slice(&[SETITEMS, STOP]);
}

fn text(text: &str, out: &mut Vec<u8>) {
    out.push(BINUNICODE);
    // A text of four gigabytes cannot be announced; the frame will have no room for it either, and says so.
    out.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn int(number: i64, out: &mut Vec<u8>) {
    if let Ok(number) = u8::try_from(number) {
        out.extend_from_slice(&[BININT1, number]);
    } else if let Ok(number) = u16::try_from(number) {
        out.push(BININT2);
        out.extend_from_slice(&number.to_le_bytes());
    } else if let Ok(number) = i32::try_from(number) {
        out.push(BININT);
        out.extend_from_slice(&number.to_le_bytes());
    } else {
        long(number, out);
    }
}

fn long(number: impl std::fmt::Display, out: &mut Vec<u8>) {
    out.push(LONG);
    // Writing into a vector cannot fail.
    let _ = writeln!(out, "{number}L");
}

fn float(number: f64, out: &mut Vec<u8>) {
    out.push(BINFLOAT);
    out.extend_from_slice(&number.to_be_bytes());
}

fn json(value: &Json, out: &mut Vec<u8>) {
    match value {
        Json::Null => out.push(NONE),
        Json::Bool(truth) => out.extend_from_slice(if *truth { TRUE } else { FALSE }),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => int(number, out),
            (None, Some(number)) => long(number, out),
            (None, None) => float(number.as_f64().unwrap_or(f64::NAN), out),
        },
        Json::String(string) => text(string, out),
        Json::Array(items) => {
            out.extend_from_slice(&[EMPTY_LIST, MARK]);
            items.iter().for_each(|item| json(item, out));
            out.push(APPENDS);
        }
        Json::Object(items) => {
            out.extend_from_slice(&[EMPTY_DICT, MARK]);
            for (key, item) in items {
                text(key, out);
                json(item, out);
            }
            out.push(SETITEMS);
        }
    }
}

#[cfg(test)]
mod tests;
