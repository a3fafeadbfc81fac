//! One exchange, from the request's first byte to the last log line.
