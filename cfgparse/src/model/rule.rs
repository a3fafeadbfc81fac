//! Rules as written: an action and the condition under which it applies.

use super::Place;
use super::expr::{Condition, LogFormat, SampleExpr};

/// One line of `http-request`, `http-response`, `http-after-response`, `tcp-request ...` or `tcp-response ...`.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub action: Action,
    pub condition: Option<Condition>,
    pub at: Place,
}

/// What a rule does (manual, 4.3). Which action stands in which ruleset is checked by the registry.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// `allow` or `accept`: stop evaluating this ruleset.
    Accept,
    /// `reject`: close without an answer.
    Reject,
    /// `deny`, answered with a status and perhaps a body.
    Deny(Reply),
    /// `tarpit`: answered after `timeout tarpit`.
    Tarpit(Reply),
    /// `return`: answered here.
    Return(Reply),
    Redirect(Redirect),
    /// `auth [realm R]`.
    Auth {
        realm: Option<String>,
    },
    AddHeader {
        name: String,
        value: LogFormat,
    },
    SetHeader {
        name: String,
        value: LogFormat,
    },
    DelHeader {
        name: String,
        method: HeaderMatch,
    },
    ReplaceHeader {
        name: String,
        regex: String,
        replacement: LogFormat,
    },
    ReplaceValue {
        name: String,
        regex: String,
        replacement: LogFormat,
    },
    SetMethod(LogFormat),
    SetPath(LogFormat),
    SetPathq(LogFormat),
    SetQuery(LogFormat),
    SetUri(LogFormat),
    ReplacePath {
        regex: String,
        replacement: LogFormat,
    },
    ReplacePathq {
        regex: String,
        replacement: LogFormat,
    },
    ReplaceUri {
        regex: String,
        replacement: LogFormat,
    },
    SetStatus {
        status: u16,
        reason: Option<String>,
    },
    /// `set-var(scope.name) EXPR`.
    SetVar {
        name: String,
        conditions: Vec<String>,
        expr: SampleExpr,
    },
    /// `set-var-fmt(scope.name) FORMAT`.
    SetVarFormat {
        name: String,
        conditions: Vec<String>,
        format: LogFormat,
    },
    UnsetVar {
        name: String,
    },
    /// `do-resolve(VAR,RESOLVERS[,FAMILY]) EXPR`; the section is one of the model's, or `default`.
    DoResolve {
        var: String,
        resolvers: String,
        prefer: Option<super::server::AddressFamily>,
        expr: SampleExpr,
    },
    /// `capture EXPR len N` or `capture EXPR id N`.
    Capture {
        expr: SampleExpr,
        slot: CaptureSlot,
    },
    SetSrc(SampleExpr),
    SetSrcPort(SampleExpr),
    SetDst(SampleExpr),
    SetDstPort(SampleExpr),
    /// `set-log-level LEVEL`; `None` is `silent`.
    SetLogLevel(Option<u8>),
    /// `do-log [profile NAME]`: a section of the model.
    DoLog {
        profile: Option<String>,
    },
    /// `set-timeout server|tunnel|client TIME|EXPR`.
    SetTimeout {
        which: SettableTimeout,
        value: TimeoutValue,
    },
    SilentDrop,
    /// `strict-mode on|off`.
    StrictMode(bool),
    /// `normalize-uri NORMALIZER`.
    NormalizeUri {
        normalizer: String,
        full: bool,
        strict: bool,
    },
    /// `set-map(FILE) KEY VALUE` and its relatives on maps and ACLs.
    Pattern {
        op: PatternOp,
        file: String,
        key: LogFormat,
        value: Option<LogFormat>,
    },
    WaitForBody {
        time_ms: u32,
        at_least_bytes: Option<u64>,
    },
    /// `use-service NAME`.
    UseService(String),
    ExpectProxy,
    SetRetries(SampleExpr),
    /// `early-hint NAME FORMAT`: a field of a 103 response.
    EarlyHint {
        name: String,
        value: LogFormat,
    },
    /// `pause TIME|EXPR`.
    Pause(TimeoutValue),
    /// `set-fc-tos`, `set-fc-mark`: packets to the client.
    SetFcTos(NumberValue),
    SetFcMark(NumberValue),
    /// `set-bc-tos`, `set-bc-mark`: packets to the server.
    SetBcTos(NumberValue),
    SetBcMark(NumberValue),
    /// `set-priority-class`, `set-priority-offset`: the place in queues.
    SetPriorityClass(SampleExpr),
    SetPriorityOffset(SampleExpr),
    DisableL7Retry,
    /// `track-scN KEY [table NAME]`; the proxy's own table where nothing is written.
    Track {
        counter: u32,
        key: SampleExpr,
        table: Option<String>,
    },
    /// `sc-inc-gpc0(N)` and its relatives: a change under the key that counter N tracks.
    Counter {
        counter: u32,
        change: CounterChange,
    },
    /// `cache-use NAME` and `cache-store NAME`, a section of the model.
    CacheUse(String),
    CacheStore(String),
    /// An action that the registry knows and this version does not run; `compile` never sees it.
    Known {
        name: String,
        args: Vec<String>,
    },
}

/// What an action does to the figures of a tracked key; an array's index comes first.
#[derive(Clone, Debug, PartialEq)]
pub enum CounterChange {
    AddGpc(u32, CounterValue),
    IncGpc0,
    IncGpc1,
    SetGpt(u32, CounterValue),
    SetGpt0(CounterValue),
}

/// A constant or an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum CounterValue {
    Constant(u32),
    Expr(SampleExpr),
}

/// How `del-header` compares names (`-m`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderMatch {
    Str,
    Beg,
    End,
    Sub,
    Reg,
}

/// Where `capture` stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaptureSlot {
    Len(u32),
    Id(u32),
}

/// Which timeout `set-timeout` changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettableTimeout {
    Client,
    Server,
    Tunnel,
    Connect,
    Queue,
    Tarpit,
}

/// A constant or an expression in milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub enum TimeoutValue {
    Constant(u32),
    Expr(SampleExpr),
}

/// A constant or an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum NumberValue {
    Constant(u32),
    Expr(SampleExpr),
}

/// What `set-map` and its relatives change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatternOp {
    AddAcl,
    DelAcl,
    SetMap,
    DelMap,
}

/// The answer of `deny`, `tarpit`, `return` and `http-error` (manual, `http-request return`).
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Reply {
    /// `None`: the action's default (403 for deny, 500 for tarpit, 200 for return).
    pub status: Option<u16>,
    pub body: ReplyBody,
    pub content_type: Option<String>,
    /// `hdr NAME FORMAT`.
    pub headers: Vec<(String, LogFormat)>,
}

/// Where an answer's body comes from.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum ReplyBody {
    /// Nothing said.
    #[default]
    Default,
    /// `default-errorfiles`: what the proxy answers with for the status.
    DefaultErrorFiles,
    /// A whole HTTP message, already read (`errorfile`).
    ErrorFile { path: String, message: Vec<u8> },
    /// `errorfiles NAME`: an `http-errors` section.
    ErrorFiles(String),
    /// `string` or `file`: sent as it is.
    Raw(Vec<u8>),
    /// `lf-string` or `lf-file`: evaluated.
    Format(LogFormat),
}

/// `redirect` (manual, `http-request redirect`).
#[derive(Clone, Debug, PartialEq)]
pub struct Redirect {
    pub kind: RedirectKind,
    pub target: LogFormat,
    /// 301, 302, 303, 307 or 308.
    pub code: u16,
    pub drop_query: bool,
    pub append_slash: bool,
    pub ignore_empty: bool,
    pub keep_query: bool,
    /// `set-cookie NAME[=VALUE]`.
    pub set_cookie: Option<String>,
    pub clear_cookie: Option<String>,
}

/// What the redirect's target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectKind {
    Location,
    Prefix,
    Scheme,
}
