//! What is asked of each record: level, format, terminator, several lines in one.

use crate::harness::World;

/// One line of each level, in the places where logs carry it.
const LOG: &str = "\
2026-11-20 10:00:00,000 DEBUG app starting
2026-11-20 10:00:01,000 - db - INFO - connected
level=warning msg=\"slow query\"
{\"level\":\"error\",\"msg\":\"failed\"}
[CRITICAL] out of memory
<3>kernel trouble
E1120 10:00:02.000000 1 main.go:1] klog's error
no level at all
";

fn level(level: &str) -> String {
    let world = World::new();
    world.loghand(&format!("tee --no-stdout --level {level} app.log")).start().feed(LOG).until_it_leaves();
    std::fs::read_to_string(world.path("app.log")).unwrap()
}

#[test]
fn a_level_passes_on_itself_and_what_is_above_it() {
    let numbered: Vec<&str> = LOG.split_inclusive('\n').collect();
    let lines = |numbers: &[usize]| numbers.iter().map(|n| numbered[*n]).collect::<String>();
    for (name, passed) in [
        ("debug", &[0, 1, 2, 3, 4, 5, 6, 7][..]),
        ("INFO", &[1, 2, 3, 4, 5, 6, 7]),
        ("Warning", &[2, 3, 4, 5, 6]),
        ("30", &[2, 3, 4, 5, 6]),
        ("31", &[3, 4, 5, 6]),
        ("error", &[3, 4, 5, 6]),
        ("critical", &[4]),
    ] {
        assert_eq!(level(name), lines(passed), "{name}");
    }
}

#[test]
fn lines_that_show_no_level_have_the_default_one() {
    for (default, passed) in [("error", "plain\n"), ("debug", "")] {
        let world = World::new();
        let call = world.loghand(&format!("tee --level warning --default-level {default}"));
        call.stdin("plain\n").stdout(passed).leaves_nothing();
    }
}

#[test]
fn a_regular_expression_says_where_the_level_stands() {
    let world = World::new();
    let call = world.loghand("tee --level error --level-regex").arg(r"\|(?<level>\w+)\|");
    call.stdin("x|error|y\nx|info|y\nERROR elsewhere\n").stdout("x|error|y\n").leaves_nothing();
}

#[test]
fn both_styles_of_a_format_write_the_same() {
    for template in ["%(levelname)-8s|%(name)s|%(levelno)d|%(message)s", "{levelname:<8}|{name}|{levelno}|{message}"] {
        let world = World::new();
        let call = world.loghand("tee --name web.db --format").arg(template);
        call.stdin("ERROR broken\n\nplain")
            .stdout("ERROR   |web.db|40|ERROR broken\nINFO    |web.db|20|\nINFO    |web.db|20|plain\n")
            .leaves_nothing();
    }
}

#[test]
fn a_logger_without_a_name_is_the_root() {
    let world = World::new();
    world.loghand("tee --format {name}:{message}").stdin("one\n").stdout("root:one\n").leaves_nothing();
}

#[test]
fn a_time_is_written_as_python_writes_it_unless_datefmt_says_otherwise() {
    let world = World::new();
    let script = "echo x | loghand tee --format {asctime} | grep -cE '^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2},[0-9]{3}$'
        echo x | loghand tee --format '%(asctime)s' --datefmt 'at %z'";
    world.shell(script).env("TZ", "Asia/Tokyo").stdout("1\nat +0900\n").leaves_nothing();
}

#[test]
fn a_format_does_not_touch_bytes_that_are_no_text() {
    let world = World::new();
    world.loghand("tee --format <{message}>").stdin(b"\xff\0\r\n").stdout(b"<\xff\0\r>\n").leaves_nothing();
}

#[test]
fn a_terminator_ends_each_record_instead_of_its_newline() {
    for (terminator, out) in
        [(r"\0", "one\0two\0"), (r"\r\n", "one\r\ntwo\r\n"), ("", "onetwo"), (" | ", "one | two | ")]
    {
        let world = World::new();
        world.loghand("tee --terminator").arg(terminator).stdin("one\ntwo\n").stdout(out).leaves_nothing();
    }
}

#[test]
fn several_lines_are_one_record_for_the_level() {
    let world = World::new();
    let log = "INFO fine\nERROR failed\n  at line 1\n  at line 2\nINFO fine again\n";
    let call = world.loghand("tee --level error --multiline ^[A-Z]");
    call.stdin(log).stdout("ERROR failed\n  at line 1\n  at line 2\n").leaves_nothing();
}

#[test]
fn several_lines_are_one_record_for_the_rollover() {
    let world = World::new();
    let call = world.loghand("rotate app.log --max-bytes 12 --multiline ^[a-z]");
    call.stdin("one\n 1\n 2\ntwo\n 1\nten\n").leaves([("app.log", "two\n 1\nten\n"), ("app.log.1", "one\n 1\n 2\n")]);
}

#[test]
fn several_lines_are_one_record_for_the_format() {
    let world = World::new();
    let call = world.loghand("tee --format <{message}> --multiline ^[a-z]");
    call.stdin("one\n 1\ntwo\n").stdout("<one\n 1>\n<two>\n").leaves_nothing();
}

#[test]
fn a_record_is_bounded_in_lines() {
    let world = World::new();
    let call = world.loghand("tee --format <{message}> --multiline ^[a-z] --multiline-lines 2");
    call.stdin("one\n 1\n 2\n 3\n 4\n").stdout("<one\n 1>\n< 2\n 3>\n< 4>\n").leaves_nothing();
}

#[test]
fn a_record_is_bounded_in_bytes() {
    let world = World::new();
    let call = world.loghand("tee --format <{message}> --multiline ^[a-z] --multiline-bytes 7");
    call.stdin("one\n 1\n 2\ntwo\n").stdout("<one\n 1>\n< 2>\n<two>\n").leaves_nothing();
}

#[test]
fn a_record_does_not_wait_for_ever_for_its_next_line() {
    let world = World::new();
    let call = world.loghand("tee --multiline ^[a-z] --multiline-wait 10ms").stdout("one\n 1\ntwo\n");
    let mut tee = call.start();
    tee.hears("one\n 1\n").until_stdout("one\n 1\n").hears("two\n").until_stdout("one\n 1\ntwo\n");
    tee.leaves_nothing();
}

#[test]
fn a_record_waits_for_its_next_line_within_its_time() {
    let world = World::new();
    let call = world.loghand("tee all.log --no-stdout -- tee --no-stdout one.log --format <{message}> --multiline ^[a-z] --multiline-wait 1d");
    let mut tee = call.start();
    tee.hears("one\n").wrote("all.log", "one\n").hears(" 1\n").wrote("all.log", "one\n 1\n");
    tee.leaves([("all.log", "one\n 1\n"), ("one.log", "<one\n 1>\n")]);
}

#[test]
fn a_line_longer_than_any_buffer_passes_a_filter_whole_or_not_at_all() {
    let world = World::new();
    let long = |level: &str| format!("{level} {}\n", "x".repeat(3 << 20));
    let input = format!("{}ERROR a\n{}INFO b\n", long("INFO"), long("ERROR"));
    let passed = format!("ERROR a\n{}", long("ERROR"));
    world.loghand("tee --level error").stdin(input).stdout(passed).leaves_nothing();
}

#[test]
fn no_flag_for_records_leaves_even_a_missing_last_newline() {
    World::new().loghand("tee --default-level error --name x").stdin("one").stdout("one").leaves_nothing();
}
