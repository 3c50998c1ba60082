//! `loghand ship`: lines to a socket or a web server.

use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum;

use crate::cli::Usage;
use crate::handlers::draining::Draining;
use crate::handlers::payload::{Arrival, Json, Payload, Pickle, Raw};
use crate::handlers::socket::{Layout, SocketHandler};
use crate::net::connect::{Connector, Place};
use crate::net::ending::Ending;
use crate::net::target::{Address, Target};
use crate::stream::context::Context;
use crate::stream::handler::Handler;
use crate::wire::frame::{Embedded, Framing};

use super::net_groups::ConnectionArgs;
use super::outlet::OutletArgs;

/// Send lines to a socket (SocketHandler, DatagramHandler)
///
/// They wait for a peer that is away, in a queue; when that is full, the producer waits (see --on-full). A stream that
/// breaks goes on with the record that was being sent.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  app | loghand ship tcp://logs.example.org:9020
  app | loghand ship tcp://127.0.0.1 --encode pickle        (for Python's SocketHandler receivers, port 9020)
  app | loghand tee -- ship unix:///run/log.sock --framing length --encode json --level warning")]
pub struct Args {
    /// Where to: tcp://HOST[:9020], unix:///PATH
    #[arg(value_name = "URL")]
    pub target: Target,
    /// How records are told apart in a stream [default: lines; length for --encode pickle]
    #[arg(long, value_name = "HOW")]
    pub framing: Option<FramingChoice>,
    /// What is sent for each record
    #[arg(long, value_name = "HOW", default_value = "raw")]
    pub encode: EncodeChoice,
    #[command(flatten)]
    pub connection: ConnectionArgs,
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

impl Args {
    pub fn output_name(&self) -> String {
        self.target.to_string()
    }

    /// See [`crate::cli::Outlet::outputs`].
    pub fn outputs(&self) -> Vec<PathBuf> {
        Vec::new()
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
        if !matches!(self.target, Target::Tcp(_) | Target::Unix(_)) {
            return Err(Usage(format!("{}: only tcp:// and unix:// are built in yet", self.target)).into());
        }
        self.connection.check()?;
        self.outlet.check()
    }

    /// Opens the outlet, always behind a queue: a peer that is away is nothing that the producer should notice.
    ///
    /// # Errors
    /// [`Usage`] for flags that cannot be.
    pub fn open(&self, context: &Context) -> Result<Box<dyn Handler>> {
        let ending = self.connection.ending(context);
        let target = self.outlet.layer(&self.output_name(), context, true, |context| self.handler(context, &ending))?;
        Ok(Box::new(Draining::new(ending, target)))
    }

    /// The handler for each scheme.
    fn handler(&self, context: &Context, ending: &Ending) -> Result<Box<dyn Handler>> {
        match &self.target {
            Target::Tcp(address) => Ok(self.stream(Place::Tcp(with_port(address, 9020)), context, ending)),
            Target::Unix(path) => Ok(self.stream(Place::Unix(path.clone()), context, ending)),
            Target::Http(_) | Target::Https(_) | Target::Tls(_) | Target::Udp(_) | Target::Unixgram(_) => {
                Err(Usage(format!("{}: only tcp:// and unix:// are built in yet", self.target)).into())
            }
        }
    }

    fn stream(&self, place: Place, context: &Context, ending: &Ending) -> Box<dyn Handler> {
        let connector =
            Connector { place, timeout: self.connection.timeout.0, keep_alive: self.connection.keep_alive() };
        let raw = self.encode == EncodeChoice::Raw;
        let layout = Layout {
            payload: self.payload(context),
            framing: self.framing(),
            embedded: if raw { Embedded::Leave } else { Embedded::Escape },
            as_is: self.outlet.records.terminator.is_some(),
        };
        let (retry, name) = (self.connection.retry(), self.output_name());
        Box::new(SocketHandler::new(connector, layout, retry, ending.clone(), name, context.clone()))
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

/// The address with the port that is meant when none is given.
fn with_port(address: &Address, default: u16) -> Address {
    Address { port: Some(address.port.unwrap_or(default)), ..address.clone() }
}
