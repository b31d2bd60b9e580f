package dev.tern.lsm.compaction;

import dev.tern.lsm.entry.Cursor;
import dev.tern.lsm.entry.Keys;
import dev.tern.lsm.entry.Kind;
import dev.tern.lsm.entry.RangeTombstones;
import dev.tern.lsm.table.TableWriter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What a flush and a compaction do with the entries of their inputs: keep of each key what
/// somebody can still see, and write that to tables.
///
/// Snapshots cut the sequences into stripes; nobody can tell apart two versions of a key in the
/// same stripe, so the newest of each stripe is kept. A deletion whose key lies in no older table
/// goes once all snapshots see it; so does what has expired. A value that nobody can see changed
/// any more gets sequence 0, which compresses better.
///
/// One thread.
public final class Merge {
  /// How often the pace is looked at.
  private static final int PACE_BYTES = 256 << 10;

  /// Makes the tables that come out.
  public interface Outputs {
    TableWriter begin() throws IOException;

    void end(TableWriter writer) throws IOException;

    /// Told of bytes written, now and then; may take its time.
    void pace(long bytes) throws IOException;
  }

  private final Cursor in;
  private final RangeTombstones tombstones;

  /// Ascending.
  private final long[] snapshots;

  /// Whether no older table has keys of this range.
  private final boolean last;

  private final long wallMillis;
  private final long tableBytes;
  private final Outputs outputs;
  private byte[] key = new byte[64];
  private int keyLength = -1;
  private @Nullable TableWriter writer;

  /// The deleted ranges that somebody can see, in order of their starts, and how many are written.
  private final List<RangeTombstones.Range> ranges;

  private int rangesWritten;

  /// What is left of those that reach beyond the table that was written last.
  private List<RangeTombstones.Range> reaching = new ArrayList<>();

  private long pacedBytes;

  public Merge(
      Cursor in,
      RangeTombstones tombstones,
      long[] snapshots,
      boolean last,
      long wallMillis,
      long tableBytes,
      Outputs outputs) {
    this.in = in;
    this.tombstones = tombstones;
    this.snapshots = snapshots;
    this.last = last;
    this.wallMillis = wallMillis;
    this.tableBytes = tableBytes;
    this.outputs = outputs;
    this.ranges = tombstones.visible(snapshots);
    for (int i = 1; i < snapshots.length; i++) {
      if (snapshots[i - 1] >= snapshots[i]) {
        throw new IllegalStateException("snapshots that do not ascend");
      }
    }
    for (int i = 1; i < ranges.size(); i++) {
      assert Arrays.compareUnsigned(ranges.get(i - 1).from(), ranges.get(i).from()) <= 0
          : "deleted ranges that are not in order of their starts";
    }
  }

  public void run() throws IOException {
    int lastStripe = -1;
    for (in.seek(null); in.valid; in.next()) {
      boolean newKey = keyLength < 0 || in.compareKey(key, keyLength) != 0;
      if (newKey) {
        keep();
        cutIfFull();
      }
      int stripe = stripe(in.sequence);
      if (!newKey && stripe == lastStripe) {
        continue;
      }
      lastStripe = stripe;
      long visible = stripe < snapshots.length ? snapshots[stripe] : Long.MAX_VALUE;
      if (tombstones.covering(key, 0, keyLength, visible) > in.sequence) {
        continue;
      }
      write(stripe);
    }
    cut(null);
  }

  private void keep() {
    keyLength = in.keyLength;
    if (key.length < keyLength) {
      key = new byte[keyLength * 2];
    }
    System.arraycopy(in.key, in.keyOffset, key, 0, keyLength);
  }

  /// The first snapshot that sees a sequence; their number if none does.
  private int stripe(long sequence) {
    int at = 0;
    while (at < snapshots.length && snapshots[at] < sequence) {
      at++;
    }
    return at;
  }

  private void write(int stripe) throws IOException {
    boolean settled = last && stripe == 0;
    int kind = in.kind;
    if (kind == Kind.EXPIRING_PUT && in.valueHead() <= wallMillis) {
      kind = Kind.DELETE;
    }
    if (kind == Kind.DELETE && settled) {
      return;
    }
    if (writer == null) {
      writer = outputs.begin();
    }
    writer.add(in, settled ? 0 : in.sequence, kind);
    long ahead = writer.bytes() - pacedBytes;
    if (ahead >= PACE_BYTES) {
      outputs.pace(ahead);
      pacedBytes = writer.bytes();
    }
  }

  private void cutIfFull() throws IOException {
    if (writer != null && writer.bytes() >= tableBytes) {
      cut(java.util.Arrays.copyOf(key, keyLength));
    }
  }

  /// Ends the table being written, with the deleted ranges up to `to` (null: all that is left).
  private void cut(byte @Nullable [] to) throws IOException {
    for (RangeTombstones.Range range : rangesUpTo(to)) {
      if (!last || stripe(range.sequence()) > 0) {
        if (writer == null) {
          writer = outputs.begin();
        }
        writer.add(range);
      }
    }
    if (writer != null) {
      outputs.end(writer);
      outputs.pace(Math.max(0, writer.bytes() - pacedBytes));
      writer = null;
      pacedBytes = 0;
    }
  }

  private List<RangeTombstones.Range> rangesUpTo(byte @Nullable [] to) {
    List<RangeTombstones.Range> left = reaching;
    reaching = new ArrayList<>();
    while (rangesWritten < ranges.size()
        && (to == null || Keys.compare(ranges.get(rangesWritten).from(), to) < 0)) {
      left.add(ranges.get(rangesWritten++));
    }
    List<RangeTombstones.Range> taken = new ArrayList<>();
    for (RangeTombstones.Range range : left) {
      if (to == null || Keys.compare(range.to(), to) <= 0) {
        taken.add(range);
      } else {
        taken.add(new RangeTombstones.Range(range.from(), to, range.sequence()));
        reaching.add(new RangeTombstones.Range(to, range.to(), range.sequence()));
      }
    }
    return taken;
  }
}
