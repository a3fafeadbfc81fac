//! A name server that says what the scenario tells it to, over UDP and TCP on one port.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// What a name server does with questions about a name.
#[derive(Clone, Debug)]
pub enum Says {
    Address(IpAddr),
    /// Weight, port and target of an SRV record.
    Service(u16, u16, &'static str),
    Cname(&'static str),
    /// An error: 3 is NXDOMAIN, 5 REFUSED.
    Code(u8),
    /// Nothing at all.
    Silence,
    /// These bytes go out first, behind the question's number where the flag says so.
    First(bool, Vec<u8>),
    /// The answer about another name goes out first.
    Misled(IpAddr),
}

type Zone = HashMap<String, Vec<Says>>;

pub struct NameServer {
    pub address: SocketAddr,
    zone: Arc<Mutex<Zone>>,
    /// Names of all questions so far.
    asked: Arc<Mutex<Vec<String>>>,
}

impl NameServer {
    pub fn start() -> NameServer {
        let (udp, tcp) = sockets();
        let address = udp.local_addr().expect("bound");
        let (zone, asked) = (
            Arc::<Mutex<Zone>>::default(),
            Arc::<Mutex<Vec<String>>>::default(),
        );
        let (own_zone, own_asked) = (Arc::clone(&zone), Arc::clone(&asked));
        udp.set_read_timeout(Some(Duration::from_millis(200)))
            .expect("a timeout");
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // Ends with the scenario: nobody else holds the zone then.
            while Arc::strong_count(&own_zone) > 1 {
                let Ok((length, from)) = udp.recv_from(&mut buffer) else {
                    continue;
                };
                for answer in answers(&buffer[..length], &own_zone, &own_asked) {
                    let _ = udp.send_to(&answer, from);
                }
            }
        });
        let (own_zone, own_asked) = (Arc::clone(&zone), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in tcp.incoming().flatten() {
                let (zone, asked) = (Arc::clone(&own_zone), Arc::clone(&own_asked));
                std::thread::spawn(move || converse(stream, &zone, &asked));
            }
        });
        NameServer {
            address,
            zone,
            asked,
        }
    }

    /// From now on this is what it says of a name.
    pub fn set(&self, name: &str, says: &[Says]) {
        lock(&self.zone).insert(name.to_owned(), says.to_vec());
    }

    /// The same with addresses.
    pub fn set_addresses(&self, name: &str, addresses: &[&str]) {
        let says: Vec<Says> = addresses
            .iter()
            .map(|ip| Says::Address(ip.parse().expect("an address")))
            .collect();
        self.set(name, &says);
    }

    /// How often a name was asked for.
    pub fn questions(&self, name: &str) -> usize {
        lock(&self.asked)
            .iter()
            .filter(|asked| *asked == name)
            .count()
    }
}

fn sockets() -> (UdpSocket, TcpListener) {
    loop {
        let udp = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        if let Ok(tcp) = TcpListener::bind(udp.local_addr().expect("bound")) {
            return (udp, tcp);
        }
    }
}

fn converse(mut stream: TcpStream, zone: &Mutex<Zone>, asked: &Mutex<Vec<String>>) {
    loop {
        let mut length = [0; 2];
        if stream.read_exact(&mut length).is_err() {
            return;
        }
        let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
        if stream.read_exact(&mut question).is_err() {
            return;
        }
        for answer in answers(&question, zone, asked) {
            let length = (answer.len() as u16).to_be_bytes();
            if stream
                .write_all(&[&length[..], &answer[..]].concat())
                .is_err()
            {
                return;
            }
        }
    }
}

/// Everything that is sent upon a question, in order.
fn answers(question: &[u8], zone: &Mutex<Zone>, asked: &Mutex<Vec<String>>) -> Vec<Vec<u8>> {
    let mut end = 12;
    let mut labels = Vec::new();
    while question[end] != 0 {
        let length = usize::from(question[end]);
        labels.push(String::from_utf8_lossy(&question[end + 1..=end + length]).into_owned());
        end += 1 + length;
    }
    let name = labels.join(".").to_lowercase();
    let kind = u16::from_be_bytes([question[end + 1], question[end + 2]]);
    lock(asked).push(name.clone());
    let zone = lock(zone).clone();
    let Some(says) = zone.get(&name) else {
        return vec![message(question, end + 5, 3, &[])];
    };
    let (mut first, mut code, mut records) = (Vec::new(), 0, Vec::new());
    for said in says {
        match said {
            Says::Silence => return Vec::new(),
            Says::Code(said) => code = *said,
            Says::First(numbered, bytes) => {
                let number = if *numbered { &question[..2] } else { &[][..] };
                first.push([number, &bytes[..]].concat());
            }
            Says::Misled(ip) => {
                let other = [&question[..12], b"\x05other\x04test\0\0\x01\0\x01"].concat();
                let record = record("other.test", 1, &address(*ip));
                first.push(message(&other, other.len(), 0, &[record]));
                // A number that is not the question's.
                let mut wrong = question.to_vec();
                wrong[0] ^= 0xff;
                let record = self::record(&name, 1, &address(*ip));
                first.push(message(&wrong, end + 5, 0, &[record]));
            }
            Says::Address(ip) => {
                if kind == if ip.is_ipv4() { 1 } else { 28 } {
                    records.push(record(&name, kind, &address(*ip)));
                }
            }
            Says::Cname(to) => {
                records.push(record(&name, 5, &encoded(to)));
                for said in zone.get(*to).into_iter().flatten() {
                    if let Says::Address(ip) = said
                        && kind == if ip.is_ipv4() { 1 } else { 28 }
                    {
                        records.push(record(to, kind, &address(*ip)));
                    }
                }
            }
            Says::Service(weight, port, target) if kind == 33 => {
                let mut data = vec![0, 0];
                data.extend(weight.to_be_bytes());
                data.extend(port.to_be_bytes());
                data.extend(encoded(target));
                records.push(record(&name, 33, &data));
            }
            Says::Service(..) => {}
        }
    }
    first.push(message(question, end + 5, code, &records));
    first
}

fn message(question: &[u8], end: usize, code: u8, records: &[Vec<u8>]) -> Vec<u8> {
    let mut out = question[..2].to_vec();
    out.extend([0x81, 0x80 | code, 0, 1]);
    out.extend((records.len() as u16).to_be_bytes());
    out.extend([0, 0, 0, 0]);
    out.extend(&question[12..end]);
    out.extend(records.concat());
    out
}

fn record(owner: &str, kind: u16, data: &[u8]) -> Vec<u8> {
    let mut out = encoded(owner);
    out.extend(kind.to_be_bytes());
    out.extend([0, 1, 0, 0, 0, 30]);
    out.extend((data.len() as u16).to_be_bytes());
    out.extend(data);
    out
}

fn address(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

fn encoded(name: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for label in name.split('.') {
        out.push(label.len() as u8);
        out.extend(label.as_bytes());
    }
    out.push(0);
    out
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
