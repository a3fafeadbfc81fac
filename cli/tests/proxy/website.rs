//! A website with two servers and a backup, administered over the socket.

use crate::harness::{CORES, Client, Origin, Port, Proxy, get, wait_until};

fn config(listen: &Port, servers: &[Origin; 3]) -> String {
    let [first, second, third] = servers.each_ref().map(|origin| origin.address);
    format!(
        "
listen website
    bind *:{listen}
    mode http
    timeout client 10800s
    timeout server 10800s
    timeout connect 5s
    balance roundrobin
    option tcp-check
    option allbackups
    server website-0 {first} check
    server website-1 {second} check
    server website-2 {third} check backup
"
    )
}

fn servers() -> [Origin; 3] {
    ["zero", "one", "two"].map(Origin::named)
}

#[test]
fn requests_alternate_between_the_two_active_servers() {
    for cores in CORES {
        let (listen, servers) = (Port::reserve(), servers());
        let _proxy = Proxy::start(cores, &config(&listen, &servers));
        let answers: Vec<String> = (0..8).map(|_| get(listen.address(), "/").text()).collect();
        assert_eq!(answers, ["zero", "one"].repeat(4), "{cores} cores");
    }
}

#[test]
fn a_disabled_server_gets_no_new_request_and_finishes_the_running_ones() {
    for cores in CORES {
        let listen = Port::reserve();
        let (release, gate) = std::sync::mpsc::channel::<()>();
        let gate = std::sync::Mutex::new(gate);
        let slow = Origin::answering(move |request| {
            if request.path() == "/slow" {
                gate.lock()
                    .expect("one at a time")
                    .recv()
                    .expect("a release");
            }
            "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nzero".to_owned()
        });
        let servers = [slow, Origin::named("one"), Origin::named("two")];
        let proxy = Proxy::start(cores, &config(&listen, &servers));

        let mut running = Client::connect(listen.address());
        running.send("GET /slow HTTP/1.1\r\nhost: a\r\n\r\n");
        servers[0].wait_for_requests(1);
        assert_eq!(proxy.admin("disable server website/website-0"), "");
        for _ in 0..6 {
            assert_eq!(get(listen.address(), "/").text(), "one");
        }
        release.send(()).expect("a waiting server");
        assert_eq!(running.response().text(), "zero");
        assert_eq!(proxy.stat("website", "website-0", "status"), "MAINT");

        assert_eq!(proxy.admin("enable server website/website-0"), "");
        let mut answers: Vec<String> = (0..6).map(|_| get(listen.address(), "/").text()).collect();
        answers.sort();
        assert_eq!(answers, ["one", "one", "one", "zero", "zero", "zero"]);
    }
}

#[test]
fn the_backup_serves_when_both_servers_are_disabled() {
    for cores in CORES {
        let (listen, servers) = (Port::reserve(), servers());
        let proxy = Proxy::start(cores, &config(&listen, &servers));
        proxy.admin("disable server website/website-0; disable server website/website-1");
        assert_eq!(get(listen.address(), "/").text(), "two");
        proxy.admin("enable server website/website-1");
        assert_eq!(get(listen.address(), "/").text(), "one");
    }
}

#[test]
fn the_backup_serves_when_both_servers_are_dead() {
    for cores in CORES {
        let (listen, mut servers) = (Port::reserve(), servers());
        let config = config(&listen, &servers).replace(" check", " check inter 50ms");
        let proxy = Proxy::start(cores, &config);
        servers[0].stop();
        servers[1].stop();
        wait_until("both are down", || {
            let down = |name| proxy.stat("website", name, "status").starts_with("DOWN");
            down("website-0") && down("website-1")
        });
        assert_eq!(get(listen.address(), "/").text(), "two");
    }
}
