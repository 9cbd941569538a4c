//! One request to a server.

use super::NotDone;
use axum::body::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Method, Request, Response,
    body::Incoming,
    client::conn::http1,
    header::{self, HeaderValue},
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::{io::Write, time::Duration};
use tokio::{net::TcpStream, task::JoinSet};
use url::Url;

/// How long a request may take, if nothing else is said.
const PATIENCE: Duration = Duration::from_secs(60);

/// Bytes of an answer: what a page of jobs may have, and more.
const ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// Why a server could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum NotAsked {
    /// It is no address of a server.
    #[error("{0} is no address of a server: it begins with http:// and has no path")]
    Address(String),
    /// There is nobody.
    #[error("{0} does not answer: {1}")]
    Nobody(String, std::io::Error),
    /// It broke off, or is no server of this kind.
    #[error("{0} has no proper answer: {1}")]
    Broken(String, String),
}

/// A server that is asked.
pub(super) struct Server {
    base: Url,
    authority: String,
    /// Who asks, as they say it.
    by: Option<HeaderValue>,
    /// The person, with what proves it.
    person: Option<HeaderValue>,
    /// How long a request may take until it is answered.
    within: Duration,
}

/// What it has answered, a text of JSON.
pub(super) struct Answer {
    pub(super) text: String,
}

/// How far the copy of an answer is, all its tries taken together.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Copied {
    /// Bytes that came.
    pub(super) come: u64,
    /// Those of them that were written.
    pub(super) written: u64,
}

impl Server {
    pub(super) fn new(text: &str) -> Result<Self, NotAsked> {
        let wrong = || NotAsked::Address(text.to_owned());
        let base = Url::parse(text).map_err(|_| wrong())?;
        let host = base.host_str().filter(|_| base.scheme() == "http" && base.path() == "/");
        let host = host.ok_or_else(wrong)?;
        let authority = format!("{host}:{}", base.port_or_known_default().unwrap_or(80));
        Ok(Self { base, authority, by: None, person: None, within: PATIENCE })
    }

    /// Asks in this name.
    pub(super) fn by(self, name: Option<String>) -> Result<Self, NotDone> {
        let by = name.map(|name| HeaderValue::from_bytes(name.as_bytes())).transpose();
        let by = by.map_err(|_| NotDone::Wrong("a name is one line of text".to_owned()))?;
        Ok(Self { by, ..self })
    }

    /// Asks for this person, `ID:SECRET`.
    pub(super) fn person(self, said: Option<String>) -> Result<Self, NotDone> {
        let person = said.map(|said| HeaderValue::try_from(format!("Holdfast {said}")));
        let wrong = |_| NotDone::Wrong("a person is one line, ID:SECRET".to_owned());
        let mut person = person.transpose().map_err(wrong)?;
        if let Some(person) = &mut person {
            person.set_sensitive(true);
        }
        Ok(Self { person, ..self })
    }

    /// Asks for so long each time.
    pub(super) fn within(self, within: Duration) -> Self {
        Self { within, ..self }
    }

    pub(super) async fn get(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Answer, NotDone> {
        let mut url = self.url(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let request = self.request(Method::GET, &url).body(Full::default());
        self.ask(request).await
    }

    pub(super) async fn post(
        &self,
        path: &[&str],
        body: &Value,
        key: Option<&str>,
    ) -> Result<Answer, NotDone> {
        let mut request = self
            .request(Method::POST, &self.url(path))
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        self.ask(request.body(Full::from(body.to_string()))).await
    }

    pub(super) async fn delete(&self, path: &[&str]) -> Result<Answer, NotDone> {
        self.ask(self.request(Method::DELETE, &self.url(path)).body(Full::default())).await
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.clear().extend(["api", "v1"]).extend(path);
        }
        url
    }

    fn request(&self, method: Method, url: &Url) -> hyper::http::request::Builder {
        let target = url
            .query()
            .map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        let request = Request::builder().method(method).uri(target);
        let mut request = request.header(header::HOST, &self.authority);
        if let Some(by) = &self.by {
            request = request.header("holdfast-by", by);
        }
        if let Some(person) = &self.person {
            request = request.header(header::AUTHORIZATION, person);
        }
        request
    }

    async fn ask(
        &self,
        request: Result<Request<Full<Bytes>>, hyper::http::Error>,
    ) -> Result<Answer, NotDone> {
        let broken = |error: String| NotAsked::Broken(self.base.to_string(), error);
        let request = request.map_err(|error| broken(error.to_string()))?;
        let answered = tokio::time::timeout(self.within, self.answered(request));
        let late = |_| broken("it takes too long".to_owned());
        let (status, text) = answered.await.map_err(late)??;
        if (200..300).contains(&status) {
            return Ok(Answer { text });
        }
        Err(self.refused(status, &text))
    }

    /// Copies an answer of any length as it comes, for as long as some of it comes. What was written at a
    /// time before is passed over.
    pub(super) async fn copy(
        &self,
        path: &[&str],
        to: &mut impl Write,
        copied: &mut Copied,
    ) -> Result<(), NotDone> {
        let broken = |error: String| NotAsked::Broken(self.base.to_string(), error);
        let request = self.request(Method::GET, &self.url(path)).body(Full::default());
        let request = request.map_err(|error| broken(error.to_string()))?;
        let late = |_| broken("it takes too long".to_owned());
        let sent = tokio::time::timeout(self.within, self.sent(request)).await;
        let (response, _connection) = sent.map_err(late)??;
        let status = response.status();
        let mut body = response.into_body();
        if !status.is_success() {
            let body = Limited::new(body, ANSWER_BYTES).collect().await;
            let body = body.map_err(|error| broken(error.to_string()))?.to_bytes();
            return Err(self.refused(status.as_u16(), &String::from_utf8_lossy(&body)));
        }
        let mut known = copied.written;
        while let Some(frame) = tokio::time::timeout(PATIENCE, body.frame()).await.map_err(late)? {
            let frame = frame.map_err(|error| broken(error.to_string()))?;
            if let Ok(mut bytes) = frame.into_data() {
                copied.come += bytes.len() as u64;
                let passed = known.min(bytes.len() as u64);
                known -= passed;
                let new = bytes.split_off(usize::try_from(passed).unwrap_or(usize::MAX));
                to.write_all(&new).map_err(|error| NotDone::Wrong(error.to_string()))?;
                copied.written += new.len() as u64;
            }
        }
        to.flush().map_err(|error| NotDone::Wrong(error.to_string()))
    }

    fn refused(&self, status: u16, text: &str) -> NotDone {
        let Ok(problem) = serde_json::from_str::<Value>(text) else {
            let error = format!("status {status} without a problem");
            return NotAsked::Broken(self.base.to_string(), error).into();
        };
        let member = |name: &str| problem[name].as_str().map(str::to_owned);
        NotDone::Refused {
            code: member("code").unwrap_or_else(|| status.to_string()),
            text: member("detail").or_else(|| member("title")).unwrap_or_default(),
        }
    }

    async fn answered(&self, request: Request<Full<Bytes>>) -> Result<(u16, String), NotAsked> {
        let broken = |error: String| NotAsked::Broken(self.base.to_string(), error);
        let (response, _connection) = self.sent(request).await?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), ANSWER_BYTES).collect().await;
        let body = body.map_err(|error| broken(error.to_string()))?.to_bytes();
        let text = String::from_utf8(body.to_vec()).map_err(|error| broken(error.to_string()))?;
        Ok((status, text))
    }

    /// Sends it on a connection of its own, which ends when the second part is dropped.
    async fn sent(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<(Response<Incoming>, JoinSet<()>), NotAsked> {
        let broken = |error: String| NotAsked::Broken(self.base.to_string(), error);
        let stream = TcpStream::connect(&self.authority).await;
        let stream = stream.map_err(|error| NotAsked::Nobody(self.base.to_string(), error))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| broken(error.to_string()))?;
        let mut connections = JoinSet::new();
        connections.spawn(async { drop(connection.await) });
        let response = sender.send_request(request).await;
        let response = response.map_err(|error| broken(error.to_string()))?;
        Ok((response, connections))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_an_address_without_a_path() {
        assert_eq!(Server::new("http://localhost").unwrap().authority, "localhost:80");
        assert_eq!(Server::new("http://[::1]:3000").unwrap().authority, "[::1]:3000");
        for text in ["127.0.0.1:3000", "https://a.example", "http://a.example/b", "", "http://"] {
            assert!(Server::new(text).is_err(), "{text}");
        }
    }

    #[test]
    fn names_are_parts_of_an_address_whatever_is_in_them() {
        let server = Server::new("http://localhost:1").unwrap();
        let url = server.url(&["work", "queues", "a/b ?#ä"]);
        assert_eq!(url.path(), "/api/v1/work/queues/a%2Fb%20%3F%23%C3%A4");
    }

    #[tokio::test]
    async fn a_server_that_says_nothing_is_given_as_much_time_as_is_said() {
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", silent.local_addr().unwrap());
        let server = Server::new(&url).unwrap().within(Duration::from_millis(50));
        let (mut to, mut copied) = (Vec::new(), Copied::default());
        let both = async {
            let get = server.get(&["queues"], &[]).await;
            [get.err(), server.copy(&["queues"], &mut to, &mut copied).await.err()]
        };
        let late = tokio::time::timeout(PATIENCE / 2, both).await.expect("far sooner than usual");
        for late in late {
            assert!(late.unwrap().to_string().ends_with("it takes too long"));
        }
    }
}
