//! `loghand rotate --once` and `--plan`: without a pipe, for cron and for people who want to know first.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::harness::{LOGHAND, World, the_past};

/// The folder of a cron job: two logs that are due, one that is not, and an empty one.
fn logs() -> World {
    let world = World::new();
    world.put("a.log", "aaaa\n").put("b.log", "bbbb\n").put("small.log", "s\n").put("empty.log", "");
    world
}

#[test]
fn what_has_reached_its_limit_is_rolled_and_the_rest_is_not() {
    logs().loghand("rotate --once *.log --max-bytes 5").leaves([
        ("a.log", ""),
        ("a.log.1", "aaaa\n"),
        ("b.log", ""),
        ("b.log.1", "bbbb\n"),
        ("empty.log", ""),
        ("small.log", "s\n"),
    ]);
}

#[test]
fn no_input_is_read() {
    let world = World::new();
    world.put("a.log", "aaaa\n");
    let (reader, _writer) = std::io::pipe().unwrap();
    // A pipe that never ends.
    let call = world.loghand("rotate --once a.log --force").stdin_from(reader);
    call.leaves([("a.log", ""), ("a.log.1", "aaaa\n")]);
}

#[test]
fn force_rolls_whatever_is_not_empty() {
    logs().loghand("rotate --once *.log --force").leaves([
        ("a.log", ""),
        ("a.log.1", "aaaa\n"),
        ("b.log", ""),
        ("b.log.1", "bbbb\n"),
        ("empty.log", ""),
        ("small.log", ""),
        ("small.log.1", "s\n"),
    ]);
}

#[test]
fn a_period_that_is_over_is_due() {
    let world = World::new();
    world.put_at("old.log", "past\n", the_past()).put("new.log", "now\n").put_at("empty.log", "", the_past());
    world.loghand("rotate --once old.log new.log empty.log --when D").leaves([
        ("empty.log", ""),
        ("new.log", "now\n"),
        ("old.log", ""),
        ("old.log.2024-03-10", "past\n"),
    ]);
}

#[test]
fn a_second_run_finds_nothing_to_do() {
    let world = World::new();
    world.put_at("app.log", "past\n", the_past());
    let after = [("app.log", ""), ("app.log.2024-03-10", "past\n")];
    for _ in 0..2 {
        world.loghand("rotate --once app.log --when midnight").leaves(after);
    }
}

#[test]
fn many_runs_keep_as_many_archives_as_were_asked_for() {
    let world = World::new();
    for n in 1..=6 {
        world.put("app.log", format!("{n}\n"));
        let first = if n > 3 { n - 3 } else { 1 };
        let archives = (first..=n).map(|m| (format!("app.log.{}", n - m + 1), format!("{m}\n")));
        let archives: Vec<_> = archives.filter(|(name, _)| name != "app.log.4").collect();
        world
            .loghand("rotate --once app.log --force --backup-count 3")
            .leaves(archives.into_iter().chain([("app.log".to_owned(), String::new())]));
    }
}

#[test]
fn a_pattern_excludes_archives_of_its_own_making() {
    for flags in
        ["", " --compress", " --namer {base}-{time:%Y%m%d%H%M%S}", " --namer {stem}-{n}{ext}", " --namer {n}.{base}"]
    {
        let world = World::new();
        world.put("app.log", "one\n");
        let run = format!("rotate --once * --force{flags}");
        world.loghand(&run).start().until_it_leaves();
        let after_one = world.names();
        assert_eq!(after_one.len(), 2, "{after_one:?}");
        // The log is empty now, so whatever a second run rolls is an archive.
        world.loghand(&run).start().until_it_leaves();
        assert_eq!(world.names(), after_one, "{flags}");
    }
}

#[test]
fn a_pattern_leaves_the_neighbours_of_other_rotators_alone() {
    let neighbours = [
        "app.log.1",
        "app.log.2.gz",
        "app.log.2024-03-10",
        "app.log.2024-03-10_15",
        "app.log.2024-03-10_15-30-45",
        "app.log-20240310",
        "app.log-20240310.gz",
        "app.log-2024031015",
        "app.log-1710084645",
        "app.log.2024-03-10.gz",
        "@400000006613c1e52d1f3a1c.s",
        "@400000006613c1e52d1f3a1c.u",
    ];
    let packed = [31u8, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 224, 2, 0, 31, 8, 234, 70, 2, 0, 0, 0];
    let world = World::new();
    world.put("app.log", "");
    for name in neighbours {
        world.put(name, if name.ends_with(".gz") { &packed[..] } else { b"x\n" });
    }
    let before = world.names();
    world.loghand("rotate --once * --force").start().until_it_leaves();
    assert_eq!(world.names(), before);
}

#[test]
fn a_pattern_finds_neither_hidden_files_nor_folders_nor_symlinks() {
    let world = World::new();
    world.put("app.log", "one\n").put(".hidden.log", "x\n").put("real", "x\n").folder("folder.log");
    world.symlink("link.log", "real").symlink("broken.log", "nowhere");
    world.loghand("rotate --once *.log --force").leaves([
        (".hidden.log", "x\n"),
        ("app.log", ""),
        ("app.log.1", "one\n"),
        ("broken.log@", "nowhere"),
        ("folder.log/", ""),
        ("link.log@", "real"),
        ("real", "x\n"),
    ]);
}

#[test]
fn a_pattern_that_finds_nothing_is_no_failure() {
    World::new().loghand("rotate --once *.log --force").leaves_nothing();
    let call = World::new();
    call.loghand("rotate --once *.log --force -v").says("*.log: leads to no log").leaves_nothing();
}

#[test]
fn a_file_that_is_really_called_so_is_no_pattern() {
    let world = World::new();
    world.put("app[1].log", "one\n").put("app1.log", "another's\n");
    world.loghand("rotate --once app[1].log --force").leaves([
        ("app1.log", "another's\n"),
        ("app[1].log", ""),
        ("app[1].log.1", "one\n"),
    ]);
}

#[test]
fn a_percent_sign_in_the_name_of_a_file_that_exists_is_one() {
    let world = World::new();
    world.put("100%.log", "one\n").put("%Y.log", "two\n");
    world.loghand("rotate --once *.log %Y.log --force").leaves([
        ("%Y.log", ""),
        ("%Y.log.1", "two\n"),
        ("100%.log", ""),
        ("100%.log.1", "one\n"),
    ]);
}

#[test]
fn archives_in_a_folder_of_their_own_are_none_of_the_logs_that_a_deep_pattern_finds() {
    let world = World::new();
    world.put("a/app.log", "").put("a/old/app.log.1", "1\n").put("a/old/app.log", "another log\n");
    world.loghand("rotate --once **/* --force --namer old/{base}.{n}").leaves([
        ("a/app.log", ""),
        ("a/old/app.log", ""),
        ("a/old/app.log.1", "1\n"),
        ("a/old/old/app.log.1", "another log\n"),
    ]);
}

#[test]
fn a_log_whose_name_only_looks_like_an_archive_is_rolled() {
    let world = World::new();
    // There is no log of which these were archives.
    world.put("service.2", "one\n").put("web-1.log", "two\n");
    world.loghand("rotate --once * --force --namer {base}.{time:%Y}").leaves([
        ("service.2", ""),
        ("service.2.####", "one\n"),
        ("web-1.log", ""),
        ("web-1.log.####", "two\n"),
    ]);
}

#[test]
fn a_file_that_is_found_twice_is_rolled_once() {
    let world = World::new();
    world.put("app.log", "one\n");
    world.loghand("rotate --once app.log app.* app.log --force").leaves([("app.log", ""), ("app.log.1", "one\n")]);
}

#[test]
fn one_file_that_cannot_be_rolled_does_not_keep_the_others_from_it() {
    let world = World::new();
    world
        .put("a.log", "one\n")
        .put("real", "x\n")
        .symlink("link.log", "real")
        .fifo("pipe")
        .folder("folder")
        .put("z.log", "two\n");
    let call = world.loghand("rotate --once a.log folder link.log missing.log pipe z.log --force").code(1);
    call.stderr(
        "loghand: folder: is not a regular file, which alone can be rolled over\n\
         loghand: link.log: is a symlink, which is never rolled over: name the file itself (real)\n\
         loghand: missing.log: there is no such file\n\
         loghand: pipe: is not a regular file, which alone can be rolled over\n",
    )
    .leaves([
        ("a.log", ""),
        ("a.log.1", "one\n"),
        ("folder/", ""),
        ("link.log@", "real"),
        ("pipe|", ""),
        ("real", "x\n"),
        ("z.log", ""),
        ("z.log.1", "two\n"),
    ]);
}

#[test]
fn delay_compress_leaves_the_youngest_for_the_program_that_still_writes_it() {
    let world = World::new();
    for n in 1..=3 {
        world.put("app.log", format!("{n}\n"));
        world.loghand("rotate --once app.log --force --compress --delay-compress").start().until_it_leaves();
    }
    world.loghand("rotate --once app.log --force --compress --delay-compress").leaves([
        ("app.log", ""),
        ("app.log.1", "3\n"),
        ("app.log.2.gz", "2\n"),
        ("app.log.3.gz", "1\n"),
    ]);
}

#[test]
fn copy_truncate_keeps_the_file_that_a_program_has_open() {
    let world = World::new();
    let time = the_past();
    world.put_at("app.log", "one\n", time).chmod("app.log", 0o604);
    let inode = || fs::metadata(world.path("app.log")).unwrap().ino();
    let before = inode();
    world.loghand("rotate --once app.log --force --copy-truncate").leaves([("app.log", ""), ("app.log.1", "one\n")]);
    assert_eq!((inode(), world.modified("app.log.1"), world.mode("app.log.1")), (before, time, 0o604));
}

#[test]
fn copy_truncate_and_compress_go_together() {
    let world = World::new();
    world.put("app.log", "one\n").put("app.log.1.gz.bak", "x\n");
    world.loghand("rotate --once app.log --max-bytes 1 --copy-truncate --compress").leaves([
        ("app.log", ""),
        ("app.log.1.gz", "one\n"),
        ("app.log.1.gz.bak", "x\n"),
    ]);
}

#[test]
fn hooks_are_run_without_a_pipe_too() {
    let world = World::new();
    world.put("app.log", "one\n");
    let call = world.loghand("rotate --once app.log --force --rotator mv --after-rotate").arg("echo >told");
    call.leaves([("app.log", ""), ("app.log.1", "one\n"), ("told", "app.log.1\n")]);
}

#[test]
fn the_new_file_takes_its_predecessors_mode() {
    let world = World::new();
    world.put("app.log", "one\n").chmod("app.log", 0o604);
    world.loghand("rotate --once app.log --force").leaves([("app.log", ""), ("app.log.1", "one\n")]);
    assert_eq!((world.mode("app.log"), world.mode("app.log.1")), (0o604, 0o604));
}

#[test]
fn progress_is_for_terminals_and_may_be_turned_off() {
    for flag in ["", "--no-progress"] {
        let world = World::new();
        world.put("app.log", "one\n".repeat(100_000));
        world
            .loghand(&format!("rotate --once app.log --force --compress {flag}"))
            .leaves([("app.log", String::new()), ("app.log.1.gz", "one\n".repeat(100_000))]);
    }
}

#[test]
fn without_a_word_of_what_is_due_nothing_is_touched() {
    let world = World::new();
    world.put("app.log", "one\n");
    let says = "--once: say what is due, by --max-bytes, --when or --force";
    world.loghand("rotate --once app.log").code(2).says(says).leaves([("app.log", "one\n")]);
}

#[test]
fn a_log_is_neither_emptied_nor_left_unopened() {
    for flag in ["--mode w", "--mode x", "--delay"] {
        let world = World::new();
        world.put("app.log", "one\n");
        let call = world.loghand(&format!("rotate --once app.log --force {flag}")).code(2);
        let name = flag.split(' ').next().unwrap();
        call.stderr_has(["loghand: ", "--once", "cannot be used with", name]).leaves([("app.log", "one\n")]);
    }
}

#[test]
fn a_pattern_that_cannot_be_read_is_wrong_usage() {
    let world = World::new();
    let call = world.loghand("rotate --once a[ --force").code(2);
    call.stderr_has(["loghand: 'a[' is no pattern:"]).leaves_nothing();
}

#[test]
fn max_age_and_backup_count_apply_although_nothing_is_due() {
    let world = World::new();
    world.put("app.log", "one\n").put_at("app.log.1", "1\n", the_past()).put("app.log.2", "2\n");
    world
        .loghand("rotate --once app.log --max-bytes 1M --max-age 1w")
        .leaves([("app.log", "one\n"), ("app.log.2", "2\n")]);
}

#[test]
fn the_budget_is_kept_although_nothing_is_due() {
    let world = World::new();
    world.put("app.log", "now\n").put("app.log.1", "1\n").put("app.log.2", "2\n").put("app.log.3", "3\n");
    world
        .loghand("rotate --once app.log --max-bytes 1M --max-total-bytes 7")
        .leaves([("app.log", "now\n"), ("app.log.1", "1\n")]);
}

// The plan.

/// A plan says `plan`, and a run with the same words does it: the folder then holds `after`.
#[track_caller]
fn planned_and_done(world: &World, words: &str, plan: &str, after: &[(&str, &str)]) {
    let before = world.names();
    let mut call = std::process::Command::new(LOGHAND);
    call.args(words.split(' ')).arg("--plan").current_dir(world.path("")).env("TZ", "UTC");
    let said = call.output().unwrap();
    let printed = String::from_utf8(said.stdout).unwrap();
    let printed = printed.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.status.success() && said.stderr.is_empty() && printed.contains(plan), "{printed}");
    assert_eq!(world.names(), before);
    world.loghand(words).leaves(after.iter().copied());
}

#[test]
fn a_plan_lists_what_the_budget_would_delete() {
    let world = World::new();
    world.put("app.log", "now\n").put("app.log.1", "1\n").put("app.log.2", "2\n").put("app.log.3", "3\n");
    planned_and_done(
        &world,
        "rotate --once app.log --force --max-bytes 1M --max-total-bytes 7",
        "would be rolled over to app.log.1 would delete app.log.4 would delete app.log.3 archives: 3",
        &[("app.log", ""), ("app.log.1", "now\n"), ("app.log.2", "1\n")],
    );
    let world = World::new();
    world.put("app.log", "now\n").put("app.log.1", "1\n").put("app.log.2", "2\n");
    planned_and_done(
        &world,
        "rotate --once app.log --max-bytes 1M --max-total-bytes 7",
        "is not due; its next archive is called app.log.1 would delete app.log.2 archives: 2",
        &[("app.log", "now\n"), ("app.log.1", "1\n")],
    );
    // What is too many goes first, and may be enough.
    let world = World::new();
    world.put("app.log", "now\n").put("app.log.1", "1\n").put("app.log.2", "2\n");
    planned_and_done(
        &world,
        "rotate --once app.log --max-bytes 1M --max-total-bytes 6 --backup-count 1",
        "would delete app.log.2 archives: 2",
        &[("app.log", "now\n"), ("app.log.1", "1\n")],
    );
}

#[test]
fn a_plan_deletes_a_new_archive_that_is_too_old_or_too_large_already() {
    for flags in ["--max-age 7d", "--max-total-bytes 3"] {
        let world = World::new();
        world.put_at("app.log", "past\n", the_past());
        planned_and_done(
            &world,
            &format!("rotate --once app.log --force {flags}"),
            "would be rolled over to app.log.1 would delete app.log.1",
            &[("app.log", "")],
        );
    }
}

#[test]
fn a_plan_keeps_what_is_named_for_a_later_time_than_the_new_archive() {
    let world = World::new();
    world.put_at("app.log", "past\n", the_past());
    world.put("app.log.2024-03-01", "older\n").put("app.log.2999-01-01", "later\n");
    planned_and_done(
        &world,
        "rotate --once app.log --when midnight --backup-count 1",
        "would be rolled over to app.log.2024-03-10 would delete app.log.2024-03-01 would delete app.log.2024-03-10",
        &[("app.log", ""), ("app.log.2999-01-01", "later\n")],
    );
}

#[test]
fn a_plan_tells_of_a_twin_that_a_crash_left() {
    let world = World::new();
    world.put("app.log", "now\n").put("app.log.1", "1\n").shell("gzip -k app.log.1").start().until_it_leaves();
    planned_and_done(
        &world,
        "rotate --once app.log --force",
        "would delete app.log.1, which is compressed already would rename app.log.1.gz to app.log.2.gz \
         would be rolled over to app.log.1 archives: 2",
        &[("app.log", ""), ("app.log.1", "now\n"), ("app.log.2.gz", "1\n")],
    );
}

#[test]
fn a_plan_of_files_that_a_run_would_not_take_says_so() {
    let world = World::new();
    world.put("app.log", "one\n");
    let files = [("app.log", "one\n")];
    let call = world.loghand("rotate --once missing.log --force --plan");
    call.stdout("missing.log: there is no such file\n").leaves(files);
    let call = world.loghand("rotate app.log --max-bytes 1 --mode x --plan");
    call.stdout("app.log: exists, so it is not opened (--mode x)\n").leaves(files);
    let call = world.loghand("rotate app.log --max-bytes 1 --mode w --plan");
    call.stdout_has(["app.log: 4 bytes, which would be deleted first (--mode w) is not due"]).leaves(files);
    let call = world.loghand("rotate app.log other.log --plan").code(2);
    call.says("one FILE takes the lines; several go with --once").leaves(files);
}

#[test]
fn a_byte_order_mark_alone_is_not_due_in_a_plan_either() {
    let world = World::new();
    world.put("app.log", "\u{feff}");
    planned_and_done(
        &world,
        "rotate --once app.log --force --encoding utf-8-sig",
        "is not due",
        &[("app.log", "\u{feff}")],
    );
}

#[test]
fn a_plan_changes_nothing_and_names_what_would_be_rolled_and_deleted() {
    let world = World::new();
    let files = [("app.log", "12345\n"), ("app.log.1", "one\n"), ("app.log.2", "two\n"), ("other.log", "x\n")];
    for (name, content) in files {
        world.put(name, content);
    }
    world
        .loghand("rotate app.log --max-bytes 5 --backup-count 2 --plan")
        .stdout(
            "app.log: 6 bytes\n  \
               would rename app.log.2 to app.log.3\n  \
               would rename app.log.1 to app.log.2\n  \
               would be rolled over to app.log.1\n  \
               would delete app.log.3\n  \
               archives: 2, all together 14 bytes\n  \
               rolls over before it exceeds 5 bytes\n",
        )
        .leaves(files);
}

#[test]
fn a_plan_with_one_backup_deletes_all_archives_but_the_new_one() {
    let world = World::new();
    let files = [("app.log", "12345\n"), ("app.log.1", "one\n")];
    world.put(files[0].0, files[0].1).put(files[1].0, files[1].1);
    let call = world.loghand("rotate app.log --max-bytes 5 --backup-count 1 --plan");
    call.stdout_has(["would rename app.log.1 to app.log.2 would be rolled over to app.log.1 would delete app.log.2"])
        .leaves(files);
}

#[test]
fn a_plan_does_not_promise_to_roll_what_is_never_rolled() {
    let world = World::new();
    world.folder("logs").symlink("link.log", "real.log").put("real.log", "one\n");
    let call = world.loghand("rotate --once logs link.log --force --plan");
    call.stdout(
        "link.log: is not a regular file, which alone can be rolled over\n\
         logs: is not a regular file, which alone can be rolled over\n",
    )
    .leaves([("link.log@", "real.log"), ("logs/", ""), ("real.log", "one\n")]);
}

#[test]
fn a_plan_shows_the_next_rollovers_in_the_zone_of_the_process() {
    let world = World::new();
    // Far in the future, so that the list does not depend on the day.
    let script =
        "loghand rotate app.log --when W6 --at-time 02:30 --plan | grep -cE '^    Sun [0-9-]+ 02:30:00 .09:00$'";
    world.shell(script).env("TZ", "Asia/Tokyo").stdout("5\n").leaves_nothing();
}

#[test]
fn a_plan_for_a_file_that_does_not_exist_says_so() {
    World::new()
        .loghand("rotate app.log --max-bytes 5 --plan")
        .stdout(
            "app.log: does not exist yet\n  is not due; its next archive is called app.log.1\n  \
             archives: 0, all together 0 bytes\n  rolls over before it exceeds 5 bytes\n",
        )
        .leaves_nothing();
}

#[test]
fn a_plan_is_due_by_the_clock_as_the_rollover_is() {
    let world = World::new();
    world.put_at("app.log", "past\n", the_past());
    world
        .loghand("rotate app.log --when midnight --plan")
        .stdout_has(["app.log: 5 bytes\n  would be rolled over to app.log.2024-03-10\n"])
        .leaves([("app.log", "past\n")]);
}

#[test]
fn a_plan_of_once_follows_patterns_as_once_does() {
    let world = World::new();
    world.put("a.log", "aaaa\n").put("a.log.1", "x\n").put("b.log", "b\n");
    world
        .loghand("rotate --once --plan a.* b.* --max-bytes 5")
        .stdout(
            "a.log: 5 bytes\n  would rename a.log.1 to a.log.2\n  would be rolled over to a.log.1\n  \
             archives: 1, all together 7 bytes\n  is due when it has reached 5 bytes\n\
             b.log: 2 bytes\n  is not due; its next archive is called b.log.1\n  \
             archives: 0, all together 2 bytes\n  is due when it has reached 5 bytes\n",
        )
        .leaves([("a.log", "aaaa\n"), ("a.log.1", "x\n"), ("b.log", "b\n")]);
}

#[test]
fn a_plan_that_nobody_reads_is_no_failure() {
    let world = World::new();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    world.loghand("rotate app.log --max-bytes 5 --plan").stdout_to(writer).leaves_nothing();
}
