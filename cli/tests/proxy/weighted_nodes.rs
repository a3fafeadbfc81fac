//! Two weighted nodes behind a frontend, a stats page beside them, 500 connections at most.

use crate::harness::{CORES, Client, Origin, Port, Proxy, get, wait_until};

fn config(ports: &[Port; 2], nodes: &[Origin; 2], check: &str, timeouts: &str) -> String {
    let [http, stats] = ports;
    let [first, second] = nodes.each_ref().map(|origin| origin.address.port());
    format!(
        "
global
    maxconn 500                      # connections beyond it wait in the kernel, none is refused
defaults
    mode http
    {timeouts}
    timeout client 50s
    timeout server 50s
frontend http-in
    bind *:{http}
    default_backend application_nodes
backend application_nodes
    balance roundrobin
    server server01 localhost:{first} weight 4 {check}
    server server02 localhost:{second} weight 1 {check}
listen stats_page
    bind *:{stats}
    stats enable
    stats uri /
"
    )
}

fn ports() -> [Port; 2] {
    [Port::reserve(), Port::reserve()]
}

fn nodes() -> [Origin; 2] {
    ["first", "second"].map(Origin::named)
}

#[test]
fn requests_are_shared_four_to_one() {
    for cores in CORES {
        let (ports, nodes) = (ports(), nodes());
        let _proxy = Proxy::start(
            cores,
            &config(&ports, &nodes, "check", "timeout connect 10s"),
        );
        for _ in 0..4 {
            let answers: Vec<String> = (0..5)
                .map(|_| get(ports[0].address(), "/").text())
                .collect();
            let of_second = answers.iter().filter(|name| *name == "second").count();
            assert_eq!(of_second, 1, "{answers:?} on {cores} cores");
        }
    }
}

#[test]
fn the_stats_page_names_the_nodes() {
    let (ports, nodes) = (ports(), nodes());
    let _proxy = Proxy::start(1, &config(&ports, &nodes, "check", "timeout connect 10s"));
    let page = get(ports[1].address(), "/");
    assert_eq!(page.status(), 200);
    assert!(
        page.header("content-type")
            .is_some_and(|kind| kind.starts_with("text/html"))
    );
    for name in [
        "application_nodes",
        "server01",
        "server02",
        "http-in",
        "stats_page",
    ] {
        assert!(page.text().contains(name), "{name}");
    }
}

#[test]
fn a_dead_node_without_check_costs_its_share() {
    for cores in CORES {
        let (ports, mut nodes) = (ports(), nodes());
        // The pause before a retry is the connect timeout, at most a second.
        let _proxy = Proxy::start(cores, &config(&ports, &nodes, "", "timeout connect 50ms"));
        nodes[1].stop();
        let mut statuses: Vec<u16> = (0..10)
            .map(|_| get(ports[0].address(), "/").status())
            .collect();
        statuses.sort_unstable();
        assert_eq!(
            statuses,
            [200, 200, 200, 200, 200, 200, 200, 200, 503, 503],
            "{cores} cores"
        );
    }
}

#[test]
fn a_dead_node_with_check_is_not_noticed_and_returns() {
    for cores in CORES {
        let (ports, mut nodes) = (ports(), nodes());
        let check = "check inter 50ms fall 3 rise 2";
        let proxy = Proxy::start(cores, &config(&ports, &nodes, check, "timeout connect 10s"));
        nodes[1].stop();
        let status = || proxy.stat("application_nodes", "server02", "status");
        wait_until("the dead node is down", || status() == "DOWN");
        for _ in 0..10 {
            assert_eq!(get(ports[0].address(), "/").text(), "first");
        }
        nodes[1].start();
        wait_until("the node is up again", || status() == "UP");
        let answers: Vec<String> = (0..10)
            .map(|_| get(ports[0].address(), "/").text())
            .collect();
        assert_eq!(
            answers.iter().filter(|name| *name == "second").count(),
            2,
            "{answers:?}"
        );
    }
}

#[test]
fn all_dead_is_503() {
    for cores in CORES {
        let (ports, mut nodes) = (ports(), nodes());
        let check = "check inter 50ms fall 3 rise 2";
        let proxy = Proxy::start(cores, &config(&ports, &nodes, check, "timeout connect 10s"));
        nodes.iter_mut().for_each(Origin::stop);
        wait_until("the backend is down", || {
            proxy.stat("application_nodes", "BACKEND", "status") == "DOWN"
        });
        let answer = get(ports[0].address(), "/");
        assert_eq!(answer.status(), 503);
        assert!(
            answer
                .text()
                .contains("No server is available to handle this request.")
        );
    }
}

#[test]
fn connections_beyond_maxconn_wait_in_the_kernel() {
    for cores in CORES {
        let (ports, nodes) = (ports(), nodes());
        let proxy = Proxy::start(
            cores,
            &config(&ports, &nodes, "check", "timeout connect 10s"),
        );
        let to = ports[0].address();
        let mut held: Vec<Client> = (0..500).map(|_| Client::connect(to)).collect();
        for client in &mut held {
            assert_eq!(client.get("/").status(), 200);
        }
        // Connected by the kernel, not yet accepted: the request waits.
        let mut waiting: Vec<Client> = (0..20).map(|_| Client::connect(to)).collect();
        for client in &mut waiting {
            client.send("GET /late HTTP/1.1\r\nhost: a\r\n\r\n");
        }
        assert_eq!(proxy.stat("http-in", "FRONTEND", "scur"), "500");
        let late = || {
            nodes
                .iter()
                .flat_map(Origin::requests)
                .filter(|r| r.path() == "/late")
                .count()
        };
        assert_eq!(late(), 0);
        held.truncate(480);
        for client in &mut waiting {
            assert_eq!(client.response().status(), 200);
        }
        assert_eq!(late(), 20);
    }
}
