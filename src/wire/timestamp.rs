//! Times as text: RFC 3339 with microseconds and offset, and the BSD form `Nov  3 07:08:09` of RFC 3164.

use chrono::{DateTime, Datelike, FixedOffset, NaiveDateTime, Timelike};

const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// Appends `time` as `2026-11-20T12:00:00.123456+01:00`; false, and nothing, for a year that has no four digits.
///
/// The offset is cut to whole minutes, as the grammar has it, and the clock moved along so that the instant stays. A
/// leap second is the last microsecond of the second before it, because RFC 5424 forbids `:60`.
pub fn rfc3339(time: &DateTime<FixedOffset>, out: &mut Vec<u8>) -> bool {
    let seconds = time.offset().local_minus_utc();
    let minutes = seconds / 60;
    let civil = match FixedOffset::east_opt(minutes * 60) {
        Some(offset) if minutes * 60 != seconds => time.with_timezone(&offset).naive_local(),
        _ => time.naive_local(),
    };
    let Ok(year @ 0..=9999) = u32::try_from(civil.year()) else { return false };
    digits::<4>(year, out);
    out.push(b'-');
    digits::<2>(civil.month(), out);
    out.push(b'-');
    digits::<2>(civil.day(), out);
    out.push(b'T');
    clock(&civil, out);
    out.push(b'.');
    digits::<6>(civil.nanosecond().min(999_999_999) / 1000, out);
    out.push(if minutes < 0 { b'-' } else { b'+' });
    digits::<2>(minutes.unsigned_abs() / 60, out);
    out.push(b':');
    digits::<2>(minutes.unsigned_abs() % 60, out);
    true
}

/// Appends `time` as the clock on its wall shows it. The form has neither year nor offset, so what reads it takes it
/// for its own zone's: hand over local time.
pub fn bsd(time: &DateTime<FixedOffset>, out: &mut Vec<u8>) {
    let civil = time.naive_local();
    out.extend_from_slice(MONTHS[civil.month0() as usize % 12]);
    out.push(b' ');
    if civil.day() < 10 {
        out.push(b' ');
        digits::<1>(civil.day(), out);
    } else {
        digits::<2>(civil.day(), out);
    }
    out.push(b' ');
    clock(&civil, out);
}

fn clock(civil: &NaiveDateTime, out: &mut Vec<u8>) {
    digits::<2>(civil.hour(), out);
    out.push(b':');
    digits::<2>(civil.minute(), out);
    out.push(b':');
    digits::<2>(civil.second(), out);
}

/// Appends the last N digits of `number`.
fn digits<const N: usize>(mut number: u32, out: &mut Vec<u8>) {
    let mut text = [b'0'; N];
    for digit in text.iter_mut().rev() {
        *digit += (number % 10) as u8;
        number /= 10;
    }
    out.extend_from_slice(&text);
}

#[cfg(test)]
mod tests {
    use chrono::{NaiveDate, TimeZone};
    use proptest::prelude::*;

    use super::*;

    fn shown(time: &DateTime<FixedOffset>) -> String {
        let mut out = Vec::new();
        assert!(rfc3339(time, &mut out));
        String::from_utf8(out).unwrap()
    }

    fn at(text: &str) -> DateTime<FixedOffset> {
        DateTime::parse_from_rfc3339(text).unwrap()
    }

    #[test]
    fn microseconds_and_the_offset_are_always_there() {
        assert_eq!(shown(&at("2026-11-20T12:00:00Z")), "2026-11-20T12:00:00.000000+00:00");
        assert_eq!(shown(&at("2026-01-02T03:04:05.000067999-09:30")), "2026-01-02T03:04:05.000067-09:30");
        assert_eq!(shown(&at("0000-01-01T00:00:00+23:59")), "0000-01-01T00:00:00.000000+23:59");
    }

    #[test]
    fn an_offset_with_seconds_keeps_the_instant() {
        // Amsterdam until 1937.
        let time = FixedOffset::east_opt(1172).unwrap().with_ymd_and_hms(1930, 1, 1, 0, 19, 32).unwrap();
        assert_eq!(shown(&time), "1930-01-01T00:19:00.000000+00:19");
        assert_eq!(at(&shown(&time)), time);
        let west = FixedOffset::west_opt(1172).unwrap().with_ymd_and_hms(1930, 1, 1, 0, 0, 0).unwrap();
        assert_eq!(at(&shown(&west)), west);
    }

    #[test]
    fn a_leap_second_is_none() {
        assert_eq!(shown(&at("2016-12-31T23:59:60.5Z")), "2016-12-31T23:59:59.999999+00:00");
        let mut out = Vec::new();
        bsd(&at("2016-12-31T23:59:60.5Z"), &mut out);
        assert_eq!(out, b"Dec 31 23:59:59");
    }

    #[test]
    fn a_year_without_four_digits_is_not_written() {
        for year in [-1, 10_000] {
            let day = NaiveDate::from_ymd_opt(year, 1, 1).unwrap().and_hms_opt(0, 0, 0).unwrap();
            let mut out = Vec::new();
            assert!(!rfc3339(&day.and_utc().fixed_offset(), &mut out));
            assert!(out.is_empty());
        }
    }

    #[test]
    fn a_day_of_one_digit_is_padded_with_a_space() {
        for (time, text) in
            [("2026-11-03T07:08:09+05:00", "Nov  3 07:08:09"), ("2026-05-31T23:00:00Z", "May 31 23:00:00")]
        {
            let mut out = Vec::new();
            bsd(&at(time), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }

    proptest! {
        #[test]
        fn chrono_agrees(seconds in -62_167_219_200i64..253_402_300_799, micros in 0u32..1_000_000, minutes in -1439i32..1440) {
            let offset = FixedOffset::east_opt(minutes * 60).unwrap();
            let time = DateTime::from_timestamp(seconds, micros * 1000).unwrap().with_timezone(&offset);
            if (0..=9999).contains(&time.year()) {
                prop_assert_eq!(at(&shown(&time)), time);
                prop_assert_eq!(shown(&time), time.format("%Y-%m-%dT%H:%M:%S%.6f%:z").to_string());
            }
            let mut out = Vec::new();
            bsd(&time, &mut out);
            prop_assert_eq!(String::from_utf8(out).unwrap(), time.format("%b %e %H:%M:%S").to_string());
        }
    }
}
