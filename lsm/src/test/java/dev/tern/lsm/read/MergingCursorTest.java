package dev.tern.lsm.read;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.lsm.entry.Cursor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// Entries of several sources in one order: by key, of a key the newest first.
class MergingCursorTest {
  private record Row(int key, long sequence) {}

  private static final Comparator<Row> ORDER =
      Comparator.comparingInt(Row::key)
          .thenComparing(Comparator.comparingLong(Row::sequence).reversed());

  private static byte[] bytes(int key) {
    return ByteBuffer.allocate(4).putInt(key).array();
  }

  /// A source in a list.
  private static final class ListCursor extends Cursor {
    private final List<Row> rows;
    private int at;

    ListCursor(List<Row> rows) {
      this.rows = rows;
    }

    private void stand(int where) {
      at = where;
      valid = at >= 0 && at < rows.size();
      if (valid) {
        key = bytes(rows.get(at).key());
        keyLength = key.length;
        sequence = rows.get(at).sequence();
      }
    }

    @Override
    public void seek(byte @Nullable [] target) {
      int where = 0;
      while (target != null
          && where < rows.size()
          && rows.get(where).key() < ByteBuffer.wrap(target).getInt()) {
        where++;
      }
      stand(where);
    }

    @Override
    public void seekBefore(byte @Nullable [] target) {
      int where = rows.size() - 1;
      while (target != null
          && where >= 0
          && rows.get(where).key() >= ByteBuffer.wrap(target).getInt()) {
        where--;
      }
      stand(where);
    }

    @Override
    public void next() {
      stand(at + 1);
    }

    @Override
    public void prev() {
      stand(at - 1);
    }

    @Override
    public int valueLength() {
      return 4;
    }

    @Override
    public void copyValue(byte[] target, int from) {
      ByteBuffer.wrap(target).putInt(from, (int) sequence);
    }

    @Override
    public long valueHead() {
      return sequence;
    }

    @Override
    public long largestSequence() {
      return rows.stream().mapToLong(Row::sequence).max().orElse(0);
    }
  }

  private final Random random = new Random(5);
  private final List<Row> all = new ArrayList<>();

  private MergingCursor merged(int sources, int rows) {
    all.clear();
    List<List<Row>> lists = new ArrayList<>();
    for (int i = 0; i < sources; i++) {
      lists.add(new ArrayList<>());
    }
    for (int sequence = 1; sequence <= rows; sequence++) {
      Row row = new Row(random.nextInt(20), sequence);
      all.add(row);
      lists.get(random.nextInt(sources)).add(row);
    }
    all.sort(ORDER);
    List<Cursor> cursors = new ArrayList<>();
    for (List<Row> list : lists) {
      list.sort(ORDER);
      cursors.add(new ListCursor(list));
    }
    return new MergingCursor(cursors);
  }

  private static Row row(Cursor at) {
    return new Row(ByteBuffer.wrap(at.keyCopy()).getInt(), at.sequence);
  }

  @Test
  void forwardFromAnywhere() throws IOException {
    for (int round = 0; round < 500; round++) {
      MergingCursor cursor = merged(1 + random.nextInt(5), random.nextInt(60));
      int from = random.nextInt(22);
      List<Row> seen = new ArrayList<>();
      for (cursor.seek(bytes(from)); cursor.valid; cursor.next()) {
        seen.add(row(cursor));
        assertEquals(cursor.sequence, cursor.valueHead(), "the value is another entry's");
      }
      assertEquals(all.stream().filter(row -> row.key() >= from).toList(), seen);
    }
  }

  @Test
  void backwardFromAnywhere() throws IOException {
    for (int round = 0; round < 500; round++) {
      MergingCursor cursor = merged(1 + random.nextInt(5), random.nextInt(60));
      int before = random.nextInt(22);
      List<Row> seen = new ArrayList<>();
      for (cursor.seekBefore(bytes(before)); cursor.valid; cursor.prev()) {
        seen.add(row(cursor));
      }
      assertEquals(all.stream().filter(row -> row.key() < before).toList().reversed(), seen);
    }
  }

  @Test
  void sourcesThatAreOlderThanADeletionSkipWhatItCovers() throws IOException {
    List<Row> older = List.of(new Row(1, 1), new Row(2, 2), new Row(5, 3));
    List<Row> newer = List.of(new Row(2, 9), new Row(4, 8));
    MergingCursor cursor = new MergingCursor(List.of(new ListCursor(older), new ListCursor(newer)));
    cursor.seek(null);
    cursor.skipTo(bytes(5), 6);
    List<Row> seen = new ArrayList<>();
    for (; cursor.valid; cursor.next()) {
      seen.add(row(cursor));
    }
    assertEquals(List.of(new Row(2, 9), new Row(4, 8), new Row(5, 3)), seen);
  }

  @Test
  void nothingIsValidWhereNothingIs() throws IOException {
    MergingCursor cursor = merged(3, 0);
    cursor.seek(null);
    assertFalse(cursor.valid);
    MergingCursor one = merged(2, 1);
    one.seek(null);
    assertTrue(one.valid);
    one.close();
    assertFalse(one.valid);
  }
}
