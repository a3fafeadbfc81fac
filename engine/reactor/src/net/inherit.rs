//! Descriptors that the parent process passed on.

use std::io;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};

use socket2::{Domain, SockRef};

/// A descriptor given to this process by number (`fd@N`, socket activation).
#[derive(Debug)]
pub struct Inherited {
    /// A descriptor of our own on the same open socket, close-on-exec.
    pub fd: OwnedFd,
    /// What kind of addresses it has.
    pub domain: Domain,
}

/// Adopts an inherited socket that listens; the number itself stays open for the other cores.
///
/// Fails with `EBADF` for a closed number, `ENOTSOCK` for a file, `EINVAL` for a socket that does
/// not listen. Blocking mode is set, as the ring needs it.
pub fn adopt_listener(number: RawFd) -> io::Result<Inherited> {
    let fd = duplicate(number)?;
    let socket = SockRef::from(&fd);
    if !socket.is_listener()? {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    socket.set_nonblocking(false)?;
    let domain = socket.domain()?;
    Ok(Inherited { fd, domain })
}

/// Sets or clears the close-on-exec flag, for descriptors that a next process shall (not) get.
pub fn close_on_exec(fd: BorrowedFd<'_>, on: bool) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    let flags = if on { libc::FD_CLOEXEC } else { 0 };
    // SAFETY: no pointers.
    let code = unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFD, flags) };
    if code == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// A descriptor of our own on what an inherited number refers to, close-on-exec.
pub fn duplicate(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: no pointers; the kernel checks the number.
    let fd = unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 0) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: just created, owned by nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, UdpSocket};
    use std::os::fd::AsRawFd;

    #[test]
    fn only_listening_sockets_are_adopted() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let inherited = adopt_listener(listener.as_raw_fd()).unwrap();
        assert_eq!(inherited.domain, Domain::IPV4);
        assert_ne!(inherited.fd.as_raw_fd(), listener.as_raw_fd());
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        assert!(adopt_listener(udp.as_raw_fd()).is_err());
        let file = std::fs::File::open("/proc/self/exe").unwrap();
        let error = adopt_listener(file.as_raw_fd()).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENOTSOCK));
        assert_eq!(
            adopt_listener(-1).unwrap_err().raw_os_error(),
            Some(libc::EBADF)
        );
    }
}
