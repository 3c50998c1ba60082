//! `loghand syslog`: SysLogHandler, to sockets on loopback and to a real rsyslogd.

use std::os::unix::net::{UnixDatagram, UnixListener};
use std::process::Command;
use std::thread::spawn;

use crate::harness::{World, until};
use crate::peer::{Daemon, certificates, datagram, read, receiver, tls_receiver, udp};

#[test]
fn a_message_says_what_was_told() {
    let world = World::new();
    let (port, socket) = udp();
    let call = world.loghand(&format!(
        "syslog udp://127.0.0.1:{port} --facility local0 --priority info --tag app --pid=7 --hostname web-1 --msgid M1"
    ));
    call.arg("--structured-data").arg("[o@1 ip=\"x\"]").stdin("plain\nERROR: grave\n<2>own\n").leaves_nothing();
    for (pri, text) in [(134, "plain"), (131, "ERROR: grave"), (130, "own")] {
        let message = datagram(&socket);
        let (head, rest) = message.split_once(' ').unwrap();
        assert_eq!(head, format!("<{pri}>1"));
        let (time, rest) = rest.split_once(' ').unwrap();
        assert!(time.len() == "2026-11-20T22:40:21.231094+00:00".len() && time.ends_with("+00:00"), "{time}");
        assert_eq!(rest, format!("web-1 app 7 M1 [o@1 ip=\"x\"] {text}"));
    }
}

#[test]
fn the_older_form_and_the_flags_of_logger() {
    let world = World::new();
    let (port, socket) = udp();
    let words = format!("syslog udp://127.0.0.1:{port} --rfc 3164 -p local1.err --ident app --pid=7 --hostname web-1");
    world.loghand(&words).stdin("plain\n").leaves_nothing();
    let message = datagram(&socket);
    assert!(message.starts_with("<139>") && message.ends_with(" web-1 app[7]: plain"), "{message}");
    world.loghand(&format!("syslog udp://127.0.0.1:{port} --pid --bom")).stdin("x\n").leaves_nothing();
    let message = datagram(&socket);
    assert!(message.starts_with("<13>1 ") && message.ends_with(" - - \u{feff}x"), "{message}");
}

#[test]
fn control_characters_become_numbers_and_long_messages_are_cut_and_counted() {
    let world = World::new();
    let (port, peer) = receiver();
    let target = format!("tcp://127.0.0.1:{port}");
    let words = format!("syslog {target} --framing octet-count --max-message 80 --append-nul --hostname h --tag t");
    let call = world.loghand(&words).stdin(format!("a\x1b[0m\n{}\n", "é".repeat(100))).code(1);
    call.says(&format!("{target}: 1 too long were cut")).leaves_nothing();
    let bytes = peer.join().unwrap();
    let (count, rest) = std::str::from_utf8(&bytes).unwrap().split_once(' ').unwrap();
    let (first, second) = rest.split_at(count.parse().unwrap());
    assert!(first.ends_with(" h t - - - a#033[0m\0"), "{first}");
    let (count, second) = second.split_once(' ').unwrap();
    assert_eq!(count.parse::<usize>().unwrap(), second.len());
    assert!(second.len() <= 80 && second.len() > 76 && second.ends_with("é\0"), "{second}");
}

#[test]
fn streams_are_framed_by_lines_or_by_tls_with_counts() {
    let world = World::new();
    let (port, peer) = receiver();
    world.loghand(&format!("syslog tcp://127.0.0.1:{port} --tag t --framing lf")).stdin("a\nb\n").leaves_nothing();
    let text = String::from_utf8(peer.join().unwrap()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.len() == 2 && lines[0].starts_with("<13>1 ") && lines[1].ends_with(" t - - - b"), "{text}");

    certificates(&world);
    let (port, peer) = tls_receiver(&world, "good", false);
    let mut syslog = world.loghand(&format!("syslog tls://localhost:{port} --ca ca.pem")).start();
    syslog.feed("a\n").until_it_leaves();
    let text = String::from_utf8(peer.join().unwrap()).unwrap();
    let (count, message) = text.split_once(' ').unwrap();
    assert_eq!(count.parse::<usize>().unwrap(), message.len());
    assert!(message.ends_with(" - - - a"));
}

#[test]
fn the_local_log_gets_its_own_form() {
    let world = World::new();
    let socket = UnixDatagram::bind(world.path("log")).unwrap();
    let target = format!("unixgram://{}", world.path("log").display());
    world.loghand("syslog --tag app").arg(target).start().feed("hello\n").until_it_leaves();
    let mut bytes = [0; 100];
    let length = socket.recv(&mut bytes).unwrap();
    let message = std::str::from_utf8(&bytes[..length]).unwrap();
    assert!(message.starts_with("<13>") && message[4..].len() == "Nov 20 22:40:21 app: hello".len(), "{message}");
    assert!(message.ends_with(" app: hello"));

    let stream = UnixListener::bind(world.path("stream")).unwrap();
    let peer = spawn(move || read(stream.accept().unwrap().0));
    let target = format!("unix://{}", world.path("stream").display());
    world.loghand("syslog --tag app").arg(target).start().feed("a\nb\n").until_it_leaves();
    let bytes = peer.join().unwrap();
    assert!(bytes.ends_with(b" app: b\0") && bytes.iter().filter(|byte| **byte == 0).count() == 2);
}

#[test]
fn stderr_gets_a_copy() {
    let world = World::new();
    let (port, socket) = udp();
    let call = world.loghand(&format!("syslog udp://127.0.0.1:{port} --stderr --tag t"));
    call.stdin("one\n").stderr("one\n").leaves_nothing();
    assert!(datagram(&socket).ends_with(" t - - - one"));
}

#[test]
fn a_daemon_that_makes_its_socket_anew_gets_the_rest() {
    let world = World::new();
    let path = world.path("log");
    let socket = UnixDatagram::bind(&path).unwrap();
    let target = format!("unixgram://{}", path.display());
    let call = world.loghand("syslog --retry-start 5ms --retry-max 10ms").arg(target);
    let mut syslog = call.stderr_has(["trying again, the lines wait", "sending again"]).start();
    let mut bytes = [0; 100];
    let mut hears = |socket: &UnixDatagram| bytes[socket.recv(&mut bytes).unwrap() - 1];
    syslog.hears("1\n");
    assert_eq!(hears(&socket), b'1');
    drop(socket);
    world.remove("log");
    syslog.hears("2\n").until_stderr_has("trying again").hears("3\n");
    let socket = UnixDatagram::bind(&path).unwrap();
    assert_eq!([hears(&socket), hears(&socket)], [b'2', b'3']);
    syslog.until_stderr_has("sending again");
    world.remove("log");
    syslog.leaves_nothing();
}

#[test]
fn without_a_log_daemon_lines_are_counted() {
    let world = World::new();
    let call = world.loghand("syslog unixgram:///nowhere/log --drain-timeout 50ms --retry-start 10ms").stdin("1\n2\n");
    let why = "No such file or directory";
    let says = format!(
        "unixgram:///nowhere/log: {why}: trying again, the lines wait\n\
         loghand: unixgram:///nowhere/log: 2 lines lost: {why}, and --drain-timeout is over"
    );
    call.code(1).says(&says).leaves_nothing();
}

#[test]
fn without_a_url_it_is_the_log_of_this_machine() {
    if ["/dev/log", "/var/run/syslog", "/var/run/log"]
        .iter()
        .any(|path| std::os::unix::net::UnixDatagram::unbound().unwrap().connect(path).is_ok())
    {
        // Nothing is written to a log that others read.
        return;
    }
    let world = World::new();
    let call = world.loghand("syslog --drain-timeout 50ms --retry-start 10ms").stdin("1\n").code(1);
    call.stderr_has(["/dev/log: No such file or directory: trying again", "1 line lost"]).leaves_nothing();
}

#[test]
fn words_that_cannot_be_meant_are_refused() {
    for (words, says) in [
        ("http://host/", "'ship' knows the web"),
        ("--facility local9", "is no facility"),
        ("--priority loud", "is no priority"),
        ("-p loud.err", "is no facility"),
        ("--structured-data [", "structured data is broken"),
        ("--rfc 822", "possible values: 3164, 5424"),
    ] {
        World::new().loghand(&format!("syslog {words}")).code(2).stderr_has([says]).leaves_nothing();
    }
}

const RSYSLOG: &str = r#"
global(workDirectory="{dir}")
module(load="imuxsock" SysSock.Use="off")
module(load="imtcp")
template(name="fields" type="string"
    string="%syslogfacility-text%.%syslogseverity-text%|%hostname%|%app-name%|%procid%|%msgid%|%msg:::drop-last-lf%\n")
input(type="imuxsock" Socket="{dir}/log" CreatePath="on")
input(type="imtcp" port="0" listenPortFileName="{dir}/port" address="127.0.0.1")
action(type="omfile" file="{dir}/received" template="fields")
"#;

#[test]
fn rsyslogd_understands_every_form() {
    let world = World::new();
    let dir = world.path("").display().to_string();
    world.put("conf", RSYSLOG.replace("{dir}", dir.trim_end_matches('/')));
    let mut rsyslogd = Command::new("rsyslogd");
    rsyslogd.args(["-n", "-f"]).arg(world.path("conf")).arg("-i").arg(world.path("pid"));
    let Some(_rsyslogd) = Daemon::start(&mut rsyslogd) else { return };
    until("rsyslogd's sockets", || {
        world.exists("log") && std::fs::read(world.path("port")).is_ok_and(|p| !p.is_empty())
    });
    let port = std::fs::read_to_string(world.path("port")).unwrap();
    let tcp = format!("tcp://127.0.0.1:{}", port.trim());
    const COUNT: usize = 5_000;
    let mut expected = 0;
    for (round, words) in [
        format!("{tcp} --rfc 5424 --framing octet-count --msgid M"),
        format!("{tcp} --rfc 5424 --msgid M"),
        format!("{tcp} --rfc 3164"),
        format!("{tcp} --rfc 3164 --framing octet-count"),
        format!("unixgram://{}", world.path("log").display()),
    ]
    .iter()
    .enumerate()
    {
        let words = format!("syslog {words} --facility local3 --tag app --pid=7 --hostname web-1");
        let lines: String = (0..COUNT).map(|n| format!("WARNING round {round} line {n}\n")).collect();
        let mut syslog = world.loghand(&words).start();
        syslog.feed(&lines).until_it_leaves();
        expected += COUNT;
        let received = || std::fs::read_to_string(world.path("received")).unwrap_or_default();
        until("what was sent", || received().lines().count() >= expected);
        let received = received();
        let got: Vec<&str> = received.lines().skip(expected - COUNT).collect();
        for (n, line) in got.iter().enumerate() {
            let fields: Vec<&str> = line.split('|').collect();
            assert_eq!(fields[0], "local3.warning", "{line}");
            assert_eq!((fields[2], fields[3]), ("app", "7"), "{line}");
            assert_eq!(fields[5].trim_start(), format!("WARNING round {round} line {n}"), "{words}");
            assert!(words.contains("unixgram") || fields[1] == "web-1", "{line}");
            assert!(!words.contains("--msgid") || fields[4] == "M", "{line}");
        }
    }
}
