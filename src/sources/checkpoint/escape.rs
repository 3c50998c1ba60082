//! Paths as text. They are bytes: UTF-8 stands as it is, any other byte as `\xff`, and a backslash as `\\`.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serializer};

pub fn serialize<S: Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&escape(path))
}

pub fn deserialize<'de, 'a, D: Deserializer<'de>>(from: D) -> Result<Cow<'a, Path>, D::Error> {
    let text = Cow::<str>::deserialize(from)?;
    match unescape(&text) {
        Some(path) => Ok(Cow::Owned(path)),
        None => Err(serde::de::Error::custom(format_args!("no path: {text}"))),
    }
}

fn escape(path: &Path) -> Cow<'_, str> {
    match path.to_str() {
        Some(text) if !text.contains('\\') => return Cow::Borrowed(text),
        _ => {}
    }
    let mut escaped = String::new();
    for chunk in path.as_os_str().as_bytes().utf8_chunks() {
        escaped.push_str(&chunk.valid().replace('\\', r"\\"));
        for byte in chunk.invalid() {
            let _ = write!(escaped, r"\x{byte:02x}");
        }
    }
    Cow::Owned(escaped)
}

/// The path that was escaped so; None when a backslash stands before something else.
fn unescape(text: &str) -> Option<PathBuf> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, escaped)) = rest.split_once('\\') {
        bytes.extend_from_slice(plain.as_bytes());
        let (byte, behind) = match escaped.strip_prefix('\\') {
            Some(behind) => (b'\\', behind),
            None => {
                let (digits, behind) = escaped.strip_prefix('x')?.split_at_checked(2)?;
                let all = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
                (u8::from_str_radix(digits, 16).ok().filter(|_| all)?, behind)
            }
        };
        bytes.push(byte);
        rest = behind;
    }
    bytes.extend_from_slice(rest.as_bytes());
    Some(OsString::from_vec(bytes).into())
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_utf8_stands_as_it_is_and_the_rest_can_be_read() {
        for (bytes, text) in [
            (&b"/var/log/app.log"[..], "/var/log/app.log"),
            ("/tmp/Grüße\n.log\n".as_bytes(), "/tmp/Grüße\n.log\n"),
            (b"caf\xe9.log", r"caf\xe9.log"),
            (br"C:\xe9", r"C:\\xe9"),
            (b"\xf0\x9f\x98", r"\xf0\x9f\x98"),
            (b"", ""),
        ] {
            let path = Path::new(OsStr::from_bytes(bytes));
            assert_eq!(escape(path), text);
            assert_eq!(unescape(text).as_deref(), Some(path));
        }
    }

    #[test]
    fn no_other_escape_is_a_path() {
        for text in [r"\", r"a\n", r"\x", r"\xf", r"\x+f", r"\xfü", r"\\\", r"\Xff"] {
            assert_eq!(unescape(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_back(bytes: Vec<u8>, more in r"[\\x0-9a-f/]{0,12}") {
            let path = PathBuf::from(OsString::from_vec([&bytes, more.as_bytes()].concat()));
            prop_assert_eq!(unescape(&escape(&path)), Some(path));
        }

        #[test]
        fn no_text_is_too_much(text in ".*|[\\\\xü0f]*") {
            let _ = unescape(&text);
        }
    }
}
