//! Listening sockets as a `bind` line describes them.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, chown};
use std::path::Path;

use socket2::{Domain, SockAddr, Socket, Type};

use super::options;

/// Options of a TCP listener, named after the `bind` line's words.
#[derive(Clone, Debug)]
pub struct ListenOptions {
    /// Length of the kernel's queue of established connections.
    pub backlog: u32,
    /// `SO_REUSEPORT`: every core has its own socket on the same address.
    pub reuse_port: bool,
    /// `v6only` / `v4v6`: whether an IPv6 socket refuses IPv4; `None` leaves the system's default.
    pub v6only: Option<bool>,
    /// `defer-accept`: seconds to wait for data.
    pub defer_accept_s: Option<u32>,
    /// `tfo`: length of the fast-open queue.
    pub fastopen: Option<u32>,
    /// `interface`: only this device.
    pub interface: Option<String>,
    /// `transparent`: foreign addresses.
    pub transparent: bool,
    /// `mss`: maximum segment size, in bytes.
    pub mss: Option<u32>,
    /// `cc`: congestion control algorithm.
    pub congestion: Option<String>,
    /// `tcp-ut`: TCP user timeout, in milliseconds.
    pub user_timeout_ms: Option<u32>,
}

impl Default for ListenOptions {
    fn default() -> Self {
        Self {
            backlog: 4096,
            reuse_port: true,
            v6only: None,
            defer_accept_s: None,
            fastopen: None,
            interface: None,
            transparent: false,
            mss: None,
            congestion: None,
            user_timeout_ms: None,
        }
    }
}

/// Binds and listens. Accepted connections inherit the absence of Nagle's delay.
pub fn listen_tcp(address: SocketAddr, options: &ListenOptions) -> io::Result<OwnedFd> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    if options.reuse_port {
        socket.set_reuse_port(true)?;
    }
    if let (Some(v6only), true) = (options.v6only, address.is_ipv6()) {
        socket.set_only_v6(v6only)?;
    }
    if let Some(interface) = &options.interface {
        socket.bind_device(Some(interface.as_bytes()))?;
    }
    if options.transparent {
        options::set_transparent(&socket, domain)?;
    }
    if let Some(mss) = options.mss {
        socket.set_tcp_mss(mss)?;
    }
    if let Some(algorithm) = &options.congestion {
        socket.set_tcp_congestion(algorithm.as_bytes())?;
    }
    socket.set_tcp_nodelay(true)?;
    socket.bind(&address.into())?;
    if let Some(seconds) = options.defer_accept_s {
        options::set_defer_accept(&socket, seconds)?;
    }
    if let Some(queue) = options.fastopen {
        options::set_fastopen(&socket, queue)?;
    }
    if let Some(timeout_ms) = options.user_timeout_ms {
        options::set_user_timeout(&socket, std::time::Duration::from_millis(timeout_ms.into()))?;
    }
    socket.listen(options.backlog as i32)?;
    Ok(socket.into())
}

/// Binds a datagram socket. With `options.reuse_port`, the kernel spreads senders over all that are
/// bound so.
pub fn bind_udp(address: SocketAddr, options: &ListenOptions) -> io::Result<OwnedFd> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::DGRAM, None)?;
    if options.reuse_port {
        socket.set_reuse_port(true)?;
    }
    if let (Some(v6only), true) = (options.v6only, address.is_ipv6()) {
        socket.set_only_v6(v6only)?;
    }
    if let Some(interface) = &options.interface {
        socket.bind_device(Some(interface.as_bytes()))?;
    }
    if options.transparent {
        options::set_transparent(&socket, domain)?;
    }
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// Binds a unix datagram socket; a path that starts with NUL is in the abstract name space. A
/// socket that a former process left at the path is replaced.
pub fn bind_unix_datagram(path: &Path) -> io::Result<OwnedFd> {
    let socket = Socket::new(Domain::UNIX, Type::DGRAM, None)?;
    if !is_abstract(path)
        && fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket())
    {
        fs::remove_file(path)?;
    }
    socket.bind(&SockAddr::unix(path)?)?;
    Ok(socket.into())
}

/// Options of a unix listener, named after the `bind` and `stats socket` lines' words.
#[derive(Clone, Debug, Default)]
pub struct UnixOptions {
    /// Length of the kernel's queue; 0 is 4096.
    pub backlog: u32,
    /// `mode`: permissions of the socket file.
    pub mode: Option<u32>,
    /// `uid`, `user`: owner of the socket file.
    pub uid: Option<u32>,
    /// `gid`, `group`: group of the socket file.
    pub gid: Option<u32>,
}

/// Binds a unix socket and listens. A path that starts with NUL is in the abstract name space.
///
/// The socket is made beside its place and renamed there, so that a running process's socket is
/// replaced without a moment in which nobody listens. Anything but a socket is left alone.
pub fn listen_unix(path: &Path, options: &UnixOptions) -> io::Result<OwnedFd> {
    let backlog = if options.backlog == 0 {
        4096
    } else {
        options.backlog
    };
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    if is_abstract(path) {
        socket.bind(&SockAddr::unix(path)?)?;
        socket.listen(backlog as i32)?;
        return Ok(socket.into());
    }
    match fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "exists and is no socket",
            ));
        }
        _ => {}
    }
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(format!(".{}.tmp", std::process::id()));
    let fresh = Path::new(&fresh);
    let _ = fs::remove_file(fresh);
    let placed = place(&socket, fresh, path, options, backlog);
    if placed.is_err() {
        let _ = fs::remove_file(fresh);
    }
    placed.map(|()| socket.into())
}

fn place(
    socket: &Socket,
    fresh: &Path,
    path: &Path,
    options: &UnixOptions,
    backlog: u32,
) -> io::Result<()> {
    socket.bind(&SockAddr::unix(fresh)?)?;
    if let Some(mode) = options.mode {
        fs::set_permissions(fresh, fs::Permissions::from_mode(mode))?;
    }
    if options.uid.is_some() || options.gid.is_some() {
        chown(fresh, options.uid, options.gid)?;
    }
    socket.listen(backlog as i32)?;
    fs::rename(fresh, path)
}

fn is_abstract(path: &Path) -> bool {
    use std::os::unix::ffi::OsStrExt;
    path.as_os_str().as_bytes().first() == Some(&0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use socket2::SockRef;
    use std::os::unix::net::UnixStream;

    fn port(fd: &OwnedFd) -> SocketAddr {
        SockRef::from(fd).local_addr().unwrap().as_socket().unwrap()
    }

    #[test]
    fn two_cores_share_a_port_only_when_asked() {
        let options = ListenOptions::default();
        let first = listen_tcp("127.0.0.1:0".parse().unwrap(), &options).unwrap();
        assert!(SockRef::from(&first).is_listener().unwrap());
        assert!(SockRef::from(&first).tcp_nodelay().unwrap());
        let second = listen_tcp(port(&first), &options).unwrap();
        assert_eq!(port(&first), port(&second));
        let alone = ListenOptions {
            reuse_port: false,
            ..options
        };
        let error = listen_tcp(port(&first), &alone).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn tcp_options_are_set() {
        let options = ListenOptions {
            mss: Some(1200),
            defer_accept_s: Some(1),
            fastopen: Some(16),
            user_timeout_ms: Some(5000),
            v6only: Some(true),
            ..ListenOptions::default()
        };
        let fd = listen_tcp("127.0.0.1:0".parse().unwrap(), &options).unwrap();
        let timeout = SockRef::from(&fd).tcp_user_timeout().unwrap();
        assert_eq!(timeout, Some(std::time::Duration::from_secs(5)));
    }

    #[test]
    fn a_unix_socket_replaces_a_socket_and_nothing_else() {
        let folder = std::env::temp_dir().join(format!("reactor-bind-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("socket");
        let options = UnixOptions {
            mode: Some(0o600),
            ..UnixOptions::default()
        };
        let first = listen_unix(&path, &options).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let _second = listen_unix(&path, &options).unwrap();
        drop(first);
        UnixStream::connect(&path).unwrap();
        let file = folder.join("file");
        fs::write(&file, "precious").unwrap();
        assert!(listen_unix(&file, &options).is_err());
        assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
        fs::remove_dir_all(&folder).unwrap();
    }
}
