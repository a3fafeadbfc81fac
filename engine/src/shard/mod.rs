//! All that one core owns, and what it does when it is told to.

use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use reactor::Core;

use crate::balance::View;
use crate::listen::{self, Switch, Wanted};
use crate::log::Cause;
use crate::logger::{Logger, OpenError, Outlets};
use crate::mesh::{Listed, Mesh, Streams, ToShard};
use crate::plan::{ListenerId, LogInput};
use crate::pool::Wish;
use crate::rt;
use crate::state::{Generation, Runtime};
use crate::stream::{Entry, Local, Neighbours, Ways};

/// What a core is given to start with.
pub struct Seed {
    /// Which core this is, counted from 0.
    pub index: usize,
    pub runtime: Arc<Runtime>,
    /// By `ProxyId`: the servers that requests may go to at first.
    pub views: Box<[Option<Arc<View>>]>,
    /// Its own listening sockets.
    pub sockets: Vec<(ListenerId, OwnedFd)>,
    /// What log lines come in by.
    pub log_inputs: Vec<(LogInput, LogSocket)>,
    pub mesh: Arc<Mesh>,
    pub outlets: Arc<Outlets>,
    pub random: u64,
    pub utc_offset_s: i32,
}

/// A socket that log lines come in by.
pub enum LogSocket {
    Stream(OwnedFd),
    Datagram(OwnedFd),
}

/// One core's own things.
struct Shard {
    local: Rc<Local>,
    mesh: Arc<Mesh>,
    switches: Vec<Rc<Switch>>,
}

/// Runs one core until it is told to stop.
pub async fn run(core: Core, seed: Seed) -> Result<(), OpenError> {
    let (mailbox, post) = core.mailbox();
    let logger = Logger::new(&core, &seed.outlets)?;
    let generation = Generation::new(seed.runtime, seed.views, seed.index);
    let ways = Ways {
        wake: seed.mesh.clone(),
        control: seed.mesh.clone(),
        neighbours: seed.mesh.clone(),
        loads: Arc::clone(&seed.mesh.loads),
    };
    let local = Local::new(
        core.clone(),
        seed.index,
        generation,
        ways,
        logger,
        seed.random,
    );
    local.utc_offset_s.set(seed.utc_offset_s);
    let mut shard = Shard {
        local,
        mesh: seed.mesh,
        switches: Vec::new(),
    };
    for (listener, socket) in seed.sockets {
        shard.listen(listener, socket);
    }
    for (input, socket) in seed.log_inputs {
        shard.take_logs(input, socket);
    }
    let background = Rc::clone(&shard.local);
    rt::spawn(async move { background.logger.run().await });
    rt::spawn(sweep(Rc::clone(&shard.local)));
    shard.mesh.join(seed.index, post);
    shard.catch_up(&shard.local.generation().runtime);
    while let Some(message) = mailbox.recv().await {
        if matches!(message, ToShard::Stop) {
            break;
        }
        shard.obey(message);
    }
    shard.local.logger.flush();
    Ok(())
}

impl Shard {
    fn listen(&mut self, id: ListenerId, socket: OwnedFd) {
        let switch = Switch::new(id);
        self.switches.push(Rc::clone(&switch));
        let socket = self.local.core.listener(socket);
        rt::spawn(listen::run(Rc::clone(&self.local), socket, switch));
    }

    fn take_logs(&self, input: LogInput, socket: LogSocket) {
        let local = Rc::clone(&self.local);
        match socket {
            LogSocket::Stream(fd) => {
                let socket = local.core.listener(fd);
                rt::spawn(listen::forward::connections(local, input, socket));
            }
            LogSocket::Datagram(fd) => {
                rt::spawn(listen::forward::datagrams(local, input.forward, fd));
            }
        }
    }

    fn obey(&self, message: ToShard) {
        match message {
            ToShard::Granted { ticket } => {
                self.local.tickets.wake(ticket);
            }
            ToShard::Room => self.local.room.notify(),
            ToShard::Adopt { backend, view } => self.local.generation().adopt(backend, view),
            ToShard::Shutdown { streams, cause } => self.shut_down(streams, cause),
            ToShard::Accept { listeners, on } => {
                let wanted = if on { Wanted::Accept } else { Wanted::Pause };
                for switch in self
                    .switches
                    .iter()
                    .filter(|s| listeners.contains(&s.listener))
                {
                    switch.set(wanted);
                }
            }
            ToShard::Close { listeners } => {
                for switch in self
                    .switches
                    .iter()
                    .filter(|s| listeners.contains(&s.listener))
                {
                    switch.set(Wanted::Close);
                }
            }
            ToShard::List(list) => {
                self.list(&mut list.lock().unwrap_or_else(PoisonError::into_inner));
            }
            ToShard::ShutdownOne { id, found } => {
                let here = (id >> 32) as usize == self.local.index;
                if here && self.local.streams.end_one(id as u32, Cause::Killed) {
                    found.store(true, Ordering::Relaxed);
                }
            }
            ToShard::Serve(client) => listen::serve(&self.local, *client),
            ToShard::Lend(wish) => self.lend(wish),
            ToShard::Lent(answer) => self.local.pool.answered(&self.local.core, answer),
            ToShard::Forget(server) => self.local.pool.clear(&server),
            ToShard::Settle(settle) => self.mesh.settled(&settle),
            ToShard::SoftStop => self.soft_stop(),
            ToShard::Stop => {}
        }
        // Whoever was woken here runs before the core sleeps again.
        self.local.core.mark_runnable();
    }

    /// Gives an idle server connection to the core that asks.
    fn lend(&self, wish: Wish) {
        let (local, mesh) = (Rc::clone(&self.local), Arc::clone(&self.mesh));
        rt::spawn(async move {
            let (core, answer) = local.pool.lend(wish).await;
            mesh.answer(core, answer);
        });
    }

    fn shut_down(&self, streams: Streams, cause: Cause) {
        let concerns = |entry: &Entry| match streams {
            Streams::OfServer(server) => entry.server.get() == Some(server),
            Streams::OnBackupsOf(backend) => {
                entry.on_backup.get() && entry.backend.get() == Some(backend)
            }
            Streams::OfFrontend(frontend) => entry.frontend == frontend,
        };
        self.local.streams.end(cause, concerns);
    }

    /// Connections between two exchanges have no stream.
    fn list(&self, list: &mut Vec<Listed>) {
        let (core, now_ms) = (self.local.index as u32, self.local.core.now_ms());
        self.local.streams.for_each(|key, entry| {
            if !entry.is_idle.get() {
                list.push(Listed {
                    id: u64::from(core) << 32 | u64::from(key),
                    core,
                    source: entry.source,
                    age_ms: now_ms.saturating_sub(entry.begun_ms.get()),
                    frontend: entry.frontend,
                    backend: entry.backend.get(),
                    server: entry.server.get(),
                });
            }
        });
    }

    /// Takes over what was decided before this core could be told.
    fn catch_up(&self, runtime: &Runtime) {
        for proxy in &runtime.plan.proxies {
            let view = runtime.standings[proxy.id.index()].backend().view.clone();
            if let Some(view) = view {
                self.local.generation().adopt(proxy.id, view);
            }
        }
    }

    /// Accepts no more; connections end after their exchange, idle ones at once.
    fn soft_stop(&self) {
        self.local.is_stopping.set(true);
        for switch in &self.switches {
            switch.set(Wanted::Close);
        }
        self.local.pool.clear_all();
        self.local
            .streams
            .end(Cause::Killed, |entry| entry.is_idle.get());
        let (local, mesh) = (Rc::clone(&self.local), Arc::clone(&self.mesh));
        rt::spawn(async move {
            let timer = local.core.timer();
            while !local.streams.is_empty() {
                timer.set_after(DRAIN_LOOK_MS);
                timer.expired().await;
            }
            mesh.tell_control(crate::mesh::ToControl::Drained { core: local.index });
        });
    }
}

/// How often a core that ends softly looks whether its last connection has gone.
const DRAIN_LOOK_MS: u64 = 20;

/// How often idle server connections are looked through.
const SWEEP_MS: u64 = 1_000;

/// Closes server connections that their servers have ended, and those idle for long.
async fn sweep(local: Rc<Local>) {
    let timer = local.core.timer();
    loop {
        timer.set_after(SWEEP_MS);
        timer.expired().await;
        local.pool.sweep(local.core.now_ms());
        let stats = local.generation();
        stats.stats.process.dropped_logs.set(local.logger.dropped());
        let counters = local.core.counters();
        stats.stats.process.turns.set(counters.turns);
        stats.stats.process.idle_us.set(counters.idle_us);
    }
}
