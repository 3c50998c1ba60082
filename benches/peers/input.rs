//! What the producer writes: the same bytes on every run.
//!
//! A fixed seed makes runs comparable, and lines that differ as real ones do make compression and the search for line
//! ends cost what they cost in life. The whole input is made beforehand, so that a timed run only writes.

use std::fmt::Write as _;

const HOSTS: [&str; 6] = ["shop", "cart", "auth", "search", "mailer", "billing"];
const PATHS: [&str; 6] = ["/", "/api/v1/items", "/static/app.js", "/login", "/api/v1/orders", "/favicon.ico"];
const AGENTS: [&str; 4] = ["Mozilla/5.0 (X11; Linux x86_64)", "curl/8.5.0", "Go-http-client/2.0", "kube-probe/1.31"];
const EVENTS: [&str; 6] = [
    "request done, response sent to the client",
    "cache miss, asked the database for the row",
    "retrying after a timeout of the upstream",
    "session renewed, token valid for an hour",
    "order accepted and handed to the warehouse",
    "connection returned to the pool of idle ones",
];

/// At least `bytes - 512` and at most `bytes` of nginx access lines, application lines and JSON, some 110 bytes each.
pub fn mixed_lines(bytes: usize) -> Vec<u8> {
    let mut dice = Dice(0x5eed_1065);
    let mut text = Vec::with_capacity(bytes);
    let mut line = String::with_capacity(512);
    let mut millis = 8 * 3_600_000_u64;
    loop {
        millis = (millis + dice.below(9)) % 86_400_000;
        line.clear();
        mixed_line(&mut line, &mut dice, millis);
        if text.len() + line.len() > bytes {
            return text;
        }
        text.extend_from_slice(line.as_bytes());
    }
}

fn mixed_line(line: &mut String, dice: &mut Dice, millis: u64) {
    let (hour, minute) = (millis / 3_600_000, millis / 60_000 % 60);
    let (second, milli) = (millis / 1000 % 60, millis % 1000);
    let host = dice.one_of(&HOSTS);
    // Writing into a String cannot fail.
    let _ = match dice.below(3) {
        0 => writeln!(
            line,
            "10.{}.{}.{} - - [20/Nov/2026:{hour:02}:{minute:02}:{second:02} +0000] \"GET {}/{} HTTP/1.1\" 200 {} \"-\" \"{}\"",
            dice.below(4),
            dice.below(256),
            dice.below(256),
            dice.one_of(&PATHS),
            dice.below(9000),
            dice.below(50_000),
            dice.one_of(&AGENTS),
        ),
        1 => writeln!(
            line,
            "2026-11-20 {hour:02}:{minute:02}:{second:02}.{milli:03} INFO  [worker-{}] {host}: {} user={} ms={}",
            dice.below(16),
            dice.one_of(&EVENTS),
            dice.below(100_000),
            dice.below(700),
        ),
        _ => writeln!(
            line,
            "{{\"time\":\"2026-11-20T{hour:02}:{minute:02}:{second:02}.{milli:03}Z\",\"level\":\"info\",\"name\":\"{host}\",\"id\":{},\"message\":\"{}\"}}",
            dice.below(1_000_000),
            dice.one_of(&EVENTS),
        ),
    };
}

/// `count` numbered lines of exactly 100 bytes, line end included.
pub fn short_lines(count: usize) -> Vec<u8> {
    let mut dice = Dice(0x5eed_0100);
    let mut text = Vec::with_capacity(count * 100);
    let mut line = String::with_capacity(128);
    for number in 0..count {
        line.clear();
        let _ = write!(line, "2026-11-20 14:52:01 INFO {number:09} {} ", dice.one_of(&EVENTS));
        while line.len() < 99 {
            line.push(char::from(b'a' + u8::try_from(dice.below(26)).unwrap_or_default()));
        }
        line.push('\n');
        text.extend_from_slice(line.as_bytes());
    }
    text
}

/// `bytes` of text without a single line end.
pub fn endless_line(bytes: usize) -> Vec<u8> {
    let mut dice = Dice(0x5eed_0001);
    std::iter::repeat_with(|| b' ' + u8::try_from(dice.below(95)).unwrap_or_default()).take(bytes).collect()
}

/// SplitMix64: small, quick, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    fn one_of<'a>(&mut self, choice: &[&'a str]) -> &'a str {
        let at = usize::try_from(self.below(choice.len() as u64)).unwrap_or_default();
        choice.get(at).copied().unwrap_or_default()
    }
}
