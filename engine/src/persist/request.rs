//! The cookie in a request.

use cfgparse::model::persist::CookieMode;
use wire::Head;

use super::scan::{self, Piece};
use super::{Change, Cookie, Seen, stamp};
use crate::log::CookieIn;
use crate::plan::ServerId;

/// A date further in the future than this is not ours, seconds.
const AHEAD_S: u32 = 86_400;

/// How the server stands that a cookie names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Usable,
    Down,
    /// Down, and to be used nevertheless (manual, `option persist`, `force-persist`).
    DownButWanted,
}

/// Reads the cookie and edits it for the server: under `prefix` the server's part is taken off,
/// under `insert indirect` the whole cookie. `find` tells which server has a value; with `ignores`
/// the cookie is not followed (`ignore-persist`, `use-server`). New values are made in `scratch`.
pub fn read(
    cookie: &Cookie,
    head: &mut Head,
    now_s: u32,
    ignores: bool,
    scratch: &mut Vec<u8>,
    find: impl Fn(&[u8]) -> Option<(ServerId, Standing)>,
) -> Seen {
    let mut seen = Seen {
        state: CookieIn::None,
        ..Seen::default()
    };
    let mut index = 0;
    while index < head.len() {
        let change = match head.field(index) {
            Some((b"cookie", text)) => {
                let mut edit = Edit::new(text, scratch);
                for piece in scan::pieces(text) {
                    edit.piece(cookie, &piece, &mut |value| {
                        let found = value_of(cookie, value, now_s, &find);
                        judge(&mut seen, ignores, found);
                    });
                }
                edit.finish()
            }
            _ => Change::Nothing,
        };
        match change {
            Change::Nothing => index += 1,
            Change::Made => {
                head.replace_value(index, scratch);
                index += 1;
            }
            Change::Gone => head.remove_at(index),
        }
    }
    seen
}

/// What one value says, with how many of its bytes are the server's part.
fn value_of(
    cookie: &Cookie,
    value: &[u8],
    now_s: u32,
    find: &impl Fn(&[u8]) -> Option<(ServerId, Standing)>,
) -> Seen {
    let mut seen = Seen {
        state: CookieIn::Invalid,
        ..Seen::default()
    };
    let name = if cookie.mode == CookieMode::Prefix {
        value.split(|&byte| byte == b'~').next().unwrap_or(value)
    } else {
        let mut parts = value.split(|&byte| byte == b'|');
        let name = parts.next().unwrap_or(value);
        seen.last_s = parts.next().map_or(0, stamp::parse);
        seen.first_s = parts.next().map_or(0, stamp::parse);
        name
    };
    let is_over = |limit_s: u32, from_s: u32| {
        limit_s > 0
            && from_s > 0
            && (now_s.saturating_sub(from_s) > limit_s || from_s.saturating_sub(now_s) > AHEAD_S)
    };
    if is_over(cookie.max_idle_s, seen.last_s) {
        return Seen {
            state: CookieIn::Expired,
            ..Seen::default()
        };
    }
    if is_over(cookie.max_life_s, seen.first_s) {
        return Seen {
            state: CookieIn::Old,
            ..Seen::default()
        };
    }
    match find(name) {
        None => {}
        Some((server, Standing::Usable)) => {
            (seen.state, seen.server) = (CookieIn::Valid, Some(server));
        }
        Some((server, Standing::DownButWanted)) => {
            (seen.state, seen.server) = (CookieIn::Down, Some(server));
        }
        Some((_, Standing::Down)) => seen.state = CookieIn::Down,
    }
    seen
}

/// The first cookie that binds counts; before one is found, the last that was seen.
fn judge(seen: &mut Seen, ignores: bool, found: Seen) {
    if ignores {
        seen.state = CookieIn::Unneeded;
    } else if seen.server.is_none() {
        *seen = found;
    }
}

/// A value on its way to the server.
struct Edit<'t> {
    text: &'t [u8],
    out: &'t mut Vec<u8>,
    is_changed: bool,
    /// The delimiter in front of what was taken out last.
    gap: Option<u8>,
    /// The piece before was taken out: so are its attributes.
    follows_removed: bool,
    /// Pieces that were kept, and those that are cookies.
    kept: usize,
    cookies_kept: usize,
    has_removed: bool,
}

impl<'t> Edit<'t> {
    fn new(text: &'t [u8], out: &'t mut Vec<u8>) -> Self {
        out.clear();
        Self {
            text,
            out,
            is_changed: false,
            gap: None,
            follows_removed: false,
            kept: 0,
            cookies_kept: 0,
            has_removed: false,
        }
    }

    fn piece(&mut self, cookie: &Cookie, piece: &Piece, see: &mut impl FnMut(&[u8])) {
        let is_attribute = piece.is_attribute(self.text);
        if is_attribute && self.follows_removed {
            return;
        }
        let value = piece
            .value
            .clone()
            .filter(|_| !is_attribute && self.text[piece.name.clone()] == *cookie.name);
        let Some(value) = value else {
            self.keep(piece, is_attribute, 0);
            return;
        };
        see(&self.text[value.clone()]);
        if cookie.mode == CookieMode::Insert && cookie.indirect {
            self.remove(piece);
        } else if cookie.mode == CookieMode::Prefix {
            let tilde = self.text[value].iter().position(|&byte| byte == b'~');
            self.keep(piece, false, tilde.map_or(0, |at| at + 1));
        } else {
            self.keep(piece, false, 0);
        }
    }

    fn delimiter_before(&self, piece: &Piece) -> Option<u8> {
        piece.whole.start.checked_sub(1).map(|at| self.text[at])
    }

    fn remove(&mut self, piece: &Piece) {
        self.gap = self.gap.or_else(|| self.delimiter_before(piece));
        self.follows_removed = true;
        self.has_removed = true;
        self.is_changed = true;
    }

    /// Keeps a piece, but for `cut` bytes at the front of its value.
    fn keep(&mut self, piece: &Piece, is_attribute: bool, cut: usize) {
        let mut piece = piece.clone();
        if self.follows_removed {
            piece.whole.start = piece.name.start;
            if self.kept > 0 {
                self.out.push(self.gap.unwrap_or(b';'));
                self.out.push(b' ');
            }
        } else if self.kept > 0 {
            self.out.extend(self.delimiter_before(&piece));
        }
        if let Some(value) = piece.value.as_mut().filter(|_| cut > 0) {
            value.start += cut;
        }
        self.is_changed |= piece.has_blanks();
        piece.push(self.text, self.out);
        self.gap = None;
        self.follows_removed = false;
        self.kept += 1;
        self.cookies_kept += usize::from(!is_attribute);
    }

    fn finish(self) -> Change {
        match (self.is_changed, self.has_removed && self.cookies_kept == 0) {
            (false, _) => Change::Nothing,
            (true, true) => Change::Gone,
            (true, false) => Change::Made,
        }
    }
}
