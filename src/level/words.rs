//! The vocabulary: which words are levels, and where a word is one only in a certain dress.

use super::Level;

/// The longest word that [`named`] knows.
const LONGEST: usize = 13;

/// The level that `word` means wherever a level is certain to stand, in any case.
pub fn named(word: &[u8]) -> Option<Level> {
    if !(3..=LONGEST).contains(&word.len()) {
        return None;
    }
    let mut lower = [0; LONGEST];
    for (to, from) in lower.iter_mut().zip(word) {
        *to = from.to_ascii_lowercase();
    }
    Some(match &lower[..word.len()] {
        b"error" | b"err" | b"erro" | b"eror" | b"severe" => Level::ERROR,
        b"warning" | b"warn" | b"wrn" => Level::WARNING,
        b"info" | b"inf" | b"information" | b"informational" => Level::INFO,
        b"debug" | b"dbg" | b"debu" | b"dbug" | b"verbose" | b"vrb" => Level::DEBUG,
        b"notice" => Level::NOTICE,
        b"trace" | b"trc" | b"trce" => Level::TRACE,
        b"critical" | b"crit" | b"fatal" | b"ftl" | b"fata" | b"alert" | b"emerg" | b"emergency" | b"panic"
        | b"pani" | b"pnc" | b"dpanic" => Level::CRITICAL,
        _ => return None,
    })
}

/// What a person or a structured field may write: a name, `NOTSET`, `Level 35`, or a number.
pub fn name_or_number(text: &[u8]) -> Option<Level> {
    named(text).or_else(|| {
        let text = std::str::from_utf8(text).ok()?;
        if text.eq_ignore_ascii_case("notset") {
            return Some(Level::NOTSET);
        }
        text.strip_prefix("Level ").unwrap_or(text).parse().ok().map(Level)
    })
}

/// Words that are levels only in capitals: those of [`named`], and java.util.logging's, which are everyday words.
pub fn capitals(word: &[u8]) -> Option<Level> {
    if !word.iter().all(u8::is_ascii_uppercase) {
        return None;
    }
    match word {
        b"CONFIG" | b"FINE" => Some(Level::DEBUG),
        b"FINER" | b"FINEST" => Some(Level::TRACE),
        _ => named(word),
    }
}

/// Whether a word in capitals begins a sentence as easily as a log line, so that more than its place must speak for it.
pub fn is_everyday(word: &[u8]) -> bool {
    matches!(word, b"NOTICE" | b"ALERT" | b"PANIC" | b"FINE" | b"FINER" | b"FINEST" | b"CONFIG" | b"VERBOSE" | b"TRACE")
}

/// The letters of glog, logcat, Ruby, mongod and others.
pub fn letter(letter: u8) -> Option<Level> {
    Some(match letter {
        b'V' => Level::TRACE,
        b'D' => Level::DEBUG,
        b'I' => Level::INFO,
        b'W' => Level::WARNING,
        b'E' => Level::ERROR,
        b'F' | b'C' | b'A' => Level::CRITICAL,
        _ => return None,
    })
}

/// Whether `word` is a month or a day of the week in three letters.
pub fn is_calendar(word: &[u8]) -> bool {
    matches!(
        word,
        b"Jan"
            | b"Feb"
            | b"Mar"
            | b"Apr"
            | b"May"
            | b"Jun"
            | b"Jul"
            | b"Aug"
            | b"Sep"
            | b"Oct"
            | b"Nov"
            | b"Dec"
            | b"Mon"
            | b"Tue"
            | b"Wed"
            | b"Thu"
            | b"Fri"
            | b"Sat"
            | b"Sun"
    )
}

/// Whether `word` may follow a time of day: the halves of the day and the zones that logs spell out.
pub fn is_zone(word: &[u8]) -> bool {
    match word.len() {
        1 => word == b"Z",
        2 => matches!(word, b"AM" | b"PM" | b"am" | b"pm"),
        3 => matches!(
            word,
            b"UTC"
                | b"GMT"
                | b"CET"
                | b"EET"
                | b"WET"
                | b"MSK"
                | b"EST"
                | b"EDT"
                | b"CST"
                | b"CDT"
                | b"MST"
                | b"MDT"
                | b"PST"
                | b"PDT"
                | b"IST"
                | b"JST"
                | b"KST"
                | b"BST"
                | b"HKT"
                | b"SGT"
                | b"BRT"
                | b"HST"
        ),
        4 => matches!(
            word,
            b"CEST" | b"EEST" | b"WEST" | b"AEST" | b"AEDT" | b"ACST" | b"AWST" | b"NZST" | b"NZDT" | b"AKST" | b"SAST"
        ),
        _ => false,
    }
}
