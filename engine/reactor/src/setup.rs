//! Why a core could not be set up on this machine, in words an operator can act on.

use std::io;

/// The kernel refused a ring; the text names the cause and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// `ENOSYS`: the kernel has no io_uring, or a seccomp filter hides it.
    #[error(
        "io_uring is not available: this kernel was built without it or a seccomp filter hides \
         the system call. Remedy: Linux 6.1 or newer with CONFIG_IO_URING=y; in a container use a \
         seccomp profile that allows io_uring_setup, io_uring_enter and io_uring_register \
         (Docker: --security-opt seccomp=PROFILE)"
    )]
    Absent,
    /// `EPERM`: the sysctl `kernel.io_uring_disabled` or a seccomp filter forbids it.
    #[error(
        "io_uring is forbidden to this process (kernel.io_uring_disabled is {sysctl}). Remedy: \
         sysctl -w kernel.io_uring_disabled=0 (1 allows only CAP_SYS_ADMIN and the group in \
         kernel.io_uring_group); when it is 0 already, a seccomp filter (container) or a security \
         module refuses: allow io_uring_setup there"
    )]
    Forbidden {
        /// What `/proc/sys/kernel/io_uring_disabled` holds, or "unknown".
        sysctl: String,
    },
    /// `ENOMEM`: the ring does not fit into RLIMIT_MEMLOCK (or memory is exhausted).
    #[error(
        "no memory may be locked for the ring (RLIMIT_MEMLOCK is {limit}). Remedy: raise it to \
         8 MiB or more a core: ulimit -l, LimitMEMLOCK= in the systemd unit, or start as root, \
         which raises the limit before it drops privileges"
    )]
    LockedMemory {
        /// The soft limit, in bytes or "unlimited".
        limit: String,
    },
    /// `EINVAL`: the kernel is older than the set-up flags that we need.
    #[error(
        "this kernel ({release}) lacks what the ring needs (DEFER_TASKRUN, multishot recv, buffer \
         rings). Remedy: Linux 6.1 or newer"
    )]
    OldKernel {
        /// `uname -r`.
        release: String,
    },
    /// `EMFILE` or `ENFILE`: no descriptor left for the ring.
    #[error("no file descriptor left for the ring. Remedy: raise ulimit -n (LimitNOFILE=)")]
    NoDescriptors,
    /// The configuration is outside what a ring can be.
    #[error("bad ring configuration: {0}")]
    Config(&'static str),
    /// Anything else the kernel said while `step` was done.
    #[error("cannot set up the ring ({step}): {source}")]
    Other {
        /// Which step failed.
        step: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
}

impl SetupError {
    /// Names the cause of a failed set-up call.
    pub(crate) fn from_io(step: &'static str, source: io::Error) -> Self {
        match source.raw_os_error() {
            Some(libc::ENOSYS) => Self::Absent,
            Some(libc::EPERM | libc::EACCES) => Self::Forbidden {
                sysctl: first_line("/proc/sys/kernel/io_uring_disabled"),
            },
            Some(libc::ENOMEM) => Self::LockedMemory {
                limit: match crate::process::limit(crate::process::Resource::LockedMemory) {
                    Ok(limit) => limit
                        .soft
                        .map_or("unlimited".into(), |n| format!("{n} bytes")),
                    Err(_) => "unknown".into(),
                },
            },
            Some(libc::EINVAL) => Self::OldKernel {
                release: first_line("/proc/sys/kernel/osrelease"),
            },
            Some(libc::EMFILE | libc::ENFILE) => Self::NoDescriptors,
            _ => Self::Other { step, source },
        }
    }
}

fn first_line(path: &str) -> String {
    std::fs::read_to_string(path).map_or("unknown".into(), |text| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(errno: i32) -> String {
        SetupError::from_io("test", io::Error::from_raw_os_error(errno)).to_string()
    }

    #[test]
    fn every_cause_comes_with_a_remedy() {
        for errno in [
            libc::ENOSYS,
            libc::EPERM,
            libc::ENOMEM,
            libc::EINVAL,
            libc::EMFILE,
        ] {
            let text = named(errno);
            assert!(text.contains("Remedy:"), "{text}");
        }
        assert!(named(libc::EPERM).contains("io_uring_disabled is "));
        assert!(named(libc::ENOMEM).contains("RLIMIT_MEMLOCK is "));
        assert!(named(libc::EIO).contains("test"));
    }
}
