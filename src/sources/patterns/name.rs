//! One name against one pattern, as a shell matches them.
//!
//! Names are bytes, and the glob crate knows characters: each byte that is not UTF-8 becomes one character of its own, in
//! names and patterns alike, so nothing is skipped and `?` means one of either.

use std::borrow::Cow;

use glob::{MatchOptions, Pattern};

/// Where the characters for lone bytes begin, in the last private plane, where hardly a name has a character.
const LONE: u32 = 0x10_F700;

const OPTIONS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };

/// Whether `*`, `?` or `[` make it a pattern.
pub fn is_wild(name: &[u8]) -> bool {
    name.iter().any(|byte| matches!(byte, b'*' | b'?' | b'['))
}

pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(2 * bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().filter_map(|byte| char::from_u32(LONE + u32::from(*byte))));
    }
    Cow::Owned(text)
}

/// A pattern for one component of a path, or for a whole path.
#[derive(Clone, Debug)]
pub struct NamePattern {
    pattern: Pattern,
    takes_hidden: bool,
}

impl NamePattern {
    /// # Errors
    /// What is wrong with it, for a person.
    pub fn new(pattern: &[u8]) -> Result<Self, &'static str> {
        match Pattern::new(&decode(pattern)) {
            Ok(compiled) => Ok(Self { pattern: compiled, takes_hidden: pattern.starts_with(b".") }),
            Err(error) if error.msg.contains("range") => Err("no ] closes its [; a [ itself is written [[]"),
            Err(_) => Err("** stands for whole folders, so only slashes may be beside it; a * itself is written [*]"),
        }
    }

    /// Whether a shell would list it. A leading dot must be written: the crate's own option lets `*.log` take `.log`.
    pub fn lists(&self, name: &[u8]) -> bool {
        (self.takes_hidden || !name.starts_with(b".")) && self.takes(name)
    }

    /// Whether it matches, hidden or not.
    pub fn takes(&self, name: &[u8]) -> bool {
        self.pattern.matches_with(&decode(name), OPTIONS)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lists(pattern: impl AsRef<[u8]>, name: impl AsRef<[u8]>) -> bool {
        NamePattern::new(pattern.as_ref()).unwrap().lists(name.as_ref())
    }

    #[test]
    fn a_leading_dot_must_be_written() {
        for pattern in ["*", "*.log", "?log", "[.]log", "[!a]log"] {
            assert!(!lists(pattern, ".log"), "{pattern}");
        }
        assert!(lists(".*", ".log"));
        assert!(lists("*.log", "a.log"));
        assert!(NamePattern::new(b"*.log").unwrap().takes(b".log"));
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_characters() {
        assert!(lists("a?.log", b"a\xff.log"));
        assert!(lists("a??.log", b"a\xc3\xff.log"));
        assert!(!lists("a?.log", b"a\xc3\xff.log"));
        assert!(lists("a?.log", "aé.log"));
        assert!(lists(b"\xff*", b"\xff.log"));
        assert!(!lists(b"\xff*", b"\xfe.log"));
        assert!(lists(b"[\x80-\xff]*", b"\xfe.log"));
        assert!(!lists(b"[\x80-\xff]*", "é.log"));
    }

    #[test]
    fn what_is_no_pattern_is_told_with_the_way_out() {
        for pattern in ["app[.log", "[]", "[!]", "a[b"] {
            assert!(NamePattern::new(pattern.as_bytes()).unwrap_err().contains("[[]"), "{pattern}");
        }
        for pattern in ["**.log", "a**", "***", "a**["] {
            assert!(NamePattern::new(pattern.as_bytes()).unwrap_err().contains("**"), "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn an_escaped_name_matches_itself_and_a_star_every_name(name in prop::collection::vec(any::<u8>(), 1..40)) {
            let escaped = Pattern::escape(&decode(&name));
            prop_assert!(Pattern::new(&escaped).unwrap().matches_with(&decode(&name), OPTIONS));
            prop_assert!(NamePattern::new(b"*").unwrap().takes(&name) != name.contains(&b'/'));
        }

        #[test]
        fn other_bytes_are_other_characters(
            one in prop::collection::vec(any::<u8>(), 0..12),
            other in prop::collection::vec(any::<u8>(), 0..12),
        ) {
            // But for the private characters themselves, which random bytes do not hit.
            prop_assert_eq!(one == other, decode(&one) == decode(&other));
        }

        #[test]
        fn no_pattern_and_no_name_panics(
            pattern in prop::collection::vec(prop::sample::select(b"*?[]!-^ab./\xc3\xa9\xff\0".to_vec()), 0..16),
            name in prop::collection::vec(any::<u8>(), 0..16),
        ) {
            if let Ok(pattern) = NamePattern::new(&pattern) {
                pattern.lists(&name);
            }
        }
    }
}
