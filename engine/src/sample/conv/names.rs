//! Names looked up while running: backends, servers, frontends (manual, 7.3.1).

use crate::plan::ServerId;
use crate::sample::args::NONE;
use crate::sample::cx::Cx;
use crate::sample::row::{ConvertRow, convert};
use crate::sample::value::{Type, Value};

pub static ROWS: &[ConvertRow] = &[
    convert("nbsrv", NONE, Type::Str, Type::Sint, |v, _, cx| {
        let backend = cx
            .world
            .find_backend(std::str::from_utf8(&v.into_text()).ok()?)?;
        Some(Value::Sint(i64::from(cx.world.usable_servers(backend))))
    }),
    convert("srv_is_up", NONE, Type::Str, Type::Bool, |v, _, cx| {
        Some(Value::Bool(cx.world.server_is_up(server(&v, cx)?)))
    }),
    convert("srv_queue", NONE, Type::Str, Type::Sint, |v, _, cx| {
        Some(Value::Sint(i64::from(
            cx.world.server_counters(server(&v, cx)?).queue,
        )))
    }),
    convert("fe_exists", NONE, Type::Str, Type::Bool, |v, _, cx| {
        let text = v.into_text();
        let name = std::str::from_utf8(&text).ok()?;
        Some(Value::Bool(cx.world.find_frontend(name).is_some()))
    }),
];

/// `server` of the stream's backend, or `backend/server`.
fn server(value: &Value<'_>, cx: &Cx<'_>) -> Option<ServerId> {
    let text = std::str::from_utf8(value.bytes()?).ok()?;
    let (backend, server) = text.split_once('/').unwrap_or_else(|| {
        let backend = cx.stream.backend.unwrap_or(cx.session.frontend);
        (cx.world.proxy_name(backend), text)
    });
    cx.world.find_server(backend, server)
}
