//! The flag groups of the verbs that send over the network.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::Args;

use crate::backoff::Backoff;
use crate::cli::Usage;
use crate::handlers::persistence::Retry;
use crate::net::connect::{Connector, Place};
use crate::net::datagram::{self, DatagramConnector};
use crate::net::ending::Ending;
use crate::net::target::{Address, Target};
use crate::net::tls::{Tls, TlsOptions};
use crate::stream::context::Context;
use crate::units::{Span, parse_number};

/// Reaching the peer, and going on when it is away.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Connection")]
pub struct ConnectionArgs {
    /// How long connecting may take, and each write
    #[arg(long, value_name = "DURATION", default_value = "10s")]
    pub timeout: Span,
    /// Ask a silent TCP peer so often whether it is there; 0 never asks
    #[arg(long, value_name = "DURATION", default_value = "60s")]
    pub keep_alive: Span,
    /// The wait before the second attempt; a peer that only restarted is tried at once
    #[arg(long, value_name = "DURATION", default_value = "1s")]
    pub retry_start: Span,
    /// How much longer each further wait is
    #[arg(long, value_name = "FACTOR", default_value = "2")]
    pub retry_factor: f64,
    /// The longest wait between attempts
    #[arg(long, value_name = "DURATION", default_value = "30s")]
    pub retry_max: Span,
    /// Lose lines (counted and said) once the peer was away for so long [default: wait for ever]
    #[arg(long, value_name = "DURATION")]
    pub give_up_after: Option<Span>,
    /// At the end of the input, or at TERM, deliver what is left for so long; what then is left is counted and said
    #[arg(long, value_name = "DURATION", default_value = "10s")]
    pub drain_timeout: Span,
}

impl ConnectionArgs {
    /// Looks for values that cannot be meant.
    ///
    /// # Errors
    /// [`Usage`] for the first of them.
    pub fn check(&self) -> Result<()> {
        if !(1.0..=1e6).contains(&self.retry_factor) {
            return Err(Usage("--retry-factor takes a number from 1 up, as in 2 or 1.5".into()).into());
        }
        for (flag, span) in [("--timeout", self.timeout), ("--retry-start", self.retry_start)] {
            if span.0.is_zero() {
                return Err(Usage(format!("{flag} takes more than nothing, as in 1s")).into());
            }
        }
        Ok(())
    }

    pub fn retry(&self) -> Retry {
        let start = self.retry_start.0.min(self.retry_max.0.max(Duration::from_millis(1)));
        Retry {
            backoff: Backoff::new(start, self.retry_factor, self.retry_max.0.max(start)),
            give_up_after: self.give_up_after.map(|span| span.0),
        }
    }

    pub fn ending(&self, context: &Context) -> Ending {
        Ending::new(context.stop.clone(), self.drain_timeout.0)
    }

    pub fn keep_alive(&self) -> Option<Duration> {
        Some(self.keep_alive.0).filter(|time| !time.is_zero())
    }
}

/// Whom to trust, and who we are.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "TLS")]
pub struct TlsArgs {
    /// Trust the authorities in this PEM file instead of the system's
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Our own certificate, with its chain (PEM)
    #[arg(long, value_name = "FILE", requires = "key")]
    pub cert: Option<PathBuf>,
    /// The key of our certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub key: Option<PathBuf>,
    /// The name that the peer's certificate must hold, instead of the host
    #[arg(long, value_name = "NAME")]
    pub server_name: Option<String>,
    /// Take any certificate, so anybody can read along or be the peer
    #[arg(long)]
    pub insecure: bool,
}

impl TlsArgs {
    /// Reads the certificates; what is dangerous is said.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn open(&self, address: &Address, name: &str, context: &Context) -> Result<Tls> {
        if self.insecure {
            context.report.say(format_args!("{name}: --insecure: whoever answers is taken for the peer"));
        }
        let options = TlsOptions {
            ca: self.ca.clone(),
            cert: self.cert.clone(),
            key: self.key.clone(),
            server_name: self.server_name.clone(),
            insecure: self.insecure,
        };
        Tls::new(&options, &address.host)
    }
}

/// The way of packets.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "UDP")]
pub struct UdpArgs {
    /// How many routers a packet may pass [default: the system's; 1 to a multicast group]
    #[arg(long, value_name = "N", value_parser = parse_number::<u8>)]
    pub ttl: Option<u8>,
    /// Send by this network interface: its name, or an address of it
    #[arg(long, value_name = "NAME")]
    pub interface: Option<String>,
}

/// A peer that takes a stream, or datagrams.
pub enum Peer {
    Stream(Connector),
    Datagrams(DatagramConnector),
}

/// How to reach `target`, with a port from `default` where it names none; None for the web.
///
/// # Errors
/// When a certificate cannot be used.
pub fn peer(
    target: &Target,
    default: impl Fn(&Target) -> u16,
    (connection, tls, udp): (&ConnectionArgs, &TlsArgs, &UdpArgs),
    context: &Context,
) -> Result<Option<Peer>> {
    let ported =
        |address: &Address| Address { port: Some(address.port.unwrap_or_else(|| default(target))), ..address.clone() };
    let stream = |place| {
        Some(Peer::Stream(Connector { place, timeout: connection.timeout.0, keep_alive: connection.keep_alive() }))
    };
    let datagrams = |place| {
        let UdpArgs { ttl, interface } = udp.clone();
        Some(Peer::Datagrams(DatagramConnector { place, timeout: connection.timeout.0, ttl, interface }))
    };
    Ok(match target {
        Target::Tcp(address) => stream(Place::Tcp(ported(address))),
        Target::Tls(address) => stream(Place::Tls(ported(address), tls.open(address, &target.to_string(), context)?)),
        Target::Unix(path) => stream(Place::Unix(path.clone())),
        Target::Udp(address) => datagrams(datagram::Place::Udp(ported(address))),
        Target::Unixgram(path) => datagrams(datagram::Place::Unix(path.clone())),
        Target::Http(_) | Target::Https(_) => None,
    })
}
