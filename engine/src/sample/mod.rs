//! Typed values taken from a stream: fetches, converters and the expressions made of them.
