//! What tells archives of one log apart: a number, or a time.

use super::Order;
use super::time::{self, Time};

/// What stands between a log's name and its end or extension.
#[derive(Debug, PartialEq, Eq)]
pub struct Tag {
    pub order: Order,
    /// How many bytes of it are one time; nobody's archive has a name that was cut within them.
    pub whole: usize,
}

/// The whole of `text` as a tag.
pub fn parse(text: &[u8]) -> Option<Tag> {
    if text == b"old" {
        return Some(Tag { order: Order::Unknown, whole: 0 });
    }
    // Savelog begins at 0.
    if let Some(number) = short_number(text).filter(|_| text == b"0" || !text.starts_with(b"0")) {
        return Some(Tag { order: Order::Number(number), whole: 0 });
    }
    time::readings(text).into_iter().find_map(|(time, rest)| {
        let serial = match rest {
            [] => 0,
            [b'.', digits @ ..] => short_number(digits)?,
            _ => return None,
        };
        let order = match time {
            Time::Civil(at) => Order::Date { at, serial },
            Time::Epoch(millis) => Order::Epoch { millis, serial },
            Time::Unordered => Order::Unknown,
        };
        Some(Tag { order, whole: text.len() - rest.len() })
    })
}

/// At most five digits: whatever is longer is no count of archives.
fn short_number(digits: &[u8]) -> Option<u32> {
    if digits.len() > 5 { None } else { number(digits) }
}

/// Digits and nothing else.
pub fn number<T: std::str::FromStr>(digits: &[u8]) -> Option<T> {
    let all = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits).ok().filter(|_| all)?.parse().ok()
}
