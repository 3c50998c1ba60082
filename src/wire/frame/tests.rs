use proptest::prelude::*;

use super::*;

const ALL: [Framing; 4] = [Framing::Lines, Framing::Nul, Framing::Length, Framing::OctetCount];

fn encode(framing: Framing, embedded: Embedded, messages: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    for message in messages {
        framing.encode(embedded, &mut out, |out| out.extend_from_slice(message)).unwrap();
    }
    out
}

/// Reads a stream that comes in chunks: its messages put together again, whether the last one was ended, the error at
/// which it stopped.
fn decode<'s>(
    framing: Framing,
    most: usize,
    chunks: impl Iterator<Item = &'s [u8]>,
) -> (Vec<Vec<u8>>, bool, Option<FrameError>) {
    let mut decoder = Decoder::new(framing, most);
    let mut buffer = Vec::new();
    let (mut messages, mut ended) = (Vec::new(), true);
    let mut take = |frame: Frame<'_>| {
        assert!(frame.content.len() <= most.max(1));
        assert_eq!(frame.starts, ended);
        if frame.starts {
            messages.push(Vec::new());
        }
        messages.last_mut().unwrap().extend_from_slice(frame.content);
        ended = frame.ends;
    };
    for chunk in chunks {
        buffer.extend_from_slice(chunk);
        loop {
            match decoder.next(&buffer) {
                Ok(Some(frame)) => {
                    take(frame);
                    let used = frame.used;
                    assert!(used > 0);
                    buffer.drain(..used);
                }
                Ok(None) => break,
                Err(error) => return (messages, ended, Some(error)),
            }
        }
        assert!(buffer.len() <= decoder.capacity(), "more was left than has to be buffered");
    }
    match decoder.end(&buffer) {
        Ok(frame) => frame.into_iter().for_each(&mut take),
        Err(error) => return (messages, ended, Some(error)),
    }
    (messages, ended, None)
}

#[test]
fn the_four_framings() {
    let framed = |framing| String::from_utf8(encode(framing, Embedded::Escape, &[b"one", b"", b"a\nb\0"])).unwrap();
    assert_eq!(framed(Framing::Lines), "one\n\na#012b\0\n");
    assert_eq!(framed(Framing::Nul), "one\0\0a\nb#000\0");
    assert_eq!(framed(Framing::Length), "\0\0\0\u{3}one\0\0\0\0\0\0\0\u{4}a\nb\0");
    assert_eq!(framed(Framing::OctetCount), "3 one0 4 a\nb\0");
    assert_eq!(encode(Framing::Lines, Embedded::Leave, &[b"a\nb"]), b"a\nb\n");
}

#[test]
fn a_line_without_its_end_is_the_last() {
    let (messages, ended, error) = decode(Framing::Lines, 9, [&b"one\ntw"[..], b"o"].into_iter());
    assert_eq!((messages, ended, error), (vec![b"one".to_vec(), b"two".to_vec()], true, None));
    let (messages, ended, error) = decode(Framing::Nul, 2, [&b"four"[..]].into_iter());
    assert_eq!((messages, ended, error), (vec![b"four".to_vec()], true, None));
}

#[test]
fn a_message_of_exactly_the_limit_is_one_piece() {
    for framing in ALL {
        let stream = encode(framing, Embedded::Escape, &[b"four"]);
        let frame = Decoder::new(framing, 4).next(&stream).unwrap().unwrap();
        assert_eq!(frame, Frame { content: b"four", used: stream.len(), starts: true, ends: true });
    }
}

#[test]
fn a_length_is_not_believed() {
    let announced = FrameError::Announced { length: 0xffff_ffff, most: 100 };
    assert_eq!(Decoder::new(Framing::Length, 100).next(b"\xff\xff\xff\xff"), Err(announced));
    assert_eq!(Decoder::new(Framing::Length, 100).next(b"\xff\xff\xff"), Ok(None));
    // Text on a port for pickles.
    assert!(Decoder::new(Framing::Length, 1 << 20).next(b"GET / HTTP/1.1").is_err());
}

#[test]
fn what_is_no_octet_count_says_what_it_is() {
    for (input, found) in [
        ("<13>", "<"),
        ("12<", "12<"),
        (" 3 x", " "),
        ("03 abc", "03"),
        ("00", "00"),
        ("1234567890 ", "1234567890"),
        ("3\nabc", "3\n"),
    ] {
        let error = Decoder::new(Framing::OctetCount, 100).next(input.as_bytes()).unwrap_err();
        assert!(error.to_string().ends_with(&format!("'{}'", found.escape_default())), "{error}");
    }
    for incomplete in ["", "1", "123456789", "3 ab"] {
        assert_eq!(Decoder::new(Framing::OctetCount, 100).next(incomplete.as_bytes()), Ok(None), "{incomplete}");
    }
}

#[test]
fn the_end_within_a_message_is_an_error() {
    for (framing, stream) in [
        (Framing::Length, &b"\0\0"[..]),
        (Framing::Length, b"\0\0\0\x03ab"),
        (Framing::OctetCount, b"3"),
        (Framing::OctetCount, b"3 ab"),
        (Framing::OctetCount, b"30 abcdefghijkl"),
    ] {
        assert_eq!(decode(framing, 10, [stream].into_iter()).2, Some(FrameError::Torn), "{}", stream.escape_ascii());
    }
}

proptest! {
    #[test]
    fn what_was_framed_comes_out_of_any_chunks(
        framing in prop::sample::select(&ALL[..]),
        messages in prop::collection::vec(prop::collection::vec(prop_oneof![any::<u8>(), Just(b'\n'), Just(0)], 0..40), 0..12),
        most in 1usize..60,
        chunk in 1usize..50,
    ) {
        let most = if framing == Framing::Length { most.max(40) } else { most };
        let borrowed: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
        let stream = encode(framing, Embedded::Escape, &borrowed);
        let (decoded, ended, error) = decode(framing, most, stream.chunks(chunk));
        prop_assert_eq!(error, None);
        prop_assert!(ended);
        let expected: Vec<Vec<u8>> = messages.iter().map(|message| {
            let escaped = |byte: &u8| match (framing, byte) {
                (Framing::Lines, b'\n') => b"#012".to_vec(),
                (Framing::Nul, 0) => b"#000".to_vec(),
                _ => vec![*byte],
            };
            message.iter().flat_map(escaped).collect()
        }).collect();
        prop_assert_eq!(decoded, expected);
    }

    #[test]
    fn no_bytes_panic_and_chunks_do_not_matter(
        framing in prop::sample::select(&ALL[..]),
        stream in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'\n'), Just(0), b'0'..=b'9', Just(b' ')], 0..200),
        most in 1usize..40,
        chunk in 1usize..50,
    ) {
        prop_assert_eq!(decode(framing, most, stream.chunks(chunk)), decode(framing, most, [&stream[..]].into_iter()));
    }
}
