//! `--checkpoint`: going on where the last run stopped, whatever ended it.

use std::fs::{self, File};

use rustix::process::Signal;

use crate::harness::{Call, World, packed, until};

/// A folder for logs and one for the checkpoint, each of which is compared whole.
struct Stage {
    logs: World,
    state: World,
}

impl Stage {
    fn new() -> Self {
        Self { logs: World::new(), state: World::new() }
    }

    fn checkpoint(&self) -> String {
        self.state.path("cp").display().to_string()
    }

    /// `tee`, or what else, with the checkpoint.
    fn call(&self, words: &str) -> Call<'_> {
        self.logs.loghand(words).arg("--checkpoint").arg(self.checkpoint())
    }

    /// Runs it; it shall write this, and leave the logs as they are.
    #[track_caller]
    fn reads(&self, words: &str, out: &str) {
        let mut running = self.call(words).stdout(out).start();
        running.until_it_leaves();
        running.leaves(self.files());
    }

    fn files(&self) -> Vec<(String, Vec<u8>)> {
        let names = self.logs.names();
        names.into_iter().map(|name| (name.clone(), fs::read(self.logs.path(&name)).unwrap())).collect()
    }

    #[track_caller]
    fn has(&self, names: &[&str]) {
        assert_eq!(self.state.names(), names);
    }
}

const ALL: [&str; 3] = ["cp", "cp.lock", "cp.previous"];

#[test]
fn a_second_run_goes_on_where_the_first_stopped() {
    for follow in ["", " --follow --until-idle 10ms"] {
        let stage = Stage::new();
        let tee = format!("tee --input *.log{follow}");
        stage.logs.put("a.log", "1\n").put("b.log", "2\n");
        stage.reads(&tee, "1\n2\n");
        stage.reads(&tee, "");
        stage.logs.append("a.log", "3\n").put("c.log", "4\n");
        stage.reads(&tee, "3\n4\n");
        stage.has(&ALL);
    }
}

#[test]
fn every_verb_has_one() {
    for verb in ["tee --no-stdout out", "rotate out", "watch out"] {
        let stage = Stage::new();
        stage.logs.put("in", "1\n");
        stage.call(&format!("{verb} --input in")).leaves([("in", "1\n"), ("out", "1\n")]);
        stage.logs.append("in", "2\n");
        stage.call(&format!("{verb} --input in")).leaves([("in", "1\n2\n"), ("out", "1\n2\n")]);
    }
}

#[test]
fn it_is_json_that_a_person_can_read() {
    let stage = Stage::new();
    stage.logs.put("a.log", "one\ntwo\nbegun");
    stage.reads("tee --input a.log", "one\ntwo\n");
    let text = fs::read_to_string(stage.state.path("cp")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let path = stage.logs.path("a.log").display().to_string();
    assert_eq!(json["loghand_checkpoint"], 1);
    assert_eq!(json["logs"][0]["path"], path);
    assert_eq!((&json["logs"][0]["files"][0]["offset"], &json["logs"][0]["files"][0]["seen"]), (&8.into(), &13.into()));
    // One file a line.
    assert!(text.lines().any(|line| line.contains(&path) && line.contains("\"offset\": 8")), "{text}");
}

#[test]
fn an_unfinished_line_waits_for_its_end_over_runs_and_over_term() {
    let stage = Stage::new();
    stage.logs.put("in", "one\nbe");
    stage.reads("tee --input in", "one\n");
    stage.logs.append("in", "gun");
    let mut tee = stage.call("tee --input in --input other --follow").stdout("other\n").start();
    stage.logs.put("other", "other\n");
    tee.until_stdout("other\n").signal(Signal::TERM).until_it_leaves();
    tee.leaves(stage.files());
    stage.logs.append("in", ", ended\n");
    stage.reads("tee --input in", "begun, ended\n");
}

#[test]
fn a_position_comes_before_from() {
    let stage = Stage::new();
    stage.logs.put("in", "old\n");
    stage.reads("tee --input in --from end", "");
    stage.logs.append("in", "new\n");
    stage.reads("tee --input in --from end", "new\n");
    stage.reads("tee --input in --from start", "");
    // It was not there when positions were saved, so its lines are new.
    stage.logs.put("new", "all new\n");
    stage.reads("tee --input * --from end", "all new\n");
}

#[test]
fn the_file_is_the_same_by_whatever_path_it_is_named() {
    let stage = Stage::new();
    let all = ["a/in.log", "b@"];
    stage.logs.put("a/in.log", "1\n").symlink("b", "a");
    let whole = stage.logs.path("a/in.log").display().to_string();
    let mut text = "1\n".to_owned();
    for (number, input) in
        ["a/in.log", "./a/in.log", "a/../a/in.log", "b/*.log", "b/../a/in.log", &whole, "**"].into_iter().enumerate()
    {
        let read = text.clone();
        let out = if number == 0 { read } else { format!("{number}\n") };
        stage.call(&format!("tee --input {input}")).stdout(out).leaves([(all[0], text.as_str()), (all[1], "a")]);
        stage.logs.append("a/in.log", format!("{}\n", number + 1));
        text += &format!("{}\n", number + 1);
    }
    // And from another folder.
    let script = format!("cd b && exec loghand tee --input ../a/in.log --checkpoint {}", stage.checkpoint());
    stage.logs.shell(&script).stdout("7\n").leaves([(all[0], text.as_str()), (all[1], "a")]);
}

#[test]
fn what_was_rotated_between_two_runs_is_read_to_its_end_and_in_order() {
    for follow in ["", " --follow --until-idle 10ms"] {
        let stage = Stage::new();
        let tee = format!("tee --input app.log{follow}");
        stage.logs.put("app.log", "1\n");
        stage.reads(&tee, "1\n");
        stage.logs.append("app.log", "2\n").rename("app.log", "app.log.3");
        stage.logs.put("app.log.2.gz", packed("3\n")).put("app.log.1", "4\n").put("app.log", "5\n");
        let all = [("app.log", "5\n"), ("app.log.1", "4\n"), ("app.log.2.gz", "3\n"), ("app.log.3", "1\n2\n")];
        stage.call(&tee).stdout("2\n3\n4\n5\n").leaves(all);
        // What was read is not read again when it is packed.
        stage.logs.remove("app.log.3");
        stage.logs.put("app.log.3.gz", packed("1\n2\n")).append("app.log", "6\n");
        let all = [("app.log", "5\n6\n"), ("app.log.1", "4\n"), ("app.log.2.gz", "3\n"), ("app.log.3.gz", "1\n2\n")];
        stage.call(&tee).stdout("6\n").leaves(all);
    }
}

#[test]
fn what_was_renamed_to_any_name_that_matches_is_gone_on_with() {
    let stage = Stage::new();
    stage.logs.put("a.log", "1\n");
    stage.reads("tee --input *.log", "1\n");
    stage.logs.rename("a.log", "other.log");
    stage.logs.append("other.log", "2\n");
    stage.reads("tee --input *.log", "2\n");
    stage.reads("tee --input *.log", "");
}

#[test]
fn what_was_cut_between_two_runs_is_read_from_its_beginning() {
    let stage = Stage::new();
    stage.logs.put("in", "one\ntwo\n");
    stage.reads("tee --input in", "one\ntwo\n");
    stage.logs.put("in", "new\n");
    stage.reads("tee --input in", "new\n");
    // Longer than before, and yet another one.
    stage.logs.put("in", "new and longer\nand more\n");
    stage.reads("tee --input in", "new and longer\nand more\n");
}

#[test]
fn what_was_deleted_before_it_was_read_is_counted() {
    let stage = Stage::new();
    stage.logs.put("in", "one\nbegun");
    stage.reads("tee --input in", "one\n");
    stage.logs.remove("in");
    let call = stage.call("tee --input in").code(1);
    call.stderr_has(["loghand: in: no such file", "skipped 5 bytes: deleted before read"]).leaves_nothing();
}

#[test]
fn a_packed_file_is_gone_on_with() {
    let stage = Stage::new();
    stage.logs.put("in.gz", packed("one\n"));
    stage.call("tee --input in.gz").stdout("one\n").leaves([("in.gz", "one\n")]);
    stage.call("tee --input in.gz").leaves([("in.gz", "one\n")]);
    stage.logs.append("in.gz", packed("two\n"));
    stage.call("tee --input in.gz").stdout("two\n").leaves([("in.gz", "one\ntwo\n")]);
}

// What advances it, and what does not.

#[test]
fn a_full_disk_that_is_waited_for_keeps_it_where_it_was() {
    let stage = Stage::new();
    stage.logs.put("in", "one\n");
    let says = ["/dev/full: No space left on device: waiting for space", "/dev/full: 1 line lost: told to stop"];
    for follow in ["", " --follow"] {
        let mut tee =
            stage.call(&format!("tee --no-stdout /dev/full --input in{follow}")).code(1).stderr_has(says).start();
        tee.until_stderr_has("waiting").signal(Signal::TERM).until_it_leaves();
        tee.leaves([("in", "one\n")]);
    }
    stage.reads("tee --input in", "one\n");
}

#[test]
fn lines_that_were_dropped_come_again_with_the_next_run() {
    let stage = Stage::new();
    stage.logs.put("in", "one\n\u{e9}\n");
    let call = stage.call("tee --no-stdout /dev/full --on-disk-full drop --input in").code(1);
    call.says("/dev/full: 2 lines lost: No space left on device").leaves([("in", "one\n\u{e9}\n")]);
    let call = stage.call("tee --no-stdout out --encoding ascii --errors strict --input in").code(1);
    call.says("out: 1 line lost: character '\u{e9}' cannot be encoded")
        .leaves([("in", "one\n\u{e9}\n"), ("out", "one\n")]);
    stage.logs.remove("out");
    stage.reads("tee --input in", "one\n\u{e9}\n");
}

#[test]
fn one_of_several_outlets_that_fails_keeps_it_where_it_was() {
    let stage = Stage::new();
    stage.logs.put("in", "one\n");
    let words = format!(
        "tee --no-stdout --input in --checkpoint {} -- tee --no-stdout out -- tee --no-stdout /dev/full --on-disk-full drop",
        stage.checkpoint()
    );
    let call = stage.logs.loghand(&words).code(1).says("/dev/full: 1 line lost: No space left on device");
    call.leaves([("in", "one\n"), ("out", "one\n")]);
    stage.logs.remove("out");
    stage.reads("tee --input in", "one\n");
}

#[test]
fn outlets_behind_queues_advance_it_when_all_have_written() {
    let stage = Stage::new();
    stage.logs.put("in", "one\n");
    let words = format!(
        "tee --no-stdout --input in --queue-size 1K --checkpoint {} -- rotate a.log -- watch b.log --capacity 100",
        stage.checkpoint()
    );
    stage.logs.loghand(&words).leaves([("a.log", "one\n"), ("b.log", "one\n"), ("in", "one\n")]);
    stage.logs.loghand(&words).leaves([("a.log", "one\n"), ("b.log", "one\n"), ("in", "one\n")]);
}

#[test]
fn a_buffer_that_holds_lines_back_holds_it_back() {
    let stage = Stage::new();
    stage.logs.put("in", "INFO 1\n").put("out", "");
    let all = [("in", "INFO 1\n"), ("out", "")];
    let mut tee = stage.call("tee --no-stdout out --capacity 100 --input in --follow").code(1).start();
    let checkpoint = stage.state.path("cp");
    until("a checkpoint", || checkpoint.exists());
    tee.until_it_sleeps().signal(Signal::KILL).until_it_leaves();
    // It was killed, which is no exit code.
    drop(tee);
    stage.logs.remove("out");
    stage.reads("tee --input in", "INFO 1\n");
    assert_eq!(all[0].1, "INFO 1\n");
}

#[test]
fn what_a_buffer_forgets_is_behind_it() {
    let stage = Stage::new();
    stage.logs.put("in", "INFO 1\nINFO 2\nERROR 3\nINFO 4\n");
    stage.reads("tee --capacity 1 --on-capacity forget --input in", "INFO 2\nERROR 3\n");
    stage.reads("tee --input in", "");
}

#[test]
fn a_reader_of_stdout_that_leaves_keeps_it_at_what_it_got() {
    let stage = Stage::new();
    let big: String = (1..=200_000).map(|n| format!("{n}\n")).collect();
    stage.logs.put("big", &big);
    let checkpoint = stage.checkpoint();
    let script =
        format!("{{ loghand tee --input big --checkpoint {checkpoint} 2>messages; echo $? >code; }} | head -n 1");
    stage.logs.shell(&script).stdout("1\n").start().until_it_leaves();
    stage.logs.until_holds("code", "1\n");
    // Nobody knows what head had taken of what was written.
    stage.logs.loghand(&format!("tee --no-stdout out --input big --checkpoint {checkpoint}")).start().until_it_leaves();
    let rest = fs::read_to_string(stage.logs.path("out")).unwrap();
    assert!(big.ends_with(&rest) && !rest.is_empty());
    assert!(rest.len() + 1_000_000 > big.len(), "more than pipes hold is missing: {}", rest.len());
}

#[test]
fn term_while_reading_once_is_no_failure_and_the_next_run_reads_the_rest() {
    let stage = Stage::new();
    let big = "a line of a large file that takes a while\n".repeat(200_000);
    stage.logs.put("big", &big);
    let (reader, writer) = std::io::pipe().unwrap();
    let call = stage.call("tee --input big").stdout_to(writer);
    let mut tee = call.stderr_has(["loghand: input: told to stop with ", " unread"]).start();
    tee.until_it_sleeps().signal(Signal::TERM);
    let first = std::io::read_to_string(reader).unwrap();
    tee.until_it_leaves();
    tee.leaves([("big", &big)]);
    assert!(first.len() < big.len());
    let mut tee = stage.call("tee --no-stdout out --input big").start();
    tee.until_it_leaves();
    let rest = fs::read_to_string(stage.logs.path("out")).unwrap();
    assert!(first + &rest == big);
    tee.leaves([("big", &big), ("out", &rest)]);
}

#[test]
fn a_crash_repeats_lines_at_most() {
    let stage = Stage::new();
    let big: String = (1..=100_000).map(|n| format!("{n}\n")).collect();
    stage.logs.put("in", &big);
    let mut tee = stage.call("tee --no-stdout out --input in --follow").start();
    until("some lines", || stage.logs.exists("out") && fs::metadata(stage.logs.path("out")).unwrap().len() > 0);
    tee.signal(Signal::KILL).until_it_leaves();
    drop(tee);
    let first = fs::read_to_string(stage.logs.path("out")).unwrap();
    stage.logs.put("out", "");
    stage.logs.append("in", "last\n");
    stage.call("tee --no-stdout out --input in").start().until_it_leaves();
    let second = fs::read_to_string(stage.logs.path("out")).unwrap();
    let all = big + "last\n";
    assert!(all.starts_with(&first) && all.ends_with(&second) && first.len() + second.len() >= all.len());
}

#[test]
fn it_advances_while_files_are_followed() {
    let stage = Stage::new();
    stage.logs.put("in", "one\n");
    let mut tee = stage.call("tee --input in --follow").stdout("one\ntwo\n").start();
    let holds = |text: &str| fs::read_to_string(stage.state.path("cp")).is_ok_and(|found| found.contains(text));
    until("the first line's checkpoint", || holds("\"offset\": 4"));
    stage.logs.append("in", "two\n");
    until("the second line's checkpoint", || holds("\"offset\": 8"));
    tee.signal(Signal::TERM).until_it_leaves();
    tee.leaves([("in", "one\ntwo\n")]);
}

// What becomes of it.

#[test]
fn a_damaged_one_is_set_aside_and_the_one_before_serves() {
    for (content, flaw) in [
        ("", "it is empty"),
        ("{\"loghand_checkpoint\": 1, ", "it was cut off"),
        ("diary\n", "it is no checkpoint of loghand"),
    ] {
        let stage = Stage::new();
        stage.logs.put("in", "1\n");
        stage.reads("tee --input in", "1\n");
        stage.logs.append("in", "2\n");
        stage.reads("tee --input in", "2\n");
        stage.state.put("cp", content);
        let says =
            [&format!("cp: {flaw}; set aside as "), "cp.damaged; ", "cp.previous, written at ", "serves instead"];
        // The one before is as old as one save, so a line may come again.
        let mut tee = stage.call("tee --no-stdout --input in null:").stderr_has(says).start();
        tee.until_it_leaves();
        tee.leaves([("in", "1\n2\n")]);
        assert_eq!(fs::read_to_string(stage.state.path("cp.damaged")).unwrap(), content);
        stage.has(&["cp", "cp.damaged", "cp.lock", "cp.previous"]);
        stage.reads("tee --input in", "");
    }
}

#[test]
fn without_any_that_can_be_read_everything_is_read_anew_and_that_is_said() {
    let stage = Stage::new();
    stage.logs.put("in", "1\n");
    stage.reads("tee --input in", "1\n");
    stage.state.put("cp", "diary\n").put("cp.previous", "");
    let says =
        ["cp: it is no checkpoint of loghand; set aside as ", "every file is read anew as if for the first time"];
    stage.call("tee --input in").stdout("1\n").stderr_has(says).leaves([("in", "1\n")]);
    stage.has(&["cp", "cp.damaged", "cp.lock", "cp.previous", "cp.previous.damaged"]);
}

#[test]
fn a_newer_version_is_not_worked_with() {
    let stage = Stage::new();
    stage.logs.put("in", "1\n");
    stage.state.put("cp", "{\"loghand_checkpoint\": 99}\n");
    let call = stage.call("tee --input in").stdout("1\n");
    call.stderr_has(["a newer loghand wrote it, in version 99 of the format"]).leaves([("in", "1\n")]);
}

#[test]
fn a_second_process_says_so_and_leaves() {
    let stage = Stage::new();
    stage.logs.put("in", "1\n");
    let mut first = stage.call("tee --input in --follow").stdout("1\n").start();
    first.until_stdout("1\n");
    let says = format!(
        "--checkpoint: {}: in use by another loghand (process {}): each needs a checkpoint of its own",
        stage.checkpoint(),
        first.pid().as_raw_nonzero()
    );
    stage.call("tee --input in").code(2).says(&says).leaves([("in", "1\n")]);
    first.signal(Signal::TERM).until_it_leaves();
    first.leaves([("in", "1\n")]);
    stage.reads("tee --input in", "");
}

#[test]
fn a_log_is_never_taken_for_a_checkpoint() {
    let world = World::new();
    world.put("a.log", "a\n").put("b.log", "b\n").symlink("link", "a.log");
    let all = [("a.log", "a\n"), ("b.log", "b\n"), ("link@", "a.log")];
    for (words, why) in [
        ("tee --input a.log --checkpoint a.log", "a.log: lines are read from it"),
        ("tee --input link --checkpoint ./a.log", "./a.log: lines are read from it"),
        ("tee --input *.log --follow --checkpoint b.log", "b.log: lines are read from it"),
        ("tee b.log --input a.log --checkpoint b.log", "b.log: lines are written to it"),
        ("rotate b.log --input a.log --checkpoint ./b.log", "./b.log: lines are written to it"),
        ("tee --input a.log --checkpoint b.log -- watch b.log", "b.log: lines are written to it"),
    ] {
        world.loghand(words).code(2).says(&format!("--checkpoint: {why}, so it cannot be the checkpoint")).leaves(all);
    }
}

#[test]
fn its_own_files_are_not_read() {
    let world = World::new();
    world.put("a.log", "1\n");
    for out in ["1\n", ""] {
        world.loghand("tee --input * --input .* --checkpoint cp").stdout(out).start().until_it_leaves();
        for name in ["cp", "cp.previous", "cp.lock"] {
            assert!(world.exists(name), "{name}");
        }
    }
    let says = "cp: is not read: this program writes to it";
    world.loghand("tee --input cp --checkpoint cp").code(1).says(says).start().until_it_leaves();
}

#[test]
fn where_it_cannot_be_is_said_and_nothing_is_read() {
    let world = World::new();
    world.put("in", "1\n").put("cp", "").symlink("link", "cp").folder("folder").fifo("pipe");
    let all = [("cp", ""), ("folder/", ""), ("in", "1\n"), ("link@", "cp"), ("pipe|", "")];
    for (checkpoint, why) in [
        ("no/cp", "its folder does not exist: make it first"),
        ("in/cp", "its folder is a file"),
        ("link", "a symlink, which a checkpoint must not be: name the file itself"),
        ("folder", "not a regular file"),
        ("pipe", "not a regular file"),
        ("..", "that is no name for a file"),
    ] {
        let call = world.loghand(&format!("tee --input in --checkpoint {checkpoint}")).code(1);
        call.says(&format!("--checkpoint: {checkpoint}: {why}")).leaves(all);
    }
}

#[test]
fn a_position_survives_that_its_log_is_not_asked_for_once() {
    let stage = Stage::new();
    stage.logs.put("a.log", "1\n").put("b.log", "2\n");
    stage.reads("tee --input *.log", "1\n2\n");
    stage.logs.append("a.log", "3\n").append("b.log", "4\n");
    stage.reads("tee --input a.log", "3\n");
    stage.reads("tee --input *.log", "4\n");
}

#[test]
fn holes_that_a_cut_leaves_are_skipped_over_a_restart() {
    let stage = Stage::new();
    stage.logs.put("in", "one\n");
    stage.reads("tee --input in", "one\n");
    File::options().write(true).open(stage.logs.path("in")).unwrap().set_len(0).unwrap();
    stage.reads("tee --input in", "");
    stage.logs.append("in", "\0\0\0\0new\n");
    let call = stage.call("tee --input in").stdout("new\n");
    let says = "in: skipped 4 NUL bytes: it was cut while its writer went on at its old place";
    call.says(says).leaves([("in", "\0\0\0\0new\n")]);
}
