//! The benchmark: `cargo xtask bench`. It prints figures and judges none of them; each stands beside
//! what this machine can do in the same run, since machines differ and are noisy. Processor time and
//! memory are read from `/proc`, so all but `emits` and `replay` need Linux.
//!
//! Names given as arguments choose parts of it: `emits`, `fanout`, `idle`, `replay`; `page` is weighed by
//! `cargo xtask bench` itself.

mod client;
mod emits;
mod fanout;
mod fsync;
mod idle;
mod replay;
mod server;

/// What may go wrong in a benchmark: anything, and then it ends.
type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Thousands of connections are open here as well as in the server, which inherits the limit.
#[cfg(unix)]
fn allow_many_files() -> Outcome<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?;
    Ok(())
}

#[tokio::main]
async fn main() -> Outcome<()> {
    #[cfg(unix)]
    allow_many_files()?;
    let names: Vec<String> = std::env::args().skip(1).filter(|it| !it.starts_with('-')).collect();
    let wanted = |name: &str| names.is_empty() || names.iter().any(|it| it == name);
    if wanted("emits") {
        emits::run().await?;
    }
    if wanted("fanout") {
        fanout::run().await?;
    }
    if wanted("replay") {
        replay::run().await?;
    }
    if wanted("idle") {
        idle::run().await?;
    }
    Ok(())
}
