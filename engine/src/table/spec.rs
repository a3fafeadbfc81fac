//! What a table is: its key, its size, and which data lies where in an entry.

use std::sync::Arc;

use cfgparse::model::Place;
use cfgparse::model::persist::StickTable;

use super::data::Data;
use super::key::KeyKind;

/// Identifies a table of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TableId(pub u32);

impl TableId {
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A `stick-table` line, or a `table` line of a `peers` section.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The section's name, or `section/name` where it has several.
    pub name: Arc<str>,
    pub key: KeyKind,
    /// Entries at most.
    pub size: u64,
    pub expire_ms: Option<u64>,
    /// A full table refuses new keys.
    pub nopurge: bool,
    /// Bytes that count as one in rates of bytes.
    pub brates_factor: u32,
    /// Servers are known by their address, not by their name.
    pub server_key_is_address: bool,
    pub layout: Layout,
    pub at: Place,
}

/// One kind of data in every entry of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    pub data: Data,
    /// Its first cell.
    pub first: usize,
    /// Elements of an array; 1 otherwise.
    pub len: usize,
    /// Of a rate; 0 otherwise.
    pub period_ms: u32,
}

/// Where each kind of data lies.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    fields: Vec<Field>,
    /// By kind: its place in `fields`, counted from 1; 0 where it is not stored.
    index: [u8; Data::KINDS],
    cells: usize,
}

impl Layout {
    /// Adds a kind that is not there yet.
    pub fn add(&mut self, data: Data, len: usize, period_ms: u32) {
        if self.index[data as usize] != 0 {
            return;
        }
        self.fields.push(Field {
            data,
            first: self.cells,
            len,
            period_ms,
        });
        self.cells += len;
        self.index[data as usize] = self.fields.len() as u8;
    }

    /// Cells of an entry.
    pub fn cells(&self) -> usize {
        self.cells
    }

    /// In the order in which they are printed.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        let placed = self.index.iter().filter(|&&at| at != 0);
        placed.map(|&at| &self.fields[usize::from(at) - 1])
    }

    /// The field of exactly this kind.
    pub fn field(&self, data: Data) -> Option<&Field> {
        match self.index[data as usize] {
            0 => None,
            at => self.fields.get(usize::from(at) - 1),
        }
    }

    /// The cell of this kind, or of element `index` of an array, with its field.
    pub fn cell(&self, data: Data, index: usize) -> Option<(usize, &Field)> {
        let (field, index) = match (self.field(data), data.in_array()) {
            (Some(field), _) => (field, index),
            (None, Some((array, element))) => (self.field(array)?, element),
            (None, None) => return None,
        };
        (index < field.len).then_some((field.first + index, field))
    }
}

impl Spec {
    /// The line's meaning; `is_stuck_to` where `stick` rules keep servers in the table.
    pub fn new(line: &StickTable, is_stuck_to: bool) -> Spec {
        let mut layout = Layout::default();
        for field in &line.store {
            if let Some(data) = Data::parse(&field.name) {
                let len = if data.is_array() {
                    field.length.unwrap_or(1)
                } else {
                    1
                };
                layout.add(data, len as usize, field.period_ms.unwrap_or(0));
            }
        }
        if is_stuck_to {
            layout.add(Data::ServerId, 1, 0);
            layout.add(Data::ServerKey, 1, 0);
        }
        Spec {
            name: line.name.as_str().into(),
            key: line.key.into(),
            size: line.size,
            expire_ms: line.expire_ms.filter(|&ms| ms > 0).map(u64::from),
            nopurge: line.nopurge,
            brates_factor: line.brates_factor.unwrap_or(1).max(1),
            server_key_is_address: line.srvkey_addr,
            layout,
            at: line.at,
        }
    }
}
