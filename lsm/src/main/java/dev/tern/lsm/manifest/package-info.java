/// Which files make up the store: the manifest and `CURRENT`.
///
/// The options of a column family are numbers here; what they mean is said by `dev.tern.lsm`, whose
/// names embedders use.
///
/// Invariants:
/// - an edit is durable before anything relies on it;
/// - every file that an edit names is named with its life.
///
/// Threads: the caller's lock guards it; all of it blocks. Uses: `file`, `log`, `table`.
@NullMarked
package dev.tern.lsm.manifest;

import org.jspecify.annotations.NullMarked;
