package dev.tern.env;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// Which rare states the runs of this JVM have reached ("coverage marks"). A test runs seeds of the
/// simulator and fails when a state is reached by none of them: the seeds would not notice what is
/// wrong there.
///
/// A module names its states by an enum, and marks one where the state is reached:
///
/// ```
/// assert CoverageMarks.reach(RaftMark.ENTRIES_REPLACED);
/// ```
///
/// A JVM without assertions, as in production, does nothing there. Nothing may depend on what was
/// reached but such a test, which begins with [#clear]: the set is one for all runs of the JVM.
///
/// Threads: any.
public final class CoverageMarks {
  private static final Set<Object> REACHED = ConcurrentHashMap.newKeySet();

  private CoverageMarks() {}

  /// Notes that a state was reached.
  ///
  /// @param mark a constant of an enum, or the class of an event
  /// @return true, so that the call can stand in an `assert`
  public static boolean reach(Object mark) {
    REACHED.add(mark);
    return true;
  }

  /// Forgets what was reached.
  public static void clear() {
    REACHED.clear();
  }

  /// Whether a state was reached since the last [#clear].
  public static boolean isReached(Object mark) {
    return REACHED.contains(mark);
  }
}
