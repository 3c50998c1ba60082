use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use proptest::prelude::*;
use rustix::io::Errno;
use tempfile::TempDir;

use super::*;

/// A folder with these files; folders end in a slash.
fn folder(names: &[&str]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for name in names {
        let path = root.path().join(name);
        if name.ends_with('/') {
            fs::create_dir_all(path).unwrap();
        } else {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x\n").unwrap();
        }
    }
    root
}

fn words(root: &TempDir, words: &[&str]) -> Vec<PathBuf> {
    words.iter().map(|word| root.path().join(word)).collect()
}

fn scan(root: &TempDir, inputs: &[&str]) -> Scan {
    Patterns::new(&words(root, inputs), &[]).unwrap().scan()
}

fn below<'a>(root: &TempDir, paths: impl IntoIterator<Item = &'a PathBuf>) -> Vec<String> {
    paths.into_iter().map(|path| path.strip_prefix(root.path()).unwrap().display().to_string()).collect()
}

/// What is found, nothing being unreadable.
fn found(root: &TempDir, inputs: &[&str]) -> Vec<String> {
    let scan = scan(root, inputs);
    assert!(scan.errors.is_empty(), "{:?}", scan.errors);
    below(root, scan.found.iter().map(|found| &found.path))
}

fn folders(root: &TempDir, inputs: &[&str]) -> Vec<String> {
    below(root, &scan(root, inputs).folders)
}

const NONE: [&str; 0] = [];

#[test]
fn names_match_as_in_a_shell_and_come_in_order() {
    let root =
        folder(&["b.log", "a.log", "a-1.log", "B.log", ".log", ".c.log", "a.log.1", "a.log.d/", "10.log", "9.log"]);
    assert_eq!(found(&root, &["*.log"]), ["10.log", "9.log", "B.log", "a-1.log", "a.log", "b.log"]);
    assert_eq!(found(&root, &["?.log"]), ["9.log", "B.log", "a.log", "b.log"]);
    assert_eq!(found(&root, &["[a-b].log"]), ["a.log", "b.log"]);
    assert_eq!(found(&root, &["[!a].log"]), ["9.log", "B.log", "b.log"]);
    assert_eq!(found(&root, &[".*"]), [".c.log", ".log"]);
    assert_eq!(found(&root, &["*[.]log*"]).len(), 7);
}

#[test]
fn paths_come_in_the_order_of_the_inputs_and_once() {
    let root = folder(&["a.log", "b.log", "c.txt"]);
    assert_eq!(found(&root, &["b*", "*.log", "c.txt"]), ["b.log", "a.log", "c.txt"]);
    let scan = scan(&root, &["b*", "*.log", "b.log", "x"]);
    assert_eq!(scan.found.iter().map(|found| (found.input, found.named)).collect::<Vec<_>>(), [(0, true), (1, false)]);
    assert_eq!(scan.empty, [3]);
}

#[test]
fn paths_are_ordered_component_by_component() {
    let root = folder(&["a/x.log", "a-b/x.log", "a/b/x.log", "a.log"]);
    assert_eq!(found(&root, &["**/*.log"]), ["a/b/x.log", "a/x.log", "a-b/x.log", "a.log"]);
    assert_eq!(found(&root, &["*/x.log"]), ["a/x.log", "a-b/x.log"]);
}

#[test]
fn two_stars_are_any_number_of_folders_but_no_hidden_ones() {
    let root = folder(&["a.log", "x/a.log", "x/y/a.log", "x/y/b.txt", ".h/a.log", "x/.h/a.log", "x/y/x/a.log"]);
    assert_eq!(found(&root, &["**/a.log"]), ["a.log", "x/a.log", "x/y/a.log", "x/y/x/a.log"]);
    assert_eq!(found(&root, &["x/**/a.log"]), ["x/a.log", "x/y/a.log", "x/y/x/a.log"]);
    assert_eq!(found(&root, &["**/x/**/*"]), ["x/a.log", "x/y/a.log", "x/y/b.txt", "x/y/x/a.log"]);
    assert_eq!(found(&root, &["**"]), ["a.log", "x/a.log", "x/y/a.log", "x/y/b.txt", "x/y/x/a.log"]);
    assert_eq!(found(&root, &["**/**/y/**"]), ["x/y/a.log", "x/y/b.txt", "x/y/x/a.log"]);
    assert_eq!(found(&root, &["x/.*/a.log"]), ["x/.h/a.log"]);
    assert_eq!(folders(&root, &["**/a.log"]), ["", "x", "x/y", "x/y/x"]);
}

#[test]
fn a_relative_pattern_stays_relative() {
    // Tests run in the folder of the package.
    let relative = |word: &str| {
        let scan = Patterns::new(&[word.into()], &[]).unwrap().scan();
        (scan.found.iter().map(|found| found.path.display().to_string()).collect::<Vec<_>>(), scan.folders)
    };
    let here = |folder: &str| BTreeSet::from([PathBuf::from(folder)]);
    assert_eq!(relative("Cargo.t?ml"), (vec!["Cargo.toml".to_owned()], here(".")));
    assert_eq!(relative("./Cargo.t?ml"), (vec!["./Cargo.toml".to_owned()], here(".")));
    assert_eq!(relative("Cargo.toml"), (vec!["Cargo.toml".to_owned()], here(".")));
    assert_eq!(relative("src//./main.*"), (vec!["src/main.rs".to_owned()], here("src")));
    assert_eq!(relative("src/../Cargo.t?ml"), (vec!["src/../Cargo.toml".to_owned()], here("src/..")));
    assert_eq!(relative("nowhere/at/all.*"), (vec![], here(".")));
    let both = Patterns::new(&["Cargo.toml".into(), "./Cargo.t*".into()], &[]).unwrap().scan();
    assert_eq!(both.found.len(), 1);
}

#[test]
fn a_name_that_exists_is_meant_literally_whatever_is_in_it() {
    let root = folder(&["app[1].log", "app1.log"]);
    let patterns = Patterns::new(&words(&root, &["app[1].log"]), &[]).unwrap();
    let names = |scan: &Scan| (below(&root, scan.found.iter().map(|found| &found.path)), scan.found[0].named);
    assert_eq!(names(&patterns.scan()), (vec!["app[1].log".to_owned()], true));
    fs::remove_file(root.path().join("app[1].log")).unwrap();
    assert_eq!(names(&patterns.scan()), (vec!["app1.log".to_owned()], false));
    // One that leads nowhere for now is called so all the same.
    symlink("gone", root.path().join("app[1].log")).unwrap();
    assert_eq!(patterns.scan().empty, [0]);
}

#[test]
fn a_literal_name_may_appear_where_its_pattern_does_not_look() {
    let root = folder(&["app[1]/", "app1/x.log"]);
    assert_eq!(found(&root, &["app[1]/x.log"]), ["app1/x.log"]);
    assert_eq!(folders(&root, &["app[1]/x.log"]), ["", "app1", "app[1]"]);
    assert_eq!(found(&root, &["app[[]1]/x.log"]), NONE);
}

#[test]
fn words_that_mean_nothing_are_told() {
    let root = folder(&["app[.log"]);
    let told = |word: &str| Patterns::new(&[word.into()], &[]).unwrap_err().to_string();
    assert_eq!(told("app[.log"), "'app[.log' is no pattern: no ] closes its [; a [ itself is written [[]");
    assert!(told("logs/**.log").starts_with("'logs/**.log' is no pattern: ** stands for whole folders"));
    assert_eq!(told("logs/*/"), "'logs/*/' is no pattern: it ends in a slash, so it can only lead to folders");
    assert_eq!(told(""), "'' is no pattern: it is empty");
    assert!(Patterns::new(&[], &["a[".into()]).unwrap_err().to_string().starts_with("'a[' is no pattern: "));
    // A file that is called so makes it a name.
    let patterns = Patterns::new(&words(&root, &["app[.log"]), &[]).unwrap();
    assert_eq!(patterns.scan().found.len(), 1);
    fs::remove_file(root.path().join("app[.log")).unwrap();
    assert_eq!(patterns.scan().empty, [0]);
}

#[test]
fn names_that_are_not_utf_8_are_found() {
    let root = folder(&["a\u{e9}.log"]);
    fs::write(root.path().join(OsStr::from_bytes(b"a\xff.log")), "x\n").unwrap();
    assert_eq!(scan(&root, &["a?.log"]).found.len(), 2);
    let lone = root.path().join(OsStr::from_bytes(b"?\xff*"));
    let scan = Patterns::new(&[lone], &[]).unwrap().scan();
    assert_eq!(scan.found[0].path.file_name().unwrap().as_bytes(), b"a\xff.log");
    assert_eq!(scan.found.len(), 1);
}

#[test]
fn only_a_literal_name_finds_what_is_no_regular_file() {
    let root = folder(&["a.log", "d.log/"]);
    nix::unistd::mkfifo(&root.path().join("f.log"), nix::sys::stat::Mode::from_bits_truncate(0o600)).unwrap();
    symlink("f.log", root.path().join("l.log")).unwrap();
    symlink("d.log", root.path().join("e.log")).unwrap();
    assert_eq!(found(&root, &["*.log"]), ["a.log"]);
    let scan = scan(&root, &["*.log", "f.log", "d.log", "l.log"]);
    assert_eq!(scan.found.len(), 4);
    assert!(scan.found[2].named && scan.found[2].metadata.as_ref().unwrap().is_dir());
}

#[test]
fn symlinks_to_files_match_and_two_stars_do_not_follow_those_to_folders() {
    let root = folder(&["x/a.log"]);
    symlink("x/a.log", root.path().join("l.log")).unwrap();
    symlink("gone.log", root.path().join("dangling.log")).unwrap();
    symlink("circle.log", root.path().join("circle.log")).unwrap();
    symlink("..", root.path().join("x/up")).unwrap();
    assert_eq!(found(&root, &["*.log"]), ["l.log"]);
    assert_eq!(found(&root, &["dangling.log", "circle.log"]), NONE);
    assert_eq!(found(&root, &["**/*.log"]), ["l.log", "x/a.log"]);
    assert_eq!(found(&root, &["x/up/x/*.log"]), ["x/up/x/a.log"]);
    assert_eq!(found(&root, &["x/u*/x/*.log"]), ["x/up/x/a.log"]);
    assert_eq!(found(&root, &["x/up/**/a.log"]), ["x/up/x/a.log"]);
}

#[test]
fn where_a_symlink_leads_is_watched_too() {
    let root = folder(&["pods/", "links/"]);
    symlink("../pods/0.log", root.path().join("links/a.log")).unwrap();
    symlink("links/a.log", root.path().join("b.log")).unwrap();
    assert_eq!(folders(&root, &["b.log"]), ["", "links", "links/../pods"]);
    assert_eq!(folders(&root, &["links/*.log"]), ["links", "links/../pods"]);
    assert_eq!(folders(&root, &["l*/a.log"]), ["", "links", "links/../pods"]);
}

#[test]
fn folders_are_those_in_which_a_match_may_appear() {
    let root = folder(&["logs/x/a.log", "logs/y/", "logs/z", "file"]);
    assert_eq!(folders(&root, &["logs/*/a.log"]), ["logs", "logs/x", "logs/y"]);
    assert_eq!(folders(&root, &["logs/*/b/c.log"]), ["logs", "logs/x", "logs/y"]);
    assert_eq!(folders(&root, &["logs/x/a.log"]), ["logs/x"]);
    assert_eq!(folders(&root, &["logs/x/none.log"]), ["logs/x"]);
    assert_eq!(folders(&root, &["logs/none/at/all.log"]), ["logs"]);
    assert_eq!(folders(&root, &["logs/none/*/all.log"]), ["logs"]);
    assert_eq!(folders(&root, &["none/**/a.log"]), [""]);
    assert_eq!(folders(&root, &["file/*.log"]), [""]);
    assert_eq!(folders(&root, &["logs/*/*"]), ["logs", "logs/x", "logs/y"]);
    assert_eq!(scan(&root, &["file/*", "file/x", "none/*", "none"]).empty, [0, 1, 2, 3]);
}

#[test]
fn a_folder_that_cannot_be_read_is_told_once() {
    let root = folder(&["a.log"]);
    symlink("circle", root.path().join("circle")).unwrap();
    let scan = scan(&root, &["circle/*.log", "circle/*.txt", "*.log"]);
    assert_eq!(below(&root, scan.errors.iter().map(|(folder, _)| folder)), ["circle"]);
    assert_eq!(scan.errors[0].1.raw_os_error(), Some(Errno::LOOP.raw_os_error()));
    assert_eq!(below(&root, scan.found.iter().map(|found| &found.path)), ["a.log"]);
    assert_eq!(below(&root, &scan.folders), [""]);
}

#[test]
fn a_name_that_cannot_be_looked_at_is_found_with_the_reason() {
    let root = folder(&[]);
    let long = "x".repeat(300);
    let scan = scan(&root, &[&long]);
    assert_eq!(scan.found[0].metadata.as_ref().unwrap_err().raw_os_error(), Some(Errno::NAMETOOLONG.raw_os_error()));
}

#[test]
fn what_is_excluded_is_not_found_however_it_is_named() {
    let root = folder(&["a.log", "a.log.gz", "old/a.log", "b.log"]);
    let excludes = [PathBuf::from("*.gz"), root.path().join("old/*"), PathBuf::from("b.log")];
    let scan = Patterns::new(&words(&root, &["**", "b.log", "a.log"]), &excludes).unwrap().scan();
    assert_eq!(below(&root, scan.found.iter().map(|found| &found.path)), ["a.log"]);
    assert_eq!(scan.empty, [1]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Where names are UTF-8, and neither hidden nor links, the crate's own walk finds the same.
    #[test]
    fn the_walk_finds_what_the_crate_finds(
        names in prop::collection::vec("([ab]{1,2}/){0,3}[ab]{1,2}\\.l", 0..10),
        pattern in "(([ab]|[ab]?\\*|\\?|\\[!a\\]|\\*\\*)/){0,4}([ab]|\\*|\\?\\*|[ab]\\?)\\.l",
    ) {
        let root = folder(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let whole = root.path().join(&pattern);
        let mut expected: Vec<PathBuf> = glob::glob(whole.to_str().unwrap()).unwrap().map(|path| path.unwrap()).collect();
        expected.sort();
        expected.dedup();
        prop_assert_eq!(found(&root, &[&pattern]), below(&root, &expected));
    }
}

#[test]
fn a_path_is_named_when_a_walk_would_find_it() {
    let named = |word: &str, path: &str| {
        Patterns::new(&[word.into()], &["*.gz".into()]).unwrap().names(std::path::Path::new(path))
    };
    for (word, path) in [
        ("*.log*", "a.log.1"),
        ("./*.log*", "./a.log.1"),
        ("/x/*.log", "/x/a.log"),
        ("**", "a/b/c"),
        ("**", "c"),
        ("x/**/*.1", "x/a.1"),
        ("x/**/*.1", "x/y/z/a.1"),
        ("**/a*", "b/a.1"),
    ] {
        assert!(named(word, path), "{word} {path}");
    }
    for (word, path) in [
        ("*.log", "a.log.1"),
        ("*", "a/b"),
        ("*", ".a"),
        ("**", ".a/b"),
        ("x/*", "y/a"),
        ("*", "a.gz"),
        ("a.log", "a.log"),
        ("**/a*", "b/c"),
    ] {
        assert!(!named(word, path), "{word} {path}");
    }
}
