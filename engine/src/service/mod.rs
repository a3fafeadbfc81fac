//! Answers made inside: error bodies, redirects, the stats page.
