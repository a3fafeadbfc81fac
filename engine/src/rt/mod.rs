//! The one module that names glommio: executors, placement, tasks.
