//! Typed messages between cores and control.
