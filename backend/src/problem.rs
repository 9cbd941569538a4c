//! Errors of HTTP: `application/problem+json` (RFC 9457) with a stable `code`. The one place that
//! maps a code to a response.

use crate::queues::{Part, Refuses, Wrong};
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use holdfast_common::{
    error::{Code, Kind},
    frame::work::TooMuch,
    job::{self, Unfit},
    storage::Fault,
};
use serde_json::{Map, Value};

/// Why a request was not done.
#[derive(Debug)]
pub(crate) struct Problem {
    name: &'static str,
    title: &'static str,
    kind: Kind,
    status: StatusCode,
    /// Boxed with the rest, so that a `Result` stays small.
    body: Box<Body>,
}

#[derive(Debug, Default)]
struct Body {
    detail: Option<String>,
    more: Map<String, Value>,
}

impl Problem {
    /// Says in one sentence what is wrong with this request, where the code's own does not.
    pub(crate) fn because(code: impl Into<Self>, detail: impl Into<String>) -> Self {
        let mut problem: Self = code.into();
        problem.body.detail = Some(detail.into());
        problem
    }

    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::because(Code::BadRequest, detail)
    }

    /// Whatever the reason, a server that is not ready says so in one way.
    pub(crate) fn unready(code: Code) -> Self {
        Self { status: StatusCode::SERVICE_UNAVAILABLE, ..Self::from(code) }
    }

    /// Adds a member that a program may go by.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.body.more.insert(name.to_owned(), value.into());
        self
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        let status = match code.kind() {
            Kind::Reject | Kind::RetryAfter => StatusCode::from_u16(code.number()).ok(),
            // A close's number is no HTTP status; over HTTP such a code is the server's own fault.
            Kind::Close => None,
        };
        Self {
            name: code.name(),
            title: code.text(),
            kind: code.kind(),
            status: status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            body: Box::default(),
        }
    }
}

impl From<job::Code> for Problem {
    fn from(code: job::Code) -> Self {
        let status = StatusCode::from_u16(code.status());
        Self {
            name: code.name(),
            title: code.text(),
            kind: code.kind(),
            status: status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            body: Box::default(),
        }
    }
}

impl From<Unfit> for Problem {
    fn from(unfit: Unfit) -> Self {
        Self::because(unfit.code(), format!("{unfit}."))
    }
}

impl From<TooMuch> for Problem {
    fn from(much: TooMuch) -> Self {
        Self::because(Code::TooLarge, much.to_string())
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        tracing::debug!(%fault, "a request met a fault of the storage");
        Self::from(fault.code())
    }
}

impl From<Wrong> for Problem {
    fn from(wrong: Wrong) -> Self {
        Self::because(wrong.code, wrong.detail)
    }
}

impl Refuses for Problem {
    fn because(code: Code, detail: &str) -> Self {
        Self::because(code, detail)
    }

    fn of(self, what: Part, index: usize) -> Self {
        self.with(what.name(), index)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Body { detail, more } = *self.body;
        let mut body = Map::new();
        body.insert("type".to_owned(), "about:blank".into());
        body.insert("title".to_owned(), self.title.into());
        body.insert("status".to_owned(), self.status.as_u16().into());
        body.insert("code".to_owned(), self.name.into());
        if let Some(detail) = detail {
            body.insert("detail".to_owned(), detail.into());
        }
        body.extend(more);
        let mut response = (self.status, Value::Object(body).to_string()).into_response();
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, kind);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.kind == Kind::RetryAfter {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
