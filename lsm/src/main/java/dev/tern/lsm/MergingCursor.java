package dev.tern.lsm;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Merges sources that together hold each version once. Few sources: the least is found by looking.
final class MergingCursor implements Cursor {
  private final Cursor[] sources;
  private int least = -1;

  MergingCursor(List<Cursor> sources) {
    this.sources = sources.toArray(new Cursor[0]);
  }

  @Override
  public void seek(byte @Nullable [] key) throws IOException {
    for (Cursor source : sources) {
      source.seek(key);
    }
    findLeast();
  }

  private void findLeast() {
    least = -1;
    byte[] leastKey = null;
    for (int i = 0; i < sources.length; i++) {
      if (sources[i].valid()) {
        byte[] key = sources[i].key();
        int order = leastKey == null ? -1 : Arrays.compareUnsigned(key, leastKey);
        if (order < 0 || order == 0 && sources[i].sequence() > sources[least].sequence()) {
          least = i;
          leastKey = key;
        }
      }
    }
  }

  @Override
  public boolean valid() {
    return least >= 0;
  }

  @Override
  public void next() throws IOException {
    sources[least].next();
    findLeast();
  }

  @Override
  public byte[] key() {
    return sources[least].key();
  }

  @Override
  public long sequence() {
    return sources[least].sequence();
  }

  @Override
  public int kind() {
    return sources[least].kind();
  }

  @Override
  public byte[] value() {
    return sources[least].value();
  }
}
