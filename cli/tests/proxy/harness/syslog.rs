//! A log receiver.

use super::PATIENCE;
use std::net::{SocketAddr, UdpSocket};
use std::time::Instant;

pub struct Syslog {
    socket: UdpSocket,
}

impl Syslog {
    pub fn start() -> Syslog {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        Syslog { socket }
    }

    pub fn address(&self) -> SocketAddr {
        self.socket.local_addr().expect("bound")
    }

    /// The next line, whatever it is.
    #[track_caller]
    pub fn line(&self) -> String {
        let mut buffer = vec![0; 65_536];
        let length = self.socket.recv(&mut buffer).expect("a log line");
        String::from_utf8_lossy(&buffer[..length])
            .trim_end()
            .to_owned()
    }

    /// Every line until none comes for a while.
    pub fn quiet_after(&self, mut each: impl FnMut(&str)) {
        let mut buffer = vec![0; 65_536];
        let pause = Some(std::time::Duration::from_millis(300));
        self.socket.set_read_timeout(pause).expect("a timeout");
        while let Ok(length) = self.socket.recv(&mut buffer) {
            each(String::from_utf8_lossy(&buffer[..length]).trim_end());
        }
        self.socket
            .set_read_timeout(Some(PATIENCE))
            .expect("a timeout");
    }

    /// The next line that contains `part`; others are passed over.
    #[track_caller]
    pub fn line_with(&self, part: &str) -> String {
        let mut buffer = vec![0; 65_536];
        let begun = Instant::now();
        let mut seen = Vec::new();
        while begun.elapsed() < PATIENCE {
            let Ok(length) = self.socket.recv(&mut buffer) else {
                break;
            };
            let line = String::from_utf8_lossy(&buffer[..length])
                .trim_end()
                .to_owned();
            if line.contains(part) {
                return line;
            }
            seen.push(line);
        }
        panic!("no log line with '{part}', only {seen:#?}");
    }
}
