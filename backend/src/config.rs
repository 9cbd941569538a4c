//! The command line: what may be set, and that everything may be set by environment too.

mod limits;

use crate::{
    cli::{Asked, AskedRoom, ExportOptions, QueueOptions},
    export::Exports,
    limits::EXPORT_TIME,
    webhook::{Inside, Public, Targets},
};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, error::ErrorKind};
use holdfast_common::{job::limits::LONGEST_DELAY, limits::Limits, time::Millis};
use std::{ffi::OsString, net::SocketAddr, path::PathBuf, time::Duration};

/// Holdfast: rooms whose events survive a broken connection.
#[derive(Debug, Parser)]
#[command(name = "holdfast", version, args_conflicts_with_subcommands = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    /// `holdfast` alone serves, with the same options.
    #[command(flatten)]
    serve: ServeOptions,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves the page, the WebSocket and the HTTP interface.
    Serve(ServeOptions),
    /// Shows queues, jobs and schedules of a running server, and adds, requeues, cancels, pauses…
    Queue(QueueOptions),
    /// Has a server that runs write a room's log, and prints it: a line of JSON for each entry
    Export(ExportOptions),
    /// Says that the data folder was restored from a backup: gives each log a new epoch, and ends
    Restored(RestoredOptions),
}

#[derive(Debug, Args)]
struct RestoredOptions {
    /// The folder of the database
    #[arg(long, default_value = "./data")]
    data: PathBuf,
}

#[derive(Debug, Args)]
struct ServeOptions {
    /// The address to listen on; port 0 picks a free one
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// The folder of the database; made if it is not there
    #[arg(long, default_value = "./data")]
    data: PathBuf,
    /// Loopback port whose origin is taken as the own one, for `trunk serve`; 0 for none
    #[arg(long, default_value_t = 8080)]
    dev_proxy_port: u16,
    /// How long a shutdown waits for what is under way
    #[arg(long, value_name = "MS", default_value_t = 5_000)]
    drain_ms: u64,
    /// When clients are told to come back after a shutdown
    #[arg(long, value_name = "MS", default_value_t = 1_000)]
    away_ms: u64,
    /// Frames that may wait for one connection; past it, it reads the log instead
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(2..=65_536))]
    waiting_frames: u32,
    /// Connections at once; one more is refused: `overloaded`
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    connections: u32,
    /// How long a request's head may take, its body, and the taking of its answer
    #[arg(long, value_name = "MS", default_value_t = 30_000, value_parser = clap::value_parser!(u64).range(100..))]
    request_ms: u64,
    /// Where webhooks may go, by https: `HOST[:PORT]`, `*.example.org` for all below it; repeatable
    #[arg(long, value_name = "HOST[:PORT]", value_delimiter = ',')]
    webhook_target: Vec<Public>,
    /// A neighbour to which webhooks may go, by http as well and at any address; repeatable
    #[arg(long, value_name = "HOST:PORT", value_delimiter = ',')]
    webhook_inside: Vec<Inside>,
    /// How long a webhook's receiver may take to answer
    #[arg(long, value_name = "MS", default_value_t = 15_000, value_parser = clap::value_parser!(u64).range(100..=600_000))]
    webhook_ms: u64,
    /// How long the file of a room that was exported is kept
    #[arg(long, value_name = "MS", default_value_t = 604_800_000, value_parser = clap::value_parser!(u64).range(1_000..=LONGEST_DELAY.0))]
    exports_keep_ms: u64,
    /// Bytes of all those files; past it an export is refused
    #[arg(long, value_name = "N", default_value_t = 4_294_967_296)]
    exports_bytes: u64,
    /// What is logged to stderr: error, warn, info, debug, trace, or `target=level,…`
    #[arg(long, default_value = "info", value_parser = log_filter)]
    log: String,
    #[command(flatten, next_help_heading = "Limits")]
    limits: limits::LimitOptions,
}

/// What the program was told to do.
#[derive(Debug, Clone)]
pub enum Task {
    /// To serve.
    Serve(Box<Config>),
    /// To give each log of this folder a new epoch. A word of its own and no option of `serve`:
    /// one that was forgotten in a unit file would make every reader start over at every start.
    Restored(PathBuf),
    /// To ask a server that runs about its queues.
    Queue(Box<Asked>),
    /// To ask it for a room's log.
    Export(Box<AskedRoom>),
}

/// How to serve.
#[derive(Debug, Clone)]
pub struct Config {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The folder of the database.
    pub data: PathBuf,
    /// The port of the page's dev server, if there is one.
    pub dev_proxy_port: Option<u16>,
    /// How long a shutdown waits for what is under way.
    pub drain: Millis,
    /// When clients are told to come back.
    pub away: Millis,
    /// Frames that may wait for one connection.
    pub waiting_frames: usize,
    /// Connections that there may be at once.
    pub connections: usize,
    /// How long a request's head may take, its body, and the taking of its answer.
    pub request_time: Millis,
    /// Where webhooks may go.
    pub webhooks: Targets,
    /// How long a webhook's receiver may take to answer.
    pub webhook_time: Millis,
    /// Where rooms are written to files, and for how long these are kept.
    pub exports: Exports,
    /// What is logged.
    pub log: String,
    /// The limits.
    pub limits: Limits,
}

impl Task {
    /// Reads the command line. Help, versions and wrong options come as clap's error, which
    /// prints itself and knows its exit code.
    ///
    /// # Errors
    /// The options are wrong, or ask for help.
    pub fn read(words: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let mut command = with_environment(CommandLine::command());
        let matches = command.try_get_matches_from_mut(words)?;
        let line = CommandLine::from_arg_matches(&matches)?;
        let options = match line.command {
            Some(Command::Restored(options)) => return Ok(Self::Restored(options.data)),
            Some(Command::Queue(options)) => return Ok(Self::Queue(Box::new(Asked::new(options)))),
            Some(Command::Export(options)) => {
                return Ok(Self::Export(Box::new(AskedRoom::new(options))));
            }
            Some(Command::Serve(options)) => options,
            None => line.serve,
        };
        let config = Config::of(options);
        let config = config.map_err(|text| command.error(ErrorKind::ValueValidation, text))?;
        Ok(Self::Serve(Box::new(config)))
    }
}

impl Config {
    fn of(options: ServeOptions) -> Result<Self, &'static str> {
        let limits = Limits::from(options.limits);
        if limits.ping_every >= limits.silence {
            return Err("--ping-every-ms has to be below --silence-ms");
        }
        if limits.window > limits.unsettled {
            return Err("--window must not be above --unsettled");
        }
        let exports = Exports {
            folder: options.data.join("exports"),
            keep: Millis(options.exports_keep_ms),
            bytes: options.exports_bytes,
            pace: Duration::from_millis(options.request_ms).max(EXPORT_TIME),
        };
        Ok(Self {
            listen: options.listen,
            data: options.data,
            dev_proxy_port: Some(options.dev_proxy_port).filter(|port| *port != 0),
            drain: Millis(options.drain_ms),
            away: Millis(options.away_ms),
            waiting_frames: options.waiting_frames as usize,
            connections: options.connections as usize,
            request_time: Millis(options.request_ms),
            webhooks: Targets { public: options.webhook_target, inside: options.webhook_inside },
            webhook_time: Millis(options.webhook_ms),
            exports,
            log: options.log,
            limits,
        })
    }
}

fn log_filter(text: &str) -> Result<String, tracing_subscriber::filter::ParseError> {
    tracing_subscriber::EnvFilter::try_new(text).map(|_| text.to_owned())
}

/// Gives every option its variable: `--payload-bytes` is `HOLDFAST_PAYLOAD_BYTES`. Done here for
/// all of them, so that none can be forgotten.
fn with_environment(command: clap::Command) -> clap::Command {
    command
        .mut_args(|argument| match argument.get_long() {
            None | Some("help" | "version") => argument,
            Some(long) => {
                let name = long.to_ascii_uppercase().replace('-', "_");
                argument.env(format!("HOLDFAST_{name}"))
            }
        })
        .mut_subcommands(|command| match command.get_name() {
            // What is decided is what is said: no variable that was left set adds to it.
            // Whom one asks, and who one is, stays the same.
            "queue" => ["server", "by", "person"].into_iter().fold(command, from_environment),
            "export" => from_environment(command, "server"),
            _ => with_environment(command),
        })
}

fn from_environment(command: clap::Command, option: &'static str) -> clap::Command {
    let name = format!("HOLDFAST_{}", option.to_ascii_uppercase());
    command.mut_arg(option, |argument| argument.env(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn read(words: &str) -> Result<Config, clap::Error> {
        match Task::read(words.split_whitespace().map(OsString::from))? {
            Task::Serve(config) => Ok(*config),
            other => panic!("nothing is served: {other:?}"),
        }
    }

    #[test]
    fn the_word_serve_may_be_left_out() {
        for words in ["holdfast serve --listen 127.0.0.1:0", "holdfast --listen 127.0.0.1:0"] {
            assert_eq!(read(words).unwrap().listen.port(), 0, "{words}");
        }
        let default = read("holdfast").unwrap();
        assert_eq!(default.listen.to_string(), "127.0.0.1:3000");
        assert_eq!(default.data, PathBuf::from("./data"));
        assert_eq!(default.limits, Limits::default());
    }

    #[test]
    fn what_was_restored_is_said_by_a_word_of_its_own() {
        let words = |text: &str| Task::read(text.split(' ').map(OsString::from));
        let task = words("holdfast restored --data there").unwrap();
        assert!(matches!(task, Task::Restored(folder) if folder == Path::new("there")));
        assert_eq!(words("holdfast --restored").unwrap_err().exit_code(), 2);
    }

    #[test]
    fn every_option_has_a_variable() {
        let command = with_environment(CommandLine::command());
        let serve = command.find_subcommand("serve").unwrap();
        for argument in command.get_arguments().chain(serve.get_arguments()) {
            let long = argument.get_long().unwrap();
            if !["help", "version"].contains(&long) {
                let name = argument.get_env().unwrap().to_str().unwrap();
                assert!(name.starts_with("HOLDFAST_"), "{name}");
            }
        }
    }

    #[test]
    fn a_limit_that_can_be_set_is_set() {
        let config = read("holdfast --payload-bytes 1000 --silence-ms 60000 --replay-events 5");
        let limits = config.unwrap().limits;
        assert_eq!(limits.payload_bytes, 1000);
        assert_eq!(limits.silence, Millis(60_000));
        assert_eq!(limits.replay_events, 5);
    }

    #[test]
    fn webhooks_may_go_where_it_is_said_once_or_more() {
        assert!(read("holdfast").unwrap().webhooks.public.is_empty());
        let words = "holdfast --webhook-target *.example.org --webhook-target hooks.example.com:8443 \
            --webhook-inside 127.0.0.1:9000,neighbour:80";
        let Targets { public, inside } = read(words).unwrap().webhooks;
        let public: Vec<_> = public.iter().map(|it| format!("{it:?}")).collect();
        assert!(public[1].contains("8443"), "{public:?}");
        assert_eq!((public.len(), inside.len()), (2, 2));
    }

    #[test]
    fn wrong_options_exit_with_2() {
        for words in [
            "holdfast --nonsense",
            "holdfast --listen here",
            "holdfast serve --payload-bytes 0",
            "holdfast --payload-bytes -1",
            "holdfast --ping-every-ms 30000",
            "holdfast --window 2000",
            "holdfast --log a=b=c",
            "holdfast --webhook-target https://hooks.example.org/",
            "holdfast --webhook-inside neighbour",
            "holdfast --webhook-ms 0",
            "holdfast dance",
        ] {
            assert_eq!(read(words).unwrap_err().exit_code(), 2, "{words}");
        }
        assert_eq!(read("holdfast --help").unwrap_err().exit_code(), 0);
    }
}
