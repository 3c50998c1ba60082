//! A web server on loopback that does as a test tells it: every answer, and everything that can go wrong instead of one.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::harness::until;

/// What the server does with a request whose head it has read.
#[derive(Clone, Copy, Debug)]
pub enum Reply {
    /// Reads the body and answers with this status, these header lines (each with its CRLF), and this text.
    Answer(u16, &'static str, &'static str),
    /// Reads half of the body and resets the connection.
    ResetInBody,
    /// Reads the body and closes without an answer.
    Close,
    /// Answers 200 and resets in the middle of its own text.
    ResetInAnswer,
    /// Reads the body and answers 200 after so long.
    Slow(Duration),
    /// Reads the body and never answers.
    Silence,
}

pub const OK: Reply = Reply::Answer(200, "", "");

/// A request that was read to its end.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method and the target.
    pub line: String,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
    /// Whether it was answered with 2xx.
    pub taken: bool,
}

impl Request {
    /// A header, by its name in small letters.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

type Script = Box<dyn FnMut(usize, &Request) -> Reply + Send>;

#[derive(Default)]
struct Shared {
    requests: Mutex<Vec<Request>>,
    connections: Mutex<Vec<TcpStream>>,
    stopped: AtomicBool,
}

/// The server; it stops when it is dropped.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Asks `script` about every request: its number from 0, and what its head says.
    pub fn start(script: impl FnMut(usize, &Request) -> Reply + Send + 'static) -> Self {
        Self::listen(TcpListener::bind("127.0.0.1:0").unwrap(), Box::new(script))
    }

    fn listen(listener: TcpListener, script: Script) -> Self {
        let address = listener.local_addr().unwrap();
        let shared = Arc::<Shared>::default();
        let for_thread = Arc::clone(&shared);
        let script = Arc::new(Mutex::new((0, script)));
        let thread = thread::spawn(move || {
            let mut peers = Vec::new();
            while let Ok((stream, _)) = listener.accept() {
                if for_thread.stopped.load(Ordering::Relaxed) {
                    break;
                }
                for_thread.connections.lock().unwrap().push(stream.try_clone().unwrap());
                let (shared, script) = (Arc::clone(&for_thread), Arc::clone(&script));
                // A client that goes away is no failure of the server.
                peers.push(thread::spawn(move || drop(serve(&stream, &shared, &script))));
            }
            peers.into_iter().for_each(|peer| peer.join().unwrap());
        });
        Self { address, shared, thread: Some(thread) }
    }

    pub fn url(&self) -> String {
        format!("http://{}/in", self.address)
    }

    /// Everything that was read to its end, in that order.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// The bodies that were answered with 2xx, joined.
    pub fn taken(&self) -> String {
        self.requests().iter().filter(|request| request.taken).map(Request::text).collect()
    }

    #[track_caller]
    pub fn until_requests(&self, number: usize) {
        until(&format!("{number} requests"), || self.shared.requests.lock().unwrap().len() >= number);
    }

    /// Closes every connection and the port; another server at the same address follows when `start_again` is called.
    pub fn stop(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        self.shared.stopped.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
        for connection in self.shared.connections.lock().unwrap().drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
        thread.join().unwrap();
    }

    /// The port was free a moment ago, and may be in use again by a test beside this one: that is waited for.
    pub fn start_again(&self, script: impl FnMut(usize, &Request) -> Reply + Send + 'static) -> Self {
        let mut listener = None;
        until("its port", || {
            listener = TcpListener::bind(self.address).ok();
            listener.is_some()
        });
        Self::listen(listener.unwrap(), Box::new(script))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn serve(stream: &TcpStream, shared: &Shared, script: &Mutex<(usize, Script)>) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    while let Some(mut request) = read_head(&mut reader)? {
        let reply = {
            let (number, script) = &mut *script.lock().unwrap();
            *number += 1;
            script(*number - 1, &request)
        };
        let length: usize = request.header("content-length").parse().unwrap_or(0);
        if let Reply::ResetInBody = reply {
            // What is left unread makes a reset of the close.
            reader.read_exact(&mut vec![0; length / 2])?;
            return stream.shutdown(Shutdown::Both);
        }
        request.body = vec![0; length];
        reader.read_exact(&mut request.body)?;
        let answer = match reply {
            Reply::Answer(status, headers, text) => {
                request.taken = (200..300).contains(&status);
                let length = text.len();
                format!("HTTP/1.1 {status} Word\r\n{headers}Content-Length: {length}\r\n\r\n{text}")
            }
            Reply::ResetInAnswer => {
                request.taken = true;
                "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf".to_owned()
            }
            Reply::Slow(time) => {
                thread::sleep(time);
                request.taken = true;
                "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_owned()
            }
            _ => String::new(),
        };
        shared.requests.lock().unwrap().push(request);
        writer.write_all(answer.as_bytes())?;
        match reply {
            Reply::Answer(..) | Reply::Slow(_) => {}
            Reply::Silence => drop(reader.read(&mut [0])),
            _ => return stream.shutdown(Shutdown::Both),
        }
    }
    Ok(())
}

/// None at the end of the connection.
fn read_head(reader: &mut impl BufRead) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let line = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        match header.trim_end().split_once(": ") {
            Some((name, value)) => headers.insert(name.to_ascii_lowercase(), value.to_owned()),
            None => break,
        };
    }
    Ok(Some(Request { line, headers, body: Vec::new(), taken: false }))
}
