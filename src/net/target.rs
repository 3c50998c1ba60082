//! Where lines are sent, as a URL: `tcp://host:port`, `tls://`, `udp://`, `unix:///path`, `unixgram:///path`, `http://`,
//! `https://`. A port that is left out is the verb's to choose.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use thiserror::Error;

/// Where a peer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Tcp(Address),
    Tls(Address),
    Udp(Address),
    /// A stream socket in the file system.
    Unix(PathBuf),
    /// A datagram socket in the file system.
    Unixgram(PathBuf),
    Http(Web),
    Https(Web),
}

/// A host, by its name or its address (IPv6 without brackets), and perhaps a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub host: String,
    pub port: Option<u16>,
}

/// A web server, and what is asked of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Web {
    pub address: Address,
    /// The path and the query, from the slash on; `/` when none was given.
    pub path: String,
}

/// Text that is no such URL, with what would be right.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TargetError {
    #[error("'{0}' is no URL: write it as in tcp://host:9020, unix:///run/log.sock or https://host/path")]
    NoUrl(String),
    #[error("'{0}://' is no scheme known here: one of tcp, tls, udp, unix, unixgram, http, https")]
    Scheme(String),
    #[error("the host is missing in '{0}': write it as in tcp://host:9020")]
    NoHost(String),
    #[error("'{0}' is no port: a number from 1 to 65535")]
    Port(String),
    #[error("'{0}' is no IPv6 address in brackets, as in tcp://[::1]:9020")]
    Brackets(String),
    #[error("the path is missing: {0}:///path/to/socket, with three slashes")]
    NoPath(String),
    #[error("'{0}' stands behind the port: only http and https have a path")]
    Behind(String),
    #[error("a name and a password do not belong into a URL, where every user of the machine can see them")]
    Credentials,
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let (scheme, rest) = text.split_once("://").ok_or_else(|| TargetError::NoUrl(text.to_owned()))?;
        let path = || match rest.starts_with('/') && rest.len() > 1 {
            true => Ok(PathBuf::from(rest)),
            false => Err(TargetError::NoPath(scheme.to_ascii_lowercase())),
        };
        match scheme.to_ascii_lowercase().as_str() {
            "tcp" => Ok(Self::Tcp(bare_address(text, rest)?)),
            "tls" => Ok(Self::Tls(bare_address(text, rest)?)),
            "udp" => Ok(Self::Udp(bare_address(text, rest)?)),
            "unix" => Ok(Self::Unix(path()?)),
            "unixgram" => Ok(Self::Unixgram(path()?)),
            "http" => Ok(Self::Http(web(text, rest)?)),
            "https" => Ok(Self::Https(web(text, rest)?)),
            _ => Err(TargetError::Scheme(scheme.to_owned())),
        }
    }
}

/// An address with nothing behind it but perhaps one slash.
fn bare_address(url: &str, rest: &str) -> Result<Address, TargetError> {
    let (authority, behind) = split_authority(rest);
    match behind {
        "" | "/" => address(url, authority),
        _ => Err(TargetError::Behind(behind.to_owned())),
    }
}

fn web(url: &str, rest: &str) -> Result<Web, TargetError> {
    let (authority, behind) = split_authority(rest);
    let path = match behind.split('#').next().unwrap_or_default() {
        path if path.starts_with('/') => path.to_owned(),
        query => format!("/{query}"),
    };
    Ok(Web { address: address(url, authority)?, path })
}

fn split_authority(rest: &str) -> (&str, &str) {
    rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()))
}

fn address(url: &str, authority: &str) -> Result<Address, TargetError> {
    if authority.contains('@') {
        return Err(TargetError::Credentials);
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(inside) => {
            let broken = || TargetError::Brackets(authority.to_owned());
            let (host, behind) = inside.split_once(']').ok_or_else(broken)?;
            host.split('%').next().unwrap_or_default().parse::<std::net::Ipv6Addr>().map_err(|_| broken())?;
            let port = if behind.is_empty() { None } else { Some(behind.strip_prefix(':').ok_or_else(broken)?) };
            (host, port)
        }
        None if authority.matches(':').count() > 1 => return Err(TargetError::Brackets(authority.to_owned())),
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    if host.is_empty() {
        return Err(TargetError::NoHost(url.to_owned()));
    }
    let port = port.map(|port| {
        let digits = port.bytes().all(|byte| byte.is_ascii_digit());
        port.parse().ok().filter(|number| digits && *number != 0).ok_or_else(|| TargetError::Port(port.to_owned()))
    });
    Ok(Address { host: host.to_owned(), port: port.transpose()? })
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]", self.host)?,
            false => f.write_str(&self.host)?,
        }
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "tcp://{address}"),
            Self::Tls(address) => write!(f, "tls://{address}"),
            Self::Udp(address) => write!(f, "udp://{address}"),
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Unixgram(path) => write!(f, "unixgram://{}", path.display()),
            Self::Http(web) => write!(f, "http://{}{}", web.address, web.path),
            Self::Https(web) => write!(f, "https://{}{}", web.address, web.path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_right_is_printed_as_it_was_read() {
        for url in [
            "tcp://localhost",
            "tcp://127.0.0.1:9020",
            "tls://[::1]:6514",
            "udp://[fe80::1%eth0]",
            "unix:///run/log.sock",
            "unixgram:///dev/log",
            "http://example.org/",
            "https://example.org:8443/in?key=a/b",
        ] {
            assert_eq!(url.parse::<Target>().unwrap().to_string(), url);
        }
        assert_eq!("HTTP://a?b#c".parse::<Target>().unwrap().to_string(), "http://a/?b");
        assert_eq!("Tcp://a:1/".parse::<Target>().unwrap().to_string(), "tcp://a:1");
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (url, says) in [
            ("localhost:9020", "is no URL"),
            ("gopher://a", "'gopher://' is no scheme"),
            ("tcp://", "host is missing"),
            ("tcp://:9020", "host is missing"),
            ("https:///path", "host is missing"),
            ("tcp://a:0", "'0' is no port"),
            ("tcp://a:", "'' is no port"),
            ("tcp://a:+1", "'+1' is no port"),
            ("tcp://a:65536", "'65536' is no port"),
            ("tcp://::1:9020", "brackets"),
            ("tcp://[::1", "brackets"),
            ("tcp://[::1]9", "brackets"),
            ("tcp://[a]:9", "brackets"),
            ("tcp://a:1/path", "only http and https"),
            ("unix://run/log", "three slashes"),
            ("unixgram:///", "three slashes"),
            ("http://me:secret@a/", "do not belong"),
        ] {
            let error = url.parse::<Target>().unwrap_err().to_string();
            assert!(error.contains(says), "{url}: {error}");
        }
    }
}
