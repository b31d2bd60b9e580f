/// The files of a store's directory: names, whole reads, and the exception that says that a file is
/// damaged.
///
/// [CorruptionException] is the one name of the engine's interface that is not in `dev.tern.lsm`.
/// Every package that reads a file throws it, and a package below `dev.tern.lsm` cannot use a class
/// of that package without a cycle.
///
/// Invariants:
/// - a corruption names the file and the offset;
/// - a read returns all bytes that were asked for, or throws.
///
/// Threads: any; reads block. Uses: `env`.
@NullMarked
package dev.tern.lsm.file;

import org.jspecify.annotations.NullMarked;
