//! Wrong usage: exit code 2, a word on what would be right, no input read and no file made. And help and version.

use std::io::{Write, read_to_string};

use crate::harness::World;

/// The words are refused, and the message holds `says`.
#[track_caller]
fn refused(words: &[&str], says: &[&str]) {
    let world = World::new();
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(b"unread").unwrap();
    let call = world.loghand("").stdin_from(reader.try_clone().unwrap());
    let call = words.iter().fold(call, |call, word| call.arg(word));
    call.code(2).stderr_has(says.iter().copied().chain(["loghand: "])).leaves_nothing();
    drop(writer);
    assert_eq!(read_to_string(reader).unwrap(), "unread");
}

#[test]
fn bad_values_are_refused_with_what_would_be_right() {
    let size = "a number of bytes, or one with K, M, G or T";
    let duration = "a number with ms, s, m, h, d or w, as in 90s or 7d";
    let number = "a whole number";
    for (flag, value, says) in [
        ("--max-bytes", "10Q", size),
        ("--max-bytes", "", size),
        ("--max-total-bytes", "1e9", size),
        ("--multiline-bytes", "x", size),
        ("--queue-size", "x", size),
        ("--max-age", "5 fortnights", duration),
        ("--flush-interval", "soon", duration),
        ("--multiline-wait", "x", duration),
        ("--when", "W7", "S, M, H, D, midnight, or W0 (Monday) to W6 (Sunday)"),
        ("--when", "X", "S, M, H, D, midnight, or W0 (Monday) to W6 (Sunday)"),
        ("--at-time", "25:00", "HH:MM or HH:MM:SS"),
        ("--at-time", "3", "HH:MM or HH:MM:SS"),
        ("--interval", "0", number),
        ("--interval", "x", number),
        ("--backup-count", "x", number),
        ("--capacity", "many", number),
        ("--multiline-lines", "0", number),
        ("--multiline-lines", "x", number),
        ("--ready-fd", "x", number),
        ("--namer", "x", "it needs {n} or {time}"),
        ("--namer", "{nosuch}", "use {base}, {stem}, {ext}, {n}, {time} or {time:FORMAT}"),
        ("--namer", "{base}.{time:%d}", "begin with the year (%Y)"),
        ("--namer", "{base}.{n", "{{ and }} stand for braces"),
        ("--compress=zstd", "", "gzip, or gzip:LEVEL with 1 (fast) to 9 (small)"),
        ("--compress=gzip:0", "", "gzip, or gzip:LEVEL with 1 (fast) to 9 (small)"),
        ("--level", "loud", "debug"),
        ("--default-level", "loud", "debug"),
        ("--flush-level", "loud", "debug"),
        ("--level-regex", "(", "unclosed group"),
        ("--level-regex", "x", "level"),
        ("--multiline", "(", "unclosed group"),
        ("--format", "%(nosuch)s", "nosuch"),
        ("--format", "{nosuch}", "nosuch"),
        ("--on-capacity", "x", "possible values: flush, forget"),
        ("--on-full", "x", "possible values: block, drop-newest, drop-oldest"),
        ("--on-disk-full", "x", "possible values: wait, drop, reclaim"),
        ("--errors", "x", "possible values: strict, ignore, replace, backslashreplace, xmlcharrefreplace"),
        ("--mode", "r", "possible values: a, w, x"),
        ("--encoding", "klingon", "utf-8, utf-8-sig, utf-16"),
        ("--chmod", "888", "an octal number, as in 640"),
        ("--chmod", "rw", "an octal number, as in 640"),
        ("--chown", "nobody-of-that-name", "USER, USER:GROUP or :GROUP, by name or number"),
        ("--fsync", "sometimes", "never, rollover, always, or a duration, as in 5s"),
        ("--fsync", "0s", "never, rollover, always, or a duration, as in 5s"),
    ] {
        let mut words = vec!["rotate", "app.log", flag];
        if !flag.contains('=') {
            words.push(value);
        }
        let name = flag.split('=').next().unwrap();
        refused(&words, &[name, says]);
    }
}

#[test]
fn flags_that_need_another_are_refused_without_it() {
    for (flag, needs) in [
        ("--interval 2", "--when"),
        ("--at-time 03:00", "--when"),
        ("--force", "--once"),
        ("--copy-truncate", "--once"),
        ("--delay-compress", "--compress"),
        ("--datefmt %Y", "--format"),
        ("--multiline-lines 3", "--multiline"),
        ("--multiline-bytes 3", "--multiline"),
        ("--multiline-wait 3s", "--multiline"),
        ("--flush-level error", "--capacity"),
        ("--on-capacity forget", "--capacity"),
        ("--flush-interval 3s", "--capacity"),
        ("--flush-on-close", "--capacity"),
        ("--no-flush-on-close", "--capacity"),
        ("--errors strict", "--encoding"),
    ] {
        let words: Vec<&str> = ["rotate", "app.log"].into_iter().chain(flag.split(' ')).collect();
        refused(&words, &["required", needs]);
    }
}

#[test]
fn flags_that_contradict_each_other_are_refused() {
    for words in [
        "tee --stderr --no-stdout",
        "tee -v -q",
        "rotate --once app.log --force --copy-truncate --rotator mv",
        "rotate %Y.log --when midnight",
        "rotate %Y.log --namer {base}.{n}",
    ] {
        let words: Vec<&str> = words.split(' ').collect();
        refused(&words, &[]);
    }
}

#[test]
fn a_file_whose_fields_cannot_be_read_back_is_refused() {
    refused(&["rotate", "%Y/%p.log"], &["'%p' is no field that can be read back from a name", "%%"]);
    refused(&["rotate", "50%"], &["%% stands for a percent sign"]);
}

#[test]
fn several_files_are_refused_where_one_takes_the_lines() {
    refused(&["rotate", "a.log", "b.log"], &["one FILE takes the lines; several go with --once"]);
    refused(&["watch", "a.log", "b.log"], &["b.log"]);
}

#[test]
fn a_missing_file_is_asked_for() {
    refused(&["rotate"], &["<FILE>"]);
    refused(&["watch"], &["<FILE>"]);
}

#[test]
fn an_unknown_verb_or_flag_is_answered_with_the_nearest() {
    refused(&["rotat", "app.log"], &["unrecognized subcommand 'rotat'", "rotate"]);
    refused(&["rotate", "app.log", "--max-byte", "1"], &["unexpected argument '--max-byte'", "--max-bytes"]);
}

#[test]
fn no_words_at_all_show_the_verbs() {
    let world = World::new();
    world.loghand("").code(2).stderr_has(["Usage: loghand", "tee", "rotate", "watch"]).leaves_nothing();
}

#[test]
fn help_goes_to_stdout_and_ends_with_examples() {
    for words in ["--help", "tee --help", "rotate --help", "watch --help", "-h", "help rotate", "rotate -h"] {
        let world = World::new();
        world.loghand(words).stdout_has(["Usage: loghand", "Examples:"]).leaves_nothing();
    }
}

#[test]
fn the_version_is_the_packages() {
    let world = World::new();
    world.loghand("--version").stdout(concat!("loghand ", env!("CARGO_PKG_VERSION"), "\n")).leaves_nothing();
}

#[test]
fn help_that_nobody_reads_is_no_crash() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    World::new().loghand("rotate --help").stdout_to(writer).leaves_nothing();
}
