//! `loghand ship`: lines to a socket or a web server.

use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum;

use crate::cli::Usage;
use crate::handlers::datagram::{DatagramHandler, Oversize};
use crate::handlers::draining::Draining;
use crate::handlers::payload::{Arrival, Framed, Json, Payload, Pickle, Raw};
use crate::handlers::socket::{Layout, SocketHandler};
use crate::net::ending::Ending;
use crate::net::target::Target;
use crate::stream::context::Context;
use crate::stream::handler::Handler;
use crate::wire::frame::{Embedded, Framing};

use super::net_groups::{ConnectionArgs, Peer, TlsArgs, UdpArgs, peer};
use super::outlet::OutletArgs;
use super::ship_http::HttpArgs;

/// Send lines to a socket or a web server (SocketHandler, DatagramHandler, HTTPHandler)
///
/// They wait for a peer that is away, in a queue; when that is full, the producer waits (see --on-full). A stream that
/// breaks goes on with the record that was being sent.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  app | loghand ship tcp://logs.example.org:9020
  app | loghand ship tcp://127.0.0.1 --encode pickle        (for Python's SocketHandler receivers, port 9020)
  app | loghand ship http://127.0.0.1:8080/logs --body ndjson --gzip --dead-letter refused.log
  app | loghand tee -- ship unix:///run/log.sock --framing length --encode json --level warning")]
pub struct Args {
    /// Where to: tcp://HOST[:9020], tls://HOST[:9020], udp://HOST[:9021], unix:///PATH, unixgram:///PATH,
    /// http://HOST[:9022]/PATH, https://HOST/PATH
    ///
    /// A name with several addresses is tried at each of them. A datagram (udp, unixgram) holds one record.
    #[arg(value_name = "URL")]
    pub target: Target,
    /// How records are told apart in a stream [default: lines; length for --encode pickle]
    #[arg(long, value_name = "HOW")]
    pub framing: Option<FramingChoice>,
    /// What is sent for each record
    #[arg(long, value_name = "HOW", default_value = "raw")]
    pub encode: EncodeChoice,
    /// What becomes of a record that is too long for a datagram
    #[arg(long, value_name = "WHAT", default_value = "split")]
    pub oversize: OversizeChoice,
    #[command(flatten)]
    pub http: HttpArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
    #[command(flatten)]
    pub tls: TlsArgs,
    #[command(flatten)]
    pub udp: UdpArgs,
    #[command(flatten)]
    pub outlet: OutletArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FramingChoice {
    /// A newline behind each
    Lines,
    /// Four bytes before each with its length, the most significant first
    Length,
    /// A NUL behind each
    Nul,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EncodeChoice {
    /// Its text
    Raw,
    /// A JSON object: time, level, name, message, host, filename
    Json,
    /// What Python's SocketHandler and DatagramHandler send, for logging.makeLogRecord
    Pickle,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OversizeChoice {
    /// As much as fits is sent, and a mark; the number is said
    Truncate,
    /// It becomes several records; the number is said
    Split,
    /// It is lost; the number is said
    Drop,
}

impl From<OversizeChoice> for Oversize {
    fn from(choice: OversizeChoice) -> Self {
        match choice {
            OversizeChoice::Truncate => Self::Truncate,
            OversizeChoice::Split => Self::Split,
            OversizeChoice::Drop => Self::Drop,
        }
    }
}

impl Args {
    pub fn output_name(&self) -> String {
        match &self.target {
            Target::Http(_) | Target::Https(_) => HttpArgs::name(&self.target),
            target => target.to_string(),
        }
    }

    /// See [`crate::cli::Outlet::outputs`].
    pub fn outputs(&self) -> Vec<PathBuf> {
        self.http.dead_letter.iter().cloned().collect()
    }

    /// Looks for flags that cannot be, and opens nothing.
    ///
    /// # Errors
    /// [`Usage`] if there are any.
    pub fn check(&self) -> Result<()> {
        if self.encode == EncodeChoice::Pickle && self.framing.is_some_and(|framing| framing != FramingChoice::Length) {
            return Err(
                Usage("--encode pickle goes with --framing length alone: a pickle may hold any byte".into()).into()
            );
        }
        match (&self.target, self.http.given()) {
            (Target::Http(_) | Target::Https(_), _) => self.check_http()?,
            (target, Some(flag)) => {
                return Err(Usage(format!("{flag} is for http:// and https://, not for {target}")).into());
            }
            _ => {}
        }
        self.connection.check()?;
        self.outlet.check()
    }

    fn check_http(&self) -> Result<()> {
        let body = [("--framing", self.framing.is_some()), ("--encode", self.encode != EncodeChoice::Raw)];
        if let Some((flag, _)) = body.into_iter().find(|(_, given)| *given) {
            return Err(Usage(format!("{flag} is for sockets; for {} it is --body", self.output_name())).into());
        }
        let datagrams = [
            ("--oversize", self.oversize != OversizeChoice::Split),
            ("--ttl", self.udp.ttl.is_some()),
            ("--interface", self.udp.interface.is_some()),
        ];
        if let Some((flag, _)) = datagrams.into_iter().find(|(_, given)| *given) {
            return Err(Usage(format!("{flag} is for datagrams, not for {}", self.output_name())).into());
        }
        self.http.check(&self.target)
    }

    fn is_http(&self) -> bool {
        matches!(self.target, Target::Http(_) | Target::Https(_))
    }

    /// Opens the outlet, always behind a queue: a peer that is away is nothing that the producer should notice.
    ///
    /// # Errors
    /// [`Usage`] for flags that cannot be.
    pub fn open(&self, context: &Context) -> Result<Box<dyn Handler>> {
        let ending = self.connection.ending(context);
        let (levels, name) = (self.is_http() && self.http.wants_levels(), self.output_name());
        let open = |context: &Context| self.handler(context, &ending);
        let target = self.outlet.layer_knowing(levels, &name, context, true, open)?;
        Ok(Box::new(Draining::new(ending, target)))
    }

    /// The handler for each scheme.
    fn handler(&self, context: &Context, ending: &Ending) -> Result<Box<dyn Handler>> {
        let (retry, name) = (self.connection.retry(), self.output_name());
        match peer(&self.target, port, (&self.connection, &self.tls, &self.udp), context)? {
            Some(Peer::Stream(connector)) => {
                let raw = self.encode == EncodeChoice::Raw;
                let layout = Layout {
                    payload: self.payload(context),
                    framing: self.framing(),
                    embedded: if raw { Embedded::Leave } else { Embedded::Escape },
                    as_is: self.outlet.records.terminator.is_some(),
                };
                Ok(Box::new(SocketHandler::new(connector, layout, retry, ending.clone(), name, context.clone())))
            }
            Some(Peer::Datagrams(connector)) => {
                // Python's DatagramHandler sends the length before a pickle, too.
                let payload = self.payload(context);
                let payload = match self.framing() {
                    Framing::Length => Box::new(Framed(payload)),
                    _ => payload,
                };
                let (oversize, attempts) = (self.oversize.into(), (retry, ending.clone()));
                let context = context.clone();
                Ok(Box::new(DatagramHandler::new(connector, payload, oversize, attempts, name, context)))
            }
            None => {
                let (connection, records) = ((&self.connection, &self.tls), &self.outlet.records);
                Ok(Box::new(self.http.open(&self.target, connection, records, ending, context)?))
            }
        }
    }

    fn framing(&self) -> Framing {
        match (self.framing, self.encode) {
            (Some(FramingChoice::Length), _) | (None, EncodeChoice::Pickle) => Framing::Length,
            (Some(FramingChoice::Nul), _) => Framing::Nul,
            _ => Framing::Lines,
        }
    }

    fn payload(&self, context: &Context) -> Box<dyn Payload> {
        let arrival = || Arrival::new(context.clock.clone(), context.zone.clone());
        match self.encode {
            EncodeChoice::Raw => Box::new(Raw),
            EncodeChoice::Json => Box::new(Json(arrival())),
            EncodeChoice::Pickle => Box::new(Pickle::new(arrival())),
        }
    }
}

/// Python's default ports, and that of the web by TLS.
fn port(target: &Target) -> u16 {
    match target {
        Target::Udp(_) => 9021,
        Target::Http(_) => 9022,
        Target::Https(_) => 443,
        _ => 9020,
    }
}
