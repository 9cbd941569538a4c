//! The real server process, and what can be seen of it from outside.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// A server with a data folder of its own, killed when it is dropped.
pub struct Program {
    pub address: SocketAddr,
    child: Child,
    folder: tempfile::TempDir,
}

impl Program {
    pub fn start(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("HOLDFAST_") {
                command.env_remove(name);
            }
        }
        command.args(["--listen", "127.0.0.1:0", "--data"]).arg(folder.path().join("data"));
        // A file takes whatever is logged; a pipe that nobody reads would stop the server.
        let log = File::create(folder.path().join("log")).unwrap();
        let mut child = command.args(options).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("listening on http://");
        let address = address.unwrap_or_else(|| panic!("{line:?} {options:?}")).parse().unwrap();
        Self { address, child, folder }
    }

    /// Fails if it has ended, or if anything went wrong in it that it knows of.
    pub fn is_well(&mut self) {
        let ended = self.child.try_wait().unwrap();
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap();
        let bad = log.lines().find(|line| line.contains("ERROR") || line.contains("panicked"));
        assert_eq!((ended, bad), (None, None), "{log}");
    }

    /// Bytes of memory that it has now, and the most that it has had since [`Self::forget_peak`].
    /// Only Linux tells.
    pub fn memory(&self) -> Option<(u64, u64)> {
        let status = fs::read_to_string(self.proc("status")).ok()?;
        let kib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().strip_suffix(" kB")?.parse::<u64>().ok()
        };
        Some((kib("VmRSS:")? * 1024, kib("VmHWM:")? * 1024))
    }

    pub fn forget_peak(&self) {
        // Where it cannot be forgotten, what was needed at the start counts too.
        let _ = fs::write(self.proc("clear_refs"), "5");
    }

    /// How many files and sockets it has open. Only Linux tells.
    pub fn files(&self) -> Option<usize> {
        Some(fs::read_dir(self.proc("fd")).ok()?.count())
    }

    /// How long its threads have waited for a processor, together. Only Linux tells.
    pub fn waited(&self) -> Duration {
        let threads = fs::read_dir(self.proc("task")).into_iter().flatten().flatten();
        let waited = threads.filter_map(|thread| {
            let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
            text.split_whitespace().nth(1)?.parse::<u64>().ok()
        });
        Duration::from_nanos(waited.sum())
    }

    fn proc(&self, file: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{file}", self.child.id()))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
