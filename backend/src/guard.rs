//! Who may ask at all, in open mode: any website can reach a loopback port through its visitor's
//! browser, so Host, Origin and content type are checked before anything else is read.

use crate::problem::Problem;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use holdfast_common::error::Code;
use std::net::{IpAddr, Ipv6Addr};

/// What is let through.
#[derive(Debug, Clone)]
pub struct Guard {
    /// The loopback port of the page's dev server, whose origin counts as the own one.
    pub dev_proxy_port: Option<u16>,
}

impl Default for Guard {
    fn default() -> Self {
        Self { dev_proxy_port: Some(8080) }
    }
}

/// The middleware.
pub(crate) async fn check(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    match guard.admit(request.method(), request.uri().path(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

impl Guard {
    fn admit(&self, method: &Method, path: &str, headers: &HeaderMap) -> Result<(), Problem> {
        let host = one(headers, header::HOST)?.ok_or_else(|| wrong("There is no Host header."))?;
        if !is_loopback(host) {
            return Err(wrong("The Host header has to name this machine."));
        }
        let writes = *method != Method::GET && *method != Method::HEAD;
        if (writes || path.ends_with("/ws"))
            && let Some(origin) = one(headers, header::ORIGIN)?
            && !self.is_own(origin, host)
        {
            return Err(wrong("The Origin header names another website."));
        }
        if *method == Method::POST && !is_json(headers) {
            return Err(Code::UnsupportedMedia.into());
        }
        Ok(())
    }

    fn is_own(&self, origin: &str, host: &str) -> bool {
        let Some((scheme, authority)) = origin.split_once("://") else {
            return false;
        };
        if scheme != "http" && scheme != "https" {
            return false;
        }
        authority.eq_ignore_ascii_case(host) || self.is_dev_proxy(scheme, authority)
    }

    fn is_dev_proxy(&self, scheme: &str, authority: &str) -> bool {
        let (_, port) = split_port(authority);
        let port = port.and_then(|port| port.parse::<u16>().ok());
        scheme == "http" && port.is_some() && port == self.dev_proxy_port && is_loopback(authority)
    }
}

fn wrong(detail: &str) -> Problem {
    Problem::because(Code::WrongOrigin, detail)
}

/// The header's value, if it is there; more than one, or one that is no text, is a wrong one.
fn one(headers: &HeaderMap, name: header::HeaderName) -> Result<Option<&str>, Problem> {
    let mut values = headers.get_all(&name).iter();
    let value = match (values.next(), values.next()) {
        (None, _) => return Ok(None),
        (Some(value), None) => value.to_str().ok(),
        (Some(_), Some(_)) => None,
    };
    value.map(Some).ok_or_else(|| wrong("A header that names a host cannot be read."))
}

fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        // The colons of an IPv6 address stand in its brackets.
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

/// Whether a Host header, with or without a port, names this machine alone.
fn is_loopback(authority: &str) -> bool {
    let (host, port) = split_port(authority);
    if port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return false;
    }
    if host.eq_ignore_ascii_case("localhost") {
        return true;
    }
    let v6 = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match v6 {
        Some(v6) => v6.parse() == Ok(Ipv6Addr::LOCALHOST),
        None => matches!(host.parse(), Ok(IpAddr::V4(v4)) if v4.is_loopback()),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_a_host() {
        for host in [
            "localhost",
            "LocalHost:3000",
            "127.0.0.1",
            "127.0.0.1:3000",
            "127.8.8.8:1",
            "[::1]",
            "[::1]:3000",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            ":3000",
            "example.org",
            "localhost.example.org",
            "127.0.0.1.example.org",
            "localhost:3000:3000",
            "localhost:",
            "localhost:65536",
            "localhost@example.org",
            "0.0.0.0:3000",
            "[::1",
            "::1",
            "[::]:3000",
            "2130706433",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn an_origin_is_the_own_one_or_the_dev_proxys() {
        let guard = Guard::default();
        let host = "127.0.0.1:3000";
        for origin in [
            "http://127.0.0.1:3000",
            "https://127.0.0.1:3000",
            "http://localhost:8080",
            "http://127.0.0.1:8080",
        ] {
            assert!(guard.is_own(origin, host), "{origin}");
        }
        for origin in [
            "null",
            "",
            "http://",
            "http://example.org",
            "http://127.0.0.1:3001",
            "http://localhost:3000",
            "https://localhost:8080",
            "http://example.org:8080",
            "file://127.0.0.1:3000",
            "http://127.0.0.1:3000/",
        ] {
            assert!(!guard.is_own(origin, host), "{origin}");
        }
        let closed = Guard { dev_proxy_port: None };
        assert!(!closed.is_own("http://localhost:8080", host));
        assert!(!closed.is_own("http://localhost", host));
    }
}
