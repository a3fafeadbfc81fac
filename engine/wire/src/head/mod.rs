//! A message head: start line and fields in one reused buffer.

mod received;

use crate::name::Known;

pub(crate) use received::Edit;

/// A protocol version as it was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The digit before the dot.
    pub major: u8,
    /// The digit after the dot.
    pub minor: u8,
}

impl Version {
    /// HTTP/1.0: one exchange a connection unless both sides ask for more.
    pub const HTTP_10: Version = Version { major: 1, minor: 0 };
    /// HTTP/1.1: persistent by default (RFC 9112 section 9.3).
    pub const HTTP_11: Version = Version { major: 1, minor: 1 };

    /// Whether the peer knows HTTP/1.1's rules; a later version is treated as 1.1.
    pub fn is_11(self) -> bool {
        self >= Version::HTTP_11
    }
}

/// What a [`Head`] describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A request: method, target, version.
    Request,
    /// A response: version, status, reason.
    Response,
    /// The fields after a chunked body: no start line.
    Trailers,
}

/// A message head, parsed once, edited by rules, written once.
///
/// `bytes` holds the text as received, with names in lower case, followed by whatever edits added;
/// everything else is an offset into it. [`Head::clear`] keeps the memory, so a pooled head costs no
/// allocation once it has grown to its traffic. Text that an edit replaced stays until then: the
/// growth is bounded by the number of edits a message meets.
#[derive(Clone, Debug)]
pub struct Head {
    kind: Kind,
    version: Version,
    status: u16,
    /// Method of a request.
    method: Span,
    /// Target of a request, reason of a response.
    target: Span,
    bytes: Vec<u8>,
    fields: Vec<Field>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: u32,
    len: u32,
}

#[derive(Clone, Copy, Debug)]
struct Field {
    name: Span,
    value: Span,
    known: Known,
}

impl Default for Head {
    fn default() -> Self {
        Head::new()
    }
}

impl Head {
    /// An empty request head without memory.
    pub fn new() -> Head {
        Head {
            kind: Kind::Request,
            version: Version::HTTP_11,
            status: 0,
            method: Span::default(),
            target: Span::default(),
            bytes: Vec::new(),
            fields: Vec::new(),
        }
    }

    /// A request head made by the proxy itself, version 1.1, without fields.
    pub fn request(method: &[u8], target: &[u8]) -> Head {
        let mut head = Head::new();
        head.reset(Kind::Request);
        head.set_method(method);
        head.set_target(target);
        head
    }

    /// A response head made by the proxy itself, version 1.1, without fields.
    pub fn response(status: u16, reason: &[u8]) -> Head {
        let mut head = Head::new();
        head.reset(Kind::Response);
        head.set_status(status, Some(reason));
        head
    }

    /// Forgets the message and keeps the memory.
    pub fn clear(&mut self) {
        self.reset(Kind::Request);
    }

    /// [`Head::clear`], then ready for a message of `kind`.
    pub fn reset(&mut self, kind: Kind) {
        self.kind = kind;
        self.version = Version::HTTP_11;
        self.status = 0;
        self.method = Span::default();
        self.target = Span::default();
        self.bytes.clear();
        self.fields.clear();
    }

    /// Bytes of memory held, for accounting of pooled heads.
    pub fn memory(&self) -> usize {
        self.bytes.capacity() + self.fields.capacity() * size_of::<Field>()
    }

    /// What this head describes.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether this is a request.
    pub fn is_request(&self) -> bool {
        self.kind == Kind::Request
    }

    /// The method as received (case-sensitive, RFC 9110 section 9.1); empty for a response.
    pub fn method(&self) -> &[u8] {
        self.text(self.method)
    }

    /// The request target as received; empty for a response.
    pub fn target(&self) -> &[u8] {
        if self.is_request() {
            self.text(self.target)
        } else {
            &[]
        }
    }

    /// The status code; 0 for a request.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The reason phrase, which may be empty; empty for a request.
    pub fn reason(&self) -> &[u8] {
        if self.kind == Kind::Response {
            self.text(self.target)
        } else {
            &[]
        }
    }

    /// The version as received.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Sets the version that [`Head::version`] tells.
    pub fn set_version(&mut self, version: Version) {
        self.version = version;
    }

    /// Replaces the method.
    pub fn set_method(&mut self, method: &[u8]) {
        self.method = self.add(method);
    }

    /// Replaces the request target, whole: scheme, authority, path and query as they are to be sent.
    pub fn set_target(&mut self, target: &[u8]) {
        self.target = self.add(target);
    }

    /// Replaces the status, and with `Some` the reason phrase; with `None` the reason becomes the
    /// usual one for the status (manual, `http-response set-status`).
    pub fn set_status(&mut self, status: u16, reason: Option<&[u8]>) {
        self.status = status;
        self.target = match reason {
            Some(reason) => self.add(reason),
            None => self.add(crate::status::reason(status).as_bytes()),
        };
    }

    /// Number of fields.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// All fields in order: name in lower case, value without surrounding white space.
    pub fn fields(&self) -> impl DoubleEndedIterator<Item = (&[u8], &[u8])> + ExactSizeIterator {
        self.fields
            .iter()
            .map(|field| (self.text(field.name), self.text(field.value)))
    }

    /// All fields in order with their ids, for loops that treat known names apart.
    pub fn fields_known(
        &self,
    ) -> impl DoubleEndedIterator<Item = (Known, &[u8], &[u8])> + ExactSizeIterator {
        self.fields
            .iter()
            .map(|field| (field.known, self.text(field.name), self.text(field.value)))
    }

    /// The field at `index` as counted by [`Head::fields`].
    pub fn field(&self, index: usize) -> Option<(&[u8], &[u8])> {
        let field = self.fields.get(index)?;
        Some((self.text(field.name), self.text(field.value)))
    }

    /// The values of all fields called `name` (lower case), in order, whole lines: not split at commas.
    pub fn values<'a>(&'a self, name: &'a [u8]) -> impl DoubleEndedIterator<Item = &'a [u8]> {
        self.positions(name)
            .map(|index| self.text(self.fields[index].value))
    }

    /// [`Head::values`] by id: no comparison of text.
    pub fn values_known(&self, known: Known) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.fields
            .iter()
            .filter(move |field| field.known == known)
            .map(|field| self.text(field.value))
    }

    /// The indices of all fields called `name` (lower case), in order.
    pub fn positions<'a>(&'a self, name: &'a [u8]) -> impl DoubleEndedIterator<Item = usize> {
        let known = Known::of(name);
        self.fields
            .iter()
            .enumerate()
            .filter(move |(_, field)| self.is_called(field, known, name))
            .map(|(index, _)| index)
    }

    /// The value of the first field called `name` (lower case).
    pub fn first(&self, name: &[u8]) -> Option<&[u8]> {
        let index = self.positions(name).next()?;
        Some(self.text(self.fields[index].value))
    }

    /// The value of the last field called `name` (lower case).
    pub fn last(&self, name: &[u8]) -> Option<&[u8]> {
        let index = self.positions(name).next_back()?;
        Some(self.text(self.fields[index].value))
    }

    /// [`Head::first`] by id.
    pub fn first_known(&self, known: Known) -> Option<&[u8]> {
        self.values_known(known).next()
    }

    /// Whether there is a field called `name` (lower case).
    pub fn contains(&self, name: &[u8]) -> bool {
        self.positions(name).next().is_some()
    }

    /// [`Head::contains`] by id.
    pub fn contains_known(&self, known: Known) -> bool {
        self.fields.iter().any(|field| field.known == known)
    }

    /// Adds a field at the end; the name is put into lower case.
    pub fn append(&mut self, name: &[u8], value: &[u8]) {
        self.append_with(name, |bytes| bytes.extend_from_slice(value));
    }

    /// Adds a field at the end whose value `write` appends to the buffer it is given.
    ///
    /// Whatever was in that buffer before belongs to the head and must stay as it is.
    pub fn append_with(&mut self, name: &[u8], write: impl FnOnce(&mut Vec<u8>)) {
        let name = self.add_name(name);
        let value = self.add_with(write);
        let known = Known::of(self.text(name));
        self.fields.push(Field { name, value, known });
    }

    /// Removes all fields called `name`, then adds one at the end (manual, `set-header`).
    pub fn set(&mut self, name: &[u8], value: &[u8]) {
        self.set_with(name, |bytes| bytes.extend_from_slice(value));
    }

    /// [`Head::set`] with a value that `write` appends.
    pub fn set_with(&mut self, name: &[u8], write: impl FnOnce(&mut Vec<u8>)) {
        let name = self.add_name(name);
        let value = self.add_with(write);
        let known = Known::of(self.text(name));
        let bytes = &self.bytes;
        self.fields.retain(|field| {
            field.known != known
                || (known == Known::Other && slice(bytes, field.name) != slice(bytes, name))
        });
        self.fields.push(Field { name, value, known });
    }

    /// Removes all fields called `name` (lower case); tells whether there was one.
    pub fn remove(&mut self, name: &[u8]) -> bool {
        let known = Known::of(name);
        let before = self.fields.len();
        let bytes = &self.bytes;
        self.fields.retain(|field| {
            field.known != known || (known == Known::Other && slice(bytes, field.name) != name)
        });
        self.fields.len() != before
    }

    /// [`Head::remove`] by id; [`Known::Other`] removes nothing.
    pub fn remove_known(&mut self, known: Known) -> bool {
        let before = self.fields.len();
        self.fields
            .retain(|field| field.known != known || known == Known::Other);
        self.fields.len() != before
    }

    /// Removes the field at `index`; later ones move down by one.
    pub fn remove_at(&mut self, index: usize) {
        if index < self.fields.len() {
            self.fields.remove(index);
        }
    }

    /// Keeps the fields for which `keep(name, value)` holds.
    pub fn retain(&mut self, mut keep: impl FnMut(&[u8], &[u8]) -> bool) {
        let bytes = &self.bytes;
        self.fields
            .retain(|field| keep(slice(bytes, field.name), slice(bytes, field.value)));
    }

    /// Replaces the value of the field at `index`; nothing happens beyond the last one.
    pub fn replace_value(&mut self, index: usize, value: &[u8]) {
        self.replace_value_with(index, |bytes| bytes.extend_from_slice(value));
    }

    /// [`Head::replace_value`] with a value that `write` appends.
    pub fn replace_value_with(&mut self, index: usize, write: impl FnOnce(&mut Vec<u8>)) {
        if index < self.fields.len() {
            self.fields[index].value = self.add_with(write);
        }
    }

    /// Bytes that the fields need on the wire, each with `: ` and the line end.
    pub(crate) fn fields_len(&self) -> usize {
        self.fields
            .iter()
            .map(|f| (f.name.len + f.value.len) as usize + 4)
            .sum()
    }

    fn is_called(&self, field: &Field, known: Known, name: &[u8]) -> bool {
        field.known == known && (known != Known::Other || self.text(field.name) == name)
    }

    fn text(&self, span: Span) -> &[u8] {
        slice(&self.bytes, span)
    }

    fn add(&mut self, text: &[u8]) -> Span {
        self.add_with(|bytes| bytes.extend_from_slice(text))
    }

    fn add_name(&mut self, name: &[u8]) -> Span {
        let span = self.add(name);
        self.bytes[span.start as usize..].make_ascii_lowercase();
        span
    }

    fn add_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Span {
        let start = self.bytes.len();
        write(&mut self.bytes);
        debug_assert!(self.bytes.len() >= start, "an edit shortened the head");
        Span {
            start: start as u32,
            len: self.bytes.len().saturating_sub(start) as u32,
        }
    }
}

fn slice(bytes: &[u8], span: Span) -> &[u8] {
    let start = span.start as usize;
    bytes.get(start..start + span.len as usize).unwrap_or(&[])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Head {
        let mut head = Head::request(b"GET", b"/a?b=c");
        head.append(b"Host", b"example.org");
        head.append(b"X-One", b"1");
        head.append(b"cookie", b"a=b");
        head.append(b"x-one", b"2");
        head
    }

    fn names(head: &Head) -> Vec<String> {
        head.fields()
            .map(|(name, _)| String::from_utf8_lossy(name).into_owned())
            .collect()
    }

    #[test]
    fn lookups_ignore_the_case_that_was_sent() {
        let head = sample();
        assert_eq!(head.first(b"host"), Some(&b"example.org"[..]));
        assert_eq!(head.first_known(Known::Host), Some(&b"example.org"[..]));
        assert_eq!(head.first(b"x-one"), Some(&b"1"[..]));
        assert_eq!(head.last(b"x-one"), Some(&b"2"[..]));
        assert_eq!(head.values(b"x-one").collect::<Vec<_>>(), [b"1", b"2"]);
        assert!(!head.contains(b"x-two"));
        assert!(head.contains_known(Known::Cookie));
    }

    #[test]
    fn set_removes_all_and_appends_one() {
        let mut head = sample();
        head.set(b"X-One", b"3");
        assert_eq!(names(&head), ["host", "cookie", "x-one"]);
        head.set(b"host", b"other");
        assert_eq!(names(&head), ["cookie", "x-one", "host"]);
        assert_eq!(head.first(b"host"), Some(&b"other"[..]));
    }

    #[test]
    fn removal_and_replacement_leave_the_rest_alone() {
        let mut head = sample();
        assert!(head.remove(b"x-one"));
        assert!(!head.remove(b"x-one"));
        assert_eq!(names(&head), ["host", "cookie"]);
        head.replace_value(1, b"c=d; e=f");
        head.replace_value(7, b"nothing there");
        assert_eq!(head.first(b"cookie"), Some(&b"c=d; e=f"[..]));
        head.retain(|name, value| name != b"host" && value != b"");
        assert_eq!(names(&head), ["cookie"]);
        head.remove_at(0);
        head.remove_at(0);
        assert!(head.is_empty());
    }

    #[test]
    fn start_lines_are_edited_without_touching_fields() {
        let mut head = sample();
        head.set_method(b"POST");
        head.set_target(b"/new");
        assert_eq!((head.method(), head.target()), (&b"POST"[..], &b"/new"[..]));
        assert_eq!((head.status(), head.reason()), (0, &b""[..]));

        let mut head = Head::response(200, b"Fine");
        assert_eq!(
            (head.status(), head.reason(), head.target()),
            (200, &b"Fine"[..], &b""[..])
        );
        head.set_status(404, None);
        assert_eq!((head.status(), head.reason()), (404, &b"Not Found"[..]));
    }

    #[test]
    fn clearing_keeps_the_memory() {
        let mut head = sample();
        let memory = head.memory();
        head.clear();
        assert_eq!(head.len(), 0);
        assert_eq!(head.memory(), memory);
        assert_eq!(head.method(), b"");
    }
}
