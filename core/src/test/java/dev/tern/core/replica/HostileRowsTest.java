package dev.tern.core.replica;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.store.Bed;
import dev.tern.core.topology.ClusterView;
import dev.tern.core.topology.Founding;
import dev.tern.core.topology.KeyspaceProperty;
import dev.tern.core.topology.KeyspaceSettings;
import dev.tern.core.topology.Member;
import dev.tern.core.topology.MemberEntry;
import dev.tern.core.version.DotSet;
import dev.tern.core.wire.RepairPage;
import dev.tern.env.Events;
import dev.tern.env.Randomness;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.WriteBatch;
import dev.tern.world.Hostile;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/// Rows that nobody wrote, among those of a store: whoever walks over them passes them by, or asks
/// another replica.
class HostileRowsTest {
  private static final int REPLICA = -2;
  private static final long MILLIS = 1_780_000_000_000L;

  private final Bed bed = new Bed(7, 1 << 20);
  private final Store store;
  private final Partition partition;
  private final byte[] recordKey;

  HostileRowsTest() throws IOException {
    Member.Ports ports = Member.Ports.NONE.with("internode", 1).with("redis", 2);
    Member member = new Member(1, "%040x".formatted(1), "a", "one", ports);
    KeyspaceSettings settings =
        KeyspaceSettings.usual("a")
            .with(KeyspaceProperty.N, 1)
            .with(KeyspaceProperty.R, 1)
            .with(KeyspaceProperty.W, 1);
    List<MemberEntry> members = List.of(MemberEntry.of(member));
    store = Store.open(bed.open(), 4, 0, 1, Randomness.of(3), Events.NONE);
    store.adopt(ClusterView.of(new Founding(4, members, List.of(settings)).state()), 1);
    partition = Objects.requireNonNull(store.partitionOfGroup(1, 2));
    recordKey = store.records().recordKey(1, 2 * 4096 + 7, "a".getBytes(US_ASCII));
  }

  private void put(ColumnFamily family, byte[] row, byte[] value) {
    store.lsm().append(new WriteBatch().put(family, row, value));
  }

  private RepairPage page() {
    DotSet dots = new DotSet();
    dots.addRun(REPLICA, 1, 600);
    return new Repair(store, partition, dots, Long.MAX_VALUE, 1 << 20).ofDots(dots);
  }

  /// A replica that is asked for dots in such a log says that all is to be asked for.
  @Test
  void aRowOfNoDotAmongTheDots() {
    for (int counter = 1; counter <= 600; counter++) {
      put(store.dots(), Rows.dot(partition, REPLICA, counter), JournalRows.dot(recordKey));
    }
    assertEquals(RepairPage.Answer.RECORDS, page().answer());
    byte[] dot = Rows.dot(partition, REPLICA, 512);
    byte[][] rows = {Arrays.copyOf(dot, dot.length - 1), Arrays.copyOf(dot, dot.length + 1)};
    for (byte[] row : rows) {
      put(store.dots(), row, JournalRows.dot(recordKey));
      assertEquals(RepairPage.Answer.REBUILD, page().answer());
      store.lsm().append(new WriteBatch().delete(store.dots(), row));
    }
    for (byte[] value : new byte[][] {{}, {1}, {2, 7}, Arrays.copyOf(recordKey, 9)}) {
      put(store.dots(), dot, value);
      assertEquals(RepairPage.Answer.REBUILD, page().answer());
    }
  }

  /// The walk ends, and finds what expires and nothing else.
  @Test
  void rowsOfNoExpiryAmongTheExpiries() {
    byte[] good = Expired.row(partition, MILLIS, recordKey, REPLICA, 300);
    put(store.expiries(), good, new byte[0]);
    int[] found = {0};
    Hostile hostile =
        new Hostile(
            row -> {
              if (row.length == 0 || Arrays.equals(row, good)) {
                return;
              }
              put(store.expiries(), row, new byte[0]);
              Expired.Page page = Expired.read(store, new byte[0], MILLIS, 10);
              assertEquals(0, page.next().length);
              assertTrue(
                  page.expired().stream().anyMatch(each -> each.row().length == good.length));
              for (Expired each : page.expired()) {
                assertTrue(partition(each).records().isKey(each.recordKey()));
              }
              found[0] += page.expired().size() - 1;
              store.lsm().append(new WriteBatch().delete(store.expiries(), row));
            },
            1 << 20);
    hostile.all(good);
    assertTrue(found[0] > 0 && found[0] < hostile.tried(), "found " + found[0]);
    assertArrayEquals(good, page(MILLIS).expired().getFirst().row());
    assertTrue(page(MILLIS - 1).expired().isEmpty());
  }

  private Partition partition(Expired expired) {
    int number = store.records().partitionOf(expired.slot());
    return Objects.requireNonNull(store.partitionOfGroup(1, number));
  }

  private Expired.Page page(long untilMillis) {
    try {
      return Expired.read(store, new byte[0], untilMillis, 10);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
