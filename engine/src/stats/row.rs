//! One line of `show stat`: what it is about, and what its columns may ask.

use super::counters::{BytesTotal, ResponsesTotal, ServiceTotal};
use super::facts::{
    BackFacts, CheckFacts, FrontFacts, ListenerFacts, Mode, ProcessFacts, ProxyFacts, ServerFacts,
    Snapshot,
};

/// One line: a frontend, listener, server or backend.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    pub process: &'a ProcessFacts,
    pub proxy: &'a ProxyFacts,
    pub object: Object<'a>,
}

/// What a line is about.
#[derive(Clone, Copy, Debug)]
pub enum Object<'a> {
    Frontend(&'a FrontFacts),
    Listener(&'a ListenerFacts),
    Server(&'a ServerFacts),
    Backend(&'a BackFacts),
}

impl Snapshot {
    /// All lines in HAProxy's order: frontend, listeners, servers, backend of each proxy.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.proxies.iter().flat_map(|proxy| self.rows_of(proxy))
    }

    /// The lines of one proxy.
    pub fn rows_of<'a>(&'a self, proxy: &'a ProxyFacts) -> impl Iterator<Item = Row<'a>> {
        let front = proxy.front.iter().map(Object::Frontend);
        let listeners = proxy.listeners.iter().map(Object::Listener);
        let servers = proxy.servers.iter().map(Object::Server);
        let back = proxy.back.iter().map(Object::Backend);
        let objects = front.chain(listeners).chain(servers).chain(back);
        objects.map(|object| Row {
            process: &self.process,
            proxy,
            object,
        })
    }
}

impl<'a> Row<'a> {
    /// The second column.
    pub fn name(&self) -> &'a str {
        match self.object {
            Object::Frontend(_) => "FRONTEND",
            Object::Listener(listener) => &listener.name,
            Object::Server(server) => &server.name,
            Object::Backend(_) => "BACKEND",
        }
    }

    /// HAProxy's `sid`: 0 for the proxy itself.
    pub fn id(&self) -> u32 {
        match self.object {
            Object::Frontend(_) | Object::Backend(_) => 0,
            Object::Listener(listener) => listener.id,
            Object::Server(server) => server.id,
        }
    }

    pub fn http(&self) -> bool {
        self.proxy.mode == Mode::Http
    }

    pub fn front(&self) -> Option<&'a FrontFacts> {
        match self.object {
            Object::Frontend(front) => Some(front),
            _ => None,
        }
    }

    pub fn listener(&self) -> Option<&'a ListenerFacts> {
        match self.object {
            Object::Listener(listener) => Some(listener),
            _ => None,
        }
    }

    pub fn server(&self) -> Option<&'a ServerFacts> {
        match self.object {
            Object::Server(server) => Some(server),
            _ => None,
        }
    }

    pub fn back(&self) -> Option<&'a BackFacts> {
        match self.object {
            Object::Backend(back) => Some(back),
            _ => None,
        }
    }

    /// The health check of a server.
    pub fn check(&self) -> Option<&'a CheckFacts> {
        self.server()?.check.as_ref()
    }

    /// Its result; a server in maintenance shows none.
    pub fn check_result(&self) -> Option<&'a CheckFacts> {
        self.check().filter(|check| !check.status.is_empty())
    }

    /// The agent check of a server.
    pub fn agent(&self) -> Option<&'a CheckFacts> {
        self.server()?.agent.as_ref()
    }

    /// What servers and backends count alike.
    pub fn service(&self) -> Option<&'a ServiceTotal> {
        match self.object {
            Object::Server(server) => Some(&server.total),
            Object::Backend(back) => Some(&back.total.service),
            _ => None,
        }
    }

    pub fn bytes(&self) -> &'a BytesTotal {
        match self.object {
            Object::Frontend(front) => &front.total.bytes,
            Object::Listener(listener) => &listener.total.bytes,
            Object::Server(server) => &server.total.bytes,
            Object::Backend(back) => &back.total.service.bytes,
        }
    }

    /// Responses of an HTTP proxy.
    pub fn responses(&self) -> Option<&'a ResponsesTotal> {
        match self.object {
            _ if !self.http() => None,
            Object::Frontend(front) => Some(&front.total.responses),
            Object::Listener(_) => None,
            Object::Server(server) => Some(&server.total.responses),
            Object::Backend(back) => Some(&back.total.service.responses),
        }
    }
}
