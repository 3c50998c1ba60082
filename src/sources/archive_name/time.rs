//! Times as rotators write them into names.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

use super::tag::number;

/// What a name says of the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// By the calendar; by UTC where the offset is written, or else by the clock on the wall.
    Civil(NaiveDateTime),
    /// Milliseconds since 1970.
    Epoch(u64),
    /// A date that does not begin with the year: day and month may be either way round.
    Unordered,
}

/// The ways to read a time at the beginning of `text`, the longest first, each with what is left.
pub fn readings(text: &[u8]) -> Vec<(Time, &[u8])> {
    let run = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at(run);
    match run {
        1 | 2 => day_first(text),
        4 => spread(text),
        8 | 10 | 12 | 14 => {
            let dates = compact(digits, rest);
            if dates.is_empty() && run == 10 { epoch(digits, 1000, rest) } else { dates }
        }
        // Java's milliseconds.
        13 => epoch(digits, 1, rest),
        _ => Vec::new(),
    }
}

/// Without a leading zero, so of 2001 or later.
fn epoch<'a>(digits: &[u8], millis: u64, rest: &'a [u8]) -> Vec<(Time, &'a [u8])> {
    let value = number::<u64>(digits).filter(|_| !digits.starts_with(b"0"));
    value.map(|value| (Time::Epoch(value * millis), rest)).into_iter().collect()
}

/// `20261120`, with hours, minutes and seconds behind it, written together or apart.
fn compact<'a>(digits: &[u8], rest: &'a [u8]) -> Vec<(Time, &'a [u8])> {
    let (date, clock) = digits.split_at(8);
    // Ten digits are seconds since 1970 if they begin with 1, as those do until 2033.
    let in_year = year(&date[..4]).filter(|_| !(digits.len() == 10 && digits[0] == b'1'));
    match (in_year.and_then(|year| day_of(year, &date[4..6], &date[6..])), clock) {
        (Some(day), []) => with_clock(day, rest),
        (Some(day), _) => with_time(day, together(clock), clock.len() == 6, rest),
        (None, []) => {
            let day = year(&date[4..]).and_then(|year| either_way(year, &date[..2], &date[2..4]));
            day.map(|_| (Time::Unordered, rest)).into_iter().collect()
        }
        (None, _) => Vec::new(),
    }
}

/// `2026-11-20`, with a clock behind it, and `2026-11` alone.
fn spread(text: &[u8]) -> Vec<(Time, &[u8])> {
    let Some((year_digits, [separator @ (b'-' | b'.' | b'_'), rest @ ..])) = text.split_at_checked(4) else {
        return Vec::new();
    };
    let Some((month, rest)) = two(rest) else { return Vec::new() };
    let Some(year) = year(year_digits) else { return Vec::new() };
    if let Some((day_digits, rest)) = behind(rest, &[*separator]) {
        return day_of(year, month, day_digits).map_or_else(Vec::new, |day| with_clock(day, rest));
    }
    let first = day_of(year, month, b"01").filter(|_| *separator == b'-');
    first.map(|day| (Time::Civil(day.and_time(NaiveTime::MIN)), rest)).into_iter().collect()
}

/// `20-11-2026`, and `11-20-2026`.
fn day_first(text: &[u8]) -> Vec<(Time, &[u8])> {
    let read = || {
        let (first, rest) = two(text)?;
        let separator = *rest.first().filter(|byte| b"-._".contains(byte))?;
        let (second, rest) = behind(rest, &[separator])?;
        let (year_digits, rest) = rest.strip_prefix(&[separator])?.split_at_checked(4)?;
        Some((either_way(year(year_digits)?, first, second)?, rest))
    };
    let clocks = read().map_or_else(Vec::new, |(day, rest)| with_clock(day, rest));
    clocks.into_iter().map(|(_, rest)| (Time::Unordered, rest)).collect()
}

/// What may stand behind a day: nothing, a clock, or seconds since 1970 (logrotate's `-%Y%m%d-%s`).
fn with_clock(day: NaiveDate, text: &[u8]) -> Vec<(Time, &[u8])> {
    let mut readings = Vec::new();
    if let [b'T' | b'_' | b'-' | b' ', clock @ ..] = text {
        let run = clock.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = clock.split_at(run);
        match run {
            10 => readings.extend(epoch(digits, 1000, rest)),
            4 | 6 => readings.extend(with_time(day, together(digits), run == 6, rest)),
            2 => readings.extend(apart(day, clock)),
            _ => {}
        }
    }
    readings.push((Time::Civil(day.and_time(NaiveTime::MIN)), text));
    readings
}

/// `12-00-01`, `12:00:01`, or the beginning of it: what looks like minutes may be an offset, as in `12-0500`.
fn apart(day: NaiveDate, text: &[u8]) -> Vec<(Time, &[u8])> {
    const BETWEEN: &[u8] = b"-:_";
    let mut readings = Vec::new();
    let Some((hour, after_hour)) = two(text) else { return readings };
    if let Some((minute, after_minute)) = behind(after_hour, BETWEEN) {
        if let Some((second, after_second)) = behind(after_minute, &after_hour[..1]) {
            readings.extend(with_time(day, clock(hour, minute, second), true, after_second));
        }
        readings.extend(with_time(day, clock(hour, minute, b"00"), false, after_minute));
    }
    readings.extend(with_time(day, clock(hour, b"00", b"00"), false, after_hour));
    readings
}

/// `12`, `1200`, or `120001`.
fn together(digits: &[u8]) -> Option<NaiveTime> {
    let pair = |at: usize| digits.get(at..at + 2).unwrap_or(b"00");
    clock(pair(0), pair(2), pair(4))
}

/// What may stand behind a clock: a part of a second, and an offset.
fn with_time(day: NaiveDate, time: Option<NaiveTime>, has_seconds: bool, text: &[u8]) -> Vec<(Time, &[u8])> {
    let Some(time) = time else { return Vec::new() };
    let mut at = day.and_time(time);
    let mut text = text;
    if let Some((part, rest)) = fraction(text).filter(|_| has_seconds) {
        at += part;
        text = rest;
    }
    let with_offset = offset(text).and_then(|(offset, rest)| Some((Time::Civil(at.checked_sub_signed(offset)?), rest)));
    with_offset.into_iter().chain([(Time::Civil(at), text)]).collect()
}

/// Three, six or nine digits; another number of them is a serial number.
fn fraction(text: &[u8]) -> Option<(TimeDelta, &[u8])> {
    let [b'.' | b',', rest @ ..] = text else { return None };
    let run = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = rest.split_at(run);
    let unit = match run {
        3 => 1_000_000,
        6 => 1000,
        9 => 1,
        _ => return None,
    };
    Some((TimeDelta::nanoseconds(number::<i64>(digits)? * unit), rest))
}

/// `Z`, `+0100`, `+01:00`, `+01`.
fn offset(text: &[u8]) -> Option<(TimeDelta, &[u8])> {
    let (sign, rest) = match text {
        [b'Z', rest @ ..] => return Some((TimeDelta::zero(), rest)),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (hours, rest) = two(rest)?;
    let minutes = behind(rest, b":").or_else(|| two(rest));
    let (minutes, rest) = minutes.unwrap_or((b"00", rest));
    let (hours, minutes) = (number::<i64>(hours)?, number::<i64>(minutes)?);
    (hours < 24 && minutes < 60).then(|| (TimeDelta::minutes(sign * (60 * hours + minutes)), rest))
}

/// Two digits and what is behind them.
fn two(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (digits, rest) = text.split_at_checked(2)?;
    digits.iter().all(u8::is_ascii_digit).then_some((digits, rest))
}

/// Two digits behind one of `separators`.
fn behind<'a>(text: &'a [u8], separators: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let (separator, rest) = text.split_first()?;
    if separators.contains(separator) { two(rest) } else { None }
}

/// Only such years as logs are of.
fn year(digits: &[u8]) -> Option<i32> {
    number(digits).filter(|year| (1970..2200).contains(year))
}

fn day_of(year: i32, month: &[u8], day: &[u8]) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(year, number(month)?, number(day)?)
}

fn either_way(year: i32, one: &[u8], other: &[u8]) -> Option<NaiveDate> {
    day_of(year, other, one).or_else(|| day_of(year, one, other))
}

/// A leap second is taken for the one before it.
fn clock(hour: &[u8], minute: &[u8], second: &[u8]) -> Option<NaiveTime> {
    let second: u32 = number(second)?;
    NaiveTime::from_hms_opt(number(hour)?, number(minute)?, if second == 60 { 59 } else { second })
}
