//! What the configuration's names stand for.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::os::unix::ffi::OsStringExt;
use std::sync::Arc;

use cfgparse::model::Model;
use cfgparse::model::expr::PatternFile;
use cfgparse::model::section::Password as Written;

use super::super::{ProxyId, ResolversId, Server, ServerId};
use super::tables;
use crate::rules::{Password, User, Userlist};
use crate::sample::Names;
use crate::table::{KeyKind, Spec, TableId};

/// The names of a model.
pub struct ModelNames<'m> {
    model: &'m Model,
    frontends: HashMap<&'m str, ProxyId>,
    backends: HashMap<&'m str, ProxyId>,
    servers: HashMap<(ProxyId, &'m str), ServerId>,
    userlists: HashMap<&'m str, Arc<Userlist>>,
    /// Those that something asked for by name.
    referenced: RefCell<BTreeSet<ServerId>>,
    pub tables: Vec<Spec>,
}

impl<'m> ModelNames<'m> {
    pub fn new(model: &'m Model) -> Self {
        let mut names = Self {
            model,
            frontends: HashMap::new(),
            backends: HashMap::new(),
            servers: HashMap::new(),
            userlists: HashMap::new(),
            referenced: RefCell::default(),
            tables: tables::compile(model),
        };
        let mut next_server = 0;
        for (index, proxy) in model.proxies.iter().enumerate() {
            let id = ProxyId(index as u32);
            if proxy.kind.has_frontend() {
                names.frontends.insert(&proxy.name, id);
            }
            if proxy.kind.has_backend() {
                names.backends.insert(&proxy.name, id);
                for server in &proxy.servers {
                    names
                        .servers
                        .insert((id, &server.name), ServerId(next_server));
                    next_server += 1;
                }
            }
        }
        for list in &model.userlists {
            let users = list.users.iter().map(user).collect();
            names
                .userlists
                .insert(&list.name, Arc::new(Userlist::new(users)));
        }
        names
    }
}

impl ModelNames<'_> {
    /// Marks the servers that a rule or an expression names: they keep their names, and stay.
    pub fn mark(&self, mut servers: Vec<Server>) -> Vec<Server> {
        let referenced = self.referenced.borrow();
        for server in &mut servers {
            server.is_referenced = referenced.contains(&server.id);
        }
        servers
    }
}

fn user(user: &cfgparse::model::section::User) -> User {
    User {
        name: user.name.clone(),
        password: match &user.password {
            // An empty hash is no hash: nobody's password fits it.
            Written::None => Password::Crypt(String::new()),
            Written::Hash(hash) => Password::Crypt(hash.clone()),
            Written::Clear(text) => Password::Plain(text.clone()),
        },
        groups: user.groups.clone(),
    }
}

impl Names for ModelNames<'_> {
    fn log_profile(&self, name: &str) -> Option<Arc<cfgparse::model::section::LogProfile>> {
        let mut profiles = self.model.log_profiles.iter();
        profiles
            .find(|profile| profile.name == name)
            .cloned()
            .map(Arc::new)
    }

    fn backend(&self, name: &str) -> Option<ProxyId> {
        self.backends.get(name).copied()
    }

    fn frontend(&self, name: &str) -> Option<ProxyId> {
        self.frontends.get(name).copied()
    }

    fn server(&self, backend: ProxyId, name: &str) -> Option<ServerId> {
        let found = self.servers.get(&(backend, name)).copied();
        self.referenced.borrow_mut().extend(found);
        found
    }

    fn userlist(&self, name: &str) -> Option<Arc<Userlist>> {
        self.userlists.get(name).cloned()
    }

    fn http_error(&self, section: &str, status: u16) -> Option<Arc<[u8]>> {
        let section = self
            .model
            .http_errors
            .iter()
            .find(|errors| errors.name == section)?;
        let file = section.files.iter().find(|file| file.code == status)?;
        Some(file.message.as_slice().into())
    }

    fn has_http_errors(&self, section: &str) -> bool {
        self.model
            .http_errors
            .iter()
            .any(|errors| errors.name == section)
    }

    fn file(&self, name: &str) -> Result<Vec<u8>, String> {
        std::fs::read(name).map_err(|error| error.to_string())
    }

    fn map_file(&self, name: &str) -> Result<Arc<PatternFile>, String> {
        let known = self.model.maps.iter().find(|map| map.path == name);
        known
            .map(|map| Arc::new(map.clone()))
            .ok_or_else(|| format!("failed to open pattern file <{name}>"))
    }

    fn environment(&self, name: &str) -> Option<String> {
        let value = std::env::var_os(name)?.into_vec();
        Some(cfgparse::bytes::text(value))
    }

    fn table(&self, name: &str) -> Option<(TableId, KeyKind)> {
        let index = self.tables.iter().position(|table| *table.name == *name)?;
        Some((TableId(index as u32), self.tables[index].key))
    }

    fn table_of(&self, proxy: ProxyId) -> Option<(TableId, KeyKind)> {
        let section = self.model.proxies.get(proxy.index())?;
        section.stick_table.as_ref()?;
        self.table(&section.name)
    }

    fn cache(&self, name: &str) -> Option<crate::cache::CacheId> {
        let index = self
            .model
            .caches
            .iter()
            .position(|cache| cache.name == name)?;
        Some(crate::cache::CacheId(index as u32))
    }

    fn resolvers(&self, name: &str) -> Option<ResolversId> {
        super::resolvers::find(self.model, name)
    }

    fn stick_counters(&self) -> u32 {
        self.model.global.tune.stick_counters.unwrap_or(3)
    }

    fn file_name(&self, file: u32) -> Arc<str> {
        self.model
            .files
            .get(file as usize)
            .map_or("", String::as_str)
            .into()
    }
}
