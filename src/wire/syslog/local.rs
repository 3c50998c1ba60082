//! What glibc's syslog(3) writes to /dev/log: `<PRI>Mmm dd hh:mm:ss TAG[PID]: MSG`, in local time and without a host.

use super::field::{self, Names};

/// glibc sets no limit; this one only keeps a header a header.
const TAG: usize = 255;

/// Appends what stands between the time and the text.
pub fn header(names: &Names<'_>, out: &mut Vec<u8>) {
    field::write_tag(names.app, names.pid, TAG, out);
}
