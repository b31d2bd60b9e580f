package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.tern.core.topology.Slots;
import dev.tern.core.wire.ScanCursor;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/// A walk through all keys of the keyspace where the last write wins, page by page, by any nodes,
/// beside writes and faults. What a page shows had a value while the page was asked for; a key that
/// no page shows had none at some moment of the pages where its slot was. A key may be shown twice.
/// A page that is refused is asked for again from the same cursor.
final class KeyWalk {
  private final ClusterRun run;

  /// Pages so far, and the keys on them.
  private final List<Page> pages = new ArrayList<>();

  private final Set<String> shown = new TreeSet<>();
  private long cursor;
  private int lossesAtStart;

  /// A page that was answered.
  ///
  /// @param from its cursor
  /// @param to the cursor of the next one
  private record Page(long from, long to, long began, long ended) {
    boolean covers(int slot) {
      return ScanCursor.slot(from) <= slot && slot <= ScanCursor.slot(to - 1);
    }
  }

  KeyWalk(ClusterRun run) {
    this.run = run;
    this.lossesAtStart = run.history.losses();
  }

  /// Where the next page begins.
  long cursor() {
    return cursor;
  }

  /// The keys that the pages so far have shown.
  Set<String> shown() {
    return shown;
  }

  /// A page from [#cursor] on was answered.
  ///
  /// @param next as it was told: 0 behind the last page
  /// @param began when it was asked for
  /// @return whether the walk is over; the next page begins another one then
  boolean page(List<String> keys, long next, long began) {
    long now = run.world.nanos();
    long to = next == 0 ? ScanCursor.END : next;
    if (to <= cursor) {
      throw new History.Violation("a page of SCAN leads from %d to %d".formatted(cursor, next));
    }
    Page page = new Page(cursor, to, began, now);
    pages.add(page);
    for (String key : keys) {
      if (!page.covers(slot(key))) {
        throw new History.Violation(
            "a page of SCAN from %d to %d shows %s of slot %d"
                .formatted(cursor, to, key, slot(key)));
      }
      shown.add(key);
      if (run.history.knows(key)) {
        run.history.listed(key, /* present= */ true, began, now, met());
      } else if (!run.isOtherKey(key)) {
        throw new History.Violation("SCAN shows " + key + ", which nobody wrote");
      }
    }
    cursor = next;
    if (next != 0) {
      return false;
    }
    for (String key : run.history.keys()) {
      if (!shown.contains(key)) {
        missed(key);
      }
    }
    return true;
  }

  /// Begins anew.
  void restart() {
    cursor = 0;
    pages.clear();
    shown.clear();
    lossesAtStart = run.history.losses();
  }

  private void missed(String key) {
    long began = Long.MAX_VALUE;
    long ended = 0;
    for (Page page : pages) {
      if (page.covers(slot(key))) {
        began = Math.min(began, page.began());
        ended = page.ended();
      }
    }
    run.history.listed(key, /* present= */ false, began, ended, met());
  }

  /// Replicas that each page has met and that have not lost anything since the walk began.
  private int met() {
    return Math.max(0, run.shape.r() - (run.history.losses() - lossesAtStart));
  }

  private static int slot(String key) {
    return Slots.of(key.getBytes(US_ASCII));
  }
}
