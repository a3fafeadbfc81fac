//! Command-line words that only the engine has.

use crate::harness::{LONG_TIMEOUTS, Origin, Port, Proxy, get, run};

/// Another binary under test has none of them.
fn is_the_engine() -> bool {
    std::env::var_os("ENGINE_UNDER_TEST").is_none()
}

#[test]
fn cores_beat_nbthread() {
    if !is_the_engine() {
        return;
    }
    let (listen, origin) = (Port::reserve(), Origin::named("a"));
    let config = format!(
        "
listen web
    mode http{LONG_TIMEOUTS}
    bind :{listen}
    server s1 {}
",
        origin.address
    );
    let proxy = Proxy::start_with(1, &config, &[], &["--cores", "2"]);
    assert!(proxy.admin("show info").contains("\nNbthread: 2\n"));
    assert_eq!(get(listen.address(), "/").text(), "a");
}

#[test]
fn no_cores_are_refused() {
    if is_the_engine() {
        let (status, output) = run(&["--cores", "0", "-c", "-f", "/dev/null"]);
        assert_eq!(status.code(), Some(1), "{output}");
    }
}

#[test]
fn the_demo_runs_and_says_what_to_open() {
    if is_the_engine() {
        let (status, output) = run(&["demo", "--seconds", "1"]);
        assert_eq!(status.code(), Some(0), "{output}");
        assert!(output.contains("http://"), "{output}");
    }
}
