//! `--follow`: what is appended, what replaces a file, and what appears later.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use rustix::process::Signal;

use crate::harness::{World, packed, the_past, until};

#[test]
fn what_is_appended_is_read_until_term() {
    for verb in ["tee --no-stdout out", "rotate out", "watch out", "tee --no-stdout --input in --follow -- rotate out"]
    {
        let world = World::new();
        world.put("in", "one\n");
        let verb = if verb.contains("--follow") { verb.to_owned() } else { format!("{verb} --input in --follow") };
        let mut running = world.loghand(&verb).start();
        running.wrote("out", "one\n");
        world.append("in", "two\n");
        running.wrote("out", "one\ntwo\n").signal(Signal::TERM).until_it_leaves();
        running.leaves([("in", "one\ntwo\n"), ("out", "one\ntwo\n")]);
    }
}

#[test]
fn term_and_int_take_what_is_there() {
    for signal in [Signal::TERM, Signal::INT] {
        let world = World::new();
        world.put("in", "one\n");
        let mut tee = world.loghand("tee --input in --input new --follow").stdout("one\ntwo\nnew\n").start();
        tee.until_stdout("one\n").signal(Signal::STOP);
        world.append("in", "two\n").put("new", "new\n");
        tee.signal(signal).signal(Signal::CONT).until_it_leaves();
        tee.leaves([("in", "one\ntwo\n"), ("new", "new\n")]);
    }
}

#[test]
fn files_and_folders_that_appear_later_are_read_from_their_beginning() {
    let world = World::new();
    let inputs = "--input a/b/c.log --input '**/*.txt' --input 'logs/*.log'";
    let call = world.shell(&format!("exec loghand --ready-fd 3 tee {inputs} --follow --from end 3>ready"));
    let mut tee = call.stdout("c\nd\ne\n").start();
    tee.wrote("ready", "\n");
    world.put("a/b/c.log", "c\n");
    tee.until_stdout("c\n");
    world.put("new/folder/d.txt", "d\n");
    tee.until_stdout("c\nd\n");
    world.put("logs/e.log", "e\n").put("logs/e.txt.swp", "not meant\n");
    tee.until_stdout("c\nd\ne\n").signal(Signal::TERM).until_it_leaves();
    let found = [("a/b/c.log", "c\n"), ("logs/e.log", "e\n"), ("new/folder/d.txt", "d\n")];
    tee.leaves(found.into_iter().chain([("logs/e.txt.swp", "not meant\n"), ("ready", "\n")]));
}

#[test]
fn what_matches_nothing_yet_is_no_error() {
    World::new().loghand("tee --input no.log --input no*.log --follow --until-idle 10ms").leaves_nothing();
}

#[test]
fn excluded_files_stay_excluded() {
    let world = World::new();
    let mut tee = world.loghand("tee --input *.log --exclude debug* --follow").stdout("a\n").start();
    tee.until_it_sleeps();
    world.put("debug.log", "debug\n").put("a.log", "a\n");
    tee.until_stdout("a\n").signal(Signal::TERM).until_it_leaves();
    tee.leaves([("a.log", "a\n"), ("debug.log", "debug\n")]);
}

#[test]
fn from_end_begins_behind_the_last_whole_line() {
    let world = World::new();
    world.put("in", "old\nbegun");
    let script = "exec loghand --ready-fd 3 tee --input in --follow --from end 3>ready";
    let mut tee = world.shell(script).stdout("begun and ended\n").start();
    tee.wrote("ready", "\n");
    world.append("in", " and ended\n");
    tee.until_stdout("begun and ended\n").signal(Signal::TERM).until_it_leaves();
    tee.leaves([("in", "old\nbegun and ended\n"), ("ready", "\n")]);
}

#[test]
fn archives_of_a_log_that_was_never_seen_are_not_read_unless_they_are_named() {
    let world = World::new();
    world.put("app.log", "2\n").put("app.log.1", "1\n").put("app.log.2.gz", packed("0\n"));
    let all = [("app.log", "2\n"), ("app.log.1", "1\n"), ("app.log.2.gz", "0\n")];
    let call = |input: &str| world.loghand(&format!("tee --follow --until-idle 10ms --input {input}"));
    call("app.log").stdout("2\n").leaves(all);
    call("app.log*").stdout("0\n1\n2\n").leaves(all);
    call("app.log --input app.log.1").stdout("1\n2\n").leaves(all);
}

// Rotation and truncation.

#[test]
fn a_renamed_log_is_read_to_its_end_and_then_its_successor() {
    let world = World::new();
    world.put("app.log", "one\n");
    let mut tee = world.loghand("tee --input app.log --follow").stdout("one\ntwo\nthree\n").start();
    tee.until_stdout("one\n").signal(Signal::STOP);
    world.append("app.log", "two\n").rename("app.log", "app.log.1");
    world.put("app.log", "three\n");
    tee.signal(Signal::CONT).until_stdout("one\ntwo\nthree\n").signal(Signal::TERM).until_it_leaves();
    tee.leaves([("app.log", "three\n"), ("app.log.1", "one\ntwo\n")]);
}

#[test]
fn generations_that_came_and_went_unseen_are_read_in_order() {
    let world = World::new();
    world.put("app.log", "1\n");
    let mut tee = world.loghand("tee --input * --follow").stdout("1\n2\n3\n4\n").start();
    tee.until_stdout("1\n").signal(Signal::STOP);
    world.rename("app.log", "app.log.3");
    world.put("app.log.2.gz", packed("2\n")).put("app.log.1", "3\n").put("app.log", "4\n");
    tee.signal(Signal::CONT).until_stdout("1\n2\n3\n4\n").signal(Signal::TERM).until_it_leaves();
    tee.leaves([("app.log", "4\n"), ("app.log.1", "3\n"), ("app.log.2.gz", "2\n"), ("app.log.3", "1\n")]);
}

#[test]
fn old_archives_that_are_unpacked_or_brought_here_are_not_read() {
    let world = World::new();
    world.put("app.log.3.gz", packed("old\n")).put("app.log", "1\n");
    let mut tee = world.loghand("tee --input app.log --follow").stdout("1\n2\n").start();
    tee.until_stdout("1\n");
    world.remove("app.log.3.gz");
    for (name, text) in [("app.log.3", "old\n"), ("app.log.2", "older\n")] {
        world.put_at("unpacking", text, the_past()).rename("unpacking", name);
    }
    world.rename("app.log", "app.log.1");
    world.put("app.log", "2\n");
    tee.until_stdout("1\n2\n").signal(Signal::TERM).until_it_leaves();
    tee.leaves([("app.log", "2\n"), ("app.log.1", "1\n"), ("app.log.2", "older\n"), ("app.log.3", "old\n")]);
}

#[test]
fn the_programs_own_archives_are_generations_of_their_file() {
    for (rotation, archives) in [
        ("--max-bytes 4", ["app.log.2", "app.log.1"]),
        ("--max-bytes 4 --compress", ["app.log.2.gz", "app.log.1.gz"]),
        ("--max-bytes 4 --when midnight", ["app.log.####-##-##.1", "app.log.####-##-##.2"]),
        ("--max-bytes 4 --namer {stem}-{n}{ext}", ["app-2.log", "app-1.log"]),
    ] {
        let world = World::new();
        let mut tee = world.loghand("tee --input ** --follow").stdout("one\ntwo\nten\n").start();
        let mut rotate = world.loghand(&format!("rotate app.log {rotation}")).start();
        for (line, read) in [("one\n", "one\n"), ("two\n", "one\ntwo\n"), ("ten\n", "one\ntwo\nten\n")] {
            rotate.hears(line);
            tee.until_stdout(read);
        }
        rotate.feed("").until_it_leaves();
        tee.signal(Signal::TERM).until_it_leaves();
        tee.leaves([("app.log", "ten\n"), (archives[0], "one\n"), (archives[1], "two\n")]);
    }
}

#[test]
fn a_log_that_is_cut_is_read_from_its_beginning() {
    let world = World::new();
    world.put("app.log", "one\ntwo\n");
    let mut tee = world.loghand("tee --input app.log --follow").stdout("one\ntwo\nnew\n").start();
    tee.until_stdout("one\ntwo\n");
    // As a shell does: cut and written anew.
    world.put("app.log", "new\n");
    tee.until_stdout("one\ntwo\nnew\n").signal(Signal::TERM).until_it_leaves();
    tee.leaves([("app.log", "new\n")]);
}

#[test]
fn nuls_that_a_writer_left_at_the_beginning_of_a_cut_file_are_skipped_and_counted() {
    let world = World::new();
    world.put("app.log", "one\n");
    let says = "app.log: skipped 1,000,000 NUL bytes: it was cut while its writer went on at its old place";
    let mut tee = world.loghand("tee --input app.log --follow").stdout("one\nnew\n").says(says).start();
    tee.until_stdout("one\n");
    let writer = File::options().write(true).open(world.path("app.log")).unwrap();
    writer.set_len(0).unwrap();
    writer.write_at(b"new\n", 1_000_000).unwrap();
    tee.until_stdout("one\nnew\n").signal(Signal::TERM).until_it_leaves();
    world.remove("app.log");
    tee.leaves_nothing();
}

#[test]
fn a_log_that_vanishes_and_comes_back_is_read_anew() {
    let world = World::new();
    world.put("logs/app.log", "one\n");
    let mut tee = world.loghand("tee --input logs/app.log --follow").stdout("one\ntwo\n").start();
    tee.until_stdout("one\n");
    fs::remove_dir_all(world.path("logs")).unwrap();
    world.put("logs/app.log", "two\n");
    tee.until_stdout("one\ntwo\n").signal(Signal::TERM).until_it_leaves();
    tee.leaves([("logs/app.log", "two\n")]);
}

#[test]
fn a_symlink_that_is_made_to_lead_elsewhere_is_followed() {
    let world = World::new();
    world.put("a.log", "a\n").put("b.log", "b\n").symlink("current", "a.log");
    let mut tee = world.loghand("tee --input current --follow").stdout("a\nb\n").start();
    tee.until_stdout("a\n");
    world.symlink("new", "b.log").rename("new", "current");
    tee.until_stdout("a\nb\n").signal(Signal::TERM).until_it_leaves();
    tee.leaves([("a.log", "a\n"), ("b.log", "b\n"), ("current@", "b.log")]);
}

// The last line.

#[test]
fn an_unfinished_line_waits_for_its_end() {
    let world = World::new();
    world.put("in", "one\nbegun");
    let mut tee = world.loghand("tee --input in --input other --follow").stdout("one\nother\nbegun, ended\n").start();
    tee.until_stdout("one\n");
    world.put("other", "other\n");
    tee.until_stdout("one\nother\n");
    world.append("in", ", ended\n");
    tee.until_stdout("one\nother\nbegun, ended\n").signal(Signal::TERM).until_it_leaves();
    tee.leaves([("in", "one\nbegun, ended\n"), ("other", "other\n")]);
}

#[test]
fn an_unfinished_line_is_delivered_at_the_end_as_it_is() {
    for end in ["", " --until-idle 10ms"] {
        let world = World::new();
        world.put("a", "one\nbegun").put("b", "two\nbegun too");
        let out = "one\ntwo\nbegun\nbegun too";
        let mut tee = world.loghand(&format!("tee --input a --input b --follow{end}")).stdout(out).start();
        if end.is_empty() {
            tee.until_stdout("one\ntwo\n").signal(Signal::TERM);
        }
        tee.until_it_leaves();
        tee.leaves([("a", "one\nbegun"), ("b", "two\nbegun too")]);
    }
}

#[test]
fn partial_after_passes_an_unfinished_line_on_marked_and_its_rest_as_a_line() {
    let world = World::new();
    world.put("in", "one\nbegun");
    let out = "one\nbegun [partial]\n, ended\ntwo\n";
    let mut tee = world.loghand("tee --input in --follow --partial-after 10ms").stdout(out).start();
    tee.until_stdout("one\nbegun [partial]\n");
    world.append("in", ", ended\ntwo\n");
    tee.until_stdout(out).signal(Signal::TERM).until_it_leaves();
    tee.leaves([("in", "one\nbegun, ended\ntwo\n")]);
}

#[test]
fn a_line_longer_than_any_buffer_comes_whole_once_it_has_ended() {
    let world = World::new();
    let long = "x".repeat(3 << 20);
    world.put("in", &long).put("other", "other\n");
    let mut tee = world.loghand("tee --no-stdout out --input in --input other --follow").start();
    tee.wrote("out", "other\n");
    world.append("in", "\n");
    tee.wrote("out", format!("other\n{long}\n")).signal(Signal::TERM).until_it_leaves();
    tee.leaves([("in", format!("{long}\n")), ("other", "other\n".into()), ("out", format!("other\n{long}\n"))]);
}

// When it looks, and when it ends.

#[test]
fn until_idle_ends_after_silence() {
    let world = World::new();
    world.put("in", "one\n");
    let mut tee = world.loghand("tee --input in --follow --until-idle 2s").stdout("one\ntwo\n").start();
    tee.until_stdout("one\n");
    world.append("in", "two\n");
    tee.until_it_leaves();
    tee.leaves([("in", "one\ntwo\n")]);
}

#[test]
fn poll_looks_instead_of_being_told() {
    let world = World::new();
    world.put("app.log", "one\n");
    let mut tee = world.loghand("tee --input *.log --follow --poll 10ms").stdout("one\ntwo\nthree\nnew\n").start();
    tee.until_stdout("one\n");
    world.append("app.log", "two\n");
    tee.until_stdout("one\ntwo\n");
    world.rename("app.log", "app.log.1");
    world.put("app.log", "three\n");
    tee.until_stdout("one\ntwo\nthree\n");
    world.put("new.log", "new\n");
    tee.until_stdout("one\ntwo\nthree\nnew\n").signal(Signal::TERM).until_it_leaves();
    tee.leaves([("app.log", "three\n"), ("app.log.1", "one\ntwo\n"), ("new.log", "new\n")]);
}

#[test]
fn ready_fd_is_told_when_appended_lines_will_be_read() {
    let world = World::new();
    world.put("in", "old\n");
    let script = "exec loghand --ready-fd 3 tee --input in --follow --from end 3>ready";
    let mut tee = world.shell(script).stdout("new\n").start();
    tee.wrote("ready", "\n");
    world.append("in", "new\n");
    tee.until_stdout("new\n").signal(Signal::TERM).until_it_leaves();
    tee.leaves([("in", "old\nnew\n"), ("ready", "\n")]);
}

#[test]
fn hup_reopens_and_usr1_rolls_over_while_files_are_followed() {
    let world = World::new();
    world.put("in", "one\n");
    let mut rotate = world.loghand("rotate app.log --input in --follow").start();
    rotate.wrote("app.log", "one\n").signal(Signal::USR1).wrote("app.log.1", "one\n");
    world.append("in", "two\n");
    rotate.wrote("app.log", "two\n");
    world.rename("app.log", "moved");
    rotate.signal(Signal::HUP).wrote("app.log", "");
    world.append("in", "three\n");
    rotate.wrote("app.log", "three\n").signal(Signal::TERM).until_it_leaves();
    rotate.leaves([("app.log", "three\n"), ("app.log.1", "one\n"), ("in", "one\ntwo\nthree\n"), ("moved", "two\n")]);
}

#[test]
fn the_output_is_no_input_even_when_it_is_rolled_over() {
    let world = World::new();
    world.put("in.log", "one\n");
    let says = ["out.log: is not read: this program writes to it"];
    let mut rotate = world.loghand("rotate out.log --max-bytes 4 --input *.log* --follow").stderr_has(says).start();
    rotate.wrote("out.log", "one\n");
    world.append("in.log", "two\n");
    rotate.wrote("out.log.1", "one\n").wrote("out.log", "two\n").until_it_sleeps();
    world.append("in.log", "ten\n");
    rotate.wrote("out.log.2", "one\n").wrote("out.log", "ten\n").signal(Signal::TERM).until_it_leaves();
    let rolled = [("out.log", "ten\n"), ("out.log.1", "two\n"), ("out.log.2", "one\n")];
    rotate.leaves(rolled.into_iter().chain([("in.log", "one\ntwo\nten\n")]));
}

#[test]
fn a_reader_of_stdout_that_leaves_ends_following() {
    let world = World::new();
    world.put("in", "one\n");
    let (reader, writer) = std::io::pipe().unwrap();
    let says = ["loghand: stdout: ", "lost: its reader went away"];
    let mut tee = world.loghand("tee --input in --follow").stdout_to(writer).code(1).stderr_has(says).start();
    tee.until_it_sleeps();
    drop(reader);
    let mut lines = "one\n".to_owned();
    until("a broken pipe", || {
        world.append("in", "x\n");
        lines += "x\n";
        tee.has_said("its reader went away")
    });
    tee.until_it_leaves();
    tee.leaves([("in", lines)]);
}

#[test]
fn what_goes_wrong_is_said_once_and_the_others_are_followed() {
    let world = World::new();
    world.folder("folder").put("a.log", "a\n");
    let says = "folder: is a folder: name the files in it, as in 'folder/*.log'";
    let mut tee =
        world.loghand("tee --input folder --input *.log --follow").code(1).says(says).stdout("a\nb\n").start();
    tee.until_stdout("a\n");
    world.put("b.log", "b\n");
    tee.until_stdout("a\nb\n").signal(Signal::TERM).until_it_leaves();
    tee.leaves([("a.log", "a\n"), ("b.log", "b\n"), ("folder/", "")]);
}

// Several files.

#[test]
fn lines_of_several_files_come_in_turns_and_keep_their_names_and_records() {
    let world = World::new();
    world.put("a.log", "A1\n").put("b.log", "B1\n");
    let call = world.loghand("tee --input *.log --follow --multiline ^[A-Z] --multiline-wait 1d --format");
    let mut tee =
        call.arg("{filename}<{message}>").stdout("a.log<A1\n a>\nb.log<B1\n b>\na.log<A2>\nb.log<B2>\n").start();
    world.append("a.log", " a\n").append("b.log", " b\n").append("a.log", "A2\n");
    tee.until_stdout("a.log<A1\n a>\n");
    world.append("b.log", "B2\n");
    tee.until_stdout("a.log<A1\n a>\nb.log<B1\n b>\n").signal(Signal::TERM).until_it_leaves();
    tee.leaves([("a.log", "A1\n a\nA2\n"), ("b.log", "B1\n b\nB2\n")]);
}

#[test]
fn more_files_than_descriptors_are_followed() {
    let world = World::new();
    for n in 0..200 {
        world.put(&format!("in/{n:03}.log"), format!("{n:03}\n"));
    }
    let mut tee = world.shell("ulimit -n 90; exec loghand tee --no-stdout out --input 'in/*.log' --follow").start();
    let mut all: String = (0..200).map(|n| format!("{n:03}\n")).collect();
    tee.wrote("out", &all);
    for n in [0, 100, 199] {
        world.append(&format!("in/{n:03}.log"), "more\n");
        all += "more\n";
        tee.wrote("out", &all);
    }
    tee.signal(Signal::TERM).until_it_leaves();
    fs::remove_dir_all(world.path("in")).unwrap();
    tee.leaves([("out", all)]);
}
