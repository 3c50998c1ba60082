//! What an answer means: delivered, try again (and when), too large, or refused for good.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, LOCATION, RETRY_AFTER};

/// A server that names a later time than this is asked again then.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(60 * 60);

/// What becomes of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Delivered,
    /// To be sent again: after so long where the server said so, else by the back-off.
    Again(Option<Duration>),
    /// To be sent in smaller parts.
    TooLarge,
    /// The server will never take it.
    Refused,
}

/// The verdict on an answer. Redirects are refused, wherever they lead: a client that follows one may hand its
/// credentials and its log to somebody else (and makes a POST a GET).
pub fn judge(status: StatusCode, headers: &HeaderMap, now: DateTime<Utc>) -> Verdict {
    match status {
        status if status.is_success() => Verdict::Delivered,
        StatusCode::PAYLOAD_TOO_LARGE => Verdict::TooLarge,
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Verdict::Again(retry_after(headers, now)),
        status if status.is_server_error() => Verdict::Again(retry_after(headers, now)),
        _ => Verdict::Refused,
    }
}

/// RFC 9110, section 10.2.3: seconds, or an HTTP date.
fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => (DateTime::parse_from_rfc2822(text).ok()?.to_utc() - now).to_std().unwrap_or_default(),
    };
    Some(wait.min(LONGEST_RETRY_AFTER))
}

/// Why a server did not take a batch, in its own words: the status, and the first line of what it wrote.
pub fn reason(status: StatusCode, headers: &HeaderMap, text: &[u8]) -> String {
    const MOST: usize = 120;
    let mut reason = status.to_string();
    if status.is_redirection() {
        let location = headers.get(LOCATION).and_then(|location| location.to_str().ok());
        let location = location.and_then(|location| location.split('?').next()).unwrap_or("nowhere");
        return format!("{reason} to {location}: redirects are not followed");
    }
    // A page for a browser says no more than its title.
    let is_page = text.trim_ascii_start().starts_with(b"<");
    let text = String::from_utf8_lossy(text);
    if let Some(line) = text.lines().map(str::trim).find(|line| !line.is_empty() && !is_page) {
        reason.push_str(": ");
        reason.extend(line.chars().filter(|c| !c.is_control()).take(MOST));
    }
    reason
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn after(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(value))])
    }

    #[test]
    fn every_status_has_its_verdict() {
        let none = HeaderMap::new();
        for (status, verdict) in [
            (200, Verdict::Delivered),
            (204, Verdict::Delivered),
            (301, Verdict::Refused),
            (400, Verdict::Refused),
            (401, Verdict::Refused),
            (408, Verdict::Again(None)),
            (413, Verdict::TooLarge),
            (429, Verdict::Again(None)),
            (500, Verdict::Again(None)),
            (503, Verdict::Again(None)),
        ] {
            assert_eq!(judge(StatusCode::from_u16(status).unwrap(), &none, Utc::now()), verdict, "{status}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = DateTime::parse_from_rfc3339("1994-11-06T08:49:30Z").unwrap().to_utc();
        for (value, wait) in [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(7)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("99999999", Some(3600)),
            ("soon", None),
            ("-1", None),
        ] {
            assert_eq!(retry_after(&after(value), now), wait.map(Duration::from_secs), "{value}");
        }
    }

    #[test]
    fn a_reason_is_one_line() {
        let (none, bad) = (HeaderMap::new(), StatusCode::BAD_REQUEST);
        assert_eq!(reason(bad, &none, b""), "400 Bad Request");
        assert_eq!(reason(bad, &none, b"\n bad\tfield 'x'\nmore"), "400 Bad Request: badfield 'x'");
        assert_eq!(reason(bad, &none, b"<html>\n"), "400 Bad Request");
    }
}
