package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.context.Limits;
import dev.tern.core.context.Statistics.Counter;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.ScanOutcome;
import dev.tern.core.keyspace.Scope;
import dev.tern.core.keyspace.Update;
import dev.tern.core.version.Rank;
import dev.tern.core.version.Stamp;
import dev.tern.core.wire.FrameKind;
import dev.tern.core.wire.Message;
import dev.tern.core.wire.MessageCodec;
import dev.tern.core.wire.RoutedKey;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.Randomness;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Frames of all kinds that nodes have sent each other, altered in many ways, arrive at nodes: each
/// is refused or taken, and no node ends by it.
class HostileFramesTest {
  private static final int SAMPLES_OF_A_KIND = 40;
  private static final int ROUNDS = 300;

  /// Numbers that are the bounds of something.
  private static final String[] NUMBERS = {
    "00",
    "7f",
    "ff01",
    "ffff03",
    "808001",
    "ffffffff07",
    "8080808008",
    "ffffffff0f",
    "8080808010",
    "ffffffffffffffff3f",
    "ffffffffffffffff7f",
    "ffffffffffffffffff01"
  };

  private final Cluster cluster = new Cluster(4, Limits.DEFAULT.withTreeRoundNanos(2_000_000_000L));
  private final Script script = new Script(cluster, 4);

  /// By kind and type of message: frames as they were sent.
  private final TreeMap<Integer, List<byte[]>> samples = new TreeMap<>();

  private final Randomness random = Randomness.of(7);
  private final int[] refused = {0};
  private final int[] taken = {0};

  private void sample(byte[] frame) {
    if (isForged(frame)) {
      int kind = frame[0] << 8 | frame[2];
      List<byte[]> some = samples.computeIfAbsent(kind, first -> new ArrayList<>());
      if (some.size() < SAMPLES_OF_A_KIND) {
        some.add(frame);
      }
    }
  }

  /// All but votes and entries of Raft: bytes that are a vote are one.
  private static boolean isForged(byte[] frame) {
    return FrameKind.of(new ByteReader(frame)) != FrameKind.RAFT;
  }

  private void sample(Message message) {
    ByteWriter out = new ByteWriter();
    MessageCodec.encode(message, out);
    sample(out.toByteArray());
  }

  private void scan(String keyspace) {
    List<ScanOutcome> pages = new ArrayList<>();
    cluster.world.schedule(
        0, 1, () -> cluster.node(1).keyspace(0, keyspace).scan(0, 100, Scope.CLUSTER, pages::add));
    cluster.within(Cluster.SECOND * 15, () -> !pages.isEmpty());
  }

  /// All that nodes say to each other.
  private void speak() {
    cluster.observer = this::sample;
    Update.Store store =
        new Update.Store(new byte[9], 0, Script.NO_CONTEXT, false, Update.Match.NONE, true);
    Level sloppy = Script.sloppy(2);
    for (int i = 0; i < 60; i++) {
      script.put(1 + i % 4, "k" + i, "v" + i, Level.DEFAULT);
      script.update(1 + i % 4, "data", "n" + i % 9, new Update.Add(7), Level.DEFAULT);
      script.update(1 + i % 4, "siblings", "s" + i % 5, store, sloppy);
      script.get(1 + i % 4, "k" + i / 2, Level.DEFAULT);
    }
    scan("data");
    scan("siblings");
    cluster.end(3);
    cluster.runFor(3 * Cluster.SECOND);
    for (int i = 0; i < 60; i++) {
      script.update(1, "siblings", "s" + i, store, sloppy);
      script.put(2, "k" + i, "w", Level.DEFAULT);
      script.delete(4, "k" + (i + 1), Level.DEFAULT);
    }
    cluster.start(3);
    cluster.runFor(60 * Cluster.SECOND);
    cluster.observer = frame -> {};
  }

  private static byte[] altered(byte[] frame, Randomness random) {
    byte[] bytes = frame.clone();
    for (int changes = 1 + random.nextInt(3); changes > 0; changes--) {
      int at = 2 + random.nextInt(Math.max(1, bytes.length - 2));
      switch (random.nextInt(4)) {
        case 0 -> bytes = java.util.Arrays.copyOf(bytes, Math.min(at, bytes.length));
        case 1 -> bytes = spliced(bytes, Math.min(at, bytes.length), random);
        default -> {
          if (at < bytes.length) {
            bytes[at] = (byte) random.nextLong();
          }
        }
      }
    }
    return bytes;
  }

  private static byte[] spliced(byte[] bytes, int at, Randomness random) {
    byte[] number = java.util.HexFormat.of().parseHex(NUMBERS[random.nextInt(NUMBERS.length)]);
    int rest = Math.min(bytes.length, at + random.nextInt(3));
    byte[] result = new byte[at + number.length + bytes.length - rest];
    System.arraycopy(bytes, 0, result, 0, at);
    System.arraycopy(number, 0, result, at, number.length);
    System.arraycopy(bytes, rest, result, at + number.length, bytes.length - rest);
    return result;
  }

  /// Whether a topology names a member otherwise than before. That says that its directory is no
  /// member's any more, and nothing tells such bytes from a true state: as with votes.
  private static boolean renames(byte[] frame, byte[] altered) {
    if (FrameKind.of(new ByteReader(frame)) != FrameKind.TOPOLOGY
        || altered.length < frame.length) {
      return false;
    }
    String before = new String(frame, ISO_8859_1);
    String after = new String(altered, ISO_8859_1);
    return IntStream.rangeClosed(1, 4)
        .mapToObj("%040x"::formatted)
        .anyMatch(name -> before.contains(name) && !after.contains(name));
  }

  private void forge(byte[] frame, int from, int to) {
    byte[] bytes = altered(frame, random);
    if (renames(frame, bytes)) {
      return;
    }
    cluster.network.forge(from, to, random.nextInt(2), bytes, yes -> (yes ? refused : taken)[0]++);
  }

  /// Also what comes in answer to requests that are under way.
  private void forgeWhileTheySpeak() {
    cluster.observer =
        frame -> {
          if (isForged(frame) && random.nextInt(4) == 0) {
            for (int from = 1; from <= 4; from++) {
              for (int to = 1; to <= 4; to++) {
                if (from != to) {
                  forge(frame, from, to);
                }
              }
            }
          }
        };
    Update.Store store =
        new Update.Store(new byte[9], 0, Script.NO_CONTEXT, false, Update.Match.NONE, true);
    for (int i = 0; i < 200; i++) {
      script.update(1 + i % 4, "data", "n" + i % 9, new Update.Add(7), Level.DEFAULT);
      script.update(1 + i % 4, "siblings", "s" + i % 5, store, Script.sloppy(2));
      scan(i % 2 == 0 ? "data" : "siblings");
    }
    cluster.observer = frame -> {};
  }

  @Test
  void noFrameEndsANode() {
    speak();
    byte[] key = {7};
    sample(new Message.Superseded(1, new Rank(Stamp.put(2, -3), -3, 4)));
    sample(new Message.ReadHeld(1, 2, RoutedKey.of(1, 1, key), 4));
    sample(new Message.Count(1, 2, 1, BitSet.valueOf(new byte[] {-1, -1, -1})));
    int[] types = {1, 2, 3, 4, 5, 7, 8, 16, 17, 18, 19, 20, 21, 32, 33, 34, 35, 36, 37};
    for (int type : types) {
      int kind = 'D' << 8 | type;
      assertTrue(samples.containsKey(kind), "no message of type " + type);
    }
    for (List<byte[]> some : samples.values()) {
      for (int round = 0; round < ROUNDS; round++) {
        int to = 1 + random.nextInt(4);
        forge(some.get(random.nextInt(some.size())), 1 + (to + random.nextInt(3)) % 4, to);
        if (round % 20 == 0) {
          cluster.runFor(20 * Cluster.MILLI);
        }
      }
      cluster.runFor(Cluster.SECOND);
    }
    forgeWhileTheySpeak();
    assertTrue(refused[0] > 1_000 && taken[0] > 1_000, refused[0] + " refused, " + taken[0]);
    cluster.runFor(60 * Cluster.SECOND);
    long counted = 0;
    for (int node = 1; node <= 4; node++) {
      counted += cluster.node(node).statistic(Counter.FRAMES_MALFORMED);
      script.put(node, "after" + node, "v", Level.DEFAULT);
      assertEquals("v", script.get(node, "after" + node, Level.DEFAULT));
    }
    // Some are held first, and refused when their sender has greeted.
    assertTrue(counted >= refused[0], counted + " counted of " + refused[0]);
  }
}
