//! The queue: QueueHandler and QueueListener. The output is a FIFO that nobody reads at first, so the queue fills.

use std::fs;
use std::io::{Read, Write};
use std::thread::{JoinHandle, spawn};

use crate::harness::World;

const WAITING: &str = "loghand: pipe: No such device or address: trying again until it works, the producer waits\n";
const AGAIN: &str = "loghand: pipe: writing again\n";

fn read(world: &World) -> JoinHandle<String> {
    let pipe = world.path("pipe");
    spawn(move || fs::read_to_string(pipe).unwrap())
}

#[test]
fn a_full_queue_drops_the_newest_lines_counts_them_and_leaves_a_note() {
    let world = World::new();
    world.fifo("pipe");
    let stderr = format!("{WAITING}loghand: pipe: 1 line lost: the queue was full\n{AGAIN}");
    let words = "tee all.log --no-stdout -- tee --no-stdout pipe --queue-size 10 --on-full drop-newest";
    let mut tee = world.loghand(words).code(1).stderr(stderr).start();
    // The first line has left the queue and waits for a reader; ten bytes are room for two more.
    tee.hears("l01\n").until_stderr_has(WAITING).hears("l02\n").wrote("all.log", "l01\nl02\n");
    tee.hears("l03\nl04\n").until_stderr_has("1 line lost");
    let reader = read(&world);
    tee.until_stderr_has(AGAIN).leaves([("all.log", "l01\nl02\nl03\nl04\n"), ("pipe|", "")]);
    assert_eq!(reader.join().unwrap(), "l01\nl02\nl03\nloghand: 1 line dropped here: the queue was full\n");
}

#[test]
fn a_full_queue_drops_the_oldest_lines_counts_them_and_leaves_a_note() {
    let world = World::new();
    world.fifo("pipe");
    let stderr = format!("{WAITING}loghand: pipe: 1 line lost: the queue was full\n{AGAIN}");
    let words = "tee all.log --no-stdout -- tee --no-stdout pipe --queue-size 10 --on-full drop-oldest";
    let mut tee = world.loghand(words).code(1).stderr(stderr).start();
    tee.hears("l01\n").until_stderr_has(WAITING);
    tee.hears("l02\n").wrote("all.log", "l01\nl02\n").hears("l03\n").wrote("all.log", "l01\nl02\nl03\n");
    tee.hears("l04\n").until_stderr_has("1 line lost");
    let reader = read(&world);
    tee.until_stderr_has(AGAIN).leaves([("all.log", "l01\nl02\nl03\nl04\n"), ("pipe|", "")]);
    assert_eq!(reader.join().unwrap(), "l01\nloghand: 1 line dropped here: the queue was full\nl03\nl04\n");
}

#[test]
fn a_line_that_comes_in_pieces_is_dropped_whole_and_counted_once() {
    for on_full in ["drop-newest", "drop-oldest"] {
        let world = World::new();
        world.fifo("pipe");
        let stderr = format!("{WAITING}loghand: pipe: 1 line lost: the queue was full\n{AGAIN}");
        let call = world.loghand(&format!("tee --no-stdout pipe --queue-size 10 --on-full {on_full}"));
        let mut tee = call.code(1).stderr(stderr).start();
        // The first piece stands in the empty queue, alone; the next one finds no room.
        tee.hears("l01\n").until_stderr_has(WAITING).hears("x".repeat(3 << 20)).until_stderr_has("1 line lost");
        tee.hears("x\nl02\n");
        let reader = read(&world);
        tee.until_stderr_has(AGAIN).leaves([("pipe|", "")]);
        assert_eq!(reader.join().unwrap(), "l01\nloghand: 1 line dropped here: the queue was full\nl02\n");
    }
}

#[test]
fn a_line_whose_beginning_was_written_before_its_rest_was_dropped_ends_there() {
    for on_full in ["drop-newest", "drop-oldest"] {
        let world = World::new();
        let (mut reader, writer) = std::io::pipe().unwrap();
        let call = world.loghand(&format!("tee --queue-size 10 --on-full {on_full}")).stdout_to(writer);
        let mut tee = call.code(1).says("stdout: 1 line lost: the queue was full").start();
        let mut stdin = tee.take_stdin();
        stdin.write_all("x".repeat(3 << 19).as_bytes()).unwrap();
        // The first piece has left the queue, and more of it is to be written than the pipe holds.
        reader.read_exact(&mut [0]).unwrap();
        stdin.write_all("x".repeat(3 << 20).as_bytes()).unwrap();
        tee.until_stderr_has("1 line lost");
        stdin.write_all(b"x\nl02\n").unwrap();
        drop(stdin);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text.trim_start_matches('x'), "\nloghand: 1 line dropped here: the queue was full\nl02\n");
        tee.leaves_nothing();
    }
}

#[test]
fn the_note_of_what_was_dropped_reaches_the_output_whatever_the_outlet_asks_of_records() {
    let wide = |text: &str| text.chars().flat_map(|c| [c, '\0']).collect::<String>();
    const NOTE: &str = "loghand: 1 line dropped here: the queue was full";
    for (flags, expected) in [
        ("--level error", format!("ERROR\n{NOTE}\n")),
        ("--level error --format {levelname}|{message} --terminator |", format!("ERROR|ERROR|CRITICAL|{NOTE}|")),
        ("--capacity 9 --no-flush-on-close", format!("ERROR\nlast\n{NOTE}\n")),
        ("--capacity 9 --on-capacity forget", format!("ERROR\nlast\n{NOTE}\n")),
        ("--capacity 9 --multiline ^[A-Z] --multiline-wait 1ms", format!("ERROR\nlast\n{NOTE}\n")),
        ("--encoding utf-16-le --level error", wide(&format!("ERROR\n{NOTE}\n"))),
    ] {
        let world = World::new();
        world.fifo("pipe");
        let stderr = format!("{WAITING}loghand: pipe: 1 line lost: the queue was full\n{AGAIN}");
        let words = "tee all.log --no-stdout -- tee --no-stdout pipe --queue-size 10 --on-full drop-newest";
        let mut tee = world.loghand(&format!("{words} {flags}")).code(1).stderr(stderr).start();
        tee.hears("ERROR\n").until_stderr_has(WAITING);
        tee.hears("last\n").wrote("all.log", "ERROR\nlast\n").hears("dropped\n").until_stderr_has("1 line lost");
        let reader = read(&world);
        tee.until_stderr_has(AGAIN).leaves([("all.log", "ERROR\nlast\ndropped\n"), ("pipe|", "")]);
        assert_eq!(reader.join().unwrap(), expected, "{flags}");
    }
}

#[test]
fn a_full_queue_makes_the_producer_wait_unless_told_otherwise() {
    for flag in ["", "--on-full block"] {
        let world = World::new();
        world.fifo("pipe");
        let call = world.loghand(&format!("tee --no-stdout pipe --queue-size 10 {flag}"));
        let mut tee = call.stderr(format!("{WAITING}{AGAIN}")).start();
        let lines: String = (1..=30_000).map(|n| format!("{n}\n")).collect();
        tee.hears("first\n").until_stderr_has(WAITING);
        let reader = read(&world);
        tee.hears(&lines).leaves([("pipe|", "")]);
        assert!(reader.join().unwrap() == format!("first\n{lines}"));
    }
}

#[test]
fn an_outlet_behind_dashes_has_a_queue_so_that_the_others_do_not_wait_for_it() {
    let world = World::new();
    world.fifo("pipe");
    let call = world.loghand("tee --no-stdout -- tee --no-stdout pipe -- rotate app.log --max-bytes 4");
    let mut tee = call.stderr(format!("{WAITING}{AGAIN}")).start();
    tee.hears("l01\n").until_stderr_has(WAITING).hears("l02\n").wrote("app.log", "l02\n").wrote("app.log.1", "l01\n");
    let reader = read(&world);
    tee.until_stderr_has(AGAIN).leaves([("app.log", "l02\n"), ("app.log.1", "l01\n"), ("pipe|", "")]);
    assert_eq!(reader.join().unwrap(), "l01\nl02\n");
}

#[test]
fn behind_a_queue_signals_timers_and_the_end_work_as_without_one() {
    let world = World::new();
    let mut rotate = world.loghand("rotate app.log --queue-size 1M").start();
    rotate.hears("one\n").wrote("app.log", "one\n").signal(rustix::process::Signal::USR1).wrote("app.log.1", "one\n");
    rotate.hears("two").leaves([("app.log", "two"), ("app.log.1", "one\n")]);
}

#[test]
fn an_output_that_ends_behind_its_queue_ends_the_program_so_that_the_producer_learns_of_it() {
    for on_full in ["block", "drop-newest", "drop-oldest"] {
        let world = World::new();
        world
            .shell(&format!(
                "yes | {{ loghand tee --queue-size 100K --on-full {on_full} 2>messages; echo $? >code; }} | head -n 1"
            ))
            .stdout("y\n")
            .start()
            .until_it_leaves();
        world.until_holds("code", "1\n");
        let messages = fs::read_to_string(world.path("messages")).unwrap();
        assert!(messages.ends_with(" lost: it has ended\n"), "{messages}");
    }
}

#[test]
fn what_does_not_reach_an_output_that_ended_behind_its_queue_is_counted_to_the_last_line() {
    let world = World::new();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let stderr = "\
loghand: stdout: 1 line lost: its reader went away
loghand: stdout: 2 lines lost: it has ended
";
    let call = world.loghand("tee all.log --no-stdout -- tee").stdout_to(writer).code(1);
    let mut tee = call.stderr(stderr).start();
    tee.hears("1\n").until_stderr_has("1 line lost");
    // Whether these still find the queue open or not.
    tee.hears("2\n").wrote("all.log", "1\n2\n").hears("3\n").wrote("all.log", "1\n2\n3\n");
    tee.leaves([("all.log", "1\n2\n3\n")]);
}
