package dev.tern.raft.log;

import dev.tern.env.FileHeader;
import dev.tern.env.FileLife;
import dev.tern.env.FileSystem;
import dev.tern.raft.Membership;
import dev.tern.raft.SnapshotMark;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Reads the segments back: from the newest, whose header names the one before it and the oldest
/// that is needed.
///
/// @param nextNumber of the segment to begin
/// @param log the life of the log's first segment, [FileLife#NONE] if there is no log yet
/// @param last the newest segment that is whole from its start, 0 if there is none
/// @param lastLife of that segment
/// @param lastBytes how much of it is valid
record Recovery(long nextNumber, FileLife log, long last, FileLife lastLife, long lastBytes) {
  /// A segment to read; `end` is -1 for the last one.
  private record Link(long number, Segment.Start start, byte[] bytes, long end) {}

  private static final SnapshotMark NO_MARK = new SnapshotMark(0, 0, Membership.NOBODY);

  /// Reads the log back, and deletes the segments that are not needed.
  static Recovery run(
      FileSystem files,
      String directory,
      TreeMap<Integer, GroupState> groups,
      TreeMap<Long, Segment> segments)
      throws IOException {
    Recovery found = look(files, directory, groups, segments);
    for (Map.Entry<Long, String> each : segmentFiles(files, directory).entrySet()) {
      if (!segments.containsKey(each.getKey())) {
        files.delete(each.getValue());
      }
    }
    return found;
  }

  private static TreeMap<Long, String> segmentFiles(FileSystem files, String directory)
      throws IOException {
    TreeMap<Long, String> found = new TreeMap<>();
    for (String name : files.list(directory)) {
      if (Segment.number(name) >= 0) {
        found.put(Segment.number(name), directory + "/" + name);
      }
    }
    return found;
  }

  /// Reads the log back; writes nothing.
  static Recovery look(
      FileSystem files,
      String directory,
      TreeMap<Integer, GroupState> groups,
      TreeMap<Long, Segment> segments)
      throws IOException {
    TreeMap<Long, String> found = segmentFiles(files, directory);
    if (found.isEmpty()) {
      return new Recovery(1, FileLife.NONE, 0, FileLife.NONE, 0);
    }
    ArrayDeque<Link> chain = chain(files, directory, found);
    FileLife log = FileLife.NONE;
    long last = 0;
    FileLife lastLife = FileLife.NONE;
    long lastBytes = 0;
    for (Link link : chain) {
      log = link.start().header().log();
      lastLife = link.start().life();
      segments.put(link.number(), new Segment(link.number(), lastLife));
      String path = directory + "/" + Segment.name(link.number());
      lastBytes =
          Segment.read(
              path, link.bytes(), lastLife, link.end(), record -> read(record, groups, segments));
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
        checkOwn(files, each.getValue(), log);
      }
    }
    return new Recovery(found.lastKey() + 1, log, last, lastLife, lastBytes);
  }

  /// Looks at a segment that is not needed before it is deleted: another log's tells that files
  /// were mixed up.
  private static void checkOwn(FileSystem files, String path, FileLife log) throws IOException {
    Segment.Start start = Segment.start(path, Segment.readAll(files, path));
    if (start != null && !start.header().log().equals(log)) {
      throw foreign(path, start.header().log(), log);
    }
  }

  private static RaftLogException foreign(String path, FileLife found, FileLife log) {
    return new RaftLogException(
        path,
        0,
        ("a segment of log %s among those of log %s: files of two directories are mixed. Put the"
                + " right files back; or empty this node's data directory and let it join anew")
            .formatted(found, log));
  }

  /// The segments needed, oldest first; empty if none was ever completely begun.
  private static ArrayDeque<Link> chain(
      FileSystem files, String directory, TreeMap<Long, String> found) throws IOException {
    ArrayDeque<Link> chain = new ArrayDeque<>();
    Segment.@Nullable Start start = null;
    long number = 0;
    byte[] bytes = new byte[0];
    for (Map.Entry<Long, String> each : found.descendingMap().entrySet()) {
      bytes = Segment.readAll(files, each.getValue());
      number = each.getKey();
      start = Segment.start(each.getValue(), bytes);
      if (start != null) {
        break;
      }
    }
    long end = -1;
    long firstNeeded = start == null ? 0 : start.header().firstNeeded();
    while (start != null) {
      chain.addFirst(new Link(number, start, bytes, end));
      if (number == firstNeeded) {
        return chain;
      }
      LogRecord.Header header = start.header();
      end = header.bytesBefore();
      String path = found.get(header.before());
      if (path == null || header.before() >= number) {
        throw new RaftLogException(
            directory,
            0,
            "segment %d is missing, which segment %d needs; put it back, or empty this node's data directory and let it join anew"
                .formatted(header.before(), number));
      }
      bytes = Segment.readAll(files, path);
      start = Segment.start(path, bytes);
      check(path, start, header, number);
      number = header.before();
    }
    return chain;
  }

  /// Looks whether a segment is the one that the next one goes on from.
  private static void check(
      String path, Segment.@Nullable Start start, LogRecord.Header next, long nextNumber)
      throws RaftLogException {
    if (start == null) {
      throw new RaftLogException(path, 0, "it ends before its first frame does");
    }
    if (!start.header().log().equals(next.log())) {
      throw foreign(path, start.header().log(), next.log());
    }
    if (!start.life().equals(next.lifeBefore())) {
      String by = "segment " + nextNumber;
      throw new RaftLogException(path, 0, FileHeader.foreign(start.life(), next.lifeBefore(), by));
    }
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
