//! Brings batches to the server, each until it is taken, refused for good, or time is up.

use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, Method, Request, Response, StatusCode, Url};

use crate::handlers::persistence::Retry;
use crate::net::ending::Ending;
use crate::stream::batch::Batch;
use crate::stream::context::Context;
use crate::wire::form;

use super::body::{Body, Sender, encode, pack};
use super::client::why;
use super::dead_letters::DeadLetters;
use super::policy::{Verdict, judge, reason};

/// While something is under way, the end of the input and TERM are looked for this often.
const GLANCE: Duration = Duration::from_millis(50);
/// Of an answer no more than this is read; a connection with more to read is not used again.
const MOST_READ: usize = 64 << 10;

/// How requests are made.
#[derive(Clone, Debug)]
pub struct Manner {
    pub url: Url,
    pub method: Method,
    pub body: Body,
    pub gzip: bool,
    /// Besides those that the body asks for, and before them.
    pub headers: HeaderMap,
    /// For connecting and for each request with its answer.
    pub timeout: Duration,
    pub drain_timeout: Duration,
    /// What is given up is set aside.
    pub retry: Retry,
}

/// Shared by all requests that are under way.
pub struct Courier {
    pub client: Client,
    pub manner: Manner,
    pub sender: Sender,
    pub letters: Mutex<DeadLetters>,
    pub context: Context,
    pub ending: Ending,
    /// What messages call the server.
    pub name: String,
    /// Since when the server takes nothing.
    pub down: Mutex<Option<Instant>>,
    /// When it took something last, or refused it.
    pub taken: Mutex<Option<Instant>>,
    /// What was left when time was up, to be said in one sentence, and why.
    pub left: Mutex<(u64, String)>,
}

/// How one request ended.
enum Sent {
    Answered(Verdict, String),
    /// There is no connection, or it broke before the answer.
    Broken(String),
    /// There was no answer in time.
    Late(String),
}

/// How the attempts at one part of a batch ended.
enum End {
    Delivered,
    TooLarge(String),
    Refused(String),
    /// Time is up.
    Left(String),
}

impl Courier {
    /// Delivers the records; says whether none was lost. Whatever is, is reported here.
    pub async fn deliver(&self, batch: Batch<'_>) -> bool {
        let mut safe = true;
        // Parts of the batch, the first at the end.
        let mut parts = vec![batch];
        while let Some(part) = parts.pop() {
            if matches!(self.manner.body, Body::Form(_)) && part.first_len() < part.len() {
                let (first, rest) = part.split_at(part.first_len());
                parts.extend([rest, first]);
                continue;
            }
            match self.persist(&part).await {
                End::Delivered => {}
                End::TooLarge(_) if part.first_len() < part.len() => {
                    let (first, rest) = part.split_at(middle(&part));
                    parts.extend([rest, first]);
                }
                End::TooLarge(why) | End::Refused(why) => safe &= self.letters().put(&part, &why),
                End::Left(why) => {
                    let left = part.count() + parts.iter().map(Batch::count).sum::<u64>();
                    let mut sum = self.left.lock().unwrap_or_else(PoisonError::into_inner);
                    // What nothing was tried for any more has no reason of its own.
                    let why = if sum.0 == 0 { why } else { std::mem::take(&mut sum.1) };
                    *sum = (sum.0 + left, why);
                    return false;
                }
            }
        }
        safe
    }

    /// Sends one request until it is answered for good.
    async fn persist(&self, part: &Batch<'_>) -> End {
        let request = match self.request(part) {
            Ok(request) => request,
            Err(why) => return End::Refused(why),
        };
        let mut backoff = self.manner.retry.backoff;
        let mut latest = "there was no answer yet".to_owned();
        let mut attempts = 0;
        loop {
            // A body in memory can always be copied, and is not: its bytes are shared.
            let Some(attempt) = request.try_clone() else { return End::Refused("the request cannot be copied".into()) };
            let Some(sent) = self.unless_over(self.send(attempt)).await else { return End::Left(latest) };
            attempts += 1;
            let (why, after) = match sent {
                Sent::Answered(Verdict::Again(after), why) => (why, after),
                // A server that was restarted, or has closed an idle connection, is there at once: nothing to speak of.
                Sent::Broken(_) if attempts == 1 => continue,
                Sent::Broken(why) | Sent::Late(why) => (why, None),
                Sent::Answered(verdict, why) => {
                    self.is_up();
                    return match verdict {
                        Verdict::TooLarge => End::TooLarge(why),
                        Verdict::Refused => End::Refused(why),
                        _ => End::Delivered,
                    };
                }
            };
            if self.is_down(&why) {
                return End::Refused(format!("{why}, and --give-up-after is over"));
            }
            latest = why;
            let rested = match after {
                Some(wait) => self.unless_over(tokio::time::sleep(wait)).await,
                None => self.rest(backoff.advance_with_jitter()).await,
            };
            if rested.is_none() {
                return End::Left(latest);
            }
        }
    }

    /// The server takes nothing for now, which is said once; whether it has been given up.
    fn is_down(&self, why: &str) -> bool {
        let mut since = self.down.lock().unwrap_or_else(PoisonError::into_inner);
        if since.is_none() {
            self.context.report.warn(&self.name, format_args!("{why}: trying again, the lines wait"));
        }
        let gone = since.get_or_insert_with(Instant::now).elapsed();
        self.manner.retry.give_up_after.is_some_and(|most| gone >= most)
    }

    fn is_up(&self) {
        *self.taken.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        if self.down.lock().unwrap_or_else(PoisonError::into_inner).take().is_some() {
            self.context.report.warn(&self.name, "sending again");
        }
    }

    /// Sleeps, and no longer than to the end of the lines, which is worth another attempt; None when time is up.
    async fn rest(&self, wait: Duration) -> Option<()> {
        let until = Instant::now() + wait;
        let ended_before = self.ending.left().is_some();
        while Instant::now() < until && self.ending.left().is_some() == ended_before {
            let left = until.saturating_duration_since(Instant::now());
            self.unless_over(tokio::time::sleep(left.min(GLANCE))).await?;
        }
        Some(())
    }

    fn request(&self, part: &Batch<'_>) -> Result<Request, String> {
        let Manner { method, body, .. } = &self.manner;
        let mut bytes = encode(part, body, &self.sender);
        if *method == Method::GET {
            // The form is percent-encoded, so it is ASCII.
            let url = form::with_query(self.manner.url.as_str(), &String::from_utf8_lossy(&bytes));
            let url = url.parse().map_err(|error| format!("the record makes no URL: {error}"))?;
            let mut request = Request::new(Method::GET, url);
            request.headers_mut().extend(self.manner.headers.clone());
            return Ok(request);
        }
        let mut request = Request::new(method.clone(), self.manner.url.clone());
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(body.content_type()));
        if self.manner.gzip {
            bytes = pack(&bytes).map_err(|error| error.to_string())?;
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        headers.extend(self.manner.headers.clone());
        *request.body_mut() = Some(bytes.into());
        Ok(request)
    }

    async fn send(&self, request: Request) -> Sent {
        let answer = match self.client.execute(request).await {
            Ok(answer) => answer,
            Err(error) if error.is_timeout() => return Sent::Late(why(error, self.manner.timeout)),
            Err(error) => return Sent::Broken(why(error, self.manner.timeout)),
        };
        let (status, headers) = (answer.status(), answer.headers().clone());
        let verdict = judge(status, &headers, self.context.clock.now());
        // Read to its end, the connection serves the next request. What the server thinks is known already.
        let text = read(answer).await;
        let why = if status == StatusCode::OK { String::new() } else { reason(status, &headers, &text) };
        Sent::Answered(verdict, why)
    }

    /// What becomes of `work`; None when the time at the end is over before.
    async fn unless_over<F: Future>(&self, work: F) -> Option<F::Output> {
        let mut work = pin!(work);
        loop {
            if self.is_over() {
                return None;
            }
            if let Ok(output) = tokio::time::timeout(GLANCE, work.as_mut()).await {
                return Some(output);
            }
        }
    }

    /// Whether the time at the end is over. After TERM it is what it is; after the last line it begins anew with whatever
    /// the server takes: what is slow and goes well loses nothing.
    fn is_over(&self) -> bool {
        let taken = *self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = || taken.is_none_or(|at| at.elapsed() >= self.manner.drain_timeout);
        self.ending.is_over() && (self.context.stop.requested() || waited())
    }

    fn letters(&self) -> MutexGuard<'_, DeadLetters> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a batch of several records is cut in two: near its middle, between records.
fn middle(batch: &Batch<'_>) -> usize {
    match batch.fit(batch.len() as u64 / 2) {
        0 => batch.first_len(),
        half => half,
    }
}

/// The beginning of what the server has to say.
async fn read(mut answer: Response) -> Vec<u8> {
    let mut text = Vec::new();
    while let Ok(Some(more)) = answer.chunk().await {
        text.extend_from_slice(&more);
        if text.len() >= MOST_READ {
            break;
        }
    }
    text
}
