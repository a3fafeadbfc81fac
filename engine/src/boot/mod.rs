//! From a checked configuration to running cores: sockets, topology, supervision.

mod error;
mod machine;
mod privileges;
mod sockets;

use std::fs;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use cfgparse::model::{BindAddr, Model, SocketLevel};
use reactor::{CoreConfig, process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator::Signals;

pub use error::BootError;

use crate::control::{self, AdminSocket, ControlSeed, Notify};
use crate::logger::{Outlets, Servers};
use crate::mesh::{Mesh, ToControl};
use crate::plan::{self, Compiled};
use crate::rt;
use crate::shard::{self, Seed};
use crate::state;

/// What the command line says about the process.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `--cores`.
    pub cores: Option<usize>,
    /// Run in the background.
    pub daemon: bool,
    pub pid_file: Option<PathBuf>,
    /// Tell systemd when ready.
    pub notify_systemd: bool,
    /// Ask these processes to finish (`-sf`) once we are ready.
    pub finish: Vec<i32>,
    /// Ask these to stop (`-st`).
    pub terminate: Vec<i32>,
}

/// How the process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// In order: exit code 0.
    Softly,
    /// This process only started the one in the background.
    Detached,
}

/// Puts a configuration to the test without starting it; returns what deserves a warning.
pub fn check(model: &Model) -> Result<Vec<BootError>, Vec<BootError>> {
    let compiled = compile(model)?;
    let mut warnings = compiled.warnings.clone();
    let mesh = Arc::new(Mesh::new(1));
    warnings.extend(
        state::build(model, compiled, 1, mesh)
            .map_err(all)?
            .warnings,
    );
    Ok(warnings.into_iter().map(BootError::from).collect())
}

fn compile(model: &Model) -> Result<Compiled, Vec<BootError>> {
    let unknown = privileges::unknown(model);
    if !unknown.is_empty() {
        return Err(unknown);
    }
    let machine = machine::prepare(model).map_err(|error| vec![error])?;
    plan::compile(model, &machine).map_err(all)
}

fn all<E: Into<BootError>>(errors: Vec<E>) -> Vec<BootError> {
    errors.into_iter().map(Into::into).collect()
}

/// Runs a configuration until the process is told to end.
pub fn run(model: &Model, options: &Options, notify: Notify) -> Result<Ended, Vec<BootError>> {
    let one = |error: BootError| vec![error];
    machine::probe().map_err(one)?;
    let compiled = compile(model)?;
    let cores = machine::cores(options.cores, &model.global);
    let mesh = Arc::new(Mesh::new(cores));
    let built = state::build(model, compiled, cores, Arc::clone(&mesh)).map_err(all)?;
    let unix_bind = &model.global.unix_bind;
    let sockets = Sockets {
        listeners: sockets::bind(&built.runtime.plan, unix_bind, cores)?,
        log_inputs: sockets::bind_logs(&built.runtime.plan, unix_bind, cores)?,
    };
    let admin = admin_sockets(model)?;
    let identity = privileges::Identity::find(&model.global).map_err(one)?;
    if options.daemon && detach().map_err(one)? == Ended::Detached {
        return Ok(Ended::Detached);
    }
    write_pid_file(model, options).map_err(one)?;
    identity.assume().map_err(one)?;
    // From here on signals are ours: none may arrive between the first thread and the wait.
    let signals = Signals::new([SIGUSR1, SIGTERM, SIGINT, SIGHUP]).map_err(|source| {
        one(BootError::System {
            what: "handle signals",
            source,
        })
    })?;
    let threads = start(model, built, sockets, admin, &mesh, cores, notify).map_err(one)?;
    announce(options);
    Ok(wait(signals, threads, &mesh))
}

/// Bound before privileges are dropped.
struct Sockets {
    listeners: sockets::PerCore,
    log_inputs: sockets::LogInputs,
}

type Threads = Vec<rt::Running<()>>;

fn start(
    model: &Model,
    built: state::Built,
    sockets: Sockets,
    admin: Vec<AdminSocket>,
    mesh: &Arc<Mesh>,
    cores: usize,
    notify: Notify,
) -> Result<Threads, BootError> {
    let config = CoreConfig::default();
    let utc_offset_s = machine::utc_offset_s();
    let runtime = &built.runtime;
    let servers = Arc::clone(runtime) as Arc<dyn Servers>;
    let outlets = Arc::new(Outlets::new(&runtime.plan, &runtime.rings, servers));
    let mut threads = Vec::new();
    let places = machine::placement(cores, &model.global);
    let sockets = sockets.listeners.into_iter().zip(sockets.log_inputs);
    for (index, ((sockets, log_inputs), cpus)) in sockets.zip(places).enumerate() {
        let seed = Seed {
            index,
            runtime: Arc::clone(&built.runtime),
            views: built.views.clone(),
            sockets,
            log_inputs,
            mesh: Arc::clone(mesh),
            outlets: Arc::clone(&outlets),
            random: seed(),
            utc_offset_s,
        };
        let main = move |core| async move {
            if let Err(error) = shard::run(core, seed).await {
                // The same targets were opened by control, which says what is wrong with them.
                debug_assert!(false, "{error}");
            }
        };
        threads.push(rt::launch(
            &cpus,
            &format!("engine/{index}"),
            &config,
            main,
        )?);
    }
    let seed = ControlSeed {
        runtime: built.runtime,
        registry: built.registry,
        global: Box::new(model.global.clone()),
        mesh: Arc::clone(mesh),
        outlets,
        admin,
        utc_offset_s,
        notify,
    };
    let main = move |core| control::run(core, seed);
    threads.push(rt::launch(&[], "engine/control", &config, main)?);
    Ok(threads)
}

/// Unlike numbers for unlike cores and starts.
fn seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(thread::current().id())
}

fn admin_sockets(model: &Model) -> Result<Vec<AdminSocket>, Vec<BootError>> {
    let mut opened = Vec::new();
    let mut errors = Vec::new();
    for bind in &model.global.stats_sockets {
        for address in &bind.addresses {
            let name = match address {
                BindAddr::Unix(path) => format!("unix@{path}"),
                address => sockets::written(address),
            };
            let socket: std::io::Result<OwnedFd> =
                sockets::open(address, bind, None, &model.global.unix_bind);
            match socket {
                Ok(socket) => opened.push(AdminSocket {
                    socket,
                    name,
                    level: bind.level.unwrap_or(SocketLevel::Operator),
                }),
                Err(source) => errors.push(BootError::AdminSocket {
                    address: name,
                    source,
                }),
            }
        }
    }
    if errors.is_empty() {
        Ok(opened)
    } else {
        Err(errors)
    }
}

/// Goes into the background; the caller's process is told that it is done.
fn detach() -> Result<Ended, BootError> {
    let failed = |source| BootError::System {
        what: "go into the background",
        source,
    };
    match process::fork().map_err(failed)? {
        process::Fork::Parent(_) => Ok(Ended::Detached),
        process::Fork::Child => {
            process::new_session().map_err(failed)?;
            process::detach_stdio().map_err(failed)?;
            Ok(Ended::Softly)
        }
    }
}

fn write_pid_file(model: &Model, options: &Options) -> Result<(), BootError> {
    let configured = model.global.pidfile.as_ref().map(PathBuf::from);
    // Only a process in the background needs its configured file (manual, `pidfile`).
    let path = options
        .pid_file
        .clone()
        .or(configured.filter(|_| options.daemon));
    let Some(path) = path else { return Ok(()) };
    fs::write(&path, format!("{}\n", std::process::id())).map_err(|source| BootError::PidFile {
        path: path.display().to_string(),
        source,
    })
}

/// Tells those who wait that the new process serves.
fn announce(options: &Options) {
    if options.notify_systemd {
        // Whoever does not listen does not need to know.
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    }
    for (pids, signal) in [(&options.finish, SIGUSR1), (&options.terminate, SIGTERM)] {
        for &pid in pids {
            // One that has gone meanwhile has finished.
            let _ = process::send_signal(pid, signal);
        }
    }
}

/// Asks this process to finish, as `kill -USR1` from outside would.
pub fn ask_to_finish() {
    // A process that is not running yet dies of it, which is what was asked for.
    let _ = signal_hook::low_level::raise(SIGUSR1);
}

/// Passes signals on until all threads have ended.
fn wait(mut signals: Signals, threads: Threads, mesh: &Mesh) -> Ended {
    let handle = signals.handle();
    let joiner = thread::spawn(move || {
        for thread in threads {
            // A panic has been written to standard error where it happened.
            let _ = thread.join();
        }
        handle.close();
    });
    for signal in &mut signals {
        match signal {
            SIGUSR1 => mesh.tell_control(ToControl::SoftStop),
            SIGHUP => mesh.tell_control(ToControl::Dump),
            // As HAProxy does: the process dies by the signal, whatever is under way.
            _ => {
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            }
        }
    }
    let _ = joiner.join();
    Ended::Softly
}
