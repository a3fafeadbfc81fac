//! Rings: order, room, readers.

use super::*;

fn ring(size: usize) -> Arc<Ring> {
    Arc::new(Ring::new("r", "a ring", size, 100))
}

fn put(ring: &Ring, lines: &[&str]) -> usize {
    ring.append(lines.iter().map(|line| line.as_bytes()))
}

fn all(ring: &Ring) -> Vec<String> {
    let mut lines = Vec::new();
    ring.for_each(|line| lines.push(String::from_utf8_lossy(line).into_owned()));
    lines
}

fn read(reader: &Reader, most: usize) -> Vec<String> {
    let mut lines = Vec::new();
    reader.read(|line| {
        lines.push(String::from_utf8_lossy(line).into_owned());
        lines.len() < most
    });
    lines
}

#[test]
fn new_lines_replace_the_oldest() {
    // Three lines of four bytes, each with two of overhead.
    let ring = ring(18);
    assert_eq!(put(&ring, &["aaaa", "bbbb", "cccc", "dddd"]), 0);
    assert_eq!(all(&ring), ["bbbb", "cccc", "dddd"]);
    assert_eq!(put(&ring, &["0123456789"]), 0);
    assert_eq!(all(&ring), ["dddd", "0123456789"]);
    assert_eq!(ring.dropped(), 0);
}

#[test]
fn long_lines_are_cut() {
    let ring = Arc::new(Ring::new("r", "", 1000, 5));
    put(&ring, &["0123456789"]);
    assert_eq!(all(&ring), ["01234"]);
    let tiny = Arc::new(Ring::new("r", "", 8, 5000));
    put(&tiny, &["0123456789"]);
    assert_eq!(all(&tiny), ["012345"]);
}

#[test]
fn a_reader_holds_its_place_and_new_lines_are_dropped() {
    let ring = ring(18);
    let reader = ring.reader(Start::Oldest, Box::new(|| ()));
    assert_eq!(put(&ring, &["aaaa", "bbbb", "cccc"]), 0);
    assert_eq!(put(&ring, &["dddd", "eeee"]), 2);
    assert_eq!(ring.dropped(), 2);
    assert_eq!(read(&reader, 1), ["aaaa"]);
    assert_eq!(put(&ring, &["ffff"]), 0);
    assert_eq!(read(&reader, 9), ["bbbb", "cccc", "ffff"]);
    let at = reader.next();
    drop(reader);
    assert_eq!(put(&ring, &["gggg", "hhhh", "iiii", "jjjj"]), 0);
    let again = ring.reader(Start::At(at), Box::new(|| ()));
    assert_eq!(read(&again, 9), ["hhhh", "iiii", "jjjj"]);
}

#[test]
fn a_reader_that_found_nothing_is_woken_once() {
    let ring = ring(100);
    let woken = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&woken);
    let wake = Box::new(move || {
        count.fetch_add(1, Ordering::Relaxed);
    });
    put(&ring, &["old"]);
    let reader = ring.reader(Start::New, wake);
    put(&ring, &["a"]);
    assert_eq!(woken.load(Ordering::Relaxed), 0, "it has not looked yet");
    assert_eq!(read(&reader, 9), ["a"]);
    assert!(read(&reader, 9).is_empty());
    put(&ring, &["b"]);
    put(&ring, &["c"]);
    assert_eq!(woken.load(Ordering::Relaxed), 1);
    assert_eq!(read(&reader, 9), ["b", "c"]);
}

#[test]
fn lines_that_go_around_the_end_of_the_memory_are_whole() {
    let ring = ring(70);
    let line = |number: usize| format!("line {number:0width$}", width = 3 + number % 7);
    for number in 0..500 {
        put(&ring, &[&line(number)]);
        let lines = all(&ring);
        let oldest = number + 1 - lines.len();
        let expected: Vec<String> = (oldest..=number).map(line).collect();
        assert_eq!(lines, expected);
        assert!(number < 5 || lines.len() >= 4);
    }
}
