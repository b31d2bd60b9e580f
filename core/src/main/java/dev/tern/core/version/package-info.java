/// Versions of values and the clocks that order and count them.
///
/// ```
///   accepted write --> dot (replica id, counter)   who made it: counted by DotSet
///                  \-> stamp (HybridClock)         what wins in last-write-wins keyspaces
/// ```
///
/// Invariants: a dot names one version for ever; two versions with the same stamp and replica id
/// are the same version; a clock never claims a dot that its store does not hold or has not held.
///
/// Threads: values are immutable; clocks belong to a shard's loop.
@NullMarked
package dev.tern.core.version;

import org.jspecify.annotations.NullMarked;
