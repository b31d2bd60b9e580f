package dev.tern.lsm;

import dev.tern.lsm.log.LogSync;
import java.util.List;
import jdk.jfr.Category;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/// What Java Flight Recorder sees of a store. They cost nothing while no recording asks for them.
final class Events {
  private Events() {}

  /// Makes one of each, before anything depends on it: a class whose first use fails, for want of
  /// memory, can never be used again.
  static void load() {
    List<Event> all =
        List.of(
            new Flush(),
            new Compaction(),
            new Ingest(),
            new BackgroundFailure(),
            new WriteDelay(),
            new LogSync());
    all.forEach(Event::begin);
  }

  /// Memtables became tables.
  @Name("dev.tern.lsm.Flush")
  @Label("LSM Flush")
  @Category({"Tern", "LSM"})
  @StackTrace(false)
  static final class Flush extends Event {
    @Label("Store")
    String store = "";

    @Label("Bytes Written")
    long bytes;
  }

  /// Tables from outside became readable.
  @Name("dev.tern.lsm.Ingest")
  @Label("LSM Ingest")
  @Category({"Tern", "LSM"})
  @StackTrace(false)
  static final class Ingest extends Event {
    @Label("Store")
    String store = "";

    @Label("Label of the Tables")
    String label = "";

    @Label("Tables")
    int tables;

    @Label("Bytes")
    long bytes;

    @Label("Replaces")
    boolean replaces;
  }

  /// Tables were merged, or went without being read.
  @Name("dev.tern.lsm.Compaction")
  @Label("LSM Compaction")
  @Category({"Tern", "LSM"})
  @StackTrace(false)
  static final class Compaction extends Event {
    @Label("Store")
    String store = "";

    @Label("Column Family")
    String family = "";

    @Label("Why")
    String why = "";

    @Label("Output Level")
    int level;

    @Label("Bytes Read")
    long bytesRead;

    @Label("Bytes Written")
    long bytesWritten;
  }

  /// A flush or a compaction failed and will be tried again.
  @Name("dev.tern.lsm.BackgroundFailure")
  @Label("LSM Background Failure")
  @Category({"Tern", "LSM"})
  @StackTrace(false)
  static final class BackgroundFailure extends Event {
    @Label("Store")
    String store = "";

    @Label("Failure")
    String failure = "";
  }

  /// A writer was held up because flushes or compactions are behind.
  @Name("dev.tern.lsm.WriteDelay")
  @Label("LSM Write Delay")
  @Category({"Tern", "LSM"})
  @StackTrace(false)
  static final class WriteDelay extends Event {
    @Label("Store")
    String store = "";
  }
}
