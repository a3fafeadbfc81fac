//! Rules whose results are borrowed allocate nothing once a stream's memory has grown to them.

use std::cell::Cell;
use std::collections::BTreeMap;

use cfgparse::source::Source;
use cfgparse::{Environment, LoadOptions, load};
use engine::plan::{Compiled, ListenerId, Machine, ProxyId, ServerId, compile};
use engine::rules::{Overrides, Txn, Verdict};
use engine::sample::pattern::{CorePatterns, LivePatterns, PatternView, Patterns};
use engine::sample::{
    Captures, Clock, Data, Effects, PatternChange, SessionFacts, StreamFacts, StreamVars, VarStore,
    World,
};
use wire::Head;

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// Conditions, a map and edits as usual configurations have them.
const RULES: &str = "
defaults
    mode http
    timeout client 1s
    timeout server 1s
    timeout connect 1s
frontend web
    bind :80
    acl is_api hdr(host) -i api.example.com
    acl is_static path_beg /static/ /img/
    acl is_image path_end -i .png .jpg
    acl is_local src 127.0.0.0/8 ::1
    acl is_reg path_reg ^/a.*z$
    acl is_agent req.fhdr(user-agent) -m sub bot spider crawl
    acl is_long req.hdr(x-count) -m int gt 100
    acl is_word path -m dir admin
    acl is_cookie cook(session) -m found
    http-request deny if is_api !is_local
    http-request deny if is_static is_image
    http-request deny if is_reg or is_agent or is_long or is_word
    http-request deny unless { url_param(id) -m found } or is_cookie or is_local
    http-request set-header x-route %[req.hdr(x-key),map(routes.map,none)]
    http-request set-header x-host %[req.hdr(host),field(1,:)]
    http-request set-header x-proto http
    http-request add-header x-edge \"%[src]-%[path]\"
    http-request del-header x-secret
    http-request set-var(req.n) int(5)
    http-request capture req.hdr(host) len 20
    default_backend servers
backend servers
    server s1 127.0.0.1:1
";

/// The process, with a core's copy of its patterns.
struct OneCore<'a> {
    live: &'a LivePatterns,
    core: &'a CorePatterns,
    own: &'a Patterns,
}

impl World for OneCore<'_> {
    fn proxy_name(&self, _: ProxyId) -> &'static str {
        "web"
    }

    fn server_name(&self, _: ServerId) -> &'static str {
        "s1"
    }

    fn patterns(&self) -> PatternView<'_> {
        PatternView::of_core(self.live, self.core, self.own)
    }
}

/// A stream's memory, used again for each request.
struct Stream {
    session: SessionFacts,
    facts: StreamFacts,
    head: Head,
    captures: Captures,
    session_vars: VarStore,
    vars: StreamVars,
    overrides: Overrides,
    scratch: Vec<u8>,
}

impl Stream {
    fn new(compiled: &Compiled) -> Stream {
        let mut session = SessionFacts::new(ProxyId(0), ListenerId(0));
        session.src = Some(([127, 0, 0, 1], 4000).into());
        let front = compiled.plan.proxies[0].frontend.as_ref();
        let declared = front.expect("a frontend").captures_declared;
        Stream {
            session,
            facts: StreamFacts::default(),
            head: Head::new(),
            captures: Captures {
                declared,
                ..Captures::default()
            },
            session_vars: VarStore::default(),
            vars: StreamVars::default(),
            overrides: Overrides::default(),
            scratch: Vec::new(),
        }
    }

    /// Runs all rules on one more request.
    fn exchange(&mut self, compiled: &Compiled, live: &LivePatterns, core: &CorePatterns) {
        self.head.clear();
        self.head.set_method(b"GET");
        self.head.set_target(b"/path/to/a/page?id=1&x=2");
        for name in NAMES {
            self.head.append(name, b"a value of some length");
        }
        self.head.append(b"host", b"www.example.com:8080");
        self.head.append(b"user-agent", b"Mozilla/5.0");
        self.head.append(b"x-key", b"k5");
        self.head.append(b"x-count", b"7");
        self.head.append(b"cookie", b"a=1; session=abc");
        self.head.append(b"x-secret", b"1");
        self.facts.reset();
        self.captures.clear();
        self.vars.clear();
        self.overrides = Overrides::default();
        let random = Cell::new(1);
        let own = core.follow(live);
        let world = OneCore {
            live,
            core,
            own: &own,
        };
        let mut txn = Txn {
            session: &self.session,
            stream: &mut self.facts,
            request: Some(&mut self.head),
            response: None,
            request_data: Data::default(),
            response_data: Data::default(),
            captures: &mut self.captures,
            session_vars: &mut self.session_vars,
            vars: &mut self.vars,
            overrides: &mut self.overrides,
            world: &world,
            clock: Clock::default(),
            random: &random,
            effects: Effects::default(),
            scratch: &mut self.scratch,
        };
        let rules = &compiled.plan.proxies[0].rules.http_request;
        let verdict = rules.evaluate(0, &mut txn);
        assert_eq!(verdict, Verdict::Continue);
        assert!(self.head.fields().any(|(name, _)| name == b"x-edge"));
    }
}

const NAMES: [&[u8]; 20] = [
    b"x-0", b"x-1", b"x-2", b"x-3", b"x-4", b"x-5", b"x-6", b"x-7", b"x-8", b"x-9", b"y-0", b"y-1",
    b"y-2", b"y-3", b"y-4", b"y-5", b"y-6", b"y-7", b"y-8", b"y-9",
];

fn compiled() -> Compiled {
    let lines = (0..1000).flat_map(|n| format!("k{n} v{n}\n").into_bytes());
    let files = BTreeMap::from([("routes.map".to_owned(), lines.collect())]);
    let sources = [Source {
        name: "test.cfg".to_owned(),
        text: RULES.to_owned(),
    }];
    let loaded = load(
        &sources,
        &Environment::default(),
        &files,
        &LoadOptions::default(),
    );
    let model = loaded.model.expect("a valid configuration");
    let machine = Machine {
        host_name: "box".to_owned(),
        connections_max: 100,
        descriptors: 1000,
        name_servers: Vec::new(),
    };
    compile(&model, &machine).expect("a plan")
}

#[test]
fn rules_with_borrowed_results_allocate_nothing() {
    let compiled = compiled();
    let live = LivePatterns::new(compiled.patterns.clone());
    let core = CorePatterns::default();
    let mut stream = Stream::new(&compiled);
    let _profiler = dhat::Profiler::builder().testing().build();
    let mut measure = |what: &str| {
        (0..4).for_each(|_| stream.exchange(&compiled, &live, &core));
        let before = dhat::HeapStats::get().total_blocks;
        (0..100).for_each(|_| stream.exchange(&compiled, &live, &core));
        let allocations = dhat::HeapStats::get().total_blocks - before;
        assert_eq!(allocations, 0, "{what}: allocations of 100 requests");
    };
    measure("as configured");
    // A map that was changed is borrowed from as well.
    let set = compiled.patterns.files()[0].set;
    let change = PatternChange::Set {
        key: "k5".into(),
        value: Some(b"another"[..].into()),
    };
    live.change(set, change).expect("a change");
    measure("changed at run time");
}
