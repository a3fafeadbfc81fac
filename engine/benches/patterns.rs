//! Time to look a sample up in pattern sets of growing size, method by method: it hardly grows.

use std::hint::black_box;

use cfgparse::model::expr::MatchMethod;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use engine::sample::Value;
use engine::sample::pattern::{Item, Matcher};

const SIZES: [usize; 3] = [100, 10_000, 100_000];

/// A pattern of one method, and a sample that it matches.
type Make = fn(usize) -> (String, Vec<u8>);

const METHODS: &[(&str, MatchMethod, Make)] = &[
    ("str", MatchMethod::Str, |n| plain(format!("key-{n}"))),
    ("beg", MatchMethod::Beg, |n| {
        (format!("/path/{n}/"), format!("/path/{n}/page").into())
    }),
    ("end", MatchMethod::End, |n| {
        (format!("-{n}.png"), format!("/img/a-{n}.png").into())
    }),
    ("sub", MatchMethod::Sub, |n| {
        (format!("-{n}-"), format!("/a/b-{n}-c/d").into())
    }),
    ("dir", MatchMethod::Dir, |n| {
        (format!("d{n}"), format!("/a/d{n}/c").into())
    }),
    ("dom", MatchMethod::Dom, |n| {
        (format!("d{n}"), format!("www.d{n}.example").into())
    }),
    ("ip", MatchMethod::Ip, |n| {
        let [_, b, c, d] = (n as u32).to_be_bytes();
        plain(format!("10.{b}.{c}.{d}"))
    }),
    ("int", MatchMethod::Int, |n| {
        (
            format!("{}:{}", 10 * n, 10 * n + 5),
            (10 * n).to_string().into(),
        )
    }),
];

fn plain(text: String) -> (String, Vec<u8>) {
    (text.clone(), text.into_bytes())
}

/// Expressions that share no literal cost more and are fewer.
const EXPRESSIONS: [usize; 3] = [10, 100, 1000];

fn look_up(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("patterns");
    group.sample_size(20);
    let expression: Make = |n| (format!("^/p{n}/[a-z]+$"), format!("/p{n}/page").into());
    for &(name, method, make) in METHODS {
        for size in SIZES {
            measure(&mut group, name, method, make, size);
        }
    }
    for size in EXPRESSIONS {
        measure(&mut group, "reg", MatchMethod::Reg, expression, size);
    }
    group.finish();
}

fn measure(
    group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>,
    name: &str,
    method: MatchMethod,
    make: Make,
    size: usize,
) {
    let (texts, samples): (Vec<_>, Vec<_>) = (0..size).map(make).unzip();
    let items: Vec<Item<'_>> = texts
        .iter()
        .map(|text| Item {
            text,
            ignore_case: false,
        })
        .collect();
    let matcher = Matcher::compile(method, &items, false).expect("patterns of this method");
    let values: Vec<Value<'_>> = samples.iter().map(|bytes| Value::str(bytes)).collect();
    let mut at = 0;
    group.bench_function(BenchmarkId::new(name, size), |b| {
        b.iter(|| {
            // Another sample each time, far from the last.
            at = (at + 7919) % values.len();
            assert!(black_box(&matcher).find(&values[at]).is_some());
        });
    });
}

criterion_group!(benches, look_up);
criterion_main!(benches);
