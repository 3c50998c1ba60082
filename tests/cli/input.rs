//! `--input`: files that are read to their end, once.

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use rustix::process::Signal;

use crate::harness::{Call, World, packed, the_past};

// Which files, and in which order.

#[test]
fn files_are_read_in_the_order_of_the_flags_and_of_the_names() {
    let files = [("a.log", "a\n"), ("b.log", "b\n"), ("c.txt", "c\n"), ("sub/d.log", "d\n"), ("sub/e/f.log", "f\n")];
    for (inputs, read) in [
        ("--input c.txt --input a.log", "c\na\n"),
        ("--input *.log", "a\nb\n"),
        ("--input **/*.log", "a\nb\nd\nf\n"),
        ("--input **/*.log --input c.txt", "a\nb\nd\nf\nc\n"),
        ("--input sub/** --input ./a.log", "d\nf\na\n"),
        ("--input [bc].* --input b.log", "b\nc\n"),
        ("--input **/*.log --exclude b.log", "a\nd\nf\n"),
        ("--input **/*.log --exclude sub/** --exclude a*", "b\n"),
    ] {
        let world = World::new();
        for (name, content) in files {
            world.put(name, content);
        }
        world.loghand(&format!("tee {inputs}")).stdout(read).leaves(files);
    }
}

#[test]
fn every_verb_reads_files() {
    for verb in ["tee --no-stdout out", "rotate out", "watch out", "tee --no-stdout -- rotate out"] {
        let world = World::new();
        world.put("a.log", "a\n").put("b.log", "b\n");
        let (verb, outlet) = verb.split_once(" -- ").map_or((verb, String::new()), |(v, o)| (v, format!(" -- {o}")));
        let call = world.loghand(&format!("{verb} --input a.log --input b.log{outlet}"));
        call.leaves([("a.log", "a\n"), ("b.log", "b\n"), ("out", "a\nb\n")]);
    }
}

#[test]
fn rotate_rolls_over_within_what_it_reads() {
    let world = World::new();
    world.put("in", "one\ntwo\nten\n");
    let call = world.loghand("rotate app.log --max-bytes 8 --input in");
    call.leaves([("app.log", "ten\n"), ("app.log.1", "one\ntwo\n"), ("in", "one\ntwo\nten\n")]);
}

#[test]
fn the_archives_of_a_log_are_read_before_it_oldest_first_and_packed_ones_too() {
    let world = World::new();
    world.put("app.log", "4\n").put("app.log.1", "3\n").put("app.log.2.gz", packed("2\n"));
    world.put("app.log.10", "1\n").put("web.log", "w\n");
    let all =
        [("app.log", "4\n"), ("app.log.1", "3\n"), ("app.log.10", "1\n"), ("app.log.2.gz", "2\n"), ("web.log", "w\n")];
    world.loghand("tee --input *").stdout("1\n2\n3\n4\nw\n").leaves(all);
    world.loghand("tee --input app.log --input app.log.1").stdout("3\n4\n").leaves(all);
    // Nobody asked for them.
    world.loghand("tee --input *.log").stdout("4\nw\n").leaves(all);
    world.loghand("tee --input app.log.2.gz").stdout("2\n").leaves(all);
}

#[test]
fn dated_archives_are_read_by_their_dates() {
    let world = World::new();
    let names = ["app.log-20240102", "app.log-20240101.gz", "app.log"];
    world.put(names[0], "2\n").put(names[1], packed("1\n")).put(names[2], "3\n");
    let all = [(names[0], "2\n"), (names[1], "1\n"), (names[2], "3\n")];
    world.loghand("tee --input app.log*").stdout("1\n2\n3\n").leaves(all);
}

#[test]
fn one_file_under_several_names_is_read_once() {
    let world = World::new();
    world.put("a.log", "a\n").symlink("b.log", "a.log");
    std::fs::hard_link(world.path("a.log"), world.path("c.log")).unwrap();
    let call = world.loghand("tee --input *.log --input b.log --input ./a.log").stdout("a\n");
    call.leaves([("a.log", "a\n"), ("b.log@", "a.log"), ("c.log", "a\n")]);
}

#[test]
fn a_name_with_brackets_is_a_name_where_a_file_is_called_so() {
    let world = World::new();
    world.put("a[.log", "open\n").put("b[1].log", "named\n").put("b1.log", "matched\n");
    let all = [("a[.log", "open\n"), ("b1.log", "matched\n"), ("b[1].log", "named\n")];
    world.loghand("tee --input a[.log --input b[1].log").stdout("open\nnamed\n").leaves(all);
    world.loghand("tee --input b[[]1].log").stdout("named\n").leaves(all);
}

#[test]
fn hidden_files_are_read_when_the_pattern_says_so() {
    let world = World::new();
    world.put(".a.log", "hidden\n").put("b.log", "b\n");
    let all = [(".a.log", "hidden\n"), ("b.log", "b\n")];
    world.loghand("tee --input *.log").stdout("b\n").leaves(all);
    world.loghand("tee --input .*.log").stdout("hidden\n").leaves(all);
}

// What is in them.

#[test]
fn bytes_go_through_as_they_are() {
    let world = World::new();
    let bytes = b"\xef\xbb\xbfmark\r\n\n\n\0\0\n\xff\xfe\nno line end";
    world.put("in", bytes);
    world.loghand("tee --input in").stdout(bytes).leaves([("in", bytes)]);
}

#[test]
fn leading_nuls_are_kept_where_nothing_was_cut() {
    let world = World::new();
    world.put("in", "\0\0\0one\n");
    world.loghand("tee --input in").stdout("\0\0\0one\n").leaves([("in", "\0\0\0one\n")]);
}

#[test]
fn a_missing_last_newline_is_put_between_files_and_stays_missing_at_the_end() {
    let world = World::new();
    world.put("a", "a").put("b", "b").put("c", "").put("d", "");
    let all = [("a", "a"), ("b", "b"), ("c", ""), ("d", "")];
    world.loghand("tee --input *").stdout("a\nb").leaves(all);
    world.loghand("tee --input a --input c").stdout("a").leaves(all);
    world.loghand("tee --input c").leaves(all);
    world.loghand("tee --input a --input b --format <{message}>").stdout("<a>\n<b>\n").leaves(all);
}

#[test]
fn stdin_is_read_in_its_place_and_lines_stay_apart() {
    let world = World::new();
    world.put("a", "a").put("b", "b");
    let all = [("a", "a"), ("b", "b")];
    let call = |words| world.loghand(words).stdin("in");
    call("tee --input a --input - --input b").stdout("a\nin\nb").leaves(all);
    call("tee --input -").stdout("in").leaves(all);
    call("tee --input - --input b").stdout("in\nb").leaves(all);
    call("tee --input a --input -").stdout("a\nin").leaves(all);
    // It has one end.
    call("tee --input - --input a --input -").stdout("in\na").leaves(all);
    let names = call("tee --input a --input - --input b --format").arg("{filename}:{message}");
    names.stdout("a:a\n<stdin>:in\nb:b\n").leaves(all);
}

#[test]
fn lines_longer_than_any_buffer_go_through_whole() {
    let world = World::new();
    let long = format!("a\n{}\nb\n{}", "x".repeat(3 << 20), "y".repeat(3 << 20));
    world.put("in", &long).put("next", "n\n");
    let call = world.loghand("tee --input in --input next");
    call.stdout(format!("{long}\nn\n")).leaves([("in", long.as_str()), ("next", "n\n")]);
}

#[test]
fn gzip_files_are_read_as_the_text_in_them() {
    let world = World::new();
    let lines: String = (0..50_000).map(|n| format!("{n}\n")).collect();
    world.put("a.gz", packed(&lines)).put("b.gz", [packed("two "), packed("members\nno end")].concat());
    world.put("c.gz", packed("")).put("d.gz", "").put("e.gz", "not packed\n").put("f", "f\n");
    let call = world.loghand("tee --input a.gz --input b.gz --input c.gz --input f");
    let both = "two members\nno end";
    let stdout = format!("{lines}{both}\nf\n");
    // The harness would not take d and e for what they are.
    let call = call.arg("--input").arg("d.gz").arg("--input").arg("e.gz").stdout(format!("{stdout}not packed\n"));
    let mut running = call.start();
    running.until_it_leaves();
    world.remove("d.gz");
    world.remove("e.gz");
    running.leaves([("a.gz", lines.as_str()), ("b.gz", both), ("c.gz", ""), ("f", "f\n")]);
}

#[test]
fn a_torn_gzip_file_gives_what_there_is_and_is_said() {
    let lines: String = (0..50_000).map(|n| format!("{n}\n")).collect();
    let whole = packed(&lines);
    let world = World::new();
    world.put("a.gz", &whole[..whole.len() / 2]).put("b", "b\n");
    let call = world.loghand("tee --no-stdout out --input a.gz --input b").code(1);
    let mut running = call.says("{dir}/a.gz: cannot be unpacked to its end: incomplete deflate stream").start();
    running.until_it_leaves();
    world.remove("a.gz");
    let out = std::fs::read_to_string(world.path("out")).unwrap();
    let (read, last) = out.strip_suffix("\nb\n").unwrap().rsplit_once('\n').unwrap();
    assert!(lines.starts_with(&format!("{read}\n{last}")) && read.len() > 10_000);
    running.leaves([("b", "b\n"), ("out", out.as_str())]);
}

#[test]
fn what_follows_a_gzip_member_and_is_none_is_said() {
    let world = World::new();
    world.put("a.gz", [packed("one\n"), b"something else".to_vec()].concat());
    let mut running = world.loghand("tee --input a.gz").stdout("one\n").code(1).stderr_has(["a.gz: cannot be"]).start();
    running.until_it_leaves();
    world.remove("a.gz");
    running.leaves_nothing();
}

// The name goes with the line.

#[test]
fn the_filename_is_the_path_as_it_was_found() {
    let world = World::new();
    world.put("logs/a.log", "one\n").put("logs/a.log.1", "old\n");
    let all = [("logs/a.log", "one\n"), ("logs/a.log.1", "old\n")];
    let call = |input: &str| world.loghand(&format!("tee --format {{filename}}:{{message}} --input {input}"));
    call("logs/*.log").stdout("logs/a.log:one\n").leaves(all);
    call("./logs/*.log").stdout("./logs/a.log:one\n").leaves(all);
    let whole = world.path("logs/a.log").display().to_string();
    call(&whole).stdout(format!("{whole}:one\n")).leaves(all);
    // An archive's lines are its log's.
    call("**").stdout("logs/a.log:old\nlogs/a.log:one\n").leaves(all);
}

#[test]
fn a_name_may_be_any_bytes_and_messages_stay_on_one_line() {
    let world = World::new();
    let names: [&[u8]; 2] = [b"in\xffvalid.log", b"new\nline.log"];
    for name in names {
        std::fs::write(world.path("").join(OsStr::from_bytes(name)), "x\n").unwrap();
    }
    let mut call = world.loghand("tee --format {filename}:{message} --input *.log").code(1);
    call = call.arg("--input").arg(OsStr::from_bytes(b"no\xff\n\x1b.log"));
    let mut tee =
        call.stdout(b"in\xffvalid.log:x\nnew\nline.log:x\n").says("no\\xff\\n\\u{1b}.log: no such file").start();
    tee.until_it_leaves();
    for name in names {
        std::fs::remove_file(world.path("").join(OsStr::from_bytes(name))).unwrap();
    }
    tee.leaves_nothing();
}

#[test]
fn records_of_several_lines_end_where_their_file_ends() {
    let world = World::new();
    world.put("a.log", "A\n 1\n").put("b.log", " 2\nB\n 3");
    let call = world.loghand("tee --multiline ^[A-Z] --format <{message}> --input *.log");
    call.stdout("<A\n 1>\n< 2>\n<B\n 3>\n").leaves([("a.log", "A\n 1\n"), ("b.log", " 2\nB\n 3")]);
}

#[test]
fn buffers_and_queues_work_as_with_a_pipe() {
    let world = World::new();
    let text = "INFO 1\nINFO 2\nERROR 3\nINFO 4\n";
    world.put("in", text);
    let call = world.loghand("tee --capacity 1 --on-capacity forget --queue-size 1K --input in");
    call.stdout("INFO 2\nERROR 3\n").leaves([("in", text)]);
}

// What cannot be read.

#[test]
fn what_is_not_there_is_an_error_and_the_rest_is_read() {
    let world = World::new();
    world.put("a.log", "a\n").symlink("broken.log", "nowhere").symlink("circle.log", "circle.log");
    let all = [("a.log", "a\n"), ("broken.log@", "nowhere"), ("circle.log@", "circle.log")];
    for missing in ["no.log", "no*.log", "no/such/*.log", "**/no.log", "broken.log", "circle.log", "a.log/x", "a.log/"]
    {
        let call = world.loghand(&format!("tee --input {missing} --input a.log"));
        call.code(1).stdout("a\n").says(&format!("{missing}: no such file")).leaves(all);
    }
    let call = world.loghand("tee --input *.log --exclude *");
    call.code(1).says("*.log: no such file").leaves(all);
}

#[test]
fn a_folder_is_refused_with_the_way_out() {
    let world = World::new();
    world.put("logs/a.log", "a\n");
    let call = world.loghand("tee --input logs").code(1);
    call.says("logs: is a folder: name the files in it, as in 'logs/*.log'").leaves([("logs/a.log", "a\n")]);
    // Where a pattern means it, it means the files alone.
    world
        .loghand("tee --input * --input logs/*")
        .code(1)
        .says("*: no such file")
        .stdout("a\n")
        .leaves([("logs/a.log", "a\n")]);
}

#[test]
fn a_fifo_is_refused_and_never_waited_for() {
    let world = World::new();
    world.fifo("pipe").put("a", "a\n");
    let says = "pipe: is no regular file: what comes from a pipe is read with --input - < pipe";
    world.loghand("tee --input pipe").code(1).says(says).leaves([("a", "a\n"), ("pipe|", "")]);
    world.loghand("tee --input *").stdout("a\n").leaves([("a", "a\n"), ("pipe|", "")]);
}

#[test]
fn files_of_proc_are_read_though_they_have_no_size() {
    let version = std::fs::read("/proc/version").unwrap();
    World::new().loghand("tee --input /proc/version").stdout(version).leaves_nothing();
}

#[test]
fn an_unreadable_file_and_folder_are_said_and_the_rest_is_read() {
    let world = World::new();
    world.put("a.log", "a\n").put("b.log", "b\n").put("locked/c.log", "c\n").chmod("a.log", 0).chmod("locked", 0);
    // Root may read everything, unless it gives that up.
    let root = rustix::process::geteuid().is_root();
    let drop = if root { "setpriv --bounding-set=-dac_override,-dac_read_search --inh-caps=-all" } else { "" };
    let call =
        world.shell(&format!("exec {drop} loghand tee --input '*.log' --input 'locked/*.log' --input locked/c.log"));
    let says = "loghand: locked: Permission denied\nloghand: locked/*.log: no such file\n\
                loghand: locked/c.log: Permission denied\nloghand: a.log: Permission denied\n";
    let mut tee = call.stdout("b\n").stderr(says).code(1).start();
    tee.until_it_leaves();
    world.chmod("a.log", 0o600).chmod("locked", 0o700);
    tee.leaves([("a.log", "a\n"), ("b.log", "b\n"), ("locked/c.log", "c\n")]);
}

#[test]
fn what_is_packed_otherwise_is_said() {
    let world = World::new();
    world.put("app.log", "2\n").put_at("app.log.1.xz", "packed", the_past());
    let call = world.loghand("tee --input app.log*").code(1).stdout("2\n");
    let says = "{dir}/app.log.1.xz: skipped: only gzip can be unpacked here";
    call.says(says).leaves([("app.log", "2\n"), ("app.log.1.xz", "packed")]);
}

// What the program itself writes.

#[test]
fn a_file_that_is_written_is_not_read() {
    for verb in ["tee --no-stdout", "rotate", "watch", "tee --no-stdout x --input a.log -- rotate"] {
        let world = World::new();
        world.put("a.log", "a\n").put("out.log", "before\n").put("out.log.1", "older\n");
        let inputs = if verb.contains("--input") { "" } else { "--input" };
        let words = match inputs {
            "" => verb.replace("--input a.log", "--input *.log* --exclude x") + " out.log",
            _ => format!("{verb} out.log --input *.log*"),
        };
        let mut files = vec![("a.log", "a\n"), ("out.log", "before\na\n"), ("out.log.1", "older\n")];
        if inputs.is_empty() {
            files.push(("x", "a\n"));
        }
        let says = "is not read: this program writes to it";
        let call = world.loghand(&words).stderr(format!("loghand: out.log: {says}\nloghand: out.log.1: {says}\n"));
        call.leaves(files);
    }
}

#[test]
fn a_file_that_is_named_and_written_is_an_error() {
    for words in
        ["tee --no-stdout a.log --input ./a.log", "rotate a.log --input ./a.log", "watch ./b.log --input ./a.log"]
    {
        let world = World::new();
        world.put("a.log", "a\n").symlink("b.log", "a.log");
        let call = world.loghand(words).code(1).says("./a.log: is not read: this program writes to it");
        call.leaves([("a.log", "a\n"), ("b.log@", "a.log")]);
    }
}

#[test]
fn stdout_that_leads_into_a_file_that_matches_is_not_read() {
    let world = World::new();
    world.put("a.log", "a\n");
    let call = world.shell("exec loghand tee --input '*.log' > out.log");
    let call = call.says("out.log: is not read: this program writes to it");
    call.leaves([("a.log", "a\n"), ("out.log", "a\n")]);
    let call = world.shell("exec loghand tee --input a.log >> a.log");
    let call = call.code(1).says("a.log: is not read: this program writes to it");
    call.leaves([("a.log", "a\n"), ("out.log", "a\n")]);
}

// Wrong usage.

#[test]
fn input_is_refused_where_nothing_is_read() {
    for (words, says) in [
        (
            "rotate --once a.log --input b.log --checkpoint cp",
            "--once and --plan read no lines, so --input has no place there",
        ),
        ("rotate --plan a.log --input b.log", "--once and --plan read no lines, so --input has no place there"),
        ("tee -- rotate x.log --input b.log", "--input stands before the first '--': all outlets get the same lines"),
        ("tee -- rotate x.log --follow", "--follow stands before the first '--'"),
        ("tee --follow", "--input"),
        ("tee --checkpoint cp", "--input"),
        ("tee --exclude x", "--input"),
        ("tee --from end", "--input"),
        ("tee --input a.log --poll 1s", "--follow"),
        ("tee --input a.log --until-idle 1s", "--follow"),
        ("tee --input a.log --partial-after 1s", "--follow"),
        ("tee --input a.log --follow --poll 0s", "--poll takes more than nothing, as in 1s"),
        ("tee --input a.log --follow --until-idle 0s", "--until-idle takes more than nothing, as in 1s"),
        ("tee --input - --follow", "--input -: stdin is neither followed nor has a checkpoint"),
        ("tee --input - --checkpoint cp", "--input -: stdin is neither followed nor has a checkpoint"),
        ("tee --input a.log --from middle", "possible values: start, end"),
        ("tee --input a[.log", "--input: 'a[.log' is no pattern: no ] closes its ["),
        ("tee --input a*/", "--input: 'a*/' is no pattern: it ends in a slash"),
        ("tee --input a.log --exclude a[", "is no pattern"),
    ] {
        let world = World::new();
        world.put("a.log", "a\n").put("b.log", "b\n");
        let call = world.loghand(words).stdin("unread\n").code(2).stderr_has(["loghand: ", says]);
        call.leaves([("a.log", "a\n"), ("b.log", "b\n")]);
    }
    World::new().loghand("tee --input").arg("").code(2).stderr_has(["--input"]).leaves_nothing();
}

// Beginning and end.

#[test]
fn from_end_leaves_out_what_is_there_but_for_an_unfinished_line() {
    let world = World::new();
    world.put("a.log", "a\n").put("b.log", "b\nbegun").put("c.log", "");
    let all = [("a.log", "a\n"), ("b.log", "b\nbegun"), ("c.log", "")];
    world.loghand("tee --input *.log --from end").stdout("begun").leaves(all);
    world.loghand("tee --input *.log --from start").stdout("a\nb\nbegun").leaves(all);
}

#[test]
fn a_reader_of_stdout_that_leaves_ends_reading() {
    let world = World::new();
    let script = "{ loghand tee --input big 2>messages; echo $? >code; } | head -n 1";
    let big: String = (1..=200_000).map(|n| format!("{n}\n")).collect();
    world.put("big", &big);
    world.shell(script).stdout("1\n").start().until_it_leaves();
    world.until_holds("code", "1\n");
    let messages = std::fs::read_to_string(world.path("messages")).unwrap();
    assert!(
        messages.starts_with("loghand: stdout: ") && messages.ends_with("lost: its reader went away\n"),
        "{messages}"
    );
}

/// A large file, and a reader that takes nothing of it after its first bytes.
fn large() -> String {
    "a line of a large file that nobody reads to its end\n".repeat(200_000)
}

#[test]
fn term_and_int_stop_reading_and_what_is_unread_is_said() {
    for signal in [Signal::TERM, Signal::INT] {
        let world = World::new();
        // The second one is counted, too, though nobody has looked into it.
        world.put("big", large()).put("huge", large().repeat(5));
        let (reader, writer) = std::io::pipe().unwrap();
        let call = world.loghand("tee --input big --input huge").stdout_to(writer).code(1);
        let mut tee = call.stderr_has(["loghand: input: told to stop with 5", " MiB unread"]).start();
        // It hangs in its write, and hears of the signal before it reads on.
        tee.until_it_sleeps().signal(signal);
        let read = std::io::read_to_string(reader).unwrap();
        assert!(read.ends_with('\n') && large().starts_with(&read) && read.len() < large().len());
        tee.until_it_leaves();
        world.remove("big");
        world.remove("huge");
        tee.leaves_nothing();
    }
}

#[test]
fn a_second_term_leaves_at_once() {
    let world = World::new();
    world.put("big", large());
    let (_reader, writer) = std::io::pipe().unwrap();
    let mut tee = world.loghand("tee --input big").stdout_to(writer).code(1).start();
    tee.until_it_sleeps().signal_until_it_leaves(Signal::TERM);
    world.remove("big");
    tee.leaves_nothing();
}

#[test]
fn term_does_not_wait_for_an_open_stdin_in_the_middle() {
    let world = World::new();
    world.put("a", "a\n").put("b", "b\n");
    let call = world.loghand("tee --input a --input - --input b").stdout("a\nin\n").code(1);
    let mut tee = call.says("input: told to stop with 2 bytes unread").start();
    tee.hears("in\n").until_stdout("a\nin\n").signal(Signal::TERM).until_it_leaves();
    tee.leaves([("a", "a\n"), ("b", "b\n")]);
}

#[test]
fn ready_fd_is_told_before_files_are_read() {
    let world = World::new();
    world.put("a", "a\n");
    world
        .shell("exec loghand --ready-fd 3 tee --input a 3>ready")
        .stdout("a\n")
        .leaves([("a", "a\n"), ("ready", "\n")]);
}

#[test]
fn a_file_that_grows_while_it_is_read_once_is_read_to_where_it_ends_by_then() {
    let world = World::new();
    world.put("big", large());
    let (reader, writer) = std::io::pipe().unwrap();
    let mut tee = world.loghand("tee --input big").stdout_to(writer).start();
    tee.until_it_sleeps();
    world.append("big", "more\n");
    let read = std::io::read_to_string(reader).unwrap();
    assert!(read == large() + "more\n");
    tee.until_it_leaves();
    world.remove("big");
    tee.leaves_nothing();
}

#[test]
fn files_are_not_touched() {
    let world = World::new();
    world.put_at("a.log", "a\n", the_past());
    File::options().write(true).open(world.path("a.log")).unwrap().set_modified(the_past()).unwrap();
    world.loghand("tee --input a.log").stdout("a\n").leaves([("a.log", "a\n")]);
    assert_eq!(world.modified("a.log").duration_since(the_past()).unwrap(), Duration::ZERO);
}

// The bar.

/// Runs it on a terminal, of which the output is compared.
fn on_a_terminal<'w>(world: &'w World, words: &str) -> Call<'w> {
    world.put("in", "0123456\n".repeat(1 << 18));
    world.shell(&format!("script -qec 'stty cols 100; loghand {words}' /dev/null")).env("TERM", "xterm")
}

#[track_caller]
fn leaves_out(call: Call<'_>, world: &World) {
    let mut running = call.start();
    running.until_it_leaves();
    let lines = "0123456\n".repeat(1 << 18);
    assert!(std::fs::read_to_string(world.path("out")).unwrap() == lines);
    running.leaves([("in", &lines), ("out", &lines)]);
}

#[test]
fn a_bar_on_a_terminal_tells_bytes_rate_and_time_left() {
    let world = World::new();
    let call = on_a_terminal(&world, "rotate out --input in");
    leaves_out(call.stdout_has(["iB of 2.00 MiB, ", "iB/s, ", "s left"]), &world);
}

#[test]
fn no_bar_is_shown_where_nobody_wants_or_sees_it() {
    for words in ["rotate out --input in --no-progress", "rotate out --input in --follow --until-idle 10ms"] {
        let world = World::new();
        leaves_out(on_a_terminal(&world, words), &world);
    }
    let world = World::new();
    leaves_out(on_a_terminal(&world, "rotate out --input in 2>/dev/null"), &world);
}

#[test]
fn no_bar_comes_between_lines_on_a_terminal() {
    let world = World::new();
    let call = on_a_terminal(&world, "tee out --input in");
    leaves_out(call.stdout("0123456\r\n".repeat(1 << 18)), &world);
}
