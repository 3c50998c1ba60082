//! When a log is due to roll over by the clock (the schedule of Python's TimedRotatingFileHandler).
//!
//! `S`, `M`, `H` and `D` are lengths of time, counted from the instant they are handed. `midnight` and `W0`..`W6` are
//! times on the wall, by the rules of a zone. A rollover is always later than the instant it is asked for, so nothing
//! that the clock does (a change of hour, a jump) makes a log roll twice in a row.

use std::num::NonZeroU32;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Days, FixedOffset, NaiveDate, NaiveTime, TimeDelta, Timelike, Utc, Weekday};
use thiserror::Error;

use super::civil;
use crate::clock::Zone;

/// A schedule that could not be read, with what would be right.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum WhenError {
    #[error("'{0}' is no schedule: S, M, H, D, midnight, or W0 (Monday) to W6 (Sunday)")]
    Unit(String),
    #[error("'{0}' is no time of day: HH:MM or HH:MM:SS from 00:00 to 23:59:59, as in 03:30")]
    AtTime(String),
}

/// What an interval is counted in (Python's `when`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// `S`
    Second,
    /// `M`
    Minute,
    /// `H`
    Hour,
    /// `D`: 24 hours, wherever they begin and end.
    Day,
    /// `midnight`: the end of a day, or the time of day that was asked for.
    Midnight,
    /// `W0` (Monday) to `W6`: the midnight that ends this day of the week, or the time of day on it.
    Weekday(Weekday),
}

impl FromStr for Unit {
    type Err = WhenError;

    fn from_str(text: &str) -> Result<Self, WhenError> {
        Ok(match text.to_ascii_uppercase().as_str() {
            "S" => Self::Second,
            "M" => Self::Minute,
            "H" => Self::Hour,
            "D" => Self::Day,
            "MIDNIGHT" => Self::Midnight,
            "W0" => Self::Weekday(Weekday::Mon),
            "W1" => Self::Weekday(Weekday::Tue),
            "W2" => Self::Weekday(Weekday::Wed),
            "W3" => Self::Weekday(Weekday::Thu),
            "W4" => Self::Weekday(Weekday::Fri),
            "W5" => Self::Weekday(Weekday::Sat),
            "W6" => Self::Weekday(Weekday::Sun),
            _ => return Err(WhenError::Unit(text.to_owned())),
        })
    }
}

/// Reads `HH:MM` or `HH:MM:SS`.
pub fn parse_at_time(text: &str) -> Result<NaiveTime, WhenError> {
    let bad = || WhenError::AtTime(text.to_owned());
    let part = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<u32>().ok()).flatten().ok_or_else(bad)
    };
    let mut parts = text.split(':');
    let hour = part(parts.next().unwrap_or_default())?;
    let minute = part(parts.next().unwrap_or_default())?;
    let second = parts.next().map_or(Ok(0), part)?;
    let time = NaiveTime::from_hms_opt(hour, minute, second).filter(|_| parts.next().is_none());
    time.ok_or_else(bad)
}

/// A schedule of rollovers.
#[derive(Clone, Debug)]
pub struct When {
    unit: Unit,
    interval: NonZeroU32,
    at_time: Option<NaiveTime>,
    zone: Zone,
}

impl When {
    /// A rollover every `interval` units by the wall of `zone`. `at_time` counts for `midnight` and the days of the
    /// week only, in whole seconds; without it they end at 24:00.
    pub fn new(unit: Unit, interval: NonZeroU32, at_time: Option<NaiveTime>, zone: Zone) -> Self {
        let at_time = at_time.and_then(|time| time.with_nanosecond(0));
        Self { unit, interval, at_time, zone }
    }

    /// When the log rolls over next, if it was begun, last written or rolled over at `from`: always later than `from`,
    /// in whole seconds (Python's `computeRollover`). An interval that leads beyond the year 9999 ends there.
    pub fn next_after(&self, from: DateTime<Utc>) -> DateTime<Utc> {
        let start = civil::clamp(from);
        let next = match self.length() {
            Some(length) => start.checked_add_signed(length),
            None => self.next_day(start).map(|day| civil::first_after(&self.zone, day.and_time(self.time()), start)),
        };
        let next = next.unwrap_or(civil::LAST).min(civil::LAST);
        if next > from { next } else { from.checked_add_signed(TimeDelta::seconds(1)).unwrap_or(from) }
    }

    /// The start of the period that a rollover due at `rollover` ends, which is what the archive is named for: one
    /// interval earlier, and never the rollover itself. A late rollover is still named for the period that was due.
    pub fn period_start(&self, rollover: DateTime<Utc>) -> DateTime<FixedOffset> {
        let rollover = civil::clamp(rollover);
        let start = match self.length() {
            Some(length) => rollover.checked_sub_signed(length),
            None => self.previous_day(rollover).and_then(|day| {
                // A day that the zone skipped begins no earlier than the next one: the period began the day before.
                let days = [Some(day), day.pred_opt(), day.checked_sub_days(Days::new(2))];
                let starts = days.into_iter().flatten().map(|day| self.first(day));
                starts.into_iter().find(|start| *start < rollover)
            }),
        };
        self.zone.civil(start.unwrap_or(civil::FIRST).max(civil::FIRST))
    }

    /// How an archive's time is written unless the user wants it otherwise, in strftime's fields.
    pub fn suffix(&self) -> &'static str {
        match self.unit {
            Unit::Second => "%Y-%m-%d_%H-%M-%S",
            Unit::Minute => "%Y-%m-%d_%H-%M",
            Unit::Hour => "%Y-%m-%d_%H",
            Unit::Day | Unit::Midnight | Unit::Weekday(_) => "%Y-%m-%d",
        }
    }

    /// The interval, where it is a length of time whatever the wall shows.
    fn length(&self) -> Option<TimeDelta> {
        let seconds = match self.unit {
            Unit::Second => 1,
            Unit::Minute => 60,
            Unit::Hour => 3_600,
            Unit::Day => 86_400,
            Unit::Midnight | Unit::Weekday(_) => return None,
        };
        Some(TimeDelta::seconds(seconds * i64::from(self.interval.get())))
    }

    /// The time on the wall at which it rolls over; 24:00 is 00:00 of the day after.
    fn time(&self) -> NaiveTime {
        self.at_time.unwrap_or(NaiveTime::MIN)
    }

    /// The days from one rollover to the next, in weeks and single ones.
    fn days(&self, intervals: u32) -> Days {
        let step = if matches!(self.unit, Unit::Weekday(_)) { 7 } else { 1 };
        Days::new(u64::from(intervals) * step)
    }

    /// The weekday on which `time()` falls.
    fn weekday(&self) -> Option<Weekday> {
        match (self.unit, self.at_time) {
            (Unit::Weekday(day), Some(_)) => Some(day),
            (Unit::Weekday(day), None) => Some(day.succ()),
            _ => None,
        }
    }

    /// The day on which it rolls over next.
    fn next_day(&self, from: DateTime<Utc>) -> Option<NaiveDate> {
        let wall = civil::wall(&self.zone, from);
        let passed = wall.time() >= self.time();
        let mut day = if passed { wall.date().succ_opt()? } else { wall.date() };
        if let Some(weekday) = self.weekday() {
            day = day.checked_add_days(Days::new(u64::from(weekday.days_since(day.weekday()))))?;
        }
        day.checked_add_days(self.days(self.interval.get() - 1))
    }

    /// The day on which the period began that ends at `rollover`.
    fn previous_day(&self, rollover: DateTime<Utc>) -> Option<NaiveDate> {
        let wall = civil::wall(&self.zone, rollover);
        // Earlier on the wall than it should be: a gap has carried the rollover into the next day.
        let carried = wall.time() < self.time();
        let mut day = if carried { wall.date().pred_opt()? } else { wall.date() };
        if let Some(weekday) = self.weekday() {
            day = day.checked_sub_days(Days::new(u64::from(day.weekday().days_since(weekday))))?;
        }
        day.checked_sub_days(self.days(self.interval.get()))
    }

    fn first(&self, day: NaiveDate) -> DateTime<Utc> {
        civil::first_after(&self.zone, day.and_time(self.time()), civil::FIRST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::MappedLocalTime;
    use chrono_tz::Tz;
    use proptest::prelude::*;

    const DAY: i64 = 86_400;

    fn when(unit: &str, interval: u32, at_time: &str, zone: Zone) -> When {
        let at_time = (at_time != "-").then(|| parse_at_time(at_time).unwrap());
        When::new(unit.parse().unwrap(), NonZeroU32::new(interval).unwrap(), at_time, zone)
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn epoch(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    /// The rollovers after `from`, as the wall shows them, with the start of the period that each of them ends.
    fn rollovers(when: &When, from: &str, count: usize) -> Vec<(String, String)> {
        let mut from = at(from);
        let mut next = || {
            from = when.next_after(from);
            let start = when.period_start(from);
            let text = |time: DateTime<FixedOffset>| time.format("%Y-%m-%d %H:%M %:z").to_string();
            (text(when.zone.civil(from)), text(start))
        };
        (0..count).map(|_| next()).collect()
    }

    #[test]
    fn the_schedules_of_python_are_known_and_nothing_else() {
        for text in ["s", "M", "h", "D", "midnight", "MIDNIGHT", "w0", "W6"] {
            assert!(text.parse::<Unit>().is_ok(), "{text}");
        }
        for text in ["", "X", "W", "W7", "W00", "Wx", "day", " S", "ß"] {
            let error = text.parse::<Unit>().unwrap_err();
            assert!(error.to_string().contains("W0 (Monday) to W6 (Sunday)"), "{error}");
        }
    }

    #[test]
    fn a_time_of_day_has_two_digits_each() {
        assert_eq!(parse_at_time("03:30"), Ok(NaiveTime::from_hms_opt(3, 30, 0).unwrap()));
        assert_eq!(parse_at_time("23:59:59"), Ok(NaiveTime::from_hms_opt(23, 59, 59).unwrap()));
        for text in ["", "3", "03", "3:30", "24:00", "12:60", "12:00:60", "12:00:00:00", "12:00:", "+1:00", "-"] {
            assert!(parse_at_time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn from_the_epoch_in_utc_as_cpython_has_it() {
        for (unit, one, three) in [
            ("S", 1, 3),
            ("M", 60, 180),
            ("H", 3_600, 10_800),
            ("D", DAY, 3 * DAY),
            ("MIDNIGHT", DAY, 3 * DAY),
            ("W0", 5 * DAY, 19 * DAY),
        ] {
            assert_eq!(when(unit, 1, "-", Zone::utc()).next_after(epoch(0)), epoch(one), "{unit}");
            assert_eq!(when(unit, 3, "-", Zone::utc()).next_after(epoch(0)), epoch(three), "{unit}");
        }
    }

    #[test]
    fn daily_at_a_time_of_day_as_cpython_has_it() {
        for (at_time, from, next) in [
            ("-", 0, DAY),
            ("-", DAY - 1, DAY),
            ("-", DAY, 2 * DAY),
            ("-", DAY + 3_600, 2 * DAY),
            ("12:00", 0, DAY / 2),
            ("12:00", DAY / 2 - 1, DAY / 2),
            ("12:00", DAY / 2, DAY * 3 / 2),
            ("12:00", DAY / 2 + 3_600, DAY * 3 / 2),
        ] {
            let when = when("midnight", 1, at_time, Zone::utc());
            assert_eq!(when.next_after(epoch(from)), epoch(next), "{at_time} {from}");
        }
    }

    #[test]
    fn weekly_at_a_time_of_day_as_cpython_has_it() {
        let today = 19_000 * DAY;
        let weekday = i64::from(epoch(today).weekday().num_days_from_monday());
        for day in 0..7 {
            let when = when(&format!("W{day}"), 1, "12:00", Zone::utc());
            let noon = today + (day - weekday).rem_euclid(7) * DAY + DAY / 2;
            let from_noon_on = if day == weekday { noon + 7 * DAY } else { noon };
            for (from, next) in
                [(0, noon), (DAY / 2 - 1, noon), (DAY / 2, from_noon_on), (DAY / 2 + 3_600, from_noon_on)]
            {
                assert_eq!(when.next_after(epoch(today + from)), epoch(next), "W{day} {from}");
            }
        }
    }

    #[test]
    fn local_time_across_the_changes_of_2012_as_cpython_has_it() {
        let zone = Zone::of(Tz::America__New_York);
        let instant = |text: &str| {
            let civil = format!("2012-{}", text.trim_end_matches(" second").replace(' ', "T")).parse().unwrap();
            match zone.instants(civil) {
                MappedLocalTime::Single(at) => at,
                MappedLocalTime::Ambiguous(_, second) if text.ends_with("second") => second,
                MappedLocalTime::Ambiguous(first, _) => first,
                // The table asks about times in the gap too; before the change their offset was five hours.
                MappedLocalTime::None => civil.and_utc() + TimeDelta::hours(5),
            }
        };
        let mut rows = 0;
        for line in include_str!("../../tests/data/rollovers-2012.txt").lines().filter(|line| !line.starts_with('#')) {
            let (left, next) = line.split_once(" -> ").unwrap();
            let (schedule, from) = left.split_at(17);
            let [unit, interval, at_time] = schedule.split_whitespace().collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            let when = when(unit, interval.parse().unwrap(), at_time, zone.clone());
            assert_eq!(when.next_after(instant(from.trim())), instant(next), "{line}");
            rows += 1;
        }
        assert_eq!(rows, 164);
    }

    #[test]
    fn an_archive_is_named_for_the_start_of_its_period() {
        let zone = || Zone::of(Tz::America__New_York);
        for (unit, interval, at_time, rollover, start) in [
            ("midnight", 1, "-", "2012-03-12T04:00:00Z", "2012-03-11 00:00:00 -05:00"),
            ("midnight", 1, "-", "2012-11-05T05:00:00Z", "2012-11-04 00:00:00 -04:00"),
            ("midnight", 3, "-", "2012-11-05T05:00:00Z", "2012-11-02 00:00:00 -04:00"),
            ("midnight", 1, "02:30", "2012-03-11T07:30:00Z", "2012-03-10 02:30:00 -05:00"),
            ("midnight", 1, "02:30", "2012-03-12T06:30:00Z", "2012-03-11 03:30:00 -04:00"),
            ("W6", 1, "-", "2012-11-05T05:00:00Z", "2012-10-29 00:00:00 -04:00"),
            ("W6", 2, "12:00", "2012-11-04T17:00:00Z", "2012-10-21 12:00:00 -04:00"),
            ("H", 1, "-", "2012-11-04T06:00:00Z", "2012-11-04 01:00:00 -04:00"),
            ("H", 1, "-", "2012-11-04T07:00:00Z", "2012-11-04 01:00:00 -05:00"),
            ("H", 1, "-", "2012-03-11T07:00:00Z", "2012-03-11 01:00:00 -05:00"),
            ("S", 90, "-", "2012-03-11T07:00:30Z", "2012-03-11 01:59:00 -05:00"),
        ] {
            let when = when(unit, interval, at_time, zone());
            assert_eq!(when.period_start(at(rollover)).to_string(), start, "{unit} {interval} {at_time} {rollover}");
        }
    }

    #[test]
    fn a_midnight_that_the_spring_skips_falls_on_the_first_minute_after_it() {
        let sao_paulo = when("midnight", 1, "-", Zone::of(Tz::America__Sao_Paulo));
        let pair = |next: &str, start: &str| (next.to_owned(), start.to_owned());
        assert_eq!(
            rollovers(&sao_paulo, "2018-11-03T12:00:00Z", 2),
            [
                pair("2018-11-04 01:00 -02:00", "2018-11-03 00:00 -03:00"),
                pair("2018-11-05 00:00 -02:00", "2018-11-04 01:00 -02:00"),
            ]
        );
        let beirut = when("midnight", 1, "-", Zone::of(Tz::Asia__Beirut));
        assert_eq!(
            rollovers(&beirut, "2022-10-29T12:00:00Z", 2),
            [
                pair("2022-10-30 00:00 +02:00", "2022-10-29 00:00 +03:00"),
                pair("2022-10-31 00:00 +02:00", "2022-10-30 00:00 +02:00"),
            ]
        );
    }

    #[test]
    fn a_change_of_half_an_hour_is_half_an_hour() {
        let when = when("midnight", 1, "02:15", Zone::of(Tz::Australia__Lord_Howe));
        let nexts = |from| rollovers(&when, from, 2).into_iter().map(|(next, _)| next).collect::<Vec<_>>();
        assert_eq!(nexts("2025-10-04T00:00:00Z"), ["2025-10-05 02:45 +11:00", "2025-10-06 02:15 +11:00"]);
        assert_eq!(nexts("2025-04-05T00:00:00Z"), ["2025-04-06 02:15 +10:30", "2025-04-07 02:15 +10:30"]);
    }

    #[test]
    fn a_day_that_was_never_lived_has_no_archive() {
        let pair = |next: &str, start: &str| (next.to_owned(), start.to_owned());
        let daily = when("midnight", 1, "-", Zone::of(Tz::Pacific__Apia));
        assert_eq!(
            rollovers(&daily, "2011-12-29T12:00:00Z", 2),
            [
                pair("2011-12-31 00:00 +14:00", "2011-12-29 00:00 -10:00"),
                pair("2012-01-01 00:00 +14:00", "2011-12-31 00:00 +14:00"),
            ]
        );
        let friday_noon = when("W4", 1, "12:00", Zone::of(Tz::Pacific__Apia));
        assert_eq!(
            rollovers(&friday_noon, "2011-12-29T12:00:00Z", 2),
            [
                pair("2011-12-31 12:00 +14:00", "2011-12-23 12:00 -10:00"),
                pair("2012-01-06 12:00 +14:00", "2011-12-31 12:00 +14:00"),
            ]
        );
    }

    #[test]
    fn fractions_of_a_second_do_not_drift_into_the_schedule() {
        let from = at("2026-07-29T10:00:00.900Z");
        assert_eq!(when("S", 1, "-", Zone::utc()).next_after(from), at("2026-07-29T10:00:01Z"));
        assert_eq!(when("midnight", 1, "10:00", Zone::utc()).next_after(from), at("2026-07-30T10:00:00Z"));
    }

    #[test]
    fn huge_intervals_and_distant_clocks_end_in_the_year_9999() {
        for unit in ["S", "M", "H", "D", "midnight", "W3"] {
            let when = when(unit, u32::MAX, "23:59:59", Zone::of(Tz::Pacific__Kiritimati));
            for from in [DateTime::<Utc>::MIN_UTC, epoch(-1), epoch(1 << 31), at("9999-12-31T23:59:59Z")] {
                let next = when.next_after(from);
                assert!(next > from, "{unit} {from}");
                assert!(when.period_start(next).to_utc() < next, "{unit} {from}");
            }
            when.period_start(when.next_after(DateTime::<Utc>::MAX_UTC));
        }
    }

    proptest! {
        #[test]
        fn the_next_rollover_is_later_and_its_period_began_before_it(
            seconds in 0i64..2_500_000_000,
            unit in prop::sample::select(vec!["S", "M", "H", "D", "midnight", "W0", "W3", "W6"]),
            interval in 1u32..5,
            minute in prop::option::of(0u32..1_440),
            zone in prop::sample::select(vec![
                Tz::UTC, Tz::America__New_York, Tz::Australia__Lord_Howe, Tz::America__Sao_Paulo, Tz::Asia__Beirut,
                Tz::Pacific__Apia, Tz::Africa__Casablanca, Tz::America__Havana, Tz::America__St_Johns,
                Tz::Antarctica__Troll, Tz::Pacific__Kwajalein, Tz::Asia__Kathmandu,
            ]),
        ) {
            let at_time = minute.and_then(|minute| NaiveTime::from_hms_opt(minute / 60, minute % 60, 0));
            let when = When::new(unit.parse().unwrap(), NonZeroU32::new(interval).unwrap(), at_time, Zone::of(zone));
            let from = epoch(seconds);
            let next = when.next_after(from);
            prop_assert!(next > from);
            prop_assert!(when.next_after(next) > next);
            let start = when.period_start(next).to_utc();
            prop_assert!(start < next);
            let interval = i64::from(interval);
            let (shortest, longest) = match unit {
                "S" => (interval, interval),
                "M" => (interval * 60, interval * 60),
                "H" => (interval * 3_600, interval * 3_600),
                "D" => (interval * DAY, interval * DAY),
                "midnight" => (interval * DAY - 2 * DAY, interval * DAY + 2 * DAY),
                _ => (interval * 7 * DAY - 2 * DAY, interval * 7 * DAY + 2 * DAY),
            };
            let length = (next - start).num_seconds();
            prop_assert!(shortest <= length && length <= longest, "{start} to {next}");
            prop_assert!((next - from).num_seconds() <= longest, "{from} to {next}");
        }
    }
}
