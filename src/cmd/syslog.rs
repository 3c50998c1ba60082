//! `loghand syslog`: lines to the system log, here or over the network.

use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::ValueEnum;

use crate::cli::Usage;
use crate::handlers::datagram::{DatagramHandler, Oversize};
use crate::handlers::draining::Draining;
use crate::handlers::payload::Arrival;
use crate::handlers::socket::{Layout, SocketHandler};
use crate::handlers::stream::{Stream, StreamHandler};
use crate::handlers::syslog::Syslog;
use crate::net::ending::Ending;
use crate::net::target::Target;
use crate::stream::context::Context;
use crate::stream::fanout::Fanout;
use crate::stream::handler::Handler;
use crate::units::ByteSize;
use crate::wire::frame::{Embedded, Framing};
use crate::wire::syslog::{Controls, Facility, Form, Options, Severity, StructuredData};

use super::net_groups::{ConnectionArgs, Peer, TlsArgs, UdpArgs, peer};
use super::outlet::OutletArgs;

/// Where the log of this machine listens, on the systems we know.
const LOCAL: [&str; 3] = ["/dev/log", "/var/run/syslog", "/var/run/log"];

/// Send lines to the system log, here or over the network (SysLogHandler)
///
/// A line that begins with <PRI> has that priority, else its level says it, else --priority. Control characters become
/// # and three octal digits (#012 is a line feed), tabs stay.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  app | loghand syslog --tag app --facility local0
  app | loghand syslog udp://logs.example.org --tag app        (port 514)
  app | loghand tee -- syslog tls://logs.example.org --level warning        (port 6514, octet counting)")]
pub struct Args {
    /// Where to: udp://HOST[:514], tcp://HOST[:514], tls://HOST[:6514], unix:///PATH, unixgram:///PATH [default: the log
    /// of this machine]
    #[arg(value_name = "URL")]
    pub target: Option<Target>,
    /// What part of the system speaks: user, daemon, local0, … or its number
    #[arg(long, value_name = "NAME", default_value = "user")]
    pub facility: Facility,
    /// The priority of lines that show none: emerg, alert, crit, err, warning, notice, info, debug, or local0.err for both
    #[arg(short, long, value_name = "NAME", default_value = "notice", value_parser = parse_priority)]
    pub priority: (Option<Facility>, Severity),
    /// What speaks [default: the user's name]
    #[arg(short, long, value_name = "NAME", visible_alias = "ident")]
    pub tag: Option<String>,
    /// Give the process id, loghand's own or this one
    #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true, default_missing_value = "0")]
    pub pid: Option<u32>,
    /// The host that speaks [default: this one]
    #[arg(long, value_name = "NAME")]
    pub hostname: Option<String>,
    /// The form [default: 5424 over the network; what syslog(3) writes on this machine]
    #[arg(long, value_name = "NUMBER")]
    pub rfc: Option<RfcChoice>,
    /// The MSGID of RFC 5424
    #[arg(long, value_name = "ID")]
    pub msgid: Option<String>,
    /// The STRUCTURED-DATA of RFC 5424, as in '[origin@32473 ip="192.0.2.1"]'
    #[arg(long, value_name = "DATA")]
    pub structured_data: Option<StructuredData>,
    /// Begin texts in UTF-8 with a byte order mark, as RFC 5424 asks; most receivers show it as text
    #[arg(long)]
    pub bom: bool,
    /// How messages are told apart in a stream [default: lf; octet-count by TLS; a NUL on this machine]
    #[arg(long, value_name = "HOW")]
    pub framing: Option<FramingChoice>,
    /// End every message with a NUL, as Python does
    #[arg(long)]
    pub append_nul: bool,
    /// Cut messages that are longer, with their header; the number is said
    #[arg(long, value_name = "SIZE")]
    pub max_message: Option<ByteSize>,
    /// Copy the lines to stderr, too
    #[arg(short, long)]
    pub stderr: bool,
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
pub enum RfcChoice {
    /// The older, with the local time of day and without a year
    #[value(name = "3164")]
    Rfc3164,
    #[value(name = "5424")]
    Rfc5424,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FramingChoice {
    /// A line feed behind each
    Lf,
    /// Its length before each (RFC 6587, RFC 5425)
    OctetCount,
}

impl Args {
    pub fn output_name(&self) -> String {
        match self.target() {
            Target::Unix(path) | Target::Unixgram(path) if self.target.is_none() => path.display().to_string(),
            target => target.to_string(),
        }
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
        if let Some(target @ (Target::Http(_) | Target::Https(_))) = &self.target {
            let why = format!("{target}: the system log takes udp, tcp, tls, unix and unixgram; 'ship' knows the web");
            return Err(Usage(why).into());
        }
        self.connection.check()?;
        self.outlet.check()
    }

    /// Opens the outlet, always behind a queue.
    ///
    /// # Errors
    /// When a certificate cannot be used.
    pub fn open(&self, context: &Context) -> Result<Box<dyn Handler>> {
        let ending = self.connection.ending(context);
        let target = self.outlet.layer(&self.output_name(), context, true, |context| {
            let handler = self.handler(context, &ending)?;
            if !self.stderr {
                return Ok(handler);
            }
            let mut both = Fanout::new(context.report.clone());
            both.add("stderr", Box::new(StreamHandler::new(Stream::Stderr)));
            both.add(self.output_name(), handler);
            Ok(Box::new(both))
        })?;
        Ok(Box::new(Draining::new(ending, target)))
    }

    fn target(&self) -> Target {
        match &self.target {
            Some(target) => target.clone(),
            None => local(),
        }
    }

    fn handler(&self, context: &Context, ending: &Ending) -> Result<Box<dyn Handler>> {
        let (target, name, retry) = (self.target(), self.output_name(), self.connection.retry());
        let arrival = Arrival::new(context.clock.clone(), context.zone.clone());
        let payload = Box::new(Syslog::new(self.options(&target), arrival));
        match peer(&target, port, (&self.connection, &self.tls, &self.udp), context)? {
            Some(Peer::Stream(connector)) => {
                let framing = self.framing(&target);
                let layout = Layout { payload, framing, embedded: Embedded::Escape, as_is: false };
                Ok(Box::new(SocketHandler::new(connector, layout, retry, ending.clone(), name, context.clone())))
            }
            Some(Peer::Datagrams(connector)) => {
                let attempts = (retry, ending.clone());
                let context = context.clone();
                Ok(Box::new(DatagramHandler::new(connector, payload, Oversize::Split, attempts, name, context)))
            }
            None => Err(Usage(format!("{target}: the system log does not speak HTTP")).into()),
        }
    }

    fn framing(&self, target: &Target) -> Framing {
        match (self.framing, target) {
            (Some(FramingChoice::Lf), _) => Framing::Lines,
            (Some(FramingChoice::OctetCount), _) | (None, Target::Tls(_)) => Framing::OctetCount,
            (None, Target::Unix(_)) => Framing::Nul,
            (None, _) => Framing::Lines,
        }
    }

    fn options(&self, target: &Target) -> Options {
        let here = matches!(target, Target::Unix(_) | Target::Unixgram(_));
        let host = || rustix::system::uname().nodename().to_string_lossy().into_owned();
        let (facility, severity) = self.priority;
        Options {
            form: match self.rfc {
                Some(RfcChoice::Rfc3164) => Form::Rfc3164,
                Some(RfcChoice::Rfc5424) => Form::Rfc5424,
                None if here => Form::Local,
                None => Form::Rfc5424,
            },
            facility: facility.unwrap_or(self.facility),
            severity,
            host: Some(self.hostname.clone().unwrap_or_else(host)),
            app: Some(self.tag.clone().unwrap_or_else(user)),
            pid: self.pid.map(|pid| if pid == 0 { std::process::id() } else { pid }),
            msgid: self.msgid.clone(),
            structured_data: self.structured_data.clone(),
            bom: self.bom,
            controls: Controls::default(),
            append_nul: self.append_nul,
            max_message: self.max_message.map(|size| usize::try_from(size.0).unwrap_or(usize::MAX)),
        }
    }
}

/// The log of this machine: datagrams, or a stream where that is what its socket takes (as glibc's syslog(3) finds out).
fn local() -> Target {
    // On Linux /run/log is a folder.
    let is_socket = |path: &&&str| Path::new(path).metadata().is_ok_and(|metadata| metadata.file_type().is_socket());
    let path = LOCAL.iter().find(is_socket).unwrap_or(&LOCAL[0]);
    let stream = std::os::unix::net::UnixDatagram::unbound().and_then(|socket| socket.connect(path));
    match stream {
        Err(error) if rustix::io::Errno::from_io_error(&error) == Some(rustix::io::Errno::PROTOTYPE) => {
            Target::Unix(path.into())
        }
        _ => Target::Unixgram(path.into()),
    }
}

fn port(target: &Target) -> u16 {
    if matches!(target, Target::Tls(_)) { 6514 } else { 514 }
}

/// As logger has it.
fn user() -> String {
    let user = nix::unistd::User::from_uid(nix::unistd::Uid::effective());
    user.ok().flatten().map_or_else(|| "loghand".to_owned(), |user| user.name)
}

fn parse_priority(text: &str) -> Result<(Option<Facility>, Severity), String> {
    match text.split_once('.') {
        None => text
            .parse()
            .map(|severity| (None, severity))
            .map_err(|error: crate::wire::syslog::SeverityError| error.to_string()),
        Some((facility, severity)) => {
            let facility = facility.parse().map_err(|error: crate::wire::syslog::FacilityError| error.to_string())?;
            let severity = severity.parse().map_err(|error: crate::wire::syslog::SeverityError| error.to_string())?;
            Ok((Some(facility), severity))
        }
    }
}
