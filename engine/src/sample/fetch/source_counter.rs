//! Figures of the client's address in a stick table, `src_conn_rate` and its relatives, and the
//! size of tables (manual, 7.3.2 and 7.3.3).

use crate::sample::args::{Args, Kind, Spec, spec};
use crate::sample::cx::Cx;
use crate::sample::figure::{Figure, Op};
use crate::sample::point::Needs::{Client, Nothing};
use crate::sample::row::{FetchRow, Fetched, fetch};
use crate::sample::value::{Type, Value};
use crate::table::{Data, Slot, Table};

use Kind::{Int, OwnTable};

const TABLE: Spec = spec(0, &[OwnTable]);
const ARRAY: Spec = spec(1, &[Int, OwnTable]);

macro_rules! rows {
    ($($name:literal: $op:ident $data:ident;)*) => {
        pub static ROWS: &[FetchRow] = &[
            $(fetch($name, TABLE, Type::Sint, Client, |a, cx, _| {
                figure(cx, a, 0, Figure::new(Op::$op, Data::$data))
            }),)*
            fetch("src_get_gpc", ARRAY, Type::Sint, Client, |a, cx, _| element(cx, a, Op::Read, Data::Gpc)),
            fetch("src_inc_gpc", ARRAY, Type::Sint, Client, |a, cx, _| element(cx, a, Op::Increase, Data::Gpc)),
            fetch("src_clr_gpc", ARRAY, Type::Sint, Client, |a, cx, _| element(cx, a, Op::Clear, Data::Gpc)),
            fetch("src_get_gpt", ARRAY, Type::Sint, Client, |a, cx, _| element(cx, a, Op::Read, Data::Gpt)),
            fetch("src_gpc_rate", ARRAY, Type::Sint, Client, |a, cx, _| element(cx, a, Op::Read, Data::GpcRate)),
            fetch("src_updt_conn_cnt", TABLE, Type::Sint, Client, |a, cx, _| count_connection(a, cx)),
            fetch("table_cnt", TABLE, Type::Sint, Nothing, |a, cx, _| {
                size(a, cx, |table, used| used.min(table.spec().size))
            }),
            fetch("table_avl", TABLE, Type::Sint, Nothing, |a, cx, _| {
                size(a, cx, |table, used| table.spec().size.saturating_sub(used))
            }),
        ];
    };
}

rows! {
    "src_bytes_in_rate": Read BytesInRate;
    "src_bytes_out_rate": Read BytesOutRate;
    "src_clr_gpc0": Clear Gpc0;
    "src_clr_gpc1": Clear Gpc1;
    "src_conn_cnt": Read ConnCnt;
    "src_conn_cur": Read ConnCur;
    "src_conn_rate": Read ConnRate;
    "src_get_gpc0": Read Gpc0;
    "src_get_gpc1": Read Gpc1;
    "src_get_gpt0": Read Gpt0;
    "src_glitch_cnt": Read GlitchCnt;
    "src_glitch_rate": Read GlitchRate;
    "src_gpc0_rate": Read Gpc0Rate;
    "src_gpc1_rate": Read Gpc1Rate;
    "src_http_err_cnt": Read HttpErrCnt;
    "src_http_err_rate": Read HttpErrRate;
    "src_http_fail_cnt": Read HttpFailCnt;
    "src_http_fail_rate": Read HttpFailRate;
    "src_http_req_cnt": Read HttpReqCnt;
    "src_http_req_rate": Read HttpReqRate;
    "src_inc_gpc0": Increase Gpc0;
    "src_inc_gpc1": Increase Gpc1;
    "src_kbytes_in": ReadKilo BytesInCnt;
    "src_kbytes_out": ReadKilo BytesOutCnt;
    "src_sess_cnt": Read SessCnt;
    "src_sess_rate": Read SessRate;
}

fn element<'a>(cx: &Cx<'a>, args: &Args, op: Op, data: Data) -> Fetched<'a> {
    let Some(index) = args.index(0) else {
        return Fetched::Absent;
    };
    figure(cx, args, 1, Figure::element(op, data, index))
}

fn figure<'a>(cx: &Cx<'a>, args: &Args, table: usize, figure: Figure) -> Fetched<'a> {
    let value = || {
        let table = cx.world.table(args.table(table)?)?;
        let key = table.spec().key.key(Value::ip(cx.src()?.ip()))?;
        figure.of_key(table, &key, cx.world.now_ms())
    };
    value().map(Value::Sint).into()
}

/// Makes the entry if need be, and gives the connections counted in it, this one included.
fn count_connection<'a>(args: &Args, cx: &Cx<'a>) -> Fetched<'a> {
    const COUNT: Slot = Slot::of(Data::ConnCnt);
    let value = || {
        let table = cx.world.table(args.table(0)?)?;
        let key = table.spec().key.key(Value::ip(cx.src()?.ip()))?;
        if !table.stores(COUNT) {
            return None;
        }
        let now_ms = cx.world.now_ms();
        let entry = table.obtain(&key, now_ms)?;
        table.add(&entry, &[(Slot::of(Data::ConnRate), 1)], now_ms);
        let (_, after) = table.add_one(&entry, COUNT, 1, now_ms)?;
        Some(after as i64)
    };
    value().map(Value::Sint).into()
}

fn size<'a>(args: &Args, cx: &Cx<'a>, of: fn(&Table, u64) -> u64) -> Fetched<'a> {
    let table = args.table(0).and_then(|id| cx.world.table(id));
    let value = table.map(|table| of(table, table.used(cx.world.now_ms())));
    value.map(|value| Value::Sint(value as i64)).into()
}
