//! Load generator, origin server and comparisons with other proxies.

mod framing;
mod load;
mod machine;
mod origin;
mod pattern;
mod ready;

fn main() {}
