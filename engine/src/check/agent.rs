//! Agents: programs beside servers that say how these are (manual 5.2, `agent-check`).

use std::cell::{Cell, RefCell};
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use cfgparse::model::Addr;
use cfgparse::model::server::AgentCheck;
use reactor::Core;
use reactor::net::{ConnectOptions, stream_socket_from};
use socket2::SockAddr;

use super::connection::{Connection, Received};
use super::run::{Failure, within};
use crate::limits::AGENT_ANSWER_BYTES_MAX;
use crate::probe::{Finding, errno_text};
use crate::server::{CheckStatus, UserWeight};

/// Milliseconds between two questions (manual 5.2, `agent-inter`).
const INTER_MS: u64 = 2_000;

/// What an agent said in one line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    pub admin: Option<Admin>,
    pub is_up: Option<bool>,
    pub weight: Option<UserWeight>,
    pub maxconn: Option<u32>,
    /// For people: the word about the server's health with its description, or a complaint.
    pub info: String,
}

/// The administrative state that an agent asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admin {
    Ready,
    Drain,
    Maint,
}

impl Said {
    /// Reads a line: words between blanks and commas, a description behind `#`.
    pub fn parse(line: &str) -> Self {
        let (words, description) = line.split_once('#').unwrap_or((line, ""));
        let mut said = Self::default();
        let mut unknown = None;
        for word in words
            .split([' ', '\t', ','])
            .filter(|word| !word.is_empty())
        {
            match word.to_ascii_lowercase().as_str() {
                "ready" => said.admin = Some(Admin::Ready),
                "drain" => said.admin = Some(Admin::Drain),
                "maint" => said.admin = Some(Admin::Maint),
                lower @ ("up" | "down" | "stopped" | "fail") => {
                    said.is_up = Some(lower == "up");
                    word.clone_into(&mut said.info);
                }
                lower => match number(lower) {
                    Some(Number::Weight(weight)) => said.weight = Some(weight),
                    Some(Number::Maxconn(maxconn)) => said.maxconn = Some(maxconn),
                    None => unknown = Some(word),
                },
            }
        }
        if said.is_up.is_some() {
            said.info.insert_str(0, "via agent : ");
            let description = description.trim();
            if !description.is_empty() {
                said.info = format!("{} ({description})", said.info);
            }
        } else if let Some(word) = unknown {
            said.info = format!("agent reports an error : {word}");
        }
        said
    }
}

enum Number {
    Weight(UserWeight),
    Maxconn(u32),
}

fn number(word: &str) -> Option<Number> {
    if let Some(maxconn) = word.strip_prefix("maxconn:") {
        return maxconn.parse().ok().map(Number::Maxconn);
    }
    let weight = match word.strip_prefix("weight:") {
        Some(weight) => weight,
        None if word.ends_with('%') => word,
        None => return None,
    };
    UserWeight::parse(weight).map(Number::Weight)
}

/// What an agent's watch needs from its surroundings.
pub trait World {
    /// Where the server is; `None` while that is unknown.
    fn server_ip(&self) -> Option<IpAddr>;
    /// Our end of the connection to the agent (manual, `source`).
    fn source(&self) -> ConnectOptions<'_> {
        ConnectOptions::default()
    }
    /// An agent has spoken, or not as it should.
    fn heard(&self, heard: Result<Said, Finding>, duration_ms: u64);
}

/// An agent that is asked again and again.
pub struct Agent {
    inter_ms: u64,
    pub ip: Cell<Option<IpAddr>>,
    pub port: Cell<u16>,
    pub request: RefCell<String>,
    pub is_enabled: Cell<bool>,
    /// Its server is gone: nobody asks it any more.
    pub is_stopped: Cell<bool>,
}

impl Agent {
    /// As the server's line says; `None` without an agent.
    pub fn new(line: &AgentCheck) -> Option<Rc<Self>> {
        let ip = match line.addr {
            Some(Addr::Ip(ip)) => Some(ip),
            _ => None,
        };
        line.enabled.then(|| {
            Rc::new(Self {
                inter_ms: line.inter_ms.map_or(INTER_MS, u64::from).max(1),
                ip: Cell::new(ip),
                port: Cell::new(line.port.unwrap_or(0)),
                request: RefCell::new(line.send.clone().unwrap_or_default()),
                is_enabled: Cell::new(true),
                is_stopped: Cell::new(false),
            })
        })
    }
}

/// Asks an agent until it is stopped; in maintenance too, for only the agent takes back what it
/// said.
pub async fn watch(core: Core, agent: Rc<Agent>, world: Rc<dyn World>, first_delay_ms: u64) {
    let pause = core.timer();
    pause.set_after(first_delay_ms);
    loop {
        pause.expired().await;
        if agent.is_stopped.get() {
            return;
        }
        if agent.is_enabled.get() {
            let begun_ms = core.now_ms();
            let heard = ask(&core, &agent, &*world).await;
            if agent.is_enabled.get() {
                world.heard(heard, core.now_ms().saturating_sub(begun_ms));
            }
        }
        pause.set_after(agent.inter_ms);
    }
}

async fn ask(core: &Core, agent: &Agent, world: &dyn World) -> Result<Said, Finding> {
    let failed = |status, info: String| Finding {
        status,
        code: 0,
        info,
    };
    let io = |status| move |error: std::io::Error| failed(status, errno_text(&error));
    let Some(ip) = agent.ip.get().or_else(|| world.server_ip()) else {
        let info = "the server's address is not known yet".to_owned();
        return Err(failed(CheckStatus::SocketError, info));
    };
    let address: SockAddr = SocketAddr::new(ip, agent.port.get()).into();
    let socket =
        stream_socket_from(&address, &world.source()).map_err(io(CheckStatus::SocketError))?;
    let timer = core.timer();
    timer.set_after(agent.inter_ms);
    let sock = within(&timer, core.connect(socket, &address))
        .await
        .ok_or_else(|| failed(CheckStatus::L4Timeout, String::new()))?
        .map_err(io(CheckStatus::L4Connection))?;
    let mut connection = Connection::new(sock);
    let talk = async {
        let request = agent.request.borrow().clone();
        if !request.is_empty() {
            connection.send(request.as_bytes()).await?;
        }
        let mut line = Vec::new();
        while !line.iter().any(|byte| matches!(byte, b'\r' | b'\n'))
            && line.len() < AGENT_ANSWER_BYTES_MAX
        {
            match connection.receive().await? {
                Received::Bytes(bytes) => line.extend_from_slice(&bytes),
                Received::Ended => break,
            }
        }
        Ok::<_, Failure>(line)
    };
    let line = within(&timer, talk)
        .await
        .ok_or_else(|| failed(CheckStatus::L7Timeout, String::new()))?
        .map_err(|failure| failed(CheckStatus::SocketError, failure.text()))?;
    let text = String::from_utf8_lossy(&line);
    match text.split(['\r', '\n']).next().unwrap_or_default().trim() {
        "" => {
            let info = "TCPCHK got an empty response at step 2".to_owned();
            Err(failed(CheckStatus::L7Response, info))
        }
        line => Ok(Said::parse(line)),
    }
}

#[cfg(test)]
mod tests {
    use super::{Admin, Said, UserWeight};

    /// Manual 5.2, `agent-check`: words in any order between blanks and commas.
    #[test]
    fn lines_of_agents() {
        let said = Said::parse("ready,up weight:50% maxconn:7");
        assert_eq!((said.admin, said.is_up), (Some(Admin::Ready), Some(true)));
        assert_eq!(said.weight, Some(UserWeight::Percent(50)));
        assert_eq!(
            (said.maxconn, said.info.as_str()),
            (Some(7), "via agent : up")
        );
        assert_eq!(Said::parse("75%").weight, Some(UserWeight::Percent(75)));
        assert_eq!(
            Said::parse("weight:7").weight,
            Some(UserWeight::Absolute(7))
        );
        for (line, is_up, info) in [
            ("down", Some(false), "via agent : down"),
            ("fail # oops", Some(false), "via agent : fail (oops)"),
            (
                "stopped#too hot, ready",
                Some(false),
                "via agent : stopped (too hot, ready)",
            ),
            ("nonsense", None, "agent reports an error : nonsense"),
            ("7", None, "agent reports an error : 7"),
            ("drain", None, ""),
        ] {
            let said = Said::parse(line);
            assert_eq!((said.is_up, said.info.as_str()), (is_up, info), "{line}");
        }
    }
}
