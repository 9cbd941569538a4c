//! The server under test: the real program in a process of its own, on a fresh data folder.

use crate::Outcome;
use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

pub(crate) struct Server {
    child: Child,
    /// `127.0.0.1:PORT`.
    pub(crate) address: String,
    pub(crate) data: tempfile::TempDir,
}

impl Server {
    /// Starts it with limits that do not stand in a benchmark's way.
    pub(crate) fn start(options: &[&str]) -> Outcome<Self> {
        // Not the system's temporary folder, which may be in memory.
        let data = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let mut child = Command::new(env!("CARGO_BIN_EXE_holdfast"))
            .args(["--listen", "127.0.0.1:0", "--emits-per-second", "1000000000", "--data"])
            .arg(data.path())
            .args(options)
            .env("HOLDFAST_LOG", "warn")
            .env_remove("TOKIO_WORKER_THREADS")
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().ok_or("the server has no stdout")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line.trim().strip_prefix("listening on http://");
        let address = address.ok_or_else(|| format!("the server said {line:?}"))?.to_owned();
        Ok(Self { child, address, data })
    }

    /// CPU time it has used.
    pub(crate) fn cpu(&self) -> Outcome<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let (_, fields) = stat.rsplit_once(") ").ok_or("/proc/PID/stat has another form")?;
        let fields: Vec<&str> = fields.split(' ').collect();
        // Fields 14 and 15 of proc(5), in ticks of 1/100 s; `fields` begins with the third.
        let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
        Ok(Duration::from_millis(ticks * 10))
    }

    /// Resident memory in bytes.
    pub(crate) fn resident(&self) -> Outcome<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes: u64 = line.ok_or("no VmRSS")?.trim().trim_end_matches(" kB").parse()?;
        Ok(kilobytes * 1024)
    }

    /// The folder its log lies in.
    pub(crate) fn folder(&self) -> &Path {
        self.data.path()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
