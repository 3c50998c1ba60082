//! RFC 5424: `<PRI>1 TIMESTAMP HOST APP PROCID MSGID SD MSG`. What is not known is `-`.

use super::StructuredData;
use super::field::{NIL, Names, write_number, write_or_nil};

/// The VERSION behind PRI.
pub const VERSION: &[u8] = b"1 ";
/// What begins a text that is known to be UTF-8 (6.4).
pub const BOM: &[u8] = b"\xef\xbb\xbf";

const HOST: usize = 255;
const APP: usize = 48;
const MSGID: usize = 32;

/// Appends what stands between the time and the text, without the space before the text. Structured data that is none
/// is left out: to send half of it would make the whole message unreadable.
pub fn header(names: &Names<'_>, out: &mut Vec<u8>) {
    write_or_nil(names.host, HOST, out);
    out.push(b' ');
    write_or_nil(names.app, APP, out);
    out.push(b' ');
    // PROCID may have 128 characters; a process id has ten.
    match names.pid {
        Some(pid) => write_number(pid, out),
        None => out.push(NIL),
    }
    out.push(b' ');
    write_or_nil(names.msgid, MSGID, out);
    out.push(b' ');
    match names.structured_data.and_then(|text| StructuredData::parse(text).ok()) {
        Some(data) => out.extend_from_slice(data.as_str().as_bytes()),
        None => out.push(NIL),
    }
}
