//! `loghand ship http://…` and Python's own HTTPHandler, and nginx behind TLS and Basic authentication.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::harness::{World, until};

/// Takes forms from loghand, says its port, sends each record again by HTTPHandler, and compares the two byte for byte.
const PYTHON: &str = r#"
import http.server, logging, logging.handlers, sys, threading
from urllib.parse import parse_qs, urlsplit

came = []

class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        query = body if self.command == "POST" else urlsplit(self.path).query.encode()
        came.append((self.command, urlsplit(self.path).path, self.headers.get("Content-Type"),
                     self.headers.get("Authorization"), query))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    do_POST = do_GET
    def log_message(self, *words):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.read()

def value(text, key):
    if text == "None":
        return None
    if key == "args":
        return ()
    if key in ("levelno", "lineno", "process", "thread"):
        return int(text)
    return float(text) if key in ("created", "msecs", "relativeCreated") else text

ours, same = list(came), True
for method, path, kind, credentials, query in ours:
    fields = parse_qs(query.decode(), keep_blank_values=True, strict_parsing=True)
    record = logging.makeLogRecord({key: value(text, key) for key, [text] in fields.items()})
    came.clear()
    logging.handlers.HTTPHandler("127.0.0.1:%d" % server.server_port, path, method,
                                 credentials=("me", "pass")).emit(record)
    if came != [(method, path, kind, credentials, query)]:
        same = False
        print(came, (method, path, kind, credentials, query))
    print(record.levelname, record.getMessage())
print("same" if same else "different", len(ours))
"#;

#[test]
fn pythons_http_handler_sends_the_same_bytes() {
    for method in ["GET", "POST"] {
        let world = World::new();
        let mut python = Python::start();
        let url = format!("http://127.0.0.1:{}/log", python.port);
        let call = world.loghand(&format!("ship {url} --method {method} --body form --user me"));
        let call = call.env("LOGHAND_PASSWORD", "pass");
        call.stdin("ERROR a&b=c +%\n\nWARNING grün ✓\nplain ~tilde-_.\n").leaves_nothing();
        let said = python.ends();
        assert_eq!(
            said, "ERROR ERROR a&b=c +%\nINFO \nWARNING WARNING grün ✓\nINFO plain ~tilde-_.\nsame 4\n",
            "{method}"
        );
    }
}

struct Python {
    child: Child,
    port: u16,
    stdout: std::io::BufReader<std::process::ChildStdout>,
}

impl Python {
    fn start() -> Self {
        let mut command = Command::new("python3");
        let mut child = command.args(["-c", PYTHON]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
        let mut port = String::new();
        std::io::BufRead::read_line(&mut stdout, &mut port).unwrap();
        Self { port: port.trim().parse().unwrap(), child, stdout }
    }

    /// What it says when its input ends.
    fn ends(&mut self) -> String {
        drop(self.child.stdin.take());
        let said = std::io::read_to_string(&mut self.stdout).unwrap();
        assert!(self.child.wait().unwrap().success());
        said
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A private CA, and a certificate of its for 127.0.0.1 and localhost.
fn certificates(folder: &Path) {
    fs::write(folder.join("names"), "subjectAltName=IP:127.0.0.1,DNS:localhost\n").unwrap();
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    for words in [
        format!("req -x509 {key} -keyout ca.key -out ca.pem -days 2 -subj /CN=ca"),
        format!("req {key} -keyout server.key -out server.csr -subj /CN=server"),
        format!("req {key} -keyout client.key -out client.csr -subj /CN=client"),
        "x509 -req -in client.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out client.pem"
            .into(),
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem"
            .into(),
    ] {
        let mut command = Command::new("openssl");
        let output = command.args(words.split(' ')).current_dir(folder).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// nginx, which takes requests of 2 KiB with the password `secret` of `me` over TLS and writes down their bodies.
struct Nginx {
    child: Child,
    folder: TempDir,
    port: u16,
}

impl Nginx {
    /// None where it is not installed and need not be.
    fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        if Command::new("nginx").arg("-v").stderr(Stdio::null()).status().is_err() {
            assert!(std::env::var("LOGHAND_PEERS").as_deref() != Ok("required"), "nginx is not installed");
            eprintln!("skipped: nginx is not installed");
            return None;
        }
        certificates(folder.path());
        fs::write(folder.path().join("users"), "me:{PLAIN}secret\n").unwrap();
        // A free port may be taken before nginx has it.
        for _ in 0..20 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let configuration = NGINX.replace("PORT", &port.to_string());
            fs::write(folder.path().join("nginx.conf"), configuration).unwrap();
            let mut command = Command::new("nginx");
            let path = folder.path().to_str().unwrap();
            command.args(["-p", path, "-e", "error.log", "-c", "nginx.conf"]).current_dir(path);
            let mut child = command.stderr(Stdio::null()).spawn().unwrap();
            let mut left = false;
            until("nginx", || {
                left = child.try_wait().unwrap().is_some();
                left || (folder.path().join("nginx.pid").exists()
                    && std::net::TcpStream::connect(("127.0.0.1", port)).is_ok())
            });
            if !left {
                return Some(Self { child, folder, port });
            }
        }
        panic!("nginx does not start: {:?}", fs::read_to_string(folder.path().join("error.log")));
    }

    fn url(&self) -> String {
        format!("https://localhost:{}/in", self.port)
    }

    fn ca(&self) -> String {
        self.folder.path().join("ca.pem").display().to_string()
    }

    /// The bodies that it took, joined, and how often it answered with each status.
    fn log(&self) -> (String, Vec<u64>) {
        let log = fs::read_to_string(self.folder.path().join("in.log")).unwrap();
        let requests: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let taken = requests.iter().filter(|request| request["status"] == 204);
        let bodies = taken.map(|request| request["body"].as_str().unwrap()).collect();
        (bodies, requests.iter().map(|request| request["status"].as_u64().unwrap()).collect())
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const NGINX: &str = r#"
daemon off;
master_process off;
pid nginx.pid;
events {}
http {
    client_body_temp_path temp; proxy_temp_path temp; fastcgi_temp_path temp; uwsgi_temp_path temp; scgi_temp_path temp;
    access_log off;
    log_format in escape=json '{"status":$status,"body":"$request_body"}';
    server {
        listen 127.0.0.1:PORT ssl;
        listen 127.0.0.2:PORT ssl;
        ssl_certificate server.pem;
        ssl_certificate_key server.key;
        ssl_client_certificate ca.pem;
        ssl_verify_client optional;
        location /known {
            if ($ssl_client_verify != SUCCESS) { return 403; }
            access_log in.log in;
            proxy_pass http://unix:sink:/;
        }
        client_max_body_size 2k;
        client_body_buffer_size 2k;
        location /in {
            auth_basic "logs";
            auth_basic_user_file users;
            access_log in.log in;
            proxy_pass http://unix:sink:/;
        }
    }
    server { listen unix:sink; location / { return 204; } }
}
"#;

#[test]
fn nginx_takes_batches_over_tls_with_basic_authentication() {
    let Some(nginx) = Nginx::start() else { return };
    let world = World::new();
    let lines: String = (1..=1000).map(|number| format!("line {number}: \"ü\"\n")).collect();
    let words = format!("ship {} --ca {} --user me", nginx.url(), nginx.ca());
    // One request is more than it takes at once.
    world.loghand(&words).env("LOGHAND_PASSWORD", "secret").stdin(&lines).leaves_nothing();
    let (taken, statuses) = nginx.log();
    assert_eq!(taken, lines);
    assert!(statuses.contains(&413) && statuses.iter().all(|status| [204, 413].contains(status)), "{statuses:?}");

    let said = format!("{}: 1 line lost: 401 Unauthorized (--dead-letter FILE would keep them)", nginx.url());
    world.loghand(&words).env("LOGHAND_PASSWORD", "wrong").code(1).says(&said).stdin("1\n").leaves_nothing();
    assert_eq!(nginx.log().0, lines);
}

#[test]
fn a_server_of_another_ca_or_name_gets_nothing() {
    let Some(nginx) = Nginx::start() else { return };
    let (world, other) = (World::new(), tempfile::tempdir().unwrap());
    certificates(other.path());
    let other_ca = other.path().join("ca.pem").display().to_string();
    let words = format!("ship {} --user me --drain-timeout 200ms --batch-wait 0", nginx.url());
    for trust in [format!("--ca {other_ca}"), format!("--ca {} --server-name example.org", nginx.ca())] {
        let call = world.loghand(&format!("{words} {trust}")).env("LOGHAND_PASSWORD", "secret");
        call.code(1).stderr_has(["invalid peer certificate", "1 line lost"]).stdin("1\n").leaves_nothing();
    }
    assert!(!nginx.folder.path().join("in.log").exists() || nginx.log().1.is_empty());
}

#[test]
fn a_server_may_be_expected_under_another_name_or_none() {
    let Some(nginx) = Nginx::start() else { return };
    let world = World::new();
    // The certificate is for 127.0.0.1 and localhost; 127.0.0.2 is the same machine.
    let url = nginx.url().replace("localhost", "127.0.0.2");
    let words = format!("ship {url} --user me --ca {} --server-name localhost", nginx.ca());
    world.loghand(&words).env("LOGHAND_PASSWORD", "secret").stdin("1\n").leaves_nothing();
    let call = world.loghand(&format!("ship {url} --user me --insecure")).env("LOGHAND_PASSWORD", "secret");
    call.stderr_has(["--insecure"]).stdin("2\n").leaves_nothing();
    assert_eq!(nginx.log().0, "1\n2\n");
}

#[test]
fn our_own_certificate_is_shown_when_the_server_asks() {
    let Some(nginx) = Nginx::start() else { return };
    let world = World::new();
    let words = format!("ship {} --ca {}", nginx.url().replace("/in", "/known"), nginx.ca());
    let file = |name: &str| nginx.folder.path().join(name).display().to_string();
    let own = format!("{words} --cert {} --key {}", file("client.pem"), file("client.key"));
    world.loghand(&own).stdin("1\n").leaves_nothing();
    assert_eq!(nginx.log().0, "1\n");
    world.loghand(&words).code(1).stderr_has(["1 line lost: 403"]).stdin("2\n").leaves_nothing();
}
