//! INT, TERM, HUP, USR1 and PIPE (E29), to the program itself and in a real shell's pipeline.

use std::io::{Read, Write};
use std::thread;

use rustix::process::Signal;

use crate::harness::{World, until};

#[test]
fn ctrl_c_in_a_pipeline_does_not_cut_off_the_producers_last_words() {
    let world = World::new();
    let script = "
        trap : INT
        ( trap 'echo last words; exit' INT; echo first; while :; do sleep 0.01; done ) |
            loghand tee --no-stdout app.log";
    let mut pipeline = world.shell(script).start();
    pipeline.wrote("app.log", "first\n").signal_all(Signal::INT).until_it_leaves();
    pipeline.leaves([("app.log", "first\nlast words\n")]);
}

#[test]
fn ctrl_c_in_a_pipeline_lets_rotate_and_the_outlets_behind_dashes_finish() {
    let world = World::new();
    let script = "
        trap : INT
        ( trap 'echo last words; exit' INT; echo first; while :; do sleep 0.01; done ) |
            loghand tee --no-stdout -- rotate app.log --max-bytes 8 -- watch all.log";
    let mut pipeline = world.shell(script).start();
    pipeline.wrote("all.log", "first\n").wrote("app.log", "first\n").signal_all(Signal::INT).until_it_leaves();
    pipeline.leaves([("all.log", "first\nlast words\n"), ("app.log", "last words\n"), ("app.log.1", "first\n")]);
}

#[test]
fn one_int_leaves_the_input_open_and_a_second_one_leaves_at_once() {
    let world = World::new();
    let mut tee = world.loghand("tee --no-stdout app.log").code(1).start();
    tee.hears("one\n").wrote("app.log", "one\n");
    tee.signal(Signal::INT).hears("two\n").wrote("app.log", "one\ntwo\n");
    tee.signal_until_it_leaves(Signal::INT);
    tee.leaves([("app.log", "one\ntwo\n")]);
}

#[test]
fn an_int_before_the_end_of_input_is_no_failure() {
    let world = World::new();
    let mut tee = world.loghand("tee --no-stdout app.log").start();
    tee.hears("one\n").wrote("app.log", "one\n");
    tee.signal(Signal::INT).hears("two\n");
    tee.leaves([("app.log", "one\ntwo\n")]);
}

#[test]
fn term_drains_what_is_in_the_pipe_and_leaves_while_the_producer_lives() {
    for verb in ["tee --no-stdout app.log", "rotate app.log", "watch app.log", "tee --no-stdout -- watch app.log"] {
        let world = World::new();
        let mut running = world.loghand(verb).start();
        running.hears("one\n").wrote("app.log", "one\n");
        // Stopped, so that the lines are certainly still in the pipe when TERM comes.
        running.signal(Signal::STOP).hears("two\n").hears("three\n").signal(Signal::TERM).signal(Signal::CONT);
        running.until_it_leaves();
        running.leaves([("app.log", "one\ntwo\nthree\n")]);
    }
}

#[test]
fn term_waits_for_the_end_of_a_line_that_has_begun() {
    let world = World::new();
    let mut tee = world.loghand("tee --no-stdout app.log").start();
    tee.hears("one\n").wrote("app.log", "one\n");
    tee.signal(Signal::STOP).hears("begun ").signal(Signal::TERM).signal(Signal::CONT).hears("and ended\n");
    tee.until_it_leaves();
    tee.leaves([("app.log", "one\nbegun and ended\n")]);
}

#[test]
fn term_takes_nothing_behind_the_line_that_has_begun() {
    let world = World::new();
    let mut tee = world.loghand("tee --no-stdout app.log").start();
    tee.hears("one\n").wrote("app.log", "one\n").until_it_sleeps();
    tee.signal(Signal::STOP).hears("begun ").signal(Signal::TERM).signal(Signal::CONT);
    let mut stdin = tee.take_stdin();
    until("an empty pipe", || rustix::io::ioctl_fionread(&stdin).unwrap() == 0);
    // A producer that writes blocks of one size ends a line and begins the next one at once.
    stdin.write_all(b"and ended\nbegun again").unwrap();
    tee.until_it_leaves();
    tee.leaves([("app.log", "one\nbegun and ended\n")]);
}

#[test]
fn term_does_not_wait_for_ever_for_a_line_that_is_never_ended() {
    let world = World::new();
    let mut tee = world.loghand("tee --no-stdout app.log").start();
    tee.hears("one\n").wrote("app.log", "one\n");
    tee.hears("begun").signal(Signal::TERM).until_it_leaves();
    tee.leaves([("app.log", "one\nbegun")]);
}

#[test]
fn a_second_term_leaves_at_once_whoever_is_waited_for() {
    let world = World::new();
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut tee = world.loghand("tee").stdout_to(writer).code(1).start();
    // More than the pipes hold, to a reader that reads one byte and no more: tee hangs in its write.
    let mut stdin = tee.take_stdin();
    let feeder = thread::spawn(move || drop(stdin.write_all(&b"line\n".repeat(200_000))));
    reader.read_exact(&mut [0]).unwrap();
    tee.signal_until_it_leaves(Signal::TERM);
    feeder.join().unwrap();
    tee.leaves_nothing();
}

#[test]
fn term_hands_on_what_a_buffer_holds() {
    let world = World::new();
    let mut tee = world.loghand("tee all.log --no-stdout -- tee --no-stdout held.log --capacity 100").start();
    tee.hears("one\n").wrote("all.log", "one\n");
    tee.signal(Signal::TERM).until_it_leaves();
    tee.leaves([("all.log", "one\n"), ("held.log", "one\n")]);
}

#[test]
fn hup_opens_a_renamed_file_anew() {
    for verb in ["tee --no-stdout app.log", "rotate app.log", "tee --no-stdout -- tee --no-stdout app.log"] {
        let world = World::new();
        let mut running = world.loghand(verb).start();
        running.hears("one\n").wrote("app.log", "one\n");
        world.rename("app.log", "old.log");
        running.signal(Signal::HUP).wrote("app.log", "").hears("two\n").wrote("app.log", "two\n");
        running.leaves([("app.log", "two\n"), ("old.log", "one\n")]);
    }
}

#[test]
fn hup_does_not_begin_a_file_of_mode_w_anew() {
    let world = World::new();
    world.put("app.log", "before\n");
    let mut tee = world.loghand("tee --no-stdout app.log --mode w").start();
    tee.hears("one\n").wrote("app.log", "one\n").signal(Signal::HUP).hears("two\n").wrote("app.log", "one\ntwo\n");
    tee.leaves([("app.log", "one\ntwo\n")]);
}

#[test]
fn hup_when_the_folder_is_gone_keeps_the_lines_until_it_is_back() {
    let world = World::new();
    world.folder("logs");
    let waiting = "logs/app.log: No such file or directory: trying again until it works, the producer waits";
    let mut tee = world.loghand("tee --no-stdout logs/app.log").code(1).stderr_has([waiting, "writing again"]).start();
    tee.hears("one\n").wrote("logs/app.log", "one\n");
    world.rename("logs", "moved");
    tee.signal(Signal::HUP).until_stderr_has("its folder does not exist").hears("two\n").until_stderr_has(waiting);
    world.folder("logs");
    tee.wrote("logs/app.log", "two\n");
    tee.leaves([("logs/app.log", "two\n"), ("moved/app.log", "one\n")]);
}

#[test]
fn usr1_rolls_over_now() {
    let world = World::new();
    let mut rotate = world.loghand("rotate app.log").start();
    rotate.hears("one\n").wrote("app.log", "one\n");
    rotate.signal(Signal::USR1).wrote("app.log.1", "one\n");
    rotate.hears("two\n").wrote("app.log", "two\n");
    rotate.signal(Signal::USR1).wrote("app.log.1", "two\n").wrote("app.log.2", "one\n");
    rotate.leaves([("app.log", ""), ("app.log.1", "two\n"), ("app.log.2", "one\n")]);
}

#[test]
fn usr1_reaches_rotate_behind_dashes_and_is_nothing_to_the_others() {
    let world = World::new();
    let mut tee = world.loghand("tee plain.log --no-stdout -- rotate app.log -- watch watched.log").start();
    tee.hears("one\n").wrote("app.log", "one\n").wrote("plain.log", "one\n").wrote("watched.log", "one\n");
    tee.signal(Signal::USR1).wrote("app.log.1", "one\n").hears("two\n");
    tee.leaves([
        ("app.log", "two\n"),
        ("app.log.1", "one\n"),
        ("plain.log", "one\ntwo\n"),
        ("watched.log", "one\ntwo\n"),
    ]);
}

#[test]
fn a_broken_stdout_ends_that_output_alone() {
    let world = World::new();
    let (mut reader, writer) = std::io::pipe().unwrap();
    let says = ["loghand: stdout: 1 line lost: its reader went away", "lost: it has ended"];
    let mut tee = world.loghand("tee app.log").stdout_to(writer).code(1).stderr_has(says).start();
    let mut line = [0; 4];
    tee.hears("one\n");
    reader.read_exact(&mut line).unwrap();
    drop(reader);
    let mut all = "one\n".to_owned();
    // Another test's child may hold a copy of the reader for the moment between its fork and its exec.
    until("a broken pipe", || {
        tee.hears("x\n");
        all += "x\n";
        world.until_holds("app.log", &all);
        tee.has_said("its reader went away")
    });
    all += "last\n";
    tee.hears("last\n").wrote("app.log", &all);
    tee.leaves([("app.log", all)]);
}

#[test]
fn the_only_output_ending_ends_the_program_so_that_the_producer_learns_of_it() {
    let world = World::new();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let call = world.loghand("tee").stdout_to(writer).code(1);
    let mut tee = call.stderr_has(["loghand: stdout: ", "lost: its reader went away"]).start();
    let mut stdin = tee.take_stdin();
    until("a broken pipe", || stdin.write_all(b"one\n").is_err());
    tee.until_it_leaves();
    tee.leaves_nothing();
}

#[test]
fn head_in_a_real_pipeline_does_not_hurt_the_log() {
    let world = World::new();
    let lines: String = (1..=50_000).map(|n| format!("{n}\n")).collect();
    world
        .shell("seq 50000 | { loghand tee app.log 2>messages; echo $? >code; } | head -n 1")
        .stdout("1\n")
        .start()
        .until_it_leaves();
    world.until_holds("code", "1\n");
    let read = |name| std::fs::read_to_string(world.path(name)).unwrap();
    assert_eq!(read("app.log"), lines);
    assert!(read("messages").contains("lost: its reader went away\n"), "{}", read("messages"));
}
