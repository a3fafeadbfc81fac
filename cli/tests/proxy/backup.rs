//! Backup servers.

use crate::harness::{CORES, LONG_TIMEOUTS, Origin, Port, Proxy, get};

fn answers(cores: usize, option: &str, down: &[&str]) -> Vec<String> {
    let listen = Port::reserve();
    let origins = ["main", "b1", "b2"].map(Origin::named);
    let [main, first, second] = origins.each_ref().map(|origin| origin.address);
    let config = format!(
        "
listen web
    mode http{LONG_TIMEOUTS}
    balance roundrobin
    {option}
    bind *:{listen}
    server main {main}
    server b1 {first} backup
    server b2 {second} backup
"
    );
    let proxy = Proxy::start(cores, &config);
    for server in down {
        assert_eq!(proxy.admin(&format!("disable server web/{server}")), "");
    }
    let mut answers: Vec<String> = (0..4).map(|_| get(listen.address(), "/").text()).collect();
    answers.sort();
    answers
}

#[test]
fn backups_are_spared_while_a_server_is_usable() {
    for cores in CORES {
        assert_eq!(answers(cores, "", &[]), ["main"; 4]);
        assert_eq!(answers(cores, "option allbackups", &[]), ["main"; 4]);
    }
}

#[test]
fn only_the_first_usable_backup_serves() {
    for cores in CORES {
        assert_eq!(answers(cores, "", &["main"]), ["b1"; 4]);
        assert_eq!(answers(cores, "", &["main", "b1"]), ["b2"; 4]);
    }
}

#[test]
fn allbackups_shares_among_them() {
    for cores in CORES {
        assert_eq!(
            answers(cores, "option allbackups", &["main"]),
            ["b1", "b1", "b2", "b2"]
        );
    }
}
