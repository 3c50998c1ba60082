//! The escape of a byte that may not stand where it does: `#` and three octal digits, as rsyslog writes it.

/// `#012` for a line feed.
pub fn escape(byte: u8) -> [u8; 4] {
    [b'#', b'0' + (byte >> 6), b'0' + (byte >> 3 & 7), b'0' + (byte & 7)]
}
