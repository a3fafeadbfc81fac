//! One client of the admin socket: bytes in, answers out, without a socket.

use super::command::{self, Call, PERMISSION_DENIED};
use super::level::Level;
use super::line::{Line, parse};
use super::ops::Ops;
use super::reply::{Events, Refusal, Reply, Severity};
use crate::limits::{COMMAND_LINE_BYTES, COMMAND_PAYLOAD_BYTES};
use std::collections::VecDeque;

/// How a client talks (management.txt 9.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// One line, then the connection closes.
    #[default]
    Single,
    /// Many lines.
    Interactive,
    /// Many lines, each asked for by `> `.
    Prompt,
}

/// What stands in front of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SeverityOutput {
    #[default]
    None,
    /// `[3]: `
    Number,
    /// `[err]: `
    Word,
}

/// What a client set for itself.
#[derive(Clone, Debug)]
pub struct Client {
    pub level: Level,
    pub mode: Mode,
    /// The prompt shows the uptime.
    pub timed: bool,
    pub severity_output: SeverityOutput,
    /// Silence after which the connection closes.
    pub timeout_ms: u64,
    /// `expert-mode` and `experimental-mode`.
    pub expert: bool,
    pub experimental: bool,
    /// The client said `quit`.
    pub quit: bool,
}

/// What the owner of the connection has to do next.
pub enum Step {
    /// Read more.
    Read,
    /// Send this.
    Send(String),
    /// Send lines of a ring, then an empty line.
    Follow(Events),
    /// Wait for a reply, then give it to [`Session::answered`].
    Wait(super::ops::Later<Reply>),
    /// Send nothing more and close.
    Close,
}

/// The state of one client.
pub struct Session {
    client: Client,
    input: Vec<u8>,
    /// Commands of the line in work.
    pending: VecDeque<Vec<String>>,
    payload: Payload,
    /// A line was begun and its end (prompt or close) is still owed.
    in_line: bool,
    ended: bool,
}

enum Payload {
    None,
    /// Lines are collected until one is `end`.
    Open {
        end: String,
        text: String,
    },
    /// Belongs to the last pending command.
    Complete(String),
}

impl Session {
    /// A client of a socket with this level and timeout.
    pub fn new(level: Level, timeout_ms: u64) -> Self {
        let client = Client {
            level,
            mode: Mode::default(),
            timed: false,
            severity_output: SeverityOutput::default(),
            timeout_ms,
            expert: false,
            experimental: false,
            quit: false,
        };
        Self {
            client,
            input: Vec::new(),
            pending: VecDeque::new(),
            payload: Payload::None,
            in_line: false,
            ended: false,
        }
    }

    /// Silence after which the connection closes.
    pub fn timeout_ms(&self) -> u64 {
        self.client.timeout_ms
    }

    /// Bytes from the client.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
    }

    /// The client sends no more; what it sent is still answered. A last line without its end is
    /// dropped: it may be a part of a longer one.
    pub fn end_of_input(&mut self) {
        self.ended = true;
    }

    /// Bytes that wait; the reader pauses while there are enough for any line.
    pub fn wants_input(&self) -> bool {
        self.input.len() <= COMMAND_LINE_BYTES
    }

    /// The next thing to do.
    pub fn step(&mut self, ops: &mut dyn Ops) -> Step {
        loop {
            if !matches!(self.payload, Payload::Open { .. })
                && let Some(words) = self.pending.pop_front()
            {
                return self.run(&words, ops);
            }
            if self.in_line
                && let Some(step) = self.end_line(ops)
            {
                return step;
            }
            match self.take_line() {
                Some(Ok(())) => {}
                Some(Err(step)) => return step,
                None if self.ended => return Step::Close,
                None => return Step::Read,
            }
        }
    }

    /// A reply that [`Step::Wait`] waited for; it may have to wait again.
    pub fn answered(&self, reply: Reply) -> Step {
        match reply {
            Reply::Later(later) => Step::Wait(later),
            Reply::Events(events) => Step::Follow(events),
            reply => Step::Send(self.print(reply)),
        }
    }

    fn run(&mut self, words: &[String], ops: &mut dyn Ops) -> Step {
        let payload = match (&self.payload, self.pending.is_empty()) {
            (Payload::Complete(_), true) => std::mem::replace(&mut self.payload, Payload::None),
            _ => Payload::None,
        };
        let payload = match &payload {
            Payload::Complete(text) => Some(text.as_str()),
            _ => None,
        };
        if words.is_empty() {
            return Step::Send("\n".to_owned());
        }
        let Some(command) = command::find(words) else {
            let unknown = Reply::info(command::suggestions(words));
            return Step::Send(self.print(unknown));
        };
        if self.client.level < command.level {
            return Step::Send(self.print_result(Err(PERMISSION_DENIED.into())));
        }
        let answer = (command.run)(&mut Call {
            words,
            payload,
            ops,
            client: &mut self.client,
        });
        if self.client.quit {
            return Step::Close;
        }
        let settled = ops.settled();
        match (answer, settled) {
            (Ok(Reply::Later(later)), _) => Step::Wait(later),
            (Ok(Reply::Events(events)), _) => Step::Follow(events),
            (Ok(reply), Some(settled)) => Step::Wait(Box::pin(async move {
                settled.await;
                reply
            })),
            (answer, _) => Step::Send(self.print_result(answer)),
        }
    }

    /// After the last command of a line: the prompt, or the end.
    fn end_line(&mut self, ops: &dyn Ops) -> Option<Step> {
        self.in_line = false;
        match self.client.mode {
            Mode::Single => Some(Step::Close),
            Mode::Interactive => None,
            Mode::Prompt => Some(Step::Send(self.prompt(ops))),
        }
    }

    fn prompt(&self, ops: &dyn Ops) -> String {
        if !self.client.timed {
            return "> ".to_owned();
        }
        let seconds = ops.uptime_ms() / 1000;
        let (days, hours) = (seconds / 86_400, seconds / 3600 % 24);
        format!(
            "[{days}:{hours:02}:{:02}:{:02}]> ",
            seconds / 60 % 60,
            seconds % 60
        )
    }

    /// Takes one line off the input; an error is a message to send before closing.
    fn take_line(&mut self) -> Option<Result<(), Step>> {
        let Some(end) = self.input.iter().position(|byte| *byte == b'\n') else {
            return (self.input.len() > COMMAND_LINE_BYTES).then(|| Err(self.too_long()));
        };
        if end > COMMAND_LINE_BYTES {
            return Some(Err(self.too_long()));
        }
        let line: Vec<u8> = self.input.drain(..=end).collect();
        let line = String::from_utf8_lossy(&line[..end]).into_owned();
        Some(match std::mem::replace(&mut self.payload, Payload::None) {
            Payload::Open { end, text } => self.add_payload(end, text, &line),
            _ => self.begin_line(&line),
        })
    }

    fn begin_line(&mut self, line: &str) -> Result<(), Step> {
        let Ok(Line {
            commands,
            payload_end,
        }) = parse(line)
        else {
            self.in_line = true;
            const TOO_MANY: &str = "Too many arguments. Commands must have at most 64 arguments.";
            return Err(Step::Send(self.print_result(Err(TOO_MANY.into()))));
        };
        self.pending = commands.into();
        let Some(end) = payload_end else {
            self.in_line = true;
            return Ok(());
        };
        self.payload = Payload::Open {
            end,
            text: String::new(),
        };
        self.ask_for_payload()
    }

    /// Commands of the line wait until their payload is complete.
    fn ask_for_payload(&self) -> Result<(), Step> {
        match self.client.mode {
            Mode::Prompt => Err(Step::Send("+ ".to_owned())),
            _ => Ok(()),
        }
    }

    fn add_payload(&mut self, end: String, mut text: String, line: &str) -> Result<(), Step> {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line == end {
            self.payload = Payload::Complete(text);
            self.in_line = true;
            return Ok(());
        }
        text.push_str(line);
        text.push('\n');
        if text.len() > COMMAND_PAYLOAD_BYTES {
            return Err(self.too_long());
        }
        self.payload = Payload::Open { end, text };
        self.ask_for_payload()
    }

    fn too_long(&mut self) -> Step {
        self.pending.clear();
        self.input.clear();
        self.payload = Payload::None;
        self.in_line = false;
        self.client.mode = Mode::Single;
        self.ended = true;
        Step::Send(
            "The command line is too big for the buffer size. Please change 'tune.bufsize' in \
             the configuration to use a bigger command.\n"
                .to_owned(),
        )
    }

    fn print_result(&self, answer: Result<Reply, Refusal>) -> String {
        let refused = |refusal: Refusal| Reply::Message(Severity::Error, refusal.0);
        self.print(answer.unwrap_or_else(refused))
    }

    /// The text of an answer, with the empty line that ends it.
    fn print(&self, reply: Reply) -> String {
        let mut text = match reply {
            Reply::Done | Reply::Later(_) | Reply::Events(_) => return "\n".to_owned(),
            Reply::Report(text) => text,
            Reply::Message(severity, text) => {
                let (number, word) = severity.names();
                match self.client.severity_output {
                    SeverityOutput::None => text,
                    SeverityOutput::Number => format!("[{number}]: {text}"),
                    SeverityOutput::Word => format!("[{word}]: {text}"),
                }
            }
        };
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push('\n');
        text
    }
}
