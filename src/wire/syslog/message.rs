//! The text of a message: what becomes of its control characters, and where it is cut when it is too long.
//!
//! RFC 5424 (6.4, 8.2) asks senders to avoid control characters and lets them encode what they cannot avoid. The code
//! is rsyslog's, so that what it has received and what it has escaped itself read alike: `#` and three octal digits. As
//! there, a `#` of the text is not marked, so the code is for eyes and not for turning back.

use crate::wire::octal;

/// What becomes of control characters (0 to 31 and 127) in the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Controls {
    /// All are escaped but the tab, which harms neither frame nor terminal: a record of many lines becomes one line
    /// with `#012` in it.
    #[default]
    Escape,
    /// Line feeds stay too. It takes a frame that can hold them: a datagram or an octet count.
    KeepLines,
    /// The text is left as it is.
    Keep,
}

impl Controls {
    fn keeps(self, byte: u8) -> bool {
        match (self, byte) {
            (Self::Keep, _) | (_, b'\t') => true,
            (Self::KeepLines, b'\n') => true,
            _ => !byte.is_ascii_control(),
        }
    }

    /// How many bytes at the start of `text` stay as they are.
    fn plain(self, text: &[u8]) -> usize {
        if self == Self::Keep {
            return text.len();
        }
        // Blocks without a branch are looked at many bytes at a time.
        let harmless =
            |block: &&[u8; 32]| !block.iter().fold(false, |found, byte| found | (*byte < 32 || *byte == 127));
        let (blocks, _) = text.as_chunks::<32>();
        let skipped = blocks.iter().take_while(harmless).count() * 32;
        let hit = text[skipped..].iter().position(|byte| !self.keeps(*byte));
        hit.map_or(text.len(), |at| skipped + at)
    }
}

/// Appends as much of `text` as fits into `room` bytes, neither a character nor an escape cut through. Returns how many
/// bytes of `text` went in.
pub fn append(text: &[u8], controls: Controls, mut room: usize, out: &mut Vec<u8>) -> usize {
    let mut rest = text;
    loop {
        let plain = &rest[..controls.plain(rest)];
        if plain.len() > room {
            let fits = boundary(plain, room);
            out.extend_from_slice(&plain[..fits]);
            return text.len() - rest.len() + fits;
        }
        out.extend_from_slice(plain);
        room -= plain.len();
        rest = &rest[plain.len()..];
        let Some((control, behind)) = rest.split_first().filter(|_| room >= 4) else {
            return text.len() - rest.len();
        };
        out.extend_from_slice(&octal::escape(*control));
        room -= 4;
        rest = behind;
    }
}

/// The last place up to `at` where `text` may be cut: not within a character, if it is UTF-8 there.
fn boundary(text: &[u8], at: usize) -> usize {
    // A character has at most four bytes, so that its first is among the last three before a cut within it.
    for lead in (at.saturating_sub(3)..=at).rev() {
        let Some(byte) = text.get(lead) else { return at };
        let length = match byte {
            0x80..=0xbf => continue,
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => 1,
        };
        let whole = text.get(lead..lead + length).is_some_and(|bytes| std::str::from_utf8(bytes).is_ok());
        return if whole && lead + length > at { lead } else { at };
    }
    at
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &[u8], controls: Controls, room: usize) -> (String, usize) {
        let mut out = Vec::new();
        let used = append(text, controls, room, &mut out);
        (String::from_utf8_lossy(&out).into_owned(), used)
    }

    #[test]
    fn control_characters_become_octal_numbers() {
        let text = b"a\tb\r\nc\0d\x7f\x1b[1m #012";
        assert_eq!(shown(text, Controls::Escape, 99), ("a\tb#015#012c#000d#177#033[1m #012".into(), text.len()));
        assert_eq!(shown(text, Controls::KeepLines, 99).0, "a\tb#015\nc#000d#177#033[1m #012");
        assert_eq!(shown(text, Controls::Keep, 99).0.as_bytes(), text);
    }

    #[test]
    fn no_character_and_no_escape_is_cut_through() {
        assert_eq!(shown("aé日😀".as_bytes(), Controls::Escape, 9), ("aé日".into(), 6));
        assert_eq!(shown("aé日😀".as_bytes(), Controls::Escape, 10), ("aé日😀".into(), 10));
        assert_eq!(shown("aé日".as_bytes(), Controls::Escape, 5), ("aé".into(), 3));
        assert_eq!(shown("é".as_bytes(), Controls::Escape, 1), (String::new(), 0));
        assert_eq!(shown(b"ab\ncd", Controls::Escape, 5), ("ab".into(), 2));
        assert_eq!(shown(b"ab\ncd", Controls::Escape, 6), ("ab#012".into(), 3));
        assert_eq!(shown(b"ab", Controls::Escape, 0), (String::new(), 0));
    }

    #[test]
    fn bytes_that_are_no_characters_are_cut_anywhere() {
        for text in [&b"\xff\xff\xff\xff"[..], b"\x80\x80\x80\x80", b"\xe6\x97\xe6\x97", b"\xe9t\xe9s"] {
            for room in 0..4 {
                assert_eq!(append(text, Controls::Escape, room, &mut Vec::new()), room);
            }
        }
    }

    proptest! {
        #[test]
        fn it_is_as_if_done_byte_by_byte(
            text in prop::collection::vec(prop_oneof![any::<u8>(), 32u8..127, Just(b'\n')], 0..200),
            controls in prop_oneof![Just(Controls::Escape), Just(Controls::KeepLines), Just(Controls::Keep)],
        ) {
            let mut expected = String::new();
            for byte in &text {
                let kept = *byte >= 32 && *byte != 127 || *byte == 9;
                match controls {
                    Controls::Keep => expected.push(char::from(*byte)),
                    Controls::KeepLines if *byte == 10 => expected.push('\n'),
                    _ if kept => expected.push(char::from(*byte)),
                    _ => expected.push_str(&format!("#{byte:03o}")),
                }
            }
            let mut out = Vec::new();
            prop_assert_eq!(append(&text, controls, usize::MAX, &mut out), text.len());
            prop_assert_eq!(out.iter().map(|byte| char::from(*byte)).collect::<String>(), expected);
        }

        #[test]
        fn a_cut_text_is_a_beginning_and_stays_utf8(text in "(\\PC|[\n\t\0é日😀]){0,60}", room in 0usize..120) {
            let (mut whole, mut out) = (Vec::new(), Vec::new());
            append(text.as_bytes(), Controls::Escape, usize::MAX, &mut whole);
            let used = append(text.as_bytes(), Controls::Escape, room, &mut out);
            prop_assert!(out.len() <= room && whole.starts_with(&out));
            prop_assert!(std::str::from_utf8(&out).is_ok());
            prop_assert!(text.is_char_boundary(used));
            // No more than a character or an escape was left unused.
            prop_assert!(used == text.len() || out.len() + 4 > room);
        }
    }
}
