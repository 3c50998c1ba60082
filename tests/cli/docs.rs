//! What is written about the program is true of it: manual pages, completions, README, and these tests themselves.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use loghand::cli::{self, Verb};

use crate::harness::World;

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    fs::read_to_string(project().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn parse(words: &[String]) -> Result<cli::Call, String> {
    let words = ["loghand".to_owned()].iter().chain(words).map(OsString::from).collect();
    cli::parse(words).map_err(|error| error.to_string())
}

/// The verbs that people see.
fn verbs() -> Vec<clap::Command> {
    let command = cli::command();
    command.get_subcommands().filter(|verb| !verb.is_hide_set() && verb.get_name() != "help").cloned().collect()
}

/// Every file of `folder` with what it holds.
fn files(folder: &Path) -> BTreeMap<PathBuf, String> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.map(|path| (path.file_name().unwrap().into(), fs::read_to_string(&path).unwrap())).collect()
}

#[test]
fn manual_pages_and_completions_are_what_generate_writes() {
    let world = World::new();
    world.loghand("generate new").start().until_it_leaves();
    for folder in ["man", "completions"] {
        let (generated, kept) = (files(&world.path("new").join(folder)), project().join(folder));
        assert!(!generated.is_empty());
        if std::env::var_os("UPDATE_GENERATED").is_some() {
            let _ = fs::remove_dir_all(&kept);
            fs::create_dir_all(&kept).unwrap();
            for (name, text) in &generated {
                fs::write(kept.join(name), text).unwrap();
            }
        }
        let kept = files(&kept);
        assert!(kept.keys().eq(generated.keys()), "{folder}/: {:?} and not {:?}", kept.keys(), generated.keys());
        for (name, text) in &generated {
            let same = kept[name] == *text;
            assert!(same, "{folder}/{} is out of date: UPDATE_GENERATED=1 cargo test --test cli docs", name.display());
        }
    }
}

/// Where a verb is tested. A new verb does not compile before it is.
fn test_module(verb: &Verb) -> &'static str {
    match verb {
        Verb::Tee(_) => "tee",
        Verb::Rotate(_) => "rotate",
        Verb::Watch(_) => "watch",
        Verb::Ship(_) => "ship",
        Verb::Syslog(_) => "syslog",
        Verb::Generate(_) => "docs",
    }
}

#[test]
fn every_verb_has_tests_a_manual_page_completions_and_a_place_in_the_readme() {
    let (readme, main) = (read("README.md"), read("tests/cli/main.rs"));
    for verb in verbs() {
        let name = verb.get_name();
        let word = if ["ship", "syslog"].contains(&name) { "tcp://host" } else { "file" };
        let call = parse(&[name.to_owned(), word.to_owned()]).unwrap();
        let module = test_module(&call.cli.verb);
        assert_eq!(module, name);
        assert!(main.contains(&format!("mod {module};")), "tests of {name}");
        assert!(read(&format!("tests/cli/{module}.rs")).contains(&format!("loghand(\"{name} ")), "tests of {name}");
        assert!(read(&format!("man/loghand-{name}.1")).contains(".SH OPTIONS"), "manual page of {name}");
        assert!(read("man/loghand.1").contains(&format!("loghand\\-{name}")), "{name} in the manual page of all");
        for completions in ["loghand.bash", "_loghand", "loghand.fish", "_loghand.ps1"] {
            assert!(read(&format!("completions/{completions}")).contains(name), "{name} in {completions}");
        }
        assert!(
            readme.lines().any(|line| line.starts_with('|') && line.contains(&format!("| `{name}` |"))),
            "{name}'s row in README"
        );
        assert!(
            readme.lines().any(|line| line.starts_with("    ") && line.contains(&format!("loghand {name} "))),
            "{name}'s example in README"
        );
    }
}

#[test]
fn every_flag_is_tested_somewhere() {
    let mut tests = String::new();
    for (name, text) in files(&project().join("tests/cli")) {
        // Refusing a flag, or naming it here, is no test of what it does.
        if !["docs.rs", "usage.rs"].contains(&name.to_str().unwrap()) {
            tests += &text;
        }
    }
    let is_tested = |flag: &str| {
        let flag = format!("--{flag}");
        tests.match_indices(&flag).any(|(at, _)| {
            let behind = tests[at + flag.len()..].chars().next();
            behind.is_none_or(|next| next != '-' && !next.is_ascii_alphanumeric())
        })
    };
    let command = cli::command();
    let verbs = verbs();
    let flags = verbs.iter().flat_map(clap::Command::get_arguments).chain(command.get_arguments());
    let flags = flags.filter_map(clap::Arg::get_long).filter(|flag| !["help", "version"].contains(flag));
    let untested: std::collections::BTreeSet<&str> = flags.filter(|flag| !is_tested(flag)).collect();
    assert!(untested.is_empty(), "{untested:?}");
}

/// Splits a line of a shell as far as examples need it.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            _ => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The calls of loghand in lines that are indented as examples are.
fn examples(text: &str, indent: &str) -> Vec<String> {
    let lines = text.lines().filter_map(|line| line.strip_prefix(indent));
    let calls = lines.filter_map(|line| {
        let call = line.split_once("loghand ").or_else(|| line.split_once("cargo run --release -- "))?.1;
        // What follows in brackets, behind two blanks, is for people; what follows & or | is another program.
        let call = call.split("  ").next().unwrap();
        Some(call.split(['&', '|']).next().unwrap().trim().to_owned())
    });
    calls.collect()
}

#[test]
fn the_examples_of_the_readme_are_understood() {
    let examples = examples(&read("README.md"), "    ");
    assert!(examples.len() >= verbs().len(), "{examples:?}");
    for example in examples {
        if let Err(error) = parse(&words(&example)) {
            panic!("loghand {example}: {error}");
        }
    }
}

#[test]
fn the_examples_of_the_help_are_understood() {
    for command in verbs().iter().chain([&cli::command()]) {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let examples = examples(&help, "  ");
        assert!(!examples.is_empty(), "{} has no example", command.get_name());
        for example in examples {
            if let Err(error) = parse(&words(&example)) {
                panic!("loghand {example}: {error}");
            }
        }
    }
}

#[test]
fn the_links_of_the_readme_lead_somewhere() {
    let readme = read("README.md");
    let links = readme.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let links: Vec<&str> = links.filter(|link| !link.contains("://")).collect();
    assert!(!links.is_empty());
    for link in links {
        assert!(project().join(link).exists(), "README.md: {link}");
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_said_by_generate() {
    let world = World::new();
    world.put("new", "a file\n");
    let call = world.loghand("generate new");
    call.code(1).says("new/man: Not a directory").leaves([("new", "a file\n")]);
}
