use std::cmp::Ordering;
use std::time::{Duration, SystemTime};

use chrono::NaiveDate;
use proptest::prelude::*;

use super::*;

fn read(name: &str) -> Vec<(String, Order, Option<Compression>)> {
    let text = |base: OsString| base.into_string().unwrap();
    readings(OsStr::new(name)).into_iter().map(|read| (text(read.base), read.order, read.compressed)).collect()
}

/// The order that `name` tells as an archive of `base`.
fn order(name: &str, base: &str) -> Order {
    let mut all = read(name).into_iter().filter(|read| read.0 == base);
    let found = all.next().unwrap_or_else(|| panic!("{name} is no archive of {base}")).1;
    assert!(all.next().is_none(), "{name} is twice an archive of {base}");
    found
}

fn bases(name: &str) -> Vec<String> {
    read(name).into_iter().map(|read| read.0).collect()
}

/// A date with milliseconds.
fn date(year: i32, month: u32, day: u32, clock: (u32, u32, u32, u32)) -> Order {
    let at = NaiveDate::from_ymd_opt(year, month, day).unwrap();
    Order::Date { at: at.and_hms_milli_opt(clock.0, clock.1, clock.2, clock.3).unwrap(), serial: 0 }
}

fn serial(order: Order, serial: u32) -> Order {
    match order {
        Order::Date { at, .. } => Order::Date { at, serial },
        Order::Epoch { millis, .. } => Order::Epoch { millis, serial },
        other => other,
    }
}

const NO_CLOCK: (u32, u32, u32, u32) = (0, 0, 0, 0);

#[test]
fn numbers_make_chains() {
    for (name, number) in [
        ("app.log.1", 1),
        ("app.log.0", 0),
        ("app.log.2.gz", 2),
        ("app.log-1", 1),
        ("app.log_7.xz", 7),
        ("app.1.log", 1),
        ("app-12.log", 12),
        ("app.3.log.gz", 3),
        ("app.log.99999", 99999),
    ] {
        assert_eq!(order(name, "app.log"), Order::Number(number), "{name}");
    }
    assert_eq!(order("messages.10", "messages"), Order::Number(10));
    assert_eq!(order("web-1.log", "web.log"), Order::Number(1));
    assert_eq!(order(".app.log.1", ".app.log"), Order::Number(1));
}

#[test]
fn dates_are_read_however_they_are_written() {
    let day = date(2026, 11, 20, NO_CLOCK);
    let noon = date(2026, 11, 20, (12, 0, 0, 0));
    let second = date(2026, 11, 20, (12, 0, 1, 0));
    for (name, expected) in [
        ("app.log.2026-11-20", &day),
        ("app.log.2026-11-20.gz", &day),
        ("app.log.2026.11.20", &day),
        ("app.log.2026_11_20", &day),
        ("app.log-20261120", &day),
        ("app-20261120.log", &day),
        ("app_20261120.log.zst", &day),
        ("app.2026-11-20.log", &day),
        ("app.log.2026-11", &date(2026, 11, 1, NO_CLOCK)),
        ("app.log.2026-11-20_12", &noon),
        ("app.log-2026112012", &noon),
        ("app.log-2026112012.gz", &noon),
        ("app.log.2026-11-20T12:00:00Z", &noon),
        ("app-2026-11-20T12:00:00Z.log", &noon),
        ("app.log-2026-11-20-12", &noon),
        ("app.log-202611201200", &noon),
        ("app.log.2026-11-20_12-00", &noon),
        ("app.log.2026-11-20_12-00-01", &second),
        ("app-20261120-120001.log", &second),
        ("app-20261120120001.log", &second),
        ("app.log-20261120T120001Z", &second),
        ("app.log.2026-11-20 12:00:01", &second),
        ("app.log.2026-11-20T12:00:01+00:00", &second),
        ("app.log.2026-11-20_13-00-01+0100", &second),
        ("app.log.2026-11-20_13-00-01+01", &second),
        ("app.log.2026-11-20T07:00:01-0500", &second),
        ("app.log.2026-11-20_07-0500", &noon),
        ("app.log.2026-11-20_07-00-0500.gz", &noon),
        ("app.log.2026-11-21T01:00:00+13:00", &noon),
        ("app-2026-11-20T12-00-01.555.log", &date(2026, 11, 20, (12, 0, 1, 555))),
        ("app.log.2026-11-20T12:00:01.555000000Z", &date(2026, 11, 20, (12, 0, 1, 555))),
        ("app.log-20161231T235960Z", &date(2016, 12, 31, (23, 59, 59, 0))),
        ("app.log.2026-11-20.1", &serial(day.clone(), 1)),
        ("app.log.2026-11-20_12-00-01.12.gz", &serial(second.clone(), 12)),
        ("app.log.2026-11-20_13-00-01+0100.3", &serial(second.clone(), 3)),
        ("app-20261120-120001.2.log", &serial(second.clone(), 2)),
        ("app.log-20261120.1", &serial(day.clone(), 1)),
    ] {
        assert_eq!(order(name, "app.log"), *expected, "{name}");
    }
}

#[test]
fn seconds_since_1970_are_no_dates() {
    let epoch = |millis| Order::Epoch { millis, serial: 0 };
    for name in [
        "app.log.1795172400",
        "app.log-1795172400.gz",
        "app.1795172400.log",
        "app.log-20261120-1795172400",
        "app.log.1795172400000",
    ] {
        assert_eq!(order(name, "app.log"), epoch(1_795_172_400_000), "{name}");
    }
    // Day, month and year, if it were a date.
    assert_eq!(order("app.log.1712202600", "app.log"), epoch(1_712_202_600_000));
    assert_eq!(order("app.log.1999123123", "app.log"), epoch(1_999_123_123_000));
    // After 2033, what is no date.
    assert_eq!(order("app.log.2099999999", "app.log"), epoch(2_099_999_999_000));
}

#[test]
fn labels_are_archives_of_current() {
    for (name, compressed) in [
        ("@4000000069205f2c1dcd6500.s", None),
        ("@4000000069205f2c1dcd6500.u", None),
        ("@4000000069205F2C1DCD6500.t", None),
        ("@4000000069205f2c1dcd6500.s.gz", Some(Compression::Gzip)),
    ] {
        let expected = ("current".to_owned(), Order::Tai64n(0x4000_0000_6920_5f2c_1dcd_6500), compressed);
        assert_eq!(read(name)[0], expected, "{name}");
    }
    for name in
        ["@4000000069205f2c1dcd6500", "@4000000069205f2c1dcd650.s", "@4000000069205g2c1dcd6500.s", "@.s", "current"]
    {
        assert!(read(name).is_empty(), "{name}");
    }
}

#[test]
fn what_tells_no_age_has_no_order() {
    for name in [
        "app.log.old",
        "app.log.old.gz",
        "app.old.log",
        "app.log.20-11-2026",
        "app.log-11-20-2026",
        "app-20.11.2026.log",
        "app.log.20_11_2026_12-00",
        "app-20112026.log",
        "app-11202026.log.gz",
        "app.log.gz",
        "app.log.Z",
    ] {
        assert_eq!(order(name, "app.log"), Order::Unknown, "{name}");
    }
}

#[test]
fn other_names_are_not_those_of_archives() {
    for name in [
        "",
        ".",
        "..",
        "-",
        "1",
        ".1",
        "..1",
        ".gz",
        ".log",
        "app",
        "app.log",
        "app2.log",
        "app.log.x1",
        "app-v2.log",
        "app.log.bak",
        "app.log~",
        "app.log.1.tmp",
        ".app.log.1.abc",
        ".app.log.4711-0.tmp",
        "app.log.1~",
        "app.log.01",
        "app.log.123456",
        "app.log.1234567",
        "app.log.20261320",
        "app.log.2026-02-30",
        "app.log.0000000001",
        "app.log.123456789012",
        "app.log.-1",
        "app.log.+1",
        "app.log.",
        "2026-11-20.log",
        "state",
        "lock",
        "app.log.é1",
        ".app.1.log",
    ] {
        let wrong: Vec<_> = read(name).into_iter().filter(|read| !NOISE.contains(&(name, &read.0))).collect();
        assert!(wrong.is_empty(), "{name}: {wrong:?}");
    }
}

/// Readings that are formally right, of logs that hardly exist.
const NOISE: [(&str, &str); 2] = [("app.log.2026-02-30", "app.log.2026-02"), ("app.log.-1", "app.log.")];

#[test]
fn all_readings_are_told_the_shortest_log_first() {
    for (name, expected) in [
        ("app.log-20261120.1", vec!["app.log", "app.log-20261120"]),
        ("app.log.1.gz", vec!["app.log", "app.log.1"]),
        ("app.log.1.2", vec!["app.log.1"]),
        // No cut falls within a time.
        ("app.log.2026-11-20", vec!["app.log"]),
        ("app.log.2026-11-20_12-00-01+0100", vec!["app.log"]),
        ("app.2026-11-20.log", vec!["app.log"]),
        ("app.log-20261120-1795172400", vec!["app.log"]),
        ("app-1-2.log", vec!["app-1.log"]),
        ("app-20261120.log.1", vec!["app-20261120.log"]),
        ("app.1.log-20261120", vec!["app.1.log"]),
        ("web-1.log.3", vec!["web-1.log"]),
        ("app.log-20261120.log.gz", vec!["app.log.log", "app.log-20261120.log"]),
    ] {
        assert_eq!(bases(name), expected, "{name}");
    }
}

#[test]
fn names_need_not_be_utf_8() {
    let found = readings(OsStr::from_bytes(b"\xff.log.1"));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].base.as_bytes(), b"\xff.log");
    assert_eq!(readings(OsStr::from_bytes(b"a.1.\xff"))[0].base.as_bytes(), b"a.\xff");
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

#[test]
fn the_older_comes_first_by_what_the_names_tell() {
    for ascending in [
        &["app.log.10", "app.log.9.gz", "app.log.1", "app.log.0"][..],
        &[
            "app.log.2026-11-19",
            "app.log.2026-11-20",
            "app.log.2026-11-20.1",
            "app.log.2026-11-20.2",
            "app.log.2026-11-20.10",
        ],
        // The hour that comes twice when summer time ends.
        &["app.log.2026-10-25_02-59-59+0200", "app.log.2026-10-25_02-00-00+0100"],
        &["app.log-999999999000", "app.log-1795172399", "app.log-1795172400"][1..],
        &["app-20261120-120000.log", "app-20261120-120000.1.log", "app-20261120-120001.log.gz"],
    ] {
        for pair in ascending.windows(2) {
            let (one, other) = (order(pair[0], "app.log"), order(pair[1], "app.log"));
            // The times of writing say the opposite, and don't count.
            assert_eq!(oldest_first((&one, at(2)), (&other, at(1))), Ordering::Less, "{pair:?}");
            assert_eq!(oldest_first((&other, at(1)), (&one, at(2))), Ordering::Greater, "{pair:?}");
        }
    }
    let label = |name| order(name, "current");
    let (one, other) = (label("@4000000069205f2c1dcd6500.u"), label("@4000000069205f2d00000000.s"));
    assert_eq!(oldest_first((&one, at(2)), (&other, at(1))), Ordering::Less);
}

#[test]
fn names_that_tell_different_things_leave_it_to_the_time_of_writing() {
    let (number, day) = (Order::Number(1), order("app.log.2026-11-20", "app.log"));
    assert_eq!(oldest_first((&number, at(1)), (&day, at(2))), Ordering::Less);
    assert_eq!(oldest_first((&number, at(2)), (&day, at(1))), Ordering::Greater);
    assert_eq!(oldest_first((&Order::Unknown, at(2)), (&Order::Unknown, at(1))), Ordering::Greater);
    // A plain file and its compressed twin.
    assert_eq!(oldest_first((&number, at(1)), (&number, at(2))), Ordering::Less);
}

#[test]
fn a_mixture_is_sorted_kind_by_kind() {
    let mut archives = vec![
        ("app.log.1", 5),
        ("app.log.2026-11-20", 3),
        ("app.log.old", 4),
        ("app.log.2", 9),
        ("app.log.2026-11-19", 2),
    ]
    .into_iter()
    .map(|(name, written)| (name, order(name, "app.log"), at(written)))
    .collect();
    sort_oldest_first(&mut archives, |archive: &(&str, Order, SystemTime)| (&archive.1, archive.2));
    let names: Vec<_> = archives.iter().map(|archive| archive.0).collect();
    assert_eq!(names, ["app.log.2026-11-19", "app.log.2026-11-20", "app.log.old", "app.log.2", "app.log.1"]);
}

fn any_order() -> impl Strategy<Value = Order> {
    prop_oneof![
        (0..4u32).prop_map(Order::Number),
        (1..4u32, 0..3u32).prop_map(|(day, number)| serial(date(2026, 11, day, NO_CLOCK), number)),
        (0..4u64, 0..3u32).prop_map(|(millis, serial)| Order::Epoch { millis, serial }),
        (0..4u128).prop_map(Order::Tai64n),
        Just(Order::Unknown),
    ]
}

proptest! {
    #[test]
    fn any_bytes_are_a_name(name in prop::collection::vec(any::<u8>(), 0..80)) {
        readings(OsStr::from_bytes(&name));
    }

    #[test]
    fn a_log_is_never_the_archive_itself_and_begins_as_it_does(
        name in "(app|current|@|[.\\-_:,+ TZ]|[0-9]{1,4}|2026|11|20|[0-9]{10}|log|old|gz|tmp|é){0,16}",
    ) {
        let found = readings(OsStr::new(&name));
        prop_assert!(found.windows(2).all(|pair| pair[0].base.len() <= pair[1].base.len()));
        for read in found {
            prop_assert!(read.base.len() < name.len() && !read.base.is_empty());
            prop_assert_eq!(read.base.as_bytes()[0], name.as_bytes()[0]);
        }
    }

    #[test]
    fn any_log_has_archives(
        log in prop::collection::vec(any::<u8>().prop_filter("no slash", |byte| *byte != b'/'), 1..20),
        number in 0..99999u32,
    ) {
        prop_assume!(log != b"." && log != b"..");
        for tag in [format!(".{number}"), format!("-{number}.gz"), ".2026-11-20_12-00-01.1".into(), "-20261120".into()] {
            let name = [&log, tag.as_bytes()].concat();
            prop_assert!(readings(OsStr::from_bytes(&name)).iter().any(|read| read.base.as_bytes() == log), "{tag}");
        }
    }

    #[test]
    fn sorting_keeps_everything_and_each_kind_in_its_order(
        mut archives in prop::collection::vec((any_order(), 0..6u64), 0..40),
    ) {
        let mut before = archives.clone();
        let times = |archive: &(Order, u64)| at(archive.1);
        let mut timed: Vec<_> = archives.drain(..).map(|archive| (archive.0.clone(), times(&archive), archive.1)).collect();
        sort_oldest_first(&mut timed, |archive| (&archive.0, archive.1));
        for (place, younger) in timed.iter().enumerate() {
            for older in &timed[..place] {
                prop_assert_ne!(older.0.compare(&younger.0), Some(Ordering::Greater));
            }
        }
        let key = |archive: &(Order, u64)| format!("{archive:?}");
        let mut after: Vec<_> = timed.into_iter().map(|(order, _, time)| (order, time)).collect();
        before.sort_by_key(key);
        after.sort_by_key(key);
        prop_assert_eq!(before, after);
    }
}
