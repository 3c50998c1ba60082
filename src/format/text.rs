//! Texts: cut, padded, and as `repr()` shows them. Bytes that are not UTF-8 stay what they are.

use std::io::Write;

use super::spec::{Align, Convert, Spec};

/// Appends `value`, already converted, cut and padded as `spec` says; by characters if it is UTF-8, else by bytes.
pub fn write(value: &[u8], spec: &Spec, out: &mut Vec<u8>) {
    let text = std::str::from_utf8(value).ok();
    let cut = match (spec.precision, text) {
        (None, _) => value.len(),
        (Some(most), Some(text)) => text.char_indices().nth(most).map_or(value.len(), |(at, _)| at),
        (Some(most), None) => most.min(value.len()),
    };
    let value = &value[..cut];
    if spec.width == 0 {
        return out.extend_from_slice(value);
    }
    let width = text.map_or(cut, |text| text[..cut].chars().count());
    let pad = spec.width.saturating_sub(width);
    let left = match spec.align {
        Align::Left => 0,
        Align::Center => pad / 2,
        Align::Right | Align::Inside => pad,
    };
    fill(out, spec.fill, left);
    out.extend_from_slice(value);
    fill(out, spec.fill, pad - left);
}

/// Appends `times` the character `with`.
pub fn fill(out: &mut Vec<u8>, with: char, times: usize) {
    let mut buffer = [0; 4];
    let bytes = with.encode_utf8(&mut buffer).as_bytes();
    if let [byte] = bytes {
        out.resize(out.len() + times, *byte);
    } else {
        out.reserve(times * bytes.len());
        (0..times).for_each(|_| out.extend_from_slice(bytes));
    }
}

/// Appends `value` as Python's `repr()` or `ascii()` shows a text. A byte that isn't UTF-8 becomes `\xff`.
pub fn quote(value: &[u8], convert: Convert, out: &mut Vec<u8>) {
    let quote = if value.contains(&b'\'') && !value.contains(&b'"') { '"' } else { '\'' };
    out.push(quote as u8);
    for part in value.utf8_chunks() {
        for c in part.valid().chars() {
            escape(c, quote, convert == Convert::Ascii, out);
        }
        for byte in part.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out.push(quote as u8);
}

fn escape(c: char, quote: char, ascii: bool, out: &mut Vec<u8>) {
    // Writing into a vector cannot fail.
    let _ = match c {
        '\n' => write!(out, "\\n"),
        '\r' => write!(out, "\\r"),
        '\t' => write!(out, "\\t"),
        '\\' => write!(out, "\\\\"),
        ' '..='~' if c == quote => write!(out, "\\{c}"),
        ' '..='~' => write!(out, "{c}"),
        _ if !ascii && is_printable(c) => write!(out, "{c}"),
        ..='\u{ff}' => write!(out, "\\x{:02x}", c as u32),
        ..='\u{ffff}' => write!(out, "\\u{:04x}", c as u32),
        _ => write!(out, "\\U{:08x}", c as u32),
    };
}

/// Python's `isprintable`, as near as the standard library's tables come. An accent is asked about behind a letter:
/// alone at the beginning of a text Rust would escape it.
fn is_printable(c: char) -> bool {
    let mut buffer = [b'a', 0, 0, 0, 0];
    let length = 1 + c.encode_utf8(&mut buffer[1..]).len();
    let shown = std::str::from_utf8(&buffer[..length]).is_ok_and(|text| text.escape_debug().nth(1) == Some(c));
    shown && !c.is_whitespace()
}
