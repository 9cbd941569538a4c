//! One attempt: one request over a connection of its own. It follows no redirect and knows no proxy,
//! since either would lead where nobody has looked.

mod exchange;
mod tls;

use super::{
    net::{Net, Own},
    sign::{self, Secret},
    target::{BadTarget, NoAddress, Target, Targets},
};
use axum::{
    body::Bytes,
    http::{Request, StatusCode, header},
};
use exchange::{Answer, Broken};
use holdfast_common::{
    id::JobId,
    system::{NotDelivered, Undelivered},
    time::{Millis, Timestamp},
};
use http_body_util::Full;
use std::{io, net::SocketAddr, time::Duration};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};
use tokio_rustls::rustls::RootCertStore;

const AGENT: &str = concat!("holdfast/", env!("CARGO_PKG_VERSION"));

/// Addresses of one host that are tried.
const ADDRESSES: usize = 3;

/// What is sent.
#[derive(Debug)]
pub(crate) struct Message<'a> {
    /// The same at each attempt: the receiver knows by it what it has had.
    pub(crate) id: JobId,
    /// When this attempt is made. A receiver takes one of some minutes ago for a repeat by somebody else.
    pub(crate) at: Timestamp,
    /// JSON.
    pub(crate) body: Bytes,
    /// One, or two while one is being changed.
    pub(crate) secrets: &'a [Secret],
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The receiver has it, and said so with this status.
    Delivered(u16),
    /// The receiver wants no more of them.
    Gone,
    /// It is to be tried again.
    Failed {
        /// Why.
        why: NotDelivered,
        /// What the receiver asked for: not sooner than after this.
        retry_after: Option<Millis>,
    },
}

/// How long the parts of an attempt may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// To find the host's addresses.
    pub(super) name: Duration,
    /// To connect to one of them, and again to agree on the encryption.
    pub(super) connect: Duration,
    /// For all of it, to the head of the answer.
    pub(super) whole: Duration,
    /// For what follows that head, which is only read for the receiver's peace.
    pub(super) rest: Duration,
}

impl Patience {
    /// With so much time for all of it.
    fn of(whole: Duration) -> Self {
        let most = |seconds| whole.min(Duration::from_secs(seconds));
        Self { name: most(5), connect: most(5), whole, rest: most(1) }
    }
}

/// Sends webhooks.
pub(crate) struct Sender {
    targets: Targets,
    net: Box<dyn Net>,
    tls: tls::Connector,
    patience: Patience,
}

impl Sender {
    /// To these targets, trusting the authorities that browsers trust; the head of an answer has to come within
    /// this time.
    pub(crate) fn new(targets: Targets, time: Duration) -> Self {
        let roots = webpki_roots::TLS_SERVER_ROOTS.iter().cloned();
        Self::trusting(roots.collect(), targets, Patience::of(time))
    }

    pub(super) fn trusting(roots: RootCertStore, targets: Targets, patience: Patience) -> Self {
        let (net, tls) = (Box::new(Own::new()), tls::Connector::new(roots));
        Self { targets, net, tls, patience }
    }

    /// In another network.
    #[cfg(test)]
    pub(super) fn over(self, net: impl Net + 'static) -> Self {
        Self { net: Box::new(net), ..self }
    }

    /// Whether a webhook may be made for this URL, as far as can be known now: one whose name is not
    /// found at the moment may be made, and has its attempts fail while that is so.
    pub(crate) async fn check(&self, url: &str) -> Result<Target, BadTarget> {
        let target = self.targets.check(url)?;
        match target.addresses(&*self.net, self.patience.name).await {
            Err(NoAddress::Inside) => Err(BadTarget::Inside),
            Ok(_) | Err(NoAddress::Slow(_) | NoAddress::Unknown(_)) => Ok(target),
        }
    }

    /// Who would answer there: a host and its port. None where webhooks may not go.
    pub(crate) fn receiver(&self, url: &str) -> Option<String> {
        self.targets.check(url).ok().map(|target| target.receiver())
    }

    /// Sends one message to one place. It takes no longer than it may, and can be dropped at any time.
    pub(crate) async fn deliver(&self, url: &str, message: &Message<'_>) -> Outcome {
        match self.send(url, message).await {
            Ok(answer) => outcome(&answer),
            Err(failure) => {
                let why = NotDelivered {
                    code: failure.code(),
                    status: None,
                    detail: failure.to_string(),
                };
                Outcome::Failed { why, retry_after: None }
            }
        }
    }

    async fn send(&self, url: &str, message: &Message<'_>) -> Result<Answer, Failure> {
        let Patience { connect, whole, rest, .. } = self.patience;
        let end = Instant::now() + whole;
        let late = |_| Failure::Slow(whole);
        let target = self.targets.check(url)?;
        let request = request(&target, message);
        let stream = timeout_at(end, self.connect(&target)).await.map_err(late)??;
        let answer = if target.tls {
            let stream = timeout(connect, self.tls.connect(&target.host, stream));
            let stream = timeout_at(end, stream).await.map_err(late)?;
            let stream = stream.map_err(|_| Failure::SlowTls(connect))?.map_err(Failure::Tls)?;
            exchange::exchange(stream, request, message.at, (end, rest)).await
        } else {
            exchange::exchange(stream, request, message.at, (end, rest)).await
        };
        answer.map_err(|broken| match broken {
            Broken::Late => Failure::Slow(whole),
            broken => Failure::Broken(broken),
        })
    }

    async fn connect(&self, target: &Target) -> Result<TcpStream, Failure> {
        let addresses = target.addresses(&*self.net, self.patience.name).await?;
        let mut failure = Failure::Name(NoAddress::Inside);
        for address in addresses.into_iter().take(ADDRESSES) {
            match self.connect_to(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    async fn connect_to(&self, address: SocketAddr) -> Result<TcpStream, Failure> {
        let patience = self.patience.connect;
        let stream = timeout(patience, self.net.connect(address)).await;
        stream.map_err(|_| Failure::SlowConnect(patience))?.map_err(Failure::Connect)
    }
}

fn request(target: &Target, message: &Message<'_>) -> Request<Full<Bytes>> {
    let id = message.id.to_string();
    let signed = sign::signatures(message.secrets, &id, message.at, &message.body);
    let request = Request::post(target.at.clone())
        .header(header::HOST, target.authority())
        .header(header::USER_AGENT, AGENT)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CONNECTION, "close")
        .header("webhook-timestamp", sign::seconds(message.at))
        .header("webhook-signature", signed)
        .header("webhook-id", id)
        .body(Full::new(message.body.clone()));
    request.expect("hosts, ids, numbers and base64 are all of ASCII")
}

/// The head of the answer decides. Who says that they have it has it, whatever they say after that.
fn outcome(answer: &Answer) -> Outcome {
    let status = answer.status;
    if status.is_success() {
        return Outcome::Delivered(status.as_u16());
    }
    if status == StatusCode::GONE {
        return Outcome::Gone;
    }
    let (code, led) = if status.is_redirection() {
        (Undelivered::Redirected, ", and redirects are not followed")
    } else {
        (Undelivered::Refused, "")
    };
    let detail = format!("the receiver answered {status}{led}");
    let why = NotDelivered { code, status: Some(status.as_u16()), detail };
    Outcome::Failed { why, retry_after: answer.retry_after }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Target(#[from] BadTarget),
    #[error(transparent)]
    Name(#[from] NoAddress),
    #[error("the receiver cannot be reached: {0}")]
    Connect(io::Error),
    #[error("the receiver could not be reached within {0:?}")]
    SlowConnect(Duration),
    #[error("there is no safe connection to the receiver: {0}")]
    Tls(io::Error),
    #[error("there was no safe connection to the receiver within {0:?}")]
    SlowTls(Duration),
    #[error("the receiver did not answer within {0:?}")]
    Slow(Duration),
    #[error(transparent)]
    Broken(Broken),
}

impl Failure {
    const fn code(&self) -> Undelivered {
        match self {
            Self::Target(_) | Self::Name(NoAddress::Inside) => Undelivered::TargetRefused,
            Self::Name(NoAddress::Unknown(_)) => Undelivered::UnknownHost,
            Self::Connect(_) => Undelivered::Unreachable,
            Self::Tls(_) => Undelivered::Unsafe,
            Self::Name(NoAddress::Slow(_))
            | Self::SlowConnect(_)
            | Self::SlowTls(_)
            | Self::Slow(_)
            | Self::Broken(Broken::Late) => Undelivered::Slow,
            Self::Broken(Broken::TooLarge | Broken::NotHttp(_)) => Undelivered::BadAnswer,
            Self::Broken(Broken::Closed | Broken::Other(_)) => Undelivered::Broken,
        }
    }
}
