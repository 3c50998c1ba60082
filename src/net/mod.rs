//! Reaching a peer: where it is, how a connection to it comes to be, and how long to try. Nothing here knows of logs.

pub mod connect;
pub mod datagram;
pub mod ending;
pub mod expecting;
pub mod link;
pub mod target;
pub mod tls;
