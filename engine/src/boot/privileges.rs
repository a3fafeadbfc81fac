//! From root to nobody: chroot, group, user (manual, 3.1).

use std::path::Path;

use cfgparse::model::{Global, Model};
use reactor::process;

use super::BootError;

/// Users and groups of the process and of its unix sockets that this machine does not know.
pub fn unknown(model: &Model) -> Vec<BootError> {
    let mut errors: Vec<BootError> = Identity::find(&model.global).err().into_iter().collect();
    let unix_bind = &model.global.unix_bind;
    for (what, name, known) in [
        ("user", &unix_bind.user, is_user as fn(&str) -> bool),
        ("group", &unix_bind.group, is_group),
    ] {
        if let Some(name) = name.as_ref().filter(|name| !known(name)) {
            errors.push(BootError::Unknown {
                what,
                name: name.clone(),
            });
        }
    }
    let listeners = model.proxies.iter().flat_map(|proxy| &proxy.binds);
    for bind in listeners.chain(&model.global.stats_sockets) {
        let mut unknown = |what: &str, name: &str| {
            errors.push(BootError::Configuration {
                at: bind.at,
                message: format!(
                    "'bind {}' : '{what}' : unknown {what} name '{name}'",
                    bind.written
                ),
                remedy: format!("create the {what}, or name one that exists"),
            });
        };
        if let Some(name) = bind.user.as_ref().filter(|name| !is_user(name)) {
            unknown("user", name);
        }
        if let Some(name) = bind.group.as_ref().filter(|name| !is_group(name)) {
            unknown("group", name);
        }
    }
    errors
}

fn is_user(name: &str) -> bool {
    !matches!(process::user_ids(name), Ok(None))
}

fn is_group(name: &str) -> bool {
    !matches!(process::group_id(name), Ok(None))
}

/// Who the process is to be. Names are looked up before the root directory changes.
pub struct Identity {
    uid: Option<u32>,
    gid: Option<u32>,
    user: Option<String>,
    chroot: Option<String>,
}

impl Identity {
    /// What the configuration asks for.
    pub fn find(global: &Global) -> Result<Self, BootError> {
        let mut identity = Self {
            uid: global.uid,
            gid: global.gid,
            user: global.user.clone(),
            chroot: global.chroot.clone(),
        };
        if let Some(name) = &global.user {
            let found = process::user_ids(name).map_err(|source| BootError::System {
                what: "look up the user",
                source,
            })?;
            let Some((uid, _)) = found else {
                return Err(BootError::Unknown {
                    what: "user",
                    name: name.clone(),
                });
            };
            identity.uid = Some(uid);
        }
        if let Some(name) = &global.group {
            let found = process::group_id(name).map_err(|source| BootError::System {
                what: "look up the group",
                source,
            })?;
            let Some(gid) = found else {
                return Err(BootError::Unknown {
                    what: "group",
                    name: name.clone(),
                });
            };
            identity.gid = Some(gid);
        }
        Ok(identity)
    }

    /// Becomes it. Without root's rights only what needs none is done.
    pub fn assume(&self) -> Result<(), BootError> {
        let failed = |what| move |source| BootError::System { what, source };
        if let Some(path) = &self.chroot {
            process::chroot(Path::new(path)).map_err(failed("change the root directory"))?;
        }
        if process::effective_uid() != 0 {
            return Ok(());
        }
        if let Some(gid) = self.gid {
            match &self.user {
                Some(user) => process::init_groups(user, gid),
                None => process::clear_groups(),
            }
            .map_err(failed("set the supplementary groups"))?;
            process::set_gid(gid).map_err(failed("change the group"))?;
        }
        if let Some(uid) = self.uid {
            process::set_uid(uid).map_err(failed("change the user"))?;
        }
        Ok(())
    }
}
