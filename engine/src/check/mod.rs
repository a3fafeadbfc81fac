//! Whether a server is fit for traffic: schedule, probes, verdicts.
