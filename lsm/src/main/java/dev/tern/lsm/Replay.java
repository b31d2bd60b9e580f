package dev.tern.lsm;

import dev.tern.env.ByteReader;
import dev.tern.env.CoverageMarks;
import dev.tern.env.DecodeException;
import dev.tern.env.FileSystem;
import dev.tern.lsm.entry.BatchEntries;
import dev.tern.lsm.file.CorruptionException;
import dev.tern.lsm.file.StoreFiles;
import dev.tern.lsm.log.LogFile;
import dev.tern.lsm.log.NamedLog;
import dev.tern.lsm.manifest.Manifest;
import dev.tern.lsm.read.ReadState;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Reads the logs that a manifest names into memtables; see [Recovery] for what counts. One thread.
final class Replay {
  private final FileSystem files;
  private final String directory;

  /// A planted mistake.
  private final boolean trusting;

  private final Manifest.State manifest;
  private final ReadState.@Nullable Family[] families;

  /// The logs up to the hole, if there is one: what was replayed lies in them.
  final List<Long> replayed = new ArrayList<>();

  final List<LogLoss> losses = new ArrayList<>();

  /// The last sequence without a hole before it.
  private long last;

  private boolean hole;

  /// @param families whose memtables take the entries
  Replay(Tools tools, Manifest.State manifest, ReadState.@Nullable Family[] families) {
    this.files = tools.files();
    this.directory = tools.directory();
    this.trusting = tools.planted(LsmBug.LOG_ENDS_NOT_CHECKED);
    this.manifest = manifest;
    this.families = families;
    this.last = manifest.flushedSequence;
  }

  boolean isNamed(long number) {
    return manifest.logs.stream().anyMatch(log -> log.number() == number);
  }

  /// Replays all of them; the last sequence.
  long run() throws IOException {
    String before = directory;
    long endBefore = 0;
    for (NamedLog log : manifest.logs) {
      String path = StoreFiles.logPath(directory, log.number());
      boolean behindHole = hole;
      LogFile.Ending ending = read(path, log);
      if (hole && ending.synced()) {
        throw new CorruptionException(
            before, endBefore, "%s was forced and goes on after sequence %d".formatted(path, last));
      }
      assert ending.clean() || CoverageMarks.reach(LsmMark.TORN_TAIL_DROPPED);
      assert !hole || CoverageMarks.reach(LsmMark.LOG_BEHIND_HOLE_DROPPED);
      if (hole) {
        note(path, 0, ending.at() + ending.droppedBytes(), ending.droppedChunks());
      } else {
        note(path, ending.at(), ending.droppedBytes(), ending.droppedChunks());
      }
      if (!behindHole && !hole) {
        before = path;
        endBefore = ending.at();
        replayed.add(log.number());
      }
    }
    return last;
  }

  private void note(String path, long offset, long bytes, int chunks) {
    if (bytes > 0) {
      losses.add(new LogLoss(path, offset, bytes, chunks));
    }
  }

  private LogFile.Ending read(String path, NamedLog log) throws IOException {
    if (!files.exists(path)) {
      throw new CorruptionException(path, 0, "the manifest names this log and it is missing");
    }
    LogFile.Ending ending;
    try {
      ending = LogFile.read(files, path, log.life(), this::replay);
    } catch (DecodeException e) {
      throw new CorruptionException(path, 0, String.valueOf(e.getMessage()));
    }
    if (ending.at() < log.forcedBytes() && !trusting) {
      throw new CorruptionException(
          path, ending.at(), "it ends here, and %d bytes were forced".formatted(log.forcedBytes()));
    }
    return ending;
  }

  private void replay(ByteReader entry) {
    while (entry.remaining() > 0 && !hole) {
      long next = batch(entry);
      hole = next < 0;
      last = Math.max(last, next - 1);
    }
  }

  /// Replays one batch; the sequence after it, -1 if some are missing before it.
  private long batch(ByteReader in) {
    long first = new ByteReader(in.array(), in.position(), in.remaining()).readLong();
    if (first > last + 1) {
      return -1;
    }
    BatchEntries entries = new BatchEntries();
    entries.begin(in);
    while (entries.next()) {
      int family = entries.family;
      ReadState.Family target = family >= 0 && family < families.length ? families[family] : null;
      if (target == null) {
        throw new DecodeException("an entry of column family " + family);
      }
      if (entries.sequence > manifest.flushedSequence) {
        target.active().apply(entries);
      }
    }
    return entries.sequence + 1;
  }
}
