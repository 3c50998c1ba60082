//! The flags of files (FileHandler's parameters and ours), and the special files that a log may be.

use std::fs;
use std::os::unix::fs::MetadataExt;

use rustix::process::Signal;

use crate::harness::{World, the_past, until};

/// The calls by which every verb writes one file.
const VERBS: [&str; 3] = ["tee --no-stdout", "rotate", "watch"];

// How it is opened.

#[test]
fn mode_a_appends_and_is_the_default() {
    for verb in VERBS {
        for flag in ["", "--mode a"] {
            let world = World::new();
            world.put("app.log", "before\n");
            world.loghand(&format!("{verb} app.log {flag}")).stdin("one\n").leaves([("app.log", "before\none\n")]);
        }
    }
}

#[test]
fn mode_w_begins_with_an_empty_file() {
    for verb in VERBS {
        let world = World::new();
        world.put("app.log", "before\n");
        world.loghand(&format!("{verb} app.log --mode w")).stdin("one\n").leaves([("app.log", "one\n")]);
    }
}

#[test]
fn mode_w_empties_the_file_also_when_no_line_comes() {
    let world = World::new();
    world.put("app.log", "before\n");
    world.loghand("tee --no-stdout app.log --mode w").leaves([("app.log", "")]);
}

#[test]
fn mode_w_empties_the_file_once_and_not_after_each_rollover() {
    let world = World::new();
    world.put("app.log", "before\n");
    world
        .loghand("rotate app.log --mode w --max-bytes 8")
        .stdin("one\ntwo\nten\n")
        .leaves([("app.log", "ten\n"), ("app.log.1", "one\ntwo\n")]);
}

#[test]
fn mode_x_wants_a_file_that_does_not_exist() {
    for verb in VERBS {
        let world = World::new();
        world.loghand(&format!("{verb} app.log --mode x")).stdin("one\n").leaves([("app.log", "one\n")]);
        let says = "app.log: cannot be opened: File exists";
        let again = world.loghand(&format!("{verb} app.log --mode x")).stdin("two\n");
        again.code(1).says(says).leaves([("app.log", "one\n")]);
    }
}

#[test]
fn delay_opens_the_file_at_the_first_line_only() {
    for verb in VERBS {
        World::new().loghand(&format!("{verb} app.log --delay")).leaves_nothing();
        let world = World::new();
        world.loghand(&format!("{verb} app.log --delay")).stdin("one\n").leaves([("app.log", "one\n")]);
    }
}

#[test]
fn delay_and_mode_w_leave_the_old_lines_until_the_first_new_one_comes() {
    let world = World::new();
    world.put("app.log", "before\n");
    world.loghand("tee --no-stdout app.log --delay --mode w").leaves([("app.log", "before\n")]);
    world.loghand("tee --no-stdout app.log --delay --mode w").stdin("one\ntwo\n").leaves([("app.log", "one\ntwo\n")]);
}

#[test]
fn mkdir_makes_missing_folders() {
    for verb in VERBS {
        let world = World::new();
        let call = world.loghand(&format!("{verb} a/b/app.log --mkdir")).stdin("one\n");
        call.leaves([("a/b/app.log", "one\n")]);
    }
}

#[test]
fn without_mkdir_a_missing_folder_is_an_error_that_names_the_way_out() {
    for verb in VERBS {
        let world = World::new();
        let says = "a/app.log: its folder does not exist (--mkdir makes it): No such file or directory";
        world.loghand(&format!("{verb} a/app.log")).stdin("one\n").code(1).says(says).leaves_nothing();
    }
}

#[test]
fn the_umask_decides_unless_chmod_does_exactly() {
    for verb in VERBS {
        let world = World::new();
        let script = format!(
            "umask 027; echo one | loghand {verb} umask.log; echo one | loghand {verb} exact.log --chmod 666
             umask 000; echo one | loghand {verb} open.log; echo one | loghand {verb} closed.log --chmod 0600"
        );
        let names = ["umask.log", "exact.log", "open.log", "closed.log"];
        world.shell(&script).leaves(names.map(|name| (name, "one\n")));
        assert_eq!(names.map(|name| world.mode(name)), [0o640, 0o666, 0o666, 0o600]);
    }
}

#[test]
fn a_file_that_is_there_keeps_its_mode_unless_chmod_says_otherwise() {
    let world = World::new();
    world.put("app.log", "").chmod("app.log", 0o604);
    world.loghand("tee --no-stdout app.log").stdin("one\n").leaves([("app.log", "one\n")]);
    assert_eq!(world.mode("app.log"), 0o604);
    world.loghand("tee --no-stdout app.log --chmod 640").stdin("two\n").leaves([("app.log", "one\ntwo\n")]);
    assert_eq!(world.mode("app.log"), 0o640);
}

#[test]
fn chown_gives_the_file_to_a_user_and_a_group_by_number() {
    // Only root may give files away; everybody may give them to whom they belong already.
    let root = rustix::process::geteuid().is_root();
    let (user, group) = match root {
        true => (4321, 8765),
        false => (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw()),
    };
    for verb in VERBS {
        let world = World::new();
        world.loghand(&format!("{verb} app.log --chown {user}:{group}")).stdin("one\n").leaves([("app.log", "one\n")]);
        let metadata = fs::metadata(world.path("app.log")).unwrap();
        assert_eq!((metadata.uid(), metadata.gid()), (user, group));
    }
}

#[test]
fn chown_holds_for_the_new_file_and_the_archive() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let world = World::new();
    world
        .loghand("rotate app.log --max-bytes 4 --chown :8765")
        .stdin("one\ntwo\n")
        .leaves([("app.log", "two\n"), ("app.log.1", "one\n")]);
    let group = |name| fs::metadata(world.path(name)).unwrap().gid();
    assert_eq!((group("app.log"), group("app.log.1")), (8765, 8765));
}

#[test]
fn every_way_to_force_lines_to_disk_writes_them() {
    for verb in VERBS {
        for when in ["never", "rollover", "always", "50ms"] {
            let world = World::new();
            let mut running = world.loghand(&format!("{verb} app.log --fsync {when}")).start();
            running.hears("one\n").wrote("app.log", "one\n").hears("two\n").wrote("app.log", "one\ntwo\n");
            running.leaves([("app.log", "one\ntwo\n")]);
        }
    }
}

#[test]
fn fsync_always_does_not_fail_where_nothing_can_be_forced() {
    World::new().loghand("tee --no-stdout /dev/null --fsync always").stdin("one\n").leaves_nothing();
}

// Encodings.

#[test]
fn an_encoding_writes_its_own_bytes_and_its_mark_once_in_each_file() {
    for (encoding, bytes) in [
        ("utf-16", &b"\xff\xfea\0\n\0"[..]),
        ("utf-16-be", b"\0a\0\n"),
        ("utf-32-le", b"a\0\0\0\n\0\0\0"),
        ("utf-8-sig", b"\xef\xbb\xbfa\n"),
        ("latin-1", b"a\n"),
    ] {
        for verb in VERBS {
            let world = World::new();
            let call = world.loghand(&format!("{verb} app.log --encoding {encoding}"));
            call.stdin("a\n").leaves([("app.log", bytes)]);
        }
        let world = World::new();
        let call = world.loghand(&format!("rotate app.log --max-bytes {} --encoding {encoding}", bytes.len()));
        call.stdin("a\na\n").leaves([("app.log", bytes), ("app.log.1", bytes)]);
    }
}

#[test]
fn characters_that_an_encoding_lacks_go_by_the_error_handler() {
    let input = "caf\u{e9} 10 \u{20ac}\nplain\n";
    for (errors, written) in [
        ("ignore", &b"caf\xe9 10 \nplain\n"[..]),
        ("replace", b"caf\xe9 10 ?\nplain\n"),
        ("backslashreplace", b"caf\xe9 10 \\u20ac\nplain\n"),
        ("xmlcharrefreplace", b"caf\xe9 10 &#8364;\nplain\n"),
    ] {
        let world = World::new();
        let call = world.loghand(&format!("tee --no-stdout app.log --encoding latin-1 --errors {errors}"));
        call.stdin(input).leaves([("app.log", written)]);
    }
    let world = World::new();
    let call = world.loghand("tee --no-stdout app.log --encoding latin-1");
    call.stdin(input).leaves([("app.log", b"caf\xe9 10 \\u20ac\nplain\n")]);
}

#[test]
fn strict_drops_the_record_counts_it_and_says_so() {
    let world = World::new();
    let says = "app.log: 1 line lost: character '\u{20ac}' cannot be encoded";
    let call = world.loghand("tee --no-stdout app.log --encoding ascii --errors strict");
    call.stdin("one\n10 \u{20ac}\ntwo\n").code(1).says(says).leaves([("app.log", "one\ntwo\n")]);
}

#[test]
fn stdout_gets_the_bytes_as_they_came_whatever_the_files_encoding() {
    let world = World::new();
    let call = world.loghand("tee app.log --encoding latin-1");
    call.stdin("\u{e9}\n").stdout("\u{e9}\n").leaves([("app.log", b"\xe9\n")]);
}

// When there is no space.

#[test]
fn a_full_disk_is_said_once_and_the_lines_wait() {
    let world = World::new();
    let says = "/dev/full: No space left on device: waiting for space, the producer waits too";
    let mut tee = world.loghand("tee --no-stdout /dev/full").code(1).stderr_has([says, "1 line lost"]).start();
    tee.hears("one\n").until_stderr_has(says).signal(Signal::TERM).until_it_leaves();
    tee.leaves_nothing();
}

#[test]
fn drop_counts_what_a_full_disk_cost_and_goes_on() {
    let world = World::new();
    let says = "/dev/full: 2 lines lost: No space left on device";
    let call = world.loghand("tee app.log --no-stdout /dev/full --on-disk-full drop").stdin("one\ntwo\n");
    call.code(1).says(says).leaves([("app.log", "one\ntwo\n")]);
}

#[test]
fn wait_and_reclaim_are_nothing_where_there_is_space() {
    for what in ["wait", "reclaim", "drop"] {
        let world = World::new();
        let call = world.loghand(&format!("rotate app.log --max-bytes 4 --on-disk-full {what}"));
        call.stdin("one\ntwo\n").leaves([("app.log", "two\n"), ("app.log.1", "one\n")]);
    }
}

#[test]
fn a_size_limit_of_the_process_is_waited_out_like_a_full_disk() {
    let world = World::new();
    // 1 block: 512 bytes or 1024, by the shell.
    let script = "ulimit -f 1; exec loghand tee --no-stdout app.log --on-disk-full drop";
    let mut tee = world.shell(script).code(1).stderr_has(["app.log: 1 line lost: File too large"]).start();
    tee.hears("one\n").wrote("app.log", "one\n").hears(format!("{}\n", "x".repeat(2000)));
    tee.until_stderr_has("lost").hears("two\n").wrote("app.log", "one\ntwo\n");
    tee.leaves([("app.log", "one\ntwo\n")]);
}

// Special files and descriptors.

#[test]
fn devices_take_lines() {
    for verb in VERBS {
        World::new().loghand(&format!("{verb} /dev/null")).stdin("one\n").leaves_nothing();
    }
}

#[test]
fn a_fifo_without_a_reader_is_waited_for_and_nothing_is_lost() {
    for verb in VERBS {
        let world = World::new();
        world.fifo("pipe");
        let waiting = "pipe: No such device or address: trying again until it works, the producer waits";
        let call = world.loghand(&format!("{verb} pipe")).stderr_has([waiting, "pipe: writing again"]);
        let mut running = call.start();
        running.hears("one\n").until_stderr_has(waiting);
        let pipe = world.path("pipe");
        let reader = std::thread::spawn(move || fs::read_to_string(pipe).unwrap());
        running.until_stderr_has("writing again");
        running.leaves([("pipe|", "")]);
        assert_eq!(reader.join().unwrap(), "one\n");
    }
}

#[test]
fn a_fifo_without_a_reader_does_not_keep_term_from_ending() {
    let world = World::new();
    world.fifo("pipe");
    let says = ["pipe: No such device or address", "pipe: 1 line lost: told to stop"];
    let mut tee = world.loghand("tee --no-stdout pipe").code(1).stderr_has(says).start();
    tee.hears("one\n").until_stderr_has("producer waits").signal(Signal::TERM).until_it_leaves();
    tee.leaves([("pipe|", "")]);
}

#[test]
fn a_fifo_whose_reader_leaves_ends_that_output_alone() {
    let world = World::new();
    world.fifo("pipe");
    let says = "pipe: 1 line lost: its reader went away";
    // Whether it waits for its reader first, and says so, is a matter of who is faster.
    let says_later = "lost: it has ended";
    let mut tee = world.loghand("tee --no-stdout pipe app.log").code(1).stderr_has([says, says_later]).start();
    let pipe = world.path("pipe");
    let reader = std::thread::spawn(move || {
        let mut line = [0; 4];
        std::io::Read::read_exact(&mut fs::File::open(pipe).unwrap(), &mut line).unwrap();
        line
    });
    tee.hears("one\n");
    assert_eq!(&reader.join().unwrap(), b"one\n");
    let mut all = "one\n".to_owned();
    // Another test's child may hold a copy of the reader for the moment between its fork and its exec.
    until("a broken pipe", || {
        tee.hears("x\n");
        all += "x\n";
        world.until_holds("app.log", &all);
        tee.has_said(says)
    });
    all += "last\n";
    tee.hears("last\n").wrote("app.log", &all);
    tee.leaves([("app.log", all.as_str()), ("pipe|", "")]);
}

#[test]
fn a_closed_stdin_is_said_and_ends_at_once() {
    for verb in VERBS {
        let world = World::new();
        let says = "stdin: is closed, or /dev/null: there is nothing to read";
        let call = world.shell(&format!("exec loghand {verb} app.log <&-"));
        call.says(says).leaves([("app.log", "")]);
    }
}

#[test]
fn a_closed_stdout_ends_that_output_alone_and_is_never_the_log() {
    let world = World::new();
    let call = world.shell("exec loghand tee app.log >&-").stdin("one\n");
    call.says("stdout: is closed, or /dev/null: nobody sees what goes there").leaves([("app.log", "one\n")]);
}

#[test]
fn a_closed_stderr_does_not_put_messages_into_the_log() {
    let world = World::new();
    world.folder("app.log.1");
    let call = world.shell("exec loghand rotate app.log --max-bytes 4 2>&-").stdin("one\ntwo\n");
    call.leaves([("app.log", "two\n"), ("app.log.1/", ""), ("app.log.2", "one\n")]);
}

#[test]
fn a_rotated_log_needs_no_standard_descriptors() {
    let world = World::new();
    let call = world.shell("exec loghand rotate app.log --max-bytes 4 >&- 2>&-").stdin("one\ntwo\n");
    call.leaves([("app.log", "two\n"), ("app.log.1", "one\n")]);
}

#[test]
fn stdin_may_be_a_file_or_nothing_at_all() {
    let world = World::new();
    world.put("input", "one\ntwo");
    let input = fs::File::open(world.path("input")).unwrap();
    let call = world.loghand("tee app.log").stdin_from(input).stdout("one\ntwo");
    call.leaves([("app.log", "one\ntwo"), ("input", "one\ntwo")]);
    let nothing = fs::File::open("/dev/null").unwrap();
    world.loghand("tee app.log").stdin_from(nothing).leaves([("app.log", "one\ntwo"), ("input", "one\ntwo")]);
}

#[test]
fn a_stdin_that_cannot_be_read_is_said() {
    let world = World::new();
    let folder = fs::File::open(world.path(".")).unwrap();
    let call = world.loghand("tee --no-stdout app.log").stdin_from(folder);
    call.code(1).says("stdin: Is a directory").leaves([("app.log", "")]);
}

#[test]
fn a_non_blocking_stdout_gets_everything() {
    let world = World::new();
    let (reader, writer) = std::io::pipe().unwrap();
    rustix::io::ioctl_fionbio(&writer, true).unwrap();
    let lines = "line\n".repeat(200_000);
    let reading = std::thread::spawn(move || std::io::read_to_string(reader).unwrap());
    world.loghand("tee").stdin(&lines).stdout_to(writer).leaves_nothing();
    assert!(reading.join().unwrap() == lines);
}

#[test]
fn ready_fd_is_told_once_everything_is_open() {
    for verb in ["tee --no-stdout app.log", "rotate app.log", "watch app.log", "tee --no-stdout -- rotate app.log"] {
        let world = World::new();
        let mut running = world.shell(&format!("exec loghand --ready-fd 3 {verb} 3>ready")).start();
        running.wrote("ready", "\n");
        assert!(world.exists("app.log"));
        running.leaves([("app.log", ""), ("ready", "\n")]);
    }
}

#[test]
fn ready_fd_that_is_not_open_is_an_error_before_any_input() {
    let world = World::new();
    let call = world.loghand("tee --no-stdout app.log --ready-fd 77").stdin("one\n");
    call.code(1).says("--ready-fd 77: cannot be written: No such file or directory").leaves([("app.log", "")]);
}

#[test]
fn a_file_that_is_written_elsewhere_keeps_both_ones_lines() {
    let world = World::new();
    let mut tee = world.loghand("tee --no-stdout app.log").start();
    tee.hears("one\n").wrote("app.log", "one\n");
    let mut other = fs::OpenOptions::new().append(true).open(world.path("app.log")).unwrap();
    std::io::Write::write_all(&mut other, b"another's\n").unwrap();
    tee.hears("two\n").wrote("app.log", "one\nanother's\ntwo\n");
    // Cut by somebody else: O_APPEND leaves no hole.
    other.set_len(0).unwrap();
    tee.hears("ten\n").wrote("app.log", "ten\n");
    tee.leaves([("app.log", "ten\n")]);
}

#[test]
fn mode_x_and_a_symlink_that_leads_nowhere() {
    let world = World::new();
    world.symlink("app.log", "nowhere.log");
    let call = world.loghand("tee --no-stdout app.log --mode x").stdin("one\n");
    call.code(1).says("app.log: cannot be opened: File exists").leaves([("app.log@", "nowhere.log")]);
}

#[test]
fn no_line_is_written_into_an_old_file_whose_period_is_over_even_with_delay() {
    let world = World::new();
    world.put_at("app.log", "past\n", the_past());
    let call = world.loghand("rotate app.log --when midnight --delay").stdin("now\n");
    call.leaves([("app.log", "now\n"), ("app.log.2024-03-10", "past\n")]);
}

#[test]
fn a_full_file_is_rolled_before_the_first_line_even_with_delay() {
    let world = World::new();
    world.put("app.log", "one\n");
    let call = world.loghand("rotate app.log --max-bytes 4 --delay").stdin("two\n");
    call.leaves([("app.log", "two\n"), ("app.log.1", "one\n")]);
}

#[test]
fn a_link_and_delay_make_the_link_with_the_file() {
    World::new().loghand("rotate app.log --delay --link current").leaves_nothing();
    let world = World::new();
    let call = world.loghand("rotate app.log --delay --link current").stdin("one\n");
    call.leaves([("app.log", "one\n"), ("current@", "app.log")]);
    until("the link", || world.exists("current"));
}
