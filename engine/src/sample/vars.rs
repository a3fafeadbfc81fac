//! Variables: names become dense slots when compiled, values live in their scope's store.

use std::cell::RefCell;
use std::collections::HashMap;

use super::value::Value;

/// How long a variable lives (manual, 2.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    Proc,
    Sess,
    Txn,
    Req,
    Res,
    Check,
    /// `psess`, `ptxn`, `preq`, `pres`: a parent stream's variables; there is never one here.
    Parent,
}

impl Scope {
    fn parse(word: &str) -> Option<Scope> {
        Some(match word {
            "proc" => Scope::Proc,
            "sess" => Scope::Sess,
            "txn" => Scope::Txn,
            "req" => Scope::Req,
            "res" => Scope::Res,
            "check" => Scope::Check,
            "psess" | "ptxn" | "preq" | "pres" => Scope::Parent,
            _ => return None,
        })
    }
}

/// A variable's place: its scope and its slot in that scope's store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VarRef {
    pub scope: Scope,
    pub slot: u32,
}

/// All variable names of one plan.
#[derive(Clone, Debug, Default)]
pub struct VarTable {
    names: HashMap<(Scope, String), u32>,
    counts: HashMap<Scope, u32>,
}

impl VarTable {
    /// The slot of `scope.name`, made on first use; the error says what is wrong with the name.
    pub fn intern(&mut self, name: &str) -> Result<VarRef, String> {
        let (scope, rest) = name
            .split_once('.')
            .ok_or_else(|| format!("invalid variable name '{name}': its scope is missing"))?;
        let scope = Scope::parse(scope).ok_or_else(|| {
            format!(
                "invalid variable name '{name}': its scope should be one of 'proc', 'sess', 'txn', 'req', 'res' or 'check'"
            )
        })?;
        if rest.is_empty()
            || !rest
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.')
        {
            return Err(format!(
                "invalid syntax at char '{rest}' of variable name '{name}'"
            ));
        }
        if let Some(&slot) = self.names.get(&(scope, rest.to_owned())) {
            return Ok(VarRef { scope, slot });
        }
        let count = self.counts.entry(scope).or_insert(0);
        let slot = *count;
        *count += 1;
        self.names.insert((scope, rest.to_owned()), slot);
        Ok(VarRef { scope, slot })
    }

    /// The slot of `scope.name`, if the configuration mentions it.
    pub fn find(&self, name: &str) -> Option<VarRef> {
        let (scope, rest) = name.split_once('.')?;
        let scope = Scope::parse(scope)?;
        let slot = *self.names.get(&(scope, rest.to_owned()))?;
        Some(VarRef { scope, slot })
    }

    /// The names in `scope` by slot, without it.
    pub fn names(&self, scope: Scope) -> Vec<Box<str>> {
        let mut names = vec![Box::default(); self.count(scope) as usize];
        for ((_, name), &slot) in self.names.iter().filter(|((own, _), _)| *own == scope) {
            names[slot as usize] = name.as_str().into();
        }
        names
    }

    /// Slots in `scope`.
    pub fn count(&self, scope: Scope) -> u32 {
        self.counts.get(&scope).copied().unwrap_or(0)
    }
}

/// The values of one scope; [`VarStore::clear`] keeps the memory of the table.
#[derive(Clone, Debug, Default)]
pub struct VarStore {
    slots: Vec<Option<Value<'static>>>,
}

impl VarStore {
    pub fn value(&self, slot: u32) -> Option<&Value<'static>> {
        self.slots.get(slot as usize)?.as_ref()
    }

    pub fn set(&mut self, slot: u32, value: Value<'static>) {
        let slot = slot as usize;
        if self.slots.len() <= slot {
            self.slots.resize(slot + 1, None);
        }
        self.slots[slot] = Some(value);
    }

    pub fn unset(&mut self, slot: u32) {
        if let Some(value) = self.slots.get_mut(slot as usize) {
            *value = None;
        }
    }

    pub fn clear(&mut self) {
        self.slots.clear();
    }
}

/// The stores of one stream, or of one check; its session's store stands beside them.
#[derive(Clone, Debug, Default)]
pub struct StreamVars {
    pub txn: VarStore,
    pub req: VarStore,
    pub res: VarStore,
    /// Of a check; a stream's is empty.
    pub check: VarStore,
}

impl StreamVars {
    /// Forgets all values, between two streams.
    pub fn clear(&mut self) {
        self.txn.clear();
        self.req.clear();
        self.res.clear();
    }
}

/// One write of an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// `set-var`, or with `None` `unset-var`.
    Var(VarRef, Option<Value<'static>>),
    /// `capture-req`
    CaptureRequest(usize, Vec<u8>),
    /// `capture-res`
    CaptureResponse(usize, Vec<u8>),
}

/// Writes that an expression makes while it is evaluated (converters such as `set-var`). They take
/// effect for the rest of the expression at once, and in the stores when the expression is done.
#[derive(Debug, Default)]
pub struct Effects {
    writes: RefCell<Vec<Effect>>,
}

impl Effects {
    pub fn set(&self, var: VarRef, value: Value<'static>) {
        self.writes.borrow_mut().push(Effect::Var(var, Some(value)));
    }

    pub fn unset(&self, var: VarRef) {
        self.writes.borrow_mut().push(Effect::Var(var, None));
    }

    pub fn capture_request(&self, slot: usize, text: Vec<u8>) {
        self.writes
            .borrow_mut()
            .push(Effect::CaptureRequest(slot, text));
    }

    pub fn capture_response(&self, slot: usize, text: Vec<u8>) {
        self.writes
            .borrow_mut()
            .push(Effect::CaptureResponse(slot, text));
    }

    /// The latest write to `var`: `None` if there is none, `Some(None)` if it was unset.
    pub fn latest(&self, var: VarRef) -> Option<Option<Value<'static>>> {
        let writes = self.writes.borrow();
        writes.iter().rev().find_map(|effect| match effect {
            Effect::Var(own, value) if *own == var => Some(value.clone()),
            _ => None,
        })
    }

    /// The latest text put in a capture slot.
    pub fn latest_capture(&self, response: bool, wanted: usize) -> Option<Vec<u8>> {
        let writes = self.writes.borrow();
        writes.iter().rev().find_map(|effect| match effect {
            Effect::CaptureRequest(slot, text) if !response && *slot == wanted => {
                Some(text.clone())
            }
            Effect::CaptureResponse(slot, text) if response && *slot == wanted => {
                Some(text.clone())
            }
            _ => None,
        })
    }

    pub fn is_empty(&self) -> bool {
        self.writes.borrow().is_empty()
    }

    /// Takes all writes, oldest first.
    pub fn take(&mut self) -> Vec<Effect> {
        std::mem::take(self.writes.get_mut())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_slots_by_scope() {
        let mut table = VarTable::default();
        let a = table.intern("txn.a").unwrap();
        let b = table.intern("txn.b").unwrap();
        let c = table.intern("req.a").unwrap();
        assert_eq!((a.slot, b.slot, c.slot), (0, 1, 0));
        assert_eq!(table.intern("txn.a").unwrap(), a);
        assert_eq!(table.find("txn.b"), Some(b));
        assert_eq!(table.find("res.b"), None);
        assert_eq!(table.count(Scope::Txn), 2);
        for bad in ["noscope", "foo.bar", "txn.", "txn.a b", "txn.a-b"] {
            assert!(table.intern(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn effects_hide_older_writes() {
        let effects = Effects::default();
        let var = VarRef {
            scope: Scope::Txn,
            slot: 3,
        };
        assert_eq!(effects.latest(var), None);
        effects.set(var, Value::Sint(1));
        effects.unset(var);
        assert_eq!(effects.latest(var), Some(None));
        effects.set(var, Value::Sint(2));
        assert_eq!(effects.latest(var), Some(Some(Value::Sint(2))));
    }
}
