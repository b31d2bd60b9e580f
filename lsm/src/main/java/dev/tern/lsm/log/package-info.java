/// The write-ahead log: the format of one file, the sequence of files, and what the manifest shall
/// say of them.
///
/// ```
///   add --> group --handOver--> file (the operating system) --sync--> disk
/// ```
///
/// Invariants:
/// - appended >= logged >= synced;
/// - logs are forced in the order of their numbers;
/// - a group is read back whole or not at all;
/// - a force that fails is final.
///
/// Threads: methods marked so are called under the store's lock; a force lets that lock go. Uses:
/// `entry`, `file`.
@NullMarked
package dev.tern.lsm.log;

import org.jspecify.annotations.NullMarked;
