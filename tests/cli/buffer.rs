//! The buffer: BufferingHandler and MemoryHandler, and the flight recorder.

use rustix::process::Signal;

use crate::harness::World;

/// Writes every line to `all.log` at once, and to `held.log` through a buffer: the former says what has arrived.
fn held(flags: &str) -> String {
    format!("tee all.log --no-stdout -- tee --no-stdout held.log {flags}")
}

#[test]
fn a_full_buffer_hands_everything_on() {
    let world = World::new();
    let mut tee = world.loghand(&held("--capacity 3")).start();
    tee.hears("1\n2\n").wrote("all.log", "1\n2\n").hears("3\n4\n").wrote("held.log", "1\n2\n3\n");
    tee.wrote("all.log", "1\n2\n3\n4\n").signal(Signal::KILL).until_it_leaves();
    assert_eq!(std::fs::read_to_string(world.path("held.log")).unwrap(), "1\n2\n3\n");
}

#[test]
fn a_grave_record_hands_everything_on() {
    for (level, grave) in [("", "ERROR x\n"), ("--flush-level warning", "WARNING x\n"), ("--flush-level 20", "plain\n")]
    {
        let world = World::new();
        let mut tee = world.loghand(&held(&format!("--capacity 100 {level}"))).start();
        let log = format!("DEBUG 1\n{grave}");
        tee.hears("DEBUG 1\n").wrote("all.log", "DEBUG 1\n").hears(grave).wrote("held.log", &log);
        tee.leaves([("all.log", &log), ("held.log", &log)]);
    }
}

#[test]
fn what_is_held_is_handed_on_at_the_end() {
    for flag in ["", "--flush-on-close"] {
        let world = World::new();
        world.loghand(&format!("tee --capacity 100 {flag}")).stdin("1\n2\n").stdout("1\n2\n").leaves_nothing();
    }
}

#[test]
fn what_is_held_may_be_forgotten_at_the_end() {
    let world = World::new();
    let call = world.loghand("tee --capacity 3 --no-flush-on-close");
    call.stdin("1\n2\n3\n4\n").stdout("1\n2\n3\n").leaves_nothing();
}

#[test]
fn a_capacity_of_zero_hands_each_record_on_at_once() {
    let world = World::new();
    let mut tee = world.loghand("tee --capacity 0").stdout("1\n2\n").start();
    tee.hears("1\n").until_stdout("1\n").hears("2\n").until_stdout("1\n2\n");
    tee.leaves_nothing();
}

#[test]
fn what_is_held_is_handed_on_every_so_often() {
    let world = World::new();
    let mut tee = world.loghand("tee --capacity 100 --flush-interval 10ms").stdout("1\n2\n").start();
    tee.hears("1\n").until_stdout("1\n").hears("2\n").until_stdout("1\n2\n");
    tee.leaves_nothing();
}

#[test]
fn a_flight_recorder_keeps_quiet_runs_quiet() {
    let world = World::new();
    let call = world.loghand("tee --capacity 500 --on-capacity forget");
    call.stdin("INFO 1\nINFO 2\n".repeat(1000)).leaves_nothing();
}

#[test]
fn a_flight_recorder_brings_an_error_with_the_lines_before_it() {
    let world = World::new();
    let call = world.loghand("tee --capacity 2 --on-capacity forget");
    call.stdin("1\n2\n3\nERROR a\n4\nERROR b\n5\n6\n").stdout("2\n3\nERROR a\n4\nERROR b\n").leaves_nothing();
}

#[test]
fn a_flight_recorder_brings_an_error_whole_that_comes_in_pieces() {
    let world = World::new();
    let long = format!("ERROR {}\n", "x".repeat(5 << 20));
    let call = world.loghand("tee --capacity 1 --on-capacity forget");
    call.stdin(format!("1\n2\n{long}3\n4\nERROR a\n")).stdout(format!("2\n{long}4\nERROR a\n")).leaves_nothing();
}

#[test]
fn a_flight_recorder_holds_and_forgets_lines_whole_that_come_in_pieces() {
    let world = World::new();
    let long = |first| format!("{first}{}\n", "x".repeat(3 << 20));
    let call = world.loghand("tee --capacity 1 --on-capacity forget");
    call.stdin(long('1') + &long('2') + "ERROR a\n").stdout(long('2') + "ERROR a\n").leaves_nothing();
    let call = world.loghand("tee --capacity 0 --on-capacity forget");
    call.stdin(long('1') + "ERROR a\n").stdout("ERROR a\n").leaves_nothing();
}

#[test]
fn a_flight_recorder_hands_on_its_last_lines_if_told_to() {
    let world = World::new();
    let call = world.loghand("tee --capacity 2 --on-capacity forget --flush-on-close");
    call.stdin("1\n2\n3\n").stdout("2\n3\n").leaves_nothing();
}

#[test]
fn on_capacity_flush_is_the_default() {
    let world = World::new();
    let call = world.loghand("tee --capacity 2 --on-capacity flush --no-flush-on-close");
    call.stdin("1\n2\n3\n").stdout("1\n2\n").leaves_nothing();
}

#[test]
fn a_buffer_in_front_of_a_rotated_file_keeps_its_limits() {
    let world = World::new();
    let call = world.loghand("rotate app.log --max-bytes 4 --capacity 100");
    call.stdin("l01\nl02\n").leaves([("app.log", "l02\n"), ("app.log.1", "l01\n")]);
}

#[test]
fn held_records_are_whole_records_of_several_lines() {
    let world = World::new();
    let call = world.loghand("tee --capacity 1 --on-capacity forget --multiline ^[A-Z]");
    call.stdin("INFO 1\n a\nINFO 2\n b\nERROR 3\n c\n").stdout("INFO 2\n b\nERROR 3\n c\n").leaves_nothing();
}

#[test]
fn what_contradicts_a_flight_recorder_is_refused() {
    let world = World::new();
    let says = "--flush-interval hands everything on, --on-capacity forget does not: choose one";
    let call = world.loghand("tee app.log --capacity 2 --on-capacity forget --flush-interval 1s");
    call.stdin("1\n").code(2).says(says).leaves_nothing();
}
