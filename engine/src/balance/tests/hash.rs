//! Hash algorithms: the same key, the same server as HAProxy.

use std::net::{IpAddr, Ipv4Addr};

use super::*;

/// The hash of `key-{n * 7919}`, servers weighted 3 1 2 1 4.
fn map_choices(function: HashFunction, avalanche: bool) -> String {
    let hash_type = HashType {
        method: Method::MapBased,
        function,
        avalanche,
    };
    let view = Farm::weighted(&[3, 1, 2, 1, 4]).view(hash_config(hash_type));
    (0..20)
        .filter_map(|n| {
            let hash = Some(hash_type.hash(format!("key-{}", n * 7919).as_bytes()));
            picked(
                &view,
                &Request {
                    hash,
                    ..Request::default()
                },
            )
        })
        .map(|server| server.to_string())
        .collect()
}

#[test]
fn map_based_hashes_choose_like_haproxy_live() {
    use HashFunction::{Crc32, Djb2, Sdbm};
    assert_eq!(map_choices(Sdbm, false), "41254154533355335351");
    assert_eq!(map_choices(Sdbm, true), "52551213212545111535");
    assert_eq!(map_choices(Djb2, false), "35513531521453152154");
    assert_eq!(map_choices(Djb2, true), "14215241511353544312");
    assert_eq!(map_choices(Crc32, false), "55525513534555545113");
    assert_eq!(map_choices(Crc32, true), "55415114531255515125");
}

/// Addresses 127.0.n.(3n+1).
fn source_choices(hash_type: HashType, weights: &[u32], count: u8) -> String {
    let view = Farm::weighted(weights).view(hash_config(hash_type));
    (0..count)
        .filter_map(|n| {
            let address = IpAddr::V4(Ipv4Addr::new(127, 0, n, n * 3 + 1));
            let hash = Some(hash_address(hash_type, address));
            picked(
                &view,
                &Request {
                    hash,
                    ..Request::default()
                },
            )
        })
        .map(|server| server.to_string())
        .collect()
}

#[test]
fn source_chooses_like_haproxy_live() {
    let map = HashType::default();
    assert_eq!(
        source_choices(map, &[3, 1, 2, 1, 4], 20),
        "43551321551435513215"
    );
    let mixed = HashType {
        avalanche: true,
        ..map
    };
    assert_eq!(
        source_choices(mixed, &[3, 1, 2, 1, 4], 20),
        "15215554555555135312"
    );
    let ring = HashType::CONSISTENT;
    assert_eq!(
        source_choices(ring, &[1, 1, 2], 24),
        "233213313323132333133233"
    );
}

#[test]
fn consistent_hashes_choose_like_haproxy_live() {
    let hash_type = HashType::CONSISTENT;
    let view = Farm::weighted(&[1, 1, 2]).view(hash_config(hash_type));
    let choices: String = (0..24)
        .filter_map(|n| {
            let hash = Some(hash_type.hash(format!("key-{n}").as_bytes()));
            picked(
                &view,
                &Request {
                    hash,
                    ..Request::default()
                },
            )
        })
        .map(|server| server.to_string())
        .collect();
    assert_eq!(choices, "122121323332313222223323");
}

#[test]
fn on_the_ring_only_the_keys_of_a_lost_server_move() {
    let farm = Farm::weighted(&[1, 1, 1]);
    let hash_type = HashType::CONSISTENT;
    let before = farm.view(hash_config(hash_type));
    farm.servers[1].set_operational(Operational::Stopped);
    let after = farm.view(hash_config(hash_type));
    for n in 0..500 {
        let request = Request {
            hash: Some(hash_type.hash(&[n as u8, (n >> 8) as u8])),
            ..Request::default()
        };
        let (old, new) = (picked(&before, &request), picked(&after, &request));
        assert!(
            old == new || old == Some(2),
            "key {n} moved from {old:?} to {new:?}"
        );
        assert_ne!(new, Some(2));
    }
}

#[test]
fn bounded_load_moves_requests_off_a_hot_server() {
    let farm = Farm::weighted(&[1, 1, 1]);
    let hash_type = HashType::CONSISTENT;
    let view = farm.view(Config {
        balance_factor: 150,
        ..hash_config(hash_type)
    });
    let request = Request {
        hash: Some(hash_type.hash(b"hot")),
        ..Request::default()
    };
    let mut permits = Vec::new();
    for _ in 0..30 {
        let Pick::Server { member, .. } = view.pick(&request) else {
            panic!("no server")
        };
        permits.extend(member.state.try_permit());
    }
    let most = farm.servers.iter().map(|server| server.in_use()).max();
    assert!(
        most <= Some(16),
        "1.5 times the average of 10, one more to come: {most:?}"
    );
}

#[test]
fn a_key_waits_for_its_server_or_moves_on_as_configured() {
    let limited = ServerSettings {
        maxconn: 1,
        ..default()
    };
    let farm = Farm::new(&[limited, limited]);
    let request = Request {
        hash: Some(0),
        ..Request::default()
    };
    let always = farm.view(hash_config(HashType::default()));
    let held = farm.take(0, 1);
    match always.assign(&request, &Order::default(), TOKEN) {
        Assigned::Waiting { server, waiting } => {
            assert_eq!(server, Some(ServerId(0)));
            assert!(waiting.is_for_server());
            assert_eq!(farm.servers[0].queued(), 1);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(farm.servers[0].queued(), 0);
    let moving = farm.view(Config {
        affinity: Affinity::Maxconn,
        ..hash_config(HashType::default())
    });
    assert_eq!(picked(&moving, &request), Some(2));
    drop(held);
    assert_eq!(picked(&moving, &request), Some(1));
}
