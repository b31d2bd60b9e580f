/// Readers without locks: epoch-based reclamation.
///
/// Invariant: what was unlinked is freed only after every reader that may have seen it has left.
///
/// Threads: any. Uses: no package of the engine.
@NullMarked
package dev.tern.lsm.epoch;

import org.jspecify.annotations.NullMarked;
