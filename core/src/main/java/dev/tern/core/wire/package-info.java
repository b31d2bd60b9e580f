/// What all frames between nodes have in common.
///
/// ```
///   frame:   | kind u8 | format u8 | what the kind says ... |
/// ```
///
/// [dev.tern.core.wire.FrameKind] is the registry of kinds and of the formats that this version
/// speaks. `runtime` cuts a connection into frames and checks them.
///
/// Threads: any.
@NullMarked
package dev.tern.core.wire;

import org.jspecify.annotations.NullMarked;
