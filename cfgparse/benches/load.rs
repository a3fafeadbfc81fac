//! Time to load configurations of growing size: it grows as the text does.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;

use cfgparse::source::Source;
use cfgparse::{Environment, LoadOptions, load};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const HEAD: &str =
    "defaults\n mode http\n timeout client 1s\n timeout server 1s\n timeout connect 1s\n";

/// One backend of `count` servers.
fn servers(count: u32) -> String {
    let mut text = format!("{HEAD}frontend f\n bind :80\n default_backend b\nbackend b\n");
    for n in 0..count {
        let [_, b, c, d] = n.to_be_bytes();
        let _ = writeln!(
            text,
            " server s{n} 10.{b}.{c}.{d}:80 check inter 2s weight 10 maxconn 100"
        );
    }
    text
}

/// A pattern file of `count` addresses.
fn patterns(count: u32) -> Vec<u8> {
    let mut text = String::new();
    for n in 0..count {
        let [_, b, c, d] = n.to_be_bytes();
        let _ = writeln!(text, "10.{b}.{c}.{d}");
    }
    text.into_bytes()
}

/// `count` backends, each chosen by a rule of its own.
fn routes(count: u32) -> String {
    let mut text = format!("{HEAD}frontend f\n bind :80\n");
    for n in 0..count {
        let _ = writeln!(
            text,
            " acl is_{n} hdr(host) -i host{n}.example.com\n use_backend b{n} if is_{n}"
        );
    }
    for n in 0..count {
        let _ = writeln!(text, "backend b{n}\n server s 127.0.0.1:80");
    }
    text
}

fn judge(text: &str, files: &BTreeMap<String, Vec<u8>>) {
    let sources = [Source {
        name: "bench.cfg".to_owned(),
        text: text.to_owned(),
    }];
    let loaded = load(
        &sources,
        &Environment::default(),
        files,
        &LoadOptions::default(),
    );
    assert!(black_box(loaded).model.is_some());
}

fn loading(criterion: &mut Criterion) {
    let none = BTreeMap::new();
    let mut group = criterion.benchmark_group("load");
    group.sample_size(10);
    for count in [1_000, 2_500, 5_000, 10_000] {
        group.throughput(Throughput::Elements(u64::from(count)));
        let text = servers(count);
        group.bench_function(BenchmarkId::new("servers", count), |b| {
            b.iter(|| judge(&text, &none));
        });
        let text = routes(count);
        group.bench_function(BenchmarkId::new("routes", count), |b| {
            b.iter(|| judge(&text, &none));
        });
    }
    for count in [5_000, 12_500, 25_000, 50_000] {
        group.throughput(Throughput::Elements(u64::from(count)));
        let files = BTreeMap::from([("nets.lst".to_owned(), patterns(count))]);
        let text = format!(
            "{HEAD}frontend f\n bind :80\n http-request deny if {{ src -f nets.lst }}\n default_backend b\nbackend b\n server s 127.0.0.1:80\n"
        );
        group.bench_function(BenchmarkId::new("patterns", count), |b| {
            b.iter(|| judge(&text, &files));
        });
    }
    group.finish();
}

criterion_group!(benches, loading);
criterion_main!(benches);
