package dev.tern.core.raft.log;

import dev.tern.core.raft.Membership;
import dev.tern.core.raft.SnapshotMark;
import dev.tern.env.FileSystem;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Reads the segments back: from the newest, whose header names the one before it and the oldest
/// that is needed.
///
/// @param nextNumber of the segment to begin
/// @param last the newest segment that is whole from its start, 0 if there is none
/// @param lastBytes how much of it is valid
record Recovery(long nextNumber, long last, long lastBytes) {
  /// A segment to read; `end` is -1 for the last one.
  private record Link(long number, byte[] bytes, long end) {}

  private static final SnapshotMark NO_MARK = new SnapshotMark(0, 0, Membership.NOBODY);

  static Recovery run(
      FileSystem files,
      String directory,
      TreeMap<Integer, GroupState> groups,
      TreeMap<Long, Segment> segments)
      throws IOException {
    TreeMap<Long, String> found = new TreeMap<>();
    for (String name : files.list(directory)) {
      if (Segment.number(name) >= 0) {
        found.put(Segment.number(name), directory + "/" + name);
      }
    }
    if (found.isEmpty()) {
      return new Recovery(1, 0, 0);
    }
    ArrayDeque<Link> chain = chain(files, directory, found);
    long last = 0;
    long lastBytes = 0;
    for (Link link : chain) {
      segments.put(link.number(), new Segment(link.number()));
      String path = directory + "/" + Segment.name(link.number());
      lastBytes =
          Segment.read(
              path,
              link.bytes(),
              link.number(),
              link.end(),
              record -> read(record, groups, segments));
      last = link.number();
    }
    for (Map.Entry<Integer, GroupState> group : groups.entrySet()) {
      if (group.getValue().recovered(NO_MARK) == null) {
        throw new RaftLogException(
            directory, 0, "entries of group " + group.getKey() + " are missing");
      }
    }
    for (Map.Entry<Long, String> each : found.entrySet()) {
      if (!segments.containsKey(each.getKey())) {
        files.delete(each.getValue());
      }
    }
    return new Recovery(found.lastKey() + 1, last, lastBytes);
  }

  /// The segments needed, oldest first; empty if none was ever completely begun.
  private static ArrayDeque<Link> chain(
      FileSystem files, String directory, TreeMap<Long, String> found) throws IOException {
    ArrayDeque<Link> chain = new ArrayDeque<>();
    LogRecord.@Nullable Header header = null;
    long number = 0;
    byte[] bytes = new byte[0];
    for (Map.Entry<Long, String> each : found.descendingMap().entrySet()) {
      bytes = Segment.readAll(files, each.getValue());
      number = each.getKey();
      header = Segment.header(each.getValue(), bytes, number);
      if (header != null) {
        break;
      }
    }
    long end = -1;
    long firstNeeded = header == null ? 0 : header.firstNeeded();
    while (header != null) {
      chain.addFirst(new Link(number, bytes, end));
      if (number == firstNeeded) {
        return chain;
      }
      end = header.bytesBefore();
      number = header.before();
      String path = found.get(number);
      if (path == null) {
        throw new RaftLogException(directory, 0, "segment " + number + " is missing");
      }
      bytes = Segment.readAll(files, path);
      header = Segment.header(path, bytes, number);
      if (header == null) {
        throw new RaftLogException(path, 0, "its header is broken");
      }
    }
    return chain;
  }

  private static void read(
      LogRecord record, TreeMap<Integer, GroupState> groups, TreeMap<Long, Segment> segments) {
    switch (record) {
      case LogRecord.Header header ->
          header.checkpoint().forEach(write -> apply(write, groups, segments, true));
      case LogRecord.Write write -> apply(write, groups, segments, true);
    }
  }

  /// Brings what is known of the groups up to a write, whose entries lie in the last segment.
  static void apply(
      LogRecord.Write write,
      TreeMap<Integer, GroupState> groups,
      TreeMap<Long, Segment> segments,
      boolean keepEntries) {
    int group = write.group();
    if (write.dropped()) {
      groups.remove(group);
      segments.values().forEach(segment -> segment.lastIndex.remove(group));
      return;
    }
    GroupState state = groups.computeIfAbsent(group, number -> new GroupState());
    if (write.reset() != null) {
      state.reset(write.reset());
      segments.values().forEach(segment -> segment.lastIndex.remove(group));
    }
    LogRecord.Compacted compacted = write.compacted();
    if (compacted != null) {
      state.compact(compacted.mark(), compacted.baseIndex(), compacted.baseTerm());
    }
    if (!write.entries().isEmpty()) {
      segments.lastEntry().getValue().holds(group, write.entries().getLast().index());
      if (keepEntries) {
        state.put(write.entries());
      }
    }
    if (write.state() != null) {
      state.state = write.state();
    }
  }
}
