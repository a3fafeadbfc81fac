//! Socket options that socket2 lacks.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::Duration;

use socket2::{Domain, SockAddr, SockRef, TcpKeepalive};

/// `SO_KEEPALIVE`: an idle connection is probed; what is `None` is left to the system.
pub fn set_keepalive(
    socket: impl AsFd,
    count: Option<u32>,
    idle_s: Option<u32>,
    interval_s: Option<u32>,
) -> io::Result<()> {
    let socket = socket.as_fd();
    let socket = SockRef::from(&socket);
    let seconds = |seconds: u32| Duration::from_secs(u64::from(seconds));
    let mut probes = TcpKeepalive::new();
    if let Some(idle_s) = idle_s {
        probes = probes.with_time(seconds(idle_s));
    }
    if let Some(interval_s) = interval_s {
        probes = probes.with_interval(seconds(interval_s));
    }
    if let Some(count) = count {
        probes = probes.with_retries(count);
    }
    socket.set_keepalive(true)?;
    socket.set_tcp_keepalive(&probes)
}

/// `TCP_DEFER_ACCEPT`: accepts only once data has come, for at most so many seconds.
pub fn set_defer_accept(socket: impl AsFd, seconds: u32) -> io::Result<()> {
    set(
        socket.as_fd(),
        libc::IPPROTO_TCP,
        libc::TCP_DEFER_ACCEPT,
        seconds as libc::c_int,
    )
}

/// `TCP_FASTOPEN`: the length of a listener's queue of fast-open requests.
pub(super) fn set_fastopen(socket: impl AsFd, queue: u32) -> io::Result<()> {
    set(
        socket.as_fd(),
        libc::IPPROTO_TCP,
        libc::TCP_FASTOPEN,
        queue as libc::c_int,
    )
}

/// `TCP_FASTOPEN_CONNECT`: the first send goes out with the SYN.
pub fn set_fastopen_connect(socket: impl AsFd) -> io::Result<()> {
    set(
        socket.as_fd(),
        libc::IPPROTO_TCP,
        libc::TCP_FASTOPEN_CONNECT,
        1,
    )
}

/// `TCP_USER_TIMEOUT`: how long sent data may stay unacknowledged.
pub fn set_user_timeout(socket: impl AsFd, timeout: Duration) -> io::Result<()> {
    let socket = socket.as_fd();
    SockRef::from(&socket).set_tcp_user_timeout(Some(timeout))
}

/// `IP_TRANSPARENT` or `IPV6_TRANSPARENT`: foreign addresses may be bound (needs CAP_NET_ADMIN).
pub fn set_transparent(socket: impl AsFd, domain: Domain) -> io::Result<()> {
    let (level, option) = if domain == Domain::IPV6 {
        (libc::IPPROTO_IPV6, libc::IPV6_TRANSPARENT)
    } else {
        (libc::IPPROTO_IP, libc::IP_TRANSPARENT)
    };
    set(socket.as_fd(), level, option, 1)
}

/// `IP_BIND_ADDRESS_NO_PORT`: a bound address takes its port when the connection is made, so that
/// connections to unlike servers may share one (Linux 4.2).
pub(super) fn set_late_port(socket: impl AsFd) -> io::Result<()> {
    set(
        socket.as_fd(),
        libc::IPPROTO_IP,
        libc::IP_BIND_ADDRESS_NO_PORT,
        1,
    )
}

/// `TCP_MAXSEG` less so many bytes: segments that leave stay below what the peer announced.
pub fn reduce_segments(socket: impl AsFd, bytes: u32) -> io::Result<()> {
    let socket = socket.as_fd();
    let socket = SockRef::from(&socket);
    socket.set_tcp_mss(socket.tcp_mss()?.saturating_sub(bytes))
}

/// `SO_ORIGINAL_DST`: where a connection that the packet filter redirected was going.
pub fn original_destination(socket: impl AsFd) -> io::Result<SockAddr> {
    let socket = socket.as_fd();
    let socket = SockRef::from(&socket);
    if socket.domain()? == Domain::IPV6 {
        socket.original_dst_v6()
    } else {
        socket.original_dst_v4()
    }
}

/// 32-bit words of the kernel's `tcp_info` that are looked at: eight bytes, then fields in the
/// order of the structure, of which libc declares an older form.
const TCP_INFO_WORDS: usize = 32;

/// The beginning of `TCP_INFO`, as many words as the kernel knows.
fn tcp_info_words(socket: BorrowedFd<'_>) -> Option<([u32; TCP_INFO_WORDS], usize)> {
    let mut words = [0u32; TCP_INFO_WORDS];
    let mut len = size_of_val(&words) as libc::socklen_t;
    // SAFETY: `words` has `len` writable bytes.
    let code = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            words.as_mut_ptr().cast(),
            &raw mut len,
        )
    };
    (code == 0).then_some((words, len as usize / size_of::<u32>()))
}

/// What the kernel measures of a TCP connection (tcp(7), `TCP_INFO`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpInfo {
    pub unacked: u32,
    pub sacked: u32,
    pub lost: u32,
    pub retrans: u32,
    pub fackets: u32,
    /// Round-trip time and its variation, microseconds.
    pub rtt_us: u32,
    pub rttvar_us: u32,
    pub reordering: u32,
}

/// `TCP_INFO`; `None` for what is no TCP connection.
pub fn tcp_info(socket: BorrowedFd<'_>) -> Option<TcpInfo> {
    const LAST: usize = 22;
    let (info, known) = tcp_info_words(socket)?;
    (known > LAST).then(|| TcpInfo {
        unacked: info[6],
        sacked: info[7],
        lost: info[8],
        retrans: info[9],
        fackets: info[10],
        rtt_us: info[17],
        rttvar_us: info[18],
        reordering: info[LAST],
    })
}

/// The type of service of packets that leave: `IP_TOS`, or `IPV6_TCLASS` where the family has it.
pub fn set_type_of_service(socket: BorrowedFd<'_>, tos: u8) -> io::Result<()> {
    let domain = SockRef::from(&socket).domain()?;
    if domain == Domain::IPV6 {
        set(
            socket,
            libc::IPPROTO_IPV6,
            libc::IPV6_TCLASS,
            libc::c_int::from(tos),
        )?;
    }
    // An IPv4 client of an IPv6 socket is told by the option of its own family.
    set(
        socket,
        libc::IPPROTO_IP,
        libc::IP_TOS,
        libc::c_int::from(tos),
    )
}

/// `SO_MARK`: the packet filter's mark (needs `CAP_NET_ADMIN`).
pub fn set_mark(socket: BorrowedFd<'_>, mark: u32) -> io::Result<()> {
    SockRef::from(&socket).set_mark(mark)
}

/// Makes the kernel forget a TCP connection without a packet to the peer: `TCP_REPAIR`, which needs
/// `CAP_NET_ADMIN`, then whatever closes it.
pub fn forget_on_close(socket: BorrowedFd<'_>) -> io::Result<()> {
    set(socket, libc::IPPROTO_TCP, libc::TCP_REPAIR, 1)
}

fn set(
    socket: BorrowedFd<'_>,
    level: libc::c_int,
    option: libc::c_int,
    value: libc::c_int,
) -> io::Result<()> {
    let len = size_of_val(&value) as libc::socklen_t;
    // SAFETY: `value` is readable for `len` bytes during the call.
    let code = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            option,
            (&raw const value).cast(),
            len,
        )
    };
    if code == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_measures_tcp_and_marks_packets() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let info = tcp_info(client.as_fd()).unwrap();
        assert!(info.rtt_us > 0 && info.lost == 0, "{info:?}");
        set_type_of_service(client.as_fd(), 0x20).unwrap();
        assert_eq!(SockRef::from(&client).tos_v4().unwrap(), 0x20);
        let (unix, _other) = std::os::unix::net::UnixStream::pair().unwrap();
        assert_eq!(tcp_info(unix.as_fd()), None);
    }

    #[test]
    fn keep_alive_is_as_asked_for() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        set_keepalive(client.as_fd(), Some(3), Some(500), Some(7)).unwrap();
        let socket = SockRef::from(&client);
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_retries().unwrap(), 3);
        assert_eq!(socket.tcp_keepalive_time().unwrap().as_secs(), 500);
        assert_eq!(socket.tcp_keepalive_interval().unwrap().as_secs(), 7);
    }
}
