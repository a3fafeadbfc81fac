//! Variables of the process: exact on every core, and no lock on the way of a request unless the
//! variable has changed since the core last read it.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::value::Value;
use super::vars::{Scope, VarTable};

/// The values of all `proc.` variables.
#[derive(Debug, Default)]
pub struct ProcVars {
    slots: Box<[Slot]>,
    /// Names by slot, for administrators.
    names: Box<[Box<str>]>,
}

#[derive(Debug, Default)]
struct Slot {
    /// How often it has been written.
    version: AtomicU64,
    value: Mutex<Option<Value<'static>>>,
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, Option<Value<'static>>> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ProcVars {
    /// The variables that a configuration names, all unset.
    pub fn new(table: &VarTable) -> ProcVars {
        let names: Box<[Box<str>]> = table.names(Scope::Proc).into();
        ProcVars {
            slots: names.iter().map(|_| Slot::default()).collect(),
            names,
        }
    }

    /// Sets or unsets one for all cores; each sees it from its next look on.
    pub fn set(&self, slot: u32, value: Option<Value<'static>>) {
        if let Some(slot) = self.slots.get(slot as usize) {
            let mut own = slot.lock();
            *own = value;
            slot.version.fetch_add(1, Ordering::Release);
        }
    }

    /// What one holds now, read past all caches.
    pub fn now(&self, slot: u32) -> Option<Value<'static>> {
        self.slots.get(slot as usize)?.lock().clone()
    }

    /// The slot of a variable by its name without the scope.
    pub fn find(&self, name: &str) -> Option<u32> {
        let found = self.names.iter().position(|known| **known == *name);
        found.map(|slot| slot as u32)
    }
}

/// What one core has read of them.
#[derive(Debug, Default)]
pub struct CoreProcVars {
    read: RefCell<Vec<(u64, Option<Value<'static>>)>>,
}

impl CoreProcVars {
    /// The value of a variable.
    pub fn value(&self, vars: &ProcVars, slot: u32) -> Option<Value<'static>> {
        let shared = vars.slots.get(slot as usize)?;
        let mut read = self.read.borrow_mut();
        if read.len() <= slot as usize {
            read.resize(slot as usize + 1, (0, None));
        }
        let own = &mut read[slot as usize];
        if shared.version.load(Ordering::Acquire) != own.0 {
            let value = shared.lock();
            // Exact: it changes under the lock only.
            *own = (shared.version.load(Ordering::Acquire), value.clone());
        }
        own.1.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_cores_see_the_last_value() {
        let mut table = VarTable::default();
        let b = {
            table.intern("proc.a").unwrap();
            table.intern("proc.b").unwrap().slot
        };
        let vars = ProcVars::new(&table);
        assert_eq!(vars.find("b"), Some(b));
        let cores = [CoreProcVars::default(), CoreProcVars::default()];
        let seen = || cores.each_ref().map(|core| core.value(&vars, b));
        assert_eq!(seen(), [None, None]);
        for value in [Some(Value::Sint(1)), None, Some(Value::text("x"))] {
            vars.set(b, value.clone());
            assert_eq!(seen(), [value.clone(), value.clone()]);
            assert_eq!(vars.now(b), value);
        }
    }
}
