//! Fields of a header: printable ASCII without spaces (RFC 5424's PRINTUSASCII), of a limited length.

/// RFC 5424's NILVALUE.
pub const NIL: u8 = b'-';

/// What a header says of the sender.
pub struct Names<'a> {
    pub host: Option<&'a str>,
    pub app: Option<&'a str>,
    pub pid: Option<u32>,
    pub msgid: Option<&'a str>,
    pub structured_data: Option<&'a str>,
}

/// Appends `text` cut to `most` characters, each one that is not allowed (among them all that are not printable ASCII)
/// as an underscore; an empty text is NILVALUE.
pub fn write(text: &str, most: usize, allowed: impl Fn(u8) -> bool, out: &mut Vec<u8>) {
    if text.is_empty() {
        out.push(NIL);
    }
    let clean = |c: char| match u8::try_from(c) {
        Ok(byte) if byte.is_ascii_graphic() && allowed(byte) => byte,
        _ => b'_',
    };
    out.extend(text.chars().take(most).map(clean));
}

/// Appends `text` as [`write`] does, or NILVALUE.
pub fn write_or_nil(text: Option<&str>, most: usize, out: &mut Vec<u8>) {
    write(text.unwrap_or_default(), most, |_| true, out);
}

/// Appends `TAG[PID]: ` or `TAG: ` as every reader of the BSD form splits it: at the first colon or bracket.
pub fn write_tag(app: Option<&str>, pid: Option<u32>, most: usize, out: &mut Vec<u8>) {
    write(app.unwrap_or_default(), most, |byte| !matches!(byte, b':' | b'[' | b']'), out);
    if let Some(pid) = pid {
        out.push(b'[');
        write_number(pid, out);
        out.push(b']');
    }
    out.extend_from_slice(b": ");
}

pub fn write_number(number: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(number.to_string().as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(app: Option<&str>, pid: Option<u32>) -> String {
        let mut out = Vec::new();
        write_tag(app, pid, 8, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_is_not_allowed_becomes_an_underscore() {
        let mut out = Vec::new();
        write_or_nil(Some("a b\tc\u{7f}é日\n!~"), 255, &mut out);
        assert_eq!(out, b"a_b_c____!~");
    }

    #[test]
    fn a_tag_ends_where_readers_think_it_ends() {
        assert_eq!(tag(Some("cron"), Some(7)), "cron[7]: ");
        assert_eq!(tag(Some("a:b[c] d"), None), "a_b_c__d: ");
        assert_eq!(tag(Some("postfix/smtpd"), None), "postfix/: ");
        assert_eq!(tag(None, Some(u32::MAX)), "-[4294967295]: ");
    }
}
