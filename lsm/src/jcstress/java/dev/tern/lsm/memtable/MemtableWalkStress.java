package dev.tern.lsm.memtable;

import dev.tern.lsm.entry.Cursor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.L_Result;

/// A walk sees the keys that were there, in order, while others get their place among them.
@JCStressTest
@Outcome(
    id = {"bd", "abd", "bcd", "abcd"},
    expect = Expect.ACCEPTABLE)
@Outcome(id = ".*", expect = Expect.FORBIDDEN)
@State
public class MemtableWalkStress {
  private final Writes writes = new Writes();

  public MemtableWalkStress() {
    writes.put(Writes.bytes("b")).put(Writes.bytes("d"));
    writes.memtable.order();
  }

  @Actor
  public void writer() {
    writes.put(Writes.bytes("c")).put(Writes.bytes("a"));
    writes.memtable.order();
  }

  @Actor
  public void reader(L_Result seen) {
    StringBuilder keys = new StringBuilder();
    Cursor cursor = writes.memtable.cursor(Long.MAX_VALUE);
    try {
      for (cursor.seek(null); cursor.valid; cursor.next()) {
        keys.append(new String(cursor.keyCopy(), StandardCharsets.US_ASCII));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    seen.r1 = keys.toString();
  }
}
