//! Dense identities inside one plan.

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);

        impl $name {
            /// The position in the plan's table.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

id!(
    /// A frontend, backend or listen section: index into `Plan::proxies`.
    ProxyId
);
id!(
    /// A `server` line, counted over all proxies: index into `Plan::servers`.
    ServerId
);
id!(
    /// One address of a `bind` line: index into `Plan::listeners`.
    ListenerId
);
id!(
    /// A `resolvers` section: index into `Plan::resolvers`.
    ResolversId
);
