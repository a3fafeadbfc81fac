//! The command line: HAProxy's one-dash words beside `--cores` and the subcommands.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

const EXAMPLES: &str = "\
Examples:
  engine demo                            three origins, a balancer and its stats page, here and now
  engine -c -V -f lb.cfg                 check a configuration as HAProxy's -c does
  engine --cores 4 -f lb.cfg             run it on four cores
  engine -Ws -f lb.cfg -p /run/lb.pid    as a systemd service (Type=notify)
  engine -D -f lb.cfg -sf $(cat lb.pid)  start anew; the old process finishes
  engine -cc 'feature(OPENSSL)'          evaluate a condition: 0 true, 1 false, 2 not understood
  engine explain option httplog          what is known of a keyword

Other one-dash words of HAProxy are understood: -vv -vq -db -dW -dD -st -dM and the like.
Exit codes: 0 done or valid, 1 not; SIGUSR1 stops softly, SIGTERM and SIGINT at once.
The manual of the configuration language is HAProxy's; docs/compatibility.md says what differs.";

/// engine: an HAProxy-compatible proxy, one core a thread, on io_uring.
#[derive(Debug, Parser)]
#[command(
    name = "engine",
    disable_version_flag = true,
    after_help = EXAMPLES,
    args_conflicts_with_subcommands = true
)]
pub struct Args {
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Configuration file or directory (its *.cfg in C order); may be repeated.
    #[arg(short = 'f', value_name = "FILE", action = clap::ArgAction::Append)]
    pub files: Vec<PathBuf>,

    /// More configuration files, after `--`.
    #[arg(last = true, value_name = "FILE")]
    pub more_files: Vec<PathBuf>,

    /// Number of cores; otherwise nbthread, otherwise all that affinity and cpuset allow.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub cores: Option<u16>,

    /// Check the configuration and exit: 0 if it is valid, 1 otherwise.
    #[arg(short = 'c')]
    pub check: bool,

    /// Evaluate a condition as `.if` does and exit: 0 true, 1 false, 2 error (-cc).
    #[arg(
        long = "condition",
        value_name = "EXPR",
        allow_hyphen_values = true,
        hide_short_help = true
    )]
    pub condition: Option<String>,

    /// Say more: with -c, that the configuration is valid.
    #[arg(short = 'V')]
    pub verbose: bool,

    /// Print the version and exit.
    #[arg(short = 'v')]
    pub version: bool,

    /// Print the version and what this build can do, and exit (-vv).
    #[arg(long = "build-info", hide_short_help = true)]
    pub build_info: bool,

    /// Print only the version number (-vq), its branch (-vqb) or the short version (-vqs).
    #[arg(long = "brief-version", value_name = "KIND", hide_short_help = true)]
    pub brief_version: Option<String>,

    /// Stay in the foreground and say what happens.
    #[arg(short = 'd')]
    pub debug: bool,

    /// Stay in the foreground even if the configuration says `daemon` (-db).
    #[arg(long = "foreground", hide_short_help = true)]
    pub foreground: bool,

    /// Run in the background.
    #[arg(short = 'D')]
    pub daemon: bool,

    /// Write the process id to FILE.
    #[arg(short = 'p', value_name = "FILE")]
    pub pid_file: Option<PathBuf>,

    /// Say nothing but errors.
    #[arg(short = 'q')]
    pub quiet: bool,

    /// Process-wide connection limit, above what the configuration says.
    #[arg(short = 'n', value_name = "COUNT")]
    pub maxconn: Option<u32>,

    /// Connection limit of a proxy that sets none.
    #[arg(short = 'N', value_name = "COUNT")]
    pub default_maxconn: Option<u32>,

    /// Memory that the process may use, in megabytes.
    #[arg(short = 'm', value_name = "MEGABYTES")]
    pub memory_megabytes: Option<u64>,

    /// Name of this node for peers; otherwise the host name.
    #[arg(short = 'L', value_name = "NAME")]
    pub local_peer: Option<String>,

    /// Change to DIR before files are read.
    #[arg(short = 'C', value_name = "DIR")]
    pub directory: Option<PathBuf>,

    /// Every warning is an error (-dW), as `zero-warning` says.
    #[arg(long = "zero-warning", hide_short_help = true)]
    pub zero_warning: bool,

    /// Worker mode (-W, -Ws): one process supervises, one works; -Ws tells systemd when it is ready.
    #[arg(short = 'W')]
    pub worker: bool,

    /// Tell systemd when ready (-Ws).
    #[arg(long = "notify", hide_short_help = true)]
    pub notify: bool,

    /// Admin socket of the supervising process.
    #[arg(short = 'S', value_name = "ADDRESS")]
    pub master_socket: Option<String>,

    /// Ask these processes to finish once we are ready (-sf).
    #[arg(long = "finish", value_name = "PID", num_args = 0.., hide_short_help = true)]
    pub finish: Vec<i32>,

    /// Ask these processes to stop once we are ready (-st).
    #[arg(long = "terminate", value_name = "PID", num_args = 0.., hide_short_help = true)]
    pub terminate: Vec<i32>,

    /// Debugging words of HAProxy that change nothing here (-dM, -dI, -dp, -de, ...).
    #[arg(long = "debug-word", value_name = "WORD", hide = true)]
    pub debug_words: Vec<String>,

    /// Take listening sockets from the process behind this admin socket (-x).
    #[arg(short = 'x', value_name = "SOCKET")]
    pub transfer_from: Option<String>,
}

impl Args {
    /// All configuration files, in the order in which they are read.
    pub fn configuration(&self) -> Vec<PathBuf> {
        self.files.iter().chain(&self.more_files).cloned().collect()
    }

    /// Classes of keywords that are to be listed (`-dK`).
    pub fn dumped_keywords(&self) -> Option<&str> {
        self.debug_words
            .iter()
            .find_map(|word| word.strip_prefix('K'))
    }

    /// Whether findings of the lowest severity are wanted (`-dD`).
    pub fn shows_diagnostics(&self) -> bool {
        self.debug_words.iter().any(|word| word.starts_with('D'))
    }
}

/// What else the program does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run three origins, a balancer and its stats page in one process, and say what to try.
    Demo {
        /// First of the ports that are used; free ones are taken by default.
        #[arg(long, value_name = "PORT")]
        port: Option<u16>,
        /// Number of cores of the balancer.
        #[arg(long, value_name = "N", default_value_t = 2)]
        cores: u16,
        /// Stop after so many seconds; otherwise at Ctrl-C.
        #[arg(long, value_name = "SECONDS")]
        seconds: Option<u64>,
    },
    /// Check configurations as -c does, for editors and CI: exit 0 if they are valid, 1 otherwise.
    Check {
        /// Judge the text alone, as if every keyword that is known worked.
        #[arg(long)]
        language: bool,
        /// Print the verdict and all findings as JSON on standard output.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        input: Input,
    },
    /// Print what is known of a keyword: syntax, where it stands, how far it works.
    Explain {
        /// As typed in a configuration: `option httplog`, `maxconn`, `req.hdr`.
        #[arg(required = true, value_name = "KEYWORD")]
        words: Vec<String>,
    },
    /// Print what of a configuration works, works in part, is ignored, and is refused, and why.
    Migrate {
        /// Print it as JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        input: Input,
    },
}

/// Which configuration a subcommand looks at: files by `-f` or by their bare names.
#[derive(Debug, clap::Args)]
pub struct Input {
    /// Configuration file or directory; may be repeated.
    #[arg(short = 'f', value_name = "FILE", action = clap::ArgAction::Append)]
    named: Vec<PathBuf>,
    /// The same without `-f`.
    #[arg(value_name = "FILE", required_unless_present = "named")]
    bare: Vec<PathBuf>,
}

impl Input {
    pub fn files(&self) -> Vec<PathBuf> {
        self.named.iter().chain(&self.bare).cloned().collect()
    }
}

/// Splits HAProxy's one-dash words into what the parser knows. `Err` names a word that is unknown.
pub fn normalise(args: impl Iterator<Item = String>) -> Result<Vec<String>, String> {
    let mut out = Vec::new();
    let mut args = args.peekable();
    while let Some(arg) = args.next() {
        if arg == "--" {
            out.push(arg);
            out.extend(args);
            break;
        }
        match long_form(&arg) {
            Word::AsItIs => {
                // The value of a short option is never looked at: it may begin with a dash.
                let takes_value = TAKES_VALUE.contains(&arg.as_str());
                out.push(arg);
                if takes_value {
                    out.extend(args.next());
                }
            }
            Word::Becomes(words) => {
                let takes_value = words.last().is_some_and(|word| word == "--condition");
                out.extend(words);
                if takes_value {
                    out.extend(args.next());
                }
            }
            Word::Unknown => return Err(arg),
        }
    }
    Ok(out)
}

const TAKES_VALUE: &[&str] = &[
    "-f",
    "-p",
    "-n",
    "-N",
    "-m",
    "-L",
    "-C",
    "-S",
    "-x",
    "--cores",
    "--port",
    "--seconds",
];

enum Word {
    AsItIs,
    Becomes(Vec<String>),
    Unknown,
}

fn long_form(arg: &str) -> Word {
    let becomes = |words: &[&str]| Word::Becomes(words.iter().map(ToString::to_string).collect());
    match arg {
        "-cc" => becomes(&["--condition"]),
        "-vv" => becomes(&["--build-info"]),
        "-vq" | "-vqs" | "-vqb" => becomes(&["--brief-version", &arg[2..]]),
        "-db" => becomes(&["--foreground"]),
        "-dW" => becomes(&["--zero-warning"]),
        "-Ws" => becomes(&["-W", "--notify"]),
        "-sf" => becomes(&["--finish"]),
        "-st" => becomes(&["--terminate"]),
        "-4" => becomes(&["--debug-word", "4"]),
        _ if arg.len() > 2 && arg.starts_with("-d") => becomes(&["--debug-word", &arg[2..]]),
        _ if arg.len() > 2 && arg.starts_with('-') && !arg.starts_with("--") => Word::Unknown,
        _ => Word::AsItIs,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Args {
        let words = std::iter::once("engine")
            .chain(words.iter().copied())
            .map(str::to_owned);
        Args::parse_from(normalise(words).expect("known words"))
    }

    #[test]
    fn the_words_of_a_service_file() {
        let args = parse(&[
            "-Ws",
            "-f",
            "lb.cfg",
            "-p",
            "/run/e.pid",
            "-S",
            "/run/m.sock",
        ]);
        assert!(args.worker && args.notify);
        assert_eq!(args.files, [PathBuf::from("lb.cfg")]);
        assert_eq!(args.pid_file, Some(PathBuf::from("/run/e.pid")));
    }

    #[test]
    fn the_words_of_a_regression_test() {
        let args = parse(&[
            "-d", "-dM", "-dI", "-dW", "-f", "a", "-p", "b", "-L", "me", "-m", "9",
        ]);
        assert!(args.debug && args.zero_warning);
        assert_eq!(args.debug_words, ["M", "I"]);
        assert_eq!(args.memory_megabytes, Some(9));
    }

    #[test]
    fn soft_stop_lists_and_files_behind_a_double_dash() {
        let args = parse(&["-f", "a", "-sf", "12", "13", "--", "b", "-c"]);
        assert_eq!(args.finish, [12, 13]);
        assert_eq!(args.more_files, [PathBuf::from("b"), PathBuf::from("-c")]);
    }

    #[test]
    fn a_condition_may_begin_with_anything() {
        let args = parse(&["-cc", "!defined(X) || -1"]);
        assert_eq!(args.condition.as_deref(), Some("!defined(X) || -1"));
        let args = parse(&["-cc", "-1000 && 200"]);
        assert_eq!(args.condition.as_deref(), Some("-1000 && 200"));
    }

    #[test]
    fn an_unknown_word_is_named() {
        let words = ["engine", "-zz"].map(str::to_owned).into_iter();
        assert_eq!(normalise(words), Err("-zz".to_owned()));
    }
}
