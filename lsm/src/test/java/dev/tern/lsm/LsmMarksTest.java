package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.tern.env.CoverageMarks;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// Which rare states of a store the seeds of which test must reach: what goes wrong there would be
/// seen. The tests begin with [CoverageMarks#clear] and end with [#assertReached].
class LsmMarksTest {
  /// By the model of a sorted map.
  static final Set<LsmMark> BY_MODEL =
      EnumSet.of(
          LsmMark.DELETED_RANGES_FLUSHED,
          LsmMark.REFRESHED_OVER_CHANGE,
          LsmMark.CHECKPOINT_BESIDE_JOB);

  /// By power cuts at each operation.
  static final Set<LsmMark> BY_CRASHES =
      EnumSet.of(LsmMark.TORN_TAIL_DROPPED, LsmMark.FLUSH_FAILED);

  /// By logs that scripts damage.
  static final Set<LsmMark> BY_DAMAGED_LOGS = EnumSet.of(LsmMark.LOG_BEHIND_HOLE_DROPPED);

  /// By errors of the disk at each operation.
  static final Set<LsmMark> BY_SICK_DISKS =
      EnumSet.of(LsmMark.TABLE_SET_ASIDE, LsmMark.MANIFEST_BEGUN_ANEW, LsmMark.WRITE_DELAYED);

  static void assertReached(Set<LsmMark> marks) {
    assertEquals(
        List.of(),
        marks.stream().filter(mark -> !CoverageMarks.isReached(mark)).toList(),
        "no seed reaches these");
  }

  @Test
  void eachStateIsSomeTests() {
    Set<LsmMark> all = EnumSet.copyOf(BY_MODEL);
    all.addAll(BY_CRASHES);
    all.addAll(BY_SICK_DISKS);
    all.addAll(BY_DAMAGED_LOGS);
    assertEquals(EnumSet.allOf(LsmMark.class), all);
  }
}
