//! What the process asks of the kernel about itself: limits, identity, background, CPU.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};

/// A limit of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// `RLIMIT_NOFILE`: file descriptors.
    OpenFiles,
    /// `RLIMIT_MEMLOCK`: bytes of locked memory, to which rings are charged.
    LockedMemory,
    /// `RLIMIT_CORE`: bytes of a core dump (`set-dumpable`).
    CoreDump,
}

/// Both values of a limit; `None` is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What is enforced.
    pub soft: Option<u64>,
    /// What the soft limit may be raised to without privileges.
    pub hard: Option<u64>,
}

/// Which side of the fork this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fork {
    /// The process that called; holds the child's id.
    Parent(i32),
    /// The new process.
    Child,
}

fn check(code: libc::c_int) -> io::Result<()> {
    if code < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

impl Resource {
    fn number(self) -> libc::__rlimit_resource_t {
        match self {
            Self::OpenFiles => libc::RLIMIT_NOFILE,
            Self::LockedMemory => libc::RLIMIT_MEMLOCK,
            Self::CoreDump => libc::RLIMIT_CORE,
        }
    }
}

/// Waits until a child of this process ends, at most so long; true if it did. The child is not
/// reaped, so that its number stays its own meanwhile.
pub fn child_ends_within(child: u32, timeout: std::time::Duration) -> io::Result<bool> {
    // SAFETY: no memory is shared.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, child, 0) };
    let fd = RawFd::try_from(fd).ok().filter(|&fd| fd >= 0);
    let fd = fd.ok_or_else(io::Error::last_os_error)?;
    // SAFETY: the descriptor is new, and nobody else's.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    let until = std::time::Instant::now() + timeout;
    loop {
        let left = until.saturating_duration_since(std::time::Instant::now());
        let mut entry = libc::pollfd {
            fd: fd.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        let left_ms = i32::try_from(left.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: one entry, readable and writable for the call.
        let ready = unsafe { libc::poll(&raw mut entry, 1, left_ms) };
        match check(ready) {
            Ok(()) => return Ok(ready > 0),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The limit in force.
pub fn limit(resource: Resource) -> io::Result<Limit> {
    let mut raw = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `raw` is writable for the call.
    check(unsafe { libc::getrlimit(resource.number(), &raw mut raw) })?;
    let value = |raw: libc::rlim_t| (raw != libc::RLIM_INFINITY).then_some(raw);
    Ok(Limit {
        soft: value(raw.rlim_cur),
        hard: value(raw.rlim_max),
    })
}

/// Sets both values; raising the hard one needs CAP_SYS_RESOURCE.
pub fn set_limit(resource: Resource, limit: Limit) -> io::Result<()> {
    let raw = |value: Option<u64>| value.unwrap_or(libc::RLIM_INFINITY);
    let raw = libc::rlimit {
        rlim_cur: raw(limit.soft),
        rlim_max: raw(limit.hard),
    };
    // SAFETY: `raw` is readable for the call.
    check(unsafe { libc::setrlimit(resource.number(), &raw const raw) })
}

/// Raises the soft limit to at least `wanted`, the hard one too where that is needed and allowed;
/// returns what is in force afterwards, which may be less.
pub fn raise_limit(resource: Resource, wanted: u64) -> io::Result<Limit> {
    let now = limit(resource)?;
    if now.soft.is_none_or(|soft| soft >= wanted) {
        return Ok(now);
    }
    let hard = now.hard.map(|hard| hard.max(wanted));
    if set_limit(
        resource,
        Limit {
            soft: Some(wanted),
            hard,
        },
    )
    .is_err()
    {
        let soft = now.hard.map_or(wanted, |hard| hard.min(wanted));
        set_limit(
            resource,
            Limit {
                soft: Some(soft),
                hard: now.hard,
            },
        )?;
    }
    limit(resource)
}

/// Changes the root directory and goes there.
pub fn chroot(path: &std::path::Path) -> io::Result<()> {
    use std::os::unix::ffi::OsStrExt;
    let path = CString::new(path.as_os_str().as_bytes())?;
    // SAFETY: a valid C string for the call.
    check(unsafe { libc::chroot(path.as_ptr()) })?;
    std::env::set_current_dir("/")
}

/// Sets the supplementary groups: those of `user` and `gid`.
pub fn init_groups(user: &str, gid: u32) -> io::Result<()> {
    let user = CString::new(user)?;
    // SAFETY: a valid C string for the call.
    check(unsafe { libc::initgroups(user.as_ptr(), gid) })
}

/// Drops all supplementary groups.
pub fn clear_groups() -> io::Result<()> {
    // SAFETY: an empty list needs no memory.
    check(unsafe { libc::setgroups(0, std::ptr::null()) })
}

/// Sets real, effective and saved group ids of all threads.
pub fn set_gid(gid: u32) -> io::Result<()> {
    // SAFETY: no pointers; libc applies it to every thread.
    check(unsafe { libc::setgid(gid) })
}

/// Sets real, effective and saved user ids of all threads.
pub fn set_uid(uid: u32) -> io::Result<()> {
    // SAFETY: no pointers; libc applies it to every thread.
    check(unsafe { libc::setuid(uid) })
}

/// The user id that permissions are checked against.
pub fn effective_uid() -> u32 {
    // SAFETY: cannot fail, no pointers.
    unsafe { libc::geteuid() }
}

/// The user and group id of a user name.
pub fn user_ids(name: &str) -> io::Result<Option<(u32, u32)>> {
    let name = CString::new(name)?;
    let mut buffer = vec![0 as libc::c_char; 16 * 1024];
    // SAFETY: all zeroes is a valid passwd (null pointers).
    let mut entry: libc::passwd = unsafe { std::mem::zeroed() };
    let mut found = std::ptr::null_mut();
    // SAFETY: all pointers are valid for the call, the buffer has the length given.
    let code = unsafe {
        libc::getpwnam_r(
            name.as_ptr(),
            &raw mut entry,
            buffer.as_mut_ptr(),
            buffer.len(),
            &raw mut found,
        )
    };
    name_result(code, !found.is_null(), (entry.pw_uid, entry.pw_gid))
}

/// The id of a group name.
pub fn group_id(name: &str) -> io::Result<Option<u32>> {
    let name = CString::new(name)?;
    let mut buffer = vec![0 as libc::c_char; 64 * 1024];
    // SAFETY: all zeroes is a valid group (null pointers).
    let mut entry: libc::group = unsafe { std::mem::zeroed() };
    let mut found = std::ptr::null_mut();
    // SAFETY: all pointers are valid for the call, the buffer has the length given.
    let code = unsafe {
        libc::getgrnam_r(
            name.as_ptr(),
            &raw mut entry,
            buffer.as_mut_ptr(),
            buffer.len(),
            &raw mut found,
        )
    };
    name_result(code, !found.is_null(), entry.gr_gid)
}

fn name_result<T>(code: libc::c_int, found: bool, ids: T) -> io::Result<Option<T>> {
    match code {
        0 => Ok(found.then_some(ids)),
        // getpwnam(3): any of these may stand for "no such name".
        libc::ENOENT | libc::ESRCH | libc::EBADF | libc::EPERM => Ok(None),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}

/// Splits the process in two. Only while it has a single thread: in the child, locks that other
/// threads held would stay locked, so with more threads this is refused with `EBUSY`.
pub fn fork() -> io::Result<Fork> {
    if std::fs::read_dir("/proc/self/task")?.count() != 1 {
        return Err(io::Error::from_raw_os_error(libc::EBUSY));
    }
    // SAFETY: this is the only thread, so the child's copy of all state is consistent.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Fork::Child),
        pid => Ok(Fork::Parent(pid)),
    }
}

/// Starts a session without a terminal.
pub fn new_session() -> io::Result<()> {
    // SAFETY: no pointers.
    check(unsafe { libc::setsid() })
}

/// Points standard input, output and error at `/dev/null`.
pub fn detach_stdio() -> io::Result<()> {
    use std::os::fd::AsRawFd;
    let null = std::fs::File::options()
        .read(true)
        .write(true)
        .open("/dev/null")?;
    for number in 0..=2 {
        // SAFETY: no pointers; whoever uses these numbers afterwards reaches /dev/null.
        check(unsafe { libc::dup2(null.as_raw_fd(), number) })?;
    }
    Ok(())
}

/// Binds the calling thread to these CPUs.
pub fn pin_to(cpus: &[usize]) -> io::Result<()> {
    // SAFETY: all zeroes is the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    for &cpu in cpus.iter().filter(|&&cpu| cpu < libc::CPU_SETSIZE as usize) {
        // SAFETY: the number is inside the set.
        unsafe { libc::CPU_SET(cpu, &mut set) };
    }
    // SAFETY: the set is readable with its size; 0 is the calling thread.
    check(unsafe { libc::sched_setaffinity(0, size_of_val(&set), &raw const set) })
}

/// The CPUs that the calling thread may run on.
pub fn allowed_cpus() -> io::Result<Vec<usize>> {
    // SAFETY: all zeroes is the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set is writable with its size; 0 is the calling thread.
    check(unsafe { libc::sched_getaffinity(0, size_of_val(&set), &raw mut set) })?;
    // SAFETY: every number is inside the set.
    Ok((0..libc::CPU_SETSIZE as usize)
        .filter(|&cpu| unsafe { libc::CPU_ISSET(cpu, &set) })
        .collect())
}

/// Milliseconds on the clock that all cores share, for threads without a core.
pub fn monotonic_ms() -> u64 {
    crate::clock::Clock::new().now_ms()
}

/// Seconds that local time is ahead of UTC at this moment.
pub fn utc_offset_s() -> i32 {
    // SAFETY: a null pointer asks for the return value only.
    let now = unsafe { libc::time(std::ptr::null_mut()) };
    // SAFETY: all zeroes is a valid value of this plain struct.
    let mut local: libc::tm = unsafe { std::mem::zeroed() };
    // SAFETY: `now` is readable and `local` writable for the call.
    let known = unsafe { libc::localtime_r(&raw const now, &raw mut local) };
    if known.is_null() {
        0
    } else {
        local.tm_gmtoff as i32
    }
}

/// Sends a signal to a process (0: only asks whether it exists).
pub fn send_signal(pid: i32, signal: i32) -> io::Result<()> {
    // SAFETY: no pointers.
    check(unsafe { libc::kill(pid, signal) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_is_raised_as_far_as_allowed() {
        let before = limit(Resource::OpenFiles).unwrap();
        let after = raise_limit(Resource::OpenFiles, 16).unwrap();
        assert_eq!(after, before, "never lowered");
        if let Some(hard) = before.hard {
            let raised = raise_limit(Resource::OpenFiles, hard).unwrap();
            assert_eq!(raised.soft, Some(hard));
        }
    }

    #[test]
    fn names_are_looked_up() {
        assert_eq!(user_ids("root").unwrap(), Some((0, 0)));
        assert_eq!(group_id("root").unwrap(), Some(0));
        assert_eq!(user_ids("no-such-user-here").unwrap(), None);
        assert_eq!(group_id("no-such-group-here").unwrap(), None);
        assert!(user_ids("a\0b").is_err());
    }

    #[test]
    fn a_thread_is_pinned() {
        let cpu = allowed_cpus().unwrap()[0];
        std::thread::spawn(move || {
            pin_to(&[cpu]).unwrap();
            assert_eq!(allowed_cpus().unwrap(), [cpu]);
        })
        .join()
        .unwrap();
        assert!(pin_to(&[]).is_err());
    }

    #[test]
    fn a_threaded_process_is_not_forked() {
        assert_eq!(fork().unwrap_err().raw_os_error(), Some(libc::EBUSY));
    }
}
