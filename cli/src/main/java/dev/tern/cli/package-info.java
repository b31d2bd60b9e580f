/// The `tern` command.
///
/// ```
///   Main --> server | playground (a server process a node) | cluster | simulate | bench | inspect
/// ```
///
/// Invariant: each command ends with exit code 0, or with one line on standard error that says why
/// not.
///
/// Threads: the main thread, and shutdown hooks.
@NullMarked
package dev.tern.cli;

import org.jspecify.annotations.NullMarked;
