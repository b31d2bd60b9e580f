package dev.tern.core.version;

import dev.tern.core.version.ClusterTime.Clocks;
import dev.tern.core.version.ClusterTime.Difference;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/// What an operator is told of clocks that differ: a line when one passes [#FROM_MILLIS], and one
/// when it is below [#TO_MILLIS] again. On one thread.
public final class ClockAlarms {
  /// From here on a clock is called wrong, milliseconds from the median.
  public static final long FROM_MILLIS = 2_000;

  /// Below this it is called right again, milliseconds.
  public static final long TO_MILLIS = 1_000;

  private final TreeSet<Integer> wrong = new TreeSet<>();
  private boolean unset;

  /// Looks at the clocks as they are now; what there is to be told.
  public List<String> look(Clocks clocks) {
    List<String> lines = new ArrayList<>();
    for (Difference each : clocks.members()) {
      long off = Math.abs(each.millis());
      if (off >= FROM_MILLIS && wrong.add(each.member())) {
        lines.add(
            "the clock of node %d is %s the median of the members' clocks; check its time service"
                .formatted(each.member(), words(each.millis())));
      } else if (off < TO_MILLIS && wrong.remove(each.member())) {
        lines.add("the clock of node %d agrees with the others again".formatted(each.member()));
      }
    }
    wrong.removeIf(member -> clocks.members().stream().noneMatch(each -> each.member() == member));
    boolean none = !clocks.set() && !wrong.isEmpty();
    if (none && !unset) {
      lines.add(
          "no majority of the members' clocks agrees: values are not removed for their age, and"
              + " hidden only when all clocks say that their time has passed");
    } else if (unset && clocks.set()) {
      lines.add("the time is known again: values go when their time has passed");
    }
    unset = none || unset && !clocks.set();
    return lines;
  }

  private static String words(long millis) {
    return "%.1f s %s".formatted(Math.abs(millis) / 1e3, millis < 0 ? "behind" : "ahead of");
  }
}
