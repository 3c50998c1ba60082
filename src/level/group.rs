//! The level in a group of a header: `[ERROR]`, `[core:error]`, `[2026-11-20T12:00:00Z ERROR app]`.

use memchr::{memchr, memrchr};

use super::header::letters;
use super::{Level, words};

/// The level that a group is or holds.
pub fn level(inside: &[u8], close: u8) -> Option<Level> {
    let inside = inside.trim_ascii();
    if let Some(level) = words::named(inside) {
        return Some(level);
    }
    match inside {
        b"Note" => return Some(Level::INFO),
        [a @ (b'E' | b'W' | b'I'), b] if a == b && close == b')' => return words::letter(*a),
        // Tornado: [E 261120 12:00:00 web:12]
        [letter, b' ', digit, ..] if digit.is_ascii_digit() => return words::letter(*letter),
        _ => {}
    }
    // Apache: [core:error], [ssl:trace3]
    if let Some(colon) = memchr(b':', inside)
        && !inside[0].is_ascii_digit()
        && inside[..colon].iter().all(|b| b.is_ascii_lowercase() || matches!(b, b'_' | b'0'..=b'9'))
    {
        let level = &inside[colon + 1..];
        let level = level.strip_suffix(b"1").unwrap_or(level);
        let level = if level.starts_with(b"trace") && level.len() <= 6 { &level[..5] } else { level };
        if level.iter().all(u8::is_ascii_lowercase)
            && let Some(level) = words::named(level)
        {
            return Some(level);
        }
    }
    // Minecraft: [Server thread/INFO]
    if let Some(slash) = memrchr(b'/', inside)
        && let Some(level) = words::capitals(&inside[slash + 1..])
    {
        return Some(level);
    }
    // A time, then the level: [2026-11-20T12:00:00Z ERROR app], [2026-11-20 12:00:00,123: ERROR/MainProcess]
    inside
        .split(|b| matches!(b, b' ' | b':' | b',' | b'/' | b'|'))
        .find(|part| {
            let run = letters(part);
            !(run.is_empty() || run.len() == part.len() && (words::is_calendar(part) || words::is_zone(part)))
        })
        .and_then(words::capitals)
}
