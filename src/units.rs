//! Sizes and durations as people write them: `10M`, `1.5GiB`, `90s`, `7d`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

/// A value that could not be read, with what would be right.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum UnitError {
    #[error(
        "'{0}' is no size: a number of bytes, or one with K, M, G or T (powers of 1024; kB, MB, GB of 1000), as in 10M"
    )]
    Size(String),
    #[error("'{0}' is no duration: a number with ms, s, m, h, d or w, as in 90s or 7d")]
    Duration(String),
    #[error("'{0}' is no number that can be meant: a whole number from {1} up, as in 10")]
    Number(String, u8),
}

/// Reads a whole number from 0 up.
///
/// # Errors
/// [`UnitError::Number`] for anything else, or one that is too large.
pub fn parse_number<T: FromStr>(text: &str) -> Result<T, UnitError> {
    text.parse().map_err(|_| UnitError::Number(text.to_owned(), 0))
}

/// Reads a whole number from 1 up, into a type that holds no 0.
///
/// # Errors
/// [`UnitError::Number`] for anything else, or one that is too large.
pub fn parse_positive<T: FromStr>(text: &str) -> Result<T, UnitError> {
    text.parse().map_err(|_| UnitError::Number(text.to_owned(), 1))
}

/// A number of bytes. `K`, `M`, `G`, `T` (and `KiB` …) are powers of 1024, `kB`, `MB`, `GB`, `TB` powers of 1000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(pub u64);

impl FromStr for ByteSize {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let bad = || UnitError::Size(text.to_owned());
        let (number, unit) = split_unit(text);
        let factor: u64 = match unit {
            "" | "B" | "b" => 1,
            "K" | "k" | "Ki" | "KiB" => 1 << 10,
            "M" | "m" | "Mi" | "MiB" => 1 << 20,
            "G" | "g" | "Gi" | "GiB" => 1 << 30,
            "T" | "t" | "Ti" | "TiB" => 1 << 40,
            "kB" | "KB" => 1_000,
            "MB" => 1_000_000,
            "GB" => 1_000_000_000,
            "TB" => 1_000_000_000_000,
            _ => return Err(bad()),
        };
        scale(number, factor).map(Self).ok_or_else(bad)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(&str, u64); 4] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
        match UNITS.iter().find(|(_, factor)| self.0 >= *factor) {
            Some((unit, factor)) if self.0.is_multiple_of(*factor) => write!(f, "{} {unit}", self.0 / factor),
            Some((unit, factor)) => write!(f, "{:.1} {unit}", self.0 as f64 / *factor as f64),
            None => write!(f, "{} bytes", self.0),
        }
    }
}

/// A length of time. A bare number is seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

impl FromStr for Span {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let bad = || UnitError::Duration(text.to_owned());
        let (number, unit) = split_unit(text);
        let millis: u64 = match unit {
            "ms" => 1,
            "" | "s" | "sec" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 7 * 86_400_000,
            _ => return Err(bad()),
        };
        scale(number, millis).map(|millis| Self(Duration::from_millis(millis))).ok_or_else(bad)
    }
}

fn split_unit(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    (&text[..end], text[end..].trim_start())
}

/// `number` (digits, perhaps a fraction) times `factor`, rounded down; None when it is no number or too large.
fn scale(number: &str, factor: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) || fraction.len() > 6 {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let mut part = 0u128;
    if !fraction.is_empty() {
        let numerator: u128 = fraction.parse().ok()?;
        part = numerator * u128::from(factor) / 10u128.pow(fraction.len() as u32);
    }
    whole.checked_mul(factor)?.checked_add(u64::try_from(part).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_powers_of_1024_unless_they_say_bytes() {
        for (text, bytes) in [
            ("0", 0),
            ("512", 512),
            ("10M", 10 << 20),
            ("1.5K", 1536),
            ("64 MiB", 64 << 20),
            ("1MB", 1_000_000),
            ("2G", 2 << 30),
        ] {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        }
    }

    #[test]
    fn nonsense_sizes_are_refused() {
        for text in ["", "M", "-1", "1X", "1.2.3", "99999999999T", "1e3", ".5M"] {
            assert!(text.parse::<ByteSize>().is_err(), "{text}");
        }
    }

    #[test]
    fn durations_take_a_unit_or_are_seconds() {
        for (text, millis) in
            [("1", 1_000), ("250ms", 250), ("1.5h", 5_400_000), ("7d", 604_800_000), ("2w", 1_209_600_000)]
        {
            assert_eq!(text.parse(), Ok(Span(Duration::from_millis(millis))), "{text}");
        }
        assert!("7 fortnights".parse::<Span>().is_err());
    }
}
