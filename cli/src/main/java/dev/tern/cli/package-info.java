/// The `tern` command.
///
/// ```
///   Main --> server | playground (a server process a node) | cluster | keyspace
///            | simulate | bench | inspect
/// ```
///
/// Invariant: a command ends with exit code 0, or with another code and one line on standard error
/// that says why.
///
/// Threads: the main thread, and shutdown hooks.
@NullMarked
package dev.tern.cli;

import org.jspecify.annotations.NullMarked;
