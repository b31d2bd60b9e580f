package dev.tern.simulation;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// What clients wrote to a keyspace with siblings, and the causal graph of it: each write with what
/// its writer had been shown when it made it, directly or through what it was shown.
///
/// Rules, for what a read shows:
/// - nothing that nobody wrote, or that was refused;
/// - of the writes acknowledged before a strict read began, each is shown, or somebody tried to
///   replace it with what is shown, or with what is gone itself: deleted, at its time, or replaced;
/// - nothing that a write acknowledged before it began has replaced.
///
/// What was read of a delete is not told apart from other deletes, so a graph may miss edges
/// through deletes: the last rule sees less then, the others lose nothing.
final class SiblingHistory {
  /// A write somebody tried.
  static final class Write {
    final String value;
    final Set<String> past;
    final long began;
    long acknowledged = Long.MAX_VALUE;

    /// Acknowledged by nodes that hold it for others: reads may miss it before these have it.
    boolean sloppy;

    boolean refused;

    /// It has a time at which it goes.
    boolean expires;

    /// One that was made over this one, and was not refused so far; null while none is known.
    private @Nullable Write successor;

    Write(String value, Set<String> past, long began) {
      this.value = value;
      this.past = past;
      this.began = began;
    }

    @Override
    public String toString() {
      return value + (acknowledged == Long.MAX_VALUE ? "?" : "") + " over " + past;
    }
  }

  private final Map<String, Map<String, Write>> keys = new TreeMap<>();

  /// @param value unique; that of a delete is its name in the graph only
  /// @param shown what the writer's context showed
  Write begin(String key, String value, Set<String> shown, long now) {
    Map<String, Write> writes = keys.computeIfAbsent(key, first -> new LinkedHashMap<>());
    Set<String> past = new LinkedHashSet<>(shown);
    for (String each : shown) {
      past.addAll(of(writes, key, each).past);
    }
    Write write = new Write(value, past, now);
    writes.put(value, write);
    return write;
  }

  private static Write of(Map<String, Write> writes, String key, String value) {
    Write write = writes.get(value);
    if (write == null || write.refused) {
      throw new History.Violation("%s: %s was refused or came from nowhere".formatted(key, value));
    }
    return write;
  }

  /// Those of some values that have no time at which they go: nodes whose clocks differ may differ
  /// about the others.
  List<String> lasting(String key, List<String> values) {
    Map<String, Write> writes = keys.computeIfAbsent(key, first -> new LinkedHashMap<>());
    return values.stream().filter(value -> !of(writes, key, value).expires).toList();
  }

  Iterable<String> keys() {
    return new ArrayList<>(keys.keySet());
  }

  /// Checks what a read showed.
  ///
  /// @param strict whether it met all acknowledged writes
  void read(String key, List<String> shown, long began, long ended, boolean strict) {
    read(key, shown, began, ended, strict, /* last= */ false);
  }

  /// @param last whether all has come where it belongs
  void read(String key, List<String> shown, long began, long ended, boolean strict, boolean last) {
    Map<String, Write> writes = keys.computeIfAbsent(key, first -> new LinkedHashMap<>());
    for (String value : shown) {
      of(writes, key, value);
    }
    if (!strict) {
      return;
    }
    for (Write write : writes.values()) {
      if (write.acknowledged >= began || write.sloppy && !last) {
        continue;
      }
      boolean mayBeMissing = write.value.startsWith("-") || write.expires;
      if (!mayBeMissing && !shown.contains(write.value) && !replaced(writes, write, shown, ended)) {
        throw new History.Violation(
            "%s: %s was acknowledged, never replaced, and a read from %d us showed %s"
                .formatted(key, write, began / 1000, shown));
      }
      for (String value : shown) {
        if (write.past.contains(value)) {
          throw new History.Violation(
              "%s: %s was shown from %d us although %s had replaced it"
                  .formatted(key, value, began / 1000, write));
        }
      }
    }
  }

  /// Whether something that was written over a write explains that a read did not show it. Who was
  /// shown the write is younger, so the search ends.
  ///
  /// @param ended when the read had ended; what begins at that very moment may have come before it
  private static boolean replaced(
      Map<String, Write> writes, Write write, List<String> shown, long ended) {
    Write known = write.successor;
    if (known != null && !known.refused && known.began <= ended && isFinal(known)) {
      return true;
    }
    for (Write other : writes.values()) {
      boolean over = !other.refused && other.began <= ended && other.past.contains(write.value);
      if (over && (isFinal(other) || shown.contains(other.value))) {
        write.successor = other;
        return true;
      }
    }
    return false;
  }

  /// Whether reads need not show a write though nobody replaced it.
  private static boolean isFinal(Write write) {
    return write.expires || write.value.startsWith("-");
  }
}
