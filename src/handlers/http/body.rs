//! What stands in a request: lines, JSON objects, or the form of Python's HTTPHandler.

use std::io::Write;

use chrono::{DateTime, Utc};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::stream::batch::Batch;
use crate::wire::event::Event;
use crate::wire::form::{self, Fields};
use crate::wire::json;
use crate::wire::log_record::Caller;

use super::keys::Keys;

/// How records are written into a request.
#[derive(Clone, Debug)]
pub enum Body {
    /// As they came, with a newline behind each.
    Lines,
    /// A JSON object a line.
    NdJson(Keys),
    /// An array of JSON objects.
    Json(Keys),
    /// Python's HTTPHandler: one record.
    Form(Fields),
}

impl Body {
    /// The media type of a request.
    pub fn content_type(&self) -> &'static str {
        match self {
            Self::Lines => "text/plain",
            Self::NdJson(_) => "application/x-ndjson",
            Self::Json(_) => "application/json",
            Self::Form(_) => "application/x-www-form-urlencoded",
        }
    }
}

/// What every record has that doesn't say so itself.
pub struct Sender {
    pub defaults: Event<'static>,
    pub started: DateTime<Utc>,
}

/// The records of `batch` as the body of one request.
pub fn encode(batch: &Batch<'_>, body: &Body, sender: &Sender) -> Vec<u8> {
    let mut out = Vec::with_capacity(batch.len() + batch.len() / 8);
    let object = |event: Event<'_>, keys: &Keys, out: &mut Vec<u8>| json::write(&keys.of(event), out);
    if matches!(body, Body::Json(_)) {
        out.push(b'[');
    }
    for (at, record) in batch.records().enumerate() {
        match body {
            Body::Lines => {
                out.extend_from_slice(record.bytes);
                // What was cut, or the last line of the input. A NUL is a line end by --terminator.
                if !record.bytes.ends_with(b"\n") && !record.bytes.ends_with(b"\0") {
                    out.push(b'\n');
                }
            }
            Body::NdJson(keys) => {
                object(Event::of(&record, &sender.defaults), keys, &mut out);
                out.push(b'\n');
            }
            Body::Json(keys) => {
                if at > 0 {
                    out.push(b',');
                }
                object(Event::of(&record, &sender.defaults), keys, &mut out);
            }
            Body::Form(fields) => {
                let event = Event::of(&record, &sender.defaults);
                form::encode(&event, &Caller::new(sender.started), fields, &mut out);
            }
        }
    }
    if matches!(body, Body::Json(_)) {
        out.push(b']');
    }
    out
}

/// `body` packed with gzip.
///
/// # Errors
/// Writing into memory has none.
pub fn pack(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    encoder.write_all(body)?;
    encoder.finish()
}
