//! `source`: the address to connect from (manual, 4.2 and 5.2).

use crate::address::{self, Host, Ports};
use crate::args::Args;
use crate::context::Context;
use crate::model::server::{Source, UseSrc};

/// What follows the keyword `source`.
pub fn parse(cx: &mut Context, args: &mut Args) -> Option<Source> {
    let word = args.required(cx, "<addr>[:<port>] and optionally 'usesrc' or 'interface'")?;
    let mut source = Source::default();
    match address::endpoint(&cx.address(&word.text)) {
        Ok(endpoint) => {
            match endpoint.host {
                Host::Ip(ip) => source.ip = Some(ip).filter(|ip| !ip.is_unspecified()),
                Host::Any(_) | Host::Name(..) => {}
                _ => args.unexpected(cx, word, "an IP address"),
            }
            match endpoint.port {
                Ports::One(port) => source.port_low = Some(port),
                Ports::Range(low, high) => {
                    source.port_low = Some(low);
                    source.port_high = Some(high);
                }
                Ports::None | Ports::Offset(_) => {}
            }
        }
        Err(error) => cx.alert(word.span(), "bad-address", format!("'source' : {error}")),
    }
    loop {
        if args.accept("usesrc") {
            source.usesrc = usesrc(cx, args);
        } else if args.accept("interface") {
            source.interface = args.text(cx, "an interface name");
        } else {
            return Some(source);
        }
    }
}

fn usesrc(cx: &mut Context, args: &mut Args) -> Option<UseSrc> {
    let word = args.required(cx, "'client', 'clientip', 'hdr_ip(name,#)' or an address")?;
    match word.as_str() {
        "client" => return Some(UseSrc::Client),
        "clientip" => return Some(UseSrc::ClientIp),
        _ => {}
    }
    if let Some(inside) = word.text.strip_prefix("hdr_ip(") {
        let inside = inside.trim_end_matches(')');
        let (name, occurrence) = inside.split_once(',').unwrap_or((inside, "-1"));
        let occurrence = occurrence.parse().ok();
        if occurrence.is_none() {
            args.unexpected(cx, word, "hdr_ip(name,#)");
        }
        return Some(UseSrc::Header {
            name: name.to_owned(),
            occurrence: occurrence?,
        });
    }
    match address::endpoint(&cx.address(&word.text)).map(|endpoint| (endpoint.host, endpoint.port))
    {
        Ok((Host::Ip(ip), Ports::One(port))) => Some(UseSrc::Address(ip, port)),
        Ok((Host::Ip(ip), Ports::None)) => Some(UseSrc::Address(ip, 0)),
        _ => {
            args.unexpected(
                cx,
                word,
                "'client', 'clientip', 'hdr_ip(name,#)' or an address",
            );
            None
        }
    }
}
