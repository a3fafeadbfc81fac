//! The status words of a server in the statistics.

use super::{Admin, Health, Operational};

/// What decides the status words.
#[derive(Clone, Copy, Debug)]
pub struct StatusInput<'a> {
    pub admin: Admin,
    pub operational: Operational,
    /// `None` when no checks watch this server.
    pub health: Option<Health>,
    /// The agent's counter, if an agent is configured.
    pub agent: Option<Health>,
    /// `backend/server` of the tracked server, if any.
    pub tracked: Option<&'a str>,
}

/// The text of the `status` column (management manual, 9.1): `UP`, `DOWN 1/2`, `NOLB`, `MAINT`...
pub fn status_text(input: &StatusInput<'_>) -> String {
    if input.admin.contains(Admin::RMAINT) {
        return "MAINT (resolution)".to_owned();
    }
    if input.admin.contains(Admin::IMAINT) {
        return format!("MAINT (via {})", input.tracked.unwrap_or("?"));
    }
    if input.admin.in_maint() {
        return "MAINT".to_owned();
    }
    let Some(health) = input.health else {
        return unchecked(input);
    };
    if !input.operational.is_up() {
        return if is_agent_down(input) && health.is_up() {
            "DOWN (agent)".to_owned()
        } else if health.counter > 0 && !health.is_up() {
            format!("DOWN {}/{}", health.counter, health.rise)
        } else {
            "DOWN".to_owned()
        };
    }
    let word = up_word(input);
    if word == DRAIN_BY_AGENT {
        return word.to_owned();
    }
    if health.counter < health.max() && health.is_up() {
        format!(
            "{word} {}/{}",
            health.counter + 1 - health.rise,
            health.fall
        )
    } else {
        word.to_owned()
    }
}

fn unchecked(input: &StatusInput<'_>) -> String {
    let text = match (input.operational.is_up(), up_word(input)) {
        (false, _) if is_agent_down(input) => "DOWN (agent)",
        (false, _) => "DOWN",
        (true, "UP") => "no check",
        (true, word) => word,
    };
    text.to_owned()
}

fn is_agent_down(input: &StatusInput<'_>) -> bool {
    input.agent.is_some_and(|agent| !agent.is_up())
}

/// In drain where an agent is asked, whoever said so.
const DRAIN_BY_AGENT: &str = "DRAIN (agent)";

fn up_word(input: &StatusInput<'_>) -> &'static str {
    if input.admin.in_drain() && input.agent.is_some() {
        DRAIN_BY_AGENT
    } else if input.admin.in_drain() {
        "DRAIN"
    } else if input.operational == Operational::Stopping {
        "NOLB"
    } else {
        "UP"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(admin: Admin, operational: Operational, counter: Option<u32>) -> String {
        status_text(&StatusInput {
            admin,
            operational,
            health: counter.map(|counter| Health {
                rise: 2,
                fall: 3,
                counter,
            }),
            agent: None,
            tracked: Some("b/s"),
        })
    }

    #[test]
    fn words_of_the_statistics() {
        use Operational::{Running, Stopped, Stopping};
        let ready = Admin::READY;
        assert_eq!(text(ready, Running, None), "no check");
        assert_eq!(text(ready, Running, Some(4)), "UP");
        assert_eq!(text(ready, Running, Some(2)), "UP 1/3");
        assert_eq!(text(ready, Running, Some(3)), "UP 2/3");
        assert_eq!(text(ready, Stopped, Some(0)), "DOWN");
        assert_eq!(text(ready, Stopped, Some(1)), "DOWN 1/2");
        assert_eq!(text(ready, Stopping, Some(4)), "NOLB");
        assert_eq!(text(ready, Stopping, Some(3)), "NOLB 2/3");
        assert_eq!(text(Admin::FDRAIN, Running, Some(4)), "DRAIN");
        assert_eq!(text(Admin::FDRAIN, Running, None), "DRAIN");
        assert_eq!(text(Admin::DISABLED, Stopped, Some(0)), "MAINT");
        assert_eq!(text(Admin::IMAINT, Stopped, None), "MAINT (via b/s)");
        assert_eq!(text(Admin::RMAINT, Stopped, None), "MAINT (resolution)");
    }

    #[test]
    fn drain_beside_an_agent_is_called_the_agents() {
        let health = Health {
            rise: 2,
            fall: 3,
            counter: 3,
        };
        let mut input = StatusInput {
            admin: Admin::FDRAIN,
            operational: Operational::Running,
            health: Some(health),
            agent: Some(Health::barely_up(1, 1)),
            tracked: None,
        };
        assert_eq!(status_text(&input), "DRAIN (agent)");
        input.health = None;
        assert_eq!(status_text(&input), "DRAIN (agent)");
    }

    #[test]
    fn an_agent_that_says_down_is_named() {
        let input = StatusInput {
            admin: Admin::READY,
            operational: Operational::Stopped,
            health: Some(Health {
                rise: 2,
                fall: 3,
                counter: 4,
            }),
            agent: Some(Health {
                rise: 1,
                fall: 1,
                counter: 0,
            }),
            tracked: None,
        };
        assert_eq!(status_text(&input), "DOWN (agent)");
    }
}
