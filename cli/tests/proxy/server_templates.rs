//! `server-template`: several servers of one line.

use crate::harness::{LONG_TIMEOUTS, Origin, Port, Proxy, get};

#[test]
fn a_template_makes_as_many_servers_as_it_says() {
    let port = Port::reserve();
    let origin = Origin::named("web");
    let config = format!(
        "
listen web
    mode http{LONG_TIMEOUTS}
    bind *:{port}
    balance roundrobin
    default-server weight 7
    server-template s 2-4 localhost:{} maxconn 5
",
        origin.address.port()
    );
    let proxy = Proxy::start(1, &config);
    for _ in 0..6 {
        assert_eq!(get(port.address(), "/").status(), 200);
    }
    for name in ["s2", "s3", "s4"] {
        assert_eq!(proxy.stat("web", name, "stot"), "2", "{name}");
        assert_eq!(proxy.stat("web", name, "weight"), "7");
        assert_eq!(proxy.stat("web", name, "slim"), "5");
    }
    assert!(!proxy.admin("show stat").contains("web,s1,"));
    proxy.admin("set server web/s3 state maint");
    for _ in 0..4 {
        assert_eq!(get(port.address(), "/").status(), 200);
    }
    assert_eq!(proxy.stat("web", "s3", "stot"), "2");
    assert_eq!(proxy.stat("web", "s4", "stot"), "4");
}
