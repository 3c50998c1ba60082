//! Between the clock on the wall and the instants behind it, where the two disagree: an hour that is skipped in
//! spring, an hour that is lived twice in autumn, a day that an island gave up to change sides of the date line.
//!
//! Instants are found by asking the zone what its wall shows and comparing, so that a zone database which is unsure
//! of the first and last second of a change does no harm.

use chrono::{DateTime, MappedLocalTime, NaiveDateTime, TimeDelta, Utc};

use crate::clock::Zone;

const DAY: i64 = 86_400;

/// The first and the last instant that are reckoned with, in the years 1 and 9999: a schedule that leads beyond ends
/// there, and no arithmetic near them overflows.
pub(super) const FIRST: DateTime<Utc> = whole_seconds(-62_135_510_400);
pub(super) const LAST: DateTime<Utc> = whole_seconds(253_402_128_000);

const fn whole_seconds(seconds: i64) -> DateTime<Utc> {
    match DateTime::from_timestamp(seconds, 0) {
        Some(at) => at,
        None => DateTime::UNIX_EPOCH,
    }
}

/// `at` without its fraction of a second, and within what is reckoned with.
pub(super) fn clamp(at: DateTime<Utc>) -> DateTime<Utc> {
    whole_seconds(at.timestamp()).clamp(FIRST, LAST)
}

/// The first instant later than `after` at which the wall shows `civil`. A time that a gap leaves out moves forward by
/// the length of the gap: 02:30 becomes 03:30.
pub(super) fn first_after(zone: &Zone, civil: NaiveDateTime, after: DateTime<Utc>) -> DateTime<Utc> {
    let (one, other) = match zone.instants(civil) {
        MappedLocalTime::Single(at) => (Some(at), None),
        MappedLocalTime::Ambiguous(one, other) => (Some(one.min(other)), Some(one.max(other))),
        MappedLocalTime::None => (None, None),
    };
    let shows = |at: &DateTime<Utc>| *at > after && wall(zone, *at) == civil;
    one.into_iter().chain(other).find(shows).unwrap_or_else(|| across_gap(zone, civil, after))
}

/// The first instant after `from`, and no later than `to`, from which the wall is at another distance from UTC.
pub(super) fn next_shift(zone: &Zone, from: DateTime<Utc>, to: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let offset = |seconds| zone.civil(whole_seconds(seconds)).offset().local_minus_utc();
    let (mut low, end) = (from.timestamp(), to.timestamp());
    let here = offset(low);
    while low < end {
        // Two changes within a day would hide each other: no zone does that.
        let high = end.min(low + DAY);
        if offset(high) != here {
            return Some(whole_seconds(bisect(low, high, |at| offset(at) == here)));
        }
        low = high;
    }
    None
}

/// What the wall shows, without its offset.
pub(super) fn wall(zone: &Zone, at: DateTime<Utc>) -> NaiveDateTime {
    zone.civil(at).naive_local()
}

/// `civil` by the offset that held before the gap which leaves it out.
fn across_gap(zone: &Zone, civil: NaiveDateTime, after: DateTime<Utc>) -> DateTime<Utc> {
    let before = |seconds| wall(zone, whole_seconds(seconds)) < civil;
    // An offset is less than a day, so the wall has not come to `civil` at the one end and is past it at the other.
    let as_utc = civil.and_utc().timestamp();
    let start = if before(after.timestamp()) { after.timestamp() } else { i64::MIN };
    let low = start.max(as_utc - DAY - 1);
    let last = bisect(low, (as_utc + DAY + 1).max(low + 1), before) - 1;
    let offset = i64::from(zone.civil(whole_seconds(last)).offset().local_minus_utc());
    civil.and_utc() - TimeDelta::seconds(offset)
}

/// The first second from which `holds` is false, if it is true at `low` and false at `high`.
fn bisect(mut low: i64, mut high: i64, holds: impl Fn(i64) -> bool) -> i64 {
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if holds(middle) { low = middle } else { high = middle }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Tz;

    fn first(zone: Tz, civil: &str, after: &str) -> String {
        let zone = Zone::of(zone);
        let after: DateTime<Utc> = after.parse().unwrap();
        zone.civil(first_after(&zone, civil.parse().unwrap(), after)).to_string()
    }

    #[test]
    fn a_time_in_a_gap_moves_forward_by_the_length_of_the_gap() {
        for (zone, civil, instant) in [
            (Tz::America__New_York, "2012-03-11T02:30:00", "2012-03-11 03:30:00 -04:00"),
            (Tz::Australia__Lord_Howe, "2025-10-05T02:10:00", "2025-10-05 02:40:00 +11:00"),
            (Tz::America__Sao_Paulo, "2018-11-04T00:00:00", "2018-11-04 01:00:00 -02:00"),
            (Tz::Asia__Beirut, "2022-03-27T00:00:00", "2022-03-27 01:00:00 +03:00"),
            (Tz::Pacific__Apia, "2011-12-30T12:00:00", "2011-12-31 12:00:00 +14:00"),
        ] {
            assert_eq!(first(zone, civil, "2000-01-01T00:00:00Z"), instant);
        }
    }

    #[test]
    fn a_time_that_comes_twice_is_the_first_that_is_still_to_come() {
        let new_york = |after| first(Tz::America__New_York, "2012-11-04T01:30:00", after);
        assert_eq!(new_york("2012-11-04T05:29:59Z"), "2012-11-04 01:30:00 -04:00");
        assert_eq!(new_york("2012-11-04T05:30:00Z"), "2012-11-04 01:30:00 -05:00");
    }

    #[test]
    fn the_last_second_before_a_shift_is_told_from_the_first_after_it() {
        let zone = Zone::of(Tz::America__New_York);
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let shift = at("2012-11-04T06:00:00Z");
        assert_eq!(next_shift(&zone, at("2012-07-01T00:00:00Z"), at("2013-01-01T00:00:00Z")), Some(shift));
        assert_eq!(next_shift(&zone, at("2012-11-04T05:59:59Z"), shift), Some(shift));
        assert_eq!(next_shift(&zone, at("2012-07-01T00:00:00Z"), at("2012-11-04T05:59:59Z")), None);
        assert_eq!(next_shift(&zone, shift, at("2013-01-01T00:00:00Z")), None);
    }
}
