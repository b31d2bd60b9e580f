/// What the tests of several modules share: golden files of formats, and scenes that are written
/// down word for word. The classes use JUnit and the test's own directory.
///
/// ```
///   src/test/resources/golden/NAME  <-- Golden:      the bytes of a format
///   src/test/resources/DIR/SCENE    <-- Transcripts: commands and what comes of them
/// ```
///
/// Invariants: main code never uses this package; a golden file that was committed never changes.
///
/// Threads: the test's.
@NullMarked
package dev.tern.testing;

import org.jspecify.annotations.NullMarked;
