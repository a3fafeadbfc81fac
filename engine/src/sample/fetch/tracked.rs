//! Figures of tracked keys: `sc_http_req_rate` and its relatives (manual, 7.3.3).

use std::borrow::Cow;

use crate::sample::args::{Args, Kind, Spec, spec};
use crate::sample::cx::Cx;
use crate::sample::figure::{Figure, Op};
use crate::sample::point::Needs::Client;
use crate::sample::row::{FetchRow, Fetched, fetch};
use crate::sample::value::{Type, Value};
use crate::table::{Data, Key, Table, Tracked};

use Kind::{Int, OtherTable};

const ARRAY: Spec = spec(2, &[Int, Int, OtherTable]);
const COUNTER: Spec = spec(1, &[Int, OtherTable]);
const NUMBERED: Spec = spec(0, &[OtherTable]);

/// The forms of each figure: with the counter's number as an argument, and in the name.
macro_rules! rows {
    ($($any:literal, $zero:literal, $one:literal, $two:literal: $op:ident $data:ident;)*) => {
        pub static ROWS: &[FetchRow] = &[
            $(fetch($any, COUNTER, Type::Sint, Client, |a, cx, _| {
                figure(cx, a.index(0), a, 1, Figure::new(Op::$op, Data::$data))
            }),)*
            fetch("sc_get_gpc", ARRAY, Type::Sint, Client, |a, cx, _| element(cx, a, Op::Read, Data::Gpc)),
            fetch("sc_inc_gpc", ARRAY, Type::Sint, Client, |a, cx, _| element(cx, a, Op::Increase, Data::Gpc)),
            fetch("sc_clr_gpc", ARRAY, Type::Sint, Client, |a, cx, _| element(cx, a, Op::Clear, Data::Gpc)),
            fetch("sc_get_gpt", ARRAY, Type::Sint, Client, |a, cx, _| element(cx, a, Op::Read, Data::Gpt)),
            fetch("sc_gpc_rate", ARRAY, Type::Sint, Client, |a, cx, _| element(cx, a, Op::Read, Data::GpcRate)),
            fetch("sc_key", spec(1, &[Int]), Type::Any, Client, |a, cx, _| key(cx, a.index(0))),
            fetch("sc_tracked", COUNTER, Type::Bool, Client, |a, cx, _| is_tracked(cx, a.index(0), a, 1)),
            fetch("sc_trackers", COUNTER, Type::Sint, Client, |a, cx, _| trackers(cx, a.index(0), a, 1)),
        ];

        pub static NUMBERED_ROWS: &[FetchRow] = &[
            $(
                fetch($zero, NUMBERED, Type::Sint, Client, |a, cx, _| {
                    figure(cx, Some(0), a, 0, Figure::new(Op::$op, Data::$data))
                }),
                fetch($one, NUMBERED, Type::Sint, Client, |a, cx, _| {
                    figure(cx, Some(1), a, 0, Figure::new(Op::$op, Data::$data))
                }),
                fetch($two, NUMBERED, Type::Sint, Client, |a, cx, _| {
                    figure(cx, Some(2), a, 0, Figure::new(Op::$op, Data::$data))
                }),
            )*
            fetch("sc1_clr_gpc", spec(1, &[Int, OtherTable]), Type::Sint, Client, |a, cx, _| {
                let index = a.index(0).unwrap_or(usize::MAX);
                figure(cx, Some(1), a, 1, Figure::element(Op::Clear, Data::Gpc, index))
            }),
            fetch("sc0_key", spec(0, &[]), Type::Any, Client, |_, cx, _| key(cx, Some(0))),
            fetch("sc1_key", spec(0, &[]), Type::Any, Client, |_, cx, _| key(cx, Some(1))),
            fetch("sc2_key", spec(0, &[]), Type::Any, Client, |_, cx, _| key(cx, Some(2))),
            fetch("sc0_tracked", NUMBERED, Type::Bool, Client, |a, cx, _| is_tracked(cx, Some(0), a, 0)),
            fetch("sc1_tracked", NUMBERED, Type::Bool, Client, |a, cx, _| is_tracked(cx, Some(1), a, 0)),
            fetch("sc2_tracked", NUMBERED, Type::Bool, Client, |a, cx, _| is_tracked(cx, Some(2), a, 0)),
            fetch("sc0_trackers", NUMBERED, Type::Sint, Client, |a, cx, _| trackers(cx, Some(0), a, 0)),
            fetch("sc1_trackers", NUMBERED, Type::Sint, Client, |a, cx, _| trackers(cx, Some(1), a, 0)),
            fetch("sc2_trackers", NUMBERED, Type::Sint, Client, |a, cx, _| trackers(cx, Some(2), a, 0)),
        ];
    };
}

rows! {
    "sc_bytes_in_rate", "sc0_bytes_in_rate", "sc1_bytes_in_rate", "sc2_bytes_in_rate": Read BytesInRate;
    "sc_bytes_out_rate", "sc0_bytes_out_rate", "sc1_bytes_out_rate", "sc2_bytes_out_rate": Read BytesOutRate;
    "sc_clr_gpc0", "sc0_clr_gpc0", "sc1_clr_gpc0", "sc2_clr_gpc0": Clear Gpc0;
    "sc_clr_gpc1", "sc0_clr_gpc1", "sc1_clr_gpc1", "sc2_clr_gpc1": Clear Gpc1;
    "sc_conn_cnt", "sc0_conn_cnt", "sc1_conn_cnt", "sc2_conn_cnt": Read ConnCnt;
    "sc_conn_cur", "sc0_conn_cur", "sc1_conn_cur", "sc2_conn_cur": Read ConnCur;
    "sc_conn_rate", "sc0_conn_rate", "sc1_conn_rate", "sc2_conn_rate": Read ConnRate;
    "sc_get_gpc0", "sc0_get_gpc0", "sc1_get_gpc0", "sc2_get_gpc0": Read Gpc0;
    "sc_get_gpc1", "sc0_get_gpc1", "sc1_get_gpc1", "sc2_get_gpc1": Read Gpc1;
    "sc_get_gpt0", "sc0_get_gpt0", "sc1_get_gpt0", "sc2_get_gpt0": Read Gpt0;
    "sc_glitch_cnt", "sc0_glitch_cnt", "sc1_glitch_cnt", "sc2_glitch_cnt": Read GlitchCnt;
    "sc_glitch_rate", "sc0_glitch_rate", "sc1_glitch_rate", "sc2_glitch_rate": Read GlitchRate;
    "sc_gpc0_rate", "sc0_gpc0_rate", "sc1_gpc0_rate", "sc2_gpc0_rate": Read Gpc0Rate;
    "sc_gpc1_rate", "sc0_gpc1_rate", "sc1_gpc1_rate", "sc2_gpc1_rate": Read Gpc1Rate;
    "sc_http_err_cnt", "sc0_http_err_cnt", "sc1_http_err_cnt", "sc2_http_err_cnt": Read HttpErrCnt;
    "sc_http_err_rate", "sc0_http_err_rate", "sc1_http_err_rate", "sc2_http_err_rate": Read HttpErrRate;
    "sc_http_fail_cnt", "sc0_http_fail_cnt", "sc1_http_fail_cnt", "sc2_http_fail_cnt": Read HttpFailCnt;
    "sc_http_fail_rate", "sc0_http_fail_rate", "sc1_http_fail_rate", "sc2_http_fail_rate": Read HttpFailRate;
    "sc_http_req_cnt", "sc0_http_req_cnt", "sc1_http_req_cnt", "sc2_http_req_cnt": Read HttpReqCnt;
    "sc_http_req_rate", "sc0_http_req_rate", "sc1_http_req_rate", "sc2_http_req_rate": Read HttpReqRate;
    "sc_inc_gpc0", "sc0_inc_gpc0", "sc1_inc_gpc0", "sc2_inc_gpc0": Increase Gpc0;
    "sc_inc_gpc1", "sc0_inc_gpc1", "sc1_inc_gpc1", "sc2_inc_gpc1": Increase Gpc1;
    "sc_kbytes_in", "sc0_kbytes_in", "sc1_kbytes_in", "sc2_kbytes_in": ReadKilo BytesInCnt;
    "sc_kbytes_out", "sc0_kbytes_out", "sc1_kbytes_out", "sc2_kbytes_out": ReadKilo BytesOutCnt;
    "sc_sess_cnt", "sc0_sess_cnt", "sc1_sess_cnt", "sc2_sess_cnt": Read SessCnt;
    "sc_sess_rate", "sc0_sess_rate", "sc1_sess_rate", "sc2_sess_rate": Read SessRate;
}

fn element<'a>(cx: &Cx<'a>, args: &Args, op: Op, data: Data) -> Fetched<'a> {
    let Some(index) = args.index(0) else {
        return Fetched::Absent;
    };
    figure(cx, args.index(1), args, 2, Figure::element(op, data, index))
}

/// A figure of the key that a counter tracks, in its table or in the one that an argument names.
fn figure<'a>(
    cx: &Cx<'a>,
    counter: Option<usize>,
    args: &Args,
    table: usize,
    figure: Figure,
) -> Fetched<'a> {
    let Some(tracked) = counter.and_then(|number| cx.tracked(number)) else {
        return Fetched::Absent;
    };
    let now_ms = cx.world.now_ms();
    let value = match args.table(table) {
        None => figure.of_entry(&tracked.table, &tracked.entry, now_ms),
        Some(id) => cx.world.table(id).and_then(|other| {
            let key = rekey(tracked, other)?;
            figure.of_key(other, &key, now_ms)
        }),
    };
    value.map(Value::Sint).into()
}

/// A tracked key as a key of another table.
fn rekey<'t>(tracked: &'t Tracked, other: &Table) -> Option<Key<'t>> {
    let (kind, key) = (tracked.table.spec().key, tracked.entry.key());
    if kind == other.spec().key {
        return Some(Key::Bytes(Cow::Borrowed(key)));
    }
    other.spec().key.key(kind.value(key))
}

fn key<'a>(cx: &Cx<'a>, counter: Option<usize>) -> Fetched<'a> {
    let tracked = counter.and_then(|number| cx.tracked(number));
    let value = |tracked: &Tracked| tracked.table.spec().key.value(tracked.entry.key());
    tracked.map(value).into()
}

fn is_tracked<'a>(cx: &Cx<'a>, counter: Option<usize>, args: &Args, table: usize) -> Fetched<'a> {
    let tracked = counter.and_then(|number| cx.tracked(number));
    let is_tracked = tracked.is_some_and(|tracked| match args.table(table) {
        None => true,
        Some(id) => cx.world.table(id).is_some_and(|other| {
            let key = rekey(tracked, other);
            key.is_some_and(|key| other.find(&key, cx.world.now_ms()).is_some())
        }),
    });
    Fetched::Value(Value::Bool(is_tracked))
}

fn trackers<'a>(cx: &Cx<'a>, counter: Option<usize>, args: &Args, table: usize) -> Fetched<'a> {
    let Some(tracked) = counter.and_then(|number| cx.tracked(number)) else {
        return Fetched::Absent;
    };
    let users = match args.table(table) {
        None => tracked.entry.users(),
        Some(id) => cx
            .world
            .table(id)
            .and_then(|other| other.find(&rekey(tracked, other)?, cx.world.now_ms()))
            .map_or(0, |entry| entry.users()),
    };
    Fetched::Value(Value::Sint(i64::from(users)))
}
