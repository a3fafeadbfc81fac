//! The admin socket: one file for each group of commands.
