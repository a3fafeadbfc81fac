//! `cache` sections (manual, 6.2.1).

use cfgparse::model::section::Cache;

use super::Context;
use crate::cache::Settings;

const MEGABYTE: u64 = 1024 * 1024;
/// Part of a cache that an object may take where nothing is written.
const OBJECT_PART: u64 = 256;
const MAX_AGE_S: u64 = 60;
const MAX_VARIANTS: usize = 10;

impl Context<'_> {
    pub(super) fn caches(&mut self) -> Vec<Settings> {
        let model = self.model;
        model.caches.iter().map(|cache| self.cache(cache)).collect()
    }

    fn cache(&mut self, written: &Cache) -> Settings {
        let max_bytes = written
            .total_max_size_mb
            .map_or(0, |megabytes| u64::from(megabytes) * MEGABYTE);
        let object = written.max_object_size.map(u64::from);
        if max_bytes == 0 {
            self.error(
                written.at,
                format!("cache '{}' has no size", written.name),
                "add 'total-max-size <megabytes>'",
            );
        }
        if object.is_some_and(|bytes| bytes > max_bytes / 2) && max_bytes > 0 {
            self.error(
                written.at,
                "\"max-object-size\" is limited to an half of \"total-max-size\"".to_owned(),
                "make objects smaller, or the cache bigger",
            );
        }
        Settings {
            name: written.name.as_str().into(),
            max_bytes,
            max_object_bytes: object
                .filter(|bytes| *bytes > 0)
                .unwrap_or(max_bytes / OBJECT_PART),
            max_age_s: written.max_age_s.map_or(MAX_AGE_S, u64::from),
            processes_vary: written.process_vary,
            max_variants: written
                .max_secondary_entries
                .map_or(MAX_VARIANTS, |count| count as usize),
        }
    }
}
