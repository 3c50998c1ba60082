//! `loghand ship http://…` beside a server that is told what to do: answers of every kind, resets, silence, restarts.

use std::io::Read;
use std::sync::mpsc;
use std::time::Duration;

use flate2::read::GzDecoder;
use rustix::process::Signal;

use crate::harness::{Call, World};
use crate::http_server::{OK, Reply, Server};

/// A call that tries again at once.
fn ship<'w>(world: &'w World, server: &Server, words: &str) -> Call<'w> {
    world.loghand(&format!("ship {} --retry-start 1ms --retry-max 1ms {words}", server.url()))
}

fn numbers(count: usize) -> String {
    (1..=count).map(|number| format!("line {number}\n")).collect()
}

/// What is said when a request failed and then one did not.
fn trouble(server: &Server, why: &str) -> String {
    let url = server.url();
    format!("loghand: {url}: {why}: trying again, the lines wait\nloghand: {url}: sending again\n")
}

#[test]
fn lines_are_sent_in_batches_as_they_are() {
    let (world, server) = (World::new(), Server::start(|_, _| OK));
    ship(&world, &server, "--batch-lines 2").stdin(b"1\n\n\xff\r\nlast").leaves_nothing();
    let requests = server.requests();
    let bodies: Vec<&[u8]> = requests.iter().map(|request| &*request.body).collect();
    assert_eq!(bodies, [&b"1\n\n"[..], b"\xff\r\nlast\n"]);
    assert_eq!((&*requests[0].line, requests[0].header("content-type")), ("POST /in", "text/plain"));
}

#[test]
fn batches_are_bounded_in_bytes_and_a_longer_line_goes_alone_or_is_cut_where_memory_ends() {
    let (world, server) = (World::new(), Server::start(|_, _| OK));
    ship(&world, &server, "--batch-bytes 10").stdin("123\n456\n789\nlonger than ten\n0\n").leaves_nothing();
    let texts: Vec<String> = server.requests().iter().map(|request| request.text()).collect();
    assert_eq!(texts, ["123\n456\n", "789\n", "longer than ten\n", "0\n"]);

    let server = Server::start(|_, _| OK);
    let line = "x".repeat(5 << 20);
    ship(&world, &server, "").stdin(format!("{line}\nnext\n")).leaves_nothing();
    assert!(server.requests().iter().all(|request| request.body.len() <= 3 << 20));
    assert_eq!(server.taken().replace('\n', ""), format!("{line}next"));
}

#[test]
fn a_batch_waits_no_longer_than_it_may() {
    let (world, server) = (World::new(), Server::start(|_, _| OK));
    let mut ship = ship(&world, &server, "--batch-wait 1ms").start();
    ship.hears("one\n");
    server.until_requests(1);
    ship.hears("two\n");
    server.until_requests(2);
    ship.leaves_nothing();
    assert_eq!(server.taken(), "one\ntwo\n");
}

#[test]
fn json_has_the_keys_that_were_asked_for() {
    let (world, server) = (World::new(), Server::start(|_, _| OK));
    let words = "--fields level,name,message --name app --default-level debug";
    for body in ["ndjson", "json"] {
        ship(&world, &server, &format!("--body {body} {words}")).stdin("ERROR one\ntwo\n").leaves_nothing();
    }
    let one = r#"{"level":"ERROR","name":"app","message":"ERROR one"}"#;
    let two = r#"{"level":"DEBUG","name":"app","message":"two"}"#;
    let found: Vec<_> = server.requests().iter().map(|r| (r.header("content-type").to_owned(), r.text())).collect();
    let lines = ("application/x-ndjson".to_owned(), format!("{one}\n{two}\n"));
    assert_eq!(found, [lines, ("application/json".to_owned(), format!("[{one},{two}]"))]);

    ship(&world, &server, "--body ndjson").stdin("one\n").leaves_nothing();
    let object: serde_json::Value = serde_json::from_slice(&server.requests()[2].body).unwrap();
    let keys: Vec<&String> = object.as_object().unwrap().keys().collect();
    for key in ["time", "level", "message", "host", "pid"] {
        assert!(keys.iter().any(|found| *found == key), "{key} in {keys:?}");
    }
}

#[test]
fn a_form_is_one_record_in_the_body_or_in_the_query() {
    let (world, server) = (World::new(), Server::start(|_, _| OK));
    let fields = "--fields levelname,msg";
    ship(&world, &server, &format!("--body form {fields}")).stdin("ERROR a&b\nü\n").leaves_nothing();
    ship(&world, &server, &format!("--method GET {fields}")).stdin("x y\n").leaves_nothing();
    ship(&world, &server, &format!("--method put --body form {fields}")).stdin("z\n").leaves_nothing();
    let found: Vec<_> = server.requests().iter().map(|request| (request.line.clone(), request.text())).collect();
    let expected = [
        ("POST /in", "levelname=ERROR&msg=ERROR+a%26b"),
        ("POST /in", "levelname=INFO&msg=%C3%BC"),
        ("GET /in?levelname=INFO&msg=x+y", ""),
        ("PUT /in", "levelname=INFO&msg=z"),
    ];
    assert_eq!(found, expected.map(|(line, body)| (line.to_owned(), body.to_owned())));
    assert_eq!(server.requests()[0].header("content-type"), "application/x-www-form-urlencoded");
}

#[test]
fn gzip_and_headers_of_ones_own_are_sent() {
    let (world, server) = (World::new(), Server::start(|_, _| OK));
    let call = ship(&world, &server, "--gzip --header X-Source:web-1 --header").arg("Content-Type: text/log");
    call.stdin(numbers(500)).leaves_nothing();
    let [request] = &server.requests()[..] else { panic!("one request") };
    let headers = ["content-encoding", "x-source", "content-type"].map(|name| request.header(name));
    assert_eq!(headers, ["gzip", "web-1", "text/log"]);
    let mut text = String::new();
    GzDecoder::new(&*request.body).read_to_string(&mut text).unwrap();
    assert!(text == numbers(500) && request.body.len() < text.len());
}

#[test]
fn credentials_come_from_a_file_or_the_environment_and_are_never_said() {
    let (world, server) = (World::new(), Server::start(|_, _| Reply::Answer(401, "", "who are you?")));
    world.put("password", "se:cret\n");
    let lost = "1 line lost: 401 Unauthorized: who are you? (--dead-letter FILE would keep them)";
    let said = format!("{}: {lost}", server.url());
    let call = ship(&world, &server, "--user me --password-file password").code(1).says(&said);
    call.stdin("1\n").leaves([("password", "se:cret\n")]);
    world.remove("password");
    let call = ship(&world, &server, "--user me").env("LOGHAND_PASSWORD", "pass").env("LOGHAND_TOKEN", "unused");
    call.code(1).says(&said).stdin("2\n").leaves_nothing();
    let call = ship(&world, &server, "").env("LOGHAND_TOKEN", "t0k-en").code(1).says(&said);
    call.stdin("3\n").leaves_nothing();
    let found: Vec<String> = server.requests().iter().map(|r| r.header("authorization").to_owned()).collect();
    assert_eq!(found, ["Basic bWU6c2U6Y3JldA==", "Basic bWU6cGFzcw==", "Bearer t0k-en"]);
}

#[test]
fn whatever_the_server_does_every_line_is_taken_once_and_in_order() {
    let world = World::new();
    let server = Server::start(|number, _| match number % 9 {
        0 => Reply::Answer(500, "", ""),
        1 => Reply::Answer(429, "Retry-After: 0\r\n", ""),
        2 => Reply::ResetInBody,
        3 => Reply::Close,
        4 => OK,
        5 => Reply::ResetInAnswer,
        6 => Reply::Answer(503, "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "busy"),
        7 => Reply::Answer(408, "", ""),
        _ => Reply::Answer(204, "", ""),
    });
    let lines = numbers(3000);
    let call = ship(&world, &server, "--batch-lines 10 --queue-size 1K").stdin(&lines);
    call.stderr_has(["trying again, the lines wait", "sending again"]).leaves_nothing();
    assert_eq!(server.taken(), lines);
}

#[test]
fn retry_after_is_honoured_before_the_back_off() {
    for after in ["Retry-After: 0\r\n", "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n"] {
        let world = World::new();
        let server = Server::start(move |number, _| if number == 0 { Reply::Answer(429, after, "") } else { OK });
        let call = world.loghand(&format!("ship {} --retry-start 1h --retry-max 2h", server.url()));
        call.stderr(trouble(&server, "429 Too Many Requests")).stdin("1\n").leaves_nothing();
        assert_eq!(server.taken(), "1\n");
    }
}

#[test]
fn an_answer_that_does_not_come_is_waited_for_no_longer_than_told() {
    let world = World::new();
    let server = Server::start(|number, _| if number == 0 { Reply::Silence } else { OK });
    let call = ship(&world, &server, "--timeout 300ms").stderr(trouble(&server, "no answer within 300ms"));
    call.stdin("1\n").leaves_nothing();
    assert_eq!((server.requests().len(), server.taken().as_str()), (2, "1\n"));
}

#[test]
fn nothing_is_missing_when_the_server_is_stopped_and_started_again() {
    let world = World::new();
    let mut first = Server::start(|_, _| OK);
    let mut ship = ship(&world, &first, "--batch-lines 7 --batch-wait 1ms").stderr_has(["sending again"]).start();
    ship.hears(numbers(100));
    first.until_requests(1);
    first.stop();
    let taken = first.taken();
    let second = numbers(200).split_off(numbers(100).len());
    ship.hears(&second).until_stderr_has("trying again, the lines wait");
    let again = first.start_again(|_, _| OK);
    ship.leaves_nothing();
    // What the first took without its answer being heard comes again.
    let all = numbers(200);
    let rest = again.taken();
    assert!(all.starts_with(&taken) && all.ends_with(&rest) && taken.len() + rest.len() >= all.len());
}

#[test]
fn a_batch_too_large_is_split_and_a_record_too_large_is_set_aside() {
    let world = World::new();
    let server = Server::start(|_, request| match request.header("content-length").parse::<usize>() {
        Ok(0..=20) => OK,
        _ => Reply::Answer(413, "", ""),
    });
    let long = "a line of more than twenty bytes\n";
    let said = format!("{}: 413 Payload Too Large: 1 line set aside in dead.log", server.url());
    let call = ship(&world, &server, "--dead-letter dead.log").says(&said);
    call.stdin(format!("{}{long}{}", numbers(5), numbers(9))).leaves([("dead.log", long)]);
    assert_eq!(server.taken(), format!("{}{}", numbers(5), numbers(9)));
}

#[test]
fn what_the_server_refuses_is_set_aside_or_counted() {
    let world = World::new();
    let refuse_second = |number, _: &_| match number {
        1 => Reply::Answer(400, "", "field 'x' is missing\n"),
        _ => OK,
    };
    let server = Server::start(refuse_second);
    let said = format!("{}: 400 Bad Request: field 'x' is missing: 2 lines set aside in dead.log", server.url());
    let call = ship(&world, &server, "--batch-lines 2 --dead-letter dead.log").says(&said);
    call.stdin(numbers(6)).leaves([("dead.log", "line 3\nline 4\n")]);
    assert_eq!(server.taken(), "line 1\nline 2\nline 5\nline 6\n");
    world.remove("dead.log");

    let server = Server::start(refuse_second);
    let why = "400 Bad Request: field 'x' is missing (--dead-letter FILE would keep them)";
    let said = format!("{}: 2 lines lost: {why}", server.url());
    ship(&world, &server, "--batch-lines 2").code(1).says(&said).stdin(numbers(6)).leaves_nothing();
}

#[test]
fn redirects_are_not_followed() {
    let world = World::new();
    let elsewhere = Server::start(|_, _| OK);
    let location: &'static str = format!("Location: {}\r\n", elsewhere.url()).leak();
    let server = Server::start(move |_, _| Reply::Answer(307, location, ""));
    let why = format!("307 Temporary Redirect to {}: redirects are not followed", elsewhere.url());
    let said = format!("{}: 1 line lost: {why} (--dead-letter FILE would keep them)", server.url());
    ship(&world, &server, "").env("LOGHAND_TOKEN", "t").code(1).says(&said).stdin("1\n").leaves_nothing();
    assert!(elsewhere.requests().is_empty());
}

#[test]
fn the_end_and_term_wait_for_the_drain_timeout_and_count_what_is_left() {
    let world = World::new();
    let server = Server::start(|_, _| Reply::Answer(503, "", "maintenance"));
    let url = server.url();
    let said = format!(
        "loghand: {url}: 503 Service Unavailable: maintenance: trying again, the lines wait\n\
         loghand: {url}: 3 lines lost: 503 Service Unavailable: maintenance, and --drain-timeout is over\n"
    );
    for behind_queue in ["", "--queue-size 1M"] {
        let words = format!("--drain-timeout 200ms {behind_queue}");
        ship(&world, &server, &words).code(1).stderr(&said).stdin("1\n2\n3\n").leaves_nothing();
        let words = format!("{words} --batch-wait 0");
        let mut ship = ship(&world, &server, &words).code(1).stderr(&said).start();
        ship.hears("1\n2\n3\n").until_stderr_has("trying again").signal(Signal::TERM).until_it_leaves();
        ship.leaves_nothing();
    }
}

#[test]
fn a_slow_server_that_takes_lines_is_waited_for_beyond_the_drain_timeout() {
    let world = World::new();
    // Ten answers of a tenth of a second each.
    let server = Server::start(|_, _| Reply::Slow(Duration::from_millis(100)));
    let call = ship(&world, &server, "--batch-lines 1 --drain-timeout 500ms");
    call.stdin(numbers(10)).leaves_nothing();
    assert_eq!(server.taken(), numbers(10));
}

#[test]
fn what_cannot_be_delivered_for_long_is_set_aside_when_told_so() {
    let world = World::new();
    let server = Server::start(|_, request| match request.header("content-length") {
        "4" => Reply::Answer(500, "", ""),
        _ => OK,
    });
    let stderr = ["--give-up-after is over: 1 line set aside in dead.log"];
    let call = ship(&world, &server, "--batch-lines 1 --give-up-after 100ms --dead-letter dead.log");
    call.stderr_has(stderr).stdin("1\nbad\n2\n").leaves([("dead.log", "bad\n")]);
    assert_eq!(server.taken(), "1\n2\n");
}

#[test]
fn several_requests_are_under_way_at_once_when_told_so() {
    let world = World::new();
    let server = Server::start(|number, _| if number == 0 { Reply::Silence } else { OK });
    // One request gets no answer, and the others do not wait for it.
    let mut ship = ship(&world, &server, "--batch-lines 1 --concurrency 2 --timeout 3s");
    ship = ship.stderr(trouble(&server, "no answer within 3s"));
    let mut ship = ship.start();
    ship.hears(numbers(100));
    server.until_requests(99);
    ship.leaves_nothing();
    let requests = server.requests();
    // One by one, the next would have been the same again.
    assert_ne!(requests[0].body, requests[1].body);
    let mut taken: Vec<String> = requests.iter().filter(|r| r.taken).map(|request| request.text()).collect();
    taken.sort_unstable();
    let mut all: Vec<String> = numbers(100).lines().map(|line| format!("{line}\n")).collect();
    all.sort_unstable();
    assert_eq!(taken, all);
}

#[test]
fn a_checkpoint_goes_on_only_behind_what_the_server_took() {
    let world = World::new();
    world.put("app.log", numbers(4));
    let refusing = Server::start(|_, _| Reply::Answer(400, "", ""));
    let words = "--input app.log --checkpoint state";
    ship(&world, &refusing, words).code(1).stderr_has(["4 lines lost: 400"]).start().until_it_leaves();
    let server = Server::start(|_, _| OK);
    ship(&world, &server, words).start().until_it_leaves();
    assert_eq!(server.taken(), numbers(4));
    world.append("app.log", "line 5\n");
    ship(&world, &server, words).start().until_it_leaves();
    assert_eq!(server.taken(), numbers(5));
}

#[test]
fn the_proxy_of_the_environment_is_used() {
    let (world, proxy) = (World::new(), Server::start(|_, _| OK));
    let address = proxy.url().replace("/in", "");
    let call = world.loghand("ship http://logs.invalid/in").env("http_proxy", &address);
    call.stdin("1\n").leaves_nothing();
    assert_eq!(proxy.requests()[0].line, "POST http://logs.invalid:9022/in");
    let server = Server::start(|_, _| OK);
    let call = ship(&world, &server, "").env("http_proxy", &address).env("no_proxy", "127.0.0.1");
    call.stdin("2\n").leaves_nothing();
    assert_eq!((server.requests().len(), proxy.requests().len()), (1, 1));
}

#[test]
fn while_the_server_is_busy_the_next_batch_grows() {
    let world = World::new();
    let (go, gone) = mpsc::channel::<()>();
    let server = Server::start(move |number, _| {
        if number == 0 {
            gone.recv().unwrap();
        }
        OK
    });
    let mut ship = ship(&world, &server, "--batch-wait 0 --queue-size 1M").start();
    for line in numbers(200).lines() {
        ship.hears(format!("{line}\n"));
    }
    go.send(()).unwrap();
    ship.leaves_nothing();
    assert_eq!(server.taken(), numbers(200));
}

#[test]
fn words_that_cannot_be_meant_are_refused() {
    let world = World::new();
    for (words, says) in [
        ("ship tcp://127.0.0.1:9 --gzip", "--gzip"),
        ("ship tcp://127.0.0.1:9 --dead-letter x", "--dead-letter"),
        ("ship http://me:pass@127.0.0.1:9/", "password"),
        ("ship http://127.0.0.1:9/ --method GET --body json", "--body form alone"),
        ("ship http://127.0.0.1:9/ --method GET --gzip", "no body"),
        ("ship http://127.0.0.1:9/ --body form --batch-wait 1s", "no batches"),
        ("ship http://127.0.0.1:9/ --encode json", "it is --body"),
        ("ship http://127.0.0.1:9/ --framing nul", "it is --body"),
        ("ship http://127.0.0.1:9/ --oversize drop", "for datagrams"),
        ("ship http://127.0.0.1:9/ --ttl 3", "for datagrams"),
        ("ship http://127.0.0.1:9/ --interface lo", "for datagrams"),
        ("ship http://127.0.0.1:9/ --fields level", "lines have none"),
        ("ship http://127.0.0.1:9/ --body json --fields lvl", "there is no key 'lvl'"),
        ("ship http://127.0.0.1:9/ --body form --fields lvl", "there is no field 'lvl'"),
        ("ship http://127.0.0.1:9/ --user me", "LOGHAND_PASSWORD"),
        ("ship http://127.0.0.1:9/ --header Authorization:x", "--user"),
        ("ship http://127.0.0.1:9/ --header nonsense", "is no header"),
        ("ship http://127.0.0.1:9/ --concurrency 0", "from 1 up"),
    ] {
        world.loghand(words).code(2).stderr_has([says, "loghand: "]).leaves_nothing();
    }
}
