//! Memory for connections that are there and say nothing.

use crate::{Outcome, client::Client, server::Server};

const CONNECTIONS: usize = 5_000;

pub(crate) async fn run() -> Outcome<()> {
    let server = Server::start(&[])?;
    let warm = Client::connect(&server.address).await?;
    let before = server.resident()?;
    let mut clients = vec![warm];
    for _ in 0..CONNECTIONS {
        clients.push(Client::connect(&server.address).await?);
    }
    let after = server.resident()?;
    let each = after.saturating_sub(before) as f64 / CONNECTIONS as f64;
    println!("idle connections: {CONNECTIONS}, resident memory for each {each:.0} bytes\n");
    Ok(())
}
