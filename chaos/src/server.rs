//! The server under test: the real program in a process of its own.

use crate::{Outcome, clock::millis, http, leash};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs::OpenOptions,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

/// How long a start or an end may take. A log that has to be read back may be long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Limits that do not stand in the way of load, and silence that is found out while one waits.
const LIMITS: [&str; 12] = [
    "--emits-per-second",
    "1000000",
    "--replay-events",
    "1000000000",
    "--replay-bytes",
    "1000000000000",
    "--page",
    "1000",
    "--ping-every-ms",
    "1000",
    "--silence-ms",
    "3000",
];

/// How to start it.
#[derive(Debug, Clone)]
pub(crate) struct Start {
    pub(crate) program: PathBuf,
    pub(crate) data: PathBuf,
    /// Its stderr goes behind what is there.
    pub(crate) log: PathBuf,
    /// 0 for a free one.
    pub(crate) port: u16,
    /// Variables of its environment, by which a disk with faults is laid under it.
    pub(crate) under: Vec<(&'static str, PathBuf)>,
}

#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// Kept, or its end would be told to the server.
    _out: BufReader<ChildStdout>,
}

impl Server {
    /// Starts it and waits for the line that says where it listens.
    pub(crate) async fn start(start: &Start) -> Outcome<Self> {
        let (mut child, mut out) = Self::spawn(start)?;
        let mut line = String::new();
        let read = timeout(PATIENCE, out.read_line(&mut line)).await;
        let said = line.trim().strip_prefix("listening on http://");
        let Some(address) = said.filter(|_| matches!(read, Ok(Ok(_)))) else {
            let _ = child.start_kill();
            let status = child.wait().await?;
            let log = start.log.display();
            return Err(format!("the server did not start: {line:?}, {status}, see {log}").into());
        };
        Ok(Self { address: address.parse()?, child, _out: out })
    }

    /// Starts it and kills it after that time, wherever it is then.
    pub(crate) async fn start_and_kill(start: &Start, after: Duration) -> Outcome<()> {
        let (mut child, _out) = Self::spawn(start)?;
        tokio::time::sleep(after).await;
        child.kill().await?;
        Ok(())
    }

    fn spawn(start: &Start) -> Outcome<(Child, BufReader<ChildStdout>)> {
        let log = OpenOptions::new().create(true).append(true).open(&start.log)?;
        let mut command = Command::new(&start.program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("HOLDFAST_") {
                command.env_remove(name);
            }
        }
        command
            .args(["serve", "--listen", &format!("127.0.0.1:{}", start.port), "--data"])
            .arg(&start.data)
            .args(LIMITS)
            .env("HOLDFAST_LOG", "info")
            .env("RUST_BACKTRACE", "1")
            .envs(start.under.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true);
        if let Some(group) = leash::group() {
            command.process_group(group);
        }
        let mut child = command.spawn()?;
        let out = child.stdout.take().ok_or("the server has no stdout")?;
        Ok((child, BufReader::new(out)))
    }

    fn signal(&self, signal: Signal) -> Outcome<()> {
        let id = self.child.id().ok_or("the server has ended by itself")?;
        let id = Pid::from_raw(i32::try_from(id)?).ok_or("no process")?;
        Ok(kill_process(id, signal)?)
    }

    /// SIGKILL, and waits for its end.
    pub(crate) async fn kill(mut self) -> Outcome<()> {
        self.signal(Signal::KILL)?;
        self.child.wait().await?;
        Ok(())
    }

    pub(crate) fn freeze(&self) -> Outcome<()> {
        self.signal(Signal::STOP)
    }

    pub(crate) fn thaw(&self) -> Outcome<()> {
        self.signal(Signal::CONT)
    }

    /// SIGTERM, which has to end it with 0.
    pub(crate) async fn end(mut self) -> Outcome<()> {
        self.signal(Signal::TERM)?;
        let status = timeout(PATIENCE, self.child.wait()).await??;
        if status.success() { Ok(()) } else { Err(format!("SIGTERM: {status}").into()) }
    }

    /// Waits for it to end by itself; `None` where it goes on for so long.
    pub(crate) async fn ended(&mut self, patience: Duration) -> Outcome<Option<ExitStatus>> {
        Ok(timeout(patience, self.child.wait()).await.ok().transpose()?)
    }

    /// What `GET /readyz` answers.
    pub(crate) async fn ready(&self) -> Outcome<u16> {
        Ok(http::get(self.address, "/readyz").await?.status)
    }

    /// Waits until `GET /readyz` answers so.
    pub(crate) async fn until_ready_is(&self, status: u16, patience: Duration) -> Outcome<()> {
        let began = Instant::now();
        loop {
            let is = self.ready().await?;
            if is == status {
                return Ok(());
            }
            if began.elapsed() > patience {
                return Err(format!("readyz is {is} and not {status}").into());
            }
            tokio::time::sleep(millis(20)).await;
        }
    }
}

/// The lines of a server's log that tell of an error or a panic and are not among those expected.
pub(crate) fn errors(log: &Path, expected: &[&str]) -> Outcome<Vec<String>> {
    let text = std::fs::read_to_string(log)?;
    let bad = text.lines().filter(|line| {
        (line.contains(" ERROR ") || line.contains("panicked at"))
            && !expected.iter().any(|it| line.contains(it))
    });
    Ok(bad.map(str::to_owned).collect())
}
