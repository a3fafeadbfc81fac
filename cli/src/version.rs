//! What the program says it is.

use cfgparse::Facts;

use crate::args::Args;

/// The HAProxy version whose configuration language is understood.
const COMPATIBLE: &str = "3.5-dev5";
const COMPATIBLE_DATE: &str = "2026/08/19";

/// What `.if` and `-cc` may ask for: only what works.
pub fn facts() -> Facts {
    let words = |list: &[&str]| list.iter().map(ToString::to_string).collect();
    Facts {
        version: COMPATIBLE.to_owned(),
        features: words(&[
            "EPOLL",
            "GETADDRINFO",
            "LINUX_SPLICE",
            "NS",
            "OPENSSL",
            "POLL",
            "SLZ",
            "THREAD",
        ]),
        enabled: words(&[
            "EPOLL",
            "FAST-FORWARD",
            "GETADDRINFO",
            "POLL",
            "REUSEPORT",
            "SPLICE",
        ]),
        ssllib_name: "AWS-LC".to_owned(),
        openssl_version: "1.1.1".to_owned(),
        awslc_api: None,
        fips_mode: false,
    }
}

/// `-v`, `-vv`, `-vq`, `-vqs`, `-vqb`.
pub fn print(args: &Args) {
    match args.brief_version.as_deref() {
        Some("qb") => return println!("3.5"),
        Some("qs") => return println!("3.5-dev5"),
        Some(_) => return println!("{COMPATIBLE}"),
        None => {}
    }
    println!(
        "engine version {} - HAProxy version {COMPATIBLE} {COMPATIBLE_DATE} compatible",
        env!("CARGO_PKG_VERSION"),
    );
    if !args.build_info {
        return;
    }
    let facts = facts();
    println!("HAProxy version {COMPATIBLE} {COMPATIBLE_DATE} - compatible: what engine counts as");
    println!("Build options :\n  TARGET  = linux-glibc");
    let features: Vec<_> = facts
        .features
        .iter()
        .map(|name| format!("+{name}"))
        .collect();
    println!("\nFeature list : {}", features.join(" "));
    println!("\nBuilt with rustls on {}", facts.ssllib_name);
    println!(
        "Compression algorithms supported : identity(\"identity\"), deflate(\"deflate\"), \
         raw-deflate(\"deflate\"), gzip(\"gzip\")"
    );
    println!("Multi-threading: one shard a core, each with an io_uring of its own");
}
