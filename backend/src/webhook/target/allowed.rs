//! What the operator allows: `--webhook-target` and `--webhook-inside`.

use crate::webhook::address::is_public;
use std::{net::IpAddr, str::FromStr};
use url::Host;

const HTTPS: u16 = 443;

/// A host of the open internet, `HOST[:PORT]`. `*.example.org` is all that is below that name, and not
/// the name itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Public {
    below: bool,
    host: Host,
    port: u16,
}

/// One port of one host, `HOST:PORT`, wherever it is: a neighbour that the operator names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inside {
    host: Host,
    port: u16,
}

impl Public {
    pub(super) fn holds(&self, host: &Host, port: u16) -> bool {
        let named = match (self.below, &self.host, host) {
            (true, Host::Domain(above), Host::Domain(name)) => {
                let rest = name.strip_suffix(above.as_str()).and_then(|it| it.strip_suffix('.'));
                rest.is_some_and(|rest| !rest.is_empty())
            }
            (below, allowed, host) => !below && allowed == host,
        };
        named && self.port == port
    }
}

impl Inside {
    pub(super) fn is(&self, host: &Host, port: u16) -> bool {
        self.host == *host && self.port == port
    }
}

impl FromStr for Public {
    type Err = BadAllowed;

    fn from_str(text: &str) -> Result<Self, BadAllowed> {
        let (name, port) = parts(text)?;
        let (below, name) = name.strip_prefix("*.").map_or((false, name), |rest| (true, rest));
        let host = host(name)?;
        match &host {
            Host::Domain(_) => {}
            _ if below => return Err(BadAllowed::Star),
            Host::Ipv4(address) => public(IpAddr::V4(*address))?,
            Host::Ipv6(address) => public(IpAddr::V6(*address))?,
        }
        Ok(Self { below, host, port: port.unwrap_or(HTTPS) })
    }
}

impl FromStr for Inside {
    type Err = BadAllowed;

    fn from_str(text: &str) -> Result<Self, BadAllowed> {
        let (name, port) = parts(text)?;
        if name.starts_with("*.") {
            return Err(BadAllowed::Many);
        }
        Ok(Self { host: host(name)?, port: port.ok_or(BadAllowed::NoPort)? })
    }
}

/// Why an option cannot be what it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAllowed {
    /// It is the whole address of something.
    #[error("only a host and a port, such as hooks.example.org or hooks.example.org:8443")]
    Url,
    /// The port.
    #[error("the port is a number from 1 to 65535")]
    Port,
    /// There is none.
    #[error("the port has to be said: HOST:PORT")]
    NoPort,
    /// The host.
    #[error("that is no name of a host: {0}")]
    Host(url::ParseError),
    /// A star that is not a whole label in front of a name.
    #[error("a star stands in front of a name: *.example.org")]
    Star,
    /// A star where one host is named.
    #[error("inside, each host is named")]
    Many,
    /// An address that is not public.
    #[error("{0} is no public address: it can be allowed by --webhook-inside")]
    NotPublic(IpAddr),
}

/// A host in the form in which it is compared: `example.org.` is `example.org`. Case, punycode and odd
/// forms of addresses were seen to when it was read.
pub(super) fn plain(host: Host) -> Host {
    match host {
        Host::Domain(mut name) => {
            if name.ends_with('.') {
                name.pop();
            }
            Host::Domain(name)
        }
        address => address,
    }
}

/// Host and port, as far as they can be told from each other without looking at them.
fn parts(text: &str) -> Result<(&str, Option<u16>), BadAllowed> {
    let text = text.trim();
    if text.contains(['/', '@', '?', '#', '\\']) {
        return Err(BadAllowed::Url);
    }
    let bare = text.ends_with(']') || !text.contains(':');
    let Some((name, port)) = text.rsplit_once(':').filter(|_| !bare) else {
        return Ok((text, None));
    };
    let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let port = port.parse().ok().filter(|port| digits && *port != 0);
    port.map(|port| (name, Some(port))).ok_or(BadAllowed::Port)
}

fn host(name: &str) -> Result<Host, BadAllowed> {
    if name.contains('*') {
        return Err(BadAllowed::Star);
    }
    match plain(Host::parse(name).map_err(BadAllowed::Host)?) {
        Host::Domain(name) if name.is_empty() => Err(BadAllowed::Host(url::ParseError::EmptyHost)),
        host => Ok(host),
    }
}

fn public(address: IpAddr) -> Result<(), BadAllowed> {
    if is_public(address) { Ok(()) } else { Err(BadAllowed::NotPublic(address)) }
}
