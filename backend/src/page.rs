//! The page: `dist/` as `cargo xtask build` left it, held in the program.
//!
//! Files are handed out as they are, compressed ones (`X.br`, `X.gz` beside `X`) to whoever takes
//! them. Trunk names a file by its content's hash, and such a file never changes; an `index.html`,
//! which names them, is asked for anew each time. There are two: the rooms' page, and under `board/` the
//! page of queues.

mod policy;

use crate::problem::Problem;
use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use holdfast_common::error::Code;
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "../dist"]
#[allow_missing = true]
struct Dist;

const INDEX: &str = "index.html";
const BOARD: &str = "board/index.html";

/// Shown on `/` where the server was built without the page.
const NO_PAGE: &str = "\
Holdfast is running, but this server was built without its page.

  cargo xtask serve    builds both and serves them
  cargo xtask dev      the same with live reload, on port 8080
";

/// Answers a GET of `path`.
pub(crate) fn get(path: &str, headers: &HeaderMap) -> Response {
    let name = path.trim_start_matches('/');
    if let Some(index) = view(name) {
        let page = file(index, headers);
        return page.unwrap_or_else(|| (StatusCode::OK, NO_PAGE).into_response());
    }
    let packed = name.ends_with(".br") || name.ends_with(".gz");
    let found = if packed { None } else { file(name, headers) };
    let found = found.or_else(|| nowhere(name, headers));
    found.unwrap_or_else(|| Problem::from(Code::NotFound).into_response())
}

/// To a person who follows a wrong address, the page itself says that there is nothing.
fn nowhere(name: &str, headers: &HeaderMap) -> Option<Response> {
    let first = name.split('/').next().unwrap_or_default();
    let programs = ["api", "ws", "metrics", "healthz", "readyz"];
    if programs.contains(&first) || !names(headers, &header::ACCEPT, "text/html") {
        return None;
    }
    // It is no version of a file: a browser that has the page must get it here as well.
    let mut headers = headers.clone();
    headers.remove(header::IF_NONE_MATCH);
    let mut page = file(INDEX, &headers)?;
    page.headers_mut().remove(header::ETAG);
    page.headers_mut().insert(header::VARY, HeaderValue::from_static("accept, accept-encoding"));
    *page.status_mut() = StatusCode::NOT_FOUND;
    Some(page)
}

/// The page that itself makes a view of this address.
fn view(name: &str) -> Option<&'static str> {
    match name.split_once('/').unwrap_or((name, "")) {
        ("queues", _) => Some(BOARD),
        ("" | "inbox", "") => Some(INDEX),
        ("rooms", _) if name != "rooms" => Some(INDEX),
        _ => None,
    }
}

fn file(name: &str, headers: &HeaderMap) -> Option<Response> {
    let (file, encoding) = best(name, headers)?;
    let etag = etag(&file, encoding);
    let mut response = if matches(headers, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Response::new(Body::from(file.data))
    };
    let cached = if is_hashed(name) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let answer = response.headers_mut();
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static(cached));
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind(name)));
    answer.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        answer.insert(header::ETAG, etag);
    }
    if let Some(encoding) = encoding {
        let encoding = HeaderValue::from_static(encoding);
        answer.insert(header::CONTENT_ENCODING, encoding);
    }
    if (name == INDEX || name == BOARD)
        && let Some(index) = Dist::get(name)
        && let Ok(policy) = HeaderValue::from_str(&policy::of(&index.data))
    {
        answer.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    Some(response)
}

/// The smallest form of a file that the client takes, and its encoding.
fn best(name: &str, headers: &HeaderMap) -> Option<(EmbeddedFile, Option<&'static str>)> {
    let packed = [("br", "br"), ("gzip", "gz")]
        .into_iter()
        .filter(|(encoding, _)| names(headers, &header::ACCEPT_ENCODING, encoding))
        .find_map(|(encoding, ending)| {
            Some((Dist::get(&format!("{name}.{ending}"))?, Some(encoding)))
        });
    packed.or_else(|| Some((Dist::get(name)?, None)))
}

/// Whether a header of what a client takes names `what` and does not exclude it by `q=0`.
fn names(headers: &HeaderMap, header: &HeaderName, what: &str) -> bool {
    let values = headers.get_all(header).iter();
    let mut offers =
        values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    offers.any(|offer| {
        let mut parts = offer.split(';').map(str::trim);
        let named = parts.next().is_some_and(|it| it.eq_ignore_ascii_case(what));
        let quality = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok());
        named && quality != Some(0.0)
    })
}

fn etag(file: &EmbeddedFile, encoding: Option<&str>) -> String {
    let hash = &file.metadata.sha256_hash()[..8];
    let hash = u64::from_be_bytes(hash.try_into().unwrap_or_default());
    format!("\"{hash:016x}-{}\"", encoding.unwrap_or("plain"))
}

fn matches(headers: &HeaderMap, etag: &str) -> bool {
    let asked = headers.get_all(header::IF_NONE_MATCH).iter();
    asked
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|one| one.trim().trim_start_matches("W/") == etag)
}

/// Whether a name carries its content's hash as Trunk writes it: `app-d366f03d1d5de249.css`. It is
/// a number of 64 bits without leading zeros, so that one of sixteen has a digit less, and so on.
fn is_hashed(name: &str) -> bool {
    let hash = name.rsplit('/').next().unwrap_or(name).rsplit_once('-');
    hash.is_some_and(|(_, rest)| {
        let digits = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        (10..=16).contains(&digits) && matches!(rest.as_bytes().get(digits), Some(b'.' | b'_'))
    })
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hashed_name_is_told_from_a_plain_one() {
        assert!(is_hashed("app-d366f03d1d5de249.css"));
        assert!(is_hashed("holdfast-frontend-7803dbf5ed978c51_bg.wasm"));
        assert!(is_hashed("holdfast-frontend-690cfa33ceab7b1_bg.wasm"));
        assert!(!is_hashed("index.html"));
        assert!(!is_hashed("holdfast-frontend.js"));
        assert!(!is_hashed("snippets/x-7803dbf5ed978c51/inline0.js"));
        assert!(!is_hashed("a-0123.css"));
    }

    #[test]
    fn an_encoding_is_taken_if_it_is_named_and_not_excluded() {
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_static("gzip;q=0.5, br;q=0, *");
        headers.insert(header::ACCEPT_ENCODING, value);
        let takes = |headers, encoding| names(headers, &header::ACCEPT_ENCODING, encoding);
        assert!(takes(&headers, "gzip"));
        assert!(!takes(&headers, "br"));
        assert!(!takes(&HeaderMap::new(), "gzip"));
    }
}
