//! What is said of changes, and how loudly.

use super::Bench;
use crate::log::Level;

/// The words and their order were read off a live HAProxy 3.5 with the same commands.
#[test]
fn words_of_administrative_changes() {
    let online = "online. 0 sessions requeued, 0 total in queue.";
    let left = "0 sessions active, 0 requeued, 0 remaining in queue.";
    let rows: &[(&str, &[&str])] = &[
        (
            "set server be/s2 state drain",
            &[
                &format!("Server be/s2 enters drain state. 2 active and 1 backup servers {online}"),
                &format!(
                    "Server be/s4 enters drain state via be/s2. 1 active and 1 backup servers {online}"
                ),
            ],
        ),
        (
            "set server be/s2 state maint",
            &[
                &format!(
                    "Server be/s2 is going DOWN for maintenance. 1 active and 1 backup servers left. \
                 {left}"
                ),
                &format!(
                    "Server be/s4 is going DOWN for maintenance via be/s2. 1 active and 1 backup \
                 servers left. {left}"
                ),
            ],
        ),
        (
            "set server be/s2 state drain",
            &[
                "Server be/s2 is UP/DRAIN (leaving forced maintenance).",
                "Server be/s2 remains in forced drain mode.",
                "Server be/s4 is UP/DRAIN (leaving maintenance).",
                "Server be/s4 remains in drain mode via be/s2.",
            ],
        ),
        (
            "set server be/s2 state ready",
            &[
                "Server be/s2 is UP (leaving forced drain).",
                "Server be/s4 is UP (leaving drain) via be/s2.",
            ],
        ),
        (
            "set server be/s2 health down",
            &[
                &format!(
                    "Server be/s2 is DOWN, changed from CLI. 2 active and 1 backup servers left. {left}"
                ),
                &format!(
                    "Server be/s4 is DOWN via be/s2. 1 active and 1 backup servers left. {left}"
                ),
            ],
        ),
        (
            "set server be/s2 health up",
            &[
                &format!(
                    "Server be/s2 is UP, changed from CLI. 2 active and 1 backup servers {online}"
                ),
                &format!("Server be/s4 is UP via be/s2. 3 active and 1 backup servers {online}"),
            ],
        ),
        (
            "set server be/s2 health stopping",
            &[
                &format!(
                    "Server be/s2 is stopping, changed from CLI. 2 active and 1 backup servers {online}"
                ),
                &format!(
                    "Server be/s4 is stopping via be/s2. 1 active and 1 backup servers {online}"
                ),
            ],
        ),
        (
            "set server be/s3 state maint",
            &[&format!(
                "Backup Server be/s3 is going DOWN for maintenance. 1 active and 0 backup servers \
             left. {left}"
            )],
        ),
        (
            "set server be/s3 state ready",
            &["Backup Server be/s3 is UP/READY (leaving forced maintenance)."],
        ),
        (
            "set server be/s1 state maint",
            &[&format!(
                "Server be/s1 is going DOWN for maintenance. 0 active and 1 backup servers left. \
             Running on backup. {left}"
            )],
        ),
        (
            "enable server be/s1",
            &["Server be/s1 is UP/READY (leaving forced maintenance)."],
        ),
        (
            "set server li/a state maint",
            &[
                &format!(
                    "Server li/a is going DOWN for maintenance. 0 active and 0 backup servers left. \
                 {left}"
                ),
                "! proxy 'li' has no server available!",
            ],
        ),
        (
            "set server li/a state ready",
            &["Server li/a is UP/READY (leaving forced maintenance)."],
        ),
        ("disable frontend fe", &["Paused frontend fe."]),
        ("enable frontend fe", &["Resumed frontend fe."]),
        (
            "shutdown frontend fe",
            &["Proxy fe stopped (cumulated conns: FE: 0, BE: 0)."],
        ),
    ];
    let mut bench = Bench::new();
    for (line, expected) in rows {
        assert_eq!(bench.say(line), "", "{line}");
        assert_eq!(bench.printed(), *expected, "{line}");
    }
}

#[test]
fn levels_of_log_lines() {
    let mut bench = Bench::new();
    bench.say("disable server be/s1;set server be/s2 state drain;disable server be/s2");
    bench.say("disable server li/a");
    let logged = bench.thread.logged.borrow();
    let levels: Vec<(&str, Level)> = logged
        .iter()
        .map(|(proxy, level, _)| (proxy.as_str(), *level))
        .collect();
    assert_eq!(
        levels,
        [
            ("be", Level::Alert),
            ("be", Level::Notice),
            ("be", Level::Notice),
            ("be", Level::Notice),
            ("be", Level::Notice),
            ("li", Level::Alert),
            ("li", Level::Emerg),
        ]
    );
    assert_eq!(logged[6].2, "proxy li has no server available!");
}

/// Read off a live HAProxy 3.5.
#[test]
fn hangup_dumps_states() {
    let mut bench = Bench::new();
    bench.say("disable server be/s1;disable server be/s2");
    bench.printed();
    bench.process.dump();
    let printed = bench.printed();
    assert_eq!(
        printed[..8],
        [
            "SIGHUP received, dumping servers states.",
            "SIGHUP: Proxy fe has no servers. Conn: act(FE+BE): 0+0, 0 pend (0 unass), \
             tot(FE+BE): 0+0.",
            "SIGHUP: Server li/a is UP. Conn: 0 act, 0 pend, 0 tot.",
            "SIGHUP: Proxy li has 1 active servers and 0 backup servers available. Conn: \
             act(FE+BE): 0+0, 0 pend (0 unass), tot(FE+BE): 0+0.",
            "SIGHUP: Server be/s1 is DOWN. Conn: 0 act, 0 pend, 0 tot.",
            "SIGHUP: Server be/s2 is DOWN. Conn: 0 act, 0 pend, 0 tot.",
            "SIGHUP: Server be/s3 is UP. Conn: 0 act, 0 pend, 0 tot.",
            "SIGHUP: Server be/s4 is DOWN. Conn: 0 act, 0 pend, 0 tot.",
        ]
    );
    assert!(printed[8].starts_with("SIGHUP: Proxy be is running on backup servers !"));
}
