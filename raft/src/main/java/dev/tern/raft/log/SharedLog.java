package dev.tern.raft.log;

import dev.tern.env.ByteWriter;
import dev.tern.env.DiskFull;
import dev.tern.env.EventLoop;
import dev.tern.env.FileHeader;
import dev.tern.env.FileKind;
import dev.tern.env.FileLife;
import dev.tern.env.FileLives;
import dev.tern.env.FileSystem;
import dev.tern.env.SmallFile;
import dev.tern.raft.Effect;
import dev.tern.raft.Membership;
import dev.tern.raft.Recovered;
import dev.tern.raft.SnapshotMark;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// The log of all groups of a shard. All writes that wait when the disk is free share one fsync.
///
/// ```
///   append(group, write) -> waiting --(disk free)--> job: frames, one append, one force --> done
///   segment n is full -> segment n+1: header, checkpoint (each group's state, mark, base), frames
///                        -> segments that no group needs are deleted
/// ```
///
/// Each segment begins with a checkpoint, so a segment is needed only for the entries in it that
/// lie above their group's base. A group that stays behind pins segments: [#pinning] names it, and
/// its owner compacts it.
///
/// A failure to write is final, as nobody knows what the disk holds: all writes that wait fail, and
/// all later ones. But for a disk without room: the group of writes is kept, and [#retry] writes
/// the segment anew, with them, into another file. Until then [#notReady] says why.
///
/// Threads: the shard's loop; files are written in jobs, one at a time.
public final class SharedLog {
  /// Told on the loop when a write is durable, or with what happened.
  @FunctionalInterface
  public interface Completion {
    void complete(@Nullable Throwable failure);
  }

  /// Figures of the log since its opening.
  ///
  /// @param writes of groups
  /// @param forces of files
  /// @param bytes appended, frames included
  /// @param segments there are
  public record Statistics(long writes, long forces, long bytes, int segments) {}

  private record Waiting(LogRecord.Write write, Completion done) {}

  private final FileSystem files;
  private final EventLoop loop;
  private final String directory;
  private final long segmentBytes;
  private final FileLives lives;

  /// The life of the first segment there was.
  private final FileLife log;

  private final TreeMap<Integer, GroupState> groups = new TreeMap<>();

  /// Segments by number: every one from the first needed on. The last one is being written.
  private final TreeMap<Long, Segment> segments = new TreeMap<>();

  /// Writes that were handed over and not written, in order; bounded by what groups have under way.
  private ArrayDeque<Waiting> waiting = new ArrayDeque<>();

  /// Whether a job owns the file; at most one job does.
  private boolean writing;

  private boolean scheduled;
  private @Nullable Throwable failure;

  /// The last segment's file; null before the first segment of this life could be made.
  private FileSystem.@Nullable WritableFile file;

  /// What the opening could not finish for lack of room; null once it has.
  private @Nullable Opening opening;

  /// The group that could not be written for lack of room; null for none.
  private @Nullable Attempt stuck;

  /// Whether the last segment's file cannot be appended to: the next group begins a new one.
  private boolean ended;

  private @Nullable String notReady;

  /// What an opening found, and how the first segment of this life begins.
  private record Opening(Recovery recovery, Roll roll) {}

  /// A group of writes on its way to the disk.
  ///
  /// @param life of the segment that takes them
  /// @param from the end of that segment before them
  /// @param roll how that segment begins if it is new, null if it is there
  private record Attempt(
      ArrayDeque<Waiting> group,
      List<byte[]> payloads,
      long number,
      FileLife life,
      long from,
      @Nullable Roll roll) {}

  /// The buffer of the job that writes.
  private final ByteWriter buffer = new ByteWriter(16 << 10);

  /// Length of the last segment in bytes; all of them are forced when no job runs.
  private long end;

  private long writes;
  private long forces;
  private long bytes;

  private SharedLog(
      FileSystem files, EventLoop loop, String directory, long segmentBytes, FileLives lives)
      throws IOException {
    this.files = files;
    this.loop = loop;
    this.directory = directory;
    this.segmentBytes = segmentBytes;
    this.lives = lives;
    files.createDirectories(directory);
    Recovery recovery = Recovery.run(files, directory, groups, segments);
    FileLife life = lives.next();
    this.log = recovery.last() == 0 ? life : recovery.log();
    Before before = new Before(recovery.last(), recovery.lastLife(), recovery.lastBytes());
    Roll roll = roll(recovery.nextNumber(), life, before);
    this.opening = new Opening(recovery, roll);
    try {
      opened(prepare(opening));
    } catch (IOException e) {
      if (!DiskFull.is(e)) {
        throw e;
      }
      this.notReady = e.getMessage();
    }
  }

  /// Settles what was found and begins the first segment of this life. Blocks; once it has failed
  /// for lack of room it is tried again.
  private Long prepare(Opening from) throws IOException {
    if (from.recovery().last() > 0) {
      settle(from.recovery().last(), (int) from.recovery().lastBytes());
    }
    String path = path(from.roll().number());
    if (file != null) {
      file.close();
      file = null;
    }
    if (files.exists(path)) {
      files.delete(path);
    }
    file = files.create(path);
    return begin(from.roll(), List.of());
  }

  private void opened(long newEnd) {
    end = newEnd;
    forces = 1;
    bytes = newEnd;
    opening = null;
    notReady = null;
  }

  /// Why nothing can be written yet, as the disk is full; null if it can. Where it was full when
  /// this was opened nobody may go by what was found: nobody knows whether the disk holds it.
  public @Nullable String notReady() {
    return notReady;
  }

  /// Tries again what lacked room; the owner calls it now and then.
  public void retry() {
    Opening from = opening;
    Attempt again = stuck;
    if (writing || from == null && again == null) {
      return;
    }
    writing = true;
    if (again != null) {
      loop.<Long>offload(
          () -> rewrite(again), (newEnd, failed) -> written(again, newEnd, failed, true));
      return;
    }
    loop.<Long>offload(
        () -> prepare(Objects.requireNonNull(from)),
        (newEnd, failed) -> {
          writing = false;
          if (newEnd != null) {
            opened(newEnd);
            flush();
          } else {
            notReady = String.valueOf(failed == null ? null : failed.getMessage());
          }
        });
  }

  /// Makes durable what was found in the last segment: an earlier life may have ended before, or
  /// at, its fsync, and nobody can tell what of it the disk holds. From here on others count on it.
  /// A copy is durable for certain; a second fsync of the same file proves nothing.
  private void settle(long number, int length) throws IOException {
    ByteBuffer valid = ByteBuffer.wrap(Segment.readAll(files, path(number)), 0, length);
    SmallFile.replace(files, directory, Segment.name(number), valid);
  }

  /// Reads what is there, and begins a new segment after it. Blocks.
  ///
  /// @param segmentBytes after which a new segment begins
  /// @param lives of new segments
  /// @throws RaftLogException if what was durable is damaged
  public static SharedLog open(
      FileSystem files, EventLoop loop, String directory, long segmentBytes, FileLives lives)
      throws IOException {
    return new SharedLog(files, loop, directory, segmentBytes, lives);
  }

  private String path(long number) {
    return directory + "/" + Segment.name(number);
  }

  /// The groups that are in the log.
  public List<Integer> groups() {
    return List.copyOf(groups.keySet());
  }

  /// What a group finds when it starts; called once a group, before anything is written for it.
  ///
  /// @param founding the membership if nothing else is known
  public Recovered recovered(int group, Membership founding) {
    GroupState state = groups.get(group);
    if (state == null) {
      return Recovered.nothing(founding);
    }
    Recovered recovered = state.recovered(new SnapshotMark(0, 0, founding));
    state.entries = new TreeMap<>();
    if (recovered == null) {
      throw new IllegalStateException("group " + group + " was checked when the log was opened");
    }
    return recovered;
  }

  public Statistics statistics() {
    return new Statistics(writes, forces, bytes, segments.size());
  }

  /// Writes what a member of a group wants persisted; the completions of a group come in order.
  public void append(int group, Effect.Persist write, Completion done) {
    submit(
        new LogRecord.Write(group, write.reset(), null, write.entries(), write.state(), false),
        done);
  }

  /// A snapshot of a group is durable; its entries up to `base` are not needed any more.
  public void compact(int group, SnapshotMark mark, long base, long baseTerm, Completion done) {
    LogRecord.Compacted compacted = new LogRecord.Compacted(mark, base, baseTerm);
    submit(new LogRecord.Write(group, null, compacted, List.of(), null, false), done);
  }

  /// Forgets a group, durably.
  public void drop(int group, Completion done) {
    submit(new LogRecord.Write(group, null, null, List.of(), null, true), done);
  }

  private void submit(LogRecord.Write write, Completion done) {
    waiting.add(new Waiting(write, done));
    writes++;
    if (!writing && !scheduled) {
      // After what the loop has queued already: its writes share the fsync.
      scheduled = true;
      loop.execute(this::flush);
    }
  }

  /// Groups with entries in the oldest segments, as long as there are more than `kept`.
  public List<Integer> pinning(int kept) {
    List<Integer> found = new ArrayList<>();
    if (segments.size() > kept) {
      for (Map.Entry<Integer, Long> each : segments.firstEntry().getValue().lastIndex.entrySet()) {
        if (needs(each.getKey(), each.getValue())) {
          found.add(each.getKey());
        }
      }
    }
    return found;
  }

  private boolean needs(int group, long lastIndex) {
    GroupState state = groups.get(group);
    return state != null && lastIndex > state.baseIndex;
  }

  // ---- writing

  /// How a segment begins.
  private record Roll(long number, FileLife life, byte[] header, List<Long> unneeded) {}

  /// The segment before: number, life and valid bytes; 0 if there is none.
  private record Before(long number, FileLife life, long bytes) {}

  private void flush() {
    scheduled = false;
    if (writing || opening != null || stuck != null || waiting.isEmpty()) {
      return;
    }
    ArrayDeque<Waiting> group = waiting;
    waiting = new ArrayDeque<>();
    if (failure != null) {
      tell(group, failure);
      return;
    }
    Segment last = segments.lastEntry().getValue();
    Before before = new Before(last.number, last.life, end);
    boolean full = ended || end >= segmentBytes;
    Roll roll = full ? roll(last.number + 1, lives.next(), before) : null;
    List<byte[]> payloads = new ArrayList<>(group.size());
    ByteWriter one = new ByteWriter();
    for (Waiting each : group) {
      LogRecord.encode(each.write(), one.clear());
      payloads.add(one.toByteArray());
      Recovery.apply(each.write(), groups, segments, false);
    }
    Attempt attempt =
        roll == null
            ? new Attempt(group, payloads, last.number, last.life, end, null)
            : new Attempt(group, payloads, roll.number(), roll.life(), 0, roll);
    writing = true;
    loop.<Long>offload(
        () -> roll == null ? write(last.life, payloads) : begin(next(roll), payloads),
        (newEnd, failed) -> written(attempt, newEnd, failed, false));
  }

  /// @param anew whether it was written into another file
  private void written(Attempt attempt, @Nullable Long to, @Nullable Throwable why, boolean anew) {
    writing = false;
    if (to == null && DiskFull.is(why)) {
      stuck = attempt;
      notReady = String.valueOf(Objects.requireNonNull(why).getMessage());
      return;
    }
    stuck = null;
    notReady = null;
    failure = why;
    if (to != null) {
      forces++;
      bytes += to - attempt.from();
      end = to;
      ended = anew && attempt.roll() == null;
    }
    tell(attempt.group(), why);
    if (!waiting.isEmpty() && !scheduled) {
      flush();
    }
  }

  private static void tell(ArrayDeque<Waiting> group, @Nullable Throwable why) {
    for (Waiting each : group) {
      each.done().complete(why);
    }
  }

  /// Decides, on the loop, how the next segment begins, before the group of writes that it will
  /// take: the checkpoint holds what came before them.
  private Roll roll(long number, FileLife life, Before before) {
    Segment next = new Segment(number, life);
    List<Long> unneeded = new ArrayList<>();
    long firstNeeded = number;
    for (Segment segment : segments.values()) {
      segment.lastIndex.entrySet().removeIf(each -> !needs(each.getKey(), each.getValue()));
      if (firstNeeded == number && segment.lastIndex.isEmpty()) {
        unneeded.add(segment.number);
      } else {
        firstNeeded = Math.min(firstNeeded, segment.number);
      }
    }
    unneeded.forEach(segments::remove);
    segments.put(number, next);
    List<LogRecord.Write> checkpoint = new ArrayList<>();
    groups.forEach((group, state) -> checkpoint.add(checkpoint(group, state)));
    ByteWriter out = new ByteWriter();
    LogRecord.encode(
        new LogRecord.Header(
            log, firstNeeded, before.number(), before.life(), before.bytes(), checkpoint),
        out);
    return new Roll(number, life, out.toByteArray(), unneeded);
  }

  private static LogRecord.Write checkpoint(int group, GroupState state) {
    LogRecord.Compacted compacted =
        new LogRecord.Compacted(state.mark, state.baseIndex, state.baseTerm);
    return new LogRecord.Write(group, null, compacted, List.of(), state.state, false);
  }

  // ---- jobs: nothing else touches the file meanwhile

  private Long write(FileLife life, List<byte[]> payloads) throws IOException {
    ByteWriter out = buffer.clear();
    for (byte[] payload : payloads) {
      Segment.frame(life, end, payload, out);
    }
    appendAndForce(out);
    return end + out.length();
  }

  /// Writes what lacked room. Of the file that was written to nobody knows what the disk holds
  /// behind what was forced before: a segment that was there is copied up to that, and the copy,
  /// which has the group too, takes its name. A new one is made once more.
  private Long rewrite(Attempt attempt) throws IOException {
    Roll roll = attempt.roll();
    if (file != null) {
      file.close();
      file = null;
    }
    String path = path(attempt.number());
    if (roll != null) {
      if (files.exists(path)) {
        files.delete(path);
      }
      file = files.create(path);
      return begin(roll, attempt.payloads());
    }
    ByteWriter out = buffer.clear();
    out.writeBytes(Segment.readAll(files, path), 0, (int) attempt.from());
    for (byte[] payload : attempt.payloads()) {
      Segment.frame(attempt.life(), attempt.from(), payload, out);
    }
    ByteBuffer all = ByteBuffer.wrap(out.array(), 0, out.length());
    SmallFile.replace(files, directory, Segment.name(attempt.number()), all);
    return (long) out.length();
  }

  private Roll next(Roll roll) throws IOException {
    if (file != null) {
      file.close();
      file = null;
    }
    file = files.create(path(roll.number()));
    return roll;
  }

  private Long begin(Roll roll, List<byte[]> payloads) throws IOException {
    FileLife life = roll.life();
    ByteWriter out = buffer.clear();
    FileHeader.of(FileKind.RAFT_SEGMENT, life).encode(out);
    appendAndForce(out);
    out.clear();
    Segment.frame(life, FileHeader.BYTES, roll.header(), out);
    for (byte[] payload : payloads) {
      Segment.frame(life, FileHeader.BYTES, payload, out);
    }
    appendAndForce(out);
    files.forceDirectory(directory);
    for (long number : roll.unneeded()) {
      files.delete(path(number));
    }
    return FileHeader.BYTES + (long) out.length();
  }

  private void appendAndForce(ByteWriter out) throws IOException {
    current().append(ByteBuffer.wrap(out.array(), 0, out.length()));
    current().force();
  }

  private FileSystem.WritableFile current() {
    return Objects.requireNonNull(file);
  }

  /// Closes the file; nothing may be under way.
  public void close() throws IOException {
    if (file != null) {
      file.close();
    }
  }
}
