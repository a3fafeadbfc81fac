//! Look-ups of a key in a stick table: `in_table`, `table_gpc0` and their relatives (manual, 7.3.1).

use std::sync::Arc;

use crate::sample::args::{Args, Kind, Spec, spec};
use crate::sample::cx::Cx;
use crate::sample::figure::{Figure, Op};
use crate::sample::row::{ConvertRow, convert};
use crate::sample::value::{Type, Value};
use crate::table::{Data, Entry, Table};

use Kind::{Int, OwnTable};

const TABLE: Spec = spec(0, &[OwnTable]);
const ARRAY: Spec = spec(1, &[Int, OwnTable]);
const DEFAULT: Spec = spec(0, &[OwnTable, Int]);

macro_rules! rows {
    ($($name:literal: $op:ident $data:ident;)*) => {
        pub static ROWS: &[ConvertRow] = &[
            $(convert($name, TABLE, Type::Any, Type::Sint, |v, a, cx| {
                figure(v, cx, a, 0, Figure::new(Op::$op, Data::$data))
            }),)*
            convert("table_gpc", ARRAY, Type::Any, Type::Sint, |v, a, cx| element(v, cx, a, Op::Read, Data::Gpc)),
            convert("table_inc_gpc", ARRAY, Type::Any, Type::Sint, |v, a, cx| element(v, cx, a, Op::Increase, Data::Gpc)),
            convert("table_clr_gpc", ARRAY, Type::Any, Type::Sint, |v, a, cx| element(v, cx, a, Op::Clear, Data::Gpc)),
            convert("table_gpt", ARRAY, Type::Any, Type::Sint, |v, a, cx| element(v, cx, a, Op::Read, Data::Gpt)),
            convert("table_gpc_rate", ARRAY, Type::Any, Type::Sint, |v, a, cx| element(v, cx, a, Op::Read, Data::GpcRate)),
            convert("in_table", TABLE, Type::Any, Type::Bool, |v, a, cx| {
                Some(Value::Bool(find(v, cx, a).is_some()))
            }),
            convert("table_trackers", TABLE, Type::Any, Type::Sint, |v, a, cx| {
                let users = find(v, cx, a).map_or(0, |(_, entry)| entry.users());
                Some(Value::Sint(i64::from(users)))
            }),
            convert("table_expire", DEFAULT, Type::Any, Type::Sint, |v, a, cx| {
                time(v, cx, a, Table::expires_in_ms)
            }),
            convert("table_idle", DEFAULT, Type::Any, Type::Sint, |v, a, cx| {
                time(v, cx, a, Table::idle_ms)
            }),
        ];
    };
}

rows! {
    "table_bytes_in_rate": Read BytesInRate;
    "table_bytes_out_rate": Read BytesOutRate;
    "table_clr_gpc0": Clear Gpc0;
    "table_clr_gpc1": Clear Gpc1;
    "table_conn_cnt": Read ConnCnt;
    "table_conn_cur": Read ConnCur;
    "table_conn_rate": Read ConnRate;
    "table_gpc0": Read Gpc0;
    "table_gpc1": Read Gpc1;
    "table_gpt0": Read Gpt0;
    "table_glitch_cnt": Read GlitchCnt;
    "table_glitch_rate": Read GlitchRate;
    "table_gpc0_rate": Read Gpc0Rate;
    "table_gpc1_rate": Read Gpc1Rate;
    "table_http_err_cnt": Read HttpErrCnt;
    "table_http_err_rate": Read HttpErrRate;
    "table_http_fail_cnt": Read HttpFailCnt;
    "table_http_fail_rate": Read HttpFailRate;
    "table_http_req_cnt": Read HttpReqCnt;
    "table_http_req_rate": Read HttpReqRate;
    "table_inc_gpc0": Increase Gpc0;
    "table_inc_gpc1": Increase Gpc1;
    "table_kbytes_in": ReadKilo BytesInCnt;
    "table_kbytes_out": ReadKilo BytesOutCnt;
    "table_sess_cnt": Read SessCnt;
    "table_sess_rate": Read SessRate;
    "table_server_id": Read ServerId;
}

fn element<'a>(
    value: Value<'a>,
    cx: &Cx<'a>,
    args: &Args,
    op: Op,
    data: Data,
) -> Option<Value<'a>> {
    let index = args.index(0)?;
    figure(value, cx, args, 1, Figure::element(op, data, index))
}

fn figure<'a>(
    value: Value<'a>,
    cx: &Cx<'a>,
    args: &Args,
    table: usize,
    figure: Figure,
) -> Option<Value<'a>> {
    let table = cx.world.table(args.table(table)?)?;
    let Some(key) = table.spec().key.key(value) else {
        return figure.is_in(table).then_some(Value::Sint(0));
    };
    figure
        .of_key(table, &key, cx.world.now_ms())
        .map(Value::Sint)
}

fn find<'a>(value: Value<'_>, cx: &Cx<'a>, args: &Args) -> Option<(&'a Arc<Table>, Arc<Entry>)> {
    let table = cx.world.table(args.table(0)?)?;
    let key = table.spec().key.key(value)?;
    Some((table, table.find(&key, cx.world.now_ms())?))
}

/// A time of an entry; without an entry the default, if there is one.
fn time<'a>(
    value: Value<'_>,
    cx: &Cx<'a>,
    args: &Args,
    of: fn(&Table, &Entry, u64) -> Option<u64>,
) -> Option<Value<'a>> {
    let number = match find(value, cx, args) {
        Some((table, entry)) => of(table, &entry, cx.world.now_ms()).unwrap_or(0) as i64,
        None => args.int(1)?,
    };
    Some(Value::Sint(number))
}
