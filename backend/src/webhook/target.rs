//! Where webhooks may go: nowhere, but for what the operator has allowed. A target is looked at when a
//! webhook is made, and again at each attempt.

mod allowed;

pub use allowed::{BadAllowed, Inside, Public};

use super::{address::is_public, net::Net};
use axum::http::uri::PathAndQuery;
use std::{io, net::SocketAddr, time::Duration};
use url::{Host, Url};

/// Bytes of a target's URL.
const URL_BYTES: usize = 2_048;

/// What the operator allows.
#[derive(Debug, Clone, Default)]
pub struct Targets {
    /// By https, at public addresses.
    pub public: Vec<Public>,
    /// At any address, and by http as well.
    pub inside: Vec<Inside>,
}

impl Targets {
    /// Reads a URL, and says whether webhooks may go there.
    pub(crate) fn check(&self, text: &str) -> Result<Target, BadTarget> {
        if text.len() > URL_BYTES {
            return Err(BadTarget::TooLong(text.len()));
        }
        let url = Url::parse(text)?;
        let tls = match url.scheme() {
            "https" => true,
            "http" => false,
            other => return Err(BadTarget::Scheme(other.to_owned())),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BadTarget::Person);
        }
        if url.fragment().is_some() {
            return Err(BadTarget::Fragment);
        }
        let host = allowed::plain(url.host().ok_or(BadTarget::Form)?.to_owned());
        let port = url.port_or_known_default().ok_or(BadTarget::Form)?;
        let at = at(&url).ok_or(BadTarget::Form)?;
        let inside = self.inside.iter().any(|it| it.is(&host, port));
        if !inside {
            if !self.public.iter().any(|it| it.holds(&host, port)) {
                return Err(BadTarget::NotAllowed { host: host.to_string(), port });
            }
            if !tls {
                return Err(BadTarget::Plain);
            }
        }
        Ok(Target { url, host, port, at, tls, inside })
    }
}

/// A place where webhooks may go.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    url: Url,
    pub(super) host: Host,
    port: u16,
    pub(super) at: PathAndQuery,
    pub(super) tls: bool,
    inside: bool,
}

impl Target {
    /// The URL in its one form: to be stored, and shown.
    pub(crate) fn url(&self) -> &str {
        self.url.as_str()
    }

    /// The one who answers there, whatever the path.
    pub(super) fn receiver(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// As a request names it: the port where it is not the scheme's own.
    pub(super) fn authority(&self) -> String {
        let usual = if self.tls { 443 } else { 80 };
        if self.port == usual {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Where to connect, and to nothing else: who asked again could be told another address.
    pub(super) async fn addresses(
        &self,
        net: &dyn Net,
        patience: Duration,
    ) -> Result<Vec<SocketAddr>, NoAddress> {
        let found = match &self.host {
            Host::Ipv4(address) => vec![SocketAddr::from((*address, self.port))],
            Host::Ipv6(address) => vec![SocketAddr::from((*address, self.port))],
            Host::Domain(name) => {
                let found = tokio::time::timeout(patience, net.find(name, self.port)).await;
                found.map_err(|_| NoAddress::Slow(patience))??
            }
        };
        self.usable(found)
    }

    /// Of the addresses that were found those to which webhooks may go.
    fn usable(&self, mut found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, NoAddress> {
        found.retain(|address| self.inside || is_public(address.ip()));
        if found.is_empty() { Err(NoAddress::Inside) } else { Ok(found) }
    }
}

/// What a request asks for at its host. Some letters may stand in a URL and not in a request.
fn at(url: &Url) -> Option<PathAndQuery> {
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}{query}", url.path()).parse().ok()
}

/// Why webhooks do not go to a target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadTarget {
    #[error("a webhook's address has at most {URL_BYTES} bytes, and this one has {0}")]
    TooLong(usize),
    #[error("a webhook's address cannot be read: {0}")]
    Unread(#[from] url::ParseError),
    #[error("a webhook's address cannot be asked for")]
    Form,
    #[error("a webhook goes by https, and not by {0}")]
    Scheme(String),
    #[error(
        "a webhook's address has no name and no password in it: the signature says who sends it"
    )]
    Person,
    #[error("a webhook's address has no #fragment: it would not be sent")]
    Fragment,
    #[error("webhooks to {host}, port {port}, are not allowed by this server's --webhook-target")]
    NotAllowed { host: String, port: u16 },
    #[error("a webhook to the internet goes by https")]
    Plain,
    #[error("webhooks go to public addresses, and the host has none")]
    Inside,
}

/// Why there is nothing to connect to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAddress {
    #[error("the name of the host was not found within {0:?}")]
    Slow(Duration),
    #[error("the name of the host was not found: {0}")]
    Unknown(#[from] io::Error),
    #[error("the host has no public address")]
    Inside,
}

#[cfg(test)]
mod tests;
