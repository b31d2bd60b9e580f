package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.env.ByteWriter;
import dev.tern.env.FileSystem;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.CompactionStyle;
import dev.tern.lsm.Durability;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.WriteBatch;
import dev.tern.world.SimulatedDisk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/// A store that a node must not use is refused before a byte of its directory changes: the version,
/// member or shard that it belongs to opens it still.
class RefusedStoreTest {
  private static final long SECOND = ClusterRun.SECOND;

  private static Cluster written(int keys) {
    Cluster cluster = new Cluster(3);
    for (int i = 0; i < keys; i++) {
      byte[] value = ("value-" + i).getBytes(US_ASCII);
      Update put = new Update.Put(value, 0, Update.Condition.NONE, false);
      byte[] key = ("k" + i).getBytes(US_ASCII);
      List<UpdateOutcome> outcomes = new ArrayList<>();
      Level two = new Level(0, 2, 0);
      cluster.world.schedule(
          0, 1, () -> cluster.node(1).keyspace(0, "data").update(key, put, two, outcomes::add));
      cluster.within(10 * SECOND, () -> !outcomes.isEmpty());
      assertInstanceOf(UpdateOutcome.Done.class, outcomes.getFirst());
    }
    return cluster;
  }

  private static byte[] bytes(SimulatedDisk disk, String path) throws IOException {
    try (FileSystem.ReadableFile file = disk.open(path)) {
      ByteBuffer all = ByteBuffer.allocate((int) file.size());
      while (all.hasRemaining() && file.read(all.position(), all) > 0) {
        // Until all is there.
      }
      return all.array();
    }
  }

  /// All files of the two shards.
  private static Map<String, byte[]> files(SimulatedDisk disk) throws IOException {
    TreeMap<String, byte[]> files = new TreeMap<>();
    for (String directory : List.of("shard-0", "shard-1")) {
      for (String name : disk.list(directory)) {
        files.put(directory + "/" + name, bytes(disk, directory + "/" + name));
      }
    }
    return files;
  }

  private static void replace(SimulatedDisk disk, Map<String, byte[]> files) throws IOException {
    for (String path : files(disk).keySet()) {
      disk.delete(path);
    }
    for (var each : files.entrySet()) {
      try (FileSystem.WritableFile file = disk.create(each.getKey())) {
        file.append(ByteBuffer.wrap(each.getValue()));
        file.force();
      }
    }
  }

  private static void refused(Cluster cluster, String why) throws IOException {
    SimulatedDisk disk = cluster.disk(1);
    Map<String, byte[]> before = files(disk);
    boolean log = before.entrySet().stream().anyMatch(RefusedStoreTest::isUsedLog);
    assertTrue(log, "no log would be recovered");
    Throwable refusal =
        assertThrows(IllegalStateException.class, () -> cluster.start(1)).getCause();
    assertTrue(String.valueOf(refusal.getMessage()).contains(why), refusal.getMessage());
    Map<String, byte[]> after = files(disk);
    assertEquals(before.keySet(), after.keySet());
    before.forEach((path, bytes) -> assertArrayEquals(bytes, after.get(path), path));
  }

  private static boolean isUsedLog(Map.Entry<String, byte[]> file) {
    return file.getKey().endsWith(".log") && file.getValue().length > 100;
  }

  @Test
  void swappedShards() throws IOException {
    Cluster cluster = written(50);
    cluster.end(1);
    Map<String, byte[]> swapped = new TreeMap<>();
    files(cluster.disk(1))
        .forEach(
            (path, bytes) -> {
              String other = path.startsWith("shard-0") ? "shard-1" : "shard-0";
              swapped.put(other + path.substring(other.length()), bytes);
            });
    Map<String, byte[]> right = files(cluster.disk(1));
    replace(cluster.disk(1), swapped);
    refused(cluster, "put the directories back where they were");
    replace(cluster.disk(1), right);
    cluster.start(1);
    cluster.within(30 * SECOND, cluster::allSeen);
  }

  /// Writes a row of the stores' own at node 1, which is down.
  private static void change(Cluster cluster, int kind, ByteWriter row) throws IOException {
    for (int shard = 0; shard < 2; shard++) {
      try (Lsm lsm = cluster.store(1, shard)) {
        ColumnFamily meta = lsm.columnFamily("meta", CompactionStyle.LEVELED);
        WriteBatch batch = new WriteBatch().put(meta, new byte[] {0, 0, (byte) kind}, row);
        lsm.write(batch, Durability.SYNC);
      }
    }
  }

  @Test
  void anotherCluster() throws IOException {
    Cluster cluster = written(50);
    cluster.end(1);
    change(cluster, 7, new ByteWriter().writeLong(1).writeLong(2).writeInt(1));
    refused(cluster, "belongs to node 1 of cluster");
  }

  @Test
  void anOlderFormat() throws IOException {
    Cluster cluster = written(50);
    cluster.end(1);
    change(cluster, 1, new ByteWriter().writeInt(7).writeInt(2).writeInt(16).writeInt(4));
    refused(cluster, "is of format 4");
  }
}
