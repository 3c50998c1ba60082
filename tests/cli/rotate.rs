//! `loghand rotate` reading a pipe: names, hooks, compression, bounds, and what stands in its way. Schedules and parity
//! with Python are tested elsewhere.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime};

use rustix::process::Signal;

use crate::harness::{World, the_past};

const DAY: Duration = Duration::from_secs(86_400);

/// Lines of four bytes: `l01`, `l02`, …
fn lines(numbers: std::ops::RangeInclusive<u32>) -> String {
    numbers.map(|n| format!("l{n:02}\n")).collect()
}

// By size.

#[test]
fn a_file_is_filled_to_its_limit_and_not_beyond() {
    let world = World::new();
    world.loghand("rotate app.log --max-bytes 12").stdin(lines(1..=7)).leaves([
        ("app.log", lines(7..=7)),
        ("app.log.1", lines(4..=6)),
        ("app.log.2", lines(1..=3)),
    ]);
}

#[test]
fn the_limit_falls_inside_a_line_and_the_line_goes_whole_into_the_next_file() {
    let world = World::new();
    world.loghand("rotate app.log --max-bytes 11").stdin(lines(1..=5)).leaves([
        ("app.log", lines(5..=5)),
        ("app.log.1", lines(3..=4)),
        ("app.log.2", lines(1..=2)),
    ]);
}

#[test]
fn a_record_longer_than_the_limit_is_a_file_of_its_own() {
    let world = World::new();
    world.loghand("rotate app.log --max-bytes 8").stdin("one\nmuch longer than eight\ntwo\nten\n").leaves([
        ("app.log", "two\nten\n"),
        ("app.log.1", "much longer than eight\n"),
        ("app.log.2", "one\n"),
    ]);
}

#[test]
fn a_first_record_longer_than_the_limit_leaves_no_empty_archive() {
    let world = World::new();
    world.loghand("rotate app.log --max-bytes 1").stdin("longer\n").leaves([("app.log", "longer\n")]);
}

#[test]
fn a_line_longer_than_any_buffer_is_a_file_of_its_own() {
    let world = World::new();
    let long = [&vec![b'x'; 3 << 20][..], b"\n"].concat();
    let input = [b"one\n", &long[..], b"two\n"].concat();
    world.loghand("rotate app.log --max-bytes 100").stdin(input).leaves([
        ("app.log", &b"two\n"[..]),
        ("app.log.1", &long),
        ("app.log.2", b"one\n"),
    ]);
}

#[test]
fn the_limit_counts_bytes_and_not_characters() {
    let world = World::new();
    // Python counts the seven characters of the second line, not its fourteen bytes.
    world
        .loghand("rotate app.log --max-bytes 20")
        .stdin("ööööööö\nööööööö\n")
        .leaves([("app.log", "ööööööö\n"), ("app.log.1", "ööööööö\n")]);
}

#[test]
fn without_a_limit_nothing_is_rolled() {
    let world = World::new();
    world.loghand("rotate app.log").stdin(lines(1..=99)).leaves([("app.log", lines(1..=99))]);
}

#[test]
fn a_limit_of_zero_never_rolls() {
    let world = World::new();
    world.loghand("rotate app.log --max-bytes 0").stdin(lines(1..=9)).leaves([("app.log", lines(1..=9))]);
}

#[test]
fn a_restart_goes_on_in_the_file_that_is_there() {
    let world = World::new();
    world.put("app.log", lines(1..=2)).put("app.log.1", "older\n");
    world.loghand("rotate app.log --max-bytes 12").stdin(lines(3..=4)).leaves([
        ("app.log", lines(4..=4)),
        ("app.log.1", lines(1..=3)),
        ("app.log.2", "older\n".into()),
    ]);
}

#[test]
fn a_restart_after_a_torn_line_begins_a_new_one() {
    let world = World::new();
    world.put("app.log", "one\ntor");
    world.loghand("rotate app.log").stdin("two\n").leaves([("app.log", "one\ntor\ntwo\n")]);
}

#[test]
fn bytes_go_through_as_they_are() {
    let world = World::new();
    let bytes = b"\xef\xbb\xbfmark\r\n\n\0\n\xff\xfe\nno line end";
    world.loghand("rotate app.log").stdin(bytes).leaves([("app.log", bytes)]);
}

// How many are kept.

#[test]
fn the_backup_count_bounds_the_archives() {
    let world = World::new();
    world.loghand("rotate app.log --max-bytes 4 --backup-count 2").stdin(lines(1..=9)).leaves([
        ("app.log", "l09\n"),
        ("app.log.1", "l08\n"),
        ("app.log.2", "l07\n"),
    ]);
}

#[test]
fn ten_archives_are_kept_unless_told_otherwise() {
    let world = World::new();
    let kept = (1..=10).map(|n| (format!("app.log.{n}"), format!("l{:02}\n", 20 - n)));
    world
        .loghand("rotate app.log --max-bytes 4")
        .stdin(lines(1..=20))
        .leaves(kept.chain([("app.log".into(), "l20\n".into())]));
}

#[test]
fn a_backup_count_of_zero_keeps_all_and_the_chain_shifts_just_the_same() {
    let world = World::new();
    let kept = (1..=29).map(|n| (format!("app.log.{n}"), format!("l{:02}\n", 30 - n)));
    world
        .loghand("rotate app.log --max-bytes 4 --backup-count 0")
        .stdin(lines(1..=30))
        .leaves(kept.chain([("app.log".into(), "l30\n".into())]));
}

#[test]
fn a_smaller_backup_count_applies_to_what_an_earlier_run_left() {
    let world = World::new();
    for n in 1..=5 {
        world.put(&format!("app.log.{n}"), format!("{n}\n"));
    }
    world.loghand("rotate app.log --backup-count 2").stdin("now\n").leaves([
        ("app.log", "now\n"),
        ("app.log.1", "1\n"),
        ("app.log.2", "2\n"),
    ]);
}

#[test]
fn a_gap_in_the_chain_is_filled_and_what_lies_behind_it_stays() {
    let world = World::new();
    world.put("app.log", "now\n").put("app.log.1", "1\n").put("app.log.3", "3\n");
    world.loghand("rotate app.log --max-bytes 4").stdin("new\n").leaves([
        ("app.log", "new\n"),
        ("app.log.1", "now\n"),
        ("app.log.2", "1\n"),
        ("app.log.3", "3\n"),
    ]);
}

#[test]
fn archives_that_are_too_old_are_deleted_by_their_last_write() {
    let world = World::new();
    let now = SystemTime::now();
    world.put_at("app.log.1", "1\n", now - DAY).put_at("app.log.2", "2\n", now - 3 * DAY);
    world.put_at("app.log.bak", "not ours\n", now - 9 * DAY);
    world.loghand("rotate app.log --max-age 2d").stdin("now\n").leaves([
        ("app.log", "now\n"),
        ("app.log.1", "1\n"),
        ("app.log.bak", "not ours\n"),
    ]);
}

#[test]
fn all_files_together_stay_within_the_budget() {
    let world = World::new();
    world.put_at("app.log.3", "archive of before\n", the_past());
    // The file may take a tenth, 4 bytes; ten lines of 4 bytes are the whole budget.
    let kept = (1..=9).map(|n| (format!("app.log.{n}"), format!("l{:02}\n", 40 - n)));
    world
        .loghand("rotate app.log --max-total-bytes 40")
        .stdin(lines(1..=40))
        .leaves(kept.chain([("app.log".into(), "l40\n".into())]));
}

#[test]
fn the_budget_and_a_backup_count_both_hold() {
    let world = World::new();
    world
        .loghand("rotate app.log --max-total-bytes 1K --max-bytes 4 --backup-count 1")
        .stdin(lines(1..=5))
        .leaves([("app.log", "l05\n"), ("app.log.1", "l04\n")]);
}

#[test]
fn one_line_larger_than_the_budget_is_kept_and_said() {
    let world = World::new();
    let says = "app.log: is larger than --max-total-bytes by itself: no line is dropped for it (see --max-bytes)";
    world
        .loghand("rotate app.log --max-total-bytes 10")
        .stdin("a line of twenty\n")
        .says(says)
        .leaves([("app.log", "a line of twenty\n")]);
}

// Names.

#[test]
fn a_namer_puts_the_number_before_the_extension() {
    let world = World::new();
    world
        .loghand("rotate app.log --max-bytes 4 --backup-count 2 --namer {stem}-{n}{ext}")
        .stdin(lines(1..=5))
        .leaves([("app.log", "l05\n"), ("app-1.log", "l04\n"), ("app-2.log", "l03\n")]);
}

#[test]
fn a_namer_with_a_folder_moves_archives_there_and_makes_it() {
    let world = World::new();
    world
        .loghand("rotate logs/app.log --mkdir --max-bytes 4 --backup-count 2 --namer old/{base}.{n}")
        .stdin(lines(1..=5))
        .leaves([("logs/app.log", "l05\n"), ("logs/old/app.log.1", "l04\n"), ("logs/old/app.log.2", "l03\n")]);
}

#[test]
fn a_namer_with_a_time_numbers_what_falls_into_the_same_second() {
    let world = World::new();
    // A time without a clock rule is the moment of the rollover; a year is long enough for all three.
    world.loghand("rotate app.log --max-bytes 4 --namer {stem}-{time:%Y}.{n}{ext}").stdin(lines(1..=4)).leaves([
        ("app.log", "l04\n"),
        ("app-####.1.log", "l01\n"),
        ("app-####.2.log", "l02\n"),
        ("app-####.3.log", "l03\n"),
    ]);
}

#[test]
fn a_namer_with_a_time_alone_keeps_the_newest_by_time_and_number() {
    let world = World::new();
    world.put("app-2020.log", "older\n").put("app-2021.log.1", "old\n");
    world
        .loghand("rotate app.log --max-bytes 4 --backup-count 2 --namer {stem}-{time:%Y}{ext}")
        .stdin("one\ntwo\n")
        .leaves([("app.log", "two\n"), ("app-####.log", "one\n"), ("app-2021.log.1", "old\n")]);
}

#[test]
fn glob_characters_in_a_name_match_nothing_but_themselves() {
    let world = World::new();
    world.put("app1.log.1", "another's\n").put("app1.log.2", "another's\n");
    world.loghand("rotate --max-bytes 4 --backup-count 1").arg("app[1]*.log").stdin(lines(1..=3)).leaves([
        ("app[1]*.log", "l03\n"),
        ("app[1]*.log.1", "l02\n"),
        ("app1.log.1", "another's\n"),
        ("app1.log.2", "another's\n"),
    ]);
}

#[test]
fn files_that_only_look_like_archives_are_neither_moved_nor_deleted() {
    let neighbours = [
        "app.log.01",
        "app.log.0",
        "app.log.1.bak",
        "app.log.bak",
        "app.log-20240101",
        "app.log-20240101.gz",
        "app.log.2024-01-01",
        "app.log.x.1",
        "app.logx.1",
        "xapp.log.1",
        "app.log.1.tmp",
        "@400000006613c1e52d1f3a1c.s",
        "app.log.1.gz.gz",
    ];
    let world = World::new();
    let packed = [31u8, 139, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    for name in neighbours {
        world.put_at(name, if name.ends_with(".gz") { &packed[..] } else { b"" }, the_past());
    }
    let kept = neighbours.map(|name| (name, ""));
    world
        .loghand("rotate app.log --max-bytes 4 --backup-count 1 --max-age 1d --max-total-bytes 12")
        .stdin(lines(1..=4))
        .leaves(kept.into_iter().chain([("app.log", "l04\n"), ("app.log.1", "l03\n")]));
}

#[test]
fn a_log_whose_name_is_anothers_with_more_behind_it_keeps_its_archives() {
    let world = World::new();
    world.put("app.log.b", "").put("app.log.b.1", "b's\n").put("app.log.b.2", "b's\n");
    world.loghand("rotate app.log --max-bytes 4 --backup-count 1").stdin(lines(1..=3)).leaves([
        ("app.log", "l03\n"),
        ("app.log.1", "l02\n"),
        ("app.log.b", ""),
        ("app.log.b.1", "b's\n"),
        ("app.log.b.2", "b's\n"),
    ]);
}

// What stands in the way.

#[test]
fn a_folder_in_an_archives_place_is_stepped_over_and_said() {
    let world = World::new();
    world.folder("app.log.1");
    let says = "app.log.1: is taken, so the archive is called app.log.2";
    world.loghand("rotate app.log --max-bytes 4").stdin("one\ntwo\n").says(says).leaves([
        ("app.log", "two\n"),
        ("app.log.1/", ""),
        ("app.log.2", "one\n"),
    ]);
}

#[test]
fn a_symlink_in_an_archives_place_is_neither_moved_nor_written_through() {
    let world = World::new();
    world.put("precious", "precious\n").symlink("app.log.1", "precious");
    let says = "app.log.1: is taken, so the archive is called app.log.2";
    world.loghand("rotate app.log --max-bytes 4 --backup-count 1").stdin("one\ntwo\n").says(says).leaves([
        ("app.log", "two\n"),
        ("app.log.1@", "precious"),
        ("app.log.2", "one\n"),
        ("precious", "precious\n"),
    ]);
}

#[test]
fn a_taken_time_is_given_the_next_number_and_said() {
    let world = World::new();
    world.put_at("app.log", "one\n", the_past()).put("app.log.2024-03-10", "taken\n");
    let says = "app.log.2024-03-10: is taken, so the archive is called app.log.2024-03-10.1";
    world.loghand("rotate app.log --when midnight").stdin("two\n").says(says).leaves([
        ("app.log", "two\n"),
        ("app.log.2024-03-10", "taken\n"),
        ("app.log.2024-03-10.1", "one\n"),
    ]);
}

#[test]
fn a_taken_time_is_also_taken_when_it_is_compressed() {
    let world = World::new();
    world.put_at("app.log", "one\n", the_past()).put_at("app.log.2024-03-09", "older\n", the_past() - DAY);
    world.loghand("rotate app.log --compress").leaves([("app.log", "one\n"), ("app.log.2024-03-09", "older\n")]);
    world.loghand("rotate app.log --when midnight --compress").stdin("two\n").leaves([
        ("app.log", "two\n"),
        ("app.log.2024-03-09.gz", "older\n"),
        ("app.log.2024-03-10.gz", "one\n"),
    ]);
    world.put_at("app.log", "one again\n", the_past());
    let says = "app.log.2024-03-10: is taken, so the archive is called app.log.2024-03-10.1";
    world.loghand("rotate app.log --when midnight").stdin("two\n").says(says).leaves([
        ("app.log", "two\n"),
        ("app.log.2024-03-09.gz", "older\n"),
        ("app.log.2024-03-10.gz", "one\n"),
        ("app.log.2024-03-10.1", "one again\n"),
    ]);
}

#[test]
fn when_it_cannot_be_rolled_the_file_grows_on_and_no_line_is_lost() {
    let world = World::new();
    let says = "app.log: cannot be rolled over, so it grows on: its archives cannot be moved: File exists";
    let mut rotate = world.loghand("rotate app.log --max-bytes 4 --namer old/{base}.{n}").code(1).says(says).start();
    rotate.hears("l01\n").wrote("app.log", "l01\n");
    world.put("old", "a file where a folder should be\n");
    rotate.hears(lines(2..=5)).wrote("app.log", lines(1..=5));
    rotate.leaves([("app.log", lines(1..=5)), ("old", "a file where a folder should be\n".into())]);
}

#[test]
fn archives_that_cannot_be_looked_for_are_said_and_the_lines_go_on() {
    let world = World::new();
    world.put("old", "");
    let says = "app.log: its archives: Not a directory";
    let call = world.loghand("rotate app.log --max-bytes 4 --namer old/{base}.{n}");
    call.stdin("one\n").code(1).says(says).leaves([("app.log", "one\n"), ("old", "")]);
}

#[test]
fn a_symlink_is_never_rolled() {
    let world = World::new();
    world.put("real.log", "before\n").symlink("app.log", "real.log");
    let says = "app.log: is a symlink, which is never rolled over: name the file itself (real.log)";
    world
        .loghand("rotate app.log --max-bytes 4")
        .stdin("one\n")
        .code(1)
        .says(says)
        .leaves([("app.log@", "real.log"), ("real.log", "before\n")]);
}

#[test]
fn a_folder_is_no_log() {
    let world = World::new();
    world.folder("logs");
    world.loghand("rotate logs").stdin("one\n").code(1).says("logs: is a folder").leaves([("logs/", "")]);
}

#[test]
fn a_device_takes_lines_and_is_never_rolled() {
    World::new().loghand("rotate /dev/null --max-bytes 4 --when S").stdin(lines(1..=9)).leaves_nothing();
}

#[test]
fn a_fifo_takes_lines_and_is_never_rolled() {
    let world = World::new();
    world.fifo("pipe");
    world
        .shell("cat pipe & loghand rotate pipe --max-bytes 4; wait")
        .stdin(lines(1..=5))
        .stderr_has([""; 0])
        .stdout(lines(1..=5))
        .leaves([("pipe|", "")]);
}

#[test]
fn what_a_crash_left_behind_is_cleared_at_the_start() {
    let world = World::new();
    world.put(".app.log.12-0.tmp", "half").put(".app.log.lock", "").put(".other.log.12-0.tmp", "another's");
    world.loghand("rotate app.log").stdin("one\n").leaves([("app.log", "one\n"), (".other.log.12-0.tmp", "another's")]);
}

// By the clock.

#[test]
fn a_file_of_yesterday_is_rolled_before_the_first_line() {
    for (when, archive) in [
        ("midnight", "app.log.2024-03-10"),
        ("W6", "app.log.2024-03-04"),
        ("W5", "app.log.2024-03-10"),
        ("D", "app.log.2024-03-10"),
        ("H", "app.log.2024-03-10_15"),
        ("M", "app.log.2024-03-10_15-30"),
        ("S", "app.log.2024-03-10_15-30-45"),
        ("midnight --at-time 15:30:45", "app.log.2024-03-10"),
        ("midnight --at-time 15:30:46", "app.log.2024-03-09"),
        ("midnight --interval 3", "app.log.2024-03-10"),
    ] {
        let world = World::new();
        world.put_at("app.log", "past\n", the_past());
        let call = world.loghand(&format!("rotate app.log --when {when}"));
        call.stdin("now\n").leaves([("app.log", "now\n"), (archive, "past\n")]);
    }
}

#[test]
fn names_follow_the_zone_of_the_process_unless_utc_is_asked_for() {
    for (zone, flags, archive) in [
        ("Asia/Tokyo", "", "app.log.2024-03-11"),
        ("Asia/Tokyo", " --utc", "app.log.2024-03-10"),
        ("America/Los_Angeles", " --when H", "app.log.2024-03-10_08"),
        ("America/Los_Angeles", " --when H --utc", "app.log.2024-03-10_15"),
    ] {
        let world = World::new();
        world.put_at("app.log", "past\n", the_past());
        let when = if flags.contains("--when") { "" } else { " --when midnight" };
        let call = world.loghand(&format!("rotate app.log{when}{flags}")).env("TZ", zone);
        call.stdin("now\n").leaves([("app.log", "now\n"), (archive, "past\n")]);
    }
}

#[test]
fn both_rules_at_once_name_by_time_and_then_by_number() {
    let world = World::new();
    world.put_at("app.log", "past\n", the_past());
    world.loghand("rotate app.log --when midnight --max-bytes 4").stdin(lines(1..=3)).leaves([
        ("app.log", "l03\n"),
        ("app.log.2024-03-10.1", "past\n"),
        ("app.log.####-##-##.1", "l01\n"),
        ("app.log.####-##-##.2", "l02\n"),
    ]);
}

#[test]
fn an_empty_file_is_not_rolled_by_the_clock() {
    let world = World::new();
    world.put_at("app.log", "", the_past());
    world.loghand("rotate app.log --when midnight").stdin("now\n").leaves([("app.log", "now\n")]);
}

#[test]
fn a_file_of_the_past_is_rolled_even_when_no_line_comes() {
    let world = World::new();
    world.put_at("app.log", "past\n", the_past());
    let mut rotate = world.loghand("rotate app.log --when midnight").start();
    rotate.wrote("app.log.2024-03-10", "past\n");
    rotate.leaves([("app.log", ""), ("app.log.2024-03-10", "past\n")]);
}

#[test]
fn an_idle_file_is_rolled_when_its_second_is_over() {
    let world = World::new();
    let mut rotate = world.loghand("rotate app.log --when S --namer {base}.{n}").start();
    rotate.hears("one\n").wrote("app.log.1", "one\n");
    rotate.leaves([("app.log", ""), ("app.log.1", "one\n")]);
}

#[test]
fn the_oldest_days_go_by_their_date_and_not_by_their_text_or_age() {
    let world = World::new();
    world.put_at("app.log", "past\n", the_past());
    for (name, age) in [("app.log.2023-12-31", 0), ("app.log.2024-01-02", 2), ("app.log.2024-01-10", 5)] {
        world.put_at(name, "x\n", the_past() - age * DAY);
    }
    world.loghand("rotate app.log --when midnight --backup-count 2").stdin("now\n").leaves([
        ("app.log", "now\n"),
        ("app.log.2024-03-10", "past\n"),
        ("app.log.2024-01-10", "x\n"),
    ]);
}

// Hooks.

#[test]
fn a_rotator_gets_source_and_destination() {
    let world = World::new();
    let script = "printf '%s %s %s %s %s\\n' \"$1\" \"$2\" \"$LOGHAND_FILE\" \"$LOGHAND_SOURCE\" \"$LOGHAND_DESTINATION\" >>calls; mv \"$1\" \"$2\"";
    world.loghand("rotate app.log --max-bytes 4 --rotator").arg(script).stdin(lines(1..=3)).leaves([
        ("app.log", "l03\n"),
        ("app.log.1", "l02\n"),
        ("app.log.2", "l01\n"),
        ("calls", "app.log app.log.1 app.log app.log app.log.1\napp.log app.log.1 app.log app.log app.log.1\n"),
    ]);
}

#[test]
fn a_hook_that_names_its_arguments_is_not_given_them_twice() {
    let world = World::new();
    let hooks = world.loghand("rotate app.log --max-bytes 4 --rotator").arg("mv \"$1\" \"$2\"");
    hooks.arg("--after-rotate").arg("echo $# ${1} >>told").stdin("one\ntwo\n").leaves([
        ("app.log", "two\n"),
        ("app.log.1", "one\n"),
        ("told", "1 app.log.1\n"),
    ]);
}

#[test]
fn a_rotator_may_transform_what_it_moves() {
    let world = World::new();
    let script = "tr a-z A-Z <\"$1\" >\"$2\" && rm \"$1\"";
    world.loghand("rotate app.log --max-bytes 4 --rotator").arg(script).stdin("one\ntwo\nten\n").leaves([
        ("app.log", "ten\n"),
        ("app.log.1", "TWO\n"),
        ("app.log.2", "ONE\n"),
    ]);
}

#[test]
fn names_are_never_read_as_shell_text() {
    let world = World::new();
    let log = "$(touch harm) ; touch 'harm' \"app.log";
    world
        .loghand("rotate --max-bytes 4 --rotator mv --after-rotate true")
        .arg(log)
        .stdin("one\ntwo\n")
        .leaves([(log, "two\n"), (&format!("{log}.1"), "one\n")]);
}

#[test]
fn a_rotator_that_fails_costs_no_line() {
    let world = World::new();
    let says = "app.log: cannot be rolled over, so it grows on: 'false' failed: exit status: 1";
    world
        .loghand("rotate app.log --max-bytes 4 --rotator false")
        .stdin(lines(1..=3))
        .code(1)
        .says(says)
        .leaves([("app.log", lines(1..=3))]);
}

#[test]
fn a_rotator_that_does_nothing_is_noticed() {
    let world = World::new();
    let says = "app.log: cannot be rolled over, so it grows on: --rotator left it where it is";
    world
        .loghand("rotate app.log --max-bytes 4 --rotator true")
        .stdin(lines(1..=3))
        .code(1)
        .says(says)
        .leaves([("app.log", lines(1..=3))]);
}

#[test]
fn after_each_rollover_the_hook_is_told_the_archives_name() {
    let world = World::new();
    let hook = "echo \"$1 $LOGHAND_ARCHIVE $LOGHAND_FILE\" >>told";
    let mut rotate =
        world.loghand("rotate app.log --when S --namer {base}.{n}.{time:%Y} --after-rotate").arg(hook).start();
    let year = chrono::Utc::now().format("%Y");
    let (first, second) = (format!("app.log.1.{year}"), format!("app.log.2.{year}"));
    rotate.hears("one\n").wrote(&first, "one\n").hears("two\n").wrote(&second, "two\n");
    let told = format!("{first} {first} app.log\n{second} {second} app.log\n");
    rotate.wrote("told", &told);
    rotate.leaves([("app.log", ""), (&first, "one\n"), (&second, "two\n"), ("told", &told)]);
}

#[test]
fn a_compressed_archive_is_told_once_it_is_compressed() {
    let world = World::new();
    let hook = "gzip -dc \"$1\" >unpacked; echo \"$1\" >>told";
    world.loghand("rotate app.log --max-bytes 4 --compress --after-rotate").arg(hook).stdin("one\ntwo\n").leaves([
        ("app.log", "two\n"),
        ("app.log.1.gz", "one\n"),
        ("told", "app.log.1.gz\n"),
        ("unpacked", "one\n"),
    ]);
}

#[test]
fn what_is_compressed_a_rollover_later_is_told_then_and_the_youngest_at_the_end() {
    let world = World::new();
    // A copy for each call: the name that was told, and what was found there.
    let hook = "mkdir -p told; cp \"$1\" told";
    let mut rotate = world
        .loghand(
            "rotate app.log --max-bytes 4 --namer {base}.2020.{n}.{time:%Y} --compress --delay-compress --after-rotate",
        )
        .arg(hook)
        .start();
    rotate.hears(lines(1..=4));
    rotate.leaves([
        ("app.log".to_owned(), "l04\n"),
        ("app.log.2020.1.####.gz".to_owned(), "l01\n"),
        ("app.log.2020.2.####.gz".to_owned(), "l02\n"),
        ("app.log.2020.3.####".to_owned(), "l03\n"),
        ("told/app.log.2020.1.####.gz".to_owned(), "l01\n"),
        ("told/app.log.2020.2.####.gz".to_owned(), "l02\n"),
        ("told/app.log.2020.3.####".to_owned(), "l03\n"),
    ]);
}

#[test]
fn the_youngest_archive_is_not_told_before_the_end_when_it_may_still_be_compressed() {
    let world = World::new();
    let hook = "echo \"$1\" >>told";
    let mut rotate = world
        .loghand("rotate app.log --max-bytes 4 --namer {base}.{n}.{time:%Y} --compress --delay-compress --after-rotate")
        .arg(hook)
        .start();
    let year = chrono::Utc::now().format("%Y").to_string();
    rotate.hears("one\ntwo\n").wrote("app.log", "two\n").hears("ten\n");
    rotate.wrote("told", format!("app.log.1.{year}.gz\n"));
    rotate.leaves([
        ("app.log", "ten\n"),
        ("app.log.1.####.gz", "one\n"),
        ("app.log.2.####", "two\n"),
        ("told", &format!("app.log.1.{year}.gz\napp.log.2.{year}\n")),
    ]);
}

#[test]
fn the_youngest_archive_is_told_when_the_program_is_told_to_stop() {
    let world = World::new();
    let flags = "rotate app.log --max-bytes 4 --compress --delay-compress --after-rotate";
    let mut rotate = world.loghand(flags).arg("echo \"$1\" >>told").start();
    rotate.hears("one\ntwo\n").wrote("app.log", "two\n").signal(rustix::process::Signal::TERM).until_it_leaves();
    rotate.leaves([("app.log", "two\n"), ("app.log.1", "one\n"), ("told", "app.log.1\n")]);
}

#[test]
fn an_archive_that_cannot_be_compressed_is_told_as_it_is() {
    let world = World::new();
    // Hardly to be compressed, so there is no room for it twice.
    let noise = (0u64..).scan(1u64, |seed, _| {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Some(char::from(b'!' + ((*seed >> 33) % 94) as u8))
    });
    let first = noise.take(700).chain(['\n']).collect::<String>();
    let says = "app.log.1: not compressed: no room in --max-total-bytes";
    world
        .loghand("rotate app.log --max-bytes 701 --max-total-bytes 1000 --compress --after-rotate")
        .arg("echo \"$1\" >>told")
        .stdin(format!("{first}two\n"))
        .says(says)
        .leaves([("app.log", "two\n"), ("app.log.1", &first), ("told", "app.log.1\n")]);
}

#[test]
fn a_hook_that_fails_is_said_and_costs_nothing() {
    let world = World::new();
    let says = "app.log.1: 'false' failed: exit status: 1";
    world
        .loghand("rotate app.log --max-bytes 4 --after-rotate false")
        .stdin("one\ntwo\n")
        .code(1)
        .says(says)
        .leaves([("app.log", "two\n"), ("app.log.1", "one\n")]);
}

#[test]
fn a_hook_reads_nothing_of_the_log_and_writes_nothing_into_stdout() {
    let world = World::new();
    world
        .loghand("rotate app.log --max-bytes 4 --rotator")
        .arg("cat; echo noise; mv")
        .stdin("one\ntwo\n")
        .leaves([("app.log", "two\n"), ("app.log.1", "one\n")]);
}

// Compression.

#[test]
fn archives_are_compressed_and_the_chain_shifts_them() {
    let world = World::new();
    world.loghand("rotate app.log --max-bytes 4 --compress --backup-count 3").stdin(lines(1..=6)).leaves([
        ("app.log", "l06\n"),
        ("app.log.1.gz", "l05\n"),
        ("app.log.2.gz", "l04\n"),
        ("app.log.3.gz", "l03\n"),
    ]);
}

#[test]
fn a_level_may_be_given_and_makes_a_difference() {
    let world = World::new();
    let text: String = (0..20_000).map(|n| format!("{} is a line\n", n * 7919 % 10_007)).collect();
    let size = |level: &str| {
        let name = format!("level{level}.log");
        world.put(&format!("{name}.1"), &text);
        let (input, _) = std::io::pipe().unwrap();
        world.loghand(&format!("rotate {name} --compress=gzip:{level}")).stdin_from(input).start().until_it_leaves();
        fs::metadata(world.path(&format!("{name}.1.gz"))).unwrap().len()
    };
    assert!(size("1") > size("9"));
}

#[test]
fn an_archive_keeps_time_mode_and_contents_when_it_is_compressed() {
    let world = World::new();
    world.put_at("app.log.1", "one\n", the_past()).chmod("app.log.1", 0o640);
    world.loghand("rotate app.log --compress").leaves([("app.log", ""), ("app.log.1.gz", "one\n")]);
    assert_eq!((world.mode("app.log.1.gz"), world.modified("app.log.1.gz")), (0o640, the_past()));
}

#[test]
fn delay_compress_leaves_the_youngest_archive_plain() {
    let world = World::new();
    world.loghand("rotate app.log --max-bytes 4 --compress --delay-compress").stdin(lines(1..=4)).leaves([
        ("app.log", "l04\n"),
        ("app.log.1", "l03\n"),
        ("app.log.2.gz", "l02\n"),
        ("app.log.3.gz", "l01\n"),
    ]);
}

#[test]
fn something_else_of_the_compressed_name_is_never_overwritten() {
    let world = World::new();
    world.put("app.log.1", "one\n").folder("app.log.1.gz");
    let says = "app.log.1: not compressed: app.log.1.gz is in the way: not a regular file";
    world.loghand("rotate app.log --compress").code(1).says(says).leaves([
        ("app.log", ""),
        ("app.log.1", "one\n"),
        ("app.log.1.gz/", ""),
    ]);
}

// What the new file is like.

#[test]
fn the_new_file_takes_its_predecessors_mode() {
    let world = World::new();
    world.put("app.log", "one\n").chmod("app.log", 0o604);
    world.loghand("rotate app.log --max-bytes 4").stdin("two\n").leaves([("app.log", "two\n"), ("app.log.1", "one\n")]);
    assert_eq!((world.mode("app.log"), world.mode("app.log.1")), (0o604, 0o604));
}

#[test]
fn chmod_is_exact_after_a_rollover_too() {
    let world = World::new();
    world
        .shell("umask 077; exec loghand rotate app.log --max-bytes 4 --chmod 664")
        .stdin("one\ntwo\n")
        .leaves([("app.log", "two\n"), ("app.log.1", "one\n")]);
    assert_eq!((world.mode("app.log"), world.mode("app.log.1")), (0o664, 0o664));
}

// Links and dated files.

#[test]
fn a_link_leads_to_the_current_file() {
    let world = World::new();
    world.symlink("current.log", "elsewhere");
    world.loghand("rotate app.log --max-bytes 4 --link current.log").stdin("one\ntwo\n").leaves([
        ("app.log", "two\n"),
        ("app.log.1", "one\n"),
        ("current.log@", "app.log"),
    ]);
}

#[test]
fn a_file_in_the_links_place_is_left_as_it_is() {
    let world = World::new();
    world.put("current.log", "somebody's\n");
    let says = "current.log: is no symlink, so it is left as it is";
    world
        .loghand("rotate app.log --link current.log")
        .stdin("one\n")
        .code(1)
        .says(says)
        .leaves([("app.log", "one\n"), ("current.log", "somebody's\n")]);
}

#[test]
fn a_dated_file_is_opened_under_its_dated_name_and_linked() {
    let world = World::new();
    world.loghand("rotate logs/%Y/app-100%%.log --link current.log").stdin("one\n").leaves([
        ("logs/####/app-100%.log".to_owned(), "one\n".to_owned()),
        ("current.log@".into(), format!("{{dir}}/logs/{}/app-100%.log", chrono::Utc::now().format("%Y"))),
    ]);
}

#[test]
fn a_dated_file_changes_with_the_clock() {
    let world = World::new();
    let mut rotate = world.loghand("rotate %Y%m%d-%H%M%S.log --link current.log").start();
    let link = world.path("current.log");
    rotate.hears("one\n").wrote("current.log", "one\n");
    let first = fs::read_link(&link).unwrap().display().to_string();
    // The next second has a file of its own from its first line on.
    let mut second = first.clone();
    let mut written = String::new();
    crate::harness::until("a file of another second", || {
        let before = fs::read_to_string(world.path(&first)).unwrap();
        rotate.hears("x\n");
        crate::harness::until("the line", || {
            second = fs::read_link(&link).unwrap().display().to_string();
            written = fs::read_to_string(world.path(&second)).unwrap();
            second != first && written == "x\n" || fs::read_to_string(world.path(&first)).unwrap() != before
        });
        second != first
    });
    let kept = fs::read_to_string(world.path(&first)).unwrap();
    assert!(kept.starts_with("one\n"));
    rotate.leaves([(first.as_str(), kept.as_str()), (&second, &written), ("current.log@", &second)]);
}

#[test]
fn a_dated_file_with_a_limit_rolls_into_numbered_ones() {
    let world = World::new();
    world.loghand("rotate app-%Y.log --max-bytes 4").stdin(lines(1..=3)).leaves([
        ("app-####.log", "l03\n"),
        ("app-####.log.1", "l02\n"),
        ("app-####.log.2", "l01\n"),
    ]);
}

#[test]
fn the_oldest_dated_files_are_deleted_and_no_foreign_ones() {
    let world = World::new();
    for name in ["2021/app.log", "2022/app.log", "2023/app.log", "2021/other.log", "old/app.log", "20211/app.log"] {
        world.put(name, "x\n");
    }
    world.loghand("rotate %Y/app.log --backup-count 2").stdin("now\n").leaves([
        ("2021/other.log", "x\n"),
        ("2022/app.log", "x\n"),
        ("2023/app.log", "x\n"),
        ("20211/app.log", "x\n"),
        ("old/app.log", "x\n"),
        ("####/app.log", "now\n"),
    ]);
}

#[test]
fn dated_files_of_the_past_are_compressed() {
    let world = World::new();
    world.put("app-2021.log", "x\n");
    world
        .loghand("rotate app-%Y.log --compress")
        .stdin("now\n")
        .leaves([("app-2021.log.gz", "x\n"), ("app-####.log", "now\n")]);
}

// The log under the writer.

#[test]
fn a_log_that_somebody_moved_away_is_made_again() {
    let world = World::new();
    let mut rotate = world.loghand("rotate app.log").start();
    rotate.hears("one\n").wrote("app.log", "one\n");
    world.rename("app.log", "moved.log");
    // It looks every 100 ms while lines come.
    crate::harness::until("a new file", || {
        rotate.hears("x\n");
        world.exists("app.log")
    });
    rotate.signal(rustix::process::Signal::TERM).until_it_leaves();
    let read = |name: &str| fs::read_to_string(world.path(name)).unwrap();
    let (moved, new) = (read("moved.log"), read("app.log"));
    assert!(moved.starts_with("one\n") && new.lines().all(|line| line == "x"), "{moved} {new}");
    rotate.leaves([("app.log", new), ("moved.log", moved)]);
}

#[test]
fn verbose_says_what_is_done_and_quiet_does_not_warn() {
    let world = World::new();
    world.folder("app.log.1");
    world.loghand("rotate app.log --max-bytes 4 --quiet").stdin("one\ntwo\n").leaves([
        ("app.log", "two\n"),
        ("app.log.1/", ""),
        ("app.log.2", "one\n"),
    ]);
    world.loghand("--verbose rotate b.log --max-bytes 4 --backup-count 1").stdin(lines(1..=3)).stderr(
        "loghand: b.log: rolled over to b.log.1\nloghand: b.log: rolled over to b.log.1\nloghand: b.log.2: deleted\n",
    ).leaves([
        ("app.log", "two\n"),
        ("app.log.1/", ""),
        ("app.log.2", "one\n"),
        ("b.log", "l03\n"),
        ("b.log.1", "l02\n"),
    ]);
}

#[test]
fn the_same_inode_becomes_the_archive() {
    let world = World::new();
    world.put("app.log", "one\n");
    let inode = fs::metadata(world.path("app.log")).unwrap().ino();
    world.loghand("rotate app.log --max-bytes 4").stdin("two\n").leaves([("app.log", "two\n"), ("app.log.1", "one\n")]);
    assert_eq!(fs::metadata(world.path("app.log.1")).unwrap().ino(), inode);
}

#[test]
fn a_name_that_becomes_a_symlink_is_waited_out_and_never_written_through() {
    let world = World::new();
    let why = "it has become a symlink, which is never followed here";
    let waiting = format!("app.log: {why}: trying again until it works, the producer waits");
    let refused = format!("app.log: cannot be opened: {why}");
    let mut rotate =
        world.loghand("rotate app.log").stderr_has([&refused, &waiting, "app.log: writing again"]).code(1).start();
    rotate.hears("one\n").wrote("app.log", "one\n");
    world.rename("app.log", "elsewhere");
    world.symlink("app.log", "elsewhere");
    rotate.signal(Signal::HUP).hears("two\n").until_stderr_has(&waiting);
    world.remove("app.log");
    rotate.wrote("app.log", "two\n");
    rotate.leaves([("app.log", "two\n"), ("elsewhere", "one\n")]);
}

#[test]
fn the_hook_is_told_of_a_copied_archive_too() {
    let world = World::new();
    world.put("app.log", "one\n");
    world.loghand("rotate --once app.log --force --copy-truncate --after-rotate").arg("echo \"$1\" >> told").leaves([
        ("app.log", ""),
        ("app.log.1", "one\n"),
        ("told", "app.log.1\n"),
    ]);
}
