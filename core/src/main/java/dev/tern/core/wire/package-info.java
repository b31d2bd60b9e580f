/// What nodes say to each other: the kinds of frames, and the messages between shards.
///
/// ```
///   frame:   | kind u8 | format u8 | what the kind says ... |
///
///   Message --MessageCodec--> frame of kind DATA --> MessageCodec --> Message
///     Request, Keyed: RoutedKey            Repair: RepairPage
///     Reply:          ScanPage             Inquiry: TreeRange
/// ```
///
/// [dev.tern.core.wire.FrameKind] is the registry of kinds and of the formats that this version
/// speaks. `runtime` cuts a connection into frames and checks them.
///
/// Invariants: messages are immutable; the codec refuses what it does not know and checks every
/// field that it reads. The package knows what is said and not who says it: no replica, no
/// coordinator.
///
/// Threads: any.
@NullMarked
package dev.tern.core.wire;

import org.jspecify.annotations.NullMarked;
