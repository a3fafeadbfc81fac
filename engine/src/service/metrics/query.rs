//! What the query of a request for metrics asks for.

/// Which metrics a client wants; all without any word.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Query<'t> {
    pub global: bool,
    pub frontend: bool,
    pub listener: bool,
    pub backend: bool,
    pub server: bool,
    pub stick_tables: bool,
    /// `no-maint`: no server in maintenance.
    pub no_maint: bool,
    /// `extra-counters`: columns of modules, too.
    pub extra_counters: bool,
    /// `metrics=`: only these; empty for all.
    only: Vec<&'t str>,
    /// `metrics=-NAME`: not these.
    without: Vec<&'t str>,
}

impl<'t> Query<'t> {
    /// Reads what follows the question mark; `None` for a scope that does not exist.
    pub fn parse(target: &'t str) -> Option<Self> {
        let mut query = Self::default();
        let mut has_scope = false;
        let words = target.split_once('?').map_or("", |(_, words)| words);
        for word in words.split('&') {
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            match name {
                "scope" => {
                    if !std::mem::replace(&mut has_scope, true) || value.is_empty() {
                        query.set_all(false);
                    }
                    query.add(value)?;
                }
                "metrics" => {
                    for metric in value.split(',').filter(|metric| !metric.is_empty()) {
                        match metric.strip_prefix('-') {
                            Some(metric) => query.without.push(metric),
                            None => query.only.push(metric),
                        }
                    }
                }
                "no-maint" => query.no_maint = true,
                "extra-counters" => query.extra_counters = true,
                _ => {}
            }
        }
        if !has_scope {
            query.set_all(true);
        }
        Some(query)
    }

    fn add(&mut self, scope: &str) -> Option<()> {
        match scope {
            "" => {}
            "*" => self.set_all(true),
            "global" => self.global = true,
            "frontend" => self.frontend = true,
            "listener" => self.listener = true,
            "backend" => self.backend = true,
            "server" => self.server = true,
            "sticktable" => self.stick_tables = true,
            _ => return None,
        }
        Some(())
    }

    fn set_all(&mut self, wanted: bool) {
        self.global = wanted;
        self.frontend = wanted;
        self.listener = wanted;
        self.backend = wanted;
        self.server = wanted;
        self.stick_tables = wanted;
    }

    /// Whether a metric of this name is wanted.
    pub fn wants(&self, name: &str) -> bool {
        (self.only.is_empty() || self.only.contains(&name)) && !self.without.contains(&name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_add_up() {
        let scopes = |target| {
            let query = Query::parse(target)?;
            Some([query.global, query.frontend, query.backend, query.server])
        };
        assert_eq!(scopes("/m"), Some([true; 4]));
        assert_eq!(
            scopes("/m?scope=global&scope=server"),
            Some([true, false, false, true])
        );
        assert_eq!(scopes("/m?scope="), Some([false; 4]));
        assert_eq!(scopes("/m?scope=*"), Some([true; 4]));
        assert_eq!(scopes("/m?scope=x"), None);
    }

    #[test]
    fn metrics_are_named_or_left_out() {
        let query = Query::parse("/m?metrics=a,-b").expect("a query");
        assert!(query.wants("a") && !query.wants("b") && !query.wants("c"));
        let query = Query::parse("/m?metrics=-b&no-maint&extra-counters").expect("a query");
        assert!(query.wants("a") && !query.wants("b"));
        assert!(query.no_maint && query.extra_counters);
    }
}
