/// One node as a process: its settings, and the wiring of everything in one place.
///
/// ```
///   ServerConfig --> TernServer --> RuntimeEnvironment, Node, RedisDoor, AdminDoor
/// ```
///
/// Invariant: what starts is closed in the opposite order; a start that fails leaves nothing
/// behind.
///
/// Threads: start and close on the caller's.
@NullMarked
package dev.tern.server;

import org.jspecify.annotations.NullMarked;
