//! Names that have another address at the next attempt.

use super::{safe::Safe, *};
use crate::webhook::net::Net;
use async_trait::async_trait;
use std::{
    collections::VecDeque,
    io,
    net::IpAddr,
    sync::{Arc, Mutex},
};
use tokio::net::TcpStream;

const HOST: &str = "hooks.example.org";
const URL: &str = "https://hooks.example.org/";

/// A network in which each question for the name has its own answer, and whatever is connected to is
/// one server.
struct Shifty {
    answers: Mutex<VecDeque<Vec<IpAddr>>>,
    server: SocketAddr,
    connected: Mutex<Vec<SocketAddr>>,
}

impl Shifty {
    fn new(server: SocketAddr, answers: &[&[&str]]) -> Arc<Self> {
        let addresses = |texts: &&[&str]| texts.iter().map(|it| it.parse().unwrap()).collect();
        let answers = Mutex::new(answers.iter().map(addresses).collect());
        Arc::new(Self { answers, server, connected: Mutex::default() })
    }

    fn connected(&self) -> Vec<String> {
        self.connected.lock().unwrap().iter().map(ToString::to_string).collect()
    }

    fn sender(self: &Arc<Self>, roots: RootCertStore) -> Sender {
        let targets = Targets { public: vec![HOST.parse().unwrap()], ..Targets::default() };
        Sender::trusting(roots, targets, calm()).over(Arc::clone(self))
    }
}

#[async_trait]
impl Net for Arc<Shifty> {
    async fn find(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        assert_eq!(name, HOST);
        let answer = self.answers.lock().unwrap().pop_front().expect("it is not asked again");
        Ok(answer.into_iter().map(|address| (address, port).into()).collect())
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        self.connected.lock().unwrap().push(address);
        TcpStream::connect(self.server).await
    }
}

#[tokio::test]
async fn a_name_that_leads_inside_at_the_next_attempt_is_not_followed_there() {
    for inside in ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "::ffff:127.0.0.1"] {
        let safe = Safe::called(&[HOST]).await;
        // When the webhook is made, and at each of two attempts.
        let net = Shifty::new(safe.at, &[&["8.8.8.8"], &["8.8.8.8"], &[inside]]);
        let sender = net.sender(safe.trusted());
        assert!(sender.check(URL).await.is_ok());
        assert_eq!(deliver(&sender, URL).await, Outcome::Delivered(200));
        assert!(safe.had().await.is_some(), "it was asked");
        let outcome = deliver(&sender, URL).await;
        assert_eq!(reason(&outcome), "the host has no public address", "{inside}");
        assert_eq!(net.connected(), ["8.8.8.8:443"], "{inside}");
    }
}

#[tokio::test]
async fn of_a_names_addresses_those_inside_are_passed_over_and_it_is_asked_for_once_an_attempt() {
    let safe = Safe::called(&[HOST]).await;
    let net = Shifty::new(safe.at, &[&["127.0.0.1", "8.8.8.8", "10.0.0.1"]]);
    let outcome = deliver(&net.sender(safe.trusted()), URL).await;
    assert_eq!(outcome, Outcome::Delivered(200));
    assert_eq!(net.connected(), ["8.8.8.8:443"]);
}
