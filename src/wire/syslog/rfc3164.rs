//! RFC 3164, the BSD form over the network: `<PRI>Mmm dd hh:mm:ss HOST TAG[PID]: MSG`.

use super::field::{self, Names};

/// "The TAG is a string of ABNF alphanumeric characters that MUST NOT exceed 32 characters" (4.1.3); of the characters
/// only those are changed that would end it early, since daemons have always named themselves `a-b` and `a/b`.
const TAG: usize = 32;
const HOST: usize = 255;

/// Appends what stands between the time and the text.
pub fn header(names: &Names<'_>, out: &mut Vec<u8>) {
    field::write_or_nil(names.host, HOST, out);
    out.push(b' ');
    untimed(names, out);
}

/// Appends what stands before the text when there is no time: then a host would be taken for the tag, and what
/// receives the message adds both (4.3.3).
pub fn untimed(names: &Names<'_>, out: &mut Vec<u8>) {
    field::write_tag(names.app, names.pid, TAG, out);
}
