//! Metrics for Prometheus (`http-request use-service prometheus-exporter`).

use crate::harness::{CORES, Client, LONG_TIMEOUTS, Origin, Port, Proxy, get};

#[test]
fn figures_of_all_cores_under_the_names_of_the_exporter() {
    for cores in CORES {
        let (listen, stats, origin) = (Port::reserve(), Port::reserve(), Origin::named("one"));
        let proxy = Proxy::start(
            cores,
            &format!(
                "
defaults
    mode http{LONG_TIMEOUTS}
frontend web
    bind *:{listen}
    http-request deny if {{ path /no }}
    default_backend app
backend app
    server s1 {}
    server s2 {} disabled
frontend stats
    bind *:{stats}
    http-request use-service prometheus-exporter if {{ path /metrics }}
    http-request return status 404
",
                origin.address, origin.address
            ),
        );
        for path in ["/", "/a", "/b", "/no"] {
            get(listen.address(), path);
        }
        let mut client = Client::connect(stats.address());
        let mut metrics = |query: &str| {
            let answer = client.get(&format!("/metrics{query}"));
            let kind = answer.header("content-type").map(str::to_owned);
            (answer.status(), kind, answer.text())
        };
        let (status, kind, text) = metrics("");
        assert_eq!(status, 200);
        assert_eq!(kind.as_deref(), Some("text/plain; version=0.0.4"));
        for line in [
            "# TYPE haproxy_frontend_requests_denied_total counter",
            "haproxy_frontend_http_requests_total{proxy=\"web\"} 4",
            "haproxy_frontend_requests_denied_total{proxy=\"web\"} 1",
            "haproxy_frontend_http_responses_total{proxy=\"web\",code=\"4xx\"} 1",
            "haproxy_backend_active_servers{proxy=\"app\"} 1",
            "haproxy_server_http_responses_total{proxy=\"app\",server=\"s1\",code=\"2xx\"} 3",
            "haproxy_server_status{proxy=\"app\",server=\"s2\",state=\"MAINT\"} 1",
            "haproxy_server_limit_sessions{proxy=\"app\",server=\"s1\"} NaN",
        ] {
            assert!(text.lines().any(|known| known == line), "{line}\n{text}");
        }
        let threads = format!("haproxy_process_nbthread {cores}");
        assert!(text.lines().any(|line| line == threads));
        let (_, _, servers) = metrics("?scope=server&no-maint");
        assert!(servers.contains("server=\"s1\"") && !servers.contains("server=\"s2\""));
        assert!(!servers.contains("haproxy_frontend"));
        assert_eq!(metrics("?scope=nonsense").0, 400);
        drop(proxy);
    }
}
