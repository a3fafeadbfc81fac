//! From root to nobody: chroot, group, user (manual, 3.1).

use std::path::Path;

use cfgparse::model::Global;
use reactor::process;

use super::BootError;

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
