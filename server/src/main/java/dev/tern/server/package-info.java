/// One node as a process: its settings, and the wiring of all its parts in one place.
///
/// ```
///   ServerConfig --> TernServer --> RuntimeEnvironment, Node, doors, AdminDoor
/// ```
///
/// Invariants:
/// - the server closes its parts in the opposite order of their start;
/// - a start that fails leaves no thread, no open port and no lock behind.
///
/// Threads: the caller of start and close.
@NullMarked
package dev.tern.server;

import org.jspecify.annotations.NullMarked;
