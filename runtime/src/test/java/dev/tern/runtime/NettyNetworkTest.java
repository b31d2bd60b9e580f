package dev.tern.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.env.Network;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.uring.IoUring;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Whole networks on loopback.
class NettyNetworkTest {
  static Stream<String> transports() {
    return Stream.of(
            "nio", Epoll.isAvailable() ? "epoll" : "", IoUring.isAvailable() ? "io_uring" : "")
        .filter(name -> !name.isEmpty());
  }

  private static TestNode node(String transport, int number, int shards) throws Exception {
    return new TestNode(transport, number, shards, TestNode.CLUSTER, TestNode.TIMING);
  }

  private static byte[] random(int length) {
    byte[] bytes = new byte[length];
    new Random(length).nextBytes(bytes);
    return bytes;
  }

  @ParameterizedTest
  @MethodSource("transports")
  void framesOfAllSizesArriveUnchangedInOrderOnTheLoopOfTheirShard(String transport)
      throws Exception {
    int[] sizes = {0, 1, 100, 1023, 1 << 16, (1 << 16) + 1, 1 << 20, 20 << 20, 0, 7};
    try (TestNode a = node(transport, 1, 2);
        TestNode b = node(transport, 2, 3)) {
      TestNode.meet(1, a, 2, b);
      for (int fromShard = 0; fromShard < 2; fromShard++) {
        for (int toShard : new int[] {0, 1, 2, 1023}) {
          for (int size : size(sizes, toShard)) {
            assertTrue(a.send(fromShard, 2, toShard, random(size)));
          }
          for (int size : size(sizes, toShard)) {
            TestNode.Received got = b.next();
            assertArrayEquals(random(size), got.payload());
            assertEquals(
                List.of(1, fromShard, toShard % 3),
                List.of(got.fromNode(), got.fromShard(), got.toShard()));
            assertTrue(got.onLoop());
          }
        }
      }
      assertTrue(b.send(2, 1, 5, random(3)));
      assertEquals(1, a.next().toShard());
      assertTrue(a.fatal.isEmpty() && b.fatal.isEmpty());
    }
  }

  /// The longest only once: they take their time.
  private static int[] size(int[] sizes, int toShard) {
    return toShard == 1023 ? sizes : Arrays.stream(sizes).filter(s -> s <= 1 << 20).toArray();
  }

  @Test
  void manySmallFramesOfOneTurnArriveInOrder() throws Exception {
    try (TestNode a = node("auto", 1, 1);
        TestNode b = node("auto", 2, 2)) {
      TestNode.meet(1, a, 2, b);
      int count = 20_000;
      a.loops
          .getFirst()
          .execute(
              () -> {
                ByteWriter writer = new ByteWriter();
                for (int i = 0; i < count; i++) {
                  a.network.send(0, 2, 1, writer.clear().writeInt(i));
                }
              });
      for (int i = 0; i < count; i++) {
        assertEquals(i, new ByteReader(b.next().payload()).readInt());
      }
    }
  }

  @Test
  void aFrameLongerThanTheBoundIsNotTaken() throws Exception {
    try (TestNode a = node("auto", 1, 1);
        TestNode b = node("auto", 2, 1)) {
      TestNode.meet(1, a, 2, b);
      assertFalse(a.send(0, 2, 0, new byte[Network.MAX_PAYLOAD_BYTES + 1]));
      assertTrue(a.send(0, 2, 0, new byte[Network.MAX_PAYLOAD_BYTES]));
      assertEquals(Network.MAX_PAYLOAD_BYTES, b.next().payload().length);
    }
  }

  @Test
  void framesToTheOwnNodeTakeNoSocket() throws Exception {
    try (TestNode a = node("auto", 1, 2)) {
      assertTrue(a.network.connected(0, 1));
      assertTrue(a.send(0, 1, 7, random(10)));
      TestNode.Received got = a.next();
      assertEquals(List.of(1, 0, 1), List.of(got.fromNode(), got.fromShard(), got.toShard()));
      assertArrayEquals(random(10), got.payload());
      assertTrue(got.onLoop());
    }
  }

  @Test
  void nothingIsSentToWhoIsNotConnected() throws Exception {
    try (TestNode a = node("auto", 1, 1)) {
      assertFalse(a.send(0, 2, 0, random(1)));
      assertFalse(a.network.connected(0, 2));
    }
  }

  @Test
  void aNodeThatCameBackIsDialledAgain() throws Exception {
    try (TestNode a = node("auto", 1, 1)) {
      int port;
      try (TestNode b = node("auto", 2, 1)) {
        port = b.port;
        TestNode.meet(1, a, 2, b);
        assertEquals("0 2 true", a.nextConnection());
      }
      assertEquals("0 2 false", a.nextConnection());
      assertFalse(a.network.connected(0, 2));
      try (TestNode b = new TestNode("auto", 2, 1, TestNode.CLUSTER, TestNode.TIMING, port)) {
        b.knows(1, a.port);
        // The connection that the other had opened broke, too, and was told by itself.
        assertEquals("0 2 false", a.nextConnection());
        assertEquals("0 2 true", a.nextConnection());
        assertTrue(a.send(0, 2, 0, random(5)));
        assertArrayEquals(random(5), b.next().payload());
      }
    }
  }

  @Test
  void brokenBytesCloseTheirConnectionAndNothingElse() throws Exception {
    try (TestNode a = node("auto", 1, 1);
        TestNode b = node("auto", 2, 1);
        TestNode c = node("auto", 3, 1);
        FlippingProxy proxy = new FlippingProxy(b.port)) {
      b.knows(1, a.port);
      TestNode.meet(3, c, 2, b);
      a.knows(2, proxy.port());
      a.awaitOpen(2);
      assertEquals("0 2 true", a.nextConnection());
      assertTrue(a.send(0, 2, 0, random(100)));
      assertArrayEquals(random(100), b.next().payload());

      for (int round = 0; round < 5; round++) {
        proxy.flipNext();
        assertTrue(a.send(0, 2, 0, random(1000)));
        assertEquals("0 2 false", a.nextConnection());
        assertEquals("0 2 true", a.nextConnection());
        assertTrue(a.send(0, 2, 0, random(200)));
        assertArrayEquals(random(200), b.next().payload(), "only the good frame is delivered");
      }
      assertTrue(c.send(0, 2, 0, random(300)));
      assertArrayEquals(random(300), b.next().payload());
      assertEquals("0 2 true", c.nextConnection());
      assertTrue(c.connections.isEmpty(), "another peer's connection was touched");
    }
  }

  @Test
  void aMessageThatMeansNothingClosesItsConnectionOnly() throws Exception {
    for (int toShard = 0; toShard < 2; toShard++) {
      try (TestNode a = node("auto", 1, 1);
          TestNode b = node("auto", 2, 2)) {
        TestNode.meet(1, a, 2, b);
        assertEquals("0 2 true", a.nextConnection());
        b.onFrame =
            bytes -> {
              if (bytes.length == 13) {
                throw new DecodeException("thirteen");
              }
            };
        assertTrue(a.send(0, 2, toShard, random(13)));
        assertEquals("0 2 false", a.nextConnection());
        assertEquals("0 2 true", a.nextConnection());
        assertTrue(a.send(0, 2, toShard, random(14)));
        assertEquals(14, b.next().payload().length);
        assertTrue(b.fatal.isEmpty());
      }
    }
  }

  @Test
  void aReceiverThatThrowsIsFatal() throws Exception {
    for (int toShard = 0; toShard < 2; toShard++) {
      try (TestNode a = node("auto", 1, 1);
          TestNode b = node("auto", 2, 2)) {
        TestNode.meet(1, a, 2, b);
        b.onFrame =
            bytes -> {
              throw new IllegalStateException("half-run");
            };
        assertTrue(a.send(0, 2, toShard, random(1)));
        Await.until("the failure is told", () -> !b.fatal.isEmpty());
        assertEquals("half-run", b.fatal.peek().getMessage());
      }
    }
  }

  @Test
  void anotherMemberAtTheAddressIsNotTakenForTheOneMeant() throws Exception {
    try (TestNode a = node("auto", 1, 1);
        TestNode c = node("auto", 3, 1)) {
      TestNode.meet(1, a, 3, c);
      a.knows(2, c.port);
      assertTrue(a.send(0, 3, 0, random(1)));
      c.next();
      a.knows(3, c.port);
      Await.until("two more connections came", () -> a.connections.size() >= 2);
      assertFalse(a.network.connected(0, 2));
      assertTrue(a.connections.stream().noneMatch(event -> event.startsWith("0 2")));
    }
  }
}
