//! Lines as programs really write them, with the level that a reader sees in them.

use proptest::prelude::*;

use super::{Level, recognise};

const T: Level = Level::TRACE;
const D: Level = Level::DEBUG;
const I: Level = Level::INFO;
const N: Level = Level::NOTICE;
const W: Level = Level::WARNING;
const E: Level = Level::ERROR;
const C: Level = Level::CRITICAL;

const WITH_A_LEVEL: &[(&str, Level)] = &[
    // brackets
    ("[ERROR] could not open the door", E),
    ("[error] could not open the door", E),
    ("[WARNING] deprecated", W),
    ("<warn> something odd", W),
    ("(WW) warning, (EE) error", W),
    ("[    12.345] (EE) Failed to load module", E),
    ("|ERROR|a|b", E),
    ("[ info] [engine] started", I),
    // the first word
    ("ERROR cannot connect", E),
    ("WARN  retrying", W),
    ("CRITICAL disk on fire", C),
    ("DEBUG x=1", D),
    ("INFO:     127.0.0.1:52100 - \"GET / HTTP/1.1\" 200 OK", I),
    ("INFO:     Started server process [123]", I),
    ("ERROR:root:msg", E),
    ("CRITICAL:my.logger:gone", C),
    ("WARNING:py.warnings:/x.py:1: UserWarning", W),
    ("SEVERE: could not start", E),
    ("FINE: entering", D),
    ("FINEST: entering", T),
    ("CONFIG: read", D),
    ("NOTICE: hello", N),
    (" INFO target: right-aligned by tracing", I),
    ("INFO [11-20|12:00:00.123] Imported new chain segment", I),
    ("INFO  [main] 2026-11-20 12:00:00,123 CassandraDaemon.java:1 - up", I),
    ("ERROR 2026-11-20 12:00:00,123 views 123 456 msg", E),
    ("ERRO[0012] logrus on a terminal", E),
    ("DEBU[0000] logrus on a terminal", D),
    // Python
    ("2026-11-20 12:00:00,123 - name - ERROR - msg", E),
    ("2026-11-20 12:00:00,123 - my.app.name - WARNING - msg", W),
    ("2026-11-20 12:00:00,123 - name - error - msg", E),
    ("2026-11-20 12:00:00,123:ERROR:root:msg", E),
    ("name - CRITICAL - msg", C),
    ("root:ERROR:msg", E),
    ("2026-11-20 12:00:00,123 DEBUG msg", D),
    ("2026-11-20 12:00:00.123 | ERROR    | __main__:<module>:1 - loguru", E),
    ("[2026-11-20 12:00:00,123: ERROR/MainProcess] celery", E),
    ("[2026-11-20 12:00:00 +0000] [123] [INFO] Starting gunicorn", I),
    ("[2026-11-20, 12:00:00 UTC] {taskinstance.py:123} WARNING - airflow", W),
    ("[W 261120 12:00:00 web:123] 404 GET /x", W),
    ("[I 2026-11-20 12:00:00.123 ServerApp] jupyter", I),
    ("2026-11-20 12:00:00 [scrapy.core.engine] INFO: Spider opened", I),
    ("2026-11-20 12:00:00.123 123 ERROR nova.compute [req-1] msg", E),
    ("Traceback (most recent call last):", E),
    // Java
    ("2026-11-20 12:00:00,123 ERROR [main] com.foo - msg", E),
    ("12:00:00.123 [main] WARN com.foo.Bar - msg", W),
    ("0 [main] DEBUG com.foo - TTCC", D),
    ("2026-11-20T12:00:00.123Z  INFO 123 --- [main] c.e.App : Started", I),
    ("20-Nov-2026 12:00:00.123 SEVERE [main] org.apache.catalina x", E),
    ("20-Nov-2026 12:00:00.123 FINE [main] org.apache.catalina x", D),
    ("[2026-11-20T12:00:00,123][WARN ][o.e.n.Node] [node] msg", W),
    ("26/11/20 12:00:00 INFO SparkContext: Running", I),
    ("<Nov 20, 2026 12:00:00 PM UTC> <Error> <Server> <msg>", E),
    ("2026-11-20 12:00:00,123 [myid:1] - INFO  [main:QuorumPeer@1] - msg", I),
    ("2026-11-20 12:00:00,123 main ERROR Unable to locate appender", E),
    ("Exception in thread \"main\" java.lang.NullPointerException", E),
    ("[12:00:00] [Server thread/WARN]: Can't keep up!", W),
    ("[ERROR] Failed to execute goal", E),
    // .NET
    ("fail: Microsoft.Hosting[0]", E),
    ("crit: App[0]", C),
    ("warn: App[0]", W),
    ("info: Microsoft.Hosting.Lifetime[14]", I),
    ("dbug: App[0]", D),
    ("trce: App[0]", T),
    ("[12:00:00 ERR] serilog", E),
    ("2026-11-20 12:00:00.123 +00:00 [WRN] serilog", W),
    // web servers and databases
    ("2026/11/20 12:00:00 [error] 123#0: *1 open() failed", E),
    ("2026/11/20 12:00:00 [notice] 1#1: nginx/1.25", N),
    ("2026/11/20 12:00:00 [alert] 1#1: worker died", C),
    ("[Fri Nov 20 12:00:00.123456 2026] [core:error] [pid 1] msg", E),
    ("[Fri Nov 20 12:00:00.123456 2026] [ssl:warn] [pid 1:tid 2] msg", W),
    ("[Fri Nov 20 12:00:00.123456 2026] [proxy:trace3] [pid 1] msg", T),
    ("[Fri Nov 20 12:00:00 2026] [:error] [pid 1] msg", E),
    ("2026-11-20 12:00:00 UTC [123] ERROR:  relation does not exist", E),
    ("2026-11-20 12:00:00.123 UTC [123] LOG:  database system is ready", I),
    ("2026-11-20 12:00:00.123 CET [123] FATAL:  role does not exist", C),
    ("2026-11-20 12:00:00.123 UTC [123] postgres@mydb PANIC:  x", C),
    ("2026-11-20 12:00:00.123 UTC [123-1] user@db DEBUG:  x", D),
    ("2026-11-20T12:00:00.123456Z 0 [Warning] [MY-010068] [Server] CA", W),
    ("2026-11-20T12:00:00.123456Z 0 [ERROR] [MY-010119] [Server] Aborting", E),
    ("2026-11-20 12:00:00 0 [Note] mariadbd: ready for connections", I),
    ("123:M 20 Nov 2026 12:00:00.123 # WARNING overcommit", W),
    ("123:M 20 Nov 2026 12:00:00.123 * Ready to accept connections", N),
    ("123:S 20 Nov 2026 12:00:00.123 - 1 clients connected", D),
    ("123:X 20 Nov 2026 12:00:00.123 . detail", D),
    ("2026-11-20T12:00:00.123+0000 E NETWORK  [conn1] mongod 4.2", E),
    (r#"{"t":{"$date":"2026-11-20T12:00:00"},"s":"E","c":"NETWORK","msg":"x"}"#, E),
    (r#"{"t":{"$date":"2026-11-20T12:00:00"},"s":"D2","c":"NETWORK"}"#, D),
    ("[2026-11-20 12:00:00.123][1][warning][config] [source/x.cc:1] envoy", W),
    ("[20-Nov-2026 12:00:00] NOTICE: fpm is running, pid 1", N),
    ("[20-Nov-2026 12:00:00 UTC] PHP Fatal error:  Uncaught Error", C),
    ("PHP Warning:  Undefined variable", W),
    ("[2026-11-20T12:00:00.123456+00:00] app.ERROR: monolog {\"a\":1} []", E),
    ("[2026-11-20 12:00:00] local.WARNING: laravel", W),
    ("2026/11/20 12:00:00 kid1| WARNING: squid", W),
    ("20-Nov-2026 12:00:00.123 general: error: bind", E),
    ("[1700000000] unbound[1:0] error: msg", E),
    ("20/11/2026 -- 12:00:00 - <Notice> - suricata", N),
    ("[Nov 20 12:00:00] WARNING[123][C-1]: chan.c:12 asterisk", W),
    ("2026-11-20 12:00:00.123456+00:00 [info] <0.123.0> rabbit", I),
    ("=ERROR REPORT==== 20-Nov-2026::12:00:00 ===", E),
    ("=CRASH REPORT==== 20-Nov-2026::12:00:00 ===", E),
    // logfmt
    (r#"time="2026-11-20T12:00:00Z" level=error msg="it \"broke\" level=info""#, E),
    ("ts=2026-11-20T12:00:00Z caller=main.go:1 level=warn msg=x", W),
    ("time=2026-11-20T12:00:00Z level=INFO msg=\"slog\"", I),
    ("t=2026-11-20T12:00:00 lvl=eror msg=log15", E),
    ("severity=critical msg=x", C),
    ("2026-11-20T12:00:00Z app[web.1]: level=error msg=x", E),
    ("msg=\"level=info\" level=error", E),
    // JSON
    (r#"{"level":"error","msg":"x"}"#, E),
    (r#"{"msg":"a \"level\":\"debug\" in a string","level":"warn"}"#, W),
    (r#"{"context":{"level":"debug"},"list":[{"level":"info"}],"level":"fatal"}"#, C),
    (r#"{ "severity" : "WARNING" , "message" : "gcp" }"#, W),
    (r#"{"asctime":"x","levelname":"CRITICAL","message":"y"}"#, C),
    (r#"{"@timestamp":"x","log.level":"error","message":"ecs"}"#, E),
    (r#"{"@level":"debug","@message":"hclog"}"#, D),
    (r#"{"lvl":"eror"}"#, E),
    (r#"{"@t":"x","@l":"Warning"}"#, W),
    (r#"{"Level":"Information"}"#, I),
    (r#"{"level":30,"time":1700000000000,"pid":1,"msg":"pino"}"#, I),
    (r#"{"level":50,"time":1700000000000,"msg":"pino"}"#, E),
    (r#"{"level":60}"#, C),
    (r#"{"name":"app","hostname":"h","pid":1,"level":40,"msg":"bunyan","v":0}"#, W),
    (r#"{"name":"x","levelno":40,"msg":"python"}"#, E),
    (r#"{"level":30,"msg":"python's number","levelno":30}"#, W),
    (r#"{"message":"monolog","level":400,"level_name":"ERROR"}"#, E),
    (r#"{"version":"1.1","host":"h","short_message":"gelf","level":4}"#, W),
    (r#"{"MESSAGE":"journal","PRIORITY":"3"}"#, E),
    (r#"{"path":"C:\\","level":"error"}"#, E),
    ("2026-11-20T12:00:00.123456789Z stdout F {\"level\":\"error\"}", E),
    ("2026-11-20T12:00:00.123456789Z stderr F WARN hello", W),
    ("web-1  | {\"level\":\"error\"}", E),
    ("web-1  | ERROR: no", E),
    // syslog, kernel, klog
    ("<11>Nov 20 12:00:00 host app: x", E),
    ("<165>1 2026-11-20T12:00:00Z host app - - - x", N),
    ("<3>[   12.345] usb: broken", E),
    ("Nov 20 12:00:00 host app[123]: ERROR msg", E),
    ("Nov 20 12:00:00 host sshd[123]: error: PAM: failure", E),
    ("2026-11-20T12:00:00.123456+00:00 host postfix/smtpd[123]: warning: hostname", W),
    ("Nov 20 12:00:00 host app: WARNING: x", W),
    ("Nov 20 12:00:00 host app: ERROR something", E),
    ("Nov 20 12:00:00 host app[12]: {\"level\":\"error\"}", E),
    ("Nov  5 02:00:00 host dockerd[1]: time=\"2026-11-05T02:00:00Z\" level=warning msg=\"x\"", W),
    ("Nov  5 02:00:00 host app[1]: INFO:root:hello", I),
    ("Nov 20 12:00:00.000 [notice] tor", N),
    ("E1120 12:00:00.123456  123 file.go:12] msg", E),
    ("I1120 12:00:00.123456       1 file.go:12] msg", I),
    ("W1120 12:00:00.123456       1 file.go:12] msg", W),
    ("F20261120 12:00:00.123456 1 file.cc:12] msg", C),
    ("I261120 12:00:00.123456 1 server.go:12 cockroach", I),
    ("%LINK-3-UPDOWN: Interface changed state", E),
    ("11-20 12:00:00.123  123  456 E Tag: msg", E),
    ("11-20 12:00:00.123  1234  4567 V Tag: msg", T),
    ("W/Tag(  123): msg", W),
    ("[1120/120000.123456:ERROR:file.cc(12)] chromium", E),
    // Rust, Go, Ruby, JavaScript
    ("[2026-11-20T12:00:00Z ERROR crate] msg", E),
    ("[2026-11-20T12:00:00Z INFO  crate::part] msg", I),
    ("2026-11-20T12:00:00Z  WARN target: msg", W),
    ("\x1b[31mERROR\x1b[0m something", E),
    ("\x1b[2m2026-11-20T12:00:00.123456Z\x1b[0m \x1b[32m INFO\x1b[0m \x1b[2mtarget\x1b[0m\x1b[2m:\x1b[0m msg", I),
    ("\x1b[2m2026-11-20T12:00:00.123456Z\x1b[0m \x1b[31mERROR\x1b[0m msg", E),
    ("[\x1b[1;33mWARN\x1b[0m] msg", W),
    ("E, [2026-11-20T12:00:00.123456 #123] ERROR -- : msg", E),
    ("I, [2026-11-20T12:00:00.123456 #123]  INFO -- : msg", I),
    ("2026/11/20 12:00:00 ERROR slog msg", E),
    ("2026-11-20T12:00:00.000Z\tinfo\tmain.go:12\tzap", I),
    ("2026-11-20T12:00:00.000Z\tERROR\tmain.go:12\tzap", E),
    ("2026-11-20T12:00:00.000Z [INFO]  agent: consul", I),
    ("2026-11-20T12:00:00Z E! [outputs] telegraf", E),
    ("12:00 ERROR x", E),
    ("12:00PM INF zerolog", I),
    ("3:04AM ERR zerolog", E),
    ("panic: runtime error: index out of range", C),
    ("thread 'main' panicked at src/main.rs:1:1:", C),
    ("fatal error: all goroutines are asleep - deadlock!", C),
    ("npm ERR! code ENOENT", E),
    ("2026-11-20T12:00:00.000Z error: winston", E),
    // compilers and commands
    ("error: could not compile", E),
    ("warning: unused variable", W),
    ("error[E0308]: mismatched types", E),
    ("src/foo.c:12:5: error: expected ';'", E),
    ("src/foo.c:12:5: warning: unused", W),
    ("src/foo.c:1:10: fatal error: foo.h: No such file", C),
    ("/usr/bin/ld: warning: x", W),
    ("prog: error: the following arguments are required", E),
    ("fatal: not a git repository", C),
    ("Error: Cannot find module 'x'", E),
    ("Warning: Permanently added 'x'", W),
    ("E: Unable to locate package", E),
    ("W: GPG error", W),
];

const WITHOUT_A_LEVEL: &[&str] = &[
    "",
    "\n",
    " ",
    "\t",
    "\r",
    "no error found",
    "No ERROR found",
    "There was an ERROR in the file",
    "Information about the weather",
    "Information: the office closes at five",
    "Errors were found: 0",
    "error",
    "error something lower-case and without a colon",
    "errors: 0",
    "GET /error HTTP/1.1",
    "TRACE /error HTTP/1.1",
    "TRACE_ID=12345 ./run",
    "DEBUG=1 ./run",
    "ERROR_LOG=/var/log/x",
    "DEBUG = True",
    "127.0.0.1 - - [20/Nov/2026:12:00:00 +0000] \"GET /error HTTP/1.1\" 500 12 \"-\" \"ERROR\"",
    "::1 - - [20/Nov/2026:12:00:00 +0000] \"GET /?level=error HTTP/1.1\" 200 12",
    "example.org 127.0.0.1 - frank [20/Nov/2026:12:00:00 +0000] \"POST /fatal HTTP/1.1\" 200 1",
    "2026-11-20 12:00:00 Got an ERROR from the peer",
    "2026-11-20 12:00:00 the error: is here",
    "2026-11-20 12:00:00 starting",
    "2026-11-20 12:00:00,123 request finished in 12 ms, 0 ERROR, 3 WARNING",
    "Nov 20 12:00:00 host systemd[1]: Started error reporting.",
    "Nov 20 12:00:00 host kernel: usb 1-1: device error",
    "Nov 20 12:00:00 host app: no error",
    "Nov 20 12:00:00 host CRON[123]: (root) CMD (error)",
    "Nov 20 12:00:00 host kernel: [   12.3] EXT4-fs error (device sda1)",
    "2026-11-20 12:00:00 user login error: bad password",
    "2026-11-20 12:00:00 [main] an ERROR happened",
    "2026-11-20 12:00:00 10.0.0.1 GET /error 200",
    "2026-11-20T12:00:00Z A TEST",
    "11-20 12:00:00 3 4 I have seen",
    "total: 5, ERROR: 3",
    "Subject: ERROR in your order",
    "Status: ERROR",
    "error=none",
    "[10:error] a line and a word",
    "5 ERROR lines were counted",
    "3 errors generated.",
    "User [ERROR] clicked",
    "Please see [info] for more",
    "warningly spoken",
    "WARNINGS are on",
    "NOTICE of termination",
    "ALERT the press",
    "(see ERROR below)",
    "[1] error occurred here",
    "[link](error)",
    "[config] loaded",
    "[main] starting up",
    "    at com.foo.Error.run(Error.java:12)",
    "\tat com.foo.ERROR(Bar.java:1)",
    "  File \"error.py\", line 1, in <module>",
    "    raise ERROR: x",
    "    DEBUG = True",
    "Caused by: java.lang.Error: x",
    "java.lang.IllegalStateException: no ERROR",
    "goroutine 1 [running]:",
    "main.main()",
    r#"{"context":{"level":"error"}}"#,
    r#"{"msg":"\"level\":\"error\""}"#,
    r#"{"msg":"x","tags":["level","error"]}"#,
    r#"{"level":{"name":"error"}}"#,
    r#"{"event":"levelup","level":3}"#,
    r#"{"level":42}"#,
    r#"{"level":"#,
    r#"{"levels":"error"}"#,
    r#"{"s":"E"}"#,
    r#"{"sublevel":"error","level2":"error"}"#,
    r#"{"a":"unterminated"#,
    r#"{"#,
    "{level: error}",
    "msg=\"level=error\"",
    "a=1 some words level=error",
    "<999>x",
    "<>",
    "<b>ERROR</b> in prose",
    "<html><error>",
    "# ERROR handling",
    "* error handling",
    "- error: in a list",
    "\"ERROR\"",
    "https://example.org/ERROR",
    "ERRORS",
    "E = mc2",
    "I am the captain",
    "D-Bus started",
    "W3C error",
    "\0\0\0ERROR",
    "\u{1F600} ERROR",
    "über ERROR",
    "STATEMENT:  select 'ERROR:  x'",
    "2026-11-20 12:00:00.123 UTC [123] STATEMENT:  select 'ERROR:'",
    "2026-11-20 12:00:00.123 UTC [123] DETAIL:  an error: of some kind",
];

#[test]
fn lines_with_a_level() {
    let wrong: Vec<_> = WITH_A_LEVEL
        .iter()
        .filter_map(|(line, level)| {
            let found = recognise(line.as_bytes());
            (found != Some(*level)).then(|| format!("{line}\n    is {found:?}, not {level}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_line_end_changes_nothing() {
    for (line, level) in WITH_A_LEVEL {
        for end in ["\n", "\r\n"] {
            assert_eq!(recognise(format!("{line}{end}").as_bytes()), Some(*level), "{line}{end:?}");
        }
    }
}

#[test]
fn lines_without_a_level() {
    let wrong: Vec<_> = WITHOUT_A_LEVEL
        .iter()
        .filter_map(|line| recognise(line.as_bytes()).map(|found| format!("{line}\n    is {found}")))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn bytes_that_are_no_text() {
    for line in [
        &b"\xff\xfe\xfd ERROR"[..],
        b"caf\xe9 ERROR: x",
        b"\x7fELF\x02\x01\x01",
        b"\x89PNG\r\n\x1a\n",
        b"\x1f\x8b\x08\0",
        b"\x1b",
        b"\x1b[",
        b"\x1b[31",
    ] {
        assert_eq!(recognise(line), None, "{}", line.escape_ascii());
    }
    assert_eq!(recognise(b"2026-11-20 12:00:00 ERROR caf\xe9"), Some(E));
    assert_eq!(recognise(b"{\"msg\":\"caf\xe9\",\"level\":\"error\"}"), Some(E));
}

#[test]
fn a_long_line_is_looked_at_only_in_front() {
    let mut line = vec![b'x'; 1 << 20];
    assert_eq!(recognise(&line), None);
    line[..6].copy_from_slice(b"ERROR ");
    assert_eq!(recognise(&line), Some(E));
    assert_eq!(recognise(&b"[1] ".repeat(1 << 18)), None);
    assert_eq!(recognise(&b"[".repeat(1 << 20)), None);
    assert_eq!(recognise(&b"{\"a\":".repeat(1 << 18)), None);
    assert_eq!(recognise(&b"a=b ".repeat(1 << 18)), None);
}

#[test]
fn json_may_say_its_level_after_a_long_message() {
    let line = format!(r#"{{"message":"{}","level":"error"}}"#, "x".repeat(8000));
    assert_eq!(recognise(line.as_bytes()), Some(E));
}

proptest! {
    #[test]
    fn any_bytes_are_fine(line in prop::collection::vec(any::<u8>(), 0..600)) {
        recognise(&line);
    }

    #[test]
    fn any_mixture_of_what_headers_are_made_of_is_fine(
        line in "([\\[\\](){}<>|:=\"\\\\/,.#*@%!_ \t\n\x1b-]|[0-9TZ]{1,5}|ERROR|info|Nov|UTC|level|\\$|é){0,80}",
    ) {
        recognise(line.as_bytes());
    }
}
