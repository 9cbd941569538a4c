//! Every chore of the project, one file each: `cargo xtask serve | test | …`.

mod bench;
mod browser;
mod chaos;
mod debian;
mod dev;
#[cfg(test)]
mod documents;
mod e2e;
mod files;
#[cfg(test)]
mod frozen;
mod fuzz;
mod lint;
mod npm;
mod page;
mod server;
mod setup;
mod sh;
mod shots;
mod sim;
mod size;
mod tally;
mod test;
mod tools;
mod workspace;

use std::process::ExitCode;

use sh::Outcome;

const USAGE: &str = "\
cargo xtask <chore>

  serve [-- OPTIONS]    build the page and the server, then serve both at http://127.0.0.1:3000;
                        OPTIONS go to the server
  dev                   live reload: trunk serve on port 8080 before cargo run on port 3000
  build                 leave target/release/holdfast, one file that holds the page
  test [GROUP…] [--no-e2e]
                        everything that must pass; GROUP is lint, unit, chaos, page or e2e
  lint                  format, clippy and the types of the e2e suite
  e2e [--repeat N] [-- ARGUMENTS]
                        the page in a real browser; ARGUMENTS go to Playwright
  chaos [--restarts N] [--events N] [--seed S] [SCENARIO…]
                        the real server under real faults: by default 100 restarts with 2,000
                        events each
  chaos --planted NAME|all
                        a fault, or each of them, that the scenario `jobs` has to see
  shots [-- ARGUMENTS]  pictures of the page, into target/shots/
  bench [-- ARGUMENTS]  the benchmarks
  bench jobs [--peers nats|none|graphile,bullmq,nats,rabbit] [--waiting N] [--rounds N] [--seconds N]
                        queues beside those of others: NATS where nobody says otherwise
  sim [--jobs] [--seeds N | --seed S] [--planted FAULT]
                        the simulator over the first N seeds (1,000), or over one of them again
  fuzz [TARGET…] [--seconds N]
                        look for inputs that the parsers do not stand: libFuzzer, with a nightly
                        toolchain; N for each target, else 60
  size                  build the page and weigh its first load
  setup                 get all that building and testing take, and build nothing
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((chore, rest)) = arguments.split_first() else {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    };
    match dispatch(chore, Arguments::split(rest)) {
        Ok(code) => code,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

/// What stood on the command line behind the chore's name.
struct Arguments {
    /// Before `--`: the chore's own.
    own: Vec<String>,
    /// Behind `--`: for the program that the chore starts.
    passed_on: Vec<String>,
}

impl Arguments {
    fn split(rest: &[String]) -> Self {
        let mut own = rest.to_vec();
        let passed_on = match own.iter().position(|argument| argument == "--") {
            Some(place) => own.drain(place..).skip(1).collect(),
            None => Vec::new(),
        };
        Self { own, passed_on }
    }

    /// Refuses what a chore would otherwise ignore in silence.
    fn nothing_of_its_own(self) -> Outcome<Vec<String>> {
        match self.own.first() {
            Some(argument) => Err(format!("unexpected argument {argument:?}\n\n{USAGE}")),
            None => Ok(self.passed_on),
        }
    }
}

fn dispatch(chore: &str, arguments: Arguments) -> Outcome<ExitCode> {
    match chore {
        "serve" => server::serve(&arguments.nothing_of_its_own()?),
        "dev" => dev::run(&arguments.nothing_of_its_own()?),
        "build" => arguments.nothing_of_its_own().and_then(|_| server::build_release()).map(done),
        "test" => test::run(&arguments.own),
        "lint" => arguments.nothing_of_its_own().and_then(|_| lint::run()),
        "e2e" => e2e::run(&arguments.own, &arguments.passed_on),
        "chaos" => chaos::run(&arguments.own),
        "shots" => shots::run(&arguments.nothing_of_its_own()?),
        "bench" => bench::run(&arguments.own, &arguments.passed_on).map(done),
        "sim" => sim::run(&arguments.own),
        "fuzz" => fuzz::run(&arguments.own),
        "size" => arguments.nothing_of_its_own().and_then(|_| size::run()).map(done),
        "setup" => arguments.nothing_of_its_own().and_then(|_| setup::everything()).map(done),
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        _ => {
            eprintln!("xtask: there is no chore {chore:?}\n\n{USAGE}");
            Ok(ExitCode::from(2))
        }
    }
}

fn done<T>(_: T) -> ExitCode {
    ExitCode::SUCCESS
}
