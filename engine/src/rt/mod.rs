//! Executors: one thread, one glommio executor and one reactor core each; the only module that
//! names glommio.
//!
//! A driver task owns the core's turn, and the thread sleeps there, never in glommio's own rings.
//! That works as long as nothing uses glommio's files, sockets, timers or channels: wake-ups of
//! theirs are not seen while the core sleeps. Waiting is done with what `reactor`
//! offers: sockets, `Timer`, `Event`, `Mailbox`. A future that is woken by anything else (a
//! channel between tasks, say) must be followed by `Core::mark_runnable`.

mod drive;
mod tasks;

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use glommio::{LocalExecutorBuilder, Placement, PoolPlacement};
use reactor::{Core, CoreConfig, SetupError, process};

pub use drive::yield_now;
pub use tasks::spawn;

/// glommio's housekeeping tick. Nothing waits for it.
const PREEMPT_TIMER: Duration = Duration::from_millis(100);
/// Entries of glommio's own rings, which carry nothing but its tick.
const GLOMMIO_RING_DEPTH: usize = 8;

/// Why a core did not start.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The machine gives no ring; the text has cause and remedy.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The thread could not be bound to its CPUs.
    #[error("cannot bind thread {name} to CPUs {cpus:?}: {source}")]
    Pin {
        /// The thread.
        name: String,
        /// Where it should have run.
        cpus: Vec<usize>,
        /// What the kernel said.
        source: io::Error,
    },
    /// The thread could not be created.
    #[error("cannot start a thread: {0}")]
    Thread(#[source] io::Error),
    /// glommio refused.
    #[error("cannot start the executor: {0}")]
    Executor(String),
}

/// The thread's body panicked; the message went to standard error.
#[derive(Debug, thiserror::Error)]
#[error("thread {name} panicked")]
pub struct Panicked {
    /// The thread.
    pub name: String,
}

/// A core that runs.
#[derive(Debug)]
pub struct Running<T> {
    name: String,
    thread: thread::JoinHandle<Option<T>>,
}

impl<T> Running<T> {
    /// Waits for the main future's result.
    pub fn join(self) -> Result<T, Panicked> {
        match self.thread.join() {
            Ok(Some(output)) => Ok(output),
            _ => Err(Panicked { name: self.name }),
        }
    }

    /// Whether the main future has ended.
    pub fn finished(&self) -> bool {
        self.thread.is_finished()
    }
}

thread_local! {
    static CORE: RefCell<Option<Core>> = const { RefCell::new(None) };
}

/// Starts a thread on the given CPUs (empty: anywhere), sets up its core, and runs the future that
/// `main` makes. Returns once the core stands or could not be set up.
///
/// When the main future ends, all other tasks of the core are dropped and the thread ends.
pub fn launch<M, F>(
    cpus: &[usize],
    name: &str,
    config: &CoreConfig,
    main: M,
) -> Result<Running<F::Output>, LaunchError>
where
    M: FnOnce(Core) -> F + Send + 'static,
    F: Future + 'static,
    F::Output: Send + 'static,
{
    let (ready, standing) = mpsc::sync_channel(1);
    let (cpus, config, owned_name) = (cpus.to_vec(), config.clone(), name.to_owned());
    let body = move || match set_up(&cpus, &owned_name, &config) {
        Ok((core, executor)) => {
            // The launcher may have gone; the core runs all the same.
            let _ = ready.send(Ok(()));
            Some(run(core, &executor, main))
        }
        Err(error) => {
            let _ = ready.send(Err(error));
            None
        }
    };
    let thread = thread::Builder::new().name(name.to_owned()).spawn(body);
    let thread = thread.map_err(LaunchError::Thread)?;
    match standing.recv() {
        Ok(Ok(())) => Ok(Running {
            name: name.to_owned(),
            thread,
        }),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(LaunchError::Executor(format!(
            "thread {name} panicked during set-up"
        ))),
    }
}

/// The calling thread's core; `None` outside of [`launch`].
pub fn core() -> Option<Core> {
    CORE.with_borrow(Clone::clone)
}

fn with_core(act: impl FnOnce(&Core)) {
    CORE.with_borrow(|core| {
        if let Some(core) = core {
            act(core);
        }
    });
}

/// The reactor's ring is made first: it explains a refusal, where glommio panics.
fn set_up(
    cpus: &[usize],
    name: &str,
    config: &CoreConfig,
) -> Result<(Core, glommio::LocalExecutor), LaunchError> {
    if !cpus.is_empty() {
        process::pin_to(cpus).map_err(|source| LaunchError::Pin {
            name: name.to_owned(),
            cpus: cpus.to_vec(),
            source,
        })?;
    }
    let core = Core::new(config)?;
    let executor = LocalExecutorBuilder::new(Placement::Unbound)
        .name(name)
        .io_memory(0)
        .ring_depth(GLOMMIO_RING_DEPTH)
        .preempt_timer(PREEMPT_TIMER)
        .blocking_thread_pool_placement(PoolPlacement::Unbound(1))
        .make()
        .map_err(|error| LaunchError::Executor(error.to_string()))?;
    Ok((core, executor))
}

fn run<M, F>(core: Core, executor: &glommio::LocalExecutor, main: M) -> F::Output
where
    M: FnOnce(Core) -> F,
    F: Future + 'static,
{
    CORE.set(Some(core.clone()));
    let output = executor.run(async move {
        let stop = drive::start(core.clone());
        let output = main(core).await;
        tasks::end_all().await;
        stop.stop();
        output
    });
    // The last handle: the core takes its operations back from the kernel.
    drop(CORE.take());
    output
}

#[cfg(test)]
mod tests {
    use super::*;
    use reactor::Post;

    fn small() -> CoreConfig {
        CoreConfig {
            sq_entries: 64,
            cq_entries: 256,
            buffers: 8,
            ..CoreConfig::default()
        }
    }

    #[test]
    fn a_main_future_runs_and_its_result_comes_back() {
        let running = launch(&[], "main", &small(), |core| async move {
            let timer = core.timer();
            timer.set_after(5);
            timer.expired().await;
            thread::current().name().map(str::to_owned)
        });
        assert_eq!(running.unwrap().join().unwrap().as_deref(), Some("main"));
    }

    #[test]
    fn a_thread_is_bound_to_its_cpu() {
        let cpu = process::allowed_cpus().unwrap()[0];
        let running = launch(&[cpu], "bound", &small(), |_| async {
            process::allowed_cpus()
        });
        assert_eq!(running.unwrap().join().unwrap().unwrap(), [cpu]);
    }

    #[test]
    fn a_bad_configuration_is_an_error_and_no_panic() {
        let config = CoreConfig {
            buffers: 3,
            ..small()
        };
        let error = launch(&[], "bad", &config, |_| async {}).unwrap_err();
        assert!(
            matches!(error, LaunchError::Setup(SetupError::Config(_))),
            "{error}"
        );
        let error = launch(&[100_000], "nowhere", &small(), |_| async {}).unwrap_err();
        assert!(matches!(error, LaunchError::Pin { .. }), "{error}");
    }

    /// Two cores throw a number back and forth; every message must wake a sleeping core.
    #[test]
    fn two_cores_exchange_messages() {
        const ROUNDS: u32 = 2000;
        let (hand, received) = mpsc::channel::<Post<u32>>();
        let first = launch(&[], "first", &small(), move |core| async move {
            let (mailbox, post) = core.mailbox::<u32>();
            hand.send(post).unwrap();
            let mut last = 0;
            while let Some(number) = mailbox.recv().await {
                assert_eq!(number, last + 1);
                last = number;
            }
            last
        })
        .unwrap();
        let post = received.recv().unwrap();
        let second = launch(&[], "second", &small(), move |core| async move {
            for number in 1..=ROUNDS {
                post.send(number).unwrap();
                if number % 100 == 0 {
                    let pause = core.timer();
                    pause.set_after(1);
                    pause.expired().await;
                }
            }
        })
        .unwrap();
        second.join().unwrap();
        assert_eq!(
            first.join().unwrap(),
            ROUNDS,
            "the mailbox ends when every post is gone"
        );
    }

    /// A chain of tasks that wake each other: each is queued behind the driver, which must not
    /// sleep while one of them can run.
    #[test]
    fn local_wakes_do_not_wait_for_the_kernel() {
        let running = launch(&[], "chain", &small(), |core| async move {
            let begun_us = core.now_us();
            let done = core.event();
            let mut next = done.clone();
            for _ in 0..200 {
                let event = core.event();
                let (waited, notified) = (event.clone(), next);
                next = event;
                spawn(async move {
                    waited.wait().await;
                    notified.notify();
                });
            }
            next.notify();
            done.wait().await;
            core.turn(reactor::Wait::Poll);
            core.now_us() - begun_us
        });
        // A wake that is missed would be seen only when something else ends the sleep, or never.
        let took_us = running.unwrap().join().unwrap();
        assert!(took_us < 5_000_000, "{took_us} us");
    }

    #[test]
    fn tasks_are_dropped_with_their_core() {
        let (alive, gone) = mpsc::channel::<()>();
        let running = launch(&[], "drops", &small(), |core| async move {
            spawn(async move {
                let _alive = alive;
                core.event().wait().await;
            });
        });
        running.unwrap().join().unwrap();
        assert_eq!(gone.recv(), Err(mpsc::RecvError));
    }

    /// The memory of a task goes with it: 400 MB are spawned here, one at a time, and other
    /// tests take much less meanwhile.
    #[test]
    fn ended_tasks_leave_nothing() {
        let resident_pages = || -> usize {
            let figures = std::fs::read_to_string("/proc/self/statm").unwrap();
            figures.split(' ').nth(1).unwrap().parse().unwrap()
        };
        let running = launch(&[], "leaves", &small(), move |_| async move {
            let before = resident_pages();
            for _ in 0..100_000 {
                spawn(async {
                    let ballast = [0_u8; 4096];
                    yield_now().await;
                    assert_eq!(std::hint::black_box(&ballast)[17], 0);
                });
                yield_now().await;
            }
            resident_pages().saturating_sub(before)
        });
        let grown = running.unwrap().join().unwrap();
        assert!(grown < 50_000, "{grown} pages");
    }

    #[test]
    fn a_panic_is_reported_by_join() {
        let running = launch(&[], "panics", &small(), |_| async { panic!("on purpose") });
        assert_eq!(running.unwrap().join().unwrap_err().name, "panics");
    }
}
