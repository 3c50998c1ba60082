//! `loghand ship`: SocketHandler and DatagramHandler, to peers on loopback.

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::thread::{JoinHandle, spawn};

use crate::harness::World;

/// Accepts one connection and reads all that comes.
fn receiver() -> (u16, JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (port, spawn(move || read(listener.accept().unwrap().0)))
}

fn read(mut stream: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    bytes
}

#[test]
fn lines_arrive_over_tcp() {
    let world = World::new();
    let (port, peer) = receiver();
    world.loghand(&format!("ship tcp://127.0.0.1:{port}")).stdin("one\ntwo\nlast").leaves_nothing();
    assert_eq!(peer.join().unwrap(), b"one\ntwo\nlast\n");
}

#[test]
fn http_is_refused() {
    World::new().loghand("ship http://127.0.0.1:1/").code(2).stderr_has(["http"]).leaves_nothing();
}
