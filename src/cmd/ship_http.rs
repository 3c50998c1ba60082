//! `loghand ship http://…`: the flags of HTTPHandler, and how they become one.

use std::fs;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};
use reqwest::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING,
};
use reqwest::{Method, Url};

use crate::cli::Usage;
use crate::handlers::http::{Body, Connecting, HttpHandler, HttpOptions, Keys, Limits, Manner};
use crate::net::ending::Ending;
use crate::net::target::{Address, Target, Web};
use crate::stream::context::Context;
use crate::units::{ByteSize, Span, parse_positive};
use crate::wire::base64;
use crate::wire::event::Event;
use crate::wire::form::Fields;

use super::groups::RecordArgs;
use super::net_groups::{ConnectionArgs, TlsArgs};

/// Where the secrets are when they are in no file.
const PASSWORD: &str = "LOGHAND_PASSWORD";
const TOKEN: &str = "LOGHAND_TOKEN";

/// Sending to a web server (HTTPHandler).
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "HTTP (HTTPHandler)")]
pub struct HttpArgs {
    /// How records are sent; GET has them in the query, as --body form [default: POST]
    #[arg(long, value_name = "METHOD", ignore_case = true)]
    pub method: Option<MethodChoice>,
    /// What stands in a request [default: lines; with --method GET: form]
    #[arg(long, value_name = "WHAT")]
    pub body: Option<BodyChoice>,
    /// The keys or fields of each record that travel, with commas between them [default: all]
    ///
    /// For json and ndjson: time, level, name, host, pid, filename, ...; the message always does. For form: the
    /// attributes of Python's LogRecord, and message and hostname.
    #[arg(long, value_name = "LIST")]
    pub fields: Option<String>,
    /// Records in a request at most [default: 5000]
    #[arg(long, value_name = "N", value_parser = parse_positive::<NonZeroUsize>)]
    pub batch_lines: Option<NonZeroUsize>,
    /// Bytes of lines in a request at most; a longer line is sent alone [default: 1M]
    #[arg(long, value_name = "SIZE")]
    pub batch_bytes: Option<ByteSize>,
    /// How long the first record of a request waits for others [default: 1s]
    #[arg(long, value_name = "DURATION")]
    pub batch_wait: Option<Span>,
    /// Pack requests with gzip
    #[arg(long)]
    pub gzip: bool,
    /// Send this header with every request, as in 'X-Source: web-1'; repeatable
    #[arg(long, value_name = "HEADER")]
    pub header: Vec<Header>,
    /// The user of Basic authentication; the password is in --password-file or LOGHAND_PASSWORD
    ///
    /// A token in LOGHAND_TOKEN is sent as Bearer authentication when there is no --user.
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// The file that holds the password
    #[arg(long, value_name = "FILE", requires = "user")]
    pub password_file: Option<PathBuf>,
    /// Requests under way at once; more than 1 does not keep the order [default: 1]
    #[arg(long, value_name = "N", value_parser = parse_positive::<NonZeroUsize>)]
    pub concurrency: Option<NonZeroUsize>,
    /// Keep the lines that the server refuses in this file; without it they are lost, and counted
    #[arg(long, value_name = "FILE")]
    pub dead_letter: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "UPPER")]
pub enum MethodChoice {
    Post,
    Put,
    Get,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BodyChoice {
    /// The lines as they are, many in a request
    Lines,
    /// A JSON object a line, many in a request
    Ndjson,
    /// An array of JSON objects
    Json,
    /// What Python's HTTPHandler sends: a form of one record
    Form,
}

/// A header as it is typed.
#[derive(Clone, Debug)]
pub struct Header(HeaderName, HeaderValue);

impl FromStr for Header {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("'{text}' is no header, as in 'X-Source: web-1'");
        let (name, value) = text.split_once(':').ok_or_else(bad)?;
        let name = HeaderName::from_str(name.trim()).map_err(|_| bad())?;
        if name == AUTHORIZATION {
            return Err(format!("anybody can read it in the list of processes: use --user, or {TOKEN}"));
        }
        if [CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION].contains(&name) {
            return Err(format!("{name} is for the body to say"));
        }
        HeaderValue::from_str(value.trim()).map(|value| Self(name, value)).map_err(|_| bad())
    }
}

impl HttpArgs {
    /// A flag that was given, for targets that have no use for it.
    pub fn given(&self) -> Option<&'static str> {
        let given = [
            ("--method", self.method.is_some()),
            ("--body", self.body.is_some()),
            ("--fields", self.fields.is_some()),
            ("--batch-lines", self.batch_lines.is_some()),
            ("--batch-bytes", self.batch_bytes.is_some()),
            ("--batch-wait", self.batch_wait.is_some()),
            ("--gzip", self.gzip),
            ("--header", !self.header.is_empty()),
            ("--user", self.user.is_some()),
            ("--password-file", self.password_file.is_some()),
            ("--concurrency", self.concurrency.is_some()),
            ("--dead-letter", self.dead_letter.is_some()),
        ];
        given.into_iter().find(|(_, given)| *given).map(|(flag, _)| flag)
    }

    /// Looks for words that cannot be meant, and touches nothing.
    ///
    /// # Errors
    /// [`Usage`] if there are any.
    pub fn check(&self, target: &Target) -> Result<()> {
        url(target)?;
        self.body()?;
        let no_password = self.password_file.is_none() && std::env::var_os(PASSWORD).is_none();
        if self.user.is_some() && no_password {
            let why =
                format!("--user: the password is missing: --password-file FILE, or {PASSWORD} in the environment");
            return Err(Usage(why).into());
        }
        Ok(())
    }

    /// Whether the level of each record is sent.
    pub fn wants_levels(&self) -> bool {
        self.body_choice() != BodyChoice::Lines
    }

    /// What messages call the server: its address without what may be secret in it.
    pub fn name(target: &Target) -> String {
        target.to_string().split('?').next().unwrap_or_default().to_owned()
    }

    /// The handler.
    ///
    /// # Errors
    /// [`Usage`] as of [`HttpArgs::check`]; a file that cannot be read or opened.
    pub fn open(
        &self,
        target: &Target,
        (connection, tls): (&ConnectionArgs, &TlsArgs),
        records: &RecordArgs,
        ending: &Ending,
        context: &Context,
    ) -> Result<HttpHandler> {
        let body = self.body()?;
        let one_by_one = matches!(body, Body::Form(_));
        let batch_bytes = self.batch_bytes.map_or(1 << 20, |size| usize::try_from(size.0).unwrap_or(usize::MAX));
        let limits = Limits {
            records: if one_by_one { 1 } else { self.batch_lines.map_or(5000, NonZeroUsize::get) },
            bytes: batch_bytes.max(1),
            wait: self.batch_wait.map_or(Duration::from_secs(1), |span| span.0),
        };
        let name = Self::name(target);
        let tls = match target {
            Target::Https(web) => Some(tls.open(&web.address, &name, context)?.config()),
            _ => None,
        };
        let timeout = connection.timeout.0;
        let options = HttpOptions {
            name,
            manner: Manner {
                url: url(target)?,
                method: self.method(),
                body,
                gzip: self.gzip,
                headers: self.headers()?,
                timeout,
                drain_timeout: connection.drain_timeout.0,
                retry: connection.retry(),
            },
            connecting: Connecting {
                timeout,
                keep_alive: connection.keep_alive(),
                tls,
                connections: self.concurrency.map_or(1, NonZeroUsize::get),
            },
            limits,
            dead_letter: self.dead_letter.clone(),
            ending: ending.clone(),
            defaults: defaults(records),
        };
        HttpHandler::open(options, context.clone())
    }

    fn method(&self) -> Method {
        match self.method {
            None | Some(MethodChoice::Post) => Method::POST,
            Some(MethodChoice::Put) => Method::PUT,
            Some(MethodChoice::Get) => Method::GET,
        }
    }

    fn body_choice(&self) -> BodyChoice {
        let default = if self.method() == Method::GET { BodyChoice::Form } else { BodyChoice::Lines };
        self.body.unwrap_or(default)
    }

    fn body(&self) -> Result<Body> {
        let wrong = |why: String| Err(Usage(why).into());
        let choice = self.body_choice();
        if self.method() == Method::GET && choice != BodyChoice::Form {
            return wrong("--method GET has no body, so it takes --body form alone".into());
        }
        if self.method() == Method::GET && self.gzip {
            return wrong("--method GET has no body that --gzip could pack".into());
        }
        if choice == BodyChoice::Form {
            let batched = [
                ("--batch-lines", self.batch_lines.is_some()),
                ("--batch-bytes", self.batch_bytes.is_some()),
                ("--batch-wait", self.batch_wait.is_some()),
            ];
            if let Some((flag, _)) = batched.into_iter().find(|(_, given)| *given) {
                return wrong(format!("{flag}: a form holds one record, so there are no batches of them"));
            }
        }
        let fields = self.fields.as_deref();
        let keys = || fields.map_or(Ok(Keys::All), str::parse).map_err(|error| Usage(format!("--fields: {error}")));
        match choice {
            BodyChoice::Lines if fields.is_some() => {
                wrong("--fields: lines have none; use --body ndjson or form".into())
            }
            BodyChoice::Lines => Ok(Body::Lines),
            BodyChoice::Ndjson => Ok(Body::NdJson(keys()?)),
            BodyChoice::Json => Ok(Body::Json(keys()?)),
            BodyChoice::Form => match fields.map_or(Ok(Fields::All), str::parse) {
                Ok(fields) => Ok(Body::Form(fields)),
                Err(error) => wrong(format!("--fields: {error}")),
            },
        }
    }

    fn headers(&self) -> Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        for Header(name, value) in &self.header {
            headers.append(name.clone(), value.clone());
        }
        let credentials = match &self.user {
            Some(user) => {
                let mut text = b"Basic ".to_vec();
                base64::encode(format!("{user}:{}", self.password()?).as_bytes(), &mut text);
                Some(text)
            }
            None => std::env::var(TOKEN).ok().map(|token| format!("Bearer {token}").into_bytes()),
        };
        if let Some(credentials) = credentials {
            let value = HeaderValue::from_bytes(&credentials);
            let mut value = value.with_context(|| format!("{TOKEN}: cannot stand in a header"))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        Ok(headers)
    }

    /// The first line of the file, or the environment's.
    fn password(&self) -> Result<String> {
        let Some(path) = &self.password_file else { return std::env::var(PASSWORD).context(PASSWORD) };
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        Ok(text.lines().next().unwrap_or_default().to_owned())
    }
}

/// The URL, with the port that is meant when there is none: Python's for HTTP, and that of the web by TLS.
fn url(target: &Target) -> Result<Url> {
    let ported = |web: &Web, port| {
        let address = Address { port: Some(web.address.port.unwrap_or(port)), ..web.address.clone() };
        Web { address, ..web.clone() }
    };
    let target = match target {
        Target::Http(web) => Target::Http(ported(web, 9022)),
        Target::Https(web) => Target::Https(ported(web, 443)),
        other => other.clone(),
    };
    Url::parse(&target.to_string()).map_err(|error| Usage(format!("{}: {error}", HttpArgs::name(&target))).into())
}

/// What every record has that doesn't say so itself.
fn defaults(records: &RecordArgs) -> Event<'static> {
    Event {
        level: Some(records.default_level),
        name: records.name.as_deref().map(|name| name.to_owned().into()),
        host: Some(rustix::system::uname().nodename().to_string_lossy().into_owned().into()),
        pid: Some(std::process::id()),
        ..Event::default()
    }
}
