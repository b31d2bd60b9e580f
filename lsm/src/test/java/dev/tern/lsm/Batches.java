package dev.tern.lsm;

import dev.tern.env.ByteWriter;
import dev.tern.lsm.manifest.Manifest;

/// Batches as they lie in the log, for the tests of the packages below.
public final class Batches {
  private Batches() {}

  /// A column family of no store.
  public static ColumnFamily family(int id, String name) {
    return new ColumnFamily(Batches.class, id, name, FamilyOptions.DEFAULT);
  }

  /// Refuses an edit of the manifest that has a column family whose options are none.
  public static void check(Manifest.Edit edit) {
    FamilyOptions.check(edit);
  }

  /// A batch whose first entry has a sequence.
  public static ByteWriter encoded(WriteBatch batch, long firstSequence) {
    return batch.encoded(firstSequence);
  }
}
