//! Running out of descriptors; alone in its process, because the limit is the process's.

mod common;

use std::net::TcpStream;

use common::{block_on, core};
use reactor::net::{ListenOptions, listen_tcp};
use reactor::process::{Limit, Resource, limit, set_limit};

#[test]
fn a_lack_of_descriptors_is_waited_out() {
    let core = core();
    let any = "127.0.0.1:0".parse().unwrap();
    let listener = core.listener(listen_tcp(any, &ListenOptions::default()).unwrap());
    let to = listener.local_addr().unwrap().as_socket().unwrap();
    let before = limit(Resource::OpenFiles).unwrap();
    let mut clients: Vec<TcpStream> = (0..3).map(|_| TcpStream::connect(to).unwrap()).collect();
    set_limit(
        Resource::OpenFiles,
        Limit {
            soft: Some(3),
            ..before
        },
    )
    .unwrap();
    block_on(&core, common::pause(&core, 20));
    let refused = core.counters().accept_backoffs;
    set_limit(Resource::OpenFiles, before).unwrap();
    assert!(refused > 0, "accept was not refused");
    block_on(&core, async {
        for _ in 0..3 {
            let accepted = listener.accept().await.unwrap();
            let peer = accepted.peer.unwrap().as_socket().unwrap();
            assert!(
                clients
                    .iter()
                    .any(|client| client.local_addr().unwrap() == peer)
            );
        }
    });
    clients.clear();
}
