//! Scenarios: the real binary between real servers and real clients, one file a behaviour.
//!
//! `ENGINE_UNDER_TEST=/usr/sbin/haproxy cargo test -p cli --test proxy` runs them against
//! another binary, to show that a scenario asks for what HAProxy does.

mod harness;

mod addresses;
mod admin_socket;
mod backup;
mod balance;
mod bodies;
mod bytes;
mod caching;
mod check_rules;
mod checks;
mod command_line;
mod compression;
mod connection_limits;
mod connection_modes;
mod cookies;
mod cores;
mod counters;
mod differential;
mod dynamic_servers;
mod error_answers;
mod field_names;
mod forwarding;
mod framing;
mod framing_cases;
mod half_close;
mod hashes;
mod listeners;
mod log_forward;
mod log_profiles;
mod log_rings;
mod logs;
mod messages;
mod metrics;
mod proxy_protocol;
mod queue;
mod redirects_and_tls;
mod resolvers;
mod retries;
mod rule_actions;
mod rules;
mod runtime_rules;
mod samples;
mod server_connections;
mod server_state;
mod server_templates;
mod sockets;
mod stats_page;
mod stick_tables;
mod stopping;
mod streaming;
mod tcp;
mod termination;
mod timeouts;
mod tls_clients;
mod tls_lines;
mod tls_words;
mod tunnels;
mod website;
mod weighted_nodes;
