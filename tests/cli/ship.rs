//! `loghand ship`: SocketHandler and DatagramHandler, to peers on loopback.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::spawn;

use crate::harness::World;
use crate::peer::{Daemon, certificates, datagram, listener, read, receiver, some_lines, tls_receiver, udp};

const SOON: &str = "--drain-timeout 200ms --retry-start 20ms";

#[test]
fn lines_arrive_over_tcp() {
    let world = World::new();
    let (port, peer) = receiver();
    // A name, and the first of its addresses may be that of IPv6, where nobody listens.
    world.loghand(&format!("ship tcp://localhost:{port}")).stdin("one\n\ntwo\r\nlast").leaves_nothing();
    assert_eq!(peer.join().unwrap(), b"one\n\ntwo\r\nlast\n");
}

#[test]
fn many_lines_and_long_ones_arrive_as_they_are() {
    let world = World::new();
    let (port, peer) = receiver();
    let mut lines: String = (0..100_000).map(|n| format!("line {n}\n")).collect();
    lines += &format!("{}\nend\n", "x".repeat(3 << 20));
    world.loghand(&format!("ship tcp://127.0.0.1:{port} --keep-alive 0")).stdin(&lines).leaves_nothing();
    assert!(peer.join().unwrap() == lines.as_bytes());
}

#[test]
fn a_unix_stream_socket_takes_lines() {
    let world = World::new();
    let socket = UnixListener::bind(world.path("log.sock")).unwrap();
    let peer = spawn(move || read(socket.accept().unwrap().0));
    let target = format!("unix://{}", world.path("log.sock").display());
    world.loghand("ship --keep-alive 5s").arg(target).stdin("one\n").start().feed("one\n").until_it_leaves();
    assert_eq!(peer.join().unwrap(), b"one\n");
}

#[test]
fn frames_are_nuls_or_lengths() {
    for (framing, bytes) in [("nul", &b"one\0two\0"[..]), ("length", b"\0\0\0\x03one\0\0\0\x03two")] {
        let world = World::new();
        let (port, peer) = receiver();
        let words = format!("ship tcp://127.0.0.1:{port} --framing {framing}");
        world.loghand(&words).stdin("one\ntwo\n").leaves_nothing();
        assert_eq!(peer.join().unwrap(), bytes);
    }
}

#[test]
fn json_has_an_object_for_each_record() {
    let world = World::new();
    let (port, peer) = receiver();
    let words = format!("ship tcp://127.0.0.1:{port} --encode json --name app");
    world.loghand(&words).stdin("[ERROR] \"disk\"\nplain\n").leaves_nothing();
    let text = String::from_utf8(peer.join().unwrap()).unwrap();
    let records: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&records[0]["level"], &records[0]["message"]), (&"ERROR".into(), &"[ERROR] \"disk\"".into()));
    assert_eq!((records[1].get("level"), &records[1]["message"]), (None, &"plain".into()));
    assert!(records[1]["time"].is_string() && records[1]["host"].is_string());
}

/// The cookbook's receiver, and DatagramHandler's, by the standard library.
const COOKBOOK: &str = "
import logging, pickle, socket, struct, sys
kind, out = sys.argv[1], open('records', 'w')
def show(data):
    r = logging.makeLogRecord(pickle.loads(data))
    out.write(f'{r.levelname}|{r.getMessage()}|{r.name}|{r.lineno}\\n')
if kind == 'tcp':
    server = socket.create_server(('127.0.0.1', 0))
    open('port.new', 'w').write(str(server.getsockname()[1]))
    import os; os.rename('port.new', 'port')
    stream = server.accept()[0].makefile('rb')
    while head := stream.read(4):
        show(stream.read(struct.unpack('>L', head)[0]))
else:
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(('127.0.0.1', 0))
    open('port.new', 'w').write(str(server.getsockname()[1]))
    import os; os.rename('port.new', 'port')
    for _ in range(2):
        show(server.recv(65536)[4:])
out.close()
os.rename('records', 'done')
";

#[test]
fn pickles_are_log_records_to_python() {
    for kind in ["tcp", "udp"] {
        let world = World::new();
        let mut python = Command::new("python3");
        let Some(_python) = Daemon::start(python.args(["-c", COOKBOOK, kind]).current_dir(world.path(""))) else {
            return;
        };
        crate::harness::until("the port", || world.exists("port"));
        let port = std::fs::read_to_string(world.path("port")).unwrap();
        let words = format!("ship {kind}://127.0.0.1:{port} --encode pickle");
        let mut ship = world.loghand(&words).start();
        ship.feed("WARNING: 100%\nb\u{e9}\n").until_it_leaves();
        world.until_holds("done", "WARNING|WARNING: 100%|root|0\nNOTSET|b\u{e9}|root|0\n");
    }
}

#[test]
fn nothing_is_missing_when_the_peer_has_closed_an_idle_connection() {
    let world = World::new();
    let (port, listener) = listener();
    let mut ship = world.loghand(&format!("ship tcp://127.0.0.1:{port}")).start();
    for n in 0..20 {
        ship.hears(format!("{n}\n"));
        let (stream, _) = listener.accept().unwrap();
        assert_eq!(some_lines(&stream, 1), [n.to_string()]);
        // Closed here, before the next line.
    }
    ship.leaves_nothing();
}

#[test]
fn a_receiver_that_stops_and_starts_gets_whole_lines_in_order_and_misses_a_bounded_number() {
    const STOPS: usize = 50;
    let world = World::new();
    let (port, listener) = listener();
    let words = format!("ship tcp://127.0.0.1:{port} --retry-start 5ms --retry-max 10ms");
    let mut ship = world.loghand(&words).start();
    let mut stdin = ship.take_stdin();
    let stops = Arc::new(AtomicUsize::new(0));
    let so_far = Arc::clone(&stops);
    // The last thousand comes when nothing stops any more.
    let producer = spawn(move || {
        for thousand in 0.. {
            let over = so_far.load(Ordering::Relaxed) > STOPS;
            let lines: String = (0..1000).map(|n| format!("line {:09} is whole\n", thousand * 1000 + n)).collect();
            std::io::Write::write_all(&mut stdin, lines.as_bytes()).unwrap();
            if over {
                return thousand * 1000 + 999;
            }
        }
        0
    });
    let (mut last, mut seen) = (None, 0);
    for stop in 0..=STOPS {
        let (stream, _) = listener.accept().unwrap();
        stops.store(stop + 1, Ordering::Relaxed);
        for line in some_lines(&stream, if stop < STOPS { 1 + stop * 37 % 1000 } else { usize::MAX }) {
            let number = line.strip_prefix("line ").and_then(|rest| rest.strip_suffix(" is whole"));
            let number: usize = number.unwrap_or_else(|| panic!("torn: {line:?}")).parse().unwrap();
            assert!(last.is_none_or(|last| last < number), "{number} behind {last:?}");
            (last, seen) = (Some(number), seen + 1);
        }
    }
    ship.leaves_nothing();
    let sent = producer.join().unwrap();
    assert_eq!(last, Some(sent));
    // A dead connection takes as much as its two socket buffers hold, about 6 MiB on loopback.
    assert!(sent - seen < STOPS * (6 << 20) / 24, "{seen} of {sent}");
}

#[test]
fn lines_wait_for_a_peer_that_comes_later() {
    let world = World::new();
    let (port, listener) = listener();
    drop(listener);
    let words = format!("ship tcp://127.0.0.1:{port} --retry-start 10ms --retry-factor 1.5 --retry-max 50ms");
    let says = format!(
        "tcp://127.0.0.1:{port}: Connection refused: trying again, the lines wait\n\
         loghand: tcp://127.0.0.1:{port}: sending again"
    );
    let mut ship = world.loghand(&words).says(&says).start();
    ship.hears("one\n").until_stderr_has("trying again").hears("two\n");
    let peer = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let peer = spawn(move || read(peer.accept().unwrap().0));
    ship.until_stderr_has("sending again").leaves_nothing();
    assert_eq!(peer.join().unwrap(), b"one\ntwo\n");
}

#[test]
fn what_is_left_when_the_drain_timeout_is_over_is_counted() {
    let world = World::new();
    let (port, closed) = listener();
    drop(closed);
    // No name server is asked for a name that cannot be one: a label has 63 characters at most.
    let nobody = "a".repeat(64);
    let unknown = format!("{nobody}: failed to lookup address information: Name or service not known");
    for (target, why) in [
        (format!("tcp://127.0.0.1:{port}"), "Connection refused"),
        (format!("udp://127.0.0.1:{port}"), "Connection refused"),
        ("unix:///nowhere.sock".to_owned(), "No such file or directory"),
        ("unixgram:///nowhere.sock".to_owned(), "No such file or directory"),
        (format!("tcp://{nobody}:9020"), &unknown),
    ] {
        let says = format!(
            "{target}: {why}: trying again, the lines wait\n\
             loghand: {target}: 3 lines lost: {why}, and --drain-timeout is over"
        );
        let call = world.loghand(&format!("ship {target} {SOON}"));
        call.stdin("1\n2\n3\n").code(1).says(&says).leaves_nothing();
    }
}

#[test]
fn lines_are_given_up_when_that_is_asked_for() {
    let world = World::new();
    let (port, closed) = listener();
    drop(closed);
    let words = format!("ship tcp://127.0.0.1:{port} --give-up-after 50ms {SOON}");
    let mut ship =
        world.loghand(&words).code(1).stderr_has(["1 line lost: Connection refused, and --give-up-after"]).start();
    ship.hears("1\n").until_stderr_has("1 line lost");
    ship.leaves_nothing();
}

#[test]
fn a_peer_that_takes_nothing_is_left_after_the_timeout() {
    let world = World::new();
    let socket = UnixListener::bind(world.path("log.sock")).unwrap();
    let target = format!("unix://{}", world.path("log.sock").display());
    let call = world.loghand(&format!("ship --timeout 50ms {SOON}")).arg(target).code(1);
    let call = call.stderr_has(["lines lost: the peer takes nothing (--timeout), and --drain-timeout is over"]);
    let mut ship = call.start();
    ship.feed("x\n".repeat(1 << 20)).until_it_leaves();
    drop(socket);
    world.remove("log.sock");
    ship.leaves_nothing();
}

#[test]
fn a_datagram_holds_one_record() {
    let world = World::new();
    let (port, socket) = udp();
    world
        .loghand(&format!("ship udp://127.0.0.1:{port} --ttl 3 --interface 127.0.0.1"))
        .stdin("a\n\nb")
        .leaves_nothing();
    assert_eq!([datagram(&socket), datagram(&socket), datagram(&socket)], ["a", "", "b"]);
    let socket = UnixDatagram::bind(world.path("log.sock")).unwrap();
    let target = format!("unixgram://{}", world.path("log.sock").display());
    world.loghand("ship").arg(target).start().feed("a\nb\n").until_it_leaves();
    let mut bytes = [0; 9];
    assert_eq!([socket.recv(&mut bytes).unwrap(), bytes[0].into()], [1, b'a'.into()]);
    assert_eq!([socket.recv(&mut bytes).unwrap(), bytes[0].into()], [1, b'b'.into()]);
}

#[test]
fn groups_and_whole_networks_take_datagrams() {
    let world = World::new();
    let group = Ipv4Addr::new(239, 255, 77, 1);
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    let port = socket.local_addr().unwrap().port();
    socket.join_multicast_v4(&group, &Ipv4Addr::LOCALHOST).unwrap();
    for interface in ["127.0.0.1", "lo"] {
        let words = format!("ship udp://{group}:{port} --ttl 0 --interface {interface}");
        world.loghand(&words).stdin("to the group\n").leaves_nothing();
        assert_eq!(datagram(&socket), "to the group");
    }
    world.loghand(&format!("ship udp://127.255.255.255:{port}")).stdin("to all\n").leaves_nothing();
    assert_eq!(datagram(&socket), "to all");
}

#[test]
fn udp_waits_for_somebody_who_listens() {
    let world = World::new();
    let (port, socket) = udp();
    drop(socket);
    let call = world.loghand(&format!("ship udp://127.0.0.1:{port} --retry-start 10ms --retry-max 20ms"));
    let mut ship = call.stderr_has(["Connection refused: trying again", "sending again"]).start();
    ship.hears("one\n").until_stderr_has("trying again").hears("two\n");
    let socket = UdpSocket::bind(("127.0.0.1", port)).unwrap();
    assert_eq!([datagram(&socket), datagram(&socket)], ["one", "two"]);
    ship.until_stderr_has("sending again").leaves_nothing();
}

#[test]
fn what_is_too_long_for_a_datagram_is_cut_split_or_dropped_and_counted() {
    let long = "é".repeat(40_000);
    for (flag, says, code, lengths) in [
        ("--oversize truncate", "1 too long were cut", 1, &[65_506, 3][..]),
        ("--oversize split", "1 too long for a datagram were split", 0, &[65_506, 14_494, 3]),
        ("", "1 too long for a datagram were split", 0, &[65_506, 14_494, 3]),
        ("--oversize drop", "1 line lost: too long for a datagram of 65507 bytes (--oversize)", 1, &[3]),
    ] {
        let world = World::new();
        let (port, socket) = udp();
        let target = format!("udp://127.0.0.1:{port}");
        let call = world.loghand(&format!("ship {target} {flag}")).stdin(format!("{long}\nend\n"));
        call.code(code).says(&format!("{target}: {says}")).leaves_nothing();
        for length in lengths {
            let text = datagram(&socket);
            assert_eq!(text.len(), *length, "{flag}");
            assert!(!text.contains('\u{fffd}'));
        }
    }
}

#[test]
fn tls_trusts_its_authority_and_proves_who_we_are() {
    let world = World::new();
    certificates(&world);
    for (name, client, flags) in [
        ("good", false, "--ca ca.pem"),
        ("elsewhere", false, "--ca ca.pem --server-name example.org"),
        ("good", true, "--ca ca.pem --cert us.pem --key us.key"),
    ] {
        let (port, peer) = tls_receiver(&world, name, client);
        let lines: String = (0..20_000).map(|n| format!("line {n}\n")).collect();
        let mut ship = world.loghand(&format!("ship tls://localhost:{port} {flags}")).start();
        ship.feed(&lines).until_it_leaves();
        assert!(peer.join().unwrap() == lines.as_bytes(), "{flags}");
    }
}

#[test]
fn tls_refuses_who_is_not_the_peer_and_says_why() {
    let world = World::new();
    certificates(&world);
    for (name, flags, why) in [
        ("good", "--ca other.pem", "invalid peer certificate: "),
        ("expired", "--ca ca.pem", "invalid peer certificate: certificate expired"),
        ("elsewhere", "--ca ca.pem", "certificate not valid for name \"localhost\""),
        ("good", "", "invalid peer certificate: UnknownIssuer"),
    ] {
        let (port, _peer) = tls_receiver(&world, name, false);
        let call = world.loghand(&format!("ship tls://localhost:{port} {SOON} {flags}")).code(1);
        let mut ship = call.stderr_has([why, "1 line lost"]).start();
        ship.feed("secret\n").until_it_leaves();
        let kept = ["ca.pem", "other.pem", "good.pem", "good.key", "elsewhere.pem", "elsewhere.key"];
        let kept = kept.into_iter().chain(["expired.pem", "expired.key", "us.pem", "us.key"]);
        ship.leaves(kept.map(|name| (name, std::fs::read(world.path(name)).unwrap())));
    }
}

#[test]
fn insecure_says_so_each_time() {
    let world = World::new();
    certificates(&world);
    let (port, peer) = tls_receiver(&world, "expired", false);
    let call = world.loghand(&format!("ship tls://127.0.0.1:{port} --insecure"));
    let mut ship = call.start();
    ship.feed("one\n").until_it_leaves();
    assert!(ship.has_said("--insecure: whoever answers is taken for the peer"));
    assert_eq!(peer.join().unwrap(), b"one\n");
}

#[test]
fn a_certificate_that_cannot_be_read_is_said_before_any_input_is_read() {
    let world = World::new();
    let call = world.loghand("ship tls://localhost --ca missing.pem").code(1);
    call.stderr_has(["missing.pem: cannot be read"]).leaves_nothing();
}

#[test]
fn words_that_cannot_be_meant_are_refused() {
    for (words, says) in [
        ("gopher://host", "is no scheme known here: one of tcp, tls, udp"),
        ("localhost:9020", "is no URL"),
        ("tcp://host:0", "'0' is no port"),
        ("tcp://:9020", "the host is missing"),
        ("http://me:secret@host/", "do not belong into a URL"),
        ("tcp://host --encode pickle --framing lines", "--framing length alone"),
        ("tcp://host --retry-factor 0.5", "a number from 1 up"),
        ("tcp://host --timeout 0", "more than nothing"),
        ("tls://host --cert a.pem", "--key"),
    ] {
        World::new().loghand(&format!("ship {words}")).code(2).stderr_has([says]).leaves_nothing();
    }
}

#[test]
fn an_outlet_sends_what_its_level_passes() {
    let world = World::new();
    let (port, peer) = receiver();
    let call = world.loghand(&format!("tee -- ship tcp://127.0.0.1:{port} --level error"));
    call.stdin("INFO a\nERROR b\n").stdout("INFO a\nERROR b\n").leaves_nothing();
    assert_eq!(peer.join().unwrap(), b"ERROR b\n");
}
