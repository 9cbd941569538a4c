//! One request and its answer on a connection that is there.

use axum::{
    body::Bytes,
    http::{HeaderMap, Request, StatusCode, header},
};
use holdfast_common::{
    job::limits::LONGEST_DOUBLED,
    time::{Millis, Timestamp},
};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use std::{
    convert::Infallible,
    error::Error as _,
    future,
    time::{Duration, UNIX_EPOCH},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, timeout, timeout_at},
};

/// Bytes of an answer's head; and as many are read of what follows it.
const ANSWER_BYTES: usize = 64 * 1024;

/// The longest that a receiver may put us off.
const LONGEST: Millis = LONGEST_DOUBLED;

/// What of an answer is of interest.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Millis>,
}

/// The head of the answer has to come by `end`; what follows it is read for no longer than `rest`.
pub(super) async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    request: Request<Full<Bytes>>,
    now: Timestamp,
    (end, rest): (Instant, Duration),
) -> Result<Answer, Broken> {
    // What the buffer may hold bounds a head that has no end; one that ends may be larger than that.
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(ANSWER_BYTES)
        .max_header_size(ANSWER_BYTES)
        .handshake(TokioIo::new(stream))
        .await?;
    // What ends the connection is told by the request as well, and may come with the answer.
    let driven = async {
        let _ = connection.await;
        future::pending::<Infallible>().await
    };
    let asked = async {
        let answer = sender.send_request(request);
        let answer = timeout_at(end, answer).await.map_err(|_| Broken::Late)??;
        let status = answer.status();
        let retry_after = retry_after(answer.headers(), now);
        // Whoever is cut off in the middle of an answer may take back what they have done.
        let _ = timeout(rest, read(answer.into_body())).await;
        Ok(Answer { status, retry_after })
    };
    tokio::select! {
        answer = asked => answer,
        never = driven => match never {},
    }
}

async fn read(mut body: Incoming) {
    let mut left = ANSWER_BYTES;
    while let Some(Ok(frame)) = body.frame().await {
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        match left.checked_sub(bytes) {
            Some(fewer) => left = fewer,
            None => return,
        }
    }
}

/// `Retry-After` in seconds or as a date (RFC 9110, 10.2.3), from now.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Millis> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let millis = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse::<u64>().unwrap_or(u64::MAX).saturating_mul(1_000)
    } else {
        let date = httpdate::parse_http_date(text).ok()?;
        let date = date.duration_since(UNIX_EPOCH).ok()?.as_millis();
        u64::try_from(date).unwrap_or(u64::MAX).saturating_sub(now.0)
    };
    Some(Millis(millis).min(LONGEST))
}

/// Why a connection brought no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    #[error("the receiver did not answer in time")]
    Late,
    #[error(
        "the receiver's answer has a head of more than {ANSWER_BYTES} bytes, or of too many lines"
    )]
    TooLarge,
    #[error("what the receiver answered is not HTTP: {0}")]
    NotHttp(hyper::Error),
    #[error("the receiver closed the connection without an answer")]
    Closed,
    #[error("the connection to the receiver broke: {0}")]
    Other(String),
}

impl From<hyper::Error> for Broken {
    fn from(error: hyper::Error) -> Self {
        if error.is_parse_too_large() {
            Self::TooLarge
        } else if error.is_parse() {
            Self::NotHttp(error)
        } else if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
            Self::Closed
        } else {
            Self::Other(error.source().map_or_else(|| error.to_string(), ToString::to_string))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp(1_795_305_600_000); // 22 November 2026

    fn after(text: &str) -> Option<Millis> {
        let value = HeaderValue::from_str(text).ok()?;
        retry_after(&HeaderMap::from_iter([(header::RETRY_AFTER, value)]), NOW)
    }

    #[test]
    fn a_receiver_can_put_us_off_by_seconds_or_until_a_date() {
        assert_eq!(after("120"), Some(Millis(120_000)));
        assert_eq!(after(" 0 "), Some(Millis(0)));
        assert_eq!(after("Sun, 22 Nov 2026 00:01:40 GMT"), Some(Millis(100_000)));
        assert_eq!(after("Sunday, 22-Nov-26 00:01:40 GMT"), Some(Millis(100_000)));
    }

    #[test]
    fn nobody_is_put_off_into_the_past_or_for_more_than_half_a_day() {
        assert_eq!(after("Sat, 21 Nov 2026 00:00:00 GMT"), Some(Millis(0)));
        assert_eq!(after("43201"), Some(Millis(43_200_000)));
        assert_eq!(after("99999999999999999999999999"), Some(LONGEST));
        assert_eq!(after("Tue, 22 Nov 2033 00:00:00 GMT"), Some(LONGEST));
    }

    #[test]
    fn what_cannot_be_read_puts_nobody_off() {
        for text in ["", "-1", "1.5", "soon", "Sun, 32 Nov 2026 00:00:00 GMT", "+5"] {
            assert_eq!(after(text), None, "{text}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), NOW), None);
    }

    proptest! {
        #[test]
        fn no_text_does_harm(text in "[ -~]{0,60}", date in "[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT") {
            let _ = after(&text);
            prop_assert!(after(&date).is_none_or(|wait| wait <= LONGEST));
        }
    }
}
