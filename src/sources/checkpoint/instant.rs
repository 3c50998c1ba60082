//! Points in time as text: RFC 3339 in UTC, to the nanosecond.

use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Deserializer, Serializer, de};

pub fn serialize<S: Serializer>(time: &DateTime<Utc>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Nanos, true))
}

pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<DateTime<Utc>, D::Error> {
    String::deserialize(from)?.parse().map_err(de::Error::custom)
}

/// A point in time that may not be known.
pub mod optional {
    use super::{DateTime, Deserializer, Serializer, Utc};

    pub fn serialize<S: Serializer>(time: &Option<DateTime<Utc>>, to: S) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => super::serialize(time, to),
            None => to.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<DateTime<Utc>>, D::Error> {
        super::deserialize(from).map(Some)
    }
}

/// File systems can say years that no calendar has; they become the first or the last that there is.
pub fn to_utc(time: SystemTime) -> DateTime<Utc> {
    let epoch = DateTime::UNIX_EPOCH;
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => {
            let after = TimeDelta::from_std(after).ok();
            after.and_then(|by| epoch.checked_add_signed(by)).unwrap_or(DateTime::<Utc>::MAX_UTC)
        }
        Err(before) => {
            let before = TimeDelta::from_std(before.duration()).ok();
            before.and_then(|by| epoch.checked_sub_signed(by)).unwrap_or(DateTime::<Utc>::MIN_UTC)
        }
    }
}

/// None for what this system cannot count.
pub fn from_utc(time: DateTime<Utc>) -> Option<SystemTime> {
    let since = time.signed_duration_since(DateTime::UNIX_EPOCH);
    match since.to_std() {
        Ok(after) => UNIX_EPOCH.checked_add(after),
        Err(_) => UNIX_EPOCH.checked_sub((-since).to_std().ok()?),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn through_text(time: SystemTime) -> SystemTime {
        let mut text = Vec::new();
        serialize(&to_utc(time), &mut serde_json::Serializer::new(&mut text)).unwrap();
        from_utc(deserialize(&mut serde_json::Deserializer::from_slice(&text)).unwrap()).unwrap()
    }

    #[test]
    fn years_beyond_the_calendar_become_its_first_or_last() {
        let far = Duration::from_secs(i64::MAX as u64);
        for (time, most) in [
            (UNIX_EPOCH.checked_add(far).unwrap(), DateTime::<Utc>::MAX_UTC),
            (UNIX_EPOCH.checked_sub(far).unwrap(), DateTime::<Utc>::MIN_UTC),
        ] {
            assert_eq!(to_utc(time), most);
            assert_eq!(Some(through_text(time)), from_utc(most));
        }
    }

    proptest! {
        #[test]
        fn every_time_in_the_calendar_is_read_back(
            seconds in prop_oneof![-8_334_000_000_000..8_210_000_000_000_i64, -10..10_i64, 0..5_000_000_000_i64],
            nanoseconds in prop_oneof![Just(0), 0..1_000_000_000_u32],
        ) {
            let time = from_utc(DateTime::from_timestamp(seconds, nanoseconds).unwrap()).unwrap();
            prop_assert_eq!(through_text(time), time);
        }
    }
}
