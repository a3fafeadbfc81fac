//! Datagrams to a log receiver: many lines with one system call, never waiting.

use std::io;
use std::net::UdpSocket;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;

use socket2::{Domain, SockAddr, SockRef, Socket, Type};

/// Datagrams of one `sendmmsg`.
const BATCH_MAX: usize = 64;
/// How long a failed unix receiver is left alone before it is connected again, in milliseconds.
const RECONNECT_MS: u64 = 1000;

/// A non-blocking datagram socket towards one receiver.
#[derive(Debug)]
pub struct Datagrams {
    socket: Option<OwnedFd>,
    target: Target,
    retry_at_ms: u64,
    dropped: u64,
}

#[derive(Debug)]
enum Target {
    Address(SockAddr),
    Unix(PathBuf),
}

/// Messages to send together: their bytes in one buffer.
#[derive(Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Batch {
    /// Appends one message.
    pub fn message(&mut self, fill: impl FnOnce(&mut Vec<u8>)) {
        fill(&mut self.bytes);
        self.ends.push(self.bytes.len());
    }

    /// Messages inside.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Bytes inside.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Empties the batch and keeps its memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    fn messages(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts
            .zip(&self.ends)
            .map(|(start, &end)| &self.bytes[start..end])
    }
}

impl Datagrams {
    /// To a UDP receiver.
    pub fn udp(to: std::net::SocketAddr) -> io::Result<Self> {
        let any: std::net::SocketAddr = if to.is_ipv6() {
            (std::net::Ipv6Addr::UNSPECIFIED, 0).into()
        } else {
            (std::net::Ipv4Addr::UNSPECIFIED, 0).into()
        };
        let socket = UdpSocket::bind(any)?;
        socket.set_nonblocking(true)?;
        let target = Target::Address(to.into());
        Ok(Self {
            socket: Some(socket.into()),
            target,
            retry_at_ms: 0,
            dropped: 0,
        })
    }

    /// To a unix receiver such as `/dev/log`. It need not exist yet: until it does, and again
    /// after it was restarted, messages are dropped and counted.
    pub fn unix(path: PathBuf) -> Self {
        let target = Target::Unix(path);
        Self {
            socket: None,
            target,
            retry_at_ms: 0,
            dropped: 0,
        }
    }

    /// Messages dropped so far, because the receiver was absent or too slow.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Sends all messages of the batch and empties it; what cannot be sent now is dropped and
    /// counted. Returns how many went out.
    pub fn send(&mut self, batch: &mut Batch, now_ms: u64) -> usize {
        let total = batch.len();
        let sent = if self.connected(now_ms) {
            self.send_all(batch, now_ms)
        } else {
            0
        };
        self.dropped += (total - sent) as u64;
        batch.clear();
        sent
    }

    fn connected(&mut self, now_ms: u64) -> bool {
        if self.socket.is_some() {
            return true;
        }
        let Target::Unix(path) = &self.target else {
            return false;
        };
        if now_ms < self.retry_at_ms {
            return false;
        }
        let connect = || -> io::Result<OwnedFd> {
            let socket = UnixDatagram::unbound()?;
            socket.connect(path)?;
            socket.set_nonblocking(true)?;
            Ok(socket.into())
        };
        self.socket = connect().ok();
        self.retry_at_ms = now_ms + RECONNECT_MS;
        self.socket.is_some()
    }

    fn send_all(&mut self, batch: &Batch, now_ms: u64) -> usize {
        let messages: Vec<&[u8]> = batch.messages().collect();
        let mut sent = 0;
        let mut next = 0;
        while next < messages.len() {
            let group = &messages[next..messages.len().min(next + BATCH_MAX)];
            match self.send_group(group) {
                Ok(count) => {
                    sent += count;
                    next += count;
                }
                Err(error) => match error.raw_os_error() {
                    Some(libc::EINTR) => {}
                    // Too big for a datagram, or the echo of an earlier refusal: only this one.
                    Some(libc::EMSGSIZE) => next += 1,
                    Some(libc::ECONNREFUSED) if matches!(self.target, Target::Address(_)) => {
                        next += 1;
                    }
                    // Full: the rest would meet the same.
                    Some(libc::EAGAIN | libc::ENOBUFS) => break,
                    _ => {
                        self.lost(now_ms);
                        break;
                    }
                },
            }
        }
        sent
    }

    /// The unix receiver is gone: a new one is looked for later.
    fn lost(&mut self, now_ms: u64) {
        if matches!(self.target, Target::Unix(_)) {
            self.socket = None;
            self.retry_at_ms = now_ms + RECONNECT_MS;
        }
    }

    fn send_group(&self, group: &[&[u8]]) -> io::Result<usize> {
        let Some(socket) = &self.socket else {
            return Err(libc_error(libc::ENOTCONN));
        };
        let address = match &self.target {
            Target::Address(address) => Some(address),
            Target::Unix(_) => None,
        };
        let mut vectors: [libc::iovec; BATCH_MAX] = [libc::iovec {
            iov_base: std::ptr::null_mut(),
            iov_len: 0,
        }; BATCH_MAX];
        // SAFETY: all zeroes is a valid mmsghdr.
        let mut headers: [libc::mmsghdr; BATCH_MAX] = unsafe { std::mem::zeroed() };
        for ((message, vector), header) in group.iter().zip(&mut vectors).zip(&mut headers) {
            vector.iov_base = message.as_ptr().cast_mut().cast();
            vector.iov_len = message.len();
            header.msg_hdr.msg_iov = vector;
            header.msg_hdr.msg_iovlen = 1;
            if let Some(address) = address {
                header.msg_hdr.msg_name = address.as_ptr().cast_mut().cast();
                header.msg_hdr.msg_namelen = address.len();
            }
        }
        let count = group.len().min(BATCH_MAX) as libc::c_uint;
        let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
        // SAFETY: the headers, their vectors and the bytes they name live until the call returns.
        let sent =
            unsafe { libc::sendmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), count, flags) };
        usize::try_from(sent).map_err(|_| io::Error::last_os_error())
    }
}

fn libc_error(errno: i32) -> io::Error {
    io::Error::from_raw_os_error(errno)
}

/// Raises the send buffer, for bursts of log lines.
impl Datagrams {
    /// `SO_SNDBUF`, in bytes; the kernel clips it to its own limit.
    pub fn set_send_buffer(&self, bytes: usize) -> io::Result<()> {
        match &self.socket {
            Some(socket) => SockRef::from(socket).set_send_buffer_size(bytes),
            None => Ok(()),
        }
    }

    /// Binds a UDP sender to a source address.
    pub fn udp_from(from: std::net::SocketAddr, to: std::net::SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(from), Type::DGRAM, None)?;
        socket.set_nonblocking(true)?;
        socket.bind(&from.into())?;
        let target = Target::Address(to.into());
        Ok(Self {
            socket: Some(socket.into()),
            target,
            retry_at_ms: 0,
            dropped: 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(messages: usize) -> Batch {
        let mut batch = Batch::default();
        for number in 0..messages {
            batch.message(|text| text.extend_from_slice(format!("line {number}").as_bytes()));
        }
        batch
    }

    #[test]
    fn udp_messages_arrive_one_by_one() {
        let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut sender = Datagrams::udp(receiver.local_addr().unwrap()).unwrap();
        let mut batch = batch(BATCH_MAX + 6);
        assert_eq!(sender.send(&mut batch, 0), BATCH_MAX + 6);
        assert!(batch.is_empty());
        let mut buffer = [0; 64];
        for number in 0..BATCH_MAX + 6 {
            let len = receiver.recv(&mut buffer).unwrap();
            assert_eq!(&buffer[..len], format!("line {number}").as_bytes());
        }
        assert_eq!(sender.dropped(), 0);
    }

    #[test]
    fn an_absent_unix_receiver_is_found_when_it_comes() {
        let folder = std::env::temp_dir().join(format!("reactor-dgram-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("log");
        let mut sender = Datagrams::unix(path.clone());
        assert_eq!(sender.send(&mut batch(3), 0), 0);
        assert_eq!(sender.dropped(), 3);
        let receiver = UnixDatagram::bind(&path).unwrap();
        assert_eq!(
            sender.send(&mut batch(1), 10),
            0,
            "not looked for again so soon"
        );
        assert_eq!(sender.send(&mut batch(2), RECONNECT_MS), 2);
        drop(receiver);
        assert_eq!(
            sender.send(&mut batch(2), RECONNECT_MS),
            0,
            "the receiver is gone"
        );
        std::fs::remove_file(&path).unwrap();
        let _receiver = UnixDatagram::bind(&path).unwrap();
        assert_eq!(sender.send(&mut batch(2), 3 * RECONNECT_MS), 2);
        assert_eq!(sender.dropped(), 6);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_slow_receiver_costs_messages_and_no_time() {
        let (sender, _receiver) = UnixDatagram::pair().unwrap();
        sender.set_nonblocking(true).unwrap();
        let target = Target::Unix(PathBuf::from("pair"));
        let mut sender = Datagrams {
            socket: Some(sender.into()),
            target,
            retry_at_ms: 0,
            dropped: 0,
        };
        let mut sent = 0;
        for _ in 0..20 {
            sent += sender.send(&mut batch(BATCH_MAX), 0);
        }
        assert!(sent > 0 && sender.dropped() > 0);
        assert_eq!(sent as u64 + sender.dropped(), 20 * BATCH_MAX as u64);
    }
}
