//! Attempts by https.

use super::{
    receiver::{quiet, request},
    *,
};
use std::sync::Arc;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer},
    },
};

/// A server whose certificate is for these names, and only its own.
pub(super) struct Safe {
    pub(super) at: SocketAddr,
    certificate: CertificateDer<'static>,
    had: JoinHandle<Option<String>>,
}

impl Safe {
    pub(super) async fn called(names: &[&str]) -> Self {
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let certificate = made.cert.der().clone();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let had = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = TlsAcceptor::from(Arc::new(config)).accept(stream).await.ok()?;
            let had = request(&mut stream).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
            let _ = stream.shutdown().await;
            Some(had)
        });
        Self { at, certificate, had }
    }

    fn sender(&self, host: &str, roots: RootCertStore) -> Sender {
        let inside = vec![format!("{host}:{}", self.at.port()).parse().unwrap()];
        let targets = Targets { inside, ..Targets::default() };
        Sender::trusting(roots, targets, calm())
    }

    pub(super) fn trusted(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        roots
    }

    fn url(&self, host: &str) -> String {
        format!("https://{host}:{}/", self.at.port())
    }

    pub(super) async fn had(self) -> Option<String> {
        let had = tokio::time::timeout(Duration::from_secs(30), self.had).await;
        had.expect("the receiver ends").unwrap()
    }
}

#[tokio::test]
async fn a_certificate_that_is_trusted_is_enough() {
    for host in ["127.0.0.1", "localhost"] {
        let safe = Safe::called(&["localhost", "127.0.0.1"]).await;
        let sender = safe.sender(host, safe.trusted());
        assert_eq!(deliver(&sender, &safe.url(host)).await, Outcome::Delivered(200), "{host}");
        let had = safe.had().await.expect("it was asked");
        assert!(had.starts_with("POST / HTTP/1.1\r\n"), "{had}");
    }
}

#[tokio::test]
async fn a_certificate_of_nobody_is_a_failure() {
    let safe = Safe::called(&["127.0.0.1"]).await;
    let inside = vec![safe.at.to_string().parse().unwrap()];
    let sender = Sender::new(Targets { inside, ..Targets::default() }, Duration::from_secs(15));
    let outcome = deliver(&sender, &safe.url("127.0.0.1")).await;
    assert!(
        reason(&outcome).starts_with("there is no safe connection to the receiver: "),
        "{outcome:?}"
    );
    assert_eq!(safe.had().await, None, "the message was sent");
}

#[tokio::test]
async fn a_certificate_of_another_name_is_a_failure() {
    let safe = Safe::called(&["elsewhere.example"]).await;
    let sender = safe.sender("127.0.0.1", safe.trusted());
    let outcome = deliver(&sender, &safe.url("127.0.0.1")).await;
    assert!(reason(&outcome).contains("not valid for name"), "{outcome:?}");
    assert_eq!(code(&outcome), Undelivered::Unsafe);
    assert_eq!(safe.had().await, None, "the message was sent");
}

#[tokio::test]
async fn a_server_without_encryption_is_a_failure_by_https() {
    let (at, _listener) = quiet();
    let patience = Patience { connect: Duration::from_millis(200), ..calm() };
    let outcome = deliver(&sender(at, patience), &format!("https://{at}/")).await;
    assert_eq!(reason(&outcome), "there was no safe connection to the receiver within 200ms");
    assert_eq!(code(&outcome), Undelivered::Slow);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let plain = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        let _ = stream.read(&mut [0; 4_096]).await;
    });
    let outcome = deliver(&sender(at, calm()), &format!("https://{at}/")).await;
    plain.await.unwrap();
    assert!(reason(&outcome).starts_with("there is no safe connection"), "{outcome:?}");
}
