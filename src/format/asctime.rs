//! `asctime`: Python's `formatTime`, by strftime and zone, kept for as long as the second lasts.

use std::fmt::Write;

use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, Utc};

use super::FormatError;
use crate::clock::Zone;

/// Python's default; the milliseconds follow the comma.
const DEFAULT: &str = "%Y-%m-%d %H:%M:%S,";

/// A date format and what it last wrote.
#[derive(Clone, Debug)]
pub struct Asctime {
    items: Vec<Item<'static>>,
    millis: bool,
    /// The format shows parts of a second, so that nothing can be kept.
    sub_second: bool,
    text: String,
    /// The second and the zone that `text` was written for.
    kept: Option<(i64, Zone)>,
}

impl Asctime {
    /// Without a format (or with an empty one, as in Python) `2026-11-20 12:00:00,123`. The format is tried out here,
    /// because some of chrono's specifiers are only for parsing and fail when they are written.
    pub fn parse(datefmt: Option<&str>) -> Result<Self, FormatError> {
        let datefmt = datefmt.filter(|format| !format.is_empty());
        let bad = || FormatError::Date(datefmt.unwrap_or(DEFAULT).to_owned());
        let items = StrftimeItems::new(datefmt.unwrap_or(DEFAULT)).parse_to_owned().map_err(|_| bad())?;
        let mut asctime = Self { items, millis: datefmt.is_none(), sub_second: false, text: String::new(), kept: None };
        let mut tried = Vec::new();
        for nanos in [0, 123_456_789] {
            let time = DateTime::from_timestamp(1_700_000_000, nanos).ok_or_else(bad)?;
            if !asctime.format(time, &Zone::utc()) {
                return Err(bad());
            }
            tried.push(asctime.text.clone());
        }
        asctime.sub_second = tried[0] != tried[1];
        Ok(asctime)
    }

    /// `time` as the clock on the wall of `zone` shows it; valid until the next call.
    pub fn show(&mut self, time: DateTime<Utc>, zone: &Zone) -> &str {
        let second = time.timestamp();
        let fresh = self.kept.as_ref().is_some_and(|(kept, of)| *kept == second && of.is(zone));
        if !fresh || self.sub_second {
            self.format(time, zone);
            self.kept = Some((second, zone.clone()));
        }
        if self.millis {
            if let Some(comma) = self.text.rfind(',') {
                self.text.truncate(comma + 1);
            }
            // A leap second counts on beyond 999.
            let number = time.timestamp_subsec_millis().min(999);
            for digit in [number / 100, number / 10 % 10, number % 10] {
                self.text.push(char::from(b'0' + digit as u8));
            }
        }
        &self.text
    }

    fn format(&mut self, time: DateTime<Utc>, zone: &Zone) -> bool {
        self.text.clear();
        write!(self.text, "{}", zone.civil(time).format_with_items(self.items.iter())).is_ok()
    }
}
