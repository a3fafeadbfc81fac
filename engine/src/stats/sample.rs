//! A snapshot with every kind of row, for tests of what prints it.

use super::facts::{
    BackFacts, CheckFacts, Condition, FrontFacts, IdleFacts, ListenerFacts, Mode, ProcessFacts,
    ProxyFacts, ServerFacts, Snapshot, StateFacts,
};

/// One HTTP `listen` section with three servers, and one of TCP with one.
pub(crate) fn snapshot() -> Snapshot {
    Snapshot {
        process: process(),
        proxies: vec![web(), tcp()],
    }
}

fn process() -> ProcessFacts {
    ProcessFacts {
        name: "HAProxy",
        version: "3.5.0".to_owned(),
        release_date: "2026/08/21".to_owned(),
        node: "edge1".to_owned(),
        pid: 4242,
        cores: 2,
        uptime_ms: 93_784_500,
        ulimit_n: 4_096,
        max_sockets: 4_096,
        max_connections: 500,
        hard_max_connections: 500,
        idle_percent: 98,
        listeners: 2,
        now_ms: 100_000_000,
        ..ProcessFacts::default()
    }
}

fn web() -> ProxyFacts {
    let listener = ListenerFacts {
        name: "sock-1".to_owned(),
        id: 1,
        status: "OPEN",
        address: "127.0.0.1:8080".to_owned(),
        protocol: "tcpv4",
        ..ListenerFacts::default()
    };
    let mut front = FrontFacts {
        status: "OPEN",
        limit: 500,
        ..FrontFacts::default()
    };
    front.total.requests.total = 1_234;
    front.total.requests.per_second = 12;
    front.total.responses.success = 1_200;
    front.total.responses.server_error = 34;
    front.total.bytes.request_in = 65_536;
    front.total.bytes.response_in = 1_048_576;
    front.total.open.now = 3;
    front.total.open.max = 9;
    ProxyFacts {
        name: "web".to_owned(),
        id: 2,
        mode: Mode::Http,
        front: Some(front),
        listeners: vec![listener],
        servers: vec![up_server(), down_server(), maint_server()],
        back: Some(BackFacts {
            status: "UP",
            weight: 3,
            user_weight: 3,
            active: 1,
            limit: 50,
            has_servers: true,
            algorithm: "roundrobin".to_owned(),
            cookie: Some("SRV".to_owned()),
            ..BackFacts::default()
        }),
        ..ProxyFacts::default()
    }
}

fn up_server() -> ServerFacts {
    let mut server = ServerFacts {
        check: Some(CheckFacts {
            status: "L7OK".to_owned(),
            description: "Layer7 check passed".to_owned(),
            code: Some(200),
            duration_ms: Some(1),
            health: 4,
            ..check()
        }),
        cookie: Some("a".to_owned()),
        idle: IdleFacts {
            idle: 2,
            safe_idle: 2,
            used: 1,
            ..IdleFacts::default()
        },
        limit: 10,
        ..server("s1", 1, "UP", Condition::Up)
    };
    server.total.requests = 1_200;
    server.total.responses.success = 1_200;
    server.total.last_session = 99_991;
    server
}

fn down_server() -> ServerFacts {
    ServerFacts {
        backup: true,
        downs: 1,
        downtime_s: 17,
        check: Some(CheckFacts {
            status: "L4CON".to_owned(),
            description: "Layer4 connection problem".to_owned(),
            duration_ms: Some(0),
            last: "Connection refused".to_owned(),
            ..check()
        }),
        state: StateFacts {
            operational: 0,
            ..state(2)
        },
        ..server("s2", 2, "DOWN", Condition::Down)
    }
}

fn maint_server() -> ServerFacts {
    ServerFacts {
        state: StateFacts {
            operational: 0,
            administrative: 5,
            ..state(3)
        },
        ..server("s3", 3, "MAINT", Condition::Maint)
    }
}

fn server(name: &str, id: u32, status: &str, condition: Condition) -> ServerFacts {
    ServerFacts {
        name: name.to_owned(),
        id,
        status: status.to_owned(),
        condition,
        weight: 3,
        user_weight: 3,
        initial_weight: 3,
        last_change_s: 17,
        address: format!("127.0.0.1:{}", 9000 + id),
        state: state(id),
        ..ServerFacts::default()
    }
}

fn state(id: u32) -> StateFacts {
    StateFacts {
        operational: 2,
        port: 9000 + id as u16,
        ..StateFacts::default()
    }
}

fn check() -> CheckFacts {
    CheckFacts {
        rise: 2,
        fall: 3,
        ..CheckFacts::default()
    }
}

fn tcp() -> ProxyFacts {
    ProxyFacts {
        name: "tcp".to_owned(),
        id: 3,
        front: Some(FrontFacts {
            status: "OPEN",
            limit: 500,
            ..FrontFacts::default()
        }),
        servers: vec![server("t1", 1, "no check", Condition::NoCheck)],
        back: Some(BackFacts {
            status: "UP",
            active: 1,
            has_servers: true,
            algorithm: "random".to_owned(),
            ..BackFacts::default()
        }),
        ..ProxyFacts::default()
    }
}
