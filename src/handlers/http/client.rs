//! The HTTP client: one connection for each request under way, kept alive, with the proxies of the environment.

use std::error::Error;
use std::time::Duration;

use anyhow::{Context as _, Result};
use reqwest::Client;
use reqwest::redirect::Policy;
use rustls::ClientConfig;

/// What the client is made of.
pub struct Connecting {
    /// For connecting, and for each request with its answer.
    pub timeout: Duration,
    /// How often a silent server is asked by TCP whether it is there.
    pub keep_alive: Option<Duration>,
    /// For https://, and for a proxy that is reached so.
    pub tls: Option<ClientConfig>,
    /// Requests under way at once.
    pub connections: usize,
}

/// Makes the client; nothing is connected yet.
///
/// # Errors
/// When a proxy of the environment cannot be meant.
pub fn client(connecting: Connecting) -> Result<Client> {
    let Connecting { timeout, keep_alive, tls, connections } = connecting;
    let mut builder = Client::builder()
        .user_agent(concat!("loghand/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .connect_timeout(timeout)
        .timeout(timeout)
        .pool_max_idle_per_host(connections)
        .tcp_keepalive(keep_alive);
    if let Some(tls) = tls {
        builder = builder.use_preconfigured_tls(tls);
    }
    builder.build().context("the HTTP client cannot be made")
}

/// Why there was no answer, in a few words: the innermost reason, without the URL.
pub fn why(error: reqwest::Error, timeout: Duration) -> String {
    if error.is_timeout() {
        let what = if error.is_connect() { "no connection" } else { "no answer" };
        return format!("{what} within {timeout:?}");
    }
    // Its query may hold a secret.
    let error = error.without_url();
    let mut innermost: &dyn Error = &error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
